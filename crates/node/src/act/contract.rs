//! The contract's own question, beside that of the law: what provider and consumer agreed, decided by what is known of the
//! peer, by the moment, and by the agreement itself.
//!
//! Both must open: at the agreement, at each start, and while bytes flow. The conditions of law in a contract are decided as
//! law, afresh, and not here once the contract stands.

use crate::act::offer::Offer;
use crate::agent::{Node, lock};
use crate::config::{PeerFacts, Words};
use crate::error::ActError;
use dataplane::flow::Stopped;
use dsp::message::terms::Terms;
use dsp::negotiation::Negotiation;
use dsp::policy::catena::ACCESS;
use dsp::policy::evaluate::{self, Context, Outcome, Truth, Verdict};
use dsp::policy::operands::Operands;
use dsp::policy::value::{self, Domain, Ordered};
use dsp::policy::{Policy, catena};
use dsp::profile;
use identity::dcp::credential::Credential;
use model::Instant;
use model::fact::Spoken;
use serde_json::Value;
use std::collections::BTreeSet;

/// The code of a flow whose contract has ended or no longer holds for its peer.
pub const CONTRACT_OVER: &str = "node/contract-over";
/// LIMIT: lines that a refusal by contract names.
const LINES_MAX: usize = 8;

/// A contract in force, as its flow asks it again and again.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    policy: Policy,
    agreed: Instant,
}

impl Contract {
    /// The contract of a negotiation: what both agreed, without the conditions of law.
    pub(crate) fn of(negotiation: &Negotiation) -> Result<Self, String> {
        let agreement = negotiation.agreement().ok_or("there is no agreement")?;
        let first = |e: Vec<dsp::json::Malformed>| e.first().map(ToString::to_string).unwrap_or_default();
        let policy = profile::without_law(&Policy::of_terms(agreement).map_err(first)?);
        // An agreement of an unknown moment began long ago: what runs for days is over.
        let agreed = agreement.timestamp().and_then(|text| value::parse(Domain::Time, text));
        let agreed = match agreed {
            Some(Ordered::Time(first, _)) => Instant(first),
            _ => Instant(0),
        };
        Ok(Self { policy, agreed })
    }

    /// When it was agreed.
    pub(crate) fn agreed(&self) -> Instant {
        self.agreed
    }

