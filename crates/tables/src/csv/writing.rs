//! CSV lines into bytes.

use super::{DELIMITER, DELIMITERS, GUARD, wants_guard};
use crate::{
    instants,
    writers::{Column, Value},
};

/// Lines have `;` between cells, and LF at their end.
pub(crate) fn write_header(out: &mut Vec<u8>, columns: &[Column]) {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(DELIMITER);
        }
        write_guarded(out, column.name);
    }
    out.push(b'\n');
}

pub(crate) fn write_row(out: &mut Vec<u8>, values: &[Value<'_>]) {
    if let [Value::Empty | Value::Text("")] = values {
        // A line with nothing on it would be no row at all.
        out.extend_from_slice(b"\"\"\n");
        return;
    }
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(DELIMITER);
        }
        match value {
            Value::Empty => {}
            Value::Text(text) | Value::Json(text) => write_guarded(out, text),
            Value::Number(number) => write_integer(out, *number),
            Value::Decimal(text) => write_cell(out, text),
            Value::Instant(at) => instants::write(out, *at),
        }
    }
    out.push(b'\n');
}

/// Writes a text so that no spreadsheet takes it for a formula.
pub(crate) fn write_guarded(out: &mut Vec<u8>, text: &str) {
    if !wants_guard(text.as_bytes()) {
        return write_cell(out, text);
    }
    match wants_quotes(text.as_bytes()) {
        true => quote(out, &[GUARD], text.as_bytes()),
        false => {
            out.push(GUARD);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Writes a cell as RFC 4180 has it. Any delimiter is quoted, so that the header tells which one is meant.
pub(crate) fn write_cell(out: &mut Vec<u8>, text: &str) {
    match wants_quotes(text.as_bytes()) {
        true => quote(out, &[], text.as_bytes()),
        false => out.extend_from_slice(text.as_bytes()),
    }
}

fn write_integer(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn wants_quotes(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'"' | b'\n' | b'\r') || DELIMITERS.contains(byte))
}

fn quote(out: &mut Vec<u8>, guard: &[u8], text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(guard);
    for (index, run) in text.split(|&byte| byte == b'"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(run);
    }
    out.push(b'"');
}
