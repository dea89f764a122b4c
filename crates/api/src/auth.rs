//! `/auth`: signing in and out, by password, by a one-time link and by providers, and renewing tokens.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ACCEPT, CACHE_CONTROL, COOKIE, LOCATION},
    },
    web::{self, Data, Path, ServiceConfig},
};
use domain::{Secret, SessionKind};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use usecases::{
    App,
    sessions::{self, Begun, Tokens},
    sign_ins::{self, Arrival, Departure, Return},
    signatures::ACCESS_MINUTES,
};
use utoipa::ToSchema;

use crate::{
    Limits,
    accounts::AccountView,
    addresses,
    answers::{Call, Visit},
    blocking, bodies,
    callers::Asker,
    cookies,
    parameters::Parameters,
    problems::{Code, Problem},
    requests, times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/auth/token").post(token))
        .service(web::resource("/auth/refresh").post(refresh))
        .service(web::resource("/auth/revoke").post(revoke))
        .service(web::resource("/auth/session").post(sign_in).delete(sign_out))
        .service(web::resource("/auth/link").post(follow_link))
        .service(web::resource("/auth/providers").get(providers))
        .service(web::resource("/auth/providers/{provider}").get(depart).post(link))
        .service(web::resource("/auth/providers/{provider}/callback").get(arrive));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[schema(example = "anna@example.com", max_length = 254)]
    login: String,
    #[schema(format = Password, max_length = 256)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshToken {
    #[schema(max_length = 256)]
    refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokedToken {
    /// A refresh token: its session ends, and the access tokens of it hold no longer.
    #[schema(max_length = 256)]
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCode {
    /// What stands behind the `#` of a one-time link.
    #[schema(max_length = 256)]
    code: String,
}

/// As RFC 6749 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct TokensView {
    /// Send it as `Authorization: Bearer`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// Holds once: `/auth/refresh` gives the next one with a fresh access token.
    refresh_token: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    refresh_expires_at: String,
}

impl From<Tokens> for TokensView {
    fn from(tokens: Tokens) -> TokensView {
        TokensView {
            access_token: tokens.access,
            token_type: "Bearer",
            expires_in: ACCESS_MINUTES * 60,
            refresh_token: tokens.refresh.reveal().to_owned(),
            refresh_expires_at: times::write(tokens.session.expires_at),
        }
    }
}

/// Somebody signed in by a cookie.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    account: AccountView,
    /// Send it as `X-CSRF-Token` with whatever changes something.
    csrf_token: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    expires_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderList {
    items: Vec<ProviderView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(crate) struct ProviderView {
    #[schema(example = "yandex")]
    provider: String,
    #[schema(example = "Yandex ID")]
    title: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderAddress {
    /// Where to send the browser.
    address: String,
}

/// Sign in a program
///
/// Gives an access token for 15 minutes and a refresh token. After failures the next attempt has to wait: 429.
#[utoipa::path(post, path = "/api/v1/auth/token", tag = "auth", request_body = Credentials,
    responses((status = 200, description = "The tokens", body = TokensView)))]
pub(crate) async fn token(visit: Visit) -> Result<HttpResponse, Problem> {
    let app = visit.app.clone();
    let begun = try_password(&visit, SessionKind::Tokens).await?;
    let tokens = blocking::run(app, move |app| sessions::tokens_of(app, begun)).await?;
    Ok(secret(StatusCode::OK, &TokensView::from(tokens)))
}

/// Renew an access token
///
/// The refresh token is used up, and another one given. One that comes a second time ends the session.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshToken,
    responses((status = 200, description = "The next tokens", body = TokensView)))]
pub(crate) async fn refresh(visit: Visit) -> Result<HttpResponse, Problem> {
    Parameters::of(&visit.request)?.end()?;
    let body = bodies::read::<RefreshToken>(&visit.request, &visit.body)?;
    let changes = Arc::clone(&visit.limits().changes);
    let renewed = blocking::run(visit.app, move |app| {
        let renewed = sessions::refresh(app, &body.refresh_token);
        // Also when it is refused: then a session may have ended.
        changes.note();
        renewed
    })
    .await;
    Ok(secret(StatusCode::OK, &TokensView::from(renewed?)))
}

