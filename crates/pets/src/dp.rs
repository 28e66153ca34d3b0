//! Differential privacy: counts, sums, means, quantiles and histograms by group with exact discrete noise, and a ledger of what was spent.
//!
//! The unit of privacy is a person, by a key column or by one row each; each person's rows are bounded before anything is
//! added up. Noise is the discrete Gaussian, drawn exactly from whole numbers; loss is zero-concentrated (zCDP), in exact
//! rationals, and adds up in a [`Ledger`]. What cannot be bounded is refused. Randomness is an argument; no seed is kept.

use crate::number::Decimal;
use crate::ratio::Ratio;
use arrow_array::RecordBatch;
use model::CivilDate;
use serde::{Deserialize, Serialize};
use std::fmt;

mod ledger;
mod quantile;
mod refused;
pub mod sampler;
mod totals;

pub use refused::Refused;
pub use ledger::{Book, Ledger, Loss, rho_of_epsilon};
use sampler::{Randomness, discrete_gaussian};
use totals::{Adds, Totals};

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Columns to group by; none for one answer over all.
    #[serde(default)]
    pub by: Vec<String>,
    /// The groups to answer for, as the asker knows them: groups read off the data would tell who is there.
    #[serde(default)]
    pub groups: Vec<Vec<String>>,
    /// Count or sum.
    pub what: What,
    /// Who counts as one person.
    pub person: Person,
}

/// What is added up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// Rows.
    Count,
    /// Numbers of a column, each cut to the bounds first; what is no number counts nothing.
    Sum {
        /// The column.
        column: String,
        /// Least that a row can add.
        low: i64,
        /// Most that a row can add.
        high: i64,
        /// Decimals that count; more are cut off.
        #[serde(default)]
        decimals: u32,
    },
    /// The sum over the number of rows that have one, each with half of the loss.
    Mean {
        /// The column.
        column: String,
        /// Numbers below count as this.
        low: i64,
        /// Numbers above count as this.
        high: i64,
        /// Decimals that count, in the answer too.
        #[serde(default)]
        decimals: u32,
    },
    /// Rows whose number falls between edges that the asker knows: `<20`, `[20,40)`, `>=40`.
    Histogram {
        /// The column.
        column: String,
        /// The edges, rising.
        edges: Vec<Decimal>,
    },
    /// The edge below which a share of the numbers lies, drawn among edges that the asker knows.
    Quantile {
        /// The column.
        column: String,
        /// The share: 1/2 for the median.
        of: Ratio,
        /// The edges, rising.
        edges: Vec<Decimal>,
    },
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Count => write!(f, "count")?,
            What::Sum { column, low, high, .. } => write!(f, "sum of {column} within {low}..{high}")?,
            What::Mean { column, low, high, .. } => write!(f, "mean of {column} within {low}..{high}")?,
            What::Histogram { column, edges } => write!(f, "histogram of {column}, {} edges", edges.len())?,
            What::Quantile { column, of, edges } => write!(f, "{of} quantile of {column}, {} edges", edges.len())?,
        }
        if !self.by.is_empty() {
            write!(f, " by {}, {} groups", self.by.join(", "), self.groups.len())?;
        }
        Ok(())
    }
}

/// The unit of privacy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Person {
    /// Each row is another person.
    Row,
    /// Rows with one value of a column are one person; at most `rows_max` of them count. A row without a value is left out.
    Key {
        /// The column.
        column: String,
        /// Rows of one person that count.
        rows_max: u32,
    },
}

impl Person {
    /// The unit's name in a ledger: the key column, or `row`.
    pub fn unit(&self) -> &str {
        match self {
            Self::Row => "row",
            Self::Key { column, .. } => column,
        }
    }
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answer {
    /// The group, in the order of `by`; of a histogram the bin as well.
    pub group: Vec<String>,
    /// The noisy number, in units of ten to the minus `decimals`.
    pub value: i64,
    /// Decimals of `value`.
    pub decimals: u32,
    /// Of a mean: the noisy number of rows that it is over. A mean over few says little.
    pub of: Option<i64>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10u64.saturating_pow(self.decimals);
        let (sign, value) = (if self.value < 0 { "-" } else { "" }, self.value.unsigned_abs());
        match self.decimals {
            0 => write!(f, "{}", self.value),
            d => write!(f, "{sign}{}.{:0width$}", value / unit, value % unit, width = d as usize),
        }
    }
}

/// Answers and what they cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answers {
    /// One for each group asked for, in that order.
    pub answers: Vec<Answer>,
    /// Variance of the noise in units of the answer; of a mean, that of the sum and that of the number of rows; none of a
    /// quantile, which is drawn among edges.
    pub variance: Vec<Ratio>,
    /// What was spent (zCDP).
    pub rho: Ratio,
}

