//! Random small rulebooks as rule text, and random transfers for them. The same seed gives the same text.
#![allow(dead_code)]

use model::{
    AsOf, CivilDate,
    fact::{Said, Spoken, Standing},
};
use rulebook::{
    book::{Rulebook, Source, loads},
    diagnostic::Diagnostic,
};

/// SplitMix64: small, known, and the same everywhere.
#[derive(Clone)]
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// True in this many of a hundred.
    pub fn percent(&mut self, p: usize) -> bool {
        self.below(100) < p
    }

    pub fn of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

const PLACES: [&str; 4] = ["AA", "AA-X", "BB", "CC"];
const FROM: [&str; 6] = ["2020-01-01", "2020-01-01", "2020-01-01", "2022-06-01", "2023-06-01", "unknown"];

/// (slot, on, kind, rest of the fact block, weight in drawing)
const FACTS: [(&str, &str, &str, &str); 12] = [
    ("party.place", "party", "given", "domain: place"),
    ("hop.flag", "hop", "given", "domain: yes_no"),
    ("data.clear", "data", "given", "domain: yes_no"),
    (
        "data.kind",
        "data",
        "given",
        "domain: one of\nneeds: evidenced\nvalue p: p | p\nvalue q: q | q\nvalue r: r | r",
    ),
    ("data.tags", "data", "given", "domain: set of\nvalue s: s | s\nvalue t: t | t"),
    ("subjects.minor", "subjects", "given", "domain: yes_no"),
    ("volume.people", "hop", "counter", "domain: count"),
    ("consent.day", "hop", "given", "domain: date"),
    ("safe.contract", "hop", "measure", "domain: set of\nvalue x: x | x\nvalue y: y | y"),
    ("safe.sealed", "hop", "measure", "domain: yes_no"),
    ("judge.own", "hop", "determination", "by: exporter\ndomain: one of"),
    ("judge.office", "hop", "determination", "by: authority\ndomain: one of"),
];

const SLOTS: [&str; 13] = [
    "exporter.place",
    "recipient.place",
    "hop.flag",
    "data.clear",
    "data.kind",
    "data.tags",
    "subjects.minor",
    "volume.people",
    "consent.day",
    "safe.contract",
    "safe.sealed",
    "judge.own",
    "judge.office",
];

/// One rulebook as text: the vocabulary, and the blocks of law in order.
#[derive(Clone, Debug)]
pub struct Text {
    pub blocks: Vec<String>,
    /// The slots that its expressions draw from.
    pub slots: Vec<&'static str>,
    pub layers: Vec<String>,
    pub n_lists: usize,
    pub n_disputed: usize,
}

fn vocabulary() -> String {
    let mut out = String::from("# Words\n\n```places world\n");
    for p in PLACES {
        out += &format!("value {p}: {p} | {p}\n");
    }
    out += "```\n";
    for (id, on, kind, rest) in FACTS {
        out += &format!(
            "```fact {id}\non: {on}\nkind: {kind}\n{rest}\nlabel: {id} | {id}\nask: {id}? | {id}?\nknows: exporter\n```\n"
        );
    }
    out
}

pub fn instrument(id: &str) -> String {
    format!(
        "```instrument {id}\ntitle: T | T\nnumber: 1\nsource: https://law.example/{id}\nlanguage: en\nread: 2024-01-01\nseen: original\nreview: drafted_machine\nsure: high\nfrom: 2020-01-01\n```\n"
    )
}

impl Text {
    /// The law in one file, in order.
    pub fn sources(&self) -> Vec<Source> {
        vec![
            Source { path: "vocabulary/words.md".into(), text: vocabulary() },
            Source { path: "law/a.md".into(), text: instrument("law.a") + &self.blocks.concat() },
        ]
    }

    /// The same law in three files, in another order.
    pub fn shuffled(&self, draw: &mut Draw) -> Vec<Source> {
        let mut blocks = self.blocks.clone();
        draw.shuffle(&mut blocks);
        let mut texts: Vec<String> = ["x.a", "x.b", "x.c"].iter().map(|id| instrument(id)).collect();
        for b in blocks {
            let i = draw.below(3);
            texts[i] += &b;
        }
        let mut out: Vec<Source> = texts
            .into_iter()
            .enumerate()
            .map(|(i, text)| Source { path: format!("{}/{i}.md", draw.of(&["zz", "aa", "kk"])), text })
            .collect();
        out.push(Source { path: draw.of(&["0.md", "zzz.md", "law/m.md"]).to_string(), text: vocabulary() });
        out
    }

