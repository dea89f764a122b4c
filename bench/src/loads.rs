//! Programs and threads that send requests: as fast as they are answered, or at a rate of their own.

pub(crate) mod pgbench;
pub(crate) mod rates;
pub(crate) mod redis;
pub(crate) mod wrk;

use std::{
    io,
    process::{Command, Output},
    thread::available_parallelism,
};

use crate::{Failure, failed};

/// What a load generator tells of its run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answered {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Which time 99 of 100 requests kept below, where it is told.
    pub(crate) p99_ms: Option<f64>,
}

/// How many threads a generator has: as many as the server. With fewer, the generator is what is measured.
fn threads(connections: u64) -> u64 {
    (available_parallelism().map_or(1, usize::from) as u64).min(connections)
}

/// Whether a program can be started. Whoever lacks it hears so before anything is filled for it.
pub(crate) fn require(program: &str, package: &str) -> Result<(), Failure> {
    Command::new(program).arg("--version").output().map(drop).map_err(missing(program, package))
}

fn missing(program: &str, package: &str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure(format!("`{program}` does not run: {error}; on Debian or Ubuntu: apt-get install {package}"))
}

fn output(command: &mut Command, package: &str) -> Result<Output, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(missing(&program, package))?;
    if output.status.success() {
        return Ok(output);
    }
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Failure(format!("`{program}` ended with {}: {told}", output.status)))
}

fn number(text: &str, of: &str) -> Result<f64, Failure> {
    text.parse().map_err(failed(format!("{of} is told as `{text}`")))
}
