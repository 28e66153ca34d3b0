//! A policy for people: message ids and arguments; the text itself, in each language, lives with the words.

use super::evaluate::{Truth, Verdict};
use crate::profile::FACT;
use super::{Connective, Constraint, Operator, Policy, Rule};

/// One sentence or part of one: an id, its arguments, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The message id.
    pub id: &'static str,
    /// Named arguments.
    pub args: Vec<(&'static str, String)>,
    /// What it consists of.
    pub parts: Vec<Phrase>,
}

/// Every message id that this room uses, so that a test can hold each language against it.
pub const IDS: [&str; 31] = [
    "policy-permission",
    "policy-permission-if",
    "policy-prohibition",
    "policy-prohibition-if",
    "policy-duty",
    "policy-duty-if",
    "policy-duty-first",
    "policy-and",
    "policy-or",
    "policy-xone",
    "policy-and-sequence",
    "policy-told",
    "policy-eq",
    "policy-neq",
    "policy-lt",
    "policy-lteq",
    "policy-gt",
    "policy-gteq",
    "policy-is-a",
    "policy-has-part",
    "policy-is-part-of",
    "policy-is-all-of",
    "policy-is-any-of",
    "policy-is-none-of",
    "policy-term-lteq",
    "policy-verdict-permits",
    "policy-verdict-refuses",
    "policy-verdict-cannot-tell",
    "policy-truth-yes",
    "policy-truth-no",
    "policy-truth-open",
];

/// Says a policy, a phrase for each rule in the order permissions, prohibitions, duties.
pub fn render(policy: &Policy) -> Vec<Phrase> {
    let permissions = policy.permission.iter().map(|r| rule(r, "policy-permission", "policy-permission-if"));
    let prohibitions =
        policy.prohibition.iter().map(|r| rule(r, "policy-prohibition", "policy-prohibition-if"));
    let duties = policy.obligation.iter().map(|r| rule(r, "policy-duty", "policy-duty-if"));
    permissions.chain(prohibitions).chain(duties).collect()
}

/// Names a verdict.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permits => "policy-verdict-permits",
        Verdict::Refuses => "policy-verdict-refuses",
        Verdict::CannotTell => "policy-verdict-cannot-tell",
    }
}

/// Names how a line of a trace came out.
pub fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "policy-truth-yes",
        Truth::No => "policy-truth-no",
        Truth::Open => "policy-truth-open",
    }
}

fn rule(rule_: &Rule, plain: &'static str, conditional: &'static str) -> Phrase {
    let mut parts: Vec<Phrase> = rule_.constraint.iter().map(constraint).collect();
    let id = if parts.is_empty() { plain } else { conditional };
    parts.extend(rule_.duty.iter().map(|duty| rule(duty, "policy-duty-first", "policy-duty-first")));
    Phrase { id, args: vec![("action", rule_.action.clone())], parts }
}

/// Says one constraint.
pub fn constraint(constraint_: &Constraint) -> Phrase {
    match constraint_ {
        Constraint::Logic(connective, parts) => {
            let id = match connective {
                Connective::And => "policy-and",
                Connective::Or => "policy-or",
                Connective::Xone => "policy-xone",
                Connective::AndSequence => "policy-and-sequence",
            };
            Phrase { id, args: Vec::new(), parts: parts.iter().map(constraint).collect() }
        }
        // The law's condition on a recipient: that the fact is told at all.
        Constraint::Atom(atom)
            if atom.left.starts_with(FACT) && atom.operator == Operator::IsNoneOf && atom.right == ["unknown"] =>
        {
            let fact = atom.left.replacen(FACT, "", 1);
            Phrase { id: "policy-told", args: vec![("left", fact)], parts: Vec::new() }
        }
        Constraint::Atom(atom) => {
            let id = match atom.operator {
                Operator::Eq => "policy-eq",
                Operator::Neq => "policy-neq",
                Operator::Lt => "policy-lt",
                Operator::Lteq => "policy-lteq",
                Operator::Gt => "policy-gt",
                Operator::Gteq => "policy-gteq",
                Operator::IsA => "policy-is-a",
                Operator::HasPart => "policy-has-part",
                Operator::IsPartOf => "policy-is-part-of",
                Operator::IsAllOf => "policy-is-all-of",
                Operator::IsAnyOf => "policy-is-any-of",
                Operator::IsNoneOf => "policy-is-none-of",
                Operator::TermLteq => "policy-term-lteq",
            };
            Phrase {
                id,
                args: vec![("left", atom.left.clone()), ("right", atom.right.join(", "))],
                parts: Vec::new(),
            }
        }
    }
}
