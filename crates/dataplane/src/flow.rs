//! A flow: chunks that go out while a pass and its lease stand.

use crate::chunk::{Cutter, Piece};
use crate::encode::{Encoder, Encoding};
use crate::meter::Meter;
use crate::sheet::SheetError;
use crate::table::Table;
use model::Digest;
use pass::{Form, Pass};
use pets::plan::Plan;
use pets::pseudonym::DomainKey;
use pets::transform::{Border, Refusal};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

/// What goes out. Every kind gives the same chunks each time it is read from the start.
pub enum Content {
    /// A file as it is.
    File(PathBuf),
    /// A table through a plan, row by row, in flight; it claims nothing about the whole.
    InFlight {
        /// The table.
        path: PathBuf,
        /// What happens to each column; a column that it does not name stops at the border.
        plan: Plan,
        /// The key of pseudonyms, if the plan makes any.
        key: Option<DomainKey>,
        /// The form in which it goes.
        encoding: Encoding,
    },
    /// A release that was made and measured before: its bytes are those that the sealed report names.
    Staged {
        /// The bytes.
        path: PathBuf,
        /// The digest of the report.
        report: Digest,
        /// The digest of the bytes, from the report.
        content: Digest,
    },
}

impl Content {
    /// The form that a pass must name for this.
    pub fn form(&self) -> Form {
        match self {
            Self::File(_) | Self::InFlight { .. } => Form::Raw,
            Self::Staged { report, .. } => Form::Release(*report),
        }
    }
}

/// Why a flow stands still: who asked for the lease is told this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// The stable code, such as `node/law-turned`.
    pub code: String,
    /// Rule ids and articles.
    pub rules: Vec<String>,
    /// One line for people.
    pub says: String,
}

/// Asks whether the lease stands at this moment.
pub type Lease = Box<dyn Fn() -> Result<(), Stopped> + Send>;

/// Why no chunk comes.
#[derive(Debug)]
pub enum FlowError {
    /// The pass is for another form of data.
    OtherForm,
    /// The lease does not stand.
    Stopped(Stopped),
    /// The source cannot be read.
    Source(SheetError),
    /// The plan does not fit the table: a column stops at the border.
    Border(Refusal),
    /// The batch could not be encoded.
    Encode(arrow_schema::ArrowError),
    /// The bytes are not those that the report was made for.
    NotTheRelease,
}

impl FlowError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::OtherForm => "dataplane/other-form",
            Self::Stopped(stopped) => &stopped.code,
            Self::Source(error) => error.code(),
            Self::Border(refusal) => refusal.code(),
            Self::Encode(_) => "dataplane/encode",
            Self::NotTheRelease => "dataplane/not-the-release",
        }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherForm => f.write_str("the pass is for another form of the data"),
            Self::Stopped(stopped) => f.write_str(&stopped.says),
            Self::Source(error) => write!(f, "{error}"),
            Self::Border(refusal) => write!(f, "{refusal}"),
            Self::Encode(error) => write!(f, "the table cannot be encoded: {error}"),
            Self::NotTheRelease => f.write_str("the bytes are not those that the sealed report was made for"),
        }
    }
}

impl std::error::Error for FlowError {}

/// A running flow. It holds one chunk at most beside the batch being encoded, whatever the size of the source.
pub struct Flow {
    pass: Pass,
    content: Content,
    lease: Lease,
    size: usize,
    reading: Option<Reading>,
    kept: Option<(u64, Piece)>,
    meter: Meter,
    reached: u64,
}

impl Flow {
    /// Opens with a pass; refuses content of another form than the pass names.
    pub fn open(pass: Pass, content: Content, lease: Lease, size: usize) -> Result<Self, FlowError> {
        if pass.scope().form != content.form() {
            return Err(FlowError::OtherForm);
        }
        let mut flow = Self {
            pass,
            content,
            lease,
            size,
            reading: None,
            kept: None,
            meter: Meter::default(),
            reached: 0,
        };
        // The border is asked now, so that a column that must not go stops the flow before its first byte.
        flow.reading = Some(Reading::start(&flow.content, flow.size)?);
        Ok(flow)
    }

