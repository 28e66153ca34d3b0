//! Changes of the law as feeds: Atom (RFC 4287) and JSON Feed 1.1, one entry for each day on which the law turns, with
//! what begins, ends or falls, and with its effect where it was worked out.

use decide::{
    change::{self, Region, Stands},
    engine::Engine,
    table::TooManyCells,
};
use model::{AsOf, CivilDate, text::Language};
use rulebook::{
    book::Rulebook,
    census,
    lookup::{self, Rule, Turn},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use words::{Arg, say};

/// LIMIT: days of one feed, rules and regions named in one entry.
pub const DAYS_MAX: usize = 40;
const RULES_MAX: usize = 40;
const REGIONS_MAX: usize = 12;

/// One day on which the law turns.
#[derive(Clone, Debug)]
pub struct Change {
    /// The day.
    pub on: CivilDate,
    /// The day on which it could be known: the latest of the texts that came out for it, and no later than the day.
    pub known: CivilDate,
    /// What begins, ends, is published or falls, by kind; each line has article, sentence and id.
    pub lines: Vec<String>,
    /// What it does: each region in which a layer lets through what it refused, or the other way.
    pub effect: Vec<String>,
    /// How many regions turn, those not named too.
    pub turned: usize,
}

/// The days on which the law turns, latest first: those of the year that ends with this day, and the next that come.
pub fn changes(engine: &mut Engine, today: CivilDate, language: Language) -> Result<Vec<Change>, TooManyCells> {
    let book = engine.book.clone();
    let since = today.plus_days(-365);
    let (mut coming, past): (Vec<Turn<'_>>, Vec<Turn<'_>>) = lookup::turns(&book, |_| true).into_iter().filter(|t| t.on > since).partition(|t| t.on > today);
    let far = coming.len().saturating_sub(DAYS_MAX / 2);
    let turns = coming.drain(far..).chain(past.into_iter().take(DAYS_MAX / 2)).collect::<Vec<_>>();
    // Both keep what they have compiled from day to day: few laws read otherwise on the next one.
    let (mut before, mut after) = (engine.revised(book.clone()), engine.revised(book.clone()));
    turns.iter().map(|turn| change((&mut before, &mut after), &book, turn, language)).collect()
}

fn change((a, b): (&mut Engine, &mut Engine), book: &Rulebook, turn: &Turn<'_>, language: Language) -> Result<Change, TooManyCells> {
    let kinds = [("feed-begins", &turn.begin), ("feed-ends", &turn.end), ("feed-annulled", &turn.annulled), ("feed-published", &turn.published)];
    let all = kinds.iter().flat_map(|(word, rules)| rules.iter().map(move |r| line(book, r, word, language)));
    let lines: Vec<String> = all.take(RULES_MAX).collect();
    // What says no day of publication was known when it was read at the latest; the same on every day, so that a reader of
    // feeds sees a change once.
    let public = |r: &Rule<'_>| r.head.published.unwrap_or(r.head.read).min(turn.on);
    let known = turn.begin.iter().chain(&turn.end).chain(&turn.annulled).chain(&turn.published).map(public).max().unwrap_or(turn.on);
    let (before, after) = (AsOf::then(turn.on.plus_days(-1)), AsOf::then(turn.on));
    // From one day to the next deadlines pass in other laws too: that is no change of law.
    let touched = touched(book, turn);
    let regions: Vec<Region> = change::effect(a, before, b, after)?.into_iter().filter(|r| r.turns() && touched.contains(r.layer.as_str())).collect();
    let effect = regions.iter().take(REGIONS_MAX).map(|r| region(book, r, language)).collect();
    Ok(Change { on: turn.on, known, lines, effect, turned: regions.len() })
}

/// The layers of the rules that turn, and those that ask a list of which an entry turns.
fn touched<'a>(book: &'a Rulebook, turn: &Turn<'a>) -> BTreeSet<&'a str> {
    let rules = || turn.begin.iter().chain(&turn.end).chain(&turn.annulled).chain(&turn.published);
    let lists: BTreeSet<&str> = rules().filter_map(|r| r.head.id.split_once('#')).map(|(list, _)| list).collect();
    let asking = book.layers.values().filter(|l| !lists.is_empty() && census::lists_of(book, l).iter().any(|x| lists.contains(x)));
    rules().filter_map(|r| r.layer).chain(asking.map(|l| l.id.as_str())).collect()
}

fn line(book: &Rulebook, r: &Rule<'_>, word: &str, language: Language) -> String {
    format!("{} {} — {} [{}]", say(language, word, &[]), words::cite(language, &r.head.cites), lookup::says(book, r).in_(language), r.head.id)
}

fn region(book: &Rulebook, r: &Region, language: Language) -> String {
    let word = |s: Stands| {
        say(language, match s {
            Stands::Outside => "effect-outside",
            Stands::Open => "effect-open",
            Stands::Refused => "effect-refused",
        }, &[])
    };
    let law = book.layers.get(&r.layer).map_or(r.layer.as_str(), |l| l.label.in_(language));
    let facts: Vec<String> = r.witness.iter().map(|(s, v)| format!("{s}={}", crate::question::plain(v))).collect();
    let verdicts = r.verdicts.map(|(a, b)| {
        let says = |v: decide::decision::Verdict| say(language, &format!("verdict-{}", v.word()), &[]);
        format!(" ({} → {})", says(a), says(b))
    });
    format!("{law}: {} → {}{}: {}", word(r.before.stands), word(r.after.stands), verdicts.unwrap_or_default(), facts.join(" "))
}

impl Change {
    fn title(&self, language: Language) -> String {
        let (on, n) = (self.on.to_string(), i64::try_from(self.turned).unwrap_or(i64::MAX));
        say(language, "feed-entry", &[("day", Arg::Text(&on)), ("n", Arg::Number(n))])
    }

    fn content(&self, language: Language) -> String {
        let mut out = self.lines.clone();
        out.push(say(language, if self.turned == 0 { "feed-no-effect" } else { "feed-effect" }, &[]));
        out.extend(self.effect.iter().cloned());
        let more = self.turned.saturating_sub(self.effect.len());
        if more > 0 {
            out.push(say(language, "feed-more", &[("n", Arg::Number(i64::try_from(more).unwrap_or(i64::MAX)))]));
        }
        out.join("\n")
    }

    fn moment(&self) -> String {
        format!("{}T00:00:00Z", self.known)
    }

    /// A name that no other change has and that stays when the rulebook is revised.
    fn id(&self) -> String {
        format!("tag:tegata,2026:change/{}", self.on)
    }
}

/// Where a feed stands: `https://host`, or nothing for a file that no server gives.
pub struct Place<'a> {
    /// Scheme and host.
    pub base: &'a str,
    /// The language of the feed.
    pub language: Language,
}

