//! The audit log: writing into it, and proving that nobody else did.

use std::{fmt, io::Write};

use domain::{Action, AuditEntry, AuditRow, Caller, ChainHash, Instant, Permission, Slug};
use serde_json::json;
use tables::{Column, ColumnKind, Format, Value, Writer};

use crate::{
    Act, App, Error, Look,
    exports::Form,
    ports::{AuditQuery, Direction},
};

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// Notes what is done here, as the last act of its transaction: whoever notes something waits for those before.
pub(crate) fn note(
    act: &mut Act,
    at: Instant,
    action: Action,
    subject: String,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let caller = act.caller;
    note_by(act, caller, at, action, subject, detail)
}

/// The same, of something that another did than whose transaction it is.
pub(crate) fn note_by(
    act: &mut Act,
    caller: &Caller,
    at: Instant,
    action: Action,
    subject: String,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let entry = AuditEntry { at, actor: caller.actor().clone(), action, subject, detail: detail.to_string() };
    let last = act.unit.audit().last()?;
    Ok(act.unit.audit().append(&AuditRow::following(last, entry))?)
}

/// Notes what was done to a segment's definition.
pub(crate) fn note_segment(
    act: &mut Act,
    at: Instant,
    action: Action,
    slug: &Slug,
    detail: serde_json::Value,
) -> Result<(), Error> {
    note(act, at, action, format!("segment/{slug}"), detail)
}

/// Notes that somebody who is known wanted what is not theirs to do: `what` is the address, or the command.
///
/// `times` is how often, where the same was refused again and again.
pub fn note_refusal(app: &App, caller: &Caller, what: &str, why: &str, times: u64) -> Result<(), Error> {
    app.act(caller, |act| {
        let now = act.now();
        note(act, now, Action::AccessRefused, what.to_owned(), json!({"why": why, "times": times}))
    })
}

/// Notes the settings that a node started with, when they are others than those that it had noted last. Secrets are not
/// among them.
pub fn note_settings(app: &App, node: &str, settings: &serde_json::Value) -> Result<(), Error> {
    app.act(&Caller::service("operator"), |act| {
        let subject = format!("settings/{node}");
        let (action, direction) = (Some(Action::SettingsChanged), Direction::Descending);
        let query = AuditQuery { action, subject: Some(subject.clone()), direction, ..AuditQuery::default() };
        let last = act.unit.audit().list(&query, 1)?;
        let detail = settings.to_string();
        if last.first().is_some_and(|row| row.entry.detail == detail) {
            return Ok(());
        }
        let now = act.now();
        note(act, now, Action::SettingsChanged, subject, settings.clone())
    })
}

pub fn list(look: &mut Look, query: &AuditQuery, limit: usize) -> Result<Vec<AuditRow>, Error> {
    look.caller.require(Permission::ReadAudit)?;
    Ok(look.unit.audit().list(query, limit)?)
}

pub fn count(look: &mut Look, query: &AuditQuery) -> Result<u64, Error> {
    look.caller.require(Permission::ReadAudit)?;
    Ok(look.unit.audit().count(query)?)
}

const COLUMNS: [Column; 7] = [
    Column { name: "id", kind: ColumnKind::Number },
    Column { name: "at", kind: ColumnKind::Instant },
    Column { name: "actor", kind: ColumnKind::Text },
    Column { name: "action", kind: ColumnKind::Text },
    Column { name: "subject", kind: ColumnKind::Text },
    Column { name: "detail", kind: ColumnKind::Json },
    Column { name: "hash", kind: ColumnKind::Text },
];

/// Notes that somebody takes the log itself out.
pub fn begin_export(act: &mut Act, format: Format) -> Result<(), Error> {
    act.caller.require(Permission::ReadAudit)?;
    let now = act.now();
    note(act, now, Action::DataExported, "audit".to_owned(), json!({"format": format.as_str()}))
}

/// Writes the rows of the query as a table, as fast as `out` takes it.
pub fn write<W: Write + Send>(look: &mut Look, query: &AuditQuery, form: Form, out: W) -> Result<W, Error> {
    look.caller.require(Permission::ReadAudit)?;
    let mut table = Writer::new(out, form.format, form.packing, &COLUMNS, form.header)?;
    let mut query = query.clone();
    loop {
        let page = look.unit.audit().list(&query, PAGE)?;
        for AuditRow { id, entry, hash } in &page {
            table.row(&[
                Value::Number(*id),
                Value::Instant(entry.at),
                Value::Text(entry.actor.as_str()),
                Value::Text(entry.action.as_str()),
                Value::Text(&entry.subject),
                Value::Json(&entry.detail),
                Value::Text(&hash.to_string()),
            ])?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => query.after = Some(last.id),
            _ => return Ok(table.finish()?),
        }
    }
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
    look.caller.require(Permission::ReadAudit)?;
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
