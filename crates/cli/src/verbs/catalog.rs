//! `tegata catalog`: what a provider offers, and under which condition of law.

use crate::door::{self, Asking, Fault};
use crate::verdict::Voice;
use clap::Args;

use serde_json::{Value, json};
use std::process::ExitCode;
use words::{Arg, say};

/// Read a provider's catalog through your node.
#[derive(Args)]
#[command(after_help = "Example:\n  tegata catalog https://127.0.0.1:8443/dsp --dir boston\n\nExit codes: 0 done, 3 the provider does not answer, 2 usage.")]
pub struct Catalog {
    /// The provider's address, as it told you: https://host/dsp.
    provider: String,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(catalog: Catalog) -> ExitCode {
    door::end(read(&catalog))
}

fn read(catalog: &Catalog) -> Result<Vec<String>, Fault> {
    let answer = catalog.asking.door()?.post("/v1/catalog", &json!({ "provider": catalog.provider }))?;
    if catalog.asking.json {
        return Ok(vec![answer.to_string()]);
    }
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let mut out = vec![text(&answer, "participantId")];
    let voice = catalog.asking.voice();
    let datasets = answer.get("dataset").and_then(Value::as_array).cloned().unwrap_or_default();
    for dataset in &datasets {
        out.push(format!("  {}  {}", text(dataset, "@id"), text(dataset, "dct:title")));
        let mut facts = Vec::new();
        named(dataset, &mut facts);
        facts.sort();
        facts.dedup();
        if !facts.is_empty() {
            out.push(format!("      {}: {}", voice.word("catalog-law"), facts.join(", ")));
        }
        for terms in dataset.get("hasPolicy").and_then(Value::as_array).into_iter().flatten() {
            out.extend(terms_lines(terms, voice).into_iter().map(|line| format!("      {line}")));
        }
    }
    if datasets.is_empty() {
        out.push(format!("  {}", voice.word("offer-none")));
    }
    Ok(out)
}

/// The terms in words, without the law's conditions, which stand above.
fn terms_lines(terms: &Value, voice: Voice) -> Vec<String> {
    match node::terms::beside_law(terms) {
        Ok(lines) => lines.iter().map(|line| line.in_(voice.language).to_string()).collect(),
        Err(why) => vec![say(voice.language, "catalog-terms-unknown", &[("why", Arg::Text(&why))])],
    }
}

/// The facts of law that the conditions of an offer ask the recipient for.
fn named(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(operand) = map.get("leftOperand").and_then(Value::as_str) {
                // Other operands, such as the rulebook's digest, ask for no fact.
                out.extend(operand.split_once("fact:").or_else(|| operand.split_once("fact/")).map(|(_, slot)| slot.to_string()));
            }
            map.values().for_each(|v| named(v, out));
        }
        Value::Array(all) => all.iter().for_each(|v| named(v, out)),
        _ => {}
    }
}
