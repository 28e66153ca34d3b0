//! The bytes of data flows that control planes of others drive: given piece by piece, pushed, pulled, taken.

use super::Carried;
use super::by_hand::{DataflowView, view};
use crate::act::turn::Bytes;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::Request;
use dataplane::chunk::Piece;
use dataplane::flow::{FlowError, Stopped};
use dataplane::sink::DirectorySink;
use dsp::machine::Role;
use dsp::message::transfer::DataAddress;
use dsp::signaling::Direction;
use dsp::signaling::flow::{Event, State};
use std::sync::Arc;
use std::time::Duration;
use store::crash_point;

/// LIMIT: bytes that are pushed or taken as one body, which lies in memory; a pull from us is given in chunks and has none.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// LIMIT: tries at the other side before its control plane hears that it cannot be done.
const TRIES_MAX: u32 = 5;

/// Why no bytes are given or taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The HTTP status.
    pub status: u16,
    /// A stable code.
    pub code: String,
    /// One line.
    pub says: String,
}

fn withheld(status: u16, code: &str, says: impl Into<String>) -> Withheld {
    Withheld { status, code: code.to_owned(), says: says.into() }
}

impl From<ActError> for Withheld {
    fn from(e: ActError) -> Self {
        let status = match &e {
            ActError::NotFound { .. } => 404,
            ActError::Refused { .. } | ActError::Protocol(_) => 409,
            _ => 503,
        };
        withheld(status, &e.code(), e.to_string())
    }
}

impl From<Stopped> for Withheld {
    fn from(stopped: Stopped) -> Self {
        withheld(409, &stopped.code, [vec![stopped.says], stopped.rules].concat().join("; "))
    }
}

impl Node {
    fn admitted(&self, id: &str, token: &str, role: Role, direction: Direction) -> Result<Carried, Withheld> {
        let unknown = || withheld(404, "node/not-found", "no such data flow");
        let (held, _) = self.carried(id).map_err(|_| unknown())?;
        if held.flow.role() != role || held.flow.direction() != direction {
            return Err(unknown());
        }
        match held.access.as_ref().is_some_and(|access| access.admits(token, self.now())) {
            true => Ok(held),
            false => {
                Err(withheld(401, "dps/token", "the token is not that of this data flow, or it is over"))
            }
        }
    }

    /// Gives piece `number` of a flow to whoever shows its token; none after the last.
    pub fn give_piece(&self, id: &str, token: &str, number: u64) -> Result<Option<Piece>, Withheld> {
        let held = self.admitted(id, token, Role::Provider, Direction::Pull)?;
        self.piece(&held, number)
    }

    /// A piece of a flow from us, under its lease, noted before it goes; after the last one the manifest is committed.
    fn piece(&self, held: &Carried, number: u64) -> Result<Option<Piece>, Withheld> {
        let id = held.flow.id();
        if held.flow.state() != State::Started {
            let says = format!("the data flow is {}", held.flow.state().name());
            return Err(withheld(409, "node/not-started", says));
        }
        let running = lock(&self.flows).get(id).cloned();
        let running = match running {
            Some(running) => running,
            // After a restart the law is asked again.
            None => {
                self.clear_dataflow(&held.flow)?;
                let opened = lock(&self.flows).get(id).cloned();
                opened.ok_or_else(|| withheld(503, "node/starting", "the flow is being opened"))?
            }
        };
        let Bytes::Ours(flow) = &running.bytes else {
            return Err(withheld(404, "node/elsewhere", "another data plane gives these bytes"));
        };
        let mut flow = lock(flow);
        match flow.chunk(number) {
            Ok(Some(piece)) => {
                crash_point("provide.note.before");
                let counts = self.counted_with(Vec::new(), id, std::slice::from_ref(piece.chunk()))?;
                let noted = self.store.note_chunk(
                    &self.participant,
                    id,
                    number,
                    piece.chunk(),
                    "",
                    counts,
                );
                crash_point("provide.note.after");
                if let Some(stopped) = noted.as_ref().err().and_then(Self::beyond_bytes) {
                    drop(flow);
                    self.turn(id, &running, stopped.clone());
                    return Err(stopped.into());
                }
                noted.map_err(ActError::from)?;
                Ok(Some(piece))
            }
            Ok(None) => match self.finish_flow(id, number, &flow)? {
                true => Ok(None),
                false => Err(withheld(416, "node/no-such-chunk", "pieces before this one were not given")),
            },
            Err(FlowError::Stopped(stopped)) => Err(stopped.into()),
            Err(error) => {
                let stopped =
                    Stopped { code: error.code().to_owned(), rules: Vec::new(), says: error.to_string() };
                drop(flow);
                self.turn(id, &running, stopped.clone());
                Err(stopped.into())
            }
        }
    }

    /// Takes what a provider pushes to us, whole; on the disk before this returns.
    pub fn take_pushed(&self, id: &str, token: &str, body: Vec<u8>) -> Result<DataflowView, Withheld> {
        let held = self.admitted(id, token, Role::Consumer, Direction::Push)?;
        // A provider may push as soon as we are prepared, before we hear that it has started.
        if !matches!(held.flow.state(), State::Prepared | State::Started) {
            let says = format!("the data flow is {}", held.flow.state().name());
            return Err(withheld(409, "node/not-started", says));
        }
        let bytes = self.keep_whole(id, body)?;
        let (mut held, version) = self.carried(id)?;
        held.bytes = Some(bytes);
        self.keep_carried(&held, store::keep::Expect::Version(version), Vec::new())?;
        Ok(view(&held))
    }

