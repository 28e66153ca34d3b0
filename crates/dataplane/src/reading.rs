//! A place in a source, from which chunks are cut one after the other.

use crate::chunk::Cutter;
use crate::encode::Encoder;
use crate::flow::{Content, FlowError};
use crate::sheet::SheetError;
use crate::table::{BATCH_BYTES, Table};
use model::Digest;
use pets::transform::Border;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

/// A place in the source.
pub(crate) struct Reading {
    next: u64,
    size: usize,
    from: From,
}

enum From {
    File { file: File, path: PathBuf },
    Staged { cutter: Cutter<File>, path: PathBuf, hash: Sha256, content: Digest },
    Table(Box<TableReading>),
}

struct TableReading {
    table: Table,
    border: Border,
    encoder: Option<Encoder>,
    waiting: Vec<u8>,
    rows: u64,
}

impl Reading {
    pub(crate) fn start(content: &Content, size: usize) -> Result<Self, FlowError> {
        let open =
            |path: &PathBuf| File::open(path).map_err(|e| FlowError::Source(SheetError::opening(path, e)));
        let from = match content {
            Content::File(path) => From::File { file: open(path)?, path: path.clone() },
            Content::Staged { path, content, .. } => From::Staged {
                cutter: Cutter::new(open(path)?, size),
                path: path.clone(),
                hash: Sha256::new(),
                content: *content,
            },
            Content::InFlight { path, plan, key, encoding } => {
                let table = Table::open(path, None).map_err(FlowError::Source)?;
                let border = Border::prepare(plan, table.schema(), key.clone()).map_err(FlowError::Border)?;
                let encoder = Encoder::new(*encoding, border.schema()).map_err(FlowError::Encode)?;
                From::Table(Box::new(TableReading {
                    table,
                    border,
                    encoder: Some(encoder),
                    waiting: Vec::with_capacity(size + 2 * BATCH_BYTES),
                    rows: 0,
                }))
            }
        };
        Ok(Self { next: 0, size, from })
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        match &self.from {
            From::Table(table) => table.border.schema().fields().iter().map(|f| f.name().clone()).collect(),
            From::File { .. } | From::Staged { .. } => Vec::new(),
        }
    }

    /// The number of the chunk that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Goes to the beginning of a chunk of a file; nothing else can be read from its middle.
    pub(crate) fn seek(&mut self, number: u64) -> Result<(), FlowError> {
        if let From::File { file, path } = &mut self.from {
            let place = number.saturating_mul(self.size as u64);
            file.seek(SeekFrom::Start(place)).map_err(|e| FlowError::Source(SheetError::opening(path, e)))?;
            self.next = number;
        }
        Ok(())
    }

    /// The bytes of the next chunk and its rows; none after the last.
    pub(crate) fn cut(&mut self) -> Result<Option<(Vec<u8>, u64)>, FlowError> {
        let opaque = |bytes: Option<Vec<u8>>| bytes.map(|bytes| (bytes, 0));
        let cut = match &mut self.from {
            From::File { file, path } => Cutter::new(file, self.size)
                .cut_bytes()
                .map(opaque)
                .map_err(|e| FlowError::Source(SheetError::opening(path, e)))?,
            From::Staged { cutter, path, hash, content } => {
                let bytes = cutter.cut_bytes().map_err(|e| FlowError::Source(SheetError::opening(path, e)))?;
                match &bytes {
                    Some(bytes) => hash.update(bytes),
                    None if Digest(hash.clone().finalize().into()) != *content => {
                        return Err(FlowError::NotTheRelease);
                    }
                    None => {}
                }
                opaque(bytes)
            }
            From::Table(table) => table.cut(self.size)?,
        };
        self.next += u64::from(cut.is_some());
        Ok(cut)
    }
}

impl TableReading {
    fn cut(&mut self, size: usize) -> Result<Option<(Vec<u8>, u64)>, FlowError> {
        while self.waiting.len() < size {
            let Some(encoder) = &mut self.encoder else { break };
            match self.table.batch().map_err(FlowError::Source)? {
                Some(batch) => {
                    let batch = self.border.apply(&batch).map_err(FlowError::Border)?;
                    self.waiting.extend(encoder.push(&batch).map_err(FlowError::Encode)?);
                    self.rows += batch.num_rows() as u64;
                }
                None => {
                    if let Some(encoder) = self.encoder.take() {
                        self.waiting.extend(encoder.finish().map_err(FlowError::Encode)?);
                    }
                }
            }
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        // Room for the next chunk and the batch that goes over its end, so that it does not grow by doubling.
        let end = size.min(self.waiting.len());
        let mut rest = Vec::with_capacity(if self.encoder.is_some() { size + 2 * BATCH_BYTES } else { 0 });
        rest.extend_from_slice(self.waiting.get(end..).unwrap_or_default());
        self.waiting.truncate(end);
        let bytes = std::mem::replace(&mut self.waiting, rest);
        // Rows count where their bytes were encoded; over all chunks the sum is exact.
        Ok(Some((bytes, std::mem::take(&mut self.rows))))
    }
}
