//! The list of transfers that a firm keeps: read, matched, answered row by row.

use crate::verdict::Voice;
use decide::{
    decision::{Decision, Verdict},
    engine::Engine,
    suppose::Supposition,
};
use model::AsOf;
use node::register::{Column, Naming, Row};
use std::path::Path;
use words::{Arg, say};

/// A register as read: its columns and rows.
pub struct Register {
    /// The columns and what they stand for.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    naming: Naming,
}

impl Register {
    /// Names of values that may have been meant in a column.
    fn near(&self, header: &str, value: &str) -> Vec<&str> {
        let slot = self.columns.iter().find(|c| c.header == header).and_then(|c| c.slot.as_deref());
        slot.map(|slot| self.naming.near(slot, value)).unwrap_or_default()
    }

    /// Names that more than one row has, with their lines.
    pub fn doubled(&self) -> Vec<(String, String)> {
        let mut lines: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
        for row in &self.rows {
            lines.entry(&row.id).or_default().push(row.line.to_string());
        }
        lines.into_iter().filter(|(_, l)| l.len() > 1).map(|(id, l)| (id.to_string(), l.join(", "))).collect()
    }
}

/// Reads and matches a register.
pub fn read(engine: &Engine, file: &Path, set: &[String]) -> Result<Register, String> {
    let naming = Naming::parse(node::register::NAMING).map_err(|e| format!("error[TGT-C008]: {e}"))?;
    let sheet = node::register::read(file).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let sheet = naming.below_cover(sheet);
    let set = chosen(engine, &sheet.header, set)?;
    let columns = naming.columns(&sheet.header, &set);
    let has = |slot: &str| columns.iter().any(|c| c.slot.as_deref() == Some(slot));
    for needed in ["exporter.place", "recipient.place"] {
        if !has(needed) {
            let headers = sheet.header.join(", ");
            return Err(format!("error[TGT-C007]: no column of `{}` says {needed}; its headers are: {headers}; name one with --column 'HEADER={needed}'", file.display()));
        }
    }
    if sheet.rows.is_empty() {
        return Err(format!("error[TGT-C007]: `{}` has a header and no rows; there is nothing to check", file.display()));
    }
    let rows = sheet.rows.iter().map(|r| naming.row(&engine.book.vocabulary, &columns, r.line as usize, &r.cells)).collect();
    Ok(Register { columns, rows, naming })
}

/// What the person says of columns; each header and fact must exist.
fn chosen(engine: &Engine, header: &[String], set: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut out = Vec::new();
    for text in set {
        let (name, slot) = text.split_once('=').ok_or_else(|| format!("error[TGT-C007]: `{text}` is not HEADER=fact"))?;
        if !header.iter().any(|h| h.trim() == name.trim()) {
            return Err(format!("error[TGT-C007]: there is no column `{name}`; the headers are: {}", header.join(", ")));
        }
        let known = ["-", "id", "exporter", "recipient"].contains(&slot) || engine.book.vocabulary.of_slot(slot).is_some();
        if !known {
            let slots = engine.book.vocabulary.slots();
            let help = super::near(slot, slots.iter().map(String::as_str));
            return Err(format!("error[TGT-C007]: there is no fact `{slot}`; {help}"));
        }
        out.push((name.to_string(), slot.to_string()));
    }
    Ok(out)
}

/// Decides every row; a row that does not bind answers with what is wrong.
pub fn decide(engine: &mut Engine, register: &Register, as_of: AsOf, horizon: bool) -> Result<Vec<Result<Decision, String>>, String> {
    let mut out = Vec::with_capacity(register.rows.len());
    for row in &register.rows {
        out.push(match engine.book.bind(&row.transfer()) {
            Err(ds) => Err(super::faults(&ds)),
            Ok(bound) if horizon => Ok(engine.decide_with_horizon(&bound, as_of).map_err(super::too_many)?),
            Ok(bound) => Ok(engine.decide(&bound, as_of).map_err(super::too_many)?),
        });
    }
    Ok(out)
}

/// Answers for each row: how columns were understood, then red rows first.
pub fn answer(engine: &mut Engine, file: &Path, as_of: AsOf, set: &[String], json: bool, common: &super::Common) -> Result<Verdict, String> {
    let voice = common.voice();
    let register = read(engine, file, set)?;
    let answers = decide(engine, &register, as_of, false)?;
    let usual = supposed(engine, &register, &answers, as_of)?;
    if json {
        for ((row, answer), usual) in register.rows.iter().zip(&answers).zip(&usual) {
            super::print_lines(&[row_json(row, answer, usual.as_ref())]);
        }
    } else {
        let mut out = matching(&register, voice);
        out.extend(table(&register, &answers, &usual, voice));
        super::print_lines(&out);
    }
    Ok(answers.iter().map(|a| a.as_ref().map_or(Verdict::Undetermined, |d| d.verdict)).max_by_key(|v| v.severity()).unwrap_or(Verdict::Undetermined))
}

