//! `/settings`: what the operator decided, to be read.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde::Serialize;
use usecases::{Known, sign_ins};
use utoipa::ToSchema;

use crate::{Access, answers::Call, parameters::Parameters, problems::Problem};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/settings/sign_in").get(sign_in));
}

/// How people sign in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInSettings {
    /// Those who vouch for people, as the operator set them up.
    providers: Vec<SetUpProvider>,
    /// Whoever comes by a provider with a verified address of these gets an account.
    #[schema(example = json!(["example.com"]))]
    sign_up_domains: Vec<String>,
    /// Where the service is reached from outside, when that was said.
    #[schema(required = true, example = "https://strata.example.com")]
    public_url: Option<String>,
    /// Whether nobody has to sign in.
    open: bool,
    /// How long a browser stays signed in.
    #[schema(example = 12)]
    session_hours: i64,
    /// How long an access token holds.
    #[schema(example = 15)]
    access_token_minutes: i64,
    /// How long after its last use a refresh token holds.
    #[schema(example = 30)]
    refresh_token_days: i64,
    /// How long a session goes on at most, however often it is renewed.
    #[schema(example = 90)]
    session_days_max: i64,
    /// How many sessions an account has at once.
    #[schema(example = 100)]
    sessions_max: usize,
    /// How long a one-time link holds.
    #[schema(example = 24)]
    link_hours: i64,
    /// In characters.
    #[schema(example = 15)]
    password_length_min: usize,
    #[schema(example = 256)]
    password_length_max: usize,
}

/// A provider, and how it is spoken to.
#[derive(Serialize, ToSchema)]
pub(crate) struct SetUpProvider {
    #[schema(example = "yandex")]
    provider: String,
    #[schema(example = "Yandex ID")]
    title: String,
    #[schema(pattern = "^(oidc|yandex)$", example = "yandex")]
    kind: &'static str,
}

/// No provider of OpenID Connect may be called so.
const YANDEX: &str = "yandex";

/// How people sign in
///
/// To be read; the operator changes it. No secrets.
#[utoipa::path(get, path = "/api/v1/settings/sign_in", tag = "accounts",
    responses((status = 200, description = "As this node started with it", body = SignInSettings)))]
pub(crate) async fn sign_in(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let limits = call.limits();
    let (open, public_url) = (limits.access == Access::Open, limits.public_url.clone());
    let sign_up_domains = limits.sign_up_domains.clone();
    call.know(move |app, caller| {
        let limits = sign_ins::limits(caller)?;
        let kind = |provider: &str| if provider == YANDEX { "yandex" } else { "oidc" };
        let view = |(provider, title): (String, String)| SetUpProvider { kind: kind(&provider), provider, title };
        let found = SignInSettings {
            providers: app.providers.list().into_iter().map(view).collect(),
            sign_up_domains,
            public_url,
            open,
            session_hours: limits.browser_hours,
            access_token_minutes: limits.access_minutes,
            refresh_token_days: limits.refresh_days,
            session_days_max: limits.session_days_max,
            sessions_max: limits.sessions_max,
            link_hours: limits.link_hours,
            password_length_min: limits.password_length_min,
            password_length_max: limits.password_length_max,
        };
        Ok(Known { found, seen: None })
    })
    .await
}
