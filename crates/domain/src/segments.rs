//! Segments: named sets of users.

use std::fmt;

use thiserror::Error;

use crate::{Instant, Percent, Seed, Ttl};

/// A segment's identity inside a store. It outlives a rename; a slug that is created again gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub i64);

/// A segment as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentRef {
    pub id: SegmentId,
    pub slug: Slug,
}

/// The public name of a segment in addresses: `[A-Za-z0-9][A-Za-z0-9_-]{0,254}`, case-sensitive, not a reserved word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    #[error("`{}` is not a segment slug: 1 to 255 of A-Z, a-z, 0-9, _ and -, the first a letter or digit", shown(.0))]
    Slug(String),
    #[error("`{0}` is a reserved word and cannot be a segment slug")]
    Reserved(String),
    #[error("a name has 1 to {max} characters, this one has {0}", max = Name::CHARS_MAX)]
    NameLength(usize),
    #[error("a description has at most {max} characters, this one has {0}", max = Description::CHARS_MAX)]
    DescriptionLength(usize),
    #[error("a name cannot hold control characters")]
    NameControl,
    #[error("a description cannot hold the NUL character")]
    DescriptionNul,
}

/// The beginning of a text that was refused, safe to show on one line.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(64).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", start.escape_debug())
}

impl Slug {
    pub const CHARS_MAX: usize = 255;

    /// Words that stand where a slug could in `/segments/…`, and the algebra's word for everyone.
    pub const RESERVED: [&str; 11] = [
        "algebra",
        "ALL",
        "export",
        "import",
        "lookup",
        "move_users",
        "overlap",
        "overlaps",
        "similar",
        "sizes",
        "stats",
    ];

    pub(crate) fn may_hold(char: char) -> bool {
        char.is_ascii_alphanumeric() || char == '_' || char == '-'
    }

    pub fn parse(text: &str) -> Result<Slug, TextError> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let reads_well = text.chars().all(Slug::may_hold);
        if !(starts_well && reads_well && text.len() <= Slug::CHARS_MAX) {
            return Err(TextError::Slug(text.to_owned()));
        }
        if Slug::RESERVED.contains(&text) {
            return Err(TextError::Reserved(text.to_owned()));
        }
        Ok(Slug(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people call a segment: 1 to 50 characters of any script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub const CHARS_MAX: usize = 50;

    pub fn parse(text: &str) -> Result<Name, TextError> {
        let text = text.trim();
        match text.chars().count() {
            1..=Name::CHARS_MAX if text.chars().any(char::is_control) => Err(TextError::NameControl),
            1..=Name::CHARS_MAX => Ok(Name(text.to_owned())),
            chars => Err(TextError::NameLength(chars)),
        }
    }

    /// The name of a segment that was given none. It may be as long as a slug.
    pub fn of(slug: &Slug) -> Name {
        Name(slug.0.clone())
    }

    /// A name read back from a store, where it may be a slug's.
    pub fn stored(text: String) -> Name {
        Name(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a segment is for: at most 2,000 characters, possibly none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    pub const CHARS_MAX: usize = 2_000;

    pub fn parse(text: &str) -> Result<Description, TextError> {
        if text.contains('\0') {
            return Err(TextError::DescriptionNul);
        }
        match text.chars().count() {
            0..=Description::CHARS_MAX => Ok(Description(text.to_owned())),
            chars => Err(TextError::DescriptionLength(chars)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a segment gets its members, besides by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Manual,
    Percent,
    Rule,
    Model,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Manual, Kind::Percent, Kind::Rule, Kind::Model];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Manual => "manual",
            Kind::Percent => "percent",
            Kind::Rule => "rule",
            Kind::Model => "model",
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub id: SegmentId,
    pub slug: Slug,
    pub name: Name,
    pub description: Description,
    pub kind: Kind,
    /// The share of all users it was last given to; `None` until it is distributed.
    pub percent: Option<Percent>,
    pub seed: Seed,
    /// How long a new membership lasts when the call does not say.
    pub default_ttl: Option<Ttl>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Counts the changes of the definition, from 1.
    pub version: i64,
}

impl Segment {
    pub fn reference(&self) -> SegmentRef {
        SegmentRef { id: self.id, slug: self.slug.clone() }
    }

    /// One that has nobody and says nothing but its slug.
    pub fn made(slug: Slug, seed: Seed, at: Instant) -> Segment {
        Segment {
            id: SegmentId(0),
            name: Name::of(&slug),
            slug,
            description: Description::default(),
            kind: Kind::Manual,
            percent: None,
            seed,
            default_ttl: None,
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    /// The same segment as its next version.
    pub fn touched(self, at: Instant) -> Segment {
        Segment { updated_at: at.max(self.updated_at), version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_words() {
        for text in ["A", "0", "VIP_30-days", "a".repeat(255).as_str(), "Stats"] {
            assert_eq!(Slug::parse(text).unwrap().as_str(), text);
        }
        let long = "a".repeat(256);
        for text in ["", "_a", "-a", "a b", "a/b", "a'b", "../a", "скидка", "a;DROP", "a.b", "a%20b", long.as_str()]
        {
            assert!(matches!(Slug::parse(text), Err(TextError::Slug(_))), "{text:?}");
        }
    }

    #[test]
    fn words_of_the_address_are_reserved() {
        for word in Slug::RESERVED {
            assert_eq!(Slug::parse(word), Err(TextError::Reserved(word.to_owned())));
        }
    }

    #[test]
    fn a_refused_slug_is_shown_shortened_and_on_one_line() {
        let message = Slug::parse(&format!("\n{}", "x".repeat(5_000))).unwrap_err().to_string();
        assert!(message.len() < 200 && !message.contains('\n'), "{message}");
    }

    #[test]
    fn names_count_characters_of_any_script() {
        assert_eq!(Name::parse(" Скидка 30 % ").unwrap().as_str(), "Скидка 30 %");
        assert!(Name::parse(&"я".repeat(50)).is_ok());
        assert_eq!(Name::parse(&"я".repeat(51)), Err(TextError::NameLength(51)));
        assert_eq!(Name::parse("  "), Err(TextError::NameLength(0)));
        assert_eq!(Name::parse("a\u{7}b"), Err(TextError::NameControl));
    }
}
