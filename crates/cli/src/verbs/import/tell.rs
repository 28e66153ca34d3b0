//! A plan in lines for people, or as one document.

use super::Import;
use super::plan::{Asset, Outcome, Plan};
use crate::edc::policy::{Part, Why};
use crate::verdict::Voice;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use words::{Arg, say};

/// The plan as it is told.
pub fn lines(plan: &Plan, import: &Import) -> Vec<String> {
    if import.asking.json {
        return vec![document(plan, import).to_string()];
    }
    let voice = import.asking.voice();
    let mut out = policies(plan, voice);
    out.extend(definitions(plan, voice));
    out.push(voice.word("import-assets"));
    out.extend(plan.assets.iter().flat_map(|asset| asset_lines(asset, voice)));
    out.extend(left(plan, voice));
    if let Some(plane) = &import.plane {
        out.push(say(voice.language, "import-plane", &[("plane", Arg::Text(plane))]));
    }
    out.push(summary(plan, voice));
    if !import.apply && plan.count(|o| *o == Outcome::New) > 0 {
        out.push(voice.word("import-apply"));
    }
    out
}

fn part_word(part: Part) -> &'static str {
    match part {
        Part::Terms => "terms",
        Part::Access => "access",
    }
}

/// What each policy comes over as, in words.
fn policies(plan: &Plan, voice: Voice) -> Vec<String> {
    let mut out = vec![voice.word("import-policies")];
    for ((id, part), carried) in &plan.policies {
        let as_what = voice.word(&format!("import-as-{}", part_word(*part)));
        let mark = if carried.is_ok() { "✓" } else { "✗" };
        out.push(format!("  {mark} {id}  {as_what}"));
        match carried {
            Ok(None) => out.push(format!("      {}", voice.word("import-open"))),
            Ok(Some(policy)) => out.extend(node::terms::policy_lines(policy).iter().map(|line| format!("      {}", line.in_(voice.language)))),
            Err(whys) => out.extend(whys.iter().map(|why| format!("      {}", reason(why, voice)))),
        }
    }
    out.extend(plan.unused.iter().map(|id| format!("  · {id}  {}", voice.word("import-unused"))));
    out
}

fn definitions(plan: &Plan, voice: Voice) -> Vec<String> {
    let mut out = vec![voice.word("import-definitions")];
    for definition in &plan.definitions {
        let n = i64::try_from(definition.selects.len()).unwrap_or(i64::MAX);
        let args = [("terms", Arg::Text(definition.terms.as_str())), ("access", Arg::Text(definition.access.as_str())), ("n", Arg::Number(n))];
        out.push(format!("  · {}  {}", definition.id, say(voice.language, "import-definition", &args)));
    }
    out
}

fn asset_lines(asset: &Asset, voice: Voice) -> Vec<String> {
    let mark = match &asset.outcome {
        Outcome::Refused(_) | Outcome::Other => "✗",
        Outcome::Skipped => "·",
        _ => "✓",
    };
    let says = voice.word(&format!("import-{}", word(&asset.outcome)));
    let title = if asset.title == asset.id { String::new() } else { format!("  {}", asset.title) };
    let mut out = vec![format!("  {mark} {}{title}  {says}", asset.id)];
    if let Outcome::Refused(whys) = &asset.outcome {
        out.extend(whys.iter().map(|why| format!("      {}", reason(why, voice))));
    }
    out
}

/// Properties that come over with no asset, and of how many.
fn left(plan: &Plan, voice: Voice) -> Option<String> {
    let mut n: BTreeMap<&str, usize> = BTreeMap::new();
    plan.assets.iter().filter(|a| a.body.is_some()).flat_map(|a| &a.left).for_each(|key| *n.entry(key).or_default() += 1);
    let names: Vec<String> = n.iter().map(|(key, n)| format!("{key} ({n})")).collect();
    (!names.is_empty()).then(|| say(voice.language, "import-left", &[("names", Arg::Text(&names.join(", ")))]))
}

