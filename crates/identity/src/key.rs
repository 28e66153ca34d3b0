//! Public keys and signatures of the two kinds used everywhere here: ECDSA on P-256 with SHA-256, and Ed25519.
//!
//! No private key ever enters: whoever holds one signs the bytes that a draft gives and hands the signature back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::asn1::{DerError, Reader, oid, tag, write};

/// RFC 7518 and RFC 8037: the signature algorithms that are known; every other is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA with Ed25519.
    EdDsa,
}

impl Algorithm {
    /// RFC 7518 section 3.1: the name in a JOSE header.
    pub fn jose(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Finds the algorithm of a JOSE name.
    pub fn from_jose(name: &str) -> Option<Algorithm> {
        [Algorithm::Es256, Algorithm::EdDsa].into_iter().find(|algorithm| algorithm.jose() == name)
    }

    /// RFC 5758 and RFC 8410: the AlgorithmIdentifier of a signature.
    pub fn to_der(self) -> Vec<u8> {
        write::sequence(&[&write::oid(match self {
            Algorithm::Es256 => &oid::ECDSA_SHA256,
            Algorithm::EdDsa => &oid::ED25519,
        })])
    }

    /// Reads the AlgorithmIdentifier of a signature; `None` when it is one that is not known here.
    pub fn from_der(identifier: &[u8]) -> Option<Algorithm> {
        [Algorithm::Es256, Algorithm::EdDsa].into_iter().find(|algorithm| algorithm.to_der() == identifier)
    }
}

/// A signature, in the fixed 64-byte form of JOSE (`r ‖ s`, or that of Ed25519).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Signature {
    /// RFC 7518 section 3.4: an ECDSA P-256 signature as `r ‖ s`.
    pub fn es256(bytes: [u8; 64]) -> Signature {
        Signature { algorithm: Algorithm::Es256, bytes }
    }

    /// RFC 8032: an Ed25519 signature.
    pub fn ed_dsa(bytes: [u8; 64]) -> Signature {
        Signature { algorithm: Algorithm::EdDsa, bytes }
    }

    /// Reads the fixed form.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Signature> {
        Some(Signature { algorithm, bytes: bytes.try_into().ok()? })
    }

    /// Reads the form used in X.509 and CMS.
    pub fn from_der(algorithm: Algorithm, bytes: &[u8]) -> Option<Signature> {
        match algorithm {
            Algorithm::Es256 => {
                let parsed = p256::ecdsa::Signature::from_der(bytes).ok()?;
                Signature::from_bytes(algorithm, &parsed.to_bytes())
            }
            Algorithm::EdDsa => Signature::from_bytes(algorithm, bytes),
        }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The fixed form.
    pub fn bytes(&self) -> &[u8; 64] {
        &self.bytes
    }

    /// RFC 3279 section 2.2.3 and RFC 8410: the form used in X.509 and CMS.
    pub fn to_der(&self) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Es256 => {
                let (r, s) = self.bytes.split_at(32);
                write::sequence(&[&write::unsigned(r), &write::unsigned(s)])
            }
            Algorithm::EdDsa => self.bytes.to_vec(),
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}, {})", self.algorithm.jose(), URL_SAFE_NO_PAD.encode(self.bytes))
    }
}

/// A key is of a kind that is not known here, or is not a point of its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKey;

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the public key is neither a P-256 nor an Ed25519 key")
    }
}

