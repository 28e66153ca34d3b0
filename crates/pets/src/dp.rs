//! Differential privacy: counts and sums by group with exact discrete noise, and a ledger of what was spent.
//!
//! The unit of privacy is a person, by a key column or by one row each; each person's rows are bounded before anything is
//! added up. Noise is the discrete Gaussian, drawn exactly from whole numbers; loss is zero-concentrated (zCDP), in exact
//! rationals, and adds up in a [`Ledger`]. What cannot be bounded is refused. Randomness is an argument; no seed is kept.

use crate::cell::Cells;
use crate::intern::{Codes, Paths};
use crate::number::Decimal;
use crate::ratio::Ratio;
use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

pub mod sampler;

use sampler::{Randomness, discrete_gaussian};

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
    /// Whole numbers of a column, each cut to the bounds first; what is no number counts nothing.
    Sum {
        /// The column.
        column: String,
        /// Least that a row can add.
        low: i64,
        /// Most that a row can add.
        high: i64,
    },
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
    /// The group, in the order of `by`.
    pub group: Vec<String>,
    /// The noisy number.
    pub value: i64,
}

/// Answers and what they cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answers {
    /// One for each group asked for, in that order.
    pub answers: Vec<Answer>,
    /// Variance of the noise, before it is made whole.
    pub variance: Ratio,
    /// What was spent (zCDP).
    pub rho: Ratio,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The budget does not cover it.
    BudgetSpent {
        /// What is left.
        left: Ratio,
    },
    /// No bound follows from the question: an empty range, no rows, too large numbers, a loss of nothing.
    Unbounded(&'static str),
    /// The question names a column that is not there or holds no single values.
    NoColumn(String),
    /// A group has not as many values as there are columns to group by, or is there twice.
    WrongGroup,
    /// The ledger's budget is stated for another unit of privacy than the question's.
    WrongUnit,
    /// The source of randomness does not behave like one.
    Randomness,
}

impl Refused {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BudgetSpent { .. } => "pets/budget-spent",
            Self::Unbounded(_) => "pets/unbounded",
            Self::NoColumn(_) => "pets/missing-column",
            Self::WrongGroup => "pets/wrong-group",
            Self::WrongUnit => "pets/wrong-unit",
            Self::Randomness => "pets/randomness",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BudgetSpent { left } => write!(f, "the privacy budget does not cover this; left: {left}")?,
            Self::Unbounded(why) => write!(f, "no bound on one person's weight: {why}")?,
            Self::NoColumn(name) => write!(f, "column `{name}` is not there or has no single values")?,
            Self::WrongGroup => {
                write!(f, "a group names another number of values than columns, or is there twice")?
            }
            Self::WrongUnit => write!(f, "the budget is stated for another unit of privacy")?,
            Self::Randomness => write!(f, "the source of randomness repeats itself")?,
        }
        write!(f, " ({})", self.code())
    }
}

impl std::error::Error for Refused {}

/// What a dataset may lose to one recipient, and what it has lost. Losses add up and never come back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The dataset.
    pub dataset: String,
    /// The recipient.
    pub recipient: String,
    /// The unit of privacy that the budget is stated for: a column name, or `row`.
    pub unit: String,
    /// The whole budget (zCDP ρ).
    budget: Ratio,
    /// Each loss, oldest first.
    spent: Vec<Ratio>,
}

impl Ledger {
    /// Opens a ledger.
    pub fn open(
        dataset: impl Into<String>,
        recipient: impl Into<String>,
        unit: impl Into<String>,
        budget: Ratio,
    ) -> Self {
        Self {
            dataset: dataset.into(),
            recipient: recipient.into(),
            unit: unit.into(),
            budget,
            spent: Vec::new(),
        }
    }

    /// What is left; nothing when the sum can no longer be written.
    pub fn left(&self) -> Ratio {
        let spent = self.spent.iter().try_fold(Ratio::ZERO, |sum, rho| sum.checked_add(*rho));
        spent.and_then(|spent| self.budget.checked_sub(spent)).unwrap_or(Ratio::ZERO)
    }

    /// Spends, or refuses when the budget does not cover it.
    pub fn spend(&mut self, rho: Ratio) -> Result<(), Refused> {
        let left = self.left();
        if rho == Ratio::ZERO {
            return Err(Refused::Unbounded("an answer that costs nothing says nothing"));
        }
        if rho > left {
            return Err(Refused::BudgetSpent { left });
        }
        self.spent.push(rho);
        Ok(())
    }