    pub fn parse(&self) -> Rulebook {
        parse(self.sources())
    }

    /// The law alone, for a report.
    pub fn law(&self) -> String {
        self.blocks.concat()
    }
}

pub fn parse(sources: Vec<Source>) -> Rulebook {
    let texts: String = sources.iter().map(|s| s.text.clone()).collect();
    let (book, findings): (Rulebook, Vec<Diagnostic>) = Rulebook::parse(sources);
    assert!(loads(&findings), "the generated text does not load: {findings:?}\n{texts}");
    book
}

/// Draws one rulebook.
pub fn text(draw: &mut Draw) -> Text {
    let mut slots: Vec<&'static str> = SLOTS.to_vec();
    draw.shuffle(&mut slots);
    slots.truncate(3 + draw.below(4));
    // A ground on which measures can work is there most of the time.
    for (slot, p) in [("safe.sealed", 60), ("safe.contract", 50), ("judge.own", 40)] {
        if draw.percent(p) && !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let mut t = Text {
        blocks: Vec::new(),
        slots,
        layers: Vec::new(),
        n_lists: draw.below(3),
        n_disputed: usize::from(draw.percent(20)),
    };
    for i in 0..t.n_lists {
        let b = list(draw, &t, i);
        t.blocks.push(b);
    }
    for i in 0..t.n_disputed {
        t.blocks.push(format!(
            "```disputed open.q{i}\nquestion: Q | Q\na: A | A\nb: B | B\nholders_a: H\nholders_b: K\n```\n"
        ));
    }
    for i in 0..1 + draw.below(2) {
        layer(draw, &mut t, i);
    }
    for i in 0..1 + draw.below(4) {
        let b = measure(draw, &t, i);
        t.blocks.push(b);
    }
    if draw.percent(25) {
        let e = format!("{} and {}", atom(draw, &t, Kinds::Given), atom(draw, &t, Kinds::Given));
        t.blocks.push(format!("```constraint c.one\nnever: {e}\nsays: S | S\n```\n"));
    }
    t
}

/// Which facts an expression may speak of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    Any,
    Given,
    Measures,
    Places,
}

fn is_measure(slot: &str) -> bool {
    slot.starts_with("safe.") || slot.starts_with("judge.")
}

pub fn atom(draw: &mut Draw, t: &Text, kinds: Kinds) -> String {
    let pool: Vec<&str> = match kinds {
        Kinds::Any => t.slots.clone(),
        Kinds::Given => t.slots.iter().copied().filter(|s| !is_measure(s)).collect(),
        Kinds::Measures => t.slots.iter().copied().filter(|s| is_measure(s)).collect(),
        Kinds::Places => t.slots.iter().copied().filter(|s| s.ends_with(".place")).collect(),
    };
    if pool.is_empty() {
        return draw.of(&["yes", "yes", "no"]).to_string();
    }
    if kinds == Kinds::Any && t.n_disputed > 0 && draw.percent(10) {
        return format!("reading open.q0 is {}", draw.of(&["a", "b"]));
    }
    let slot = *draw.of(&pool);
    // Law mostly asks for safeguards; asking for their absence makes measures double-edged.
    if is_measure(slot) && draw.percent(85) {
        let asked = match slot {
            "safe.contract" => {
                format!("{slot} has {} {{{}}}", draw.of(&["any", "all"]), draw.of(&["x", "y", "x, y"]))
            }
            "judge.own" => {
                draw.of(&["determined 'judge.own' by exporter", "judge.own is passes"]).to_string()
            }
            "judge.office" => "determined 'judge.office' by authority".into(),
            _ => slot.to_string(),
        };
        return asked;
    }
    match slot {
        "exporter.place" | "recipient.place" => match draw.below(3) {
            0 if t.n_lists > 0 => format!("{slot} on list.l{}", draw.below(t.n_lists)),
            0 | 1 => format!("{slot} is {}", draw.of(&PLACES)),
            _ => format!("{slot} in {{{}, {}}}", draw.of(&PLACES), draw.of(&PLACES)),
        },
        "data.kind" => match draw.below(2) {
            0 => format!("{slot} is {}", draw.of(&["p", "q", "r"])),
            _ => format!("{slot} in {{{}, {}}}", draw.of(&["p", "q"]), draw.of(&["q", "r"])),
        },
        "data.tags" => {
            format!("{slot} has {} {{{}}}", draw.of(&["any", "all", "only"]), draw.of(&["s", "t", "s, t"]))
        }
        "safe.contract" => {
            format!("{slot} has {} {{{}}}", draw.of(&["any", "any", "all"]), draw.of(&["x", "y", "x, y"]))
        }
        "volume.people" => {
            format!("{slot} {} {}", draw.of(&[">=", "<", ">", "<="]), draw.of(&["100", "1,000"]))
        }
        "consent.day" => {
            format!("{slot} {} {}", draw.of(&["before", "after"]), draw.of(&["2022-01-01", "2022-05-31"]))
        }
        "judge.own" => draw
            .of(&[
                "determined 'judge.own' by exporter",
                "judge.own is passes",
                "judge.own in {not_made, fails}",
            ])
            .to_string(),
        "judge.office" => {
            draw.of(&["determined 'judge.office' by authority", "judge.office is fails"]).to_string()
        }
        yes_no => draw
            .of(&[
                yes_no.to_string(),
                format!("{yes_no} is yes"),
                format!("not {yes_no}"),
                format!("{yes_no} is no"),
            ])
            .clone(),
    }
}

