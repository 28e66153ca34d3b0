//! Offers: a dataset, what is known of it for the law, and the condition that the law leaves on whoever asks.

use crate::act::check::headline;
use crate::act::contract::{written_access, written_terms};
use crate::agent::{Node, lock};
use crate::config::PeerFacts;
use crate::error::ActError;
use crate::quota;
use decide::decision::{Decision, Missing};
use dsp::message::terms::Terms;
use dsp::policy::{Place, spelled};
use dsp::policy::operands::Operands;
use dsp::profile::{Clause, Residual, Test};
use crate::act::case::{of_recipient, told};
use crate::act::meter::Metered;
use model::transfer::{Facts, Transfer};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use store::{StoreError, Together};
use store::keep::{DocumentKind, Expect, Keep};

/// The format of a pull over HTTPS, as the transfer request names it.
pub const FORMAT_PULL: &str = "HttpData-PULL";
/// LIMIT: offers shown in one catalog.
const OFFERS_MAX: usize = 1000;

/// Who makes the moves that are ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handling {
    /// The node, as law and contract say.
    #[default]
    Automatic,
    /// A person or a program, by `/v1`; law and contract are asked all the same.
    Manual,
}

/// Who makes the moves of negotiations about an offer, and of transfers under it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Handlings {
    /// Of negotiations.
    pub negotiation: Handling,
    /// Of transfers.
    pub transfer: Handling,
}

impl From<Handling> for Handlings {
    fn from(both: Handling) -> Self {
        Self { negotiation: both, transfer: both }
    }
}

/// What is offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The dataset's id.
    pub dataset: String,
    /// Its name, for people.
    pub title: String,
    /// The file; of no meaning where a data plane of others gives the bytes.
    #[serde(default)]
    pub source: PathBuf,
    /// What is known for the law, flat: `exporter.…`, `data.…`, `subjects.…`, `hop.…`; the recipient's facts come later.
    pub facts: Facts,
    /// The operator's own terms of use, as ODRL; the law's condition is added to them. None: use without further terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Who sees the offer and may ask for it, as ODRL with the action `access`; it is never sent. None: every peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Terms>,
    /// A plan in TOML that each row goes through in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// A release that was measured: digest of its report and of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The counters of the law that its people count towards; this node adds them up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meter: Vec<Metered>,
    /// Who makes our moves.
    #[serde(default)]
    pub handling: Handlings,
    /// The registered data plane of others that gives the bytes; none: this program does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<String>,
}

/// A release that was made and measured before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The digest of the sealed report.
    pub report: model::Digest,
    /// The digest of the bytes.
    pub content: model::Digest,
}

/// How an offer stands beside the one that is kept of its dataset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stands {
    /// None is kept.
    New,
    /// The same is kept.
    Same,
    /// Another is kept.
    Other,
}

impl Node {
    /// Offers a dataset: its facts must speak the vocabulary; the law's condition goes into the catalog as ODRL. Flows of an
    /// offer that was told anew are judged afresh before this returns.
    pub fn offer(self: &std::sync::Arc<Self>, offer: &Offer) -> Result<Terms, ActError> {
        let terms = self.terms_if_good(offer)?;
        let body = serde_json::to_vec(offer).map_err(|e| ActError::evidence("node/offer", e))?;
        let document = Keep {
            kind: DocumentKind::Offer,
            id: offer.dataset.clone(),
            about: None,
            at: self.now(),
            body,
            expect: self.offers_within(),
        };
        match self.store.keep(&self.participant, document, Together::default()) {
            Err(StoreError::Exceeded { cap, .. }) => return Err(ActError::Quota { code: quota::OFFERS, most: cap }),
            kept => kept?,
        };
        self.judge_running();
        self.changed();
        Ok(terms)
    }

    fn terms_if_good(&self, offer: &Offer) -> Result<Terms, ActError> {
        self.check_plane(offer)?;
        self.check_meter(offer)?;
        written_access(offer)?;
        self.terms_of(offer)
    }

    /// What [`Node::offer`] would answer, and how the offer stands beside the one that is kept; nothing is kept or told.
    pub fn check_offer(&self, offer: &Offer) -> Result<(Terms, Stands), ActError> {
        let terms = self.terms_if_good(offer)?;
        let stands = match self.offer_of(&offer.dataset)? {
            None => Stands::New,
            Some(kept) if kept == *offer => Stands::Same,
            Some(_) => Stands::Other,
        };
        Ok((terms, stands))
    }

    /// Offers a dataset no longer; flows of it stop when they are decided afresh, which is at once.
    pub fn withdraw_offer(self: &std::sync::Arc<Self>, dataset: &str) -> Result<(), ActError> {
        if self.offer_of(dataset)?.is_none() {
            return Err(ActError::NotFound { what: "offer", name: dataset.to_owned() });
        }
        self.store.forget(&self.participant, DocumentKind::Offer, dataset, Together::default())?;
        self.judge_running();
        self.changed();
        Ok(())
    }

