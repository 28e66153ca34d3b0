//! What a person or a program does by hand in the data space: opens, moves and ends negotiations and transfers.
//!
//! Nothing here goes around the law: an agreement, a start and a resumption are decided afresh, as when the node acts by
//! itself. What the protocol, the law or the contract refuses comes back as an error, and the process stays where it was.

use crate::act::flow::Opened;
use crate::act::offer::{FORMAT_PULL, Handling, Handlings};
use crate::act::process::{At, Held, PROCESSES_MAX, agreement_key};
use crate::act::standing::Standing;
use crate::agent::Node;
use crate::error::ActError;
use crate::ports::fresh_name;
use dsp::machine::{Event, Fault, Peer, Phase, Role, Step};
use dsp::message::Grounds;
use dsp::message::terms::Terms;
use dsp::message::transfer::DataAddress;
use dsp::negotiation::{self, Negotiation};
use dsp::policy::operands::Operands;
use dsp::transfer::{self, Subject, Transfer};
use dsp::{paths, schema};
use model::event::EventKind;
use serde::{Deserialize, Serialize};
use store::keep::{DocumentKind, Expect, Keep};
use store::process::ProcessId;
use store::{StoreError, Together};

/// LIMIT: how often a move by hand is tried anew when another came first.
const TRIES_MAX: usize = 8;

/// What somebody wants in a negotiation.
#[derive(Clone, Debug, PartialEq)]
pub enum NegotiationAct {
    /// Provider: offer these terms, or those of the catalog.
    Offer(Option<Terms>),
    /// Consumer: ask on these terms instead.
    Counter(Terms),
    /// Consumer: accept the offer.
    Accept,
    /// Provider: agree to what was asked or accepted; law and contract are asked.
    Agree,
    /// Consumer: verify the agreement; it must be what was asked for.
    Verify,
    /// Provider: finalize; the law is asked.
    Finalize,
    /// End it.
    Terminate(Grounds),
}

/// What somebody wants in a transfer.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferAct {
    /// Start or resume; as provider the law is asked.
    Start,
    /// Suspend.
    Suspend(Grounds),
    /// Complete.
    Complete,
    /// End it.
    Terminate(Grounds),
}

/// A negotiation to be opened.
#[derive(Clone, Debug, PartialEq)]
pub struct NegotiationWish {
    /// Our role: as consumer we ask, as provider we offer.
    pub role: Role,
    /// The peer's base address of the protocol.
    pub address: String,
    /// Who the peer is; for a consumer that names no terms the catalog tells.
    pub peer: Option<String>,
    /// The dataset.
    pub dataset: String,
    /// The terms; those of the catalog (theirs or ours) when absent.
    pub terms: Option<Terms>,
    /// Who makes our moves from then on, and who asks for the transfer; a provider's offer says it itself.
    pub handling: Handlings,
}

/// A transfer to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferWish {
    /// The agreement, as consumer.
    pub agreement: String,
    /// The provider; needed only where two providers gave agreements of one name.
    pub peer: Option<String>,
    /// The provider's base address of the protocol; that of the negotiation when absent.
    pub address: Option<String>,
    /// The format.
    pub format: String,
    /// Where the provider shall push to; none for pull.
    pub push_to: Option<DataAddress>,
    /// Whether the node pulls by itself once the transfer starts.
    pub handling: Handling,
    /// The registered data plane of others that shall have the data; none: this program.
    pub plane: Option<String>,
}

