//! Cosignatures: a witness saw this checkpoint at this time, and nothing that contradicts it, per c2sp.org/tlog-cosignature.

use crate::checkpoint::Checkpoint;
use crate::key::{Algorithm, KeyName, SecretKey, VerifierKey};
use crate::note::{NoteError, Signature};
use std::fmt;

/// Seconds since 1970, 1 to 2^63 - 1, per c2sp.org/tlog-cosignature; zero would make no statement about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// LIMIT: the last second that a cosignature can carry.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// Takes seconds since 1970; none for zero or above 2^63 - 1.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > Self::MAX.0 { None } else { Some(Self(seconds)) }
    }

    /// The seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A witness's key: type 0x04 of c2sp.org/tlog-cosignature.
///
/// The signed message does not name the cosigner, so never use one seed under two names.
#[derive(Debug)]
pub struct Cosigner(SecretKey);

impl Cosigner {
    /// Takes the seed of an Ed25519 key that is used for nothing else.
    #[must_use]
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Self {
        Self(SecretKey::new(name, Algorithm::CosignatureEd25519, seed))
    }

    /// The key that verifies what it signs.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Cosigns a checkpoint; a witness does so only through `witness::Witness`.
    #[must_use]
    pub fn cosign(&self, checkpoint: &Checkpoint, now: Timestamp) -> Signature {
        let raw = self.0.sign(&message(&checkpoint.to_string(), now));
        assemble(self.verifier(), now, &raw)
    }
}

/// The bytes that a cosigner signs, for a key that is kept elsewhere.
#[must_use]
pub fn prepare(checkpoint: &Checkpoint, now: Timestamp) -> Vec<u8> {
    message(&checkpoint.to_string(), now)
}

/// Takes a signature that was made elsewhere over the bytes of `prepare`.
///
/// # Errors
/// It is not this key's, or the key is not one for cosignatures.
pub fn finish(
    key: &VerifierKey,
    checkpoint: &Checkpoint,
    now: Timestamp,
    raw: &[u8; 64],
) -> Result<Signature, NoteError> {
    if key.algorithm() == Algorithm::CosignatureEd25519 && key.signed(&prepare(checkpoint, now), raw) {
        Ok(assemble(key, now, raw))
    } else {
        Err(NoteError::BadSignature(key.name().clone()))
    }
}

/// The time of a cosignature, if it is this key's over this text and the text is a checkpoint.
pub(crate) fn verify(key: &VerifierKey, text: &str, bytes: &[u8]) -> Option<Timestamp> {
    // Only checkpoints are cosigned: a witness says nothing about any other text.
    Checkpoint::parse(text).ok()?;
    let (timestamp, raw) = bytes.split_first_chunk::<8>()?;
    let timestamp = Timestamp::new(u64::from_be_bytes(*timestamp))?;
    key.signed(&message(text, timestamp), raw).then_some(timestamp)
}

fn message(text: &str, timestamp: Timestamp) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp}\n{text}").into_bytes()
}

fn assemble(key: &VerifierKey, timestamp: Timestamp, raw: &[u8; 64]) -> Signature {
    Signature::new(key, [timestamp.0.to_be_bytes().as_slice(), raw].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::SignedCheckpoint;
    use crate::merkle::Hash;
    use crate::note::Note;

    fn name(text: &str) -> KeyName {
        KeyName::parse(text).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint::new(name("example.com/behind-the-sofa"), 0, Hash::EMPTY).unwrap()
    }

    #[test]
    fn the_message_is_the_one_of_the_specification() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        let message = prepare(&checkpoint, Timestamp::new(1_679_315_147).unwrap());
        assert_eq!(message, format!("cosignature/v1\ntime 1679315147\n{text}").into_bytes());
    }

    /// The example of the specification, whose key is not published: its line must read and keep its form.
    #[test]
    fn the_example_of_the_specification_reads_back() {
        let text = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";
        let signed = SignedCheckpoint::parse(text.as_bytes()).unwrap();
        assert_eq!(signed.to_string(), text);
    }

    #[test]
    fn a_cosignature_verifies_with_its_time() {
        let cosigner = Cosigner::new(name("witness.example.com/w1"), &[5; 32]);
        let now = Timestamp::new(1_679_315_147).unwrap();
        let note = Note::new(&checkpoint().to_string(), vec![cosigner.cosign(&checkpoint(), now)]).unwrap();
        let verified = note.verify([cosigner.verifier()]).unwrap();
        assert_eq!(verified[0].timestamp(), Some(now));
        let bytes = note.to_string().into_bytes();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let verdict = Note::parse(&forged).and_then(|n| n.verify([cosigner.verifier()]).map(|_| ()));
            assert!(verdict.is_err(), "byte {at}");
        }
    }

    #[test]
    fn only_checkpoints_are_cosigned() {
        let cosigner = Cosigner::new(name("witness.example.com/w1"), &[5; 32]);
        let now = Timestamp::new(1).unwrap();
        let raw = cosigner.0.sign(&message("a letter\n", now));
        let note = Note::new("a letter\n", vec![assemble(cosigner.verifier(), now, &raw)]).unwrap();
        assert!(matches!(note.verify([cosigner.verifier()]), Err(NoteError::BadSignature(_))));
    }

    #[test]
    fn a_cosignature_made_elsewhere_is_checked_before_it_is_taken() {
        let cosigner = Cosigner::new(name("witness.example.com/w1"), &[5; 32]);
        let now = Timestamp::new(7).unwrap();
        let later = Timestamp::new(8).unwrap();
        let raw = cosigner.0.sign(&prepare(&checkpoint(), now));
        let taken = finish(cosigner.verifier(), &checkpoint(), now, &raw);
        assert_eq!(taken, Ok(cosigner.cosign(&checkpoint(), now)));
        assert!(finish(cosigner.verifier(), &checkpoint(), later, &raw).is_err());
    }

    #[test]
    fn times_have_limits() {
        assert_eq!(Timestamp::new(0), None);
        assert_eq!(Timestamp::new(1 << 63), None);
        assert_eq!(Timestamp::new((1 << 63) - 1), Some(Timestamp::MAX));
    }
}
