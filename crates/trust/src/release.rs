//! Releases of the rulebook: a numbered list of files that a quorum of maintainers has signed, as signed notes of
//! c2sp.org/signed-note; and the editions of their keys, each signed by a quorum of the edition before.
//!
//! ```text
//! tegata-rules-release/1            tegata-rules-keys/1
//! number 7                          edition 2
//! keys 2                            quorum 2
//! rulebook 3f2a…                    key maintainer.example/a+1f…+AX…
//! made 2026-11-22                   key maintainer.example/b+09…+AT…
//! file 98b1… eu/gdpr-chapter-v.md   key maintainer.example/c+77…+AQ…
//!
//! — maintainer.example/a …          — maintainer.example/a …
//! — maintainer.example/b …          — maintainer.example/b …
//! ```

use model::{CivilDate, Digest};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use tlog::{
    key::VerifierKey,
    note::{Note, NoteError},
};

const RELEASE: &str = "tegata-rules-release/1";
const KEYS: &str = "tegata-rules-keys/1";

/// LIMIT: keys of one edition, files of one release, editions that are walked through.
const KEYS_MAX: usize = 16;
const FILES_MAX: usize = 2_000;
const EDITIONS_MAX: usize = 256;

/// Why a release or an edition of keys is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// It is no signed note, or a signature in it does not verify.
    Note(NoteError),
    /// A line of the text is not what must stand there.
    Form(String),
    /// No keys are trusted, so nothing can be verified.
    NoKeys,
    /// Too few of the trusted keys have signed.
    Quorum {
        /// How many have.
        signed: usize,
        /// How many must.
        needed: usize,
    },
    /// It names another edition of keys than the newest that is held.
    Edition {
        /// The edition that it names.
        named: u64,
        /// The newest that is held.
        held: u64,
    },
    /// Its number is lower than that of the release that is held.
    Downgrade {
        /// Its number.
        offered: u64,
        /// The number of the one that is held.
        held: u64,
    },
    /// It has the number of the release that is held, and is another.
    SameNumber(u64),
    /// A file is not the one that was signed.
    Altered(String),
    /// A file that was signed is not there.
    Missing(String),
    /// A file is there that nobody signed.
    Unlisted(String),
    /// The files lead to another rulebook than the one that was signed.
    OtherRulebook,
}

impl ReleaseError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Note(e) => e.code(),
            Self::Form(_) => "release/form",
            Self::NoKeys => "release/no-keys",
            Self::Quorum { .. } => "release/quorum",
            Self::Edition { .. } => "release/edition",
            Self::Downgrade { .. } => "release/downgrade",
            Self::SameNumber(_) => "release/same-number",
            Self::Altered(_) => "release/altered",
            Self::Missing(_) => "release/missing",
            Self::Unlisted(_) => "release/unlisted",
            Self::OtherRulebook => "release/other-rulebook",
        }
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(e) => e.fmt(f),
            Self::Form(line) => write!(f, "`{line}` is not what must stand there"),
            Self::NoKeys => f.write_str("no keys of maintainers are trusted"),
            Self::Quorum { signed, needed } => write!(f, "{signed} of the trusted keys have signed, {needed} must"),
            Self::Edition { named, held } => write!(f, "it names edition {named} of the keys, and edition {held} is the newest that is held"),
            Self::Downgrade { offered, held } => write!(f, "release {offered} is older than release {held}, which is held"),
            Self::SameNumber(n) => write!(f, "release {n} is held with other content"),
            Self::Altered(path) => write!(f, "`{path}` is not the file that was signed"),
            Self::Missing(path) => write!(f, "`{path}` was signed and is not there"),
            Self::Unlisted(path) => write!(f, "`{path}` is there and nobody signed it"),
            Self::OtherRulebook => f.write_str("the files lead to another rulebook than the one that was signed"),
        }
    }
}

impl std::error::Error for ReleaseError {}

impl From<NoteError> for ReleaseError {
    fn from(e: NoteError) -> Self {
        Self::Note(e)
    }
}

/// An edition of the maintainers' keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Counts from 1.
    pub edition: u64,
    /// How many of them must sign.
    pub quorum: usize,
    /// The keys; an edition without any verifies nothing.
    pub keys: Vec<VerifierKey>,
}

