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
        let mut outer = Hash { state: self.outer, block: [0; BLOCK], used: 0, bytes: BLOCK as u64 };
        let mut inner = Hash { state: self.inner, ..outer };
        parts.iter().for_each(|part| inner.update(part));
        outer.update(&inner.finish());
        outer.finish()
    }
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
        let (head, tail) = self.block.split_at_mut(self.used);
        let _kept = head;
        tail.fill(0);
        if let Some(end) = tail.first_mut() {
            *end = 0x80;
        }
        if self.used + 9 > BLOCK {
            compress256(&mut self.state, &[self.block]);
            self.block = [0; BLOCK];
        }
        if let Some(length) = self.block.last_chunk_mut::<8>() {
            *length = (self.bytes * 8).to_be_bytes();
        }
        compress256(&mut self.state, &[self.block]);
        let mut out = [0; 32];
        for (to, word) in out.chunks_exact_mut(4).zip(self.state) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        out
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
}
