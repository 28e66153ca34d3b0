//! `tegata protect`: a release of a table under a profile, with a report that `check` takes as a fact; and beside it what
//! else is done to data before they go.

mod across;
mod certify;
mod dp;
mod measure;
mod separate;
mod shares;

use crate::verdict::Voice;
use clap::{Args, Subcommand};
use node::protect::{How, Outsize, Release, Written};
use pets::protect::Method;
use pets::{dictionary::Dictionary, examine::{Figure, Outcome}, report::Report, pseudonym::{Domain, DomainKey}, transform::Unread};
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// De-identify a table under a profile, measure the release, write a report. A report proves numbers, not a legal status.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = "Examples:
  tegata protect study.csv --profile jp-anonymised --out release.csv --report report.json
  tegata protect study.csv --profile eu-wp216-k11 --dictionary study.dictionary.toml --out release.csv --report report.json
  tegata protect study.csv --profile eu-wp216-k11 --by local --out release.xlsx --report report.json
  tegata protect study.csv --profile ema-0070 --key secret.bin --for hospital/study/2026 --out release.csv --report report.json
  tegata protect visits.parquet --profile eu-wp216-k11 --memory 256 --spill /scratch --out release.parquet --report report.json

Beside it: `tegata protect certify` holds a profile against a release, `meet` joins profiles, `across` measures several releases, `measure` a table of any size, `separate` parts a mixed table, `tegata protect dp` answers questions with noise.

Profiles: jp-anonymised, jp-pseudonymised, hipaa-safe-harbor, eu-wp216 (by attack), eu-wp216-k11, ema-0070, sg-pdpc,
jp-eu-medical-research, a file, or several joined by `+`.
Exit code: 0 the profile's numbers are met, 10 they are not (nothing is written), 2 usage.")]
pub struct Protect {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    release: Plain,
}

#[derive(Subcommand)]
enum Act {
    Certify(certify::Certify),
    Meet(certify::Meet),
    Across(across::Across),
    Measure(measure::Measure),
    Separate(separate::Separate),
    Linked(separate::Linked),
    Share(shares::Shared),
    Reveal(shares::Reveal),
    Budget(dp::Budget),
    Dp(dp::Dp),
}

/// What the verb itself takes; clap demands it unless an act is named.
#[derive(Args)]
struct Plain {
    /// A table: .csv (UTF-8 or Shift_JIS), .jsonl, .xlsx, .parquet or .arrow.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The profile that has to be met.
    #[arg(long, value_name = "PROFILE", required = true)]
    profile: Option<String>,
    /// What a person says of the columns (see `tegata scan --dictionary`).
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// Where the released table goes: .csv, .xlsx, .parquet, .arrow or .jsonl; .sjis.csv for CSV in Shift_JIS.
    #[arg(long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,
    /// What is done to the whole table first: noise, microaggregation, a sample, coarser trajectories (see docs/measures.md).
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// How quasi-identifiers become coarser.
    #[arg(long, value_enum, default_value_t = By::Lattice)]
    by: By,
    /// MiB of memory for what is counted: a table of any size is read again for each pass, and the release is the same.
    #[arg(long, value_name = "MIB", conflicts_with_all = ["before", "by"], value_parser = clap::value_parser!(u32).range(16..=65_536))]
    memory: Option<u32>,
    /// Where parts lie meanwhile; the system's temporary folder by default.
    #[arg(long, value_name = "FOLDER", requires = "memory")]
    spill: Option<PathBuf>,
    /// Where the report goes (canonical JSON).
    #[arg(long, value_name = "FILE", required = true)]
    report: Option<PathBuf>,
    /// Write what was done to each column, for `tegata protect certify --plan`.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    common: super::Common,
}

/// How quasi-identifiers become coarser.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// Alike for all records, the best of all plans.
    Lattice,
    /// Class by class, finer wherever it goes.
    Local,
    /// Classes cut in halves; values become ranges.
    Mondrian,
}

