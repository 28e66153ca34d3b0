//! The desk of one participant: who may come in, and a copy of what is remembered. For a program that serves pages
//! without being a node.

use crate::error::ActError;
use crate::ports::{Clock, MachineClock, random};
use store::participant::Participant;
use store::token::{NewToken, Role};
use store::{Store, Together};
use std::path::Path;

/// A directory with tokens; their secrets are not in it.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    participant: Participant,
}

/// Whom a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The token's id.
    pub token: String,
    /// Its role: `operator`, `admin`, `act`, `read`, `auditor`, `regulator`.
    pub role: &'static str,
}

impl Desk {
    /// Opens the directory; another process that holds it is named.
    pub fn open(directory: &Path, participant: &str) -> Result<Self, ActError> {
        let participant = Participant::new(participant).map_err(ActError::from)?;
        let desk = Self { store: Store::open(directory).map_err(ActError::from)?, participant };
        private(directory, 0o700);
        Ok(desk)
    }

    /// Makes the first administrator's token and returns its secret, once: later there is one already.
    pub fn first_token(&self) -> Result<Option<String>, ActError> {
        if !self.store.tokens(&self.participant).map_err(ActError::from)?.is_empty() {
            return Ok(None);
        }
        self.make_token("first", Role::Admin).map(Some)
    }

    /// Makes a token that only reads.
    pub fn read_token(&self, id: &str) -> Result<String, ActError> {
        self.make_token(id, Role::Read)
    }

    fn make_token(&self, id: &str, role: Role) -> Result<String, ActError> {
        let secret: String = random::<32>().map_err(ActError::Sign)?.iter().map(|b| format!("{b:02x}")).collect();
        let token = NewToken {
            id: id.into(),
            secret: secret.clone(),
            role,
            label: id.into(),
            made_at: MachineClock.now(),
            expires_at: None,
        };
        self.store.make_token(&self.participant, token, Together::default()).map_err(ActError::from)?;
        Ok(secret)
    }

    /// Whom a secret belongs to, if it is good now.
    pub fn admit(&self, secret: &str) -> Option<Holder> {
        let token = self.store.token(&self.participant, secret, MachineClock.now()).ok()??;
        Some(Holder { token: token.id, role: token.role.as_str() })
    }

    /// Whether a token is still good.
    pub fn still(&self, id: &str) -> bool {
        let now = MachineClock.now();
        self.store.tokens(&self.participant).is_ok_and(|tokens| {
            tokens.iter().any(|t| t.id == id && t.revoked_at.is_none() && t.expires_at.is_none_or(|e| now < e))
        })
    }
}

/// Copies what a directory remembers, also while a node runs on it.
pub fn backup(directory: &Path, target: &Path) -> Result<(), ActError> {
    Store::backup_of(directory, target).map_err(ActError::from)?;
    private(target, 0o600);
    Ok(())
}

/// Keeps others of this machine out, where the system knows how.
fn private(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _kept = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
}

/// Puts a copy into an empty directory.
pub fn restore(copy: &Path, directory: &Path) -> Result<(), ActError> {
    Store::restore(copy, directory).map_err(ActError::from)
}
