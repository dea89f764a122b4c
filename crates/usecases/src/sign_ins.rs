//! Signing in by a provider: there, with a state that holds once, and back again.

use chrono::TimeDelta;
use domain::{
    Account, Action, Caller, Identity, Login, Password, Permission, Role, Secret, SecretKind, SessionId, SessionKind,
};
use serde_json::json;

use crate::{
    Act, App, Error, Subject,
    accounts::{self, CreateAccount},
    ports::{Hold, Journey, Locks, Proven, ProviderError, SignIn},
    sessions::{self, Begun},
    signatures,
};

/// How long somebody may stay at the provider.
pub const MINUTES: i64 = 10;

/// How long what somebody signed in with holds, and what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInLimits {
    pub browser_hours: i64,
    pub access_minutes: i64,
    pub refresh_days: i64,
    pub session_days_max: i64,
    pub sessions_max: usize,
    pub link_hours: i64,
    pub password_length_min: usize,
    pub password_length_max: usize,
}

pub fn limits(caller: &Caller) -> Result<SignInLimits, Error> {
    caller.require(Permission::ManageAccounts)?;
    Ok(SignInLimits {
        browser_hours: sessions::BROWSER_HOURS,
        access_minutes: signatures::ACCESS_MINUTES,
        refresh_days: sessions::REFRESH_DAYS,
        session_days_max: sessions::SESSION_DAYS_MAX,
        sessions_max: sessions::SESSIONS_MAX,
        link_hours: accounts::LINK_HOURS,
        password_length_min: Password::CHARS_MIN,
        password_length_max: Password::CHARS_MAX,
    })
}

/// Where a browser is to go, and what it has to bring back, beside what the provider gives it.
pub struct Departure {
    pub address: String,
    pub state: Secret,
}

/// What came back.
pub struct Return<'a> {
    pub provider: &'a str,
    pub code: &'a str,
    /// As the provider brought it.
    pub state: &'a str,
    /// As the browser kept it.
    pub kept_state: &'a str,
    pub redirect_uri: &'a str,
    /// Whose addresses get an account, of the lowest role, when they have none yet. In small letters.
    pub domains: &'a [String],
}

/// What came of it.
pub enum Arrival {
    SignedIn(Begun),
    /// The account is known by that identity from now on.
    Linked(Identity),
}

/// Sends somebody to a provider: to sign in, or to link the caller's account.
pub fn depart(
    app: &App,
    provider: &str,
    redirect_uri: &str,
    link: Option<(&Caller, Option<SessionId>)>,
) -> Result<Departure, Error> {
    let link = match link {
        Some((caller, session)) => Some(caller.account_id().zip(session).ok_or_else(sessions::no_account)?),
        None => None,
    };
    let state = sessions::draw(&*app.chance, SecretKind::State);
    let (nonce, verifier) = (app.chance.digits(4), app.chance.digits(4));
    let journey = Journey {
        redirect_uri: redirect_uri.to_owned(),
        state: state.reveal().to_owned(),
        nonce: nonce.clone(),
        verifier: verifier.clone(),
    };
    let address = app.providers.address(provider, &journey).map_err(refused)?;
    app.act(&Caller::service("strata"), |act| {
        let expires_at = act.now() + TimeDelta::minutes(MINUTES);
        let provider = provider.to_owned();
        let sign_in = SignIn { state: state.hash(), provider, nonce, verifier, link, expires_at };
        Ok(act.unit.sessions().keep_sign_in(&sign_in)?)
    })?;
    Ok(Departure { address, state })
}

/// Takes somebody in who comes back from a provider. The state is used up, whatever comes of it.
pub fn arrive(app: &App, back: &Return) -> Result<Arrival, Error> {
    // What a stranger writes there does not go into the audit log.
    if !app.providers.list().iter().any(|(name, _)| name == back.provider) {
        return Err(Error::NotFound(Subject::Provider, vec![back.provider.to_owned()]));
    }
    let service = Caller::service("strata");
    // Nobody who was not sent there writes into the audit log.
    let sign_in = take_state(app, back)?;
    let arrived = (|| {
        let journey = Journey {
            redirect_uri: back.redirect_uri.to_owned(),
            state: back.state.to_owned(),
            nonce: sign_in.nonce.clone(),
            verifier: sign_in.verifier.clone(),
        };
        let proven = app.providers.redeem(back.provider, back.code, &journey, app.clock.now()).map_err(refused)?;
        app.act(&service, |act| settle(act, back, &sign_in, &proven))
    })();
    if let Err(Error::Unauthenticated(why) | Error::Conflict(why)) = &arrived {
        let detail = json!({"means": back.provider, "why": why});
        app.act(&service, |act| sessions::note(act, Action::SessionRefused, "sign_in".to_owned(), detail))?;
    }
    arrived
}

