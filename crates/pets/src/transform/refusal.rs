//! Why a batch does not pass a border.

use arrow_schema::ArrowError;
use std::fmt;

/// Why a batch does not pass.
#[derive(Debug)]
pub enum Refusal {
    /// The table has a column that the plan does not name: it stops at the border.
    UnplannedColumn(String),
    /// The plan names a column, not dropped, that the table lacks.
    MissingColumn(String),
    /// A column changed its type, name or place since the plan was prepared.
    SchemaChanged(String),
    /// Two columns have one name.
    DoubledColumn(String),
    /// The column holds lists, structs or bytes: it can only be kept or dropped.
    Unreadable(String),
    /// The plan pseudonymizes the column and no key was given.
    NeedsKey(String),
    /// A bin of this column has no positive width.
    NoWidth(String),
    /// The act chooses by the whole table: only a release can do it.
    WholeTable(String),
    /// Arrow could not build the batch.
    Arrow(ArrowError),
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnplannedColumn(_) => "pets/unplanned-column",
            Self::MissingColumn(_) => "pets/missing-column",
            Self::SchemaChanged(_) => "pets/schema-changed",
            Self::DoubledColumn(_) => "pets/doubled-column",
            Self::Unreadable(_) => "pets/unreadable-column",
            Self::NeedsKey(_) => "pets/needs-key",
            Self::NoWidth(_) => "pets/no-width",
            Self::WholeTable(_) => "pets/whole-table",
            Self::Arrow(_) => "pets/arrow",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnplannedColumn(name) => {
                write!(f, "column `{name}` is not in the plan; it stops at the border")?
            }
            Self::MissingColumn(name) => write!(f, "column `{name}` is in the plan and not in the table")?,
            Self::SchemaChanged(name) => {
                write!(f, "column `{name}` is not what it was when the plan was prepared")?
            }
            Self::DoubledColumn(name) => write!(f, "column `{name}` is there twice")?,
            Self::Unreadable(name) => {
                write!(f, "column `{name}` has no single values; it can be kept or dropped")?
            }
            Self::NeedsKey(name) => write!(f, "column `{name}` needs a pseudonym key")?,
            Self::NoWidth(name) => write!(
                f,
                "column `{name}` needs a bin above zero, a shift above zero, or at most 32 and 128 bits"
            )?,
            Self::WholeTable(name) => {
                write!(f, "column `{name}` is recoded by its neighbors, which needs the whole table; protect it as a release")?
            }
            Self::Arrow(error) => write!(f, "the batch could not be built: {error}")?,
        }
        write!(f, " ({})", self.code())
    }
}

impl std::error::Error for Refusal {}

impl From<ArrowError> for Refusal {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}