/// End a session by its refresh token
///
/// As RFC 7009 has it: 204 also for a token that is not known.
#[utoipa::path(post, path = "/api/v1/auth/revoke", tag = "auth", request_body = RevokedToken,
    responses((status = 204, description = "It is over")))]
pub(crate) async fn revoke(visit: Visit) -> Result<HttpResponse, Problem> {
    Parameters::of(&visit.request)?.end()?;
    let body = bodies::read::<RevokedToken>(&visit.request, &visit.body)?;
    let changes = Arc::clone(&visit.limits().changes);
    blocking::run(visit.app, move |app| {
        let revoked = sessions::revoke(app, &body.token);
        changes.note();
        revoked
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign in a browser
///
/// Sets a cookie that scripts cannot read, for 12 hours.
#[utoipa::path(post, path = "/api/v1/auth/session", tag = "auth", request_body = Credentials,
    responses((status = 200, description = "Signed in", body = SignedIn)))]
pub(crate) async fn sign_in(visit: Visit) -> Result<HttpResponse, Problem> {
    let begun = try_password(&visit, SessionKind::Browser).await?;
    Ok(signed_in(visit.limits(), &begun))
}

/// Sign in by a one-time link
///
/// As `/auth/session`, with what stands behind the `#` of a link that the service printed or an administrator made.
#[utoipa::path(post, path = "/api/v1/auth/link", tag = "auth", request_body = LinkCode,
    responses((status = 200, description = "Signed in", body = SignedIn)))]
pub(crate) async fn follow_link(visit: Visit) -> Result<HttpResponse, Problem> {
    Parameters::of(&visit.request)?.end()?;
    let body = bodies::read::<LinkCode>(&visit.request, &visit.body)?;
    let app = visit.app.clone();
    let begun = blocking::run(app, move |app| sessions::sign_in_by_link(app, &body.code)).await?;
    Ok(signed_in(visit.limits(), &begun))
}

/// Sign out
///
/// Ends the session that asks: of a browser, or of an access token.
#[utoipa::path(delete, path = "/api/v1/auth/session", tag = "auth", responses((status = 204, description = "Signed out")))]
pub(crate) async fn sign_out(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let (app, asker) = (call.app.clone(), call.asker.clone());
    if let Some(session) = asker.session() {
        let changes = Arc::clone(&call.limits().changes);
        blocking::run(app, move |app| {
            let ended = sessions::sign_out(app, asker.caller(), session);
            changes.note();
            ended
        })
        .await?;
    }
    let mut response = HttpResponse::NoContent();
    cookies::clear_session(&mut response, call.limits());
    Ok(response.finish())
}

/// By whom can one sign in?
#[utoipa::path(get, path = "/api/v1/auth/providers", tag = "auth",
    responses((status = 200, description = "Those that the operator set up; none at first", body = ProviderList)))]
pub(crate) async fn providers(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Parameters::of(&request)?.end()?;
    let view = |(provider, title)| ProviderView { provider, title };
    Ok(HttpResponse::Ok().json(ProviderList { items: app.providers.list().into_iter().map(view).collect() }))
}

/// Go to a provider to sign in
///
/// For browsers: leads to the provider, which leads back to `…/callback`.
#[utoipa::path(get, path = "/api/v1/auth/providers/{provider}", tag = "auth",
    responses(
        (status = 303, description = "There"),
        (status = 404, description = "`provider_not_found`"),
    ))]
pub(crate) async fn depart(
    app: Data<App>,
    limits: Data<Limits>,
    request: HttpRequest,
    provider: Path<String>,
) -> Result<HttpResponse, Problem> {
    let gone = go(app, &limits, &request, provider.into_inner()).await;
    gone.or_else(|problem| tell(problem, &limits, &request))
}

