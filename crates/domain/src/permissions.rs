//! Permissions: who may do what. This table is the only one; every entrance goes by it.

use std::fmt;

use thiserror::Error;

use crate::{Account, AccountId, Actor, ApiToken, Instant, Role, Slug, TokenId};

/// What somebody may be allowed to do. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See segments, their sizes, members and history, and who is in what.
    ReadSegments,
    /// See names, e-mail addresses and attributes of users.
    ReadPersons,
    /// Put single users into segments and take them out.
    Assign,
    /// Make, change, distribute, move and delete segments; make and change users; import.
    Manage,
    /// Take data out as files and reports.
    Export,
    /// Hand out all that is kept of a user, and erase it.
    FulfilRights,
    /// See everybody's jobs, forget the beginning of history, delete stale segments.
    Operate,
    ManageAccounts,
    ManageTokens,
    ReadAudit,
}

use Permission::{
    Assign, Export, FulfilRights, Manage, ManageAccounts, ManageTokens, Operate, ReadAudit, ReadPersons, ReadSegments,
};

impl Permission {
    pub const ALL: [Permission; 10] = [
        ReadSegments,
        ReadPersons,
        Assign,
        Manage,
        Export,
        FulfilRights,
        Operate,
        ManageAccounts,
        ManageTokens,
        ReadAudit,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ReadSegments => "segments.read",
            ReadPersons => "persons.read",
            Assign => "memberships.assign",
            Manage => "segments.manage",
            Export => "data.export",
            FulfilRights => "persons.rights",
            Operate => "service.operate",
            ManageAccounts => "accounts.manage",
            ManageTokens => "tokens.manage",
            ReadAudit => "audit.read",
        }
    }

    pub fn parse(text: &str) -> Option<Permission> {
        Permission::ALL.into_iter().find(|permission| permission.as_str() == text)
    }
}

/// What each role may do. A viewer sees persons only when that was granted to the account.
pub fn of_role(role: Role) -> &'static [Permission] {
    match role {
        Role::Viewer => &[ReadSegments],
        Role::Analyst => &[ReadSegments, ReadPersons, Assign, Manage, Export],
        Role::Administrator => &Permission::ALL,
    }
}

/// What an API token is for. Several add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Read,
    Assign,
    Manage,
    /// Names, e-mail addresses and attributes of users.
    Persons,
}

impl Scope {
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Assign, Scope::Manage, Scope::Persons];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Assign => "assign",
            Scope::Manage => "manage",
            Scope::Persons => "persons",
        }
    }

    pub fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Scope::Read => &[ReadSegments],
            Scope::Assign => &[Assign],
            Scope::Manage => &[ReadSegments, Manage, Export],
            Scope::Persons => &[ReadPersons],
        }
    }
}

/// The beginning of the slugs that somebody is confined to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SegmentPrefix(String);

