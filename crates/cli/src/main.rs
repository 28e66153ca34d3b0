//! `tegata`: the one binary. Every room is reachable by one verb.

/// Prints a line; who stops reading is no fault of ours.
macro_rules! outln {
    () => {
        crate::tell::answer(&[String::new()])
    };
    ($($words:tt)*) => {
        crate::tell::answer(&[format!($($words)*)])
    };
}

/// Prints a line to standard error, with what to do about its code; a closed one is no fault.
macro_rules! errln {
    ($($words:tt)*) => {
        crate::tell::error(&format!($($words)*))
    };
}

/// Prints to standard error without an end of line.
macro_rules! errput {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _closed = write!(std::io::stderr(), $($words)*);
    }};
}

mod batch;
mod complaint;
mod demo;
mod door;
mod edc;
mod interview;
mod memo;
mod profile;
mod rules_source;
mod tell;
mod transfer_file;
mod usage;
mod verbs;
mod verdict;
mod webhook;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// May this data go, by which article, and what is the cheapest way to make it lawful.
#[derive(Parser)]
#[command(name = "tegata", version, propagate_version = true)]
struct Tegata {
    /// Language (default: by locale).
    // Read by `tell::language` before there are any verbs, and by each verb that answers.
    #[arg(long, value_name = "LANGUAGE", global = true, env = "TEGATA_LANG")]
    #[allow(dead_code)]
    lang: Option<verbs::Lang>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(verbs::demo::Demo),
    Check(verbs::check::Check),
    Draft(verbs::draft::Draft),
    Determine(verbs::determine::Determine),
    Watch(verbs::watch::Watch),
    Drill(verbs::drill::Drill),
    Common(verbs::common::CommonRule),
    Matrix(verbs::matrix::MatrixOf),
    Diff(verbs::diff::Diff),
    #[command(name = "whatif")]
    WhatIf(verbs::whatif::WhatIf),
    Scan(verbs::scan::Scan),
    Protect(verbs::protect::Protect),
    Verify(verbs::verify::Verify),
    Why(verbs::why::Why),
    Duties(verbs::duties::Duties),
    Claims(verbs::claims::Claims),
    Observed(verbs::observed::Observed),
    Offer(verbs::offer::Offer),
    Import(verbs::import::Import),
    Catalog(verbs::catalog::Catalog),
    Get(verbs::get::Get),
    Evidence(verbs::evidence::Evidence),
    Enroll(verbs::enroll::Enroll),
    Authority(verbs::authority::Authority),
    Serve(verbs::serve::Serve),
    Token(verbs::token::Token),
    Participant(verbs::participant::Participant),
    Backup(verbs::keep::Backup),
    Restore(verbs::keep::Restore),
    Doctor(verbs::doctor::Doctor),
    Words(verbs::words::Words),
    Schema(verbs::schema::Schema),
    Rules(verbs::rules::Rules),
    #[command(hide = true)]
    DemoParty(verbs::demo::Part),
    #[command(hide = true)]
    DemoAuthority(verbs::demo::Part),
}

