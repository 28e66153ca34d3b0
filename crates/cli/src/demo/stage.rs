//! How the demo speaks, pauses and fails.

use crate::verdict::Voice;
use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

/// The stage: a voice, pauses when a person watches, and the steps that did not follow.
pub struct Stage {
    /// How answers are said.
    pub voice: Voice,
    headless: bool,
    start: Instant,
    failed: Vec<String>,
}

impl Stage {
    /// Opens the stage; headless never pauses.
    pub fn open(voice: Voice, headless: bool) -> Self {
        Self { voice, headless: headless || !std::io::stdin().is_terminal(), start: Instant::now(), failed: Vec::new() }
    }

    /// Begins a scene.
    pub fn scene(&self, number: u32, title: &str) {
        outln!();
        let line = format!("── {number} · {title} ");
        let bar = "─".repeat(78usize.saturating_sub(line.chars().count()));
        outln!("{}", if self.voice.color { format!("\x1b[1m{line}{bar}\x1b[0m") } else { format!("{line}{bar}") });
    }

    /// Says a line.
    pub fn say(&self, text: impl AsRef<str>) {
        outln!("{}", text.as_ref());
    }

    /// Waits for Enter when a person watches.
    pub fn pause(&self, what: &str) {
        if self.headless {
            return;
        }
        let mut out = std::io::stdout();
        let _flushed = write!(out, "   ⏎ {what} ").and_then(|()| out.flush());
        let mut line = String::new();
        let _read = std::io::stdin().read_line(&mut line);
    }

    /// Notes whether a step followed from the rulebook and the data; the demo fails if one did not.
    pub fn must(&mut self, what: &str, holds: bool) {
        if !holds {
            outln!("   ✗ {what}");
            self.failed.push(what.to_string());
        }
    }

    /// Ends: the seconds it took, and what did not follow.
    pub fn close(self) -> (u64, Vec<String>) {
        (self.start.elapsed().as_secs(), self.failed)
    }
}
