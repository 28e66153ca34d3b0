//! What the real vocabulary supposes beside what was told: nothing that the told facts make unusual.

#[path = "reference/rules.rs"]
mod rules;

use model::transfer::Transfer;
use rulebook::book::{Rulebook, parse_said};

/// What is supposed of a fact beside these; nothing where nothing is.
fn supposed(book: &Rulebook, told: &[(&str, &str)], slot: &str) -> Option<String> {
    let said = told.iter().map(|(s, v)| (s.to_string(), parse_said(v)));
    let (bound, added) = book.suppose(&book.bind(&Transfer::single(said)).unwrap());
    added[0].iter().any(|s| s == slot).then(|| bound.crossings[0].facts[slot].known.to_string())
}

/// What was told, a fact of which another thing is usual then (or nothing), and what is usual of it otherwise.
type Pair = (&'static [(&'static str, &'static str)], &'static str, Option<&'static str>, &'static str);

const PAIRS: [Pair; 26] = [
    (&[("exporter.person", "public_body")], "data.official_class", None, "none"),
    (&[("exporter.person", "public_body")], "exporter.capacity", None, "{controller}"),
    (&[("exporter.person", "public_body")], "data.social_benefits", None, "no"),
    (&[("exporter.capacity", "public_powers")], "data.official_class", None, "none"),
    (&[("exporter.capacity", "public_powers")], "exporter.person", Some("public_body"), "company"),
    (&[("exporter.sector", "public")], "exporter.person", None, "company"),
    (&[("data.categories", "technical_controlled")], "data.official_class", None, "none"),
    (&[("data.categories", "government_record")], "exporter.person", None, "company"),
    (&[("data.categories", "telemetry")], "data.about_people", None, "yes"),
    (&[("recipient.capacity", "processor")], "hop.processor_of_exporter", Some("yes"), "no"),
    (&[("recipient.capacity", "{controller,processor}")], "hop.processor_of_exporter", None, "no"),
    (&[("recipient.capacity", "processor"), ("exporter.capacity", "processor")], "hop.processor_of_exporter", None, "no"),
    (&[("recipient.capacity", "cloud_provider")], "hop.processor_of_exporter", None, "no"),
    (&[("hop.purpose", "hosting")], "hop.processor_of_exporter", None, "no"),
    (&[("hop.purpose", "hosting")], "hop.mode", None, "{send_copy}"),
    (&[("hop.processor_of_exporter", "yes")], "recipient.capacity", Some("{processor}"), "{controller}"),
    (&[("hop.purpose", "payroll")], "data.categories", None, "{contact}"),
    (&[("subjects.employees", "yes")], "data.categories", None, "{contact}"),
    (&[("exporter.sector", "health")], "data.categories", None, "{contact}"),
    (&[("exporter.capacity", "bank")], "exporter.sector", Some("{finance}"), "{other}"),
    (&[("exporter.sector", "finance")], "exporter.capacity", None, "{controller}"),
    (&[("exporter.capacity", "processor")], "data.received_from", None, "{own}"),
    (&[("exporter.capacity", "data_broker")], "hop.purpose", None, "{other}"),
    (&[("hop.mode", "disclose_to_authority")], "hop.foreign_authority_asks", None, "no"),
    (&[("hop.separate_person", "no")], "recipient.organised_under", None, "US"),
    (&[("exporter.place", "DE"), ("data.categories", "{health,tax}"), ("data.social_benefits", "yes")], "data.us_return_information", None, "no"),
];

#[test]
fn what_was_told_makes_another_thing_usual_or_nothing() {
    let book = rules::parse(rules::sources());
    let ends = [("exporter.place", "JP"), ("recipient.place", "US")];
    for (told, slot, then, otherwise) in PAIRS {
        assert_eq!(supposed(&book, &ends, slot).as_deref(), Some(otherwise), "{slot} where only the places were told");
        let own = |s: &str| told.iter().any(|(t, _)| *t == s);
        let all: Vec<_> = ends.into_iter().filter(|(s, _)| !own(s)).chain(told.iter().copied()).collect();
        assert_eq!(supposed(&book, &all, slot).as_deref(), then, "{slot} beside {told:?}");
    }
}

#[test]
fn people_of_another_country_are_not_supposed_to_have_been_here() {
    let book = rules::parse(rules::sources());
    let there = [("exporter.place", "JP"), ("subjects.located_in", "{FR}")];
    for slot in ["exporter.targets", "data.collected_in", "data.received_from"] {
        assert_eq!(supposed(&book, &there, slot), None, "{slot}");
        // Told to be as usual, they are no surprise.
        assert!(supposed(&book, &[("exporter.place", "JP"), ("subjects.located_in", "{JP}")], slot).is_some(), "{slot}");
    }
    assert_eq!(supposed(&book, &there, "recipient.targets"), None, "its place was not told");
}
