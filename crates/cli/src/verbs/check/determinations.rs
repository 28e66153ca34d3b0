//! Judgments given to `check`: each counts as a fact, or the answer says why it does not.

use super::Check;
use crate::{verbs, verdict::Voice};
use identity::x509::Certificate;
use model::{AsOf, fact::Said};
use node::determination::{Given, backing, weigh_all};
use rulebook::{bind::Bound, book::Rulebook};
use serde_json::Value;
use std::path::{Path, PathBuf};
use trust::determination::{DETERMINATION_BYTES_MAX, Determination};

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
    let weighed = weigh_all(book, given, &book.circumstances(crossing), as_of.on);
    for (w, path) in weighed.iter().zip(&check.determinations) {
        if let Some(said) = w.counts() {
            judged.facts.retain(|(slot, _)| *slot != w.record.fact);
            judged.facts.push((w.record.fact.clone(), said.clone()));
        }
        judged.lines.push(w.line(book, voice.language, &path.display().to_string()));
        judged.records.push(w.document());
    }
    Ok(judged)
}

fn read(path: &Path, anchors: &[Certificate]) -> Result<Given, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("error[TGT-C015]: `{}`: {e}", path.display());
    let (bytes, seal) = files(path)?;
    let record = Determination::read(&bytes).map_err(|_| wrong(&"this is no judgment that `tegata determine` wrote"))?;
    let backing = backing(&bytes, seal.as_deref(), anchors, verbs::now()).map_err(|e| wrong(&e))?;
    Ok(Given { record, backing })
}

/// A record and the seal that lies beside it, if one does.
pub fn files(path: &Path) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let beside = verbs::sealing::seal_of(path);
    let seal = if beside.is_file() { Some(bytes(&beside)?) } else { None };
    Ok((bytes(path)?, seal))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let path: PathBuf = path.into();
    let size = std::fs::metadata(&path).map(|m| m.len()).unwrap_or_default();
    if size > DETERMINATION_BYTES_MAX as u64 {
        return Err(format!("error[TGT-C015]: `{}` is larger than 64 KiB", path.display()));
    }
    std::fs::read(&path).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", path.display()))
}
