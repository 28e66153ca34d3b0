//! Checkpoints: what a log commits to at one size, per c2sp.org/tlog-checkpoint.

use crate::key::{Algorithm, KeyError, KeyName, VerifierKey};
use crate::merkle::{Hash, SIZE_MAX};
use crate::note::{Note, NoteError, Signature, Signer};
use std::fmt;

/// LIMIT: the longest origin line, so that each log key can carry the origin as its name.
pub const ORIGIN_BYTES_MAX: usize = crate::key::NAME_BYTES_MAX;

/// LIMIT: the longest text of a checkpoint: origin, 19 digits, 44 characters of base64, three newlines.
pub const CHECKPOINT_TEXT_BYTES_MAX: usize = ORIGIN_BYTES_MAX + 19 + 44 + 3;

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The note around it is refused.
    Note(NoteError),
    /// The origin is empty, too long, or has a space, a plus sign or a control character.
    Origin,
    /// The size is not a decimal number without leading zeros, or above `merkle::SIZE_MAX`.
    Size,
    /// The root is not 32 bytes in base64.
    Root,
    /// There are fewer than three lines.
    Form,
    /// There are extension lines: they are not auditable, witnesses refuse them, and so does this log.
    Extension,
    /// The key's name is not the origin.
    Foreign(KeyName),
}

impl CheckpointError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Note(fault) => fault.code(),
            Self::Origin => "tlog/checkpoint-origin",
            Self::Size => "tlog/checkpoint-size",
            Self::Root => "tlog/checkpoint-root",
            Self::Form => "tlog/checkpoint-form",
            Self::Extension => "tlog/checkpoint-extension",
            Self::Foreign(_) => "tlog/checkpoint-foreign-key",
        }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(fault) => fault.fmt(f),
            Self::Origin => {
                write!(f, "an origin has 1 to {ORIGIN_BYTES_MAX} bytes, no space and no `+`")
            }
            Self::Size => f.write_str("the tree size is no number in its one spelling"),
            Self::Root => f.write_str("the root hash is not 32 bytes in base64"),
            Self::Form => f.write_str("a checkpoint has three lines: origin, size and root hash"),
            Self::Extension => f.write_str("extension lines are not accepted"),
            Self::Foreign(name) => write!(f, "the key `{name}` is not the key of this origin"),
        }
    }
}

impl std::error::Error for CheckpointError {}

impl From<NoteError> for CheckpointError {
    fn from(fault: NoteError) -> Self {
        Self::Note(fault)
    }
}

/// Origin, size and root of a log, per c2sp.org/tlog-checkpoint, without extension lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    origin: KeyName,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// Says that the log of this origin has `size` leaves and this root.
    ///
    /// # Errors
    /// The size exceeds `merkle::SIZE_MAX`.
    pub fn new(origin: KeyName, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if size > SIZE_MAX { Err(CheckpointError::Size) } else { Ok(Self { origin, size, root }) }
    }

    /// Parses the text of a checkpoint strictly: rendering it again gives the same text.
    ///
    /// # Errors
    /// The text is not exactly origin, size and root.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > CHECKPOINT_TEXT_BYTES_MAX {
            return Err(NoteError::Limit.into());
        }
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Form)?;
        let mut lines = lines.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Form);
        let (origin, size, root) = (next()?, next()?, next()?);
        if lines.next().is_some() {
            return Err(CheckpointError::Extension);
        }
        let origin = KeyName::parse(origin).map_err(|_: KeyError| CheckpointError::Origin)?;
        let size = parse_decimal(size).ok_or(CheckpointError::Size)?;
        let root = Hash::parse(root).ok_or(CheckpointError::Root)?;
        Self::new(origin, size, root)
    }

    /// The log's identity.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Signs the checkpoint with the log's key.
    ///
    /// Keep it durably before it leaves: a log never signs two checkpoints that are not consistent.
    ///
    /// # Errors
    /// The key's name is not the origin.
    pub fn sign(self, signer: &Signer) -> Result<SignedCheckpoint, CheckpointError> {
        let signature = signer.sign(&self.to_string());
        self.seal(signer.verifier(), signature)
    }

    /// Puts a signature of the log's key under the checkpoint that was made elsewhere over `to_string()`.
    ///
    /// # Errors
    /// The key's name is not the origin, or the signature is not its own.
    pub fn seal(self, key: &VerifierKey, signature: Signature) -> Result<SignedCheckpoint, CheckpointError> {
        let note = Note::new(&self.to_string(), vec![signature])?;
        let signed = SignedCheckpoint { note, claimed: self };
        signed.verify(key)?;
        Ok(signed)
    }
}

