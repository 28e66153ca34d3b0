//! A policy of an EDC as a policy of ours, or why it cannot be one.
//!
//! Nothing is dropped and nothing is guessed: a word that is not understood, a party that is named, an operand that nobody here
//! decides keeps the whole policy out. So what is taken over is never milder than what it was.

use super::names::Names;
use super::{NAMESPACE, text};
use dsp::policy::catena::ACCESS;
use dsp::policy::operands::Operands;
use dsp::policy::value::{self, Domain};
use dsp::policy::{Atom, Constraint, Operator, Policy};
use serde_json::{Map, Value};

/// The namespace of ODRL.
const ODRL: &str = "http://www.w3.org/ns/odrl/2/";
/// Begins each right operand that EDC keeps as the text of a list.
const LIST: &str = "[{\"@value\"";

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The terms of use.
    Terms,
    /// Who sees the offer.
    Access,
}

/// One reason why a policy is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why {
    /// A stable code, such as `odrl/unknown-operand`.
    pub code: &'static str,
    /// The place in the policy.
    pub at: String,
    /// What stands there.
    pub what: String,
}

impl Why {
    fn new(code: &'static str, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { code, at: at.into(), what: what.into() }
    }
}

/// Reads a row of `policydefinitions`. None: a policy without a rule, where the caller says that it lets everybody.
pub fn carry(row: &Value, part: Part, no_rule_is_open: bool) -> Result<Option<Policy>, Vec<Why>> {
    let names = Names::of(row.get("@context")).map_err(|url| vec![Why::new("import/context", "/@context", url)])?;
    let mut writer = Writer { names: &names, faults: Vec::new() };
    let policy = row.get("policy").cloned().unwrap_or_default();
    let written = writer.object(&policy, "");
    if !writer.faults.is_empty() {
        return Err(writer.faults);
    }
    let read = Policy::read(&written).map_err(|all| all.iter().map(of_policy).collect::<Vec<_>>())?;
    let mut faults = named(&written);
    if read.permission.is_empty() && read.prohibition.is_empty() && read.obligation.is_empty() && faults.is_empty() {
        return if no_rule_is_open { Ok(None) } else { Err(vec![Why::new("import/no-rule", "", "")]) };
    }
    let mut made = Policy { id: text(row, "@id").to_owned(), assigner: None, ..read };
    for (n, rule) in made.permission.iter_mut().enumerate() {
        match (rule.action.as_str(), part) {
            ("use", Part::Access) => rule.action = ACCESS.to_owned(),
            ("use", Part::Terms) | (ACCESS, Part::Access) => {}
            (other, _) => faults.push(Why::new("import/action", format!("/permission/{n}/action"), other)),
        }
    }
    let rules = made.permission.iter_mut().map(|r| ("permission", r)).chain(made.prohibition.iter_mut().map(|r| ("prohibition", r)));
    for (key, rule) in rules.chain(made.obligation.iter_mut().map(|r| ("obligation", r))) {
        rule.constraint.iter_mut().for_each(|c| in_force(c, key, &mut faults));
    }
    if made.permission.is_empty() {
        faults.push(Why::new("import/nothing-permitted", "/permission", ""));
    }
    if part == Part::Access {
        for key in ["prohibition", "obligation"] {
            let none = if key == "prohibition" { made.prohibition.is_empty() } else { made.obligation.is_empty() };
            if !none {
                faults.push(Why::new("import/access-rule", format!("/{key}"), key));
            }
        }
    }
    faults.extend(made.check(&Operands::standard()).iter().map(of_policy));
    match faults.is_empty() {
        true => Ok(Some(made)),
        false => Err(faults),
    }
}

fn of_policy(fault: &dsp::json::Malformed) -> Why {
    Why::new(fault.code(), fault.at(), fault.message())
}

/// What a policy says beside its rules, and an offer of ours has no place for: who receives, about what else, by whose profile.
fn named(policy: &Value) -> Vec<Why> {
    let mut faults = Vec::new();
    for (word, code) in [("assignee", "import/assignee"), ("target", "import/target"), ("profile", "import/profile")] {
        if let Some(named) = policy.get(format!("{ODRL}{word}")).filter(|v| !v.as_array().is_some_and(Vec::is_empty)) {
            let named = named.get("@id").unwrap_or(named);
            let says = named.as_str().map_or_else(|| named.to_string(), str::to_owned);
            faults.push(Why::new(code, format!("/{word}"), says));
        }
    }
    faults
}

