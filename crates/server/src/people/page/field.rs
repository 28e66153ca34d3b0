//! A question of the vocabulary as fields of a form.

use crate::people::{law, asked::{Asked, place_name}, tongue::Tongue};
use maud::{Markup, html};
use model::AsOf;
use rulebook::{
    book::Rulebook,
    vocabulary::{Domain, Fact, Word},
};

/// Choices shown at once; the others behind a fold.
const CHOICES_SHOWN: usize = 12;

/// The question about a slot, in words.
pub fn question(t: Tongue, fact: &Fact, slot: &str) -> String {
    match slot {
        "exporter.place" => t.word("interview-from"),
        "recipient.place" => t.word("interview-to"),
        _ => {
            let who = if slot.starts_with("recipient.") { "who-recipient" } else { "who-exporter" };
            t.text(&fact.ask).replace("{party}", &t.word(who))
        }
    }
}

/// The fields for a slot, filled in with what was said.
pub fn field(t: Tongue, book: &Rulebook, slot: &str, asked: &Asked, hint: Option<String>) -> Markup {
    let Some(fact) = book.vocabulary.of_slot(slot) else { return html! {} };
    let said = asked.values(slot);
    let legend = question(t, fact, slot);
    let id = format!("f-{}", slot.replace('.', "-"));
    let hint = html! { @if let Some(h) = &hint { span.hint { (h) } } };
    match &fact.domain {
        Domain::Place => html! {
            div.field {
                label for=(id) { (legend) (hint) }
                (place_select(t, book, &id, slot, said.first().map(String::as_str), slot == "exporter.place" || slot == "recipient.place", asked.as_of))
            }
        },
        Domain::YesNo => group(legend, hint, radios(t, slot, &yes_no(t), &said)),
        Domain::OneOf(words) => group(legend, hint, radios(t, slot, &labels(t, words), &said)),
        Domain::SetOf(words) => group(legend, hint, boxes(t, slot, &labels(t, words), &said, true)),
        Domain::Places => places(t, book, &id, slot, legend, hint, asked),
        Domain::Count => html! {
            div.field {
                label for=(id) { (legend) span.hint { (t.word("page-count-hint")) } (hint) }
                input #(id) name=(slot) inputmode="numeric" autocomplete="off" value=[said.first()];
            }
        },
        Domain::Date => html! {
            div.field { label for=(id) { (legend) (hint) } input #(id) type="date" name=(slot) value=[said.first()]; }
        },
    }
}

fn group(legend: String, hint: Markup, inside: Markup) -> Markup {
    html! { fieldset { legend { (legend) (hint) } (inside) } }
}

fn yes_no(t: Tongue) -> Vec<(String, String)> {
    vec![("yes".into(), t.word("page-yes")), ("no".into(), t.word("page-no"))]
}

fn labels(t: Tongue, words: &[Word]) -> Vec<(String, String)> {
    words.iter().map(|w| (w.id.clone(), t.text(&w.label).to_string())).collect()
}

fn radios(t: Tongue, slot: &str, choices: &[(String, String)], said: &[String]) -> Markup {
    html! {
        div.choices {
            @for (value, label) in choices {
                label { input type="radio" name=(slot) value=(value) checked[said.contains(value)]; span { (label) } }
            }
            label { input type="radio" name=(slot) value="" checked[said.is_empty()]; span { (t.word("page-unknown")) } }
        }
    }
}

fn boxes(t: Tongue, slot: &str, choices: &[(String, String)], said: &[String], none: bool) -> Markup {
    let one = |(value, label): &(String, String)| html! {
        label { input type="checkbox" name=(slot) value=(value) checked[said.contains(value)]; span { (label) } }
    };
    let fold = choices.len() > CHOICES_SHOWN + 3;
    let shown = if fold { CHOICES_SHOWN } else { choices.len() };
    let (first, rest) = choices.split_at(shown);
    let any_hidden_chosen = rest.iter().any(|(v, _)| said.contains(v));
    html! {
        div.choices {
            @for c in first { (one(c)) }
            @if none && !fold { (one(&("none".into(), t.word("page-none-of-these")))) }
        }
        @if fold {
            details open[any_hidden_chosen] {
                summary { (t.count("page-more-choices", rest.len())) }
                div.choices { @for c in rest { (one(c)) } @if none { (one(&("none".into(), t.word("page-none-of-these")))) } }
            }
        }
    }
}

/// Both ends of the hop to tick, and any other place to write.
fn places(t: Tongue, book: &Rulebook, id: &str, slot: &str, legend: String, hint: Markup, asked: &Asked) -> Markup {
    let mut near: Vec<String> = ["exporter.place", "recipient.place"].iter().filter_map(|s| asked.value(s)).collect();
    near.dedup();
    let said = asked.values(slot);
    let choices: Vec<(String, String)> = near.iter().map(|c| (c.clone(), place_name(book, t, c))).collect();
    let others: Vec<&String> = said.iter().filter(|s| !near.contains(s) && *s != "none").collect();
    let others = others.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
    html! {
        fieldset {
            legend { (legend) (hint) }
            (boxes(t, slot, &choices, &said, true))
            label for=(id) { span.hint { (t.word("page-other-places")) } }
            input #(id) name=(slot) autocomplete="off" value=(others);
        }
    }
}

/// A choice of one place by name.
pub fn place_select(t: Tongue, book: &Rulebook, id: &str, name: &str, chosen: Option<&str>, required: bool, as_of: AsOf) -> Markup {
    let mut places: Vec<(&String, &str)> = book.vocabulary.places.iter().map(|(c, n)| (c, t.text(n))).collect();
    places.sort_by(|a, b| a.1.cmp(b.1));
    // Places whose own law is held come first, since most questions are about them.
    let ours = |code: &str| book.layers.values().any(|l| l.tier != 'C' && law::is_covered(book, l, code, as_of));
    let (near, far): (Vec<_>, Vec<_>) = places.into_iter().partition(|(c, _)| ours(c));
    let option = |(code, label): &(&String, &str)| html! {
        option value=(code) selected[chosen == Some(code.as_str())] { (label) " (" (code) ")" }
    };
    html! {
        select #(id) name=(name) required[required] {
            option value="" selected[chosen.is_none()] { (t.word("page-choose")) }
            optgroup label=(t.word("page-places-covered")) { @for p in &near { (option(p)) } }
            optgroup label=(t.word("page-places-others")) { @for p in &far { (option(p)) } }
        }
    }
}
