//! Sessions: signing in, going on, signing out; and telling who it is that asks.

use chrono::TimeDelta;
use domain::{
    Account, AccountId, Action, Caller, Identity, Instant, Login, Secret, SecretKind, Session, SessionId, SessionKind,
};
use serde_json::{Value, json};

use crate::{
    Act, App, Error, Look, audit, passwords,
    ports::{Chance, Hold, Locks},
    signatures, tokens,
};

/// How long a browser stays signed in.
pub const BROWSER_HOURS: i64 = 12;
/// How long after its last use a refresh token holds.
pub const REFRESH_DAYS: i64 = 30;
/// How long a session goes on at most, however often it is renewed.
pub const SESSION_DAYS_MAX: i64 = 90;
/// How many sessions an account has at once.
pub const SESSIONS_MAX: usize = 100;
/// How long sessions that are over are kept: so long a refresh token that is used again is known.
const KEPT_DAYS: i64 = 30;

/// Somebody who signed in, and what carries the session on.
pub struct Begun {
    pub account: Account,
    pub session: Session,
    pub secret: Secret,
}

/// Who asks, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognized {
    pub caller: Caller,
    pub session: Option<SessionId>,
    /// Until when what was shown holds, whatever else happens.
    pub ends_at: Option<Instant>,
}

/// A pair of tokens, as RFC 6749 has them.
pub struct Tokens {
    pub access: String,
    pub refresh: Secret,
    pub session: Session,
}

fn wrong() -> Error {
    Error::Unauthenticated("the login or the password is wrong".to_owned())
}

/// Signs in with a password. Takes as long, and says the same, whether there is such an account, whether it has a password
/// and whether it is disabled.
pub fn sign_in(app: &App, login: &str, password: &str, kind: SessionKind) -> Result<Begun, Error> {
    let service = Caller::service("strata");
    let login = Login::parse(login).ok();
    let found = match &login {
        Some(login) => app.look(&service, |look| Ok(look.unit.accounts().find_login(login)?))?,
        None => None,
    };
    let hash = found.as_ref().and_then(|account| account.password.as_ref());
    let is_right = passwords::is_right_or_nobodys(hash, password);
    let proven = found.as_ref().filter(|account| is_right && account.disabled_at.is_none());
    let Some(proven) = proven else {
        let subject = found.map_or("sign_in".to_owned(), |account| format!("account/{}", account.id));
        app.act(&service, |act| note(act, Action::SessionRefused, subject, json!({"means": "password"})))?;
        return Err(wrong());
    };
    app.act(&Caller::account(proven), |act| {
        act.unit.lock(&Locks::new().accounts(Hold::Shared))?;
        let account = act.unit.accounts().find(proven.id)?.ok_or_else(wrong)?;
        // It may have been changed while the password was tried.
        if account.disabled_at.is_some() || account.password != proven.password {
            return Err(wrong());
        }
        begin(act, account, kind, "password")
    })
}

/// Signs in with a link that holds once.
pub fn sign_in_by_link(app: &App, code: &str) -> Result<Begun, Error> {
    let refused = || Error::Unauthenticated("the link was used before, has ended, or never was".to_owned());
    let secret = Secret::parse(SecretKind::SignInLink, code).ok_or_else(refused)?;
    let begun = app.act(&Caller::service("strata"), |act| {
        act.unit.lock(&Locks::new().accounts(Hold::Shared))?;
        let now = act.now();
        let Some((id, expires_at)) = act.unit.sessions().take_link(&secret.hash())? else { return Ok(None) };
        let account = act.unit.accounts().find(id)?.filter(|account| account.disabled_at.is_none());
        match account.filter(|_| now < expires_at) {
            Some(account) => begin(act, account, SessionKind::Browser, "link").map(Some),
            None => {
                // It stays used up.
                note(act, Action::SessionRefused, format!("account/{id}"), json!({"means": "link"}))?;
                Ok(None)
            }
        }
    })?;
    begun.ok_or_else(refused)
}

