//! Asks the law about one transfer between us and a peer.

use crate::agent::{Node, lock};
use crate::error::ActError;
use decide::decision::{Clause, ClauseKind, Decision, EntryAnswer, Verdict};
use decide::footing;
use decide::knowledge::Truth;
use dsp::message::Grounds;
use dsp::reason::{Refusal, by_law};
use model::{AsOf, Digest, canonical};
use model::event::EventKind;
use model::transfer::Transfer;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use store::log::Leaf;

/// LIMIT: decisions that are remembered; all are forgotten when there would be more.
const DECISIONS_MAX: usize = 512;

/// What was decided since something changed last: for one day, by the digest of the facts.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    as_of: Option<AsOf>,
    known: BTreeMap<Digest, Arc<Decided>>,
}

/// A decision with its digest, which is worked out once and only when something is bound to it.
#[derive(Debug)]
pub struct Decided {
    decision: Decision,
    digest: OnceLock<Digest>,
}

impl Decided {
    /// The decision itself.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The digest of the decision.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| self.decision.digest())
    }
}

impl Deref for Decided {
    type Target = Decision;

    fn deref(&self) -> &Decision {
        &self.decision
    }
}

impl Decisions {
    /// Forgets everything; called when anything changed on which a decision may rest.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

impl Node {
    /// Decides a transfer for the legal day.
    ///
    /// INVARIANT: a decision follows from facts, day and rulebook alone, so the same question has the same answer; it is
    /// worked out once, and again when anything changed.
    pub fn decide(&self, transfer: &Transfer) -> Result<Arc<Decided>, ActError> {
        let as_of = AsOf::then(self.legal_day());
        let key = canonical::to_bytes(transfer).ok().map(|bytes| Digest::of(&bytes));
        let epoch = self.epoch.load(Ordering::SeqCst);
        if let Some(key) = &key {
            let mut decisions = lock(&self.decisions);
            if decisions.as_of != Some(as_of) {
                *decisions = Decisions { as_of: Some(as_of), known: BTreeMap::new() };
            }
            if let Some(known) = decisions.known.get(key) {
                return Ok(known.clone());
            }
        }
        let decision = self.worked_out(transfer, as_of)?;
        let decision = Arc::new(Decided { decision, digest: OnceLock::new() });
        if let Some(key) = key {
            let mut decisions = lock(&self.decisions);
            if decisions.known.len() >= DECISIONS_MAX {
                decisions.forget();
            }
            // What changed meanwhile may not be in this answer.
            if decisions.as_of == Some(as_of) && self.epoch.load(Ordering::SeqCst) == epoch {
                decisions.known.insert(key, decision.clone());
            }
        }
        Ok(decision)
    }

    fn worked_out(&self, transfer: &Transfer, as_of: AsOf) -> Result<Decision, ActError> {
        let mut engine = lock(&self.engine);
        let bound = engine.book.bind(transfer).map_err(|found| ActError::facts(&found))?;
        engine.decide(&bound, as_of).map_err(|e| ActError::Rules(e.0))
    }

    /// The leaf that tells of a decision.
    pub(crate) fn decided(&self, process: &str, decision: &Decided) -> Result<Leaf, ActError> {
        let mut event = self.event(EventKind::Decided, process);
        event.legal_day = Some(decision.as_of.on);
        event.binds.insert("decision".into(), decision.digest());
        event.binds.insert("rulebook".into(), decision.rulebook);
        event.rules = articles(decision);
        self.leaf(&event)
    }
}

impl Node {
    /// Whether a decision opens here: by its verdict, and by rules that were read twice or that the operator accepts.
    pub fn opens(&self, decision: &Decision) -> bool {
        decision.verdict.opens() && pass::accepted(decision, &self.config.law.accept_drafted).is_ok()
    }

    /// What a termination or suspension says about a decision that does not open here.
    pub(crate) fn grounds(&self, decision: &Decision) -> Grounds {
        match self.read_once(decision) {
            Some(lines) => Grounds::of(READ_ONCE, lines),
            None => grounds(decision),
        }
    }

