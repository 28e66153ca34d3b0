//! ODRL policies as DSP 2025-1 carries them: one typed value for every spelling, evaluated fail-closed, explained.
//!
//! Path: JSON of a peer or of ours → [`Policy::read`] (compact, prefixed or expanded spelling) → [`Policy::check`] where an
//! offer is *written* (an unknown operand is refused there, never at run time) → [`evaluate::evaluate`] against what is
//! known → verdict with a trace, duties owed; [`words::render`] says it to people.

pub mod catena;
pub mod duty;
pub mod evaluate;
pub mod operands;
mod read;
pub mod value;
pub mod words;

use crate::json::Malformed;
use crate::message::terms::Terms;
use operands::Operands;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// LIMIT: nesting of logical constraints in one rule.
pub const DEPTH_MAX: usize = 8;
/// LIMIT: rules, constraints and operand values in one policy, together.
pub const PARTS_MAX: usize = 2_000;

/// What a policy is, ODRL 2.2, 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Proposed by the provider or asked for by the consumer.
    Offer,
    /// Agreed.
    Agreement,
    /// Neither; how some peers keep templates.
    Set,
}

/// A policy: what may, may not and must be done with one dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The id.
    pub id: String,
    /// Offer, agreement or set.
    pub kind: Kind,
    /// The profiles that its words come from.
    pub profile: Vec<String>,
    /// The dataset.
    pub target: Option<String>,
    /// Who grants.
    pub assigner: Option<String>,
    /// Who receives.
    pub assignee: Option<String>,
    /// What may be done.
    pub permission: Vec<Rule>,
    /// What may not be done; stronger than a permission.
    pub prohibition: Vec<Rule>,
    /// What must be done.
    pub obligation: Vec<Rule>,
}

/// One permission, prohibition or duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The action, such as `use`; further ones as IRI or with a known prefix.
    pub action: String,
    /// All must hold.
    pub constraint: Vec<Constraint>,
    /// Within a permission: what must be done before it is of use.
    pub duty: Vec<Rule>,
}

/// A limit on a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// A comparison.
    Atom(Atom),
    /// Several joined.
    Logic(Connective, Vec<Constraint>),
}

/// How constraints are joined, ODRL 2.2, 2.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connective {
    /// All.
    And,
    /// At least one.
    Or,
    /// Exactly one.
    Xone,
    /// All, in order.
    AndSequence,
}

impl Connective {
    /// Every connective.
    pub const ALL: [Connective; 4] =
        [Connective::And, Connective::Or, Connective::Xone, Connective::AndSequence];

    /// Returns the ODRL name.
    pub fn name(self) -> &'static str {
        match self {
            Connective::And => "and",
            Connective::Or => "or",
            Connective::Xone => "xone",
            Connective::AndSequence => "andSequence",
        }
    }
}

/// One comparison. The left side is a set of values; the right one is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// What is compared; the ODRL name, a prefixed name or an IRI.
    pub left: String,
    /// How.
    pub operator: Operator,
    /// With what.
    pub right: Vec<String>,
}

/// The operators that the DSP schema admits, ODRL 2.2, 2.5.1 and one of DSP's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lteq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gteq,
    /// Is of this class.
    IsA,
    /// Has this part.
    HasPart,
    /// Is part of this.
    IsPartOf,
    /// Has all of these.
    IsAllOf,
    /// Is any of these.
    IsAnyOf,
    /// Is none of these.
    IsNoneOf,
    /// The schema's `term-lteq`, which no text defines; read as less or equal.
    TermLteq,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Operator; 13] = [
        Operator::Eq,
        Operator::Neq,
        Operator::Lt,
        Operator::Lteq,
        Operator::Gt,
        Operator::Gteq,
        Operator::IsA,
        Operator::HasPart,
        Operator::IsPartOf,
        Operator::IsAllOf,
        Operator::IsAnyOf,
        Operator::IsNoneOf,
        Operator::TermLteq,
    ];

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Eq => "eq",
            Operator::Neq => "neq",
            Operator::Lt => "lt",
            Operator::Lteq => "lteq",
            Operator::Gt => "gt",
            Operator::Gteq => "gteq",
            Operator::IsA => "isA",
            Operator::HasPart => "hasPart",
            Operator::IsPartOf => "isPartOf",
            Operator::IsAllOf => "isAllOf",
            Operator::IsAnyOf => "isAnyOf",
            Operator::IsNoneOf => "isNoneOf",
            Operator::TermLteq => "term-lteq",
        }
    }

    /// Finds an operator by its name; `in`, which some peers write, is read as `isAnyOf`.
    pub fn of(name: &str) -> Option<Operator> {
        match name {
            "in" => Some(Operator::IsAnyOf),
            _ => Operator::ALL.into_iter().find(|o| o.name() == name),
        }
    }

    /// Tells whether the right side may hold more than one value.
    pub fn takes_many(self) -> bool {
        matches!(
            self,
            Operator::IsAllOf
                | Operator::IsAnyOf
                | Operator::IsNoneOf
                | Operator::HasPart
                | Operator::IsPartOf
        )
    }
}

