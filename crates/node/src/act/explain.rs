//! A negotiation explained: who moved when, whose move it is, why it stands still, what to do, and which acts bind.

use crate::act::offer::Handling;
use crate::act::standing::Standing;
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::Role;
use dsp::message::terms::Terms;
use model::Instant;
use model::event::EventKind;
use model::text::{Language, Text};
use serde::Serialize;
use words::{Arg, say};

/// One move of the past, in the lane of the party that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When it was written down here.
    pub at: Instant,
    /// Whether we made it; else the peer did.
    pub ours: bool,
    /// The state that it led to.
    pub state: String,
}

/// Something that we can do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The act, as `/v1/negotiations/{id}/{act}` takes it.
    pub act: &'static str,
    /// Whether it commits us to something; ending does not, but cannot be taken back.
    pub binds: bool,
    /// What it does, before it is done.
    pub says: Text,
}

/// A negotiation explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// How it stands.
    pub standing: Standing,
    /// The moves so far, in order.
    pub steps: Vec<Step>,
    /// `ours`, `theirs` or `nobody`.
    pub whose_move: &'static str,
    /// Why it stands where it stands.
    pub why: Text,
    /// What to do.
    pub todo: Text,
    /// What we can do by hand, now.
    pub choices: Vec<Choice>,
    /// The terms in words, a line for each rule.
    pub terms: Vec<Text>,
    /// The reasons that the last end or refusal gave.
    pub reasons: Vec<String>,
    /// Our id of the transfer that followed.
    pub transfer: Option<String>,
}

fn text(id: &str, args: &[(&str, &str)]) -> Text {
    let args: Vec<(&str, Arg<'_>)> = args.iter().map(|(name, value)| (*name, Arg::Text(value))).collect();
    Text::of(say(Language::En, id, &args), say(Language::Ja, id, &args))
}

/// The act that leads a party to a state.
fn act_to(role: Role, state: &str) -> Option<&'static str> {
    Some(match (role, state) {
        (Role::Provider, "OFFERED") => "offer",
        (Role::Provider, "AGREED") => "agree",
        (Role::Provider, "FINALIZED") => "finalize",
        (Role::Consumer, "REQUESTED") => "counter",
        (Role::Consumer, "ACCEPTED") => "accept",
        (Role::Consumer, "VERIFIED") => "verify",
        (_, "TERMINATED") => "terminate",
        _ => return None,
    })
}

impl Node {
    /// Explains a negotiation of ours.
    pub fn explain_negotiation(&self, pid: &str) -> Result<Explained, ActError> {
        let standing = self.negotiation_standing(pid)?;
        let held = self.negotiation(pid)?;
        let terms = held.as_ref().map(|held| held.agreement().unwrap_or_else(|| held.latest_offer()));
        let whose_move = match standing.whose_move {
            "nobody" => "nobody",
            _ if standing.on_its_way => "theirs",
            "theirs" => "theirs",
            _ => "ours",
        };
        let (why, todo) = self.why_and_what(&standing, whose_move);
        let choices = standing.open_moves.iter().filter_map(|state| act_to(standing.role, state));
        let choices = choices.map(|act| Choice {
            act,
            binds: act != "terminate",
            says: text(&format!("explain-act-{act}"), &[("peer", &standing.peer)]),
        });
        Ok(Explained {
            steps: self.steps_of(pid)?,
            whose_move,
            why,
            todo,
            choices: choices.collect(),
            terms: terms.map(|terms: &Terms| terms_of(terms)).unwrap_or_default(),
            reasons: self.reasons_of(&standing),
            transfer: self.begun(pid).ok().flatten(),
            standing,
        })
    }

    /// What the last end said, and what we know of it that the peer was not told.
    fn reasons_of(&self, standing: &Standing) -> Vec<String> {
        let said = standing.reasons.iter().filter_map(|r| r.as_str().map(str::to_owned));
        said.chain(self.why_undecided(&standing.id)).collect()
    }

    fn steps_of(&self, pid: &str) -> Result<Vec<Step>, ActError> {
        let mut steps = Vec::new();
        for (_, event) in self.events(pid)? {
            let state = match event.kind {
                EventKind::Agreed => Some("FINALIZED"),
                EventKind::Negotiated => event.rules.first().and_then(|rule| rule.strip_prefix("dsp ")),
                _ => None,
            };
            if let Some(state) = state {
                // A move of the peer binds the digest of the message that made it.
                let ours = !event.binds.contains_key("message");
                steps.push(Step { at: event.at, ours, state: state.to_owned() });
            }
        }
        Ok(steps)
    }

    fn why_and_what(&self, standing: &Standing, whose_move: &str) -> (Text, Text) {
        let (peer, state) = (standing.peer.as_str(), standing.state);
        let since = standing.at.to_string();
        if whose_move == "nobody" {
            return match state {
                "FINALIZED" => (text("explain-agreed", &[("peer", peer)]), text("explain-todo-agreed", &[])),
                _ => {
                    let code = standing.code.clone().unwrap_or_else(|| "—".into());
                    (text("explain-ended", &[("code", &code)]), text("explain-todo-ended", &[]))
                }
            };
        }
        if let Some(trouble) = &standing.trouble {
            let (n, again) = (trouble.attempts.to_string(), trouble.again_at.to_string());
            let args =
                [("code", trouble.code.as_str()), ("says", &trouble.says), ("n", &n), ("again", &again)];
            let todo = [("peer", peer), ("address", standing.address.as_str())];
            return (text("explain-trouble", &args), text("explain-todo-trouble", &todo));
        }
        match (whose_move, standing.on_its_way, standing.handling) {
            ("theirs", true, _) => {
                (text("explain-on-its-way", &[("peer", peer)]), text("explain-todo-wait", &[]))
            }
            ("theirs", false, _) => (
                text("explain-theirs", &[("peer", peer), ("since", &since)]),
                text(
                    "explain-todo-theirs",
                    &[("peer", peer), ("their", standing.peer_pid.as_deref().unwrap_or("—"))],
                ),
            ),
            (_, _, Handling::Manual) => {
                (text("explain-ours", &[("since", &since)]), text("explain-todo-ours", &[]))
            }
            (_, _, Handling::Automatic) => (text("explain-automatic", &[]), text("explain-todo-wait", &[])),
        }
    }
}

/// The terms in words; words that are not understood are said to be so.
fn terms_of(terms: &Terms) -> Vec<Text> {
    crate::terms::lines(terms).unwrap_or_else(|why| vec![text("catalog-terms-unknown", &[("why", &why)])])
}
