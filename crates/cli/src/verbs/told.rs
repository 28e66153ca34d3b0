//! What is said for the law of something that is offered: facts from a file, facts by hand, and whom those of the recipient are about.

use crate::{door::Fault, transfer_file};
use clap::Args;
use model::fact::Said;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::PathBuf};

/// The facts of an offer.
#[derive(Args)]
pub struct Told {
    /// Facts in TOML or JSON, as `tegata check` takes them.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// One more fact, FACT=VALUE.
    #[arg(long = "fact", value_name = "FACT=VALUE")]
    fact: Vec<String>,
    /// The participant that the facts of the recipient are about.
    #[arg(long, value_name = "DID")]
    pub to: Option<String>,
}

/// Facts by slot: those of the offer, and those of the recipient, whom the node knows apart.
pub struct Facts {
    /// Of whoever gives, the data, its people and the way.
    pub ours: Vec<(String, Said)>,
    /// `recipient.…`
    pub theirs: Vec<(String, Said)>,
}

impl Told {
    /// Reads file and flags: what is said by hand replaces what the file says of it; several of one fact add up.
    pub fn read(&self) -> Result<Facts, Fault> {
        let mut flat: Vec<(String, Said)> = match &self.facts {
            Some(path) => transfer_file::read_flat(path).map_err(|e| format!("error[TGT-C002]: {e}"))?,
            None => Vec::new(),
        };
        let mut by_hand: Vec<(String, Said)> = Vec::new();
        for fact in &self.fact {
            transfer_file::add(&mut by_hand, fact).map_err(|e| format!("error[TGT-C002]: {e}"))?;
        }
        flat.retain(|(slot, _)| !by_hand.iter().any(|(said, _)| said == slot));
        flat.extend(by_hand);
        if let Some(to) = self.to.as_ref().filter(|to| !is_did(to)) {
            return Err(Fault::usage(format!("error[TGT-C002]: `{to}` is no participant's id, such as did:web:boston.example")));
        }
        let (theirs, ours) = flat.into_iter().partition(|(slot, _)| slot.starts_with("recipient."));
        Ok(Facts { ours, theirs })
    }

    /// What the node is told of the recipient, if something is.
    pub fn peer(&self, theirs: Vec<(String, Said)>, words: BTreeMap<&str, Vec<&str>>) -> Result<Option<Value>, Fault> {
        match (&self.to, theirs.is_empty() && words.is_empty()) {
            (Some(to), false) => Ok(Some(json!({ "id": to, "facts": facts(theirs), "words": words }))),
            (None, false) => Err(Fault::usage("error[TGT-C002]: the facts tell of a recipient: say which participant it is, with --to did:web:…")),
            _ => Ok(None),
        }
    }
}

/// Facts as `/v1` takes them.
pub fn facts(flat: Vec<(String, Said)>) -> Value {
    flat.into_iter().map(|(slot, said)| (slot, serde_json::to_value(said).unwrap_or_default())).collect::<Map<_, _>>().into()
}

/// A decentralized identifier: method and name (W3C DID 1.0, section 3.1).
fn is_did(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let (scheme, method, name) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let method_fits = !method.is_empty() && method.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    scheme == Some("did") && method_fits && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:%".contains(c))
}
