//! Trust policies: which logs to accept and which witnesses must have cosigned, per c2sp.org/tlog-policy.

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::cosignature::Timestamp;
use crate::key::{KeyName, VerifierKey};
use crate::note::NoteError;
use std::fmt;

mod file;
#[cfg(test)]
mod tests;

pub use file::{Fault, GROUPS_MAX, LOGS_MAX, Mistake, POLICY_BYTES_MAX, POLICY_FAULTS_MAX, WITNESSES_MAX};

/// A log that a policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    key: VerifierKey,
    url: Option<String>,
}

impl Log {
    /// Its key, whose name is its origin.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where it is, if the policy says so.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// A witness that a policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    name: String,
    key: VerifierKey,
    url: Option<String>,
}

impl Witness {
    /// Its name within the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key for cosignatures.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where to submit checkpoints, if the policy says so.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// One who can be counted: a witness or a group, by its place in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voter {
    Witness(usize),
    Group(usize),
}

/// Counts as one when at least `threshold` members do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Voter>,
}

/// The times between which a cosignature counts; c2sp.org/tlog-proof leaves this to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment that counts.
    pub from: Timestamp,
    /// The last moment that counts.
    pub until: Timestamp,
}

impl Period {
    /// Every cosignature up to `now`: old ones stay good, those from the future do not count.
    #[must_use]
    pub fn up_to(now: Timestamp) -> Self {
        Self { from: Timestamp::new(1).unwrap_or(now), until: now }
    }

    /// Cosignatures of at most `age` seconds before `now`.
    #[must_use]
    pub fn within(age: u64, now: Timestamp) -> Self {
        let from = Timestamp::new(now.seconds().saturating_sub(age).max(1));
        Self { from: from.unwrap_or(now), until: now }
    }

    fn contains(&self, timestamp: Timestamp) -> bool {
        (self.from..=self.until).contains(&timestamp)
    }
}

/// A set of logs, a set of witnesses and a quorum, per c2sp.org/tlog-policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    /// INVARIANT: a group has only witnesses and earlier groups as members, and no voter is a member twice.
    groups: Vec<Group>,
    /// None where the policy says `quorum none`.
    quorum: Option<Voter>,
}

/// A checkpoint that a policy accepts, and by whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted<'p> {
    checkpoint: Checkpoint,
    log: &'p Log,
    cosigned: Vec<(&'p Witness, Timestamp)>,
}

impl<'p> Accepted<'p> {
    /// The checkpoint, now to be believed as far as the policy is.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The log whose key signed it.
    #[must_use]
    pub const fn log(&self) -> &'p Log {
        self.log
    }

    /// The witnesses that were counted, in the order of the policy, each with its earliest time.
    #[must_use]
    pub fn cosigned(&self) -> &[(&'p Witness, Timestamp)] {
        &self.cosigned
    }
}

/// Why a policy does not accept a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The policy has no log of this origin.
    UnknownLog(KeyName),
    /// No key of the log signed, or a signature of a known key does not verify.
    Note(NoteError),
    /// These witnesses were counted, and they are no quorum.
    Quorum(Vec<String>),
}

impl Rejected {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownLog(_) => "tlog/policy-log-unknown",
            Self::Note(fault) => fault.code(),
            Self::Quorum(_) => "tlog/policy-quorum",
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLog(origin) => write!(f, "the policy has no log `{origin}`"),
            Self::Note(fault) => fault.fmt(f),
            Self::Quorum(counted) if counted.is_empty() => {
                f.write_str("no witness of the policy has cosigned in time")
            }
            Self::Quorum(counted) => write!(f, "no quorum: only `{}` cosigned in time", counted.join("`, `")),
        }
    }
}

impl std::error::Error for Rejected {}

impl Policy {
    /// Parses a policy file and names every mistake in it, not only the first.
    ///
    /// # Errors
    /// The file is no policy.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        file::parse(bytes)
    }

    /// The logs that it accepts.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses that it knows.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Verifies that a log of this policy signed the checkpoint and that a quorum of witnesses cosigned it in time.
    ///
    /// # Errors
    /// The log is unknown, a signature does not verify, or the quorum is not reached.
    pub fn verify(&self, signed: &SignedCheckpoint, within: Period) -> Result<Accepted<'_>, Rejected> {
        let logs: Vec<&Log> = self.logs.iter().filter(|log| log.key.name() == signed.origin()).collect();
        if logs.is_empty() {
            return Err(Rejected::UnknownLog(signed.origin().clone()));
        }
        let keys = logs.iter().map(|log| &log.key).chain(self.witnesses.iter().map(Witness::key));
        let verified = signed.note().verify(keys).map_err(Rejected::Note)?;
        let has_signed = |log: &&Log| verified.iter().any(|v| *v.key() == log.key);
        let log = logs.into_iter().find(has_signed).ok_or(Rejected::Note(NoteError::Unsigned))?;
        let time_of = |witness: &Witness| {
            let own = verified.iter().filter(|v| *v.key() == witness.key);
            own.filter_map(|v| v.timestamp()).filter(|t| within.contains(*t)).min()
        };
        let times: Vec<Option<Timestamp>> = self.witnesses.iter().map(time_of).collect();
        let cosigned: Vec<_> =
            self.witnesses.iter().zip(&times).filter_map(|(w, time)| Some((w, (*time)?))).collect();
        if !self.reached(&times) {
            return Err(Rejected::Quorum(cosigned.iter().map(|(w, _)| w.name.clone()).collect()));
        }
        Ok(Accepted { checkpoint: signed.claimed().clone(), log, cosigned })
    }

    /// Whether the witnesses with a time are a quorum.
    fn reached(&self, times: &[Option<Timestamp>]) -> bool {
        // Groups name only earlier groups, so one pass in order settles them all.
        let mut settled: Vec<bool> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let count = group.members.iter().filter(|member| counts(**member, times, &settled)).count();
            settled.push(count >= group.threshold);
        }
        self.quorum.is_none_or(|voter| counts(voter, times, &settled))
    }
}

fn counts(voter: Voter, times: &[Option<Timestamp>], groups: &[bool]) -> bool {
    match voter {
        Voter::Witness(at) => times.get(at).is_some_and(Option::is_some),
        Voter::Group(at) => groups.get(at).copied().unwrap_or(false),
    }
}