/// What would follow for each row that waits for facts, if the usual holds.
fn supposed(engine: &mut Engine, register: &Register, answers: &[Result<Decision, String>], as_of: AsOf) -> Result<Vec<Option<Supposition>>, String> {
    let mut out = Vec::with_capacity(answers.len());
    for (row, answer) in register.rows.iter().zip(answers) {
        let waits = answer.as_ref().is_ok_and(|d| d.verdict == Verdict::Undetermined);
        let bound = if waits { engine.book.bind(&row.transfer()).ok() } else { None };
        out.push(bound.map(|b| engine.suppose(&b, as_of)).transpose().map_err(super::too_many)?.flatten());
    }
    Ok(out)
}

fn row_json(row: &Row, answer: &Result<Decision, String>, usual: Option<&Supposition>) -> String {
    let mut value = serde_json::json!({ "schema": "tegata.register-row.1", "line": row.line, "id": row.id, "not_understood": row.not_understood });
    if let Some(map) = value.as_object_mut() {
        match answer {
            Ok(d) => map.insert("decision".into(), serde_json::to_value(d).unwrap_or_default()),
            Err(e) => map.insert("problem".into(), e.clone().into()),
        };
        if let Some(usual) = usual {
            map.insert("if_usual".into(), serde_json::to_value(usual).unwrap_or_default());
        }
    }
    value.to_string()
}

/// How the columns were understood, so that a person can confirm it or say otherwise.
fn matching(register: &Register, voice: Voice) -> Vec<String> {
    let used: Vec<String> = register.columns.iter().filter_map(|c| c.slot.as_ref().map(|s| format!("{} = {s}", c.header))).collect();
    let unused: Vec<&str> = register.columns.iter().filter(|c| c.slot.is_none()).map(|c| c.header.as_str()).collect();
    let mut out = vec![format!("{}: {}", voice.word("register-columns"), used.join("; "))];
    if !unused.is_empty() {
        out.push(format!("{}: {}", voice.word("register-unused"), unused.join("; ")));
    }
    out.push(String::new());
    out
}

fn table(register: &Register, answers: &[Result<Decision, String>], usual: &[Option<Supposition>], voice: Voice) -> Vec<String> {
    let severity = |a: &Result<Decision, String>| a.as_ref().map_or(Verdict::Undetermined.severity(), |d| d.verdict.severity());
    let mut order: Vec<usize> = (0..register.rows.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(answers.get(*i).map_or(0, severity)));
    let mut out = Vec::new();
    let mut counts = std::collections::BTreeMap::new();
    for i in order {
        let (Some(row), Some(answer)) = (register.rows.get(i), answers.get(i)) else { continue };
        match answer {
            Ok(d) => {
                *counts.entry(d.verdict.severity()).or_insert((d.verdict, 0)) = (d.verdict, counts.get(&d.verdict.severity()).map_or(0, |(_, n): &(Verdict, usize)| *n) + 1);
                let why = d.worst().map(|c| super::check::one_line(c, voice)).unwrap_or_default();
                out.push(format!("{:>4} {:<14} {}  {why}", row.line, row.id, voice.verdict(d.verdict)));
            }
            Err(e) => out.push(format!("{:>4} {:<14} {e}", row.line, row.id)),
        }
        if let Some(Some(s)) = usual.get(i) {
            let way = s.remedies.first().map(|r| format!(" → {}", voice.way(r))).unwrap_or_default();
            let by = match s.missing.first() {
                Some(lack) => voice.lack(lack),
                None => s.deciding.first().map(|c| voice.provision(&c.citation.cites).into_owned()).unwrap_or_default(),
            };
            out.push(format!("       {}: {}  {by}{way}", voice.word("supposed"), voice.verdict(s.verdict)));
        }
        for (header, value) in &row.not_understood {
            let near = register.near(header, value);
            let near = if near.is_empty() { String::new() } else { format!(" ({})", say(voice.language, "register-near", &[("names", Arg::Text(&near.join(" / ")))])) };
            out.push(format!("       {}: {header} = `{value}`{near}", voice.word("register-not-understood")));
        }
    }
    for (id, lines) in register.doubled() {
        out.push(format!("       {}", say(voice.language, "register-doubled", &[("id", Arg::Text(&id)), ("lines", Arg::Text(&lines))])));
    }
    out.push(String::new());
    let summary: Vec<String> = counts.values().rev().map(|(v, n)| format!("{} {n}", voice.verdict(*v))).collect();
    out.push(format!("{}: {}", say(voice.language, "register-rows", &[("n", Arg::Number(register.rows.len() as i64))]), summary.join(", ")));
    out
}
