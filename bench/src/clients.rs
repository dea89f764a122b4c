//! A plain HTTP client, and a reader that counts what it is sent.

use std::{
    fs::File,
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ureq::{
    Agent, Body, SendBody,
    http::{HeaderValue, Request, Response},
    middleware::MiddlewareNext,
};

use crate::{Failure, failed, must_be};

/// How often a job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// What was read of an answer of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Since the question was asked.
    pub(crate) first_byte: Duration,
}

/// Reads to the end and keeps nothing.
pub(crate) fn count(mut from: impl Read, asked: Instant) -> std::io::Result<Counted> {
    let mut buffer = vec![0; 1 << 17];
    let mut counted = Counted { bytes: 0, lines: 0, first_byte: Duration::ZERO };
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(counted);
        }
        if counted.bytes == 0 {
            counted.first_byte = asked.elapsed();
        }
        counted.bytes += length as u64;
        counted.lines += buffer[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

pub(crate) struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    pub(crate) fn new(base: String) -> Client {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Client { agent: config.into(), base }
    }

    /// One that shows a token with every request.
    pub(crate) fn bearing(base: String, token: &str) -> Client {
        let bearer = format!("Bearer {token}");
        let show = move |mut request: Request<SendBody>, next: MiddlewareNext| {
            let value = HeaderValue::from_str(&bearer).map_err(|error| ureq::Error::Other(error.into()))?;
            request.headers_mut().insert("authorization", value);
            next.handle(request)
        };
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).middleware(show).build();
        Client { agent: config.into(), base }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        answer(path, 200, self.agent.get(self.url(path)).call())
    }

    /// With what status a question is answered, whatever else is said.
    pub(crate) fn status(&self, path: &str) -> Result<u16, Failure> {
        let response = self.agent.get(self.url(path)).call().map_err(failed(path))?;
        Ok(response.status().as_u16())
    }

    /// The body as it was sent.
    pub(crate) fn text(&self, path: &str) -> Result<String, Failure> {
        let response = self.agent.get(self.url(path)).call().map_err(failed(path))?;
        expect(path, &[200], response)?.body_mut().read_to_string().map_err(failed(path))
    }

    /// Reads an answer of any length to its end.
    pub(crate) fn download(&self, path: &str) -> Result<Counted, Failure> {
        let asked = Instant::now();
        let response = self.agent.get(self.url(path)).call().map_err(failed(path))?;
        let response = expect(path, &[200], response)?;
        count(response.into_body().into_reader(), asked).map_err(failed(path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        answer(path, 200, self.agent.post(self.url(path)).send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<(), Failure> {
        let response = self.agent.delete(self.url(path)).call().map_err(failed(path))?;
        expect(path, &[204], response).map(drop)
    }

    /// Sends a file to be imported, and waits until the job is over, which must have gone well.
    pub(crate) fn import(&self, path: &str, file: &Path) -> Result<Value, Failure> {
        let file = File::open(file).map_err(failed(file.display()))?;
        let request = self.agent.post(self.url(path)).header("content-type", "text/csv");
        let response = request.send(file).map_err(failed(path))?;
        let mut job = json(path, expect(path, &[200, 202], response)?)?;
        while matches!(job["state"].as_str(), Some("queued" | "running")) {
            thread::sleep(LOOK_EVERY);
            job = self.get(&format!("/api/v1/jobs/{}", job["id"]))?;
        }
        must_be(&format!("the state of the job {job}"), job["state"].as_str(), Some("done"))?;
        Ok(job)
    }
}

fn answer(path: &str, status: u16, response: Result<Response<Body>, ureq::Error>) -> Result<Value, Failure> {
    json(path, expect(path, &[status], response.map_err(failed(path))?)?)
}

fn expect(path: &str, statuses: &[u16], mut response: Response<Body>) -> Result<Response<Body>, Failure> {
    let status = response.status().as_u16();
    if statuses.contains(&status) {
        return Ok(response);
    }
    let text = response.body_mut().read_to_string().map_err(failed(path))?;
    Err(Failure(format!("{path} is answered with {status}: {text}")))
}

fn json(path: &str, mut response: Response<Body>) -> Result<Value, Failure> {
    response.body_mut().read_json().map_err(failed(path))
}