// LIMIT: bounds beyond this have squares that exact noise cannot be computed for.
const BOUND_MAX: u128 = 1 << 24;
// LIMIT: decimals that a sum or mean counts.
const DECIMALS_MAX: u32 = 6;

/// Answers a question about batches, at a stated loss, from the ledger. The loss is spent before anything is drawn.
pub fn ask(
    question: &Question,
    batches: &[RecordBatch],
    rho: Ratio,
    ledger: &mut Ledger,
    on: CivilDate,
    randomness: &mut dyn Randomness,
) -> Result<Answers, Refused> {
    if let What::Quantile { column, of, edges } = &question.what {
        let steep = quantile::check(*of, edges, rho, rows_max(&question.person)?)?;
        if ledger.unit != question.person.unit() {
            return Err(Refused::WrongUnit);
        }
        let mut totals = Totals::of(question, Adds::Bin { column: column.clone(), edges: edges.clone() })?;
        for batch in batches {
            totals.push(question, batch)?;
        }
        ledger.spend(rho, question.to_string(), on)?;
        let totals: Vec<(Vec<String>, i64)> = totals.finish().collect();
        let answers = quantile::draw(&totals, *of, edges, steep, randomness)?;
        return Ok(Answers { answers, variance: Vec::new(), rho });
    }
    let parts = parts(&question.what)?;
    let share = share(rho, parts.len())?;
    let mut bounded = Vec::with_capacity(parts.len());
    for adds in parts {
        bounded.push((variance(rows_max(&question.person)?, &adds, share)?, adds));
    }
    if ledger.unit != question.person.unit() {
        return Err(Refused::WrongUnit);
    }
    let mut exact = Vec::with_capacity(bounded.len());
    for (variance, adds) in bounded {
        let mut totals = Totals::of(question, adds)?;
        for batch in batches {
            totals.push(question, batch)?;
        }
        exact.push((totals, variance));
    }
    ledger.spend(rho, question.to_string(), on)?;
    let mut drawn = Vec::with_capacity(exact.len());
    for (totals, variance) in exact {
        let noisy = |(group, total): (Vec<String>, i64)| {
            let noise = discrete_gaussian(variance, randomness).ok_or(Refused::Randomness)?;
            Ok((group, total.saturating_add(noise), variance))
        };
        drawn.push(totals.finish().map(noisy).collect::<Result<Vec<_>, Refused>>()?);
    }
    let variance = drawn.iter().filter_map(|part| part.first().map(|d| d.2)).collect();
    Ok(Answers { answers: answers(&question.what, drawn), variance, rho })
}

type Drawn = Vec<(Vec<String>, i64, Ratio)>;

fn answers(what: &What, drawn: Vec<Drawn>) -> Vec<Answer> {
    let mut drawn = drawn.into_iter();
    let first = drawn.next().unwrap_or_default();
    let counts: Vec<i64> = drawn.next().unwrap_or_default().into_iter().map(|d| d.1).collect();
    let answer = |(place, (group, total, _)): (usize, (Vec<String>, i64, Ratio))| match *what {
        What::Mean { low, high, decimals, .. } => {
            let of = counts.get(place).copied().unwrap_or(0);
            let (low, high, middle) = bounds(low, high, decimals).unwrap_or((0, 0, 0));
            // What follows from noisy numbers costs nothing more; a mean lies within its bounds.
            let value = middle.saturating_add(total / of.max(1)).clamp(low, high);
            Answer { group, value, decimals, of: Some(of) }
        }
        What::Sum { decimals, .. } => Answer { group, value: total, decimals, of: None },
        _ => Answer { group, value: total, decimals: 0, of: None },
    };
    first.into_iter().enumerate().map(answer).collect()
}

/// Bounds and their middle in units of ten to the minus `decimals`.
fn bounds(low: i64, high: i64, decimals: u32) -> Option<(i64, i64, i64)> {
    let unit = 10i64.checked_pow(decimals.min(DECIMALS_MAX))?;
    let (low, high) = (low.checked_mul(unit)?, high.checked_mul(unit)?);
    Some((low, high, low.checked_add(high.checked_sub(low)? / 2)?))
}

