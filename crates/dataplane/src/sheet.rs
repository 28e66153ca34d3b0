//! Small tables that people keep: CSV in UTF-8 or Shift_JIS, and Excel, as rows of text.

use crate::guard::guarded;
use crate::quotes::Quotes;
use calamine::{Data, Reader as _};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// LIMIT: bytes of a sheet; a larger table is read in batches by [`crate::table`].
pub const SHEET_BYTES_MAX: u64 = 64 << 20;

/// A header and rows of the same width.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sheet {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows; each is as wide as the header.
    pub rows: Vec<Row>,
}

/// One row and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The line of the file, or row of the sheet, counted from 1.
    pub line: u64,
    /// The cells.
    pub cells: Vec<String>,
}

/// How a CSV file is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charset {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// Shift_JIS as Windows and Excel write it.
    ShiftJis,
    /// UTF-16, told by its byte order mark, as Excel writes "Unicode text".
    Utf16,
}

/// Why a table cannot be read. Each names the file.
#[derive(Debug)]
pub enum SheetError {
    /// There is no such file.
    Missing(PathBuf),
    /// It cannot be opened or read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is larger than is read at once.
    TooLarge(PathBuf),
    /// It is neither UTF-8 nor Shift_JIS.
    WrongEncoding {
        /// The file.
        path: PathBuf,
        /// The first byte that fits neither, counted from 0.
        at: usize,
    },
    /// A row is wider or narrower than the header.
    Ragged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Cells in the header.
        expected: u64,
        /// Cells in the row.
        found: u64,
    },
    /// A quote opens a cell and no other closes it.
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// The line of the quote, counted from 1.
        line: u64,
    },
    /// It is cut short, or of another format than its name says.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format that the name promises.
        format: &'static str,
        /// What the reader said, in one line.
        detail: String,
    },
    /// The name says no format that is read here.
    UnknownFormat(PathBuf),
    /// It has no header.
    Empty(PathBuf),
}

impl SheetError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "dataplane/missing-file",
            Self::Unreadable { .. } => "dataplane/unreadable-file",
            Self::TooLarge(_) => "dataplane/sheet-too-large",
            Self::WrongEncoding { .. } => "dataplane/wrong-encoding",
            Self::Ragged { .. } => "dataplane/ragged-row",
            Self::OpenQuote { .. } => "dataplane/open-quote",
            Self::Damaged { .. } => "dataplane/damaged-file",
            Self::UnknownFormat(_) => "dataplane/unknown-format",
            Self::Empty(_) => "dataplane/empty-file",
        }
    }

    pub(crate) fn opening(path: &Path, error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing(path.to_owned()),
            _ => Self::Unreadable { path: path.to_owned(), error },
        }
    }

    pub(crate) fn damaged(path: &Path, format: &'static str, error: impl fmt::Display) -> Self {
        let detail = error.to_string().lines().next().unwrap_or_default().chars().take(160).collect();
        Self::Damaged { path: path.to_owned(), format, detail }
    }
}

impl fmt::Display for SheetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "there is no file `{}`", path.display()),
            Self::Unreadable { path, error } => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::TooLarge(path) => write!(f, "`{}` is larger than 64 MiB", path.display()),
            Self::WrongEncoding { path, at } => {
                write!(f, "`{}` is none of UTF-8, Shift_JIS and UTF-16: byte {at} fits none", path.display())
            }
            Self::Ragged { path, line, expected, found } => {
                write!(f, "`{}` line {line} has {found} cells, the header has {expected}", path.display())
            }
            Self::OpenQuote { path, line } => {
                write!(f, "`{}` line {line} opens a cell with a quote that nothing closes; close it, or fetch the file again if it is cut short", path.display())
            }
            Self::Damaged { path, format, detail } => {
                write!(f, "`{}` is cut short or is no {format} file: {detail}", path.display())
            }
            Self::UnknownFormat(path) => write!(f, "`{}` is none of .csv, .xlsx, .parquet, .arrow, .jsonl", path.display()),
            Self::Empty(path) => write!(f, "`{}` has no header", path.display()),
        }
    }
}

impl std::error::Error for SheetError {}

/// Lower-case extension of a file name.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// Reads a sheet by its extension; a CSV's encoding is found out unless given.
pub fn read(path: &Path, charset: Option<Charset>) -> Result<Sheet, SheetError> {
    let size = fs::metadata(path).map_err(|e| SheetError::opening(path, e))?.len();
    if size > SHEET_BYTES_MAX {
        return Err(SheetError::TooLarge(path.to_owned()));
    }
    match extension(path).as_str() {
        "csv" | "txt" => {
            let bytes = fs::read(path).map_err(|e| SheetError::opening(path, e))?;
            read_csv(path, &bytes, charset)
        }
        "xlsx" | "xlsm" => read_excel(path),
        _ => Err(SheetError::UnknownFormat(path.to_owned())),
    }
}

