//! `tegata rules`: the rules of law as text.

use crate::{complaint, rules_source};
use clap::{Args, Subcommand};
use decide::{
    case::{self, Outcome},
    engine::Engine,
};
use rulebook::{
    book::{Rulebook, loads},
    diagnostic::Diagnostic,
};
use std::{path::PathBuf, process::ExitCode};

/// List, show, check, compare, export, sign and take the rules of law.
#[derive(Args)]
pub struct Rules {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List layers and rules.
    #[command(after_help = "Examples:\n  tegata rules ls\n  tegata rules ls eu.gdpr --as-of 2020-07-16")]
    Ls {
        /// Only ids that begin so.
        #[arg(default_value = "", hide_default_value = true)]
        prefix: String,
        /// Only what counts on this day.
        #[arg(long, value_name = "DAY")]
        as_of: Option<model::CivilDate>,
        #[command(flatten)]
        common: super::Common,
    },
    /// Show a rule, list or layer: its text, dates, source and review state.
    #[command(after_help = "Examples:\n  tegata rules show eu.gdpr.45\n  tegata rules show eu.adequacy --as-of 2020-07-15")]
    Show {
        /// The id of a rule, list, list entry, layer or measure.
        id: String,
        /// Only what counts on this day.
        #[arg(long, value_name = "DAY")]
        as_of: Option<model::CivilDate>,
        #[command(flatten)]
        common: super::Common,
    },
    /// What begins and ends to count between two days, or between two rule folders.
    #[command(after_help = "Examples:\n  tegata rules diff 2020-07-15 2020-07-16\n  tegata rules diff old/rules new/rules")]
    Diff {
        /// A day, or a folder of rules.
        from: String,
        /// A later day, or another folder.
        to: String,
        #[command(flatten)]
        common: super::Common,
    },
    /// Coverage, review states, ages and gaps of the rulebook.
    Report {
        #[command(flatten)]
        common: super::Common,
    },
    /// What is wrong with rules as rules: never applying, shadowed, clashing, refusing all, idle, or covering nobody.
    #[command(after_help = "Examples:
  tegata rules hygiene
  tegata rules hygiene --all --rules path/to/rules
  tegata rules hygiene --json

What is meant to be so is explained in rules/hygiene.md. Exit codes: 0 all is explained, 1 something is not, 2 usage.
Every day on which the law changes is looked at: this takes a while.")]
    Hygiene {
        /// Show what is explained too, with the reason.
        #[arg(long)]
        all: bool,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        common: super::Common,
    },
    /// Write the whole rulebook as JSON, linked data, tables or pages.
    Export(super::rules_export::Export),
    /// Print the changes of the law with their effect as Atom or JSON Feed, or send each new one to an address.
    Feed(super::rules_feed::Feed),
    /// The official pages that the rules were read from; which of them read otherwise since the last look.
    Watchlist(super::rules_watchlist::Watchlist),
    /// Keys of those who sign releases: make one, make or sign an edition, show those that this program believes.
    #[command(subcommand)]
    Key(super::rules_release::Key),
    /// Make a signed release of the rulebook, or add a signature to one.
    Release(super::rules_release::MakeRelease),
    /// Take a signed release, if a quorum of maintainers signed it and it is not older than what is held.
    Sync(super::rules_release::Sync),
    /// Check rule files; a mistake is underlined in the file. What is wrong with rules as rules, `hygiene` looks for.
    #[command(after_help = "Examples:\n  tegata rules lint\n  tegata rules lint path/to/rules")]
    Lint {
        /// The folder of rule files (default: ./rules if it is there, else those in this program).
        folder: Option<PathBuf>,
        /// The same folder, as other verbs name it.
        #[arg(long, value_name = "FOLDER", conflicts_with = "folder")]
        rules: Option<PathBuf>,
    },
    /// Which rules and list entries no worked case turns on: each is taken out, and the cases are run without it. Takes minutes.
    #[command(after_help = "Examples:\n  tegata rules decisive\n  tegata rules decisive jp.appi\n  tegata rules decisive eu --rules path/to/rules\n\nA case turns where its verdict, its ways or its questions are others; a duty turns the cases that owe it.")]
    Decisive {
        /// Only rules and list entries whose id begins so.
        #[arg(default_value = "", hide_default_value = true)]
        prefix: String,
        #[command(flatten)]
        common: super::Common,
    },
    /// Run the worked cases; shows each that comes out otherwise than expected.
    #[command(after_help = "Examples:\n  tegata rules test\n  tegata rules test --only jp\n  tegata rules test path/to/rules --only eu.schrems")]
    Test {
        /// The folder of rule files (default: ./rules if it is there, else those in this program).
        folder: Option<PathBuf>,
        /// Only cases whose id begins so.
        #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
        only: String,
        /// The same folder, as other verbs name it.
        #[arg(long, value_name = "FOLDER", conflicts_with = "folder")]
        rules: Option<PathBuf>,
    },
}