fn parts(what: &What) -> Result<Vec<Adds>, Refused> {
    let within = |low: i64, high: i64, decimals: u32| {
        if decimals > DECIMALS_MAX {
            return Err(Refused::Unbounded("more than six decimals"));
        }
        if low > high {
            return Err(Refused::Unbounded("the least is above the most"));
        }
        bounds(low, high, decimals).ok_or(Refused::Unbounded("the bound is too large for exact noise"))
    };
    Ok(match what {
        What::Count => vec![Adds::Ones],
        What::Sum { column, low, high, decimals } => {
            let (low, high, _) = within(*low, *high, *decimals)?;
            vec![Adds::Number { column: column.clone(), low, high, minus: 0, decimals: *decimals }]
        }
        What::Mean { column, low, high, decimals } => {
            let (low, high, minus) = within(*low, *high, *decimals)?;
            let number = Adds::Number { column: column.clone(), low, high, minus, decimals: *decimals };
            vec![number, Adds::Filled { column: column.clone() }]
        }
        What::Histogram { column, edges } | What::Quantile { column, edges, .. } => {
            if edges.is_empty() || !edges.is_sorted_by(|a, b| a < b) {
                return Err(Refused::Unbounded("a histogram needs rising edges"));
            }
            vec![Adds::Bin { column: column.clone(), edges: edges.clone() }]
        }
    })
}

fn share(rho: Ratio, parts: usize) -> Result<Ratio, Refused> {
    let (numerator, denominator) = rho.parts();
    denominator
        .checked_mul(parts as u128)
        .and_then(|d| Ratio::of(numerator, d))
        .ok_or(Refused::Unbounded("the loss is nothing or too small for exact noise"))
}

fn rows_max(person: &Person) -> Result<u128, Refused> {
    match person {
        Person::Row => Ok(1),
        Person::Key { rows_max: 0, .. } => Err(Refused::Unbounded("no row of a person counts")),
        Person::Key { rows_max, .. } => Ok(u128::from(*rows_max)),
    }
}

/// σ² = Δ² / 2ρ, where Δ is how far one person can move the answers in the Euclidean norm: at worst all rows in one group.
fn variance(rows: u128, adds: &Adds, rho: Ratio) -> Result<Ratio, Refused> {
    let bound = match rows.checked_mul(adds.most()) {
        Some(0) => return Err(Refused::Unbounded("every row adds nothing")),
        Some(bound) if bound <= BOUND_MAX => bound,
        _ => return Err(Refused::Unbounded("the bound is too large for exact noise")),
    };
    let (numerator, denominator) = rho.parts();
    bound
        .checked_pow(2)
        .and_then(|square| Ratio::of(square.checked_mul(denominator)?, numerator.checked_mul(2)?))
        .ok_or(Refused::Unbounded("the loss is nothing or too small for exact noise"))
}

#[cfg(test)]
mod tests {
    use super::sampler::tests::Fixed;
    use super::*;
    use crate::classify::tests::table;

