//! One thread that writes: verbs that arrive together share one commit, and each is answered after it.

use crate::crash::crash_point;
use crate::error::StoreError;
use crate::recent::{Recent, Touched, take_touched};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

/// LIMIT: verbs that wait for the writer; further callers block until there is room.
const QUEUE_MAX: usize = 4096;
/// LIMIT: verbs in one commit.
const BATCH_MAX: usize = 1024;
/// LIMIT: how long a batch waits for as many verbs as the one before had.
const FILL_MAX: Duration = Duration::from_micros(400);
/// LIMIT: rows changed between two moves of the write-ahead log into the file, and the length at which a move waits for
/// readers so that the log starts again from nothing.
const WAL_ROWS_MAX: u64 = 1_000;
const WAL_BYTES_MAX: u64 = 64 << 20;

/// Gives the caller its answer; the argument says why the commit was lost, if it was.
type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;

/// What a verb left behind inside the transaction.
pub(crate) struct Ran {
    failed: Option<StoreError>,
    answer: Answer,
}

/// A verb on its way to the writer; without a connection it only answers.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Ran + Send>;

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Queue(SyncSender<Job>);

impl Queue {
    /// Runs a verb in a savepoint of the next commit and returns what it said after that commit.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::Stopped { why: "the store was closed".into() };
        let (tell, told) = sync_channel(1);
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(verb);
            let failed = result.as_ref().err().cloned();
            let answer: Answer = Box::new(move |lost| {
                // A caller that went away needs no answer.
                let _ = tell.send(match (lost, result) {
                    (Some(lost), Ok(_)) => Err(lost),
                    (_, result) => result,
                });
            });
            Ran { failed, answer }
        });
        self.0.send(job).map_err(|_| closed())?;
        told.recv().map_err(|_| closed())?
    }
}

/// Starts the writer on its connection.
pub(crate) fn start(
    connection: Connection,
    wal: PathBuf,
    tells: Tells,
) -> Result<(Queue, std::thread::JoinHandle<()>), StoreError> {
    let (send, jobs) = sync_channel(QUEUE_MAX);
    let writer = Writer { connection, jobs, wal, tells, rows_moved: 0, stopped: None };
    let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run())?;
    Ok((Queue(send), thread))
}

/// What a writer tells its store.
pub(crate) struct Tells {
    pub(crate) n_commits: Arc<AtomicU64>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) stopped: Arc<AtomicBool>,
}

struct Writer {
    connection: Connection,
    jobs: Receiver<Job>,
    wal: PathBuf,
    tells: Tells,
    rows_moved: u64,
    /// Set when a commit failed otherwise than for want of room: what the disk holds is then unknown until it is
    /// opened again, so nothing more is written.
    stopped: Option<StoreError>,
}

impl Writer {
    fn run(mut self) {
        let mut before = 1;
        while let Ok(first) = self.jobs.recv() {
            let batch = self.gather(first, before);
            before = batch.len();
            self.commit(batch);
            self.move_wal();
        }
    }

    /// Takes what waits, and waits a moment for as many as came last time: they come again when answered.
    fn gather(&self, first: Job, before: usize) -> Vec<Job> {
        let mut batch = vec![first];
        let end = Instant::now() + FILL_MAX;
        while batch.len() < BATCH_MAX {
            match self.jobs.try_recv() {
                Ok(job) => batch.push(job),
                Err(TryRecvError::Empty) if batch.len() < before => {
                    let left = end.saturating_duration_since(Instant::now());
                    match self.jobs.recv_timeout(left) {
                        Ok(job) => batch.push(job),
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        batch
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let mut lost = self.stopped.clone().or_else(|| self.say("BEGIN IMMEDIATE").err());
        crash_point("store.begin.after");
        let mut answers = Vec::with_capacity(batch.len());
        let mut touched: Vec<Touched> = Vec::new();
        for job in batch {
            let ran = match &lost {
                Some(lost) => job(Err(lost.clone())),
                None => self.verb(job, &mut lost),
            };
            touched.extend(take_touched(ran.failed.is_some()));
            crash_point("store.verb.after");
            answers.push(ran.answer);
        }
        crash_point("store.commit.before");
        if lost.is_none() {
            lost = self.say("COMMIT").err();
            if let Some(error) = lost.as_ref().filter(|e| **e != StoreError::DiskFull) {
                self.stopped = Some(StoreError::Stopped { why: format!("a commit failed: {error}") });
                self.tells.stopped.store(true, Ordering::Relaxed);
            }
        }
        if lost.is_none() {
            self.tells.n_commits.fetch_add(1, Ordering::Relaxed);
        }
        if lost.is_some() && !self.connection.is_autocommit() {
            // If even this fails, the next `BEGIN` fails too and says so.
            let _ = self.say("ROLLBACK");
        }
        crash_point("store.commit.after");
        self.tells.recent.tell(match lost {
            None => touched,
            Some(_) => touched.into_iter().map(Touched::forgotten).collect(),
        });
        answers.into_iter().for_each(|answer| answer(lost.clone()));
        crash_point("store.answer.after");
    }

    /// Runs one verb in a savepoint. A full disk can end the whole transaction: then all of the batch is lost.
    fn verb(&self, job: Job, lost: &mut Option<StoreError>) -> Ran {
        if let Err(error) = self.say("SAVEPOINT verb") {
            *lost = Some(error.clone());
            return job(Err(error));
        }
        let ran = job(Ok(&self.connection));
        let end = if self.connection.is_autocommit() {
            Err(ran
                .failed
                .clone()
                .unwrap_or(StoreError::Disk { detail: "the transaction ended early".into() }))
        } else if ran.failed.is_some() {
            self.say("ROLLBACK TO verb").and_then(|()| self.say("RELEASE verb"))
        } else {
            self.say("RELEASE verb")
        };
        *lost = end.err();
        ran
    }

    fn say(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Moves the write-ahead log into the file between two commits, so that no commit has to.
    fn move_wal(&mut self) {
        let rows = self.connection.total_changes();
        if rows.saturating_sub(self.rows_moved) < WAL_ROWS_MAX {
            return;
        }
        self.rows_moved = rows;
        crash_point("store.wal.before");
        let bytes = std::fs::metadata(&self.wal).map_or(0, |m| m.len());
        let mode = if bytes < WAL_BYTES_MAX { "PASSIVE" } else { "TRUNCATE" };
        // A reader may keep frames from moving; the next round tries again.
        let _ = self
            .connection
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
        crash_point("store.wal.after");
    }
}
