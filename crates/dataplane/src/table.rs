//! Tables as Arrow batches: CSV (UTF-8 or Shift_JIS), JSON lines, Parquet, Arrow IPC and Excel, read as they are needed.

use crate::sheet::{self, Charset, SheetError, extension};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use crate::guard::{Guarded, guarded};
use crate::lines;
use crate::quotes::Quotes;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// LIMIT: rows of one batch.
pub const BATCH_ROWS: usize = 8192;
/// About how many bytes of text one batch of CSV is made from, judged by the first rows.
pub(crate) const BATCH_BYTES: usize = 1 << 20;

pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// An open table: a schema and batches of it.
pub struct Table {
    schema: SchemaRef,
    batches: Batches,
    path: PathBuf,
    format: &'static str,
}

impl Table {
    /// Opens a table by its extension. CSV and Excel columns are text; Parquet keeps its types.
    pub fn open(path: &Path, charset: Option<Charset>) -> Result<Self, SheetError> {
        let made = |schema, batches, format| Self { schema, batches, path: path.to_owned(), format };
        match extension(path).as_str() {
            "csv" | "txt" => open_csv(path, charset).map(|(s, b)| made(s, b, "CSV")),
            "parquet" => open_parquet(path).map(|(s, b)| made(s, b, "Parquet")),
            "xlsx" | "xlsm" => open_excel(path).map(|(s, b)| made(s, b, "Excel")),
            "arrow" | "arrows" | "feather" => open_arrow(path).map(|(s, b)| made(s, b, "Arrow IPC")),
            "jsonl" | "ndjson" => lines::open(path).map(|(s, b)| made(s, b, "JSON lines")),
            _ => Err(SheetError::UnknownFormat(path.to_owned())),
        }
    }

    /// The schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads the next batch; none at the end.
    pub fn batch(&mut self) -> Result<Option<RecordBatch>, SheetError> {
        self.batches.next().transpose().map_err(|e| fault(&self.path, self.format, &e))
    }

    /// Reads the whole table; for tables that fit memory.
    pub fn all(mut self) -> Result<Vec<RecordBatch>, SheetError> {
        let mut out = Vec::new();
        while let Some(batch) = self.batch()? {
            out.push(batch);
        }
        Ok(out)
    }
}

