//! A decision for people on a terminal: the answer in 25 lines.

use decide::decision::{Clause, ClauseKind, CrossingAnswer, Decision, LayerAnswer, Missing, ObligationAnswer, Remedy, Verdict};
use decide::{footing, knowledge::Truth, suppose::Supposition};
use model::{citation::{Review, Seen}, text::{Language, Text}};
use rulebook::vocabulary::Vocabulary;
use std::borrow::Cow;
use words::{Arg, say};

/// How an answer is printed.
#[derive(Clone, Copy)]
pub struct Voice {
    /// The language.
    pub language: Language,
    /// Whether to color.
    pub color: bool,
}

// LIMIT: lines for reasons and ways, so that an answer fits a terminal.
const REASONS: usize = 5;
const WAYS: usize = 3;
/// Questions, and those of them by which laws of other places reach in.
const QUESTIONS: usize = 4;
const REACH: [&str; 2] = ["exporter.targets", "subjects.located_in"];
/// Laws named of those that may apply too: two facts settle most of them.
const MAY_APPLY: usize = 6;
/// Laws of which it is said what was not looked at, and how much of each.
const NOT_CHECKED: usize = 3;
const NOT_CHECKED_WIDTH: usize = 110;

impl Voice {
    /// A message without arguments.
    pub fn word(&self, id: &str) -> String {
        say(self.language, id, &[])
    }