async fn go(
    app: Data<App>,
    limits: &Data<Limits>,
    request: &HttpRequest,
    provider: String,
) -> Result<HttpResponse, Problem> {
    Parameters::of(request)?.end()?;
    let redirect = callback(request, &provider)?;
    let (address, attempts) = (client(request, limits), &limits.attempts);
    if let Some(wait) = attempts.wait_of(address, Instant::now()) {
        return Err(too_often(wait));
    }
    // Forgiven to whoever comes back and is let in.
    attempts.fail(address, Instant::now());
    let departure = send_off(app, limits, provider, redirect, None).await?;
    let mut response = HttpResponse::SeeOther();
    cookies::set_state(&mut response, limits, departure.state.reveal());
    Ok(response.insert_header((LOCATION, departure.address)).insert_header((CACHE_CONTROL, "no-store")).finish())
}

/// Go to a provider to link it
///
/// From then on the caller's account can also sign in by it.
#[utoipa::path(post, path = "/api/v1/auth/providers/{provider}", tag = "auth",
    responses(
        (status = 200, description = "Where to send the browser", body = ProviderAddress),
        (status = 404, description = "`provider_not_found`"),
        (status = 409, description = "`conflict`: who asks is no account"),
    ))]
pub(crate) async fn link(call: Call, provider: Path<String>) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let redirect = callback(&call.request, &provider)?;
    let asker = Some(call.asker.clone());
    let departure = send_off(call.app.clone(), call.limits(), provider.into_inner(), redirect, asker).await?;
    let mut response = HttpResponse::Ok();
    cookies::set_state(&mut response, call.limits(), departure.state.reveal());
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.json(ProviderAddress { address: departure.address }))
}

/// Come back from a provider
///
/// For browsers. Leads to the start page, signed in, and never anywhere else.
#[utoipa::path(get, path = "/api/v1/auth/providers/{provider}/callback", tag = "auth",
    params(
        ("code" = Option<String>, Query, max_length = 4096),
        ("state" = Option<String>, Query, max_length = 256),
    ),
    responses(
        (status = 303, description = "Signed in, or the identity is linked"),
        (status = 404, description = "`provider_not_found`"),
        (status = 409, description = "`conflict`: the identity is another account's"),
    ))]
pub(crate) async fn arrive(
    app: Data<App>,
    limits: Data<Limits>,
    request: HttpRequest,
    provider: Path<String>,
) -> Result<HttpResponse, Problem> {
    let address = client(&request, &limits);
    let wait = limits.attempts.wait_of(address, Instant::now());
    let come = match wait {
        Some(wait) => Err(too_often(wait)),
        None => come_back(app, &limits, &request, provider.into_inner()).await,
    };
    if wait.is_none() && come.as_ref().is_err_and(|problem| problem.is(Code::Unauthenticated)) {
        // Whoever came back with what nobody was sent with, or with what was refused.
        limits.attempts.fail(address, Instant::now());
    }
    come.or_else(|problem| tell(problem, &limits, &request))
}

/// A person sees the page; what was refused is told there.
fn tell(problem: Problem, limits: &Data<Limits>, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    if !wants_page(request) {
        return Err(problem);
    }
    let mut response = HttpResponse::SeeOther();
    cookies::clear_state(&mut response, limits);
    Ok(response.insert_header((LOCATION, format!("/sign-in#problem={}", problem.name()))).finish())
}

async fn come_back(
    app: Data<App>,
    limits: &Data<Limits>,
    request: &HttpRequest,
    provider: String,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(request)?;
    let (code, state, error) = (parameters.text("code"), parameters.text("state"), parameters.text("error"));
    // Providers say more than they are asked for, and that is no fault (RFC 6749, 4.1.2).
    parameters.end_but_for_unknown()?;
    if let Some(error) = error {
        let word: String = error.chars().take(64).filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        return Err(Problem::new(Code::Unauthenticated, format!("the provider refused: {word}")));
    }
    let missing = |name: &str| Problem::fault(name, "missing_parameter", "is required");
    let code = code.filter(|code| !code.is_empty()).ok_or_else(|| missing("code"))?;
    let state = state.ok_or_else(|| missing("state"))?;
    let kept = cookies::find(request.headers().get_all(COOKIE), cookies::state(limits)).unwrap_or_default().to_owned();
    let redirect = callback(request, &provider)?;
    let domains = limits.sign_up_domains.clone();
    let (turn, changes) = (journey(limits)?, Arc::clone(&limits.changes));
    let arrival = blocking::run(app, move |app| {
        let _turn = turn;
        let back = Return {
            provider: &provider,
            code: &code,
            state: &state,
            kept_state: &kept,
            redirect_uri: &redirect,
            domains: &domains,
        };
        let arrival = sign_ins::arrive(app, &back);
        changes.note();
        arrival
    })
    .await?;
    limits.attempts.forgive(client(request, limits));
    let mut response = HttpResponse::SeeOther();
    cookies::clear_state(&mut response, limits);
    if let Arrival::SignedIn(begun) = &arrival {
        cookies::set_session(&mut response, limits, begun.secret.reveal());
    }
    Ok(response.insert_header((LOCATION, "/")).insert_header((CACHE_CONTROL, "no-store")).finish())
}

fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The address that a provider leads back to: always this one, letter for letter.
fn callback(request: &HttpRequest, provider: &str) -> Result<String, Problem> {
    let base = addresses::base(request);
    let host = base.split_once("://").map_or("", |(_, host)| host);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]/".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_plain) {
        return Err(Problem::fault("Host", "invalid_value", "is no host that a provider could lead back to"));
    }
    Ok(format!("{base}/api/v1/auth/providers/{provider}/callback"))
}

/// Sends somebody to a provider; one who is signed in, to link what comes of it.
async fn send_off(
    app: Data<App>,
    limits: &Limits,
    provider: String,
    redirect: String,
    asker: Option<Asker>,
) -> Result<Departure, Problem> {
    let turn = journey(limits)?;
    blocking::run(app, move |app| {
        let _turn = turn;
        let link = asker.as_ref().map(|asker| (asker.caller(), asker.session()));
        sign_ins::depart(app, &provider, &redirect, link)
    })
    .await
}

/// Room for one who waits for a provider.
fn journey(limits: &Limits) -> Result<OwnedSemaphorePermit, Problem> {
    let room = Arc::clone(&limits.attempts.journeys).try_acquire_owned();
    room.map_err(|_| Problem::new(Code::Busy, "as many as may wait for providers at once are waiting"))
}

/// Tries a password, unless whoever asks has to wait.
async fn try_password(visit: &Visit, kind: SessionKind) -> Result<Begun, Problem> {
    Parameters::of(&visit.request)?.end()?;
    let Credentials { login, password } = bodies::read(&visit.request, &visit.body)?;
    let limits = visit.limits();
    let address = client(&visit.request, limits);
    let attempts = &limits.attempts;
    if let Some(wait) = attempts.wait(&login, address, Instant::now()) {
        return Err(too_often(wait));
    }
    attempts.begin(&login, address, Instant::now());
    let turn = Arc::clone(&attempts.turns).acquire_owned().await;
    let turn = turn.map_err(|_| Problem::new(Code::Busy, "the service ends"))?;
    let tried = login.clone();
    let begun = blocking::run(visit.app.clone(), move |app| {
        // Also when whoever asked has gone: what it takes is taken until it ends.
        let _turn = turn;
        sessions::sign_in(app, &tried, &password, kind)
    })
    .await;
    if begun.is_ok() {
        attempts.succeed(&login, address);
    }
    begun
}

pub(crate) fn too_often(wait: Duration) -> Problem {
    if let Some(context) = requests::current() {
        context.note_wait(wait);
    }
    let detail = format!("sign-in failed too often: the next attempt is taken in {} s", wait.as_secs() + 1);
    Problem::new(Code::TooManyRequests, detail)
}

pub(crate) fn client(request: &HttpRequest, limits: &Limits) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    crate::rates::bucket(limits.trusted_proxies.client(peer, request.headers()))
}

fn signed_in(limits: &Limits, begun: &Begun) -> HttpResponse {
    let secret: &Secret = &begun.secret;
    let mut response = HttpResponse::Ok();
    cookies::set_session(&mut response, limits, secret.reveal());
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.json(SignedIn {
        account: AccountView::from(&begun.account),
        csrf_token: sessions::csrf_token(secret.reveal()),
        expires_at: times::write(begun.session.expires_at),
    })
}

/// Nobody on the way keeps it.
fn secret(status: StatusCode, view: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(view)
}