impl fmt::Display for Checkpoint {
    /// Writes the text that is signed, with its final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

/// A checkpoint with signature lines, of which none is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: Note,
    claimed: Checkpoint,
}

impl SignedCheckpoint {
    /// Parses a signed checkpoint strictly; believe nothing in it before `verify`.
    ///
    /// # Errors
    /// The bytes are no note, or its text is no checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let claimed = Checkpoint::parse(note.text())?;
        Ok(Self { note, claimed })
    }

    /// The origin that it claims: which key to verify it with.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        self.claimed.origin()
    }

    /// The note.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// What it says, if the log has signed it.
    ///
    /// # Errors
    /// The key is not one of this origin, or did not sign.
    pub fn verify(&self, key: &VerifierKey) -> Result<&Checkpoint, CheckpointError> {
        if key.algorithm() != Algorithm::Ed25519 || key.name() != self.claimed.origin() {
            return Err(CheckpointError::Foreign(key.name().clone()));
        }
        self.note.verify([key])?;
        Ok(&self.claimed)
    }

    /// What it claims, before or beside verification by another rule.
    pub(crate) const fn claimed(&self) -> &Checkpoint {
        &self.claimed
    }

    /// Adds those of a witness's signature lines that are by one of these keys, and says how many there were.
    ///
    /// # Errors
    /// The lines are malformed, one by a given key does not verify, none is by a given key, or a limit is exceeded.
    pub fn attach(&mut self, lines: &[u8], keys: &[VerifierKey]) -> Result<usize, CheckpointError> {
        let lines = std::str::from_utf8(lines).map_err(|_| NoteError::Characters)?;
        let mut attached = 0;
        let mut note = self.note.clone();
        for signature in Signature::parse_lines(lines)? {
            match Note::new(self.note.text(), vec![signature.clone()])?.verify(keys) {
                Ok(_) => note.attach(signature)?,
                Err(NoteError::Unsigned) => continue,
                Err(fault) => return Err(fault.into()),
            }
            attached += 1;
        }
        if attached == 0 {
            return Err(NoteError::Unsigned.into());
        }
        self.note = note;
        Ok(attached)
    }
}

impl fmt::Display for SignedCheckpoint {
    /// Writes the checkpoint as it is served and stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Parses an ASCII decimal without sign or leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::{Cosigner, Timestamp};

    const EXAMPLE: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
";

