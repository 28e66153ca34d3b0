//! On which terms a carrier goes: whom it believes, who it is itself, which addresses it may call, how long it waits.

use super::reach::Reach;
use crate::tls::{TlsError, provider, read_anchors, read_identity, read_lists};
use rustls::ClientConfig;
use rustls::client::{Resumption, WebPkiServerVerifier};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a message may take and how large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// LIMIT: the time to resolve a name, connect and shake hands.
    pub connect: Duration,
    /// LIMIT: the time from then until the head of the answer is here.
    pub first_byte: Duration,
    /// LIMIT: the time from then until its body is here.
    pub body: Duration,
    /// LIMIT: bytes of the answer's head.
    pub head_bytes_max: usize,
    /// LIMIT: headers of the answer.
    pub headers_max: usize,
    /// LIMIT: how long a connection is kept unused; shorter than servers keep it.
    pub idle: Duration,
    /// How often files are looked at for a change.
    pub look_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            body: Duration::from_secs(60),
            head_bytes_max: 32 << 10,
            headers_max: 64,
            idle: Duration::from_secs(5),
            look_every: Duration::from_millis(500),
        }
    }
}

/// Whom a carrier believes, who it is itself, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// PEM file of the certificates at which peers' paths end; nothing else is trusted.
    pub anchors: PathBuf,
    /// PEM file of revocation lists by which peers' certificates are judged.
    pub revoked: Option<PathBuf>,
    /// PEM files of our own certificate and its key, shown to peers that ask.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Which addresses may be called.
    pub reach: Reach,
    /// Whether `http` is spoken too, with loopback alone: for the test identity.
    pub clear_on_loopback: bool,
    /// Times and sizes.
    pub limits: Limits,
}

impl Terms {
    /// Believes these anchors, goes outside alone, shows no certificate.
    pub fn new(anchors: impl Into<PathBuf>) -> Self {
        let reach = Reach::Outside { also: Vec::new() };
        let limits = Limits::default();
        Self { anchors: anchors.into(), revoked: None, identity: None, reach, clear_on_loopback: false, limits }
    }

    /// Speaks `http` with loopback too.
    pub fn clear_on_loopback(self) -> Self {
        Self { clear_on_loopback: true, ..self }
    }

    /// Shows this certificate, whose key is in the second file.
    pub fn showing(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { identity: Some((certificate.into(), key.into())), ..self }
    }

    /// Goes where this says.
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Waits and reads as this says.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let own = self.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        [&self.anchors].into_iter().chain(&self.revoked).chain(own).cloned().collect()
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let wrong = |e: &dyn fmt::Display| TlsError::unusable(&self.anchors, e);
        let verifier = WebPkiServerVerifier::builder_with_provider(read_anchors(&self.anchors)?, provider())
            .with_crls(read_lists(self.revoked.as_deref())?)
            .only_check_end_entity_revocation()
            .build()
            .map_err(|e| wrong(&e))?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| wrong(&e))?
            .with_webpki_verifier(verifier);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let (chain, private) = read_identity(certificate, key)?;
                builder
                    .with_client_auth_cert(chain, private)
                    .map_err(|e| TlsError::unusable(certificate, e))?
            }
        };
        // A resumed session would skip the look at the certificate, and with it a revocation.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
