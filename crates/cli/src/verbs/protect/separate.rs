//! `tegata protect separate`: a mixed table in a personal and a non-personal part; `linked`: the check that they were one.

use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Part a mixed table: what is about persons stays here with a link proof, the rest may go without it.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata scan fleet.csv --dictionary fleet.dictionary.toml       propose; then correct the file by hand
  tegata protect separate fleet.csv --dictionary fleet.dictionary.toml --key secret.bin --for maker/quality/2026 \\
    --personal drivers.csv --non-personal speeds.csv --link fleet.link.json
  tegata protect linked drivers.csv speeds.csv --link fleet.link.json

The dictionary is the plan: a column that it does not name, also one that appears later, stops at the border (exit 2, pets/unplanned-column).
Rows of the non-personal part are in the order of their digests, so a position leads nobody back. Keep the link proof with the personal part.
Exit code: 0 parted, 2 usage or stopped.")]
pub struct Separate {
    /// A mixed table: .csv (UTF-8 or Shift_JIS), .jsonl, .xlsx, .parquet or .arrow.
    file: PathBuf,
    /// What each column is; `role = "non-personal"` goes to the non-personal part, all else to the personal part.
    #[arg(long, value_name = "FILE")]
    dictionary: PathBuf,
    /// Where the personal part goes (CSV).
    #[arg(long, value_name = "FILE")]
    personal: PathBuf,
    /// Where the non-personal part goes (CSV).
    #[arg(long, value_name = "FILE")]
    non_personal: PathBuf,
    /// Where the link proof goes (canonical JSON).
    #[arg(long, value_name = "FILE")]
    link: PathBuf,
    /// A file with at least 32 secret bytes: the links are made with it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The links' domain: recipient/purpose/period.
    #[arg(long = "for", id = "for", value_name = "DOMAIN")]
    domain: String,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `separate`.
pub fn run(separate: Separate) -> ExitCode {
    super::end(part(&separate))
}

fn part(separate: &Separate) -> Result<u8, String> {
    super::apart(&[&separate.file, &separate.dictionary, &separate.personal, &separate.non_personal, &separate.link])?;
    let dictionary = super::dictionary(&separate.dictionary)?;
    let key = super::key_of(&separate.key, &separate.domain)?;
    let wheel = crate::verbs::wheel(&separate.file.display().to_string());
    let parted = node::protect::separate(&separate.file, &dictionary, &key).map_err(super::wrong)?;
    wheel.finish_and_clear();
    crate::verbs::write_together(&[
        (&separate.personal, &parted.personal),
        (&separate.non_personal, &parted.non_personal),
        (&separate.link, &parted.link),
    ])?;
    let language = separate.common.voice().language;
    let part = |id: &str, rows: u64, columns: &[String]| {
        say(language, id, &[("rows", Arg::Number(rows as i64)), ("n", Arg::Number(columns.len() as i64)), ("columns", Arg::Text(&columns.join(", ")))])
    };
    crate::verbs::print_lines(&[
        part("separate-personal", parted.personal_rows, &parted.personal_columns),
        part("separate-non-personal", parted.rows, &parted.non_personal_columns),
        say(language, "separate-alone", &[("n", Arg::Number(parted.unlike_all_others as i64)), ("of", Arg::Number(parted.rows as i64))]),
        say(language, "separate-root", &[("root", Arg::Text(&parted.root.to_string()))]),
    ]);
    Ok(0)
}

/// Check that two parts were one table, by its link proof.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata protect linked drivers.csv speeds.csv --link fleet.link.json

Exit code: 0 they were one table, 20 they were not, 2 usage.")]
pub struct Linked {
    /// The personal part.
    personal: PathBuf,
    /// The non-personal part, its rows in any order.
    non_personal: PathBuf,
    /// The link proof.
    #[arg(long, value_name = "FILE")]
    link: PathBuf,
    #[command(flatten)]
    common: crate::verbs::Common,
}

/// Runs `linked`.
pub fn verify(linked: Linked) -> ExitCode {
    use node::protect::ProtectError;
    super::end(match node::protect::linked(&linked.personal, &linked.non_personal, &linked.link) {
        Ok((root, rows, about)) => {
            let n = |n: u64| Arg::Number(n as i64);
            let line = say(linked.common.voice().language, "linked", &[("rows", n(rows)), ("n", n(about)), ("root", Arg::Text(&root.to_string()))]);
            crate::verbs::print_lines(&[line]);
            Ok(0)
        }
        Err(e @ ProtectError::NotLinked(_)) => {
            errln!("{}", super::wrong(e));
            Ok(20)
        }
        Err(e) => Err(super::wrong(e)),
    })
}
