//! Data flows that we carry as a person sees them, and what a person does for them.

use super::{Carried, FLOWS_MAX, read};
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::Role;
use dsp::signaling::flow::{Event, State};
use serde::Serialize;
use store::keep::DocumentKind;

/// A data flow as people and programs see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataflowView {
    /// Our id.
    pub id: String,
    /// The control plane that drives it.
    pub control_plane: String,
    /// Its id of the transfer.
    pub process: String,
    /// Whose side we carry.
    pub role: Role,
    /// The other participant.
    pub peer: String,
    /// The dataset.
    pub dataset: String,
    /// The agreement.
    pub agreement: String,
    /// The profile.
    pub profile: String,
    /// The state.
    pub state: State,
    /// Bytes, once all went or came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many things the control plane has not heard yet.
    pub untold: usize,
}

/// What a person does for a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataflowAct {
    /// What was asked for is ready.
    Ready,
    /// All data went, by a way that this program does not see.
    Complete,
    /// It cannot go on.
    Fail(String),
}

impl Node {
    /// The data flows that we carry.
    pub fn dataflows(&self) -> Result<Vec<DataflowView>, ActError> {
        let kept = self.store.kept_all(&self.participant, DocumentKind::Dataflow, None, FLOWS_MAX)?;
        kept.iter().map(|k| Ok(view(&read(&k.body)?))).collect()
    }

    /// One of them.
    pub fn dataflow(&self, id: &str) -> Result<DataflowView, ActError> {
        Ok(view(&self.carried(id)?.0))
    }

    /// Does for a flow what a person says. What makes bytes go is decided by the law all the same.
    pub fn act_in_dataflow(&self, id: &str, act: &DataflowAct) -> Result<DataflowView, ActError> {
        let event = match act {
            DataflowAct::Ready => Event::Ready,
            DataflowAct::Complete => Event::Done,
            DataflowAct::Fail(why) => Event::Failed(why.clone()),
        };
        if *act == DataflowAct::Ready {
            let (held, _) = self.carried(id)?;
            if held.flow.role() == Role::Provider {
                self.clear_dataflow(&held.flow)?;
            }
        }
        self.move_dataflow(id, event, None)?;
        self.dataflow(id)
    }
}

pub(super) fn view(held: &Carried) -> DataflowView {
    let asked = held.flow.asked();
    DataflowView {
        id: held.flow.id().to_owned(),
        control_plane: held.owner.clone(),
        process: asked.process_id.clone(),
        role: held.flow.role(),
        peer: asked.counter_party_id.clone(),
        dataset: asked.dataset_id.clone(),
        agreement: asked.agreement_id.clone(),
        profile: asked.profile.clone(),
        state: held.flow.state(),
        bytes: held.bytes,
        error: held.flow.error().map(str::to_owned),
        untold: held.tell.len(),
    }
}
