//! The three questions of Opinion 05/2014 (WP216) asked by attack: singling out, linkability, inference.
//!
//! Each attack is tried on people of whom the release was made, and on people of whom it was not (the control): what also
//! succeeds on the control is knowledge about a population, not disclosure. The attacker knows the original values and the
//! plan, which is more than most know. Which people and columns are attacked follows from the digest of the release
//! alone, so that anybody with the same tables gets the same figures.

use crate::cell::Cells;
use crate::intern::Codes;
use crate::plan::{Act, Plan};
use crate::report::{content, row_digests};
use crate::transform::{Border, Refusal};
use arrow_array::RecordBatch;
use model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// An attack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attack {
    /// A description by quasi-identifiers, taken from the release, fits exactly one of the people.
    SinglingOut,
    /// Two sets of quasi-identifiers, known from two places, lead to one and the same record.
    Linkability,
    /// The quasi-identifiers lead to records whose sensitive value is that person's.
    Inference,
}

impl Attack {
    /// All three.
    pub const ALL: [Self; 3] = [Self::SinglingOut, Self::Linkability, Self::Inference];

    /// The word that documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::SinglingOut => "singling-out",
            Self::Linkability => "linkability",
            Self::Inference => "inference",
        }
    }
}

/// How often something succeeded: a count, and the bounds of the 95 % interval (Wilson) in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Rate {
    /// Attempts.
    pub attempts: u64,
    /// Of them successful.
    pub successes: u64,
    /// Lower bound, millionths.
    pub low: u64,
    /// Upper bound, millionths.
    pub high: u64,
}

/// One attack as it came out. Observed: tolerance ±2 millionths for the bounds, none for the counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Attacked {
    /// On people of whom the release was made.
    pub people: Rate,
    /// On people of whom it was not, if a control was given.
    pub control: Option<Rate>,
    /// Upper 95 % bound of what the release adds, in millionths: (people − control) / (1 − control), the errors of both
    /// combined as independent; without a control the upper bound on the people themselves.
    pub risk_at_most: u64,
}

/// What the attacker works with.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The release.
    pub released: &'a [RecordBatch],
    /// What was done to each column.
    pub plan: &'a Plan,
    /// The people of whom the release was made.
    pub original: &'a [RecordBatch],
    /// People of the same kind of whom it was not made.
    pub control: Option<&'a [RecordBatch]>,
    /// The quasi-identifiers.
    pub quasi: &'a [String],
    /// The sensitive columns.
    pub sensitive: &'a [String],
}

// LIMIT: attempts of one attack.
const ATTEMPTS_MAX: usize = 10_000;
/// Columns of one description that singles out.
const DESCRIPTION_COLUMNS: usize = 3;

/// Tries all three attacks. None for an attack that has nothing to work with (no sensitive column, one quasi-identifier).
pub fn attack(ground: &Ground<'_>) -> Result<Vec<(Attack, Option<Attacked>)>, Refusal> {
    let seed = content(ground.released);
    let tables = Tables::of(ground)?;
    Ok(Attack::ALL
        .into_iter()
        .map(|attack| {
            let tried = match attack {
                Attack::SinglingOut => tables.singling_out(&seed),
                Attack::Linkability => tables.linkability(&seed),
                Attack::Inference => tables.inference(ground, &seed),
            };
            (attack, tried)
        })
        .collect())
}

/// Rows of codes; equal values have equal codes in all three tables.
struct Rows {
    columns: Vec<Vec<u32>>,
    digests: Vec<Digest>,
}

impl Rows {
    fn len(&self) -> usize {
        self.digests.len()
    }

    fn key(&self, row: usize, columns: &[usize]) -> Vec<u32> {
        columns.iter().map(|&c| self.columns.get(c).and_then(|v| v.get(row)).copied().unwrap_or(0)).collect()
    }

    /// Rows by what they have in some columns.
    fn index(&self, columns: &[usize]) -> HashMap<Vec<u32>, Vec<usize>> {
        let mut out: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for row in 0..self.len() {
            out.entry(self.key(row, columns)).or_default().push(row);
        }
        out
    }

    /// The rows to attack: those with the smallest hashes, whatever their order in the table.
    fn targets(&self, seed: &Digest) -> Vec<usize> {
        let mut hashed: Vec<([u8; 32], usize)> =
            self.digests.iter().enumerate().map(|(row, digest)| (hash(seed, &digest.0), row)).collect();
        hashed.sort_unstable();
        hashed.into_iter().take(ATTEMPTS_MAX).map(|(_, row)| row).collect()
    }
}