/// An agreement that was concluded elsewhere: by another connector, or on paper.
#[derive(Clone, Debug, PartialEq)]
pub struct Concluded {
    /// Our role in it.
    pub role: Role,
    /// The other party.
    pub peer: String,
    /// The other party's base address of the protocol.
    pub address: String,
    /// The agreement as ODRL, with id, target and both parties.
    pub agreement: Terms,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PullPlan {
    handling: Handling,
}

impl Node {
    /// Opens a negotiation in either role; returns our id of it.
    pub fn open_negotiation(&self, wish: NegotiationWish) -> Result<String, ActError> {
        callable(&wish.address)?;
        let missing = || asked("node/no-peer", "name the peer: its id is not known from a catalog");
        match wish.role {
            Role::Consumer => {
                let (peer, terms) = match (wish.terms, wish.peer) {
                    (Some(terms), Some(peer)) => (Peer(peer), terms),
                    (Some(terms), None) => (Peer(self.participant_at(&wish.address)?), terms),
                    (None, named) => {
                        let (peer, terms) = self.offered_by(&wish.address, &wish.dataset)?;
                        if named.is_some_and(|named| named != peer.0) {
                            return Err(asked("node/other-peer", "somebody else answers at this address"));
                        }
                        (peer, terms)
                    }
                };
                let terms = offerable(terms.with_target(&wish.dataset))?;
                self.ask_with(&wish.address, peer, &wish.dataset, terms, wish.handling)
            }
            Role::Provider => {
                let peer = Peer(wish.peer.ok_or_else(missing)?);
                let terms = self.terms_to_offer(&wish.dataset, wish.terms)?;
                let pid = fresh_name()?;
                let (held, effects) =
                    Negotiation::offer(peer, &pid, &wish.address, &self.protocol_address(), terms);
                self.commit(None, &held, effects, None, Together::default())?;
                Ok(pid)
            }
        }
    }

    fn participant_at(&self, address: &str) -> Result<String, ActError> {
        let missing = || ActError::nonsense(address, "a catalog without participant");
        self.catalog_of(address)?.participant_id.ok_or_else(missing)
    }

    fn terms_to_offer(&self, dataset: &str, given: Option<Terms>) -> Result<Terms, ActError> {
        let missing = || ActError::NotFound { what: "offer", name: dataset.to_owned() };
        let offer = self.offer_of(dataset)?.ok_or_else(missing)?;
        let terms = match given {
            Some(terms) => terms,
            None => self.terms_of(&offer)?,
        };
        offerable(terms.with_target(dataset))
    }

    /// Does in a negotiation what somebody wants.
    pub fn act_in_negotiation(&self, pid: &str, act: &NegotiationAct) -> Result<Standing, ActError> {
        use negotiation::Command;
        tried_anew(|| {
            let at = self.held::<Negotiation>(pid)?;
            match act {
                NegotiationAct::Offer(terms) => {
                    let dataset = at.held.latest_offer().target().unwrap_or_default();
                    let terms = self.terms_to_offer(dataset, terms.clone())?;
                    self.by_hand(&at, Command::Offer(terms))
                }
                NegotiationAct::Counter(terms) => {
                    let dataset = at.held.latest_offer().target().unwrap_or_default();
                    let terms = offerable(terms.with_target(dataset))?;
                    self.by_hand(&at, Command::Counter(terms))
                }
                NegotiationAct::Accept => self.by_hand(&at, Command::Accept),
                NegotiationAct::Agree => self
                    .may(&at, negotiation::State::Agreed)
                    .and_then(|()| self.agree(&at, Handling::Manual).map(drop)),
                NegotiationAct::Verify => self
                    .may(&at, negotiation::State::Verified)
                    .and_then(|()| self.verify_agreement(&at, Handling::Manual).map(drop)),
                NegotiationAct::Finalize => self
                    .may(&at, negotiation::State::Finalized)
                    .and_then(|()| self.finalize(&at, Handling::Manual).map(drop)),
                NegotiationAct::Terminate(grounds) => self.by_hand(&at, Command::Terminate(grounds.clone())),
            }
        })?;
        self.negotiation_standing(pid)
    }

    /// Asks for a transfer under an agreement; returns our id of it.
    pub fn open_transfer(&self, wish: TransferWish) -> Result<String, ActError> {
        let found = self.agreements_named(&wish.agreement, wish.peer.as_deref())?;
        let [negotiation] = found.as_slice() else {
            return Err(match found.is_empty() {
                true => ActError::NotFound { what: "agreement in force", name: wish.agreement },
                false => {
                    asked("node/which-peer", "several providers gave an agreement of this name: name one")
                }
            });
        };
        let process = negotiation.process();
        let address = wish.address.unwrap_or_else(|| process.address.clone());
        callable(&address)?;
        let pid = fresh_name()?;
        let subject = Subject { agreement_id: wish.agreement, format: wish.format, push_to: wish.push_to };
        if let Some(plane) = &wish.plane {
            let dataset = negotiation.agreement().and_then(|a| a.target()).unwrap_or_default();
            return self.prepare_elsewhere(plane, pid, &process.peer, &address, subject, dataset);
        }
        let (held, effects) =
            Transfer::request(process.peer.clone(), &pid, &address, &self.protocol_address(), subject);
        let keep = self.pull_plan(&pid, wish.handling)?;
        self.commit(None, &held, effects, None, Together { keeps: vec![keep], ..Together::default() })?;
        Ok(pid)
    }

