//! Access tokens: JWTs (RFC 7519) signed with Ed25519, by keys that are drawn for the store and replaced in time.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use domain::{AccountId, Action, Caller, Instant, Permission, SessionId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use serde::{Deserialize, Serialize};

use crate::{Act, App, Error, Look, audit, ports::StoreError, reports::unhexadecimal};

/// How long an access token holds.
pub const ACCESS_MINUTES: i64 = 15;
/// How long a key signs. Tokens that it signed are taken until they end, unless it was replaced by hand.
const KEY_DAYS: i64 = 30;
const SECRET: &str = "access_keys";
const ISSUER: &str = "strata";
/// Clocks of nodes differ a little.
const LEEWAY_S: i64 = 5;
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    /// The account's id.
    sub: String,
    /// The session's id.
    sid: i64,
    iat: i64,
    exp: i64,
}

impl Claims {
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.sub.parse().ok().map(AccountId)
    }

    pub(crate) fn session(&self) -> SessionId {
        SessionId(self.sid)
    }

    pub(crate) fn ends_at(&self) -> Option<Instant> {
        Instant::from_timestamp(self.exp, 0)
    }
}

/// The keys as they were read of the store last, so that they are not made anew of the same text.
#[derive(Default)]
pub struct Keys(RwLock<Arc<Known>>);

#[derive(Default)]
struct Known {
    text: String,
    /// In the order in which they were drawn; the last one signs.
    keys: Vec<Key>,
}

struct Key {
    id: String,
    created_at: Instant,
    signing: EncodingKey,
    checking: DecodingKey,
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    kid: String,
    /// 32 bytes in hexadecimal digits.
    seed: String,
    created_at_us: i64,
}

/// Signs a token for a session, by the key that was drawn last, on whichever node.
pub(crate) fn sign(app: &App, account: AccountId, session: SessionId, now: Instant) -> Result<String, Error> {
    let sign = |known: &Known| {
        let key = known.keys.last().filter(|key| now < key.created_at + TimeDelta::days(KEY_DAYS))?;
        let iat = now.timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: account.to_string(),
            sid: session.0,
            iat,
            exp: iat + ACCESS_MINUTES * 60,
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &key.signing).ok()
    };
    let service = Caller::service("strata");
    let known = app.look(&service, |look| known(app, look))?;
    if let Some(token) = sign(&known) {
        return Ok(token);
    }
    let text = app.act(&service, |act| draw(act, now, KEY_DAYS, Keep::WhatTheySigned))?;
    let known = made_of(app, &text)?;
    sign(&known).ok_or_else(|| StoreError::Corrupt { table: "secrets", detail: "no key signs".to_owned() }.into())
}

/// Draws another key, which signs from now on. What the keys before it signed is taken no more: whoever has one of them gets
/// nowhere with it, and everybody else renews the access token.
pub fn rotate(app: &App, caller: &Caller) -> Result<(), Error> {
    app.act(caller, |act| {
        act.caller.require(Permission::Operate)?;
        let now = act.now();
        draw(act, now, 0, Keep::Nothing)?;
        audit::note(act, now, Action::KeysRotated, "keys".to_owned(), serde_json::json!({}))
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Keys that were replaced are kept until what they signed has ended.
    WhatTheySigned,
    Nothing,
}

/// Draws another key unless there is one that is younger than so many days, and tells what is kept then.
fn draw(act: &mut Act, now: Instant, days: i64, keep: Keep) -> Result<String, Error> {
    let text = act.unit.secrets().find_or_keep(SECRET, "[]")?;
    let mut kept = read(&text)?;
    let newest = kept.last().map_or(i64::MIN, |key| key.created_at_us);
    if days > 0 && newest > (now - TimeDelta::days(days)).timestamp_micros() {
        return Ok(text);
    }
    match keep {
        // The last one is replaced just now; those before it were long ago.
        Keep::WhatTheySigned => drop(kept.drain(..kept.len().saturating_sub(1))),
        Keep::Nothing => kept.clear(),
    }
    let (seed, kid) = (act.chance.digits(4), act.chance.digits(1));
    kept.push(Kept { kid, seed, created_at_us: now.timestamp_micros() });
    let text = serde_json::to_string(&kept).expect("plain data can be written");
    act.unit.secrets().replace(SECRET, &text)?;
    Ok(text)
}

/// The keys as the store has them.
fn known(app: &App, look: &mut Look) -> Result<Arc<Known>, Error> {
    let text = look.unit.secrets().find(SECRET)?;
    made_of(app, text.as_deref().unwrap_or("[]"))
}

fn made_of(app: &App, text: &str) -> Result<Arc<Known>, Error> {
    let known = Arc::clone(&app.keys.0.read().unwrap_or_else(PoisonError::into_inner));
    if known.text == text {
        return Ok(known);
    }
    let keys = read(text)?.iter().map(Key::read).collect::<Result<_, _>>()?;
    let known = Arc::new(Known { text: text.to_owned(), keys });
    *app.keys.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
    Ok(known)
}

/// What a token says of the key that signed it, if it says so in our way: the only algorithm, whatever else there is.
pub(crate) fn key_of(token: &str) -> Option<String> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    header.kid.filter(|_| header.alg == Algorithm::EdDSA)
}

/// What a token says, if one of our keys signed it and it did not end.
pub(crate) fn verify(app: &App, look: &mut Look, token: &str, kid: &str) -> Result<Option<Claims>, Error> {
    let now = look.now;
    let known = known(app, look)?;
    let Some(place) = known.keys.iter().position(|key| key.id == kid) else { return Ok(None) };
    // What a key signed before it was replaced has ended by then, and whatever is shown later was not signed before.
    let lasts = TimeDelta::seconds(ACCESS_MINUTES * 60 + LEEWAY_S);
    if known.keys.get(place + 1).is_some_and(|next| now > next.created_at + lasts) {
        return Ok(None);
    }
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    // By the service's own clock, below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let checked = jsonwebtoken::decode::<Claims>(token, &known.keys[place].checking, &validation);
    let Ok(token) = checked else { return Ok(None) };
    let Claims { iat, exp, .. } = token.claims;
    let seconds = now.timestamp();
    let is_timely = seconds < exp && iat <= seconds + LEEWAY_S && exp - iat <= ACCESS_MINUTES * 60;
    Ok(Some(token.claims).filter(|_| is_timely))
}

fn read(text: &str) -> Result<Vec<Kept>, Error> {
    serde_json::from_str(text).map_err(|_| corrupt().into())
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { table: "secrets", detail: "the keys of access tokens cannot be read".to_owned() }
}

impl Key {
    fn read(kept: &Kept) -> Result<Key, StoreError> {
        let seed = unhexadecimal(&kept.seed).ok_or_else(corrupt)?;
        let signing = EncodingKey::from_ed_der(&[&PKCS8_HEAD, seed.as_slice()].concat());
        let public = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).map_err(|_| corrupt())?;
        Ok(Key {
            id: kept.kid.clone(),
            created_at: Instant::from_timestamp_micros(kept.created_at_us).ok_or_else(corrupt)?,
            checking: DecodingKey::from_jwk(&public).map_err(|_| corrupt())?,
            signing,
        })
    }
}
