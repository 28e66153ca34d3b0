//! A directory that receives chunks durably: a chunk is either whole under its own name or not there.

use crate::Mark;
use model::{Digest, manifest::Chunk};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a chunk or file was not kept.
#[derive(Debug)]
pub enum SinkError {
    /// The bytes are not those of the name.
    Differs {
        /// The chunk's number.
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
            Self::Differs { .. } => "dataplane/chunk-differs",
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
            Self::Differs { number } => write!(f, "chunk {number} is not what its digest says"),
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

/// A directory sink with create-only commit.
#[derive(Debug)]
pub struct DirectorySink {
    directory: PathBuf,
    mark: Mark,
}

impl DirectorySink {
    /// Opens a directory, made if it is not there; leftovers of a crash are swept.
    pub fn open(directory: &Path, mark: Mark) -> Result<Self, SinkError> {
        fs::create_dir_all(directory).map_err(|e| disk(directory, e))?;
        let sink = Self { directory: directory.to_owned(), mark };
        for entry in fs::read_dir(directory).map_err(|e| disk(directory, e))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(".part-") {
                fs::remove_file(entry.path()).map_err(|e| disk(&entry.path(), e))?;
            }
        }
        Ok(sink)
    }

    fn place(&self, number: u64, id: &Digest) -> PathBuf {
        self.directory.join(format!("{number:08}-{id}"))
    }

    /// Keeps a chunk: written beside, synced, renamed, the directory synced. A chunk that is there stays as it is.
    pub fn put(&self, number: u64, id: &Digest, bytes: &[u8]) -> Result<(), SinkError> {
        if Digest::of(bytes) != *id {
            return Err(SinkError::Differs { number });
        }
        let (place, part) = (self.place(number, id), self.directory.join(format!(".part-{number:08}")));
        if place.exists() {
            return self.sync_directory();
        }
        let mut file = File::create(&part).map_err(|e| disk(&part, e))?;
        file.write_all(bytes).map_err(|e| disk(&part, e))?;
        (self.mark)("sink.write.after");
        file.sync_all().map_err(|e| disk(&part, e))?;
        (self.mark)("sink.sync.after");
        // INVARIANT: the name holds the digest, so a rename over an equal chunk changes nothing.
        fs::rename(&part, &place).map_err(|e| disk(&place, e))?;
        (self.mark)("sink.rename.after");
        self.sync_directory()?;
        (self.mark)("sink.directory.after");
        Ok(())
    }

    /// The bytes of a chunk that is here, if they are what the digest says.
    pub fn get(&self, number: u64, id: &Digest) -> Option<Vec<u8>> {
        fs::read(self.place(number, id)).ok().filter(|bytes| Digest::of(bytes) == *id)
    }

    /// Joins the chunks into one file of this name and sweeps them. Repeating it after a crash gives the same file.
    pub fn assemble(&self, chunks: &[Chunk], name: &str) -> Result<PathBuf, SinkError> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(SinkError::Name(name.to_owned()));
        }
        let place = self.directory.join(name);
        if !self.holds(&place, chunks)? {
            let part = self.directory.join(".part-whole");
            let mut whole = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&part)
                .map_err(|e| disk(&part, e))?;
            for (number, chunk) in (0..).zip(chunks) {
                let bytes = self.get(number, &chunk.id).ok_or(SinkError::Differs { number })?;
                whole.write_all(&bytes).map_err(|e| disk(&part, e))?;
            }
            (self.mark)("sink.assemble.written");
            whole.sync_all().map_err(|e| disk(&part, e))?;
            (self.mark)("sink.assemble.synced");
            // A link fails where a file is already; a rename would overwrite it.
            match fs::hard_link(&part, &place) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(SinkError::Occupied(place)),
                done => done.map_err(|e| disk(&place, e))?,
            }
            fs::remove_file(&part).map_err(|e| disk(&part, e))?;
            self.sync_directory()?;
            (self.mark)("sink.assemble.renamed");
        }
        for (number, chunk) in (0..).zip(chunks) {
            let swept = self.place(number, &chunk.id);
            if swept.exists() {
                fs::remove_file(&swept).map_err(|e| disk(&swept, e))?;
            }
        }
        self.sync_directory()?;
        (self.mark)("sink.assemble.swept");
        Ok(place)
    }

    /// Tells whether the file is there with exactly these chunks.
    fn holds(&self, place: &Path, chunks: &[Chunk]) -> Result<bool, SinkError> {
        let Ok(file) = File::open(place) else { return Ok(false) };
        let mut file = io::BufReader::with_capacity(1 << 20, file);
        for chunk in chunks {
            let mut bytes = Vec::new();
            io::Read::take(&mut file, chunk.bytes).read_to_end(&mut bytes).map_err(|e| disk(place, e))?;
            if Digest::of(&bytes) != chunk.id {
                return Err(SinkError::Occupied(place.to_owned()));
            }
        }
        let mut more = [0];
        match io::Read::read(&mut file, &mut more).map_err(|e| disk(place, e))? {
            0 => Ok(true),
            _ => Err(SinkError::Occupied(place.to_owned())),
        }
    }

    fn sync_directory(&self) -> Result<(), SinkError> {
        File::open(&self.directory).and_then(|d| d.sync_all()).map_err(|e| disk(&self.directory, e))
    }
}

use std::io::Read as _;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Piece;

    fn none(_: &str) {}

    #[test]
    fn chunks_become_one_file_however_often_it_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        let pieces: Vec<Piece> =
            [b"one,".to_vec(), b"two,".to_vec(), b"three".to_vec()].map(|b| Piece::of(b, 0)).into();
        let chunks: Vec<Chunk> = pieces.iter().map(|p| p.chunk.clone()).collect();
        fs::write(dir.path().join(".part-00000009"), b"torn").unwrap();
        let sink = DirectorySink::open(dir.path(), none).unwrap();
        assert!(!dir.path().join(".part-00000009").exists());
        for (n, p) in (0..).zip(&pieces) {
            sink.put(n, &p.chunk.id, &p.bytes).unwrap();
            sink.put(n, &p.chunk.id, &p.bytes).unwrap();
        }
        assert!(matches!(sink.put(0, &chunks[0].id, b"other"), Err(SinkError::Differs { number: 0 })));
        let path = sink.assemble(&chunks, "data.csv").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one,two,three");
        assert_eq!(sink.assemble(&chunks, "data.csv").unwrap(), path);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(matches!(sink.assemble(&chunks[..2], "data.csv"), Err(SinkError::Occupied(_))));
        assert!(matches!(sink.assemble(&chunks, "../x"), Err(SinkError::Name(_))));
    }

    #[test]
    fn a_torn_chunk_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let sink = DirectorySink::open(dir.path(), none).unwrap();
        let piece = Piece::of(b"whole".to_vec(), 0);
        sink.put(0, &piece.chunk.id, &piece.bytes).unwrap();
        fs::write(sink.place(0, &piece.chunk.id), b"who").unwrap();
        assert_eq!(sink.get(0, &piece.chunk.id), None);
    }
}
