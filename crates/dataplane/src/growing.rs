//! A file that is written straight to the disk, past the system's page cache, where system and disk take it.
//!
//! What is received is not read again soon. A copy of it in the page cache costs more processor time than its digest, pushes
//! out what others read, and gathers writes that a later sync of any other file may have to wait for. Whole blocks go
//! straight; the end of the last chunk, and everything where that is not possible, goes the usual way. It is one file either
//! way, and durable by the same sync.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The size and place of what goes straight are multiples of this; disks ask for 512 or 4096.
const BLOCK: usize = 4096;
/// LIMIT: bytes that are handed to the disk at once, and so the memory of a file.
const STRIP: usize = 4 << 20;

#[derive(Debug)]
pub(crate) struct Growing {
    file: Arc<File>,
    straight: Option<Straight>,
}

impl Growing {
    /// Writes to a file that is open, at `place`.
    pub(crate) fn of(file: File, place: &Path) -> Self {
        Self { file: Arc::new(file), straight: Straight::open(place) }
    }

    /// The file, for whoever syncs it.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Writes all bytes at a place.
    pub(crate) fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while let Some(straight) =
            self.straight.as_mut().filter(|_| (at + done as u64).is_multiple_of(BLOCK as u64))
        {
            let rest = bytes.get(done..).unwrap_or_default();
            let whole = rest.get(..rest.len().min(STRIP) / BLOCK * BLOCK).unwrap_or_default();
            if whole.is_empty() {
                break;
            }
            match straight.write_at(at + done as u64, whole) {
                Ok(()) => done += whole.len(),
                // This disk wants something else: the rest goes the usual way.
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => self.straight = None,
                Err(e) => return Err(e),
            }
        }
        write_all_at(&self.file, bytes.get(done..).unwrap_or_default(), at + done as u64)
    }
}

/// The same file, opened to go straight, and a strip of memory as the disk wants it.
#[derive(Debug)]
struct Straight {
    file: File,
    memory: Vec<u8>,
}

impl Straight {
    fn open(place: &Path) -> Option<Self> {
        let file = open_straight(place).ok()?;
        Some(Self { file, memory: Vec::new() })
    }

    /// Writes at most a strip of whole blocks.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if self.memory.is_empty() {
            self.memory = vec![0; STRIP + BLOCK];
        }
        let start = self.memory.as_ptr().align_offset(BLOCK);
        let Some(strip) = self.memory.get_mut(start..).and_then(|m| m.get_mut(..bytes.len())) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        strip.copy_from_slice(bytes);
        write_all_at(&self.file, strip, at)
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn open_straight(place: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // O_DIRECT of open(2); its number depends on the machine.
    const DIRECT: i32 = if cfg!(target_arch = "x86_64") { 0o40_000 } else { 0o200_000 };
    OpenOptions::new().write(true).custom_flags(DIRECT).open(place)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn open_straight(_place: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_where_they_belong_however_they_are_cut() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..STRIP as u32 + 70_001).map(|n| (n % 251) as u8).collect();
        for size in [1_000, BLOCK, 3 * BLOCK, 3 * BLOCK + 1, STRIP + BLOCK, bytes.len()] {
            let place = dir.path().join(size.to_string());
            let mut growing = Growing::of(File::create_new(&place).unwrap(), &place);
            let mut at = 0;
            for chunk in bytes.chunks(size) {
                growing.write_at(at, chunk).unwrap();
                at += chunk.len() as u64;
            }
            growing.file().sync_data().unwrap();
            assert!(std::fs::read(&place).unwrap() == bytes, "chunks of {size}");
            // Written over from a place within, as after a restart.
            growing.write_at(2 * BLOCK as u64, &[7; 2 * BLOCK + 5]).unwrap();
            let now = std::fs::read(&place).unwrap();
            assert!(now.len() == bytes.len() && now[2 * BLOCK..4 * BLOCK + 5] == [7; 2 * BLOCK + 5]);
            assert!(now[..2 * BLOCK] == bytes[..2 * BLOCK] && now[4 * BLOCK + 5..] == bytes[4 * BLOCK + 5..]);
        }
    }

    /// Where nothing goes straight, the same bytes are written.
    #[test]
    fn a_disk_that_wants_it_otherwise_is_written_to_as_usual() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("file");
        let file = File::create_new(&place).unwrap();
        let mut growing = Growing { file: Arc::new(file), straight: None };
        growing.write_at(0, &[1; 2 * BLOCK]).unwrap();
        growing.write_at(2 * BLOCK as u64, &[2; 3]).unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), [vec![1; 2 * BLOCK], vec![2; 3]].concat());
    }
}