    /// The policy, without the conditions of law.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// Reads the operator's own policy of an offer: every word must be one that we can decide.
fn written(terms: &Terms, actions: &[&str], what: &str) -> Result<Policy, ActError> {
    let wrong = |detail: String| ActError::Asked { code: "dsp/policy", detail: format!("{what}: {detail}") };
    let faults = match Policy::of_terms(terms) {
        Ok(policy) => {
            let faults = policy.check(&Operands::standard());
            if faults.is_empty() {
                return match policy.permission.iter().find(|r| !actions.contains(&r.action.as_str())) {
                    Some(rule) => {
                        Err(wrong(format!("a permission of `{}` does not belong here", rule.action)))
                    }
                    None if policy.permission.is_empty() => Err(wrong("nothing is permitted".into())),
                    None => Ok(policy),
                };
            }
            faults
        }
        Err(faults) => faults,
    };
    Err(wrong(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}

/// The policy of use that the operator wrote for an offer; use without conditions where none was written.
pub(crate) fn written_terms(offer: &Offer) -> Result<Policy, ActError> {
    match &offer.terms {
        Some(terms) => written(terms, &["use"], "terms"),
        None => Ok(Policy::offer("", vec![dsp::policy::Rule::new("use", Vec::new())])),
    }
}

/// Who sees an offer, as the operator wrote it; everybody where nothing was written.
pub(crate) fn written_access(offer: &Offer) -> Result<Option<Policy>, ActError> {
    offer.access.as_ref().map(|terms| written(terms, &[ACCESS], "access")).transpose()
}

/// Names what keeps a contract from opening; values that are held of the peer are not told.
fn lines(outcome: &Outcome) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in outcome.blockers() {
        let Some(atom) = &line.atom else { continue };
        let how = if line.truth == Truth::Open { "is not known" } else { "is not met" };
        let says = format!("{} {} {} {how}", atom.left, atom.operator.name(), atom.right.join(", "));
        if !out.contains(&says) && out.len() < LINES_MAX {
            out.push(says);
        }
    }
    if out.is_empty() {
        out.push("a condition of the offer is not met".into());
    }
    out
}

impl Node {
    /// What is known of a peer in the words of policies: what the operator said, then what its credentials say.
    fn context(&self, peer: &str, known: &Words) -> Context {
        let mut context = Context::at(self.now()).with("recipient", [peer]).plain_use();
        let shown = lock(&self.known).shown(peer);
        for (operand, values) in known.iter().chain(&shown) {
            context = context.with(operand, values);
        }
        context
    }

    fn words_of(&self, peer: &str) -> Result<Words, ActError> {
        Ok(self.known_peer(peer)?.map(|known: PeerFacts| known.words).unwrap_or_default())
    }

    /// The contract's question at the agreement: the terms are those that we offer, and their conditions hold for this peer.
    pub(crate) fn contract_opens(
        &self,
        ours: &Terms,
        asked: &Terms,
        transfer: &model::transfer::Transfer,
        peer: &str,
    ) -> Result<Result<(), Vec<String>>, ActError> {
        let read = |terms| Policy::of_terms(terms).map_err(|e| e.iter().map(ToString::to_string).collect());
        let (ours, asked) = match (read(ours), read(asked)) {
            (Ok(ours), Ok(asked)) => (ours, asked),
            (Err(lines), _) | (_, Err(lines)) => return Ok(Err(lines)),
        };
        if !asked.same_rules(&ours) {
            return Ok(Err(vec!["the terms are not those of the offer".into()]));
        }
        let mut context = self.context(peer, &self.words_of(peer)?).agreed(self.now());
        context = context.with(profile::RULEBOOK, [self.rulebook().to_string()]);
        // The measures of the contract are taken with it; that the law opens by them was asked before.
        for operand in [profile::MEASURE, profile::BECAUSE] {
            let said = profile::said_of(&ours, operand);
            if !said.is_empty() {
                context = context.with(operand, said);
            }
        }
        for (id, said) in transfer.parties.get(peer).map(|p| &p.facts).into_iter().flatten() {
            let slot = id.replacen("party.", "recipient.", 1);
            context = context.with(&format!("{}{slot}", profile::FACT), spoken(&said.value));
        }
        let outcome = evaluate::evaluate(&asked, "use", &Operands::standard(), &context);
        Ok(if outcome.opens() { Ok(()) } else { Err(lines(&outcome)) })
    }

    /// The contract's question at a start, and while bytes flow.
    ///
    /// A start needs that everything holds. What runs stops when something is known not to hold: a peer that is silent for
    /// a while has not lost what it proved when it asked.
    pub(crate) fn contract_stands(
        &self,
        contract: &Contract,
        peer: &str,
        starts: bool,
    ) -> Result<Result<(), Stopped>, ActError> {
        let context = self.context(peer, &self.words_of(peer)?).agreed(contract.agreed);
        let outcome = evaluate::evaluate(contract.policy(), "use", &Operands::standard(), &context);
        Ok(match outcome.verdict {
            Verdict::Permits => Ok(()),
            Verdict::CannotTell if !starts => Ok(()),
            Verdict::CannotTell | Verdict::Refuses => {
                let says = match catena::use_ends(contract.policy(), contract.agreed)
                    .filter(|end| *end < self.now())
                {
                    Some(end) => format!("the use that was agreed ended at {end}"),
                    None => lines(&outcome).join("; "),
                };
                Err(Stopped { code: CONTRACT_OVER.into(), rules: Vec::new(), says })
            }
        })
    }

    /// Whether a peer sees an offer; whoever may not see it may not ask for it either.
    pub(crate) fn is_seen_by(&self, offer: &Offer, peer: &str) -> Result<bool, ActError> {
        let Some(access) = written_access(offer)? else { return Ok(true) };
        let context = self.context(peer, &self.words_of(peer)?);
        Ok(evaluate::evaluate(&access, ACCESS, &Operands::standard(), &context).opens())
    }

    /// What credentials that a peer showed say in the words of policies, as `[claims.words]` reads them.
    pub(crate) fn words_shown(&self, credentials: &[Credential]) -> Words {
        let mut words = Words::new();
        for (kind, operands) in &self.config.claims.words {
            let of_kind = credentials.iter().filter(|c| c.own_kinds().any(|own| own == kind));
            for subject in of_kind.flat_map(|c| &c.subjects) {
                for (operand, pattern) in operands {
                    words.entry(operand.clone()).or_default().extend(filled(pattern, subject));
                }
            }
        }
        words
    }
}

/// Fills claims of a credential's subject into a pattern such as `DataExchangeGovernance:{contractVersion}`; nothing when one
/// of them is absent or no text.
fn filled(pattern: &str, subject: &serde_json::Map<String, Value>) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, next) = after.split_once('}')?;
        let claim = match subject.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        out.push_str(before);
        out.push_str(&claim);
        rest = next;
    }
    out.push_str(rest);
    Some(out)
}

fn spoken(value: &Spoken) -> BTreeSet<String> {
    match value {
        Spoken::YesNo(b) => [if *b { "yes" } else { "no" }.to_owned()].into(),
        Spoken::Number(n) => [n.to_string()].into(),
        Spoken::Word(w) => [w.clone()].into(),
        // "None of them" is an answer too.
        Spoken::Words(w) if w.is_empty() => ["none".to_owned()].into(),
        Spoken::Words(w) => w.iter().cloned().collect(),
        Spoken::Range { at_least, at_most } => [at_least.to_string(), at_most.to_string()].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_claims_and_nothing_else() {
        let Value::Object(subject) = serde_json::json!({ "holderIdentifier": "BPNL000000000001", "contractVersion": "1.0", "list": [] })
        else {
            panic!()
        };
        let filled = |pattern: &str| filled(pattern, &subject);
        assert_eq!(filled("active").as_deref(), Some("active"));
        assert_eq!(
            filled("DataExchangeGovernance:{contractVersion}").as_deref(),
            Some("DataExchangeGovernance:1.0")
        );
        assert_eq!(filled("{holderIdentifier}").as_deref(), Some("BPNL000000000001"));
        for none in ["{absent}", "{list}", "{contractVersion"] {
            assert_eq!(filled(none), None, "{none}");
        }
    }
}