/// Reads a table that was pasted: a first line with the names of columns, then a record a line, with commas, semicolons or tabs.
pub fn pasted(text: &str) -> Result<Vec<RecordBatch>, SheetError> {
    let (name, text) = (Path::new("pasted"), text.trim_start_matches('\u{feff}'));
    let most = sheet::delimiter(text.lines().next().unwrap_or_default());
    if let Some(line) = Quotes::left_open(text, most) {
        return Err(SheetError::OpenQuote { path: name.to_owned(), line });
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(most).from_reader(text.as_bytes());
    let header: Vec<String> =
        reader.headers().map_err(|e| worded(name, "CSV", e.to_string()))?.iter().map(|h| h.trim().to_owned()).collect();
    if header.iter().all(String::is_empty) {
        return Err(SheetError::Empty(name.to_owned()));
    }
    arrow_csv::ReaderBuilder::new(texts(&header))
        .with_header(true)
        .with_delimiter(most)
        .build(io::Cursor::new(text))
        .and_then(Iterator::collect)
        .map_err(|e| fault(name, "CSV", &e))
}

pub(crate) fn texts<S: AsRef<str>>(header: &[S]) -> SchemaRef {
    Arc::new(Schema::new(
        header.iter().map(|n| Field::new(n.as_ref(), DataType::Utf8, true)).collect::<Vec<_>>(),
    ))
}

fn open_csv(path: &Path, charset: Option<Charset>) -> Result<(SchemaRef, Batches), SheetError> {
    let open = || File::open(path).map_err(|e| SheetError::opening(path, e));
    // LIMIT: the encoding is found out from the first 64 KiB; what follows is checked as it is read.
    let mut head = Vec::new();
    open()?.take(64 << 10).read_to_end(&mut head).map_err(|e| SheetError::opening(path, e))?;
    let guessed = guess(&head);
    if let (None, Some(Charset::ShiftJis), Some(at)) = (charset, guessed, sheet::mixed(&head)) {
        return Err(SheetError::WrongEncoding { path: path.to_owned(), at });
    }
    let charset = charset.or(guessed).unwrap_or(Charset::Utf8);
    // Comma, semicolon and tab are the same bytes in every encoding that is read here.
    let most = sheet::delimiter(String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
    let decoded = || -> Result<Decoded, SheetError> { Ok(Decoded::new(open()?, charset, most)) };
    let mut reader = csv::ReaderBuilder::new().delimiter(most).from_reader(decoded()?);
    let header: Vec<String> =
        reader.headers().map_err(|e| worded(path, "CSV", e.to_string()))?.iter().map(str::to_owned).collect();
    if header.iter().all(|h| h.trim().is_empty()) {
        return Err(SheetError::Empty(path.to_owned()));
    }
    let schema = texts(&header);
    let batches = arrow_csv::ReaderBuilder::new(schema.clone())
        .with_header(true)
        .with_delimiter(most)
        .with_batch_size(rows_of_a_batch(&head))
        .build(decoded()?)
        .map_err(|e| fault(path, "CSV", &e))?;
    Ok((schema, Box::new(batches)))
}

/// Wide rows come in smaller batches, so that a table of any width fits the memory.
fn rows_of_a_batch(head: &[u8]) -> usize {
    let n_lines = head.iter().filter(|b| **b == b'\n').count().max(1);
    (BATCH_BYTES / (head.len() / n_lines).max(1)).clamp(16, BATCH_ROWS)
}

/// The encoding that a beginning suggests; its last bytes may be half a character.
fn guess(head: &[u8]) -> Option<Charset> {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Some(Charset::Utf16);
    }
    match std::str::from_utf8(head) {
        Ok(_) => Some(Charset::Utf8),
        Err(e) if e.error_len().is_none() => Some(Charset::Utf8),
        Err(_) => Some(Charset::ShiftJis),
    }
}

/// Bytes decoded to UTF-8 as they are read; a byte that does not fit is an error, not a replacement, and so is a quote that
/// stays open.
struct Decoded {
    from: BufReader<File>,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    start: usize,
    text: Vec<u8>,
    given: usize,
    offset: u64,
    ended: bool,
    quotes: Quotes,
}

impl Decoded {
    fn new(from: File, charset: Charset, delimiter: u8) -> Self {
        let decoder = match charset {
            Charset::Utf8 => encoding_rs::UTF_8.new_decoder_with_bom_removal(),
            Charset::ShiftJis => encoding_rs::SHIFT_JIS.new_decoder_without_bom_handling(),
            // The mark at its beginning says which of the two orders it is.
            Charset::Utf16 => encoding_rs::UTF_16LE.new_decoder(),
        };
        let from = BufReader::with_capacity(256 << 10, from);
        let quotes = Quotes::new(delimiter);
        Self { from, decoder, raw: Vec::new(), start: 0, text: Vec::new(), given: 0, offset: 0, ended: false, quotes }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.raw.len() {
            self.raw.resize(64 << 10, 0);
            let n = self.from.read(&mut self.raw)?;
            self.raw.truncate(n);
            self.start = 0;
            self.ended = n == 0;
        }
        self.text.resize(256 << 10, 0);
        let rest = self.raw.get(self.start..).unwrap_or_default();
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(rest, &mut self.text, self.ended);
        self.text.truncate(written);
        self.given = 0;
        self.start += read;
        self.offset += read as u64;
        match result {
            encoding_rs::DecoderResult::Malformed(..) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("wrong encoding before byte {}", self.offset),
            )),
            _ => self.quotes.read(&self.text).map_err(left_open),
        }
    }

    /// Nothing more comes: a table that ends within quotes is no whole table.
    fn end(&self) -> io::Result<usize> {
        self.quotes.open().map_or(Ok(0), |line| Err(left_open(line)))
    }
}

fn left_open(line: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{LEFT_OPEN}{line}"))
}

const LEFT_OPEN: &str = "a quote stays open from line ";

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.ended && self.start == self.raw.len() && self.offset > 0 && self.raw.is_empty() {
                return self.end();
            }
            self.fill()?;
            if self.ended && self.text.is_empty() {
                return self.end();
            }
        }
        let rest = self.text.get(self.given..).unwrap_or_default();
        let n = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given += n;
        Ok(n)
    }
}

