//! Open loops: requests go out when their time has come, however long others take. A latency counts from the intended
//! instant, so that a request that had to wait for its connection counts with its wait.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::{Failure, failed};

/// Whoever waits longer has no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests of one kind at a fixed rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) a_second: u64,
    pub(crate) seconds: u64,
    pub(crate) connections: u64,
}

impl Rate {
    pub(crate) fn requests(&self) -> u64 {
        self.a_second * self.seconds
    }

    /// Waits until the time has come for one of all requests from `begin` on, and returns that time.
    fn wait(&self, begin: Instant, number: u64) -> Instant {
        let intended = begin + Duration::from_nanos(number * 1_000_000_000 / self.a_second);
        thread::sleep(intended.saturating_duration_since(Instant::now()));
        intended
    }
}

/// A request as it is sent, and a part that the body of its answer must have.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: String,
}

impl Request {
    pub(crate) fn get(path: &str, expected: String) -> Request {
        Request { bytes: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(), expected }
    }

    pub(crate) fn post(path: &str, body: &str, expected: String) -> Request {
        let head = "HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length:";
        Request { bytes: format!("POST {path} {head} {}\r\n\r\n{body}", body.len()).into_bytes(), expected }
    }
}

/// What came of all requests of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Latencies {
    /// Of each that was answered well, sorted.
    micros: Vec<u64>,
    pub(crate) errors: u64,
}

impl Latencies {
    pub(crate) fn new(mut micros: Vec<u64>, errors: u64) -> Latencies {
        micros.sort_unstable();
        Latencies { micros, errors }
    }

    /// The smallest latency that so many of a thousand do not exceed (nearest rank); none without any answer.
    pub(crate) fn quantile(&self, of_a_thousand: u64) -> Option<Duration> {
        let rank = (self.micros.len() as u64 * of_a_thousand).div_ceil(1_000).max(1);
        self.micros.get(rank as usize - 1).map(|micros| Duration::from_micros(*micros))
    }

    pub(crate) fn over(&self, bound: Duration) -> u64 {
        let within = self.micros.partition_point(|micros| u128::from(*micros) <= bound.as_micros());
        (self.micros.len() - within) as u64
    }

    pub(crate) fn answered(&self) -> u64 {
        self.micros.len() as u64
    }
}

/// Sends from `begin` on. Each connection has requests of its own: `request` is told which connection it is, and the how
/// manieth there.
pub(crate) fn run(
    address: &str,
    begin: Instant,
    rate: Rate,
    request: impl Fn(u64, u64) -> Request + Sync,
) -> Result<Latencies, Failure> {
    let request = &request;
    let outcomes: Vec<Result<(Vec<u64>, u64), Failure>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..rate.connections)
            .map(|connection| scope.spawn(move || one_connection(address, begin, rate, connection, request)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread of the generator does not panic")).collect()
    });
    let (mut micros, mut errors) = (Vec::new(), 0);
    for outcome in outcomes {
        let (some, failed) = outcome?;
        micros.extend(some);
        errors += failed;
    }
    Ok(Latencies::new(micros, errors))
}

/// The same for what one thread does without any server: what the machine takes by itself.
pub(crate) fn alone(
    begin: Instant,
    rate: Rate,
    mut act: impl FnMut() -> Result<(), Failure>,
) -> Result<Latencies, Failure> {
    let mut micros = Vec::with_capacity(rate.requests() as usize);
    for number in 0..rate.requests() {
        let intended = rate.wait(begin, number);
        act()?;
        micros.push(intended.elapsed().as_micros() as u64);
    }
    Ok(Latencies::new(micros, 0))
}

fn one_connection(
    address: &str,
    begin: Instant,
    rate: Rate,
    connection: u64,
    request: &(impl Fn(u64, u64) -> Request + Sync),
) -> Result<(Vec<u64>, u64), Failure> {
    let mut stream = connect(address)?;
    let mut micros = Vec::with_capacity((rate.requests() / rate.connections + 1) as usize);
    let mut errors = 0;
    for (count, number) in (connection..rate.requests()).step_by(rate.connections as usize).enumerate() {
        let Request { bytes, expected } = request(connection, count as u64);
        let intended = rate.wait(begin, number);
        match answer(&mut stream, &bytes) {
            Ok((200, body)) if body.contains(&expected) => micros.push(intended.elapsed().as_micros() as u64),
            Ok(_) => errors += 1,
            Err(_) => {
                errors += 1;
                stream = connect(address)?;
            }
        }
    }
    Ok((micros, errors))
}

fn connect(address: &str) -> Result<BufReader<TcpStream>, Failure> {
    let connected = TcpStream::connect(address).and_then(|stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    });
    connected.map_err(failed(address))
}

/// The status and the body of an answer whose length is told, as Strata's are.
fn answer(stream: &mut BufReader<TcpStream>, request: &[u8]) -> std::io::Result<(u16, String)> {
    stream.get_mut().write_all(request)?;
    read_answer(stream)
}

fn read_answer(from: &mut impl BufRead) -> std::io::Result<(u16, String)> {
    let unread = || std::io::Error::new(std::io::ErrorKind::InvalidData, "no answer of HTTP");
    let mut line = String::new();
    from.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(unread)?;
    let mut length = None;
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Err(unread());
        }
        let head = line.trim_end();
        if head.is_empty() {
            break;
        }
        if let Some((name, value)) = head.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let mut body = vec![0; length.ok_or_else(unread)?];
    from.read_exact(&mut body)?;
    String::from_utf8(body).map(|body| (status, body)).map_err(|_| unread())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_latencies_that_somebody_had() {
        let latencies = Latencies::new((1..=1_000).rev().map(|number| number * 100).collect(), 0);
        let quantiles = [500, 990, 999, 1_000].map(|thousandth| latencies.quantile(thousandth).unwrap().as_micros());
        assert_eq!(quantiles, [50_000, 99_000, 99_900, 100_000]);
        assert_eq!(latencies.over(Duration::from_millis(50)), 500);
        assert_eq!(Latencies::default().quantile(500), None);
        assert_eq!(Latencies::new(vec![7], 0).quantile(1), Some(Duration::from_micros(7)));
    }

    #[test]
    fn answers_are_read_one_after_the_other() {
        let sent = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-request-id: 1\r\n\r\nokHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
        let mut from = sent.as_bytes();
        assert_eq!(read_answer(&mut from).unwrap(), (200, "ok".to_owned()));
        assert_eq!(read_answer(&mut from).unwrap(), (503, String::new()));
        assert!(read_answer(&mut from).is_err());
    }

    #[test]
    fn whoever_waits_for_an_answer_makes_the_next_one_late() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            for number in 0..4 {
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                }
                if number == 0 {
                    thread::sleep(Duration::from_millis(200));
                }
                stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
        });
        let rate = Rate { a_second: 4_000, seconds: 1, connections: 1_000 };
        let own = |_, _| Request::get("/", "ok".to_owned());
        let (micros, errors) = one_connection(&address, Instant::now(), rate, 0, &own).unwrap();
        server.join().unwrap();
        assert_eq!((micros.len(), errors), (4, 0));
        assert!(micros[0] >= 200_000, "{micros:?}");
    }
}
