//! Any provider of OpenID Connect, by its discovery document (OpenID Connect Discovery 1.0).

use std::fmt;

use chrono::TimeDelta;
use domain::Instant;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims},
};
use usecases::ports::{Journey, Proven, ProviderError};

use crate::{
    failed,
    http::{Http, NoAnswer},
    no_token,
};

/// How far its clock may be from ours.
const LEEWAY_S: i64 = 60;
/// How long ago it may have written what it says.
const AGE_MAX_S: i64 = 10 * 60;

#[derive(Clone)]
pub struct OidcOptions {
    /// Its name in addresses and identities.
    pub name: String,
    /// What people call it.
    pub title: String,
    pub issuer: String,
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<String>,
    /// Beside `openid`.
    pub scopes: Vec<String>,
}

impl fmt::Debug for OidcOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcOptions({}, {})", self.name, self.issuer)
    }
}

pub(crate) fn address(options: &OidcOptions, http: &Http, journey: &Journey) -> Result<String, ProviderError> {
    let client = CoreClient::from_provider_metadata(
        discover(options, http)?,
        ClientId::new(options.client_id.clone()),
        options.client_secret.clone().map(ClientSecret::new),
    );
    let (state, nonce) = (journey.state.clone(), journey.nonce.clone());
    let verifier = PkceCodeVerifier::new(journey.verifier.clone());
    let client = client.set_redirect_uri(redirect(journey)?);
    let request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
        .add_scopes(options.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    let (address, ..) = request.url();
    Ok(address.to_string())
}

pub(crate) fn redeem(
    options: &OidcOptions,
    http: &Http,
    code: &str,
    journey: &Journey,
    now: Instant,
) -> Result<Proven, ProviderError> {
    let client = CoreClient::from_provider_metadata(
        discover(options, http)?,
        ClientId::new(options.client_id.clone()),
        options.client_secret.clone().map(ClientSecret::new),
    );
    let client = client.set_redirect_uri(redirect(journey)?);
    let answer = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|error| failed(&error))?
        .set_pkce_verifier(PkceCodeVerifier::new(journey.verifier.clone()))
        .request(http)
        .map_err(no_token)?;
    let token = answer.id_token().ok_or_else(|| refused("the provider gave no ID token"))?;
    // Its clock may go a little behind or before ours.
    let verifier = client
        .id_token_verifier()
        .set_time_fn(move || now - TimeDelta::seconds(LEEWAY_S))
        .set_issue_time_verifier_fn(move |issued_at| {
            let age = (now - issued_at).num_seconds();
            if (-LEEWAY_S..=AGE_MAX_S).contains(&age) { Ok(()) } else { Err(format!("issued {age} s ago")) }
        });
    let claims = token
        .claims(&verifier, &Nonce::new(journey.nonce.clone()))
        .map_err(|error| refused(format!("the provider's ID token does not hold: {error}")))?;
    let verified = |email: Option<String>, is_verified: Option<bool>| email.filter(|_| is_verified == Some(true));
    let mut email = verified(claims.email().map(|email| email.to_string()), claims.email_verified());
    if email.is_none()
        && let Ok(request) = client.user_info(answer.access_token().to_owned(), Some(claims.subject().clone()))
    {
        let said: Result<CoreUserInfoClaims, _> = request.request(http);
        // Who it is was proved already; without an address nobody is signed up, and nothing else is missed.
        if let Ok(said) = said {
            email = verified(said.email().map(|email| email.to_string()), said.email_verified());
        }
    }
    Ok(Proven { subject: claims.subject().to_string(), email })
}

fn discover(options: &OidcOptions, http: &Http) -> Result<CoreProviderMetadata, ProviderError> {
    let issuer = IssuerUrl::new(options.issuer.clone()).map_err(|error| failed(&error))?;
    // Also makes sure that the document is this issuer's own.
    CoreProviderMetadata::discover(&issuer, http).map_err(|error: DiscoveryError<NoAnswer>| failed(&error))
}

fn redirect(journey: &Journey) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(journey.redirect_uri.clone()).map_err(|error| failed(&error))
}

fn refused(why: impl Into<String>) -> ProviderError {
    ProviderError::Refused(why.into())
}