    /// A provision as it is cited in the language.
    pub fn provision<'c>(&self, cites: &'c str) -> Cow<'c, str> {
        words::cite(self.language, cites)
    }

    fn text<'t>(&self, text: &'t Text) -> &'t str {
        text.in_(self.language)
    }

    /// The verdict's words, colored.
    pub fn verdict(&self, v: Verdict) -> String {
        let word = self.word(&format!("verdict-{}", v.word()));
        let code = match v {
            Verdict::Permitted => "1;32",
            Verdict::OutOfScope => "1;36",
            Verdict::Conditional => "1;33",
            Verdict::Prohibited => "1;31",
            Verdict::Undetermined => "1;35",
        };
        if self.color { format!("\x1b[{code}m{word}\x1b[0m") } else { word }
    }

    fn dim(&self, text: &str) -> String {
        if self.color { format!("\x1b[2m{text}\x1b[0m") } else { text.to_string() }
    }

    /// The answer in at most 25 lines; `repeat` is the command that repeats it.
    pub fn answer(&self, vocabulary: &Vocabulary, decision: &Decision, supposed: Option<&Supposition>, repeat: &str) -> Vec<String> {
        let mut out = Vec::new();
        let Some(c) = decision.worst() else { return out };
        let pair = if decision.crossings.len() > 1 { format!("  [{}: {} → {}]", c.hop, c.from, c.to) } else { String::new() };
        out.push(format!("{}{pair}", self.verdict(decision.verdict)));
        out.extend(c.shut_by().map(|d| format!("  {}: {} — {}", self.word("shut-anyway"), self.cite(d), self.says(d))));
        self.missing(c, &mut out);
        if let Some(s) = supposed {
            self.supposed(vocabulary, s, &mut out);
        }
        let before = out.len();
        self.reasons(c, &mut out);
        if supposed.is_some() && out.len() > before {
            out.insert(before, format!("{}:", self.word("waiting-rules")));
        }
        self.nearest(c, &mut out);
        self.ways(vocabulary, c, &mut out);
        self.duties(c, &mut out);
        self.coverage(c, decision, &mut out);
        out.push(self.dim(&format!("{}: {repeat}", self.word("repeat"))));
        let (date, rulebook) = (decision.as_of.on.to_string(), decision.rulebook.short());
        out.push(self.dim(&say(self.language, "first-line", &[("date", Arg::Text(&date)), ("rulebook", Arg::Text(&rulebook))])));
        out
    }

    fn reasons(&self, c: &CrossingAnswer, out: &mut Vec<String>) {
        let mut shown: Vec<&Clause> = c.deciding.iter().filter(|d| Self::is_reason(c, d)).collect();
        // What reaches the act speaks first; layers that look at other things come last.
        shown.sort_by_key(|d| (d.kind == ClauseKind::Gap, d.kind == ClauseKind::Scope));
        if c.verdict == Verdict::Undetermined {
            // What is missing is the answer; the rules behind it stand in --explain.
            let surely = |d: &Clause| c.layers.iter().any(|l| l.layer == d.layer && l.applies == Truth::Yes);
            shown.retain(|d| surely(d) && matches!(d.kind, ClauseKind::Bar | ClauseKind::Gate));
            shown.truncate(3);
        }
        if shown.is_empty() && c.verdict.opens() {
            out.push(format!("  {}", self.word("nothing-asks")));
        }
        let more = shown.len().saturating_sub(REASONS);
        for clause in shown.iter().take(REASONS) {
            out.push(format!("  {} — {}", self.cite(clause), self.says(clause)));
            out.extend(self.beside(c, clause).map(|line| self.dim(&format!("      {line}"))));
            out.extend(self.entries(clause));
        }
        if more > 0 {
            out.push(self.dim(&format!("  (+{more}; --explain)")));
        }
    }

    /// What a clause says beside: what remains, what it does not dispense from, which other way there is.
    pub fn beside(&self, c: &CrossingAnswer, clause: &Clause) -> Option<String> {
        let label = match clause.kind {
            ClauseKind::Out => "remain",
            ClauseKind::Bar => "other-way",
            // A route that does not open dispenses from nothing.
            ClauseKind::Route if c.verdict.opens() => "not-dispense",
            _ => return None,
        };
        clause.beside.as_ref().map(|text| format!("{}: {}", self.word(label), self.text(text)))
    }

    /// When a duty falls due, and whether it is late.
    pub fn due(&self, o: &ObligationAnswer) -> String {
        let when = match (o.last_day, o.due.as_str()) {
            (Some(day), _) => say(self.language, "page-due-by", &[("day", Arg::Text(&day.to_string()))]),
            (None, "before") => self.word("page-due-before"),
            (None, "on request") => self.word("page-due-on_request"),
            (None, "standing") => self.word("page-due-standing"),
            (None, counted) => counted.to_string(),
        };
        if o.overdue { format!("{when}, {}", self.word("overdue")) } else { when }
    }

    /// Whether a deciding clause is shown as a reason: routes only of what opens, and those that an entry opened once.
    pub fn is_reason(c: &CrossingAnswer, d: &Clause) -> bool {
        d.kind != ClauseKind::Route || c.verdict.opens() || d.barely().next().is_some()
    }

    /// The entries of lists behind a clause: those that carry it; of one that does not hold, those that would.
    fn entries(&self, clause: &Clause) -> Vec<String> {
        clause.entries.iter().map(|e| self.dim(&format!("      {}", node::question::entry(self.language, e)))).collect()
    }

    /// What a clause says; of a scope that does not reach the act, that it is not applicable, and why.
    pub fn says(&self, clause: &Clause) -> String {
        if clause.kind == ClauseKind::Gap {
            return format!("{}: {}", self.word("not-covered"), self.text(&clause.says));
        }
        if clause.kind != ClauseKind::Scope || clause.truth != Truth::No {
            return self.text(&clause.says).to_string();
        }
        let unmet: Vec<&str> = clause.unmet.iter().map(|u| self.text(&u.says)).collect();
        let id = if unmet.is_empty() { "scope-not" } else { "scope-not-because" };
        say(self.language, id, &[("says", Arg::Text(self.text(&clause.says))), ("unmet", Arg::Text(&unmet.join("; ")))])
    }

    /// Article and dates of a clause.
    pub fn cite(&self, clause: &Clause) -> String {
        let from = clause.citation.from.map(|d| d.to_string()).unwrap_or_default();
        let until = clause.citation.until.map(|d| d.to_string()).unwrap_or_default();
        let days = format!("{} [{from}..{until}]", self.provision(&clause.citation.cites));
        days.trim_start().to_string()
    }

    /// What would follow if the usual holds where nothing was said, and what that supposes.
    fn supposed(&self, vocabulary: &Vocabulary, s: &Supposition, out: &mut Vec<String>) {
        out.push(format!("{}: {}", self.word("supposed"), self.verdict(s.verdict)));
        out.extend(s.missing.iter().take(WAYS).map(|m| format!("  {}", self.lack(m))));
        let reasons = s.deciding.iter().filter(|d| s.missing.is_empty() && (d.kind != ClauseKind::Route || s.verdict.opens()));
        let reason = reasons.min_by_key(|d| d.kind == ClauseKind::Gap);
        out.extend(reason.map(|d| format!("  {} — {}", self.cite(d), self.says(d))));
        out.extend(s.remedies.first().map(|r| format!("  1. {}", self.way(r))));
        if !s.would_open.is_empty() {
            out.push(format!("  {}:", self.word("would-open")));
            out.extend(s.would_open.iter().take(WAYS).map(|slot| format!("    ? {}", self.question(vocabulary, slot))));
        }
        let facts: Vec<String> = s.facts.iter().map(|(slot, f)| format!("{slot}={}", f.known)).collect();
        if !facts.is_empty() {
            out.push(self.dim(&format!("  {}: {}", self.word("supposed-facts"), facts.join(", "))));
        }
    }

    /// Of what may not go: the routes that lack least, and what they lack. Another destination is no route of this transfer.
    fn nearest(&self, c: &CrossingAnswer, out: &mut Vec<String>) {
        if c.verdict != Verdict::Prohibited {
            return;
        }
        let fixed = |d: &Clause| d.unmet.iter().any(|u| u.slot.ends_with(".place"));
        let decides = |d: &Clause| c.deciding.iter().any(|x| x.layer == d.layer && x.kind == ClauseKind::Gate);
        let clauses = c.layers.iter().flat_map(|l| &l.clauses);
        let mut near: Vec<&Clause> =
            clauses.filter(|d| d.kind == ClauseKind::Route && d.truth == Truth::No && !d.unmet.is_empty() && !fixed(d) && decides(d)).collect();
        near.sort_by_key(|d| (d.unmet.len(), d.rank));
        for d in near.iter().take(2) {
            let lacks: Vec<&str> = d.unmet.iter().map(|u| self.text(&u.says)).collect();
            out.push(format!("  {} {} — {}: {}", self.word("nearest"), self.cite(d), self.word("nearest-lacks"), lacks.join("; ")));
        }
    }

    /// The question that a fact is asked by, with its slot.
    fn question(&self, vocabulary: &Vocabulary, slot: &str) -> String {
        let who = if slot.starts_with("recipient.") { "who-recipient" } else { "who-exporter" };
        let ask = vocabulary.of_slot(slot).map(|f| self.text(&f.ask).replace("{party}", &self.word(who))).unwrap_or_default();
        format!("{ask} [{slot}]")
    }

    fn ways(&self, vocabulary: &Vocabulary, c: &CrossingAnswer, out: &mut Vec<String>) {
        if c.remedies.is_empty() {
            return;
        }
        // A circumstance may open it for nothing: that stands before what costs money.
        out.extend(c.disputes.iter().map(|d| format!("{}: {}", self.word("would-open-reading"), self.lack(d))));
        if !c.would_open.is_empty() {
            out.push(format!("{}:", self.word("would-open")));
            out.extend(c.would_open.iter().take(WAYS).map(|slot| format!("  ? {}", self.question(vocabulary, slot))));
        }
        let heading = if c.would_open.is_empty() { "ways" } else { "ways-whatever" };
        out.push(format!("{}:", self.word(heading)));
        for (i, r) in c.remedies.iter().take(WAYS).enumerate() {
            out.push(format!("  {}. {}{}", i + 1, self.way(r), self.by_route(c, r)));
        }
        if c.remedies.len() > WAYS || c.more_remedies {
            out.push(self.dim(&format!("  {}", self.word("way-more"))));
        }
    }

    /// The provisions that a way takes.
    pub fn by_route(&self, c: &CrossingAnswer, r: &Remedy) -> String {
        let clauses = || c.layers.iter().flat_map(|l| &l.clauses);
        let mut cites: Vec<Cow<'_, str>> = r.routes.iter().filter_map(|id| clauses().find(|d| d.id == *id)).map(|d| self.provision(&d.citation.cites)).collect();
        cites.dedup();
        if cites.is_empty() { String::new() } else { self.dim(&format!(" → {}", cites.join("; "))) }
    }

    /// One way through, with who decides each item and what it costs.
    pub fn way(&self, r: &Remedy) -> String {
        let items: Vec<String> = r
            .measures
            .iter()
            .map(|m| {
                let who = self.word(&format!("who-{}", m.decides));
                format!("{} ({})", self.text(&m.label), say(self.language, "decides", &[("who", Arg::Text(&who))]))
            })
            .collect();
        format!("{}  [{}]", items.join(" + "), self.cost(r.days, r.money, r.utility_loss))
    }

    /// What something costs: days, US dollars, and how much of the data's use is lost, in percent.
    pub fn cost(&self, days: i64, money: i64, loss: i64) -> String {
        let days = say(self.language, "days", &[("n", Arg::Number(days))]);
        let money = say(self.language, "money", &[("n", Arg::Text(&money.to_string()))]);
        let loss = if loss > 0 { format!(", {}", say(self.language, "loss", &[("n", Arg::Number(loss))])) } else { String::new() };
        format!("{days}, {money}{loss}")
    }

    /// What is missing. Where other countries' laws may reach in, the line of laws that may apply asks for it too, so that what the
    /// act itself turns on stands before it.
    fn missing(&self, c: &CrossingAnswer, out: &mut Vec<String>) {
        let reach = |m: &&Missing| matches!(m, Missing::Fact { slot, .. } if REACH.contains(&slot.as_str()));
        let (last, first): (Vec<&Missing>, Vec<&Missing>) = c.missing.iter().partition(reach);
        out.extend(first.into_iter().chain(last).take(QUESTIONS).map(|m| format!("  {}", self.lack(m))));
    }

    /// One missing item in words.
    pub fn lack(&self, m: &Missing) -> String {
        let who = |id: &str, who: &str| say(self.language, id, &[("who", Arg::Text(&self.word(&format!("who-{who}"))))]);
        match m {
            Missing::Fact { slot, ask, knows } => format!("? {} [{slot}; {}]", self.text(ask), who("asks", knows)),
            Missing::Judgment { slot, ask, by } => format!("? {} [{slot}; {}]", self.text(ask), who("judges", by)),
            Missing::Disputed { id, question, .. } => format!("{}: {} [{id}]", self.word("disputed"), self.text(question)),
            // That nothing is held of a country says itself what it is.
            Missing::NotCovered { layer, says } if layer == decide::ask::UNCOVERED => format!("{} [{layer}]", self.text(says)),
            Missing::NotCovered { layer, says } => format!("{}: {} [{layer}]", self.word("not-covered"), self.text(says)),
        }
    }

    fn duties(&self, c: &CrossingAnswer, out: &mut Vec<String>) {
        let mut sure: Vec<_> = c.obligations.iter().filter(|o| o.truth == Truth::Yes && !o.done).collect();
        sure.sort_by_key(|o| !o.overdue);
        if sure.is_empty() || !matches!(c.verdict, Verdict::Permitted | Verdict::Conditional) {
            return;
        }
        let list: Vec<String> = sure.iter().take(4).map(|o| format!("{} ({})", self.provision(&o.citation.cites), self.due(o))).collect();
        out.push(format!("{}: {}", self.word("duties"), list.join("; ")));
    }

    fn coverage(&self, c: &CrossingAnswer, decision: &Decision, out: &mut Vec<String>) {
        let sure = || c.layers.iter().filter(|l| l.applies == Truth::Yes);
        let join = |parts: Vec<&str>| parts.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; ");
        let labels = join(sure().map(|l| self.text(&l.label)).collect());
        if !labels.is_empty() {
            out.push(self.dim(&format!("{}: {labels}", self.word("checked"))));
        }
        // What may not go is not opened by any other law.
        let open: Vec<&str> = c.layers.iter().filter(|l| l.applies == Truth::Open && c.verdict != Verdict::Prohibited).map(|l| self.text(&l.label)).collect();
        let more = open.len().saturating_sub(MAY_APPLY);
        let may = join(open.into_iter().take(MAY_APPLY).collect());
        if !may.is_empty() {
            let more = if more == 0 { String::new() } else { format!("; {}", say(self.language, "may-apply-more", &[("n", Arg::Number(more as i64))])) };
            out.push(self.dim(&format!("{}: {may}{more}", self.word("may-apply"))));
        }
        out.extend(self.not_checked(c));
        if let (Some(review), Some(seen), Some(read)) = (decision.weakest_review, decision.weakest_seen, decision.oldest_read) {
            let state = self.word(&review_id(review));
            let seen = self.word(&seen_id(seen));
            let read = read.to_string();
            let value = say(self.language, "weakest-value", &[("state", Arg::Text(&state)), ("seen", Arg::Text(&seen)), ("date", Arg::Text(&read))]);
            let which = decision.weakest().map(|c| format!(" ({})", self.provision(&c.cites))).unwrap_or_default();
            out.push(self.dim(&format!("{}: {value}{which}", self.word("weakest"))));
        }
        out.extend(self.cautions(decision));
        if let Some(day) = decision.holds_until {
            out.push(self.dim(&say(self.language, "holds-until", &[("date", Arg::Text(&day.to_string()))])));
        }
    }

    /// What of each law that applies was not looked at: a line a law, the rest by `--explain`.
    fn not_checked(&self, c: &CrossingAnswer) -> Vec<String> {
        let laws: Vec<_> = c.layers.iter().filter(|l| l.applies == Truth::Yes && !self.text(&l.not_checked).is_empty()).collect();
        let heading = self.word("not-checked");
        let more = laws.len().saturating_sub(NOT_CHECKED);
        let mut cut = more > 0;
        let mut out: Vec<String> = laws.iter().take(NOT_CHECKED).map(|l| {
            let whole = self.text(&l.not_checked);
            let short = shortened(whole, NOT_CHECKED_WIDTH);
            cut |= short.len() < whole.len();
            // One law needs no name: it stands in the line above.
            if laws.len() == 1 { self.dim(&format!("{heading}: {short}")) } else { self.dim(&format!("  {}: {short}", self.text(&l.label))) }
        }).collect();
        if laws.len() > 1 {
            out.insert(0, self.dim(&format!("{heading}:")));
        }
        if let Some(last) = out.last_mut().filter(|_| cut) {
            let rest = if more > 0 { format!("(+{more}; --explain)") } else { "(--explain)".into() };
            *last = format!("{last} {}", self.dim(&rest));
        }
        out
    }

    /// What an opening rests on and should not be relied on unseen: rules read once, readings that are old.
    pub fn cautions(&self, decision: &Decision) -> Vec<String> {
        let mut out = Vec::new();
        // LIMIT: rules named in one line.
        const NAMED: usize = 3;
        let once: Vec<String> = footing::read_once(decision).iter().map(|r| r.names()).collect();
        if !once.is_empty() {
            let more = if once.len() > NAMED { format!(" (+{})", once.len() - NAMED) } else { String::new() };
            let rules = format!("{}{more}", once.into_iter().take(NAMED).collect::<Vec<_>>().join("; "));
            out.push(say(self.language, "read-once", &[("rules", Arg::Text(&rules))]));
        }
        let stale = footing::stale(decision, crate::verbs::today());
        if let Some(oldest) = stale.iter().map(|(_, day)| *day).min() {
            let rules = stale.iter().take(NAMED).map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
            out.push(say(self.language, "read-stale", &[("date", Arg::Text(&oldest.to_string())), ("rules", Arg::Text(&rules))]));
        }
        out
    }

    /// The tree of conditions: every layer, clause and route with its first unmet conditions.
    pub fn explain(&self, decision: &Decision) -> Vec<String> {
        let mut out = Vec::new();
        for c in &decision.crossings {
            out.push(format!("{} → {} [{} {} {}]: {}", c.from, c.to, c.hop, c.dataset, c.group, self.verdict(c.verdict)));
            // What surely applies first: of the others it is not known yet.
            let mut layers: Vec<&LayerAnswer> = c.layers.iter().collect();
            layers.sort_by_key(|l| l.applies != Truth::Yes);
            for layer in layers {
                out.push(format!("  {} [{}]", self.text(&layer.label), layer.layer));
                if layer.applies == Truth::Yes && !self.text(&layer.not_checked).is_empty() {
                    out.push(self.dim(&format!("    {}: {}", self.word("not-checked"), self.text(&layer.not_checked))));
                }
                for clause in &layer.clauses {
                    let truth = self.word(&format!("truth-{}", truth_id(clause.truth)));
                    let kind = self.word(&format!("kind-{}", kind_id(clause.kind)));
                    let indent = if clause.kind == ClauseKind::Route { "      " } else { "    " };
                    out.push(format!("{indent}{kind} {} = {truth}: {} — {}", clause.id, self.cite(clause), self.text(&clause.says)));
                    for e in &clause.entries {
                        out.push(self.dim(&format!("{indent}    {} [{}]", node::question::entry(self.language, e), e.id)));
                    }
                    for u in &clause.unmet {
                        out.push(self.dim(&format!("{indent}    ✗ {} ({})", self.text(&u.says), self.word(&format!("truth-{}", truth_id(u.truth))))));
                    }
                }
            }
            for (i, r) in c.remedies.iter().enumerate() {
                out.push(format!("  {}. {} ({})", i + 1, self.way(r), say(self.language, "routes-to", &[("routes", Arg::Text(&r.routes.join(", ")))])));
            }
            out.extend(c.disputes.iter().map(|d| self.dim(&format!("  {}: {}", self.word("would-open-reading"), self.lack(d)))));
            for slot in &c.would_open {
                out.push(self.dim(&format!("  {}: {slot}", self.word("would-open"))));
            }
        }
        out
    }
}

