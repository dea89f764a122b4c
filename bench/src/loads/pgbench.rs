//! pgbench: PostgreSQL's own clients, which each run a script again and again.

use std::{fs, path::Path, process::Command, thread::available_parallelism};

use super::{Answered, number, output};
use crate::{Failure, failed, must_be, stores::postgres_program};

/// Statements, with how many requests of Strata they stand for.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) requests: u64,
}

/// Every statement is prepared once a connection, and none may fail.
pub(crate) fn run(folder: &Path, url: &str, script: &Script, clients: u64, seconds: u64) -> Result<Answered, Failure> {
    let path = folder.join("pgbench.sql");
    fs::write(&path, &script.text).map_err(failed(path.display()))?;
    let threads = (available_parallelism().map_or(1, usize::from) as u64 / 2).clamp(1, clients);
    let mut command = Command::new(postgres_program("pgbench"));
    command
        .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &threads.to_string()])
        .args(["-T", &seconds.to_string(), "-f"])
        .arg(&path)
        .arg(url);
    let output = output(&mut command, "postgresql-contrib")?;
    read(&String::from_utf8_lossy(&output.stdout), script.requests)
}

fn read(text: &str, requests: u64) -> Result<Answered, Failure> {
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
        assert_eq!(read(TOLD, 2).unwrap(), Answered { requests: 4000, seconds: 2.0, p99_ms: None });
    }

    #[test]
    fn a_failed_transaction_is_no_result() {
        assert!(read(&TOLD.replace("failed transactions: 0", "failed transactions: 1"), 1).is_err());
        assert!(read("", 1).is_err());
    }
}
