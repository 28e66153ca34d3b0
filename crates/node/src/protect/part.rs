//! A mixed table in two parts, and the check that two parts were one table.

use super::{ProtectError, csv};
use dataplane::table::Table;
use model::{Digest, canonical};
use pets::dictionary::{Dictionary, Role};
use pets::pseudonym::DomainKey;
use pets::separate::Link;
use std::path::Path;

/// Two parts of a table as bytes, with their proof.
#[derive(Debug)]
pub struct Parted {
    /// Columns about persons, with the link (CSV).
    pub personal: Vec<u8>,
    /// Columns that are not about persons (CSV).
    pub non_personal: Vec<u8>,
    /// The link proof (canonical JSON); it stays with the personal part.
    pub link: Vec<u8>,
    /// The proof's root, which others may see.
    pub root: Digest,
    /// Rows of the table.
    pub rows: u64,
    /// Rows that are about a person.
    pub personal_rows: u64,
    /// Rows of the non-personal part that are unlike all others.
    pub unlike_all_others: u64,
    /// Names of the columns of the personal part.
    pub personal_columns: Vec<String>,
    /// Names of the columns of the non-personal part.
    pub non_personal_columns: Vec<String>,
}

/// Separates a table by the roles of a dictionary, which is the plan: a column that it does not know stops here.
pub fn separate(path: &Path, dictionary: &Dictionary, key: &DomainKey) -> Result<Parted, ProtectError> {
    let batches = Table::open(path, None)?.all()?;
    let parts = pets::separate::separate(&batches, dictionary, key).map_err(ProtectError::NotSeparated)?;
    let encoding = |e: &dyn std::fmt::Display| ProtectError::Encoding(e.to_string());
    let columns = |is_personal: bool| {
        let fields = batches.first().map(|b| b.schema().fields().clone()).unwrap_or_default();
        let names = fields.iter().map(|f| f.name().clone());
        names
            .filter(|n| (dictionary.columns.get(n).map(|e| e.role) != Some(Role::NonPersonal)) == is_personal)
            .collect()
    };
    Ok(Parted {
        rows: parts.non_personal.num_rows() as u64,
        personal_rows: parts.personal.num_rows() as u64,
        unlike_all_others: parts.unlike_all_others,
        personal_columns: columns(true),
        non_personal_columns: columns(false),
        root: parts.link.root,
        link: canonical::to_bytes(&parts.link).map_err(|e| encoding(&e))?,
        personal: csv(&[parts.personal]).map_err(|e| encoding(&e))?,
        non_personal: csv(&[parts.non_personal]).map_err(|e| encoding(&e))?,
    })
}

/// LIMIT: bytes of a link proof that is read; about three million rows.
const LINK_BYTES_MAX: u64 = 1 << 30;

/// Checks that two parts were one table: its root, its rows, and how many of them are about a person.
pub fn linked(personal: &Path, non_personal: &Path, link: &Path) -> Result<(Digest, u64, u64), ProtectError> {
    let unreadable = |e: std::io::Error| ProtectError::Document(format!("cannot read `{}`: {e}", link.display()));
    if std::fs::metadata(link).map_err(unreadable)?.len() > LINK_BYTES_MAX {
        return Err(ProtectError::Document(format!("`{}` is larger than 1 GiB", link.display())));
    }
    let proof: Link = serde_json::from_slice(&std::fs::read(link).map_err(unreadable)?)
        .map_err(|e| ProtectError::Document(format!("`{}` is no link proof: line {}", link.display(), e.line())))?;
    let (mine, theirs) = (Table::open(personal, None)?.all()?, Table::open(non_personal, None)?.all()?);
    let (rows, about) = proof.verify(&mine, &theirs).map_err(ProtectError::NotLinked)?;
    Ok((proof.root, rows, about))
}