/// An expression of up to four atoms.
pub fn expression(draw: &mut Draw, t: &Text, kinds: Kinds) -> String {
    let one = |draw: &mut Draw| {
        let a = atom(draw, t, kinds);
        if draw.percent(if kinds == Kinds::Measures { 2 } else { 15 }) { format!("not ({a})") } else { a }
    };
    match draw.below(if kinds == Kinds::Measures { 9 } else { 10 }) {
        0..=4 => one(draw),
        5 | 6 => format!("{} and {}", one(draw), one(draw)),
        7 | 8 => format!("{} or {}", one(draw), one(draw)),
        _ => format!("({} or {}) and not ({} and {})", one(draw), one(draw), one(draw), one(draw)),
    }
}

/// Dates of a block; mostly always in force.
fn dates(draw: &mut Draw) -> String {
    if draw.percent(60) {
        return String::new();
    }
    let from = *draw.of(&FROM);
    let mut out = format!("from: {from}\n");
    if draw.percent(30) {
        out += &format!("until: {}\n", if from > "2022" { "2024-06-01" } else { "2022-06-01" });
    }
    if draw.percent(25) {
        out += &format!("published: {}\n", draw.of(&["2019-06-01", "2021-06-01", "2023-01-01"]));
    }
    if draw.percent(15) {
        out += &format!("annulled: {}\n", draw.of(&["2021-01-01", "2022-09-01", "2024-01-01"]));
    }
    out
}

/// Any law block: `kind id`, dates, citation and its own keys.
pub fn block(draw: &mut Draw, kind: &str, id: &str, keys: &str) -> String {
    format!("```{kind} {id}\ncites: Act, {id}\nsays: S | S\n{}{keys}```\n", dates(draw))
}

fn list(draw: &mut Draw, t: &Text, i: usize) -> String {
    let mut out = format!("```list list.l{i}\nlabel: L | L\nof: place\ncomplete_as_of: 2024-01-01\n");
    let bare = Text { n_lists: 0, ..t.clone() };
    for n in 0..draw.below(4) {
        let from = *draw.of(&FROM);
        let mut line = format!("entry {}: from {from}", draw.of(&PLACES));
        if draw.percent(30) {
            line += if from > "2022" { " until 2024-06-01" } else { " until 2022-06-01" };
        }
        if draw.percent(20) {
            line += &format!(" annulled {}", draw.of(&["2021-01-01", "2022-09-01"]));
        }
        line += &format!(" ; Decision {n}");
        if draw.percent(40) {
            line += &format!(" ; when {}", expression(draw, &bare, Kinds::Any));
        }
        out += &(line + "\n");
    }
    out + "```\n"
}