fn summary(plan: &Plan, voice: Voice) -> String {
    let n = |so: fn(&Outcome) -> bool| Arg::Number(i64::try_from(plan.count(so)).unwrap_or(i64::MAX));
    let all = Arg::Number(i64::try_from(plan.assets.len()).unwrap_or(i64::MAX));
    say(voice.language, "import-summary", &[
        ("all", all),
        ("new", n(|o| *o == Outcome::New)),
        ("offered", n(|o| matches!(o, Outcome::Offered | Outcome::Replaced))),
        ("same", n(|o| *o == Outcome::Same)),
        ("refused", n(|o| matches!(o, Outcome::Refused(_) | Outcome::Other))),
        ("skipped", n(|o| *o == Outcome::Skipped)),
    ])
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Skipped => "skipped",
        Outcome::Refused(_) => "refused",
        Outcome::New => "new",
        Outcome::Same => "same",
        Outcome::Other => "other",
        Outcome::Offered => "offered",
        Outcome::Replaced => "replaced",
    }
}

/// A reason in words. What the policy reader and the node say is told as they say it.
fn reason(why: &Why, voice: Voice) -> String {
    let at = if why.at.is_empty() { String::new() } else { format!("{}: ", why.at) };
    match why.code.strip_prefix("import/") {
        Some("node") => why.what.clone(),
        Some(own) => format!("{at}{}", say(voice.language, &format!("import-why-{own}"), &[("what", Arg::Text(&why.what))])),
        None => format!("{at}{} ({})", why.what, why.code),
    }
}

/// The plan for programs.
fn document(plan: &Plan, import: &Import) -> Value {
    let english = Voice { language: model::text::Language::En, color: false };
    let whys = |whys: &[Why]| -> Value {
        whys.iter().map(|why| json!({ "code": why.code, "at": why.at, "what": why.what, "says": reason(why, english) })).collect()
    };
    let policies: Vec<Value> = plan.policies.iter().map(|((id, part), carried)| match carried {
        Ok(policy) => json!({ "policy": id, "part": part_word(*part), "taken": true,
            "says": policy.as_ref().map(node::terms::policy_lines) }),
        Err(reasons) => json!({ "policy": id, "part": part_word(*part), "taken": false, "reasons": whys(reasons) }),
    }).collect();
    let definitions: Vec<Value> = plan.definitions.iter()
        .map(|d| json!({ "definition": d.id, "terms": d.terms, "access": d.access, "assets": d.selects.len() })).collect();
    let assets: Vec<Value> = plan.assets.iter().map(|a| {
        let reasons = match &a.outcome {
            Outcome::Refused(reasons) => whys(reasons),
            _ => json!([]),
        };
        let (terms, access) = a.policies.clone().unzip();
        json!({ "asset": a.id, "title": a.title, "address": a.address, "definitions": a.by, "terms": terms, "access": access,
            "outcome": word(&a.outcome), "reasons": reasons, "not_carried": a.left })
    }).collect();
    json!({ "schema": "tegata.import.1", "applied": import.apply, "whole": plan.is_whole(),
        "policies": policies, "unused": plan.unused, "definitions": definitions, "assets": assets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::text::Language;

    #[test]
    fn every_reason_and_outcome_is_said_in_both_languages() {
        let whys = ["context", "no-rule", "action", "nothing-permitted", "access-rule", "assignee", "target", "profile", "in-force", "word",
            "bare", "shape", "no-bytes", "no-file", "many-files", "terms", "access", "policy-gone", "several"];
        let outcomes = [Outcome::Skipped, Outcome::Refused(Vec::new()), Outcome::New, Outcome::Same, Outcome::Other, Outcome::Offered, Outcome::Replaced];
        for language in [Language::En, Language::Ja] {
            let ids = whys.map(|w| format!("import-why-{w}")).into_iter().chain(outcomes.iter().map(|o| format!("import-{}", word(o))));
            for id in ids {
                assert_ne!(say(language, &id, &[("what", Arg::Text("x"))]), id, "{language:?}");
            }
        }
    }
}