fn main() -> ExitCode {
    let read = tell::localized(Tegata::command()).try_get_matches().and_then(|m| Tegata::from_arg_matches(&m));
    let tegata = match read {
        Ok(tegata) => tegata,
        Err(e) => return usage::end(&e),
    };
    match tegata.verb {
        Verb::Demo(demo) => verbs::demo::run(demo),
        Verb::DemoParty(part) | Verb::DemoAuthority(part) => verbs::demo::play_part(part),
        Verb::Check(check) => verbs::check::run(check),
        Verb::Draft(draft) => verbs::draft::run(draft),
        Verb::Determine(determine) => verbs::determine::run(determine),
        Verb::Watch(watch) => verbs::watch::run(watch),
        Verb::Drill(drill) => verbs::drill::run(drill),
        Verb::Common(common) => verbs::common::run(common),
        Verb::Matrix(matrix) => verbs::matrix::run(matrix),
        Verb::Diff(diff) => verbs::diff::run(diff),
        Verb::WhatIf(whatif) => verbs::whatif::run(whatif),
        Verb::Scan(scan) => verbs::scan::run(scan),
        Verb::Protect(protect) => verbs::protect::run(protect),
        Verb::Verify(verify) => verbs::verify::run(verify),
        Verb::Why(why) => verbs::why::run(why),
        Verb::Duties(duties) => verbs::duties::run(duties),
        Verb::Claims(claims) => verbs::claims::run(claims),
        Verb::Observed(observed) => verbs::observed::run(observed),
        Verb::Offer(offer) => verbs::offer::run(offer),
        Verb::Import(import) => verbs::import::run(import),
        Verb::Catalog(catalog) => verbs::catalog::run(catalog),
        Verb::Get(get) => verbs::get::run(get),
        Verb::Evidence(evidence) => verbs::evidence::run(evidence),
        Verb::Enroll(enroll) => verbs::enroll::run(enroll),
        Verb::Authority(authority) => verbs::authority::run(authority),
        Verb::Serve(serve) => verbs::serve::run(serve),
        Verb::Token(token) => verbs::token::run(token),
        Verb::Participant(participant) => verbs::participant::run(participant),
        Verb::Backup(backup) => verbs::keep::backup(backup),
        Verb::Restore(restore) => verbs::keep::restore(restore),
        Verb::Doctor(doctor) => verbs::doctor::run(doctor),
        Verb::Words(words) => verbs::words::run(words),
        Verb::Schema(schema) => verbs::schema::run(schema),
        Verb::Rules(rules) => verbs::rules::run(rules),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    /// Walks every verb that people see, with its path: `protect-certify`.
    fn walk(path: &str, command: &clap::Command, see: &mut dyn FnMut(&str, &clap::Command)) {
        see(path, command);
        for sub in command.get_subcommands().filter(|s| !s.is_hide_set() && s.get_name() != "help") {
            let inner = if path.is_empty() { sub.get_name().to_string() } else { format!("{path}-{}", sub.get_name()) };
            walk(&inner, sub, see);
        }
    }

    #[test]
    fn every_verb_and_argument_has_help_in_japanese() {
        let mut command = Tegata::command();
        command.build();
        let mut missing = Vec::new();
        walk("", &command, &mut |path, verb| {
            if !path.is_empty() && tell::verb_help(&format!("help-{path}")).is_none() {
                missing.push(format!("help.ja.ftl: help-{path}"));
            }
            for arg in verb.get_arguments().filter(|a| !a.is_hide_set()) {
                if tell::argument_in_japanese(path, arg.get_id().as_str()).is_none() {
                    missing.push(format!("help.ja.ftl: arg-{path}-{} or arg-{}", arg.get_id().as_str().replace('_', "-"), arg.get_id().as_str().replace('_', "-")));
                }
            }
            let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let prose = after.lines().any(|l| !l.is_empty() && !l.starts_with("  ") && !l.starts_with("Example"));
            if prose && words::help(&format!("after-{path}")).is_none() {
                missing.push(format!("help.ja.ftl: after-{path}"));
            }
        });
        missing.sort();
        assert!(missing.is_empty(), "no Japanese for:\n{}", missing.join("\n"));
    }

    #[test]
    fn help_in_japanese_shows_no_english_sentence() {
        let mut command = tell::japanese(Tegata::command());
        for verb in ["check", "watch", "protect", "get", "verify"] {
            let help = command.find_subcommand_mut(verb).unwrap().render_long_help().to_string();
            for english in ["Options:", "Arguments:", "Print ", "The ", "Examples:", "Exit code", "default", "possible values"] {
                assert!(!help.contains(english), "{verb}: `{english}` in\n{help}");
            }
        }
    }

    #[test]
    fn the_language_may_stand_before_the_verb_or_after_it() {
        for line in [["tegata", "--lang", "ja", "doctor"], ["tegata", "doctor", "--lang", "ja"]] {
            let matches = Tegata::command().try_get_matches_from(line).unwrap();
            let Verb::Doctor(_) = Tegata::from_arg_matches(&matches).unwrap().verb else { panic!("another verb") };
            let (_, inner) = matches.subcommand().unwrap();
            assert!(matches!(inner.get_one::<verbs::Lang>("lang"), Some(verbs::Lang::Ja)));
        }
    }
}