fn open_parquet(path: &Path) -> Result<(SchemaRef, Batches), SheetError> {
    let file = File::open(path).map_err(|e| SheetError::opening(path, e))?;
    let damaged = |e: parquet::errors::ParquetError| SheetError::damaged(path, "Parquet", e);
    let open = || {
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?;
        let schema = builder.schema().clone();
        Ok((schema, builder.with_batch_size(BATCH_ROWS).build()?))
    };
    let (schema, reader) = guarded(open).map_err(|said| SheetError::damaged(path, "Parquet", said))?.map_err(damaged)?;
    Ok((schema, Box::new(Guarded::new(reader))))
}

/// Both forms of Arrow IPC: the file, which begins with its magic, and the stream.
fn open_arrow(path: &Path) -> Result<(SchemaRef, Batches), SheetError> {
    let mut file = File::open(path).map_err(|e| SheetError::opening(path, e))?;
    let mut magic = [0; 6];
    let is_file = file.read_exact(&mut magic).is_ok() && magic == *b"ARROW1";
    file.rewind().map_err(|e| SheetError::opening(path, e))?;
    let damaged = |e: ArrowError| SheetError::damaged(path, "Arrow IPC", e);
    let buffered = BufReader::new(file);
    let open = || -> Result<(SchemaRef, Batches), ArrowError> {
        if is_file {
            let reader = arrow_ipc::reader::FileReader::try_new(buffered, None)?;
            return Ok((reader.schema(), Box::new(Guarded::new(reader))));
        }
        let reader = arrow_ipc::reader::StreamReader::try_new(buffered, None)?;
        Ok((reader.schema(), Box::new(Guarded::new(reader))))
    };
    guarded(open).map_err(|said| SheetError::damaged(path, "Arrow IPC", said))?.map_err(damaged)
}

fn open_excel(path: &Path) -> Result<(SchemaRef, Batches), SheetError> {
    let sheet = sheet::read(path, None)?;
    let schema = texts(&sheet.header);
    let of = schema.clone();
    let width = sheet.header.len();
    let chunks: Vec<Vec<sheet::Row>> = sheet.rows.chunks(BATCH_ROWS).map(<[sheet::Row]>::to_vec).collect();
    let batches = chunks.into_iter().map(move |rows| {
        let column = |at: usize| -> ArrayRef {
            Arc::new(StringArray::from_iter(
                rows.iter().map(|r| r.cells.get(at).map(String::as_str).filter(|c| !c.is_empty())),
            ))
        };
        RecordBatch::try_new(of.clone(), (0..width).map(column).collect())
    });
    Ok((schema, Box::new(batches)))
}

/// Puts a reader's complaint into our words: the line of a ragged row, the place of a wrong byte.
fn fault(path: &Path, format: &'static str, error: &ArrowError) -> SheetError {
    worded(path, format, error.to_string())
}