fn hash(seed: &Digest, what: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"tegata/attack/1");
    digest.update(seed.0);
    digest.update(what);
    digest.finalize().into()
}

struct Tables {
    names: Vec<String>,
    /// Places of the quasi-identifiers: what others can know.
    quasi: Vec<usize>,
    codes: Vec<Codes>,
    released: Rows,
    people: Rows,
    control: Option<Rows>,
}

impl Tables {
    fn of(ground: &Ground<'_>) -> Result<Self, Refusal> {
        // A keyed pseudonym tells an attacker without the key nothing about values, and a dropped column is not there.
        let known = |(name, act): &(&String, &Act)| {
            !matches!(
                act,
                Act::Drop | Act::Suppress | Act::Pseudonym { .. } | Act::Token { .. } | Act::Shift { .. }
            ) && (ground.quasi.contains(name) || ground.sensitive.contains(name))
        };
        let names: Vec<String> = ground.plan.columns.iter().filter(known).map(|(n, _)| n.clone()).collect();
        let mut codes = vec![Codes::default(); names.len()];
        let mut image = |batches: &[RecordBatch]| -> Result<Rows, Refusal> {
            let seen = Plan {
                columns: ground
                    .plan
                    .columns
                    .iter()
                    .map(|(n, a)| (n.clone(), if names.contains(n) { a.clone() } else { Act::Drop }))
                    .collect(),
            };
            let mut out = Vec::with_capacity(batches.len());
            for batch in batches {
                out.push(Border::prepare(&seen, &batch.schema(), None)?.apply(batch)?);
            }
            Ok(coded(&out, &names, &mut codes))
        };
        let people = image(ground.original)?;
        let control = ground.control.map(&mut image).transpose()?;
        let released = coded(ground.released, &names, &mut codes);
        let quasi = places(&names, ground.quasi);
        Ok(Self { released, people, control, names, quasi, codes })
    }

    fn places(&self, of: &[String]) -> Vec<usize> {
        places(&self.names, of)
    }

    fn on_both(&self, success: impl Fn(&Rows, usize) -> bool, seed: &Digest) -> Attacked {
        let rate = |rows: &Rows| {
            let targets = rows.targets(seed);
            Rate::of(targets.len() as u64, targets.iter().filter(|&&row| success(rows, row)).count() as u64)
        };
        Attacked::of(rate(&self.people), self.control.as_ref().map(rate))
    }

    // Descriptions that fit one record of the release: does each fit one of the people?
    fn singling_out(&self, seed: &Digest) -> Option<Attacked> {
        if self.quasi.is_empty() || self.released.len() == 0 {
            return None;
        }
        let mut found: Vec<(Vec<usize>, Vec<u32>)> = Vec::new();
        let mut indexes: HashMap<Vec<usize>, HashMap<Vec<u32>, Vec<usize>>> = HashMap::new();
        for row in self.released.targets(seed) {
            let columns = some_columns(&self.quasi, seed, self.released.digests.get(row));
            let index = indexes.entry(columns.clone()).or_insert_with(|| self.released.index(&columns));
            let key = self.released.key(row, &columns);
            if index.get(&key).is_some_and(|rows| rows.len() == 1) {
                found.push((columns, key));
            }
        }
        let rate = |rows: &Rows| {
            let mut indexes: HashMap<&[usize], HashMap<Vec<u32>, Vec<usize>>> = HashMap::new();
            let mut successes = 0;
            for (columns, key) in &found {
                let index = indexes.entry(columns).or_insert_with(|| rows.index(columns));
                successes += u64::from(index.get(key).is_some_and(|rows| rows.len() == 1));
            }
            // A description that the release does not even contain is a failed attempt.
            Rate::of(self.released.len().min(ATTEMPTS_MAX) as u64, successes)
        };
        Some(Attacked::of(rate(&self.people), self.control.as_ref().map(rate)))
    }

