//! Signed notes: a text and its signature lines, per c2sp.org/signed-note.

use crate::cosignature::{self, Timestamp};
use crate::key::{Algorithm, KeyId, KeyName, SecretKey, VerifierKey};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt;

#[cfg(test)]
mod tests;

/// LIMIT: the largest note that is read.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// LIMIT: the most signature lines of a note; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// LIMIT: the largest signature with its key id; post-quantum ones have nearly 5 kB.
pub const SIGNATURE_BYTES_MAX: usize = 8 * 1024;

/// Why a note is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// The note, its signature lines or one signature exceed a limit.
    Limit,
    /// The bytes are not UTF-8 or have a control character other than newline.
    Characters,
    /// There is no text that ends in a newline, no empty line after it, or no signature line.
    Form,
    /// A line after the text is no signature line in its one spelling.
    SignatureLine,
    /// A signature claims to be of a trusted key and is not.
    BadSignature(KeyName),
    /// No signature is of a trusted key.
    Unsigned,
    /// Two different trusted keys share name and id.
    AmbiguousKey(KeyName),
}

impl NoteError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Limit => "tlog/note-limit",
            Self::Characters => "tlog/note-characters",
            Self::Form => "tlog/note-form",
            Self::SignatureLine => "tlog/note-signature-line",
            Self::BadSignature(_) => "tlog/note-signature-bad",
            Self::Unsigned => "tlog/note-unsigned",
            Self::AmbiguousKey(_) => "tlog/note-key-ambiguous",
        }
    }
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("the note is too large or has too many signatures"),
            Self::Characters => f.write_str("the note is not plain UTF-8 text"),
            Self::Form => f.write_str("a note is a text, an empty line and signature lines"),
            Self::SignatureLine => f.write_str("a signature line is malformed"),
            Self::BadSignature(name) => write!(f, "a signature of `{name}` does not verify"),
            Self::Unsigned => f.write_str("no trusted key has signed the note"),
            Self::AmbiguousKey(name) => write!(f, "two trusted keys of `{name}` have the same id"),
        }
    }
}

impl std::error::Error for NoteError {}

/// One signature line: who signed, with which key, and the signature; nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Signature {
    pub(crate) fn new(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().clone(), id: key.id(), bytes }
    }

    /// Takes an Ed25519 signature that was made elsewhere, such as in a hardware module, over the bytes of `text`.
    ///
    /// # Errors
    /// It is not this key's, or the key is not one for notes.
    pub fn finish(key: &VerifierKey, text: &str, raw: &[u8; 64]) -> Result<Self, NoteError> {
        if key.algorithm() == Algorithm::Ed25519 && key.signed(text.as_bytes(), raw) {
            Ok(Self::new(key, raw.to_vec()))
        } else {
            Err(NoteError::BadSignature(key.name().clone()))
        }
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key that is said to have signed.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Parses signature lines, each with its newline, such as the answer of a witness.
    ///
    /// # Errors
    /// A line is not a signature line in its one spelling, or a limit is exceeded.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, NoteError> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Limit);
        }
        let lines = text.strip_suffix('\n').ok_or(NoteError::SignatureLine)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::Limit);
            }
            signatures.push(Self::parse(line)?);
        }
        Ok(signatures)
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::SignatureLine;
        let (name, text) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(malformed.clone())?;
        let name = KeyName::parse(name).map_err(|_| malformed.clone())?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| malformed.clone())?;
        if bytes.len() > SIGNATURE_BYTES_MAX {
            return Err(NoteError::Limit);
        }
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(malformed.clone())?;
        if bytes.is_empty() {
            return Err(malformed);
        }
        Ok(Self { name, id: KeyId::new(*id), bytes: bytes.to_vec() })
    }

    fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == *key.name() && self.id == key.id()
    }
}

impl fmt::Display for Signature {
    /// Writes the line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes(), self.bytes.as_slice()].concat();
        write!(f, "— {} {}", self.name, BASE64_STANDARD.encode(bytes))
    }
}

