//! `tegata protect`: a release of a table under a profile, with a report that `check` takes as a fact.

use crate::verdict::Voice;
use clap::Args;
use node::protect::Release;
use pets::{dictionary::Dictionary, examine::Outcome, pseudonym::{Domain, DomainKey}};
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// De-identify a table under a profile, measure the release, write a report. A report proves numbers, not a legal status.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect study.csv --profile jp-anonymised --out release.csv --report report.json
  tegata protect study.csv --profile eu-wp216-k11 --dictionary study.dictionary.toml --out release.csv --report report.json
  tegata protect study.csv --profile ema-0070 --key secret.bin --for hospital/study/2026 --out release.csv --report report.json

Profiles: jp-anonymised, hipaa-safe-harbor, eu-wp216-k11, ema-0070, or a file.
Exit code: 0 the profile's numbers are met, 10 they are not (nothing is written), 2 usage.")]
pub struct Protect {
    /// A table: .csv (UTF-8 or Shift_JIS), .xlsx or .parquet.
    file: PathBuf,
    /// The profile that has to be met.
    #[arg(long, value_name = "PROFILE")]
    profile: String,
    /// What a person says of the columns (see `tegata scan --dictionary`).
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// Where the released table goes (CSV).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the report goes (canonical JSON).
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// A file with at least 32 secret bytes, for pseudonyms.
    #[arg(long, value_name = "FILE", requires = "for")]
    key: Option<PathBuf>,
    /// The pseudonyms' domain: recipient/purpose/period.
    #[arg(long = "for", id = "for", value_name = "DOMAIN")]
    domain: Option<String>,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(protect: Protect) -> ExitCode {
    match release(&protect) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(10),
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn release(protect: &Protect) -> Result<bool, String> {
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let place = |p: &PathBuf| std::fs::canonicalize(p).unwrap_or_else(|_| p.clone());
    let (input, out, report) = (place(&protect.file), place(&protect.out), place(&protect.report));
    if input == out || input == report || out == report {
        return Err("error[TGT-C004]: table, release and report must be three files".into());
    }
    let profile = node::protect::profile(&protect.profile).map_err(wrong)?;
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()));
    let corrections = match &protect.dictionary {
        Some(path) => Some(Dictionary::parse(&read(path)?).map_err(|e| format!("error[TGT-N002]: `{}`: {}", path.display(), e.message()))?),
        None => None,
    };
    let key = key(protect)?;
    let knowledge = node::protect::knowledge().map_err(wrong)?;
    let wheel = super::wheel(&protect.file.display().to_string());
    let release = node::protect::protect(&protect.file, &profile, corrections.as_ref(), key.as_ref(), &knowledge).map_err(wrong)?;
    wheel.finish_and_clear();
    let voice = protect.common.voice();
    if !release.protected.is_met() {
        super::print_lines(&lines(&release, voice));
        return Ok(false);
    }
    let report = release.protected.report.bytes().map_err(|e| format!("error[TGT-N004]: {e}"))?;
    super::write_together(&[(&protect.out, &release.bytes), (&protect.report, &report)])?;
    super::print_lines(&lines(&release, voice));
    super::print_lines(&[
        format!("{} sha256 {}", protect.out.display(), release.digest),
        format!("{} sha256 {}", protect.report.display(), release.report),
        voice.word("protect-next"),
    ]);
    Ok(true)
}

fn key(protect: &Protect) -> Result<Option<DomainKey>, String> {
    let (Some(path), Some(domain)) = (&protect.key, &protect.domain) else { return Ok(None) };
    let secret = std::fs::read(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))?;
    let parts: Vec<&str> = domain.split('/').collect();
    let [recipient, purpose, period] = parts.as_slice() else {
        return Err(format!("error[TGT-C002]: `{domain}` is not recipient/purpose/period"));
    };
    let domain = Domain { recipient: recipient.to_string(), purpose: purpose.to_string(), period: period.to_string() };
    DomainKey::derive(&secret, &domain).map(Some).map_err(|_| format!("error[TGT-N002]: `{}` has fewer than 32 bytes", path.display()))
}

/// What was done and how each clause came out, for people.
pub fn lines(release: &Release, voice: Voice) -> Vec<String> {
    let exact = &release.protected.report.exact;
    let mut out = Vec::new();
    for (name, column) in &exact.columns {
        let loss = column.loss.as_ref().map(|l| format!("  −{}", l.loss.percent(1))).unwrap_or_default();
        out.push(format!("  {name:<20} {:<22} {}{loss}", column.role.word(), column.act));
    }
    out.push(String::new());
    for c in &exact.clauses {
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
    let k = exact.k.map(|k| k.to_string()).unwrap_or_else(|| "–".into());
    out.push(say(voice.language, "protect-summary", &[
        ("k", Arg::Text(&k)),
        ("risk", Arg::Text(&exact.risk_max.percent(2))),
        ("released", Arg::Number(exact.records_released as i64)),
        ("of", Arg::Number(exact.records_before as i64)),
    ]));
    out.push(voice.word(if release.protected.is_met() { "protect-met" } else { "protect-not-met" }));
    out
}
