//! Why a question gets no answer.

use crate::ratio::Ratio;
use std::fmt;

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