    /// The ε that a loss of ρ in all implies at a δ of ten to the minus `exponent`: ρ + 2 √(ρ ln(1/δ)) (Bun, Steinke 2016).
    /// A float for people; the ledger itself counts in ρ.
    pub fn epsilon(&self, exponent: u32) -> f64 {
        let rho = self.budget.to_f64() - self.left().to_f64();
        rho + 2.0 * (rho * f64::from(exponent) * std::f64::consts::LN_10).sqrt()
    }
}

// LIMIT: bounds beyond this have squares that exact noise cannot be computed for.
const BOUND_MAX: u128 = 1 << 24;

/// Answers a question about batches, at a stated loss, from the ledger. The loss is spent before anything is drawn.
pub fn ask(
    question: &Question,
    batches: &[RecordBatch],
    rho: Ratio,
    ledger: &mut Ledger,
    randomness: &mut dyn Randomness,
) -> Result<Answers, Refused> {
    let sensitivity = sensitivity(question)?;
    if ledger.unit != question.person.unit() {
        return Err(Refused::WrongUnit);
    }
    let mut exact = Totals::of(question)?;
    for batch in batches {
        exact.push(question, batch)?;
    }
    let (numerator, denominator) = rho.parts();
    // σ² = Δ² / 2ρ.
    let variance = sensitivity
        .checked_pow(2)
        .and_then(|square| Ratio::of(square.checked_mul(denominator)?, numerator.checked_mul(2)?))
        .ok_or(Refused::Unbounded("the loss is nothing or too small for exact noise"))?;
    ledger.spend(rho)?;
    let mut answers = Vec::with_capacity(question.groups.len().max(1));
    for (group, total) in exact.totals() {
        let noise = discrete_gaussian(variance, randomness).ok_or(Refused::Randomness)?;
        answers.push(Answer { group, value: total.saturating_add(noise) });
    }
    Ok(Answers { answers, variance, rho })
}

/// How far one person can move the answers, in the Euclidean norm: at worst all rows in one group.
fn sensitivity(question: &Question) -> Result<u128, Refused> {
    let rows = match question.person {
        Person::Row => 1,
        Person::Key { rows_max: 0, .. } => return Err(Refused::Unbounded("no row of a person counts")),
        Person::Key { rows_max, .. } => u128::from(rows_max),
    };
    let each = match &question.what {
        What::Count => 1,
        What::Sum { low, high, .. } if low > high => {
            return Err(Refused::Unbounded("the least is above the most"));
        }
        What::Sum { low, high, .. } => u128::from(low.unsigned_abs().max(high.unsigned_abs())),
    };
    match rows.checked_mul(each) {
        Some(0) => Err(Refused::Unbounded("every row adds nothing")),
        Some(bound) if bound <= BOUND_MAX => Ok(bound),
        _ => Err(Refused::Unbounded("the bound is too large for exact noise")),
    }
}

/// Exact totals by group, which never leave this file.
struct Totals {
    groups: Vec<Vec<String>>,
    places: HashMap<Vec<String>, usize>,
    totals: Vec<i64>,
    persons: Codes,
    seen: HashMap<u32, u32>,
    paths: Paths,
}

impl Totals {
    fn of(question: &Question) -> Result<Self, Refused> {
        let groups = if question.by.is_empty() { vec![Vec::new()] } else { question.groups.clone() };
        let places: HashMap<Vec<String>, usize> =
            groups.iter().cloned().enumerate().map(|(place, group)| (group, place)).collect();
        if groups.is_empty()
            || places.len() != groups.len()
            || groups.iter().any(|g| g.len() != question.by.len())
        {
            return Err(Refused::WrongGroup);
        }
        let totals = vec![0; groups.len()];
        Ok(Self {
            groups,
            places,
            totals,
            persons: Codes::default(),
            seen: HashMap::new(),
            paths: Paths::of_width(1),
        })
    }

