//! HMAC-SHA-256 (RFC 2104) of many short texts under one key: the key's two blocks are hashed once, and a short text costs
//! two blocks more. A test holds it against the crate `hmac`.

use sha2::block_api::compress256;

/// The state of SHA-256 before its first block (FIPS 180-4, 5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const BLOCK: usize = 64;

/// A key of 32 bytes, as the states after its inner and outer block.
#[derive(Clone)]
pub(super) struct Keyed {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Keyed {
    pub(super) fn of(key: &[u8; 32]) -> Self {
        let state = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
            let mut state = START;
            compress256(&mut state, &[block]);
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// The tag of several parts put together.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let (last, before) = parts.split_last().map_or((&[][..], &[][..]), |(last, before)| (*last, before));
        self.begin(before).tag(last)
    }

    /// What many texts begin with, taken in once.
    pub(super) fn begin(&self, parts: &[&[u8]]) -> Begun {
        let mut inner = Hash { state: self.inner, block: [0; BLOCK], used: 0, bytes: BLOCK as u64 };
        parts.iter().for_each(|part| inner.update(part));
        if let Some(free) = inner.block.get_mut(inner.used..) {
            free.fill(0);
        }
        Begun { inner, outer: self.outer }
    }
}

/// A text of which the beginning was taken in.
#[derive(Clone)]
pub(crate) struct Begun {
    /// INVARIANT: what of its block is not used is zero.
    inner: Hash,
    outer: [u32; 8],
}

impl Begun {
    /// The tag of the beginning and this.
    pub(super) fn tag(&self, rest: &[u8]) -> [u8; 32] {
        let inner = self.in_one_block(rest).unwrap_or_else(|| {
            let mut inner = self.inner;
            inner.update(rest);
            inner.finish()
        });
        // The inner tag after the key's block, and how many bits both have.
        let mut block = [0; BLOCK];
        let (tag, padding) = block.split_at_mut(inner.len());
        tag.copy_from_slice(&inner);
        end(padding, (BLOCK + inner.len()) as u64);
        let mut state = self.outer;
        compress256(&mut state, &[block]);
        bytes(state)
    }

    // Nearly all values are short enough.
    fn in_one_block(&self, rest: &[u8]) -> Option<[u8; 32]> {
        let mut block = self.inner.block;
        let free = block.get_mut(self.inner.used..)?;
        let (here, padding) = free.split_at_mut_checked(rest.len())?;
        if padding.len() < 9 {
            return None;
        }
        here.copy_from_slice(rest);
        end(padding, self.inner.bytes + rest.len() as u64);
        let mut state = self.inner.state;
        compress256(&mut state, &[block]);
        Some(bytes(state))
    }
}

/// Ends a text of so many bytes in what is left of its last block, all zero.
fn end(padding: &mut [u8], length: u64) {
    if let Some(first) = padding.first_mut() {
        *first = 0x80;
    }
    if let Some(last) = padding.last_chunk_mut::<8>() {
        *last = (length * 8).to_be_bytes();
    }
}

fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// SHA-256 from a state that has already seen one block.
#[derive(Clone, Copy)]
struct Hash {
    state: [u32; 8],
    block: [u8; BLOCK],
    used: usize,
    bytes: u64,
}

impl Hash {
    fn update(&mut self, mut part: &[u8]) {
        self.bytes += part.len() as u64;
        while !part.is_empty() {
            let room = (BLOCK - self.used).min(part.len());
            let (now, later) = part.split_at(room);
            if let Some(to) = self.block.get_mut(self.used..self.used + room) {
                to.copy_from_slice(now);
            }
            (self.used, part) = (self.used + room, later);
            if self.used == BLOCK {
                compress256(&mut self.state, &[self.block]);
                self.used = 0;
            }
        }
    }

    // INVARIANT: after `update` the block has room for at least one byte.
    fn finish(mut self) -> [u8; 32] {
        let (_, tail) = self.block.split_at_mut(self.used);
        tail.fill(0);
        if self.used + 9 > BLOCK {
            if let Some(first) = tail.first_mut() {
                *first = 0x80;
            }
            compress256(&mut self.state, &[self.block]);
            self.block = [0; BLOCK];
            if let Some(length) = self.block.last_chunk_mut::<8>() {
                *length = (self.bytes * 8).to_be_bytes();
            }
        } else {
            end(tail, self.bytes);
        }
        compress256(&mut self.state, &[self.block]);
        bytes(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    #[test]
    fn agrees_with_the_crate_hmac_at_every_length_around_the_blocks() {
        let key: [u8; 32] = std::array::from_fn(|i| i as u8 * 7);
        let text: Vec<u8> = (0..300).map(|i| (i * 31 % 251) as u8).collect();
        for n in 0..text.len() {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&text[..n]);
            let (a, b) = text[..n].split_at(n / 3);
            assert_eq!(Keyed::of(&key).tag(&[a, b])[..], mac.finalize().into_bytes()[..], "{n}");
        }
    }

    // Cases 1 to 4; a key is filled up with zeros to the length of a block anyway.
    #[test]
    fn agrees_with_the_vectors_of_rfc_4231() {
        let ascending: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&ascending, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        ];
        for (key, text, tag) in cases {
            let mut whole = [0; 32];
            whole[..key.len()].copy_from_slice(key);
            assert_eq!(model::Digest(Keyed::of(&whole).tag(&[text])).to_string(), tag);
        }
    }
}
