//! The catalog: ours as peers see it, a page at a time, and that of a provider.
//!
//! What the law asks of a recipient is the same for all offers with the same facts, so it is decided once a day for them
//! and not once for each line of the catalog.

use crate::act::offer::{FORMAT_PULL, Offer};
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Reply, Request};
use dsp::catalog::{Cursor, Filter, Page};
use dsp::machine::Peer;
use dsp::message::catalog::{Catalog, CatalogRequest, DataService, Dataset, Distribution};
use dsp::message::terms::Terms;
use dsp::message::{Context, Message};
use dsp::paths;
use model::{CivilDate, Digest, canonical};
use std::collections::BTreeMap;
use store::keep::DocumentKind;

/// LIMIT: offers looked at for one page, however few of them the filter lets through.
const LOOKED_AT_MAX: usize = 20_000;
/// LIMIT: offers read from the store at once.
const READ_MAX: usize = 500;
/// LIMIT: kinds of facts whose conditions are remembered.
const CONDITIONS_MAX: usize = 10_000;

/// What the law asks of a recipient, by the facts of the offer, for one day.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    day: Option<CivilDate>,
    known: BTreeMap<Digest, Result<dsp::profile::Residual, String>>,
}

/// A page of our catalog.
#[derive(Debug)]
pub struct CatalogPage {
    /// The page.
    pub catalog: Catalog,
    /// Where the next one begins.
    pub next: Option<Cursor>,
}

impl CatalogPage {
    /// The `Link` header that leads on from this address, if there is more.
    pub fn link(&self, url: &str) -> Option<String> {
        let page = Page::<()> { datasets: Vec::new(), next: self.next.clone(), previous: None };
        page.link(url)
    }
}

impl Node {
    /// What the law leaves open of the recipient's facts, or one line that says why nobody may have it.
    pub(crate) fn condition_of(
        &self,
        offer: &Offer,
    ) -> Result<Result<dsp::profile::Residual, String>, ActError> {
        let bytes = canonical::to_bytes(&offer.facts).map_err(|e| ActError::evidence("node/offer", e))?;
        let (key, day) = (Digest::of(&bytes), self.legal_day());
        {
            let mut conditions = lock(&self.conditions);
            if conditions.day != Some(day) {
                *conditions = Conditions { day: Some(day), known: BTreeMap::new() };
            }
            if let Some(known) = conditions.known.get(&key) {
                return Ok(known.clone());
            }
        }
        let found = self.decide_condition(offer)?;
        let mut conditions = lock(&self.conditions);
        if conditions.day == Some(day) && conditions.known.len() < CONDITIONS_MAX {
            conditions.known.insert(key, found.clone());
        }
        Ok(found)
    }

    /// A dataset as a peer sees it; none if there is no offer, none for it, or none that anybody could take.
    pub fn dataset(&self, id: &str, peer: &str) -> Result<Option<Dataset>, ActError> {
        let Some(offer) = self.offer_of(id)? else { return Ok(None) };
        Ok(if self.is_seen_by(&offer, peer)? { self.shown(&offer) } else { None })
    }

    fn service(&self) -> DataService {
        DataService::new(&format!("{}#connector", self.id()), &self.protocol_address())
    }

    fn shown(&self, offer: &Offer) -> Option<Dataset> {
        let terms = self.terms_of(offer).ok()?;
        let form = Distribution::new(FORMAT_PULL, &self.service().id);
        let shown = Dataset::new(&offer.dataset, vec![terms], vec![form]).with("dct:title", offer.title.as_str());
        let shown = match &self.config.through {
            Some(intermediary) => shown.with(dsp::profile::THROUGH, intermediary.as_str()),
            None => shown,
        };
        let (marks, on) = (self.marks(), self.legal_day());
        let marks: Vec<String> = marks.iter().filter(|m| m.counts(on)).map(ToString::to_string).collect();
        Some(if marks.is_empty() { shown } else { shown.with(dsp::profile::MARK, marks) })
    }

    /// The first page of the catalog that a peer sees, unfiltered.
    pub fn catalog(&self, peer: &str) -> Result<Catalog, ActError> {
        Ok(self.catalog_page(&Filter::default(), None, peer)?.catalog)
    }