/// Runs the verb.
pub fn run(rules: Rules) -> ExitCode {
    match rules.act {
        Act::Ls { prefix, as_of, common } => super::finish(super::rules_text::ls(&prefix, as_of, &common)),
        Act::Show { id, as_of, common } => super::finish(super::rules_text::show(&id, as_of, &common)),
        Act::Diff { from, to, common } => super::finish(super::rules_text::diff(&from, &to, &common)),
        Act::Report { common } => super::finish(super::rules_text::report(&common)),
        Act::Hygiene { all, json, common } => found(super::rules_hygiene::run(&super::rules_hygiene::Shown { all, json }, &common)),
        Act::Export(export) => super::finish(super::rules_export::export(&export)),
        Act::Feed(feed) => coded(super::rules_feed::feed(&feed)),
        Act::Watchlist(list) => match super::rules_watchlist::run(&list) {
            Ok((lines, otherwise)) => {
                super::print_lines(&lines);
                ExitCode::from(if otherwise { 10 } else { 0 })
            }
            Err(line) => super::finish(Err(line)),
        },
        Act::Key(key) => super::finish(super::rules_release::key(&key)),
        Act::Release(make) => super::finish(super::rules_release::release(&make)),
        Act::Sync(sync) => coded(super::rules_release::sync(&sync)),
        Act::Lint { folder, rules } => lint(folder.or(rules)),
        Act::Decisive { prefix, common } => super::finish(super::rules_decisive::run(&prefix, &common)),
        Act::Test { folder, only, rules } => test(folder.or(rules), &only),
    }
}

/// Lines, or one line with its exit code.
fn coded(done: Result<Vec<String>, (String, u8)>) -> ExitCode {
    match done {
        Ok(lines) => super::finish(Ok(lines)),
        Err((line, exit)) => {
            errln!("{line}");
            ExitCode::from(exit)
        }
    }
}

/// Something that nobody explained is exit 1.
fn found(open: Result<usize, String>) -> ExitCode {
    match open {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn read(folder: Option<PathBuf>) -> Result<Vec<rulebook::book::Source>, ExitCode> {
    let folder = folder.or_else(|| Some(PathBuf::from("rules")).filter(|p| p.is_dir()));
    match &folder {
        None => Ok(rules_source::release()),
        Some(path) => rules_source::folder(path).map_err(|e| {
            errln!("error[TGT-C001]: cannot read the rules in `{}`: {e}", path.display());
            ExitCode::from(2)
        }),
    }
}

fn lint(folder: Option<PathBuf>) -> ExitCode {
    let sources = match read(folder) {
        Ok(sources) => sources,
        Err(code) => return code,
    };
    let (book, mut findings) = Rulebook::parse(sources);
    // A part of a rulebook: every fact in it would be called unknown.
    if book.vocabulary.facts.is_empty() && !book.sources.is_empty() {
        errln!("error[TGT-R014]: this folder has no vocabulary, so that no fact in it is known; name the folder of the whole rulebook, the one that holds `vocabulary/`");
        return ExitCode::from(1);
    }
    if loads(&findings) {
        findings.extend(compiles(&book));
    }
    complaint::print(&findings, &book.sources);
    outln!(
        "{} layers, {} rules, {} lists, {} measures, {} facts, {} places, {} cases; {} findings; digest {}",
        book.layers.len(), book.heads().len(), book.lists.len(), book.measures.len(), book.vocabulary.facts.len(),
        book.vocabulary.places.len(), book.cases.len(), findings.len(), book.digest().short()
    );
    if loads(&findings) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Whether the rules can be compiled for today; what is wrong with them as rules, `hygiene` looks for.
fn compiles(book: &Rulebook) -> Option<Diagnostic> {
    let table = Engine::new(book.clone()).table(model::AsOf::then(super::today()));
    let wrong = |slot: String| format!("`{slot}` has more than 512 kinds of value that rules tell apart");
    table.err().map(|e| Diagnostic::error("TGT-R020", None, wrong(e.0), "split the fact"))
}

fn test(folder: Option<PathBuf>, only: &str) -> ExitCode {
    let sources = match read(folder) {
        Ok(sources) => sources,
        Err(code) => return code,
    };
    let (book, findings) = Rulebook::parse(sources);
    if !loads(&findings) {
        complaint::print(&findings, &book.sources);
        return ExitCode::from(1);
    }
    let cases: Vec<_> = book.cases.iter().filter(|c| c.id.starts_with(only)).cloned().collect();
    if cases.is_empty() {
        errln!("error[TGT-C006]: no case begins with `{only}`; cases stand in rules/cases/");
        return ExitCode::from(2);
    }
    let mut engine = Engine::new(book);
    let (mut passed, mut failed) = (0, 0);
    for case in &cases {
        match case::run(&mut engine, case) {
            Ok((Outcome::Passed, _)) => passed += 1,
            Ok((Outcome::Failed(why), _)) => {
                failed += 1;
                outln!("{} ({}): {}", case.id, case.as_of.on, why.join("; "));
            }
            Ok((Outcome::Unread(why), _)) => {
                failed += 1;
                outln!("{}: {}", case.id, why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            }
            Err(e) => {
                failed += 1;
                outln!("{}: too many kinds of `{}`", case.id, e.0);
            }
        }
    }
    outln!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
