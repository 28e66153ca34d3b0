//! Writes batches as bytes: CSV or an Arrow stream.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The forms in which a table goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// CSV in UTF-8 with a header (RFC 4180, line feeds).
    Csv,
    /// The Arrow IPC stream format.
    ArrowStream,
}

impl Encoding {
    /// The format's name in a distribution and a transfer request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::ArrowStream => "arrow-stream",
        }
    }
}

/// Bytes on their way out of a writer that wants to own its target.
#[derive(Clone, Default)]
struct Pot(Arc<Mutex<Vec<u8>>>);

impl Pot {
    fn pour(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pot {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Writer {
    Csv(arrow_csv::Writer<Pot>),
    Stream(arrow_ipc::writer::StreamWriter<Pot>),
}

/// Encodes the batches of one schema, one after the other; equal batches give equal bytes.
pub struct Encoder {
    writer: Writer,
    pot: Pot,
}

impl Encoder {
    /// Begins; an Arrow stream writes its schema at once, so an empty table is one too.
    pub fn new(encoding: Encoding, schema: &SchemaRef) -> Result<Self, ArrowError> {
        let pot = Pot::default();
        let writer = match encoding {
            Encoding::Csv => {
                let mut writer = arrow_csv::WriterBuilder::new().with_header(true).build(pot.clone());
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                Writer::Csv(writer)
            }
            Encoding::ArrowStream => {
                Writer::Stream(arrow_ipc::writer::StreamWriter::try_new(pot.clone(), schema)?)
            }
        };
        Ok(Self { writer, pot })
    }

    /// Encodes a batch and returns the bytes that it adds.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match &mut self.writer {
            Writer::Csv(writer) => writer.write(batch)?,
            Writer::Stream(writer) => {
                writer.write(batch)?;
                writer.flush()?;
            }
        }
        Ok(self.pot.pour())
    }

    /// Ends and returns the last bytes.
    pub fn finish(mut self) -> Result<Vec<u8>, ArrowError> {
        if let Writer::Stream(writer) = &mut self.writer {
            writer.finish()?;
        }
        let Self { writer, pot } = self;
        drop(writer);
        Ok(pot.pour())
    }
}
