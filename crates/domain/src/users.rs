//! Users: those whom a company segments.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::Instant;

/// The company's own name for a user: 1 to 128 characters, none of them white space or control.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UserIdError {
    #[error("a user id cannot be empty")]
    Empty,
    #[error("a user id has at most {max} characters, this one has {0}", max = UserId::CHARS_MAX)]
    TooLong(usize),
    #[error("`{}` holds white space or a control character, which a user id cannot", .0.escape_debug())]
    Blank(String),
}

impl UserId {
    pub const CHARS_MAX: usize = 128;

    pub fn parse(text: &str) -> Result<UserId, UserIdError> {
        let chars = text.chars().count();
        if chars == 0 {
            return Err(UserIdError::Empty);
        }
        if chars > UserId::CHARS_MAX {
            return Err(UserIdError::TooLong(chars));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UserIdError::Blank(text.to_owned()));
        }
        Ok(UserId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the company tells of a user: a JSON object.
pub type Attributes = Map<String, Value>;

/// Changes an object as a JSON Merge Patch does (RFC 7396): a null takes its key away, an object is merged into an
/// object, and anything else takes the place of what was there.
pub fn merge(target: &mut Attributes, patch: Attributes) {
    for (key, value) in patch {
        match (target.get_mut(&key), value) {
            (_, Value::Null) => {
                target.remove(&key);
            }
            (Some(Value::Object(inner)), Value::Object(patch)) => merge(inner, patch),
            (_, Value::Object(patch)) => {
                let mut fresh = Attributes::new();
                merge(&mut fresh, patch);
                target.insert(key, Value::Object(fresh));
            }
            (_, value) => {
                target.insert(key, value);
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub attributes: Attributes,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Counts the changes of the profile, from 1.
    pub version: i64,
}

impl User {
    /// At most this many characters in a name or an e-mail address.
    pub const TEXT_CHARS_MAX: usize = 320;

    /// A user of whom nothing but the id is known.
    pub fn born(id: UserId, at: Instant) -> User {
        User { id, name: None, email: None, attributes: Attributes::new(), created_at: at, updated_at: at, version: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_without_blanks_names_a_user() {
        for text in
            ["0", "-1", "9223372036854775808", "a/b", "юзер", "'; DROP TABLE users --".replace(' ', "_").as_str()]
        {
            assert_eq!(UserId::parse(text).unwrap().as_str(), text);
        }
    }

    /// The examples of RFC 7396, appendix A, whose targets and patches are objects.
    #[test]
    fn attributes_merge_as_the_standard_says() {
        for (target, patch, merged) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &str| serde_json::from_str::<Attributes>(text).unwrap();
            let mut actual = read(target);
            merge(&mut actual, read(patch));
            assert_eq!(actual, read(merged), "{target} + {patch}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(UserId::parse(&"я".repeat(128)).is_ok());
        assert_eq!(UserId::parse(&"я".repeat(129)), Err(UserIdError::TooLong(129)));
        assert_eq!(UserId::parse(""), Err(UserIdError::Empty));
    }

    #[test]
    fn blanks_and_controls_are_refused() {
        for text in ["a b", "\t", "a\u{0}", "a\u{a0}b", "\u{7f}", "a\n"] {
            assert!(matches!(UserId::parse(text), Err(UserIdError::Blank(_))), "{text:?}");
        }
    }
}