    /// A page of the catalog that a peer sees, per DSP 2025-1; offers that no recipient could take are not shown.
    pub fn catalog_page(
        &self,
        filter: &Filter,
        from: Option<&Cursor>,
        peer: &str,
    ) -> Result<CatalogPage, ActError> {
        let mut after = from.map(|cursor| cursor.dataset.clone());
        let (mut datasets, mut looked_at, mut more) = (Vec::new(), 0, true);
        // Most offers are shown to whoever asks: no more are read than fill the page, and one that tells whether there are others.
        let mut reads = (filter.limit() + 1).min(READ_MAX);
        while more && datasets.len() < filter.limit() && looked_at < LOOKED_AT_MAX {
            let some =
                self.store.kept_all(&self.participant, DocumentKind::Offer, after.as_deref(), reads)?;
            more = some.len() == reads;
            reads = READ_MAX;
            for kept in &some {
                after = Some(kept.id.clone());
                looked_at += 1;
                let offer: Offer =
                    serde_json::from_slice(&kept.body).map_err(|e| ActError::evidence("node/offer", e))?;
                if self.is_seen_by(&offer, peer)? {
                    datasets.extend(self.shown(&offer).filter(|dataset| filter.matches(dataset)));
                }
                if datasets.len() == filter.limit() {
                    more |= some.last().is_some_and(|last| last.id != kept.id);
                    break;
                }
            }
        }
        let next = after.filter(|_| more).map(|last| Cursor::new(&last, false, filter));
        let name = format!("{}#catalog", self.id());
        Ok(CatalogPage { catalog: Catalog::root(&name, self.id(), self.service(), datasets), next })
    }

    /// Reads the first page of a provider's catalog; `provider` is its base address of the protocol (`https://host/dsp`).
    pub fn catalog_of(&self, provider: &str) -> Result<Catalog, ActError> {
        let message = Message::CatalogRequestMessage(CatalogRequest {
            context: Context::default(),
            filter: Vec::new(),
        });
        let url = paths::join(provider, paths::CATALOG_REQUEST);
        let request = Request::post(url, "application/json", message.to_bytes())
            .with("accept-encoding", "gzip")
            .up_to(dsp::json::CATALOG_BYTES_MAX);
        let peer = self.claimant_at(provider)?;
        let reply = self.carrier.send(self.introduced(request, &peer)?)?;
        if !reply.is_success() {
            return Err(refused_reply(provider, &reply));
        }
        Catalog::read(&reply.body).map_err(|e| ActError::nonsense(provider, e))
    }

    /// Who a provider is and on which terms it offers a dataset: from its catalog, or where that has more pages than the
    /// first, from the dataset's own address.
    pub(crate) fn offered_by(&self, provider: &str, dataset: &str) -> Result<(Peer, Terms), ActError> {
        let catalog = self.catalog_of(provider)?;
        let missing = || ActError::NotFound { what: "dataset in the catalog", name: dataset.to_owned() };
        let who = catalog
            .participant_id
            .clone()
            .ok_or_else(|| ActError::nonsense(provider, "a catalog without participant"))?;
        let found = match catalog.dataset.into_iter().find(|d| d.id == dataset) {
            Some(found) => found,
            None => self.dataset_at(provider, dataset)?.ok_or_else(missing)?,
        };
        let terms = found.has_policy.first().ok_or_else(missing)?.with_target(dataset);
        Ok((Peer(who), terms))
    }

    fn dataset_at(&self, provider: &str, dataset: &str) -> Result<Option<Dataset>, ActError> {
        let url = paths::join(provider, &paths::with_id(paths::CATALOG_DATASET, dataset));
        let peer = self.claimant_at(provider)?;
        let reply = self.carrier.send(self.introduced(Request::get(url), &peer)?)?;
        if !reply.is_success() {
            return Ok(None);
        }
        let found = Dataset::read(&reply.body).map_err(|e| ActError::nonsense(provider, e))?;
        Ok(Some(found).filter(|found| found.id == dataset))
    }
}

/// What a peer's refusal says, when it says it in a form that we know: a problem document or an error of the protocol.
fn refused_reply(provider: &str, reply: &Reply) -> ActError {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).filter(|t| !t.is_empty());
    let line = |t: &str| t.chars().take(200).collect::<String>();
    match (text("code"), text("detail").or_else(|| text("title"))) {
        (Some(code), says) => ActError::Refused { code: line(code), reasons: says.map(line).into_iter().collect() },
        (None, _) => ActError::nonsense(provider, format!("status {} to a catalog request", reply.status)),
    }
}

