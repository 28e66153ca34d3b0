//! `tegata check`: may it go, by which article, and what is the cheapest way.

mod determinations;

pub use determinations::files as judgment_files;

use crate::{
    interview, memo, rules_source, transfer_file,
    verdict::Voice,
};
use clap::{Args, ValueEnum};
use decide::{
    decision::{Decision, Verdict},
    engine::Engine,
    suppose::Supposition,
};
use node::question;
use model::{AsOf, CivilDate, fact::Said, transfer::Transfer};
use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Ask whether a transfer may go, on a day, by the rules in this program.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata check                                         an interview, on a terminal
  tegata check --from TH --to JP --data salary_hr      flags
  tegata check --from DE --to US --fact recipient.listed=us_dpf --as-of 2024-01-15
  tegata check --from DE --to US --measure eu.sign_scc --explain
  tegata check transfer.toml --memo memo.html          a file; a page to forward
  tegata check --jsonl < transfers.jsonl               many at once
  tegata check --from JP --data contact --to-all       every destination
  tegata check transfer.toml --report report.json --release release.csv   what `tegata protect` made
  tegata check transfer.toml --determination tia.json --anchors ca.pem    what was judged (`tegata draft`, `tegata determine`)

Exit codes: 0 may go, 10 conditional, 11 prohibited, 12 cannot tell, 13 out of scope, 2 usage.")]
pub struct Check {
    #[command(flatten)]
    asked: super::asked::Asked,
    /// The report of `tegata protect`; it counts for exactly the table that --release names, as far as a rule gives it effect.
    #[arg(long, value_name = "FILE", requires = "release")]
    report: Option<PathBuf>,
    /// The released table that the report is about.
    #[arg(long, value_name = "FILE", requires = "report")]
    release: Option<PathBuf>,
    /// A judgment that was concluded (see `tegata determine`); it counts for the facts and days that it was made on. Repeat for more.
    #[arg(long = "determination", value_name = "FILE", conflicts_with_all = ["to_all", "jsonl", "register"])]
    determinations: Vec<PathBuf>,
    /// Certificates that seals of judgments are trusted by (PEM).
    #[arg(long, value_name = "FILE", requires = "determinations")]
    anchors: Option<PathBuf>,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
    /// For a past day: only texts public by this day (default: that day itself, and today's understanding beside it).
    #[arg(long, value_name = "DAY")]
    published_by: Option<String>,
    /// Ask for every destination.
    #[arg(long)]
    to_all: bool,
    /// Show the tree of conditions: why, and why not, for each route.
    #[arg(long)]
    explain: bool,
    /// Write one printable page.
    #[arg(long, value_name = "FILE")]
    memo: Option<PathBuf>,
    /// Where nothing was said, take what is usual as said; the answer lists it.
    #[arg(long, conflicts_with_all = ["to_all", "jsonl", "register"])]
    usual: bool,
    /// Print the decision as one JSON document.
    #[arg(long)]
    json: bool,
    /// Read transfers as JSON lines from standard input (or FILE), answer with JSON lines.
    #[arg(long)]
    jsonl: bool,
    /// With --jsonl: the verdict and the rule that speaks, nothing else; a line may name its own day as `as_of`.
    #[arg(long, requires = "jsonl")]
    brief: bool,
    /// Ask the questions even if standard input is no terminal.
    #[arg(long)]
    interview: bool,
    /// Exit 0 for this verdict too.
    #[arg(long, value_name = "VERDICT")]
    allow: Vec<Allowed>,
    /// A list of transfers that a firm keeps (.xlsx or .csv): which rows are red, and why.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to_all", "jsonl"])]
    register: Option<PathBuf>,
    /// For a register: say what a column stands for, HEADER=fact; `HEADER=-` leaves it out.
    #[arg(long, value_name = "HEADER=FACT")]
    column: Vec<String>,
    #[command(flatten)]
    common: super::Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allowed {
    Conditional,
    Undetermined,
    OutOfScope,
}

/// Runs the verb.
pub fn run(check: Check) -> ExitCode {
    match answer(&check) {
        Ok(verdict) => exit(&check, verdict),
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

/// `check FILE --explain`, for `why`.
pub fn explain(file: &str, common: &super::Common) -> ExitCode {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        check: Check,
    }
    let line = <Line as clap::Parser>::try_parse_from(["check", "--explain", "--", file]);
    match line {
        Ok(line) => run(Check { common: common.clone(), ..line.check }),
        Err(e) => e.exit(),
    }
}

fn exit(check: &Check, verdict: Verdict) -> ExitCode {
    let allowed = |a| check.allow.contains(&a);
    ExitCode::from(match verdict {
        Verdict::Permitted => 0,
        Verdict::Conditional if allowed(Allowed::Conditional) => 0,
        Verdict::Undetermined if allowed(Allowed::Undetermined) => 0,
        Verdict::OutOfScope if allowed(Allowed::OutOfScope) => 0,
        Verdict::Conditional => 10,
        Verdict::Prohibited => 11,
        Verdict::Undetermined => 12,
        Verdict::OutOfScope => 13,
    })
}

fn answer(check: &Check) -> Result<Verdict, String> {
    let book = rules_source::load_law(check.common.rules.as_deref())?;
    // Many questions share one whole table; for one, only what it leaves open is compiled.
    let many = check.register.is_some() || check.jsonl || check.to_all;
    let mut engine = if many { Engine::new(book) } else { Engine::for_few(book) };
    let today = super::today();
    let day = |t: &Option<String>| t.as_ref().map(|t| t.parse::<CivilDate>().map_err(|e| format!("error[TGT-C003]: {e}"))).transpose();
    let on = day(&check.as_of)?.unwrap_or(today);
    let published_by = day(&check.published_by)?;
    let as_of = AsOf { on, published_by: published_by.unwrap_or(on) };
    if let Some(register) = &check.register {
        return super::register::answer(&mut engine, register, as_of, &check.column, check.json, &check.common);
    }
    if check.jsonl {
        return lines(check, &mut engine, as_of);
    }
    if let Some(table) = check.asked.file.as_ref().filter(|f| is_table(f)) {
        return Err(format!("error[TGT-C002]: `{0}` is a table, not a transfer: `tegata check --register {0}` for a list of transfers, `tegata scan {0}` for a table of data", table.display()));
    }
    let flat = flat(check, &engine)?;
    let voice = check.common.voice();
    let nothing_said = check.asked.file.is_none() && flat.is_empty();
    if check.to_all {
        let transfer = match &check.asked.file {
            None => Transfer::single(flat.clone()),
            Some(file) => {
                let mut t = transfer_file::read(file).map_err(|e| format!("error[TGT-C002]: {e}"))?;
                node::question::overlay(&mut t, &flat);
                t
            }
        };
        return to_all(&mut engine, &transfer, as_of, voice);
    }
    let (transfer, said) = if check.interview || (nothing_said && std::io::stdin().is_terminal()) {
        let flat = interview::run(&mut engine, flat, as_of, voice)?;
        (Transfer::single(flat.clone()), flat)
    } else if let Some(file) = &check.asked.file {
        let mut t = transfer_file::read(file).map_err(|e| format!("error[TGT-C002]: {e}"))?;
        node::question::overlay(&mut t, &flat);
        (t, flat)
    } else if nothing_said {
        return Err("error[TGT-C002]: nothing to check: give a file, or --from and --to; on a terminal `tegata check` asks".into());
    } else {
        (Transfer::single(flat.clone()), flat)
    };
    one(check, &mut engine, &transfer, &said, as_of, published_by.is_none().then_some(today), voice)
}

fn is_table(file: &std::path::Path) -> bool {
    file.extension().and_then(|e| e.to_str()).is_some_and(|e| ["csv", "tsv", "xlsx", "parquet"].contains(&e.to_lowercase().as_str()))
}

/// Decides one transfer and prints it in the form asked for.
fn one(check: &Check, engine: &mut Engine, transfer: &Transfer, said: &[(String, Said)], as_of: AsOf, today: Option<CivilDate>, voice: Voice) -> Result<Verdict, String> {
    let mut bound = engine.book.bind(transfer).map_err(|ds| super::faults(&ds))?;
    if check.usual && bound.crossings.len() > 1 {
        return Err("error[TGT-C002]: `--usual` is for one hop with one dataset and one group; say the facts in the file".into());
    }
    let judged = determinations::weigh(check, &engine.book, &bound, as_of, voice)?;
    // Who asks for the usual gets it as far as it matters, also where the answer waits for more than that.
    let (supposed, taken) = match check.usual {
        true => (None, engine.usual(&bound, as_of).map_err(super::too_many)?),
        false => (engine.suppose(&bound, as_of).map_err(super::too_many)?, BTreeMap::new()),
    };
    let (mut transfer, mut said) = (transfer.clone(), said.to_vec());
    if !taken.is_empty() {
        let usual: Vec<(String, Said)> = taken.iter().map(|(slot, f)| (slot.clone(), rulebook::book::parse_said(&f.known.to_string()))).collect();
        node::question::overlay(&mut transfer, &usual);
        said.extend(usual);
        bound = engine.book.bind(&transfer).map_err(|ds| super::faults(&ds))?;
    }
    if !judged.facts.is_empty() {
        node::question::overlay(&mut transfer, &judged.facts);
        bound = engine.book.bind(&transfer).map_err(|ds| super::faults(&ds))?;
    }
    let said = said.as_slice();
    let decision = engine.decide_with_horizon(&bound, as_of).map_err(super::too_many)?;
    let repeat = repeat(check, said, as_of);
    let now = match today {
        Some(today) if today > as_of.on => Some(engine.decide(&bound, AsOf { on: as_of.on, published_by: today }).map_err(super::too_many)?),
        _ => None,
    };
    if let Some(path) = &check.memo {
        let page = memo::render(&engine.book, &decision, now.as_ref(), &memo::Beside { bound: &bound, judged: &judged.lines, repeat: &repeat }, voice);
        super::write_whole(path, page.as_bytes())?;
        errln!("{}", path.display());
    }
    let ahead = engine.ahead(&bound, as_of).map_err(super::too_many)?;
    if check.json {
        super::print_lines(&[document(&decision, now.as_ref(), supposed.as_ref(), &judged.records, &ahead)]);
        return Ok(decision.verdict);
    }
    let mut out = voice.answer(&engine.book.vocabulary, &decision, supposed.as_ref(), &repeat);
    if !taken.is_empty() {
        let facts: Vec<String> = taken.iter().map(|(slot, f)| format!("{slot}={}", f.known)).collect();
        out.insert(1, format!("  {}: {}", voice.word("taken-as-usual"), facts.join(", ")));
    }
    out.extend(judged.lines);
    out.extend(ahead.iter().map(|w| question::threshold(&engine.book, voice.language, w)));
    if let Some(now) = now.filter(|n| n.verdict != decision.verdict || n.deciding_ids() != decision.deciding_ids()) {
        let then = words::say(voice.language, "understood", &[("date", words::Arg::Text(&as_of.on.to_string()))]);
        let later = words::say(voice.language, "understood", &[("date", words::Arg::Text(&now.as_of.published_by.to_string()))]);
        out.insert(0, format!("— {then} —"));
        out.push(format!("— {later} — {}", voice.verdict(now.verdict)));
        if let Some(c) = now.worst() {
            out.extend(c.deciding.iter().take(2).map(|d| format!("  {} — {}", voice.cite(d), voice.says(d))));
        }
    }
    if check.explain {
        out.push(String::new());
        out.extend(voice.explain(&decision));
    }
    super::print_lines(&out);
    Ok(decision.verdict)
}

/// The decision as a document, with its digest.
pub fn document(decision: &Decision, now: Option<&Decision>, supposed: Option<&Supposition>, judged: &[serde_json::Value], ahead: &[decide::counter::Warning]) -> String {
    let mut value = question::document(decision, now, super::today());
    if let (Some(map), Some(s)) = (value.as_object_mut(), supposed) {
        map.insert("if_usual".into(), serde_json::to_value(s).unwrap_or_default());
    }
    if let Some(map) = value.as_object_mut().filter(|_| !judged.is_empty()) {
        map.insert("determinations".into(), judged.into());
    }
    if let Some(map) = value.as_object_mut().filter(|_| !ahead.is_empty()) {
        map.insert("thresholds".into(), serde_json::to_value(ahead).unwrap_or_default());
    }
    value.to_string()
}

/// Facts from flags and from the report of a release.
fn flat(check: &Check, engine: &Engine) -> Result<Vec<(String, Said)>, String> {
    let mut flat = check.asked.flat(&engine.book)?;
    if let (Some(report), Some(release)) = (&check.report, &check.release) {
        let measured = node::protect::measured(report, release).map_err(|e| format!("error[{}]: {e}", e.code()))?;
        flat.push(report_fact(&measured.profile));
    }
    Ok(flat)
}

/// The fact that a release meets a profile, with the report as its proof.
pub fn report_fact(profile: &str) -> (String, Said) {
    let said = rulebook::book::parse_said(&format!("evidenced {{{profile}}}"));
    ("data.profile_report".to_string(), said)
}

/// The command that repeats the answer.
fn repeat(check: &Check, said: &[(String, Said)], as_of: AsOf) -> String {
    let start = match &check.asked.file {
        Some(f) => format!("tegata check {}", f.display()),
        None => "tegata check".to_string(),
    };
    let judged: String = check.determinations.iter().map(|f| format!(" --determination {}", f.display())).collect();
    let anchors = check.anchors.as_ref().map(|f| format!(" --anchors {}", f.display())).unwrap_or_default();
    question::command(&start, said, as_of) + &judged + &anchors
}

fn lines(check: &Check, engine: &mut Engine, as_of: AsOf) -> Result<Verdict, String> {
    let input: Box<dyn BufRead> = match &check.asked.file {
        Some(path) => Box::new(std::io::BufReader::new(std::fs::File::open(path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))?)),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if check.brief {
        return crate::batch::run(engine, as_of, input, out);
    }
    let mut worst: Option<Verdict> = None;
    let mut unread = 0;
    for (i, line) in input.lines().enumerate() {
        let line = line.map_err(|e| format!("error[TGT-C001]: line {}: {e}", i + 1))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = transfer_file::parse_json(&line)
            .map_err(|e| format!("TGT-C002: {e}"))
            .and_then(|t| engine.book.bind(&t).map_err(|ds| super::faults(&ds)))
            .and_then(|b| engine.decide(&b, as_of).map_err(super::too_many));
        let text = match answer {
            Ok(decision) => {
                worst = Some(worst.filter(|w| w.severity() >= decision.verdict.severity()).unwrap_or(decision.verdict));
                document(&decision, None, None, &[], &[])
            }
            Err(e) => {
                unread += 1;
                crate::batch::problem(i + 1, &e)
            }
        };
        if !crate::tell::written(writeln!(out, "{text}")) {
            break;
        }
    }
    crate::tell::written(out.flush());
    match (unread, worst) {
        (0, Some(worst)) => Ok(worst),
        (0, None) => Err("error[TGT-C002]: no line holds a transfer".into()),
        // What was not understood was not judged: a script that looks at the exit code must not take it for an answer.
        (n, _) => Err(format!("error[TGT-C002]: {n} lines are not understood; each has a `tegata.problem.1` in the output")),
    }
}

/// One line for each kind of answer, destinations that share it together.
fn to_all(engine: &mut Engine, transfer: &Transfer, as_of: AsOf, voice: Voice) -> Result<Verdict, String> {
    // Destinations that no rule in force tells apart have one answer.
    let table = engine.table(as_of).map_err(super::too_many)?;
    let names: Vec<String> = engine.book.vocabulary.places.keys().cloned().collect();
    let kinds = table.kinds(&decide::matrix::ENDS);
    let bar = super::wheel("");
    let mut groups: Vec<(Verdict, String, Vec<String>)> = Vec::new();
    let mut worst = Verdict::OutOfScope;
    for kind in kinds {
        let alike: Vec<String> = kind.iter().filter_map(|i| names.get(*i)).cloned().collect();
        let Some(place) = alike.first().cloned() else { continue };
        bar.set_message(place.clone());
        let mut there = transfer.clone();
        let said = Said::claim(model::fact::Spoken::Word(place.clone()));
        let ends: Vec<String> = there.hops.iter().map(|h| h.to.clone()).collect();
        ends.iter().for_each(|to| node::question::set_party(&mut there, to, "place", &said));
        let bound = engine.book.bind(&there).map_err(|ds| super::faults(&ds))?;
        let decision = engine.decide(&bound, as_of).map_err(super::too_many)?;
        worst = if decision.verdict.severity() > worst.severity() { decision.verdict } else { worst };
        let why = decision.worst().map(|c| one_line(c, voice)).unwrap_or_default();
        match groups.iter_mut().find(|(v, w, _)| *v == decision.verdict && *w == why) {
            Some((_, _, list)) => list.extend(alike),
            None => groups.push((decision.verdict, why, alike)),
        }
    }
    bar.finish_and_clear();
    groups.sort_by_key(|(v, _, list)| (v.severity(), std::cmp::Reverse(list.len())));
    let mut out = Vec::new();
    for (v, why, mut list) in groups {
        list.sort();
        out.push(format!("{} ({}) — {why}", voice.verdict(v), list.len()));
        out.push(format!("    {}", list.join(" ")));
    }
    super::print_lines(&out);
    Ok(worst)
}

/// The articles that decide, and the first way or lack, on one line.
pub fn one_line(c: &decide::decision::CrossingAnswer, voice: Voice) -> String {
    // A layer that does not reach the act is no reason why it may go.
    let beside = |d: &&decide::decision::Clause| c.verdict == Verdict::Permitted && d.kind == decide::decision::ClauseKind::Scope && d.truth == decide::knowledge::Truth::No;
    let mut cites: Vec<&str> = c.deciding.iter().filter(|d| !beside(d)).filter(|d| d.kind != decide::decision::ClauseKind::Route || c.verdict.opens()).map(|d| d.citation.cites.as_str()).filter(|c| !c.is_empty()).collect();
    cites.dedup();
    let tail = match c.verdict {
        Verdict::Conditional => c.remedies.first().map(|r| voice.way(r)).unwrap_or_default(),
        Verdict::Undetermined => c.missing.first().map(|m| voice.lack(m)).unwrap_or_default(),
        _ => String::new(),
    };
    let cites = voice.provision(&cites.into_iter().take(3).collect::<Vec<_>>().join("; ")).into_owned();
    if tail.is_empty() { cites } else { format!("{cites} → {tail}") }
}