fn take_state(app: &App, back: &Return) -> Result<SignIn, Error> {
    let stranger = || Error::Unauthenticated("this sign-in was not begun here, or is over: begin again".to_owned());
    // The browser that comes back is the one that went.
    let state = Secret::parse(SecretKind::State, back.state).filter(|_| back.state == back.kept_state);
    let state = state.ok_or_else(stranger)?;
    let (taken, now) = app.act(&Caller::service("strata"), |act| {
        let now = act.now();
        Ok((act.unit.sessions().take_sign_in(&state.hash())?, now))
    })?;
    taken.filter(|sign_in| now < sign_in.expires_at && sign_in.provider == back.provider).ok_or_else(stranger)
}

fn settle(act: &mut Act, back: &Return, sign_in: &SignIn, proven: &Proven) -> Result<Arrival, Error> {
    act.unit.lock(&Locks::new().accounts(Hold::Alone))?;
    let identity = Identity::new(back.provider, &proven.subject)
        .map_err(|error| Error::Unauthenticated(format!("the provider's answer cannot be used: {error}")))?;
    let known = act.unit.accounts().find_identity(&identity)?;
    if let Some((id, session)) = sign_in.link {
        // Whoever was signed out meanwhile links nothing any more.
        let now = act.now();
        let session = act.unit.sessions().find(session)?;
        let is_good = session.is_some_and(|session| session.account == id && session.is_good_at(now));
        let account = act.unit.accounts().find(id)?.filter(|account| is_good && account.disabled_at.is_none());
        let account = account.ok_or_else(|| Error::Unauthenticated("the session is over: sign in again".to_owned()))?;
        match known {
            Some(other) if other == id => {}
            Some(_) => return Err(Error::Conflict("that identity is another account's".to_owned())),
            None => accounts::link_locked(act, &Caller::account(&account), &account, &identity)?,
        }
        return Ok(Arrival::Linked(identity));
    }
    let account = match known {
        Some(id) => act.unit.accounts().find(id)?,
        None => Some(newcomer(act, back, &identity, proven)?),
    };
    let account = account.filter(|account| account.disabled_at.is_none());
    let account = account.ok_or_else(|| Error::Unauthenticated("nobody may sign in with this identity".to_owned()))?;
    sessions::begin(act, account, SessionKind::Browser, back.provider).map(Arrival::SignedIn)
}

/// An account for somebody who has none, when the address is of a domain whose people get one. An account that has the
/// address as its login already is not given away for it.
fn newcomer(act: &mut Act, back: &Return, identity: &Identity, proven: &Proven) -> Result<Account, Error> {
    let nobody = || Error::Unauthenticated("nobody may sign in with this identity".to_owned());
    let email = proven.email.as_deref().ok_or_else(nobody)?;
    let (_, domain) = email.rsplit_once('@').ok_or_else(nobody)?;
    if !back.domains.contains(&domain.to_lowercase()) {
        return Err(nobody());
    }
    let login = Login::parse(email).map_err(|_| nobody())?;
    if act.unit.accounts().find_login(&login)?.is_some() {
        return Err(nobody());
    }
    let command = CreateAccount { login, role: Role::Viewer, sees_persons: false, password: None };
    let account = accounts::create_locked(act, command)?;
    let service = act.caller;
    accounts::link_locked(act, service, &account, identity)?;
    Ok(account)
}

fn refused(error: ProviderError) -> Error {
    match error {
        ProviderError::Unknown(name) => Error::NotFound(Subject::Provider, vec![name]),
        ProviderError::Refused(why) => Error::Unauthenticated(why),
        ProviderError::Unavailable(why) => Error::Provider(why),
    }
}