/// Lines of a text, each read once and in order.
struct Lines<'a>(std::iter::Peekable<std::str::Lines<'a>>);

impl<'a> Lines<'a> {
    fn of(text: &'a str, first: &str) -> Result<Self, ReleaseError> {
        let mut lines = text.lines().peekable();
        match lines.next() {
            Some(line) if line == first => Ok(Self(lines)),
            other => Err(ReleaseError::Form(other.unwrap_or_default().to_string())),
        }
    }

    fn one(&mut self, key: &str) -> Result<&'a str, ReleaseError> {
        let line = self.0.next().unwrap_or_default();
        line.strip_prefix(key).and_then(|r| r.strip_prefix(' ')).ok_or_else(|| ReleaseError::Form(line.to_string()))
    }

    fn number<T: std::str::FromStr + ToString>(&mut self, key: &str) -> Result<T, ReleaseError> {
        let text = self.one(key)?;
        // One spelling: no sign, no leading zero.
        let number = text.parse::<T>().ok().filter(|n| n.to_string() == text);
        number.ok_or_else(|| ReleaseError::Form(format!("{key} {text}")))
    }
}

impl Keys {
    /// Parses the text of an edition, without believing it.
    pub fn parse(text: &str) -> Result<Self, ReleaseError> {
        let mut lines = Lines::of(text, KEYS)?;
        let (edition, quorum) = (lines.number::<u64>("edition")?, lines.number::<usize>("quorum")?);
        let mut keys: Vec<VerifierKey> = Vec::new();
        while lines.0.peek().is_some() {
            let line = lines.one("key")?;
            let key = VerifierKey::parse(line).map_err(|_| ReleaseError::Form(format!("key {line}")))?;
            // One person with two names is one person.
            let twice = keys.iter().any(|k| k.public() == key.public() || k.name() == key.name());
            if twice || keys.len() == KEYS_MAX {
                return Err(ReleaseError::Form(format!("key {line}")));
            }
            keys.push(key);
        }
        let sound = edition > 0 && quorum > 0 && (keys.is_empty() || quorum <= keys.len());
        if sound { Ok(Self { edition, quorum, keys }) } else { Err(ReleaseError::Form(format!("quorum {quorum}"))) }
    }

    /// Writes the text of an edition; parsing it again gives the same.
    pub fn render(&self) -> String {
        let keys: String = self.keys.iter().map(|k| format!("key {k}\n")).collect();
        format!("{KEYS}\nedition {}\nquorum {}\n{keys}", self.edition, self.quorum)
    }

    /// How many of these keys have signed a note.
    pub fn signers(&self, note: &Note) -> Result<usize, ReleaseError> {
        if self.keys.is_empty() {
            return Err(ReleaseError::NoKeys);
        }
        match note.verify(&self.keys) {
            Ok(verified) => Ok(verified.iter().map(|v| v.key().public()).collect::<BTreeSet<_>>().len()),
            Err(NoteError::Unsigned) => Ok(0),
            Err(e) => Err(e.into()),
        }
    }

    fn demand(&self, note: &Note) -> Result<(), ReleaseError> {
        let (signed, needed) = (self.signers(note)?, self.quorum);
        if signed >= needed { Ok(()) } else { Err(ReleaseError::Quorum { signed, needed }) }
    }

    /// Walks from these keys through later editions: each is signed by a quorum of the one before, and by one of its own,
    /// so that nobody can be locked out by a key that was mistyped. Editions that are not later are passed over.
    pub fn advance(&self, editions: &[Note]) -> Result<Self, ReleaseError> {
        let mut held = self.clone();
        if editions.len() > EDITIONS_MAX {
            return Err(ReleaseError::Form("editions".into()));
        }
        let mut read: Vec<(Self, &Note)> = editions.iter().map(|n| Ok((Self::parse(n.text())?, n))).collect::<Result<_, ReleaseError>>()?;
        read.sort_by_key(|(k, _)| k.edition);
        for (next, note) in read.into_iter().filter(|(k, _)| k.edition > self.edition) {
            if next.edition != held.edition + 1 {
                return Err(ReleaseError::Edition { named: next.edition, held: held.edition });
            }
            held.demand(note)?;
            next.demand(note)?;
            held = next;
        }
        Ok(held)
    }
}

