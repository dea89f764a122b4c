//! Sessions: how they begin, who is recognized by them, and how they end.

#![allow(clippy::unwrap_used)]

mod access_tokens;
mod changes;
mod cookies;
mod links;
mod refreshing;
mod signing_in;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    Account, Action, AuditRow, Caller, Instant, Login, Password, PasswordHash, Role, Secret, SecretKind, SessionKind,
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{AlgorithmParameters, Jwk},
};
use serde_json::{Value, json};
use testkit::{FailingStore, World};
use usecases::{
    Error, Expected,
    accounts::{self, ChangeAccount, CreateAccount, LINK_HOURS},
    audit, passwords,
    ports::AuditQuery,
    sessions::{self, BROWSER_HOURS, Begun, REFRESH_DAYS, Recognized, SESSION_DAYS_MAX, SESSIONS_MAX, Tokens},
    signatures::{self, ACCESS_MINUTES},
};

const PASSWORD: &str = "correct horse battery";
const TICK: TimeDelta = TimeDelta::microseconds(1);

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

fn hash(world: &World, text: &str) -> PasswordHash {
    passwords::hash(&*world.app.chance, &Password::choose(text, &login("x")).unwrap())
}

fn create(world: &World, text: &str, password: Option<PasswordHash>) -> Account {
    let command = CreateAccount { login: login(text), role: Role::Viewer, sees_persons: false, password };
    world.act(|act| accounts::create(act, command)).unwrap()
}

/// A world in which `anna` has a password.
fn world() -> (World, Account) {
    world_on(World::in_memory())
}

fn world_on(world: World) -> (World, Account) {
    let password = hash(&world, PASSWORD);
    let anna = create(&world, "anna", Some(password));
    (world, anna)
}

fn change(world: &World, account: &Account, command: ChangeAccount) {
    world.act(|act| accounts::change(act, account.id, &Expected::Any, command)).unwrap();
}

fn set_disabled(world: &World, account: &Account, disabled: bool) {
    change(world, account, ChangeAccount { disabled: Some(disabled), ..ChangeAccount::default() });
}

fn delete(world: &World, account: &Account) {
    world.act(|act| accounts::delete(act, account.id, &Expected::Any)).unwrap();
}

fn sign_in(world: &World, kind: SessionKind) -> Begun {
    sessions::sign_in(&world.app, "anna", PASSWORD, kind).unwrap()
}

/// Signs in with a browser, and tells the cookie.
fn cookie(world: &World) -> String {
    sign_in(world, SessionKind::Browser).secret.reveal().to_owned()
}

fn tokens(world: &World) -> Tokens {
    sessions::tokens_of(&world.app, sign_in(world, SessionKind::Tokens)).unwrap()
}

fn refresh(world: &World, tokens: &Tokens) -> Result<Tokens, Error> {
    sessions::refresh(&world.app, tokens.refresh.reveal())
}

/// What comes of refreshing every four weeks, and at last at this instant.
fn renewed_until(world: &World, mut tokens: Tokens, at: Instant) -> Tokens {
    while world.now() < at {
        world.clock.set(at.min(world.now() + TimeDelta::weeks(4)));
        tokens = refresh(world, &tokens).unwrap();
    }
    tokens
}

fn by_cookie(world: &World, cookie: &str) -> Option<Recognized> {
    sessions::recognize_cookie(&world.app, cookie).unwrap()
}

fn by_bearer(world: &World, text: &str) -> Option<Recognized> {
    sessions::recognize_bearer(&world.app, text).unwrap()
}

fn link(world: &World, account: &Account) -> Secret {
    world.act(|act| accounts::make_link(act, account.id)).unwrap().1
}

fn follow(world: &World, link: &Secret) -> Result<Begun, Error> {
    sessions::sign_in_by_link(&world.app, link.reveal())
}

fn noted(world: &World, action: Action) -> Vec<AuditRow> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    world.look(|look| audit::list(look, &query, 100))
}

/// What an attempt that is not let in is told.
fn refusal<T>(ended: Result<T, Error>) -> String {
    match ended {
        Err(Error::Unauthenticated(why)) => why,
        Err(other) => panic!("it was refused for another reason: {other:?}"),
        Ok(_) => panic!("it was to be refused"),
    }
}
