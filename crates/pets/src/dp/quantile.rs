//! A quantile among edges that the asker knows: the exponential mechanism, drawn exactly.
//!
//! With q = a/b, an edge is as far off as |b·(rows below) − a·(rows)|. One row more or less moves that by at most
//! max(a, b − a), so an edge is drawn with chance in proportion to exp(−ε·distance / 2·rows·max(a, b − a)): ε-bounded
//! range, which is ε²/8 of zero-concentrated loss (Cesar and Rogers 2021). Rows of one person in several groups weigh on
//! each by their number, and their squares add up to no more.

use super::sampler::{Randomness, below, bernoulli_exp};
use super::{Answer, Refused};
use crate::number::Decimal;
use crate::ratio::Ratio;

// LIMIT: edges among which a quantile is drawn; with so many a draw succeeds within the tries, but for once in 10^27.
pub(super) const EDGES_MAX: usize = 1024;
const TRIES_MAX: usize = 1 << 16;
/// ε is rounded down to this fraction.
const FINE: u128 = 1 << 20;

/// The factor of the distance in the exponent, for one row of each person.
fn steepness(rho: Ratio, of: Ratio, rows: u128) -> Option<Ratio> {
    let (numerator, denominator) = rho.parts();
    // ε = √(8ρ), rounded down: a little less is spent than is written down.
    let epsilon = numerator.checked_mul(8)?.checked_mul(FINE.checked_mul(FINE)?)?.checked_div(denominator)?.isqrt();
    let (a, b) = of.parts();
    let reach = a.max(b.checked_sub(a)?).checked_mul(rows)?.checked_mul(2)?;
    Ratio::of(epsilon, FINE.checked_mul(reach)?).filter(|steep| *steep > Ratio::ZERO)
}

/// Checks what is asked, before anything is counted.
pub(super) fn check(of: Ratio, edges: &[Decimal], rho: Ratio, rows: u128) -> Result<Ratio, Refused> {
    if of <= Ratio::ZERO || of >= Ratio::ONE || of.parts().1 > 1000 {
        return Err(Refused::Unbounded("a quantile is between 0 and 1, with at most three decimals"));
    }
    if edges.len() < 2 || edges.len() > EDGES_MAX || !edges.is_sorted_by(|a, b| a < b) {
        return Err(Refused::Unbounded("a quantile needs from 2 to 1024 rising edges"));
    }
    steepness(rho, of, rows).ok_or(Refused::Unbounded("the loss is nothing or too small for an exact draw"))
}

/// Draws an edge for each group. `totals` are rows by bin, group after group, one bin more than edges.
pub(super) fn draw(
    totals: &[(Vec<String>, i64)],
    of: Ratio,
    edges: &[Decimal],
    steep: Ratio,
    randomness: &mut dyn Randomness,
) -> Result<Vec<Answer>, Refused> {
    let decimals = edges.iter().map(|e| e.to_string().split_once('.').map_or(0, |(_, d)| d.len())).max().unwrap_or(0);
    let decimals = u32::try_from(decimals).unwrap_or(0);
    let mut out = Vec::new();
    for group in totals.chunks(edges.len() + 1) {
        let counts: Vec<u128> = group.iter().map(|(_, n)| u128::try_from(*n).unwrap_or(0)).collect();
        let edge = edge(&counts, of, steep, randomness).and_then(|place| edges.get(place)).ok_or(Refused::Randomness)?;
        let value = edge.units(decimals).ok_or(Refused::Unbounded("an edge is too large"))?;
        let name = group.first().map(|(name, _)| name.get(..name.len().saturating_sub(1)).unwrap_or(&[]).to_vec());
        out.push(Answer { group: name.unwrap_or_default(), value, decimals, of: None });
    }
    Ok(out)
}

fn edge(counts: &[u128], of: Ratio, steep: Ratio, randomness: &mut dyn Randomness) -> Option<usize> {
    let (a, b) = of.parts();
    let target = a.checked_mul(counts.iter().sum())?;
    let mut under: u128 = 0;
    let mut distances = Vec::with_capacity(counts.len());
    for count in counts.split_last()?.1 {
        under = under.checked_add(*count)?;
        distances.push(b.checked_mul(under)?.abs_diff(target));
    }
    let nearest = *distances.iter().min()?;
    let (numerator, denominator) = steep.parts();
    for _ in 0..TRIES_MAX {
        let place = usize::try_from(below(distances.len() as u128, randomness)?).ok()?;
        let farther = distances.get(place)?.checked_sub(nearest)?;
        if bernoulli_exp(farther.checked_mul(numerator)?, denominator, randomness)? {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::sampler::tests::Fixed;
    use super::*;

    fn r(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    #[test]
    fn edges_come_as_often_as_the_mechanism_says() {
        let (counts, of) = ([30u128, 25, 25, 20], r("1/2"));
        let steep = r("1/20");
        // Rows below each edge: 30, 55, 80 of 100; distances |2n − 100|: 40, 10, 60.
        let weights: Vec<f64> = [40.0, 10.0, 60.0].iter().map(|d: &f64| (-d / 20.0).exp()).collect();
        let whole: f64 = weights.iter().sum();
        let mut random = Fixed(5);
        let mut seen = [0f64; 3];
        (0..30_000).for_each(|_| seen[edge(&counts, of, steep, &mut random).unwrap()] += 1.0);
        let statistic: f64 =
            seen.iter().zip(&weights).map(|(n, w)| (n - 30_000.0 * w / whole).powi(2) / (30_000.0 * w / whole)).sum();
        assert!(statistic < 20.0, "{statistic} {seen:?}");
    }

    #[test]
    fn the_loss_bounds_how_far_one_person_moves_the_odds() {
        // ρ = 1/8: ε = 1. With three rows of a person and the median, one row weighs 1/(2·3·1) a distance of one half each.
        assert_eq!(steepness(r("1/8"), r("1/2"), 3), Some(r("1/6")));
        assert_eq!(steepness(r("1/8"), r("1/10"), 1), Some(r("1/18")));
        // Rounded down, never up.
        assert!(steepness(r("1/3"), r("1/2"), 1).unwrap().to_f64() <= (8.0f64 / 3.0).sqrt() / 2.0);
        for (of, edges, rho) in [("0", 3, "1/8"), ("1", 3, "1/8"), ("1/2", 1, "1/8"), ("1/2", 3, "0")] {
            let edges: Vec<Decimal> = (0..edges).map(Decimal::whole).collect();
            assert!(check(r(of), &edges, r(rho), 1).is_err(), "{of} {rho}");
        }
    }
}