/// A release: which files make which rulebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Rises with each release.
    pub number: u64,
    /// The edition of keys that signs it.
    pub edition: u64,
    /// Digest of the rulebook that the files make.
    pub rulebook: Digest,
    /// The day on which it was made.
    pub made: CivilDate,
    /// SHA-256 of each file, by path.
    pub files: BTreeMap<String, Digest>,
}

/// What is held already: a release may not be older, nor be another of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub number: u64,
    /// Digest of its text.
    pub text: Digest,
}

impl Release {
    /// Parses the text of a release, without believing it.
    pub fn parse(text: &str) -> Result<Self, ReleaseError> {
        let mut lines = Lines::of(text, RELEASE)?;
        let (number, edition) = (lines.number("number")?, lines.number("keys")?);
        let wrong = |line: &str| ReleaseError::Form(line.to_string());
        let rulebook = lines.one("rulebook").and_then(|d| d.parse().map_err(|_| wrong(d)))?;
        let made = lines.one("made").and_then(|d| d.parse().map_err(|_| wrong(d)))?;
        let mut files = BTreeMap::new();
        let mut last = String::new();
        while lines.0.peek().is_some() {
            let line = lines.one("file")?;
            let (digest, path) = line.split_once(' ').ok_or_else(|| wrong(line))?;
            let digest: Digest = digest.parse().map_err(|_| wrong(line))?;
            if !is_path(path) || path <= last.as_str() || files.len() == FILES_MAX {
                return Err(wrong(line));
            }
            last = path.to_string();
            files.insert(last.clone(), digest);
        }
        Ok(Self { number, edition, rulebook, made, files })
    }

    /// Writes the text of a release; parsing it again gives the same.
    pub fn render(&self) -> String {
        let files: String = self.files.iter().map(|(path, digest)| format!("file {digest} {path}\n")).collect();
        format!("{RELEASE}\nnumber {}\nkeys {}\nrulebook {}\nmade {}\n{files}", self.number, self.edition, self.rulebook, self.made)
    }

    /// Verifies a release by the newest keys that are held, against what is held and against the files themselves.
    ///
    /// What the files say is not looked at: whoever calls makes the rulebook of them and asks [`Release::is_of`].
    pub fn verify<'f>(keys: &Keys, note: &Note, held: Option<Held>, files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Result<Self, ReleaseError> {
        keys.demand(note)?;
        let release = Self::parse(note.text())?;
        if release.edition != keys.edition {
            return Err(ReleaseError::Edition { named: release.edition, held: keys.edition });
        }
        match held {
            Some(held) if release.number < held.number => return Err(ReleaseError::Downgrade { offered: release.number, held: held.number }),
            Some(held) if release.number == held.number && Digest::of(note.text().as_bytes()) != held.text => return Err(ReleaseError::SameNumber(held.number)),
            _ => {}
        }
        let mut left: BTreeSet<&str> = release.files.keys().map(String::as_str).collect();
        for (path, bytes) in files {
            match release.files.get(path) {
                None => return Err(ReleaseError::Unlisted(path.to_string())),
                Some(digest) if *digest != Digest::of(bytes) => return Err(ReleaseError::Altered(path.to_string())),
                Some(_) => left.remove(path),
            };
        }
        let missing = left.into_iter().next().map(|path| ReleaseError::Missing(path.to_string()));
        missing.map_or(Ok(release.clone()), Err)
    }

    /// Whether the files make the rulebook that was signed.
    pub fn is_of(&self, rulebook: Digest) -> Result<(), ReleaseError> {
        if self.rulebook == rulebook { Ok(()) } else { Err(ReleaseError::OtherRulebook) }
    }
}

/// A path below the folder of rules that climbs nowhere and has one spelling.
fn is_path(path: &str) -> bool {
    let part = |p: &str| !p.is_empty() && !p.starts_with('.') && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    path.ends_with(".md") && path.split('/').all(part)
}

#[cfg(test)]
mod tests;
