//! Times to live: how long a membership lasts.

use std::fmt;

use chrono::{Months, TimeDelta};
use jiff::fmt::temporal::SpanParser;
use thiserror::Error;

use crate::Instant;

/// A positive length of time: calendar months and seconds, as ISO 8601 writes them.
///
/// Weeks and days are exact (7 × 24 h and 24 h); years and months follow the calendar, so `P1M` from 31 January ends on
/// the last day of February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ttl {
    months: u32,
    seconds: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TtlError {
    #[error("`{}` is not an ISO 8601 duration such as `P2D` or `PT1H`, nor a number of seconds", .0.escape_debug())]
    Unreadable(String),
    #[error("a ttl must be longer than nothing")]
    NotPositive,
    #[error("a ttl counts whole seconds")]
    Fraction,
    #[error("a ttl is at most {} years", Ttl::YEARS_MAX)]
    TooLong,
}

impl Ttl {
    pub const YEARS_MAX: i64 = 1_000;
    pub const DAY: Ttl = Ttl { months: 0, seconds: 86_400 };
    const SECONDS_MAX: i64 = Ttl::YEARS_MAX * 366 * 86_400;

    pub fn from_seconds(seconds: i64) -> Result<Ttl, TtlError> {
        Ttl::new(0, seconds)
    }

    /// Reads a whole number of seconds, or an ISO 8601 duration.
    pub fn parse_or_seconds(text: &str) -> Result<Ttl, TtlError> {
        text.parse().map_or_else(|_| Ttl::parse(text), Ttl::from_seconds)
    }

    /// Reads an ISO 8601 duration.
    pub fn parse(text: &str) -> Result<Ttl, TtlError> {
        let unreadable = || TtlError::Unreadable(text.chars().take(64).collect());
        if !text.trim_start_matches(['+', '-']).starts_with(['P', 'p']) {
            return Err(unreadable());
        }
        let span = SpanParser::new().parse_span(text).map_err(|_| unreadable())?;
        if span.get_milliseconds() != 0 || span.get_microseconds() != 0 || span.get_nanoseconds() != 0 {
            return Err(TtlError::Fraction);
        }
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds =
            days * 86_400 + i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
        Ttl::new(months, seconds)
    }

    fn new(months: i64, seconds: i64) -> Result<Ttl, TtlError> {
        if months < 0 || seconds < 0 || (months, seconds) == (0, 0) {
            return Err(TtlError::NotPositive);
        }
        if months > Ttl::YEARS_MAX * 12 || seconds > Ttl::SECONDS_MAX {
            return Err(TtlError::TooLong);
        }
        Ok(Ttl { months: u32::try_from(months).map_err(|_| TtlError::TooLong)?, seconds })
    }

    /// So many times this long after `since`, unless that cannot be written any more. Calendar months are counted from
    /// `since`, so that the end of a short month does not stay.
    pub fn times_after(self, times: u32, since: Instant) -> Option<Instant> {
        let seconds = TimeDelta::try_seconds(self.seconds.checked_mul(i64::from(times))?)?;
        since.checked_add_months(Months::new(self.months.checked_mul(times)?))?.checked_add_signed(seconds)
    }

    /// The deadline of what begins at `since`.
    pub fn after(self, since: Instant) -> Instant {
        since
            .checked_add_months(Months::new(self.months))
            .and_then(|at| at.checked_add_signed(TimeDelta::seconds(self.seconds)))
            .expect("two thousand years from now can be written")
    }
}

/// Writes the one canonical form: `P1M`, `P2DT3H`, `PT90S` as `PT1M30S`.
impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.seconds / 86_400, self.seconds % 86_400);
        f.write_str("P")?;
        for (value, unit) in [(i64::from(self.months / 12), "Y"), (i64::from(self.months % 12), "M"), (days, "D")] {
            if value != 0 {
                write!(f, "{value}{unit}")?;
            }
        }
        if rest != 0 {
            f.write_str("T")?;
        }
        for (value, unit) in [(rest / 3_600, "H"), (rest % 3_600 / 60, "M"), (rest % 60, "S")] {
            if value != 0 {
                write!(f, "{value}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn iso_durations_and_seconds_are_read() {
        let since = at("2026-01-31T12:00:00Z");
        for (text, deadline, canonical) in [
            ("P2D", "2026-02-02T12:00:00Z", "P2D"),
            ("PT1H", "2026-01-31T13:00:00Z", "PT1H"),
            ("P1W", "2026-02-07T12:00:00Z", "P7D"),
            ("PT90S", "2026-01-31T12:01:30Z", "PT1M30S"),
            ("P1M", "2026-02-28T12:00:00Z", "P1M"),
            ("P1Y2M3DT4H5M6S", "2027-04-03T16:05:06Z", "P1Y2M3DT4H5M6S"),
        ] {
            let ttl = Ttl::parse(text).unwrap();
            assert_eq!(ttl.after(since), at(deadline), "{text}");
            assert_eq!(ttl.to_string(), canonical);
            assert_eq!(Ttl::parse(canonical), Ok(ttl));
        }
        assert_eq!(Ttl::from_seconds(3_600), Ttl::parse("PT1H"));
    }

    #[test]
    fn nothing_and_less_is_no_ttl() {
        for text in ["P0D", "PT0S", "-P1D", "P0Y"] {
            assert_eq!(Ttl::parse(text), Err(TtlError::NotPositive), "{text}");
        }
        assert_eq!(Ttl::from_seconds(0), Err(TtlError::NotPositive));
        assert_eq!(Ttl::from_seconds(-1), Err(TtlError::NotPositive));
    }

    #[test]
    fn other_text_is_no_ttl() {
        for text in ["", "P", "PT", "2D", "1 day", "1h", "P1X", "tomorrow", "2026-01-01", "P1D "] {
            assert!(matches!(Ttl::parse(text), Err(TtlError::Unreadable(_))), "{text:?}");
        }
        assert_eq!(Ttl::parse("PT0.5S"), Err(TtlError::Fraction));
        assert_eq!(Ttl::from_seconds(i64::MAX), Err(TtlError::TooLong));
        assert_eq!(Ttl::parse("P9999Y"), Err(TtlError::TooLong));
    }
}
