//! A question as people and programs give it: facts of one hop or the long form, places by name, and the answer as a document.
//!
//! Terminal, pages and `/v1` ask the same way because they ask here.

use decide::{
    decision::{Decision, EntryAnswer, EntryRole},
    footing,
};
use model::{
    CivilDate,
    fact::{Said, Spoken, Standing},
    text::{Language, Text},
    transfer::Transfer,
};
use rulebook::vocabulary::Vocabulary;
use serde_json::{Map, Value, json};
use words::{Arg, say};

/// LIMIT: nesting of flat facts; the vocabulary's ids have three parts at most.
const NESTING_MAX: usize = 6;

/// One transfer: the long form with parties and hops, or flat facts of one hop. The error is one line for people.
pub fn transfer(value: Value) -> Result<Transfer, String> {
    let Value::Object(map) = value else { return Err("a transfer is a table of facts".into()) };
    if map.contains_key("parties") || map.contains_key("hops") {
        return serde_json::from_value(Value::Object(map)).map_err(|e| format!("not a transfer: {e}"));
    }
    let id = map.get("id").and_then(Value::as_str).map(str::to_string);
    Ok(Transfer { id, ..Transfer::single(flat(Value::Object(map))?) })
}

/// The facts of one hop by slot; nested tables are joined.
pub fn flat(value: Value) -> Result<Vec<(String, Said)>, String> {
    let Value::Object(map) = value else { return Err("a transfer is a table of facts".into()) };
    if map.contains_key("parties") || map.contains_key("hops") {
        return Err("facts of one hop are needed, not parties and hops".into());
    }
    let mut flat = Vec::new();
    for (key, value) in map.into_iter().filter(|(k, _)| k != "id") {
        flatten(&key, value, 0, &mut flat)?;
    }
    Ok(flat)
}

fn flatten(prefix: &str, value: Value, depth: usize, out: &mut Vec<(String, Said)>) -> Result<(), String> {
    let is_said = |m: &Map<String, Value>| m.contains_key("value") || m.contains_key("at_least");
    match value {
        Value::Object(map) if !is_said(&map) && depth < NESTING_MAX => {
            map.into_iter().try_for_each(|(key, inner)| flatten(&format!("{prefix}.{key}"), inner, depth + 1, out))
        }
        Value::Null => Ok(()),
        value => {
            let said = serde_json::from_value(value).map_err(|_| format!("`{prefix}` has a value that no fact takes"))?;
            out.push((prefix.to_string(), said));
            Ok(())
        }
    }
}

/// Lays facts by slot over those of a transfer: party facts on the ends of each hop, the rest on every hop and dataset.
pub fn overlay(t: &mut Transfer, flat: &[(String, Said)]) {
    let ends: Vec<(String, String)> = t.hops.iter().map(|h| (h.from.clone(), h.to.clone())).collect();
    for (slot, said) in flat {
        if let Some(rest) = slot.strip_prefix("exporter.") {
            ends.iter().for_each(|(from, _)| set_party(t, from, rest, said));
        } else if let Some(rest) = slot.strip_prefix("recipient.") {
            ends.iter().for_each(|(_, to)| set_party(t, to, rest, said));
        } else if slot.starts_with("data.") {
            t.datasets.values_mut().for_each(|d| drop(d.facts.insert(slot.clone(), said.clone())));
        } else if slot.starts_with("subjects.") {
            t.datasets.values_mut().flat_map(|d| d.subjects.values_mut()).for_each(|g| drop(g.insert(slot.clone(), said.clone())));
        } else {
            t.hops.iter_mut().for_each(|h| drop(h.facts.insert(slot.clone(), said.clone())));
        }
    }
}

/// Says a fact of a party.
pub fn set_party(t: &mut Transfer, name: &str, rest: &str, said: &Said) {
    if let Some(p) = t.parties.get_mut(name) {
        p.facts.insert(format!("party.{rest}"), said.clone());
    }
}

/// A value as `--fact` takes it.
pub fn plain(said: &Said) -> String {
    let value = match &said.value {
        Spoken::YesNo(b) => if *b { "yes" } else { "no" }.to_string(),
        Spoken::Number(n) => n.to_string(),
        Spoken::Word(w) => w.clone(),
        Spoken::Words(ws) => format!("{{{}}}", ws.join(",")),
        Spoken::Range { at_least, at_most } => format!("{at_least}..{at_most}"),
    };
    if said.standing == Standing::Evidenced { format!("evidenced {value}") } else { value }
}

/// The command that asks about these facts on a day.
pub fn command(start: &str, flat: &[(String, Said)], as_of: model::AsOf) -> String {
    let mut out = String::from(start);
    for (slot, value) in flat {
        out.push_str(&match slot.as_str() {
            "exporter.place" => format!(" --from {}", plain(value)),
            "recipient.place" => format!(" --to {}", plain(value)),
            _ => format!(" --fact '{slot}={}'", plain(value)),
        });
    }
    out.push_str(&format!(" --as-of {}", as_of.on));
    if as_of.published_by != as_of.on {
        out.push_str(&format!(" --published-by {}", as_of.published_by));
    }
    out
}

/// A place by code, or by its everyday name in either language.
pub fn known_place(vocabulary: &Vocabulary, text: &str) -> Option<String> {
    let text = text.trim();
    let upper = text.to_uppercase();
    if vocabulary.places.contains_key(&upper) {
        return Some(upper);
    }
    let named = |t: &model::text::Text| t.en.eq_ignore_ascii_case(text) || t.ja == text;
    vocabulary.places.iter().find(|(_, t)| named(t)).map(|(code, _)| code.clone()).or_else(|| everyday(text).map(str::to_string))
}

