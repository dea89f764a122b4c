//! API tokens: what services sign in with.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Actor, Instant, Scope, SegmentPrefix};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub i64);

/// What is kept of an API token: enough to recognize it, and not to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: TokenName,
    pub hash: SecretHash,
    /// In the order of scopes, each once.
    pub scopes: Vec<Scope>,
    pub prefix: Option<SegmentPrefix>,
    pub created_by: Actor,
    pub created_at: Instant,
    /// Not good from this instant on; always good when absent.
    pub expires_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    /// Exact to a minute or so.
    pub used_at: Option<Instant>,
}

impl ApiToken {
    pub fn is_good_at(&self, at: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }

    pub fn actor(&self) -> Actor {
        Actor::new(format!("token:{}", self.name))
    }
}

/// What people call a token: 1 to 100 characters without white space or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenName(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a token's name has 1 to {max} characters without white space or control characters", max = TokenName::CHARS_MAX)]
pub struct TokenNameError;

impl TokenName {
    pub const CHARS_MAX: usize = 100;

    pub fn parse(text: &str) -> Result<TokenName, TokenNameError> {
        let has_blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
        if has_blank || !(1..=TokenName::CHARS_MAX).contains(&text.chars().count()) {
            return Err(TokenNameError);
        }
        Ok(TokenName(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Something that is known to whoever was told it once: a beginning that says what it is, 160 bits of chance, and a checksum,
/// so that it is found where it should not be, and a mistyped one is known without asking the store. Nobody sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What a secret is for. It stands at its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    ApiToken,
    Refresh,
    Session,
    SignInLink,
    /// Of a sign-in by a provider that is under way.
    State,
}

impl SecretKind {
    const ALL: [SecretKind; 5] =
        [SecretKind::ApiToken, SecretKind::Refresh, SecretKind::Session, SecretKind::SignInLink, SecretKind::State];

    fn beginning(self) -> &'static str {
        match self {
            SecretKind::ApiToken => "strata_",
            SecretKind::Refresh => "stratar_",
            SecretKind::Session => "stratas_",
            SecretKind::SignInLink => "stratal_",
            SecretKind::State => "stratap_",
        }
    }
}

/// SHA-256 of a secret, which has too much chance in it to be guessed from that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretHash(String);

impl Secret {
    const RANDOM_BYTES: usize = 20;
    const CHECKSUM_DIGITS: usize = 8;

    /// Made of chance that the caller drew.
    pub fn new(kind: SecretKind, chance: [u8; Secret::RANDOM_BYTES]) -> Secret {
        let mut text = kind.beginning().to_owned();
        text.extend(chance.iter().map(|byte| format!("{byte:02x}")));
        let checksum = checksum(&text);
        Secret(text + &checksum)
    }

    /// One of this kind, as it was told, unless it was mistyped.
    pub fn parse(kind: SecretKind, text: &str) -> Option<Secret> {
        let rest = text.strip_prefix(kind.beginning())?;
        let is_long = rest.len() == 2 * Secret::RANDOM_BYTES + Secret::CHECKSUM_DIGITS;
        if !is_long || !rest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            return None;
        }
        let (body, given) = text.split_at(text.len() - Secret::CHECKSUM_DIGITS);
        (checksum(body) == given).then(|| Secret(text.to_owned()))
    }

    /// What a text says of itself that it is.
    pub fn kind_of(text: &str) -> Option<SecretKind> {
        SecretKind::ALL.into_iter().find(|kind| text.starts_with(kind.beginning()))
    }

    /// To be told once, and not kept.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash(hexadecimal(&Sha256::digest(&self.0)))
    }
}

fn checksum(text: &str) -> String {
    hexadecimal(&Sha256::digest(text)[..Secret::CHECKSUM_DIGITS / 2])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl SecretHash {
    /// As it is kept.
    pub fn new(text: impl Into<String>) -> SecretHash {
        SecretHash(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn token(scopes: &[Scope], prefix: Option<&str>) -> ApiToken {
        ApiToken {
            id: TokenId(3),
            name: TokenName::parse("shop").unwrap(),
            hash: Secret::new(SecretKind::ApiToken, [7; 20]).hash(),
            scopes: scopes.to_vec(),
            prefix: prefix.map(|prefix| SegmentPrefix::parse(prefix).unwrap()),
            created_by: Actor::new("anna"),
            created_at: at(0),
            expires_at: None,
            revoked_at: None,
            used_at: None,
        }
    }

    fn at(second: i64) -> Instant {
        Instant::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_token_is_good_until_it_ends_or_is_revoked() {
        let open = token(&[Scope::Read], None);
        assert!(open.is_good_at(at(1_000_000)));
        let ending = ApiToken { expires_at: Some(at(10)), ..open.clone() };
        assert!(ending.is_good_at(at(9)) && !ending.is_good_at(at(10)));
        assert!(!ApiToken { revoked_at: Some(at(10)), ..open }.is_good_at(at(5)));
    }

    #[test]
    fn a_secret_is_read_as_it_was_told_and_no_other_way() {
        let secret = Secret::new(SecretKind::ApiToken, [0xab; 20]);
        let text = secret.reveal();
        assert!(text.starts_with("strata_abab") && text.len() == "strata_".len() + 48);
        assert_eq!(Secret::parse(SecretKind::ApiToken, text), Some(secret.clone()));
        assert_eq!(Secret::parse(SecretKind::Refresh, text), None);
        let mistyped = text.replacen("ab", "ac", 1);
        let upper = text.to_uppercase();
        for other in ["", "strata_", &mistyped, &upper, &text[..text.len() - 1], &format!("{text}0")] {
            assert_eq!(Secret::parse(SecretKind::ApiToken, other), None, "{other}");
        }
        assert_eq!(secret.hash().as_str().len(), 64);
        assert!(!format!("{secret:?}").contains("ab"));
    }

    #[test]
    fn kinds_of_secrets_are_told_apart_by_their_beginning() {
        for kind in SecretKind::ALL {
            let text = Secret::new(kind, [1; 20]).reveal().to_owned();
            assert_eq!(Secret::kind_of(&text), Some(kind));
            let read = SecretKind::ALL.into_iter().filter(|other| Secret::parse(*other, &text).is_some());
            assert_eq!(read.collect::<Vec<_>>(), [kind]);
        }
        assert_eq!(Secret::kind_of("eyJhbGciOi"), None);
    }

    #[test]
    fn names_have_no_blanks() {
        assert!(TokenName::parse("магазин-1").is_ok());
        for text in ["", "a b", "\n", &"a".repeat(101)] {
            assert_eq!(TokenName::parse(text), Err(TokenNameError), "{text:?}");
        }
    }
}
