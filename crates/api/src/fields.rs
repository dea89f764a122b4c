//! Fields that a body may write in more than one way, and the checks that gather all faults at once.

use std::fmt;

use domain::{Instant, Percent, PercentError, Reason, Ttl, TtlError, UserId};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use serde_json::Number;
use usecases::{Fault, memberships::Deadline};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, Type},
    },
};

use crate::{openapi::USER_ID_PATTERN, problems::Problem, times};

/// A positive ISO 8601 duration with one unit or several; what it does not say, an error does.
const DURATION_PATTERN: &str =
    r"^\+?P(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?(T(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}S)?)?$";

/// Faults found so far. Reading goes on after a fault, so that a client sees all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl fmt::Display) {
        self.0.push(Fault { pointer: pointer.into(), code, detail: detail.to_string() });
    }

    /// The value, or its fault noted.
    pub(crate) fn take<T, E: fmt::Display>(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(pointer, code, error)).ok()
    }

    pub(crate) fn none_or_problem(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// The value that was read without any fault.
    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Problem> {
        self.none_or_problem()?;
        Ok(value.expect("a value is absent only with a fault noted"))
    }

    /// Notes what the `validator` crate found.
    pub(crate) fn validated(&mut self, body: &impl validator::Validate) {
        let Err(errors) = body.validate() else { return };
        for (field, errors) in errors.field_errors() {
            for error in errors {
                let limit = |key: &str| error.params.get(key).map(ToString::to_string);
                let detail = match (limit("min"), limit("max")) {
                    (Some(min), Some(max)) => format!("must have from {min} to {max}"),
                    (None, Some(max)) => format!("must have at most {max}"),
                    (Some(min), None) => format!("must have at least {min}"),
                    (None, None) => format!("fails the check `{}`", error.code),
                };
                let code = if error.code == "length" { "wrong_length" } else { "invalid_value" };
                self.add(format!("/{field}"), code, detail);
            }
        }
    }

    pub(crate) fn instant(&mut self, pointer: &str, text: Option<&str>) -> Option<Instant> {
        self.take(pointer, "invalid_instant", times::read(text?))
    }

    pub(crate) fn user_id(&mut self, pointer: &str, text: &str) -> Option<UserId> {
        self.take(pointer, "invalid_user_id", UserId::parse(text))
    }

    pub(crate) fn reason(&mut self, pointer: &str, text: Option<&str>) -> Option<Reason> {
        self.take(pointer, "invalid_reason", Reason::parse(text?))
    }

    /// A text to search for: short, and without what no stored text holds. The empty one searches for nothing.
    pub(crate) fn search(&mut self, pointer: &str, text: Option<String>) -> Option<String> {
        let text = text.filter(|text| !text.is_empty())?;
        let good = text.chars().count() <= 200 && !text.contains('\0');
        let why = "a search has at most 200 characters and no NUL";
        self.take(pointer, "invalid_value", good.then_some(text).ok_or(why))
    }

    pub(crate) fn percent(&mut self, pointer: &str, number: Option<&Number>) -> Option<Percent> {
        let percent = Percent::parse(&number?.to_string());
        let code = match &percent {
            Err(PercentError::TooFine(_)) => "too_many_decimals",
            _ => "out_of_range",
        };
        self.take(pointer, code, percent)
    }

    pub(crate) fn ttl(&mut self, pointer: &str, ttl: Option<&TtlField>) -> Option<Ttl> {
        let ttl = ttl?.read();
        let code = match &ttl {
            Err(TtlError::NotPositive | TtlError::TooLong) => "out_of_range",
            _ => "invalid_duration",
        };
        self.take(pointer, code, ttl)
    }

    /// A deadline, given as a ttl or as an instant, but not as both.
    pub(crate) fn deadline(
        &mut self,
        pointer: &str,
        ttl: Option<&TtlField>,
        expires_at: Option<&str>,
    ) -> Option<(Deadline, String)> {
        let (ttl_at, instant_at) = (format!("{pointer}/ttl"), format!("{pointer}/expires_at"));
        match (ttl, expires_at) {
            (Some(_), Some(_)) => {
                self.add(ttl_at, "both_given", "give `ttl` or `expires_at`, not both");
                None
            }
            (ttl @ Some(_), None) => self.ttl(&ttl_at, ttl).map(|ttl| (Deadline::After(ttl), ttl_at)),
            (None, Some(text)) => {
                let at = self.take(&instant_at, "invalid_instant", times::read(text))?;
                Some((Deadline::At(at), instant_at))
            }
            (None, None) => None,
        }
    }
}

/// A user id: a text, or an integer, which is read as its decimal text.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UserIdField(pub(crate) String);

impl<'de> Deserialize<'de> for UserIdField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(UserIdField(text)),
            serde_json::Value::Number(number) => {
                let text = number.to_string();
                let digits = text.strip_prefix('-').unwrap_or(&text);
                if digits.bytes().all(|b| b.is_ascii_digit()) {
                    Ok(UserIdField(text))
                } else {
                    Err(de::Error::custom(format!("invalid type: `{text}`, expected a string or an integer")))
                }
            }
            other => Err(wrong_type(&other, "a string or an integer")),
        }
    }
}

/// A ttl: an ISO 8601 duration, or a number of seconds.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum TtlField {
    Text(String),
    Seconds(Number),
}

impl TtlField {
    fn read(&self) -> Result<Ttl, TtlError> {
        match self {
            TtlField::Text(text) => Ttl::parse(text),
            TtlField::Seconds(number) => {
                let text = number.to_string();
                match text.parse::<i64>() {
                    Ok(seconds) => Ttl::from_seconds(seconds),
                    Err(_) if text.contains(['.', 'e', 'E']) => Err(TtlError::Fraction),
                    Err(_) if text.starts_with('-') => Err(TtlError::NotPositive),
                    Err(_) => Err(TtlError::TooLong),
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for TtlField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(TtlField::Text(text)),
            serde_json::Value::Number(number) => Ok(TtlField::Seconds(number)),
            other => Err(wrong_type(&other, "an ISO 8601 duration or a number of seconds")),
        }
    }
}

fn wrong_type<E: de::Error>(value: &serde_json::Value, expected: &str) -> E {
    let found = match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "boolean",
        serde_json::Value::Number(_) => "number",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "array",
        serde_json::Value::Object(_) => "object",
    };
    E::custom(format!("invalid type: {found}, expected {expected}"))
}

/// Reads a field that may be absent but not null.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads an object whose keys and values are free.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<domain::Attributes>, D::Error> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = Option<domain::Attributes>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            domain::Attributes::deserialize(de::value::MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_map(Object)
}

impl ToSchema for UserIdField {}

impl PartialSchema for UserIdField {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(UserId::CHARS_MAX))
            .pattern(Some(USER_ID_PATTERN));
        OneOfBuilder::new()
            .item(text)
            .item(ObjectBuilder::new().schema_type(Type::Integer))
            .description(Some("The company's own id for a user; an integer is read as its decimal text."))
            .into()
    }
}

impl ToSchema for TtlField {}

impl PartialSchema for TtlField {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(DURATION_PATTERN))
                    .examples(["P2D", "PT1H"]),
            )
            .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)))
            .description(Some("How long: an ISO 8601 duration, or a number of seconds."))
            .into()
    }
}
