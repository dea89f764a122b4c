//! CSV: RFC 4180 with any line end, and a guard against formulas.

mod reading;
mod writing;

pub(crate) use reading::Records;
pub(crate) use writing::{write_cell, write_guarded, write_header, write_row};

/// What our own files have between cells: spreadsheets of most European locales take nothing else.
pub(crate) const DELIMITER: u8 = b';';
/// What may stand between cells. Where two are as frequent, the first is taken.
const DELIMITERS: [u8; 3] = [b';', b'\t', b','];
const GUARD: u8 = b'\'';

/// A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
fn begins_formula(byte: u8) -> bool {
    matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
}

/// Whether a text is written with a guard before it: when it begins like a formula, or as if it were guarded already.
fn wants_guard(text: &[u8]) -> bool {
    match text {
        [GUARD, next, ..] => *next == GUARD || begins_formula(*next),
        [first, ..] => begins_formula(*first),
        [] => false,
    }
}

/// Whether a cell was written with a guard, which is not part of its text.
fn is_guarded(cell: &[u8]) -> bool {
    matches!(cell, [GUARD, next, ..] if *next == GUARD || begins_formula(*next))
}
