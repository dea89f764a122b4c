//! Columns that become domain types, or tell what is impossible about them.

use std::fmt::Display;

use chrono::DateTime;
use domain::{Instant, Operation, Reason, Slug, Source, UserId};
use usecases::ports::StoreError;

/// Reads the columns of one table.
pub(crate) struct Table(pub(crate) &'static str);

impl Table {
    pub(crate) fn corrupt(&self, detail: impl Display) -> StoreError {
        StoreError::Corrupt { table: self.0, detail: detail.to_string() }
    }

    pub(crate) fn instant(&self, micros: i64) -> Result<Instant, StoreError> {
        DateTime::from_timestamp_micros(micros).ok_or_else(|| self.corrupt(format!("{micros} is not an instant")))
    }

    pub(crate) fn maybe_instant(&self, micros: Option<i64>) -> Result<Option<Instant>, StoreError> {
        micros.map(|micros| self.instant(micros)).transpose()
    }

    pub(crate) fn user(&self, text: &str) -> Result<UserId, StoreError> {
        UserId::parse(text).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn slug(&self, text: &str) -> Result<Slug, StoreError> {
        Slug::parse(text).map_err(|error| self.corrupt(error))
    }

    pub(crate) fn source(&self, text: &str) -> Result<Source, StoreError> {
        Source::parse(text).ok_or_else(|| self.corrupt(format!("`{text}` is not a source")))
    }

    pub(crate) fn operation(&self, text: &str) -> Result<Operation, StoreError> {
        Operation::parse(text).ok_or_else(|| self.corrupt(format!("`{text}` is not an operation")))
    }

    pub(crate) fn reason(&self, text: Option<String>) -> Result<Option<Reason>, StoreError> {
        text.map(|text| Reason::parse(&text)).transpose().map_err(|error| self.corrupt(error))
    }
}

/// A bind of LIMIT.
pub(crate) fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A pattern for `LIKE ? ESCAPE '\'`: what holds `text` somewhere, letter case aside. The column is in small letters.
pub(crate) fn holding(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(holding(r"50% Off_\"), r"%50\% off\_\\%");
    }
}
