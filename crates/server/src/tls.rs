//! TLS: the certificate that the service shows, read again when its files changed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Failure;

/// How often it is looked whether the files changed: whoever renews certificates need not restart anything.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The two files, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// The certificate, and those that lead to one which clients know.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Shows what the files held when they were last read and fitted together.
#[derive(Debug)]
struct Shown {
    files: TlsFiles,
    certified: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.certified.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// TLS 1.2 and 1.3. Files that change later are followed until the process ends; what cannot be used is told, and the certificate
/// before it goes on being shown.
pub(crate) fn config(files: &TlsFiles) -> Result<ServerConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let mut written_at = times(files);
    let certified = read(files, &provider).map_err(Failure)?;
    let shown = Arc::new(Shown { files: files.clone(), certified: RwLock::new(Arc::new(certified)) });
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure(format!("TLS: {error}")))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Shown>::clone(&shown));
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = times(&shown.files);
            if now != written_at {
                written_at = now;
                follow(&shown, &provider);
            }
        }
    });
    Ok(config)
}

fn follow(shown: &Shown, provider: &CryptoProvider) {
    match read(&shown.files, provider) {
        Ok(certified) => {
            *shown.certified.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
            log::info!("TLS: the certificate was read again");
        }
        Err(error) => log::warn!("TLS: the certificate before is still shown: {error}"),
    }
}

fn times(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| path.metadata().and_then(|facts| facts.modified()).ok())
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let of_certificate = |error| told(&files.certificate, &error);
    let chain: Vec<CertificateDer> =
        CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect).map_err(of_certificate)?;
    if chain.is_empty() {
        return Err(told(&files.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| told(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| told(&files.key, &error))
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;

    use super::*;

    #[test]
    fn what_cannot_be_used_leaves_the_certificate_before() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        let files = TlsFiles { certificate, key };
        let write = || {
            let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(&files.certificate, made.cert.pem()).unwrap();
            std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
            made.cert.der().clone()
        };
        let provider = ring::default_provider();
        let first = write();
        let certified = RwLock::new(Arc::new(read(&files, &provider).unwrap()));
        let shown = Shown { files: files.clone(), certified };
        let shows = |certificate: &CertificateDer| shown.certified.read().unwrap().cert[0] == *certificate;
        assert!(shows(&first));
        std::fs::write(&files.key, "nonsense").unwrap();
        follow(&shown, &provider);
        assert!(shows(&first));
        std::fs::remove_file(&files.certificate).unwrap();
        follow(&shown, &provider);
        assert!(shows(&first));
        let second = write();
        follow(&shown, &provider);
        assert!(shows(&second) && !shows(&first));
    }
}