/// The secret of pseudonyms and links, and whom they are for.
#[derive(Args)]
struct Secret {
    /// A file with at least 32 secret bytes, for pseudonyms.
    #[arg(long, value_name = "FILE", requires = "for")]
    key: Option<PathBuf>,
    /// The pseudonyms' domain: recipient/purpose/period.
    #[arg(long = "for", id = "for", value_name = "DOMAIN")]
    domain: Option<String>,
}

/// Runs the verb.
pub fn run(protect: Protect) -> ExitCode {
    match protect.act {
        Some(Act::Certify(certify)) => certify::run(certify),
        Some(Act::Meet(profiles)) => certify::meet(profiles),
        Some(Act::Across(releases)) => across::run(releases),
        Some(Act::Measure(table)) => measure::run(table),
        Some(Act::Separate(separate)) => separate::run(separate),
        Some(Act::Linked(linked)) => separate::verify(linked),
        Some(Act::Share(secret)) => shares::run(secret),
        Some(Act::Reveal(tokens)) => shares::reveal(tokens),
        Some(Act::Budget(budget)) => dp::budget(budget),
        Some(Act::Dp(question)) => dp::run(question),
        None => end(release(&protect.release).map(|met| if met { 0 } else { 10 })),
    }
}

/// The exit code of an act: its own, or 2 with a line about what was wrong.
fn end(done: Result<u8, String>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

/// One line about what the node refused.
fn wrong(e: node::protect::ProtectError) -> String {
    let (code, text) = (e.code(), e.to_string());
    // Many say their code at their end; once is enough.
    format!("error[{code}]: {}", text.strip_suffix(&format!(" ({code})")).unwrap_or(&text))
}

/// A dictionary that a person wrote.
fn dictionary(path: &PathBuf) -> Result<Dictionary, String> {
    Dictionary::parse(&super::read_text(path)?).map_err(|e| format!("error[TGT-N002]: `{}`: {}", path.display(), e.message()))
}

/// A plan, as `tegata protect --plan` writes it.
fn plan(path: &std::path::Path) -> Result<pets::plan::Plan, String> {
    pets::plan::Plan::parse(&super::read_text(path)?).map_err(|e| format!("error[TGT-N002]: `{}`: {e}", path.display()))
}

/// Refuses a file that would be written over another of the same act.
fn apart(files: &[&PathBuf]) -> Result<(), String> {
    let place = |p: &PathBuf| std::fs::canonicalize(p).unwrap_or_else(|_| p.clone());
    let mut places: Vec<PathBuf> = files.iter().map(|p| place(p)).collect();
    places.sort();
    match places.windows(2).any(|w| w.first() == w.get(1)) {
        true => Err("error[TGT-C004]: what is read and what is written must be different files".into()),
        false => Ok(()),
    }
}

fn release(protect: &Plain) -> Result<bool, String> {
    let (Some(file), Some(profile), Some(out), Some(report)) = (&protect.file, &protect.profile, &protect.out, &protect.report) else {
        return Err("error[TGT-C002]: a table, --profile, --out and --report are needed".into());
    };
    apart(&[Some(file), Some(out), Some(report), protect.dictionary.as_ref(), protect.plan.as_ref(), protect.before.as_ref()].into_iter().flatten().collect::<Vec<_>>())?;
    let profile = node::protect::profile(profile).map_err(wrong)?;
    let corrections = protect.dictionary.as_ref().map(dictionary).transpose()?;
    let key = protect.secret.read()?;
    let knowledge = node::protect::knowledge().map_err(wrong)?;
    let wheel = super::wheel(&file.display().to_string());
    let steps = protect.before.as_ref().map(|path| {
        pets::whole::Steps::parse(&super::read_text(path)?).map_err(|e| format!("error[TGT-N002]: `{}`: {e}", path.display()))
    });
    let method = match protect.by {
        By::Lattice => Method::Lattice,
        By::Local => Method::Local,
        By::Mondrian => Method::Mondrian,
    };
    if let Some(memory) = protect.memory {
        let folder = protect.spill.clone().unwrap_or_else(std::env::temp_dir);
        let of = Outsize {
            table: file,
            profile: &profile,
            corrections: corrections.as_ref(),
            key: key.as_ref(),
            knowledge: &knowledge,
            memory: (memory as usize) << 20,
            spill: &folder,
            out,
        };
        let written = node::protect::protect_outsize(&of).map_err(wrong)?;
        wheel.finish_and_clear();
        return outsize(protect, written, out, report, &folder);
    }
    let how = How { steps: steps.transpose()?.unwrap_or_default(), method };
    let release = node::protect::protect_by(file, &profile, corrections.as_ref(), key.as_ref(), &knowledge, &how).map_err(wrong)?;
    wheel.finish_and_clear();
    let voice = protect.common.voice();
    if !release.protected.is_met() {
        super::print_lines(&lines(&release, voice));
        return Ok(false);
    }
    let bytes = release.bytes_for(out).ok_or_else(|| format!("error[dataplane/unknown-format]: `{}` is none of .csv, .xlsx, .parquet, .arrow, .jsonl", out.display()))?.map_err(wrong)?;
    let document = release.protected.report.bytes().map_err(|e| format!("error[TGT-N004]: {e}"))?;
    let mut files = vec![(out, bytes.clone()), (report, document)];
    if let Some(path) = &protect.plan {
        files.push((path, release.protected.plan.render().map_err(|e| format!("error[TGT-N004]: {e}"))?.into_bytes()));
    }
    super::write_together(&files)?;
    super::print_lines(&lines(&release, voice));
    super::print_lines(&[
        format!("{} sha256 {}", out.display(), model::Digest::of(&bytes)),
        format!("{} sha256 {}", report.display(), release.report),
        voice.word("protect-next"),
    ]);
    Ok(true)
}

/// What a release of a table larger than memory leaves: its name, the report, the plan.
fn outsize(protect: &Plain, written: Written, out: &PathBuf, report: &PathBuf, folder: &std::path::Path) -> Result<bool, String> {
    let voice = protect.common.voice();
    let (met, digest, spilled) = (written.released.report.is_met(), written.digest, written.released.spilled);
    super::print_lines(&lines_of(&written.released.report, voice));
    if !met {
        return Ok(false);
    }
    let broken = |e: &dyn std::fmt::Display| format!("error[TGT-N004]: {e}");
    let document = written.released.report.bytes().map_err(|e| broken(&e))?;
    let mut files = vec![(report, document.clone())];
    if let Some(path) = &protect.plan {
        files.push((path, written.released.plan.render().map_err(|e| broken(&e))?.into_bytes()));
    }
    super::write_together(&files)?;
    written.keep(out).map_err(wrong)?;
    if spilled > 0 {
        let megabytes = Arg::Number(spilled.div_ceil(1_000_000) as i64);
        super::print_lines(&[say(voice.language, "measured-spilled", &[("mb", megabytes), ("folder", Arg::Text(&folder.display().to_string()))])]);
    }
    super::print_lines(&[
        format!("{} sha256 {digest}", out.display()),
        format!("{} sha256 {}", report.display(), model::Digest::of(&document)),
        voice.word("protect-next"),
    ]);
    Ok(true)
}

impl Secret {
    fn read(&self) -> Result<Option<DomainKey>, String> {
        let (Some(path), Some(domain)) = (&self.key, &self.domain) else { return Ok(None) };
        key_of(path, domain).map(Some)
    }
}

/// The key of a domain from a file with a secret.
fn key_of(path: &std::path::Path, domain: &str) -> Result<DomainKey, String> {
    let secret = std::fs::read(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))?;
    domain_key(&secret, domain).map_err(|e| if e.contains("TGT-N002") { format!("error[TGT-N002]: `{}` has fewer than 32 bytes", path.display()) } else { e })
}