/// The beginning of a list of things, cut where one of them ends; a Japanese character is as wide as two others.
fn shortened(text: &str, width: usize) -> &str {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    let (mut used, mut end, mut depth) = (0, 0, 0_i32);
    for (at, c) in text.char_indices() {
        used += wide(c);
        if used > width {
            return text.get(..end).unwrap_or_default();
        }
        match c {
            '(' | '\u{ff08}' => depth += 1,
            ')' | '\u{ff09}' => depth -= 1,
            ',' | ';' | '、' | '。' if depth == 0 => end = at,
            _ => {}
        }
    }
    text
}

fn truth_id(t: Truth) -> &'static str {
    match t {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::Open => "open",
    }
}

fn kind_id(k: ClauseKind) -> &'static str {
    match k {
        ClauseKind::Scope => "scope",
        ClauseKind::Out => "out",
        ClauseKind::Bar => "bar",
        ClauseKind::Gate => "gate",
        ClauseKind::Route => "route",
        ClauseKind::Obligation => "obligation",
        ClauseKind::Carried => "carried",
        ClauseKind::Gap => "gap",
    }
}

/// The message id of a review state.
pub fn review_id(r: Review) -> String {
    format!("review-{}", serde_word(&r))
}

/// The message id of what was read.
pub fn seen_id(s: Seen) -> String {
    format!("seen-{}", serde_word(&s))
}

fn serde_word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}
