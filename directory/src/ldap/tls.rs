//! TLS: 1.2 or newer, with a certificate that the admin's authorities, or the system's, signed for
//! the host in the URI.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where distributions keep the authorities that the system trusts. No variable moves it.
const SYSTEM: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// What to believe: the authorities in `ca_file` and no others, or the system's.
///
/// # Errors
/// There are none, or the file can't be believed.
pub fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    match ca_file {
        Some(path) => {
            let text = crate::trusted::read(path).map_err(|error| error.to_string())?;
            believing(&path.display().to_string(), text.as_bytes())
        }
        None => system(),
    }
}

/// Believe the authorities whose certificates are in `text` (PEM), and no others; `name` is for
/// messages.
///
/// # Errors
/// There are none.
pub fn believing(name: &str, text: &[u8]) -> Result<Arc<ClientConfig>, String> {
    // The provider is named here, so that a second one in the program could not make a choice of
    // its own.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(authorities(name, text)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn system() -> Result<Arc<ClientConfig>, String> {
    for path in SYSTEM {
        match std::fs::read(path) {
            Ok(text) => return believing(path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    Err("the system has no file of authorities; install ca-certificates or set `ca_file`".into())
}

fn authorities(name: &str, text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|error| format!("{name}: {error}"))?;
        // The system's file can hold a certificate that no chain can end in; the others count.
        let _ = roots.add(certificate);
    }
    match roots.is_empty() {
        true => Err(format!("{name} holds no certificate of an authority")),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_authorities_is_refused() {
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n"] {
            assert!(authorities("f", text.as_bytes()).is_err(), "{text}");
        }
    }
}
