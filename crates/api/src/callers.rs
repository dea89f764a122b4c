//! Callers: who sent a request, by what it shows. Every handler that does something for somebody asks here first.

use std::{
    cell::RefCell,
    collections::HashMap,
    future::{Future, Ready, ready},
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{
        Method,
        header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN},
    },
    web::Data,
};
use domain::{Caller, SessionId, TokenId, Who};
use futures_util::future::Either;
use usecases::{
    App,
    sessions::{self, Recognized},
    tokens,
};

use crate::{
    Limits, blocking, cookies,
    problems::{Code, Problem},
    requests,
};

pub(crate) const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How long it is believed what was looked up: whatever another node revokes is honoured after that.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// How many are known to a thread at once; when there are more, it begins anew.
const KNOWN_MAX: usize = 10_000;
/// No token of ours is as long.
const SHOWN_BYTES_MAX: usize = 2_048;
const USE_NOTED_EVERY: Duration = Duration::from_secs(tokens::USE_NOTED_EVERY_S as u64);

/// Whether somebody has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks is an account or a token.
    SignIn,
    /// Anybody on this machine may do anything.
    Open,
}

/// Counts the changes of accounts, tokens and sessions that were made here: what was known before is looked up anew.
#[derive(Debug, Default)]
pub struct Changes {
    count: AtomicU64,
    /// When it was last tried to note that a token is used.
    uses: Mutex<HashMap<TokenId, Instant>>,
}

impl Changes {
    pub(crate) fn note(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Once a minute for each token, whatever came of the last time.
    fn is_use_to_note(&self, id: TokenId) -> bool {
        let now = Instant::now();
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() >= KNOWN_MAX {
            uses.clear();
        }
        let is_due = uses.get(&id).is_none_or(|tried| now.duration_since(*tried) >= USE_NOTED_EVERY);
        if is_due {
            uses.insert(id, now);
        }
        is_due
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    recognized: Arc<Recognized>,
    /// What proves a page of ours, for one who shows a cookie.
    pub(crate) csrf_token: Option<String>,
}

impl Asker {
    pub(crate) fn caller(&self) -> &Caller {
        &self.recognized.caller
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        self.recognized.session
    }

    pub(crate) fn recognized(&self) -> &Recognized {
        &self.recognized
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bearer,
    Cookie,
}

/// What a request shows.
#[derive(Clone, Copy)]
struct Shown<'r> {
    kind: Kind,
    text: &'r str,
}

impl<'r> Shown<'r> {
    fn cookie(self) -> Option<&'r str> {
        (self.kind == Kind::Cookie).then_some(self.text)
    }
}

struct Known {
    kind: Kind,
    recognized: Arc<Recognized>,
    until: Instant,
    /// As many changes had been made.
    changes: u64,
}

thread_local! {
    static KNOWN: RefCell<HashMap<String, Known>> = RefCell::new(HashMap::new());
}

type Asking = Pin<Box<dyn Future<Output = Result<Asker, actix_web::Error>>>>;

impl FromRequest for Asker {
    type Error = actix_web::Error;
    type Future = Either<Ready<Result<Asker, actix_web::Error>>, Asking>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match at_once(request) {
            Ok(Some(asker)) => Either::Left(ready(Ok(asker))),
            Ok(None) => {
                let request = request.clone();
                Either::Right(Box::pin(async move { Ok(look_up(request).await?) }))
            }
            Err(problem) => Either::Left(ready(Err(problem.into()))),
        }
    }
}

/// Who asks, where that is known without the store; nothing, where it has to be looked up.
pub(crate) fn at_once(request: &HttpRequest) -> Result<Option<Asker>, Problem> {
    let limits = limits(request);
    if limits.access == Access::Open {
        refuse_strangers(request)?;
        let recognized = Recognized { caller: Caller::anybody(), session: None, ends_at: None };
        return let_in(request, limits, Arc::new(recognized), None).map(Some);
    }
    let shown = shown(request, limits)?;
    match known(limits, shown) {
        Some(recognized) => let_in(request, limits, recognized, shown.cookie()).map(Some),
        None => Ok(None),
    }
}

/// Who asks, by the store.
pub(crate) async fn look_up(request: HttpRequest) -> Result<Asker, Problem> {
    let limits = limits(&request);
    let shown = shown(&request, limits)?;
    let recognized = recognize(&request, limits, shown).await?;
    let_in(&request, limits, recognized, shown.cookie())
}

/// Who it is by now that was let in with this request; nothing for one who would not be let in again.
pub(crate) async fn again(request: &HttpRequest, before: &Asker) -> Option<Asker> {
    let limits = limits(request);
    if limits.access == Access::Open {
        return Some(before.clone());
    }
    let shown = shown(request, limits).ok()?;
    let recognized = match known(limits, shown) {
        Some(recognized) => Ok(recognized),
        None => recognize(request, limits, shown).await,
    };
    match recognized {
        Ok(recognized) => Some(Asker { recognized, csrf_token: before.csrf_token.clone() }),
        Err(problem) if problem.is(Code::Unauthenticated) => None,
        // The store may be away for a while; nobody was shut out for that.
        Err(_) => Some(before.clone()),
    }
}

/// What the threads remember.
fn known(limits: &Limits, shown: Shown) -> Option<Arc<Recognized>> {
    let changes = limits.changes.count();
    KNOWN.with_borrow(|known| {
        let known = known.get(shown.text).filter(|known| known.kind == shown.kind && known.changes == changes)?;
        (Instant::now() < known.until).then(|| Arc::clone(&known.recognized))
    })
}

