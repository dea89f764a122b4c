//! Accounts: made, changed, disabled, deleted. Each change is noted in the audit log, where an account's history is read.

use chrono::TimeDelta;
use domain::{
    Account, AccountId, Action, AuditRow, Caller, Identity, Login, Password, PasswordHash, Permission, Role, Secret,
    SecretKind, SessionId,
};
use serde_json::{Value, json};

use crate::{
    Act, App, Error, Expected, Look, Revision, Subject, audit, passwords,
    ports::{AccountQuery, AuditQuery, Hold, Locks, StoreError},
    sessions,
};

/// How long a one-time link to sign in holds.
pub const LINK_HOURS: i64 = 24;
/// What the first account is called.
const FIRST: &str = "administrator";

pub struct CreateAccount {
    pub login: Login,
    pub role: Role,
    pub sees_persons: bool,
    /// Without one it signs in by other means.
    pub password: Option<PasswordHash>,
}

pub fn create(act: &mut Act, command: CreateAccount) -> Result<Account, Error> {
    act.caller.require(Permission::ManageAccounts)?;
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    create_locked(act, command)
}

/// Makes the administrator of a store that has no accounts, and a link to sign in with, which holds once. Of several nodes
/// that start at once one makes it.
pub fn create_first(act: &mut Act) -> Result<Option<(Account, Secret)>, Error> {
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    if act.unit.accounts().count(&AccountQuery::default())? > 0 {
        return Ok(None);
    }
    let login = Login::parse(FIRST).expect("a word is a login");
    let command = CreateAccount { login, role: Role::Administrator, sees_persons: false, password: None };
    let account = create_locked(act, command)?;
    let secret = link_to_sign_in(act, &account)?;
    Ok(Some((account, secret)))
}

/// A link that signs in with the account, once. It does not change the password.
pub fn make_link(act: &mut Act, id: AccountId) -> Result<(Account, Secret), Error> {
    let account = held(act, id, &Expected::Any)?;
    if account.disabled_at.is_some() {
        return Err(Error::Conflict(format!("`{}` is disabled", account.login)));
    }
    let secret = link_to_sign_in(act, &account)?;
    Ok((account, secret))
}

fn link_to_sign_in(act: &mut Act, account: &Account) -> Result<Secret, Error> {
    let secret = sessions::draw(act.chance, SecretKind::SignInLink);
    let expires_at = act.now() + TimeDelta::hours(LINK_HOURS);
    act.unit.sessions().keep_link(&secret.hash(), account.id, expires_at)?;
    note(act, account, Action::LinkMade, json!({}))?;
    Ok(secret)
}