fn worded(path: &Path, format: &'static str, text: String) -> SheetError {
    let number = |after: &str| -> Option<u64> {
        let rest = text.split_once(after)?.1;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    if let (Some(line), Some(expected), Some(found)) =
        (number("for line "), number("expected "), number("got "))
    {
        return SheetError::Ragged { path: path.to_owned(), line, expected, found };
    }
    if let Some(at) = number("wrong encoding before byte ") {
        return SheetError::WrongEncoding { path: path.to_owned(), at: at as usize };
    }
    if let Some(line) = number(LEFT_OPEN) {
        return SheetError::OpenQuote { path: path.to_owned(), line };
    }
    SheetError::damaged(path, format, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn of(name: &str, bytes: &[u8]) -> Result<Vec<RecordBatch>, SheetError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        Table::open(&path, None)?.all()
    }

    fn cell(batches: &[RecordBatch], column: usize, row: usize) -> String {
        let array = batches[0].column(column).as_any().downcast_ref::<StringArray>().unwrap();
        array.value(row).to_owned()
    }

    #[test]
    fn csv_in_both_encodings() {
        let text = "名前,年\n山田,34\n鈴木,\n";
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        for bytes in [text.as_bytes(), &sjis, format!("\u{feff}{text}").as_bytes()] {
            let batches = of("a.csv", bytes).unwrap();
            assert_eq!((cell(&batches, 0, 0).as_str(), cell(&batches, 1, 0).as_str()), ("山田", "34"));
            assert_eq!(batches[0].schema().field(0).name(), "名前");
            assert_eq!(batches[0].num_rows(), 2);
        }
        // Longer than every buffer on the way, with a character across each border.
        let long = format!("a\n{}", "あ\n".repeat(200_000));
        assert_eq!(
            of("a.csv", long.as_bytes()).unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(),
            200_000
        );
    }

    #[test]
    fn faults_name_their_place() {
        let ragged = of("a.csv", b"a,b\n1,2\n1,2,3\n").unwrap_err();
        assert!(matches!(ragged, SheetError::Ragged { line: 3, expected: 2, found: 3, .. }), "{ragged}");
        let wrong = of("a.csv", b"a,b\n1,\xff\xff\n").unwrap_err();
        assert_eq!(wrong.code(), "dataplane/wrong-encoding", "{wrong}");
        // Cut within the last cell, opened by mistake, and opened in the header.
        for (text, at) in [("a,b\n1,2\n3,\"4", 3), ("a,b\n\"1,2\n3,4\n", 2), ("a,\"b\n1,2\n", 1)] {
            let error = of("a.csv", text.as_bytes()).unwrap_err();
            assert!(matches!(error, SheetError::OpenQuote { line, .. } if line == at), "{error}");
            assert_eq!(pasted(text).unwrap_err().code(), "dataplane/open-quote");
        }
        assert_eq!(of("a.csv", b"a,b\n\"1 \"\"x\"\"\",\"two\nlines\"\n").unwrap()[0].num_rows(), 1);
    }

    #[test]
    fn every_form_gives_the_same_table_back() {
        use crate::encode::{Encoder, Encoding};
        let batches = of("a.csv", "名前,年\n山田,34\n鈴木,\n".as_bytes()).unwrap();
        for (name, encoding) in [
            ("a.csv", Encoding::Csv),
            ("a.sjis.csv", Encoding::CsvShiftJis),
            ("a.xlsx", Encoding::Excel),
            ("a.arrow", Encoding::ArrowStream),
            ("a.parquet", Encoding::Parquet),
            ("a.jsonl", Encoding::JsonLines),
        ] {
            assert_eq!(Encoding::of(Path::new(name)), Some(encoding));
            let mut encoder = Encoder::new(encoding, &batches[0].schema()).unwrap();
            let mut bytes = encoder.push(&batches[0]).unwrap();
            bytes.extend(encoder.finish().unwrap());
            let again = of(name, &bytes).unwrap();
            let texts = |b: &[RecordBatch]| {
                let text = pets::cell::as_text(&b[0]).unwrap();
                let column = |n: &str| format!("{:?}", text.column_by_name(n).unwrap());
                (column("名前"), column("年"))
            };
            assert_eq!(texts(&again), texts(&batches), "{name}");
            let cut = of(name, &bytes[..bytes.len() * 2 / 5]);
            assert!(name.ends_with(".csv") || cut.is_err(), "{name}");
        }
        // What a form cannot hold refuses, and no value is in the message.
        let smile = of("a.csv", "a\n😀\n".as_bytes()).unwrap();
        let mut encoder = Encoder::new(Encoding::CsvShiftJis, &smile[0].schema()).unwrap();
        let why = encoder.push(&smile[0]).unwrap_err().to_string();
        assert!(why.contains("Shift_JIS") && !why.contains('😀'), "{why}");
        let text = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n\n{\"b\":null,\"a\":2.50}\n";
        let table = of("a.jsonl", text.as_bytes()).unwrap();
        assert_eq!((cell(&table, 0, 0).as_str(), cell(&table, 0, 2).as_str(), table[0].num_rows()), ("1", "2.5", 3));
        for (wrong, line) in [("{\"a\":1}\n{\"c\":1}", 2), ("{\"a\":{}}", 1), ("{\"a\":1}\n[", 2), ("7", 1)] {
            let error = of("a.jsonl", wrong.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(&format!("line {line}")), "{error}");
        }
        assert_eq!(of("a.jsonl", b"").unwrap_err().code(), "dataplane/empty-file");
    }

    #[test]
    fn parquet_cut_short_is_one_line() {
        let batches = of("a.csv", b"a,b\n1,2\n3,4\n").unwrap();
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batches[0].schema(), None).unwrap();
        writer.write(&batches[0]).unwrap();
        writer.close().unwrap();
        assert_eq!(of("a.parquet", &bytes).unwrap(), batches);
        for cut in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            let error = of("a.parquet", &bytes[..cut]).unwrap_err();
            assert_eq!(error.code(), "dataplane/damaged-file", "{cut}: {error}");
            assert!(!error.to_string().contains('\n'));
        }
    }
}
