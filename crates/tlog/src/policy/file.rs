//! The policy file, read line by line.

use super::{Group, Log, Policy, Voter, Witness};
use crate::checkpoint::parse_decimal;
use crate::key::{Algorithm, KeyError, VerifierKey};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// LIMIT: the largest policy file.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// LIMIT: the most logs; the specification asks for at least 32.
pub const LOGS_MAX: usize = 256;

/// LIMIT: the most witnesses; the specification asks for at least 32.
pub const WITNESSES_MAX: usize = 256;

/// LIMIT: the most groups; the specification asks for at least 32.
pub const GROUPS_MAX: usize = 256;

/// LIMIT: how many mistakes are told.
pub const POLICY_FAULTS_MAX: usize = 32;

/// What is wrong with a line of a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The file or a list in it exceeds a limit.
    Limit,
    /// A character is no tab, newline, visible ASCII character, space or byte above 0x7f.
    Characters,
    /// The last line has no newline.
    Newline,
    /// The line starts with none of `log`, `witness`, `group`, `quorum`.
    Keyword(String),
    /// The line has too few or too many words.
    Words,
    /// The key is no verifier key.
    Key(KeyError),
    /// The key is of a type that logs, or witnesses, do not use.
    KeyType,
    /// Another log, or witness, has the same public key.
    DuplicateKey,
    /// The name is defined already, or is `none`.
    DuplicateName(String),
    /// The name is not defined on an earlier line.
    UnknownName(String),
    /// The name is a member of a group already.
    SecondMembership(String),
    /// The threshold is not `all`, `any` or a number from 1 to the number of members.
    Threshold(String),
    /// There is a second quorum line.
    SecondQuorum,
    /// There is no quorum line.
    NoQuorum,
}

impl Mistake {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Limit => "tlog/policy-limit",
            Self::Characters => "tlog/policy-characters",
            Self::Newline => "tlog/policy-newline",
            Self::Keyword(_) => "tlog/policy-keyword",
            Self::Words => "tlog/policy-words",
            Self::Key(fault) => fault.code(),
            Self::KeyType => "tlog/policy-key-type",
            Self::DuplicateKey => "tlog/policy-duplicate-key",
            Self::DuplicateName(_) => "tlog/policy-duplicate-name",
            Self::UnknownName(_) => "tlog/policy-unknown-name",
            Self::SecondMembership(_) => "tlog/policy-second-membership",
            Self::Threshold(_) => "tlog/policy-threshold",
            Self::SecondQuorum => "tlog/policy-second-quorum",
            Self::NoQuorum => "tlog/policy-no-quorum",
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("the policy is too large"),
            Self::Characters => f.write_str("the only control characters are tab and newline"),
            Self::Newline => f.write_str("the last line has no newline"),
            Self::Keyword(word) => write!(f, "`{word}` is none of `log`, `witness`, `group`, `quorum`"),
            Self::Words => f.write_str("the line has too few or too many words"),
            Self::Key(fault) => fault.fmt(f),
            Self::KeyType => f.write_str("a log signs with type 1, a witness with type 4"),
            Self::DuplicateKey => f.write_str("this public key stands on an earlier line"),
            Self::DuplicateName(name) => write!(f, "`{name}` is defined already"),
            Self::UnknownName(name) => write!(f, "`{name}` is not defined on an earlier line"),
            Self::SecondMembership(name) => write!(f, "`{name}` is a member of a group already"),
            Self::Threshold(word) => {
                write!(f, "`{word}` is not `all`, `any` or a number up to that of the members")
            }
            Self::SecondQuorum => f.write_str("there is a quorum line already"),
            Self::NoQuorum => f.write_str("there is no quorum line"),
        }
    }
}

/// A mistake and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    line: usize,
    mistake: Mistake,
}

impl Fault {
    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The mistake.
    #[must_use]
    pub const fn mistake(&self) -> &Mistake {
        &self.mistake
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.mistake)
    }
}

impl std::error::Error for Fault {}