/// Begins a session of somebody who proved who it is. Whatever the browser had before is not gone on with.
pub(crate) fn begin(act: &mut Act, account: Account, kind: SessionKind, means: &str) -> Result<Begun, Error> {
    let now = act.now();
    let (lasts, secret_kind) = match kind {
        SessionKind::Browser => (TimeDelta::hours(BROWSER_HOURS), SecretKind::Session),
        SessionKind::Tokens => (TimeDelta::days(REFRESH_DAYS), SecretKind::Refresh),
    };
    let session = Session {
        id: SessionId(0),
        account: account.id,
        kind,
        means: means.to_owned(),
        created_at: now,
        expires_at: now + lasts,
        ended_at: None,
    };
    let session = Session { id: act.unit.sessions().insert(&session)?, ..session };
    // Whoever signs in without end goes on with the latest.
    let all = act.unit.sessions().of_account(account.id, now, SESSIONS_MAX + 1)?;
    if let Some(oldest) = all.get(SESSIONS_MAX) {
        act.unit.sessions().end(oldest.id, now)?;
    }
    let secret = draw(act.chance, secret_kind);
    act.unit.sessions().keep_secret(&secret.hash(), session.id)?;
    let caller = Caller::account(&account);
    let detail = json!({"session": session.id.0, "kind": kind.as_str(), "means": means});
    audit::note_by(act, &caller, now, Action::SessionBegun, format!("account/{}", account.id), detail)?;
    Ok(Begun { account, session, secret })
}

/// The pair of tokens of a session that just began.
pub fn tokens_of(app: &App, begun: Begun) -> Result<Tokens, Error> {
    let Begun { account, session, secret } = begun;
    let access = signatures::sign(app, account.id, session.id, app.clock.now())?;
    Ok(Tokens { access, refresh: secret, session })
}

/// Takes a refresh token and gives another. One that comes a second time ends its session: either it was stolen, or its
/// owner's was.
pub fn refresh(app: &App, text: &str) -> Result<Tokens, Error> {
    let refused = || Error::Unauthenticated("the refresh token does not hold: sign in again".to_owned());
    let secret = Secret::parse(SecretKind::Refresh, text).ok_or_else(refused)?;
    let renewed = app.act(&Caller::service("strata"), |act| {
        let now = act.now();
        let kept = act.unit.sessions().find_secret(&secret.hash())?.ok_or_else(refused)?;
        let session = act.unit.sessions().find(kept.session)?.ok_or_else(refused)?;
        if !act.unit.sessions().spend(&secret.hash(), now)? {
            if act.unit.sessions().end(session.id, now)? {
                let subject = format!("account/{}", session.account);
                note(act, Action::RefreshReused, subject, json!({"session": session.id.0}))?;
            }
            // What was ended stays ended.
            return Ok(None);
        }
        let account = act.unit.accounts().find(session.account)?.filter(|account| account.disabled_at.is_none());
        let account = account.filter(|_| session.is_good_at(now)).ok_or_else(refused)?;
        let latest = session.created_at + TimeDelta::days(SESSION_DAYS_MAX);
        let expires_at = (now + TimeDelta::days(REFRESH_DAYS)).min(latest);
        act.unit.sessions().prolong(session.id, expires_at)?;
        let fresh = draw(act.chance, SecretKind::Refresh);
        act.unit.sessions().keep_secret(&fresh.hash(), session.id)?;
        Ok(Some((account.id, Session { expires_at, ..session }, fresh)))
    })?;
    let (account, session, refresh) = renewed.ok_or_else(refused)?;
    let access = signatures::sign(app, account, session.id, app.clock.now())?;
    Ok(Tokens { access, refresh, session })
}

/// Ends the session of a refresh token. One that is not known is no failure (RFC 7009).
pub fn revoke(app: &App, text: &str) -> Result<(), Error> {
    let Some(secret) = Secret::parse(SecretKind::Refresh, text) else { return Ok(()) };
    app.act(&Caller::service("strata"), |act| {
        let Some(kept) = act.unit.sessions().find_secret(&secret.hash())? else { return Ok(()) };
        end(act, kept.session)
    })
}

/// Ends the caller's own session.
pub fn sign_out(app: &App, caller: &Caller, session: SessionId) -> Result<(), Error> {
    app.act(caller, |act| {
        let found = act.unit.sessions().find(session)?;
        let is_own = found.is_some_and(|found| Some(found.account) == act.caller.account_id());
        if is_own { end(act, session) } else { Ok(()) }
    })
}

