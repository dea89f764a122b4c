//! `cargo xtask bench` and `cargo xtask soak`: on a release build.

use std::{ffi::OsString, path::PathBuf, process::Command};

use crate::{Failure, Outcome, console, machine, must};

/// What the benchmark is told is its own business: `cargo xtask bench bulk --help` lists it.
///
/// The console's own suite is measured in a browser, and so by Playwright.
pub(crate) fn run(arguments: &[OsString]) -> Outcome {
    if arguments.first().is_some_and(|suite| suite == "console") {
        return console::bench();
    }
    if arguments.first().is_some_and(|suite| suite != "bulk" && !suite.to_string_lossy().starts_with('-')) {
        machine::has_load_generators()?;
    }
    let release = build()?;
    let mut bench = Command::new(release.join("bench"));
    bench.args(arguments);
    // Without a suite it says which there are, and that is all that can be told to it.
    if !arguments.is_empty() {
        place(&mut bench, release);
        bench.arg("--docs").arg(machine::root().join("docs"));
    }
    must(&mut bench)
}

pub(crate) fn soak(arguments: &[OsString]) -> Outcome {
    let release = build()?;
    let mut soak = Command::new(release.join("bench"));
    soak.arg("soak").args(arguments);
    place(&mut soak, release);
    become_it(soak)
}

/// Builds what is measured and who measures it, and tells where they are.
fn build() -> Result<PathBuf, Failure> {
    machine::has_make()?;
    machine::has_postgres()?;
    machine::has_sqlite()?;
    let packages = ["--release", "--package", "server", "--package", "bench"];
    must(machine::cargo("build").args(packages).args(machine::features()))?;
    Ok(machine::target().join("release"))
}

fn place(command: &mut Command, release: PathBuf) {
    command.arg("--strata").arg(release.join("strata"));
    command.arg("--folder").arg(machine::target().join("tmp/bench"));
}

/// Takes this process's place: Ctrl-C would end this one at once, and whoever waits for it would not see what the soak
/// still checks and tells.
#[cfg(unix)]
fn become_it(mut command: Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Failure(format!("{command:?} cannot be started: {error}")))
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Outcome {
    must(&mut command)
}
