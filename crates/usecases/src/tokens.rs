//! API tokens: made and shown once, listed, revoked, recognized.

use chrono::TimeDelta;
use domain::{Action, ApiToken, Caller, Permission, Scope, Secret, SecretKind, SegmentPrefix, TokenId, TokenName};
use serde_json::json;

use crate::{
    Act, App, Error, Look, Subject, audit,
    memberships::Deadline,
    ports::StoreError,
    sessions::{self, Recognized},
};

/// How exactly it is known when a token was used last.
pub const USE_NOTED_EVERY_S: i64 = 60;

pub struct CreateToken {
    pub name: TokenName,
    /// In their order, each once, at least one.
    pub scopes: Vec<Scope>,
    pub prefix: Option<SegmentPrefix>,
    pub deadline: Option<Deadline>,
}

/// Makes a token. Its secret is told here and never again.
pub fn create(act: &mut Act, command: CreateToken) -> Result<(ApiToken, Secret), Error> {
    act.caller.require(Permission::ManageTokens)?;
    let now = act.now();
    let CreateToken { name, scopes, prefix, deadline } = command;
    let expires_at = deadline.map(|deadline| deadline.instant(now));
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("/expires_at", "in_the_past", "the deadline is not in the future"));
    }
    let secret = sessions::draw(act.chance, SecretKind::ApiToken);
    let token = ApiToken {
        id: TokenId(0),
        name,
        hash: secret.hash(),
        scopes,
        prefix,
        created_by: act.caller.actor().clone(),
        created_at: now,
        expires_at,
        revoked_at: None,
        used_at: None,
    };
    let taken = |error| match error {
        StoreError::Duplicate => Error::Taken(Subject::Token, token.name.to_string()),
        other => other.into(),
    };
    let id = act.unit.tokens().insert(&token).map_err(taken)?;
    let token = ApiToken { id, ..token };
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let prefix = token.prefix.as_ref().map(SegmentPrefix::as_str);
    let ends = token.expires_at.map(|at| at.to_rfc3339());
    let detail = json!({"name": token.name.as_str(), "scopes": scopes, "prefix": prefix, "expires_at": ends});
    audit::note(act, now, Action::TokenCreated, subject(id), detail)?;
    Ok((token, secret))
}

pub fn get(look: &mut Look, id: TokenId) -> Result<ApiToken, Error> {
    look.caller.require(Permission::ManageTokens)?;
    look.unit.tokens().find(id)?.ok_or_else(|| unknown(id))
}

pub fn list(look: &mut Look, after: Option<TokenId>, limit: usize) -> Result<Vec<ApiToken>, Error> {
    look.caller.require(Permission::ManageTokens)?;
    Ok(look.unit.tokens().list(after, limit)?)
}

pub fn count(look: &mut Look) -> Result<u64, Error> {
    look.caller.require(Permission::ManageTokens)?;
    Ok(look.unit.tokens().count()?)
}

/// From now on nobody gets in with it. One that is revoked already is no failure.
pub fn revoke(act: &mut Act, id: TokenId) -> Result<(), Error> {
    act.caller.require(Permission::ManageTokens)?;
    let now = act.now();
    let token = act.unit.tokens().find(id)?.ok_or_else(|| unknown(id))?;
    if act.unit.tokens().revoke(id, now)? {
        audit::note(act, now, Action::TokenRevoked, subject(id), json!({"name": token.name.as_str()}))?;
    }
    Ok(())
}

/// Whose token this is, if it is good.
pub(crate) fn recognize(app: &App, text: &str) -> Result<Option<Recognized>, Error> {
    // A mistyped one is known by its checksum.
    let Some(secret) = Secret::parse(SecretKind::ApiToken, text) else { return Ok(None) };
    let service = Caller::service("strata");
    let found = app.look(&service, |look| {
        let found = look.unit.tokens().find_hash(&secret.hash())?;
        Ok(found.filter(|token| token.is_good_at(look.now)))
    })?;
    Ok(found.map(|token| Recognized { caller: Caller::token(&token), session: None, ends_at: token.expires_at }))
}

/// Notes that a token was used, unless that was noted within the last minute. Nobody who uses it has to wait for that.
pub fn note_use(app: &App, id: TokenId) -> Result<(), Error> {
    app.act(&Caller::service("strata"), |act| {
        let now = act.now();
        let Some(token) = act.unit.tokens().find(id)? else { return Ok(()) };
        if token.used_at.is_none_or(|used_at| now - used_at >= TimeDelta::seconds(USE_NOTED_EVERY_S)) {
            act.unit.tokens().note_use(id, now)?;
        }
        Ok(())
    })
}

fn subject(id: TokenId) -> String {
    format!("token/{id}")
}

fn unknown(id: TokenId) -> Error {
    Error::NotFound(Subject::Token, vec![id.to_string()])
}
