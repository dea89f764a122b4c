//! Instants as the API writes and reads them: RFC 3339, UTC, microseconds.

use chrono::{DateTime, Datelike, SecondsFormat};
use domain::{Instant, to_micros};

pub(crate) fn write(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads an instant with any offset; the years are those that four digits can write.
pub(crate) fn read(text: &str) -> Result<Instant, String> {
    let refuse = || {
        let start: String = text.chars().take(64).collect();
        format!("`{}` is not an RFC 3339 instant such as 2026-11-20T12:00:00Z", start.escape_debug())
    };
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| refuse())?;
    let at = to_micros(at.to_utc());
    if (0..=9999).contains(&at.year()) { Ok(at) } else { Err(refuse()) }
}
