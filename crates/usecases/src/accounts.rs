//! Accounts: made, changed, disabled, deleted. Each change is noted in the audit log, where an account's history is read.

use domain::{Account, AccountId, Action, AuditRow, Login, PasswordHash, Role};
use serde_json::{Value, json};

use crate::{
    Act, Error, Expected, Look, Revision, Subject, audit,
    ports::{AccountQuery, AuditQuery, Hold, Locks, StoreError},
};

pub struct CreateAccount {
    pub login: Login,
    pub role: Role,
    /// Without one it signs in by other means.
    pub password: Option<PasswordHash>,
}

pub fn create(act: &mut Act, command: CreateAccount) -> Result<Account, Error> {
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    let now = act.now();
    let CreateAccount { login, role, password } = command;
    if act.unit.accounts().find_login(&login)?.is_some() {
        return Err(Error::Taken(Subject::Account, login.to_string()));
    }
    let id = AccountId(0);
    let account =
        Account { id, login, role, password, disabled_at: None, created_at: now, updated_at: now, version: 1 };
    let id = act.unit.accounts().insert(&account)?;
    let account = Account { id, ..account };
    note(act, &account, Action::AccountCreated, json!({"login": account.login.as_str(), "role": role.as_str()}))?;
    Ok(account)
}

pub fn get(look: &mut Look, id: AccountId) -> Result<Account, Error> {
    look.unit.accounts().find(id)?.ok_or_else(|| unknown(id))
}

pub fn find(look: &mut Look, login: &Login) -> Result<Account, Error> {
    let found = look.unit.accounts().find_login(login)?;
    found.ok_or_else(|| Error::NotFound(Subject::Account, vec![login.to_string()]))
}

pub fn list(look: &mut Look, query: &AccountQuery, limit: usize) -> Result<Vec<Account>, Error> {
    Ok(look.unit.accounts().list(query, limit)?)
}

pub fn count(look: &mut Look, query: &AccountQuery) -> Result<u64, Error> {
    Ok(look.unit.accounts().count(query)?)
}

/// What was done to an account, also to one that is deleted: at most `limit` rows behind `after`.
pub fn history(look: &mut Look, id: AccountId, after: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, Error> {
    audit::list(look, &AuditQuery { subject: Some(subject(id)), after, ..AuditQuery::default() }, limit)
}

/// What to change: `None` leaves as it is.
#[derive(Default)]
pub struct ChangeAccount {
    pub role: Option<Role>,
    pub disabled: Option<bool>,
}

/// The last administrator who may sign in keeps the role, and is not disabled.
pub fn change(act: &mut Act, id: AccountId, expected: &Expected, command: ChangeAccount) -> Result<Account, Error> {
    let before = held(act, id, expected)?;
    let now = act.now();
    let mut after = before.clone();
    after.role = command.role.unwrap_or(before.role);
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
    if after.role != before.role {
        let detail = json!({"role": {"from": before.role.as_str(), "to": after.role.as_str()}});
        note(act, &after, Action::AccountChanged, detail)?;
    }
    match (before.disabled_at, after.disabled_at) {
        (None, Some(_)) => note(act, &after, Action::AccountDisabled, json!({}))?,
        (Some(_), None) => note(act, &after, Action::AccountEnabled, json!({}))?,
        _ => {}
    }
    Ok(after)
}

pub fn set_password(act: &mut Act, id: AccountId, password: PasswordHash) -> Result<Account, Error> {
    let before = held(act, id, &Expected::Any)?;
    let now = act.now();
    let after = updated(act, Account { password: Some(password), ..before }, now)?;
    note(act, &after, Action::PasswordChanged, json!({}))?;
    Ok(after)
}

/// The last administrator who may sign in stays.
pub fn delete(act: &mut Act, id: AccountId, expected: &Expected) -> Result<(), Error> {
    let account = held(act, id, expected)?;
    keep_an_administrator(act, &account, None)?;
    act.unit.accounts().delete(id)?;
    let detail = json!({"login": account.login.as_str(), "role": account.role.as_str()});
    note(act, &account, Action::AccountDeleted, detail)
}

/// The account, while nobody else changes any.
fn held(act: &mut Act, id: AccountId, expected: &Expected) -> Result<Account, Error> {
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
