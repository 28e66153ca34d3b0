//! `tegata matrix`: one profile of data, from every origin to every destination.

use crate::{profile::{self, Profile}, rules_source, verdict::Voice};
use clap::Args;
use decide::{decision::Verdict, engine::Engine, matrix::Matrix};
use std::process::ExitCode;

/// Answer for every origin and every destination at once; places that the rules do not tell apart stand together.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata matrix --from JP,DE,US --data contact --usual
  tegata matrix --data contact --usual --csv > matrix.csv

Exit code: 0; a matrix is no permission: ask `tegata check` for one pair.")]
pub struct MatrixOf {
    /// Origins (default: all).
    #[arg(long, value_name = "PLACES", value_delimiter = ',')]
    from: Vec<String>,
    #[command(flatten)]
    profile: Profile,
    /// Print a row for each pair as CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON, a document for each look.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(verb: MatrixOf) -> ExitCode {
    super::finish(answer(&verb))
}

fn answer(verb: &MatrixOf) -> Result<Vec<String>, String> {
    let mut engine = Engine::new(rules_source::load_law(verb.common.rules.as_deref())?);
    let from = profile::places(&engine, &verb.from)?;
    let table = engine.table(verb.profile.as_of()).map_err(super::too_many)?;
    // What is usual hangs on where the data come from: a look for each origin.
    let looks: Vec<Vec<String>> = match verb.profile.usual() {
        true if from.is_empty() => engine.book.vocabulary.places.keys().map(|place| vec![place.clone()]).collect(),
        true => from.iter().map(|place| vec![place.clone()]).collect(),
        false => vec![from],
    };
    let mut found: Vec<(Matrix, Vec<String>)> = Vec::with_capacity(looks.len());
    for origins in &looks {
        let end = if verb.profile.usual() { origins.first() } else { None };
        let (crossing, taken) = verb.profile.crossing(&engine, &[("exporter.place", end)])?;
        found.push((table.matrix(&table.lexicon.pack(&crossing.facts, table.as_of.on), origins), taken));
    }
    if verb.json {
        let one = |(matrix, taken): &(Matrix, Vec<String>)| {
            let mut value = serde_json::to_value(matrix).unwrap_or_default();
            if let Some(map) = value.as_object_mut() {
                map.insert("schema".into(), "tegata.matrix.1".into());
                map.insert("rulebook".into(), engine.book.digest().to_string().into());
                map.insert("usual".into(), taken.clone().into());
            }
            value.to_string()
        };
        return Ok(found.iter().map(one).collect());
    }
    if verb.csv {
        let head = "origin,destination,verdict,by".to_string();
        return Ok(std::iter::once(head).chain(found.iter().flat_map(|(matrix, _)| csv(matrix))).collect());
    }
    let voice = verb.common.voice();
    Ok(found.iter().flat_map(|(matrix, taken)| {
        let mut out = text(matrix, voice);
        if let Some(first) = out.first_mut().filter(|_| !taken.is_empty()) {
            first.push_str(&format!("  ({}: {}; --json)", voice.word("taken-as-usual"), taken.len()));
        }
        out
    }).collect())
}

fn csv(matrix: &Matrix) -> Vec<String> {
    let mut out = Vec::new();
    for (row, origins) in matrix.cells.iter().zip(&matrix.origins) {
        for (cell, destinations) in row.iter().zip(&matrix.destinations) {
            for (o, d) in origins.iter().flat_map(|o| destinations.iter().map(move |d| (o, d))) {
                out.push(format!("{o},{d},{},{}", cell.verdict.word(), cell.by));
            }
        }
    }
    out
}

fn text(matrix: &Matrix, voice: Voice) -> Vec<String> {
    let mut out = Vec::new();
    let every: Vec<&str> = matrix.destinations.iter().flatten().map(String::as_str).collect();
    for (row, origins) in matrix.cells.iter().zip(&matrix.origins) {
        out.push(named(&origins.iter().map(String::as_str).collect::<Vec<_>>(), &every, voice));
        let mut groups: Vec<(Verdict, &str, Vec<&str>)> = Vec::new();
        for (cell, destinations) in row.iter().zip(&matrix.destinations) {
            let names = destinations.iter().map(String::as_str);
            match groups.iter_mut().find(|(v, by, _)| *v == cell.verdict && *by == cell.by) {
                Some((_, _, all)) => all.extend(names),
                None => groups.push((cell.verdict, &cell.by, names.collect())),
            }
        }
        groups.sort_by_key(|(v, _, all)| (v.severity(), std::cmp::Reverse(all.len())));
        for (v, by, all) in groups {
            let by = if by.is_empty() { String::new() } else { format!(" {by}") };
            out.push(format!("    {} ({}){by}: {}", voice.verdict(v), all.len(), named(&all, &every, voice)));
        }
    }
    out
}

/// Places by their codes; of more than half of all, those that are not among them.
fn named(places: &[&str], every: &[&str], voice: Voice) -> String {
    if places.len() * 2 <= every.len() {
        return places.join(" ");
    }
    let others: Vec<&str> = every.iter().filter(|p| !places.contains(p)).copied().collect();
    let places = words::Arg::Text(&others.join(" "));
    words::say(voice.language, if others.is_empty() { "everywhere" } else { "everywhere-but" }, &[("places", places)])
}
