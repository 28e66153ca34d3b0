//! Judgments given to `check`: each counts as a fact, or the answer says why it does not.

use super::Check;
use crate::{verbs, verdict::Voice};
use identity::x509::Certificate;
use model::{AsOf, fact::Said};
use node::determination::{Backing, Worth, backing, weigh as worth};
use rulebook::{bind::Bound, book::Rulebook};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use trust::determination::{DETERMINATION_BYTES_MAX, Determination, Difference};
use words::{Arg, say};

/// What the judgments given come to.
#[derive(Default)]
pub struct Judged {
    /// The facts that count.
    pub facts: Vec<(String, Said)>,
    /// One line for each judgment.
    pub lines: Vec<String>,
    /// The same for programs.
    pub records: Vec<Value>,
}

struct Given<'a> {
    path: &'a Path,
    record: Determination,
    backing: Backing,
}

/// Reads each judgment and its seal, and weighs it.
pub fn weigh(check: &Check, book: &Rulebook, bound: &Bound, as_of: AsOf, voice: Voice) -> Result<Judged, String> {
    let mut judged = Judged::default();
    if check.determinations.is_empty() {
        return Ok(judged);
    }
    let [crossing] = bound.crossings.as_slice() else {
        return Err("error[TGT-C015]: a judgment is about one hop with one dataset and one group; check that hop alone".into());
    };
    let anchors = match &check.anchors {
        Some(path) => Certificate::from_pem(&verbs::read_text(path)?).map_err(|e| format!("error[TGT-C015]: `{}`: {e}", path.display()))?,
        None => Vec::new(),
    };
    let given = check.determinations.iter().map(|path| read(path, &anchors)).collect::<Result<Vec<_>, _>>()?;
    let circumstances = book.circumstances(crossing);
    let worths: Vec<Worth> = given.iter().map(|g| worth(book, &g.record, &g.backing, &circumstances, as_of.on)).collect();
    let counts = |w: &Worth| matches!(w, Worth::Counts(_));
    for (g, w) in given.iter().zip(&worths) {
        // Two judgments of one question that come out differently: neither counts (DESIGN section 4, KNOWLEDGE).
        let contested = counts(w) && given.iter().zip(&worths).any(|(h, v)| counts(v) && h.record.fact == g.record.fact && h.record.outcome != g.record.outcome);
        if let (Worth::Counts(said), false) = (w, contested) {
            judged.facts.retain(|(slot, _)| *slot != g.record.fact);
            judged.facts.push((g.record.fact.clone(), said.clone()));
        }
        judged.lines.push(line(book, g, w, contested, voice));
        judged.records.push(document(g, w, contested));
    }
    Ok(judged)
}

fn read<'a>(path: &'a Path, anchors: &[Certificate]) -> Result<Given<'a>, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("error[TGT-C015]: `{}`: {e}", path.display());
    let bytes = bytes(path)?;
    let record = Determination::read(&bytes).map_err(|_| wrong(&"this is no judgment that `tegata determine` wrote"))?;
    let beside = verbs::sealing::seal_of(path);
    let seal = if beside.is_file() { Some(self::bytes(&beside)?) } else { None };
    let backing = backing(&bytes, seal.as_deref(), anchors, verbs::now()).map_err(|e| wrong(&e))?;
    Ok(Given { path, record, backing })
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let path: PathBuf = path.into();
    let size = std::fs::metadata(&path).map(|m| m.len()).unwrap_or_default();
    if size > DETERMINATION_BYTES_MAX as u64 {
        return Err(format!("error[TGT-C015]: `{}` is larger than 64 KiB", path.display()));
    }
    std::fs::read(&path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))
}

/// One line for people: what was judged, by whom, on what day, under which seal; or why it does not count.
fn line(book: &Rulebook, g: &Given<'_>, worth: &Worth, contested: bool, voice: Voice) -> String {
    let r = &g.record;
    let label = book.vocabulary.of_slot(&r.fact).map_or_else(|| r.fact.clone(), |f| f.label.in_(voice.language).to_string());
    let seal = match &g.backing {
        Backing::Sealed(owner) => say(voice.language, "judged-sealed", &[("owner", Arg::Text(owner))]),
        Backing::NotVerified => voice.word("judged-not-verified"),
        Backing::Unsealed => voice.word("judged-unsealed"),
    };
    let why = match worth {
        _ if contested => voice.word("judged-contested"),
        Worth::Counts(_) => String::new(),
        Worth::OtherFacts(differences) => {
            let all: Vec<String> = differences.iter().take(3).map(difference).collect();
            say(voice.language, "judged-other-facts", &[("facts", Arg::Text(&all.join("; ")))])
        }
        Worth::OtherDay => voice.word("judged-other-day"),
        Worth::Unknown => voice.word("judged-unknown"),
    };
    let (made, until, path) = (r.made.to_string(), r.until.to_string(), g.path.display().to_string());
    let outcome = voice.word(&format!("judged-{}", r.outcome));
    let args = [
        ("what", Arg::Text(&label)),
        ("outcome", Arg::Text(&outcome)),
        ("by", Arg::Text(&r.by)),
        ("made", Arg::Text(&made)),
        ("until", Arg::Text(&until)),
        ("seal", Arg::Text(&seal)),
        ("path", Arg::Text(&path)),
        ("why", Arg::Text(&why)),
    ];
    say(voice.language, if why.is_empty() { "judged" } else { "judged-not" }, &args)
}

fn difference(d: &Difference) -> String {
    let or_none = |v: &Option<String>| v.clone().unwrap_or_else(|| "—".into());
    format!("{}: {} → {}", d.slot, or_none(&d.then), or_none(&d.now))
}

fn document(g: &Given<'_>, worth: &Worth, contested: bool) -> Value {
    let differs: Vec<String> = match worth {
        Worth::OtherFacts(differences) => differences.iter().map(difference).collect(),
        _ => Vec::new(),
    };
    json!({ "record": g.record, "backing": g.backing, "counts": matches!(worth, Worth::Counts(_)) && !contested, "contested": contested, "differs": differs })
}
