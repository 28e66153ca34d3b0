//! A file that grows by chunks, durably: what was kept is on the disk, what was not is written over.
//!
//! Chunks go to their place in one hidden file and count once they are synced; when all are there, the file gets its name.
//! The caller remembers which chunks were kept; the disk may hold the beginning of one more, which a restart cuts off.

use crate::Mark;
use crate::chunk::Piece;
use crate::growing::Growing;
use model::{Digest, manifest::Chunk};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the file while it grows.
const GROWING: &str = ".receiving";

/// Why a chunk or file was not kept.
#[derive(Debug)]
pub enum SinkError {
    /// What was kept before is gone or no longer what it was.
    Changed {
        /// The file.
        path: PathBuf,
        /// The first chunk that is not there.
        number: u64,
    },
    /// The chunk is not the one that comes next.
    Order {
        /// The number that comes next.
        next: u64,
        /// The number that came.
        number: u64,
    },
    /// A file of the final name is there already, with other bytes.
    Occupied(PathBuf),
    /// The name would leave the directory.
    Name(String),
    /// The disk is full.
    DiskFull(PathBuf),
    /// The disk failed.
    Disk {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl SinkError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "dataplane/received-changed",
            Self::Order { .. } => "dataplane/chunk-order",
            Self::Occupied(_) => "dataplane/sink-occupied",
            Self::Name(_) => "dataplane/sink-name",
            Self::DiskFull(_) => "dataplane/disk-full",
            Self::Disk { .. } => "dataplane/sink-disk",
        }
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { path, number } => {
                write!(f, "`{}` no longer holds chunk {number} as it was received", path.display())
            }
            Self::Order { next, number } => write!(f, "chunk {number} came where chunk {next} must come"),
            Self::Occupied(path) => write!(f, "`{}` is there already with other bytes", path.display()),
            Self::Name(name) => write!(f, "`{name}` is no plain file name"),
            Self::DiskFull(path) => {
                write!(f, "the disk of `{}` is full; nothing half-written is kept", path.display())
            }
            Self::Disk { path, error } => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for SinkError {}

fn disk(path: &Path, error: io::Error) -> SinkError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SinkError::DiskFull(path.to_owned()),
        _ => SinkError::Disk { path: path.to_owned(), error },
    }
}

/// A directory that receives one file, with create-only commit.
#[derive(Debug)]
pub struct DirectorySink {
    directory: PathBuf,
    mark: Mark,
    /// None when the file has got its name.
    file: Option<Growing>,
    next: u64,
    end: u64,
}

/// Syncs what a sink has written, from another thread.
#[derive(Clone, Debug)]
pub struct Syncer {
    file: Option<Arc<File>>,
    place: PathBuf,
    mark: Mark,
}

impl Syncer {
    /// Brings to the disk every chunk whose `put` has returned.
    pub fn sync(&self) -> Result<(), SinkError> {
        if let Some(file) = &self.file {
            file.sync_data().map_err(|e| disk(&self.place, e))?;
        }
        (self.mark)("sink.sync.after");
        Ok(())
    }
}

impl DirectorySink {
    /// Opens a directory, made if it is not there, in which `kept` chunks were kept before.
    ///
    /// Looks whether those are what their digests say, and cuts off what came after them.
    pub fn open(directory: &Path, mark: Mark, kept: &[Chunk]) -> Result<Self, SinkError> {
        make_durably(directory)?;
        let place = directory.join(GROWING);
        let at = |e| disk(&place, e);
        let end = kept.iter().map(|c| c.bytes).sum();
        let file = match OpenOptions::new().read(true).write(true).open(&place) {
            Ok(mut file) => {
                check(&mut file, &place, kept)?;
                file.set_len(end).map_err(at)?;
                Some(file)
            }
            // What was kept before has got its name.
            Err(e) if e.kind() == io::ErrorKind::NotFound && !kept.is_empty() => None,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let file = OpenOptions::new().read(true).write(true).create_new(true).open(&place).map_err(at)?;
                sync_directory(directory)?;
                mark("sink.create.after");
                Some(file)
            }
            Err(e) => return Err(at(e)),
        };
        let next = kept.len() as u64;
        let file = file.map(|file| Growing::of(file, &place));
        Ok(Self { directory: directory.to_owned(), mark, file, next, end })
    }

    /// How many chunks are written.
    pub fn n_put(&self) -> u64 {
        self.next
    }

    /// What syncs this sink.
    pub fn syncer(&self) -> Syncer {
        let file = self.file.as_ref().map(|f| Arc::clone(f.file()));
        Syncer { file, place: self.directory.join(GROWING), mark: self.mark }
    }

    /// Writes the next chunk. It counts once a [`Syncer`] has synced it; what a crash leaves of it is written over.
    pub fn put(&mut self, number: u64, piece: &Piece) -> Result<(), SinkError> {
        if number != self.next {
            return Err(SinkError::Order { next: self.next, number });
        }
        let place = self.directory.join(GROWING);
        let Some(file) = &mut self.file else { return Err(SinkError::Changed { path: place, number: 0 }) };
        file.write_at(self.end, piece.bytes()).map_err(|e| disk(&place, e))?;
        (self.mark)("sink.write.after");
        self.end += piece.chunk().bytes;
        self.next += 1;
        Ok(())
    }

    /// Gives the file its name when all chunks are synced. Repeating it after a crash gives the same file.
    pub fn assemble(&mut self, chunks: &[Chunk], name: &str) -> Result<PathBuf, SinkError> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(SinkError::Name(name.to_owned()));
        }
        let (growing, place) = (self.directory.join(GROWING), self.directory.join(name));
        if self.next != chunks.len() as u64 || self.end != chunks.iter().map(|c| c.bytes).sum::<u64>() {
            return Err(SinkError::Order { next: self.next, number: chunks.len() as u64 });
        }
        if self.file.is_none() || place.exists() {
            self.holds(&place, chunks)?;
        } else {
            // A link fails where a file is already; a rename would overwrite it.
            match fs::hard_link(&growing, &place) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(SinkError::Occupied(place)),
                done => done.map_err(|e| disk(&place, e))?,
            }
            (self.mark)("sink.assemble.linked");
            sync_directory(&self.directory)?;
            (self.mark)("sink.assemble.synced");
        }
        if growing.exists() {
            fs::remove_file(&growing).map_err(|e| disk(&growing, e))?;
            sync_directory(&self.directory)?;
        }
        self.file = None;
        (self.mark)("sink.assemble.swept");
        Ok(place)
    }

    /// Refuses a file of the name that holds anything but these chunks.
    fn holds(&self, place: &Path, chunks: &[Chunk]) -> Result<(), SinkError> {
        let occupied = || SinkError::Occupied(place.to_owned());
        let mut file = File::open(place).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => SinkError::Changed { path: place.to_owned(), number: 0 },
            _ => disk(place, e),
        })?;
        check(&mut file, place, chunks).map_err(|e| match e {
            SinkError::Changed { .. } => occupied(),
            e => e,
        })?;
        let bytes = file.metadata().map_err(|e| disk(place, e))?.len();
        if bytes == self.end { Ok(()) } else { Err(occupied()) }
    }
}

