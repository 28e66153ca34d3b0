//! What commits in one transaction with a verb: a state never stands without its event, nor an event without its state.

use crate::counter::{self, Reservation};
use crate::error::StoreError;
use crate::keep::{self, Keep};
use crate::log::{self, Leaf};
use crate::outbox::{self, Outgoing};
use crate::part::{self, Part};
use crate::participant::Participant;
use crate::write_key::{self, Finished};
use rusqlite::Connection;
use std::ops::Range;

/// What is written together with the verb that it is given to: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Together {
    /// Events, in order.
    pub leaves: Vec<Leaf>,
    /// Documents.
    pub keeps: Vec<Keep>,
    /// Messages to be sent, in order per process.
    pub sends: Vec<Outgoing>,
    /// Parts of evidence.
    pub parts: Vec<Part>,
    /// Counts against thresholds of law.
    pub reservations: Vec<Reservation>,
    /// The answer to a write of `/v1` under its idempotency key.
    pub finished: Option<Finished>,
}

impl Together {
    /// Makes the usual companion: one event.
    #[must_use]
    pub fn leaf(leaf: Leaf) -> Self {
        Self { leaves: vec![leaf], ..Self::default() }
    }

    /// Writes all inside a transaction and returns the numbers of the leaves.
    pub(crate) fn commit(self, c: &Connection, participant: &Participant) -> Result<Range<u64>, StoreError> {
        for reservation in &self.reservations {
            counter::reserve(c, participant, reservation)?;
        }
        for keep in &self.keeps {
            keep::keep(c, participant, keep)?;
        }
        for part in &self.parts {
            part::keep(c, participant, part)?;
        }
        for send in &self.sends {
            outbox::queue(c, participant, send)?;
        }
        if let Some(finished) = &self.finished {
            write_key::finish(c, participant, finished)?;
        }
        log::append(c, participant, &self.leaves)
    }
}