fn layer(draw: &mut Draw, t: &mut Text, i: usize) {
    let id = format!("l{i}");
    let applies = if draw.percent(60) { "yes".to_string() } else { expression(draw, t, Kinds::Places) };
    let mut keys = format!(
        "label: L | L\nzone: +09:00\ntier: A\nauthority: A | A\napplies: {applies}\nchecked: C | C\nnot_checked: N | N\n"
    );
    if draw.percent(if i == 0 { 92 } else { 20 }) {
        let covers = if draw.percent(85) { "yes".to_string() } else { "exporter.place in {AA, BB}".into() };
        keys += &format!("covers: {covers}\n");
    }
    if i > 0 && draw.percent(30) {
        keys += "replaces: l0\n";
    }
    for g in 0..usize::from(draw.percent(12)) {
        keys += &format!("gap g{g}: {} ; G | G\n", expression(draw, t, Kinds::Given));
    }
    t.blocks.push(format!("```layer {id}\n{keys}```\n"));
    for n in 0..1 + draw.below(2) {
        let reaches = if draw.percent(60) { "yes".to_string() } else { expression(draw, t, Kinds::Given) };
        let b =
            block(draw, "scope", &format!("{id}.scope{n}"), &format!("layer: {id}\nreaches: {reaches}\n"));
        t.blocks.push(b);
    }
    if draw.percent(30) {
        let when = expression(draw, t, Kinds::Given);
        let kind = *draw.of(&["not_reached", "not_personal", "no_transfer", "exempt"]);
        let b = block(
            draw,
            "out",
            &format!("{id}.out"),
            &format!("layer: {id}\nkind: {kind}\nwhen: {when}\nremains: R | R\n"),
        );
        t.blocks.push(b);
    }
    if draw.percent(25) {
        let when = expression(draw, t, Kinds::Given);
        let b = block(
            draw,
            "bar",
            &format!("{id}.bar"),
            &format!("layer: {id}\nwhen: {when}\nalternative: A | A\n"),
        );
        t.blocks.push(b);
    }
    for g in 0..draw.below(4).min(2) {
        let gate = format!("{id}.gate{g}");
        let when = if draw.percent(50) { "yes".to_string() } else { expression(draw, t, Kinds::Given) };
        let b = block(draw, "gate", &gate, &format!("layer: {id}\nwhen: {when}\n"));
        t.blocks.push(b);
        for r in 0..draw.below(4) {
            let route = format!("{gate}.r{r}");
            let kinds = if draw.percent(75) { Kinds::Measures } else { Kinds::Any };
            let need = expression(draw, t, kinds);
            let carries = if draw.percent(30) {
                format!("carries: {}\n", expression(draw, t, Kinds::Any))
            } else {
                String::new()
            };
            let b = block(
                draw,
                "route",
                &route,
                &format!("gate: {gate}\nrank: {}\nneed: {need}\n{carries}", r + 1),
            );
            t.blocks.push(b);
            if draw.percent(20) {
                let b = obligation(draw, t, &id, &format!("{route}.duty"), &format!("route: {route}\n"));
                t.blocks.push(b);
            }
        }
    }
    if draw.percent(35) {
        let b = obligation(draw, t, &id, &format!("{id}.duty"), "");
        t.blocks.push(b);
    }
    t.layers.push(id);
}

/// An obligation with a deadline of any kind.
pub fn obligation(draw: &mut Draw, t: &Text, layer: &str, id: &str, route: &str) -> String {
    let when = expression(draw, t, Kinds::Given);
    let due = if t.slots.contains(&"consent.day") && draw.percent(50) {
        draw.of(&["30 days after consent.day", "151 days after consent.day", "0 days after consent.day"])
            .to_string()
    } else {
        draw.of(&["before", "before", "standing", "standing", "on_request"]).to_string()
    };
    let done = if draw.percent(80) {
        format!("done: {}\n", expression(draw, t, Kinds::Measures))
    } else {
        String::new()
    };
    let breach = *draw.of(&["from_start", "from_breach", "side_duty"]);
    block(
        draw,
        "obligation",
        id,
        &format!("layer: {layer}\nwhen: {when}\n{done}due: {due}\nif_breached: {breach}\n{route}"),
    )
}

