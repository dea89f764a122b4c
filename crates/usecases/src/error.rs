use std::fmt;

use domain::Forbidden;
use thiserror::Error;

use crate::ports::StoreError;

/// Why a use case refused or failed, sorted by what the caller can do about it.
#[derive(Debug, Error)]
pub enum Error {
    /// Name things that exist: all the names that do not are listed.
    #[error("no {0} named {names}", names = quoted(.1))]
    NotFound(Subject, Vec<String>),
    /// Choose another name.
    #[error("{0} `{1}` already exists")]
    Taken(Subject, String),
    /// The thing exists, but is not of a kind that can do this.
    #[error("{0}")]
    Conflict(String),
    /// Read again, and decide anew: it was changed since.
    #[error("{0} `{1}` was changed since the version that was named")]
    Stale(Subject, String),
    /// The same idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Send less.
    #[error("{0}")]
    TooLarge(String),
    /// Ask somebody who may, or for a fresh link.
    #[error("{0}")]
    Denied(String),
    /// Sign in: nobody knows who asks, or what was shown proves nothing.
    #[error("{0}")]
    Unauthenticated(String),
    /// Ask an administrator for the right to do this.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Try later, or sign in by other means: somebody else's service failed.
    #[error("{0}")]
    Provider(String),
    /// Correct the input.
    #[error("{faults}", faults = joined(.0))]
    Invalid(Vec<Fault>),
    /// Try later; nothing in the request is wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same, of the place where files are kept.
    #[error("files: {0}")]
    Files(#[from] std::io::Error),
}

impl Error {
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl fmt::Display) -> Error {
        Error::Invalid(vec![Fault { pointer: pointer.into(), code, detail: detail.to_string() }])
    }
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON Pointer (RFC 6901) into the body, or the name of a parameter.
    pub pointer: String,
    /// A stable name for the kind of fault.
    pub code: &'static str,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Segment,
    User,
    Job,
    Account,
    Token,
    Provider,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Subject::Segment => "segment",
            Subject::User => "user",
            Subject::Job => "job",
            Subject::Account => "account",
            Subject::Token => "token",
            Subject::Provider => "provider",
        })
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn joined(faults: &[Fault]) -> String {
    faults.iter().map(Fault::sentence).collect::<Vec<_>>().join("; ")
}

impl Fault {
    /// Where it is, when it is somewhere, and what is wrong.
    pub fn sentence(&self) -> String {
        if self.pointer.is_empty() { self.detail.clone() } else { format!("{}: {}", self.pointer, self.detail) }
    }
}
