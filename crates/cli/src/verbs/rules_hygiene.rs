//! `tegata rules hygiene`: what is wrong with rules as rules, and what of it is meant to be so.

use super::Common;
use crate::rules_source;
use decide::hygiene::{self, Found, Judged, What};
use model::AsOf;
use rulebook::book::Rulebook;
use words::{Arg, say};

/// How the findings are shown.
pub struct Shown {
    /// The explained ones too.
    pub all: bool,
    /// As one document.
    pub json: bool,
}

/// Prints the findings; how many nobody explained.
pub fn run(shown: &Shown, common: &Common) -> Result<usize, String> {
    let book = rules_source::load_law(common.rules.as_deref())?;
    let voice = common.voice();
    let bar = super::wheel(&voice.word("hygiene-wait"));
    let mut told = 0;
    let found = hygiene::everything_told(&book, AsOf::then(super::today()), &mut |done, all| {
        let args = [("done", Arg::Number(i64::try_from(done).unwrap_or(0))), ("all", Arg::Number(i64::try_from(all).unwrap_or(0)))];
        let line = say(voice.language, "hygiene-days", &args);
        // Where nobody sees a wheel turn, every eighth of the way is a line, so that nobody takes it for dead.
        match bar.is_hidden() {
            true if done * 8 / all.max(1) > told => {
                told = done * 8 / all.max(1);
                errln!("{line}");
            }
            true => {}
            false => bar.set_message(line),
        }
    });
    let found = found.map_err(super::too_many)?;
    bar.finish_and_clear();
    let (judged, over) = hygiene::judged(&book, found);
    let open = judged.iter().filter(|j| j.because.is_none()).count();
    if shown.json {
        let over: Vec<&str> = over.iter().map(|e| e.id.as_str()).collect();
        let document = serde_json::json!({ "schema": "tegata.hygiene.1", "rulebook": book.digest(), "findings": judged, "unexplained": open, "explanations_without_finding": over });
        super::print_lines(&[document.to_string()]);
        return Ok(open);
    }
    let number = |n: usize| Arg::Number(i64::try_from(n).unwrap_or(i64::MAX));
    let mut out = Vec::new();
    for what in What::ALL {
        let of: Vec<&Judged<'_>> = judged.iter().filter(|j| j.found.what == what).collect();
        let left = of.iter().filter(|j| j.because.is_none()).count();
        let says = voice.word(&format!("hygiene-{}", what.word()));
        out.push(say(voice.language, "hygiene-line", &[("what", Arg::Text(&says)), ("n", number(of.len())), ("open", number(left))]));
        for j in of.iter().filter(|j| shown.all || j.because.is_none()) {
            out.push(format!("  {}", line(&book, &j.found)));
            out.extend(j.because.map(|b| format!("      {}: {}", voice.word("hygiene-because"), b.in_(voice.language))));
        }
    }
    out.extend(over.iter().map(|e| say(voice.language, "hygiene-over", &[("id", Arg::Text(&e.id))])));
    out.push(say(voice.language, "hygiene-sum", &[("n", number(judged.len())), ("open", number(open))]));
    super::print_lines(&out);
    Ok(open)
}

/// One finding with its article, file and what stands against it.
fn line(book: &Rulebook, f: &Found) -> String {
    let by = if f.by.is_empty() { String::new() } else { format!(" ← {}", f.by.join(", ")) };
    match book.head(&f.id) {
        Some(h) => {
            let path = book.sources.get(h.span.file).map_or("", |s| s.path.as_str());
            format!("{} ({}; {path}; {}){by}", f.id, h.cites, f.from)
        }
        None => format!("{}{by}", f.id),
    }
}
