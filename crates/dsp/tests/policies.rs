//! Policies: one meaning for every spelling, three answers, nothing opened by what is not known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dsp::policy::evaluate::{Context, Truth, Verdict, Why, evaluate};
use dsp::policy::operands::Operands;
use dsp::policy::value::Domain;
use dsp::policy::{Connective, Constraint, Operator, Place, Policy, Rule, words};
use dsp::profile::{self, Clause, Residual, Test};
use dsp::schema;
use model::Instant;
use serde_json::{Value, json};

fn now() -> Context {
    Context::at("2026-11-22T03:45:00.000Z".parse::<Instant>().unwrap())
}

fn policy(constraint: Vec<Constraint>) -> Policy {
    Policy::offer("urn:o:1", vec![Rule::new("use", constraint)])
}

fn read(value: Value) -> Policy {
    Policy::read(&value).unwrap_or_else(|f| panic!("{f:?}"))
}

fn code(value: Value) -> &'static str {
    Policy::read(&value).unwrap_err()[0].code()
}

#[test]
fn every_spelling_is_one_policy() {
    let compact = json!({"@id": "urn:o:1", "@type": "Offer", "permission": [{"action": "use", "constraint": [
        {"leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": ["dpv:Research", "dpv:Audit"]},
        {"or": [{"leftOperand": "cx-policy:Membership", "operator": "eq", "rightOperand": "active"},
                {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2027-12-31"}]}]}]});
    let prefixed = json!({"@id": "urn:o:1", "@type": "odrl:Offer", "odrl:permission": {"odrl:action": {"@id": "odrl:use"}, "odrl:constraint": [
        {"odrl:leftOperand": {"@id": "odrl:purpose"}, "odrl:operator": {"@id": "odrl:isAnyOf"},
         "odrl:rightOperand": [{"@id": "https://w3id.org/dpv#Research"}, {"@id": "dpv:Audit"}]},
        {"odrl:or": {"@list": [
            {"odrl:leftOperand": {"@id": "https://w3id.org/catenax/2025/9/policy/Membership"}, "odrl:operator": {"@id": "odrl:eq"}, "odrl:rightOperand": "active"},
            {"odrl:leftOperand": {"@id": "odrl:dateTime"}, "odrl:operator": {"@id": "odrl:lteq"}, "odrl:rightOperand": {"@value": "2027-12-31", "@type": "xsd:date"}}]}}]}});
    let o = |word: &str| format!("http://www.w3.org/ns/odrl/2/{word}");
    let expanded = json!([{"@id": "urn:o:1", "@type": [o("Offer")], o("permission"): [{o("action"): [{"@id": o("use")}], o("constraint"): [
        {o("leftOperand"): [{"@id": o("purpose")}], o("operator"): [{"@id": o("isAnyOf")}],
         o("rightOperand"): [{"@id": "https://w3id.org/dpv#Research"}, {"@id": "https://w3id.org/dpv#Audit"}]},
        {o("or"): [{"@list": [
            {o("leftOperand"): [{"@id": "https://w3id.org/catenax/2025/9/policy/Membership"}], o("operator"): [{"@id": o("eq")}], o("rightOperand"): [{"@value": "active"}]},
            {o("leftOperand"): [{"@id": o("dateTime")}], o("operator"): [{"@id": o("lteq")}], o("rightOperand"): [{"@value": "2027-12-31"}]}]}]}]}]}]);
    let one = read(compact);
    assert_eq!(read(prefixed), one);
    assert_eq!(read(expanded), one);
    assert_eq!(read(one.to_terms(Place::Catalog).to_value()), one);
    assert!(schema::check_catalog_offer(&one.to_terms(Place::Catalog).to_value()).is_empty());
}

#[test]
fn what_we_do_not_understand_is_refused_not_dropped() {
    let rule = |more: Value| {
        let mut rule = json!({"action": "use", "constraint": []});
        for (key, value) in more.as_object().unwrap() {
            rule[key] = value.clone();
        }
        json!({"@id": "urn:o:1", "permission": [rule]})
    };
    let atom = |atom: Value| rule(json!({ "constraint": [atom] }));
    assert!(Policy::read(&rule(json!({"$comment": "x", "dct:title": "y"}))).is_ok());
    assert_eq!(code(rule(json!({"refinement": []}))), "odrl/unknown-word");
    assert_eq!(code(rule(json!({"target": "urn:d:2"}))), "odrl/unknown-word");
    assert_eq!(code(rule(json!({"odrl:action": "read"}))), "odrl/twice");
    assert_eq!(
        code(json!({"@id": "x", "inheritFrom": "urn:o:2", "permission": [{"action": "use"}]})),
        "odrl/unknown-word"
    );
    assert_eq!(code(rule(json!({"action": {"rdf:value": "use", "refinement": []}}))), "odrl/action");
    assert_eq!(
        code(atom(json!({"leftOperand": "count", "operator": "near", "rightOperand": "3"}))),
        "odrl/operator"
    );
    assert_eq!(
        code(atom(json!({"leftOperand": "count", "operator": "lt", "rightOperand": ["3", "4"]}))),
        "odrl/right-operand"
    );
    assert_eq!(
        code(atom(json!({"leftOperand": "count", "operator": "isAnyOf", "rightOperand": []}))),
        "odrl/right-operand"
    );
    assert_eq!(
        code(atom(json!({"leftOperand": "count", "operator": "lt", "rightOperand": "3", "unit": "kg"}))),
        "odrl/unknown-word"
    );
    assert_eq!(code(atom(json!({"and": [], "or": []}))), "odrl/constraint");
    assert_eq!(code(atom(json!({"and": []}))), "odrl/empty");
    let mut deep = json!({"leftOperand": "count", "operator": "lt", "rightOperand": "3"});
    for _ in 0..dsp::policy::DEPTH_MAX {
        deep = json!({ "and": [deep] });
    }
    assert_eq!(code(atom(deep)), "odrl/depth");
    let many: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    assert_eq!(
        code(atom(json!({"leftOperand": "count", "operator": "isAnyOf", "rightOperand": many}))),
        "odrl/size"
    );
}

#[test]
fn an_unknown_word_is_refused_when_written_and_helps_nobody_when_evaluated() {
    let known = Operands::standard();
    let codes = |p: &Policy| p.check(&known).iter().map(|f| f.code()).collect::<Vec<_>>();
    let odd = policy(vec![Constraint::atom("horoscope", Operator::Eq, ["leo"])]);
    assert_eq!(codes(&odd), ["odrl/unknown-operand"]);
    let outcome = evaluate(&odd, "use", &known, &now().with("horoscope", ["leo"]));
    assert_eq!(outcome.verdict, Verdict::CannotTell);
    assert_eq!(outcome.trace[0].why, Why::UnknownOperand);
    let extended = Operands::standard().with("horoscope", Domain::Text);
    assert!(odd.check(&extended).is_empty());
    assert!(evaluate(&odd, "use", &extended, &now().with("horoscope", ["leo"])).opens());

    assert_eq!(codes(&Policy::offer("x", vec![Rule::new("juggle", vec![])])), ["odrl/unknown-action"]);
    assert_eq!(codes(&policy(vec![Constraint::atom("purpose", Operator::Lt, ["x"])])), ["odrl/operator"]);
    assert_eq!(
        codes(&policy(vec![Constraint::atom("dateTime", Operator::Lt, ["soon"])])),
        ["odrl/right-operand"]
    );
    assert_eq!(
        codes(&policy(vec![Constraint::atom("tegata:fact/", Operator::Eq, ["x"])])),
        ["odrl/unknown-operand"]
    );
    assert_eq!(
        codes(&policy(vec![Constraint::atom("tegata:fact/k", Operator::Lt, ["x"])])),
        ["odrl/right-operand"]
    );
    assert_eq!(codes(&Policy::offer("x", vec![])), ["odrl/no-rule"]);
    // A prohibition with an unknown action may mean ours.
    let mut juggling = policy(vec![]);
    juggling.prohibition = vec![Rule::new("juggle", vec![])];
    assert_eq!(evaluate(&juggling, "use", &known, &now()).verdict, Verdict::CannotTell);
}

#[test]
fn operators() {
    let known = Operands::standard().with("n", Domain::Number).with("s", Domain::Text);
    let truth = |left: &str, operator, right: &[&str], context: &Context| {
        let p = policy(vec![Constraint::atom(left, operator, right.iter().copied())]);
        evaluate(&p, "use", &known, context).trace[0].truth
    };
    use Operator::*;
    use Truth::{No, Open, Yes};
    let c = now().with("s", ["a", "b"]).with("n", ["10"]).with_between("tegata:fact/count", "90", "110");
    let table = [
        ("n", Eq, vec!["10.0"], Yes),
        ("n", Neq, vec!["10.0"], No),
        ("n", Lt, vec!["10"], No),
        ("n", Lt, vec!["9"], No),
        ("n", Lteq, vec!["10"], Yes),
        ("n", TermLteq, vec!["10"], Yes),
        ("n", Gt, vec!["9"], Yes),
        ("n", Gteq, vec!["11"], No),
        ("n", Gteq, vec!["many"], Open),
        ("n", IsAnyOf, vec!["9", "10"], Yes),
        ("n", IsNoneOf, vec!["9", "10"], No),
        ("s", IsAllOf, vec!["a", "b"], Yes),
        ("s", IsAllOf, vec!["a", "c"], No),
        ("s", IsAnyOf, vec!["b", "c"], Yes),
        ("s", IsNoneOf, vec!["c"], Yes),
        ("s", Eq, vec!["a"], No),
        ("s", Neq, vec!["a"], Yes),
        ("spatial", Eq, vec!["JP"], Open),
        ("spatial", Neq, vec!["JP"], Open),
        ("spatial", IsNoneOf, vec!["JP"], Open),
        ("dateTime", Lteq, vec!["2026-11-22"], Yes),
        ("dateTime", Lt, vec!["2026-11-22"], No),
        ("dateTime", Gt, vec!["2026-11-21T23:59:59Z"], Yes),
        ("dateTime", Lteq, vec!["2026-11-22T12:44:59+09:00"], No),
        ("tegata:fact/count", Lt, vec!["100"], Open),
        ("tegata:fact/count", Lteq, vec!["110"], Yes),
        ("tegata:fact/count", Gt, vec!["110"], No),
        ("tegata:fact/count", IsAnyOf, vec!["1", "2"], No),
        ("tegata:fact/count", IsPartOf, vec!["1"], Open),
    ];
    for (left, operator, right, expect) in table {
        assert_eq!(truth(left, operator, &right, &c), expect, "{left} {operator:?} {right:?}");
    }
    let places = now()
        .with("spatial", ["DE-BY"])
        .with_broader("DE-BY", ["DE"])
        .with_broader("DE", ["EU", "EEA"])
        .with_broader("EU", Vec::<String>::new())
        .with_broader("EEA", Vec::<String>::new())
        .with_broader("JP", Vec::<String>::new());
    assert_eq!(truth("spatial", IsPartOf, &["EU"], &places), Yes);
    assert_eq!(truth("spatial", IsPartOf, &["JP", "EEA"], &places), Yes);
    assert_eq!(truth("spatial", IsPartOf, &["JP"], &places), No);
    assert_eq!(truth("spatial", IsA, &["EU"], &places), Yes);
    assert_eq!(truth("spatial", HasPart, &["DE"], &places), No);
    assert_eq!(truth("spatial", HasPart, &["JP"], &now().with("spatial", ["ASIA"])), Open);
    // Nothing is known of what contains FR, so that neither answer would be safe.
    assert_eq!(truth("spatial", IsPartOf, &["EU"], &places.clone().with("spatial", ["FR"])), Open);
    let nowhere = now().with("spatial", Vec::<String>::new());
    assert_eq!(truth("spatial", IsNoneOf, &["JP"], &nowhere), Yes);
    assert_eq!(truth("spatial", IsPartOf, &["JP"], &nowhere), No);
    // The time comes from the question, in either spelling of the operand.
    assert_eq!(truth("dateTime", Gteq, &["2030-01-01"], &now().with("odrl:dateTime", ["2030-06-01"])), Yes);
}

#[test]
fn prohibitions_win_and_duties_are_owed() {
    let known = Operands::standard();
    let mut p = policy(vec![]);
    p.prohibition = vec![Rule::new("distribute", vec![])];
    p.obligation = vec![
        Rule::new("delete", vec![Constraint::atom("elapsedTime", Operator::Gteq, ["P30D"])]),
        Rule::new("inform", vec![Constraint::atom("spatial", Operator::Eq, ["JP"])]),
    ];
    let c = now().with("spatial", ["DE"]);
    let outcome = evaluate(&p, "use", &known, &c);
    assert_eq!(outcome.verdict, Verdict::Permits);
    assert_eq!(outcome.owed.len(), 1);
    assert_eq!(
        (outcome.owed[0].at.as_str(), outcome.owed[0].truth, outcome.owed[0].done),
        ("/obligation/0", Truth::Open, false)
    );
    assert!(evaluate(&p, "use", &known, &c.clone().with_done("/obligation/0")).owed[0].done);
    assert_eq!(evaluate(&p, "distribute", &known, &c).verdict, Verdict::Refuses);
    assert_eq!(evaluate(&p, "odrl:read", &known, &c).verdict, Verdict::Permits);
    assert_eq!(evaluate(&p, "transfer", &known, &c).verdict, Verdict::Refuses);

    let mut first = policy(vec![]);
    first.permission[0].duty = vec![Rule::new("obtainConsent", vec![])];
    let outcome = evaluate(&first, "use", &known, &now());
    assert_eq!(outcome.verdict, Verdict::CannotTell);
    assert!(outcome.owed[0].first);
    assert!(evaluate(&first, "use", &known, &now().with_done("/permission/0/duty/0")).opens());
    assert_eq!(read(first.to_terms(Place::Message).to_value()), first);
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

const WORDS: [&str; 3] = ["purpose", "spatial", "recipient"];
const VALUES: [&str; 3] = ["a", "b", "c"];

fn random_constraint(dice: &mut Dice, depth: usize) -> Constraint {
    if depth > 0 && dice.roll(2) == 0 {
        let parts = (0..1 + dice.roll(3)).map(|_| random_constraint(dice, depth - 1)).collect();
        return Constraint::Logic(Connective::ALL[dice.roll(4)], parts);
    }
    let operator =
        [Operator::Eq, Operator::Neq, Operator::IsAnyOf, Operator::IsNoneOf, Operator::IsAllOf][dice.roll(5)];
    let n = if operator.takes_many() { 1 + dice.roll(2) } else { 1 };
    let right: Vec<&str> = (0..n).map(|_| VALUES[dice.roll(3)]).collect();
    Constraint::atom(WORDS[dice.roll(3)], operator, right)
}

fn random_policy(dice: &mut Dice) -> Policy {
    let mut rules = |most: usize| -> Vec<Rule> {
        (0..dice.roll(most + 1))
            .map(|_| {
                let action = ["use", "read", "distribute"][dice.roll(3)];
                Rule::new(action, (0..dice.roll(3)).map(|_| random_constraint(dice, 2)).collect())
            })
            .collect()
    };
    let mut p = Policy::offer("urn:o:1", rules(3));
    p.prohibition = rules(2);
    p
}

/// The naive reader: two-valued, straight from the model's text, over full knowledge.
fn naive(policy: &Policy, action: &str, facts: &[Option<&str>; 3]) -> bool {
    fn holds(c: &Constraint, facts: &[Option<&str>; 3]) -> bool {
        match c {
            Constraint::Logic(Connective::Or, parts) => parts.iter().any(|p| holds(p, facts)),
            Constraint::Logic(Connective::Xone, parts) => {
                parts.iter().filter(|p| holds(p, facts)).count() == 1
            }
            Constraint::Logic(_, parts) => parts.iter().all(|p| holds(p, facts)),
            Constraint::Atom(atom) => {
                let held = facts[WORDS.iter().position(|w| *w == atom.left).unwrap()].unwrap();
                let found = atom.right.iter().any(|r| r == held);
                match atom.operator {
                    Operator::Neq | Operator::IsNoneOf => !found,
                    Operator::IsAllOf => atom.right.iter().all(|r| r == held),
                    _ => found,
                }
            }
        }
    }
    let meant =
        |r: &&Rule| r.action == action || r.action == "use" && ["read", "distribute"].contains(&action);
    let any =
        |rules: &[Rule]| rules.iter().filter(meant).any(|r| r.constraint.iter().all(|c| holds(c, facts)));
    any(&policy.permission) && !any(&policy.prohibition)
}

#[test]
fn with_all_facts_the_verdict_is_the_naive_one_and_with_fewer_it_is_never_wrong() {
    let known = Operands::standard();
    let mut dice = Dice(0x5eed);
    let mut told = [0; 3];
    for _ in 0..4000 {
        let p = random_policy(&mut dice);
        let again = read(p.to_terms(Place::Message).to_value());
        let action = ["use", "read", "distribute"][dice.roll(3)];
        let mask = dice.roll(8);
        let pick: Vec<usize> = (0..3).map(|_| dice.roll(3)).collect();
        let mut context = now();
        for n in (0..3).filter(|n| mask & (1 << n) != 0) {
            context = context.with(WORDS[n], [VALUES[pick[n]]]);
        }
        let verdict = evaluate(&p, action, &known, &context).verdict;
        assert_eq!(evaluate(&again, action, &known, &context).verdict, verdict);
        told[verdict as usize] += 1;
        // Every state of the world that what is known admits.
        for world in 0..27 {
            let at = [world % 3, world / 3 % 3, world / 9];
            if (0..3).any(|n| mask & (1 << n) != 0 && at[n] != pick[n]) {
                continue;
            }
            let opens = naive(&p, action, &[Some(VALUES[at[0]]), Some(VALUES[at[1]]), Some(VALUES[at[2]])]);
            match verdict {
                Verdict::Permits => assert!(opens, "{p:?} {context:?}"),
                Verdict::Refuses => assert!(!opens, "{p:?} {context:?}"),
                Verdict::CannotTell => assert_ne!(mask, 7, "{p:?} {context:?}"),
            }
        }
    }
    assert!(told.iter().all(|n| *n > 200), "{told:?}");
}

#[test]
fn a_condition_of_law_becomes_an_offer_that_is_valid_and_decides() {
    let rulebook = "ab".repeat(32);
    let clause = |fact: &str, test| Clause { fact: fact.into(), test };
    let residual = Residual {
        rulebook: rulebook.clone(),
        ways: vec![
            vec![clause("recipient.country", Test::AnyOf(vec!["JP".into(), "GB".into()]))],
            vec![
                clause("measure.scc", Test::AnyOf(vec!["yes".into()])),
                clause("subjects.count", Test::AtMost("1000".into())),
            ],
        ],
    };
    let offer = residual.to_offer("urn:o:1").unwrap();
    let known = Operands::standard();
    assert!(offer.check(&known).is_empty(), "{:?}", offer.check(&known));
    let terms = offer.to_terms(Place::Catalog);
    assert!(schema::check_catalog_offer(&terms.to_value()).is_empty());
    let back = Policy::of_terms(&terms).unwrap();
    assert_eq!(back, offer);
    assert_eq!(profile::rulebooks(&back), [rulebook.as_str()]);
    let base = now().with(profile::RULEBOOK, [rulebook.as_str()]);
    let country = |c: &str| base.clone().with("tegata:fact/recipient.country", [c]);
    assert!(evaluate(&back, "use", &known, &country("JP")).opens());
    assert_eq!(evaluate(&back, "use", &known, &country("US")).verdict, Verdict::CannotTell);
    let us = country("US").with("tegata:fact/measure.scc", ["yes"]);
    assert!(evaluate(&back, "use", &known, &us.clone().with("tegata:fact/subjects.count", ["999"])).opens());
    assert_eq!(
        evaluate(&back, "use", &known, &us.with("tegata:fact/subjects.count", ["1001"])).verdict,
        Verdict::Refuses
    );
    assert_eq!(
        evaluate(&back, "use", &known, &country("JP").with(profile::RULEBOOK, ["cd"])).verdict,
        Verdict::Refuses
    );
    let outcome = evaluate(&back, "use", &known, &country("US"));
    assert!(outcome.blockers().any(|l| l.atom.as_ref().is_some_and(|a| a.left == "tegata:fact/measure.scc")));

    assert!(Residual { rulebook: rulebook.clone(), ways: vec![] }.to_offer("x").is_err());
    let free = Residual { rulebook, ways: vec![vec![]] }.to_offer("x").unwrap();
    assert!(evaluate(&free, "use", &known, &base).opens());
}

#[test]
fn words_are_listed() {
    fn collect(phrase: &words::Phrase, ids: &mut std::collections::BTreeSet<&'static str>) {
        ids.insert(phrase.id);
        phrase.parts.iter().for_each(|p| collect(p, ids));
    }
    let mut ids = std::collections::BTreeSet::new();
    let atoms: Vec<Constraint> = Operator::ALL.into_iter().map(|o| Constraint::atom("x", o, ["y"])).collect();
    let joined = Connective::ALL.into_iter().map(|c| Constraint::Logic(c, atoms.clone())).collect();
    let mut p = Policy::offer("x", vec![Rule::new("use", joined), Rule::new("use", vec![])]);
    p.permission[1].duty = vec![Rule::new("inform", vec![])];
    let told = Constraint::atom("tegata:fact/recipient.place", Operator::IsNoneOf, ["unknown"]);
    p.permission.push(Rule::new("use", vec![told]));
    p.prohibition = vec![Rule::new("use", vec![]), Rule::new("use", atoms.clone())];
    p.obligation = vec![Rule::new("delete", vec![]), Rule::new("delete", atoms)];
    words::render(&p).iter().for_each(|phrase| collect(phrase, &mut ids));
    ids.extend([Verdict::Permits, Verdict::Refuses, Verdict::CannotTell].map(words::verdict));
    ids.extend([Truth::Yes, Truth::No, Truth::Open].map(words::truth));
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), {
        let mut all = words::IDS.to_vec();
        all.sort_unstable();
        all
    });
}

#[test]
fn broken_policies_never_panic() {
    let text = json!([{"@id": "urn:o:1", "@type": ["odrl:Offer"], "odrl:permission": [{"odrl:action": [{"@id": "odrl:use"}], "duty": {"action": "inform"},
        "odrl:constraint": [{"xone": {"@list": [{"leftOperand": "dateTime", "operator": "gteq", "rightOperand": {"@value": "2026-11-22T03:45:00+09:00"}},
            {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "P3DT4H"}, {"leftOperand": "count", "operator": "isAnyOf", "rightOperand": [1, 2.5, true]}]}}]}]}])
    .to_string()
    .into_bytes();
    let known = Operands::standard();
    let context = now().with("elapsedTime", ["P1D"]).with_between("count", "1", "2");
    let mut dice = Dice(77);
    let mut readable = 0;
    for _ in 0..20_000 {
        let mut bytes = text.clone();
        for _ in 0..1 + dice.roll(3) {
            let n = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes[n] = b"{}[]\":,01-TZPdx"[dice.roll(15)],
                1 => drop(bytes.remove(n)),
                _ => bytes.swap(n, text.len() / 2),
            }
        }
        if let Ok(policy) =
            dsp::json::read(&bytes).map_err(|_| ()).and_then(|v| Policy::read(&v).map_err(|_| ()))
        {
            readable += 1;
            policy.check(&known);
            evaluate(&policy, "use", &known, &context);
            assert_eq!(read(policy.to_terms(Place::Message).to_value()).permission, policy.permission);
        }
    }
    assert!(readable > 200, "{readable}");
}
