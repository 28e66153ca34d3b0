//! `tegata drill`: what would stop if a rule, a list entry or a certification fell, and the cheapest way out of each.

use super::register;
use crate::rules_source;
use clap::Args;
use decide::{
    decision::{Decision, Verdict},
    engine::Engine,
};
use model::{AsOf, CivilDate, fact::Spoken};
use std::{path::PathBuf, process::ExitCode};

/// Rehearse a bad day: strike something and see which transfers of the register would stop.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata drill --strike 'EU 2023/1795' register.xlsx      the adequacy decision for the DPF
  tegata drill --strike eu.adequacy#JP register.csv       one entry of a list
  tegata drill --strike us_dpf register.csv               a certification

Exit code: 0 nothing stops, 10 something stops and has a way out, 11 something stops without one.")]
pub struct Drill {
    /// The list of transfers that a firm keeps (.xlsx or .csv).
    register: PathBuf,
    /// What falls: a rule id, a list entry, words of a citation, or a certification as the register names it.
    #[arg(long, value_name = "WHAT")]
    strike: String,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// Say what a column stands for: HEADER=fact.
    #[arg(long, value_name = "HEADER=FACT")]
    column: Vec<String>,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(drill: Drill) -> ExitCode {
    match rehearse(&drill) {
        Ok(code) => code,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn rehearse(drill: &Drill) -> Result<ExitCode, String> {
    let voice = drill.common.voice();
    let book = rules_source::load_law(drill.common.rules.as_deref())?;
    let as_of = AsOf::then(drill.as_of.unwrap_or_else(super::today));
    let mut fallen = book.clone();
    let mut struck = fallen.strike(&drill.strike);
    let mut before = Engine::new(book);
    let mut register = register::read(&before, &drill.register, &drill.column)?;
    let answers = register::decide(&mut before, &register, as_of, false)?;
    if struck.is_empty() {
        struck = strike_certification(&mut register, &drill.strike);
    }
    if struck.is_empty() {
        return Err(format!("error[TGT-C006]: no rule, list entry or certification matches `{}`", drill.strike));
    }
    let mut after = Engine::new(fallen);
    let later = register::decide(&mut after, &register, as_of, false)?;
    let mut out = vec![format!("{}: {}", voice.word("drill-struck"), struck.join(", "))];
    let (mut stops, mut without_way) = (0, 0);
    for ((row, a), b) in register.rows.iter().zip(&answers).zip(&later) {
        let (Ok(a), Ok(b)) = (a, b) else { continue };
        if a.verdict.opens() && !b.verdict.opens() {
            stops += 1;
            without_way += usize::from(b.verdict != Verdict::Conditional);
            out.push(format!("{:>4} {:<14} {} → {}", row.line, row.id, voice.verdict(a.verdict), voice.verdict(b.verdict)));
            out.push(format!("       {}", way_out(b, voice)));
        }
    }
    out.push(words::say(voice.language, "drill-stops", &[("n", words::Arg::Number(stops)), ("all", words::Arg::Number(register.rows.len() as i64))]));
    super::print_lines(&out);
    Ok(ExitCode::from(match (stops, without_way) {
        (0, _) => 0,
        (_, 0) => 10,
        _ => 11,
    }))
}

fn way_out(decision: &Decision, voice: crate::verdict::Voice) -> String {
    decision.worst().map(|c| super::check::one_line(c, voice)).unwrap_or_default()
}

/// Takes a certification away from every row that has it.
fn strike_certification(register: &mut register::Register, what: &str) -> Vec<String> {
    let mut struck = Vec::new();
    for row in &mut register.rows {
        for (slot, said) in row.facts.iter_mut().filter(|(slot, _)| slot.ends_with(".listed")) {
            if let Spoken::Words(words) = &mut said.value {
                let n = words.len();
                words.retain(|w| w != what && !w.starts_with(&format!("{what}_")));
                if words.len() < n && !struck.contains(&format!("{slot} {what}")) {
                    struck.push(format!("{slot} {what}"));
                }
            }
        }
    }
    struck
}
