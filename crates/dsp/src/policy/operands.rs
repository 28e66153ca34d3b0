//! The words that we can evaluate. An offer may use no other: what we could not decide later is refused when written.

use super::catena;
use super::value::{self, Domain};
use super::{Atom, Constraint, Operator, Policy, Rule};
use crate::json::Malformed;
use crate::profile;
use std::collections::{BTreeMap, BTreeSet};

/// The operands and actions that this participant evaluates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operands {
    exact: BTreeMap<String, Domain>,
    /// Prefixes under which every name counts.
    families: BTreeMap<String, Domain>,
    actions: BTreeSet<String>,
}

/// The ODRL actions that `use` includes, ODRL vocabulary 2.2, 4.3.
const USES: [&str; 17] = [
    "aggregate",
    "annotate",
    "anonymize",
    "archive",
    "concurrentUse",
    "derive",
    "digitize",
    "display",
    "distribute",
    "execute",
    "extract",
    "index",
    "install",
    "modify",
    "read",
    "reproduce",
    "stream",
];

/// The actions of duties, ODRL vocabulary 2.2, 4.3, and what usage control asks for.
const DUTIES: [&str; 8] = [
    "delete",
    "inform",
    "attribute",
    "compensate",
    "obtainConsent",
    "reviewPolicy",
    "uninstall",
    "ensureExclusivity",
];

impl Operands {
    /// Returns the words of ODRL that a participant can decide by itself, those of Catena-X, and our own profile.
    pub fn standard() -> Operands {
        let mut known =
            Operands { exact: BTreeMap::new(), families: BTreeMap::new(), actions: BTreeSet::new() };
        for (word, domain) in [
            ("dateTime", Domain::Time),
            ("elapsedTime", Domain::Duration),
            ("delayPeriod", Domain::Duration),
            ("count", Domain::Number),
            ("purpose", Domain::Text),
            ("recipient", Domain::Text),
            ("spatial", Domain::Text),
            ("industry", Domain::Text),
            (profile::RULEBOOK, Domain::Text),
            (profile::VERDICT, Domain::Text),
            (profile::FORM, Domain::Text),
            (profile::MEASURE, Domain::Text),
            (profile::BECAUSE, Domain::Text),
        ] {
            known.exact.insert(word.to_owned(), domain);
        }
        known.exact.extend(catena::names().filter_map(|name| catena::domain(&name).map(|domain| (name, domain))));
        known.families.insert(profile::FACT.to_owned(), Domain::Any);
        known
            .actions
            .extend(USES.iter().chain(DUTIES.iter()).chain(&["use", "transfer", catena::ACCESS, profile::REPORT_USE]).map(|a| (*a).to_owned()));
        known
    }

    /// Adds an operand.
    pub fn with(mut self, word: &str, domain: Domain) -> Operands {
        self.exact.insert(word.to_owned(), domain);
        self
    }

    /// Adds an action.
    pub fn with_action(mut self, action: &str) -> Operands {
        self.actions.insert(action.to_owned());
        self
    }

    /// Every operand that is known by its whole name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.exact.keys().map(String::as_str)
    }

    /// Every action that is known.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// Returns the kind of values that the operand has, if it is known.
    pub fn domain(&self, word: &str) -> Option<Domain> {
        let family =
            || self.families.iter().find(|(f, _)| word.len() > f.len() && word.starts_with(f.as_str()));
        self.exact.get(word).copied().or_else(|| family().map(|(_, d)| *d))
    }

    /// Tells whether the action is known.
    pub fn knows_action(&self, action: &str) -> bool {
        self.actions.contains(action)
    }

    /// Tells whether doing `narrow` is doing `wide`.
    pub fn includes(wide: &str, narrow: &str) -> bool {
        wide == narrow || wide == "use" && USES.contains(&narrow)
    }

    pub(super) fn check(&self, policy: &Policy) -> Vec<Malformed> {
        let mut faults = Vec::new();
        let lists = [
            ("permission", &policy.permission),
            ("prohibition", &policy.prohibition),
            ("obligation", &policy.obligation),
        ];
        if policy.permission.is_empty() && policy.prohibition.is_empty() {
            faults.push(Malformed::new("odrl/no-rule", "", "a permission or a prohibition must be there"));
        }
        for (key, rules) in lists {
            for (n, rule) in rules.iter().enumerate() {
                self.check_rule(rule, &format!("/{key}/{n}"), &mut faults);
            }
        }
        faults.extend(catena::check(policy));
        faults
    }

    fn check_rule(&self, rule: &Rule, at: &str, faults: &mut Vec<Malformed>) {
        if !self.knows_action(&rule.action) {
            faults.push(Malformed::new(
                "odrl/unknown-action",
                format!("{at}/action"),
                format!("nobody here decides `{}`", rule.action),
            ));
        }
        for (n, constraint) in rule.constraint.iter().enumerate() {
            self.check_constraint(constraint, &format!("{at}/constraint/{n}"), faults);
        }
        for (n, duty) in rule.duty.iter().enumerate() {
            self.check_rule(duty, &format!("{at}/duty/{n}"), faults);
        }
    }

    fn check_constraint(&self, constraint: &Constraint, at: &str, faults: &mut Vec<Malformed>) {
        match constraint {
            Constraint::Atom(atom) => self.check_atom(atom, at, faults),
            Constraint::Logic(connective, parts) => {
                if parts.is_empty() {
                    faults.push(Malformed::new(
                        "odrl/empty",
                        at,
                        format!("`{}` joins nothing", connective.name()),
                    ));
                }
                for (n, part) in parts.iter().enumerate() {
                    self.check_constraint(part, &format!("{at}/{}/{n}", connective.name()), faults);
                }
            }
        }
    }

    fn check_atom(&self, atom: &Atom, at: &str, faults: &mut Vec<Malformed>) {
        let Some(domain) = self.domain(&atom.left) else {
            let message =
                format!("nobody here decides `{}`; add it to the operands or leave it out", atom.left);
            return faults.push(Malformed::new("odrl/unknown-operand", format!("{at}/leftOperand"), message));
        };
        let orders = matches!(
            atom.operator,
            Operator::Lt | Operator::Lteq | Operator::Gt | Operator::Gteq | Operator::TermLteq
        );
        if orders && domain == Domain::Text {
            let message = format!("`{}` has no order", atom.left);
            faults.push(Malformed::new("odrl/operator", format!("{at}/operator"), message));
        }
        for right in &atom.right {
            let typed = domain == Domain::Text
                || domain == Domain::Any && !orders
                || value::parse(domain, right).is_some();
            if !typed {
                let message = format!("`{right}` is no value of `{}`", atom.left);
                faults.push(Malformed::new("odrl/right-operand", format!("{at}/rightOperand"), message));
            }
        }
    }
}
