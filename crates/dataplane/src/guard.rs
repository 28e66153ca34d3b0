//! Readers that are not ours, on files that are not ours: some of them panic where a file is damaged. Here that is damage.
//!
//! INVARIANT: panics unwind in every profile; with `panic = "abort"` a damaged file would end the process.
//! LIMIT: of panics alone; a reader that asks for more memory than there is still ends the process.

use crate::table::Batches;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether a reader of others works on this thread.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader of others; what it says when it panics is the error, and stands nowhere else.
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    let before = READING.replace(true);
    // What a reader leaves half done is dropped: its owner never asks it again after an error.
    let done = catch_unwind(AssertUnwindSafe(read));
    READING.set(before);
    done.map_err(|said| match (said.downcast_ref::<String>(), said.downcast_ref::<&str>()) {
        (Some(text), _) => text.lines().next().unwrap_or_default().to_owned(),
        (_, Some(text)) => (*text).to_owned(),
        _ => "its reader gave up".to_owned(),
    })
}

/// A panic on other threads, or outside a reader, is told as ever.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !READING.get() {
                told(info);
            }
        }));
    });
}

/// Batches of a reader of others; after an error there are no more.
pub(crate) struct Guarded(Option<Batches>);

impl Guarded {
    pub(crate) fn new(batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static) -> Self {
        Self(Some(Box::new(batches)))
    }
}

impl Iterator for Guarded {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = self.0.as_mut()?;
        let next = match guarded(|| batches.next()) {
            Ok(next) => next,
            Err(said) => Some(Err(ArrowError::ParseError(said))),
        };
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_damage_and_the_end() {
        let mut batches = Guarded::new(std::iter::from_fn(|| panic!("offset {} is beyond the end", 9)));
        assert!(batches.next().unwrap().unwrap_err().to_string().contains("offset 9 is beyond the end"));
        assert!(batches.next().is_none());
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
