//! Memberships: a user in a segment, since when, until when, by whom and why.

use std::fmt;

use thiserror::Error;

use crate::{Instant, SegmentRef, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub user: UserId,
    pub segment: SegmentRef,
    pub since: Instant,
    /// Open when absent.
    pub expires_at: Option<Instant>,
    pub source: Source,
    pub actor: Actor,
    pub reason: Option<Reason>,
}

impl Membership {
    /// A membership is live from, and including, `since` up to, and not at, its deadline.
    pub fn is_live_at(&self, at: Instant) -> bool {
        self.since <= at && !self.is_due_at(at)
    }

    /// Whether the deadline has come.
    pub fn is_due_at(&self, at: Instant) -> bool {
        self.expires_at.is_some_and(|deadline| deadline <= at)
    }
}

/// What brought a membership about, or ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Manual,
    Percent,
    Import,
    Move,
    Rule,
    Model,
    /// Ends a membership whose deadline came; never begins one.
    Expiry,
}

impl Source {
    pub const ALL: [Source; 7] =
        [Source::Manual, Source::Percent, Source::Import, Source::Move, Source::Rule, Source::Model, Source::Expiry];

    pub fn as_str(self) -> &'static str {
        match self {
            Source::Manual => "manual",
            Source::Percent => "percent",
            Source::Import => "import",
            Source::Move => "move",
            Source::Rule => "rule",
            Source::Model => "model",
            Source::Expiry => "expiry",
        }
    }

    pub fn parse(text: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// Who did it: an account, or a part of the service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(String);

impl Actor {
    pub fn new(name: impl Into<String>) -> Actor {
        Actor(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why: at most 500 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReasonError {
    #[error("a reason has 1 to {max} characters, this one has {0}", max = Reason::CHARS_MAX)]
    Length(usize),
    #[error("a reason cannot hold control characters")]
    Control,
}

impl Reason {
    pub const CHARS_MAX: usize = 500;

    pub fn parse(text: &str) -> Result<Reason, ReasonError> {
        match text.chars().count() {
            1..=Reason::CHARS_MAX if text.chars().any(char::is_control) => Err(ReasonError::Control),
            1..=Reason::CHARS_MAX => Ok(Reason(text.to_owned())),
            chars => Err(ReasonError::Length(chars)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
