//! The meter: how many people left us, added up over the window of each law that counts them, and told to that law as a fact.
//!
//! A flow is counted when its pass is made, with all the people of its dataset, so that two flows at once cannot both be the last
//! below a threshold for longer than a lease. What never moved is taken back when the flow ends.

use crate::act::offer::Offer;
use crate::agent::{Node, lock};
use crate::error::ActError;
use decide::counter::Warning;
use model::{AsOf, CivilDate};
use rulebook::{vocabulary::FactKind, window::Window};
use serde::{Deserialize, Serialize};
use store::counter::Reservation;
use store::Together;

/// LIMIT: counters that one dataset counts towards.
const METERED_MAX: usize = 16;

/// A counter of the law that the people of a dataset count towards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metered {
    /// The counter, such as `volume.…`. What the offer's facts tell of it is what left us elsewhere, not by this node.
    pub fact: String,
    /// How many people are in the dataset.
    pub people: u64,
    /// Whether each row is a person: then more rows than people were told count as so many.
    #[serde(default)]
    pub row_is_person: bool,
    /// The window, where the vocabulary does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// A counter as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    /// The counter.
    pub fact: String,
    /// The recipient, where each has a count of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The first day of the window; it ends with the legal day.
    pub from: CivilDate,
    /// The legal day.
    pub on: CivilDate,
    /// What this node counted.
    pub metered: u64,
    /// The next threshold of each act that counts towards it: what is counted with that act, and what turns.
    pub ahead: Vec<Ahead>,
}

/// A threshold ahead of one act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ahead {
    /// The dataset.
    pub dataset: String,
    /// The recipient.
    pub recipient: String,
    /// What turns, and when.
    #[serde(flatten)]
    pub warning: Warning,
}

impl Node {
    /// Whether the counters that an offer names can be counted.
    pub(crate) fn check_meter(&self, offer: &Offer) -> Result<(), ActError> {
        let wrong = |detail: String| ActError::Asked { code: "node/meter", detail };
        if offer.meter.len() > METERED_MAX {
            return Err(wrong(format!("more than {METERED_MAX} counters")));
        }
        for metered in &offer.meter {
            self.window(metered).map_err(wrong)?;
        }
        Ok(())
    }

    /// The window of a counter: that of the vocabulary; where it says none, that of the offer.
    fn window(&self, metered: &Metered) -> Result<Window, String> {
        let engine = lock(&self.engine);
        let fact = engine.book.vocabulary.facts.get(&metered.fact);
        let Some(fact) = fact.filter(|f| f.kind == FactKind::Counter) else {
            return Err(format!("`{}` is no counter of these rules", metered.fact));
        };
        match (fact.window, metered.window) {
            (Some(law), Some(said)) if law != said => Err(format!("`{}` adds up over `{law}`, not over `{said}`", metered.fact)),
            (Some(window), _) | (None, Some(window)) => Ok(window),
            (None, None) => Err(format!("the rules do not say over which days `{}` adds up: say `window`", metered.fact)),
        }
    }

    /// What the meter tells the law of an act: the counters of its dataset with this act included.
    pub(crate) fn metered(&self, offer: &Offer, peer: &str, flow: Option<&str>) -> Result<Vec<(String, u64)>, ActError> {
        let on = self.legal_day();
        let mut out = Vec::with_capacity(offer.meter.len());
        for metered in &offer.meter {
            // An offer that was kept under other rules: unknown, which opens nothing.
            let Ok(window) = self.window(metered) else { continue };
            let (counter, from) = (name(metered, window, peer), window.from(on));
            let counted = self.store.counted(&self.participant, &counter, from, on)?;
            let own = match flow {
                Some(flow) => self.store.reserved(&self.participant, &counter, flow)?,
                None => None,
            };
            let included = own.is_some_and(|(day, _)| from <= day && day <= on);
            out.push((metered.fact.clone(), counted.saturating_add(if included { 0 } else { metered.people })));
        }
        Ok(out)
    }

