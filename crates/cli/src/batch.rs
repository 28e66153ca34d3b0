//! Many transfers, a line each: the head of every answer, on every core, in the order of the lines.

use crate::transfer_file;
use decide::{
    decision::Verdict,
    engine::Engine,
    judge::{Bits, Room},
    lexicon::{Lexicon, Packed},
    line,
    table::Table,
};
use model::{AsOf, CivilDate};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, Write},
    sync::Arc,
};

// LIMIT: bytes of lines held at once.
const BLOCK_BYTES: usize = 16 << 20;
// LIMIT: days whose tables are kept for one run.
const DAYS_MAX: usize = 512;

/// The tables of the days asked for so far.
struct Days {
    lexicon: Arc<Lexicon>,
    tables: HashMap<CivilDate, Arc<Table>>,
    as_of: AsOf,
}

/// What came of a share of the lines.
struct Share {
    text: String,
    worst: Option<Verdict>,
    /// Lines that want the long way: place in the text, number and line.
    later: Vec<(usize, usize, String)>,
}

/// Answers every line with its verdict and the rule that speaks. A line may have `as_of`, a day of its own.
pub fn run(engine: &mut Engine, as_of: AsOf, mut input: impl BufRead, mut out: impl Write) -> Result<Verdict, String> {
    let today = engine.table(as_of).map_err(crate::verbs::too_many)?;
    let mut days = Days { lexicon: today.lexicon.clone(), tables: HashMap::from([(as_of.on, today)]), as_of };
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut worst: Option<Verdict> = None;
    let (mut buffer, mut n_before) = (String::new(), 0);
    loop {
        buffer.clear();
        while buffer.len() < BLOCK_BYTES && input.read_line(&mut buffer).map_err(|e| format!("error[TGT-C001]: {e}"))? > 0 {}
        let lines: Vec<(usize, &str)> = buffer.lines().enumerate().map(|(i, l)| (n_before + i + 1, l)).collect();
        if lines.is_empty() {
            break;
        }
        n_before += lines.len();
        learn_days(engine, &mut days, &lines)?;
        let each = lines.len().div_ceil(n_threads).max(1);
        let shares: Vec<Share> = std::thread::scope(|scope| {
            let days = &days;
            let threads: Vec<_> = lines.chunks(each).map(|part| scope.spawn(move || share(days, part))).collect();
            threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Share { text: String::new(), worst: Some(Verdict::Undetermined), later: Vec::new() })).collect()
        });
        for s in shares {
            worst = worse(worst, s.worst);
            let mut at = 0;
            for (place, number, line) in &s.later {
                out.write_all(s.text.get(at..*place).unwrap_or_default().as_bytes()).map_err(|e| format!("error[TGT-C001]: {e}"))?;
                let (text, verdict) = long_way(engine, as_of, *number, line);
                worst = worse(worst, Some(verdict));
                writeln!(out, "{text}").map_err(|e| format!("error[TGT-C001]: {e}"))?;
                at = *place;
            }
            out.write_all(s.text.get(at..).unwrap_or_default().as_bytes()).map_err(|e| format!("error[TGT-C001]: {e}"))?;
        }
    }
    Ok(worst.unwrap_or(Verdict::Undetermined))
}

fn worse(a: Option<Verdict>, b: Option<Verdict>) -> Option<Verdict> {
    [a, b].into_iter().flatten().max_by_key(|v| v.severity())
}

/// Makes the tables of the days that lines name, before they are shared out.
fn learn_days(engine: &mut Engine, days: &mut Days, lines: &[(usize, &str)]) -> Result<(), String> {
    const KEY: &str = "\"as_of\"";
    for (_, l) in lines {
        let Some((_, rest)) = l.split_once(KEY) else { continue };
        let day = rest.trim_start_matches([':', ' ']).trim_start_matches('"').get(..10).and_then(|d| d.parse().ok());
        if let Some(day) = day.filter(|d| !days.tables.contains_key(d) && days.tables.len() < DAYS_MAX) {
            let table = engine.table(AsOf::then(day)).map_err(crate::verbs::too_many)?;
            days.tables.insert(day, table);
        }
    }
    Ok(())
}

