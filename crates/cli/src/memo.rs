//! One printable page that a person forwards.

use crate::verdict::Voice;
use decide::decision::{Clause, CrossingAnswer, Decision, EntryAnswer, ObligationAnswer, Verdict};
use model::text::Language;
use rulebook::{bind::{Bound, Crossing}, book::Rulebook, vocabulary::{Domain, Fact}};
use words::{Arg, say};

/// What stands on the memo beside the decision.
pub struct Beside<'a> {
    /// The facts, as given.
    pub bound: &'a Bound,
    /// Judgments that were given, one line each.
    pub judged: &'a [String],
    /// The command that repeats the answer.
    pub repeat: &'a str,
}

/// Renders the memo: the answer, its articles, ways, coverage, facts, and how to repeat it. No script, no foreign host.
pub fn render(book: &Rulebook, decision: &Decision, today: Option<&Decision>, beside: &Beside<'_>, voice: Voice) -> String {
    let voice = Voice { color: false, ..voice };
    let lang = if voice.language == Language::Ja { "ja" } else { "en" };
    let title = voice.word("memo-title");
    let mut body = String::new();
    let (date, rulebook) = (decision.as_of.on.to_string(), decision.rulebook.to_string());
    body.push_str(&format!("<h1>{}</h1>", escape(&title)));
    body.push_str(&format!("<p class=\"verdict {}\">{}</p>", decision.verdict.word(), escape(&voice.verdict(decision.verdict))));
    body.push_str(&format!("<p class=\"small\">{}</p>", escape(&say(voice.language, "first-line", &[("date", Arg::Text(&date)), ("rulebook", Arg::Text(&rulebook))]))));
    for c in &decision.crossings {
        if decision.crossings.len() > 1 {
            body.push_str(&format!("<h2>{} → {} ({})</h2>", escape(&c.from), escape(&c.to), escape(&voice.verdict(c.verdict))));
        }
        let about = beside.bound.crossings.iter().find(|b| (&b.hop, &b.dataset, &b.group) == (&c.hop, &c.dataset, &c.group));
        body.push_str(&about.map(|b| act(book, b, voice)).unwrap_or_default());
        body.push_str(&reasons(c, voice));
        body.push_str(&ways(c, voice));
        body.push_str(&duties(c, voice));
    }
    if let Some(today) = today.filter(|t| t.verdict != decision.verdict) {
        let later = say(voice.language, "understood", &[("date", Arg::Text(&today.as_of.published_by.to_string()))]);
        body.push_str(&format!("<p>{}: {}</p>", escape(&later), escape(&voice.verdict(today.verdict))));
    }
    body.push_str(&coverage(decision, voice));
    body.push_str(&beside.judged.iter().map(|l| format!("<p>{}</p>", escape(l))).collect::<String>());
    let many = beside.bound.crossings.len() > 1;
    body.push_str(&beside.bound.crossings.iter().map(|b| facts(book, b, many, voice)).collect::<String>());
    body.push_str(&format!("<h2>{}</h2><pre>{}</pre>", escape(&voice.word("memo-how")), escape(beside.repeat)));
    body.push_str(&format!("<p class=\"sign\">{}: ______________________</p>", escape(&voice.word("memo-signature"))));
    format!("<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n", escape(&title))
}

const STYLE: &str = "body{font:16px/1.6 system-ui,'Noto Sans JP',sans-serif;margin:0;color:#1a1a1c;background:#fff}main{max-width:46rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:1.6rem 0 .3rem}.verdict{font-size:2rem;font-weight:700;margin:.6rem 0;padding:.4rem .8rem;border-left:.5rem solid}.permitted{border-color:#115a36}.out_of_scope{border-color:#00428c}.conditional{border-color:#8a5a00}.prohibited{border-color:#a30000}.undetermined{border-color:#5c10be}.small{font-size:.85rem;color:#444}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;border-bottom:1px solid #ccc;padding:.3rem .5rem .3rem 0;overflow-wrap:anywhere}.sign{margin-top:3rem}@media print{main{margin:0;max-width:none}a{color:inherit}}";

fn reasons(c: &CrossingAnswer, voice: Voice) -> String {
    let mut out = format!("<h2>{}</h2><table>", escape(&voice.word("because")));
    let shown = c.deciding.iter().filter(|d| Voice::is_reason(c, d));
    for d in shown.take(12) {
        let link = if d.citation.source.starts_with("https://") { format!("<a href=\"{}\">{}</a>", escape(&d.citation.source), escape(&voice.cite(d))) } else { escape(&voice.cite(d)) };
        let beside = voice.beside(c, d).map(|b| format!("<br><span class=\"small\">{}</span>", escape(&b))).unwrap_or_default();
        out.push_str(&format!("<tr><td>{link}</td><td>{}{beside}{}</td></tr>", escape(d.says.in_(voice.language)), entries(d, voice)));
    }
    out.push_str("</table>");
    if c.deciding.is_empty() && c.verdict.opens() {
        out.push_str(&format!("<p>{}</p>", escape(&voice.word("nothing-asks"))));
    }
    out
}

/// The entries of lists behind a clause, with their links, dates and how they were read.
fn entries(clause: &Clause, voice: Voice) -> String {
    let one = |e: &EntryAnswer| {
        let (state, seen) = (voice.word(&crate::verdict::review_id(e.citation.review)), voice.word(&crate::verdict::seen_id(e.citation.seen)));
        let read = say(voice.language, "weakest-value", &[("state", Arg::Text(&state)), ("seen", Arg::Text(&seen)), ("date", Arg::Text(&e.citation.read.to_string()))]);
        let line = escape(&format!("{} [{}; {read}]", node::question::entry(voice.language, e), e.id));
        let line = if e.citation.source.starts_with("https://") { format!("<a href=\"{}\">{line}</a>", escape(&e.citation.source)) } else { line };
        format!("<br><span class=\"small\">{line}</span>")
    };
    clause.entries.iter().map(one).collect()
}

