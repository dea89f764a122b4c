//! Access tokens: JWTs (RFC 7519) signed with Ed25519, by keys that are drawn for the store and replaced in time.

use std::sync::{PoisonError, RwLock};

use chrono::TimeDelta;
use domain::{AccountId, Caller, Instant, SessionId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use serde::{Deserialize, Serialize};

use crate::{App, Error, ports::StoreError};

/// How long an access token holds.
pub const ACCESS_MINUTES: i64 = 15;
/// How long a key signs. Tokens that it signed are taken until they end.
const KEY_DAYS: i64 = 30;
/// How long a key that was replaced is kept, to take what it signed.
const NEEDED_HOURS: i64 = 1;
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

/// The keys that were read of the store.
#[derive(Default)]
pub struct Keys(RwLock<Known>);

#[derive(Default)]
struct Known {
    keys: Vec<Key>,
    read_at: Option<Instant>,
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
    read_anew(app, now)?;
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
    if let Some(token) = sign(&app.keys.0.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(token);
    }
    renew(app, now, KEY_DAYS)?;
    let known = app.keys.0.read().unwrap_or_else(PoisonError::into_inner);
    sign(&known).ok_or_else(|| StoreError::Corrupt { table: "secrets", detail: "no key signs".to_owned() }.into())
}

/// Draws another key, which signs from now on.
pub fn rotate(app: &App) -> Result<(), Error> {
    renew(app, app.clock.now(), 0)
}

/// Draws another key unless there is one that is younger than so many days, and reads all.
fn renew(app: &App, now: Instant, days: i64) -> Result<(), Error> {
    let kept = app.act(&Caller::service("strata"), |act| {
        let text = act.unit.secrets().find_or_keep(SECRET, "[]")?;
        let mut kept = read(&text)?;
        let newest = kept.last().map_or(i64::MIN, |key| key.created_at_us);
        if newest > (now - TimeDelta::days(days)).timestamp_micros() {
            return Ok(kept);
        }
        let seed: String = (0..4).map(|_| format!("{:016x}", act.chance.draw())).collect();
        let kid = format!("{:016x}", act.chance.draw());
        // What a key signed ends a quarter of an hour after the next one was drawn.
        let needed_since = (now - TimeDelta::hours(NEEDED_HOURS)).timestamp_micros();
        let replaced_at: Vec<i64> = kept.iter().skip(1).map(|key| key.created_at_us).collect();
        let mut replaced_at = replaced_at.into_iter();
        kept.retain(|_| replaced_at.next().is_none_or(|replaced_at| replaced_at >= needed_since));
        kept.push(Kept { kid, seed, created_at_us: now.timestamp_micros() });
        let text = serde_json::to_string(&kept).expect("plain data can be written");
        act.unit.secrets().replace(SECRET, &text)?;
        Ok(kept)
    })?;
    take_in(app, &kept, now)
}

fn read_anew(app: &App, now: Instant) -> Result<(), Error> {
    let text = app.look(&Caller::service("strata"), |look| Ok(look.unit.secrets().find(SECRET)?))?;
    take_in(app, &read(text.as_deref().unwrap_or("[]"))?, now)
}

fn take_in(app: &App, kept: &[Kept], now: Instant) -> Result<(), Error> {
    let keys = kept.iter().map(Key::read).collect::<Result<_, _>>()?;
    *app.keys.0.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, read_at: Some(now) };
    Ok(())
}

/// What a token says, if one of our keys signed it and it did not end.
pub(crate) fn verify(app: &App, token: &str, now: Instant) -> Result<Option<Claims>, Error> {
    // The only algorithm, whatever the token says of itself.
    let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
    let Some(kid) = header.kid.filter(|_| header.alg == Algorithm::EdDSA) else { return Ok(None) };
    // The key, and until when it signed.
    let known = |known: &Known| {
        let place = known.keys.iter().position(|key| key.id == kid)?;
        let until = known.keys.get(place + 1).map(|next| next.created_at.timestamp() + LEEWAY_S);
        Some((known.keys[place].checking.clone(), until))
    };
    let (mut key, read_at) = {
        let all = app.keys.0.read().unwrap_or_else(PoisonError::into_inner);
        (known(&all), all.read_at)
    };
    // Another node may have drawn it; nobody makes us read the store more than once a second.
    if key.is_none() && read_at.is_none_or(|read_at| now - read_at >= TimeDelta::seconds(1)) {
        read_anew(app, now)?;
        key = known(&app.keys.0.read().unwrap_or_else(PoisonError::into_inner));
    }
    let Some((key, signed_until)) = key else { return Ok(None) };
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    // By the service's own clock, below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let Ok(token) = jsonwebtoken::decode::<Claims>(token, &key, &validation) else { return Ok(None) };
    let seconds = now.timestamp();
    let is_timely = seconds < token.claims.exp && token.claims.iat <= seconds + LEEWAY_S;
    // A key that was replaced signs no more, whoever has it.
    let is_good = is_timely && signed_until.is_none_or(|until| token.claims.iat <= until);
    Ok(Some(token.claims).filter(|_| is_good))
}

fn read(text: &str) -> Result<Vec<Kept>, Error> {
    serde_json::from_str(text).map_err(|_| corrupt().into())
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { table: "secrets", detail: "the keys of access tokens cannot be read".to_owned() }
}

impl Key {
    fn read(kept: &Kept) -> Result<Key, StoreError> {
        let pairs = kept.seed.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
        let seed: Vec<u8> = bytes.collect::<Option<_>>().ok_or_else(corrupt)?;
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
