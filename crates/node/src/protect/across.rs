//! Several releases of the same people, measured together by whoever holds the original.

use super::{ProtectError, scan};
use dataplane::table::Table;
use pets::across::{Released, Together, together};
use pets::classify::Knowledge;
use pets::dictionary::{Dictionary, Role};
use pets::plan::Plan;
use std::path::{Path, PathBuf};

/// Measures releases of an original together, each with its plan.
pub fn across(
    original: &Path,
    releases: &[(PathBuf, Plan)],
    corrections: Option<&Dictionary>,
    knowledge: &Knowledge,
) -> Result<Together, ProtectError> {
    let proposed = scan(original, knowledge)?.dictionary();
    let dictionary = match corrections {
        Some(person) => proposed.corrected_by(person),
        None => proposed,
    };
    let batches = Table::open(original, None)?.all()?;
    let tables = releases.iter().map(|(path, _)| Table::open(path, None)?.all()).collect::<Result<Vec<_>, _>>()?;
    let released: Vec<Released<'_>> =
        tables.iter().zip(releases).map(|(batches, (_, plan))| Released { batches, plan }).collect();
    together(&batches, &released, &dictionary.with_role(Role::QuasiIdentifier)).map_err(ProtectError::NotTogether)
}
