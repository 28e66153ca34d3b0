//! A quick hash for ids and small keys of our own making; never for what comes from outside.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

/// Multiply and rotate: enough to spread node ids, and the same on every machine.
#[derive(Clone, Copy, Default)]
pub struct Fold(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (whole, rest) = bytes.as_chunks::<8>();
        whole.iter().for_each(|chunk| self.write_u64(u64::from_le_bytes(*chunk)));
        if !rest.is_empty() {
            self.write_u64(rest.iter().rev().fold(rest.len() as u64, |n, b| n << 8 ^ u64::from(*b)));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(STEP);
    }

    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
}

/// How maps are built with it.
pub type Quick = BuildHasherDefault<Fold>;
/// A map with it.
pub type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Fold>>;
/// A set with it.
pub type QuickSet<K> = HashSet<K, BuildHasherDefault<Fold>>;