    /// The rules that keep an opening verdict from opening here: read once, and not accepted by name.
    pub fn read_once(&self, decision: &Decision) -> Option<Vec<String>> {
        match pass::accepted(decision, &self.config.law.accept_drafted) {
            Err(pass::Refused::ReadOnce(rules)) if decision.verdict.opens() => Some(rules),
            _ => None,
        }
    }
}

/// The code of a refusal because the opening rests on rules that were read once.
pub const READ_ONCE: &str = "tegata/read-once";

/// Rule and article of each deciding clause, with the entry of a list that carries it, each once.
pub fn articles(decision: &Decision) -> Vec<String> {
    // LIMIT: clauses named in an event.
    const CLAUSES_MAX: usize = 12;
    let mut out: Vec<String> = Vec::new();
    for clause in decision.worst().iter().flat_map(|c| &c.deciding) {
        let line = footing::line(clause);
        if !out.contains(&line) && out.len() < CLAUSES_MAX {
            out.push(line);
        }
    }
    out
}

/// The rules that refuse, for a peer: rule, article, day and rulebook, never a fact.
pub fn refusals(decision: &Decision) -> Vec<Refusal> {
    let Some(worst) = decision.worst() else { return Vec::new() };
    let cure = worst
        .remedies
        .first()
        .map(|r| r.measures.iter().map(|m| m.id.as_str()).collect::<Vec<_>>().join("+"));
    let refuses = |kind: ClauseKind| {
        matches!(
            kind,
            ClauseKind::Gate
                | ClauseKind::Bar
                | ClauseKind::Obligation
                | ClauseKind::Carried
                | ClauseKind::Gap
        )
    };
    // Of an answer that waits for facts, the laws that surely apply: what others would add is not known yet.
    let surely = |layer: &str| worst.layers.iter().any(|l| l.layer == layer && l.applies == Truth::Yes);
    let narrowed: Vec<&Clause> = worst.deciding.iter().filter(|c| surely(&c.layer)).collect();
    let all = match worst.verdict == Verdict::Undetermined {
        true => narrowed,
        false => worst.deciding.iter().collect(),
    };
    let mut named: Vec<&Clause> = all.iter().copied().filter(|c| refuses(c.kind)).collect();
    if named.is_empty() {
        named = all;
    }
    // A question that no rule of ours answers has no article; one line says so.
    named.retain(|c| !c.citation.cites.is_empty());
    named.dedup_by(|a, b| a.id == b.id);
    // LIMIT: rules named to a peer.
    named
        .into_iter()
        .take(6)
        .map(|c| Refusal {
            rule: c.id.clone(),
            article: c.citation.cites.clone(),
            as_of: decision.as_of.on.to_string(),
            rulebook: decision.rulebook.to_string(),
            cure: cure.clone(),
        })
        .collect()
}

/// What a termination or suspension says about a decision that does not open.
pub fn grounds(decision: &Decision) -> Grounds {
    let mut grounds = by_law(&refusals(decision));
    if decision.verdict == Verdict::Undetermined {
        grounds.reason.push("the provider has not told enough of this transfer to decide it".into());
    } else if grounds.reason.is_empty() {
        grounds.reason.push(format!("the verdict is {}", decision.verdict.word()).into());
    }
    grounds
}

/// One line for people: verdict, deciding article, day.
pub fn headline(decision: &Decision) -> String {
    let article =
        refusals(decision).first().map(|r| format!("{} ({})", r.article, r.rule)).unwrap_or_default();
    let verdict = match decision.verdict {
        Verdict::Conditional => "not as it is",
        Verdict::Prohibited => "may not go",
        Verdict::Undetermined => "cannot tell",
        Verdict::Permitted => "may go",
        Verdict::OutOfScope => "the rules do not reach this",
    };
    let lapsed = decision.worst().iter().flat_map(|c| &c.deciding).find_map(|c| c.lapsed().next());
    let lapsed = lapsed.map(|e| format!("; {}", lapsed_line(e))).unwrap_or_default();
    format!("{verdict}: {article}{lapsed}, law of {}", decision.as_of.on)
}

/// An entry that would carry the transfer and does not count: which, and since or until when.
fn lapsed_line(entry: &EntryAnswer) -> String {
    let day = entry.annulled.or(entry.citation.until).or(entry.citation.from);
    let day = day.map(|d| format!(" {d}")).unwrap_or_default();
    format!("{} {}{day}", entry.citation.cites, entry.role.word().replace('_', " "))
}
