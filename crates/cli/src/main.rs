//! `tegata`: the one binary. Every room is reachable by one verb.

mod complaint;
mod rules_source;
mod verbs;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// May this data go, by which article, and what is the cheapest way to make it lawful.
#[derive(Parser)]
#[command(name = "tegata", version, about, propagate_version = true)]
struct Tegata {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List, show, check and compare the rules of law.
    Rules(verbs::rules::Rules),
}

fn main() -> ExitCode {
    match Tegata::parse().verb {
        Verb::Rules(rules) => verbs::rules::run(rules),
    }
}
