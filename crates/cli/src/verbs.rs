//! One file a verb, and what verbs share.

pub mod asked;
pub mod authority;
pub mod catalog;
pub mod check;
pub mod claims;
pub mod common;
pub mod demo;
pub mod determine;
pub mod diff;
pub mod doctor;
pub mod draft;
pub mod duties;
pub mod drill;
pub mod enroll;
pub mod evidence;
pub mod get;
pub mod import;
pub mod keep;
pub mod matrix;
pub mod observed;
pub mod offer;
pub mod participant;
pub mod protect;
pub mod register;
pub mod rules;
pub mod rules_export;
pub mod rules_feed;
pub mod rules_decisive;
pub mod rules_hygiene;
pub mod rules_release;
pub mod rules_text;
pub mod rules_watchlist;
pub mod scan;
pub mod schema;
pub mod sealing;
pub mod serve;
pub mod token;
pub mod told;
pub mod verify;
pub mod watch;
pub mod whatif;
pub mod why;
pub mod words;

use crate::verdict::Voice;
use clap::{Args, ValueEnum};
use decide::table::TooManyCells;
use model::{CivilDate, Instant, text::Language};
use rulebook::diagnostic::Diagnostic;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// What every answering verb takes.
#[derive(Args, Clone)]
pub struct Common {
    /// Rules from a folder instead of those in this program.
    #[arg(long, value_name = "FOLDER", global = true)]
    pub rules: Option<PathBuf>,
    /// Language (default: by locale).
    #[arg(long, value_name = "LANGUAGE", global = true, env = "TEGATA_LANG")]
    pub lang: Option<Lang>,
}

/// A language flag.
#[derive(Clone, Copy, ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl Common {
    /// How to speak: the flag, else the locale; color only on a terminal.
    pub fn voice(&self) -> Voice {
        let language = match self.lang {
            Some(Lang::Ja) => Language::Ja,
            Some(Lang::En) => Language::En,
            None => crate::tell::language(),
        };
        Voice { language, color: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }
}

/// Now, by the clock of this machine.
pub fn now() -> Instant {
    Instant(SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_millis() as i64).unwrap_or(0))
}

/// Today's civil day in UTC.
pub fn today() -> CivilDate {
    now().day(0)
}

/// Diagnostics without a place, one line each.
pub fn faults(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| {
        let help = if d.help.is_empty() { String::new() } else { format!("; {}", d.help) };
        format!("error[{}]: {}{help}", d.code, d.message)
    }).collect::<Vec<_>>().join("\n")
}

/// The nearest of what is known, or where all of it is listed.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match rulebook::diagnostic::did_you_mean(word, known) {
        none if none.is_empty() => "`tegata words WORD` finds facts, values, places and measures".into(),
        near => near,
    }
}

/// The rulebook cannot be compiled.
pub fn too_many(e: TooManyCells) -> String {
    format!("error[TGT-R020]: the rules tell more than 512 kinds of `{}` apart", e.0)
}

/// A text file, or one line about it.
pub fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))
}

/// Writes a file whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    write_together(&[(path, bytes)])
}

/// Writes files whole, all of them or none: each beside its place first, then renamed.
pub fn write_together<P: AsRef<Path>, B: AsRef<[u8]>>(files: &[(P, B)]) -> Result<(), String> {
    let wrong = |path: &Path, e: std::io::Error| format!("error[TGT-C001]: cannot write `{}`: {e}", path.display());
    let mut parts: Vec<(PathBuf, &Path)> = Vec::new();
    for (path, bytes) in files {
        let path = path.as_ref();
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let part = path.with_file_name(name);
        parts.push((part, path));
        let written = parts.last().map_or(Ok(()), |(part, _)| std::fs::write(part, bytes.as_ref()));
        if let Err(e) = written {
            // What fits no more does not keep the disk full.
            for (part, _) in &parts {
                let _gone = std::fs::remove_file(part);
            }
            return Err(wrong(path, e));
        }
    }
    for (part, path) in &parts {
        std::fs::rename(part, path).map_err(|e| wrong(path, e))?;
    }
    Ok(())
}

/// A wheel that turns on a terminal while something takes its time; nothing for programs.
pub fn wheel(what: &str) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let bar = indicatif::ProgressBar::new_spinner();
    bar.set_message(what.to_string());
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

/// Ends a verb that answers in lines: they are printed, or the one line that says what is wrong.
pub fn finish(lines: Result<Vec<String>, String>) -> ExitCode {
    match lines {
        Ok(lines) => {
            print_lines(&lines);
            ExitCode::SUCCESS
        }
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

/// Prints lines; a closed pipe is no fault.
pub fn print_lines(lines: &[String]) {
    crate::tell::answer(lines);
}