fn share(days: &Days, lines: &[(usize, &str)]) -> Share {
    let mut out = Share { text: String::with_capacity(lines.len() * 80), worst: None, later: Vec::new() };
    let mut room = Room::default();
    let mut packed = Packed::default();
    for (number, l) in lines.iter().filter(|(_, l)| !l.trim().is_empty()) {
        days.lexicon.clear(&mut packed);
        let named = line::pack(&days.lexicon, l, &mut packed);
        let table = named.as_ref().ok().and_then(|n| days.tables.get(&n.as_of.unwrap_or(days.as_of.on)));
        let (Ok(named), Some(table)) = (&named, table) else {
            out.later.push((out.text.len(), *number, (*l).to_string()));
            continue;
        };
        let bits = Bits::of(table, std::mem::take(&mut packed));
        match table.judge_possible(&bits, &mut room) {
            Some(head) => {
                out.worst = worse(out.worst, Some(head.verdict));
                head_line(&mut out.text, named.id.as_deref(), *number, head.verdict, table.named(&head));
            }
            // Facts that contradict each other are named by the long way.
            None => out.later.push((out.text.len(), *number, (*l).to_string())),
        }
        packed = bits.into_facts();
    }
    out
}

fn head_line(out: &mut String, id: Option<&str>, number: usize, verdict: Verdict, by: &str) {
    let id = id.map_or_else(|| number.to_string(), |id| serde_json::to_string(id).unwrap_or_default());
    // Writing into memory does not fail.
    let _written = writeln!(out, "{{\"id\":{id},\"verdict\":\"{}\",\"by\":\"{by}\"}}", verdict.word());
}

fn long_way(engine: &mut Engine, as_of: AsOf, number: usize, line: &str) -> (String, Verdict) {
    let value: Result<serde_json::Value, _> = serde_json::from_str(line);
    let mut day = as_of;
    let answer = value
        .map_err(|e| format!("TGT-C002: not JSON: {e}"))
        .and_then(|mut v| {
            if let Some(text) = v.as_object_mut().and_then(|m| m.remove("as_of")) {
                let on: CivilDate = text.as_str().unwrap_or_default().parse().map_err(|e| format!("TGT-C003: {e}"))?;
                day = AsOf::then(on);
            }
            transfer_file::parse_json(&v.to_string()).map_err(|e| format!("TGT-C002: {e}"))
        })
        .and_then(|t| Ok((t.id.clone(), engine.book.bind(&t).map_err(|ds| crate::verbs::faults(&ds))?)))
        .and_then(|(id, b)| Ok((id, engine.decide(&b, day).map_err(crate::verbs::too_many)?)));
    match answer {
        Ok((id, decision)) => {
            let mut text = String::new();
            head_line(&mut text, id.as_deref(), number, decision.verdict, decision.deciding_ids().first().copied().unwrap_or_default());
            (text.trim_end().to_string(), decision.verdict)
        }
        // A line that cannot be read is never a milder answer than one that cannot be told.
        Err(e) => (problem(number, &e), Verdict::Undetermined),
    }
}

/// What is wrong with a line, as one JSON document.
pub fn problem(number: usize, fault: &str) -> String {
    let (code, detail) = coded(fault);
    serde_json::json!({ "schema": "tegata.problem.1", "line": number, "code": code, "detail": detail }).to_string()
}

/// `TGT-C002: not JSON` or `error[TGT-C002]: not JSON`: the code, and what is wrong.
fn coded(line: &str) -> (&str, &str) {
    let told = line.strip_prefix("error[").and_then(|rest| rest.split_once("]: "));
    told.or_else(|| line.split_once(": ").filter(|(code, _)| code.starts_with("TGT-"))).unwrap_or(("TGT-C002", line))
}
