//! Writes an Excel workbook of one sheet (ECMA-376), all cells as text, so that leading zeros and long numbers stay.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

// LIMIT: rows with the header, columns, and characters of a cell, as Excel has them.
const ROWS_MAX: usize = 1_048_576;
const COLUMNS_MAX: usize = 16_384;
const CELL_CHARS_MAX: usize = 32_767;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="release" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_LINKS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
const SHEET_END: &str = "</sheetData></worksheet>";

/// A workbook that grows row by row.
pub(super) struct Workbook {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    rows: usize,
}

fn failed(e: impl std::error::Error + Send + Sync + 'static) -> ArrowError {
    ArrowError::ExternalError(Box::new(e))
}

fn beyond(what: &str) -> ArrowError {
    ArrowError::InvalidArgumentError(format!("an Excel sheet cannot hold this table: {what}; write .csv or .parquet"))
}

impl Workbook {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        if schema.fields().len() > COLUMNS_MAX {
            return Err(beyond("more than 16,384 columns"));
        }
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        // No clock: equal tables give equal bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(false);
        for (name, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", BOOK_LINKS),
            ("xl/worksheets/sheet1.xml", SHEET),
        ] {
            zip.start_file(name, options).map_err(failed)?;
            zip.write_all(text.as_bytes())?;
        }
        let mut out = Self { zip, rows: 0 };
        out.row(schema.fields().iter().map(|f| Some(f.name().as_str())))?;
        Ok(out)
    }

    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let cells: Vec<_> = batch.columns().iter().map(pets::cell::Cells::of).collect();
        for row in 0..batch.num_rows() {
            let texts: Vec<_> = cells.iter().map(|c| c.as_ref().and_then(|c| c.text(row))).collect();
            self.row(texts.iter().map(|t| t.as_deref()))?;
        }
        Ok(())
    }

    fn row<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) -> Result<(), ArrowError> {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return Err(beyond("more than 1,048,576 rows"));
        }
        let mut out = String::from("<row>");
        for text in texts {
            match text {
                None => out.push_str("<c/>"),
                Some(text) => {
                    if text.len() > CELL_CHARS_MAX && text.chars().count() > CELL_CHARS_MAX {
                        return Err(beyond("a cell has more than 32,767 characters"));
                    }
                    out.push_str("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">");
                    text.chars().for_each(|c| escape(c, &mut out));
                    out.push_str("</t></is></c>");
                }
            }
        }
        out.push_str("</row>");
        Ok(self.zip.write_all(out.as_bytes())?)
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, ArrowError> {
        self.zip.write_all(SHEET_END.as_bytes())?;
        Ok(self.zip.finish().map_err(failed)?.into_inner())
    }
}

// Characters that XML 1.0 does not know become the replacement character.
fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\r' => out.push_str("&#13;"),
        '\t' | '\n' => out.push(c),
        c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
        c => out.push(c),
    }
}
