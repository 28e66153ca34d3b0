//! Combinations as single numbers, where they fit.

use crate::intern::Codes;

/// Codes side by side: column i takes the bits from its shift on, as many as its mask has.
pub(super) struct Packed {
    pub(super) combinations: Vec<u64>,
    pub(super) fields: Vec<(u32, u64)>,
}

impl Packed {
    pub(super) fn of(codes: &[Codes], combinations: &[Vec<u32>]) -> Option<Self> {
        let mut shift = 0;
        let mut fields = Vec::with_capacity(codes.len());
        for column in codes {
            let bits = usize::BITS - column.len().saturating_sub(1).leading_zeros();
            fields.push((shift, (1u64 << bits) - 1));
            shift += bits;
            if shift > u64::BITS - 1 {
                return None;
            }
        }
        let mut packed = vec![0u64; combinations.first().map_or(0, Vec::len)];
        for ((shift, _), column) in fields.iter().zip(combinations) {
            packed.iter_mut().zip(column).for_each(|(key, &code)| *key |= u64::from(code) << shift);
        }
        Some(Self { combinations: packed, fields })
    }
}
