//! What datasets may lose to recipients, and what they have lost.

use super::Refused;
use crate::ratio::Ratio;
use model::CivilDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One loss.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// How much (zCDP ρ).
    pub rho: Ratio,
    /// What was asked, in words.
    pub asked: String,
    /// When.
    pub on: CivilDate,
}

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
    spent: Vec<Loss>,
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

    /// The whole budget.
    pub fn budget(&self) -> Ratio {
        self.budget
    }

    /// Each loss, oldest first.
    pub fn losses(&self) -> &[Loss] {
        &self.spent
    }

    /// What is left; nothing when the sum can no longer be written.
    pub fn left(&self) -> Ratio {
        let spent = self.spent.iter().try_fold(Ratio::ZERO, |sum, loss| sum.checked_add(loss.rho));
        spent.and_then(|spent| self.budget.checked_sub(spent)).unwrap_or(Ratio::ZERO)
    }

    /// Spends, or refuses when the budget does not cover it.
    pub fn spend(&mut self, rho: Ratio, asked: String, on: CivilDate) -> Result<(), Refused> {
        let left = self.left();
        if rho == Ratio::ZERO {
            return Err(Refused::Unbounded("an answer that costs nothing says nothing"));
        }
        if rho > left {
            return Err(Refused::BudgetSpent { left });
        }
        self.spent.push(Loss { rho, asked, on });
        Ok(())
    }

    /// The ε that a loss of ρ in all implies at a δ of ten to the minus `exponent`: ρ + 2 √(ρ ln(1/δ)) (Bun, Steinke 2016).
    /// A float for people; the ledger itself counts in ρ.
    pub fn epsilon(&self, exponent: u32) -> f64 {
        epsilon(self.budget.to_f64() - self.left().to_f64(), exponent)
    }
}

fn epsilon(rho: f64, exponent: u32) -> f64 {
    rho + 2.0 * (rho * f64::from(exponent) * std::f64::consts::LN_10).sqrt()
}

/// The greatest ρ, in millionths, that stays within ε at a δ of ten to the minus `exponent`; none when that is nothing.
pub fn rho_of_epsilon(wanted: Ratio, exponent: u32) -> Option<Ratio> {
    let log = f64::from(exponent) * std::f64::consts::LN_10;
    let guess = ((log + wanted.to_f64()).sqrt() - log.sqrt()).powi(2) * 1e6;
    // Rounded down, and down again while the float says too much.
    let mut millionths = guess.floor().clamp(0.0, 1e15) as u128;
    while millionths > 0 && epsilon(millionths as f64 / 1e6, exponent) > wanted.to_f64() {
        millionths -= 1;
    }
    Ratio::of(millionths, 1_000_000).filter(|rho| *rho > Ratio::ZERO)
}

/// The form of a [`Book`] as a document.
pub const BOOK_FORM: &str = "tegata-privacy-book/1";

/// The ledgers of a holder: one for each dataset, recipient and unit of privacy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    form: String,
    /// The ledgers, oldest first.
    ledgers: Vec<Ledger>,
    /// Digests of tables that were asked about, each with its dataset's name: a table under another name has the same budget.
    tables: BTreeSet<(String, String)>,
}

impl Default for Book {
    fn default() -> Self {
        Self { form: BOOK_FORM.into(), ledgers: Vec::new(), tables: BTreeSet::new() }
    }
}

impl Book {
    /// True when the document is of this form.
    pub fn is_of_this_form(&self) -> bool {
        self.form == BOOK_FORM
    }

    /// The ledgers, oldest first.
    pub fn ledgers(&self) -> &[Ledger] {
        &self.ledgers
    }

    /// Opens a ledger; false when there is one already, whatever is left in it.
    pub fn open(&mut self, ledger: Ledger) -> bool {
        let new = self.find(&ledger.dataset, &ledger.recipient, &ledger.unit).is_none();
        if new {
            self.ledgers.push(ledger);
        }
        new
    }

    /// The ledger of a dataset, recipient and unit.
    pub fn find(&mut self, dataset: &str, recipient: &str, unit: &str) -> Option<&mut Ledger> {
        self.ledgers.iter_mut().find(|l| l.dataset == dataset && l.recipient == recipient && l.unit == unit)
    }

    /// Remembers that a table of this digest was asked about as this dataset; the other name, if it has one already.
    pub fn known_as(&mut self, table: &str, dataset: &str) -> Option<String> {
        let other = self.tables.iter().find(|(digest, name)| digest == table && name != dataset);
        let other = other.map(|(_, name)| name.clone());
        if other.is_none() {
            self.tables.insert((table.into(), dataset.into()));
        }
        other
    }

    /// The dataset that a table of this digest was asked about as.
    pub fn name_of(&self, table: &str) -> Option<&str> {
        self.tables.iter().find(|(digest, _)| digest == table).map(|(_, name)| name.as_str())
    }

    /// What a dataset has lost to all recipients of this unit together: what they know if they put it together.
    pub fn lost_to_all(&self, dataset: &str, unit: &str) -> Option<Ratio> {
        let ledgers = self.ledgers.iter().filter(|l| l.dataset == dataset && l.unit == unit);
        ledgers.flat_map(|l| &l.spent).try_fold(Ratio::ZERO, |sum, loss| sum.checked_add(loss.rho))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_opened_once_and_recipients_add_up() {
        let r = |t: &str| t.parse::<Ratio>().unwrap();
        let day = CivilDate::of(2026, 11, 22).unwrap();
        let mut book = Book::default();
        assert!(book.open(Ledger::open("visits", "clinic", "person", r("1"))));
        assert!(book.open(Ledger::open("visits", "insurer", "person", r("1/2"))));
        assert!(!book.open(Ledger::open("visits", "clinic", "person", r("9"))));
        for (recipient, rho) in [("clinic", "1/4"), ("clinic", "1/2"), ("insurer", "1/8")] {
            book.find("visits", recipient, "person").unwrap().spend(r(rho), "count".into(), day).unwrap();
        }
        assert_eq!(book.lost_to_all("visits", "person"), Some(r("7/8")));
        assert_eq!(book.known_as("ab", "visits"), None);
        assert_eq!(book.known_as("ab", "other"), Some("visits".into()));
        assert_eq!((book.name_of("ab"), book.name_of("cd")), (Some("visits"), None));
    }

    #[test]
    fn epsilon_to_rho_never_gives_more_than_was_asked_for() {
        for wanted in ["1/10", "1/2", "1", "3", "8"] {
            let wanted: Ratio = wanted.parse().unwrap();
            let rho = rho_of_epsilon(wanted, 6).unwrap();
            let next = rho.checked_add(Ratio::of(2, 1_000_000).unwrap()).unwrap();
            assert!(epsilon(rho.to_f64(), 6) <= wanted.to_f64(), "{wanted}");
            assert!(epsilon(next.to_f64(), 6) > wanted.to_f64(), "{wanted}");
        }
        assert_eq!(rho_of_epsilon(Ratio::ZERO, 6), None);
    }
}