impl SegmentPrefix {
    /// What begins a slug is a slug, but for words that are reserved.
    pub fn parse(text: &str) -> Result<SegmentPrefix, PrefixError> {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && text.len() <= Slug::CHARS_MAX && text.chars().all(Slug::may_hold) {
            Ok(SegmentPrefix(text.to_owned()))
        } else {
            Err(PrefixError(text.chars().take(64).collect()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn takes(&self, slug: &Slug) -> bool {
        slug.as_str().starts_with(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` begins no segment slug: 1 to 255 of A-Z, a-z, 0-9, _ and -, the first a letter or digit", .0.escape_debug())]
pub struct PrefixError(String);

/// Who asks, and what that one may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    actor: Actor,
    pub who: Who,
    permissions: Permissions,
    prefix: Option<SegmentPrefix>,
    /// Nothing that is older belongs to this one, whoever had the name before.
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The service itself: its worker, and the operator at its command line.
    Service,
    /// Anybody at all, where nobody has to sign in.
    Anybody,
    Account(AccountId, Role),
    Token(TokenId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Permissions(u16);

impl Permissions {
    fn of(each: impl IntoIterator<Item = Permission>) -> Permissions {
        Permissions(each.into_iter().fold(0, |all, one| all | 1 << one as u16))
    }

    fn has(self, one: Permission) -> bool {
        self.0 & 1 << one as u16 != 0
    }
}

/// Somebody was not allowed to do something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("this needs the permission `{0}`, which {1} does not have")]
    Permission(Permission, Actor),
    #[error("{1} is confined to segments that begin with `{0}`")]
    Confined(String, Actor),
}

impl Caller {
    /// A part of the service, which does what it has to.
    pub fn service(name: impl Into<String>) -> Caller {
        Caller::unbounded(Who::Service, Actor::new(name))
    }

    /// Anybody, where nobody has to sign in.
    pub fn anybody() -> Caller {
        Caller::unbounded(Who::Anybody, Actor::new("api"))
    }

    fn unbounded(who: Who, actor: Actor) -> Caller {
        let permissions = Permissions::of(Permission::ALL);
        Caller { actor, who, permissions, prefix: None, since: Instant::UNIX_EPOCH }
    }

    pub fn account(account: &Account) -> Caller {
        let granted = account.sees_persons.then_some(ReadPersons);
        Caller {
            actor: Actor::new(account.login.as_str()),
            who: Who::Account(account.id, account.role),
            permissions: Permissions::of(of_role(account.role).iter().copied().chain(granted)),
            prefix: None,
            since: account.created_at,
        }
    }

    pub fn token(token: &ApiToken) -> Caller {
        Caller {
            actor: token.actor(),
            who: Who::Token(token.id),
            permissions: Permissions::of(token.scopes.iter().flat_map(|scope| scope.permissions()).copied()),
            prefix: token.prefix.clone(),
            since: token.created_at,
        }
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub fn prefix(&self) -> Option<&SegmentPrefix> {
        self.prefix.as_ref()
    }

    pub fn account_id(&self) -> Option<AccountId> {
        match self.who {
            Who::Account(id, _) => Some(id),
            Who::Service | Who::Anybody | Who::Token(_) => None,
        }
    }

    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(|permission| self.has(*permission))
    }

    /// To do something that goes beyond single segments.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        self.require_partly(permission)?;
        match &self.prefix {
            Some(prefix) => Err(Forbidden::Confined(prefix.0.clone(), self.actor.clone())),
            None => Ok(()),
        }
    }

    /// To do something with these segments and no other.
    pub fn require_in<'s>(
        &self,
        permission: Permission,
        slugs: impl IntoIterator<Item = &'s Slug>,
    ) -> Result<(), Forbidden> {
        self.require_partly(permission)?;
        match &self.prefix {
            Some(prefix) if slugs.into_iter().any(|slug| !prefix.takes(slug)) => {
                Err(Forbidden::Confined(prefix.0.clone(), self.actor.clone()))
            }
            _ => Ok(()),
        }
    }

    /// To do something of which only what [`Caller::sees`] is told.
    pub fn require_partly(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.has(permission) { Ok(()) } else { Err(Forbidden::Permission(permission, self.actor.clone())) }
    }

    pub fn sees(&self, slug: &Slug) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| prefix.takes(slug))
    }

    /// Whether what this actor did at that time is the caller's own.
    pub fn owns(&self, actor: &Actor, at: Instant) -> bool {
        *actor == self.actor && at >= self.since
    }

    /// Whose things are the caller's own, and since when.
    pub fn own(&self) -> (&Actor, Instant) {
        (&self.actor, self.since)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Login, accounts::tests::account, tokens::tests::token};

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    #[test]
    fn each_role_may_do_what_the_lesser_ones_may() {
        for pair in Role::ALL.windows(2) {
            let (lesser, greater) = (of_role(pair[0]), of_role(pair[1]));
            assert!(lesser.iter().all(|permission| greater.contains(permission)), "{pair:?}");
        }
        assert_eq!(of_role(Role::Administrator).len(), Permission::ALL.len());
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Permission::ALL.iter().all(|one| Permission::parse(one.as_str()) == Some(*one)));
        assert!(Scope::ALL.iter().all(|one| Scope::parse(one.as_str()) == Some(*one)));
        assert!(Permission::ALL.is_sorted() && Scope::ALL.is_sorted());
    }

    #[test]
    fn no_scope_of_a_token_reaches_people_who_sign_in() {
        let all = Scope::ALL.iter().flat_map(|scope| scope.permissions());
        assert!(!all.clone().any(|one| [ManageAccounts, ManageTokens, ReadAudit, FulfilRights, Operate].contains(one)));
    }

    #[test]
    fn a_viewer_sees_persons_when_that_was_granted() {
        let plain = account("anna", Role::Viewer);
        assert!(!Caller::account(&plain).has(ReadPersons));
        let granted = Account { sees_persons: true, ..plain };
        let caller = Caller::account(&granted);
        assert!(caller.has(ReadPersons) && caller.has(ReadSegments) && !caller.has(Assign));
        assert_eq!(caller.permissions().count(), 2);
    }

    #[test]
    fn who_is_confined_does_nothing_beyond() {
        let confined = token(&[Scope::Read, Scope::Assign], Some("promo_"));
        let caller = Caller::token(&confined);
        assert!(caller.require_in(Assign, [&slug("promo_1"), &slug("promo_2")]).is_ok());
        assert!(caller.require_in(Assign, [&slug("promo_1"), &slug("VIP")]).is_err());
        assert!(caller.require_in(Manage, [&slug("promo_1")]).is_err());
        assert!(caller.require(ReadSegments).is_err() && caller.require_partly(ReadSegments).is_ok());
        assert!(caller.sees(&slug("promo_1")) && !caller.sees(&slug("Promo_1")));
        let free = Caller::token(&token(&[Scope::Read], None));
        assert!(free.require(ReadSegments).is_ok() && free.sees(&slug("VIP")));
    }

    #[test]
    fn what_a_namesake_did_before_is_not_ones_own() {
        let account = account("anna", Role::Analyst);
        let caller = Caller::account(&account);
        let name = Actor::new("anna");
        assert!(caller.owns(&name, account.created_at));
        assert!(!caller.owns(&name, account.created_at - chrono::TimeDelta::microseconds(1)));
        assert!(!caller.owns(&Actor::new("ivan"), account.created_at));
    }

    #[test]
    fn the_actor_of_an_account_is_its_login() {
        let account = Account { login: Login::parse("Anna@example.com").unwrap(), ..account("x", Role::Viewer) };
        assert_eq!(Caller::account(&account).actor().as_str(), "Anna@example.com");
    }

    #[test]
    fn what_cannot_begin_a_slug_is_no_prefix() {
        assert!(SegmentPrefix::parse("promo_").is_ok() && SegmentPrefix::parse("ALL").is_ok());
        for text in ["", "_a", "a b", "a%", "ю", &"a".repeat(256)] {
            assert!(SegmentPrefix::parse(text).is_err(), "{text}");
        }
    }
}