    /// Writes a body as `data` into the folder of a flow, whole or not at all; a repeat with other bytes is refused.
    fn keep_whole(&self, id: &str, body: Vec<u8>) -> Result<u64, ActError> {
        let bytes = body.len() as u64;
        let mut sink = DirectorySink::open(&self.folder(id), crash_point, &[])?;
        let mut chunks = Vec::new();
        for (number, part) in (0..).zip(body.chunks(self.config.chunk_bytes.max(1))) {
            let piece = Piece::of(part.to_vec(), 0);
            sink.put(number, &piece)?;
            chunks.push(piece.chunk().clone());
        }
        sink.syncer().sync()?;
        sink.assemble(&chunks, "data")?;
        Ok(bytes)
    }

    /// Begins to move bytes that are ours to move, on a thread of its own.
    pub(super) fn start_moving(self: &Arc<Self>, id: &str) {
        if !lock(&self.pulls).insert(id.to_owned()) {
            return;
        }
        let (node, name) = (Arc::clone(self), id.to_owned());
        let spawned = std::thread::Builder::new().name("dataflow".into()).spawn(move || {
            node.move_bytes(&name);
            node.moved(&name);
        });
        if spawned.is_err() {
            self.moved(id);
        }
    }

    fn move_bytes(&self, id: &str) {
        let mut tries = 0;
        while !self.is_stopping() {
            let Ok((held, _)) = self.carried(id) else { return };
            if held.flow.state() != State::Started {
                return;
            }
            let moved = match held.flow.role() {
                Role::Consumer => self.pull_whole(&held),
                Role::Provider => self.push_whole(&held),
            };
            let why = match moved {
                Ok(bytes) => match self.move_dataflow(id, Event::Done, Some(bytes)) {
                    Ok(()) | Err(ActError::Protocol(_)) => return,
                    Err(e) => e.to_string(),
                },
                Err(e) => e.says,
            };
            tries += 1;
            if tries >= TRIES_MAX {
                // What is left is for the operator, or for a resumption.
                let _told = self.move_dataflow(id, Event::Failed(why), None);
                return;
            }
            let rings = self.rings();
            self.wait(rings, Duration::from_millis(200 << tries));
        }
    }

    fn endpoint(address: Option<&DataAddress>) -> Result<(String, Option<String>), Withheld> {
        let endpoint = address.and_then(|a| a.endpoint.clone());
        let endpoint =
            endpoint.ok_or_else(|| withheld(422, "dps/no-endpoint", "the data address has no endpoint"))?;
        let bearer = address.and_then(|a| a.property("authorization")).map(|token| format!("Bearer {token}"));
        Ok((endpoint, bearer))
    }

    /// Pulls the whole of what a provider gives; renews our access when it is over, or said to be.
    fn pull_whole(&self, held: &Carried) -> Result<u64, Withheld> {
        let id = held.flow.id();
        let mut renewed = false;
        if self.access_is_over(held) {
            self.renew_ours(id)?;
            renewed = true;
        }
        loop {
            let (held, _) = self.carried(id)?;
            let (endpoint, bearer) = Self::endpoint(held.flow.address())?;
            let request = Request::get(endpoint.clone()).up_to(BODY_BYTES_MAX);
            let request = match bearer {
                Some(bearer) => request.with("authorization", bearer),
                None => request,
            };
            let reply = self.carrier.send(request).map_err(ActError::from)?;
            if matches!(reply.status, 401 | 403) && !renewed {
                self.renew_ours(id)?;
                renewed = true;
                continue;
            }
            if !reply.is_success() {
                return Err(withheld(
                    502,
                    "dps/provider",
                    format!("`{endpoint}` answers with status {}", reply.status),
                ));
            }
            return Ok(self.keep_whole(id, reply.body)?);
        }
    }

    /// Pushes the whole of a dataset to its recipient; each chunk is asked for under the lease.
    fn push_whole(&self, held: &Carried) -> Result<u64, Withheld> {
        let (endpoint, bearer) = Self::endpoint(held.flow.address())?;
        let mut body = Vec::new();
        let mut number = 0;
        loop {
            match self.piece(held, number)? {
                Some(piece) if body.len() + piece.bytes().len() > BODY_BYTES_MAX => {
                    let says = format!("more than {BODY_BYTES_MAX} bytes are not pushed as one body");
                    return Err(withheld(413, "dps/too-large", says));
                }
                Some(piece) => body.extend_from_slice(piece.bytes()),
                None => break,
            }
            number += 1;
        }
        let bytes = body.len() as u64;
        let request = Request::post(endpoint.clone(), "application/octet-stream", body);
        let request = match bearer {
            Some(bearer) => request.with("authorization", bearer),
            None => request,
        };
        let reply = self.carrier.send(request).map_err(ActError::from)?;
        match reply.is_success() {
            true => Ok(bytes),
            false => Err(withheld(
                502,
                "dps/recipient",
                format!("`{endpoint}` answers with status {}", reply.status),
            )),
        }
    }
}
