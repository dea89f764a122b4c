//! Sessions: that somebody signed in, until when, and how.

use std::fmt;

use crate::{AccountId, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub i64);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub kind: SessionKind,
    /// How it was proved who it is: `password`, `link`, or a provider's name.
    pub means: String,
    pub created_at: Instant,
    /// Over from this instant on.
    pub expires_at: Instant,
    /// Over since then, because somebody said so.
    pub ended_at: Option<Instant>,
}

impl Session {
    pub fn is_good_at(&self, at: Instant) -> bool {
        self.ended_at.is_none() && at < self.expires_at
    }
}

/// How a session is carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// In a browser, by a cookie.
    Browser,
    /// By access tokens, which are renewed with refresh tokens.
    Tokens,
}

impl SessionKind {
    pub const ALL: [SessionKind; 2] = [SessionKind::Browser, SessionKind::Tokens];

    pub fn as_str(self) -> &'static str {
        match self {
            SessionKind::Browser => "browser",
            SessionKind::Tokens => "tokens",
        }
    }

    pub fn parse(text: &str) -> Option<SessionKind> {
        SessionKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_until_its_end() {
        let at = |second| Instant::from_timestamp(second, 0).unwrap();
        let session = Session {
            id: SessionId(1),
            account: AccountId(1),
            kind: SessionKind::Browser,
            means: "password".to_owned(),
            created_at: at(0),
            expires_at: at(10),
            ended_at: None,
        };
        assert!(session.is_good_at(at(9)) && !session.is_good_at(at(10)));
        assert!(!Session { ended_at: Some(at(5)), ..session }.is_good_at(at(4)));
        assert!(SessionKind::ALL.iter().all(|kind| SessionKind::parse(kind.as_str()) == Some(*kind)));
    }
}
