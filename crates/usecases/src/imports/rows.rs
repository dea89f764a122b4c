//! Rows: which columns a file may have, and how their cells are read.

use std::{fmt::Display, io};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use domain::{Instant, Ttl, UserId, to_micros};
use tables::{Cell, Kind, Row};

use super::tasks::{Import, Mode, What};
use crate::{Error, Fault, memberships::Deadline};

/// Columns of memberships. What an export tells besides, `source` and `actor`, may stand there and is not taken over.
const MEMBERSHIP_COLUMNS: [&str; 10] =
    ["user_id", "segment", "since", "ttl", "expires_at", "reason", "source", "actor", "operation", "timestamp"];

/// Columns of segments. What an export tells besides, `user_count`, may stand there and is read over.
const SEGMENT_COLUMNS: [&str; 10] = [
    "segment",
    "name",
    "description",
    "kind",
    "percent",
    "seed",
    "default_ttl",
    "user_count",
    "created_at",
    "updated_at",
];

/// Why a row is not imported, and what is to stay of it all the same.
pub(crate) struct Refusal<T> {
    /// Empty when it is not about one column.
    pub(crate) column: String,
    pub(crate) reason: String,
    pub(crate) kept: Option<T>,
}

/// Why a cell cannot be used.
pub(super) struct BadCell {
    column: String,
    reason: String,
}

impl BadCell {
    pub(super) fn new(column: &str, reason: impl Display) -> BadCell {
        BadCell { column: column.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn refusing<T>(self, kept: Option<T>) -> Refusal<T> {
        Refusal { column: self.column, reason: self.reason, kept }
    }
}

pub(super) fn refuse_unknown_columns(import: &Import, columns: &[String]) -> Result<(), Error> {
    let known = match import.what {
        What::Users => return Ok(()),
        What::Segments => &SEGMENT_COLUMNS,
        What::Memberships { .. } => &MEMBERSHIP_COLUMNS,
    };
    let unknown = columns.iter().filter(|name| !known.contains(&name.as_str()));
    let known = known.join(", ");
    let faults: Vec<Fault> = unknown
        .take(100)
        .map(|name| Fault {
            pointer: "line 1".to_owned(),
            code: "unknown_column",
            detail: format!("there is no column `{}`; there are {known}", name.escape_debug()),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

pub(super) fn refuse_missing_columns(import: &Import, columns: &[String]) -> Result<(), Error> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    let (needed, is_list, what): (&[&str], bool, _) = match import.what {
        What::Users => (&["user_id"], false, "a file of users"),
        What::Segments => (&["segment"], false, "a file of segments"),
        What::Memberships { segment: Some(_) } => (&["user_id"], true, ""),
        What::Memberships { segment: None } => (&["user_id", "segment"], true, ""),
    };
    let is_log = is_list && is_log(columns);
    let mut faults: Vec<Fault> = needed
        .iter()
        .copied()
        .chain(is_log.then_some("timestamp"))
        .filter(|name| !has(name))
        .map(|name| Fault {
            pointer: "line 1".to_owned(),
            code: "missing_column",
            detail: format!("there is no column `{name}`"),
        })
        .collect();
    if (is_log || !is_list) && import.mode != Mode::Add {
        let what = if is_log { "a file with the column `operation`" } else { what };
        faults.push(Fault {
            pointer: "mode".to_owned(),
            code: "invalid_value",
            detail: format!("{what} can only be imported with mode=add"),
        });
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// Whether the rows are a log of what happened rather than a list of who is in.
pub(super) fn is_log(columns: &[String]) -> bool {
    columns.iter().any(|column| column == "operation")
}

/// The cells of a row by the names of their columns, each looked for once.
pub(super) struct Columns<const N: usize> {
    known: usize,
    places: [Option<usize>; N],
}

impl<const N: usize> Columns<N> {
    pub(super) fn unknown() -> Columns<N> {
        Columns { known: 0, places: [None; N] }
    }

    /// Where the columns of these names are. In some formats columns appear as rows are read.
    pub(super) fn find(&mut self, columns: &[String], names: [&str; N]) {
        if self.known != columns.len() {
            self.known = columns.len();
            self.places = names.map(|name| columns.iter().position(|column| column == name));
        }
    }

    pub(super) fn cell<'r>(&self, row: &'r Row, which: usize) -> Option<Cell<'r>> {
        row.cell(self.places[which]?)
    }
}

/// What the reader of the file found wrong with a row.
pub(super) fn sound(row: &Row) -> Result<(), BadCell> {
    match row.fault() {
        Some(fault) => Err(BadCell::new("", &fault.detail)),
        None => Ok(()),
    }
}

/// The text of a cell that is no list, object or truth value.
pub(super) fn plain<'r>(column: &str, cell: Cell<'r>) -> Result<&'r str, BadCell> {
    match cell.kind {
        Kind::Plain | Kind::Text | Kind::Number | Kind::Instant => Ok(cell.text),
        Kind::Flag | Kind::Json => Err(BadCell::new(column, format!("`{}` is not a text", shown(cell.text)))),
    }
}

pub(super) fn user_id(cell: Option<Cell>) -> Result<UserId, BadCell> {
    let text = cell.map(|cell| plain("user_id", cell)).transpose()?.unwrap_or_default();
    UserId::parse(text).map_err(|error| BadCell::new("user_id", error))
}

pub(super) fn deadline(ttl: Option<Cell>, expires_at: Option<Cell>) -> Result<Option<Deadline>, BadCell> {
    match (ttl, expires_at) {
        (Some(_), Some(_)) => Err(BadCell::new("ttl", "give ttl or expires_at, not both")),
        (Some(cell), None) => {
            let text = plain("ttl", cell)?;
            Ttl::parse_or_seconds(text)
                .map(|ttl| Some(Deadline::After(ttl)))
                .map_err(|error| BadCell::new("ttl", error))
        }
        (None, Some(cell)) => instant("expires_at", cell).map(|at| Some(Deadline::At(at))),
        (None, None) => Ok(None),
    }
}

/// RFC 3339, or a bare date or date and time, which are UTC.
pub(super) fn instant(column: &str, cell: Cell) -> Result<Instant, BadCell> {
    let text = plain(column, cell)?;
    let bare = |format: &str| NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| bare("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| bare("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|_| date())
        .map(to_micros)
        .map_err(|_| BadCell::new(column, format!("`{}` is not an instant such as 2026-11-20T12:00:00Z", shown(text))))
}

/// Instants out of files lie in the past.
pub(super) fn past(column: &str, at: Instant, now: Instant) -> Result<i64, BadCell> {
    if at > now {
        return Err(BadCell::new(column, format!("`{}` is in the future", at.to_rfc3339())));
    }
    Ok(at.timestamp_micros())
}

/// What was sorted aside was good when it was written.
pub(super) fn corrupt(error: impl Display) -> Error {
    Error::Files(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// A text as it stands in a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(64).collect::<String>().escape_debug().to_string()
}
