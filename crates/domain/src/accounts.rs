//! Accounts: those who sign in to Strata. They are no users, whom a company segments.

use std::fmt;

use thiserror::Error;

use crate::Instant;

/// Its identity: never given to another, also when the account is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

/// What an account signs in with, an e-mail address or a name: 1 to 254 characters without white space or control characters.
/// It keeps its letters as they were written; their case does not tell one account from another.
#[derive(Debug, Clone)]
pub struct Login(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginError {
    #[error("a login has 1 to {max} characters, this one has {0}", max = Login::CHARS_MAX)]
    Length(usize),
    #[error("`{}` holds white space or a control character, which a login cannot", .0.escape_debug())]
    Blank(String),
    #[error("`{}` is the name of a part of the service, or could be a token's, and cannot be a login", .0.escape_debug())]
    Reserved(String),
}

impl Login {
    pub const CHARS_MAX: usize = 254;
    /// Under these names the service itself acts.
    pub const RESERVED: [&str; 7] = ["api", "demo", "import", "lookups", "operator", "strata", "worker"];

    pub fn parse(text: &str) -> Result<Login, LoginError> {
        let chars = text.chars().count();
        if !(1..=Login::CHARS_MAX).contains(&chars) {
            return Err(LoginError::Length(chars));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(LoginError::Blank(text.to_owned()));
        }
        // A token acts as `token:NAME`, and no address has a colon.
        if text.contains(':') || Login::RESERVED.contains(&text.to_lowercase().as_str()) {
            return Err(LoginError::Reserved(text.to_owned()));
        }
        Ok(Login(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In small letters: two logins are the same when these are.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Login) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Login {}

/// What an account may do, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works with segments and memberships.
    Analyst,
    /// Everything.
    Administrator,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Analyst, Role::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Analyst => "analyst",
            Role::Administrator => "administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A password as somebody typed it. Nobody sees it.
#[derive(Clone)]
pub struct Password(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PasswordError {
    #[error("a password has {min} to {max} characters, this one has {0}", min = Password::CHARS_MIN, max = Password::CHARS_MAX)]
    Length(usize),
    #[error("a password cannot be one character again and again")]
    Repetition,
    #[error("a password cannot hold the login")]
    Login,
}

impl Password {
    /// NIST SP 800-63B asks for 8 where there is a second factor, and for 15 where there is none.
    pub const CHARS_MIN: usize = 15;
    pub const CHARS_MAX: usize = 256;

    /// One that may be chosen for this login.
    pub fn choose(text: &str, login: &Login) -> Result<Password, PasswordError> {
        let chars = text.chars().count();
        if !(Password::CHARS_MIN..=Password::CHARS_MAX).contains(&chars) {
            return Err(PasswordError::Length(chars));
        }
        let first = text.chars().next();
        if text.chars().all(|c| Some(c) == first) {
            return Err(PasswordError::Repetition);
        }
        // A login of a letter or two is in most texts.
        if login.key().chars().count() >= 4 && text.to_lowercase().contains(&login.key()) {
            return Err(PasswordError::Login);
        }
        Ok(Password(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is kept of a password, as a PHC string: enough to recognize it, and not to know it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub fn new(phc: impl Into<String>) -> PasswordHash {
        PasswordHash(phc.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub login: Login,
    pub role: Role,
    /// Whether it sees names, e-mail addresses and attributes of users where its role alone does not.
    pub sees_persons: bool,
    /// Who has none signs in by other means.
    pub password: Option<PasswordHash>,
    /// Since when nobody signs in with it.
    pub disabled_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Account {
    /// Whether it can do what nobody else can when it is the only one.
    pub fn is_active_administrator(&self) -> bool {
        self.role == Role::Administrator && self.disabled_at.is_none()
    }
}

/// Who somebody is to a provider of identities: the provider's name here, and the id that it gives, which no address
/// of theirs changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    provider: String,
    subject: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    #[error("a provider's name has 1 to 32 of a-z, 0-9 and -, not `{}`", .0.escape_debug())]
    Provider(String),
    #[error("a provider's id of somebody has 1 to 255 characters without control characters")]
    Subject,
}

impl Identity {
    pub fn new(provider: &str, subject: &str) -> Result<Identity, IdentityError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&provider.len()) || !provider.chars().all(is_plain) {
            return Err(IdentityError::Provider(provider.chars().take(64).collect()));
        }
        if !(1..=255).contains(&subject.chars().count()) || subject.chars().any(char::is_control) {
            return Err(IdentityError::Subject);
        }
        Ok(Identity { provider: provider.to_owned(), subject: subject.to_owned() })
    }

    pub fn provider(&self) -> &str {
        &self.provider
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn account(name: &str, role: Role) -> Account {
        let at = Instant::from_timestamp(1_000, 0).unwrap();
        Account {
            id: AccountId(7),
            login: login(name),
            role,
            sees_persons: false,
            password: None,
            disabled_at: None,
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    #[test]
    fn identities_are_plain_texts() {
        assert!(Identity::new("yandex", "1130000012345678").is_ok());
        assert!(Identity::new("my-idp2", "auth0|a b").is_ok());
        for (provider, subject) in [("", "1"), ("Yandex", "1"), ("a/b", "1"), ("yandex", ""), ("yandex", "a\n")] {
            assert!(Identity::new(provider, subject).is_err(), "{provider} {subject:?}");
        }
    }

    fn login(text: &str) -> Login {
        Login::parse(text).unwrap()
    }

    #[test]
    fn letter_case_does_not_tell_logins_apart() {
        assert_eq!(login("Анна@Example.com"), login("анна@example.COM"));
        assert_ne!(login("anna"), login("anna2"));
        assert_eq!(login("Anna").as_str(), "Anna");
    }

    #[test]
    fn no_account_passes_for_a_token_or_a_part_of_the_service() {
        for text in ["worker", "Operator", "token:shop", "a:b"] {
            assert!(matches!(Login::parse(text), Err(LoginError::Reserved(_))), "{text}");
        }
        assert!(Login::parse("workers").is_ok());
    }

    #[test]
    fn blanks_and_wrong_lengths_are_no_login() {
        assert_eq!(Login::parse(""), Err(LoginError::Length(0)));
        assert_eq!(Login::parse(&"я".repeat(255)), Err(LoginError::Length(255)));
        assert!(Login::parse(&"я".repeat(254)).is_ok());
        for text in ["a b", " ", "a\u{0}", "a\u{a0}b", "\n"] {
            assert!(matches!(Login::parse(text), Err(LoginError::Blank(_))), "{text:?}");
        }
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        assert!(Role::ALL.iter().all(|role| Role::parse(role.as_str()) == Some(*role)));
        assert_eq!(Role::parse("Administrator"), None);
        assert!(Role::ALL.is_sorted());
    }

    #[test]
    fn weak_passwords_are_refused() {
        let chosen = |text: &str| Password::choose(text, &login("Anna")).map(drop);
        assert_eq!(chosen("fourteen chars"), Err(PasswordError::Length(14)));
        assert_eq!(chosen(&"й".repeat(257)), Err(PasswordError::Length(257)));
        assert_eq!(chosen("aaaaaaaaaaaaaaaaaaaa"), Err(PasswordError::Repetition));
        assert_eq!(chosen("this is ANNA's own password"), Err(PasswordError::Login));
        assert_eq!(chosen("пятнадцать букв"), Ok(()));
        assert!(Password::choose("a long enough password", &login("a")).is_ok());
    }

    #[test]
    fn passwords_are_not_shown() {
        let password = Password::choose("correct horse battery", &login("anna")).unwrap();
        let shown = format!("{password:?} {:?}", PasswordHash::new("$argon2id$v=19$secret"));
        assert!(!shown.contains("horse") && !shown.contains("secret"), "{shown}");
    }
}
