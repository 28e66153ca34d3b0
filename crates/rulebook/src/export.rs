//! The whole rulebook in forms for other programs: JSON, JSON-LD with terms of the Data Privacy Vocabulary, and tables.
//!
//! Nothing is added and nothing judged: each form repeats what stands in the texts, with the digest of the rulebook.

use crate::{
    block::{self, Block},
    book::Rulebook,
    census,
    law::{Head, List, Start},
    lookup::{self, Rule},
};
use model::{AsOf, CivilDate};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Blocks by id: conditions as they stand in the file.
struct Written<'a>(HashMap<&'a str, Block<'a>>);

impl<'a> Written<'a> {
    fn of(book: &'a Rulebook) -> Self {
        let all = book.sources.iter().enumerate().flat_map(|(i, s)| block::parse(i, &s.text, &mut Vec::new()));
        Self(all.filter(|b| b.kind != "case").map(|b| (b.id, b)).collect())
    }

    /// The value of a key, as written.
    fn line(&self, id: &str, key: &str) -> &str {
        self.0.get(id).and_then(|b| b.line(key)).map_or("", |l| l.value.as_ref())
    }

    /// The condition of a block, whatever its kind calls it.
    fn condition(&self, id: &str) -> &str {
        ["when", "need", "reaches"].into_iter().map(|k| self.line(id, k)).find(|v| !v.is_empty()).unwrap_or_default()
    }

    /// The condition of an entry.
    fn scope(&self, list: &List, index: usize) -> String {
        let line = self.0.get(list.head.id.as_str()).and_then(|b| b.lines_of("entry").nth(index));
        let parts = line.map(|l| l.value.split(';').map(str::trim).collect::<Vec<_>>()).unwrap_or_default();
        parts.into_iter().find_map(|p| p.strip_prefix("when ")).unwrap_or_default().to_string()
    }
}

/// Everything as one document, `tegata.rulebook.1`.
pub fn json(book: &Rulebook) -> Value {
    let written = Written::of(book);
    let rules: Vec<Value> = lookup::rules(book).iter().filter(|r| r.kind != "entry").map(|r| rule(book, &written, r)).collect();
    let lists: Vec<Value> = book
        .lists
        .values()
        .map(|l| {
            let entries: Vec<Value> = l
                .entries
                .iter()
                .enumerate()
                .map(|(i, e)| json!({ "id": e.head.id, "place": e.key, "citation": e.head.citation(e.head.read), "published": e.head.published, "annulled": e.head.annulled, "when": written.scope(l, i), "note": e.note }))
                .collect();
            json!({ "id": l.head.id, "label": l.label, "complete_as_of": l.complete_as_of, "source": l.head.source, "review": l.head.review, "entries": entries })
        })
        .collect();
    let layers: Vec<Value> = book
        .layers
        .values()
        .map(|l| {
            let gaps: Vec<Value> = l.gaps.iter().map(|g| json!({ "name": g.name, "says": g.says })).collect();
            json!({ "id": l.id, "label": l.label, "tier": l.tier, "authority": l.authority, "zone_minutes": l.zone_minutes, "applies": written.line(&l.id, "applies"),
                "covers": written.line(&l.id, "covers"), "replaces": l.replaces, "checked": l.checked, "not_checked": l.not_checked, "gaps": gaps })
        })
        .collect();
    let measures: Vec<Value> = book
        .measures
        .iter()
        .map(|m| json!({ "id": m.id, "label": m.label, "does": m.does, "if": written.line(&m.id, "if"), "decides": m.decides, "money": m.money, "days": m.days, "utility_loss": m.utility_loss, "note": m.note }))
        .collect();
    let sources: Vec<Value> = book.sources.iter().map(|s| json!({ "path": s.path, "sha256": model::Digest::of(s.text.as_bytes()) })).collect();
    json!({
        "schema": "tegata.rulebook.1", "rulebook": book.digest(), "license": LICENSE, "instruments": book.instruments, "layers": layers, "rules": rules, "lists": lists,
        "measures": measures, "calendars": book.calendars, "disputed": book.disputed.values().collect::<Vec<_>>(), "vocabulary": book.vocabulary, "sources": sources,
    })
}

/// Under which the texts may be used.
pub const LICENSE: &str = "https://creativecommons.org/licenses/by/4.0/";

fn rule(book: &Rulebook, written: &Written, r: &Rule<'_>) -> Value {
    let mut value = serde_json::to_value(r).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.insert("condition".into(), written.condition(&r.head.id).into());
        map.insert("file".into(), lookup::path_of(book, r.head).into());
        for key in ["gate", "rank", "carries", "done", "due", "if_breached", "kind", "remains", "localization", "not_dispense", "alternative"] {
            let said = written.line(&r.head.id, key);
            if !said.is_empty() && key != "kind" {
                map.insert(key.into(), said.into());
            }
        }
    }
    value
}

