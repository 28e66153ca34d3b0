//! Our ODRL profile for legal conditions: what the law asks of a recipient, written into an offer that precedes any recipient.
//!
//! Names are absolute (`tegata:` is their scheme), so that no JSON-LD context of ours is needed and none is sent. A peer that
//! does not understand them loses nothing: the law is decided on our side whatever the contract says.

use crate::policy::{Connective, Constraint, Operator, Policy, Rule};

/// The id of the profile, for the `profile` of a policy.
pub const PROFILE: &str = "tegata:profile/legal-conditions/1";
/// Prefix of the operands that are facts of the vocabulary: `tegata:fact/recipient.country`.
pub const FACT: &str = "tegata:fact/";
/// The release of the rulebook by which the conditions were found, as 64 hex digits.
pub const RULEBOOK: &str = "tegata:rulebook";
/// The verdict that the recipient's own decision must reach, one of [`VERDICTS`].
pub const VERDICT: &str = "tegata:verdict";
/// The form in which the data is to be: `raw`, or the digest of the release report.
pub const FORM: &str = "tegata:form";

/// Measures that the law asks for and both parties take with the agreement, by id.
pub const MEASURE: &str = "tegata:measure";
/// Why they are asked for: lines of [`crate::reason`], with rule, article, day and rulebook.
pub const BECAUSE: &str = "tegata:because";

/// Of a dataset: the intermediary that acts for its provider.
pub const THROUGH: &str = "tegata:through";
/// Of a dataset: a certification of its provider, in words: scheme, certificate, who granted it, until when.
pub const MARK: &str = "tegata:mark";
/// The action of a duty to report on the use; ODRL has none.
pub const REPORT_USE: &str = "tegata:report-use";

/// The names of verdicts as operand values.
pub const VERDICTS: [&str; 5] = ["out-of-scope", "permitted", "conditional", "prohibited", "undetermined"];

/// What one fact must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// One of these values.
    AnyOf(Vec<String>),
    /// None of these values.
    NoneOf(Vec<String>),
    /// All of these values, for facts that are sets.
    AllOf(Vec<String>),
    /// A number or date of at most this.
    AtMost(String),
    /// A number or date of at least this.
    AtLeast(String),
}

/// One fact and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The fact's id in the vocabulary.
    pub fact: String,
    /// What it must be.
    pub test: Test,
}

/// The condition that the law leaves on facts of the recipient: any of the lists, all clauses of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residual {
    /// Digest of the rulebook.
    pub rulebook: String,
    /// Ways to open; an empty list of ways means that nothing opens, an empty way that nothing more is needed.
    pub ways: Vec<Vec<Clause>>,
}

/// Says that a residual condition has no way to open, so that there is nothing to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingOpens;

impl std::fmt::Display for NothingOpens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no recipient could satisfy the condition, so there is nothing to offer")
    }
}

impl std::error::Error for NothingOpens {}

impl Residual {
    /// Writes the condition as constraints of a permission.
    ///
    /// The rulebook is named by a constraint of its own in every case, so that agreement and release stay tied.
    pub fn to_constraints(&self) -> Result<Vec<Constraint>, NothingOpens> {
        let mut all = vec![Constraint::atom(RULEBOOK, Operator::Eq, [self.rulebook.as_str()])];
        let mut ways: Vec<Constraint> = Vec::new();
        for way in &self.ways {
            let clauses: Vec<Constraint> = way.iter().map(Clause::to_constraint).collect();
            match clauses.as_slice() {
                [] => return Ok(all),
                [one] => ways.push(one.clone()),
                _ => ways.push(Constraint::Logic(Connective::And, clauses)),
            }
        }
        match ways.as_slice() {
            [] => return Err(NothingOpens),
            [one] => all.push(one.clone()),
            _ => all.push(Constraint::Logic(Connective::Or, ways)),
        }
        Ok(all)
    }

