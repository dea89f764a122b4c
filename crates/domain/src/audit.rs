//! The audit log: who did what, in rows of which each vouches for the one before it.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Actor, Instant};

/// What somebody did. The words are stable: logs are searched by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    AccountCreated,
    /// Its role.
    AccountChanged,
    PasswordChanged,
    AccountDisabled,
    AccountEnabled,
    AccountDeleted,
    /// A one-time link to sign in was made for it.
    LinkMade,
    IdentityLinked,
    IdentityUnlinked,
    SessionBegun,
    /// Somebody was not let in.
    SessionRefused,
    SessionEnded,
    /// A refresh token came a second time: it was stolen, or lost on its way.
    RefreshReused,
    TokenCreated,
    TokenRevoked,
    /// Somebody who is known wanted what is not theirs to do.
    AccessRefused,
    SegmentCreated,
    SegmentChanged,
    SegmentRenamed,
    SegmentCopied,
    SegmentDistributed,
    SegmentMoved,
    SegmentDeleted,
    DataExported,
    DataImported,
    /// Its beginning.
    HistoryForgotten,
    SettingsChanged,
    /// Those that access tokens are signed with, by hand.
    KeysRotated,
    /// Without a word on who it was.
    UserErased,
}

impl Action {
    pub const ALL: [Action; 29] = [
        Action::AccountCreated,
        Action::AccountChanged,
        Action::PasswordChanged,
        Action::AccountDisabled,
        Action::AccountEnabled,
        Action::AccountDeleted,
        Action::LinkMade,
        Action::IdentityLinked,
        Action::IdentityUnlinked,
        Action::SessionBegun,
        Action::SessionRefused,
        Action::SessionEnded,
        Action::RefreshReused,
        Action::TokenCreated,
        Action::TokenRevoked,
        Action::AccessRefused,
        Action::SegmentCreated,
        Action::SegmentChanged,
        Action::SegmentRenamed,
        Action::SegmentCopied,
        Action::SegmentDistributed,
        Action::SegmentMoved,
        Action::SegmentDeleted,
        Action::DataExported,
        Action::DataImported,
        Action::HistoryForgotten,
        Action::SettingsChanged,
        Action::KeysRotated,
        Action::UserErased,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Action::AccountCreated => "account.created",
            Action::AccountChanged => "account.changed",
            Action::PasswordChanged => "account.password_changed",
            Action::AccountDisabled => "account.disabled",
            Action::AccountEnabled => "account.enabled",
            Action::AccountDeleted => "account.deleted",
            Action::LinkMade => "account.link_made",
            Action::IdentityLinked => "account.identity_linked",
            Action::IdentityUnlinked => "account.identity_unlinked",
            Action::SessionBegun => "session.begun",
            Action::SessionRefused => "session.refused",
            Action::SessionEnded => "session.ended",
            Action::RefreshReused => "session.refresh_reused",
            Action::TokenCreated => "token.created",
            Action::TokenRevoked => "token.revoked",
            Action::AccessRefused => "access.refused",
            Action::SegmentCreated => "segment.created",
            Action::SegmentChanged => "segment.changed",
            Action::SegmentRenamed => "segment.renamed",
            Action::SegmentCopied => "segment.copied",
            Action::SegmentDistributed => "segment.distributed",
            Action::SegmentMoved => "segment.moved",
            Action::SegmentDeleted => "segment.deleted",
            Action::DataExported => "data.exported",
            Action::DataImported => "data.imported",
            Action::HistoryForgotten => "history.forgotten",
            Action::SettingsChanged => "settings.changed",
            Action::KeysRotated => "keys.rotated",
            Action::UserErased => "user.erased",
        }
    }

    pub fn parse(text: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Instant,
    pub actor: Actor,
    pub action: Action,
    /// What it was done to, for instance `account/7`.
    pub subject: String,
    /// What else there is to know, as JSON.
    pub detail: String,
}

/// SHA-256 of a row and all rows before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts the rows, from 1 and without gaps.
    pub id: i64,
    pub entry: AuditEntry,
    pub hash: ChainHash,
}

