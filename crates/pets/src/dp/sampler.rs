//! Exact samplers: Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithms 1 to 3.
//! Whole numbers and coin tosses only; no float ever decides a draw.

use crate::ratio::Ratio;

/// A source of random bytes; the caller gives a cryptographic one and keeps no seed.
pub trait Randomness {
    /// Fills the bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Randomness for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

// LIMIT: tries of one rejection loop; a working source fails each with chance below a half.
const TRIES_MAX: usize = 4096;

/// A whole number below `n`, each equally likely; none when the source is broken or `n` is zero.
pub fn below(n: u128, randomness: &mut dyn Randomness) -> Option<u128> {
    if n <= 1 {
        return (n == 1).then_some(0);
    }
    let bits = 128 - (n - 1).leading_zeros();
    let bytes = bits.div_ceil(8) as usize;
    let mask = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
    (0..TRIES_MAX).find_map(|_| {
        let mut word = [0u8; 16];
        randomness.fill(word.get_mut(..bytes)?);
        let drawn = u128::from_le_bytes(word) & mask;
        (drawn < n).then_some(drawn)
    })
}

/// True with chance `numerator / denominator`, at most one.
fn bernoulli(numerator: u128, denominator: u128, randomness: &mut dyn Randomness) -> Option<bool> {
    Some(below(denominator, randomness)? < numerator)
}

/// True with chance exp(−numerator / denominator), for a quotient of at most one (algorithm 1).
fn bernoulli_exp_small(numerator: u128, denominator: u128, randomness: &mut dyn Randomness) -> Option<bool> {
    for k in 1..TRIES_MAX as u128 {
        if !bernoulli(numerator, denominator.checked_mul(k)?, randomness)? {
            return Some(k % 2 == 1);
        }
    }
    None
}

/// True with chance exp(−numerator / denominator).
pub(super) fn bernoulli_exp(numerator: u128, denominator: u128, randomness: &mut dyn Randomness) -> Option<bool> {
    let mut whole = numerator.checked_div(denominator)?;
    while whole > 0 {
        if !bernoulli_exp_small(1, 1, randomness)? {
            return Some(false);
        }
        whole -= 1;
    }
    bernoulli_exp_small(numerator % denominator, denominator, randomness)
}

/// A whole number z with chance in proportion to exp(−|z| / scale) (algorithm 2).
pub fn discrete_laplace(scale: Ratio, randomness: &mut dyn Randomness) -> Option<i64> {
    let (t, s) = scale.parts();
    for _ in 0..TRIES_MAX {
        let u = below(t, randomness)?;
        if !bernoulli_exp_small(u, t, randomness)? {
            continue;
        }
        let mut v: u128 = 0;
        while bernoulli_exp_small(1, 1, randomness)? {
            v += 1;
        }
        let magnitude = i64::try_from(u.checked_add(t.checked_mul(v)?)?.checked_div(s)?).ok()?;
        let negative = bernoulli(1, 2, randomness)?;
        if !(negative && magnitude == 0) {
            return Some(if negative { -magnitude } else { magnitude });
        }
    }
    None
}

/// A whole number z with chance in proportion to exp(−z² / 2σ²) (algorithm 3).
pub fn discrete_gaussian(variance: Ratio, randomness: &mut dyn Randomness) -> Option<i64> {
    let (a, b) = variance.parts();
    if a == 0 {
        return None;
    }
    let t = a.checked_div(b)?.isqrt() + 1;
    let scale = Ratio::of(t, 1)?;
    for _ in 0..TRIES_MAX {
        let y = discrete_laplace(scale, randomness)?;
        // (|y| − σ²/t)² / 2σ² with σ² = a/b is (|y| b t − a)² / (2 a b t²).
        let distance = u128::from(y.unsigned_abs()).checked_mul(b)?.checked_mul(t)?.abs_diff(a);
        let denominator = a.checked_mul(2)?.checked_mul(b)?.checked_mul(t.checked_mul(t)?)?;
        if bernoulli_exp(distance.checked_mul(distance)?, denominator, randomness)? {
            return Some(y);
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// SplitMix64: fixed draws for tests of statistics, never for data.
    pub(crate) struct Fixed(pub(crate) u64);

    impl Randomness for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(8) {
                self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.0;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
            }
        }
    }

    const DRAWS: usize = 40_000;

    // Pearson's statistic against exact weights, cells with an expectation below 10 put together; returns it with the cells.
    fn chi_square(draw: &mut dyn FnMut() -> i64, weight: impl Fn(i64) -> f64) -> (f64, usize) {
        let mut seen: BTreeMap<i64, f64> = BTreeMap::new();
        (0..DRAWS).for_each(|_| *seen.entry(draw()).or_default() += 1.0);
        let whole: f64 = (-2000..=2000).map(&weight).sum();
        let (mut statistic, mut cells, mut rest, mut rest_seen) = (0.0, 0, DRAWS as f64, DRAWS as f64);
        for z in -2000..=2000 {
            let expected = DRAWS as f64 * weight(z) / whole;
            if expected >= 10.0 {
                let got = seen.get(&z).copied().unwrap_or(0.0);
                statistic += (got - expected).powi(2) / expected;
                (cells, rest, rest_seen) = (cells + 1, rest - expected, rest_seen - got);
            }
        }
        if rest > 1.0 {
            statistic += (rest_seen - rest).powi(2) / rest;
        }
        (statistic, cells)
    }

    // Five standard deviations above the mean of the statistic: false alarm below one in a million, and the seed is fixed.
    fn check(name: &str, (statistic, cells): (f64, usize)) {
        let freedom = cells as f64;
        assert!(
            statistic < freedom + 5.0 * (2.0 * freedom).sqrt() + 5.0,
            "{name}: {statistic} on {cells} cells"
        );
        assert!(cells > 3, "{name}");
    }

    #[test]
    fn draws_follow_the_exact_weights() {
        let mut random = Fixed(11);
        for (t, s) in [(1u128, 1u128), (7, 2), (20, 1), (1, 2)] {
            let scale = Ratio::of(t, s).unwrap();
            let weight = |z: i64| (-(z.abs() as f64) / scale.to_f64()).exp();
            check(
                &format!("Laplace {t}/{s}"),
                chi_square(&mut || discrete_laplace(scale, &mut random).unwrap(), weight),
            );
        }
        for (a, b) in [(1u128, 1u128), (16, 1), (5, 3), (200, 1)] {
            let variance = Ratio::of(a, b).unwrap();
            let weight = |z: i64| (-(z as f64).powi(2) / (2.0 * variance.to_f64())).exp();
            check(
                &format!("Gaussian {a}/{b}"),
                chi_square(&mut || discrete_gaussian(variance, &mut random).unwrap(), weight),
            );
        }
    }

    // The test can fail: a Gaussian of a variance a tenth off is seen.
    #[test]
    fn a_wrong_variance_would_be_seen() {
        let mut random = Fixed(12);
        let (statistic, cells) =
            chi_square(&mut || discrete_gaussian(Ratio::of(16, 1).unwrap(), &mut random).unwrap(), |z| {
                (-(z as f64).powi(2) / 35.2).exp()
            });
        assert!(statistic > cells as f64 + 5.0 * (2.0 * cells as f64).sqrt() + 5.0);
    }

    #[test]
    fn a_broken_source_is_told_and_not_waited_for() {
        let mut ones = |bytes: &mut [u8]| bytes.fill(0xff);
        assert_eq!(below(200, &mut ones), None);
        let mut zeros = |bytes: &mut [u8]| bytes.fill(0);
        assert_eq!(discrete_gaussian(Ratio::of(16, 1).unwrap(), &mut zeros), None);
        assert_eq!(below(0, &mut Fixed(1)), None);
        assert_eq!(below(1, &mut Fixed(1)), Some(0));
    }
}
