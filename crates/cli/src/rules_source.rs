//! Where the rules come from: the release in the binary, or a folder.

use include_dir::{Dir, include_dir};
use rulebook::book::{Rulebook, Source, loads};
use std::{fs, io, path::Path};

static RELEASE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");

/// Folder of invented rules; loaded by the demo alone.
const DEMO: &str = "demo/";

/// Folder of worked cases.
const CASES: &str = "cases/";

/// The rule texts of the binary, invented ones left out.
pub fn release() -> Vec<Source> {
    collected(|_| true)
}

/// Those of them whose path is wanted. A folder that is not is not even looked into: the names of its files lie among their
/// texts in the program, and pages that nobody reads take no memory.
fn collected(wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let (mut out, mut dirs) = (Vec::new(), vec![&RELEASE]);
    while let Some(dir) = dirs.pop() {
        for file in dir.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            if !path.ends_with(".md") || path.starts_with(DEMO) || !wanted(&path) {
                continue;
            }
            out.extend(file.contents_utf8().map(|text| Source { path, text: text.into() }));
        }
        dirs.extend(dir.dirs().filter(|below| wanted(&format!("{}/", below.path().to_string_lossy().replace('\\', "/")))));
    }
    out
}

/// The rule texts of a folder, invented ones left out.
pub fn folder(root: &Path) -> io::Result<Vec<Source>> {
    read(root, |_| true)
}

/// Those of them whose path is wanted; the others are not even read.
fn read(root: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<Source>> {
    let mut out = Vec::new();
    let mut stack = vec![root.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "md") && !name.starts_with(DEMO) && wanted(&name) {
                let text = fs::read_to_string(&path).map_err(|e| io::Error::new(e.kind(), format!("`{name}`: {e}")))?;
                out.push(Source { path: name, text });
            }
        }
    }
    if out.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no rule files (.md) are there"));
    }
    Ok(out)
}

/// The rulebook from a folder or from this program; findings are printed, and errors refuse it.
pub fn load(root: Option<&Path>) -> Result<Rulebook, String> {
    parse(sources(root, |_| true)?)
}

/// The same without the worked cases, which decide nothing and are most of the text.
pub fn load_law(root: Option<&Path>) -> Result<Rulebook, String> {
    parse(sources(root, |path| !path.starts_with(CASES))?)
}

fn sources(root: Option<&Path>, wanted: impl Fn(&str) -> bool) -> Result<Vec<Source>, String> {
    match root {
        None => Ok(collected(wanted)),
        Some(root) => read(root, wanted).map_err(|e| format!("error[TGT-C001]: cannot read the rules in `{}`: {e}", root.display())),
    }
}

fn parse(sources: Vec<Source>) -> Result<Rulebook, String> {
    let (book, findings) = Rulebook::parse(sources);
    if loads(&findings) {
        return Ok(book);
    }
    crate::complaint::print(&findings, &book.sources);
    Err("error[TGT-R000]: these rules do not load; `tegata rules lint` shows every mistake".into())
}
