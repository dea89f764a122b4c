//! Answers that are given again: a request with an idempotency key acts once, however often it is sent.

use chrono::TimeDelta;
use domain::{Caller, Who};

use crate::{Act, App, Error, ports::StoredAnswer};

/// How long the same key gives the same answer.
pub const KEPT_HOURS: i64 = 24;

/// A request that must not act twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub key: String,
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    Now(String),
    /// The act was done before; this is what was answered then.
    Before(String),
}

/// Acts and keeps the answer in the same transaction, so that neither is there without the other.
///
/// A refusal changes nothing and is not kept: the same key may be sent again.
pub fn once(
    app: &App,
    caller: &Caller,
    once: &Once,
    work: impl FnOnce(&mut Act) -> Result<String, Error>,
) -> Result<Answered, Error> {
    app.act(caller, |act| {
        if let Some(before) = given(act, once)? {
            return Ok(Answered::Before(before));
        }
        let answer = work(act)?;
        keep(act, once, answer.clone())?;
        Ok(Answered::Now(answer))
    })
}

/// The answer that was given to this request before.
pub(crate) fn given(act: &mut Act, once: &Once) -> Result<Option<String>, Error> {
    let before = act.unit.answers().find(&key_of(act.caller, once))?;
    let oldest = act.now() - TimeDelta::hours(KEPT_HOURS);
    match before.filter(|answer| answer.created_at > oldest) {
        Some(answer) if answer.fingerprint == once.fingerprint => Ok(Some(answer.answer)),
        Some(_) => Err(Error::KeyReused),
        None => Ok(None),
    }
}

/// Each caller has keys of its own: what one was answered is not told to another.
fn key_of(caller: &Caller, once: &Once) -> String {
    match caller.who {
        Who::Service | Who::Anybody => once.key.clone(),
        // Whoever has another role by now is not told what the former one was told.
        Who::Account(id, role) => format!("account/{id}/{role}:{}", once.key),
        Who::Token(id) => format!("token/{id}:{}", once.key),
    }
}

/// Keeps the answer to a request, in the transaction that acts.
pub(crate) fn keep(act: &mut Act, once: &Once, answer: String) -> Result<(), Error> {
    let created_at = act.now();
    let (key, fingerprint) = (key_of(act.caller, once), once.fingerprint.clone());
    Ok(act.unit.answers().keep(&StoredAnswer { key, fingerprint, answer, created_at })?)
}

/// Forgets at most `limit` answers that are no longer given, and tells how many.
pub fn forget(act: &mut Act, limit: usize) -> Result<usize, Error> {
    let before = act.now() - TimeDelta::hours(KEPT_HOURS);
    Ok(act.unit.answers().forget(before, limit)?)
}
