//! Redis: a server of its own without persistence, and redis-benchmark, its own clients.

use std::{
    io::{BufWriter, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Answered, missing, number, output};
use crate::{Failure, failed, must_be};

/// Its package brings the clients along.
pub(crate) const PROGRAM: &str = "redis-server";
pub(crate) const PACKAGE: &str = "redis-server";
const START_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Redis {
    child: Child,
    port: String,
}

impl Redis {
    /// On the loopback interface, as Strata is.
    pub(crate) fn start(folder: &Path) -> Result<Redis, Failure> {
        // Another program could take the port in between, and then Redis does not start.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(failed("a free port"))?;
        let port = address.port().to_string();
        let started = Command::new(PROGRAM)
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no", "--dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let child = started.map_err(missing(PROGRAM, PACKAGE))?;
        let redis = Redis { child, port };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            must_be("whether Redis starts in time", begun.elapsed() < START_WITHIN, true)?;
            thread::sleep(LOOK_EVERY);
        }
        Ok(redis)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.port]);
        command
    }

    /// Makes all sets through one pipe. None may be there yet.
    pub(crate) fn fill(&self, sets: impl Iterator<Item = (String, Vec<String>)>) -> Result<(), Failure> {
        let piping = self.command("redis-cli").arg("--pipe").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut shell = piping.map_err(missing("redis-cli", PACKAGE))?;
        let mut input = BufWriter::new(shell.stdin.take().expect("the input is piped"));
        for (key, members) in sets {
            write!(input, "SADD {key} {}\r\n", members.join(" ")).map_err(failed("redis-cli"))?;
        }
        input.into_inner().map(drop).map_err(failed("redis-cli"))?;
        let told = shell.wait_with_output().map_err(failed("redis-cli"))?;
        let text = String::from_utf8_lossy(&told.stdout);
        must_be(&format!("whether redis-cli is content: {text}"), text.contains("errors: 0,"), true)
    }

    pub(crate) fn members(&self, key: &str) -> Result<Vec<String>, Failure> {
        let output = output(self.command("redis-cli").args(["SMEMBERS", key]), PACKAGE)?;
        let mut members: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        members.sort();
        Ok(members)
    }

    /// Asks for random sets out of so many; `__rand_int__` has twelve digits.
    pub(crate) fn run(&self, clients: u64, sets: u64, requests: u64) -> Result<Answered, Failure> {
        let mut command = self.command("redis-benchmark");
        command
            .args(["-c", &clients.to_string(), "-n", &requests.to_string(), "-r", &sets.to_string(), "--csv"])
            .args(["SMEMBERS", "user:__rand_int__"]);
        read(&String::from_utf8_lossy(&output(&mut command, PACKAGE)?.stdout), requests)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself, which the next question to it would have shown.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

fn read(text: &str, requests: u64) -> Result<Answered, Failure> {
    let unread = || Failure(format!("redis-benchmark tells something new: {text}"));
    let mut lines = text.lines().filter(|line| line.starts_with('"'));
    let (head, values) = lines.next().zip(lines.next()).ok_or_else(unread)?;
    let cells = |line: &str| line.trim_matches('"').split("\",\"").map(str::to_owned).collect::<Vec<_>>();
    let (head, values) = (cells(head), cells(values));
    let field = |name: &str| {
        let value = head.iter().position(|head| head == name).and_then(|place| values.get(place));
        number(value.ok_or_else(unread)?, name)
    };
    Ok(Answered { requests, seconds: requests as f64 / field("rps")?, p99_ms: Some(field("p99_latency_ms")?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_the_latency_are_read_by_their_names() {
        let told = "\"test\",\"rps\",\"avg_latency_ms\",\"p99_latency_ms\"\n\
                    \"SMEMBERS user:__rand_int__\",\"50000.00\",\"0.5\",\"1.25\"\n";
        assert_eq!(read(told, 100_000).unwrap(), Answered { requests: 100_000, seconds: 2.0, p99_ms: Some(1.25) });
        assert!(read("Could not connect to Redis\n", 1).is_err());
    }
}