impl Place<'_> {
    fn code(&self) -> &'static str {
        match self.language {
            Language::En => "en",
            Language::Ja => "ja",
        }
    }

    fn effect(&self, on: CivilDate) -> String {
        format!("{}/{}/effect/{on}", self.base, self.code())
    }
}

/// RFC 4287: the changes as an Atom feed.
pub fn atom(book: &Rulebook, changes: &[Change], place: &Place<'_>) -> String {
    let title = say(place.language, "feed-title", &[]);
    let updated = changes.iter().map(Change::moment).max().unwrap_or_else(|| "1970-01-01T00:00:00Z".into());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n<id>tag:tegata,2026:changes/{0}</id>\n<title>{}</title>\n<updated>{updated}</updated>\n<author><name>Tegata</name></author>\n<generator>Tegata, rulebook {}</generator>\n",
        place.code(), xml(&title), book.digest()
    );
    if !place.base.is_empty() {
        out += &format!("<link rel=\"self\" type=\"application/atom+xml\" href=\"{}/feed.atom?lang={}\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{0}/{1}/changes\"/>\n", xml(place.base), place.code());
    }
    for c in changes {
        let link = if place.base.is_empty() { String::new() } else { format!("<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n", xml(&place.effect(c.on))) };
        out += &format!(
            "<entry>\n<id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n{link}<content type=\"text\">{}</content>\n</entry>\n",
            c.id(), xml(&c.title(place.language)), c.moment(), xml(&c.content(place.language))
        );
    }
    out + "</feed>\n"
}

/// JSON Feed 1.1: the same changes.
pub fn json_feed(book: &Rulebook, changes: &[Change], place: &Place<'_>) -> Value {
    let items: Vec<Value> = changes
        .iter()
        .map(|c| {
            let mut item = json!({
                "id": c.id(), "title": c.title(place.language), "content_text": c.content(place.language), "date_published": c.moment(),
                "_tegata": { "in_force": c.on, "regions": c.turned, "rulebook": book.digest() },
            });
            if let (Some(map), false) = (item.as_object_mut(), place.base.is_empty()) {
                map.insert("url".into(), place.effect(c.on).into());
            }
            item
        })
        .collect();
    let mut feed = json!({ "version": "https://jsonfeed.org/version/1.1", "title": say(place.language, "feed-title", &[]), "language": place.code(), "items": items });
    if let (Some(map), false) = (feed.as_object_mut(), place.base.is_empty()) {
        map.insert("home_page_url".into(), format!("{}/{}/changes", place.base, place.code()).into());
        map.insert("feed_url".into(), format!("{}/feed.json?lang={}", place.base, place.code()).into());
    }
    feed
}

/// Text that XML 1.0 can hold, escaped.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c >= ' ' || matches!(c, '\n' | '\t')) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Change {
        Change { on: "2026-12-01".parse().unwrap(), known: "2026-11-01".parse().unwrap(), lines: vec![text.into()], effect: vec!["x".into()], turned: 3 }
    }

    #[test]
    fn a_feed_holds_every_change_once_and_nothing_breaks_out() {
        let place = Place { base: "https://rules.example", language: Language::En };
        let feed = atom(&Rulebook::default(), &[one("a </content> & \u{1} \"b\"")], &place);
        assert!(feed.contains("a &lt;/content&gt; &amp;  &quot;b&quot;"), "{feed}");
        assert_eq!(feed.matches("<entry>").count(), 1);
        assert!(feed.contains("<updated>2026-11-01T00:00:00Z</updated>") && feed.contains("/en/effect/2026-12-01"));
        let json = json_feed(&Rulebook::default(), &[one("a")], &place);
        assert_eq!(json["items"][0]["id"], "tag:tegata,2026:change/2026-12-01");
        assert!(json["items"][0]["content_text"].as_str().unwrap().contains("2 more"), "{json}");
    }

    #[test]
    fn a_file_that_no_server_gives_has_no_address() {
        let place = Place { base: "", language: Language::Ja };
        assert!(!atom(&Rulebook::default(), &[one("a")], &place).contains("href"));
        assert!(json_feed(&Rulebook::default(), &[one("a")], &place).get("feed_url").is_none());
    }
}