/// The Data Privacy Vocabulary, version 2.
const DPV: &str = "https://w3id.org/dpv#";
/// Its places.
const DPV_LOC: &str = "https://w3id.org/dpv/loc#";

/// Linked data: laws, their rules and the places that they answer for.
///
/// Mapped where the meaning fits: a layer is a `dpv:Law`, a bar and a gate a `dpv:Prohibition`, a route a `dpv:Permission` and
/// a `dpv:DataTransferLegalBasis`, an obligation a `dpv:Obligation`, an entry of a list a `dpv:Permission` only as what its
/// rule rests on, so it stays a `tegata:ListEntry`. Scopes and exemptions are `dpv:Rule`. All else keeps a name of our own.
pub fn json_ld(book: &Rulebook, as_of: AsOf, base: &str) -> Value {
    let iri = |id: &str| format!("{base}{}", id.replace('#', "%23"));
    let both = |t: &model::text::Text| json!([{ "@language": "en", "@value": t.en }, { "@language": "ja", "@value": t.ja }]);
    let mut graph: Vec<Value> = Vec::new();
    for layer in book.layers.values() {
        let places: Vec<Value> = book.vocabulary.places.keys().filter(|p| p.len() == 2 && lookup::is_covered(book, layer, p, as_of)).map(|p| json!({ "@id": format!("{DPV_LOC}{p}") })).collect();
        graph.push(json!({ "@id": iri(&layer.id), "@type": ["dpv:Law"], "dct:title": both(&layer.label), "dpv:hasJurisdiction": places, "tegata:tier": layer.tier.to_string(), "tegata:authority": both(&layer.authority) }));
    }
    for r in lookup::rules(book) {
        let types: &[&str] = match r.kind {
            "bar" | "gate" => &["dpv:Prohibition"],
            "route" => &["dpv:Permission", "dpv:DataTransferLegalBasis"],
            "obligation" => &["dpv:Obligation"],
            "entry" => &["tegata:ListEntry"],
            _ => &["dpv:Rule"],
        };
        let h = r.head;
        let mut node = Map::new();
        node.insert("@id".into(), iri(&h.id).into());
        node.insert("@type".into(), json!(types));
        node.insert("tegata:kind".into(), r.kind.into());
        node.insert("dct:description".into(), both(&lookup::says(book, &r)));
        node.insert("dct:bibliographicCitation".into(), h.cites.clone().into());
        node.insert("tegata:review".into(), serde_json::to_value(h.review).unwrap_or_default());
        node.insert("tegata:seen".into(), serde_json::to_value(h.seen).unwrap_or_default());
        node.insert("tegata:read".into(), day(h.read));
        if h.source.starts_with("https://") {
            node.insert("dct:source".into(), json!({ "@id": h.source }));
        }
        if let Some(layer) = r.layer {
            node.insert("dpv:hasApplicableLaw".into(), json!({ "@id": iri(layer) }));
        }
        if let Some((list, _)) = h.id.split_once('#') {
            node.insert("dct:isPartOf".into(), json!({ "@id": iri(list) }));
        }
        for (key, d) in [("tegata:from", start(h)), ("tegata:until", h.until), ("tegata:published", h.published), ("tegata:annulled", h.annulled)] {
            node.extend(d.map(|d| (key.to_string(), day(d))));
        }
        graph.push(Value::Object(node));
    }
    json!({
        "@context": { "dpv": DPV, "dct": "http://purl.org/dc/terms/", "xsd": "http://www.w3.org/2001/XMLSchema#", "tegata": format!("{base}term/") },
        "@id": format!("{base}rulebook/{}", book.digest()), "@type": "dct:Collection", "dct:license": { "@id": LICENSE }, "@graph": graph,
    })
}

fn day(d: CivilDate) -> Value {
    json!({ "@type": "xsd:date", "@value": d.to_string() })
}

fn start(h: &Head) -> Option<CivilDate> {
    match h.from {
        Start::On(d) => Some(d),
        Start::Unknown => None,
    }
}

/// The tables, by file name: rules, list entries, measures, facts, layers.
pub fn tables(book: &Rulebook) -> Vec<(&'static str, String)> {
    let written = Written::of(book);
    vec![
        ("layers.csv", layers(book)),
        ("rules.csv", rules(book, &written)),
        ("entries.csv", entries(book, &written)),
        ("measures.csv", measures(book, &written)),
        ("facts.csv", facts(book)),
    ]
}

