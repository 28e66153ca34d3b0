//! Cuts a stream of bytes into chunks, each named by its SHA-256.

use model::{Digest, manifest::Chunk};
use std::io::{self, Read};
use std::sync::Arc;

/// The size of a chunk unless configured otherwise.
pub const CHUNK_BYTES: usize = 4 << 20;
/// LIMIT: bytes of one chunk.
pub const CHUNK_BYTES_MAX: usize = 64 << 20;

/// One chunk with its bytes.
///
/// INVARIANT: the digest in [`Piece::chunk`] is that of [`Piece::bytes`]; nothing else makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    chunk: Chunk,
    bytes: Arc<Vec<u8>>,
}

impl Piece {
    /// Names the bytes.
    pub fn of(bytes: Vec<u8>, rows: u64) -> Self {
        let chunk = Chunk { id: Digest::of(&bytes), bytes: bytes.len() as u64, rows };
        Self { chunk, bytes: Arc::new(bytes) }
    }

    /// Its name, length and rows.
    pub fn chunk(&self) -> &Chunk {
        &self.chunk
    }

    /// Exactly the delivered bytes; shared, since they are large.
    pub fn bytes(&self) -> &Arc<Vec<u8>> {
        &self.bytes
    }
}

/// Cuts a reader into chunks of one size; the last may be shorter, an empty stream has none.
#[derive(Debug)]
pub struct Cutter<R> {
    from: R,
    size: usize,
}

impl<R: Read> Cutter<R> {
    /// Cuts chunks of `size` bytes, at least 1 and at most [`CHUNK_BYTES_MAX`].
    pub fn new(from: R, size: usize) -> Self {
        Self { from, size: size.clamp(1, CHUNK_BYTES_MAX) }
    }

    /// Reads the next chunk and names it; none at the end.
    pub fn cut(&mut self) -> io::Result<Option<Piece>> {
        Ok(self.cut_bytes()?.map(|bytes| Piece::of(bytes, 0)))
    }

    /// Reads the bytes of the next chunk; none at the end.
    pub(crate) fn cut_bytes(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(self.size);
        self.from.by_ref().take(self.size as u64).read_to_end(&mut bytes)?;
        Ok(if bytes.is_empty() { None } else { Some(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives one byte at a time, as a slow network does.
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match (self.0.split_first(), out.first_mut()) {
                (Some((first, rest)), Some(slot)) => {
                    *slot = *first;
                    self.0 = rest;
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn chunks_do_not_depend_on_how_bytes_arrive() {
        let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for size in [1, 7, 100, 1000, 1001] {
            let (mut whole, mut drip) = (Cutter::new(data.as_slice(), size), Cutter::new(Drip(&data), size));
            let mut total = 0;
            while let Some(piece) = whole.cut().unwrap() {
                assert_eq!(drip.cut().unwrap().as_ref(), Some(&piece));
                assert_eq!(piece.chunk.id, Digest::of(&piece.bytes));
                total += piece.bytes.len();
            }
            assert_eq!((drip.cut().unwrap(), total), (None, 1000));
        }
        assert_eq!(Cutter::new([].as_slice(), 4).cut().unwrap(), None);
    }
}
