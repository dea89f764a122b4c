//! The two classes of trouble: a file that cannot be read, and a row that can be left out.

use std::{fmt, io};

use thiserror::Error;

/// The file as a whole cannot be read, or not any further.
///
/// Codes: `empty`, `not_utf8`, `duplicate_column`, `empty_column`, `control_in_column`, `too_many_columns`, `row_too_long`,
/// `truncated`, `unreadable`, `bomb`, `other_columns`, `io`. Only `io` has a source, and only `io` is worth another try.
#[derive(Debug, Error)]
pub struct TableError {
    pub code: &'static str,
    /// Where the trouble stands: a line from 1, or a sheet's row.
    pub line: Option<u64>,
    pub detail: String,
    #[source]
    source: Option<io::Error>,
}

/// Only this row is bad, and reading goes on.
///
/// Codes: `wrong_cell_count`, `not_utf8`, `nul`, `malformed_json`, `not_an_object`, `duplicate_key`, `too_many_columns`,
/// `empty_column`, `control_in_column`, `cell_error`. The detail goes on from "the row …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    pub code: &'static str,
    pub detail: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl TableError {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> TableError {
        TableError { code, line: None, detail: detail.into(), source: None }
    }

    pub(crate) fn at(self, line: u64) -> TableError {
        TableError { line: Some(line), ..self }
    }

    /// Trouble with the source itself, whatever its kind.
    pub(crate) fn io(error: io::Error) -> TableError {
        TableError { code: "io", line: None, detail: format!("reading failed: {error}"), source: Some(error) }
    }

    pub(crate) fn row_too_long(bytes_max: usize) -> TableError {
        TableError::new("row_too_long", format!("the row is longer than {bytes_max} bytes"))
    }
}

impl RowFault {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> RowFault {
        RowFault { code, detail: detail.into() }
    }

    pub(crate) fn wrong_cell_count(cells: usize, columns: usize) -> RowFault {
        RowFault::new("wrong_cell_count", format!("has {cells} cells where the header has {columns}"))
    }

    pub(crate) fn not_utf8() -> RowFault {
        RowFault::new("not_utf8", "is not UTF-8")
    }

    pub(crate) fn nul() -> RowFault {
        RowFault::new("nul", "holds the NUL character")
    }
}

/// A table's own error, on its way through a parser that knows only `io::Error`.
impl From<TableError> for io::Error {
    fn from(error: TableError) -> io::Error {
        io::Error::other(error)
    }
}

/// What unpacking complains of with these kinds is the content; any other kind comes from the disk or the network.
impl From<io::Error> for TableError {
    fn from(error: io::Error) -> TableError {
        let error = match error.downcast::<TableError>() {
            Ok(own) => return own,
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                TableError::new("truncated", format!("the packed file is cut short or damaged: {error}"))
            }
            _ => TableError::io(error),
        }
    }
}
