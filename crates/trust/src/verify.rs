//! The verification of an evidence bundle, step by step: what each step looked at, and what it found.
//!
//! Trust comes from outside: without anchors, or without a log policy, the steps that need them stay indeterminate
//! and the whole never passes. The first step that fails ends the verification, as in `verify.sh`.

mod steps;

use std::fmt;
use std::io::Read;

use identity::x509::{Certificate, Crl};
use model::Instant;
use tlog::policy::Policy;

use crate::bundle::Bundle;

/// What is trusted, from outside of the bundle.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// The certificates that paths end at.
    pub certificates: Vec<Certificate>,
    /// The logs and witnesses that are believed (C2SP tlog-policy).
    pub log: Option<Policy>,
}

/// What is verified, with what.
pub struct Inputs<'a> {
    /// The container's bytes.
    pub container: &'a [u8],
    /// What is trusted.
    pub anchors: &'a Anchors,
    /// Revocation lists beside those in the bundle, newer ones perhaps.
    pub crls: &'a [Crl],
    /// The delivered bytes, when they are at hand.
    pub data: Option<&'a mut dyn Read>,
    /// The instant of verification.
    pub now: Instant,
}

/// The steps, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepId {
    /// The container is in its one form.
    Container,
    /// The manifests list exactly the files that are there, with their digests.
    Digests,
    /// The container's seal is good and leads to an anchor.
    Seal,
    /// The container's time-stamp is good and leads to an anchor.
    Stamp,
    /// The manifest of what was delivered is whole, and its own seal and stamp, if any, are good.
    Delivery,
    /// The event stands in a log that the policy believes.
    Log,
    /// The receiver attested this very manifest.
    Receipt,
    /// The data are the bytes that the manifest names.
    Data,
}

impl StepId {
    /// All steps in order.
    pub const ALL: [StepId; 8] = [
        StepId::Container,
        StepId::Digests,
        StepId::Seal,
        StepId::Stamp,
        StepId::Delivery,
        StepId::Log,
        StepId::Receipt,
        StepId::Data,
    ];

    /// The stable name, the same in `verify.sh`.
    pub fn code(self) -> &'static str {
        match self {
            StepId::Container => "container",
            StepId::Digests => "digests",
            StepId::Seal => "seal",
            StepId::Stamp => "stamp",
            StepId::Delivery => "delivery",
            StepId::Log => "log",
            StepId::Receipt => "receipt",
            StepId::Data => "data",
        }
    }
}

/// ETSI EN 319 102-1: how a step came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is good.
    Passed,
    /// It is not good, for the reason with this code.
    Failed(String),
    /// It cannot be told, for the reason with this code.
    Indeterminate(String),
    /// The bundle or the caller has nothing for this step.
    Absent,
    /// An earlier step failed.
    NotReached,
}

/// One step: its name, how it came out, and what it found in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// How it came out.
    pub outcome: Outcome,
    /// What it found.
    pub detail: String,
}

/// How the whole came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No step failed, none is indeterminate.
    Passed,
    /// A step failed.
    Failed,
    /// A step cannot be told.
    Indeterminate,
}

/// DESIGN section 7: how far the evidence reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The event stands in a log that is believed.
    Recorded,
    /// Witnesses cosigned that log's checkpoint.
    Witnessed,
    /// The sealer is known by an anchor.
    Sealed,
    /// A time-stamping authority attested the time.
    Stamped,
}

impl Level {
    /// The stable name.
    pub fn code(self) -> &'static str {
        match self {
            Level::Recorded => "recorded",
            Level::Witnessed => "witnessed",
            Level::Sealed => "sealed",
            Level::Stamped => "stamped",
        }
    }
}

/// All steps of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The steps in order, always all of them.
    pub steps: Vec<Step>,
    /// The levels that were shown, lowest first.
    pub levels: Vec<Level>,
    /// The time that the container's stamp states, once it passed.
    pub stamped_at: Option<Instant>,
}

impl Report {
    /// The whole.
    pub fn verdict(&self) -> Verdict {
        let any = |wanted: &dyn Fn(&Outcome) -> bool| self.steps.iter().any(|step| wanted(&step.outcome));
        if any(&|outcome| matches!(outcome, Outcome::Failed(_))) {
            Verdict::Failed
        } else if any(&|outcome| matches!(outcome, Outcome::Indeterminate(_))) {
            Verdict::Indeterminate
        } else {
            Verdict::Passed
        }
    }

    /// The step that failed, if one did.
    pub fn failed_at(&self) -> Option<StepId> {
        self.steps.iter().find(|step| matches!(step.outcome, Outcome::Failed(_))).map(|step| step.id)
    }

    /// One step.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let (word, code) = match &step.outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(code) => ("FAILED", code.as_str()),
                Outcome::Indeterminate(code) => ("indeterminate", code.as_str()),
                Outcome::Absent => ("absent", ""),
                Outcome::NotReached => ("not reached", ""),
            };
            writeln!(f, "{:<10} {word} {code} {}", step.id.code(), step.detail)?;
        }
        Ok(())
    }
}

/// Verifies an evidence bundle, step by step.
pub fn verify(inputs: Inputs<'_>) -> Report {
    let Inputs { container, anchors, crls, data, now } = inputs;
    let mut report = Report { steps: Vec::new(), levels: Vec::new(), stamped_at: None };
    match Bundle::read(container) {
        Err(error) => report.put(StepId::Container, Found::failed(error.code(), error.to_string())),
        Ok(bundle) => {
            let detail = format!("{} files in their one form", bundle.names().count());
            report.put(StepId::Container, Found::passed(detail));
            steps::take(&bundle, anchors, crls, data, now, &mut report);
        }
    }
    for id in StepId::ALL {
        if report.step(id).is_none() {
            let detail = String::from("an earlier step failed");
            report.steps.push(Step { id, outcome: Outcome::NotReached, detail });
        }
    }
    report.levels.sort();
    report
}

/// What a step found.
struct Found {
    outcome: Outcome,
    detail: String,
}

impl Found {
    fn passed(detail: impl Into<String>) -> Found {
        Found { outcome: Outcome::Passed, detail: detail.into() }
    }

    fn failed(code: &str, detail: impl Into<String>) -> Found {
        Found { outcome: Outcome::Failed(code.to_owned()), detail: detail.into() }
    }

    fn indeterminate(code: &str, detail: impl Into<String>) -> Found {
        Found { outcome: Outcome::Indeterminate(code.to_owned()), detail: detail.into() }
    }

    fn absent(detail: impl Into<String>) -> Found {
        Found { outcome: Outcome::Absent, detail: detail.into() }
    }
}

impl Report {
    fn put(&mut self, id: StepId, found: Found) {
        self.steps.push(Step { id, outcome: found.outcome, detail: found.detail });
    }

    fn has_failed(&self) -> bool {
        self.verdict() == Verdict::Failed
    }
}
