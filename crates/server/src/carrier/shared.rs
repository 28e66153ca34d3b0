//! What the participants of one process have in common on the way out: the threads that carry, and what all fetch alike. A
//! revocation list comes once for all of them, and each verifies it by its own anchors.

use crate::carrier::Threads;
use node::ports::{Began, Carrier, CarrierError, Reply, Request};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// LIMIT: addresses of which answers are kept.
const ADDRESSES_MAX: usize = 64;
/// LIMIT: threads that carry for all participants of a process: one a core, and not fewer or more than these.
const THREADS: std::ops::RangeInclusive<usize> = 2..=16;

/// What an address answered last, and when.
type Last = Arc<Mutex<Option<(Instant, Result<Reply, CarrierError>)>>>;

/// Threads of all, and answers of a moment ago by address; whoever comes while one is fetched waits for it.
pub(crate) struct Shared {
    pub(crate) threads: Arc<Threads>,
    lists: Mutex<BTreeMap<String, Last>>,
}

impl Shared {
    /// Starts the threads.
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        let cores = std::thread::available_parallelism().map_or(*THREADS.start(), usize::from);
        let threads = Threads::start(cores.clamp(*THREADS.start(), *THREADS.end()))?;
        Ok(Arc::new(Self { threads: Arc::new(threads), lists: Mutex::default() }))
    }

    fn place(&self, url: &str) -> Option<Last> {
        let mut all = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        match all.len() < ADDRESSES_MAX || all.contains_key(url) {
            true => Some(all.entry(url.to_owned()).or_default().clone()),
            false => None,
        }
    }
}

/// The carrier of one participant, which takes one address from what all share.
#[derive(Debug)]
pub(crate) struct SharingCarrier<C> {
    pub(crate) own: C,
    pub(crate) with: Arc<Shared>,
    /// The address that is shared: where the participant's revocation list lies.
    pub(crate) url: Option<String>,
    /// How old an answer may be; what it tells is known so much later at most.
    pub(crate) age_max: Duration,
}

impl<C: Carrier> Carrier for SharingCarrier<C> {
    fn send(&self, request: Request) -> Result<Reply, CarrierError> {
        let place = match self.url.as_deref() == Some(request.url.as_str()) && request.method == "GET" {
            true => self.with.place(&request.url),
            false => None,
        };
        let Some(place) = place else { return self.own.send(request) };
        let mut last = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, said)) = last.as_ref().filter(|(at, _)| at.elapsed() < self.age_max) {
            return said.clone();
        }
        let said = self.own.send(request);
        *last = is_for_all(&said).then(|| (Instant::now(), said.clone()));
        said
    }

    fn send_and_tell(&self, request: Request, began: Began) -> Result<Reply, CarrierError> {
        self.own.send_and_tell(request, began)
    }
}

/// Whether what one was told is what the others would be told: that nobody answers too, lest each waits for it in turn. Who
/// trusts others than they, or may not go there, keeps that to itself.
fn is_for_all(said: &Result<Reply, CarrierError>) -> bool {
    match said {
        Ok(reply) => reply.is_success(),
        Err(e) => matches!(e, CarrierError::Unreachable { .. } | CarrierError::Slow { .. }),
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers each question with its number, or as it is told.
    struct Counting(Arc<AtomicUsize>, Option<CarrierError>);

    impl Carrier for Counting {
        fn send(&self, _: Request) -> Result<Reply, CarrierError> {
            let nth = self.0.fetch_add(1, Ordering::SeqCst);
            match &self.1 {
                Some(failed) => Err(failed.clone()),
                None => Ok(Reply { status: 200, body: nth.to_string().into_bytes(), ..Reply::default() }),
            }
        }
    }

    const URL: &str = "https://authority.example/crl.pem";
    const MINUTE: Duration = Duration::from_secs(60);

    fn sharing(with: &Arc<Shared>, own: Counting, age_max: Duration) -> SharingCarrier<Counting> {
        SharingCarrier { own, with: with.clone(), url: Some(URL.to_owned()), age_max }
    }

    #[test]
    fn many_fetch_a_shared_address_once_and_everything_else_each_for_itself() {
        let (with, asked) = (Shared::start().unwrap(), Arc::new(AtomicUsize::new(0)));
        let carrier = |age_max| sharing(&with, Counting(asked.clone(), None), age_max);
        let (one, two) = (carrier(MINUTE), carrier(MINUTE));
        let got = |by: &SharingCarrier<Counting>, url: &str| by.send(Request::get(url)).unwrap().body;
        assert_eq!((got(&one, URL), got(&two, URL)), (b"0".to_vec(), b"0".to_vec()));
        let other = "https://authority.example/else";
        assert_eq!((got(&one, other), got(&two, other)), (b"1".to_vec(), b"2".to_vec()));
        // What is too old is fetched anew.
        assert_eq!(got(&carrier(Duration::ZERO), URL), b"3");
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn that_nobody_answers_is_told_to_all_and_that_one_trusts_others_is_not() {
        let (with, asked) = (Shared::start().unwrap(), Arc::new(AtomicUsize::new(0)));
        let failing = |e| sharing(&with, Counting(asked.clone(), Some(e)), MINUTE);
        let fine = sharing(&with, Counting(asked.clone(), None), MINUTE);
        let (at, detail) = ("https://authority.example".to_owned(), String::new());
        let stranger = failing(CarrierError::Untrusted { at: at.clone(), detail: detail.clone() });
        assert!(stranger.send(Request::get(URL)).is_err());
        assert_eq!(fine.send(Request::get(URL)).unwrap().body, b"1");
        assert_eq!(stranger.send(Request::get(URL)).unwrap().body, b"1", "each verifies it by its own anchors");

        let with = Shared::start().unwrap();
        let gone = sharing(&with, Counting(asked.clone(), Some(CarrierError::Unreachable { at, detail })), MINUTE);
        let fine = sharing(&with, Counting(asked.clone(), None), MINUTE);
        assert!(gone.send(Request::get(URL)).is_err());
        assert!(fine.send(Request::get(URL)).is_err(), "it was asked a moment ago");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}
