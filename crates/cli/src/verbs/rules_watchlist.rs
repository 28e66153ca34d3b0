//! `tegata rules watchlist`: the official pages that the rules were read from, and which of them read otherwise now.

use super::{Common, read_text, write_whole};
use crate::{door::quoted, rules_source};
use clap::Args;
use model::{CivilDate, Digest};
use rulebook::{
    book::Rulebook,
    watchlist::{OfficialPage, official_pages, told},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::{Path, PathBuf}};
use words::{Arg, say};

/// The official pages that the rules were read from, the oldest reading first; or which of them read otherwise since the last look.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata rules watchlist                              what to look at, the oldest reading first
  tegata rules watchlist eu.gdpr --json
  tegata rules watchlist --curl pages | sh            fetches the pages into a folder, by curl
  tegata rules watchlist --pages pages                which of them read otherwise since the last look; remembers this one

Markup, scripts and white space do not count. A page that reads otherwise is to be read again; it changes no rule by itself.
Exit codes: 0 nothing reads otherwise, 10 something does, 2 usage.")]
pub struct Watchlist {
    /// Only instruments whose id begins so.
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Print the commands that fetch the pages into this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["pages", "json"])]
    curl: Option<PathBuf>,
    /// Compare the pages in this folder with the last look.
    #[arg(long, value_name = "FOLDER")]
    pages: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long, conflicts_with = "pages")]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// What the pages said at the last look: by address, the day and the digest of what they told.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    schema: String,
    pages: BTreeMap<String, (CivilDate, Digest)>,
}

const SCHEMA: &str = "tegata.watchlist.1";
const MEMORY: &str = "looked.json";

/// Lines, and whether a page reads otherwise.
pub fn run(watchlist: &Watchlist) -> Result<(Vec<String>, bool), String> {
    let book = rules_source::load_law(watchlist.common.rules.as_deref())?;
    let pages = wanted(&book, &watchlist.prefix);
    if pages.is_empty() {
        return Err(format!("error[TGT-C006]: no instrument begins with `{}`", watchlist.prefix));
    }
    if let Some(folder) = &watchlist.pages {
        return compare(&pages, folder, watchlist);
    }
    if let Some(folder) = &watchlist.curl {
        let mut lines = vec![format!("mkdir -p {}", quoted(&folder.display().to_string()))];
        lines.extend(pages.iter().map(|p| {
            let file = quoted(&folder.join(name(p.link)).display().to_string());
            format!("curl --fail --silent --show-error --location --max-time 60 --output {file} -- {}", quoted(p.link))
        }));
        return Ok((lines, false));
    }
    if watchlist.json {
        let value = serde_json::json!({ "schema": SCHEMA, "rulebook": book.digest(), "pages": pages });
        return Ok((vec![value.to_string()], false));
    }
    let voice = watchlist.common.voice();
    let mut lines: Vec<String> = pages.iter().map(|p| {
        let state = voice.word(&crate::verdict::review_id(p.review));
        format!("{}  {:>3}  {}  ({}; {state})", p.read, p.rules, p.link, instruments(p))
    }).collect();
    lines.push(say(voice.language, "watchlist-pages", &[("n", Arg::Number(pages.len() as i64))]));
    Ok((lines, false))
}

fn wanted<'a>(book: &'a Rulebook, prefix: &str) -> Vec<OfficialPage<'a>> {
    let mut pages = official_pages(book);
    pages.retain(|p| p.instruments.iter().any(|i| i.starts_with(prefix)));
    pages
}

fn instruments(page: &OfficialPage<'_>) -> String {
    // LIMIT: instruments named in a line.
    const NAMED: usize = 3;
    let named: Vec<&str> = page.instruments.iter().take(NAMED).copied().collect();
    let more = page.instruments.len().saturating_sub(NAMED);
    if more > 0 { format!("{} +{more}", named.join(", ")) } else { named.join(", ") }
}

/// The file of a page, by its address.
fn name(link: &str) -> String {
    format!("{}.page", Digest::of(link.as_bytes()).short())
}

fn compare(pages: &[OfficialPage<'_>], folder: &Path, watchlist: &Watchlist) -> Result<(Vec<String>, bool), String> {
    let language = watchlist.common.voice().language;
    let memory = folder.join(MEMORY);
    let mut looked = if memory.exists() { read_memory(&memory)? } else { Looked { schema: SCHEMA.into(), ..Looked::default() } };
    let (mut lines, mut otherwise, mut first, mut missing) = (Vec::new(), 0, 0, 0);
    for page in pages {
        let Ok(bytes) = std::fs::read(folder.join(name(page.link))) else {
            missing += 1;
            continue;
        };
        let now = Digest::of(&told(&bytes));
        match looked.pages.get(page.link) {
            None => first += 1,
            Some((_, before)) if *before == now => continue,
            Some((day, _)) => {
                otherwise += 1;
                let args = [("link", Arg::Text(page.link)), ("since", Arg::Text(&day.to_string())), ("n", Arg::Number(page.rules as i64)), ("of", Arg::Text(&instruments(page)))];
                lines.push(say(language, "watchlist-otherwise", &args));
            }
        }
        looked.pages.insert(page.link.to_string(), (super::today(), now));
    }
    if missing == pages.len() {
        return Err(format!("error[TGT-C001]: no page of the list is in `{0}`; fetch them first: tegata rules watchlist --curl {0} | sh", folder.display()));
    }
    write_whole(&memory, &serde_json::to_vec_pretty(&looked).map_err(|e| format!("error[TGT-C001]: {e}"))?)?;
    let counts = [("all", pages.len()), ("otherwise", otherwise), ("first", first), ("missing", missing)];
    let args: Vec<(&str, Arg<'_>)> = counts.iter().map(|(name, n)| (*name, Arg::Number(*n as i64))).collect();
    lines.push(say(language, "watchlist-counts", &args));
    Ok((lines, otherwise > 0))
}

fn read_memory(path: &Path) -> Result<Looked, String> {
    let looked: Option<Looked> = serde_json::from_str(&read_text(path)?).ok();
    let looked = looked.filter(|l| l.schema == SCHEMA);
    looked.ok_or_else(|| format!("error[TGT-C014]: `{}` is no memory of `rules watchlist`; move it away to begin anew", path.display()))
}