/// A place by code or name; what is neither stays as it is, and binding names it.
pub fn place(vocabulary: &Vocabulary, text: &str) -> String {
    known_place(vocabulary, text).unwrap_or_else(|| text.trim().to_string())
}

/// Names that people write and that stand in no table of codes.
fn everyday(text: &str) -> Option<&'static str> {
    Some(match text.to_lowercase().as_str() {
        "usa" | "united states" | "米国" | "u.s." | "u.s.a." | "america" | "united states of america" | "アメリカ" | "アメリカ合衆国" | "合衆国" => "US",
        "uk" | "u.k." | "great britain" | "britain" | "england" | "イギリス" | "英国" => "GB",
        "korea" | "south korea" | "republic of korea" | "韓国" | "大韓民国" => "KR",
        "vietnam" | "viet nam" | "ベトナム" => "VN",
        "russia" | "ロシア" => "RU",
        "taiwan" | "台湾" => "TW",
        "hong kong" | "香港" => "HK",
        "mainland china" | "prc" | "中華人民共和国" => "CN",
        "日本国" => "JP",
        "独" | "独逸" => "DE",
        _ => return None,
    })
}

/// A decision as a document, with its digest and what its opening rests on; `now` is the same day as understood today.
pub fn document(decision: &Decision, now: Option<&Decision>, today: CivilDate) -> Value {
    let mut value = serde_json::to_value(decision).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.insert("schema".into(), "tegata.decision.1".into());
        map.insert("digest".into(), decision.digest().to_string().into());
        let once: Vec<Value> = footing::read_once(decision)
            .iter()
            .map(|r| {
                let rules: Vec<&str> = r.rules.iter().map(|c| c.id.as_str()).collect();
                let entries: Vec<&str> = r.entries().iter().map(|e| e.id.as_str()).collect();
                json!({ "layer": r.layer, "rules": rules, "entries": entries })
            })
            .collect();
        map.insert("opens_a_flow".into(), (decision.verdict.opens() && once.is_empty()).into());
        map.insert("read_once".into(), once.into());
        let stale: Vec<Value> = footing::stale(decision, today).iter().map(|(id, day)| json!({ "rule": id, "read": day })).collect();
        map.insert("stale".into(), stale.into());
        if let Some(now) = now {
            let then = json!({ "verdict": now.verdict, "as_of": now.as_of, "deciding": now.deciding_ids() });
            map.insert("as_understood_today".into(), then);
        }
    }
    value
}

/// An entry of a list behind a clause, in one line for people: by it, no longer by it, or not covered by it and why.
pub fn entry(language: Language, e: &EntryAnswer) -> String {
    let text = |ts: Vec<&Text>| ts.iter().map(|t| t.in_(language)).collect::<Vec<_>>().join("; ");
    let day = |d: Option<CivilDate>| d.map(|d| d.to_string()).unwrap_or_default();
    let (from, unmet) = (day(e.citation.from), text(e.unmet.iter().map(|u| &u.says).collect()));
    let turned = day(match e.role {
        EntryRole::Annulled => e.annulled,
        EntryRole::NotYet => e.citation.from,
        _ => e.citation.until,
    });
    let because = if e.role == EntryRole::FallsShort && !unmet.is_empty() { "-because" } else { "" };
    let args = [
        ("cites", Arg::Text(&words::cite(language, &e.citation.cites))),
        ("from", Arg::Text(&from)),
        ("day", Arg::Text(&turned)),
        ("list", Arg::Text(e.label.in_(language))),
        ("unmet", Arg::Text(&unmet)),
    ];
    let line = say(language, &format!("entry-{}{because}", e.role.word()), &args);
    let given = text(e.given.iter().collect());
    match e.role.carries() && !given.is_empty() {
        true => say(language, "entry-given", &[("entry", Arg::Text(&line)), ("given", Arg::Text(&given))]),
        false => line,
    }
}

/// A threshold ahead of a count, in one line for people.
pub fn threshold(book: &rulebook::book::Rulebook, language: Language, w: &decide::counter::Warning) -> String {
    let label = book.vocabulary.of_slot(&w.slot).map_or_else(|| w.slot.clone(), |f| f.label.in_(language).to_string());
    let laws: Vec<&str> = w.layers.iter().map(|l| book.layers.get(l).map_or(l.as_str(), |layer| layer.label.in_(language))).collect();
    let (laws, then) = (laws.join("; "), say(language, &format!("verdict-{}", w.then.word()), &[]));
    let args = [("what", Arg::Text(&label)), ("count", Arg::Number(w.count)), ("threshold", Arg::Number(w.threshold)), ("laws", Arg::Text(&laws)), ("then", Arg::Text(&then))];
    say(language, if w.is_near() { "threshold-near" } else { "threshold-ahead" }, &args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_facts_nest_or_not_and_long_forms_pass() {
        let flat = transfer(json!({"exporter.place":"TH","recipient":{"place":"JP"},"id":"a"})).unwrap();
        assert_eq!(flat.id.as_deref(), Some("a"));
        assert_eq!(flat.parties["recipient"].facts["party.place"].value, Spoken::Word("JP".into()));
        assert!(transfer(json!({"hops":[]})).is_err(), "the long form needs its parts");
        assert!(transfer(json!([])).is_err());
    }
}
