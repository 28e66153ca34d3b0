//! The flows of a node as the pages show them.

use crate::people::flows::{Delivered, End, FlowState, FlowView, Flows, Stop};
use crate::people::principal::Principal;
use dsp::machine::Role;
use model::event::EventKind;
use model::fact::{Said, Spoken};
use model::text::Text;
use model::transfer::Transfer;
use node::act::check::refusals;
use node::agent::Node;
use node::prove::Reach;
use node::report::FlowReport;
use std::sync::Arc;
use trust::verify::{Level, Report};

/// The flows of one node; its participant is the only one whose flows it has.
#[derive(Clone, Debug)]
pub struct NodeFlows(pub Arc<Node>);

impl Flows for NodeFlows {
    fn all(&self, _: &Principal) -> Vec<FlowView> {
        let mut views: Vec<FlowView> =
            self.0.report().unwrap_or_default().iter().map(|r| self.view(r)).collect();
        views.sort_by_key(|v| v.state != FlowState::Stopped);
        views
    }

    fn one(&self, _: &Principal, id: &str) -> Option<FlowView> {
        self.0.report_of(id).ok().map(|r| self.view(&r))
    }

    fn cure(&self, _: &Principal, id: &str, measures: &[String]) -> Result<(), Text> {
        let cannot = |e: node::error::ActError| Text::of(e.to_string(), e.to_string());
        let mut wanted: Vec<&str> = measures.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        let ways = self.0.cures(id).map_err(cannot)?;
        let way = ways.iter().find(|way| {
            let mut has: Vec<&str> = way.measures.iter().map(|m| m.id.as_str()).collect();
            has.sort_unstable();
            has == wanted
        });
        let Some(way) = way else {
            return Err(Text::of("these measures are no way through", "これらの措置では通れません"));
        };
        let decision = self.0.cure(id, way).map_err(cannot)?;
        if let Some(rules) = self.0.read_once(&decision) {
            let rules = rules.join("; ");
            return Err(Text::of(
                format!("recorded; what opens it now was read once only: {rules}"),
                format!("記録しましたが、根拠は一度しか読んでいない規定です: {rules}"),
            ));
        }
        match decision.verdict.opens() {
            true => Ok(()),
            false => {
                Err(Text::of("recorded; the law does not open yet", "記録しましたが、まだ移転できません"))
            }
        }
    }

    fn evidence(&self, _: &Principal, id: &str) -> Option<Report> {
        let manifest = self.0.report_of(id).ok()?.manifest?;
        self.0.verify_own(&manifest).ok()
    }
}

impl NodeFlows {
    fn view(&self, report: &FlowReport) -> FlowView {
        let case = self.0.flow_case(&report.id).ok();
        let transfer = case.as_ref().map(|(transfer, _)| transfer);
        let end =
            |id: &str| End { name: id.to_owned(), place: transfer.map(|t| place(t, id)).unwrap_or_default() };
        let (own, peer) = (end(self.0.id()), end(&report.peer));
        let (from, to) = if report.role == Role::Provider { (own, peer) } else { (peer, own) };
        let events = self.0.events(&report.id).unwrap_or_default();
        let stop = report.stopped.as_ref().map(|stopped| {
            let decision = case.as_ref().map(|(_, decision)| decision);
            let clause = decision.and_then(|d| {
                let named = refusals(d);
                d.worst()?.deciding.iter().find(|c| named.first().is_some_and(|r| r.rule == c.id)).cloned()
            });
            let told = stopped.rules.first().cloned().unwrap_or_else(|| stopped.code.clone());
            Stop {
                rule: clause
                    .as_ref()
                    .map_or_else(|| told.split(' ').next().unwrap_or_default().to_owned(), |c| c.id.clone()),
                cites: clause.as_ref().map_or(told, |c| c.citation.cites.clone()),
                says: clause.map_or_else(|| Text::of(&stopped.says, &stopped.says), |c| c.says),
                since: decision.map_or_else(|| self.0.legal_day(), |d| d.as_of.on),
                at: stopped.since.unwrap_or_else(|| self.0.now()),
                about_delivered: Text::default(),
                remedies: decision.and_then(|d| d.worst()).map(|c| c.remedies.clone()).unwrap_or_default(),
            }
        });
        FlowView {
            id: report.id.clone(),
            dataset: report.dataset.clone(),
            from,
            to,
            state: state(report),
            began: events.first().map(|(_, e)| e.at),
            delivered: Delivered {
                chunks: report.chunks,
                chunks_all: report.manifest.map(|_| report.chunks),
                bytes: report.bytes,
                last_at: events.iter().rev().find(|(_, e)| tells_of_chunks(e.kind)).map(|(_, e)| e.at),
            },
            stop,
            evidence: self.level(report),
            facts: transfer.map(|t| flat(t, self.0.id())).unwrap_or_default(),
        }
    }

    fn level(&self, report: &FlowReport) -> Option<Level> {
        let has = |name: &str| report.parts.iter().any(|p| p == name);
        match (has("stamp"), has("seal")) {
            (true, _) => Some(Level::Stamped),
            (false, true) => Some(Level::Sealed),
            (false, false) => self.0.checkpoint().map(|(_, reach)| match reach {
                Reach::Witnessed => Level::Witnessed,
                Reach::Recorded => Level::Recorded,
            }),
        }
    }
}

/// A receiver notes each chunk in its log, a sender all of them at the end.
fn tells_of_chunks(kind: EventKind) -> bool {
    matches!(kind, EventKind::ChunkReceived | EventKind::ManifestCommitted)
}

fn state(report: &FlowReport) -> FlowState {
    match (report.state.as_str(), report.stopped.is_some()) {
        ("COMPLETED", _) => FlowState::Completed,
        ("TERMINATED", _) => FlowState::Terminated,
        (_, true) => FlowState::Stopped,
        ("STARTED", false) => FlowState::Running,
        ("SUSPENDED", false) => FlowState::Suspended,
        _ => FlowState::Waiting,
    }
}

fn place(transfer: &Transfer, party: &str) -> String {
    match transfer.parties.get(party).and_then(|p| p.facts.get("party.place")).map(|said| &said.value) {
        Some(Spoken::Word(word)) => word.clone(),
        _ => String::new(),
    }
}

/// The facts of the act with the slots that a question has.
fn flat(transfer: &Transfer, own: &str) -> Vec<(String, Said)> {
    let mut out = Vec::new();
    for (id, party) in &transfer.parties {
        let role = if id == own { "exporter" } else { "recipient" };
        out.extend(party.facts.iter().map(|(k, v)| (k.replacen("party", role, 1), v.clone())));
    }
    for dataset in transfer.datasets.values() {
        out.extend(dataset.facts.iter().map(|(k, v)| (k.clone(), v.clone())));
        out.extend(dataset.subjects.values().flatten().map(|(k, v)| (k.clone(), v.clone())));
    }
    out.extend(transfer.hops.iter().flat_map(|h| &h.facts).map(|(k, v)| (k.clone(), v.clone())));
    out
}
