//! `tegata protect share`: a secret for several custodians; `reveal`: tokens turned back by enough of them.

use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Part a secret in shares: so many of them give it back, fewer tell nothing. Then delete the secret.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect share --key secret.bin --needed 2 --of 3 --out shares
  tegata protect reveal release.csv --column patient --for hospital/study/2026 --share shares/share-1.json --share shares/share-3.json --out back.csv

A column with `act = \"token\"` in the dictionary becomes tokens that only the secret turns back. Give the shares to custodians in
different houses or countries. A wrong share refuses, and nobody learns which one was wrong.")]
pub struct Shared {
    /// The secret, 32 to 4096 bytes.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How many shares give it back.
    #[arg(long, value_name = "T")]
    needed: u8,
    /// How many shares there are.
    #[arg(long, value_name = "N")]
    of: u8,
    /// The folder for the shares; it must not hold any.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `share`.
pub fn run(shared: Shared) -> ExitCode {
    super::end(part(&shared))
}

fn part(shared: &Shared) -> Result<u8, String> {
    let secret = std::fs::read(&shared.key).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", shared.key.display()))?;
    let shares = node::protect::share(&secret, shared.needed, shared.of).map_err(super::wrong)?;
    std::fs::create_dir_all(&shared.out).map_err(|e| format!("error[TGT-C001]: cannot make `{}`: {e}", shared.out.display()))?;
    for share in &shares {
        let path = shared.out.join(format!("share-{}.json", share.place));
        let text = serde_json::to_string(share).map_err(|e| format!("error[TGT-N004]: {e}"))?;
        node::keys::write_secret(&path, text.as_bytes()).map_err(|e| format!("error[TGT-C001]: cannot write `{}`: {e}", path.display()))?;
    }
    let n = |n: u8| Arg::Number(n.into());
    let folder = shared.out.display().to_string();
    crate::verbs::print_lines(&[say(shared.common.voice().language, "shares-made", &[("n", n(shared.of)), ("needed", n(shared.needed)), ("folder", Arg::Text(&folder))])]);
    Ok(0)
}

/// Turn the tokens of a column back, with enough shares of the secret or the secret itself.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect reveal release.csv --column patient --for hospital/study/2026 --share a.json --share b.json --out back.csv
  tegata protect reveal release.csv --column patient --for hospital/study/2026 --key secret.bin --out back.csv")]
pub struct Reveal {
    /// The table with tokens.
    file: PathBuf,
    /// The column of tokens.
    #[arg(long, value_name = "COLUMN")]
    column: String,
    /// The tokens' namespace, where the plan names one (default: the column).
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The tokens' domain: recipient/purpose/period.
    #[arg(long = "for", id = "for", value_name = "DOMAIN")]
    domain: String,
    /// A share of the secret.
    #[arg(long = "share", value_name = "FILE", required_unless_present = "key", conflicts_with = "key")]
    shares: Vec<PathBuf>,
    /// The secret itself.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Where the table goes (CSV).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `reveal`.
pub fn reveal(reveal: Reveal) -> ExitCode {
    super::end(turn(&reveal))
}

fn turn(reveal: &Reveal) -> Result<u8, String> {
    super::apart(&[&reveal.file, &reveal.out])?;
    let secret = match &reveal.key {
        Some(path) => std::fs::read(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))?,
        None => node::protect::joined(&reveal.shares).map_err(super::wrong)?,
    };
    let key = super::domain_key(&secret, &reveal.domain)?;
    let namespace = reveal.namespace.as_deref().unwrap_or(&reveal.column);
    let (bytes, turned) = node::protect::reveal(&reveal.file, &reveal.column, namespace, &key).map_err(super::wrong)?;
    crate::verbs::write_whole(&reveal.out, &bytes)?;
    crate::verbs::print_lines(&[say(reveal.common.voice().language, "revealed", &[("n", Arg::Number(turned as i64)), ("column", Arg::Text(&reveal.column))])]);
    Ok(0)
}
