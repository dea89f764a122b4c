//! Versions: telling whether a definition is still the one that a caller saw.

use std::fmt;

use domain::{Account, Instant, Segment, User};

use crate::{Error, Subject};

/// Which state of a definition: its incarnation, by its birth, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    created_at: Instant,
    version: i64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.created_at.timestamp_micros(), self.version)
    }
}

impl From<&Segment> for Revision {
    fn from(segment: &Segment) -> Revision {
        Revision { created_at: segment.created_at, version: segment.version }
    }
}

impl From<&User> for Revision {
    fn from(user: &User) -> Revision {
        Revision { created_at: user.created_at, version: user.version }
    }
}

impl From<&Account> for Revision {
    fn from(account: &Account) -> Revision {
        Revision { created_at: account.created_at, version: account.version }
    }
}

/// The state that a caller means to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is by now.
    #[default]
    Any,
    /// One of these revisions, as they were told.
    OneOf(Vec<String>),
}

impl Expected {
    pub(crate) fn require(&self, actual: &Revision, subject: Subject, name: &str) -> Result<(), Error> {
        match self {
            Expected::Any => Ok(()),
            Expected::OneOf(revisions) if revisions.contains(&actual.to_string()) => Ok(()),
            Expected::OneOf(_) => Err(Error::Stale(subject, name.to_owned())),
        }
    }
}