    /// Puts the condition into each permission of other terms, and names our profile beside theirs.
    pub fn to_offer_on(&self, id: &str, mut terms: Policy) -> Result<Policy, NothingOpens> {
        let condition = self.to_constraints()?;
        for rule in &mut terms.permission {
            rule.constraint.extend(condition.iter().cloned());
        }
        terms.id = id.to_owned();
        terms.kind = crate::policy::Kind::Offer;
        if !terms.profile.iter().any(|p| p == PROFILE) {
            terms.profile.push(PROFILE.to_owned());
        }
        Ok(terms)
    }

    /// Makes an offer: use is permitted under this condition.
    pub fn to_offer(&self, id: &str) -> Result<Policy, NothingOpens> {
        let mut policy = Policy::offer(id, vec![Rule::new("use", self.to_constraints()?)]);
        policy.profile = vec![PROFILE.to_owned()];
        Ok(policy)
    }
}

impl Clause {
    fn to_constraint(&self) -> Constraint {
        let left = format!("{FACT}{}", self.fact);
        match &self.test {
            Test::AnyOf(values) => Constraint::atom(&left, Operator::IsAnyOf, values.clone()),
            Test::NoneOf(values) => Constraint::atom(&left, Operator::IsNoneOf, values.clone()),
            Test::AllOf(values) => Constraint::atom(&left, Operator::IsAllOf, values.clone()),
            Test::AtMost(value) => Constraint::atom(&left, Operator::Lteq, [value.clone()]),
            Test::AtLeast(value) => Constraint::atom(&left, Operator::Gteq, [value.clone()]),
        }
    }
}

/// Writes measures, and why, as conditions of each permission: the counter-offer to a request that the law refuses as it is.
pub fn with_measures(policy: &Policy, measures: &[String], because: &[String]) -> Policy {
    let mut next = without_measures(policy);
    for rule in &mut next.permission {
        rule.constraint.push(Constraint::atom(MEASURE, Operator::IsAllOf, measures));
        if !because.is_empty() {
            rule.constraint.push(Constraint::atom(BECAUSE, Operator::IsAllOf, because));
        }
    }
    next
}

/// The policy without what [`with_measures`] adds.
pub fn without_measures(policy: &Policy) -> Policy {
    let added = |c: &Constraint| matches!(c, Constraint::Atom(a) if a.left == MEASURE || a.left == BECAUSE);
    let mut next = policy.clone();
    for rule in &mut next.permission {
        rule.constraint.retain(|c| !added(c));
    }
    next
}

/// The policy without conditions of law, which are decided as law wherever a contract stands already.
pub fn without_law(policy: &Policy) -> Policy {
    fn is_law(constraint: &Constraint) -> bool {
        match constraint {
            Constraint::Atom(atom) => atom.left.starts_with("tegata:"),
            // What joins a condition of law with another one is kept whole: dropping half of it would change it.
            Constraint::Logic(_, parts) => parts.iter().all(is_law),
        }
    }
    let mut next = policy.clone();
    for rule in &mut next.permission {
        rule.constraint.retain(|c| !is_law(c));
    }
    next
}

/// What an operand of [`with_measures`] says in every permission of a policy; nothing if the permissions differ.
pub fn said_of(policy: &Policy, operand: &str) -> Vec<String> {
    let of_rule = |rule: &Rule| {
        let found = rule.constraint.iter().find_map(|c| match c {
            Constraint::Atom(a) if a.left == operand && a.operator == Operator::IsAllOf => Some(a.right.clone()),
            _ => None,
        });
        found.unwrap_or_default()
    };
    let mut all = policy.permission.iter().map(of_rule);
    let first = all.next().unwrap_or_default();
    if all.all(|other| other == first) { first } else { Vec::new() }
}

/// Returns the rulebook digests that a policy names, in its permissions.
pub fn rulebooks(policy: &Policy) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open: Vec<&Constraint> = policy.permission.iter().flat_map(|r| &r.constraint).collect();
    while let Some(constraint) = open.pop() {
        match constraint {
            Constraint::Logic(_, parts) => open.extend(parts),
            Constraint::Atom(atom) if atom.left == RULEBOOK => {
                found.extend(atom.right.iter().map(String::as_str))
            }
            Constraint::Atom(_) => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
