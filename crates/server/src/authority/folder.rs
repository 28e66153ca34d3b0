//! A directory held by one process, whose files are whole or absent whatever happens.

use super::AuthorityError;
use identity::x509::render_pem;
use node::keys::SealKey;
use node::ports::random;
use p256::pkcs8::EncodePrivateKey as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readers {
    /// The user under which this runs.
    Owner,
    /// Everybody on the machine.
    All,
}

/// Files that replace each other whole.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: Option<File>,
}

const LEFTOVER: &str = ".new";

fn wrong(path: &Path) -> impl Fn(std::io::Error) -> AuthorityError {
    let path = path.to_owned();
    move |e| AuthorityError::File { path: path.clone(), detail: e.to_string() }
}

impl Folder {
    /// Takes the directory for this process alone and clears what a killed one left half written.
    pub(crate) fn open(path: &Path) -> Result<Self, AuthorityError> {
        let mut folder = Self::without_lock(path)?;
        let lock = path.join("lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).truncate(false).open(&lock).map_err(wrong(&lock))?;
        match file.try_lock() {
            Ok(()) => folder.lock = Some(file),
            Err(TryLockError::WouldBlock) => return Err(AuthorityError::Held(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(wrong(&lock)(e)),
        }
        for entry in fs::read_dir(path).map_err(wrong(path))? {
            let entry = entry.map_err(wrong(path))?.path();
            if entry.to_string_lossy().ends_with(LEFTOVER) {
                fs::remove_file(&entry).map_err(wrong(&entry))?;
            }
        }
        Ok(folder)
    }

    /// A directory that others use too; each file is still whole or absent.
    pub(crate) fn without_lock(path: &Path) -> Result<Self, AuthorityError> {
        fs::create_dir_all(path).map_err(wrong(path))?;
        Ok(Self { path: path.to_owned(), lock: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, AuthorityError> {
        let path = self.place(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(wrong(&path)(e)),
        }
    }

    /// Names of the files that end so.
    pub(crate) fn names(&self, ending: &str) -> Result<Vec<String>, AuthorityError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(wrong(&self.path))? {
            let name = entry.map_err(wrong(&self.path))?.file_name().to_string_lossy().into_owned();
            if name.ends_with(ending) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Puts a file in place of the one of that name; when this returns, it will be there after a power cut.
    pub(crate) fn write(&self, name: &str, readers: Readers, bytes: &[u8]) -> Result<(), AuthorityError> {
        let path = self.place(name);
        let new = self.place(&format!("{name}{LEFTOVER}"));
        let written = (|| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(if readers == Readers::Owner { 0o600 } else { 0o644 });
            }
            let mut file = options.open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.path)?.sync_all()
        })();
        written.map_err(wrong(&path))
    }

    /// Reads a file, which is made first when there is none.
    pub(crate) fn once(
        &self,
        name: &str,
        readers: Readers,
        make: impl FnOnce() -> Result<Vec<u8>, AuthorityError>,
    ) -> Result<Vec<u8>, AuthorityError> {
        if let Some(bytes) = self.read(name)? {
            return Ok(bytes);
        }
        let bytes = make()?;
        self.write(name, readers, &bytes)?;
        Ok(bytes)
    }

    /// The P-256 key of this file, which is made when there is none.
    pub(crate) fn key(&self, name: &str) -> Result<SealKey, AuthorityError> {
        self.once(name, Readers::Owner, || {
            let key = loop {
                // Nearly every 32 bytes are a key; those that are not are drawn again.
                if let Ok(key) = p256::SecretKey::from_slice(&random::<32>()?) {
                    break key;
                }
            };
            let broken = |e: p256::pkcs8::Error| AuthorityError::Broken {
                path: self.place(name),
                detail: e.to_string(),
            };
            Ok(render_pem("PRIVATE KEY", key.to_pkcs8_der().map_err(broken)?.as_bytes()).into_bytes())
        })?;
        Ok(SealKey::open(&self.place(name))?)
    }

    /// The 32 bytes of this file, which are drawn when there is none.
    pub(crate) fn seed(&self, name: &str) -> Result<[u8; 32], AuthorityError> {
        self.once(name, Readers::Owner, super::token_line)?;
        Ok(node::keys::seed(&self.place(name))?)
    }

    /// What to say about a file that this program did not write so.
    pub(crate) fn broken(&self, name: &str, detail: impl std::fmt::Display) -> AuthorityError {
        AuthorityError::Broken { path: self.place(name), detail: detail.to_string() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            // Closing would not do: a child that is just being started shares the open file until it runs its own program.
            let _ = lock.unlock();
        }
    }
}
