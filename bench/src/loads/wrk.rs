//! wrk: connections that each ask again as soon as they were answered.

use std::{fs, path::Path, process::Command};

use super::{Answered, number, output, threads};
use crate::{Failure, failed, must_be};

/// What is asked. Each script is followed by one that tells what came of it.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// GET of a path, in which `%07d` stands for the number of a random user.
    Gets { path: String, users: u64 },
    /// The segments of so many random users at once.
    Batches { size: u64, users: u64 },
    /// A random user enters a segment that it is not in, and leaves it later.
    Changes { users: u64, segments: u64 },
    /// POST of one body to one path.
    Posts { path: String, body: String },
}

/// And its package.
pub(crate) const PROGRAM: &str = "wrk";

const TELL: &str = include_str!("wrk/tell.lua");

impl Script {
    fn text(&self) -> &'static str {
        match self {
            Script::Gets { .. } => include_str!("wrk/gets.lua"),
            Script::Batches { .. } => include_str!("wrk/batches.lua"),
            Script::Changes { .. } => include_str!("wrk/changes.lua"),
            Script::Posts { .. } => include_str!("wrk/posts.lua"),
        }
    }

    fn arguments(&self) -> [String; 2] {
        match self {
            Script::Gets { path, users } => [users.to_string(), path.clone()],
            Script::Batches { size, users } => [users.to_string(), size.to_string()],
            Script::Changes { users, segments } => [users.to_string(), segments.to_string()],
            Script::Posts { path, body } => [path.clone(), body.clone()],
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: u64,
    pub(crate) seconds: u64,
    /// Another one draws other users.
    pub(crate) seed: u64,
    /// An answer that has fewer, with its head, is none.
    pub(crate) bytes_min: u64,
}

/// Every answer must be a good one.
pub(crate) fn run(
    folder: &Path,
    base: &str,
    token: Option<&str>,
    script: &Script,
    load: Load,
) -> Result<Answered, Failure> {
    let path = folder.join("wrk.lua");
    fs::write(&path, format!("{}{TELL}", script.text())).map_err(failed(path.display()))?;
    let mut command = Command::new(PROGRAM);
    command
        .args(["-t", &threads(load.connections).to_string(), "-c", &load.connections.to_string()])
        .args(["-d", &format!("{}s", load.seconds), "--timeout", "10s", "-s"])
        .arg(&path)
        .args(token.map(|token| format!("-HAuthorization: Bearer {token}")))
        .args([base, "--", &load.seed.to_string()])
        .args(script.arguments());
    let output = output(&mut command, PROGRAM)?;
    read(&String::from_utf8_lossy(&output.stdout), load.bytes_min)
}

fn read(text: &str, bytes_min: u64) -> Result<Answered, Failure> {
    let line = text.lines().find_map(|line| line.strip_prefix("told: "));
    let line = line.ok_or_else(|| Failure(format!("wrk does not tell what came of it: {text}")))?;
    let field = |name: &str| {
        let value = line.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        number(value.unwrap_or_default(), name)
    };
    for fault in ["connect", "read", "write", "status", "timeout"] {
        must_be(&format!("{fault} errors that wrk saw"), field(fault)?, 0.0)?;
    }
    let (requests, bytes) = (field("requests")?, field("bytes")?);
    must_be("whether wrk was answered at all", requests > 0.0, true)?;
    must_be(
        &format!("whether {bytes} bytes are enough for {requests} answers"),
        bytes >= requests * bytes_min as f64,
        true,
    )?;
    Ok(Answered {
        requests: requests as u64,
        seconds: field("microseconds")? / 1e6,
        p99_ms: Some(field("p99_microseconds")? / 1e3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "Running 1s test\n  100 requests in 1.00s\ntold: requests=100 microseconds=1000500 bytes=20000 \
                        connect=0 read=0 write=0 status=0 timeout=0 p99_microseconds=2500\n";

    #[test]
    fn what_came_of_it_is_read() {
        let expected = Answered { requests: 100, seconds: 1.0005, p99_ms: Some(2.5) };
        assert_eq!(read(TOLD, 200).unwrap(), expected);
    }

    #[test]
    fn a_bad_status_short_answers_and_silence_are_no_result() {
        assert!(read(&TOLD.replace("status=0", "status=1"), 200).is_err());
        assert!(read(TOLD, 201).is_err());
        assert!(read("Running 1s test\n", 0).is_err());
    }
}
