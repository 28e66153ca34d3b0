//! A flow: chunks that go out while a pass and its lease stand.

use crate::ahead::Ahead;
use crate::chunk::Piece;
use crate::encode::Encoding;
use crate::meter::Meter;
use crate::reading::Reading;
use crate::sheet::SheetError;
use model::Digest;
use pass::{Form, Pass};
use pets::plan::Plan;
use pets::pseudonym::DomainKey;
use pets::transform::Refusal;
use std::fmt;
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

    /// Whether a chunk can be read without those before it.
    fn seeks(&self) -> bool {
        matches!(self, Self::File(_))
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
    /// The thread that reads ahead is gone.
    Reader,
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
            Self::Reader => "dataplane/reader",
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
            Self::Reader => f.write_str("the thread that reads the source could not start or died"),
        }
    }
}

impl std::error::Error for FlowError {}

/// A running flow. It holds few chunks beside the batch being encoded, whatever the size of the source.
pub struct Flow {
    pass: Pass,
    content: Content,
    lease: Lease,
    size: usize,
    columns: Vec<String>,
    ahead: Option<Ahead>,
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
        // The border is asked now, so that a column that must not go stops the flow before its first byte.
        let reading = Reading::start(&content, size)?;
        let columns = reading.columns();
        let ahead = Some(Ahead::start(reading));
        let meter = Meter::default();
        Ok(Self { pass, content, lease, size, columns, ahead, kept: None, meter, reached: 0 })
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
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Gives chunk `number`, counted from 0; none after the last. The lease is asked first, every time.
    pub fn chunk(&mut self, number: u64) -> Result<Option<Piece>, FlowError> {
        (self.lease)().map_err(FlowError::Stopped)?;
        if let Some((_, piece)) = self.kept.as_ref().filter(|(at, _)| *at == number) {
            self.meter.again();
            return Ok(Some(piece.clone()));
        }
        // What was given before makes room before the next is waited for.
        self.kept = None;
        let mut ahead = match self.ahead.take() {
            Some(ahead) if ahead.next() == number => ahead,
            Some(ahead) if ahead.next() < number && !self.content.seeks() => ahead,
            _ => {
                let mut reading = Reading::start(&self.content, self.size)?;
                if self.content.seeks() {
                    reading.seek(number)?;
                }
                Ahead::start(reading)
            }
        };
        let piece = ahead.chunk(number)?;
        self.ahead = Some(ahead);
        if let Some(piece) = &piece {
            if number >= self.reached {
                self.meter.first(piece.chunk());
                self.reached = number + 1;
            } else {
                self.meter.again();
            }
            self.kept = Some((number, piece.clone()));
        }
        // INVARIANT: a lease that fell while the chunk was being made holds it back too.
        (self.lease)().map_err(FlowError::Stopped)?;
        Ok(piece)
    }
}

#[cfg(test)]
mod tests;