fn end(act: &mut Act, id: SessionId) -> Result<(), Error> {
    let now = act.now();
    let Some(session) = act.unit.sessions().find(id)? else { return Ok(()) };
    if act.unit.sessions().end(id, now)? {
        note(act, Action::SessionEnded, format!("account/{}", session.account), json!({"session": id.0}))?;
    }
    Ok(())
}

/// The caller's own sessions that are good, the newest first.
pub fn own(look: &mut Look, limit: usize) -> Result<Vec<Session>, Error> {
    let id = look.caller.account_id().ok_or_else(no_account)?;
    Ok(look.unit.sessions().of_account(id, look.now, limit)?)
}

/// Who shows this as a bearer: an access token or an API token.
pub fn recognize_bearer(app: &App, text: &str) -> Result<Option<Recognized>, Error> {
    if Secret::kind_of(text) == Some(SecretKind::ApiToken) {
        return tokens::recognize(app, text);
    }
    let Some(kid) = signatures::key_of(text) else { return Ok(None) };
    app.look(&Caller::service("strata"), |look| {
        let Some(claims) = signatures::verify(app, look, text, &kid)? else { return Ok(None) };
        let (Some(account), session) = (claims.account(), claims.session()) else { return Ok(None) };
        let recognized = of_session(look, session)?;
        let same = recognized.filter(|recognized| recognized.caller.account_id() == Some(account));
        let ends_at = |of_session: Option<Instant>| claims.ends_at().into_iter().chain(of_session).min();
        Ok(same.map(|recognized| Recognized { ends_at: ends_at(recognized.ends_at), ..recognized }))
    })
}

/// Who shows this as a browser's cookie.
pub fn recognize_cookie(app: &App, text: &str) -> Result<Option<Recognized>, Error> {
    let Some(secret) = Secret::parse(SecretKind::Session, text) else { return Ok(None) };
    app.look(&Caller::service("strata"), |look| match look.unit.sessions().find_secret(&secret.hash())? {
        Some(kept) => of_session(look, kept.session),
        None => Ok(None),
    })
}

/// Whose session it is, as things stand: roles and disabling hold from the next request on.
fn of_session(look: &mut Look, id: SessionId) -> Result<Option<Recognized>, Error> {
    let now = look.now;
    let Some(session) = look.unit.sessions().find(id)?.filter(|session| session.is_good_at(now)) else {
        return Ok(None);
    };
    let account = look.unit.accounts().find(session.account)?.filter(|account| account.disabled_at.is_none());
    let ends_at = Some(session.expires_at);
    Ok(account.map(|account| Recognized { caller: Caller::account(&account), session: Some(id), ends_at }))
}

/// Proves to a page of ours that it is one: whoever has not the cookie cannot tell it.
pub fn csrf_token(cookie: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::reports::hexadecimal(&Sha256::digest(format!("csrf:{cookie}")))
}

/// Forgets what ended long ago, at most `limit` of each kind, and tells how many.
pub fn forget(act: &mut Act, limit: usize) -> Result<usize, Error> {
    let now = act.now();
    Ok(act.unit.sessions().forget(now - TimeDelta::days(KEPT_DAYS), now, limit)?)
}

pub(crate) fn draw(chance: &dyn Chance, kind: SecretKind) -> Secret {
    let drawn = [chance.draw().to_be_bytes(), chance.draw().to_be_bytes(), chance.draw().to_be_bytes()].concat();
    let (bytes, _) = drawn.split_first_chunk().expect("24 bytes were drawn");
    Secret::new(kind, *bytes)
}

pub(crate) fn no_account() -> Error {
    Error::Conflict("whoever asks is no account".to_owned())
}

pub(crate) fn note(act: &mut Act, action: Action, subject: String, detail: Value) -> Result<(), Error> {
    let now = act.now();
    audit::note(act, now, action, subject, detail)
}

/// As it stands in the audit log.
pub(crate) fn shown(identity: &Identity, account: AccountId) -> Value {
    json!({"account": account.0, "provider": identity.provider(), "subject": identity.subject()})
}
