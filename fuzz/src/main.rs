//! Throws broken input at every reader of what comes from outside, for a bounded time.
//!
//! Each target has seeds that are in order; they are broken by a few random edits and read. A panic, an overflow, a hang
//! and a broken promise of the target (one spelling, a changed container never passes) are finds. Each target runs in a
//! process of its own, so that a stack overflow is a find too. The same random seed gives the same inputs.

mod mutate;
mod targets;

use mutate::Dice;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// LIMIT: bytes of one input, and the time in which it must be read in a program that is built for debugging.
const INPUT_BYTES_MAX: usize = 256 << 10;
const READ_TIME_MAX: Duration = Duration::from_secs(5);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(otherwise);
    let (seconds, seed) = (number(0, 5), number(2, 1));
    if std::env::var_os("TEGATA_FUZZ_ONE").is_some() {
        return one(&words[1], Duration::from_secs(seconds), seed);
    }
    let wanted = words.get(1).map(String::as_str).filter(|w| *w != "all");
    let mut bad = 0;
    for name in targets::NAMES.iter().filter(|n| wanted.is_none_or(|w| w == **n)) {
        let run = |trace: bool| {
            let mut command = Command::new(std::env::current_exe().unwrap_or_default());
            command.args([&seconds.to_string(), *name, &seed.to_string()]).env("TEGATA_FUZZ_ONE", "1");
            if trace {
                command.env("TEGATA_FUZZ_TRACE", "1");
            }
            command.status()
        };
        match run(false) {
            Ok(status) if status.success() => {}
            Ok(status) if status.code().is_some() => bad += 1,
            // It died: again, with each input written before it is read, so that the last one is the find.
            _ => {
                bad += 1;
                let _ = run(true);
                println!("{name}: the process died; the input is fuzz/found/{name}-last");
            }
        }
    }
    if bad > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs one target in this process.
fn one(name: &str, at_most: Duration, seed: u64) -> ExitCode {
    let Some(target) = targets::of(name) else {
        println!("no target `{name}`; there are {:?}", targets::NAMES);
        return ExitCode::FAILURE;
    };
    std::panic::set_hook(Box::new(|_| {}));
    let found = root().join("found");
    let _ = fs::create_dir_all(&found);
    let trace = std::env::var_os("TEGATA_FUZZ_TRACE").is_some();
    for seed in &target.seeds {
        if !(target.accepts)(seed) {
            println!("{name}: a seed is not in order: {:.60}", String::from_utf8_lossy(seed));
            return ExitCode::FAILURE;
        }
        if let Err(why) = judge(&target, seed) {
            println!("{name}: a seed that is in order fails: {why}");
            return ExitCode::FAILURE;
        }
    }
    let (mut dice, start) = (Dice(seed), Instant::now());
    let (mut n_inputs, mut n_finds, mut kinds) = (0_u64, 0_u64, BTreeSet::new());
    while start.elapsed() < at_most {
        let input = mutate::mutate(&target.seeds, &mut dice, INPUT_BYTES_MAX);
        if trace {
            let _ = fs::write(found.join(format!("{name}-last")), &input);
        }
        n_inputs += 1;
        if let Err(why) = judge(&target, &input) {
            n_finds += 1;
            if kinds.insert(why.clone()) {
                let place = found.join(format!("{name}-{}", kinds.len()));
                let _ = fs::write(&place, &input);
                println!("{name}: {why}; the input is {}", place.display());
            }
        }
    }
    println!("{name}: {n_inputs} inputs from {} seeds, {n_finds} finds", target.seeds.len());
    if n_finds > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Reads one input; what breaks is told.
fn judge(target: &targets::Target, input: &[u8]) -> Result<(), String> {
    let start = Instant::now();
    let read = catch_unwind(AssertUnwindSafe(|| (target.read)(input)));
    let took = start.elapsed();
    match read {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
            let text = text.unwrap_or_else(|| "without words".into());
            // Numbers differ from input to input; the kind is the rest.
            Err(format!("panics: {}", text.chars().filter(|c| !c.is_ascii_digit()).take(120).collect::<String>()))
        }
        Ok(Err(why)) => Err(why),
        // On a busy machine one reading may wait for long; the same one does not wait again and again.
        Ok(Ok(())) if took > READ_TIME_MAX && (0..3).all(|_| is_slow(target, input)) => Err("is slow".into()),
        Ok(Ok(())) => Ok(()),
    }
}

fn is_slow(target: &targets::Target, input: &[u8]) -> bool {
    let start = Instant::now();
    let _ = (target.read)(input);
    start.elapsed() > READ_TIME_MAX
}
