//! How the program speaks beside its answers: the language, lines to standard error, and help in Japanese.
//!
//! A fault is one line in English with a stable code, so that it can be searched for; in Japanese a line follows that says
//! what to do about that code.

use clap::Command;
use model::text::Language;
use std::{io::Write, sync::OnceLock};
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

/// Writes lines to standard output, whole or with a fault: what a full disk cuts off is no answer.
pub fn answer(lines: &[String]) {
    let mut out = std::io::stdout().lock();
    let done = lines.iter().try_for_each(|line| writeln!(out, "{}", harmless(line))).and_then(|()| out.flush());
    drop(out);
    written(done);
}

/// Whether somebody still reads. What cannot be written for another reason ends the program with 1.
pub fn written(done: std::io::Result<()>) -> bool {
    match done {
        Ok(()) => true,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => false,
        Err(e) => {
            error(&format!("error[TGT-C001]: the answer cannot be written: {e}"));
            std::process::exit(1)
        }
    }
}

/// A line without what would move, hide or rename things on a terminal: names come from tables, catalogs and peers. Colors stay.
pub fn harmless(line: &str) -> std::borrow::Cow<'_, str> {
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    // A document for programs escapes what it holds, and is theirs to read as it is.
    if line.starts_with(['{', '[']) || line.chars().all(plain) {
        return line.into();
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let color = rest.strip_prefix("\x1b[").and_then(|code| code.split_once('m')).filter(|(code, _)| code.chars().all(|c| c.is_ascii_digit() || c == ';'));
        if let Some((code, after)) = color {
            out.push_str(&format!("\x1b[{code}m"));
            rest = after;
            continue;
        }
        out.push(if plain(c) { c } else { char::REPLACEMENT_CHARACTER });
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out.into()
}

/// Writes a line to standard error; a closed one is no fault.
pub fn error(line: &str) {
    let mut err = std::io::stderr().lock();
    let _closed = writeln!(err, "{}", harmless(line));
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
    if language() == Language::En { command } else { japanese(command) }
}

/// The commands with their help in Japanese: every verb, argument and example.
pub fn japanese(mut command: Command) -> Command {
    // What the flags of every program and the verb `help` say is there once the commands are built.
    command.build();
    let word = |id: &str| say(Language::Ja, id, &[]);
    let root = format!("{{about-with-newline}}\n{}: {{usage}}\n\n{}:\n{{subcommands}}\n\n{}:\n{{options}}\n", word("help-usage"), word("help-commands"), heading("help-options"));
    let about = |sub: Command| match sub.get_name() {
        "help" => sub.about(heading("help-help")),
        name => verb_in_japanese(name.to_string(), sub),
    };
    arguments_in_japanese("", command).about(word("help-tegata")).help_template(root).mut_subcommands(about)
}

fn heading(id: &str) -> String {
    words::help(id).unwrap_or_default()
}

/// A heading that lives as long as the commands do.
fn lasting(held: &'static OnceLock<String>, id: &str) -> &'static str {
    held.get_or_init(|| heading(id))
}

static ARGUMENTS: OnceLock<String> = OnceLock::new();
static OPTIONS: OnceLock<String> = OnceLock::new();
static COMMANDS: OnceLock<String> = OnceLock::new();

/// What a verb does, in Japanese.
pub fn verb_help(id: &str) -> Option<String> {
    words::ids(words::JA).contains(&id).then(|| say(Language::Ja, id, &[])).or_else(|| words::help(id))
}

fn verb_in_japanese(path: String, verb: Command) -> Command {
    let word = |id: &str| say(Language::Ja, id, &[]);
    let id = format!("help-{path}");
    let verb = match verb_help(&id) {
        Some(text) => verb.about(text.clone()).long_about(text),
        None => verb,
    };
    let after = verb.get_after_help().map(|text| after_in_japanese(&path, &text.to_string()));
    let verb = match after {
        Some(text) => verb.after_help(text),
        None => verb,
    };
    let template = format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}", word("help-usage"));
    arguments_in_japanese(&path, verb).subcommand_help_heading(lasting(&COMMANDS, "help-acts")).help_template(template).mut_subcommands(|sub| {
        let inner = format!("{path}-{}", sub.get_name());
        if sub.get_name() == "help" { sub.about(heading("help-help")) } else { verb_in_japanese(inner, sub) }
    })
}

/// What an argument is, in Japanese: a verb's own text before what several verbs share.
pub fn argument_in_japanese(path: &str, id: &str) -> Option<String> {
    let id = id.replace('_', "-");
    words::help(&format!("arg-{path}-{id}")).or_else(|| words::help(&format!("arg-{id}")))
}

fn arguments_in_japanese(path: &str, command: Command) -> Command {
    command.mut_args(|arg| {
        let Some(mut text) = argument_in_japanese(path, arg.get_id().as_str()) else { return arg };
        let values: Vec<String> = arg.get_possible_values().iter().filter(|v| !v.is_hide_set()).map(|v| v.get_name().to_string()).collect();
        if arg.get_action().takes_values() && !values.is_empty() {
            text.push_str(&format!(" [{}]", values.join(" | ")));
        }
        let usual: Vec<String> = arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).filter(|v| !v.is_empty()).collect();
        if arg.get_action().takes_values() && !usual.is_empty() {
            text.push_str(&format!(" [= {}]", usual.join(",")));
        }
        let section = if arg.is_positional() { lasting(&ARGUMENTS, "help-arguments") } else { lasting(&OPTIONS, "help-options") };
        arg.help(text.clone()).long_help(text).help_heading(section).hide_possible_values(true).hide_default_value(true).hide_env(true)
    })
}

/// Examples stay as they are, without what is said beside them in English; what follows them is said in Japanese.
fn after_in_japanese(path: &str, text: &str) -> String {
    let mut out = format!("{}:\n", heading("help-examples"));
    for line in text.lines().filter(|l| l.starts_with("  ")) {
        let command = line.trim_start();
        let end = ["   ", "  #"].iter().filter_map(|gap| command.find(gap)).min().unwrap_or(command.len());
        out.push_str(&format!("  {}\n", command.get(..end).unwrap_or(command).trim_end()));
    }
    match words::help(&format!("after-{path}")) {
        Some(more) => format!("{out}\n{more}"),
        None => out,
    }
}
