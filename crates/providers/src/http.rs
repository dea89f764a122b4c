//! Requests to providers: bounded in time and bytes, and never led elsewhere.

use std::{
    fmt,
    io::{self, Read},
    time::Duration,
};

use openidconnect::{
    HttpRequest, HttpResponse, SyncHttpClient,
    http::{StatusCode, header::CONTENT_TYPE},
};
use reqwest::{
    blocking::{Client, Request},
    redirect::Policy,
};
use usecases::ports::ProviderError;

use crate::failed;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// No answer of a provider is as long.
const BYTES_MAX: u64 = 1 << 20;

#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
}

/// No usable answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer(String);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoAnswer {}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> NoAnswer {
        // The address may hold a code.
        NoAnswer(error.without_url().to_string())
    }
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> NoAnswer {
        NoAnswer(error.to_string())
    }
}

impl Http {
    pub(crate) fn new() -> Result<Http, ProviderError> {
        // The client has no cryptography of its own; the choice may be made already.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        // Whoever follows redirects can be led to addresses of the inner network.
        let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        Ok(Http { client: client.build().map_err(|error| failed(&error))? })
    }
}

impl SyncHttpClient for Http {
    type Error = NoAnswer;

    /// A status of 500 or above is no answer: whatever comes with it, the provider has failed.
    fn call(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let answer = self.client.execute(Request::try_from(request)?)?;
        let (status, kind) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
        if status.is_server_error() {
            return Err(NoAnswer(format!("it answered {status}")));
        }
        let mut body = Vec::new();
        answer.take(BYTES_MAX + 1).read_to_end(&mut body)?;
        if body.len() as u64 > BYTES_MAX {
            return Err(NoAnswer(format!("its answer has more than {BYTES_MAX} bytes")));
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        if let Some(kind) = kind {
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Ok(response)
    }
}
