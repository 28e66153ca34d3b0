//! The rulebook for reading: listings, one rule, what changes between two days, and a report on the whole.

use super::Common;
use crate::{rules_source, verdict};
use model::{AsOf, CivilDate, citation::Review};
use rulebook::{
    book::Rulebook,
    census,
    law::{Head, Start},
};
use std::{collections::BTreeMap, path::Path};

fn span(head: &Head) -> String {
    let from = match head.from {
        Start::On(d) => d.to_string(),
        Start::Unknown => "start not set".into(),
    };
    let until = head.until.map(|d| d.to_string()).unwrap_or_default();
    let annulled = head.annulled.map(|d| format!(", annulled {d}")).unwrap_or_default();
    format!("[{from}..{until}{annulled}]")
}

fn counts(head: &Head, as_of: Option<CivilDate>) -> bool {
    as_of.is_none_or(|d| head.counts(AsOf::then(d)))
}

/// Layers and rules, one a line.
pub fn ls(prefix: &str, as_of: Option<CivilDate>, common: &Common) -> Result<Vec<String>, String> {
    let book = rules_source::load(common.rules.as_deref())?;
    let voice = common.voice();
    let mut out = Vec::new();
    for layer in book.layers.values().filter(|l| l.id.starts_with(prefix)) {
        out.push(format!("layer      {} — {} (tier {})", layer.id, layer.label.in_(voice.language), layer.tier));
    }
    for list in book.lists.values().filter(|l| l.head.id.starts_with(prefix)) {
        out.push(format!("list       {} — {} ({}, complete as of {})", list.head.id, list.label.in_(voice.language), list.entries.len(), list.complete_as_of));
    }
    for (kind, head) in book.heads().into_iter().filter(|(kind, h)| *kind != "entry" && h.id.starts_with(prefix) && counts(h, as_of)) {
        out.push(format!("{kind:<10} {} {} — {}", head.id, span(head), voice.provision(cited(head, as_of))));
    }
    for m in book.measures.iter().filter(|m| m.id.starts_with(prefix)) {
        out.push(format!("measure    {} — {}", m.id, m.label.in_(voice.language)));
    }
    if out.is_empty() { Err(format!("error[TGT-C006]: no rule begins with `{prefix}`")) } else { Ok(out) }
}

/// How a provision is cited on a day, or now.
fn cited(head: &Head, as_of: Option<CivilDate>) -> &str {
    as_of.map_or(&head.cites, |day| head.cites_on(day))
}

/// One rule with its text as it stands in the file.
pub fn show(id: &str, as_of: Option<CivilDate>, common: &Common) -> Result<Vec<String>, String> {
    let book = rules_source::load(common.rules.as_deref())?;
    let voice = common.voice();
    let head = book
        .head(id)
        .or_else(|| book.lists.get(id).map(|l| &l.head))
        .or_else(|| book.layers.get(id).map(|l| &l.head))
        .or_else(|| book.measures.iter().find(|m| m.id == id).map(|m| &m.head))
        .ok_or_else(|| {
            let ids = book.heads().into_iter().map(|(_, h)| h.id.as_str());
            format!("error[TGT-C006]: there is no rule `{id}`; {}", super::near(id, ids))
        })?;
    let mut out = vec![format!("{id} {}", span(head)), voice.provision(cited(head, as_of)).into_owned(), head.says.in_(voice.language).to_string()];
    if let Some(d) = as_of {
        let state = if head.counts(AsOf::then(d)) { "counts" } else { "does not count" };
        out.push(format!("on {d} it {state}"));
    }
    out.push(format!("source: {}", head.source));
    let review = voice.word(&verdict::review_id(head.review));
    let seen = voice.word(&verdict::seen_id(head.seen));
    out.push(format!("review: {review}, {seen}, read {}, sure: {:?}", head.read, head.sure).to_lowercase());
    if !head.doubt.is_empty() {
        out.push(format!("doubt: {}", head.doubt));
    }
    if let Some(list) = book.lists.get(id) {
        out.extend(list.entries.iter().filter(|e| counts(&e.head, as_of)).map(|e| format!("  {} {} — {} {}", e.key, span(&e.head), voice.provision(&e.head.cites), e.note)));
    }
    if let Some(source) = book.sources.get(head.span.file) {
        out.push(String::new());
        out.push(format!("{} ({})", source.path, head.heading));
        out.extend(head.prose.lines().map(|l| format!("  {l}")));
        out.extend(block_text(&source.text, head.span.start).lines().map(|l| format!("  | {l}")));
    }
    Ok(out)
}

/// The fenced block that holds a place of the text.
fn block_text(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|t| t.rfind("```")).unwrap_or(at);
    let end = text.get(at..).and_then(|t| t.find("\n```")).map_or(text.len(), |e| at + e + 4);
    text.get(start..end.min(text.len())).unwrap_or_default()
}

/// What begins and ends to count.
pub fn diff(from: &str, to: &str, common: &Common) -> Result<Vec<String>, String> {
    match (from.parse::<CivilDate>(), to.parse::<CivilDate>()) {
        (Ok(a), Ok(b)) => {
            let book = rules_source::load(common.rules.as_deref())?;
            Ok(between(&book, a, &book, b))
        }
        _ if Path::new(from).is_dir() && Path::new(to).is_dir() => {
            let (old, new) = (rules_source::load(Some(Path::new(from)))?, rules_source::load(Some(Path::new(to)))?);
            Ok(texts(&old, &new))
        }
        _ => Err(not_two(from, to)),
    }
}