    fn r(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    fn day() -> CivilDate {
        CivilDate::of(2026, 11, 22).unwrap()
    }

    fn question(what: What, person: Person) -> Question {
        Question {
            by: vec!["sex".into()],
            groups: vec![vec!["female".into()], vec!["male".into()], vec!["other".into()]],
            what,
            person,
        }
    }

    fn visits() -> Vec<RecordBatch> {
        let lines: Vec<String> =
            (0..1000).map(|n| format!("p{},{},{}", n % 250, ["female", "male"][n % 2], n % 90)).collect();
        table(&format!("person,sex,age\n{}", lines.join("\n")), 128)
    }

    #[test]
    fn one_person_is_bounded_before_anything_is_added_up() {
        let totals = |what: What, person: Person| {
            let question = question(what, person);
            let adds = parts(&question.what).unwrap().remove(0);
            let mut totals = Totals::of(&question, adds).unwrap();
            visits().iter().for_each(|b| totals.push(&question, b).unwrap());
            totals.finish().map(|t| t.1).collect::<Vec<_>>()
        };
        let key = |rows_max| Person::Key { column: "person".into(), rows_max };
        assert_eq!(totals(What::Count, Person::Row), [500, 500, 0]);
        assert_eq!(totals(What::Count, key(1)), [125, 125, 0]);
        assert_eq!(totals(What::Count, key(3)), [375, 375, 0]);
        let sum = What::Sum { column: "age".into(), low: 0, high: 10, decimals: 0 };
        assert!(totals(sum, key(1)).iter().all(|&t| t <= 125 * 10));
    }

    #[test]
    fn answers_are_near_the_truth_and_cost_what_they_say() {
        let mut ledger = Ledger::open("visits", "clinic", "person", r("1/2"));
        let key = Person::Key { column: "person".into(), rows_max: 2 };
        let out =
            ask(&question(What::Count, key.clone()), &visits(), r("1/8"), &mut ledger, day(), &mut Fixed(3))
                .unwrap();
        // Δ = 2, ρ = 1/8: σ² = 4 / (1/4) = 16.
        assert_eq!((out.variance, out.rho, ledger.left()), (vec![r("16")], r("1/8"), r("3/8")));
        for (answer, truth) in out.answers.iter().zip([250, 250, 0]) {
            assert!((answer.value - truth).abs() < 5 * 4, "{answer:?}");
        }
        ask(&question(What::Count, key.clone()), &visits(), r("3/8"), &mut ledger, day(), &mut Fixed(4))
            .unwrap();
        let refused =
            ask(&question(What::Count, key), &visits(), r("1/1000"), &mut ledger, day(), &mut Fixed(5))
                .unwrap_err();
        assert_eq!(refused, Refused::BudgetSpent { left: Ratio::ZERO });
        assert!((ledger.epsilon(6) - (0.5 + 2.0 * (0.5 * 6.0 * 10f64.ln()).sqrt())).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_bounded_is_refused_and_costs_nothing() {
        let mut ledger = Ledger::open("visits", "clinic", "row", r("1"));
        let sum = |low, high| What::Sum { column: "age".into(), low, high, decimals: 0 };
        let mut refuse = |question: Question, rho: &str| {
            ask(&question, &visits(), r(rho), &mut ledger, day(), &mut Fixed(1)).unwrap_err().code()
        };
        assert_eq!(refuse(question(sum(9, 1), Person::Row), "1/2"), "pets/unbounded");
        assert_eq!(refuse(question(sum(0, i64::MAX), Person::Row), "1/2"), "pets/unbounded");
        assert_eq!(
            refuse(question(What::Count, Person::Key { column: "person".into(), rows_max: 0 }), "1/2"),
            "pets/unbounded"
        );
        assert_eq!(refuse(question(What::Count, Person::Row), "0"), "pets/unbounded");
        assert_eq!(
            refuse(Question { groups: vec![], ..question(What::Count, Person::Row) }, "1/2"),
            "pets/wrong-group"
        );
        assert_eq!(
            refuse(question(What::Count, Person::Key { column: "person".into(), rows_max: 1 }), "1/2"),
            "pets/wrong-unit"
        );
        let nobody = Question {
            by: vec!["nobody".into()],
            groups: vec![vec!["x".into()]],
            ..question(What::Count, Person::Row)
        };
        assert_eq!(refuse(nobody, "1/2"), "pets/missing-column");
        assert_eq!(ledger.left(), r("1"));
    }

    #[test]
    fn quantiles_by_group_are_near_the_truth_and_cost_what_they_say() {
        let mut ledger = Ledger::open("visits", "clinic", "row", r("1"));
        let edges = (0..=18).map(|n| Decimal::whole(n * 5)).collect();
        let median = What::Quantile { column: "age".into(), of: r("1/2"), edges };
        let out = ask(&question(median, Person::Row), &visits(), r("1/2"), &mut ledger, day(), &mut Fixed(4)).unwrap();
        // Ages run evenly from 0 to 89 in both groups; nobody is in the third, so any edge may come.
        assert!(out.answers.iter().take(2).all(|a| (40..=50).contains(&a.value)), "{out:?}");
        assert_eq!((out.answers.len(), ledger.left()), (3, r("1/2")));
    }

    #[test]
    fn means_and_histograms_are_near_the_truth() {
        let mut ledger = Ledger::open("visits", "clinic", "row", r("4"));
        let mean = What::Mean { column: "age".into(), low: 0, high: 100, decimals: 1 };
        let out =
            ask(&question(mean, Person::Row), &visits(), r("2"), &mut ledger, day(), &mut Fixed(7)).unwrap();
        // The sum within ±500 tenths of the middle at ρ = 1: σ² = 500² / 2; the number of rows: σ² = 1/2.
        assert_eq!(out.variance, [r("125000"), r("1/2")]);
        let truth = [0usize, 1].map(|sex| {
            let ages: Vec<usize> = (0..1000).filter(|n| n % 2 == sex).map(|n| n % 90).collect();
            ages.iter().sum::<usize>() as f64 / ages.len() as f64
        });
        for (answer, truth) in out.answers.iter().zip(truth) {
            // Five standard deviations of the sum over five hundred rows are 3.6 tenths of a year; one tenth is rounding.
            assert!((answer.value as f64 / 10.0 - truth).abs() < 0.6, "{answer} {truth}");
            assert!((answer.of.unwrap() - 500).abs() < 8);
        }
        let edges = vec![Decimal::whole(30), Decimal::whole(60)];
        let bins = Question {
            by: vec![],
            groups: vec![],
            ..question(What::Histogram { column: "age".into(), edges }, Person::Row)
        };
        let out = ask(&bins, &visits(), r("2"), &mut ledger, day(), &mut Fixed(8)).unwrap();
        let labels: Vec<&str> = out.answers.iter().map(|a| a.group[0].as_str()).collect();
        assert_eq!(labels, ["<30", "[30,60)", ">=60"]);
        assert!(
            out.answers.iter().zip([340, 330, 330]).all(|(a, truth)| (a.value - truth).abs() <= 3),
            "{out:?}"
        );
        assert_eq!(ledger.left(), Ratio::ZERO);
    }
}