    /// Agreements in force in which we are the consumer, by name; LIMIT: at most two are looked for.
    fn agreements_named(&self, agreement: &str, peer: Option<&str>) -> Result<Vec<Negotiation>, ActError> {
        if let Some(peer) = peer {
            let found = self.agreement_of(Role::Consumer, agreement, &Peer(peer.to_owned()))?;
            return Ok(found.into_iter().collect());
        }
        let mut out = Vec::new();
        for kept in self.kept_agreements()? {
            let ends = kept.id.strip_suffix(agreement).is_some_and(|rest| rest.ends_with('|'));
            let held = self.negotiation(kept.about.as_deref().unwrap_or_default())?.filter(|_| ends);
            out.extend(held.filter(|n| n.process().role == Role::Consumer));
            if out.len() == 2 {
                break;
            }
        }
        Ok(out)
    }

    fn kept_agreements(&self) -> Result<Vec<store::keep::Kept>, ActError> {
        let mut all = Vec::new();
        loop {
            let after = all.last().map(|k: &store::keep::Kept| k.id.clone());
            let some = self.store.kept_all(
                &self.participant,
                DocumentKind::Agreement,
                after.as_deref(),
                PROCESSES_MAX,
            )?;
            let n = some.len();
            all.extend(some);
            if n < PROCESSES_MAX {
                return Ok(all);
            }
        }
    }

    /// What says whether the node pulls a transfer by itself.
    pub(crate) fn pull_plan(&self, pid: &str, handling: Handling) -> Result<Keep, ActError> {
        Ok(Keep {
            kind: DocumentKind::Flow,
            id: format!("pull:{pid}"),
            about: None,
            at: self.now(),
            body: serde_json::to_vec(&PullPlan { handling }).map_err(|e| ActError::evidence("node/pull", e))?,
            expect: Expect::New,
        })
    }