/// Why two things cannot be compared: which of them is no day and no folder that is there.
fn not_two(from: &str, to: &str) -> String {
    let is_day = |text: &str| text.parse::<CivilDate>().is_ok();
    let missing: Vec<String> = [from, to].into_iter().filter(|t| !is_day(t) && !Path::new(t).is_dir()).map(|t| format!("`{t}`")).collect();
    match missing.as_slice() {
        [] => format!("error[TGT-C003]: `{from}` and `{to}` are a day and a folder; give two days, or two folders of rules"),
        [one] => format!("error[TGT-C001]: there is no folder {one}, and it is no day such as 2026-11-22"),
        _ => format!("error[TGT-C001]: there are no folders {}, and they are no days such as 2026-11-22", missing.join(" and ")),
    }
}

fn between(old: &Rulebook, a: CivilDate, new: &Rulebook, b: CivilDate) -> Vec<String> {
    let on = |book: &Rulebook, d: CivilDate| -> BTreeMap<String, (String, String)> {
        book.heads().into_iter().filter(|(_, h)| h.counts(AsOf::then(d))).map(|(k, h)| (h.id.clone(), (k.to_string(), h.cites.clone()))).collect()
    };
    let (before, after) = (on(old, a), on(new, b));
    let mut out = Vec::new();
    for (id, (kind, cites)) in before.iter().filter(|(id, _)| !after.contains_key(*id)) {
        out.push(format!("- {kind} {id} — {cites}"));
    }
    for (id, (kind, cites)) in after.iter().filter(|(id, _)| !before.contains_key(*id)) {
        out.push(format!("+ {kind} {id} — {cites}"));
    }
    if out.is_empty() {
        out.push(format!("nothing begins or ends to count between {a} and {b}"));
    }
    out
}

fn texts(old: &Rulebook, new: &Rulebook) -> Vec<String> {
    let blocks = |book: &Rulebook| -> BTreeMap<String, String> {
        book.heads().into_iter().filter_map(|(_, h)| Some((h.id.clone(), block_text(&book.sources.get(h.span.file)?.text, h.span.start).to_string()))).collect()
    };
    let (a, b) = (blocks(old), blocks(new));
    let mut out = Vec::new();
    for (id, text) in &a {
        match b.get(id) {
            None => out.push(format!("- {id}")),
            Some(now) if now != text => {
                out.push(format!("~ {id}"));
                let (was, is): (Vec<&str>, Vec<&str>) = (text.lines().collect(), now.lines().collect());
                out.extend(was.iter().filter(|l| !is.contains(l)).map(|l| format!("    - {l}")));
                out.extend(is.iter().filter(|l| !was.contains(l)).map(|l| format!("    + {l}")));
            }
            Some(_) => {}
        }
    }
    out.extend(b.keys().filter(|id| !a.contains_key(*id)).map(|id| format!("+ {id}")));
    if out.is_empty() {
        out.push("both hold the same rules".into());
    }
    out
}

/// Coverage, review states, ages and gaps.
pub fn report(common: &Common) -> Result<Vec<String>, String> {
    let book = rules_source::load(common.rules.as_deref())?;
    let voice = common.voice();
    let today = super::today();
    let mut out = vec![
        format!("rulebook {} — {} sources, {} rules and entries, {} worked cases", book.digest(), book.sources.len(), book.heads().len(), book.cases.len()),
        String::new(),
        format!("{:<22} {:<5} {:>6} {:>8} {:>6} {:>12}  {:<34} gaps", "layer", "tier", "rules", "entries", "cases", "oldest read", "weakest review"),
    ];
    for count in census::layers(&book) {
        let (layer, heads) = (count.layer, || count.rules.iter().map(|r| r.head));
        let weakest = heads().map(|h| h.review).min().unwrap_or(layer.head.review);
        let oldest = heads().map(|h| h.read).min().unwrap_or(layer.head.read);
        let gaps: Vec<&str> = layer.gaps.iter().map(|g| g.name.as_str()).collect();
        out.push(format!("{:<22} {:<5} {:>6} {:>8} {:>6} {:>12}  {:<34} {}", layer.id, layer.tier, count.rules.len(), count.entries, count.cases, oldest.to_string(), voice.word(&verdict::review_id(weakest)), gaps.join(", ")).trim_end().to_string());
    }
    out.push(format!("entries: of the lists that a layer asks; cases: those that name a rule or article of the layer ({} name a verdict alone)", census::cases_by_verdict_alone(&book)));
    out.push(String::new());
    let mut states: BTreeMap<Review, usize> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (_, h) in book.heads() {
        *states.entry(h.review).or_default() += 1;
        *seen.entry(voice.word(&verdict::seen_id(h.seen))).or_default() += 1;
    }
    out.push(format!("review: {}", states.iter().map(|(r, n)| format!("{n} {}", voice.word(&verdict::review_id(*r)))).collect::<Vec<_>>().join("; ")));
    out.push(format!("read: {}", seen.iter().map(|(s, n)| format!("{n} {s}")).collect::<Vec<_>>().join("; ")));
    let stale = book.heads().into_iter().filter(|(k, h)| h.read.plus_days(if *k == "entry" { 30 } else { 90 }) < today).count();
    out.push(format!("older than their interval (rules 90 days, entries 30): {stale}"));
    let coming: Vec<String> = book.heads().into_iter().filter(|(_, h)| matches!(h.from, Start::On(d) if d > today)).map(|(_, h)| format!("{} {}", h.id, span(h))).collect();
    out.push(format!("enacted, not yet in force: {}", if coming.is_empty() { "none".into() } else { coming.join("; ") }));
    let unset: Vec<&str> = book.heads().into_iter().filter(|(_, h)| h.from == Start::Unknown).map(|(_, h)| h.id.as_str()).collect();
    out.push(format!("enacted, start not set: {}", if unset.is_empty() { "none".into() } else { unset.join(", ") }));
    Ok(out)
}
