//! The keys of our DID: one that signs now, older ones by which what they signed is still verified.
//!
//! Rotation (DCP section 6.9): the new key signs from now on; the old one stays in the document as a key that asserts and
//! does nothing else, until what it signed has run out. Revocation takes it out at once, and all that it signed with it.

use crate::error::ActError;
use crate::keys::SealKey;
use crate::ports::SignError;
use identity::did::{Method, Relationship};
use identity::jwt::Draft;
use identity::key::{Algorithm, PublicKey};
use model::Instant;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// LIMIT: keys of one DID that are in its document at once.
const KEYS_MAX: usize = 16;

/// One key as it is remembered; the key itself lies in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Noted {
    /// Its name within the DID document: its thumbprint.
    pub id: String,
    /// When it was made.
    pub made_at: Instant,
    /// Until when it stays in the document, when another one signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_until: Option<Instant>,
}

struct Held {
    noted: Noted,
    key: SealKey,
    public: PublicKey,
}

/// The keys; the last one signs.
#[derive(Default)]
pub struct Keyring {
    keys: Vec<Held>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|k| &k.noted)).finish()
    }
}

fn file(directory: &Path, id: &str) -> PathBuf {
    directory.join("did").join(format!("{id}.key"))
}

impl Keyring {
    /// Opens the keys that were noted.
    pub fn open(directory: &Path, noted: Vec<Noted>) -> Result<Self, SignError> {
        let mut keys = Vec::new();
        for noted in noted {
            let key = SealKey::open(&file(directory, &noted.id))?;
            let public = key.public()?;
            keys.push(Held { noted, key, public });
        }
        Ok(Self { keys })
    }

    /// Makes a key that signs from now on; the one before stays in the document until a moment.
    pub fn rotate(
        &mut self,
        directory: &Path,
        now: Instant,
        old_until: Instant,
    ) -> Result<String, SignError> {
        let wrong = |e: std::io::Error| SignError(format!("`{}`: {e}", directory.join("did").display()));
        std::fs::create_dir_all(directory.join("did")).map_err(wrong)?;
        let fresh = directory.join("did").join("next.key");
        // One that a crash left behind was never noted and has signed nothing.
        let _ = std::fs::remove_file(&fresh);
        let key = SealKey::open_or_make(&fresh)?;
        let public = key.public()?;
        let id = public.thumbprint();
        std::fs::rename(&fresh, file(directory, &id)).map_err(wrong)?;
        if let Some(last) = self.keys.last_mut() {
            last.noted.retired_until = Some(old_until);
        }
        let noted = Noted { id: id.clone(), made_at: now, retired_until: None };
        self.keys.push(Held { noted, key, public });
        self.drop_over(now);
        Ok(id)
    }

    /// Takes a key out of the document; tells whether it was there. The one that signs stays: rotate first.
    pub fn revoke(&mut self, id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|held| held.noted.id != id || held.noted.retired_until.is_none());
        self.keys.len() < before
    }

    fn drop_over(&mut self, now: Instant) {
        self.keys.retain(|held| held.noted.retired_until.is_none_or(|until| until > now));
        let over = self.keys.len().saturating_sub(KEYS_MAX);
        self.keys.drain(..over);
    }

    /// The keys as they are to be noted.
    pub fn noted(&self) -> Vec<Noted> {
        self.keys.iter().map(|held| held.noted.clone()).collect()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys as the DID document lists them now.
    pub fn methods(&self, now: Instant) -> Vec<Method> {
        let current = vec![
            Relationship::Authentication,
            Relationship::AssertionMethod,
            Relationship::CapabilityInvocation,
        ];
        let listed = self.keys.iter().filter_map(|held| {
            let uses = match held.noted.retired_until {
                None => current.clone(),
                Some(until) if until > now => vec![Relationship::AssertionMethod],
                Some(_) => return None,
            };
            Some(Method { fragment: held.noted.id.clone(), key: held.public, uses })
        });
        listed.collect()
    }

    /// A public key of ours by its DID URL.
    pub fn public(&self, key_id: &str) -> Option<PublicKey> {
        let id = key_id.split('#').nth(1)?;
        self.keys.iter().find(|held| held.noted.id == id).map(|held| held.public)
    }

    /// Signs what is prepared for the key that signs now.
    pub fn sign(
        &self,
        did: &str,
        prepare: impl FnOnce(Algorithm, &str) -> Result<Draft, ActError>,
    ) -> Result<String, ActError> {
        let held = self.keys.last().ok_or_else(|| SignError("there is no key of the DID".into()))?;
        let draft = prepare(Algorithm::Es256, &format!("{did}#{}", held.noted.id))?;
        let signature = held.key.sign(draft.to_sign())?;
        draft.finish(&signature).map_err(|e| ActError::evidence("node/did-key", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::jwt::{Header, prepare};

    #[test]
    fn a_rotated_key_verifies_and_signs_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let mut ring = Keyring::default();
        let first = ring.rotate(directory.path(), Instant(0), Instant(0)).unwrap();
        let second = ring.rotate(directory.path(), Instant(10), Instant(100)).unwrap();
        let uses = |ring: &Keyring, at| {
            ring.methods(Instant(at)).iter().map(|m| (m.fragment.clone(), m.uses.len())).collect::<Vec<_>>()
        };
        assert_eq!(uses(&ring, 50), [(first.clone(), 1), (second.clone(), 3)]);
        assert_eq!(uses(&ring, 100), [(second.clone(), 3)]);
        let again = Keyring::open(directory.path(), ring.noted()).unwrap();
        let draft = |alg, key: &str| Ok(prepare(&Header::new(alg, "x").with_key_id(key), b"1"));
        let token = again.sign("did:web:a.example", draft);
        let jws = identity::jwt::Jws::parse(&token.unwrap()).unwrap();
        let key_id = jws.header().key_id.clone().unwrap();
        assert_eq!(key_id, format!("did:web:a.example#{second}"));
        assert!(jws.verify(&again.public(&key_id).unwrap()).is_ok());
        assert!(ring.revoke(&first) && !ring.revoke(&first));
        assert!(!ring.revoke(&second), "the key that signs is not taken away");
        assert_eq!(uses(&ring, 50), [(second, 3)]);
    }
}
