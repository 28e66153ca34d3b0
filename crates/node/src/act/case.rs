//! The legal act between us and a peer, as it is known now: what was told of it, what was taken, judged and counted.
//!
//! Nothing of it is kept but the measures that were taken: what is told of a peer or an offer later, a judgment that ends and a
//! count that grows are in the next decision, and so turn what runs.

use crate::act::offer::Offer;
use crate::agent::Node;
use crate::determination::{Weighed, weigh_all};
use crate::error::ActError;
use decide::decision::Remedy;
use model::fact::{Said, Spoken};
use model::transfer::{Facts, Hop, Transfer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::keep::DocumentKind;

/// The legal act as it is known now.
pub(crate) struct Case {
    pub(crate) transfer: Transfer,
    /// What each judgment that we hold comes to for it; those about other facts are left out.
    pub(crate) judgments: Vec<Weighed>,
}

/// Measures that were agreed or recorded for the acts with one peer and one dataset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taken {
    taken: Vec<Make>,
}

/// What one measure makes true.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Make {
    slot: String,
    makes: Said,
    /// What was told of the slot when the measure was taken. Once something else is told, that counts and this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Said>,
}

impl Node {
    /// The legal act between us and a peer for one dataset, as it is known now.
    pub fn case_with(&self, offer: &Offer, peer: &str) -> Result<Transfer, ActError> {
        Ok(self.case_of(offer, peer, &self.taken(offer, peer)?, None)?.transfer)
    }

    /// The same with these measures; `flow` is the flow that it is about, if one runs.
    pub(crate) fn case_of(&self, offer: &Offer, peer: &str, taken: &Taken, flow: Option<&str>) -> Result<Case, ActError> {
        let ends = Ends { own: self.id(), peer, dataset: &offer.dataset };
        let mut transfer = told(ends.own, peer, offer, &self.facts_of(peer)?);
        self.lay_marks(&mut transfer);
        let before = transfer.clone();
        for make in &taken.taken {
            let told = ends.fact(&before, &make.slot);
            if told.is_none() || told == make.told.as_ref() {
                ends.put(&mut transfer, &make.slot, make.makes.clone());
            }
        }
        for (slot, count) in self.metered(offer, peer, flow)? {
            ends.count(&mut transfer, &slot, count);
        }
        let judgments = self.lay_judgments(&mut transfer, &ends)?;
        Ok(Case { transfer, judgments })
    }

    /// The measures that were taken for the acts with a peer.
    pub(crate) fn taken(&self, offer: &Offer, peer: &str) -> Result<Taken, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Transfer, &case_id(&offer.dataset, peer))?;
        // What another version kept is no measure of ours: the law is asked without it.
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept.body).ok()).unwrap_or_default())
    }

    /// Those, and what a way through makes true.
    pub(crate) fn taken_with(&self, offer: &Offer, peer: &str, way: &Remedy) -> Result<Taken, ActError> {
        let ends = Ends { own: self.id(), peer, dataset: &offer.dataset };
        let now = told(ends.own, peer, offer, &self.facts_of(peer)?);
        let mut taken = self.taken(offer, peer)?;
        for line in way.measures.iter().flat_map(|m| &m.makes) {
            let Some((slot, value)) = line.split_once('=') else { continue };
            let make = Make { slot: slot.to_owned(), makes: rulebook::book::parse_said(value), told: ends.fact(&now, slot).cloned() };
            if !taken.taken.contains(&make) {
                taken.taken.push(make);
            }
        }
        Ok(taken)
    }

    /// What is known of a peer now: what was told last, else what the configuration says.
    fn facts_of(&self, peer: &str) -> Result<Facts, ActError> {
        Ok(self.known_peer(peer)?.map(|known| known.facts).unwrap_or_default())
    }

    /// Puts the judgments that we hold into a case. A judgment on exactly these facts decides its slot: what was told or taken
    /// instead of it does not count beside it, also when its term is over.
    fn lay_judgments(&self, transfer: &mut Transfer, ends: &Ends<'_>) -> Result<Vec<Weighed>, ActError> {
        let held = self.judgments_held()?;
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let on = self.legal_day();
        let weighed = {
            let engine = crate::agent::lock(&self.engine);
            // Facts that do not hold together are named when the case is decided.
            let Ok(bound) = engine.book.bind(transfer) else { return Ok(Vec::new()) };
            let [crossing] = bound.crossings.as_slice() else { return Ok(Vec::new()) };
            weigh_all(&engine.book, held, &engine.book.circumstances(crossing), on)
        };
        let about: Vec<Weighed> = weighed.into_iter().filter(|w| w.is_about_these_facts()).collect();
        for w in about.iter().filter(|w| w.record.made <= on) {
            ends.take_away(transfer, &w.record.fact);
        }
        for w in &about {
            if let Some(said) = w.counts() {
                ends.put(transfer, &w.record.fact, said.clone());
            }
        }
        Ok(about)
    }
}

/// Under which id the measures taken with a peer are kept.
pub(crate) fn case_id(dataset: &str, peer: &str) -> String {
    format!("{dataset}|{peer}")
}

