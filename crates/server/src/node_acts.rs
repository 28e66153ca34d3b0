//! What programs ask of a node, done by the node.

use crate::people::acts::{Acts, Look, NewToken, Order, make_token_at, tokens_of};
use crate::people::flows::Flows as _;
use crate::people::principal::Principal;
use crate::problem::{Kind, Problem};
use crate::node_flows::NodeFlows;
use model::Digest;
use node::agent::Node;
use node::act::offer::Offer;
use node::desk::{Desk, Repeat};
use node::prove::Reach;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The acts of one node; its participant is the only one for whom it acts.
#[derive(Clone, Debug)]
pub struct NodeActs {
    node: Arc<Node>,
    desk: Arc<Desk>,
}

fn said(e: node::error::ActError) -> Problem {
    Problem::act(&e)
}

impl NodeActs {
    /// Acts by this node, and keeps idempotency keys at this desk.
    pub fn new(node: Arc<Node>, desk: Arc<Desk>) -> Self {
        Self { node, desk }
    }

    fn offer(&self, offer: Offer) -> Result<(u16, Value), Problem> {
        let offer = self.placed(offer)?;
        let terms = self.node.offer(&offer).map_err(said)?;
        let (dataset, provider) = (&offer.dataset, self.node.protocol_address());
        Ok((201, json!({ "dataset": dataset, "provider": provider, "terms": terms })))
    }

    /// The same answer with nothing done, and how it stands beside what is offered.
    fn check_offer(&self, offer: Offer) -> Result<(u16, Value), Problem> {
        let offer = self.placed(offer)?;
        let (terms, stands) = self.node.check_offer(&offer).map_err(said)?;
        Ok((200, json!({ "dataset": offer.dataset, "terms": terms, "stands": stands })))
    }

    /// The offer with the place of its file, unless a data plane of others gives the bytes.
    fn placed(&self, offer: Offer) -> Result<Offer, Problem> {
        Ok(match offer.plane {
            Some(_) => offer,
            None => Offer { source: self.place(&offer)?, ..offer },
        })
    }

    /// The file that is offered, if it may be.
    fn place(&self, offer: &Offer) -> Result<std::path::PathBuf, Problem> {
        let place = std::fs::canonicalize(&offer.source)
            .map_err(|e| Problem::of(Kind::ActNotUnderstood, format!("cannot read `{}`: {e}", offer.source.display())))?;
        // Keys and store lie there; nothing of them is ever offered.
        let own = std::fs::canonicalize(&self.node.config().directory).unwrap_or_default();
        if place.starts_with(&own) || !place.is_file() {
            let line = format!("`{}` is no file outside the node's own directory", offer.source.display());
            return Err(Problem::of(Kind::ActNotUnderstood, line));
        }
        Ok(place)
    }

    fn offers(&self) -> Result<Value, Problem> {
        let all = self.node.offers().map_err(said)?;
        let row = |o: &Offer| {
            let terms = self.node.terms_of(o);
            json!({
                "dataset": o.dataset, "title": o.title, "source": o.source, "release": o.release,
                "terms": terms.as_ref().ok(), "says": terms.as_ref().ok().and_then(|t| node::terms::lines(t).ok()),
                "access": o.access, "hidden": terms.err().map(|e| e.to_string())
            })
        };
        Ok(json!({ "offers": all.iter().map(row).collect::<Vec<_>>() }))
    }

    fn negotiation(&self, id: &str) -> Result<Value, Problem> {
        let report = self.node.negotiation_report(id).map_err(said)?;
        let flow = report.transfer.as_deref().and_then(|t| self.node.report_of(t).ok());
        let got = report.transfer.as_deref().and_then(|t| self.node.got(t).ok().flatten());
        let file = got.map(|g| json!({ "path": g.path, "manifest": g.manifest, "bytes": g.bytes }));
        Ok(json!({ "negotiation": report, "flow": flow, "file": file }))
    }

    /// The container, once seal and checkpoint stand; what follows the commit is asked for a moment.
    fn evidence(&self, transfer: &str) -> Result<Vec<u8>, Problem> {
        let report = self.node.report_of(transfer).map_err(said)?;
        let none = || Problem::of(Kind::NotFound, format!("no evidence of `{transfer}` yet: not everything was delivered"));
        self.node.evidence(&report.manifest.ok_or_else(none)?).map_err(said)
    }
}

