//! `tegata rules export`: the rulebook in forms for others.

use super::{Common, write_whole};
use crate::rules_source;
use clap::{Args, ValueEnum};
use model::{AsOf, CivilDate};
use rulebook::export;
use server::people::{CORRECTIONS, office};
use std::path::{Path, PathBuf};

/// Write the whole rulebook as JSON, linked data, tables or pages.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata rules export exported                         every form
  tegata rules export --format csv --format html exported
  tegata rules export --format html --as-of 2020-07-16 exported

json: rulebook.json. jsonld: rulebook.jsonld, with terms of the Data Privacy Vocabulary 2 where the meaning fits.
csv: layers, rules, entries, measures, facts; no cell is a formula. html: pages in both languages, to read and print without a server.")]
pub struct Export {
    /// The folder to write into.
    folder: PathBuf,
    /// A form; several add up (default: all).
    #[arg(long, value_name = "FORM")]
    format: Vec<Form>,
    /// The day for which pages and places say how a rule stands (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// Where rules have their addresses in linked data.
    #[arg(long, value_name = "URL", default_value = "https://tegata.example/rules/")]
    base: String,
    /// Where mistakes are reported; takes `title` and `body`.
    #[arg(long, value_name = "URL", default_value = CORRECTIONS)]
    corrections: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Json,
    Jsonld,
    Csv,
    Html,
}

/// Writes the files; a line for each form.
pub fn export(export: &Export) -> Result<Vec<String>, String> {
    let book = rules_source::load(export.common.rules.as_deref())?;
    if export.folder.is_file() {
        return Err(format!("error[TGT-C001]: `{}` is a file, not a folder to write into", export.folder.display()));
    }
    let as_of = AsOf::then(export.as_of.unwrap_or_else(super::today));
    let wanted = |f: Form| export.format.is_empty() || export.format.contains(&f);
    let mut out = Vec::new();
    let pretty = |v: &serde_json::Value| serde_json::to_string_pretty(v).map(|t| t + "\n").map_err(|e| format!("error[TGT-C001]: {e}"));
    if wanted(Form::Json) {
        out.push(write(&export.folder, "", &[("rulebook.json".into(), pretty(&export::json(&book))?)])?);
    }
    if wanted(Form::Jsonld) {
        out.push(write(&export.folder, "", &[("rulebook.jsonld".into(), pretty(&export::json_ld(&book, as_of, &export.base))?)])?);
    }
    if wanted(Form::Csv) {
        // Spreadsheets take a table for UTF-8 by its mark.
        let tables: Vec<(String, String)> = export::tables(&book).into_iter().map(|(n, t)| (n.to_string(), format!("\u{feff}{t}"))).collect();
        out.push(write(&export.folder, "", &tables)?);
    }
    if wanted(Form::Html) {
        out.push(write(&export.folder, "html", &office::files(&book, as_of, &export.corrections))?);
    }
    Ok(out)
}

fn write(folder: &Path, below: &str, files: &[(String, String)]) -> Result<String, String> {
    let root = if below.is_empty() { folder.to_path_buf() } else { folder.join(below) };
    for (name, text) in files {
        let path = root.join(name);
        let parent = path.parent().unwrap_or(&root);
        std::fs::create_dir_all(parent).map_err(|e| format!("error[TGT-C001]: cannot write `{}`: {e}", parent.display()))?;
        write_whole(&path, text.as_bytes())?;
    }
    let bytes: usize = files.iter().map(|(_, t)| t.len()).sum();
    let first = files.first().map(|(n, _)| root.join(n)).unwrap_or_default();
    Ok(match files {
        [_] => format!("{} ({bytes} bytes)", first.display()),
        _ => format!("{} ({} files, {bytes} bytes)", root.display(), files.len()),
    })
}