/// Finds how bytes are encoded; an error names the first byte that fits nothing.
pub fn charset(bytes: &[u8]) -> Result<Charset, usize> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Ok(Charset::Utf16);
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(Charset::Utf8),
        Err(fault) => match encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)
        {
            Some(_) => mixed(bytes).map_or(Ok(Charset::ShiftJis), Err),
            None => Err(fault.valid_up_to()),
        },
    }
}

/// Characters of three bytes that make a line one of UTF-8: two of them are hardly ever Shift_JIS as well.
const UTF8_CHARS_MIN: usize = 2;

/// Where in bytes that are read as Shift_JIS a line is of UTF-8: two files put together, whose names nobody would read.
pub(crate) fn mixed(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let japanese = |text: &str| text.chars().filter(|c| c.len_utf8() == 3).take(UTF8_CHARS_MIN).count();
        if !line.is_ascii() && std::str::from_utf8(line).is_ok_and(|text| japanese(text) == UTF8_CHARS_MIN) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Reads running text in UTF-8 or Shift_JIS, found out unless given.
pub fn text(path: &Path, charset: Option<Charset>) -> Result<String, SheetError> {
    let size = fs::metadata(path).map_err(|e| SheetError::opening(path, e))?.len();
    if size > SHEET_BYTES_MAX {
        return Err(SheetError::TooLarge(path.to_owned()));
    }
    let bytes = fs::read(path).map_err(|e| SheetError::opening(path, e))?;
    decoded(path, &bytes, charset).map(std::borrow::Cow::into_owned)
}

fn decoded<'a>(
    path: &Path,
    bytes: &'a [u8],
    given: Option<Charset>,
) -> Result<std::borrow::Cow<'a, str>, SheetError> {
    let wrong = |at| SheetError::WrongEncoding { path: path.to_owned(), at };
    Ok(match given.map_or_else(|| charset(bytes), Ok).map_err(wrong)? {
        Charset::Utf8 => {
            let text = std::str::from_utf8(bytes).map_err(|e| wrong(e.valid_up_to()))?;
            text.strip_prefix('\u{feff}').unwrap_or(text).into()
        }
        Charset::ShiftJis => encoding_rs::SHIFT_JIS
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or_else(|| wrong(0))?,
        Charset::Utf16 => {
            let order = if bytes.first() == Some(&0xff) { encoding_rs::UTF_16LE } else { encoding_rs::UTF_16BE };
            let text = order.decode_without_bom_handling_and_without_replacement(bytes.get(2..).unwrap_or_default());
            text.ok_or_else(|| wrong(0))?
        }
    })
}

fn read_csv(path: &Path, bytes: &[u8], given: Option<Charset>) -> Result<Sheet, SheetError> {
    let text = decoded(path, bytes, given)?;
    if let Some(line) = Quotes::left_open(&text, delimiter(&text)) {
        return Err(SheetError::OpenQuote { path: path.to_owned(), line });
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter(&text)).from_reader(text.as_bytes());
    let mut lines = Lines { text: &text, at: 0, line: 1 };
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| SheetError::damaged(path, "CSV", e))?;
        let line = record.position().map_or(0, |p| lines.at(p.byte()));
        let cells: Vec<String> = record.iter().map(|c| c.trim().to_owned()).collect();
        // What a spreadsheet writes for a blank row.
        if cells.iter().any(|c| !c.is_empty()) {
            rows.push(Row { line, cells });
        }
    }
    // A title or a date above the header stands alone in its line; it is as wide as what it stands above.
    let width = rows.iter().map(|r| r.cells.len()).find(|n| *n > 1).unwrap_or(1);
    for title in rows.iter_mut().take_while(|r| r.cells.len() == 1) {
        title.cells.resize(width, String::new());
    }
    if let Some(ragged) = rows.iter().find(|r| r.cells.len() != width) {
        let (expected, found) = (width as u64, ragged.cells.len() as u64);
        return Err(SheetError::Ragged { path: path.to_owned(), line: ragged.line, expected, found });
    }
    let mut rows = rows.into_iter();
    let header = rows.next().ok_or_else(|| SheetError::Empty(path.to_owned()))?.cells;
    Ok(Sheet { header, rows: rows.collect() })
}

/// What stands between the cells: of comma, semicolon and tab the one that the lines have most of.
pub(crate) fn delimiter(text: &str) -> u8 {
    // LIMIT: lines looked at.
    const LINES_MAX: usize = 20;
    let count = |d: &u8| text.lines().take(LINES_MAX).flat_map(str::bytes).filter(|b| b == d).count();
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Line numbers for rising places in a text; the end of a line before a place does not belong to it.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).min(bytes.len());
        while bytes.get(to).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
            to += 1;
        }
        self.line += bytes.get(self.at..to).unwrap_or_default().iter().filter(|b| **b == b'\n').count() as u64;
        self.at = to;
        self.line
    }
}