    fn name(text: &str) -> KeyName {
        KeyName::parse(text).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_reads_back() {
        let signed = SignedCheckpoint::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(signed.to_string(), EXAMPLE);
        assert_eq!(signed.claimed().size(), 20_852_163);
        assert_eq!(signed.origin().as_str(), "example.com/behind-the-sofa");
    }

    #[test]
    fn other_texts_are_refused() {
        let root = Hash::EMPTY;
        assert!(Checkpoint::parse(&format!("a\n0\n{root}\n")).is_ok());
        assert!(Checkpoint::parse(&format!("a\n{SIZE_MAX}\n{root}\n")).is_ok());
        for (text, expected) in [
            (String::new(), CheckpointError::Form),
            ("\n".into(), CheckpointError::Form),
            ("a\n1\n".into(), CheckpointError::Form),
            (format!("a\n1\n{root}"), CheckpointError::Form),
            (format!("\n1\n{root}\n"), CheckpointError::Origin),
            (format!("a b\n1\n{root}\n"), CheckpointError::Origin),
            (format!("{}\n1\n{root}\n", "x".repeat(256)), CheckpointError::Origin),
            ("x".repeat(CHECKPOINT_TEXT_BYTES_MAX + 1), NoteError::Limit.into()),
            (format!("a\n01\n{root}\n"), CheckpointError::Size),
            (format!("a\n+1\n{root}\n"), CheckpointError::Size),
            (format!("a\n-1\n{root}\n"), CheckpointError::Size),
            (format!("a\n\n{root}\n"), CheckpointError::Size),
            (format!("a\n{}\n{root}\n", SIZE_MAX + 1), CheckpointError::Size),
            (format!("a\n99999999999999999999\n{root}\n"), CheckpointError::Size),
            ("a\n1\nAAAA\n".into(), CheckpointError::Root),
            (format!("a\n1\n{root}\nmore\n"), CheckpointError::Extension),
            (format!("a\n1\n{root}\n\n"), CheckpointError::Extension),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn only_the_key_of_the_origin_signs() {
        let ours = Signer::new(name("example.org/log"), &[1; 32]);
        let other = Signer::new(name("example.org/other"), &[1; 32]);
        let checkpoint = Checkpoint::new(name("example.org/log"), 0, Hash::EMPTY).unwrap();
        let foreign = CheckpointError::Foreign(name("example.org/other"));
        assert_eq!(checkpoint.clone().sign(&other), Err(foreign.clone()));
        let signed = checkpoint.clone().sign(&ours).unwrap();
        assert_eq!(signed.verify(ours.verifier()), Ok(&checkpoint));
        assert_eq!(signed.verify(other.verifier()), Err(foreign));
        let impostor = Signer::new(name("example.org/log"), &[2; 32]);
        assert_eq!(signed.verify(impostor.verifier()), Err(NoteError::Unsigned.into()));
        // A witness of the same name cannot speak for the log.
        let witness = Cosigner::new(name("example.org/log"), &[3; 32]);
        let line = format!("{}\n", witness.cosign(&checkpoint, Timestamp::MAX));
        let mut both = signed;
        assert_eq!(both.attach(line.as_bytes(), &[witness.verifier().clone()]), Ok(1));
        assert!(matches!(both.verify(witness.verifier()), Err(CheckpointError::Foreign(_))));
    }

    #[test]
    fn cosignatures_of_known_witnesses_are_attached() {
        let log = Signer::new(name("example.org/log"), &[1; 32]);
        let checkpoint = Checkpoint::new(name("example.org/log"), 0, Hash::EMPTY).unwrap();
        let other = Checkpoint::new(name("example.org/log"), 1, Hash::EMPTY).unwrap();
        let witness = Cosigner::new(name("example.net/w"), &[3; 32]);
        let stranger = Cosigner::new(name("example.net/x"), &[4; 32]);
        let now = Timestamp::new(1_700_000_000).unwrap();
        let known = [witness.verifier().clone()];
        let mut signed = checkpoint.clone().sign(&log).unwrap();
        let before = signed.clone();
        let line = |cosigner: &Cosigner, about| format!("{}\n", cosigner.cosign(about, now));
        let wrong = line(&witness, &other);
        assert!(matches!(
            signed.attach(wrong.as_bytes(), &known),
            Err(CheckpointError::Note(NoteError::BadSignature(_)))
        ));
        let unknown = line(&stranger, &checkpoint);
        assert_eq!(signed.attach(unknown.as_bytes(), &known), Err(NoteError::Unsigned.into()));
        assert_eq!(signed, before);
        let both = unknown + &line(&witness, &checkpoint);
        assert_eq!(signed.attach(both.as_bytes(), &known), Ok(1));
        assert_eq!(signed.note().signatures().len(), 2);
        assert_eq!(SignedCheckpoint::parse(signed.to_string().as_bytes()), Ok(signed));
    }
}