/// The key of a domain `recipient/purpose/period`.
fn domain_key(secret: &[u8], domain: &str) -> Result<DomainKey, String> {
    let parts: Vec<&str> = domain.split('/').collect();
    let [recipient, purpose, period] = parts.as_slice() else {
        return Err(format!("error[TGT-C002]: `{domain}` is not recipient/purpose/period"));
    };
    let domain = Domain { recipient: recipient.to_string(), purpose: purpose.to_string(), period: period.to_string() };
    DomainKey::derive(secret, &domain).map_err(|e| format!("error[TGT-N002]: {e}"))
}

/// What was done and how each clause came out, for people.
pub fn lines(release: &Release, voice: Voice) -> Vec<String> {
    lines_of(&release.protected.report, voice)
}

fn lines_of(report: &Report, voice: Voice) -> Vec<String> {
    let exact = &report.exact;
    let mut out = Vec::new();
    for (name, column) in &exact.columns {
        let loss = column.loss.as_ref().map(|l| format!("  −{}", l.loss.percent(1))).unwrap_or_default();
        out.push(format!("  {name:<20} {:<22} {}{loss}", column.role.word(), column.act));
    }
    out.push(String::new());
    out.extend(clauses(report));
    let k = exact.k.map(|k| k.to_string()).unwrap_or_else(|| "–".into());
    out.push(say(voice.language, "protect-summary", &[
        ("k", Arg::Text(&k)),
        ("risk", Arg::Text(&exact.risk_max.percent(2))),
        ("released", Arg::Number(exact.records_released as i64)),
        ("of", Arg::Number(exact.records_before.unwrap_or(exact.records_released) as i64)),
    ]));
    out.extend(unread(report, voice));
    out.extend(nothing_left(report, voice));
    out.push(voice.word(if report.is_met() { "protect-met" } else { "protect-not-met" }));
    out
}