    /// The offer of a dataset.
    pub fn offer_of(&self, dataset: &str) -> Result<Option<Offer>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Offer, dataset)?;
        kept.map(|k| serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/offer", e)))
            .transpose()
    }

    /// All offers.
    pub fn offers(&self) -> Result<Vec<Offer>, ActError> {
        let all = self.store.kept_all(&self.participant, DocumentKind::Offer, None, OFFERS_MAX)?;
        all.iter()
            .map(|k| serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/offer", e)))
            .collect()
    }

    /// The terms of an offer: what the law still asks of the recipient, by today's rulebook.
    pub fn terms_of(&self, offer: &Offer) -> Result<Terms, ActError> {
        let refused = |line: String| ActError::Refused { code: dsp::reason::BY_LAW.into(), reasons: vec![line] };
        let condition = self.condition_of(offer)?.map_err(refused)?;
        let id = format!("{}#offer", offer.dataset);
        let terms = written_terms(offer)?;
        let policy = condition.to_offer_on(&id, terms).map_err(|_| refused("no recipient could have it".into()))?;
        Ok(policy.to_terms(Place::Catalog))
    }

    /// Asks the law what it leaves open of a recipient who is not known yet.
    pub(crate) fn decide_condition(&self, offer: &Offer) -> Result<Result<Residual, String>, ActError> {
        let mut nobody = told(self.id(), "recipient", offer, &Facts::new());
        self.lay_marks(&mut nobody);
        let decision = self.decide(&nobody)?;
        let residual = residual(&decision);
        Ok(if residual.ways.is_empty() { Err(headline(&decision)) } else { Ok(residual) })
    }

    /// What is known of a peer: what was told last, else what the configuration says.
    pub(crate) fn known_peer(&self, peer: &str) -> Result<Option<PeerFacts>, ActError> {
        match self.store.kept(&self.participant, DocumentKind::Peer, peer)? {
            Some(kept) => read_peer(&kept.id, &kept.body).map(Some),
            None => Ok(self.config.peer.iter().find(|p| p.id == peer).cloned()),
        }
    }

    /// What is known of peers: from the configuration, and what was told since.
    pub fn peers(&self) -> Result<Vec<PeerFacts>, ActError> {
        let mut all = self.config.peer.clone();
        for kept in self.store.kept_all(&self.participant, DocumentKind::Peer, None, OFFERS_MAX)? {
            let known = read_peer(&kept.id, &kept.body)?;
            all.retain(|p| p.id != kept.id);
            all.push(known);
        }
        Ok(all)
    }

    /// Remembers what is known of a peer; what runs with it is judged afresh before this returns. Facts that come replace
    /// those before; where no words of policies come, those before stay.
    pub fn know_peer(self: &std::sync::Arc<Self>, peer: &PeerFacts) -> Result<(), ActError> {
        let operands = Operands::standard();
        if let Some(odd) = peer.words.keys().find(|word| operands.domain(&spelled(word)).is_none()) {
            return Err(ActError::Asked { code: "dsp/policy", detail: format!("words: nobody here decides `{odd}`") });
        }
        let alone = Transfer::single(of_recipient(&peer.facts).collect::<Vec<_>>());
        lock(&self.engine).book.bind(&alone).map_err(|found| ActError::facts(&found))?;
        let mut peer = peer.clone();
        if peer.words.is_empty() {
            peer.words = self.known_peer(&peer.id)?.unwrap_or_default().words;
        }
        let body = serde_json::to_vec(&peer).map_err(|e| ActError::evidence("node/peer", e))?;
        let document = Keep {
            kind: DocumentKind::Peer,
            id: peer.id.clone(),
            about: None,
            at: self.now(),
            body,
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::default())?;
        self.judge_running();
        self.changed();
        Ok(())
    }
}

/// Reads what is kept of a peer; before there were words of policies, its facts alone were kept.
fn read_peer(id: &str, body: &[u8]) -> Result<PeerFacts, ActError> {
    if let Ok(known) = serde_json::from_slice::<PeerFacts>(body) {
        return Ok(known);
    }
    let facts = serde_json::from_slice(body).map_err(|e| ActError::evidence("node/peer", e))?;
    Ok(PeerFacts { id: id.to_owned(), facts, ..PeerFacts::default() })
}

/// What the law still asks of the recipient: each of its facts that matters and is open must be told.
///
/// LIMIT: which values open is decided when the recipient is known, not written into the offer.
fn residual(decision: &Decision) -> Residual {
    let mut way: Vec<Clause> = Vec::new();
    for missing in decision.crossings.iter().flat_map(|c| &c.missing) {
        if let Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } = missing
            && slot.starts_with("recipient.")
            && way.iter().all(|c| c.fact != *slot)
        {
            way.push(Clause { fact: slot.clone(), test: Test::NoneOf(vec!["unknown".into()]) });
        }
    }
    let mut ways = Vec::new();
    if decision.verdict != decide::decision::Verdict::Prohibited {
        ways.push(way);
    }
    Residual { rulebook: decision.rulebook.to_string(), ways }
}
