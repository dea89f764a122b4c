//! A plain HTTP client that takes every status as an answer.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use ureq::{Agent, RequestExt, http::Request};

#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    /// The position of the last answer, where every answer is to be no older than the one before.
    session: Option<Arc<Mutex<Option<String>>>>,
    /// What every request says.
    always: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub bytes: Vec<u8>,
    /// The bytes as a text, as far as they are one.
    pub text: String,
}

/// No answer came: the server was away, or went while it worked.
#[derive(Debug)]
pub struct NoAnswer(pub String);

impl Client {
    pub fn new(base: String) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .build();
        Client { agent: config.into(), base, session: None, always: Vec::new() }
    }

    /// The same, in a session that may go on with other nodes.
    pub fn in_session(&self, session: &Arc<Mutex<Option<String>>>) -> Client {
        Client { session: Some(Arc::clone(session)), ..self.clone() }
    }

    /// The same, saying this with every request.
    pub fn saying(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.always.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same, with this to prove who asks.
    pub fn bearing(&self, token: &str) -> Client {
        self.saying("authorization", &format!("Bearer {token}"))
    }

    /// Sends a request to an address below /api/v1, or to an absolute one that begins with `/api` or `/healthz` or so when
    /// it begins with `//`.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, NoAnswer> {
        let url = match path.strip_prefix("//") {
            Some(path) => format!("{}/{path}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in &self.always {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let position = self.session.as_ref().and_then(|session| session.lock().unwrap().clone());
        if let Some(position) = &position {
            request = request.header("strata-at-least", position);
        }
        let no_answer = |error: ureq::Error| NoAnswer(error.to_string());
        let request = request.body(body.to_vec()).unwrap();
        let mut response =
            request.with_agent(&self.agent).configure().allow_non_standard_methods(true).run().map_err(no_answer)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let (Some(session), Some(position)) = (&self.session, headers.get("strata-position")) {
            *session.lock().unwrap() = Some(position.to_str().unwrap().to_owned());
        }
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(no_answer)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status, headers, bytes, text })
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// A PATCH of whatever version is there.
    pub fn patch(&self, path: &str, body: Value) -> Answer {
        let headers = [("content-type", "application/json"), ("if-match", "*")];
        self.send("PATCH", path, &headers, body.to_string().as_bytes())
    }

    /// Creates a segment that must be new.
    pub fn has_segment(&self, slug: &str) {
        let answer = self.post("/segments", serde_json::json!({ "slug": slug }));
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// The slugs that a user is in.
    pub fn segments_of(&self, user: &str) -> Vec<String> {
        let answer = self.get(&format!("/users/{user}/segments"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_value(answer.json()["segments"].clone()).unwrap()
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The problem's code, after making sure that it is a whole problem.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        for member in ["type", "title", "detail", "instance", "code", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}
