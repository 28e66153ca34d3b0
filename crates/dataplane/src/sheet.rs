//! Small tables that people keep: CSV in UTF-8 or Shift_JIS, and Excel, as rows of text.

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
                write!(f, "`{}` is neither UTF-8 nor Shift_JIS: byte {at} fits neither", path.display())
            }
            Self::Ragged { path, line, expected, found } => {
                write!(f, "`{}` line {line} has {found} cells, the header has {expected}", path.display())
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
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(Charset::Utf8),
        Err(fault) => match encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)
        {
            Some(_) => Ok(Charset::ShiftJis),
            None => Err(fault.valid_up_to()),
        },
    }
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
    })
}

fn read_csv(path: &Path, bytes: &[u8], given: Option<Charset>) -> Result<Sheet, SheetError> {
    let text = decoded(path, bytes, given)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let header: Vec<String> =
        reader.headers().map_err(|e| csv_fault(path, &e))?.iter().map(|c| c.trim().to_owned()).collect();
    if header.iter().all(String::is_empty) {
        return Err(SheetError::Empty(path.to_owned()));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| csv_fault(path, &e))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(Row { line, cells: record.iter().map(|c| c.trim().to_owned()).collect() });
    }
    Ok(Sheet { header, rows })
}

fn csv_fault(path: &Path, error: &csv::Error) -> SheetError {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => SheetError::Ragged {
            path: path.to_owned(),
            line: pos.as_ref().map_or(0, csv::Position::line),
            expected: *expected_len,
            found: *len,
        },
        _ => SheetError::damaged(path, "CSV", error),
    }
}

fn read_excel(path: &Path) -> Result<Sheet, SheetError> {
    let damaged = |e: calamine::XlsxError| SheetError::damaged(path, "Excel", e);
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).map_err(damaged)?;
    let range = match book.worksheet_range_at(0) {
        Some(range) => range.map_err(damaged)?,
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
    fn excel_days_count_from_1970() {
        assert_eq!(day(44_028.0), "2020-07-16");
    }
}