/// Where a policy is to stand, which decides its `@type` and whether it has a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a catalog: an offer without target.
    Catalog,
    /// In a message: an offer with target.
    Message,
    /// In an agreement message.
    Agreement,
}

/// The one spelling that we keep of an operand or action, whatever spelling it came in.
pub fn spelled(name: &str) -> String {
    catena::kept(read::name(name))
}

impl Policy {
    /// Reads a policy in any spelling; every fault is reported, none is skipped.
    pub fn read(value: &Value) -> Result<Policy, Vec<Malformed>> {
        read::read(value)
    }

    /// Reads the policy of a message.
    pub fn of_terms(terms: &Terms) -> Result<Policy, Vec<Malformed>> {
        read::read(&terms.to_value())
    }

    /// Makes an offer of rules.
    pub fn offer(id: &str, permission: Vec<Rule>) -> Policy {
        Policy {
            id: id.to_owned(),
            kind: Kind::Offer,
            profile: Vec::new(),
            target: None,
            assigner: None,
            assignee: None,
            permission,
            prohibition: Vec::new(),
            obligation: Vec::new(),
        }
    }

    /// Checks a policy that we are about to offer: each word must be one that we can evaluate.
    pub fn check(&self, operands: &Operands) -> Vec<Malformed> {
        operands.check(self)
    }

    /// Tells whether two policies demand the same, whatever their ids and parties.
    pub fn same_rules(&self, other: &Policy) -> bool {
        self.permission == other.permission
            && self.prohibition == other.prohibition
            && self.obligation == other.obligation
    }

    /// Writes the policy in the compact form that the DSP schema admits.
    pub fn to_terms(&self, place: Place) -> Terms {
        let mut map = Map::new();
        map.insert("@id".into(), self.id.as_str().into());
        let kind = if place == Place::Agreement { "Agreement" } else { "Offer" };
        map.insert("@type".into(), kind.into());
        if !self.profile.is_empty() {
            map.insert("profile".into(), self.profile.clone().into());
        }
        let named = [("target", &self.target), ("assigner", &self.assigner), ("assignee", &self.assignee)];
        for (key, text) in named {
            if let Some(text) = text.as_deref().filter(|_| key != "target" || place != Place::Catalog) {
                map.insert(key.into(), text.into());
            }
        }
        let rules = [
            ("permission", &self.permission),
            ("prohibition", &self.prohibition),
            ("obligation", &self.obligation),
        ];
        for (key, rules) in rules {
            if !rules.is_empty() {
                map.insert(key.into(), rules.iter().map(Rule::to_value).collect());
            }
        }
        Terms::of(map)
    }
}

impl Rule {
    /// Makes a rule about one action.
    pub fn new(action: &str, constraint: Vec<Constraint>) -> Rule {
        Rule { action: action.to_owned(), constraint, duty: Vec::new() }
    }

    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("action".into(), read::wire(&self.action).into());
        if !self.constraint.is_empty() {
            map.insert("constraint".into(), self.constraint.iter().map(Constraint::to_value).collect());
        }
        if !self.duty.is_empty() {
            map.insert("duty".into(), self.duty.iter().map(Rule::to_value).collect());
        }
        Value::Object(map)
    }
}

impl Constraint {
    /// Makes a comparison.
    pub fn atom(
        left: &str,
        operator: Operator,
        right: impl IntoIterator<Item = impl Into<String>>,
    ) -> Constraint {
        let right = right.into_iter().map(Into::into).collect();
        Constraint::Atom(Atom { left: left.to_owned(), operator, right })
    }

    fn to_value(&self) -> Value {
        match self {
            Constraint::Logic(connective, parts) => {
                json!({ connective.name(): parts.iter().map(Constraint::to_value).collect::<Vec<_>>() })
            }
            Constraint::Atom(atom) => {
                let right: Vec<String> = atom.right.iter().map(|text| read::wire(text)).collect();
                let right = match right.as_slice() {
                    [one] if !atom.operator.takes_many() => json!(one),
                    many => json!(many),
                };
                let left = read::wire(&atom.left);
                json!({ "leftOperand": left, "operator": atom.operator.name(), "rightOperand": right })
            }
        }
    }
}
