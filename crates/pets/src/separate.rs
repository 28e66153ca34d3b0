//! Separates a mixed table into a personal and a non-personal part, with a proof that they belong together.
//!
//! The non-personal part carries no link and its rows are in the order of their own digests, so neither a column nor a
//! position leads back. The holder of the key can show, row by row, which belongs to which; others see one digest.

use crate::cell::{Cells, as_text};
use crate::dictionary::{Dictionary, Role};
use crate::pseudonym::DomainKey;
use crate::report::{empty_row, row_digests};
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The column of the personal part that names a row's link.
pub const LINK: &str = "link";

/// Two parts of one table.
#[derive(Clone, Debug)]
pub struct Separated {
    /// Columns about persons, in the table's order, and [`LINK`]. Rows in which they all are empty are not here.
    pub personal: RecordBatch,
    /// Columns that are not about persons, rows in the order of their digests.
    pub non_personal: RecordBatch,
    /// The proof that both come from one table.
    pub link: Link,
    /// Rows of the non-personal part that are unlike all others: whoever knows their content elsewhere finds them again.
    pub unlike_all_others: u64,
}

/// The form of a [`Link`] as a document.
pub const LINK_FORM: &str = "tegata-link/1";

/// The proof of belonging. It stays with the holder of the personal part: whoever has both can put the table together again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    form: String,
    /// One for each row, sorted: the link, and the digest of the non-personal row.
    rows: Vec<(String, Digest)>,
    /// One for each row, sorted: SHA-256 of the link, of the personal row and of the non-personal row.
    leaves: Vec<Digest>,
    /// SHA-256 over the leaves; this is what is shown to others.
    pub root: Digest,
}

/// Why two parts and a proof do not belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotLinked {
    /// The document is of another form, or is not what its own root says.
    Proof,
    /// The personal part lacks its link column, has a link twice, or a link that the proof does not know.
    Personal,
    /// The non-personal rows are not those of the proof.
    NonPersonal,
    /// A personal row was changed, or left out.
    Changed,
}

impl NotLinked {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        "pets/not-linked"
    }
}

impl fmt::Display for NotLinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proof => "the proof is no link proof, or was changed",
            Self::Personal => "the personal part lacks its links, or has one that the proof does not know",
            Self::NonPersonal => "the rows of the non-personal part are not those of the proof",
            Self::Changed => "a row of the personal part was changed or left out",
        })
    }
}

impl std::error::Error for NotLinked {}

/// Why a table could not be separated.
#[derive(Debug)]
pub enum NotSeparated {
    /// The dictionary does not know a column: it stops at the border.
    UnknownColumn(String),
    /// The table has a column of the link's name.
    LinkTaken,
    /// There is no batch.
    Empty,
    /// Arrow could not build a part.
    Arrow(ArrowError),
}

impl fmt::Display for NotSeparated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownColumn(name) => write!(
                f,
                "column `{name}` is not in the dictionary; it stops at the border (pets/unplanned-column)"
            ),
            Self::LinkTaken => write!(f, "the table has a column `{LINK}` of its own (pets/link-taken)"),
            Self::Empty => f.write_str("there is no data to separate (pets/empty)"),
            Self::Arrow(error) => write!(f, "a part could not be built: {error} (pets/arrow)"),
        }
    }
}

impl std::error::Error for NotSeparated {}

impl From<ArrowError> for NotSeparated {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

/// Separates batches of one schema by the roles of the dictionary.
pub fn separate(
    batches: &[RecordBatch],
    dictionary: &Dictionary,
    key: &DomainKey,
) -> Result<Separated, NotSeparated> {
    let schema = batches.first().ok_or(NotSeparated::Empty)?.schema();
    let (mut about, mut rest) = (Vec::new(), Vec::new());
    for (index, field) in schema.fields().iter().enumerate() {
        match dictionary.columns.get(field.name()) {
            _ if field.name() == LINK => return Err(NotSeparated::LinkTaken),
            None => return Err(NotSeparated::UnknownColumn(field.name().clone())),
            Some(entry) if entry.role == Role::NonPersonal => rest.push(index),
            Some(_) => about.push(index),
        }
    }
    // As text, so that the parts have the same digests after they were written and read again.
    let table = as_text(&concat_batches(&schema, batches)?)?;
    let (personal, non_personal) = (table.project(&about)?, table.project(&rest)?);
    let links: Vec<String> = (0..table.num_rows()).map(|row| key.name(LINK, &row.to_string())).collect();
    let (mine, theirs) = (row_digests(&personal), row_digests(&non_personal));
    let mut leaves: Vec<Digest> =
        links.iter().zip(&mine).zip(&theirs).map(|((link, a), b)| leaf(link, a, b)).collect();
    leaves.sort_unstable();
    let mut pairs: Vec<(String, Digest)> = links.iter().cloned().zip(theirs.iter().copied()).collect();
    pairs.sort_unstable();
    let mut order: Vec<u64> = (0..theirs.len() as u64).collect();
    order.sort_unstable_by_key(|&row| theirs.get(row as usize));
    let mut sorted: Vec<Digest> = theirs.clone();
    sorted.sort_unstable();
    let unlike = sorted.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).count() as u64;
    Ok(Separated {
        personal: with_links(&personal, links)?,
        non_personal: take_record_batch(&non_personal, &UInt64Array::from(order))?,
        link: Link { form: LINK_FORM.into(), root: root(&leaves), rows: pairs, leaves },
        unlike_all_others: unlike,
    })
}

