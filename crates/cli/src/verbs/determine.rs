//! `tegata determine`: a filled-in assessment becomes a record that `check` takes.

use super::sealing::seal_of;
use clap::Args;
use model::text::Language;
use node::determination::{PAPER_BYTES_MAX, conclude};
use std::path::PathBuf;
use std::process::ExitCode;
use words::{Arg, say};

/// Conclude an assessment that was drawn up with `tegata draft`: check that nothing is left blank and write the record, sealed if there is a key.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata draft transfer.toml --form eu.form.tia --out tia.md      # draw it up, then fill in every ______
  tegata determine tia.md --out tia.json --dir munich             # sealed with the key of the node in `munich`
  tegata check transfer.toml --determination tia.json --anchors ca.pem

The record counts for exactly the facts that the paper was drawn up on, from the day it was made until the day it names. The paper
stays with you; the record holds its digest. The seal lies beside: openssl cms -verify -binary -inform DER -in tia.json.p7s -content tia.json -CAfile ca.pem -purpose any
Exit code: 0 written, 2 the paper concludes nothing yet.")]
pub struct Determine {
    /// The paper (Markdown), filled in.
    paper: PathBuf,
    /// Where the record goes (canonical JSON).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    seal: super::sealing::Sealing,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(determine: Determine) -> ExitCode {
    match answer(&determine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn answer(determine: &Determine) -> Result<(), String> {
    let book = crate::rules_source::load_law(determine.common.rules.as_deref())?;
    let path = &determine.paper;
    if std::fs::metadata(path).is_ok_and(|m| m.len() > PAPER_BYTES_MAX) {
        return Err(format!("error[TGT-C015]: `{}` is larger than 1 MiB", path.display()));
    }
    let text = super::read_text(path)?;
    let record = conclude(&book, &text).map_err(|e| format!("error[TGT-C015]: `{}`: {e}", path.display()))?;
    let bytes = record.bytes().map_err(|e| format!("error[TGT-C015]: {e}"))?;
    let mut files = vec![(determine.out.clone(), bytes.clone())];
    let sealed = determine.seal.seal(&bytes)?;
    let id = if sealed.is_some() { "determined-sealed" } else { "determined" };
    files.extend(sealed.map(|seal| (seal_of(&determine.out), seal)));
    super::write_together(&files)?;
    let language: Language = determine.common.voice().language;
    let (out, until) = (determine.out.display().to_string(), record.until.to_string());
    let outcome = say(language, &format!("judged-{}", record.outcome), &[]);
    errln!("{}", say(language, id, &[("path", Arg::Text(&out)), ("fact", Arg::Text(&record.fact)), ("outcome", Arg::Text(&outcome)), ("by", Arg::Text(&record.by)), ("until", Arg::Text(&until))]));
    Ok(())
}