/// A key for signing notes: type 0x01 of c2sp.org/signed-note.
#[derive(Debug)]
pub struct Signer(SecretKey);

impl Signer {
    /// Takes the seed of an Ed25519 key.
    #[must_use]
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Self {
        Self(SecretKey::new(name, Algorithm::Ed25519, seed))
    }

    /// The key that verifies what it signs.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Signs a text.
    #[must_use]
    pub fn sign(&self, text: &str) -> Signature {
        Signature::new(self.verifier(), self.0.sign(text.as_bytes()).to_vec())
    }
}

/// A signature that a trusted key did make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'k> {
    key: &'k VerifierKey,
    timestamp: Option<Timestamp>,
}

impl<'k> Verified<'k> {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'k VerifierKey {
        self.key
    }

    /// When the cosigner says that it signed; none for a plain signature.
    #[must_use]
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }
}

/// A text with signature lines, of which none is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Puts signatures under a text.
    ///
    /// # Errors
    /// The text is no note text, or a limit is exceeded.
    pub fn new(text: &str, signatures: Vec<Signature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || signatures.is_empty() {
            return Err(NoteError::Form);
        }
        if text.chars().any(is_forbidden) {
            return Err(NoteError::Characters);
        }
        let note = Self { text: text.to_owned(), signatures };
        note.within_limits().then_some(note).ok_or(NoteError::Limit)
    }

    /// Parses a note strictly, per c2sp.org/signed-note: rendering it again gives the same bytes.
    ///
    /// # Errors
    /// The bytes are no note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Limit);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        if note.chars().any(is_forbidden) {
            return Err(NoteError::Characters);
        }
        // The last empty line divides, as the text may have empty lines of its own.
        let at = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, rest) = note.split_at(at + 1);
        let lines = rest.strip_prefix('\n').filter(|lines| !lines.is_empty()).ok_or(NoteError::Form)?;
        Ok(Self { text: text.to_owned(), signatures: Signature::parse_lines(lines)? })
    }

    /// The text with its final newline; believe it only after `verify`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature line unless the same line is there.
    ///
    /// # Errors
    /// A limit would be exceeded; the note is then unchanged.
    pub fn attach(&mut self, signature: Signature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        self.signatures.push(signature);
        if self.within_limits() {
            return Ok(());
        }
        self.signatures.pop();
        Err(NoteError::Limit)
    }

    /// Verifies every signature of a known key, per c2sp.org/signed-note, and ignores the others.
    ///
    /// # Errors
    /// A signature of a known key does not verify, no known key has signed, or two known keys cannot be told apart.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<Verified<'k>>, NoteError> {
        let keys: Vec<&VerifierKey> = keys.into_iter().collect();
        let mut verified = Vec::new();
        for signature in &self.signatures {
            let mut matching = keys.iter().filter(|key| signature.is_of(key));
            let Some(key) = matching.next() else { continue };
            if matching.any(|other| other != key) {
                return Err(NoteError::AmbiguousKey(signature.name.clone()));
            }
            let timestamp = match key.algorithm() {
                Algorithm::Ed25519 => key.signed(self.text.as_bytes(), &signature.bytes).then_some(None),
                Algorithm::CosignatureEd25519 => {
                    cosignature::verify(key, &self.text, &signature.bytes).map(Some)
                }
            };
            let timestamp = timestamp.ok_or_else(|| NoteError::BadSignature(signature.name.clone()))?;
            verified.push(Verified { key, timestamp });
        }
        if verified.is_empty() { Err(NoteError::Unsigned) } else { Ok(verified) }
    }

    fn within_limits(&self) -> bool {
        self.signatures.len() <= SIGNATURES_MAX
            && self.signatures.iter().all(|s| s.bytes.len() + 4 <= SIGNATURE_BYTES_MAX)
            && self.to_string().len() <= NOTE_BYTES_MAX
    }
}

impl fmt::Display for Note {
    /// Writes the note as it is signed, served and stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// Whether a note may not have this character: those below U+0020 other than newline.
const fn is_forbidden(c: char) -> bool {
    c < ' ' && c != '\n'
}