/// EDC's own operand `inForceDate`, where it names a moment: the use is within that time, which ODRL says by `dateTime`.
fn in_force(constraint: &mut Constraint, at: &str, faults: &mut Vec<Why>) {
    match constraint {
        Constraint::Logic(_, parts) => parts.iter_mut().for_each(|part| in_force(part, at, faults)),
        Constraint::Atom(atom) if atom.left.strip_prefix(NAMESPACE) == Some("inForceDate") => match is_moment(atom) {
            true => atom.left = "dateTime".to_owned(),
            false => faults.push(Why::new("import/in-force", format!("/{at}"), format!("{} {}", atom.operator.name(), atom.right.join(", ")))),
        },
        Constraint::Atom(_) => {}
    }
}

fn is_moment(atom: &Atom) -> bool {
    let orders = matches!(atom.operator, Operator::Lt | Operator::Lteq | Operator::Gt | Operator::Gteq);
    orders && atom.right.iter().all(|right| right.contains('T') && value::parse(Domain::Time, right).is_some())
}

/// Writes names out; what is no word of ODRL is a fault.
struct Writer<'a> {
    names: &'a Names,
    faults: Vec<Why>,
}

impl Writer<'_> {
    fn object(&mut self, value: &Value, at: &str) -> Value {
        match value {
            Value::Array(all) => all.iter().enumerate().map(|(n, one)| self.object(one, &format!("{at}/{n}"))).collect(),
            Value::Object(map) if map.contains_key("@value") || map.contains_key("@list") || map.contains_key("@set") => value.clone(),
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, inner) in map {
                    let Some(word) = self.names.key(key).filter(|k| k.starts_with('@') || k.starts_with(ODRL)) else {
                        self.faults.push(Why::new("import/word", at, key.as_str()));
                        continue;
                    };
                    let local = word.strip_prefix(ODRL).unwrap_or(&word).to_owned();
                    let at = format!("{at}/{local}");
                    let inner = match local.as_str() {
                        "@id" => inner.clone(),
                        "@type" | "action" | "leftOperand" | "operator" => self.ids(inner, &at),
                        "rightOperand" => self.right(inner, &at),
                        _ => self.object(inner, &at),
                    };
                    if out.insert(word, inner).is_some() {
                        self.faults.push(Why::new("odrl/twice", at, key.as_str()));
                    }
                }
                Value::Object(out)
            }
            other => other.clone(),
        }
    }

    /// Names of things: each must be explained.
    fn ids(&mut self, value: &Value, at: &str) -> Value {
        let written = |writer: &mut Self, id: &str| match writer.names.id(id) {
            Some(long) => Value::String(long),
            None => {
                writer.faults.push(Why::new("import/bare", at, id));
                Value::Null
            }
        };
        match value {
            Value::Array(all) => all.iter().map(|one| self.ids(one, at)).collect(),
            Value::String(id) => written(self, id),
            Value::Object(map) => match map.get("@id").and_then(Value::as_str).filter(|_| map.len() == 1) {
                Some(id) => written(self, id),
                None => {
                    self.faults.push(Why::new("import/shape", at, value.to_string()));
                    Value::Null
                }
            },
            other => {
                self.faults.push(Why::new("import/shape", at, other.to_string()));
                Value::Null
            }
        }
    }

    /// What is compared with: values as they are, names written out, and the list that EDC keeps as a text.
    fn right(&mut self, value: &Value, at: &str) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|one| self.right(one, at)).collect(),
            Value::String(list) if list.starts_with(LIST) => match serde_json::from_str::<Vec<Value>>(list) {
                Ok(all) => all.into(),
                Err(_) => {
                    self.faults.push(Why::new("import/shape", at, list.as_str()));
                    Value::Null
                }
            },
            Value::Object(map) if map.contains_key("@id") => self.ids(value, at),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A row as EDC 0.15 gives it.
    fn row(policy: Value) -> Value {
        let mut policy = policy;
        for key in ["odrl:permission", "odrl:prohibition", "odrl:obligation"] {
            policy.as_object_mut().unwrap().entry(key).or_insert(json!([]));
        }
        json!({ "@id": "p", "@type": "PolicyDefinition", "policy": policy,
            "@context": { "@vocab": NAMESPACE, "edc": NAMESPACE, "odrl": ODRL } })
    }

    fn use_where(left: &str, operator: &str, right: Value) -> Value {
        row(json!({ "@type": "odrl:Set", "odrl:permission": { "odrl:action": { "@id": "odrl:use" }, "odrl:constraint":
            { "odrl:leftOperand": { "@id": left }, "odrl:operator": { "@id": operator }, "odrl:rightOperand": right } } }))
    }

    fn taken(row: &Value, part: Part) -> Policy {
        carry(row, part, false).unwrap().unwrap()
    }

    fn codes(row: &Value, part: Part) -> Vec<&'static str> {
        carry(row, part, false).unwrap_err().iter().map(|why| why.code).collect()
    }

    #[test]
    fn words_that_we_decide_come_over_as_they_are() {
        let cx = "https://w3id.org/catenax/2025/9/policy/";
        let member = use_where(&format!("{cx}Membership"), "odrl:eq", json!("active"));
        let expected = [Constraint::atom("cx-policy:Membership", Operator::Eq, ["active"])];
        assert_eq!(taken(&member, Part::Terms).permission[0].constraint, expected);
        let seen = taken(&member, Part::Access);
        assert_eq!((seen.permission[0].action.as_str(), &seen.permission[0].constraint[..]), (ACCESS, &expected[..]));
        let list = json!("[{\"@value\":\"cx.pcf.base:1\"},{\"@value\":\"cx.puris.base:1\"}]");
        let purposes = taken(&use_where(&format!("{cx}UsagePurpose"), "odrl:isAnyOf", list), Part::Terms);
        assert_eq!(purposes.permission[0].constraint, [Constraint::atom("cx-policy:UsagePurpose", Operator::IsAnyOf, ["cx.pcf.base:1", "cx.puris.base:1"])]);
        let force = taken(&use_where("edc:inForceDate", "odrl:lteq", json!("2030-01-01T00:00:00Z")), Part::Terms);
        assert_eq!(force.permission[0].constraint, [Constraint::atom("dateTime", Operator::Lteq, ["2030-01-01T00:00:00Z"])]);
    }

    #[test]
    fn what_is_not_understood_keeps_the_policy_out() {
        for (left, right, code) in [
            // The words of an older release, of EDC's own namespace, and bare ones are not those that they look like.
            ("https://w3id.org/catenax/policy/Membership", json!("active"), "odrl/unknown-operand"),
            ("edc:Membership", json!("active"), "odrl/unknown-operand"),
            ("purpose", json!("research"), "import/bare"),
            ("cx-policy:Membership", json!("active"), "import/bare"),
            ("edc:inForceDate", json!("contractAgreement+30d"), "import/in-force"),
            ("edc:inForceDate", json!("2030-01-01"), "import/in-force"),
        ] {
            let operator = if left.ends_with("Date") { "odrl:lteq" } else { "odrl:eq" };
            assert!(codes(&use_where(left, operator, right), Part::Terms).contains(&code), "{left}: {code}");
        }
        assert_eq!(codes(&use_where("odrl:dateTime", "edc:before", json!("2030-01-01")), Part::Terms), ["odrl/operator"]);
        let permission = json!({ "odrl:action": { "@id": "odrl:use" } });
        let with = |key: &str, value: Value| row(json!({ "odrl:permission": permission, key: value }));
        for (key, value, code) in [
            ("odrl:assignee", json!("did:web:one.example"), "import/assignee"),
            ("odrl:target", json!({ "@id": "other" }), "import/target"),
            ("odrl:profile", json!("https://elsewhere.example/profile"), "import/profile"),
            ("odrl:inheritFrom", json!("x"), "odrl/unknown-word"),
            ("edc:remark", json!("x"), "import/word"),
        ] {
            assert_eq!(codes(&with(key, value), Part::Terms), [code], "{key}");
        }
        let inner = row(json!({ "odrl:permission": { "odrl:action": { "@id": "odrl:use" }, "edc:until": "2030" } }));
        assert_eq!(codes(&inner, Part::Terms), ["import/word"]);
        let read = row(json!({ "odrl:permission": { "odrl:action": { "@id": "odrl:read" } } }));
        assert_eq!(codes(&read, Part::Terms), ["import/action"]);
        let refuses = row(json!({ "odrl:prohibition": { "odrl:action": { "@id": "odrl:use" } } }));
        assert_eq!(codes(&refuses, Part::Terms), ["import/nothing-permitted"]);
        let both = row(json!({ "odrl:permission": permission, "odrl:prohibition": { "odrl:action": { "@id": "odrl:use" } } }));
        assert_eq!(codes(&both, Part::Access), ["import/access-rule"]);
    }

    #[test]
    fn a_policy_without_a_rule_is_open_only_if_somebody_says_so() {
        let none = row(json!({ "@type": "odrl:Set" }));
        assert_eq!(codes(&none, Part::Access), ["import/no-rule"]);
        assert_eq!(carry(&none, Part::Access, true), Ok(None));
        let gone = json!({ "@id": "p" });
        assert!(carry(&gone, Part::Terms, true).is_err(), "a row without a policy is none");
        let aimed = row(json!({ "odrl:assignee": "did:web:one.example" }));
        assert!(carry(&aimed, Part::Terms, true).is_err());
    }
}