/// A measure that works on the facts in play.
pub fn measure(draw: &mut Draw, t: &Text, i: usize) -> String {
    let pool: Vec<&str> = [
        "safe.sealed is yes",
        "safe.contract has x",
        "safe.contract has y",
        "judge.own is passes",
        "judge.office is passes",
    ]
    .into_iter()
    .filter(|e| t.slots.iter().any(|s| e.starts_with(s)))
    .collect();
    let pool = if pool.is_empty() { vec!["safe.sealed is yes"] } else { pool };
    let mut does = draw.of(&pool).to_string();
    let more = *draw.of(&pool);
    if draw.percent(25)
        && more.split(' ').next() != does.split(' ').next()
        && !does.starts_with("judge")
        && !more.starts_with("judge")
    {
        does += &format!(" ; {more}");
    }
    let when =
        if draw.percent(25) { format!("if: {}\n", expression(draw, t, Kinds::Given)) } else { String::new() };
    let decides = *draw.of(&["exporter", "both", "authority"]);
    let layer = t.layers.get(i % t.layers.len().max(1)).map_or("l", String::as_str);
    let (money, days, loss) = (draw.below(4) * 100, draw.below(3) * 10, draw.below(3) * 5);
    format!(
        "```measure m.{i}\nlayer: {layer}\nlabel: M | M\ndoes: {does}\n{when}decides: {decides}\nmoney: {money}\ndays: {days}\nutility_loss: {loss}\nnote: N | N\n```\n"
    )
}

/// A day to judge for, and what was public by then.
pub fn as_of(draw: &mut Draw) -> AsOf {
    let day = |t: &str| t.parse::<CivilDate>().unwrap();
    let on =
        day(*draw.of(&["2020-06-01", "2022-05-31", "2022-06-01", "2022-06-30", "2023-06-01", "2024-06-01"]));
    let published_by = if draw.percent(70) {
        on
    } else {
        day(*draw.of(&["2021-01-01", "2022-08-31", "2022-09-01", "2025-01-01"]))
    };
    AsOf { on, published_by }
}

/// Facts for the slots in play: some unknown, some expired, some ranges, some too weakly supported.
pub fn facts(draw: &mut Draw, slots: &[&'static str]) -> Vec<(String, Said)> {
    let p_known = *draw.of(&[50, 80, 95, 100]);
    let mut out = Vec::new();
    for slot in slots {
        let p = if is_measure(slot) { 30 } else { p_known };
        if draw.percent(p) {
            let mut said = Said::claim(value(draw, slot));
            said.standing = if draw.percent(85) { Standing::Evidenced } else { Standing::Claimed };
            if draw.percent(10) {
                said.until = (*draw.of(&["2022-06-01", "2022-06-02", "2030-01-01"])).parse().ok();
            }
            out.push((slot.to_string(), said));
        }
    }
    out
}

/// A value for each of the slots, well supported and lasting.
pub fn all_facts(draw: &mut Draw, slots: &[&'static str]) -> Vec<(String, Said)> {
    let said = |draw: &mut Draw, slot: &str| match value(draw, slot) {
        Spoken::Word(w) if w == "unknown" => Spoken::YesNo(true),
        Spoken::Range { at_least, .. } => Spoken::Number(at_least),
        v => v,
    };
    slots
        .iter()
        .map(|s| (s.to_string(), Said { standing: Standing::Evidenced, ..Said::claim(said(draw, s)) }))
        .collect()
}

fn value(draw: &mut Draw, slot: &str) -> Spoken {
    let words = |draw: &mut Draw, a: &str, b: &str| {
        Spoken::Words([a, b].into_iter().filter(|_| draw.percent(50)).map(str::to_string).collect())
    };
    match slot {
        "exporter.place" | "recipient.place" => Spoken::Word(draw.of(&PLACES).to_string()),
        "data.kind" => Spoken::Word(draw.of(&["p", "q", "r"]).to_string()),
        "data.tags" => words(draw, "s", "t"),
        "safe.contract" => words(draw, "x", "y"),
        "volume.people" => match draw.below(5) {
            0 => Spoken::Range { at_least: 50, at_most: 100 },
            1 => Spoken::Range { at_least: 100, at_most: 999 },
            _ => Spoken::Number(*draw.of(&[0, 99, 100, 999, 1000, 5000])),
        },
        "consent.day" => Spoken::Word(
            draw.of(&[
                "2021-12-31",
                "2022-01-01",
                "2022-05-01",
                "2022-05-02",
                "2022-05-31",
                "2022-06-01",
                "2023-05-02",
            ])
            .to_string(),
        ),
        "judge.own" | "judge.office" => {
            Spoken::Word(draw.of(&["not_made", "passes", "passes_with_measures", "fails"]).to_string())
        }
        _ => {
            if draw.percent(10) {
                Spoken::Word("unknown".into())
            } else {
                Spoken::YesNo(draw.percent(50))
            }
        }
    }
}
