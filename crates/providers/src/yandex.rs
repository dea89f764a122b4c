//! Yandex ID: OAuth 2 with PKCE, and a question who it is (yandex.com/dev/id/doc).

use std::fmt;

use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, SyncHttpClient, TokenResponse, TokenUrl,
    basic::BasicClient,
    http::{
        Method,
        header::{ACCEPT, AUTHORIZATION, HeaderValue},
    },
};
use serde::Deserialize;
use usecases::ports::{Journey, Proven, ProviderError};

use crate::{failed, http::Http, no_token};

pub(crate) const NAME: &str = "yandex";
pub(crate) const TITLE: &str = "Yandex ID";

/// Knows where to sign in and where to get tokens.
type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

#[derive(Clone)]
pub struct YandexOptions {
    pub client_id: String,
    pub client_secret: String,
    /// Where to sign in and to get tokens, without a slash at the end.
    pub oauth_url: String,
    /// Where to ask who it is, without a slash at the end.
    pub login_url: String,
}

impl fmt::Debug for YandexOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "YandexOptions({})", self.client_id)
    }
}

/// What Yandex tells of somebody; there is more.
#[derive(Deserialize)]
struct Person {
    /// The same for good, whatever happens to the address.
    id: String,
    default_email: Option<String>,
}

pub(crate) fn address(options: &YandexOptions, journey: &Journey) -> Result<String, ProviderError> {
    let state = journey.state.clone();
    let verifier = PkceCodeVerifier::new(journey.verifier.clone());
    let client = client(options, journey)?;
    let request = client
        .authorize_url(|| CsrfToken::new(state))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    Ok(request.url().0.to_string())
}

pub(crate) fn redeem(
    options: &YandexOptions,
    http: &Http,
    code: &str,
    journey: &Journey,
) -> Result<Proven, ProviderError> {
    let answer = client(options, journey)?
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(journey.verifier.clone()))
        .request(http)
        .map_err(no_token)?;
    let mut request = HttpRequest::new(Vec::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = format!("{}/info?format=json", options.login_url)
        .parse()
        .map_err(|error: oauth2::http::uri::InvalidUri| failed(&error))?;
    let mut proof =
        HeaderValue::try_from(format!("OAuth {}", answer.access_token().secret())).map_err(|error| failed(&error))?;
    proof.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, proof);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let said = http.call(request).map_err(|error| failed(&error))?;
    if !said.status().is_success() {
        return Err(ProviderError::Refused(format!("the provider does not say who it is: {}", said.status())));
    }
    let person: Person = serde_json::from_slice(said.body()).map_err(|error| failed(&error))?;
    Ok(Proven { subject: person.id, email: person.default_email })
}

fn client(options: &YandexOptions, journey: &Journey) -> Result<Client, ProviderError> {
    let address = |path: &str| format!("{}/{path}", options.oauth_url);
    Ok(BasicClient::new(ClientId::new(options.client_id.clone()))
        .set_client_secret(ClientSecret::new(options.client_secret.clone()))
        .set_auth_uri(AuthUrl::new(address("authorize")).map_err(|error| failed(&error))?)
        .set_token_uri(TokenUrl::new(address("token")).map_err(|error| failed(&error))?)
        .set_redirect_uri(RedirectUrl::new(journey.redirect_uri.clone()).map_err(|error| failed(&error))?))
}
