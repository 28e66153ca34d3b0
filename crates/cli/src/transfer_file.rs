//! A transfer from a file, a line or flags: the long form with parties and hops, or the short form of one hop.

use model::{
    fact::{Said, Spoken},
    transfer::Transfer,
};
use node::question;
use std::path::Path;

/// Why a file is no transfer: one line for people.
pub type Complaint = String;

// LIMIT: one transfer file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads a TOML or JSON file.
pub fn read(path: &Path) -> Result<Transfer, Complaint> {
    question::transfer(value(path)?).map_err(|e| format!("`{}`: {e}", path.display()))
}

/// Reads the facts of one hop by slot.
pub fn read_flat(path: &Path) -> Result<Vec<(String, Said)>, Complaint> {
    question::flat(value(path)?).map_err(|e| format!("`{}`: {e}", path.display()))
}

fn value(path: &Path) -> Result<serde_json::Value, Complaint> {
    let name = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("cannot read `{name}`: {e}"))?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("`{name}` is larger than 4 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read `{name}`: {e}"))?;
    if path.extension().is_some_and(|e| e == "json") {
        serde_json::from_str(&text).map_err(|e| format!("`{name}` is not JSON: {e}"))
    } else {
        let table: toml::Table = toml::from_str(&text).map_err(|e| format!("`{name}` is not TOML: {}", e.to_string().trim()))?;
        serde_json::to_value(table).map_err(|e| format!("`{name}`: {e}"))
    }
}

/// Reads one JSON document.
pub fn parse_json(text: &str) -> Result<Transfer, Complaint> {
    let value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    question::transfer(value)
}

/// Adds a fact given as `slot=value`; members of a set add up.
pub fn add(flat: &mut Vec<(String, Said)>, text: &str) -> Result<(), Complaint> {
    let (slot, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not `fact=value`"))?;
    let mut said = rulebook::book::parse_said(value);
    let slot = slot.trim().to_string();
    if let Some((_, old)) = flat.iter_mut().find(|(s, _)| *s == slot) {
        let mut words = words_of(&old.value);
        words.extend(words_of(&said.value));
        words.dedup();
        said.value = Spoken::Words(words);
        *old = said;
    } else {
        flat.push((slot, said));
    }
    Ok(())
}

fn words_of(value: &Spoken) -> Vec<String> {
    match value {
        Spoken::Word(w) => vec![w.clone()],
        Spoken::Words(ws) => ws.clone(),
        Spoken::YesNo(b) => vec![if *b { "yes" } else { "no" }.into()],
        Spoken::Number(n) => vec![n.to_string()],
        Spoken::Range { .. } => Vec::new(),
    }
}
