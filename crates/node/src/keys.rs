//! Keys in files of the participant's directory: made once, read at each start, never printed.

use crate::ports::{SignError, Signer, random};
use identity::key::{Algorithm, PublicKey, Signature};
use identity::x509::{Certificate, read_pem, render_pem};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use std::fs;
use std::io::Write;
use std::path::Path;
use tlog::key::KeyName;

/// A P-256 key from a PEM file (PKCS #8).
pub struct SealKey(SigningKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(kept)")
    }
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> SignError {
    SignError(format!("`{}`: {why}", path.display()))
}

/// Writes a file that nobody else may read; one that is there stays.
pub fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl SealKey {
    /// Reads the key, or makes it when there is no such file.
    pub fn open_or_make(path: &Path) -> Result<Self, SignError> {
        if !path.exists() {
            let key = loop {
                // Nearly every 32 bytes are a key; those that are not are drawn again.
                if let Ok(key) = SigningKey::from_slice(&random::<32>()?) {
                    break key;
                }
            };
            let der = p256::SecretKey::from(&key).to_pkcs8_der().map_err(|e| wrong(path, e))?;
            write_secret(path, render_pem("PRIVATE KEY", der.as_bytes()).as_bytes())
                .map_err(|e| wrong(path, e))?;
        }
        Self::open(path)
    }

    /// Reads the key.
    pub fn open(path: &Path) -> Result<Self, SignError> {
        let der = private_der(path)?;
        p256::SecretKey::from_pkcs8_der(&der)
            .map(|key| Self(SigningKey::from(&key)))
            .map_err(|e| wrong(path, e))
    }

    /// Its public half.
    pub fn public(&self) -> Result<PublicKey, SignError> {
        PublicKey::p256(self.0.verifying_key().to_sec1_point(false).as_bytes())
            .map_err(|e| SignError(e.to_string()))
    }

    /// Signs.
    pub fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        let signature: p256::ecdsa::Signature =
            self.0.try_sign(bytes).map_err(|e| SignError(e.to_string()))?;
        Signature::from_bytes(Algorithm::Es256, &signature.to_bytes())
            .ok_or_else(|| SignError("no signature".into()))
    }
}

/// The PKCS #8 bytes of a PEM file, as a TLS library takes them.
pub fn private_der(path: &Path) -> Result<Vec<u8>, SignError> {
    let text = fs::read_to_string(path).map_err(|e| wrong(path, e))?;
    let found = read_pem(&text, "PRIVATE KEY").map_err(|e| wrong(path, e))?;
    found.into_iter().next().ok_or_else(|| wrong(path, "holds no private key"))
}

/// Reads a seed of 32 bytes in hex, or makes it when there is no such file.
pub fn seed(path: &Path) -> Result<[u8; 32], SignError> {
    if !path.exists() {
        let text = format!("{}\n", model::Digest(random()?));
        write_secret(path, text.as_bytes()).map_err(|e| wrong(path, e))?;
    }
    let text = fs::read_to_string(path).map_err(|e| wrong(path, e))?;
    text.trim().parse::<model::Digest>().map(|d| d.0).map_err(|_| wrong(path, "is not 64 hex digits"))
}

/// The keys of a node: a seal with its certificate, and a log.
#[derive(Debug)]
pub struct FileSigner {
    certificate: Certificate,
    key: SealKey,
    log: tlog::note::Signer,
}

impl FileSigner {
    /// Reads certificate and keys; the certificate must be of this key.
    pub fn open(certificate: &Path, key: &Path, origin: &str, log_seed: &Path) -> Result<Self, SignError> {
        let text = fs::read_to_string(certificate).map_err(|e| wrong(certificate, e))?;
        let mut chain = Certificate::from_pem(&text).map_err(|e| wrong(certificate, e))?;
        if chain.is_empty() {
            return Err(wrong(certificate, "holds no certificate"));
        }
        let seal = SealKey::open(key)?;
        let first = chain.swap_remove(0);
        if first.key() != Some(&seal.public()?) {
            return Err(wrong(certificate, "is of another key"));
        }
        let origin = KeyName::parse(origin).map_err(|e| SignError(e.to_string()))?;
        Ok(Self { certificate: first, key: seal, log: tlog::note::Signer::new(origin, &seed(log_seed)?) })
    }
}

impl Signer for FileSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn seal(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        self.key.sign(bytes)
    }

    fn log(&self) -> &tlog::note::Signer {
        &self.log
    }
}
