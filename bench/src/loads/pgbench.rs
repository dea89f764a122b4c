//! pgbench: PostgreSQL's own clients, which each run a script again and again.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use super::{Answered, missing, number, output, threads};
use crate::{Failure, clusters, failed, must_be};

const PACKAGE: &str = "postgresql";
/// A new connection has nothing cached and no plan. On a busy machine it takes long until each of many has.
const WARM_UP_S: u64 = 2;
const CLIENTS_A_SECOND: u64 = 24;

/// Statements, with how many requests of Strata they stand for.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) requests: u64,
}

/// One client's work from its start to its end: for statements that take so long that the start does not matter.
pub(crate) fn run_alone(folder: &Path, url: &str, script: &Script, seconds: u64) -> Result<Answered, Failure> {
    let mut command = command(folder, url, script, 1, seconds)?;
    let output = output(&mut command, PACKAGE)?;
    read_summary(&String::from_utf8_lossy(&output.stdout), script.requests)
}

/// Clients that are at work: their connections and plans are there, as those of a server are that runs for longer.
pub(crate) struct Clients {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    /// When the last progress was told, in seconds since the start.
    told_s: f64,
    requests: u64,
}

impl Clients {
    /// Returns when they are warm, and they go on for so many seconds at least.
    pub(crate) fn start(
        folder: &Path,
        url: &str,
        script: &Script,
        clients: u64,
        seconds: u64,
    ) -> Result<Clients, Failure> {
        let warm_up = WARM_UP_S + clients / CLIENTS_A_SECOND;
        let mut command = command(folder, url, script, clients, warm_up + seconds + 1)?;
        let mut child = command
            .args(["-P", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(missing("pgbench", PACKAGE))?;
        let lines = BufReader::new(child.stderr.take().expect("the errors are piped")).lines();
        let mut clients = Clients { child, lines, told_s: 0.0, requests: script.requests };
        clients.go_on(warm_up)?;
        Ok(clients)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What they do in the next so many seconds.
    pub(crate) fn go_on(&mut self, seconds: u64) -> Result<Answered, Failure> {
        let begun_s = self.told_s;
        let mut transactions = 0.0;
        let mut others = String::new();
        for _ in 0..seconds {
            let (at_s, a_second) = loop {
                let line = self.lines.next().ok_or_else(|| Failure(format!("pgbench ended early: {others}")))?;
                let line = line.map_err(failed("pgbench"))?;
                match read_progress(&line)? {
                    Some(progress) => break progress,
                    None => others.push_str(&format!("{line}\n")),
                }
            };
            transactions += a_second * (at_s - self.told_s);
            self.told_s = at_s;
        }
        let requests = (transactions * self.requests as f64).round() as u64;
        Ok(Answered { requests, seconds: self.told_s - begun_s, p99_ms: None })
    }

    /// They end by themselves, and none of them may have failed.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        for line in self.lines.by_ref() {
            read_progress(&line.map_err(failed("pgbench"))?)?;
        }
        must_be("whether pgbench ended well", self.child.wait().map_err(failed("pgbench"))?.success(), true)
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // They have ended by now, unless something went wrong.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// Every statement is prepared once a connection.
fn command(folder: &Path, url: &str, script: &Script, clients: u64, seconds: u64) -> Result<Command, Failure> {
    let path = folder.join("pgbench.sql");
    fs::write(&path, &script.text).map_err(failed(path.display()))?;
    let mut command = Command::new(clusters::program("pgbench"));
    command
        .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &threads(clients).to_string()])
        .args(["-T", &seconds.to_string(), "-f"])
        .arg(&path)
        .arg(url);
    Ok(command)
}

fn read_summary(text: &str, requests: u64) -> Result<Answered, Failure> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        number(line.split_whitespace().next().unwrap_or_default(), name)
    };
    must_be("transactions of pgbench that failed", field("number of failed transactions: ")?, 0.0)?;
    let transactions = field("number of transactions actually processed: ")?;
    must_be("whether pgbench got anything done", transactions > 0.0, true)?;
    let seconds = transactions / field("tps = ")?;
    Ok(Answered { requests: transactions as u64 * requests, seconds, p99_ms: None })
}

/// Of a line that tells of progress: when, and how many transactions a second since the one before.
fn read_progress(line: &str) -> Result<Option<(f64, f64)>, Failure> {
    let Some(told) = line.strip_prefix("progress: ") else { return Ok(None) };
    let mut parts = told.split(", ");
    let mut field =
        |unit: &str| number(parts.next().and_then(|part| part.strip_suffix(unit)).unwrap_or_default(), line);
    let (at_s, a_second) = (field(" s")?, field(" tps")?);
    must_be(line, told.ends_with(", 0 failed"), true)?;
    Ok(Some((at_s, a_second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
transaction type: pgbench.sql
scaling factor: 1
query mode: prepared
number of clients: 32
number of threads: 1
maximum number of tries: 1
duration: 2 s
number of transactions actually processed: 2000
number of failed transactions: 0 (0.000%)
latency average = 0.123 ms
initial connection time = 21.1 ms
tps = 1000.000000 (without initial connection time)
";

    #[test]
    fn a_script_may_stand_for_several_requests() {
        assert_eq!(read_summary(TOLD, 2).unwrap(), Answered { requests: 4000, seconds: 2.0, p99_ms: None });
    }

    #[test]
    fn a_failed_transaction_is_no_result() {
        assert!(read_summary(&TOLD.replace("failed transactions: 0", "failed transactions: 1"), 1).is_err());
        assert!(read_summary("", 1).is_err());
    }

    #[test]
    fn progress_is_told_in_lines() {
        let line = "progress: 3.0 s, 9561.8 tps, lat 3.339 ms stddev 1.034, 0 failed";
        assert_eq!(read_progress(line).unwrap(), Some((3.0, 9561.8)));
        assert_eq!(read_progress("pgbench: warning: something").unwrap(), None);
        assert!(read_progress("progress: 3.0 s, 1.0 tps, lat 3.339 ms stddev 1.034, 2 failed").is_err());
    }
}
