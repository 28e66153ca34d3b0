//! Faults of the command line itself: one line, what was given, what is near it, where help is.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::process::ExitCode;

/// Ends the program as the arguments have it: help and the version are answers, all else is a fault in one line.
pub fn end(fault: &clap::Error) -> ExitCode {
    if matches!(fault.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        fault.exit();
    }
    errln!("error[TGT-C016]: {}; see `{} --help`", says(fault), verb_of(fault));
    ExitCode::from(2)
}

/// What is wrong.
fn says(fault: &clap::Error) -> String {
    let one = |kind| texts(fault, kind).into_iter().next();
    let given = one(ContextKind::InvalidArg).unwrap_or_default();
    let value = one(ContextKind::InvalidValue).unwrap_or_default();
    // The nearest comes last.
    let mut near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue].into_iter();
    let near = near.find_map(|kind| texts(fault, kind).pop());
    let near = near.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default();
    match fault.kind() {
        ErrorKind::UnknownArgument if given.starts_with('-') => format!("there is no option `{given}`{near}"),
        ErrorKind::UnknownArgument => format!("`{given}` is one word too many; the places, days and words of an option are set apart by commas"),
        ErrorKind::InvalidSubcommand => format!("there is no verb `{}`{near}", one(ContextKind::InvalidSubcommand).unwrap_or_default()),
        ErrorKind::MissingRequiredArgument => format!("missing: {}", texts(fault, ContextKind::InvalidArg).join(", ")),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{given}` wants a value"),
        ErrorKind::InvalidValue => format!("`{value}` is none of {} for `{given}`{near}", texts(fault, ContextKind::ValidValue).join(", ")),
        ErrorKind::ValueValidation => format!("`{value}` cannot be `{given}`: {}", cause(fault)),
        ErrorKind::ArgumentConflict => format!("`{given}` does not go with `{}`", texts(fault, ContextKind::PriorArg).join("`, `")),
        _ => fault.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

fn texts(fault: &clap::Error, kind: ContextKind) -> Vec<String> {
    match fault.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(other) => vec![other.to_string()],
        None => Vec::new(),
    }
}

fn cause(fault: &clap::Error) -> String {
    std::error::Error::source(fault).map(ToString::to_string).unwrap_or_default()
}

/// The verb whose use it is, from the line of its usage: the words before the first that stands for something.
fn verb_of(fault: &clap::Error) -> String {
    let usage = fault.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    let words = usage.split_whitespace().skip_while(|w| w.ends_with(':')).take_while(|w| !w.starts_with(['[', '<', '-']));
    let verb: Vec<&str> = std::iter::once("tegata").chain(words.skip(1)).collect();
    verb.join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Tegata;
    use clap::Parser;

    fn fault(words: &str) -> String {
        let fault = Tegata::try_parse_from(words.split(' ')).err().expect("a fault");
        format!("{}; see `{} --help`", says(&fault), verb_of(&fault))
    }

    #[test]
    fn a_wrong_word_is_named_with_what_is_near_it_in_one_line() {
        for (words, says) in [
            ("tegata chekc", "there is no verb `chekc`, did you mean `check`?; see `tegata --help`"),
            ("tegata rules shwo", "there is no verb `shwo`, did you mean `show`?; see `tegata rules --help`"),
            ("tegata check --fron DE", "there is no option `--fron`, did you mean `--from`?; see `tegata check --help`"),
            ("tegata scan", "missing: <FILE>; see `tegata scan --help`"),
            ("tegata check --from", "`--from <PLACE>` wants a value; see `tegata --help`"),
            ("tegata matrix --csv --json", "`--csv` does not go with `--json`; see `tegata matrix --help`"),
        ] {
            assert_eq!(fault(words), says, "{words}");
        }
        let many = fault("tegata common DE US");
        assert!(many.starts_with("`DE` is one word too many") && many.ends_with("see `tegata common --help`"), "{many}");
        let day = fault("tegata matrix --as-of 2020-13-01");
        assert!(day.starts_with("`2020-13-01` cannot be `--as-of <DAY>`: "), "{day}");
        let language = fault("tegata --lang fr check");
        assert!(language.starts_with("`fr` is none of en, ja for `--lang <LANGUAGE>`"), "{language}");
    }
}
