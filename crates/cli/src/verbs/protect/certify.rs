//! `tegata protect certify`: a profile held against released data, with a sealed report; `meet`: what several profiles demand.

use crate::verbs::sealing::seal_of;
use clap::Args;
use model::text::Language;
use node::protect::{Certified, Sources};
use pets::{
    attack::{Attacked, Rate},
    ratio::Ratio,
};
use std::path::PathBuf;
use std::process::ExitCode;
use words::{Arg, say};

/// Hold a profile against a released table, clause by clause, and write the report; sealed, if there is a key.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect certify release.csv --profile ema-0070 --dictionary study.dictionary.toml --records-before 5265 --out report.json
  tegata protect certify release.csv --profile jp-anonymised+eu-wp216 --plan plan.toml --original study.csv --control held-out.csv --out report.json
  tegata protect certify release.csv --profile sg-pdpc --original study.csv --population register.csv --out report.json --dir munich

The released data are measured, not what was meant. `exact` in the report is integers and rationals, for any order of rows the same bytes;
conformance/pets/exact.py computes it a second time. `observed` holds detectors, models and attacks, with tolerance and seed rule.
What was not given is left to judgement: attacks need --plan and --original, and a --control of people who are not in the release.
The seal lies beside the report: openssl cms -verify -binary -inform DER -in report.json.p7s -content report.json -CAfile ca.pem -purpose any
Exit code: 0 the profile's numbers are met, 10 they are not (the report is written all the same), 2 usage.")]
pub struct Certify {
    /// The released table: .csv (UTF-8 or Shift_JIS), .jsonl, .xlsx, .parquet or .arrow.
    file: PathBuf,
    /// The profile, or several joined by `+`.
    #[arg(long, value_name = "PROFILE")]
    profile: String,
    /// Where the report goes (canonical JSON).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What a person says of the columns; without --original it has to name them all.
    #[arg(long, value_name = "FILE", required_unless_present = "original")]
    dictionary: Option<PathBuf>,
    /// What was done to each column (see `tegata protect --plan`); without it, what shows in the values.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The table that the release was made of.
    #[arg(long, value_name = "FILE")]
    original: Option<PathBuf>,
    /// How many records there were, where the original is not at hand.
    #[arg(long, value_name = "N", conflicts_with = "original")]
    records_before: Option<u64>,
    /// People of the same kind who are not in the release, for the attacks.
    #[arg(long, value_name = "FILE", requires_all = ["original", "plan"])]
    control: Option<PathBuf>,
    /// A table of the population (k-map, journalist and marketer risk).
    #[arg(long, value_name = "FILE")]
    population: Option<PathBuf>,
    /// How many people the population has, where there is no table: a model estimates who is unique in it.
    #[arg(long, value_name = "N", conflicts_with = "population")]
    population_size: Option<u64>,
    /// Write the plan that it was held against.
    #[arg(long, value_name = "FILE")]
    plan_out: Option<PathBuf>,
    /// Write the dictionary that it was held against.
    #[arg(long, value_name = "FILE")]
    dictionary_out: Option<PathBuf>,
    #[command(flatten)]
    seal: crate::verbs::sealing::Sealing,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `certify`.
pub fn run(certify: Certify) -> ExitCode {
    super::end(evaluate(&certify))
}

fn evaluate(certify: &Certify) -> Result<u8, String> {
    let read: Vec<&PathBuf> = [Some(&certify.file), certify.dictionary.as_ref(), certify.plan.as_ref(), certify.original.as_ref(), Some(&certify.out)]
        .into_iter()
        .flatten()
        .chain(&certify.plan_out)
        .chain(&certify.dictionary_out)
        .collect();
    super::apart(&read)?;
    let profile = node::protect::profile(&certify.profile).map_err(super::wrong)?;
    let today = crate::verbs::today();
    if !profile.is_valid_on(today) {
        return Err(format!("error[TGT-N002]: the profile `{}` is valid from {} to {}, not today", profile.id, profile.valid_from, profile.valid_until));
    }
    let knowledge = node::protect::knowledge().map_err(super::wrong)?;
    let dictionary = certify.dictionary.as_ref().map(super::dictionary).transpose()?;
    let plan = certify.plan.as_ref().map(|p| super::plan(p)).transpose()?;
    let sources = Sources {
        dictionary: dictionary.as_ref(),
        plan: plan.as_ref(),
        records_before: certify.records_before,
        original: certify.original.as_deref(),
        control: certify.control.as_deref(),
        population: certify.population.as_deref(),
        population_size: certify.population_size,
    };
    let wheel = crate::verbs::wheel(&certify.file.display().to_string());
    let certified = node::protect::certify(&certify.file, &profile, &sources, &knowledge).map_err(|e| unnamed(certify, super::wrong(e)))?;
    wheel.finish_and_clear();
    write(certify, &certified)?;
    let voice = certify.common.voice();
    let mut out = super::clauses(&certified.report);
    out.extend(measures(&certified, voice.language));
    for clause in profile.clauses.iter().filter(|c| certified.report.clauses().any(|a| a.clause == c.id && a.outcome == pets::examine::Outcome::Judgement)) {
        let text = clause.text.in_(voice.language);
        out.push(say(voice.language, "certify-judgement", &[("clause", Arg::Text(&clause.id)), ("text", Arg::Text(text))]));
    }
    let met = certified.report.is_met();
    out.push(voice.word(if met { "protect-met" } else { "certify-not-met" }));
    crate::verbs::print_lines(&out);
    Ok(if met { 0 } else { 10 })
}

/// A dictionary that was written for the raw table names what a person corrected there; alone, a release needs all its columns named.
fn unnamed(certify: &Certify, line: String) -> String {
    if certify.original.is_some() || !line.contains("pets/unplanned-column") {
        return line;
    }
    let file = certify.file.display();
    format!("{line}\n  without --original the dictionary has to name every column of the release: `tegata scan {file} --dictionary FILE` writes one to correct; or give the table it was made of as --original")
}

fn write(certify: &Certify, certified: &Certified) -> Result<(), String> {
    let unwritten = |e: &dyn std::fmt::Display| format!("error[TGT-N004]: {e}");
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![(certify.out.clone(), certified.bytes.clone())];
    if let Some(path) = &certify.plan_out {
        files.push((path.clone(), certified.plan.render().map_err(|e| unwritten(&e))?.into_bytes()));
    }
    if let Some(path) = &certify.dictionary_out {
        files.push((path.clone(), certified.dictionary.render().map_err(|e| unwritten(&e))?.into_bytes()));
    }
    files.extend(certify.seal.seal(&certified.bytes)?.map(|seal| (seal_of(&certify.out), seal)));
    crate::verbs::write_together(&files)?;
    let language = certify.common.voice().language;
    let id = if files.iter().any(|(path, _)| *path == seal_of(&certify.out)) { "certify-sealed" } else { "certify-unsealed" };
    let digest = model::Digest::of(&certified.bytes).to_string();
    let exact = certified.report.exact_digest().map_err(|e| unwritten(&e))?.to_string();
    let (path, seal) = (certify.out.display().to_string(), seal_of(&certify.out).display().to_string());
    errln!("{}", say(language, id, &[("path", Arg::Text(&path)), ("digest", Arg::Text(&digest)), ("exact", Arg::Text(&exact)), ("seal", Arg::Text(&seal))]));
    Ok(())
}

fn measures(certified: &Certified, language: Language) -> Vec<String> {
    let (exact, observed) = (&certified.report.exact, &certified.report.observed);
    let thousandths = |n: Option<&u64>| n.map_or("–".to_string(), |n| format!("{:.3}", *n as f64 / 1000.0));
    let mut out = vec![say(language, "certify-classes", &[
        ("k", Arg::Text(&exact.k.map_or("–".into(), |k| k.to_string()))),
        ("risk", Arg::Text(&exact.risk_max.percent(2))),
        ("average", Arg::Text(&exact.risk_average.percent(2))),
        ("released", Arg::Number(exact.records_released as i64)),
        ("classes", Arg::Number(exact.classes as i64)),
        ("alone", Arg::Number(exact.unique_over_all_columns as i64)),
    ])];
    for (name, d) in &exact.diversity {
        let t = d.t_ordered.unwrap_or(d.t_equal);
        out.push(format!(
            "  {name:<20} l {} · entropy l {} · c {} · α {} · t {} · β {} · β* {} · δ {}",
            d.distinct_l,
            thousandths(observed.entropy_l_thousandths.get(name)),
            d.recursive_c.map_or("–".into(), decimal),
            decimal(d.alpha),
            decimal(t),
            decimal(d.beta),
            thousandths(observed.beta_enhanced_thousandths.get(name)),
            thousandths(observed.delta_thousandths.get(name)),
        ));
    }
    if let Some(p) = &exact.population {
        out.push(say(language, "certify-population", &[
            ("k", Arg::Number(p.k_map as i64)),
            ("journalist", Arg::Text(&p.journalist_max.percent(2))),
            ("marketer", Arg::Text(&p.marketer.percent(2))),
            ("uniques", Arg::Number(p.population_uniques as i64)),
            ("unmatched", Arg::Number(p.unmatched as i64)),
            ("of", Arg::Number(p.population as i64)),
        ]));
    }
    if let Some(n) = observed.expected_population_uniques_thousandths {
        out.push(say(language, "certify-uniques", &[("n", Arg::Text(&format!("{:.1}", n as f64 / 1000.0)))]));
    }
    for (attack, tried) in &observed.attacks {
        out.push(match tried {
            Some(tried) => attacked(attack.word(), tried, language),
            None => say(language, "certify-attack-nothing", &[("attack", Arg::Text(attack.word()))]),
        });
    }
    out
}

fn decimal(ratio: Ratio) -> String {
    format!("{:.4}", ratio.to_f64())
}

fn attacked(attack: &str, tried: &Attacked, language: Language) -> String {
    let rate = |r: &Rate| format!("{}/{} [{:.1}–{:.1} %]", r.successes, r.attempts, r.low as f64 / 1e4, r.high as f64 / 1e4);
    let control = tried.control.as_ref().map_or("–".into(), rate);
    let risk = format!("{:.1} %", tried.risk_at_most as f64 / 1e4);
    say(language, "certify-attack", &[("attack", Arg::Text(attack)), ("people", Arg::Text(&rate(&tried.people))), ("control", Arg::Text(&control)), ("risk", Arg::Text(&risk))])
}

/// What several profiles demand together, and which clause of which one binds.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect meet jp-anonymised eu-wp216
  tegata protect meet ema-0070 sg-pdpc jp-anonymised --json

A clause binds unless another demands as much; incomparable demands both bind. `--profile A+B` on other verbs is the same meet.")]
pub struct Meet {
    /// Profiles, by name or file.
    #[arg(required = true, num_args = 2..)]
    profiles: Vec<String>,
    /// Print the clauses as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `meet`.
pub fn meet(meet: Meet) -> ExitCode {
    super::end(together(&meet))
}

fn together(meet: &Meet) -> Result<u8, String> {
    let names: Vec<&str> = meet.profiles.iter().map(String::as_str).collect();
    let found = node::protect::meet(&names).map_err(super::wrong)?;
    if meet.json {
        crate::verbs::print_lines(&[serde_json::to_string(&found.bindings).unwrap_or_default()]);
        return Ok(0);
    }
    let language = meet.common.voice().language;
    let mut out = Vec::new();
    for binding in &found.bindings {
        let name = format!("{}/{}", binding.profile, binding.clause);
        out.push(match &binding.covered_by {
            Some(by) => format!("  ·  {name:<44} {}", say(language, "meet-covered", &[("by", Arg::Text(by))])),
            None => {
                let clause = found.profile.clauses.iter().find(|c| c.id == name);
                format!("  ▪  {name:<44} {}", clause.map_or("", |c| c.text.in_(language)))
            }
        });
    }
    let (from, until) = (found.profile.valid_from.to_string(), found.profile.valid_until.to_string());
    out.push(say(language, "meet-summary", &[
        ("n", Arg::Number(found.profile.clauses.len() as i64)),
        ("of", Arg::Number(found.bindings.len() as i64)),
        ("k", Arg::Number(found.profile.k() as i64)),
        ("from", Arg::Text(&from)),
        ("until", Arg::Text(&until)),
    ]));
    crate::verbs::print_lines(&out);
    Ok(0)
}