/// What the acts could not read, column by column; a column of which much is gone is marked.
fn unread(report: &Report, voice: Voice) -> Vec<String> {
    let counted = report.exact.columns.iter().filter_map(|(name, column)| Some((name, column.unread.filter(|u| u.values > 0)?)));
    let line = |(name, unread): (&String, Unread)| {
        let id = if unread.is_many() { "protect-unread-many" } else { "protect-unread" };
        say(voice.language, id, &[
            ("column", Arg::Text(name)),
            ("values", Arg::Number(unread.values as i64)),
            ("of", Arg::Number(unread.of as i64)),
        ])
    };
    counted.map(line).collect()
}

/// Where every record would have to go: the clause whose number no plan reached, for it counts as met by nobody.
fn nothing_left(report: &Report, voice: Voice) -> Option<String> {
    let of = report.exact.records_before.filter(|of| *of > 0 && report.exact.records_released == 0)?;
    let binds = report.clauses().find_map(|c| {
        // A greatest risk of 1/11 asks for eleven who look alike.
        let alike = match c.limit.as_ref().filter(|_| c.records_short.is_some())? {
            Figure::Count(n) => u128::from(*n),
            Figure::Share(most) => most.parts().1.div_ceil(most.parts().0.max(1)),
        };
        (alike > 0).then(|| (c.clause.clone(), alike.to_string()))
    });
    let (clause, limit) = binds?;
    Some(say(voice.language, "protect-nothing-left", &[("clause", Arg::Text(&clause)), ("limit", Arg::Text(&limit)), ("of", Arg::Number(of as i64))]))
}

/// Each clause with its number, its limit and how far it is.
fn clauses(report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    for c in report.clauses() {
        let mark = match c.outcome {
            Outcome::Met => "✓",
            Outcome::Judgement => "?",
            Outcome::NotMet => "✗",
        };
        let numbers = match (&c.measured, &c.limit) {
            (Some(m), Some(l)) => format!("{m} ({l})"),
            _ => String::new(),
        };
        let short = c.records_short.map(|n| format!(" −{n}")).unwrap_or_default();
        out.push(format!("  {mark} {:<14} {:<44} {numbers}{short} {}", c.clause, c.cites, if c.outcome == Outcome::Met { String::new() } else { c.columns.join(", ") }));
    }
    out
}
