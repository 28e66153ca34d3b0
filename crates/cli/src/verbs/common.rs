//! `tegata common`: one set of measures for many destinations, or which of them exclude each other.

use crate::{profile::{self, Profile}, rules_source, verdict::Voice};
use clap::Args;
use decide::{common::{self, Common}, decision::Verdict, engine::Engine};
use std::process::ExitCode;
use words::{Arg, say};

/// Find the strictest common rule: what to do once so that one transfer may go to every destination.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata common --from JP --to US,DE,SG,TH --data contact,salary_hr --usual
  tegata common --from DE --to-all --data contact --usual --json

Exit codes: 0 one standard serves all, 10 it serves some, 11 no common standard, 12 cannot tell (facts are missing), 2 usage.")]
pub struct CommonRule {
    /// Place of the exporter.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Destinations.
    #[arg(long, value_name = "PLACES", value_delimiter = ',', required_unless_present = "to_all")]
    to: Vec<String>,
    /// Every destination.
    #[arg(long)]
    to_all: bool,
    #[command(flatten)]
    profile: Profile,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(verb: CommonRule) -> ExitCode {
    match answer(&verb) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn answer(verb: &CommonRule) -> Result<u8, String> {
    let mut engine = Engine::new(rules_source::load_law(verb.common.rules.as_deref())?);
    let destinations = if verb.to_all { engine.book.vocabulary.places.keys().cloned().collect() } else { profile::places(&engine, &verb.to)? };
    let (crossing, taken) = verb.profile.crossing(&engine, &[("exporter.place", Some(&verb.from))])?;
    let table = engine.table(verb.profile.as_of()).map_err(super::too_many)?;
    let packed = table.lexicon.pack(&crossing.facts, table.as_of.on);
    let wheel = super::wheel(&say(verb.common.voice().language, "common-wheel", &[("n", Arg::Number(destinations.len() as i64))]));
    let found = common::rule(&table, &engine.book, &packed, &destinations).map_err(super::too_many)?;
    wheel.finish_and_clear();
    if verb.json {
        let mut value = serde_json::to_value(&found).unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            map.insert("schema".into(), "tegata.common.1".into());
            map.insert("rulebook".into(), engine.book.digest().to_string().into());
        }
        super::print_lines(&[value.to_string()]);
    } else {
        let mut out = lines(&engine, &found, verb.common.voice());
        if !taken.is_empty() {
            out.insert(0, format!("{}: {}", verb.common.voice().word("taken-as-usual"), taken.join(", ")));
        }
        super::print_lines(&out);
    }
    let open = |place: &String| found.alone.iter().any(|a| a.place == *place && a.verdict == Verdict::Undetermined);
    Ok(match (found.left_out.len(), destinations.len()) {
        (0, _) => 0,
        (n, all) if n < all => 10,
        _ if found.left_out.iter().all(open) => 12,
        _ => 11,
    })
}

fn lines(engine: &Engine, found: &Common, voice: Voice) -> Vec<String> {
    let mut out = Vec::new();
    let cite = |id: &String| engine.book.head(id).map_or_else(|| id.clone(), |h| voice.provision(&h.cites).into_owned());
    for a in &found.alone {
        let mut by: Vec<String> = a.by.iter().map(cite).collect();
        by.dedup();
        by.truncate(3);
        out.push(format!("{:<6} {}{}", a.place, voice.verdict(a.verdict), if by.is_empty() { String::new() } else { format!(" — {}", by.join("; ")) }));
    }
    out.push(String::new());
    for x in &found.against {
        let by: Vec<String> = x.by.iter().take(4).map(cite).collect();
        out.push(say(voice.language, "common-against", &[("places", Arg::Text(&x.places.join(" × "))), ("by", Arg::Text(&by.join("; ")))]));
    }
    if found.too_open {
        out.push(voice.word("common-too-open"));
    }
    if !found.left_out.is_empty() {
        out.push(say(voice.language, "common-left-out", &[("places", Arg::Text(&found.left_out.join(", ")))]));
    }
    if found.left_out.len() == found.alone.len() {
        return out;
    }
    for (i, s) in found.standards.iter().take(3).enumerate() {
        if s.measures.is_empty() {
            out.push(voice.word("common-nothing"));
            continue;
        }
        let cost = voice.cost(s.days, s.money, s.utility_loss);
        out.push(say(voice.language, "common-standard", &[("n", Arg::Number(i as i64 + 1)), ("cost", Arg::Text(&cost))]));
        for (m, places) in &s.measures {
            out.push(format!("   - {} ({}) {}", m.label.in_(voice.language), voice.word(&format!("who-{}", m.decides)), places.join(" ")));
        }
    }
    if found.more {
        out.push(voice.word("common-more"));
    }
    for b in found.binding.iter().take(5) {
        let saves = voice.cost(b.days, b.money, b.utility_loss);
        out.push(say(voice.language, "common-binding", &[("place", Arg::Text(&b.place)), ("saves", Arg::Text(&saves)), ("measures", Arg::Text(&b.measures.join(", ")))]));
    }
    out
}