// Rows that say nothing of a person are no personal rows, and get no link.
fn with_links(personal: &RecordBatch, links: Vec<String>) -> Result<RecordBatch, ArrowError> {
    let kept: Vec<u64> = (0..personal.num_rows())
        .filter(|&row| {
            personal.columns().iter().any(|column| Cells::of(column).is_none_or(|c| c.text(row).is_some()))
        })
        .map(|row| row as u64)
        .collect();
    let mut fields: Vec<Arc<Field>> = personal.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(LINK, DataType::Utf8, false)));
    let mut columns: Vec<ArrayRef> = personal.columns().to_vec();
    columns.push(Arc::new(StringArray::from(links)));
    take_record_batch(
        &RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?,
        &UInt64Array::from(kept),
    )
}

fn leaf(link: &str, personal: &Digest, non_personal: &Digest) -> Digest {
    let mut digest = Sha256::new();
    digest.update(b"tegata/link/1");
    digest.update(link.as_bytes());
    digest.update(personal.0);
    digest.update(non_personal.0);
    Digest(digest.finalize().into())
}

fn root(leaves: &[Digest]) -> Digest {
    let mut digest = Sha256::new();
    leaves.iter().for_each(|leaf| digest.update(leaf.0));
    Digest(digest.finalize().into())
}

impl Link {
    /// True when the personal row with this link and the non-personal row were one row of the table.
    pub fn belongs(&self, link: &str, personal: &Digest, non_personal: &Digest) -> bool {
        root(&self.leaves) == self.root
            && self.leaves.binary_search(&leaf(link, personal, non_personal)).is_ok()
    }

    /// Checks that two parts, in any order of rows, are the whole of the table that was separated. Returns the rows of
    /// the table, and how many of them are about a person.
    pub fn verify(
        &self,
        personal: &[RecordBatch],
        non_personal: &[RecordBatch],
    ) -> Result<(u64, u64), NotLinked> {
        if self.form != LINK_FORM || root(&self.leaves) != self.root || self.leaves.len() != self.rows.len() {
            return Err(NotLinked::Proof);
        }
        let mut theirs: Vec<Digest> = non_personal.iter().flat_map(row_digests).collect();
        theirs.sort_unstable();
        let mut expected: Vec<Digest> = self.rows.iter().map(|(_, row)| *row).collect();
        expected.sort_unstable();
        if theirs != expected {
            return Err(NotLinked::NonPersonal);
        }
        let (mut about, nobody) = personal_rows(personal)?;
        let n_personal = about.len() as u64;
        let mut leaves: Vec<Digest> = self
            .rows
            .iter()
            .map(|(link, row)| leaf(link, &about.remove(link.as_str()).unwrap_or(nobody), row))
            .collect();
        if !about.is_empty() {
            return Err(NotLinked::Personal);
        }
        leaves.sort_unstable();
        if leaves != self.leaves {
            return Err(NotLinked::Changed);
        }
        Ok((self.rows.len() as u64, n_personal))
    }
}

