//! Tables and letters: what a person brings.

use super::{Read, Target, ours, seed, text};
use pets::classify::Scanner;
use std::fs;
use std::path::Path;

/// The target of this name, one of those of [`super::NAMES`] that are tables or letters.
pub fn of(name: &str) -> Option<Target> {
    let target = |seeds: Vec<Vec<u8>>, read: Read, accepts: fn(&[u8]) -> bool| Some(Target { seeds, read, accepts });
    match name {
        "csv" => {
            let seeds = ["examples/data/sensor.csv", "examples/register/demo-seiki.csv", "examples/register/itten-ichiran.sjis.csv"];
            let seeds = seeds.iter().filter_map(|p| fs::read(ours(p)).ok()).map(lines).collect();
            target(seeds, Box::new(|bytes| with_file("csv", bytes, table)), |bytes| opens("csv", bytes))
        }
        "excel" => target(vec![excel()], Box::new(|bytes| with_file("xlsx", bytes, table)), |bytes| opens("xlsx", bytes)),
        "parquet" => {
            target(vec![seed("small.parquet")], Box::new(|bytes| with_file("parquet", bytes, table)), |bytes| opens("parquet", bytes))
        }
        "arrow" => target(vec![seed("small.arrow")], Box::new(|bytes| with_file("arrow", bytes, table)), |bytes| opens("arrow", bytes)),
        "lines" => target(vec![LINES.into()], Box::new(|bytes| with_file("jsonl", bytes, table)), |bytes| opens("jsonl", bytes)),
        "letters" => letters(),
        _ => None,
    }
}

const LINES: &str = r#"{"name":"Ada","born":"1970-01-02","sum":12.5,"ok":true,"note":null}
{"name":"Bo","born":"1981-11-30","sum":-3,"ok":false,"note":"a \"b\" é"}
{"name":"\u5c71\u7530","born":"2001-02-28","sum":1e3,"ok":true,"note":""}
"#;

const LETTERS: [&str; 3] = [
    "Dear Ms Anna Schmidt, your order 4111 1111 1111 1111 goes to 12 High Street, London. Call +44 20 7946 0958 or write to anna@example.org.",
    "山田太郎様、電話は03-1234-5678、マイナンバーは123456789018です。",
    "name,iban,born\nAda,DE89370400440532013000,1970-01-02\nBo,GB29NWBK60161331926819,1981-11-30\n",
];

/// Letters in two languages, and the same bytes as a table: each column is classified, and spots lie in order on whole characters.
fn letters() -> Option<Target> {
    let knowledge = node::protect::knowledge().unwrap_or_else(|_| panic!("the catalogue is not in order"));
    let seeds = LETTERS.iter().map(|s| s.as_bytes().to_vec()).collect();
    let read: Read = Box::new(move |bytes| {
        let text = text(bytes);
        let mut end = 0;
        for spot in pets::text::find(&text, &knowledge) {
            if spot.range.start < end || text.get(spot.range.clone()).is_none_or(str::is_empty) {
                return Err("a spot overlaps another, or cuts a character".into());
            }
            end = spot.range.end;
        }
        if let Ok(batches) = dataplane::table::pasted(&text)
            && let Some(first) = batches.first()
        {
            let mut scanner = Scanner::new(&first.schema());
            batches.iter().for_each(|batch| scanner.push(batch));
            let _ = scanner.finish(&knowledge);
        }
        Ok(())
    });
    Some(Target { seeds, read, accepts: |bytes| std::str::from_utf8(bytes).is_ok() })
}

/// The first lines of a table.
fn lines(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len().min(20_000);
    let end = bytes[..end].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    bytes.truncate(end);
    bytes
}

/// A file of this extension, for readers that take a path.
fn with_file(extension: &str, bytes: &[u8], read: impl Fn(&Path)) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = dir.path().join(format!("input.{extension}"));
    fs::write(&path, bytes).map_err(|e| e.to_string())?;
    read(&path);
    Ok(())
}

fn table(path: &Path) {
    if let Ok(mut table) = dataplane::table::Table::open(path, None) {
        while let Ok(Some(_)) = table.batch() {}
    }
    let _ = dataplane::sheet::read(path, None);
}

fn opens(extension: &str, bytes: &[u8]) -> bool {
    let told = std::cell::Cell::new(false);
    let done = with_file(extension, bytes, |path| {
        told.set(dataplane::table::Table::open(path, None).and_then(dataplane::table::Table::all).is_ok());
    });
    done.is_ok() && told.get()
}

/// A small workbook of one sheet.
fn excel() -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let parts = [
        ("[Content_Types].xml", "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>"),
        ("_rels/.rels", "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
        ("xl/workbook.xml", "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"),
        ("xl/worksheets/sheet1.xml", "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><dimension ref=\"A1:B2\"/><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>from</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>to</t></is></c></row><row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>DE</t></is></c><c r=\"B2\"><v>4.5</v></c></row></sheetData></worksheet>"),
    ];
    // Stored, so that edits reach the XML.
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, text) in parts {
        zip.start_file(name, stored).expect("a zip in memory");
        zip.write_all(text.as_bytes()).expect("a zip in memory");
    }
    zip.finish().expect("a zip in memory").into_inner()
}
