//! `tegata rules`: the rules of law as text.

use crate::{complaint, rules_source};
use clap::{Args, Subcommand};
use rulebook::book::{Rulebook, loads};
use std::{path::PathBuf, process::ExitCode};

/// List, show, check and compare the rules of law.
#[derive(Args)]
pub struct Rules {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Check rule files; a mistake is underlined in the file.
    #[command(after_help = "Examples:\n  tegata rules lint\n  tegata rules lint path/to/rules")]
    Lint {
        /// The folder of rule files (default: ./rules if it is there, else those in this program).
        folder: Option<PathBuf>,
    },
}

/// Runs the verb.
pub fn run(rules: Rules) -> ExitCode {
    match rules.act {
        Act::Lint { folder } => lint(folder),
    }
}

fn lint(folder: Option<PathBuf>) -> ExitCode {
    let folder = folder.or_else(|| Some(PathBuf::from("rules")).filter(|p| p.is_dir()));
    let sources = match &folder {
        None => rules_source::release(),
        Some(path) => match rules_source::folder(path) {
            Ok(sources) => sources,
            Err(e) => {
                eprintln!("error[TGT-C001]: cannot read the rules in `{}`: {e}", path.display());
                return ExitCode::from(2);
            }
        },
    };
    let (book, findings) = Rulebook::parse(sources);
    complaint::print(&findings, &book.sources);
    println!(
        "{} layers, {} rules, {} lists, {} measures, {} facts, {} places, {} cases; {} findings; digest {}",
        book.layers.len(), book.heads().len(), book.lists.len(), book.measures.len(), book.vocabulary.facts.len(),
        book.vocabulary.places.len(), book.cases.len(), findings.len(), book.digest().short()
    );
    if loads(&findings) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
