//! Microaggregation by MDAV: the record farthest from the middle and the one farthest from it each gather their k nearest.

use super::{NotDone, column, with};
use crate::number::Decimal;
use arrow_array::{RecordBatch, StringArray};

// LIMIT: records, because each group looks at all that are left: 50,000 at k = 5 are 10^9 distances for each column.
const RECORDS_MAX: usize = 50_000;

pub(super) fn means(table: &RecordBatch, names: &[String], k: usize, decimals: u32) -> Result<RecordBatch, NotDone> {
    if k < 2 || names.is_empty() {
        return Err(NotDone::Senseless("microaggregation needs columns, and groups of two or more"));
    }
    if table.num_rows() > RECORDS_MAX {
        return Err(NotDone::TooMany { records: table.num_rows(), most: RECORDS_MAX });
    }
    let mut numbers: Vec<Vec<Option<Decimal>>> = Vec::with_capacity(names.len());
    for name in names {
        let read = |text: Option<&str>| text.and_then(|t| t.parse::<Decimal>().ok());
        numbers.push(column(table, name)?.iter().map(read).collect());
    }
    // A record that lacks one of the numbers is near nobody: all of its numbers become missing.
    let whole: Vec<usize> =
        (0..table.num_rows()).filter(|&row| numbers.iter().all(|c| c.get(row).is_some_and(Option::is_some))).collect();
    let points = standard(&numbers, &whole);
    let mut table = table.clone();
    let groups = if whole.len() < k { Vec::new() } else { mdav(&points, k) };
    for (name, numbers) in names.iter().zip(&numbers) {
        let mut out: Vec<Option<String>> = vec![None; table.num_rows()];
        for group in &groups {
            let rows: Vec<usize> = group.iter().filter_map(|&i| whole.get(i).copied()).collect();
            let values = rows.iter().filter_map(|&row| numbers.get(row).copied().flatten());
            let mean = values.fold(Decimal::ZERO, Decimal::plus).shared_by(rows.len(), decimals);
            for row in rows {
                out.get_mut(row).into_iter().for_each(|slot| *slot = Some(mean.to_string()));
            }
        }
        table = with(&table, name, out.into_iter().collect::<StringArray>())?;
    }
    Ok(table)
}

/// Points with each column centered and scaled by its deviation, so that units do not matter.
fn standard(numbers: &[Vec<Option<Decimal>>], rows: &[usize]) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::with_capacity(numbers.len()); rows.len()];
    for column in numbers {
        let values: Vec<f64> =
            rows.iter().map(|&row| column.get(row).copied().flatten().map_or(0.0, Decimal::to_f64)).collect();
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let scale = if deviation > 0.0 { deviation } else { 1.0 };
        points.iter_mut().zip(values).for_each(|(point, value)| point.push((value - mean) / scale));
    }
    points
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// Groups of k, but for the last, which has fewer than twice as many.
pub(super) fn mdav(points: &[Vec<f64>], k: usize) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..points.len()).collect();
    let mut groups = Vec::new();
    let at = |i: usize| points.get(i).map_or(&[][..], Vec::as_slice);
    let farthest = |left: &[usize], from: &[f64]| {
        left.iter().copied().max_by(|&a, &b| distance(at(a), from).total_cmp(&distance(at(b), from)).then(b.cmp(&a)))
    };
    let gather = |left: &mut Vec<usize>, around: usize| {
        let center = at(around).to_vec();
        let near = |&a: &usize, &b: &usize| {
            distance(at(a), &center).total_cmp(&distance(at(b), &center)).then(a.cmp(&b))
        };
        if left.len() > k {
            left.select_nth_unstable_by(k - 1, near);
        }
        left.drain(..k.min(left.len())).collect::<Vec<usize>>()
    };
    while left.len() >= 2 * k {
        let width = at(0).len();
        let middle: Vec<f64> =
            (0..width).map(|c| left.iter().filter_map(|&i| at(i).get(c)).sum::<f64>() / left.len() as f64).collect();
        let Some(first) = farthest(&left, &middle) else { break };
        let other = left.len() >= 3 * k;
        groups.push(gather(&mut left, first));
        if other && let Some(second) = farthest(&left, at(first)) {
            groups.push(gather(&mut left, second));
        }
    }
    if !left.is_empty() {
        groups.push(left);
    }
    groups
}
