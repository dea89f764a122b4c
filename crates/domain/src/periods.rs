//! Stretches of time, half-open: from, and not including to.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use thiserror::Error;

use crate::Instant;

/// `from <= at < to`; an absent side is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    pub from: Option<Instant>,
    pub to: Option<Instant>,
}

impl Period {
    pub fn contains(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// A calendar month, UTC, from 1970-01 to 9998-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(NaiveDate);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is not a month from 1970-01 to 9998-12, written YYYY-MM", .0.escape_debug())]
pub struct MonthError(String);

impl Month {
    pub fn parse(text: &str) -> Result<Month, MonthError> {
        let refuse = || MonthError(text.chars().take(32).collect());
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or_else(refuse)?;
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(refuse());
        }
        let year: i32 = year.parse().map_err(|_| refuse())?;
        let month: u32 = month.parse().map_err(|_| refuse())?;
        if !(1970..=9998).contains(&year) {
            return Err(refuse());
        }
        NaiveDate::from_ymd_opt(year, month, 1).map(Month).ok_or_else(refuse)
    }

    pub fn period(self) -> Period {
        let start = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc();
        let next = match self.0.month() {
            12 => NaiveDate::from_ymd_opt(self.0.year() + 1, 1, 1),
            month => NaiveDate::from_ymd_opt(self.0.year(), month + 1, 1),
        };
        Period { from: Some(start(self.0)), to: next.map(start) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_half_open() {
        let period = Month::parse("2023-12").unwrap().period();
        let at = |text: &str| text.parse::<Instant>().unwrap();
        assert!(period.contains(at("2023-12-01T00:00:00Z")));
        assert!(period.contains(at("2023-12-31T23:59:59.999999Z")));
        assert!(!period.contains(at("2024-01-01T00:00:00Z")));
        assert!(!period.contains(at("2023-11-30T23:59:59.999999Z")));
    }

    #[test]
    fn only_year_and_month_are_a_month() {
        for text in
            ["2023-13", "2023-00", "2023-8", "1899-01", "2023-08-21", "", "2023", "+023-08", "20230-1", "abcd-ef"]
        {
            assert!(Month::parse(text).is_err(), "{text}");
        }
        assert_eq!(Month::parse("2023-08").unwrap().to_string(), "2023-08");
    }
}
