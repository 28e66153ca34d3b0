//! What is made of files, made again when they change.

use super::TlsError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Time, length and number of a file: what tells one version from the next without reading it.
type Stamp = Option<(SystemTime, u64, u64)>;

/// What was made of files, made again when they change.
pub(crate) struct Fresh<T> {
    paths: Vec<PathBuf>,
    look_every: Duration,
    make: Box<dyn Fn() -> Result<T, TlsError> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    made: Arc<T>,
    stamps: Vec<Stamp>,
    looked: Instant,
    times: u64,
}

impl<T> Fresh<T> {
    pub(crate) fn new(
        paths: Vec<PathBuf>,
        look_every: Duration,
        make: impl Fn() -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        // The stamps are taken first: a change while the files are read is seen at the next look.
        let stamps = stamps(&paths);
        let state = State { made: Arc::new(make()?), stamps, looked: Instant::now(), times: 1 };
        Ok(Self { paths, look_every, make: Box::new(make), state: Mutex::new(state) })
    }

    /// The newest that could be made, and how many times it was made afresh.
    pub(crate) fn get(&self) -> (Arc<T>, u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= self.look_every {
            state.looked = Instant::now();
            let stamps = stamps(&self.paths);
            // Files of which only one is replaced yet do not fit: the old ones serve until all do.
            if stamps != state.stamps
                && let Ok(made) = (self.make)()
            {
                state.made = Arc::new(made);
                state.stamps = stamps;
                state.times += 1;
            }
        }
        (Arc::clone(&state.made), state.times)
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = 0;
        Some((metadata.modified().ok()?, metadata.len(), number))
    };
    paths.iter().map(stamp).collect()
}
