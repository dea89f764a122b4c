//! Instants as text and as the serial numbers of spreadsheets.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Timelike, Utc};

/// `2026-11-20T12:00:00.000000Z`, put together by hand: this runs for every cell of an export.
///
/// What is finer than a microsecond is cut off. Years outside 0 to 9999 are written as chrono does.
pub(crate) fn write(out: &mut Vec<u8>, at: DateTime<Utc>) {
    let naive = at.naive_utc();
    let Ok(year @ 0..=9_999) = u32::try_from(naive.year()) else {
        out.extend_from_slice(at.to_rfc3339_opts(SecondsFormat::Micros, true).as_bytes());
        return;
    };
    // A leap second is a nanosecond above 999,999,999 in chrono, and the next second here.
    let (nanos, second) = (naive.nanosecond(), naive.second());
    let (nanos, second) = if nanos >= 1_000_000_000 { (nanos - 1_000_000_000, 60) } else { (nanos, second) };
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], naive.month());
    digits(&mut text[8..10], naive.day());
    digits(&mut text[11..13], naive.hour());
    digits(&mut text[14..16], naive.minute());
    digits(&mut text[17..19], second);
    digits(&mut text[20..26], nanos / 1_000);
    out.extend_from_slice(&text);
}

pub(crate) fn text(at: DateTime<Utc>) -> String {
    let mut out = Vec::with_capacity(27);
    write(&mut out, at);
    String::from_utf8(out).expect("an instant is written in ASCII")
}

fn digits(out: &mut [u8], mut value: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// From which day a workbook counts (ECMA-376 part 1, 18.17.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    Of1900,
    Of1904,
}

const DAY_MICROS: f64 = 86_400e6;
/// 9999-12-31 is the last day a spreadsheet knows.
const SERIAL_END: f64 = 2_958_466.0;
/// 1900-03-01: before it the 1900 system counts a day that never was.
const SERIAL_SURE: f64 = 61.0;

/// The instant of a serial number, to the nearest microsecond. Nothing for what is no date.
pub(crate) fn from_serial(serial: f64, epoch: Epoch) -> Option<DateTime<Utc>> {
    if !(0.0..SERIAL_END).contains(&serial) {
        return None;
    }
    let days = serial.floor();
    let micros = ((serial - days) * DAY_MICROS).round() as i64;
    let skipped = match epoch {
        Epoch::Of1904 => DAYS_1904,
        Epoch::Of1900 if serial < SERIAL_SURE - 1.0 => DAYS_1900 + 1,
        Epoch::Of1900 => DAYS_1900,
    };
    DateTime::UNIX_EPOCH
        .checked_add_signed(TimeDelta::days(days as i64 + skipped))
        .and_then(|day| day.checked_add_signed(TimeDelta::microseconds(micros)))
}

/// Days from 1970-01-01 to 1899-12-30 and 1904-01-01.
const DAYS_1900: i64 = -25_569;
const DAYS_1904: i64 = -24_107;

/// The serial number in the 1900 system that reads back as the same microsecond, where there is one.
pub(crate) fn to_serial(at: DateTime<Utc>) -> Option<f64> {
    if !at.nanosecond().is_multiple_of(1_000) || at.nanosecond() >= 1_000_000_000 {
        return None;
    }
    let micros = at.timestamp_micros() - DAYS_1900 * 86_400_000_000;
    let serial = micros as f64 / DAY_MICROS;
    (serial >= SERIAL_SURE && from_serial(serial, Epoch::Of1900) == Some(at)).then_some(serial)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn serials_are_the_dates_a_spreadsheet_shows() {
        for (serial, epoch, expected) in [
            (1.0, Epoch::Of1900, "1900-01-01T00:00:00Z"),
            (59.0, Epoch::Of1900, "1900-02-28T00:00:00Z"),
            (61.0, Epoch::Of1900, "1900-03-01T00:00:00Z"),
            (25_569.0, Epoch::Of1900, "1970-01-01T00:00:00Z"),
            (45_943.541_666_666_664, Epoch::Of1900, "2025-10-13T13:00:00Z"),
            (45_943.999_999_999_99, Epoch::Of1900, "2025-10-13T23:59:59.999999Z"),
            (2_958_465.5, Epoch::Of1900, "9999-12-31T12:00:00Z"),
            (0.0, Epoch::Of1904, "1904-01-01T00:00:00Z"),
            (44_481.0, Epoch::Of1904, "2025-10-13T00:00:00Z"),
        ] {
            assert_eq!(from_serial(serial, epoch), Some(at(expected)), "{serial}");
        }
        for serial in [-1.0, f64::NAN, f64::INFINITY, 2_958_466.0] {
            assert_eq!(from_serial(serial, Epoch::Of1900), None, "{serial}");
        }
    }

    #[test]
    fn most_instants_of_today_have_a_serial() {
        let found =
            (0..10_000).filter(|n| to_serial(at("2026-11-20T12:00:00Z") + TimeDelta::microseconds(*n)).is_some());
        assert_eq!(found.count(), 10_000);
    }

    proptest! {
        #[test]
        fn instants_are_written_as_chrono_writes_them(micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(text(at), at.to_rfc3339_opts(SecondsFormat::Micros, true));
        }

        #[test]
        fn a_serial_reads_back_as_its_instant(micros in -5_000_000_000_000_000_i64..253_402_300_800_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            if let Some(serial) = to_serial(at) {
                prop_assert_eq!(from_serial(serial, Epoch::Of1900), Some(at));
            }
        }
    }
}
