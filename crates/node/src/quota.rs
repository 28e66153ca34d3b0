//! Quotas: how much one participant may have and move. Whoever runs the process sets them; the law knows nothing of them.

use crate::agent::{Node, lock};
use crate::error::ActError;
use dataplane::flow::Stopped;
use model::manifest::Chunk;
use model::{CivilDate, Instant};
use serde::{Deserialize, Serialize};
use store::{StoreError, Together};
use store::counter::Reservation;
use store::keep::{DocumentKind, Expect};

/// The code of an offer beyond the quota.
pub const OFFERS: &str = "quota/offers";
/// The code of a negotiation beyond the quota.
pub const NEGOTIATIONS: &str = "quota/negotiations";
/// The code of bytes beyond the quota of the month.
pub const BYTES: &str = "quota/bytes";

/// How much a participant may have and move; without a number there is no limit, and bytes are not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Datasets that it offers at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offers: Option<u64>,
    /// Negotiations that are open at a time, whoever opened them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiations: Option<u64>,
    /// Bytes that it gives and takes in a calendar month of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_month: Option<u64>,
}

impl Quotas {
    /// What a participant gets that is taken in behind the doors of another, unless it is told otherwise.
    pub const OF_A_NEWCOMER: Quotas =
        Quotas { offers: Some(1_000), negotiations: Some(1_000), bytes_month: Some(1 << 40) };

    /// The same, with what is told put in its place.
    #[must_use]
    pub fn with(self, told: Quotas) -> Self {
        Self {
            offers: told.offers.or(self.offers),
            negotiations: told.negotiations.or(self.negotiations),
            bytes_month: told.bytes_month.or(self.bytes_month),
        }
    }
}

impl Node {
    /// The quotas as they stand.
    pub fn quotas(&self) -> Quotas {
        *lock(&self.quotas)
    }

    /// What of them is used now; bytes where they are counted.
    pub fn quotas_used(&self) -> Result<Quotas, ActError> {
        let bytes_month = self.quotas().bytes_month.map(|_| self.bytes_counted()).transpose()?;
        let open = lock(&self.negotiations_open).n_open() as u64;
        Ok(Quotas { offers: Some(self.n_offers()?), negotiations: Some(open), bytes_month })
    }

    /// How many datasets are offered.
    pub(crate) fn n_offers(&self) -> Result<u64, ActError> {
        const PAGE: usize = 1_000;
        let (mut n, mut after) = (0, None::<String>);
        loop {
            let page = self.store.kept_all(&self.participant, DocumentKind::Offer, after.as_deref(), PAGE)?;
            n += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
                _ => return Ok(n),
            }
        }
    }

    /// Sets them, from now on: what is there already stays; flows that stopped for them are looked at again.
    pub fn set_quotas(&self, quotas: Quotas) {
        *lock(&self.quotas) = quotas;
        self.changed();
    }

    /// What must stand before an offer is written.
    pub(crate) fn offers_within(&self) -> Expect {
        self.quotas().offers.map_or(Expect::Any, Expect::Within)
    }

    /// Whether one more negotiation may be opened.
    pub(crate) fn may_negotiate(&self) -> Result<(), ActError> {
        match self.quotas().negotiations {
            Some(most) if lock(&self.negotiations_open).n_open() as u64 >= most => {
                Err(ActError::Quota { code: NEGOTIATIONS, most })
            }
            _ => Ok(()),
        }
    }

    /// What commits with chunks of a flow: what was counted of them otherwise, and their bytes, with this month's others.
    ///
    /// LIMIT: a flow that runs into the next month counts there with all its bytes, and no longer in the one before.
    pub(crate) fn counted_with(
        &self,
        mut reservations: Vec<Reservation>,
        flow: &str,
        chunks: &[Chunk],
    ) -> Result<Together, ActError> {
        let Some(cap) = self.quotas().bytes_month else { return Ok(Together { reservations, ..Together::default() }) };
        let on = self.now().day(0);
        let before = self.store.progress(&self.participant, flow)?.bytes;
        let counted = Reservation {
            counter: BYTES.into(),
            id: flow.to_owned(),
            on,
            n: chunks.iter().fold(before, |n, chunk| n.saturating_add(chunk.bytes)),
            window_from: first_of(on),
            cap: Some(cap),
        };
        reservations.push(counted);
        Ok(Together { reservations, ..Together::default() })
    }

    /// The bytes that count towards this month's quota so far.
    pub fn bytes_counted(&self) -> Result<u64, ActError> {
        let on = self.now().day(0);
        Ok(self.store.counted(&self.participant, BYTES, first_of(on), on)?)
    }

    /// Why no byte moves until the month ends, if the quota is used up.
    pub(crate) fn bytes_left(&self) -> Result<Result<(), Stopped>, ActError> {
        match self.quotas().bytes_month {
            Some(most) if self.bytes_counted()? >= most => Ok(Err(used_up(most))),
            _ => Ok(Ok(())),
        }
    }

    /// What a refusal of the store means, if it is that of a quota.
    pub(crate) fn beyond_bytes(error: &StoreError) -> Option<Stopped> {
        match error {
            StoreError::Exceeded { counter, cap, .. } if counter == BYTES => Some(used_up(*cap)),
            _ => None,
        }
    }
}

/// Whether a flow that stopped then for its bytes may try again: another month has begun.
pub(crate) fn month_has_turned(stopped: Instant, now: Instant) -> bool {
    first_of(stopped.day(0)) != first_of(now.day(0))
}

fn used_up(most: u64) -> Stopped {
    let says = ActError::Quota { code: BYTES, most }.to_string();
    Stopped { code: BYTES.into(), rules: Vec::new(), says }
}

fn first_of(day: CivilDate) -> CivilDate {
    let (_, _, nth) = day.parts();
    day.plus_days(1 - i32::try_from(nth).unwrap_or(1))
}
