//! Column names: which are refused, and which are ours.

use std::collections::HashSet;

use crate::{Limits, TableError};

/// The line a rejected row stood at in the file it came from.
pub const IMPORT_LINE: &str = "import_line";
/// Why a row was rejected.
pub const IMPORT_ERROR: &str = "import_error";
/// An NDJSON line, as it stood, of which no object could be made.
pub const IMPORT_TEXT: &str = "import_text";

/// The header as it stands in the file, ours included, so that a cell's place can be told.
pub(crate) struct Names {
    pub(crate) written: Vec<String>,
    /// For each written column, where it is among those that are kept.
    places: Vec<Option<usize>>,
}

impl Names {
    /// Trims the names, and refuses what cannot head a column. `line` is where the header stands.
    pub(crate) fn parse(written: Vec<String>, line: u64, limits: &Limits) -> Result<Names, TableError> {
        if written.len() > limits.columns_max {
            let detail = format!("the header has {} columns, and {} are read", written.len(), limits.columns_max);
            return Err(TableError::new("too_many_columns", detail).at(line));
        }
        let written: Vec<String> = written.iter().map(|name| name.trim().to_owned()).collect();
        let mut seen = HashSet::new();
        for (index, name) in written.iter().enumerate() {
            check(name, index).map_err(|(code, detail)| TableError::new(code, detail).at(line))?;
            if !seen.insert(name) {
                let detail = format!("column `{}` stands twice in the header", name.escape_debug());
                return Err(TableError::new("duplicate_column", detail).at(line));
            }
        }
        let mut kept = 0..;
        let places = written.iter().map(|name| if is_ours(name) { None } else { kept.next() }).collect();
        Ok(Names { written, places })
    }

    pub(crate) fn kept(&self) -> Vec<String> {
        self.written.iter().filter(|name| !is_ours(name)).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.written.len()
    }

    /// Whether cells under this written column are left out. Columns beyond the header are not.
    pub(crate) fn is_dropped(&self, written: usize) -> bool {
        self.places.get(written).is_some_and(Option::is_none)
    }

    /// Where the cells of a written column go. Those beyond the header follow in order.
    pub(crate) fn place(&self, written: usize) -> Option<usize> {
        let dropped = || self.places.iter().filter(|place| place.is_none()).count();
        self.places.get(written).copied().unwrap_or_else(|| Some(written - dropped()))
    }
}

pub(crate) fn is_ours(name: &str) -> bool {
    matches!(name, IMPORT_LINE | IMPORT_ERROR)
}

/// The code and the detail of what is wrong with a name by itself.
pub(crate) fn check(name: &str, index: usize) -> Result<(), (&'static str, String)> {
    if name.is_empty() {
        return Err(("empty_column", format!("column {} has no name", index + 1)));
    }
    if name.chars().any(char::is_control) {
        let detail = format!("column `{}` has a control character in its name", name.escape_debug());
        return Err(("control_in_column", detail));
    }
    Ok(())
}