impl ChainHash {
    /// What stands before the first row.
    pub const START: ChainHash = ChainHash([0; 32]);

    /// Reads 64 hexadecimal digits in small letters.
    pub fn parse(text: &str) -> Option<ChainHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = (digit(*high)? << 4) | digit(*low)?;
        }
        Some(ChainHash(hash))
    }
}

impl AuditRow {
    /// The row of an entry behind the row `last`.
    pub fn following(last: Option<(i64, ChainHash)>, entry: AuditEntry) -> AuditRow {
        let (last_id, before) = last.unwrap_or((0, ChainHash::START));
        let id = last_id + 1;
        let hash = hash(&before, id, &entry);
        AuditRow { id, entry, hash }
    }

    /// Whether it is as it was written behind a row with this hash.
    pub fn follows(&self, before: &ChainHash) -> bool {
        self.hash == hash(before, self.id, &self.entry)
    }
}

/// SHA-256 of: the 32 bytes of the hash before; the id and the instant in microseconds since 1970, eight bytes each, most
/// significant first; then actor, action, subject and detail in UTF-8, each behind its length in eight such bytes.
fn hash(before: &ChainHash, id: i64, entry: &AuditEntry) -> ChainHash {
    let AuditEntry { at, actor, action, subject, detail } = entry;
    let mut digest = Sha256::new()
        .chain_update(before.0)
        .chain_update(id.to_be_bytes())
        .chain_update(at.timestamp_micros().to_be_bytes());
    for text in [actor.as_str(), action.as_str(), subject, detail] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    ChainHash(digest.finalize().into())
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(subject: &str, detail: &str) -> AuditEntry {
        AuditEntry {
            at: Instant::from_timestamp_micros(1_763_640_000_000_001).unwrap(),
            actor: Actor::new("anna@example.com"),
            action: Action::AccountCreated,
            subject: subject.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// Reckoned by Python's hashlib from the description above.
    #[test]
    fn the_hash_is_as_it_is_documented() {
        let first = AuditRow::following(None, entry("account/7", r#"{"role":"analyst"}"#));
        let second = AuditRow::following(Some((first.id, first.hash)), entry("account/8", "{}"));
        assert_eq!((first.id, second.id), (1, 2));
        assert_eq!(first.hash.to_string(), "2b6ba25a8306abc3e3b436211d94ae067d9a1e57e4adba460f56ad81c231bb99");
        assert_eq!(second.hash.to_string(), "a5b9ef04850fa2fb90fc36883c543fefca0c98e2817a0dcfe1025318355046bd");
    }

    #[test]
    fn whatever_is_changed_in_a_row_shows() {
        let row = AuditRow::following(None, entry("account/7", "{}"));
        assert!(row.follows(&ChainHash::START) && !row.follows(&row.hash));
        let with = |change: fn(&mut AuditRow)| {
            let mut changed = row.clone();
            change(&mut changed);
            changed
        };
        for changed in [
            with(|row| row.id = 2),
            with(|row| row.entry.at += chrono::TimeDelta::microseconds(1)),
            with(|row| row.entry.actor = Actor::new("ivan@example.com")),
            with(|row| row.entry.action = Action::AccountDeleted),
            with(|row| row.entry.subject = "account/8".to_owned()),
            with(|row| row.entry.detail = "{ }".to_owned()),
            // A letter that moves from one text to the next.
            with(|row| (row.entry.subject, row.entry.detail) = ("account/7{".to_owned(), "}".to_owned())),
            with(|row| row.hash = ChainHash::START),
        ] {
            assert!(!changed.follows(&ChainHash::START), "{changed:?}");
        }
    }

    #[test]
    fn hashes_and_actions_are_read_as_they_are_written() {
        let hash = AuditRow::following(None, entry("account/7", "{}")).hash;
        assert_eq!(ChainHash::parse(&hash.to_string()), Some(hash));
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"F".repeat(64), &"я".repeat(32)] {
            assert_eq!(ChainHash::parse(text), None, "{text}");
        }
        assert!(Action::ALL.iter().all(|action| Action::parse(action.as_str()) == Some(*action)));
        assert_eq!(Action::parse("account"), None);
    }
}
