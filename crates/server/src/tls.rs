//! TLS for what the server asks of others: which authorities are trusted.
//!
//! Those of the machine, which a company's own may be among, and those of a file that whoever starts the server names.
//! Nothing turns the check of certificates off.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use stepwell_protocol::blob_bytes;

/// How connections are secured. Read when the first one is made.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// Authorities to trust beside those of the machine, as PEM.
    bundle: Option<PathBuf>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    pub(crate) fn new(bundle: Option<PathBuf>) -> Tls {
        Tls { bundle, config: OnceLock::new() }
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| self.read()).clone()
    }

    /// What trusts one authority alone: PEM in base64, as EKS describes its clusters.
    pub(crate) fn trusting(authority: &str) -> Result<Arc<ClientConfig>, String> {
        let unusable = |fault: &dyn std::fmt::Display| format!("CertificateAuthority cannot be used: {fault}");
        let pem = blob_bytes(authority).ok_or_else(|| unusable(&"it is not base64"))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.map_err(|fault| unusable(&fault))?).map_err(|fault| unusable(&fault))?;
        }
        match roots.is_empty() {
            true => Err(unusable(&"it has no certificate")),
            false => configured(roots),
        }
    }

    fn read(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        let machine = rustls_native_certs::load_native_certs();
        for fault in &machine.errors {
            tracing::warn!(%fault, "an authority of this machine cannot be read");
        }
        // What the machine has and this library cannot read is of no use to it.
        roots.add_parsable_certificates(machine.certs);
        if let Some(bundle) = &self.bundle {
            let unusable = |fault: &dyn std::fmt::Display| format!("{} cannot be used: {fault}", bundle.display());
            let certificates = CertificateDer::pem_file_iter(bundle).map_err(|fault| unusable(&fault))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|fault| unusable(&fault))?;
                roots.add(certificate).map_err(|fault| unusable(&fault))?;
            }
        }
        if roots.is_empty() {
            return Err("no authority is trusted: install certificates, or name a file with --ca-bundle".to_owned());
        }
        configured(roots)
    }
}

fn configured(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| fault.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_is_refused() {
        for (authority, says) in
            [("?", "it is not base64"), ("", "it has no certificate"), ("AAAA", "it has no certificate")]
        {
            let fault = Tls::trusting(authority).expect_err("no authority");
            assert!(fault.starts_with("CertificateAuthority cannot be used: ") && fault.contains(says), "{fault}");
        }
    }

    #[test]
    fn a_bundle_that_is_none_is_named() {
        let check = |text: Option<&str>, says: &str| {
            let path = std::env::temp_dir().join(format!("stepwell-{}-{}.pem", std::process::id(), says.len()));
            let _ = std::fs::remove_file(&path);
            if let Some(text) = text {
                std::fs::write(&path, text).expect("a file");
            }
            let fault = Tls::new(Some(path.clone())).config().expect_err("no bundle");
            assert!(fault.contains(&path.display().to_string()) && fault.contains("cannot be used"), "{fault}");
            let _ = std::fs::remove_file(path);
        };
        check(None, "missing");
        check(Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "no certificate");
    }
}
