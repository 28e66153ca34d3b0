//! Calls to data planes of others, and what their answers mean.

use crate::agent::Node;
use crate::error::ActError;
use crate::ports::{CarrierError, Reply, Request};
use dsp::paths::{join, with_id};
use dsp::signaling::flow::State;
use dsp::signaling::message::Status;
use dsp::signaling::path;
use serde_json::Value;

/// What a data plane answered.
pub(super) enum Answered {
    Good(Reply),
    /// It refuses for good.
    Refuses(String),
    /// Nobody answers, or not now.
    Later {
        code: String,
        says: String,
    },
}

impl Node {
    /// The state of a flow as its data plane tells it now; none when it gives no good answer.
    pub(super) fn state_at_plane(&self, plane: &str, flow: &str) -> Result<Option<State>, ActError> {
        let url = join(&self.data_plane(plane)?.endpoint, &with_id(path::STATUS, flow));
        let reply = self.carrier.send(self.to_plane(plane, Request::get(url))?)?;
        Ok(match reply.is_success() {
            true => Status::read(&reply.body).ok().map(|s| s.state),
            false => None,
        })
    }

    /// Sends one message to a data plane.
    pub(super) fn say_to_plane(&self, plane: &str, at: &str, body: &Value) -> Result<Answered, ActError> {
        let plane = match self.data_plane(plane) {
            Ok(plane) => plane,
            Err(e @ ActError::NotFound { .. }) => return Ok(Answered::Refuses(e.to_string())),
            Err(e) => return Err(e),
        };
        let url = join(&plane.endpoint, at);
        let request = Request::post(url, "application/json", body.to_string().into_bytes());
        Ok(answer_of(self.carrier.send(self.to_plane(&plane.dataplane_id, request)?)))
    }
}

/// Sorts an answer: good, for good refused, or later.
fn answer_of(reply: Result<Reply, CarrierError>) -> Answered {
    match reply {
        Ok(reply) if reply.is_success() => Answered::Good(reply),
        Ok(reply) if (400..500).contains(&reply.status) && !matches!(reply.status, 401 | 408 | 425 | 429) => {
            // LIMIT: characters of another's words that are kept.
            let said: String = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
            Answered::Refuses(format!("status {} {said}", reply.status).trim().to_owned())
        }
        Ok(reply) => Answered::Later {
            code: format!("http/{}", reply.status),
            says: "the data plane is not ready".into(),
        },
        Err(e) => Answered::Later { code: e.code().into(), says: e.to_string() },
    }
}