/// What was read so far; names are opaque octets, as the specification wants.
#[derive(Default)]
struct Draft {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<Voter>>,
    names: BTreeMap<Vec<u8>, Voter>,
    members: BTreeSet<Vec<u8>>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Policy, Vec<Fault>> {
    if bytes.len() > POLICY_BYTES_MAX {
        return Err(vec![Fault { line: 1, mistake: Mistake::Limit }]);
    }
    let mut draft = Draft::default();
    let mut faults = Vec::new();
    let mut lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    let last = lines.len();
    if lines.pop().is_some_and(|rest| !rest.is_empty()) {
        faults.push(Fault { line: last, mistake: Mistake::Newline });
    }
    for (line, text) in (1..).zip(lines) {
        if let Err(mistake) = draft.read_line(text) {
            faults.push(Fault { line, mistake });
        }
        if faults.len() >= POLICY_FAULTS_MAX {
            break;
        }
    }
    if draft.quorum.is_none() && faults.is_empty() {
        faults.push(Fault { line: last, mistake: Mistake::NoQuorum });
    }
    match draft.quorum {
        Some(quorum) if faults.is_empty() => {
            Ok(Policy { logs: draft.logs, witnesses: draft.witnesses, groups: draft.groups, quorum })
        }
        _ => Err(faults),
    }
}

impl Draft {
    fn read_line(&mut self, text: &[u8]) -> Result<(), Mistake> {
        if text.iter().any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f) {
            return Err(Mistake::Characters);
        }
        let words: Vec<&[u8]> =
            text.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        let Some((keyword, words)) = words.split_first() else { return Ok(()) };
        match *keyword {
            comment if comment.starts_with(b"#") => Ok(()),
            b"log" => self.read_log(words),
            b"witness" => self.read_witness(words),
            b"group" => self.read_group(words),
            b"quorum" => self.read_quorum(words),
            other => Err(Mistake::Keyword(lossy(other))),
        }
    }

    fn read_log(&mut self, words: &[&[u8]]) -> Result<(), Mistake> {
        let (key, url) = read_key(words, Algorithm::Ed25519)?;
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(Mistake::DuplicateKey);
        }
        self.logs.push(Log { key, url });
        within(self.logs.len(), LOGS_MAX)
    }

    fn read_witness(&mut self, words: &[&[u8]]) -> Result<(), Mistake> {
        let (name, words) = words.split_first().ok_or(Mistake::Words)?;
        let (key, url) = read_key(words, Algorithm::CosignatureEd25519)?;
        if self.witnesses.iter().any(|witness| witness.key.public() == key.public()) {
            return Err(Mistake::DuplicateKey);
        }
        self.define(name, Voter::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: lossy(name), key, url });
        within(self.witnesses.len(), WITNESSES_MAX)
    }

    fn read_group(&mut self, words: &[&[u8]]) -> Result<(), Mistake> {
        let [name, threshold, names @ ..] = words else { return Err(Mistake::Words) };
        if names.is_empty() {
            return Err(Mistake::Words);
        }
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            members.push(self.voter(member)?);
            // A second membership would let one witness count twice.
            if !self.members.insert(member.to_vec()) {
                return Err(Mistake::SecondMembership(lossy(member)));
            }
        }
        let threshold = match *threshold {
            b"all" => Some(members.len()),
            b"any" => Some(1),
            number => std::str::from_utf8(number).ok().and_then(parse_decimal).map(|n| n as usize),
        }
        .filter(|k| (1..=members.len()).contains(k))
        .ok_or_else(|| Mistake::Threshold(lossy(threshold)))?;
        self.define(name, Voter::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        within(self.groups.len(), GROUPS_MAX)
    }

    fn read_quorum(&mut self, words: &[&[u8]]) -> Result<(), Mistake> {
        let [name] = words else { return Err(Mistake::Words) };
        if self.quorum.is_some() {
            return Err(Mistake::SecondQuorum);
        }
        self.quorum = Some(if *name == b"none" { None } else { Some(self.voter(name)?) });
        Ok(())
    }

    fn voter(&self, name: &[u8]) -> Result<Voter, Mistake> {
        self.names.get(name).copied().ok_or_else(|| Mistake::UnknownName(lossy(name)))
    }

    fn define(&mut self, name: &[u8], voter: Voter) -> Result<(), Mistake> {
        if name == b"none" || self.names.contains_key(name) {
            return Err(Mistake::DuplicateName(lossy(name)));
        }
        self.names.insert(name.to_vec(), voter);
        Ok(())
    }
}

/// Reads `<vkey> [<url>]`.
fn read_key(words: &[&[u8]], algorithm: Algorithm) -> Result<(VerifierKey, Option<String>), Mistake> {
    let (key, url) = match words {
        [key] => (key, None),
        [key, url] => (key, Some(lossy(url))),
        _ => return Err(Mistake::Words),
    };
    let key = std::str::from_utf8(key).map_err(|_| Mistake::Key(KeyError::Form))?;
    let key = VerifierKey::parse(key).map_err(Mistake::Key)?;
    if key.algorithm() == algorithm { Ok((key, url)) } else { Err(Mistake::KeyType) }
}

fn within(count: usize, limit: usize) -> Result<(), Mistake> {
    if count > limit { Err(Mistake::Limit) } else { Ok(()) }
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