fn layers(book: &Rulebook) -> String {
    let mut out = row(&["id", "label_en", "label_ja", "tier", "authority_en", "authority_ja", "rules", "entries", "cases", "gaps", "checked_en", "not_checked_en", "rulebook"]);
    for c in census::layers(book) {
        let l = c.layer;
        let gaps: Vec<&str> = l.gaps.iter().map(|g| g.name.as_str()).collect();
        let (tier, rules, entries, cases) = (l.tier.to_string(), c.rules.len().to_string(), c.entries.to_string(), c.cases.to_string());
        out += &row(&[
            &l.id, &l.label.en, &l.label.ja, &tier, &l.authority.en, &l.authority.ja, &rules, &entries, &cases, &gaps.join(" "), &l.checked.en, &l.not_checked.en, &book.digest().to_string(),
        ]);
    }
    out
}

const DATED: [&str; 12] = ["cites", "source", "force", "from", "until", "published", "annulled", "read", "seen", "review", "sure", "doubt"];

/// What every dated block has, in the order of [`DATED`].
fn dated(h: &Head) -> Vec<String> {
    let word = |v: Value| v.as_str().unwrap_or_default().to_string();
    let on = |d: Option<CivilDate>| d.map(|d| d.to_string()).unwrap_or_default();
    vec![
        h.cites.clone(),
        h.source.clone(),
        word(json!(h.force)),
        on(start(h)),
        on(h.until),
        on(h.published),
        on(h.annulled),
        h.read.to_string(),
        word(json!(h.seen)),
        word(json!(h.review)),
        word(json!(h.sure)),
        h.doubt.clone(),
    ]
}

fn with_dates(first: &[&str], h: Option<&Head>, last: &[&str]) -> String {
    let dates = h.map_or_else(|| DATED.iter().map(|d| d.to_string()).collect(), dated);
    let cells: Vec<&str> = first.iter().copied().chain(dates.iter().map(String::as_str)).chain(last.iter().copied()).collect();
    row(&cells)
}

fn rules(book: &Rulebook, written: &Written) -> String {
    let mut out = with_dates(&["id", "kind", "layer", "says_en", "says_ja"], None, &["condition", "file"]);
    for r in lookup::rules(book).iter().filter(|r| r.kind != "entry") {
        let h = r.head;
        out += &with_dates(&[&h.id, r.kind, r.layer.unwrap_or_default(), &h.says.en, &h.says.ja], Some(h), &[written.condition(&h.id), lookup::path_of(book, h)]);
    }
    out
}

fn entries(book: &Rulebook, written: &Written) -> String {
    let mut out = with_dates(&["id", "list", "list_en", "list_ja", "place"], None, &["condition", "note"]);
    for l in book.lists.values() {
        for (i, e) in l.entries.iter().enumerate() {
            out += &with_dates(&[&e.head.id, &l.head.id, &l.label.en, &l.label.ja, &e.key], Some(&e.head), &[&written.scope(l, i), &e.note]);
        }
    }
    out
}

fn measures(book: &Rulebook, written: &Written) -> String {
    let mut out = row(&["id", "label_en", "label_ja", "decides", "money_usd", "days", "utility_loss_percent", "does", "if", "note_en", "note_ja"]);
    for m in &book.measures {
        let does: Vec<String> = m.does.iter().map(|e| format!("{} = {}", e.slot, e.value)).collect();
        let (money, days, loss) = (m.money.to_string(), m.days.to_string(), m.utility_loss.to_string());
        out += &row(&[&m.id, &m.label.en, &m.label.ja, &m.decides, &money, &days, &loss, &does.join("; "), written.line(&m.id, "if"), &m.note.en, &m.note.ja]);
    }
    out
}

fn facts(book: &Rulebook) -> String {
    let mut out = row(&["id", "kind", "label_en", "label_ja", "ask_en", "ask_ja", "values", "dpv"]);
    for f in book.vocabulary.facts.values() {
        let kind = serde_json::to_value(f.kind).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default();
        out += &row(&[&f.id, &kind, &f.label.en, &f.label.ja, &f.ask.en, &f.ask.ja, &book.vocabulary.values(f).join(" "), f.dpv.as_deref().unwrap_or_default()]);
    }
    out
}

/// One line of a table. A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn row(cells: &[&str]) -> String {
    let safe = |c: &&str| {
        let formula = c.trim_start().starts_with(['=', '+', '-', '@']) || c.starts_with(['\t', '\r']);
        let text = if formula { format!("'{c}") } else { (*c).to_string() };
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    format!("{}\r\n", cells.iter().map(safe).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_quotes_are_doubled() {
        assert_eq!(row(&["=1+1", " @SUM(A1)", "-2", "a \"b\", c", "\tx", "Art. 45"]), "\"'=1+1\",\"' @SUM(A1)\",\"'-2\",\"a \"\"b\"\", c\",\"'\tx\",\"Art. 45\"\r\n");
    }
}
