//! What the classes give away about one sensitive column.

use crate::intern::Codes;
use crate::number::Decimal;
use crate::ratio::Ratio;

/// Diversity of a sensitive column within classes. A missing value counts as a value of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Diversity {
    /// Distinct l: the fewest distinct values in a class.
    pub distinct_l: u64,
    /// α of (α,k): the greatest share of one value in a class.
    pub alpha: Ratio,
    /// t with equal distances: the greatest total variation between a class and the whole.
    pub t_equal: Ratio,
    /// t with ordered distances, if all values are numbers: the greatest earth mover's distance, one step between
    /// neighbors, normalized to one.
    pub t_ordered: Option<Ratio>,
    /// Basic β-likeness: the greatest relative gain of a value's frequency in a class.
    pub beta: Ratio,
    /// c of recursive (c,2): the greatest most-frequent count over the sum of the others; none when a class has one value.
    pub recursive_c: Option<Ratio>,
    /// Entropy l: exp of the least entropy of a class. A float, therefore observed and not exact.
    pub entropy_l: f64,
    /// δ of δ-disclosure privacy: the greatest |ln| of a value's frequency in a class over that in the whole, among values
    /// that the class has. A float, therefore observed.
    pub delta: f64,
    /// Enhanced β-likeness: the greatest of min(β, −ln p) over the values that gain. A float, therefore observed.
    pub beta_enhanced: f64,
}

// INVARIANT: none of the floats is ever NaN, and its sum runs in the order of counts, so equal tables give equal values.
impl Eq for Diversity {}

/// How the values of a sensitive column are spread over all records.
#[derive(Debug)]
pub(crate) struct Whole {
    records: u128,
    counts: Vec<u128>,
    /// Place of each code in numeric order, if all values are numbers.
    order: Option<Vec<usize>>,
    /// Cumulative counts in that order, and their prefix sums.
    cumulative: Vec<u128>,
    prefix: Vec<u128>,
}

impl Diversity {
    pub(super) fn of(sizes: &[u64], values: &Codes, within: &super::Within) -> Self {
        let mut rows: Vec<(u32, u32, u64)> =
            within.iter().map(|(&(class, code), &n)| (class, code, n)).collect();
        rows.sort_unstable();
        let whole = Whole::of(values, &rows);
        let mut out = Self {
            distinct_l: u64::MAX,
            alpha: Ratio::ZERO,
            t_equal: Ratio::ZERO,
            t_ordered: whole.order.as_ref().map(|_| Ratio::ZERO),
            beta: Ratio::ZERO,
            recursive_c: Some(Ratio::ZERO),
            entropy_l: f64::INFINITY,
            delta: 0.0,
            beta_enhanced: 0.0,
        };
        for class in rows.chunk_by(|a, b| a.0 == b.0) {
            let size = class.first().and_then(|r| sizes.get(r.0 as usize)).copied().unwrap_or(0);
            out.add(&whole, size, class);
        }
        if rows.is_empty() {
            (out.distinct_l, out.entropy_l) = (0, 0.0);
        }
        out
    }

    fn add(&mut self, whole: &Whole, size: u64, class: &[(u32, u32, u64)]) {
        let (n, records) = (u128::from(size), whole.records);
        let mut gained = 0;
        for &(_, code, count) in class {
            let (count, all) = (u128::from(count), whole.counts.get(code as usize).copied().unwrap_or(0));
            let (here, there) = (count * records, n * all);
            let (times, whole) = (here as f64 / there as f64, all as f64 / records as f64);
            self.delta = self.delta.max(times.ln().abs());
            self.beta_enhanced = self.beta_enhanced.max((times - 1.0).min(-whole.ln()).max(0.0));
            if here > there {
                gained += here - there;
                self.beta = self.beta.max(Ratio::of(here - there, there).unwrap_or(Ratio::ZERO));
            }
        }
        let mut counts: Vec<u64> = class.iter().map(|row| row.2).collect();
        counts.sort_unstable();
        let most = u128::from(counts.last().copied().unwrap_or(0));
        let share = |count: u64| count as f64 / size as f64;
        let entropy = -counts.into_iter().map(|count| share(count) * share(count).ln()).sum::<f64>();
        self.distinct_l = self.distinct_l.min(class.len() as u64);
        self.alpha = self.alpha.max(Ratio::of(most, n).unwrap_or(Ratio::ZERO));
        self.t_equal = self.t_equal.max(Ratio::of(gained, n * records).unwrap_or(Ratio::ZERO));
        self.recursive_c = self.recursive_c.zip(Ratio::of(most, n - most)).map(|(a, b)| a.max(b));
        self.entropy_l = self.entropy_l.min(entropy.exp());
        self.t_ordered = self.t_ordered.zip(whole.earth_mover(n, class)).map(|(a, b)| a.max(b));
    }
}

