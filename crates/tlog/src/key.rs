//! Names and keys of those who sign notes, and verifier key strings, per c2sp.org/signed-note.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// LIMIT: the longest key name, which is also the longest origin.
pub const NAME_BYTES_MAX: usize = 255;

/// LIMIT: the longest verifier key string.
pub const VERIFIER_KEY_BYTES_MAX: usize = 512;

/// Why a key name or verifier key string is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The name is empty, too long, or has a space, a plus sign or a control character.
    Name,
    /// The text is not `name+hash+base64`.
    Form,
    /// The signature type is neither Ed25519 (1) nor an Ed25519 cosignature (4).
    Algorithm(u8),
    /// The key material is no Ed25519 public key, or one of small order.
    Material,
    /// The key id is not the one that name, type and key material lead to.
    Id,
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "tlog/key-name",
            Self::Form => "tlog/key-form",
            Self::Algorithm(_) => "tlog/key-type-unsupported",
            Self::Material => "tlog/key-material",
            Self::Id => "tlog/key-id",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "a key name has 1 to {NAME_BYTES_MAX} bytes, no space and no `+`"),
            Self::Form => f.write_str("a verifier key is written `name+hash+base64`"),
            Self::Algorithm(byte) => write!(f, "signature type `{byte}` is not supported"),
            Self::Material => f.write_str("the key material is no usable ed25519 public key"),
            Self::Id => f.write_str("the key id does not belong to this name and key"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The name of a key, per c2sp.org/signed-note: not empty, no Unicode space, no plus sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Parses a name.
    ///
    /// # Errors
    /// It is empty, too long, or has a space, a plus sign or a control character.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len());
        let forbidden = |c: char| c == '+' || c.is_whitespace() || c.is_control();
        if fits && !text.contains(forbidden) { Ok(Self(text.to_owned())) } else { Err(KeyError::Name) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four bytes that tell the keys of one name apart, per c2sp.org/signed-note; no proof of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Takes four bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    fn compute(name: &KeyName, algorithm: Algorithm, public: &VerifyingKey) -> Self {
        let hash = Sha256::new_with_prefix(name.as_str())
            .chain_update([b'\n', algorithm.byte()])
            .chain_update(public.as_bytes())
            .finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Type 0x01 of c2sp.org/signed-note: Ed25519 over the text of the note.
    Ed25519,
    /// Type 0x04 of c2sp.org/tlog-cosignature: Ed25519 over a time and the text of the checkpoint.
    CosignatureEd25519,
}

impl Algorithm {
    /// The byte that stands for it in key ids and verifier keys.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureEd25519 => 0x04,
        }
    }

    /// The algorithm of a byte.
    ///
    /// # Errors
    /// The type is not supported.
    pub const fn from_byte(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::CosignatureEd25519),
            other => Err(KeyError::Algorithm(other)),
        }
    }
}

/// A public key with its name and signature type: what a verifier key string says.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    algorithm: Algorithm,
    public: VerifyingKey,
}

impl VerifierKey {
    /// Puts a name to an Ed25519 public key.
    ///
    /// # Errors
    /// The bytes are no Ed25519 public key, or one of small order.
    pub fn new(name: KeyName, algorithm: Algorithm, public: &[u8; 32]) -> Result<Self, KeyError> {
        let public = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Material)?;
        if public.is_weak() {
            return Err(KeyError::Material);
        }
        let id = KeyId::compute(&name, algorithm, &public);
        Ok(Self { name, id, algorithm, public })
    }

    /// Parses `name+hash+base64`, per c2sp.org/signed-note; the hash must be the one computed from the rest.
    ///
    /// # Errors
    /// The text is not of this form, or of a type that is not supported.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > VERIFIER_KEY_BYTES_MAX {
            return Err(KeyError::Form);
        }
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, material) = rest.split_once('+').ok_or(KeyError::Form)?;
        let name = KeyName::parse(name)?;
        let material = BASE64_STANDARD.decode(material).map_err(|_| KeyError::Form)?;
        let (algorithm, public) = material.split_first().ok_or(KeyError::Form)?;
        let algorithm = Algorithm::from_byte(*algorithm)?;
        let public: &[u8; 32] = public.try_into().map_err(|_| KeyError::Material)?;
        let key = Self::new(name, algorithm, public)?;
        if key.id.to_string() == id { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The name in its signature lines.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id in its signature lines.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    /// Whether `signature` is this key's over exactly these bytes; keys and points of small order are refused.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![self.algorithm.byte()];
        material.extend(self.public.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, BASE64_STANDARD.encode(material))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// An Ed25519 secret key with its verifier key; wiped from memory when dropped.
pub(crate) struct SecretKey {
    verifier: VerifierKey,
    secret: SigningKey,
}

impl SecretKey {
    pub(crate) fn new(name: KeyName, algorithm: Algorithm, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = secret.verifying_key();
        let id = KeyId::compute(&name, algorithm, &public);
        Self { verifier: VerifierKey { name, id, algorithm, public }, secret }
    }

    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of c2sp.org/signed-note.
    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_example_of_the_specification_reads_back() {
        let key = VerifierKey::parse(EXAMPLE).unwrap();
        assert_eq!(key.to_string(), EXAMPLE);
        assert_eq!(key.name().as_str(), "example.com/foo");
        assert_eq!(key.id().as_bytes(), &[0x53, 0x0d, 0x90, 0x3a]);
        assert_eq!(key.algorithm(), Algorithm::Ed25519);
    }

    #[test]
    fn other_spellings_are_refused() {
        for (text, expected) in [
            ("", KeyError::Form),
            ("example.com/foo+530d903a", KeyError::Form),
            ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
            ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
            ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", KeyError::Form),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", KeyError::Material),
            ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Algorithm(6)),
            // The neutral element: anyone could sign for it.
            ("example.com/foo+530d903a+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", KeyError::Material),
        ] {
            assert_eq!(VerifierKey::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn one_public_key_has_one_id_for_each_type() {
        let seed = [1; 32];
        let name = KeyName::parse("example.org/log").unwrap();
        let note = SecretKey::new(name.clone(), Algorithm::Ed25519, &seed);
        let cosigner = SecretKey::new(name, Algorithm::CosignatureEd25519, &seed);
        assert_ne!(note.verifier().id(), cosigner.verifier().id());
        let text = cosigner.verifier().to_string();
        assert_eq!(VerifierKey::parse(&text).as_ref(), Ok(cosigner.verifier()));
    }

    #[test]
    fn names_have_no_spaces_of_any_kind() {
        for wrong in ["", "a b", "a\u{3000}b", "a\u{a0}", "a+b", "a\n", "a\u{7}", &"x".repeat(256)] {
            assert_eq!(KeyName::parse(wrong), Err(KeyError::Name), "{wrong:?}");
        }
        assert!(KeyName::parse("例え.jp/ログ").is_ok());
    }
}