/// Refuses a file that does not begin with these chunks.
fn check(file: &mut File, place: &Path, chunks: &[Chunk]) -> Result<(), SinkError> {
    let mut bytes = Vec::new();
    for (number, chunk) in (0..).zip(chunks) {
        bytes.clear();
        io::Read::by_ref(file).take(chunk.bytes).read_to_end(&mut bytes).map_err(|e| disk(place, e))?;
        if Digest::of(&bytes) != chunk.id {
            return Err(SinkError::Changed { path: place.to_owned(), number });
        }
    }
    Ok(())
}

/// Makes a directory and those above it, each with its name on the disk.
fn make_durably(directory: &Path) -> Result<(), SinkError> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(above) = above {
        make_durably(above)?;
    }
    match fs::create_dir(directory) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(disk(directory, e)),
        _ => {}
    }
    sync_directory(above.unwrap_or(Path::new(".")))
}

fn sync_directory(directory: &Path) -> Result<(), SinkError> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| disk(directory, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Piece;
    use std::io::Write as _;

    fn none(_: &str) {}

    fn pieces() -> (Vec<Piece>, Vec<Chunk>) {
        let pieces: Vec<Piece> =
            [b"one,".to_vec(), b"two,".to_vec(), b"three".to_vec()].map(|b| Piece::of(b, 0)).into();
        let chunks = pieces.iter().map(|p| p.chunk().clone()).collect();
        (pieces, chunks)
    }

    #[test]
    fn chunks_become_one_file_however_often_it_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a/b");
        let (pieces, chunks) = pieces();
        let mut sink = DirectorySink::open(&place, none, &[]).unwrap();
        sink.put(0, &pieces[0]).unwrap();
        assert!(matches!(sink.put(2, &pieces[2]), Err(SinkError::Order { next: 1, .. })));
        // What came after the kept chunks is cut off; an early end is none.
        OpenOptions::new().append(true).open(place.join(GROWING)).unwrap().write_all(b"torn, and long").unwrap();
        sink.syncer().sync().unwrap();
        let mut sink = DirectorySink::open(&place, none, &chunks[..1]).unwrap();
        assert!(matches!(sink.assemble(&chunks, "data.csv"), Err(SinkError::Order { .. })));
        for (n, p) in (1..).zip(&pieces[1..]) {
            sink.put(n, p).unwrap();
        }
        let path = sink.assemble(&chunks, "data.csv").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one,two,three");
        assert_eq!(sink.assemble(&chunks, "data.csv").unwrap(), path);
        let mut again = DirectorySink::open(&place, none, &chunks).unwrap();
        assert_eq!(again.assemble(&chunks, "data.csv").unwrap(), path);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        assert!(matches!(again.put(2, &pieces[0]), Err(SinkError::Order { .. })));
        assert!(matches!(again.put(3, &pieces[0]), Err(SinkError::Changed { .. })));
        assert!(matches!(again.assemble(&chunks, "../x"), Err(SinkError::Name(_))));
    }

    #[test]
    fn what_is_not_what_was_kept_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (pieces, chunks) = pieces();
        let mut sink = DirectorySink::open(dir.path(), none, &[]).unwrap();
        for (n, p) in (0..).zip(&pieces) {
            sink.put(n, p).unwrap();
        }
        let whole = fs::read(dir.path().join(GROWING)).unwrap();
        for bytes in [&b"one,twX,three"[..], b"one,tw"] {
            fs::write(dir.path().join(GROWING), bytes).unwrap();
            let opened = DirectorySink::open(dir.path(), none, &chunks);
            assert!(matches!(opened, Err(SinkError::Changed { number: 1, .. })), "{opened:?}");
        }
        // A file of the same name that somebody else put there stays as it is.
        fs::write(dir.path().join(GROWING), whole).unwrap();
        fs::write(dir.path().join("data.csv"), b"one,two,three, and more").unwrap();
        let mut sink = DirectorySink::open(dir.path(), none, &chunks).unwrap();
        assert!(matches!(sink.assemble(&chunks, "data.csv"), Err(SinkError::Occupied(_))));
    }

    #[test]
    fn an_empty_delivery_is_an_empty_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = DirectorySink::open(dir.path(), none, &[]).unwrap();
        let path = sink.assemble(&[], "data.csv").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(sink.assemble(&[], "data.csv").unwrap(), path);
    }
}
