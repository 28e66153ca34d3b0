//! `tegata protect across`: what several releases of the same people tell together.

use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Measure several releases of the same people together: who can be told apart by all of them.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect across study.csv --dictionary study.dictionary.toml --release spring.csv=spring.plan.toml --release autumn.csv=autumn.plan.toml
  tegata protect across study.csv --dictionary study.dictionary.toml --release a.csv=a.toml --release b.csv=b.toml --at-least 10

Two releases of ten alike can single everyone out together. The holder of the original measures it before the second goes.
A plan is written by `tegata protect … --plan FILE`.
Exit code: 0 measured, 10 the joint classes are smaller than --at-least, 2 usage.")]
pub struct Across {
    /// The table that all releases were made of.
    original: PathBuf,
    /// What a person says of the columns; what it leaves out is told by a scan of the original.
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// A release and its plan: RELEASE=PLAN.
    #[arg(long = "release", value_name = "RELEASE=PLAN", required = true)]
    releases: Vec<String>,
    /// The smallest joint class that is enough.
    #[arg(long, value_name = "K", default_value_t = 1)]
    at_least: u64,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `across`.
pub fn run(across: Across) -> ExitCode {
    super::end(measure(&across))
}

fn measure(across: &Across) -> Result<u8, String> {
    let dictionary = across.dictionary.as_ref().map(super::dictionary).transpose()?;
    let mut releases = Vec::new();
    for text in &across.releases {
        let (release, plan) = text.split_once('=').ok_or_else(|| format!("error[TGT-C002]: `{text}` is not RELEASE=PLAN"))?;
        releases.push((PathBuf::from(release), super::plan(plan.as_ref())?));
    }
    let knowledge = node::protect::knowledge().map_err(super::wrong)?;
    let found = node::protect::across(&across.original, &releases, dictionary.as_ref(), &knowledge).map_err(super::wrong)?;
    let language = across.common.voice().language;
    let line = |id: &str, name: &str, sizes: &pets::measure::Sizes| {
        say(language, id, &[
            ("name", Arg::Text(name)),
            ("k", Arg::Text(&sizes.k().map_or("–".into(), |k| k.to_string()))),
            ("n", Arg::Number(sizes.records() as i64)),
            ("alone", Arg::Number(sizes.uniques() as i64)),
            ("below", Arg::Number(sizes.records_below(across.at_least) as i64)),
            ("least", Arg::Number(across.at_least as i64)),
        ])
    };
    let mut out: Vec<String> =
        releases.iter().zip(&found.alone).map(|((path, _), sizes)| line("across-alone", &path.display().to_string(), sizes)).collect();
    out.push(line("across-all", "", &found.all));
    crate::verbs::print_lines(&out);
    Ok(if found.all.k().is_none_or(|k| k >= across.at_least) { 0 } else { 10 })
}