    // Columns of two sources, every other one: do both lead to one and the same record?
    fn linkability(&self, seed: &Digest) -> Option<Attacked> {
        if self.quasi.len() < 2 {
            return None;
        }
        let every_other = |from: usize| self.quasi.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
        let (left, right) = (every_other(0), every_other(1));
        let (by_left, by_right) = (self.released.index(&left), self.released.index(&right));
        let none: Vec<usize> = Vec::new();
        Some(self.on_both(
            |rows, row| {
                let here = by_left.get(&rows.key(row, &left)).unwrap_or(&none);
                let there = by_right.get(&rows.key(row, &right)).unwrap_or(&none);
                // Both lists rise: what is in both is counted in one walk.
                let (mut a, mut b, mut both) = (here.iter().peekable(), there.iter().peekable(), 0);
                while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
                    match x.cmp(y) {
                        std::cmp::Ordering::Less => drop(a.next()),
                        std::cmp::Ordering::Greater => drop(b.next()),
                        std::cmp::Ordering::Equal => {
                            both += 1;
                            (a.next(), b.next());
                        }
                    }
                }
                both == 1
            },
            seed,
        ))
    }

    // The most frequent sensitive value among released records of the same quasi-identifiers: is it that person's?
    fn inference(&self, ground: &Ground<'_>, seed: &Digest) -> Option<Attacked> {
        let (quasi, sensitive) = (&self.quasi, self.places(ground.sensitive));
        if sensitive.is_empty() || quasi.is_empty() {
            return None;
        }
        let index = self.released.index(quasi);
        let mut worst: Option<Attacked> = None;
        for column in sensitive {
            let value = |rows: &Rows, row: usize| rows.columns.get(column).and_then(|c| c.get(row)).copied();
            let text = |code: u32| self.codes.get(column).and_then(|codes| codes.text(code));
            let guess = |rows: &Vec<usize>| {
                most_frequent(rows.iter().filter_map(|&r| value(&self.released, r)), text)
            };
            let guesses: HashMap<&Vec<u32>, Option<u32>> =
                index.iter().map(|(key, rows)| (key, guess(rows))).collect();
            let right = |rows: &Rows, row: usize| {
                let guess = guesses.get(&rows.key(row, quasi)).copied().flatten();
                guess.is_some() && guess == value(rows, row)
            };
            let tried = self.on_both(right, seed);
            if worst.is_none_or(|w| tried.risk_at_most > w.risk_at_most) {
                worst = Some(tried);
            }
        }
        worst
    }
}

/// The value that occurs most; of equals the one whose text comes last.
fn most_frequent<'a>(
    values: impl Iterator<Item = u32>,
    text: impl Fn(u32) -> Option<&'a str>,
) -> Option<u32> {
    let mut counts: HashMap<u32, u64> = HashMap::new();
    values.for_each(|v| *counts.entry(v).or_default() += 1);
    counts.into_iter().max_by_key(|&(value, n)| (n, text(value))).map(|(value, _)| value)
}

fn coded(batches: &[RecordBatch], names: &[String], codes: &mut [Codes]) -> Rows {
    let mut rows = Rows { columns: vec![Vec::new(); names.len()], digests: Vec::new() };
    for batch in batches {
        for ((name, codes), column) in names.iter().zip(codes.iter_mut()).zip(&mut rows.columns) {
            let cells = batch.column_by_name(name).and_then(Cells::of);
            column.extend(
                (0..batch.num_rows())
                    .map(|row| codes.code(cells.as_ref().and_then(|c| c.text(row)).as_deref())),
            );
        }
        rows.digests.extend(row_digests(batch));
    }
    rows
}

fn places(names: &[String], of: &[String]) -> Vec<usize> {
    names.iter().enumerate().filter(|(_, n)| of.contains(n)).map(|(place, _)| place).collect()
}

/// Three of the columns, or all if there are fewer, drawn from the hash of a row.
fn some_columns(columns: &[usize], seed: &Digest, row: Option<&Digest>) -> Vec<usize> {
    let drawn = hash(seed, &[row.map_or(&[][..], |d| &d.0), b"columns"].concat());
    let mut rest: Vec<usize> = columns.to_vec();
    let mut out = Vec::new();
    for byte in drawn.iter().take(DESCRIPTION_COLUMNS) {
        if !rest.is_empty() {
            out.push(rest.remove(usize::from(*byte) % rest.len()));
        }
    }
    out.sort_unstable();
    out
}

/// The two-sided 95 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
const MILLION: f64 = 1e6;