    /// Whether the node pulls a transfer by itself.
    pub(crate) fn pull_handling(&self, pid: &str) -> Result<Handling, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, &format!("pull:{pid}"))?;
        let plan = kept.and_then(|k| serde_json::from_slice::<PullPlan>(&k.body).ok());
        Ok(plan.map_or(Handling::Automatic, |plan| plan.handling))
    }

    /// Does in a transfer what somebody wants.
    pub fn act_in_transfer(&self, pid: &str, act: &TransferAct) -> Result<Standing, ActError> {
        use transfer::Command;
        tried_anew(|| {
            let at = self.held::<Transfer>(pid)?;
            match act {
                TransferAct::Start => self.start_by_hand(&at),
                TransferAct::Suspend(grounds) => self.by_hand(&at, Command::Suspend(grounds.clone())),
                TransferAct::Complete => self.by_hand(&at, Command::Complete),
                TransferAct::Terminate(grounds) => self.by_hand(&at, Command::Terminate(grounds.clone())),
            }
        })?;
        self.transfer_standing(pid)
    }

    fn start_by_hand(&self, at: &At<Transfer>) -> Result<(), ActError> {
        use transfer::{Command, State};
        self.may(at, State::Started)?;
        if at.held.process().role == Role::Consumer {
            return self.by_hand(at, Command::Start(None));
        }
        if let Some(plane) = self.plane_of(&at.held)?
            && at.held.state() == State::Requested
        {
            // Started once the data plane has.
            return self.begin_elsewhere(at, &plane).map(drop);
        }
        match self.open_flow(&at.held, at.held.state() == State::Requested)? {
            Opened::Flows(address) => self.by_hand(at, Command::Start(Some(address))),
            Opened::Shut(grounds) => Err(ActError::refused(&grounds)),
        }
    }

    /// Records an agreement that was concluded elsewhere; transfers under it are judged as under any other.
    pub fn record_agreement(&self, concluded: Concluded) -> Result<String, ActError> {
        callable(&concluded.address)?;
        if let Some(fault) = schema::check_agreement(&concluded.agreement.to_value()).into_iter().next() {
            return Err(asked("dsp/schema", fault.to_string()));
        }
        let (ours, theirs) = match concluded.role {
            Role::Provider => (concluded.agreement.assigner(), concluded.agreement.assignee()),
            Role::Consumer => (concluded.agreement.assignee(), concluded.agreement.assigner()),
        };
        if ours != Some(self.id()) || theirs != Some(concluded.peer.as_str()) {
            return Err(asked("node/other-parties", "assigner and assignee must be we and the peer"));
        }
        let key = agreement_key(concluded.role, &concluded.peer, concluded.agreement.id());
        if self.store.kept(&self.participant, DocumentKind::Agreement, &key)?.is_some() {
            return Err(asked("node/known-agreement", "an agreement of this id is here already"));
        }
        let pid = fresh_name()?;
        let held = Negotiation::concluded(
            concluded.role,
            Peer(concluded.peer),
            &pid,
            &concluded.address,
            concluded.agreement,
        );
        let mut event = self.event(EventKind::Agreed, &pid);
        event.rules = vec!["recorded by hand; concluded elsewhere".into()];
        event.binds.extend(Negotiation::agreement(&held).map(|a| ("agreement".to_owned(), a.digest())));
        let keep = Keep {
            kind: DocumentKind::Agreement,
            id: key,
            about: Some(pid.clone()),
            at: self.now(),
            body: b"{}".to_vec(),
            expect: Expect::New,
        };
        let together =
            Together { leaves: vec![self.leaf(&event)?], keeps: vec![keep], ..Together::default() };
        self.commit(None, &held, Vec::new(), None, together)?;
        Ok(pid)
    }

    pub(crate) fn held<H: Held>(&self, pid: &str) -> Result<At<H>, ActError> {
        let what = H::KIND.as_str();
        // What was answered a moment ago is written down now: a move by hand goes out from where we are.
        self.settle_answered(&ProcessId::new(H::KIND, pid))?;
        self.load::<H>(pid)?.ok_or_else(|| ActError::NotFound { what, name: pid.to_owned() })
    }

    /// Whether the protocol lets us make this move, before law and contract are asked.
    fn may<H: Held>(&self, at: &At<H>, to: H::State) -> Result<(), ActError> {
        let process = at.held.process();
        if process.open_moves().contains(&to) {
            return Ok(());
        }
        let from = process.state().name();
        Err(ActError::Protocol(match process.is_settled() {
            true => Fault::IllegalMove { from, to: to.name() },
            false => Fault::Busy,
        }))
    }

    fn by_hand<H: Held>(&self, at: &At<H>, command: H::Command) -> Result<(), ActError> {
        match at.held.step(Event::Command(command)) {
            Step::Next(next, effects) => {
                self.commit(at.version, &next, effects, None, Together::default()).map(drop)
            }
            Step::Illegal(fault) => Err(ActError::Protocol(fault)),
            Step::Repeat(_) => Ok(()),
        }
    }
}

/// Moves anew while another move came first.
fn tried_anew(mut act: impl FnMut() -> Result<(), ActError>) -> Result<(), ActError> {
    for _ in 0..TRIES_MAX {
        match act() {
            Err(ActError::Store(StoreError::Stale { .. })) => {}
            done => return done,
        }
    }
    Err(ActError::Protocol(Fault::Busy))
}

/// The format of a pull over HTTPS, for a wish that names none.
pub fn format_or_pull(format: Option<String>) -> String {
    format.unwrap_or_else(|| FORMAT_PULL.to_owned())
}

fn asked(code: &'static str, detail: impl Into<String>) -> ActError {
    ActError::Asked { code, detail: detail.into() }
}

fn callable(address: &str) -> Result<(), ActError> {
    match paths::is_callback(address) {
        true => Ok(()),
        false => {
            Err(asked("node/address", format!("`{address}` is no base address such as https://host/dsp")))
        }
    }
}

/// Terms that the schema takes and whose words are known: an unknown operand is refused before it is sent.
pub(crate) fn offerable(terms: Terms) -> Result<Terms, ActError> {
    let wrong = |e: &dyn std::fmt::Display| asked("dsp/policy", e.to_string());
    if let Some(fault) = schema::check_offer(&terms.to_value()).into_iter().next() {
        return Err(wrong(&fault));
    }
    let found = match dsp::policy::Policy::of_terms(&terms) {
        Ok(policy) => policy.check(&Operands::standard()),
        Err(found) => found,
    };
    match found.first() {
        Some(first) => Err(wrong(first)),
        None => Ok(terms),
    }
}