impl std::error::Error for UnknownKey {}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Point {
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

/// A public key that is known to lie on its curve.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(Point);

impl PublicKey {
    /// SEC 1 section 2.3.3: a P-256 key as a compressed or uncompressed point.
    pub fn p256(point: &[u8]) -> Result<PublicKey, UnknownKey> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| UnknownKey)?;
        let point = key.to_sec1_point(false);
        point.as_bytes().try_into().map(|bytes| PublicKey(Point::P256(bytes))).map_err(|_| UnknownKey)
    }

    /// RFC 8032: an Ed25519 key.
    pub fn ed25519(bytes: &[u8; 32]) -> Result<PublicKey, UnknownKey> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| UnknownKey)?;
        if key.is_weak() {
            return Err(UnknownKey);
        }
        Ok(PublicKey(Point::Ed25519(*bytes)))
    }

    /// The algorithm that this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Point::P256(_) => Algorithm::Es256,
            Point::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// The bytes of the key: an uncompressed SEC 1 point, or the 32 bytes of Ed25519.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Point::P256(bytes) => bytes,
            Point::Ed25519(bytes) => bytes,
        }
    }

    /// RFC 5480 and RFC 8410: the SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Vec<u8> {
        let algorithm = match self.0 {
            Point::P256(_) => {
                write::sequence(&[&write::oid(&oid::EC_PUBLIC_KEY), &write::oid(&oid::PRIME256V1)])
            }
            Point::Ed25519(_) => write::sequence(&[&write::oid(&oid::ED25519)]),
        };
        write::sequence(&[&algorithm, &write::bits(self.bytes())])
    }

    /// Reads a SubjectPublicKeyInfo; the inner result says whether the key is of a kind known here.
    pub fn from_spki(bytes: &[u8]) -> Result<Result<PublicKey, UnknownKey>, DerError> {
        let mut inside = Reader::only(bytes, tag::SEQUENCE)?.inside();
        let algorithm = inside.take(tag::SEQUENCE)?;
        let key = inside.take(tag::BIT_STRING)?.whole_bits()?;
        inside.end()?;
        let p256 = write::sequence(&[&write::oid(&oid::EC_PUBLIC_KEY), &write::oid(&oid::PRIME256V1)]);
        let ed25519 = write::sequence(&[&write::oid(&oid::ED25519)]);
        Ok(if algorithm.raw == p256 {
            PublicKey::p256(key)
        } else if algorithm.raw == ed25519 {
            key.try_into().map_err(|_| UnknownKey).and_then(PublicKey::ed25519)
        } else {
            Err(UnknownKey)
        })
    }

    /// RFC 7517: the key as a JSON Web Key.
    pub fn to_jwk(&self) -> Value {
        match &self.0 {
            Point::P256(bytes) => json!({
                "kty": "EC",
                "crv": "P-256",
                "x": URL_SAFE_NO_PAD.encode(&bytes[1..33]),
                "y": URL_SAFE_NO_PAD.encode(&bytes[33..]),
            }),
            Point::Ed25519(bytes) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(bytes) })
            }
        }
    }

    /// RFC 7517: reads a JSON Web Key; members beside those of the key are ignored, a private one is refused.
    pub fn from_jwk(jwk: &Value) -> Result<PublicKey, UnknownKey> {
        if jwk.get("d").is_some() {
            return Err(UnknownKey);
        }
        let text = |member: &str| jwk.get(member).and_then(Value::as_str).ok_or(UnknownKey);
        let coordinate = |member: &str| -> Result<[u8; 32], UnknownKey> {
            let bytes = URL_SAFE_NO_PAD.decode(text(member)?).map_err(|_| UnknownKey)?;
            bytes.try_into().map_err(|_| UnknownKey)
        };
        match (text("kty")?, text("crv")?) {
            ("EC", "P-256") => {
                PublicKey::p256(&[&[4][..], &coordinate("x")?[..], &coordinate("y")?[..]].concat())
            }
            ("OKP", "Ed25519") => PublicKey::ed25519(&coordinate("x")?),
            _ => Err(UnknownKey),
        }
    }

    /// RFC 7638: the SHA-256 thumbprint of the JSON Web Key, in base64url.
    pub fn thumbprint(&self) -> String {
        // The members in lexical order without spaces; written out, because the order of a map may be another.
        let canonical = match &self.0 {
            Point::P256(bytes) => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                URL_SAFE_NO_PAD.encode(&bytes[1..33]),
                URL_SAFE_NO_PAD.encode(&bytes[33..])
            ),
            Point::Ed25519(bytes) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(bytes))
            }
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// RFC 7093 section 2, method 1: the key identifier, 160 bits of SHA-256 over the key.
    pub fn identifier(&self) -> [u8; 20] {
        let digest = Sha256::digest(self.bytes());
        let mut identifier = [0; 20];
        identifier.copy_from_slice(&digest[..20]);
        identifier
    }

    /// Does this signature over this message verify with this key?
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        if signature.algorithm != self.algorithm() {
            return false;
        }
        match &self.0 {
            Point::P256(point) => {
                use p256::ecdsa::signature::Verifier as _;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
                let signature = p256::ecdsa::Signature::from_slice(&signature.bytes);
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
            }
            Point::Ed25519(bytes) => ed25519_dalek::VerifyingKey::from_bytes(bytes).is_ok_and(|key| {
                let signature = ed25519_dalek::Signature::from_bytes(&signature.bytes);
                key.verify_strict(message, &signature).is_ok()
            }),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm().jose(), self.thumbprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.2 and A.3: the key and its thumbprint.
    #[test]
    fn the_thumbprint_of_rfc_8037() {
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(PublicKey::from_spki(&key.to_spki()), Ok(Ok(key)));
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Ok(key));
    }

    /// RFC 7515 appendix A.3: the key and the signature of the ES256 example.
    #[test]
    fn the_signature_of_rfc_7515() {
        let jwk = json!({ "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let bytes = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        let signature = Signature::from_bytes(Algorithm::Es256, &bytes).unwrap();
        assert!(key.verifies(message, &signature));
        assert!(!key.verifies(b"another", &signature));
        let der = signature.to_der();
        assert_eq!(Signature::from_der(Algorithm::Es256, &der), Some(signature));
        assert_eq!(PublicKey::from_spki(&key.to_spki()), Ok(Ok(key)));
        assert!(!key.verifies(message, &Signature::ed_dsa(*signature.bytes())));
    }
}