fn ways(c: &CrossingAnswer, voice: Voice) -> String {
    match c.verdict {
        Verdict::Conditional => list("ways", c.remedies.iter().take(5).map(|r| format!("{}{}", voice.way(r), voice.by_route(c, r))), voice),
        Verdict::Undetermined => list("missing", c.missing.iter().take(8).map(|m| voice.lack(m)), voice),
        Verdict::Permitted | Verdict::Prohibited | Verdict::OutOfScope => String::new(),
    }
}

fn duties(c: &CrossingAnswer, voice: Voice) -> String {
    let open = c.obligations.iter().filter(|o| o.truth == decide::knowledge::Truth::Yes && !o.done);
    let line = |o: &ObligationAnswer| format!("{} ({}) — {}", voice.provision(&o.citation.cites), voice.due(o), o.says.in_(voice.language));
    match c.verdict {
        Verdict::Permitted | Verdict::Conditional => list("duties", open.take(8).map(line), voice),
        Verdict::Undetermined | Verdict::Prohibited | Verdict::OutOfScope => String::new(),
    }
}

fn list(heading: &str, items: impl Iterator<Item = String>, voice: Voice) -> String {
    let items: String = items.map(|i| format!("<li>{}</li>", escape(&i))).collect();
    if items.is_empty() { String::new() } else { format!("<h2>{}</h2><ol>{items}</ol>", escape(&voice.word(heading))) }
}

/// Which transfer it is, in one line: from where to where, what, about whom.
fn act(book: &Rulebook, crossing: &Crossing, voice: Voice) -> String {
    let told = |slot: &str| crossing.facts.get(slot).map(|f| in_words(book, slot, &f.known.to_string(), voice));
    let (from, to) = (told("exporter.place").unwrap_or_else(|| "?".into()), told("recipient.place").unwrap_or_else(|| "?".into()));
    let what: Vec<String> = ["data.categories", "hop.purpose", "subjects.located_in"].iter().filter_map(|s| told(s)).collect();
    let what = if what.is_empty() { String::new() } else { format!(" · {}", what.join(" · ")) };
    format!("<p><strong>{} → {}</strong>{}</p>", escape(&from), escape(&to), escape(&what))
}

fn coverage(decision: &Decision, voice: Voice) -> String {
    let Some(c) = decision.worst() else { return String::new() };
    let rows: String = c
        .layers
        .iter()
        .map(|l| format!("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", escape(l.label.in_(voice.language)), escape(l.checked.in_(voice.language)), escape(l.not_checked.in_(voice.language))))
        .collect();
    let weakest = match (decision.weakest_review, decision.weakest_seen, decision.oldest_read) {
        (Some(r), Some(s), Some(d)) => {
            let (state, seen) = (voice.word(&crate::verdict::review_id(r)), voice.word(&crate::verdict::seen_id(s)));
            let value = say(voice.language, "weakest-value", &[("state", Arg::Text(&state)), ("seen", Arg::Text(&seen)), ("date", Arg::Text(&d.to_string()))]);
            let which = decision.weakest().map(|c| format!(" ({})", voice.provision(&c.cites))).unwrap_or_default();
            format!("<p>{}: {}</p>", escape(&voice.word("weakest")), escape(&format!("{value}{which}")))
        }
        _ => String::new(),
    };
    let cautions: String = voice.cautions(decision).iter().map(|l| format!("<p>{}</p>", escape(l))).collect();
    format!("<h2>{} / {}</h2><table>{rows}</table>{weakest}{cautions}", escape(&voice.word("checked")), escape(&voice.word("not-checked")))
}

fn facts(book: &Rulebook, crossing: &Crossing, many: bool, voice: Voice) -> String {
    let rows: String = crossing
        .facts
        .iter()
        .map(|(slot, fact)| {
            let label = book.vocabulary.of_slot(slot).map(|f| f.label.in_(voice.language).to_string()).unwrap_or_default();
            format!("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", escape(slot), escape(&label), escape(&in_words(book, slot, &fact.known.to_string(), voice)))
        })
        .collect();
    let which = if many { format!(": {} → {}", escape(&crossing.from), escape(&crossing.to)) } else { String::new() };
    if rows.is_empty() { String::new() } else { format!("<h2>{}{which}</h2><table>{rows}</table>", escape(&voice.word("memo-facts"))) }
}

/// A value as the vocabulary calls it, in the reader's language.
pub fn in_words(book: &Rulebook, slot: &str, known: &str, voice: Voice) -> String {
    let label = |word: &str| match book.vocabulary.of_slot(slot) {
        Some(Fact { domain: Domain::OneOf(words) | Domain::SetOf(words), .. }) => words.iter().find(|w| w.id == word).map(|w| w.label.in_(voice.language).to_string()),
        Some(Fact { domain: Domain::Place | Domain::Places, .. }) => book.vocabulary.places.get(word).map(|l| l.in_(voice.language).to_string()),
        _ => None,
    };
    let words = known.trim_start_matches('{').trim_end_matches('}').split(',').map(str::trim).filter(|w| !w.is_empty());
    let said: Vec<String> = words.map(|w| label(w).unwrap_or_else(|| w.to_string())).collect();
    if said.is_empty() { known.to_string() } else { said.join(", ") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