/// Link → digest of the personal row, and the digest of a row that says nothing.
fn personal_rows(batches: &[RecordBatch]) -> Result<(HashMap<String, Digest>, Digest), NotLinked> {
    let (mut about, mut width) = (HashMap::new(), 0);
    for batch in batches {
        let place = batch.schema().index_of(LINK).map_err(|_| NotLinked::Personal)?;
        let rest: Vec<usize> = (0..batch.num_columns()).filter(|&index| index != place).collect();
        width = rest.len();
        let rows = row_digests(&batch.project(&rest).map_err(|_| NotLinked::Personal)?);
        let cells = Cells::of(batch.column(place)).ok_or(NotLinked::Personal)?;
        for (row, digest) in rows.into_iter().enumerate() {
            let link = cells.text(row).ok_or(NotLinked::Personal)?.into_owned();
            if about.insert(link, digest).is_some() {
                return Err(NotLinked::Personal);
            }
        }
    }
    Ok((about, empty_row(width)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::table;
    use crate::pseudonym::Domain;

    fn key() -> DomainKey {
        DomainKey::derive(
            &[5; 32],
            &Domain { recipient: "a".into(), purpose: "b".into(), period: "c".into() },
        )
        .unwrap()
    }

    const DICTIONARY: &str = "[columns.driver]\nrole='direct-identifier'\n[columns.speed]\nrole='non-personal'\n[columns.plant]\nrole='non-personal'";

    #[test]
    fn a_mixed_table_falls_in_two_and_the_holder_can_show_the_link() {
        let table = table("driver,speed,plant\nSato,50,A\n,61,B\nSuzuki,55,A\nSato,50,A", 2);
        let dictionary = Dictionary::parse(DICTIONARY).unwrap();
        let parts = separate(&table, &dictionary, &key()).unwrap();
        assert_eq!(
            (parts.personal.num_rows(), parts.non_personal.num_rows(), parts.unlike_all_others),
            (3, 4, 2)
        );
        assert!(
            parts.non_personal.column_by_name("driver").is_none()
                && parts.personal.column_by_name("speed").is_none()
        );
        let personal = row_digests(&parts.personal.project(&[0]).unwrap());
        let others = row_digests(&parts.non_personal);
        let links = Cells::of(parts.personal.column_by_name(LINK).unwrap()).unwrap();
        // Suzuki is the second of the personal rows and drove at 55: one non-personal row belongs, and no other.
        let link = links.text(1).unwrap();
        let belonging: Vec<String> = (0..4)
            .filter(|&row| parts.link.belongs(&link, &personal[1], &others[row]))
            .map(|row| Cells::of(parts.non_personal.column(0)).unwrap().text(row).unwrap().into_owned())
            .collect();
        assert_eq!(belonging, ["55"]);
        assert!(!parts.link.belongs(&links.text(0).unwrap(), &personal[1], &others[0]));
    }

    #[test]
    fn an_unknown_column_stops_and_positions_tell_nothing() {
        let dictionary = Dictionary::parse(DICTIONARY).unwrap();
        let later = table("driver,speed,plant,phone\nSato,50,A,1", 2);
        assert!(
            matches!(separate(&later, &dictionary, &key()), Err(NotSeparated::UnknownColumn(name)) if name == "phone")
        );
        let forward =
            separate(&table("driver,speed,plant\na,1,A\nb,2,B\nc,3,C", 9), &dictionary, &key()).unwrap();
        let backward =
            separate(&table("driver,speed,plant\nc,3,C\nb,2,B\na,1,A", 9), &dictionary, &key()).unwrap();
        assert_eq!(forward.non_personal, backward.non_personal);
    }

    #[test]
    fn whole_parts_verify_in_any_order_and_nothing_else_does() {
        let dictionary = Dictionary::parse(DICTIONARY).unwrap();
        let whole = table("driver,speed,plant\nSato,50,A\n,61,B\nSuzuki,55,A\nSato,50,A", 2);
        let parts = separate(&whole, &dictionary, &key()).unwrap();
        let turned = |batch: &RecordBatch| {
            let rows: Vec<u64> = (0..batch.num_rows() as u64).rev().collect();
            take_record_batch(batch, &UInt64Array::from(rows)).unwrap()
        };
        let (personal, rest) = (turned(&parts.personal), turned(&parts.non_personal));
        let text = serde_json::to_string(&parts.link).unwrap();
        let link: Link = serde_json::from_str(&text).unwrap();
        assert_eq!(link.verify(&[personal.clone()], &[rest.clone()]), Ok((4, 3)));
        let fewer = |batch: &RecordBatch| batch.slice(0, batch.num_rows() - 1);
        assert_eq!(link.verify(&[personal.clone()], &[fewer(&rest)]), Err(NotLinked::NonPersonal));
        assert_eq!(link.verify(&[fewer(&personal)], &[rest.clone()]), Err(NotLinked::Changed));
        assert_eq!(link.verify(&[rest.clone()], &[rest.clone()]), Err(NotLinked::Personal));
        let other = separate(&table("driver,speed,plant\nSato,50,A", 2), &dictionary, &key()).unwrap();
        assert!(other.link.verify(&[personal], &[rest]).is_err());
    }
}