/// The caller has all accounts alone.
pub(crate) fn create_locked(act: &mut Act, command: CreateAccount) -> Result<Account, Error> {
    let now = act.now();
    let CreateAccount { login, role, sees_persons, password } = command;
    if act.unit.accounts().find_login(&login)?.is_some() {
        return Err(Error::Taken(Subject::Account, login.to_string()));
    }
    let id = AccountId(0);
    let account = Account {
        id,
        login,
        role,
        sees_persons,
        password,
        disabled_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let id = act.unit.accounts().insert(&account)?;
    let account = Account { id, ..account };
    let mut detail = json!({"login": account.login.as_str(), "role": role.as_str()});
    if account.sees_persons {
        detail["sees_persons"] = json!(true);
    }
    note(act, &account, Action::AccountCreated, detail)?;
    Ok(account)
}

/// Anybody's for who manages accounts, or else the caller's own: others are not told from those that there are not.
pub fn get(look: &mut Look, id: AccountId) -> Result<Account, Error> {
    require_known(look.caller, id)?;
    look.unit.accounts().find(id)?.ok_or_else(|| unknown(id))
}

/// The account that asks.
pub fn own(look: &mut Look) -> Result<Account, Error> {
    let id = look.caller.account_id().ok_or_else(|| unknown_caller(look.caller))?;
    look.unit.accounts().find(id)?.ok_or_else(|| unknown(id))
}

pub fn identities(look: &mut Look, id: AccountId) -> Result<Vec<Identity>, Error> {
    get(look, id)?;
    Ok(look.unit.accounts().identities(id)?)
}

fn require_known(caller: &Caller, id: AccountId) -> Result<(), Error> {
    if caller.account_id() == Some(id) || caller.has(Permission::ManageAccounts) { Ok(()) } else { Err(unknown(id)) }
}

fn unknown_caller(caller: &Caller) -> Error {
    Error::NotFound(Subject::Account, vec![caller.actor().to_string()])
}

pub fn find(look: &mut Look, login: &Login) -> Result<Account, Error> {
    look.caller.require(Permission::ManageAccounts)?;
    let found = look.unit.accounts().find_login(login)?;
    found.ok_or_else(|| Error::NotFound(Subject::Account, vec![login.to_string()]))
}

pub fn list(look: &mut Look, query: &AccountQuery, limit: usize) -> Result<Vec<Account>, Error> {
    look.caller.require(Permission::ManageAccounts)?;
    Ok(look.unit.accounts().list(query, limit)?)
}

pub fn count(look: &mut Look, query: &AccountQuery) -> Result<u64, Error> {
    look.caller.require(Permission::ManageAccounts)?;
    Ok(look.unit.accounts().count(query)?)
}

/// What was done to an account, also to one that is deleted: at most `limit` rows behind `after`.
pub fn history(look: &mut Look, id: AccountId, after: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, Error> {
    look.caller.require(Permission::ManageAccounts)?;
    let query = AuditQuery { subject: Some(subject(id)), after, ..AuditQuery::default() };
    Ok(look.unit.audit().list(&query, limit)?)
}

/// What to change: `None` leaves as it is.
#[derive(Default)]
pub struct ChangeAccount {
    pub role: Option<Role>,
    pub sees_persons: Option<bool>,
    pub disabled: Option<bool>,
}

/// The last administrator who may sign in keeps the role, and is not disabled.
pub fn change(act: &mut Act, id: AccountId, expected: &Expected, command: ChangeAccount) -> Result<Account, Error> {
    let before = held(act, id, expected)?;
    let now = act.now();
    let mut after = before.clone();
    after.role = command.role.unwrap_or(before.role);
    after.sees_persons = command.sees_persons.unwrap_or(before.sees_persons);
    match command.disabled {
        Some(true) => after.disabled_at = before.disabled_at.or(Some(now)),
        Some(false) => after.disabled_at = None,
        None => {}
    }
    if after == before {
        return Ok(before);
    }
    keep_an_administrator(act, &before, Some(&after))?;
    let after = updated(act, after, now)?;
    // Before anything is noted: whoever ends a session notes that afterwards too.
    if after.disabled_at.is_some() {
        act.unit.sessions().end_all(id, None, now)?;
    }
    let mut changed = serde_json::Map::new();
    if after.role != before.role {
        changed.insert("role".to_owned(), json!({"from": before.role.as_str(), "to": after.role.as_str()}));
    }
    if after.sees_persons != before.sees_persons {
        let change = json!({"from": before.sees_persons, "to": after.sees_persons});
        changed.insert("sees_persons".to_owned(), change);
    }
    if !changed.is_empty() {
        note(act, &after, Action::AccountChanged, Value::Object(changed))?;
    }
    match (before.disabled_at, after.disabled_at) {
        (None, Some(_)) => note(act, &after, Action::AccountDisabled, json!({}))?,
        (Some(_), None) => note(act, &after, Action::AccountEnabled, json!({}))?,
        _ => {}
    }
    Ok(after)
}

/// Everywhere it is signed out.
pub fn set_password(act: &mut Act, id: AccountId, password: PasswordHash) -> Result<Account, Error> {
    let before = held(act, id, &Expected::Any)?;
    change_password(act, before, password, None)
}

/// Changes the caller's own password: who has one shows it. Every other session ends.
pub fn set_own_password(
    app: &App,
    caller: &Caller,
    session: Option<SessionId>,
    current: Option<&str>,
    password: &Password,
) -> Result<Account, Error> {
    let before = app.look(caller, own)?;
    if let Some(kept) = &before.password {
        let shown = current.is_some_and(|current| passwords::is_right(kept, current));
        if !shown {
            app.act(caller, |act| note(act, &before, Action::SessionRefused, json!({"means": "password_change"})))?;
            let detail = "is not the password that the account has";
            return Err(Error::invalid("/current_password", "wrong_password", detail));
        }
    }
    let hash = passwords::hash(&*app.chance, password);
    app.act(caller, |act| {
        act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
        let now = act.unit.accounts().find(before.id)?.ok_or_else(|| unknown(before.id))?;
        if now.password != before.password || now.disabled_at.is_some() {
            return Err(Error::Conflict("the account was changed meanwhile: try again".to_owned()));
        }
        change_password(act, now, hash, session)
    })
}

fn change_password(
    act: &mut Act,
    before: Account,
    password: PasswordHash,
    but: Option<SessionId>,
) -> Result<Account, Error> {
    let now = act.now();
    let after = updated(act, Account { password: Some(password), ..before }, now)?;
    let ended = act.unit.sessions().end_all(after.id, but, now)?;
    note(act, &after, Action::PasswordChanged, json!({"sessions_ended": ended}))?;
    Ok(after)
}

/// Ends all sessions of an account, or the caller's own, and tells how many.
pub fn sign_out(act: &mut Act, id: AccountId) -> Result<u64, Error> {
    require_known(act.caller, id)?;
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    let account = act.unit.accounts().find(id)?.ok_or_else(|| unknown(id))?;
    let now = act.now();
    let ended = act.unit.sessions().end_all(id, None, now)?;
    note(act, &account, Action::SessionEnded, json!({"sessions_ended": ended}))?;
    Ok(ended)
}

/// From now on the account signs in as this.
pub fn link(act: &mut Act, id: AccountId, identity: &Identity) -> Result<(), Error> {
    let account = held(act, id, &Expected::Any)?;
    let caller = act.caller;
    link_locked(act, caller, &account, identity)
}

pub(crate) fn link_locked(act: &mut Act, caller: &Caller, account: &Account, identity: &Identity) -> Result<(), Error> {
    let now = act.now();
    if act.unit.accounts().find_identity(identity)?.is_some() {
        return Err(Error::Conflict("that identity is an account's already".to_owned()));
    }
    act.unit.accounts().link(identity, account.id, now)?;
    let detail = sessions::shown(identity, account.id);
    audit::note_by(act, caller, now, Action::IdentityLinked, subject(account.id), detail)
}

/// From now on it does not. The caller may do so with its own.
pub fn unlink(act: &mut Act, id: AccountId, identity: &Identity) -> Result<(), Error> {
    require_known(act.caller, id)?;
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    let account = act.unit.accounts().find(id)?.ok_or_else(|| unknown(id))?;
    if !act.unit.accounts().unlink(identity, id)? {
        return Err(Error::NotFound(Subject::Provider, vec![identity.provider().to_owned()]));
    }
    note(act, &account, Action::IdentityUnlinked, sessions::shown(identity, id))
}

/// The last administrator who may sign in stays.
pub fn delete(act: &mut Act, id: AccountId, expected: &Expected) -> Result<(), Error> {
    let account = held(act, id, expected)?;
    keep_an_administrator(act, &account, None)?;
    let now = act.now();
    act.unit.sessions().end_all(id, None, now)?;
    act.unit.accounts().delete(id)?;
    let detail = json!({"login": account.login.as_str(), "role": account.role.as_str()});
    note(act, &account, Action::AccountDeleted, detail)
}

/// The account, while nobody else changes any.
fn held(act: &mut Act, id: AccountId, expected: &Expected) -> Result<Account, Error> {
    // Who may change none hears of others that they are not there.
    require_known(act.caller, id)?;
    act.caller.require(Permission::ManageAccounts)?;
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    let account = act.unit.accounts().find(id)?.ok_or_else(|| unknown(id))?;
    expected.require(&Revision::from(&account), Subject::Account, &id.to_string())?;
    Ok(account)
}

fn keep_an_administrator(act: &mut Act, before: &Account, after: Option<&Account>) -> Result<(), Error> {
    let stays = after.is_some_and(Account::is_active_administrator);
    if before.is_active_administrator() && !stays && act.unit.accounts().active_administrators()? <= 1 {
        let login = &before.login;
        return Err(Error::Conflict(format!(
            "`{login}` is the last administrator who may sign in: make another one first"
        )));
    }
    Ok(())
}

fn updated(act: &mut Act, account: Account, now: domain::Instant) -> Result<Account, StoreError> {
    let updated_at = now.max(account.updated_at);
    let account = Account { updated_at, version: account.version + 1, ..account };
    act.unit.accounts().update(&account)?;
    Ok(account)
}

fn note(act: &mut Act, account: &Account, action: Action, detail: Value) -> Result<(), Error> {
    let now = act.now();
    audit::note(act, now, action, subject(account.id), detail)
}

fn subject(id: AccountId) -> String {
    format!("account/{id}")
}

fn unknown(id: AccountId) -> Error {
    Error::NotFound(Subject::Account, vec![id.to_string()])
}
