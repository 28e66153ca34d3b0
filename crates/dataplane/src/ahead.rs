//! Cuts the next chunks on a thread of its own, and names them on another, while the one before is on its way.

use crate::chunk::Piece;
use crate::flow::FlowError;
use crate::reading::Reading;
use std::sync::mpsc::{Receiver, sync_channel};

/// LIMIT: named chunks that wait; one more is being named and one being cut.
const AHEAD_MAX: usize = 1;

type Cut = Result<Option<Piece>, FlowError>;

/// Chunks in order, made before they are asked for. Nothing leaves by this: who asks for the lease gives them out.
pub(crate) struct Ahead {
    next: u64,
    cuts: Receiver<Cut>,
    ended: bool,
}

impl Ahead {
    /// Starts to cut; the threads end with the source, with an error, or when nobody waits any more.
    pub(crate) fn start(reading: Reading) -> Self {
        let (give, raw) = sync_channel(0);
        let (send, cuts) = sync_channel(AHEAD_MAX);
        let (next, mut reading) = (reading.next(), reading);
        let cutting = move || loop {
            let cut = reading.cut();
            let more = matches!(cut, Ok(Some(_)));
            if give.send(cut).is_err() || !more {
                return;
            }
        };
        let naming = move || {
            for cut in raw {
                if send.send(cut.map(|cut| cut.map(|(bytes, rows)| Piece::of(bytes, rows)))).is_err() {
                    return;
                }
            }
        };
        // Without its threads a channel closes, and the chunk is refused as a source that cannot be read.
        let _ = std::thread::Builder::new().name("cut".into()).spawn(cutting);
        let _ = std::thread::Builder::new().name("name".into()).spawn(naming);
        Self { next, cuts, ended: false }
    }

    /// The number of the chunk that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Waits for a chunk that was not passed yet; none after the last.
    pub(crate) fn chunk(&mut self, number: u64) -> Cut {
        while !self.ended {
            match self.cuts.recv() {
                Ok(Ok(Some(piece))) => {
                    self.next += 1;
                    if self.next > number {
                        return Ok(Some(piece));
                    }
                }
                Ok(Ok(None)) => self.ended = true,
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(FlowError::Reader),
            }
        }
        Ok(None)
    }
}
