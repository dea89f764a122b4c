//! The `Providers` port: Yandex ID by OAuth 2, and any provider of OpenID Connect. Both with PKCE (RFC 7636).
//!
//! Nothing is remembered between two sign-ins: what a provider says of itself and its keys are asked anew each time, so that
//! keys it replaced are known at once.

mod http;
mod oidc;
mod yandex;

use domain::Instant;
use oauth2::{
    RequestTokenError,
    basic::{BasicErrorResponse, BasicErrorResponseType},
};
use usecases::ports::{Journey, Proven, ProviderError, Providers};

pub use oidc::OidcOptions;
pub use yandex::YandexOptions;

use http::{Http, NoAnswer};

/// Which providers there are.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub yandex: Option<YandexOptions>,
    pub oidc: Option<OidcOptions>,
}

/// Those that the operator set up.
///
/// The HTTP client lives for one call: it must be made and dropped where a thread may block, and sign-ins are rare.
pub struct SetUpProviders(Options);

impl SetUpProviders {
    pub fn new(options: Options) -> SetUpProviders {
        SetUpProviders(options)
    }
}

impl Providers for SetUpProviders {
    fn list(&self) -> Vec<(String, String)> {
        let yandex = self.0.yandex.as_ref().map(|_| (yandex::NAME.to_owned(), yandex::TITLE.to_owned()));
        let oidc = self.0.oidc.as_ref().map(|options| (options.name.clone(), options.title.clone()));
        yandex.into_iter().chain(oidc).collect()
    }

    fn address(&self, provider: &str, journey: &Journey) -> Result<String, ProviderError> {
        match &self.0 {
            Options { yandex: Some(options), .. } if provider == yandex::NAME => yandex::address(options, journey),
            Options { oidc: Some(options), .. } if provider == options.name => {
                oidc::address(options, &Http::new()?, journey)
            }
            _ => Err(ProviderError::Unknown(provider.to_owned())),
        }
    }

    fn redeem(&self, provider: &str, code: &str, journey: &Journey, now: Instant) -> Result<Proven, ProviderError> {
        match &self.0 {
            Options { yandex: Some(options), .. } if provider == yandex::NAME => {
                yandex::redeem(options, &Http::new()?, code, journey)
            }
            Options { oidc: Some(options), .. } if provider == options.name => {
                oidc::redeem(options, &Http::new()?, code, journey, now)
            }
            _ => Err(ProviderError::Unknown(provider.to_owned())),
        }
    }
}

/// A code that is not taken is refused; that this service is not taken for the client it says is the operator's to mend.
fn no_token(error: RequestTokenError<NoAnswer, BasicErrorResponse>) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(said)
            if !matches!(
                said.error(),
                BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient
            ) =>
        {
            ProviderError::Refused(format!("the provider took no such code: {said}"))
        }
        other => failed(&other),
    }
}

/// The provider's own fault, or that of the way to it, is told apart from what it refuses.
fn failed(error: &dyn std::error::Error) -> ProviderError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    ProviderError::Unavailable(text)
}
