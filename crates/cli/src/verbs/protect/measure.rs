//! `tegata protect measure`: classes and risk of a table of any size, within a limit of memory.

use clap::Args;
use node::protect::Measuring;
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Measure how far people can be told apart in a table of any size; what does not fit in memory lies in a folder meanwhile.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect measure visits.csv --quasi age,sex,postcode
  tegata protect measure visits.parquet --quasi age,sex,postcode --sensitive diagnosis --memory 512 --spill /scratch

Parts that are spilled hold hashes and counts, no value, and are removed afterwards.
Exit code: 0 measured, 10 the smallest class is below --at-least, 2 usage.")]
pub struct Measure {
    /// A table: .csv (UTF-8 or Shift_JIS), .jsonl, .xlsx, .parquet or .arrow.
    file: PathBuf,
    /// Columns that tell people apart together.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    quasi: Vec<String>,
    /// Columns whose values should differ within a class.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    sensitive: Vec<String>,
    /// MiB of memory for counting.
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    memory: u32,
    /// Where parts lie meanwhile; the system's temporary folder by default.
    #[arg(long, value_name = "FOLDER")]
    spill: Option<PathBuf>,
    /// The smallest class that is enough.
    #[arg(long, value_name = "K", default_value_t = 1)]
    at_least: u64,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `measure`.
pub fn run(measure: Measure) -> ExitCode {
    super::end(counted(&measure))
}

fn counted(measure: &Measure) -> Result<u8, String> {
    let folder = measure.spill.clone().unwrap_or_else(std::env::temp_dir);
    let wheel = crate::verbs::wheel(&measure.file.display().to_string());
    let of = Measuring {
        table: &measure.file,
        quasi: &measure.quasi,
        sensitive: &measure.sensitive,
        memory: (measure.memory as usize) << 20,
        folder: &folder,
    };
    let found = node::protect::measure(&of).map_err(super::wrong)?;
    wheel.finish_and_clear();
    let language = measure.common.voice().language;
    let sizes = &found.sizes;
    let k = sizes.k().map_or("–".into(), |k| k.to_string());
    let mut out = vec![say(language, "measured-classes", &[
        ("n", Arg::Number(sizes.records() as i64)),
        ("classes", Arg::Number(sizes.classes() as i64)),
        ("k", Arg::Text(&k)),
        ("alone", Arg::Number(sizes.uniques() as i64)),
        ("risk", Arg::Text(&sizes.risk_max().percent(2))),
        ("average", Arg::Text(&sizes.risk_average().percent(2))),
    ])];
    for (name, l) in &found.distinct_l {
        out.push(say(language, "measured-values", &[("name", Arg::Text(name)), ("l", Arg::Number(*l as i64))]));
    }
    if found.spilled > 0 {
        let megabytes = found.spilled.div_ceil(1_000_000);
        out.push(say(language, "measured-spilled", &[("mb", Arg::Number(megabytes as i64)), ("folder", Arg::Text(&folder.display().to_string()))]));
    }
    crate::verbs::print_lines(&out);
    Ok(if sizes.k().is_some_and(|k| k < measure.at_least) { 10 } else { 0 })
}