/// Facts of a recipient by their slots.
pub(crate) fn of_recipient(facts: &Facts) -> impl Iterator<Item = (String, Said)> {
    facts.iter().map(|(id, said)| {
        let id = match id.split_once('.') {
            Some(("recipient" | "party", rest)) => format!("recipient.{rest}"),
            _ => id.clone(),
        };
        (id, said.clone())
    })
}

/// The legal act as it was told: our facts, the dataset's, the hop's, and those of the recipient (with or without `recipient.`).
pub(crate) fn told(own: &str, peer: &str, offer: &Offer, recipient: &Facts) -> Transfer {
    let ours = offer.facts.iter().map(|(k, v)| (k.clone(), v.clone()));
    let all: BTreeMap<_, _> = ours.chain(of_recipient(recipient)).collect();
    let mut single = Transfer::single(all);
    let parties = [("exporter", own), ("recipient", peer)];
    Transfer {
        id: None,
        parties: parties
            .iter()
            .filter_map(|(role, id)| single.parties.remove(*role).map(|p| ((*id).to_owned(), p)))
            .collect(),
        datasets: single.datasets.remove("data").map(|d| (offer.dataset.clone(), d)).into_iter().collect(),
        hops: single
            .hops
            .into_iter()
            .map(|hop| Hop {
                from: own.to_owned(),
                to: peer.to_owned(),
                data: vec![offer.dataset.clone()],
                ..hop
            })
            .collect(),
    }
}

/// Whose act it is, and about what: where a slot's fact hangs.
struct Ends<'a> {
    own: &'a str,
    peer: &'a str,
    dataset: &'a str,
}

impl Ends<'_> {
    /// The facts that a slot belongs to, and its id among them.
    fn bearer<'t>(&self, transfer: &'t mut Transfer, slot: &str) -> Option<(String, &'t mut Facts)> {
        let party = |rest: &str| format!("party.{rest}");
        match slot.split_once('.') {
            Some(("exporter", rest)) => transfer.parties.get_mut(self.own).map(|p| (party(rest), &mut p.facts)),
            Some(("recipient", rest)) => transfer.parties.get_mut(self.peer).map(|p| (party(rest), &mut p.facts)),
            Some(("data", _)) => transfer.datasets.get_mut(self.dataset).map(|d| (slot.to_owned(), &mut d.facts)),
            Some(("subjects", _)) => transfer
                .datasets
                .get_mut(self.dataset)
                .and_then(|d| d.subjects.values_mut().next())
                .map(|facts| (slot.to_owned(), facts)),
            _ => transfer.hops.first_mut().map(|h| (slot.to_owned(), &mut h.facts)),
        }
    }

    fn fact<'t>(&self, transfer: &'t Transfer, slot: &str) -> Option<&'t Said> {
        let party = |id: &str, rest: &str| transfer.parties.get(id).and_then(|p| p.facts.get(&format!("party.{rest}")));
        match slot.split_once('.') {
            Some(("exporter", rest)) => party(self.own, rest),
            Some(("recipient", rest)) => party(self.peer, rest),
            Some(("data", _)) => transfer.datasets.get(self.dataset).and_then(|d| d.facts.get(slot)),
            Some(("subjects", _)) => {
                transfer.datasets.get(self.dataset).and_then(|d| d.subjects.values().next()).and_then(|f| f.get(slot))
            }
            _ => transfer.hops.first().and_then(|h| h.facts.get(slot)),
        }
    }

    fn take_away(&self, transfer: &mut Transfer, slot: &str) {
        if let Some((id, facts)) = self.bearer(transfer, slot) {
            facts.remove(&id);
        }
    }

    /// Adds what our own meter counted to what was told of elsewhere.
    fn count(&self, transfer: &mut Transfer, slot: &str, metered: u64) {
        let Some((id, facts)) = self.bearer(transfer, slot) else { return };
        let metered = i64::try_from(metered).unwrap_or(i64::MAX);
        let value = match facts.get(&id).map(|said| &said.value) {
            Some(Spoken::Number(n)) => Spoken::Number(n.saturating_add(metered)),
            Some(Spoken::Range { at_least, at_most }) => {
                Spoken::Range { at_least: at_least.saturating_add(metered), at_most: at_most.saturating_add(metered) }
            }
            // Nothing was told, or that it is not known: then the meter alone does not know it either.
            Some(_) => return,
            None => Spoken::Number(metered),
        };
        facts.insert(id, Said::claim(value));
    }

    /// Puts a fact where its slot belongs; members of a set add up.
    fn put(&self, transfer: &mut Transfer, slot: &str, said: Said) {
        let Some((id, facts)) = self.bearer(transfer, slot) else { return };
        let merged = match (facts.get(&id).map(|s| &s.value), &said.value) {
            (Some(Spoken::Words(before)), Spoken::Word(word)) => {
                let mut words = before.clone();
                words.push(word.clone());
                words.dedup();
                Said { value: Spoken::Words(words), ..said }
            }
            (Some(Spoken::Word(before)), Spoken::Word(word)) if before != word && !slot.starts_with("assessment") => {
                Said { value: Spoken::Words(vec![before.clone(), word.clone()]), ..said }
            }
            _ => said,
        };
        facts.insert(id, merged);
    }
}
