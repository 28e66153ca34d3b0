//! Terms of an offer or agreement, said to people: a line for each rule, in both languages.

use dsp::json::Malformed;
use dsp::message::terms::Terms;
use dsp::policy::operands::Operands;
use dsp::policy::words::{self as phrases, Phrase};
use dsp::policy::{Policy, Rule};
use dsp::profile::without_law;
use model::text::{Language, Text};
use serde_json::Value;
use words::{Arg, say};

/// Says terms, a line for each permission, prohibition and duty; the error says which words are not understood.
pub fn lines(terms: &Terms) -> Result<Vec<Text>, String> {
    match Policy::of_terms(terms) {
        Ok(policy) => Ok(policy_lines(&policy)),
        Err(faults) => Err(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

/// Says what an offer of a catalog asks beside the law; the error says which of its words nobody here decides.
pub fn beside_law(terms: &Value) -> Result<Vec<Text>, String> {
    let told = |faults: Vec<Malformed>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let policy = Policy::read(terms).map_err(told)?;
    match policy.check(&Operands::standard()) {
        faults if faults.is_empty() => Ok(policy_lines(&without_law(&policy))),
        faults => Err(told(faults)),
    }
}

/// Says a policy, a line for each of its rules.
pub fn policy_lines(policy: &Policy) -> Vec<Text> {
    let said = |phrase: &Phrase| Text::of(sentence(phrase, Language::En), sentence(phrase, Language::Ja));
    phrases::render(policy).iter().map(said).collect()
}

/// Says one duty.
pub fn duty_line(duty: &Rule) -> Text {
    let mut only = Policy::offer("", Vec::new());
    only.obligation = vec![duty.clone()];
    policy_lines(&only).pop().unwrap_or_default()
}

/// The name of an operand or action for people, if it has one; else as it is spelled.
fn named(language: Language, kind: &str, name: &str) -> String {
    let id = id_of(kind, name);
    match say(language, &id, &[]) {
        said if said == id => name.to_owned(),
        said => said,
    }
}

/// The message that names an operand or action.
fn id_of(kind: &str, name: &str) -> String {
    let spelled = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{kind}-{}", name.chars().map(spelled).collect::<String>())
}

fn sentence(phrase: &Phrase, language: Language) -> String {
    let between = match (phrase.id, language) {
        ("policy-or" | "policy-xone", _) => format!(" {} ", say(language, "policy-between-or", &[])),
        (_, Language::En) => "; ".to_owned(),
        (_, Language::Ja) => "、".to_owned(),
    };
    let parts = phrase.parts.iter().map(|part| sentence(part, language)).collect::<Vec<_>>().join(&between);
    let mut args: Vec<(&str, String)> = vec![("parts", parts)];
    for (key, value) in &phrase.args {
        let value = match *key {
            "action" => named(language, "action", value),
            "left" => named(language, "operand", value),
            _ => value.clone(),
        };
        args.push((key, value));
    }
    let args: Vec<(&str, Arg<'_>)> = args.iter().map(|(key, value)| (*key, Arg::Text(value))).collect();
    say(language, phrase.id, &args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsp::policy::operands::Operands;
    use serde_json::json;

    #[test]
    fn every_word_that_we_decide_has_a_name_in_both_languages() {
        let known = Operands::standard();
        for language in [Language::En, Language::Ja] {
            for (kind, name) in
                known.names().map(|n| ("operand", n)).chain(known.actions().map(|n| ("action", n)))
            {
                let id = id_of(kind, name);
                assert_ne!(say(language, &id, &[]), id, "{language:?}");
            }
            for id in phrases::IDS {
                assert_ne!(say(language, id, &[]), id);
            }
        }
    }

    #[test]
    fn terms_are_said_rule_by_rule() {
        let policy = Policy::read(&json!({"@id": "urn:p:1", "@type": "Offer",
            "permission": [{"action": "use", "constraint": [{"and": [
                {"leftOperand": "Membership", "operator": "eq", "rightOperand": "active"},
                {"leftOperand": "UsagePurpose", "operator": "isAnyOf", "rightOperand": ["cx.pcf.base:1", "cx.puris.base:1"]}]},
                {"leftOperand": "tegata:fact/recipient.place", "operator": "isNoneOf", "rightOperand": ["unknown"]}]}],
            "prohibition": [{"action": "distribute"}],
            "obligation": [{"action": "delete", "constraint": [{"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "P30D"}]}]}))
        .unwrap();
        let lines = policy_lines(&policy);
        let en: Vec<&str> = lines.iter().map(|l| l.en.as_str()).collect();
        assert_eq!(
            en,
            [
                "Permitted: use, where all of (membership of the data space is active; purpose of use is one of cx.pcf.base:1, cx.puris.base:1); recipient.place is told",
                "Not permitted: passing on",
                "Owed: deletion, where time since delivery is at most P30D",
            ]
        );
        assert!(lines[2].ja.contains("削除") && lines[2].ja.contains("P30D"), "{}", lines[2].ja);
        assert_eq!(duty_line(&policy.obligation[0]).en, en[2]);
    }
}
