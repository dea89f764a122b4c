//! Whoever sends requests: each answer is judged, and counted, before anybody looks into it.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use ureq::{
    Agent, Body, RequestExt,
    http::{Request, Response},
};

use super::{
    Soak,
    nodes::{Fate, Node},
    tallies::End,
};

/// The server closes a connection that nobody used for five seconds.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// After a request that nobody answered.
const BREATH: Duration = Duration::from_millis(100);

/// One who does one kind of acts, with connections of its own.
pub(super) struct Caller<'a> {
    pub(super) soak: &'a Soak<'a>,
    act: &'static str,
    agent: Agent,
}

/// What is asked of a node, below `/api/v1`.
pub(super) struct Question<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) at_least: Option<&'a str>,
}

impl<'a> Question<'a> {
    pub(super) fn get(path: &'a str) -> Question<'a> {
        Question { method: "GET", path, content_type: "application/json", body: Vec::new(), at_least: None }
    }

    pub(super) fn post(path: &'a str, body: &Value) -> Question<'a> {
        Question { method: "POST", body: body.to_string().into_bytes(), ..Question::get(path) }
    }

    pub(super) fn at_least(self, position: Option<&'a str>) -> Question<'a> {
        Question { at_least: position, ..self }
    }
}

/// An answer that may be looked into: its status is below 500.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) position: Option<String>,
    /// When it was asked for.
    pub(super) asked: Instant,
}

impl<'a> Caller<'a> {
    pub(super) fn new(soak: &'a Soak<'a>, act: &'static str) -> Caller<'a> {
        let config =
            Agent::config_builder().http_status_as_error(false).max_redirects(0).max_idle_age(IDLE_MAX).build();
        Caller { soak, act, agent: config.into() }
    }

    /// What the node says if it is 200, 201, 202 or 204. None when it says nothing and may, or when that was wrong.
    pub(super) fn ask(&self, node: &Node, question: Question) -> Option<Answer> {
        let what = format!("{} {}", question.method, question.path);
        let answer = self.try_ask(node, question)?;
        if answer.status < 300 {
            return Some(answer);
        }
        self.fault(node, format_args!("{what} is answered with {}: {}", answer.status, answer.body));
        None
    }

    /// As `ask`, for a change, which has to say its position.
    pub(super) fn write(&self, node: &Node, question: Question) -> Option<(Answer, String)> {
        let what = format!("{} {}", question.method, question.path);
        let answer = self.ask(node, question)?;
        let Some(position) = answer.position.clone() else {
            self.fault(node, format_args!("{what} is answered without a position"));
            return None;
        };
        Some((answer, position))
    }

    /// As `ask`, and any other status below 500.
    pub(super) fn try_ask(&self, node: &Node, question: Question) -> Option<Answer> {
        let asked = Instant::now();
        let mut read = |mut response: Response<Body>| {
            let body = response.body_mut().with_config().limit(1 << 30).read_to_string()?;
            let position = response.headers().get("strata-position").and_then(|value| value.to_str().ok());
            Ok((response.status().as_u16(), body, position.map(str::to_owned)))
        };
        let (status, body, position) = self.send(node, question, &mut read)?;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap_or(json!(body)) };
        Some(Answer { status, body, position, asked })
    }

    /// How many lines a file has that is read to its end.
    pub(super) fn lines(&self, node: &Node, path: &str) -> Option<u64> {
        self.send(node, Question::get(path), &mut |response| {
            Ok(crate::clients::count(response.into_body().into_reader(), Instant::now())?.lines)
        })
    }

    /// Reads the beginning of a file, and goes away.
    pub(super) fn begin(&self, node: &Node, path: &str) -> Option<()> {
        self.send(node, Question::get(path), &mut |response| {
            let mut beginning = [0; 1 << 10];
            Ok(response.into_body().into_reader().read_exact(&mut beginning)?)
        })
    }

    fn send<T>(
        &self,
        node: &Node,
        question: Question,
        read: &mut dyn FnMut(Response<Body>) -> Result<T, ureq::Error>,
    ) -> Option<T> {
        let absences = node.absences();
        let what = format!("{} {}", question.method, question.path);
        let sent = self.request(node, question).and_then(|response| {
            let status = response.status().as_u16();
            let may_wait = response.headers().contains_key("retry-after");
            if status < 500 {
                return read(response).map(Ok);
            }
            let text = response.into_body().read_to_string()?;
            Ok(Err((refusal(node.fate, status, may_wait, &text), status, text)))
        });
        let (end, told) = match sent {
            Ok(Ok(told)) => (End::Answered, Some(told)),
            Ok(Err((end, status, text))) => {
                if end == End::Wrong {
                    self.fault(node, format_args!("{what} is answered with {status}: {text}"));
                }
                (end, None)
            }
            Err(_) if node.was_away_since(absences) => (End::BrokenOff, None),
            Err(error) => {
                self.fault(node, format_args!("{what} is not answered: {error}"));
                (End::Wrong, None)
            }
        };
        self.soak.tally.count(self.act, end);
        if told.is_none() {
            self.soak.rest(BREATH);
        }
        told
    }

    fn request(&self, node: &Node, question: Question) -> Result<Response<Body>, ureq::Error> {
        let Question { method, path, content_type, body, at_least } = question;
        let mut request = Request::builder().method(method).uri(format!("{}/api/v1{path}", node.base()));
        if !body.is_empty() {
            request = request.header("content-type", content_type);
        }
        if let Some(position) = at_least {
            request = request.header("strata-at-least", position);
        }
        request.body(body)?.with_agent(&self.agent).configure().allow_non_standard_methods(true).run()
    }

    pub(super) fn fault(&self, node: &Node, what: impl std::fmt::Display) {
        self.soak.tally.fault(format_args!("{} on the {} node: {what}", self.act, node.name));
    }

    /// Whether both are the same; if not, that is a fault.
    pub(super) fn must_be<T: PartialEq + std::fmt::Debug>(&self, node: &Node, what: &str, found: T, expected: T) {
        if found != expected {
            self.fault(node, format_args!("{what}: {found:?} instead of {expected:?}"));
        }
    }
}

/// What a status of 500 and above is. A node that comes and goes may refuse, if it says that one may come again; the other
/// may only say that it has not come so far yet.
fn refusal(fate: Fate, status: u16, may_wait: bool, text: &str) -> End {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let allowed = fate == Fate::Restarted || problem["code"] == "behind";
    if status == 503 && may_wait && allowed { End::Refused } else { End::Wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_503_that_says_when_to_come_again_is_no_fault() {
        let behind = r#"{"code":"behind"}"#;
        let busy = r#"{"code":"busy"}"#;
        let cases = [
            (Fate::Untouched, 503, true, behind, End::Refused),
            (Fate::Untouched, 503, true, busy, End::Wrong),
            (Fate::Untouched, 503, false, behind, End::Wrong),
            (Fate::Restarted, 503, true, busy, End::Refused),
            (Fate::Restarted, 503, false, busy, End::Wrong),
            (Fate::Restarted, 500, true, "", End::Wrong),
        ];
        for (fate, status, may_wait, text, expected) in cases {
            assert_eq!(refusal(fate, status, may_wait, text), expected, "{fate:?} {status} {text}");
        }
    }
}
