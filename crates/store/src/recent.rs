//! What was written or read last, so that it need not be read again: processes and documents by their key.
//!
//! INVARIANT: what is found here is committed. The writer tells what a verb wrote, after the commit and before the verb is
//! answered; a verb that failed, or whose commit did, only makes forget. Who read while something was told puts nothing in.

use crate::keep::{DocumentKind, Kept};
use crate::process::{ProcessId, StoredProcess};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// LIMIT: processes that are remembered, and documents; those put in first go first.
const ENTRIES_MAX: usize = 1024;
/// LIMIT: bytes of one that is remembered.
const BYTES_MAX: usize = 64 << 10;

type ProcessKey = (String, ProcessId);
type DocumentKey = (String, DocumentKind, String);

/// What a verb wrote, by key.
#[derive(Debug)]
pub(crate) enum Touched {
    Process(ProcessKey, Option<StoredProcess>),
    Document(DocumentKey),
}

thread_local! {
    /// What the verb that runs has written so far; verbs that write run on the writer's thread alone.
    static TOUCHED: RefCell<Vec<Touched>> = const { RefCell::new(Vec::new()) };
}

/// Says that a process stands so once the verb is committed; none: it is to be read again.
pub(crate) fn wrote_process(participant: &str, process: &ProcessId, stands: Option<StoredProcess>) {
    let key = (participant.to_owned(), process.clone());
    TOUCHED.with_borrow_mut(|touched| touched.push(Touched::Process(key, stands)));
}

/// Says that a document was written or forgotten.
pub(crate) fn wrote_document(participant: &str, kind: DocumentKind, id: &str) {
    let key = (participant.to_owned(), kind, id.to_owned());
    TOUCHED.with_borrow_mut(|touched| touched.push(Touched::Document(key)));
}

/// Takes what the verb that just ran has written; of one that failed only that it did.
pub(crate) fn take_touched(failed: bool) -> Vec<Touched> {
    let touched = TOUCHED.take();
    match failed {
        false => touched,
        true => touched.into_iter().map(Touched::forgotten).collect(),
    }
}

impl Touched {
    pub(crate) fn forgotten(self) -> Self {
        match self {
            Self::Process(key, _) => Self::Process(key, None),
            Self::Document(key) => Self::Document(key),
        }
    }
}

/// The memory of one store.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    processes: Mutex<Remembered<ProcessKey, StoredProcess>>,
    documents: Mutex<Remembered<DocumentKey, Option<Kept>>>,
}

/// Entries in the order in which they came, and how often the writer told something.
#[derive(Debug)]
struct Remembered<K, V> {
    known: HashMap<K, V>,
    order: VecDeque<K>,
    /// Keys of which the writer told while somebody was reading, since the first of them began.
    told: Vec<K>,
    n_reading: usize,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), told: Vec::new(), n_reading: 0 }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Remembered<K, V> {
    fn put(&mut self, key: K, value: V) {
        if self.known.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.known.len() > ENTRIES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn forget(&mut self, key: &K) {
        if self.known.remove(key).is_some() {
            self.order.retain(|k| k != key);
        }
    }

    fn clear(&mut self) {
        self.known = HashMap::new();
        self.order = VecDeque::new();
    }

    fn tell(&mut self, key: K, value: Option<V>) {
        if self.n_reading > 0 {
            self.told.push(key.clone());
        }
        match value {
            Some(value) => self.put(key, value),
            None => self.forget(&key),
        }
    }
}

fn lock<K, V>(remembered: &Mutex<Remembered<K, V>>) -> MutexGuard<'_, Remembered<K, V>> {
    remembered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds what is remembered, or reads it and remembers that.
fn find<K: Hash + Eq + Clone, V: Clone, E>(
    remembered: &Mutex<Remembered<K, V>>,
    key: K,
    read: impl FnOnce() -> Result<Option<V>, E>,
    small: impl FnOnce(&V) -> bool,
) -> Result<Option<V>, E> {
    {
        let mut held = lock(remembered);
        if let Some(known) = held.known.get(&key) {
            return Ok(Some(known.clone()));
        }
        held.n_reading += 1;
    }
    let found = read();
    let mut held = lock(remembered);
    held.n_reading -= 1;
    if let Ok(Some(value)) = &found
        && !held.told.contains(&key)
        && small(value)
    {
        held.put(key, value.clone());
    }
    if held.n_reading == 0 {
        held.told.clear();
    }
    found
}

impl Recent {
    /// Lets go of everything.
    pub(crate) fn forget(&self) {
        lock(&self.processes).clear();
        lock(&self.documents).clear();
    }

    /// Takes in what was committed, in its order.
    pub(crate) fn tell(&self, touched: Vec<Touched>) {
        for one in touched {
            match one {
                Touched::Process(key, stands) => {
                    lock(&self.processes).tell(key, stands.filter(|p| p.body.len() <= BYTES_MAX));
                }
                Touched::Document(key) => lock(&self.documents).tell(key, None),
            }
        }
    }

    pub(crate) fn process<E>(
        &self,
        participant: &str,
        process: &ProcessId,
        read: impl FnOnce() -> Result<Option<StoredProcess>, E>,
    ) -> Result<Option<StoredProcess>, E> {
        let key = (participant.to_owned(), process.clone());
        find(&self.processes, key, read, |p| p.body.len() <= BYTES_MAX)
    }

    /// A document, or that there is none: both are remembered.
    pub(crate) fn document<E>(
        &self,
        participant: &str,
        kind: DocumentKind,
        id: &str,
        read: impl FnOnce() -> Result<Option<Kept>, E>,
    ) -> Result<Option<Kept>, E> {
        let key = (participant.to_owned(), kind, id.to_owned());
        let small = |kept: &Option<Kept>| kept.as_ref().is_none_or(|k| k.body.len() <= BYTES_MAX);
        Ok(find(&self.documents, key, || read().map(Some), small)?.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_while_somebody_read_is_not_put_in() {
        let remembered: Mutex<Remembered<&str, u32>> = Mutex::default();
        let read = |value: u32| move || Ok::<_, ()>(Some(value));
        assert_eq!(find(&remembered, "a", read(1), |_| true), Ok(Some(1)));
        assert_eq!(find(&remembered, "a", read(2), |_| true), Ok(Some(1)), "it is remembered");
        lock(&remembered).tell("a", None);
        let late = || {
            // The commit comes between the reading and its end.
            lock(&remembered).tell("a", None);
            Ok::<_, ()>(Some(3))
        };
        assert_eq!(find(&remembered, "a", late, |_| true), Ok(Some(3)));
        assert_eq!(find(&remembered, "a", read(4), |_| true), Ok(Some(4)), "what was old is not remembered");
        assert_eq!(find(&remembered, "b", read(5), |_| false), Ok(Some(5)));
        assert_eq!(find(&remembered, "b", read(6), |_| true), Ok(Some(6)), "what is large is not");
        assert!(lock(&remembered).told.is_empty());
    }

    #[test]
    fn the_first_go_first() {
        let mut remembered: Remembered<usize, ()> = Remembered::default();
        (0..ENTRIES_MAX + 3).for_each(|n| remembered.put(n, ()));
        assert_eq!(remembered.known.len(), ENTRIES_MAX);
        assert!(!remembered.known.contains_key(&2) && remembered.known.contains_key(&3));
        remembered.forget(&3);
        assert_eq!(remembered.known.len(), remembered.order.len());
    }
}
