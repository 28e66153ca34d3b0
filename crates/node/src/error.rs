//! Why an act was not done. What the law or a peer answers is no error.

use crate::ports::{CarrierError, SignError};
use dataplane::flow::FlowError;
use dataplane::sink::SinkError;
use dsp::machine::Fault;
use std::fmt;
use store::StoreError;

/// Why an act could not be done.
#[derive(Debug)]
pub enum ActError {
    /// The store did not commit or answer.
    Store(StoreError),
    /// A message got no answer.
    Carrier(CarrierError),
    /// A key is not at hand, or there is no randomness.
    Sign(SignError),
    /// A peer or an authority answered what the protocol does not know.
    Nonsense {
        /// Who.
        from: String,
        /// What was wrong.
        detail: String,
    },
    /// The peer refused; its code and reasons.
    Refused {
        /// The peer's code.
        code: String,
        /// Its reasons, each one line.
        reasons: Vec<String>,
    },
    /// There is none of this name.
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The protocol has no such move now.
    Protocol(Fault),
    /// What was asked for does not read, or contradicts itself.
    Asked {
        /// The stable code.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Facts do not speak the vocabulary, or contradict each other.
    Facts(Vec<String>),
    /// The rules of one day need more cells than are kept.
    Rules(String),
    /// The data cannot be read, or stops at the border.
    Flow(FlowError),
    /// What was received cannot be kept.
    Sink(SinkError),
    /// Evidence cannot be made or read.
    Evidence {
        /// The stable code of what failed.
        code: &'static str,
        /// What failed.
        detail: String,
    },
    /// It did not come about in the time that was given.
    TooLate {
        /// What was waited for.
        what: &'static str,
    },
    /// The participant has as much as its quota lets it have.
    Quota {
        /// The stable code, which says of what.
        code: &'static str,
        /// How much that is.
        most: u64,
    },
    /// It is for the demo alone.
    DemoOnly(&'static str),
    /// The log may not be signed: a witness has seen more of it than is here.
    LogBehind {
        /// What the witness has seen.
        witnessed: u64,
        /// What is here.
        here: u64,
    },
}

impl ActError {
    /// The stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Store(e) => e.code().into(),
            Self::Carrier(e) => e.code().into(),
            Self::Sign(_) => "node/sign".into(),
            Self::Nonsense { .. } => "peer/nonsense".into(),
            Self::Refused { code, .. } => code.clone(),
            Self::NotFound { .. } => "node/not-found".into(),
            Self::Protocol(fault) => fault.code().into(),
            Self::Asked { code, .. } | Self::Quota { code, .. } => (*code).into(),
            Self::Facts(_) => "node/facts".into(),
            Self::Rules(_) => "node/rules".into(),
            Self::Flow(e) => e.code().into(),
            Self::Sink(e) => e.code().into(),
            Self::Evidence { code, .. } => (*code).into(),
            Self::TooLate { .. } => "node/too-late".into(),
            Self::DemoOnly(_) => "node/demo-only".into(),
            Self::LogBehind { .. } => "node/log-behind".into(),
        }
    }

    /// What the grounds of a refusal say.
    pub(crate) fn refused(grounds: &dsp::message::Grounds) -> Self {
        Self::Refused {
            code: grounds.code.clone().unwrap_or_else(|| "peer/refused".into()),
            reasons: grounds.reason.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect(),
        }
    }

    /// Facts that do not speak the vocabulary, or contradict each other; a line for each.
    pub(crate) fn facts(found: &[rulebook::diagnostic::Diagnostic]) -> Self {
        Self::Facts(found.iter().map(|d| d.to_string().lines().next().unwrap_or_default().to_owned()).collect())
    }

    pub(crate) fn evidence(code: &'static str, detail: impl fmt::Display) -> Self {
        Self::Evidence { code, detail: detail.to_string() }
    }

    pub(crate) fn nonsense(from: &str, detail: impl fmt::Display) -> Self {
        Self::Nonsense { from: from.to_owned(), detail: detail.to_string().chars().take(200).collect() }
    }
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(e) => write!(f, "{e}"),
            Self::Carrier(e) => write!(f, "{e}"),
            Self::Sign(e) => write!(f, "{e}"),
            Self::Nonsense { from, detail } => {
                write!(f, "`{from}` answers what the protocol does not know: {detail}")
            }
            Self::Refused { code, reasons } => write!(f, "refused ({code}): {}", reasons.join(" | ")),
            Self::NotFound { what, name } => write!(f, "there is no {what} `{name}`"),
            Self::Protocol(fault) => write!(f, "{fault}"),
            Self::Asked { detail, .. } => write!(f, "{detail}"),
            Self::Facts(lines) => write!(f, "the facts do not hold: {}", lines.join("; ")),
            Self::Rules(detail) => write!(f, "the rules need too many cells: {detail}"),
            Self::Flow(e) => write!(f, "{e}"),
            Self::Sink(e) => write!(f, "{e}"),
            Self::Evidence { detail, .. } => write!(f, "{detail}"),
            Self::TooLate { what } => write!(f, "{what} did not come in time"),
            Self::Quota { code, most } => {
                let what = match *code {
                    crate::quota::OFFERS => "datasets offered at a time",
                    crate::quota::NEGOTIATIONS => "negotiations open at a time",
                    _ => "bytes in a calendar month",
                };
                write!(f, "the quota of {most} {what} is used up; whoever runs the process can raise it")
            }
            Self::DemoOnly(what) => write!(f, "{what} needs `mode = \"demo\"`"),
            Self::LogBehind { witnessed, here } => {
                write!(
                    f,
                    "the witness has seen {witnessed} entries of this log, here are {here}; nothing is signed"
                )
            }
        }
    }
}

impl std::error::Error for ActError {}

impl From<StoreError> for ActError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<CarrierError> for ActError {
    fn from(e: CarrierError) -> Self {
        Self::Carrier(e)
    }
}

impl From<SignError> for ActError {
    fn from(e: SignError) -> Self {
        Self::Sign(e)
    }
}

impl From<FlowError> for ActError {
    fn from(e: FlowError) -> Self {
        Self::Flow(e)
    }
}

impl From<SinkError> for ActError {
    fn from(e: SinkError) -> Self {
        Self::Sink(e)
    }
}
