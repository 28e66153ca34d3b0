//! The list of transfers that a firm already keeps: columns matched, values understood, each row a transfer.
//!
//! What is not understood stays unknown and is said beside the row. How people name columns and values is data
//! (`profiles/register.toml`), not code.

use model::{
    fact::{Said, Spoken},
    text::Language,
    transfer::Transfer,
};
use crate::question::known_place;
use dataplane::sheet::Sheet;
use rulebook::vocabulary::{Domain, Fact, Vocabulary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How firms name columns and values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    column: Vec<ColumnNaming>,
    words: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnNaming {
    slot: String,
    headers: Vec<String>,
}

/// The naming that ships with the program, as TOML.
pub const NAMING: &str = include_str!("../../../profiles/register.toml");

/// Reads the list, `.csv` or `.xlsx`.
pub fn read(path: &std::path::Path) -> Result<dataplane::sheet::Sheet, dataplane::sheet::SheetError> {
    dataplane::sheet::read(path, None)
}

/// One column of the list and the fact it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its position.
    pub index: usize,
    /// Its header.
    pub header: String,
    /// The slot; `id`, `exporter` and `recipient` name the row and its parties; `None` is not used.
    pub slot: Option<String>,
}

/// One row understood as a transfer.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its name.
    pub id: String,
    /// Facts by slot.
    pub facts: Vec<(String, Said)>,
    /// Values that were not understood: (header, value).
    pub not_understood: Vec<(String, String)>,
}

impl Row {
    /// The row as a transfer of one hop.
    pub fn transfer(&self) -> Transfer {
        Transfer { id: Some(self.id.clone()), ..Transfer::single(self.facts.iter().cloned()) }
    }
}

/// A fact's own name: `recipient.place`.
fn is_slot(header: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    header.split_once('.').is_some_and(|(a, b)| part(a) && b.split('.').all(part))
}

/// A header for comparison: what Japanese puts between and behind its nouns is left out too.
fn loose(header: &str) -> String {
    let plain: String = plain(header).chars().filter(|c| *c != 'の').collect();
    let ends = ["か", "名", "等"];
    ends.iter().find_map(|end| plain.strip_suffix(end)).filter(|rest| !rest.is_empty()).unwrap_or(&plain).to_string()
}

/// What a value is about at its core: `従業員の給与データ` is 給与, `salary data` is salary. The last noun rules in both languages.
fn core(value: &str) -> String {
    let japanese = value.rsplit('の').next().unwrap_or(value).trim();
    let ends = ["データ", "情報", "等", " data", " information", " details", " records"];
    ends.iter().find_map(|end| japanese.strip_suffix(end)).filter(|rest| !rest.trim().is_empty()).unwrap_or(japanese).trim().to_string()
}