async fn recognize(request: &HttpRequest, limits: &Limits, shown: Shown<'_>) -> Result<Arc<Recognized>, Problem> {
    let Shown { kind, text } = shown;
    // Before the store is asked: what changes meanwhile is looked up again.
    let changes = limits.changes.count();
    let app = request.app_data::<Data<App>>().cloned().expect("the service was made with a world");
    // It is believed since it was asked, however long the answer takes.
    let asked = Instant::now();
    let owned = text.to_owned();
    let (recognized, now) = blocking::run(app, move |app| {
        let recognized = match kind {
            Kind::Bearer => sessions::recognize_bearer(app, &owned)?,
            Kind::Cookie => sessions::recognize_cookie(app, &owned)?,
        };
        Ok((recognized, app.clock.now()))
    })
    .await?;
    let recognized = recognized.ok_or_else(|| {
        Problem::new(Code::Unauthenticated, "what was shown does not hold: it ended, was revoked, or never was")
    })?;
    let left = recognized.ends_at.and_then(|ends_at| (ends_at - now).to_std().ok()).unwrap_or(BELIEVED_FOR);
    let recognized = Arc::new(recognized);
    note_use(request, &recognized);
    let until = asked + left.min(BELIEVED_FOR);
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(text.to_owned(), Known { kind, recognized: Arc::clone(&recognized), until, changes });
    });
    Ok(recognized)
}

/// Notes beside the request that a token is used. What comes of it is of no concern to whoever uses it.
fn note_use(request: &HttpRequest, recognized: &Recognized) {
    let limits = limits(request);
    let Who::Token(id) = recognized.caller.who else { return };
    let Some(app) = request.app_data::<Data<App>>().cloned().filter(|_| limits.changes.is_use_to_note(id)) else {
        return;
    };
    actix_web::rt::spawn(async move {
        if let Err(problem) = blocking::run(app, move |app| tokens::note_use(app, id)).await {
            log::debug!("the use of token {id} is not noted: {problem}");
        }
    });
}

fn limits(request: &HttpRequest) -> &Limits {
    request.app_data::<Data<Limits>>().expect("the service was made with limits")
}

/// What the request shows. What stands in an address is not looked at: addresses are logged on the way.
fn shown<'r>(request: &'r HttpRequest, limits: &Limits) -> Result<Shown<'r>, Problem> {
    let nothing = || Problem::new(Code::Unauthenticated, "sign in, or send an API token as `Authorization: Bearer …`");
    let mut authorizations = request.headers().get_all(AUTHORIZATION);
    let first = authorizations.next();
    if authorizations.next().is_some() {
        return Err(Problem::new(Code::Unauthenticated, "there are two Authorization headers"));
    }
    let Some(value) = first else {
        let cookie = cookies::find(request.headers().get_all(COOKIE), cookies::session(limits));
        return cookie.map(|text| Shown { kind: Kind::Cookie, text }).ok_or_else(nothing);
    };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, text)| text.trim());
    match bearer {
        Some(text) if !text.is_empty() && text.len() <= SHOWN_BYTES_MAX => Ok(Shown { kind: Kind::Bearer, text }),
        _ => Err(Problem::new(Code::Unauthenticated, "Authorization is not `Bearer` and a token")),
    }
}

/// Notes who it is, and refuses what somebody else's page sends by a browser that is signed in, and what is too much.
fn let_in(
    request: &HttpRequest,
    limits: &Limits,
    recognized: Arc<Recognized>,
    cookie: Option<&str>,
) -> Result<Asker, Problem> {
    let csrf_token = cookie.map(sessions::csrf_token);
    if let Some(expected) = csrf_token.as_deref().filter(|_| changes_something(request)) {
        let given = request.headers().get(CSRF_TOKEN).map(|value| value.as_bytes()).unwrap_or_default();
        if !is_same(given, expected.as_bytes()) {
            let detail = "send the `csrf_token` of GET /api/v1/accounts/me as X-CSRF-Token";
            return Err(Problem::new(Code::CsrfRefused, detail));
        }
    }
    let asker = Asker { recognized, csrf_token };
    if let Some(context) = requests::current() {
        context.note_asker(&asker);
    }
    if let Some(rates) = &limits.caller_rates {
        let rated = rates.ask(asker.caller().who);
        if let Some(context) = requests::current() {
            context.note_rate(rated);
        }
        if let Some(wait) = rated.wait {
            let detail = format!("nothing more is taken from this caller for {} ms", wait.as_millis());
            return Err(Problem::new(Code::TooManyRequests, detail));
        }
    }
    Ok(asker)
}

fn changes_something(request: &HttpRequest) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Takes as long wherever they differ.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len() && given.iter().zip(expected).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Where nobody signs in, pages of strangers must not act through a browser on this machine: neither under a name of theirs
/// that leads here, nor by sending what needs no leave.
pub(crate) fn refuse_strangers(request: &HttpRequest) -> Result<(), Problem> {
    let limits = limits(request);
    if limits.access == Access::SignIn {
        return Ok(());
    }
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(named);
    if host.is_some_and(|host| !is_this_machine(host)) {
        return Err(Problem::new(Code::Forbidden, "without sign-in the service is reached as localhost only"));
    }
    let origin = request.headers().get(ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
    let is_known = |origin: &str| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        is_this_machine(host) || limits.cors_origins.iter().any(|known| known == origin)
    };
    let is_strange = match origin {
        Some(origin) => !is_known(origin),
        None => request.headers().get(SEC_FETCH_SITE).is_some_and(|site| site.as_bytes() == b"cross-site"),
    };
    if is_strange && changes_something(request) {
        return Err(Problem::new(Code::Forbidden, "this page of another site may not act here"));
    }
    Ok(())
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:8080"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["example.com", "localhost.example.com:80", "10.0.0.1:80", "[2001:db8::1]", "127.0.0.1.evil.com", ""]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(is_same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same(other, b"abc"));
        }
    }
}