fn read_excel(path: &Path) -> Result<Sheet, SheetError> {
    let damaged = |e: calamine::XlsxError| SheetError::damaged(path, "Excel", e);
    let open = || {
        let mut book: calamine::Xlsx<_> = calamine::open_workbook(path)?;
        book.worksheet_range_at(0).transpose()
    };
    let range = match guarded(open).map_err(|said| SheetError::damaged(path, "Excel", said))?.map_err(damaged)? {
        Some(range) => range,
        None => return Err(SheetError::Empty(path.to_owned())),
    };
    let first = range.start().map_or(0, |(row, _)| u64::from(row));
    let mut lines = range.rows().map(|row| row.iter().map(cell).collect::<Vec<String>>());
    let header = lines
        .next()
        .filter(|h| h.iter().any(|c| !c.is_empty()))
        .ok_or_else(|| SheetError::Empty(path.to_owned()))?;
    let rows = (first + 2..)
        .zip(lines)
        .filter(|(_, cells)| cells.iter().any(|c| !c.is_empty()))
        .map(|(line, cells)| Row { line, cells })
        .collect();
    Ok(Sheet { header, rows })
}

/// A cell as a person reads it: whole numbers without a point, days as RFC 3339 dates.
fn cell(data: &Data) -> String {
    match data {
        Data::Float(n) if n.fract() == 0.0 && n.abs() < 1e15 => format!("{n:.0}"),
        Data::DateTime(when) => day(when.as_f64()),
        Data::Empty | Data::Error(_) => String::new(),
        other => other.to_string().trim().to_owned(),
    }
}

/// The day of an Excel serial number: day 25,569 is 1970-01-01.
fn day(serial: f64) -> String {
    model::CivilDate::from_days(serial.floor() as i32 - 25_569).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Result<Sheet, SheetError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        read(&path, None)
    }

    #[test]
    fn shift_jis_and_utf8_say_the_same() {
        let text = "送り手,国\n東京商事,日本\n";
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        let sheet = of("a.csv", &sjis).unwrap();
        assert_eq!(sheet, of("a.csv", text.as_bytes()).unwrap());
        assert_eq!(sheet, of("a.csv", format!("\u{feff}{text}").as_bytes()).unwrap());
        assert_eq!(sheet.rows, [Row { line: 2, cells: vec!["東京商事".into(), "日本".into()] }]);
    }

    #[test]
    fn each_fault_is_one_line_with_its_place() {
        let ragged = of("a.csv", b"a,b\n1,2\n1,2,3\n").unwrap_err();
        assert!(matches!(ragged, SheetError::Ragged { line: 3, expected: 2, found: 3, .. }), "{ragged}");
        let encoding = of("a.csv", b"a,b\n1,\xff\xff\n").unwrap_err();
        assert!(matches!(encoding, SheetError::WrongEncoding { at: 6, .. }), "{encoding}");
        let excel = of("a.xlsx", b"PK\x03\x04 cut").unwrap_err();
        assert_eq!(excel.code(), "dataplane/damaged-file");
        assert!(!excel.to_string().contains('\n'));
        assert_eq!(read(Path::new("/nowhere/a.csv"), None).unwrap_err().code(), "dataplane/missing-file");
        assert_eq!(of("a.doc", b"").unwrap_err().code(), "dataplane/unknown-format");
        assert_eq!(of("a.csv", b"").unwrap_err().code(), "dataplane/empty-file");
    }

    #[test]
    fn a_list_as_spreadsheets_write_it_is_read_with_the_lines_that_an_editor_shows() {
        let text = "List of 2026\r\n\r\nname;place\r\na;\"x\r\ny\"\r\n;\r\nb;z\r\n";
        let sheet = of("a.csv", text.as_bytes()).unwrap();
        assert_eq!(sheet.header, ["List of 2026", ""]);
        let seen: Vec<(u64, &str)> = sheet.rows.iter().map(|r| (r.line, r.cells[0].as_str())).collect();
        assert_eq!(seen, [(3, "name"), (4, "a"), (7, "b")], "a cell over two lines, and a row of nothing");
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(of("a.csv", &wide).unwrap(), sheet);
        assert_eq!(of("a.csv", text.replace(';', "\t").as_bytes()).unwrap(), sheet);
        assert_eq!(of("a.csv", text.replace("\r\n", "\n").as_bytes()).unwrap().rows[2].line, 7);
    }

    #[test]
    fn excel_days_count_from_1970() {
        assert_eq!(day(44_028.0), "2020-07-16");
    }
}