    /// The counts that are written down with a flow's pass.
    pub(crate) fn reservations(&self, offer: &Offer, peer: &str, flow: &str, rows: u64) -> Vec<Reservation> {
        let on = self.legal_day();
        let one = |metered: &Metered| {
            let window = self.window(metered).ok()?;
            let n = if metered.row_is_person { metered.people.max(rows) } else { metered.people };
            let (counter, id) = (name(metered, window, peer), flow.to_owned());
            Some(Reservation { counter, id, on, n, window_from: window.from(on), cap: None })
        };
        offer.meter.iter().filter_map(one).collect()
    }

    /// The counts that a further chunk brings: those of rows beyond the people that were told.
    pub(crate) fn more_rows(&self, dataset: &str, peer: &str, flow: &str, rows: u64) -> Result<Vec<Reservation>, ActError> {
        let Some(offer) = self.offer_of(dataset)?.filter(|o| o.meter.iter().any(|m| m.row_is_person)) else { return Ok(Vec::new()) };
        let given = self.store.progress(&self.participant, flow)?.n_rows.saturating_add(rows);
        let beyond = Offer { meter: offer.meter.iter().filter(|m| m.row_is_person && given > m.people).cloned().collect(), ..offer };
        Ok(self.reservations(&beyond, peer, flow, given))
    }

    /// Takes the counts of a flow back of which nothing was given.
    pub(crate) fn take_counts_back(&self, dataset: &str, peer: &str, flow: &str) -> Result<(), ActError> {
        let Some(offer) = self.offer_of(dataset)?.filter(|o| !o.meter.is_empty()) else { return Ok(()) };
        if self.store.progress(&self.participant, flow)?.n_chunks > 0 {
            return Ok(());
        }
        for reservation in self.reservations(&offer, peer, flow, 0) {
            match self.store.release(&self.participant, &reservation.counter, flow, Together::default()) {
                Ok(_) | Err(store::StoreError::NotFound { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// The counters of everything that is offered, as they stand, and the thresholds ahead of each peer that is known.
    pub fn counts(&self) -> Result<Vec<Count>, ActError> {
        let (on, peers) = (self.legal_day(), self.peers()?);
        let mut out: Vec<Count> = Vec::new();
        for offer in self.offers()?.iter().filter(|o| !o.meter.is_empty()) {
            for peer in &peers {
                let ahead = self.ahead(offer, &peer.id)?;
                for metered in &offer.meter {
                    let Ok(window) = self.window(metered) else { continue };
                    let recipient = window.by_recipient.then(|| peer.id.clone());
                    let next = ahead.iter().filter(|w| w.slot == metered.fact).cloned();
                    let next = next.map(|warning| Ahead { dataset: offer.dataset.clone(), recipient: peer.id.clone(), warning });
                    match out.iter_mut().find(|c| c.fact == metered.fact && c.recipient == recipient) {
                        Some(count) => count.ahead.extend(next),
                        None => {
                            let counter = name(metered, window, &peer.id);
                            let metered = self.store.counted(&self.participant, &counter, window.from(on), on)?;
                            let fact = counter.split('|').next().unwrap_or_default().to_owned();
                            out.push(Count { fact, recipient, from: window.from(on), on, metered, ahead: next.collect() });
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    /// The thresholds ahead of the next act with a peer.
    fn ahead(&self, offer: &Offer, peer: &str) -> Result<Vec<Warning>, ActError> {
        let transfer = self.case_with(offer, peer)?;
        let mut engine = lock(&self.engine);
        // Facts that do not hold together are named where the act is decided.
        let Ok(bound) = engine.book.bind(&transfer) else { return Ok(Vec::new()) };
        engine.ahead(&bound, AsOf::then(self.legal_day())).map_err(|e| ActError::Rules(e.0))
    }
}

/// Under which name a count is kept.
fn name(metered: &Metered, window: Window, peer: &str) -> String {
    match window.by_recipient {
        true => format!("{}|{peer}", metered.fact),
        false => metered.fact.clone(),
    }
}
