//! A secret in shares, and tokens turned back by whoever brings enough of them.

use super::{ProtectError, csv};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use dataplane::table::Table;
use pets::cell::{Cells, as_text};
use pets::pseudonym::DomainKey;
use pets::shares::{Share, join, random_bytes, split};
use std::path::Path;
use std::sync::Arc;

/// Splits a secret with random bytes of the operating system, which are kept nowhere.
pub fn share(secret: &[u8], needed: u8, of: u8) -> Result<Vec<Share>, ProtectError> {
    let mut random = vec![0; random_bytes(secret.len(), needed)];
    getrandom::fill(&mut random).map_err(|e| ProtectError::Document(format!("no random bytes: {e}")))?;
    split(secret, needed, of, &random).map_err(ProtectError::NotShared)
}

/// LIMIT: bytes of one share's file.
const SHARE_BYTES_MAX: u64 = 64 << 10;

/// Joins the secret from files of shares.
pub fn joined(paths: &[impl AsRef<Path>]) -> Result<Vec<u8>, ProtectError> {
    let read = |path: &Path| -> Result<Share, ProtectError> {
        let wrong = |why: String| ProtectError::Document(format!("`{}` {why}", path.display()));
        let size = std::fs::metadata(path).map_err(|e| wrong(format!("cannot be read: {e}")))?.len();
        if size > SHARE_BYTES_MAX {
            return Err(wrong("is no share".into()));
        }
        let bytes = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        serde_json::from_slice(&bytes).map_err(|_| wrong("is no share".into()))
    };
    let shares = paths.iter().map(|p| read(p.as_ref())).collect::<Result<Vec<_>, _>>()?;
    join(&shares).map_err(ProtectError::NotShared)
}

/// Turns the tokens of a column back; returns the table as CSV and how many were turned.
pub fn reveal(
    table: &Path,
    column: &str,
    namespace: &str,
    key: &DomainKey,
) -> Result<(Vec<u8>, u64), ProtectError> {
    let wrong = |why: String| ProtectError::Document(format!("`{}`: {why}", table.display()));
    let (mut out, mut turned, mut row_of_file) = (Vec::new(), 0, 0u64);
    for batch in Table::open(table, None)?.all()? {
        let batch = as_text(&batch).map_err(|e| ProtectError::Encoding(e.to_string()))?;
        let place = batch.schema().index_of(column).map_err(|_| wrong(format!("there is no column `{column}`")))?;
        let cells = Cells::of(batch.column(place)).ok_or_else(|| wrong(format!("column `{column}` holds no tokens")))?;
        let mut values: Vec<Option<String>> = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            row_of_file += 1;
            let value = cells.text(row).map(|token| {
                key.value(namespace, &token)
                    .ok_or_else(|| wrong(format!("record {row_of_file} of `{column}` is no token of this domain and namespace")))
            });
            values.push(value.transpose()?);
        }
        turned += values.iter().flatten().count() as u64;
        let mut columns = batch.columns().to_vec();
        if let Some(slot) = columns.get_mut(place) {
            *slot = Arc::new(StringArray::from(values)) as ArrayRef;
        }
        out.push(RecordBatch::try_new(batch.schema(), columns).map_err(|e| ProtectError::Encoding(e.to_string()))?);
    }
    Ok((csv(&out).map_err(|e| ProtectError::Encoding(e.to_string()))?, turned))
}
