//! The audit log: writing into it, and proving that nobody else did.

use std::fmt;

use domain::{Action, AuditEntry, AuditRow, ChainHash, Instant};
use serde_json::Value;

use crate::{Act, Error, Look, ports::AuditQuery};

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// Notes what is done here, as the last act of its transaction: whoever notes something waits for those before.
pub(crate) fn note(act: &mut Act, at: Instant, action: Action, subject: String, detail: Value) -> Result<(), Error> {
    let entry = AuditEntry { at, actor: act.actor.clone(), action, subject, detail: detail.to_string() };
    let last = act.unit.audit().last()?;
    Ok(act.unit.audit().append(&AuditRow::following(last, entry))?)
}

pub fn list(look: &mut Look, query: &AuditQuery, limit: usize) -> Result<Vec<AuditRow>, Error> {
    Ok(look.unit.audit().list(query, limit)?)
}

pub fn count(look: &mut Look, query: &AuditQuery) -> Result<u64, Error> {
    Ok(look.unit.audit().count(query)?)
}

/// What is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Rows from one id to another are not there.
    Missing(i64, i64),
    /// The row is not as it was written, or another stood before it.
    Changed(i64),
    /// Somebody noted that the row with this id had another hash.
    Another(i64),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Missing(from, to) if from == to => write!(f, "row {from} is missing"),
            Flaw::Missing(from, to) => write!(f, "rows {from} to {to} are missing"),
            Flaw::Changed(id) => write!(f, "row {id} is not as it was written behind the row before it"),
            Flaw::Another(id) => write!(f, "row {id} is not the one whose hash was noted"),
        }
    }
}

/// What a proof of the log went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: u64,
    pub flaws: u64,
    /// The last row. Whoever keeps it elsewhere notices later when rows behind it are gone, or all were written anew.
    pub last: Option<(i64, ChainHash)>,
}

/// Goes through the whole log and tells each flaw. `noted` is a row's id and hash, from an earlier time.
pub fn verify(
    look: &mut Look,
    noted: Option<(i64, ChainHash)>,
    tell: &mut dyn FnMut(&Flaw),
) -> Result<Verified, Error> {
    let mut verified = Verified { rows: 0, flaws: 0, last: None };
    let mut found = |flaw: Flaw, verified: &mut Verified| {
        verified.flaws += 1;
        tell(&flaw);
    };
    loop {
        let query = AuditQuery { after: verified.last.map(|(id, _)| id), ..AuditQuery::default() };
        let page = look.unit.audit().list(&query, PAGE)?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let (last_id, before) = verified.last.unwrap_or((0, ChainHash::START));
            if row.id != last_id + 1 {
                // What stood before this row is not known, so it cannot be said whether it is as it was.
                found(Flaw::Missing(last_id + 1, row.id - 1), &mut verified);
            } else if !row.follows(&before) {
                found(Flaw::Changed(row.id), &mut verified);
            }
            if noted.is_some_and(|(id, hash)| id == row.id && hash != row.hash) {
                found(Flaw::Another(row.id), &mut verified);
            }
            verified.rows += 1;
            verified.last = Some((row.id, row.hash));
        }
    }
    let end = verified.last.map_or(0, |(id, _)| id);
    if let Some((id, _)) = noted.filter(|(id, _)| *id > end) {
        found(Flaw::Missing(end + 1, id), &mut verified);
    }
    Ok(verified)
}
