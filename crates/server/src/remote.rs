//! A server that runs elsewhere, reached over HTTP.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};

use crate::{Failure, settings};

pub(crate) struct Remote {
    pub(crate) client: Client,
    /// Without a slash at the end.
    pub(crate) base: String,
    token: Option<String>,
}

impl Remote {
    /// What proves to the server who asks comes from the environment: others on the machine read command lines.
    pub(crate) fn new(server: &str) -> Result<Remote, Failure> {
        // The client has no cryptography of its own; the choice may be made already.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(None).connect_timeout(Duration::from_secs(10)).build();
        let client = client.map_err(|error| Failure(format!("no HTTP client: {error}")))?;
        let base = server.trim_end_matches('/').to_owned();
        if !(base.starts_with("http://") || base.starts_with("https://")) {
            return Err(Failure(format!("`{base}` does not begin with http:// or https://")));
        }
        Ok(Remote { client, base, token: std::env::var(settings::TOKEN).ok() })
    }

    pub(crate) fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}