impl Rate {
    /// The rate with its interval (Wilson 1927).
    pub fn of(attempts: u64, successes: u64) -> Self {
        if attempts == 0 {
            return Self { attempts, successes, low: 0, high: 1_000_000 };
        }
        let (n, s) = (attempts as f64, successes as f64);
        let middle = (s + Z * Z / 2.0) / (n + Z * Z);
        let reach = Z / (n + Z * Z) * (s * (n - s) / n + Z * Z / 4.0).sqrt();
        let millionths = |share: f64| (share.clamp(0.0, 1.0) * MILLION).round() as u64;
        Self { attempts, successes, low: millionths(middle - reach), high: millionths(middle + reach) }
    }
}

impl Attacked {
    fn of(people: Rate, control: Option<Rate>) -> Self {
        let center =
            |r: &Rate| ((r.high + r.low) as f64 / 2.0 / MILLION, (r.high - r.low) as f64 / 2.0 / MILLION);
        let risk = match control.as_ref().map(center) {
            None => people.high as f64 / MILLION,
            Some((c, _)) if c >= 1.0 => 0.0,
            Some((c, c_error)) => {
                // First order in both errors (Giomi and others 2023, equation 4).
                let (p, p_error) = center(&people);
                let (by_p, by_c) = (p_error / (1.0 - c), c_error * (1.0 - p) / (1.0 - c).powi(2));
                (p - c) / (1.0 - c) + by_p.hypot(by_c)
            }
        };
        Self { people, control, risk_at_most: (risk.clamp(0.0, 1.0) * MILLION).round() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::table;

    fn people(from: usize, n: usize) -> Vec<RecordBatch> {
        let line =
            |i: usize| format!("{},{},{},{}", i * 7919 % 1009, i * 104_729 % 499, i * 13 % 97, i * 31 % 5);
        let lines: Vec<String> = (from..from + n).map(line).collect();
        table(&format!("age,place,day,illness\n{}", lines.join("\n")), 500)
    }

    fn tried(plan: &str) -> HashMap<Attack, Attacked> {
        let (original, control) = (people(0, 1000), people(5000, 1000));
        let plan = Plan::parse(plan).unwrap();
        let border = Border::prepare(&plan, &original[0].schema(), None).unwrap();
        let released: Vec<RecordBatch> = original.iter().map(|b| border.apply(b).unwrap()).collect();
        let names = |n: &[&str]| n.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        let (quasi, sensitive) = (names(&["age", "place", "day"]), names(&["illness"]));
        let ground = Ground {
            released: &released,
            plan: &plan,
            original: &original,
            control: Some(&control),
            quasi: &quasi,
            sensitive: &sensitive,
        };
        let turned: Vec<RecordBatch> = released.iter().rev().cloned().collect();
        let found = attack(&ground).unwrap();
        assert_eq!(found, attack(&Ground { released: &turned, ..ground }).unwrap(), "order of rows");
        found.into_iter().filter_map(|(attack, tried)| Some((attack, tried?))).collect()
    }

    const RAW: &str = "[columns.age]\nact='keep'\n[columns.place]\nact='keep'\n[columns.day]\nact='keep'\n[columns.illness]\nact='keep'";

    #[test]
    fn raw_data_falls_to_each_attack_and_coarse_data_to_none() {
        let raw = tried(RAW);
        for attack in Attack::ALL {
            assert!(raw[&attack].people.low > 800_000, "{attack:?} {:?}", raw[&attack]);
            assert!(raw[&attack].risk_at_most > 800_000, "{attack:?} {:?}", raw[&attack]);
        }
        let coarse = tried(
            "[columns.age]\nact='bin'\nwidth=600\n[columns.place]\nact='drop'\n[columns.day]\nact='bin'\nwidth=60\n[columns.illness]\nact='keep'",
        );
        for attack in Attack::ALL {
            assert!(coarse[&attack].risk_at_most < 120_000, "{attack:?} {:?}", coarse[&attack]);
        }
        assert_eq!(coarse[&Attack::SinglingOut].people.successes, 0);
    }

    #[test]
    fn intervals_agree_with_published_ones() {
        // Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
        for (s, n, low, high) in
            [(81, 263, 2553, 3662), (15, 148, 624, 1605), (0, 20, 0, 1611), (1, 29, 61, 1718)]
        {
            let rate = Rate::of(n, s);
            assert_eq!(((rate.low + 50) / 100, (rate.high + 50) / 100), (low, high), "{s}/{n} {rate:?}");
        }
    }
}
