//! How the program speaks beside its answers: the language, lines to standard error, and help in Japanese.
//!
//! A fault is one line in English with a stable code, so that it can be searched for; in Japanese a line follows that says
//! what to do about that code.

use clap::Command;
use model::text::Language;
use std::io::Write;
use words::say;

/// The language: `--lang`, else `TEGATA_LANG`, else the locale. Read from the arguments themselves, since faults of
/// arguments are told before there are any.
pub fn language() -> Language {
    let args: Vec<String> = std::env::args().collect();
    let flag = args.iter().enumerate().find_map(|(i, a)| match a.as_str() {
        "--lang" => args.get(i + 1).cloned(),
        _ => a.strip_prefix("--lang=").map(str::to_string),
    });
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let said = flag.or_else(|| ["TEGATA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set));
    if said.is_some_and(|s| s.to_lowercase().starts_with("ja")) { Language::Ja } else { Language::En }
}

/// Writes a line to standard error; a closed one is no fault.
pub fn error(line: &str) {
    let mut err = std::io::stderr().lock();
    let _closed = writeln!(err, "{line}");
    if let Some(what) = hint(line, language()) {
        let _closed = writeln!(err, "  → {what}");
    }
}

/// What to do about the code of a line, in Japanese.
fn hint(line: &str, language: Language) -> Option<String> {
    let code = line.split_once("error[")?.1.split_once(']')?.0;
    let id = format!("code-{}", code.replace('/', "-"));
    (language == Language::Ja && words::ids(words::JA).contains(&id.as_str())).then(|| say(language, &id, &[]))
}

/// The commands with their help in the language of the person.
pub fn localized(command: Command) -> Command {
    if language() == Language::En {
        return command;
    }
    let template = format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}", say(Language::Ja, "help-usage", &[]));
    let known = words::ids(words::JA);
    let told = |id: String, sub: Command| match known.contains(&id.as_str()) {
        true => {
            let text = say(Language::Ja, &id, &[]);
            sub.about(text.clone()).long_about(text).help_template(template.clone())
        }
        false => sub,
    };
    let about = |sub: Command| {
        let verb = sub.get_name().to_string();
        let acts = |act: Command| told(format!("help-{verb}-{}", act.get_name()), act);
        told(format!("help-{verb}"), sub).mut_subcommands(acts)
    };
    let word = |id: &str| say(Language::Ja, id, &[]);
    let root = format!("{{about-with-newline}}\n{}: {{usage}}\n\n{}:\n{{subcommands}}\n\n{{options}}\n", word("help-usage"), word("help-commands"));
    command.about(word("help-tegata")).help_template(root).mut_subcommands(about)
}
