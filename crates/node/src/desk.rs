//! The desk of one participant: who may come in, and a copy of what is remembered. For a program that serves pages
//! without being a node.

use crate::agent::Node;
use crate::error::ActError;
use crate::ports::{Clock, MachineClock, random};
use store::participant::Participant;
use store::token::{NewToken, Role};
use model::Digest;
use store::write_key::{Claim, Finished};
use store::{Store, StoreError, Together};
use std::path::Path;
use std::sync::Arc;

/// A directory with tokens; their secrets are not in it.
#[derive(Debug)]
pub struct Desk {
    held: Held,
    participant: Participant,
    /// The hash of the secret that was made for verbs on this machine, at this start.
    local: Option<Digest>,
}

/// Who holds the directory.
#[derive(Debug)]
enum Held {
    Alone(Box<Store>),
    ByNode(Arc<Node>),
}

/// The id of the token that verbs on this machine use.
pub const LOCAL: &str = "this-machine";

/// How a write under an idempotency key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It is new: do it.
    New,
    /// It was done, and answered so.
    Done(u16, Vec<u8>),
    /// It is under way, or was lost on its way.
    UnderWay,
    /// Another request came under this key.
    Another,
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
        let held = Held::Alone(Box::new(Store::open(directory).map_err(ActError::from)?));
        private(directory, 0o700);
        Ok(Self { held, participant, local: None })
    }

    /// The desk of a node that runs: tokens lie in its directory.
    pub fn of(node: &Arc<Node>) -> Self {
        private(&node.config.directory, 0o700);
        Self { held: Held::ByNode(Arc::clone(node)), participant: node.participant.clone(), local: None }
    }

    fn store(&self) -> &Store {
        match &self.held {
            Held::Alone(store) => store,
            Held::ByNode(node) => &node.store,
        }
    }

    /// Makes the secret for verbs on this machine: it lives as long as this process, and nothing of it is stored here.
    pub fn local_secret(&mut self) -> Result<String, ActError> {
        let secret = Digest(random::<32>().map_err(ActError::Sign)?).to_string();
        self.local = Some(Digest::of(secret.as_bytes()));
        Ok(secret)
    }

    /// Whose desk it is.
    pub fn participant(&self) -> &str {
        self.participant.as_str()
    }

    /// Claims an idempotency key for a request, known by its digest.
    pub fn claim(&self, key: &str, request: &Digest) -> Result<Repeat, ActError> {
        Ok(match self.store().claim_key(&self.participant, key, request, MachineClock.now())? {
            Claim::Ours => Repeat::New,
            Claim::Answered { status, body } => Repeat::Done(status, body),
            Claim::Begun(_) => Repeat::UnderWay,
            Claim::Another => Repeat::Another,
        })
    }

    /// Keeps the answer under a key; an act that failed without effect gives the key up, so that it may be tried again.
    pub fn settle(&self, key: &str, answer: Option<(u16, &[u8])>) -> Result<(), ActError> {
        match answer {
            Some((status, body)) => {
                let done = Finished { key: key.into(), status, body: body.to_vec() };
                self.store().finish_key(&self.participant, done)?;
            }
            None => self.store().release_key(&self.participant, key)?,
        }
        Ok(())
    }

    /// Makes the first administrator's token and returns its secret, once: later there is one already.
    pub fn first_token(&self) -> Result<Option<String>, ActError> {
        if !self.store().tokens(&self.participant).map_err(ActError::from)?.is_empty() {
            return Ok(None);
        }
        self.make_token("first", Role::Admin).map(Some)
    }

    /// Makes a token that only reads.
    pub fn read_token(&self, id: &str) -> Result<String, ActError> {
        self.make_token(id, Role::Read)
    }

    /// Makes a token of a role by its word; the secret is returned once.
    pub fn token_of_role(&self, id: &str, role: &str) -> Result<String, ActError> {
        let all = [
            Role::Operator,
            Role::Admin,
            Role::Act,
            Role::Read,
            Role::Auditor,
            Role::Regulator,
            Role::Plane,
        ];
        let role = all.into_iter().find(|r| r.as_str() == role);
        let role = role.ok_or_else(|| ActError::NotFound { what: "role", name: id.to_owned() })?;
        self.make_token(id, role)
    }

    /// Revokes a token; its sessions end with it.
    pub fn revoke(&self, id: &str) -> Result<(), ActError> {
        match self.store().revoke_token(&self.participant, id, MachineClock.now(), Together::default()) {
            Err(StoreError::NotFound { .. }) => Err(ActError::NotFound { what: "token", name: id.to_owned() }),
            done => Ok(done.map(drop)?),
        }
    }

    /// All tokens: id, role, when made and revoked; never a secret.
    pub fn tokens(&self) -> Result<Vec<serde_json::Value>, ActError> {
        let all = self.store().tokens(&self.participant)?;
        Ok(all
            .into_iter()
            .map(|t| serde_json::json!({ "id": t.id, "role": t.role.as_str(), "made_at": t.made_at, "revoked_at": t.revoked_at }))
            .collect())
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
        self.store().make_token(&self.participant, token, Together::default()).map_err(ActError::from)?;
        Ok(secret)
    }

    /// Whom a secret belongs to, if it is good now.
    pub fn admit(&self, secret: &str) -> Option<Holder> {
        if self.local == Some(Digest::of(secret.as_bytes())) {
            return Some(Holder { token: LOCAL.into(), role: "admin" });
        }
        let token = self.store().token(&self.participant, secret, MachineClock.now()).ok()??;
        Some(Holder { token: token.id, role: token.role.as_str() })
    }

    /// Whether a token is still good.
    pub fn still(&self, id: &str) -> bool {
        if id == LOCAL {
            return self.local.is_some();
        }
        let now = MachineClock.now();
        self.store().tokens(&self.participant).is_ok_and(|tokens| {
            tokens.iter().any(|t| t.id == id && t.revoked_at.is_none() && t.expires_at.is_none_or(|e| now < e))
        })
    }
}