    fn push(&mut self, question: &Question, batch: &RecordBatch) -> Result<(), Refused> {
        let read = |name: &String| {
            batch.column_by_name(name).and_then(Cells::of).ok_or_else(|| Refused::NoColumn(name.clone()))
        };
        let by = question.by.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let summed = match &question.what {
            What::Count => None,
            What::Sum { column, .. } => Some(read(column)?),
        };
        let person = match &question.person {
            Person::Row => None,
            Person::Key { column, rows_max } => Some((read(column)?, *rows_max)),
        };
        for row in 0..batch.num_rows() {
            if let Some((cells, rows_max)) = &person
                && !self.counts(cells.text(row).as_deref(), *rows_max)
            {
                continue;
            }
            let group: Vec<String> =
                by.iter().map(|cells| cells.text(row).unwrap_or_default().into_owned()).collect();
            let Some(total) = self.places.get(&group).and_then(|&place| self.totals.get_mut(place)) else {
                continue;
            };
            *total = total.saturating_add(match (&question.what, &summed) {
                (What::Sum { low, high, .. }, Some(cells)) => {
                    whole(cells.text(row).as_deref()).map_or(0, |n| n.clamp(*low, *high))
                }
                _ => 1,
            });
        }
        Ok(())
    }

    // The first rows of a person count; which those are depends on that person's rows alone.
    fn counts(&mut self, person: Option<&str>, rows_max: u32) -> bool {
        if person.is_none() {
            return false;
        }
        let person = self.paths.class([self.persons.code(person)]);
        let rows = self.seen.entry(person).or_default();
        *rows = rows.saturating_add(1);
        *rows <= rows_max
    }

    fn totals(self) -> impl Iterator<Item = (Vec<String>, i64)> {
        self.groups.into_iter().zip(self.totals)
    }
}

fn whole(text: Option<&str>) -> Option<i64> {
    let number: Decimal = text?.parse().ok()?;
    number.floor_to(Decimal::whole(1), Decimal::ZERO).to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::sampler::tests::Fixed;
    use super::*;
    use crate::classify::tests::table;

    fn r(text: &str) -> Ratio {
        text.parse().unwrap()
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
            let mut totals = Totals::of(&question).unwrap();
            visits().iter().for_each(|b| totals.push(&question, b).unwrap());
            totals.totals().map(|t| t.1).collect::<Vec<_>>()
        };
        let key = |rows_max| Person::Key { column: "person".into(), rows_max };
        assert_eq!(totals(What::Count, Person::Row), [500, 500, 0]);
        assert_eq!(totals(What::Count, key(1)), [125, 125, 0]);
        assert_eq!(totals(What::Count, key(3)), [375, 375, 0]);
        let sum = What::Sum { column: "age".into(), low: 0, high: 10 };
        assert!(totals(sum, key(1)).iter().all(|&t| t <= 125 * 10));
    }

    #[test]
    fn answers_are_near_the_truth_and_cost_what_they_say() {
        let mut ledger = Ledger::open("visits", "clinic", "person", r("1/2"));
        let key = Person::Key { column: "person".into(), rows_max: 2 };
        let out = ask(&question(What::Count, key.clone()), &visits(), r("1/8"), &mut ledger, &mut Fixed(3))
            .unwrap();
        // Δ = 2, ρ = 1/8: σ² = 4 / (1/4) = 16.
        assert_eq!((out.variance, out.rho, ledger.left()), (r("16"), r("1/8"), r("3/8")));
        for (answer, truth) in out.answers.iter().zip([250, 250, 0]) {
            assert!((answer.value - truth).abs() < 5 * 4, "{answer:?}");
        }
        ask(&question(What::Count, key.clone()), &visits(), r("3/8"), &mut ledger, &mut Fixed(4)).unwrap();
        let refused =
            ask(&question(What::Count, key), &visits(), r("1/1000"), &mut ledger, &mut Fixed(5)).unwrap_err();
        assert_eq!(refused, Refused::BudgetSpent { left: Ratio::ZERO });
        assert!((ledger.epsilon(6) - (0.5 + 2.0 * (0.5 * 6.0 * 10f64.ln()).sqrt())).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_bounded_is_refused_and_costs_nothing() {
        let mut ledger = Ledger::open("visits", "clinic", "row", r("1"));
        let sum = |low, high| What::Sum { column: "age".into(), low, high };
        let mut refuse = |question: Question, rho: &str| {
            ask(&question, &visits(), r(rho), &mut ledger, &mut Fixed(1)).unwrap_err().code()
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
}