impl Acts for NodeActs {
    fn look(&self, _: &Principal, what: Look) -> Result<Value, Problem> {
        Ok(match what {
            Look::Offers => self.offers()?,
            Look::Judgments => json!({ "determinations": self.node.judgments().map_err(said)? }),
            Look::Counters => json!({ "counters": self.node.counts().map_err(said)? }),
            Look::Peers => json!({ "peers": self.node.peers().map_err(said)? }),
            Look::Negotiations => {
                let revoked = self.node.revoked().into_iter().map(|who| json!({ "code": node::act::turn::REVOKED, "who": who }));
                json!({ "negotiations": self.node.negotiation_reports().map_err(said)?, "revoked": revoked.collect::<Vec<_>>() })
            }
            Look::Negotiation(id) => self.negotiation(&id)?,
            Look::Log => {
                let reach = self.node.checkpoint().map(|(_, reach)| match reach {
                    Reach::Witnessed => "witnessed",
                    Reach::Recorded => "recorded",
                });
                json!({ "size": self.node.log_size().map_err(said)?, "reach": reach, "policy": self.node.log_policy() })
            }
        })
    }

    fn act(&self, who: &Principal, order: Order) -> Result<(u16, Value), Problem> {
        match order {
            Order::Offer(offer) => self.offer(*offer),
            Order::CheckOffer(offer) => self.check_offer(*offer),
            Order::Know(peer) => {
                self.node.know_peer(&peer).map_err(said)?;
                Ok((200, json!({ "id": peer.id })))
            }
            Order::Judge(judgment) => {
                let held = self.node.take_judgment(*judgment).map_err(said)?;
                Ok((201, serde_json::to_value(held).unwrap_or_default()))
            }
            Order::GiveUp(id) => {
                self.node.give_up_judgment(&id).map_err(said)?;
                Ok((200, json!({ "id": id })))
            }
            Order::Catalog(provider) => {
                Ok((200, self.node.catalog_of(&provider.provider).map_err(said)?.to_value()))
            }
            Order::Ask(wanted) => {
                let id = self.node.ask_for(&wanted.provider, &wanted.dataset).map_err(said)?;
                Ok((202, json!({ "negotiation": id })))
            }
            Order::Cure(flow, taken) => {
                let flows = NodeFlows(self.node.clone());
                flows.cure(who, &flow, &taken.measures).map_err(|line| Problem::of(Kind::ActRefused, line.en))?;
                Ok((200, json!({ "flow": flow })))
            }
            Order::LegalDay(day) => {
                self.node.move_legal_day(day.day).map_err(said)?;
                Ok((200, json!({ "day": day.day })))
            }
        }
    }

    fn container(&self, _: &Principal, transfer: &str) -> Result<Vec<u8>, Problem> {
        self.evidence(transfer)
    }

    fn tokens(&self) -> Result<Value, Problem> {
        tokens_of(&self.desk)
    }

    fn make_token(&self, wanted: &NewToken) -> Result<String, Problem> {
        make_token_at(&self.desk, wanted)
    }

    fn revoke_token(&self, id: &str) -> Result<(), Problem> {
        self.desk.revoke(id).map_err(said)
    }

    fn claim(&self, key: &str, request: &Digest) -> Result<Repeat, Problem> {
        self.desk.claim(key, request).map_err(said)
    }

    fn settle(&self, key: &str, answer: Option<(u16, &[u8])>) -> Result<(), Problem> {
        self.desk.settle(key, answer).map_err(said)
    }
}

/// Where verbs on this machine find a serving process: its pages, and the secret of this start. Only its user can read it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct DoorFile {
    /// The base address of pages and `/v1`.
    pub address: String,
    /// The base address of the protocol, where a node runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The participant.
    pub participant: String,
    /// The secret of this start.
    pub token: String,
}

/// Its name in the directory.
pub const DOOR_FILE: &str = "door.json";

impl DoorFile {
    /// Writes it, for this user alone.
    pub fn write(&self, directory: &Path) -> std::io::Result<()> {
        let path = directory.join(DOOR_FILE);
        let _old = std::fs::remove_file(&path);
        node::keys::write_secret(&path, serde_json::to_string_pretty(self).unwrap_or_default().as_bytes())
    }

    /// Reads it, if there is one.
    pub fn read(directory: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(directory.join(DOOR_FILE)).ok()?).ok()
    }

    /// Takes it away.
    pub fn remove(directory: &Path) {
        let _gone = std::fs::remove_file(directory.join(DOOR_FILE));
    }
}