/// Copies what a directory remembers, also while a node runs on it.
pub fn backup(directory: &Path, target: &Path) -> Result<(), ActError> {
    no_store(directory, &directory.join(STORE))?;
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(missing) = parent.filter(|p| !p.is_dir()) {
        let detail = format!("there is no folder `{}` for the copy", missing.display());
        return Err(ActError::Store(StoreError::Disk { detail }));
    }
    Store::backup_of(directory, target).map_err(ActError::from)?;
    private(target, 0o600);
    Ok(())
}

/// The store's file in a directory.
pub const STORE: &str = "tegata.sqlite";

/// Says plainly that there is no store, before the engine says it in its own words.
fn no_store(said: &Path, file: &Path) -> Result<(), ActError> {
    match file.is_file() {
        true => Ok(()),
        false => Err(ActError::Store(StoreError::NotAStore { path: said.display().to_string() })),
    }
}

/// Keeps others of this machine out, where the system knows how.
fn private(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _kept = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
}

/// Puts a copy into an empty directory. What cannot be restored leaves the place as it was.
pub fn restore(copy: &Path, directory: &Path) -> Result<(), ActError> {
    no_store(copy, copy)?;
    let made = !directory.exists();
    let lock = directory.join("lock");
    let locked = lock.exists();
    let done = Store::restore(copy, directory).map_err(ActError::from);
    match (&done, made) {
        (Err(ActError::Store(StoreError::Held { .. })), _) | (Ok(()), _) => {}
        // What was made for nothing goes again; a folder with anything else in it stays.
        (Err(_), _) => {
            if !locked {
                let _gone = std::fs::remove_file(&lock);
            }
            if made {
                let _gone = std::fs::remove_dir(directory);
            }
        }
    }
    done
}
