//! TLS as this program speaks it to others: by the certificates that this machine trusts, or those in `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`.

use rustls::{ClientConfig, Error, RootCertStore, crypto::ring};
use std::sync::Arc;

/// Trusts what this machine trusts. Where that is nothing, every call fails, and that is said here.
pub fn trusting() -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let trusted = rustls_native_certs::load_native_certs();
    let (taken, _) = roots.add_parsable_certificates(trusted.certs);
    if taken == 0 {
        tracing::warn!(
            "this machine trusts no certificates: nothing can be called by https; install ca-certificates"
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(config.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
