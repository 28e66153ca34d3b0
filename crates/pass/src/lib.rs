//! A decision that opens, with a ground, becomes a [`Pass`]: a clearance issued by oneself, no authority's approval.
//!
//! This is the only place where a pass is made, and [`Pass::issue`] the only way. A pass has private fields, cannot be
//! cloned, stored or sent: after a restart the node decides again and issues again. Only a pass opens a flow.
//!
//! Path of data: [`decide::decision::Decision`] + [`Ground`] + [`Scope`] → [`Pass`] → a flow, which asks it at every chunk.

use decide::{decision::Decision, footing};
use dsp::negotiation::{Negotiation, State};
use model::{AsOf, Digest, Instant};
use std::fmt;

/// Why a pass may be made, beside the law: law and contract are two questions, both must open.
#[derive(Debug)]
pub enum Ground<'a> {
    /// A negotiation that both sides finalized.
    Agreement(&'a Negotiation),
    /// Within one's own group of companies, no contract of the data space needed.
    OwnGroup,
    /// Life, health or property at once; told afterwards.
    Emergency {
        /// The instrument that declares it.
        instrument: String,
    },
    /// An order that compels, under a law that the decision has judged.
    Compelled {
        /// The order's reference.
        order: String,
    },
}

/// The form in which data may move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The bytes as they are.
    Raw,
    /// A release that was measured: the digest of its sealed report.
    Release(Digest),
}

/// What a pass is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The party that gives.
    pub exporter: String,
    /// The party that gets.
    pub recipient: String,
    /// The dataset.
    pub dataset: String,
    /// Its form.
    pub form: Form,
}

/// Why no pass was made. Each is an answer about the question, not a breakdown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The decision does not open.
    DoesNotOpen,
    /// The decision speaks of other parties or data.
    OtherTransfer,
    /// The negotiation is not finalized.
    AgreementNotFinal,
    /// The agreement is about another dataset.
    OtherDataset,
    /// The opening rests on rules that were read once, and the operator has not accepted them by name.
    ReadOnce(Vec<String>),
}

impl Refused {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DoesNotOpen => "TGT-P001",
            Self::OtherTransfer => "TGT-P002",
            Self::AgreementNotFinal => "TGT-P003",
            Self::OtherDataset => "TGT-P004",
            Self::ReadOnce(_) => "TGT-P005",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::ReadOnce(rules) = self {
            return write!(f, "the opening rests on rules that were read once: {}; name them in `[law] accept_drafted` to accept them", rules.join("; "));
        }
        f.write_str(match self {
            Self::DoesNotOpen => "the decision does not open",
            Self::OtherTransfer => "the decision is about another transfer",
            Self::AgreementNotFinal => "the agreement is not final",
            Self::OtherDataset => "the agreement is about another dataset",
            Self::ReadOnce(_) => "the opening rests on rules that were read once",
        })
    }
}

impl std::error::Error for Refused {}

/// A self-issued clearance. It can be neither cloned nor serialized.
#[derive(Debug)]
pub struct Pass {
    decision: Digest,
    rulebook: Digest,
    legal: AsOf,
    agreement: Option<String>,
    scope: Scope,
    issued: Instant,
    until: Option<Instant>,
    accepted: Vec<String>,
    entries: Vec<String>,
}

/// The rules that an opening rests on though they were read once, if the operator accepts all of them by name.
pub fn accepted(decision: &Decision, accept_drafted: &[String]) -> Result<Vec<String>, Refused> {
    let (mut taken, mut open) = (Vec::new(), Vec::new());
    for rests in footing::read_once(decision) {
        match rests.accepted(accept_drafted) {
            Some(rules) => taken.push(rules),
            None => open.push(rests.names()),
        }
    }
    if open.is_empty() { Ok(taken) } else { Err(Refused::ReadOnce(open)) }
}

impl Pass {
    /// Issues a pass if the decision opens for exactly this scope and the ground holds.
    ///
    /// `accept_drafted` names rules, layers, lists or entries of lists that the operator accepts though they were read once only; an opening that
    /// rests on such a rule and is not named makes no pass.
    ///
    /// The decision must have a crossing from `scope.exporter` to `scope.recipient` for `scope.dataset`, and every
    /// crossing in it must open: a journey is as good as its worst hop.
    pub fn issue(decision: &Decision, ground: Ground<'_>, scope: &Scope, accept_drafted: &[String], now: Instant) -> Result<Self, Refused> {
        if !decision.verdict.opens() || decision.crossings.is_empty() || decision.crossings.iter().any(|c| !c.verdict.opens()) {
            return Err(Refused::DoesNotOpen);
        }
        let same = |c: &decide::decision::CrossingAnswer| c.from == scope.exporter && c.to == scope.recipient && c.dataset == scope.dataset;
        if !decision.crossings.iter().any(same) {
            return Err(Refused::OtherTransfer);
        }
        let accepted = accepted(decision, accept_drafted)?;
        let agreement = match ground {
            Ground::Agreement(negotiation) => Some(agreed(negotiation, scope)?),
            Ground::OwnGroup | Ground::Emergency { .. } | Ground::Compelled { .. } => None,
        };
        // The decision's day is civil; the pass ends with the last moment that is the day before everywhere on earth.
        let until = decision.holds_until.map(|day| Instant::start_of(day, 14 * 60));
        Ok(Self {
            decision: decision.digest(),
            rulebook: decision.rulebook,
            legal: decision.as_of,
            agreement,
            scope: scope.clone(),
            issued: now,
            until,
            accepted,
            entries: footing::carried_by_entries(decision),
        })
    }

    /// Digest of the decision that opened.
    pub fn decision(&self) -> Digest {
        self.decision
    }

    /// Digest of the rulebook it was decided by.
    pub fn rulebook(&self) -> Digest {
        self.rulebook
    }

    /// The day whose law it rests on.
    pub fn legal(&self) -> AsOf {
        self.legal
    }

    /// The agreement it rests on, if that is its ground.
    pub fn agreement(&self) -> Option<&str> {
        self.agreement.as_deref()
    }

    /// What it is for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// When it was issued.
    pub fn issued(&self) -> Instant {
        self.issued
    }

    /// Rules that were read once and that the operator accepted by name: they go into the evidence.
    pub fn accepted(&self) -> &[String] {
        &self.accepted
    }

    /// Rules that an entry of a list carries, with the entry: an adequacy decision, a listing. They go into the evidence.
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// The first moment at which the law could turn with no new fact.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }
}

fn agreed(negotiation: &Negotiation, scope: &Scope) -> Result<String, Refused> {
    let terms = negotiation.agreement().filter(|_| negotiation.state() == State::Finalized).ok_or(Refused::AgreementNotFinal)?;
    if terms.target() != Some(scope.dataset.as_str()) {
        return Err(Refused::OtherDataset);
    }
    Ok(terms.id().to_string())
}
