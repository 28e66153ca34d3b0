//! Writes batches as bytes: CSV in UTF-8 or Shift_JIS, Excel, JSON lines, Parquet or an Arrow stream.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

mod excel;

use excel::Workbook;

/// The forms in which a table goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// CSV in UTF-8 with a header (RFC 4180, line feeds).
    Csv,
    /// The same in Shift_JIS as Windows writes it; a character that it lacks refuses the table.
    CsvShiftJis,
    /// An Excel workbook of one sheet, all values as text.
    Excel,
    /// The Arrow IPC stream format.
    ArrowStream,
    /// Parquet, one file.
    Parquet,
    /// One flat JSON object a line, all values as text.
    JsonLines,
}

impl Encoding {
    /// The format's name in a distribution and a transfer request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvShiftJis => "csv-shift-jis",
            Self::Excel => "xlsx",
            Self::ArrowStream => "arrow-stream",
            Self::Parquet => "parquet",
            Self::JsonLines => "json-lines",
        }
    }

    /// The form that a file's extension names.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.ends_with(".sjis.csv") {
            return Some(Self::CsvShiftJis);
        }
        match crate::sheet::extension(path).as_str() {
            "xlsx" => Some(Self::Excel),
            "csv" => Some(Self::Csv),
            "arrow" | "arrows" => Some(Self::ArrowStream),
            "parquet" => Some(Self::Parquet),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Whether values keep their types; else they are written as text.
    pub fn is_typed(self) -> bool {
        matches!(self, Self::ArrowStream | Self::Parquet)
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

fn lines(batch: &RecordBatch, out: &mut Pot) -> Result<(), ArrowError> {
    let schema = batch.schema();
    let cells: Vec<_> = batch.columns().iter().map(pets::cell::Cells::of).collect();
    for row in 0..batch.num_rows() {
        let mut object = serde_json::Map::new();
        for (field, cells) in schema.fields().iter().zip(&cells) {
            let text = cells.as_ref().and_then(|c| c.text(row));
            object.insert(field.name().clone(), text.map_or(serde_json::Value::Null, |t| t.as_ref().into()));
        }
        let line = serde_json::to_vec(&object).map_err(|e| ArrowError::ExternalError(e.into()))?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

// A value that cannot be written is not changed behind its owner's back.
fn shift_jis(bytes: &[u8]) -> Result<Vec<u8>, ArrowError> {
    let text = std::str::from_utf8(bytes).map_err(|e| ArrowError::ExternalError(e.into()))?;
    let (out, _, lacking) = encoding_rs::SHIFT_JIS.encode(text);
    if lacking {
        let why = "a value has a character that Shift_JIS lacks; write .csv, which is UTF-8";
        return Err(ArrowError::InvalidArgumentError(why.into()));
    }
    Ok(out.into_owned())
}

enum Writer {
    Csv(arrow_csv::Writer<Pot>),
    ShiftJis(arrow_csv::Writer<Pot>),
    Excel(Box<Workbook>),
    Stream(arrow_ipc::writer::StreamWriter<Pot>),
    Parquet(Box<parquet::arrow::ArrowWriter<Pot>>),
    Lines,
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
            Encoding::Excel => Writer::Excel(Box::new(Workbook::new(schema)?)),
            Encoding::Csv | Encoding::CsvShiftJis => {
                let mut writer = arrow_csv::WriterBuilder::new().with_header(true).build(pot.clone());
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                if encoding == Encoding::Csv { Writer::Csv(writer) } else { Writer::ShiftJis(writer) }
            }
            Encoding::ArrowStream => {
                Writer::Stream(arrow_ipc::writer::StreamWriter::try_new(pot.clone(), schema)?)
            }
            Encoding::Parquet => {
                Writer::Parquet(Box::new(parquet::arrow::ArrowWriter::try_new(pot.clone(), schema.clone(), None)?))
            }
            Encoding::JsonLines => Writer::Lines,
        };
        Ok(Self { writer, pot })
    }

    /// Encodes a batch and returns the bytes that it adds.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match &mut self.writer {
            Writer::Csv(writer) => writer.write(batch)?,
            Writer::ShiftJis(writer) => {
                writer.write(batch)?;
                return shift_jis(&self.pot.pour());
            }
            Writer::Excel(book) => book.push(batch)?,
            Writer::Stream(writer) => {
                writer.write(batch)?;
                writer.flush()?;
            }
            Writer::Parquet(writer) => writer.write(batch)?,
            Writer::Lines => lines(batch, &mut self.pot)?,
        }
        Ok(self.pot.pour())
    }

    /// Ends and returns the last bytes.
    pub fn finish(mut self) -> Result<Vec<u8>, ArrowError> {
        if let Writer::Stream(writer) = &mut self.writer {
            writer.finish()?;
        }
        let Self { writer, pot } = self;
        match writer {
            Writer::Excel(book) => return book.finish(),
            Writer::ShiftJis(writer) => {
                drop(writer);
                return shift_jis(&pot.pour());
            }
            Writer::Parquet(writer) => drop(writer.close()?),
            other => drop(other),
        }
        Ok(pot.pour())
    }
}
