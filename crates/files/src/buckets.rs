//! Objects in a bucket, and how S3 is reached.

use std::{future::Future, io, sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector},
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path,
};

use crate::{
    S3Options,
    addresses::{self, Transport},
    failures, invalid,
    keys::{Key, Prefix},
    runtimes::Runtime,
};

/// No attempt begins later than `RETRY_FOR` and one pause after the first, and none lasts longer than `ANSWER_WITHIN`:
/// a request is over within 15 seconds.
const RETRY_FOR: Duration = Duration::from_secs(4);
const PAUSE_MAX: Duration = Duration::from_millis(500);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const RETRIES_MAX: usize = 3;

/// Signatures name a region, also where nobody cares.
const ANY_REGION: &str = "us-east-1";

pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    name: String,
    prefix: String,
    secrets: [String; 2],
    runtime: Runtime,
}

impl Bucket {
    pub(crate) fn new(name: String, prefix: String, options: &S3Options) -> io::Result<Bucket> {
        let (Some(key_id), Some(secret)) = (filled(&options.access_key_id), filled(&options.secret_access_key)) else {
            return Err(invalid("S3 needs an access key id and a secret access key"));
        };
        let endpoint = filled(&options.endpoint);
        let transport = endpoint.map_or(Ok(Transport::Tls), addresses::transport).map_err(invalid)?;
        let region = match (filled(&options.region), endpoint) {
            (Some(region), _) => region,
            (None, Some(_)) => ANY_REGION,
            (None, None) => return Err(invalid("S3 needs a region or an endpoint")),
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&name)
            .with_region(region)
            .with_access_key_id(key_id)
            .with_secret_access_key(secret)
            .with_allow_http(transport == Transport::Plain)
            .with_retry(retries())
            .with_http_connector(Connector(transport));
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let secrets = [secret.to_owned(), key_id.to_owned()];
        let store = builder.build().map_err(|error| failures::translated(&format!("s3://{name}"), &error, &secrets))?;
        Ok(Bucket { store: Arc::new(store), name, prefix, secrets, runtime: Runtime::start()? })
    }

    pub(crate) fn store(&self) -> Arc<AmazonS3> {
        self.store.clone()
    }

    pub(crate) fn path(&self, key: Key) -> Path {
        Path::from(format!("{}{}", self.prefix, key.as_str()))
    }

    pub(crate) fn delete(&self, prefix: Prefix) -> io::Result<()> {
        let (Prefix::At(key) | Prefix::Below(key)) = prefix;
        let path = self.path(key);
        let (store, at) = (self.store(), path.clone());
        let only_below = matches!(prefix, Prefix::Below(_));
        self.wait(&path, async move {
            if !only_below && has_object(&store, &at).await? {
                absent_is_fine(store.delete(&at).await)?;
            }
            // A listing goes by whole segments.
            let below = store.list(Some(&at)).map_ok(|object| object.location).boxed();
            let mut deleted = store.delete_stream(below);
            while let Some(one) = deleted.next().await {
                absent_is_fine(one.map(drop))?;
            }
            Ok(())
        })
    }

    pub(crate) fn join<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        self.runtime.join(work)
    }

    pub(crate) fn wait<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        self.join(work)?.map_err(|error| self.failure(path, &error))
    }

    pub(crate) fn failure(&self, path: &Path, error: &object_store::Error) -> io::Error {
        failures::translated(&format!("s3://{}/{path}", self.name), error, &self.secrets)
    }
}

/// What stands empty in a file of settings was not given.
fn filled(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

/// Asks by a listing, in which S3 sorts a key before the longer ones that begin with it. A service that keeps objects
/// in folders fails, or lies, when it is asked to delete or describe what is one of its folders.
async fn has_object(store: &AmazonS3, path: &Path) -> object_store::Result<bool> {
    let first = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
    let page = store.list_paginated(Some(path.as_ref()), first).await?;
    Ok(page.result.objects.first().is_some_and(|object| object.location == *path))
}

/// Others may delete the same at once.
fn absent_is_fine(deleted: object_store::Result<()>) -> object_store::Result<()> {
    match deleted {
        Err(error) if failures::is_absent(&error) => Ok(()),
        deleted => deleted,
    }
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: PAUSE_MAX, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: RETRY_FOR }
}

/// Makes a client that, unlike object_store's own, asks no environment for proxies, and needs certificates only for TLS.
#[derive(Debug)]
struct Connector(Transport);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        // Whoever came first chose a provider for the whole process, which will do as well.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(ANSWER_WITHIN);
        let builder = match self.0 {
            Transport::Plain => builder.tls_certs_only([]),
            Transport::Tls => builder.https_only(true),
        };
        let client =
            builder.build().map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(HttpClient::new(client))
    }
}