/// Text for comparison: lower case, without spaces and punctuation.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Naming {
    /// Reads a naming from TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }

    /// Matches headers to facts; what the person set wins over what we guess (`header=slot`).
    pub fn columns(&self, header: &[String], set: &[(String, String)]) -> Vec<Column> {
        let mut taken: Vec<String> = Vec::new();
        header
            .iter()
            .enumerate()
            .map(|(index, h)| {
                let chosen = set.iter().find(|(name, _)| plain(name) == plain(h)).map(|(_, slot)| slot.clone());
                let slot = chosen.or_else(|| self.guess(h)).filter(|s| s != "-" && !taken.contains(s));
                taken.extend(slot.clone());
                Column { index, header: h.clone(), slot }
            })
            .collect()
    }

    /// The list without what stands above its header: a title, a date, who keeps it. The header is the first row that
    /// names the two places; where no row does, the list stays as it is.
    pub fn below_cover(&self, sheet: Sheet) -> Sheet {
        // LIMIT: rows looked through for the header.
        const COVER_ROWS_MAX: usize = 30;
        let is_header = |cells: &[String]| {
            let found = self.columns(cells, &[]);
            ["exporter.place", "recipient.place"].iter().all(|s| found.iter().any(|c| c.slot.as_deref() == Some(s)))
        };
        if is_header(&sheet.header) {
            return sheet;
        }
        match sheet.rows.iter().take(COVER_ROWS_MAX).position(|r| is_header(&r.cells)) {
            None => sheet,
            Some(at) => {
                let mut rows = sheet.rows;
                let below = rows.split_off(at + 1);
                let header = rows.pop().map(|r| r.cells).unwrap_or_default();
                Sheet { header, rows: below }
            }
        }
    }

    fn guess(&self, header: &str) -> Option<String> {
        if is_slot(header.trim()) {
            return Some(header.trim().to_string());
        }
        let h = loose(header);
        self.column.iter().find(|c| c.headers.iter().any(|x| loose(x) == h)).map(|c| c.slot.clone())
    }

    /// Names of values that a person may have meant by one that was not understood.
    pub fn near(&self, slot: &str, value: &str) -> Vec<&str> {
        // LIMIT: names told.
        const NAMES_MAX: usize = 4;
        let wanted = plain(value);
        let shares = |n: &&String| wanted.chars().count() > 1 && (plain(n).contains(&wanted) || plain(n).chars().count() > 1 && wanted.contains(&plain(n)));
        self.words.get(slot).into_iter().flatten().filter_map(|(_, names)| names.iter().find(shares)).map(String::as_str).take(NAMES_MAX).collect()
    }

    /// Reads one row.
    pub fn row(&self, vocabulary: &Vocabulary, columns: &[Column], line: usize, cells: &[String]) -> Row {
        let mut row = Row { line, id: format!("line {line}"), facts: Vec::new(), not_understood: Vec::new() };
        for column in columns {
            let cell = cells.get(column.index).map(|c| c.trim()).unwrap_or_default();
            let Some(slot) = column.slot.as_deref().filter(|_| !cell.is_empty()) else { continue };
            match slot {
                "id" => row.id = cell.to_string(),
                "exporter" | "recipient" => {}
                _ => self.cell(vocabulary, slot, column, cell, &mut row),
            }
        }
        row
    }

    fn cell(&self, vocabulary: &Vocabulary, slot: &str, column: &Column, cell: &str, row: &mut Row) {
        let Some(fact) = vocabulary.of_slot(slot) else {
            row.not_understood.push((column.header.clone(), cell.to_string()));
            return;
        };
        match self.value(vocabulary, fact, slot, cell) {
            Some(value) => put(&mut row.facts, slot, value),
            None => match self.elsewhere(slot, cell) {
                // "Consent" in a column of mechanisms is no mechanism but a consent: it goes where it belongs.
                Some((other, value)) => put(&mut row.facts, &other, value),
                None => row.not_understood.push((column.header.clone(), cell.to_string())),
            },
        }
    }

    fn value(&self, vocabulary: &Vocabulary, fact: &Fact, slot: &str, cell: &str) -> Option<Spoken> {
        let says_none = self.word("none", cell).is_some();
        if says_none && matches!(fact.domain, Domain::SetOf(_) | Domain::Places) {
            return Some(Spoken::Words(Vec::new()));
        }
        match &fact.domain {
            Domain::YesNo => self.word("yes_no", cell).map(|w| Spoken::YesNo(w == "yes")),
            Domain::Count => cell.replace([',', '人'], "").trim().parse().ok().map(Spoken::Number),
            Domain::Date => cell.replace('/', "-").parse::<model::CivilDate>().ok().map(|d| Spoken::Word(d.to_string())),
            Domain::Place => place(vocabulary, cell).map(Spoken::Word),
            Domain::Places => parts(cell).iter().map(|p| place(vocabulary, p)).collect::<Option<Vec<_>>>().map(Spoken::Words),
            Domain::OneOf(words) => {
                let known = words.iter().find(|w| w.id == cell || label_is(&w.label, cell)).map(|w| w.id.clone());
                known.or_else(|| self.word(slot, cell)).map(Spoken::Word)
            }
            Domain::SetOf(words) => {
                let one = |p: &String| {
                    let known = words.iter().find(|w| w.id == *p || label_is(&w.label, p)).map(|w| w.id.clone());
                    known.or_else(|| self.word(slot, p))
                };
                parts(cell).iter().map(one).collect::<Option<Vec<_>>>().map(Spoken::Words)
            }
        }
    }

    fn word(&self, slot: &str, text: &str) -> Option<String> {
        let named = |wanted: &str| self.words.get(slot)?.iter().find(|(_, names)| names.iter().any(|n| plain(n) == wanted)).map(|(w, _)| w.clone());
        named(&plain(text)).or_else(|| named(&plain(&core(text))))
    }

    fn elsewhere(&self, slot: &str, cell: &str) -> Option<(String, Spoken)> {
        if slot != "mechanism.kind" {
            return None;
        }
        ["consent.given", "recipient.listed"]
            .into_iter()
            .find_map(|other| self.word(other, cell).map(|w| (other.to_string(), Spoken::Words(vec![w]))))
    }
}

fn put(facts: &mut Vec<(String, Said)>, slot: &str, value: Spoken) {
    match (facts.iter_mut().find(|(s, _)| s == slot), value) {
        (Some((_, Said { value: Spoken::Words(old), .. })), Spoken::Words(more)) => old.extend(more),
        (_, value) => facts.push((slot.to_string(), Said::claim(value))),
    }
}

fn parts(cell: &str) -> Vec<String> {
    cell.split([',', ';', '、', '/', '\n', '+', '・']).map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect()
}

fn label_is(label: &model::text::Text, cell: &str) -> bool {
    [Language::En, Language::Ja].into_iter().any(|l| plain(label.in_(l)) == plain(cell))
}

/// A place by code or everyday name, spaces and punctuation aside.
fn place(vocabulary: &Vocabulary, text: &str) -> Option<String> {
    known_place(vocabulary, text).or_else(|| {
        let wanted = plain(text);
        let named = |t: &model::text::Text| plain(&t.en) == wanted || plain(&t.ja) == wanted;
        vocabulary.places.iter().find(|(_, t)| named(t)).map(|(code, _)| code.clone())
    })
}