impl Whole {
    /// The distance of a class of `n` records from the whole: ordered for numbers, equal for words.
    pub(crate) fn distance(&self, n: u64, class: &[(u32, u32, u64)]) -> Ratio {
        let n = u128::from(n);
        let equal = || {
            let all = |code: u32| self.counts.get(code as usize).copied().unwrap_or(0);
            let gained = class
                .iter()
                .map(|&(_, code, c)| (u128::from(c) * self.records).saturating_sub(n * all(code)));
            Ratio::of(gained.sum(), n * self.records).unwrap_or(Ratio::ZERO)
        };
        self.earth_mover(n, class).unwrap_or_else(equal)
    }

    /// Sums up (class, value, records).
    pub(crate) fn of(values: &Codes, rows: &[(u32, u32, u64)]) -> Self {
        let mut counts = vec![0u128; values.len()];
        for &(_, code, count) in rows {
            if let Some(slot) = counts.get_mut(code as usize) {
                *slot += u128::from(count);
            }
        }
        let records = counts.iter().sum();
        let sorted = sorted(values, &counts);
        let (mut order, mut cumulative, mut prefix) = (vec![0; values.len()], Vec::new(), vec![0]);
        for (place, &code) in sorted.iter().flatten().enumerate() {
            if let Some(slot) = order.get_mut(code) {
                *slot = place;
            }
            let so_far = cumulative.last().copied().unwrap_or(0) + counts.get(code).copied().unwrap_or(0);
            cumulative.push(so_far);
            prefix.push(prefix.last().copied().unwrap_or(0) + so_far);
        }
        Self { records, counts, order: sorted.map(|_| order), cumulative, prefix }
    }

    // Σ over places of |cumulative share of the class − that of the whole|, over places − 1 (Li, Li and
    // Venkatasubramanian 2007). Between two values of the class its cumulative share is constant, so each run is
    // summed at once from prefix sums.
    fn earth_mover(&self, n: u128, class: &[(u32, u32, u64)]) -> Option<Ratio> {
        let order = self.order.as_ref()?;
        let places = self.cumulative.len();
        if places < 2 {
            return Some(Ratio::ZERO);
        }
        let mut here: Vec<(usize, u128)> = class
            .iter()
            .filter_map(|&(_, code, count)| Some((*order.get(code as usize)?, u128::from(count))))
            .collect();
        here.sort_unstable();
        let (mut from, mut so_far, mut sum) = (0, 0u128, 0u128);
        for (place, count) in here.into_iter().chain([(places, 0)]) {
            let mine = so_far * self.records;
            let run = self.cumulative.get(from..place)?;
            let split = from + run.partition_point(|&whole| whole * n <= mine);
            let total = |a: usize, b: usize| Some((self.prefix.get(b)? - self.prefix.get(a)?) * n);
            sum += mine * (split - from) as u128 - total(from, split)?;
            sum += total(split, place)? - mine * (place - split) as u128;
            (from, so_far) = (place, so_far + count);
        }
        Ratio::of(sum, n * self.records * (places as u128 - 1))
    }
}

// Codes that occur, in numeric order, missing first; none when some value is not a number.
fn sorted(values: &Codes, counts: &[u128]) -> Option<Vec<usize>> {
    let occurring = (0..values.len()).filter(|&code| counts.get(code).is_some_and(|&n| n > 0));
    let mut numbers = Vec::new();
    for code in occurring {
        let number = match values.text(u32::try_from(code).ok()?) {
            Some(text) => Some(text.parse::<Decimal>().ok()?),
            None => None,
        };
        // Of two spellings of one number the text decides, never the order of rows.
        numbers.push((number, values.text(u32::try_from(code).ok()?), code));
    }
    numbers.sort_unstable();
    Some(numbers.into_iter().map(|(_, _, code)| code).collect())
}
