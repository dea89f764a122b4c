//! Bodies: JSON that is read strictly. Unknown fields, duplicate keys and wrong types are refused by name.

use std::{collections::HashSet, fmt};

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use memchr::memmem;
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_path_to_error::Segment;

use crate::problems::{Code, Problem};

/// Reads a body that must be there.
pub(crate) fn read<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<T, Problem> {
    require_json(request)?;
    parse(bytes)
}

/// Reads a body that may be left out.
pub(crate) fn read_or_default<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    bytes: &[u8],
) -> Result<T, Problem> {
    if bytes.is_empty() { Ok(T::default()) } else { read(request, bytes) }
}

fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    let coding = request.headers().get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(Code::UnsupportedMediaType, "the body is declared as packed; send it as it is"));
    }
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    let found = if kind.is_empty() { "nothing".to_owned() } else { format!("`{}`", kind.escape_debug()) };
    Err(Problem::new(Code::UnsupportedMediaType, format!("the body is declared as {found}, not as application/json")))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::new(Code::MalformedJson, "the body is empty"));
    }
    refuse_disguised_numbers(bytes)?;
    refuse_duplicate_keys(bytes)?;
    require_object(bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(explain)?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}

fn malformed(error: serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, error)
}

/// Every body is an object. serde would also read an array, as the fields in the order of our source.
fn require_object(bytes: &[u8]) -> Result<(), Problem> {
    let found = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => return Ok(()),
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    };
    Err(Problem::fault("", "invalid_type", format!("invalid type: {found}, expected an object")))
}

/// Turns what serde says of a value into a pointer, a code and a sentence.
fn explain(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let inner = error.into_inner();
    if !inner.is_data() {
        return malformed(inner);
    }
    let text = inner.to_string();
    let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let named = detail.split('`').nth(1).map(escape).unwrap_or_default();
    for (beginning, code) in [("unknown field", "unknown_field"), ("missing field", "missing_field")] {
        if detail.starts_with(beginning) {
            // serde stands at the unknown key already, and at the object that lacks one.
            if !pointer.ends_with(&format!("/{named}")) || code == "missing_field" {
                pointer = format!("{pointer}/{named}");
            }
            return Problem::fault(pointer, code, detail);
        }
    }
    let code = if detail.starts_with("invalid type") { "invalid_type" } else { "invalid_value" };
    Problem::fault(pointer, code, detail)
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// JSON leaves the meaning of a repeated key open; here it has none.
fn refuse_duplicate_keys(bytes: &[u8]) -> Result<(), Problem> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walked = Walk { place: &Place::Root, found: &mut found }.deserialize(&mut deserializer);
    let ended = walked.and_then(|()| deserializer.end());
    match (found, ended) {
        (Some(pointer), _) => Err(Problem::fault(pointer, "duplicate_key", "the key stands twice in its object")),
        (None, Err(error)) => Err(malformed(error)),
        (None, Ok(())) => Ok(()),
    }
}

/// Where in a body a value stands, told from the inside out; a pointer is only made of it when one is needed.
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Key(outer, key) => format!("{}/{}", outer.pointer(), escape(key)),
            Place::Item(outer, index) => format!("{}/{index}", outer.pointer()),
        }
    }
}

/// Visits every value without keeping any.
struct Walk<'w> {
    place: &'w Place<'w>,
    found: &'w mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = Place::Key(self.place, &key);
            if seen.contains(&key) {
                *self.found = Some(place.pointer());
                return Err(de::Error::custom("duplicate key"));
            }
            map.next_value_seed(Walk { place: &place, found: self.found })?;
            seen.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while items.next_element_seed(Walk { place: &Place::Item(self.place, index), found: self.found })?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Inside serde_json, a number of any precision is an object with one key of this name. An object with that key in a body
/// would pass for a number, so the name is refused wherever it stands, also when it is written with escapes.
fn refuse_disguised_numbers(bytes: &[u8]) -> Result<(), Problem> {
    const NAME: &[u8] = b"serde_json::private::Number";
    let mut plain = Vec::new();
    let mut rest = bytes;
    while let Some(at) = memmem::find(rest, b"\\u") {
        let (before, escaped) = rest.split_at(at);
        plain.extend_from_slice(before);
        let digits = escaped.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(code.unwrap_or(b'?'));
        rest = escaped.get(6..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    if memmem::find(&plain, NAME).is_some() {
        let detail = "the text `serde_json::private::Number` cannot stand in a body";
        return Err(Problem::fault("", "invalid_value", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Body {
        slug: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        count: u8,
    }

    #[test]
    fn faults_are_named_with_their_place() {
        for (text, expected) in [
            (r#"{"slug": 5}"#, "/slug: invalid type: integer `5`, expected a string"),
            (r#"{"slug": null}"#, "/slug: invalid type: null, expected a string"),
            (r#"{}"#, "/slug: missing field `slug`"),
            (r#"{"slug":"a","colour":1}"#, "/colour: unknown field `colour`, expected `slug` or `inner`"),
            (
                r#"{"slug":"a","inner":[{"count":1},{"count":1,"slug":2}]}"#,
                "/inner/1/slug: unknown field `slug`, expected `count`",
            ),
            (r#"{"slug":"a","slug":"b"}"#, "/slug: the key stands twice in its object"),
            (r#"{"slug":"a","inner":[{"a/b":{"x":1,"x":2}}]}"#, "/inner/0/a~1b/x: the key stands twice in its object"),
            ("null", "invalid type: null, expected an object"),
            ("5", "invalid type: number, expected an object"),
            (r#" ["a", []]"#, "invalid type: array, expected an object"),
        ] {
            let problem = parse::<Body>(text.as_bytes()).unwrap_err();
            assert_eq!(problem.to_string(), format!("invalid: {expected}"), "{text}");
        }
    }

    #[test]
    fn no_object_passes_for_a_number() {
        for text in [
            r#"{"slug":{"$serde_json::private::Number":"1"}}"#,
            r#"{"slug":{"$\u0073erde_json::private::Numbe\u0072":"1"}}"#,
        ] {
            let problem = parse::<Body>(text.as_bytes()).unwrap_err().to_string();
            assert!(problem.contains("cannot stand in a body"), "{problem}");
        }
        assert!(refuse_disguised_numbers(br#"{"a":"\u00e9\u"}"#).is_ok());
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{\"slug\":\"a\"} x", "{\"slug\":NaN}", "\u{feff}{}", "{'a':1}", deep.as_str()] {
            let problem = parse::<Body>(text.as_bytes()).unwrap_err().to_string();
            assert!(problem.starts_with("malformed_json"), "{problem}");
        }
        assert!(parse::<Body>(b"{\"slug\":\"\xff\"}").is_err());
    }
}