    /// The pass that it rests on.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Puts a new pass and lease under a flow that was stopped and decided afresh.
    pub fn renew(&mut self, pass: Pass, lease: Lease) -> Result<(), FlowError> {
        if pass.scope().form != self.content.form() {
            return Err(FlowError::OtherForm);
        }
        (self.pass, self.lease) = (pass, lease);
        Ok(())
    }

    /// What it moved so far.
    pub fn meter(&self) -> Meter {
        self.meter
    }

    /// Names of the columns that go out, empty for opaque bytes.
    pub fn columns(&self) -> Vec<String> {
        self.reading.as_ref().map(Reading::columns).unwrap_or_default()
    }

    /// Gives chunk `number`, counted from 0; none after the last. The lease is asked first, every time.
    pub fn chunk(&mut self, number: u64) -> Result<Option<Piece>, FlowError> {
        (self.lease)().map_err(FlowError::Stopped)?;
        if let Some((at, piece)) = self.kept.as_ref().filter(|(at, _)| *at == number) {
            debug_assert_eq!(*at, number);
            self.meter.again();
            return Ok(Some(piece.clone()));
        }
        let mut reading = match self.reading.take() {
            Some(reading) if reading.next <= number => reading,
            _ => Reading::start(&self.content, self.size)?,
        };
        reading.skip_to(number)?;
        let piece = reading.cut()?;
        self.reading = Some(reading);
        if let Some(piece) = &piece {
            if number >= self.reached {
                self.meter.first(&piece.chunk);
                self.reached = number + 1;
            } else {
                self.meter.again();
            }
            self.kept = Some((number, piece.clone()));
        }
        Ok(piece)
    }
}

/// A place in the source.
struct Reading {
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
    fn start(content: &Content, size: usize) -> Result<Self, FlowError> {
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
                    waiting: Vec::new(),
                    rows: 0,
                }))
            }
        };
        Ok(Self { next: 0, size, from })
    }

    fn columns(&self) -> Vec<String> {
        match &self.from {
            From::Table(table) => table.border.schema().fields().iter().map(|f| f.name().clone()).collect(),
            From::File { .. } | From::Staged { .. } => Vec::new(),
        }
    }

    fn skip_to(&mut self, number: u64) -> Result<(), FlowError> {
        if let From::File { file, path } = &mut self.from {
            let place = number.saturating_mul(self.size as u64);
            file.seek(SeekFrom::Start(place)).map_err(|e| FlowError::Source(SheetError::opening(path, e)))?;
            self.next = number;
        }
        while self.next < number {
            if self.cut()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<Option<Piece>, FlowError> {
        let piece = match &mut self.from {
            From::File { file, path } => Cutter::new(file, self.size)
                .cut()
                .map_err(|e| FlowError::Source(SheetError::opening(path, e)))?,
            From::Staged { cutter, path, hash, content } => {
                let piece = cutter.cut().map_err(|e| FlowError::Source(SheetError::opening(path, e)))?;
                match &piece {
                    Some(piece) => hash.update(&piece.bytes),
                    None if Digest(hash.clone().finalize().into()) != *content => {
                        return Err(FlowError::NotTheRelease);
                    }
                    None => {}
                }
                piece
            }
            From::Table(table) => table.cut(self.size)?,
        };
        self.next += u64::from(piece.is_some());
        Ok(piece)
    }
}

impl TableReading {
    fn cut(&mut self, size: usize) -> Result<Option<Piece>, FlowError> {
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
        let rest = self.waiting.split_off(size.min(self.waiting.len()));
        let bytes = std::mem::replace(&mut self.waiting, rest);
        // Rows count where their bytes were encoded; over all chunks the sum is exact.
        Ok(Some(Piece::of(bytes, std::mem::take(&mut self.rows))))
    }
}

#[cfg(test)]
mod tests;
