//! NDJSON: one JSON object a line.

use std::{borrow::Cow, collections::HashMap, fmt, io::BufRead};

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Kind, Limits, Row, RowFault, TableError,
    headers::{self, IMPORT_TEXT},
    inputs::{Text, fill},
    instants,
    readers::Lines,
    writers::{Column, Value},
};

/// The objects of an NDJSON text.
pub(crate) struct Objects {
    input: Text,
    lines: Lines,
    limits: Limits,
    /// Where each key is among the columns.
    places: HashMap<String, usize>,
    /// For each column, the last line that had it.
    seen: Vec<u64>,
    line: Vec<u8>,
}

impl Objects {
    pub(crate) fn new(input: Text, lines: Lines, limits: &Limits) -> Objects {
        let (places, seen, line) = (HashMap::new(), Vec::new(), Vec::new());
        Objects { input, lines, limits: limits.clone(), places, seen, line }
    }

    pub(crate) fn next(&mut self, row: &mut Row, columns: &mut Vec<String>) -> Result<bool, TableError> {
        loop {
            let number = self.lines.line;
            if !self.read_line().map_err(|error| error.at(number))? {
                row.begin(number);
                return Ok(false);
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            row.begin(number);
            let line = std::mem::take(&mut self.line);
            match String::from_utf8_lossy(&line) {
                Cow::Borrowed(text) => self.parse(text.trim(), row, columns),
                Cow::Owned(text) => {
                    row.accuse(RowFault::not_utf8());
                    self.parse(text.trim(), row, columns);
                }
            }
            self.line = line;
            return Ok(true);
        }
    }

    /// Takes one line, without its end. False at the end of the text.
    fn read_line(&mut self) -> Result<bool, TableError> {
        self.line.clear();
        let mut has_begun = false;
        loop {
            let chunk = fill(&mut self.input)?;
            if chunk.is_empty() {
                return Ok(has_begun);
            }
            has_begun = true;
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.line.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            if self.line.len() > self.limits.row_bytes_max {
                return Err(TableError::row_too_long(self.limits.row_bytes_max));
            }
            let passed = end.map_or(chunk.len(), |at| at + 1);
            if !self.line.is_empty() {
                self.lines.pass_within();
            }
            if let Some(at) = end {
                self.lines.pass_end(chunk[at]);
            }
            self.input.consume(passed);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn parse(&mut self, line: &str, row: &mut Row, columns: &mut Vec<String>) {
        if !line.starts_with('{') {
            row.keep_unparsed(line);
            row.accuse(match serde_json::from_str::<IgnoredAny>(line) {
                Ok(_) => RowFault::new("not_an_object", "is not a JSON object"),
                Err(error) => malformed(&error),
            });
            return;
        }
        let known = columns.len();
        let mut json = serde_json::Deserializer::from_str(line);
        let object = Object { objects: self, row: &mut *row, columns: &mut *columns };
        let parsed = object.deserialize(&mut json).and_then(|()| json.end());
        if let Err(error) = parsed {
            // The keys of a broken line name no columns.
            for name in columns.drain(known..) {
                self.places.remove(&name);
            }
            self.seen.truncate(known);
            row.clear_cells();
            row.accuse(malformed(&error));
            row.keep_unparsed(line);
        } else if row.fault().is_some_and(|fault| !matches!(fault.code, "not_utf8" | "nul")) {
            row.keep_unparsed(line);
        }
    }

    /// The column of a key, which may be a new one.
    fn place(&mut self, key: &str, line: u64, columns: &mut Vec<String>) -> Result<usize, RowFault> {
        if let Some(&place) = self.places.get(key) {
            if self.seen[place] == line {
                return Err(RowFault::new("duplicate_key", format!("has the key `{}` twice", key.escape_debug())));
            }
            self.seen[place] = line;
            return Ok(place);
        }
        headers::check(key, columns.len()).map_err(|(code, detail)| RowFault { code, detail })?;
        if columns.len() >= self.limits.columns_max {
            let detail = format!(
                "has the key `{}`, with which there would be more than {} columns",
                key.escape_debug(),
                self.limits.columns_max
            );
            return Err(RowFault::new("too_many_columns", detail));
        }
        let place = columns.len();
        columns.push(key.to_owned());
        self.places.insert(key.to_owned(), place);
        self.seen.push(line);
        Ok(place)
    }
}

fn malformed(error: &serde_json::Error) -> RowFault {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    RowFault::new("malformed_json", format!("is not JSON: {what} at character {}", error.column()))
}

/// Reads an object's members into a row, and notices what serde_json by itself would pass over.
struct Object<'a> {
    objects: &'a mut Objects,
    row: &'a mut Row,
    columns: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key_seed(Key)? {
            let raw: &RawValue = members.next_value()?;
            if headers::is_ours(&key) || key == IMPORT_TEXT {
                continue;
            }
            match self.objects.place(&key, self.row.line(), self.columns) {
                Ok(place) => put(self.row, place, raw.get()).map_err(serde::de::Error::custom)?,
                Err(fault) => self.row.accuse(fault),
            }
        }
        Ok(())
    }
}

/// A key, borrowed from the line unless it has escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Puts a value, told by how its JSON text begins, under its column.
fn put(row: &mut Row, place: usize, json: &str) -> Result<(), serde_json::Error> {
    let kind = match json.as_bytes().first() {
        Some(b'n') | None => return Ok(()),
        Some(b'"') => Kind::Text,
        Some(b't' | b'f') => Kind::Flag,
        Some(b'[' | b'{') => {
            // Passing over a value looks less closely than reading it.
            serde_json::from_str::<serde_json::Value>(json)?;
            Kind::Json
        }
        Some(_) => Kind::Number,
    };
    if kind != Kind::Text {
        row.put(place, kind, |text| text.push_str(json));
        return Ok(());
    }
    let string = Key.deserialize(&mut serde_json::Deserializer::from_str(json))?;
    if string.contains('\0') {
        row.accuse(RowFault::nul());
    }
    row.put(place, kind, |text| text.push_str(&string));
    Ok(())
}

/// Writes one object, its keys in column order; what is empty is null.
pub(crate) fn write_row(out: &mut Vec<u8>, columns: &[Column], values: &[Value<'_>]) {
    for (index, (column, value)) in columns.iter().zip(values).enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        write_string(out, column.name);
        out.push(b':');
        match value {
            Value::Empty => out.extend_from_slice(b"null"),
            Value::Text(text) => write_string(out, text),
            Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Decimal(text) | Value::Json(text) => out.extend_from_slice(text.as_bytes()),
            Value::Instant(at) => {
                out.push(b'"');
                instants::write(out, *at);
                out.push(b'"');
            }
        }
    }
    out.extend_from_slice(if columns.is_empty() { b"{}\n" } else { b"}\n" });
}

pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can be written into memory");
}
