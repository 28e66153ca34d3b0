//! JSON lines as Arrow batches of text: one flat object a line.
//!
//! The first object names the columns. A field that appears later is refused with its line, because nobody has said what it
//! holds; nested values are refused for the same reason.

use crate::sheet::SheetError;
use crate::table::{BATCH_ROWS, Batches, texts};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, SchemaRef};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

/// LIMIT: bytes of one line.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Opens a file of JSON lines.
pub(crate) fn open(path: &Path) -> Result<(SchemaRef, Batches), SheetError> {
    let file = File::open(path).map_err(|e| SheetError::opening(path, e))?;
    let mut lines = Lines { from: BufReader::with_capacity(256 << 10, file), line: 0 };
    let damaged = |e: ArrowError| SheetError::damaged(path, "JSON lines", e);
    let Some(first) = lines.next().transpose().map_err(damaged)? else {
        return Err(SheetError::Empty(path.to_owned()));
    };
    let names: Vec<String> = first.1.keys().cloned().collect();
    if names.is_empty() {
        return Err(SheetError::Empty(path.to_owned()));
    }
    let schema = texts(&names);
    let mut rows = std::iter::once(Ok(first)).chain(lines);
    let of = schema.clone();
    let batches = std::iter::from_fn(move || batch(&mut rows, &names, &of));
    Ok((schema, Box::new(batches)))
}

type Object = serde_json::Map<String, Value>;
type Numbered = (u64, Object);

fn batch(
    rows: &mut impl Iterator<Item = Result<Numbered, ArrowError>>,
    names: &[String],
    schema: &SchemaRef,
) -> Option<Result<RecordBatch, ArrowError>> {
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    let mut count = 0;
    for row in rows.by_ref().take(BATCH_ROWS) {
        let cells = match row.and_then(|row| cells(row, names)) {
            Ok(cells) => cells,
            Err(e) => return Some(Err(e)),
        };
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
        count += 1;
    }
    let arrays = columns.into_iter().map(|c| Arc::new(StringArray::from(c)) as ArrayRef).collect();
    (count > 0).then(|| RecordBatch::try_new(schema.clone(), arrays))
}

fn cells((line, mut object): Numbered, names: &[String]) -> Result<Vec<Option<String>>, ArrowError> {
    let wrong = |why: String| ArrowError::ParseError(format!("line {line} {why}"));
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        out.push(match object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            // As the number is counted elsewhere, so that 2.50 and 2.5 are one value.
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(truth)) => Some(truth.to_string()),
            Some(_) => return Err(wrong(format!("has a nested value in `{name}`"))),
        });
    }
    match object.keys().next() {
        Some(later) => Err(wrong(format!("has a field `{later}` that the first line has not"))),
        None => Ok(out),
    }
}

struct Lines {
    from: BufReader<File>,
    line: u64,
}

impl Iterator for Lines {
    type Item = Result<Numbered, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut text = Vec::new();
            self.line += 1;
            let wrong = |why: &str| ArrowError::ParseError(format!("line {} {why}", self.line));
            match self.from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text) {
                Ok(0) => return None,
                Ok(n) if n as u64 == LINE_BYTES_MAX => return Some(Err(wrong("is longer than 16 MiB"))),
                Ok(_) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(_) => {}
                Err(e) => return Some(Err(e.into())),
            }
            // The reader's own words could quote the line.
            return Some(match serde_json::from_slice::<Object>(&text) {
                Ok(object) => Ok((self.line, object)),
                Err(_) => Err(wrong("is no JSON object")),
            });
        }
    }
}
