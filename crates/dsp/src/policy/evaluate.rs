//! May this be done, and what is owed? Three answers, fail-closed, with a line for each constraint.

use super::catena::{self, Meaning};
use super::operands::Operands;
use super::value::{self, Domain, Ordered};
use super::{Atom, Connective, Constraint, Operator, Policy, Rule};
use model::Instant;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Whether something holds, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// What is known does not tell.
    Open,
}

/// What is known about one operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Exactly these values; none means known to have none.
    Values(BTreeSet<String>),
    /// One number between these two, both included.
    Between(String, String),
}

/// What is known at the moment of the question. An operand that is absent is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The moment; it is also the operand `dateTime`.
    pub now: Instant,
    known: BTreeMap<String, Known>,
    broader: BTreeMap<String, BTreeSet<String>>,
    done: BTreeSet<String>,
    agreed: Option<Instant>,
}

impl Context {
    /// Makes a context that knows the time and nothing else.
    pub fn at(now: Instant) -> Context {
        Context { now, known: BTreeMap::new(), broader: BTreeMap::new(), done: BTreeSet::new(), agreed: None }
    }

    /// Adds what is known about an operand, by its name in any spelling.
    pub fn with(mut self, operand: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Context {
        let values = values.into_iter().map(|v| super::read::name(&v.into())).collect();
        self.known.insert(super::spelled(operand), Known::Values(values));
        self
    }

    /// Adds a number that is known only to lie in an interval, such as a counter.
    pub fn with_between(mut self, operand: &str, low: &str, high: &str) -> Context {
        self.known.insert(super::read::name(operand), Known::Between(low.to_owned(), high.to_owned()));
        self
    }

    /// Adds everything that directly contains a thing; listing a thing means that the list is complete.
    pub fn with_broader(
        mut self,
        thing: &str,
        wholes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Context {
        let wholes = wholes.into_iter().map(|v| super::read::name(&v.into())).collect();
        self.broader.insert(super::read::name(thing), wholes);
        self
    }

    /// Says that both parties take the policy, and since when: what a policy states as a term of theirs holds by that.
    pub fn agreed(mut self, since: Instant) -> Context {
        self.agreed = Some(since);
        self
    }

    /// Says that the use is a plain one, by the recipient itself and for itself: it has none of the manners of use that
    /// prohibitions of Catena-X name.
    pub fn plain_use(mut self) -> Context {
        self.known.extend(catena::manners().map(|manner| (manner, Known::Values(BTreeSet::new()))));
        self
    }

    /// Notes that a duty, named by its place in the policy (`/permission/0/duty/0`), is fulfilled.
    pub fn with_done(mut self, duty: &str) -> Context {
        self.done.insert(duty.to_owned());
        self
    }

    fn known(&self, operand: &str) -> Option<Known> {
        match self.known.get(operand) {
            None if operand == "dateTime" => Some(Known::Values(BTreeSet::from([self.now.to_string()]))),
            other => other.cloned(),
        }
    }

    /// Tells whether a thing lies within a whole, through any number of steps.
    fn within(&self, thing: &str, whole: &str) -> Truth {
        let mut seen = BTreeSet::new();
        let mut next = vec![thing.to_owned()];
        let mut complete = true;
        while let Some(at) = next.pop() {
            if at == whole {
                return Truth::Yes;
            }
            match self.broader.get(&at) {
                Some(wholes) => next.extend(wholes.iter().filter(|w| seen.insert((*w).clone())).cloned()),
                None => complete = false,
            }
        }
        if complete { Truth::No } else { Truth::Open }
    }
}

/// The answer to "may this action be done?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A permission holds and no prohibition can.
    Permits,
    /// A prohibition holds, or no permission can.
    Refuses,
    /// What is known does not tell; treat it as a refusal and ask.
    CannotTell,
}

/// One line of the trace. The held values may be private: show them to our own side only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The place in the policy.
    pub at: String,
    /// The comparison; none for a whole rule or a connective.
    pub atom: Option<Atom>,
    /// What was known.
    pub held: Option<Known>,
    /// How it came out.
    pub truth: Truth,
    /// Why, if not by comparing.
    pub why: Why,
}

/// Why a line came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// By comparing what is held with what is asked.
    Compared,
    /// It is a term that both parties took.
    Agreed,
    /// Nothing is known about the operand.
    NotKnown,
    /// The operand is not one of those that we evaluate.
    UnknownOperand,
    /// The two values cannot be compared.
    NotComparable,
    /// By joining the lines below it.
    Joined,
    /// The rule is about another action.
    OtherAction,
    /// The prohibition names an action that we do not know, so that it may be meant.
    UnknownAction,
    /// A duty that comes first is not fulfilled.
    DutyFirst,
}

/// A duty that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Its place in the policy, by which fulfilment is noted.
    pub at: String,
    /// The duty.
    pub duty: Rule,
    /// Whether its own constraints hold; `Open` counts as owed.
    pub truth: Truth,
    /// Whether it must be done before the permission is of use.
    pub first: bool,
    /// Whether it is noted as fulfilled.
    pub done: bool,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// A line for each rule, connective and comparison, in the order of the policy.
    pub trace: Vec<Line>,
    /// What is owed.
    pub owed: Vec<Owed>,
}

impl Outcome {
    /// Tells whether the action may be done; nothing but `Permits` opens.
    pub fn opens(&self) -> bool {
        self.verdict == Verdict::Permits
    }

    /// Returns the comparisons that keep it from opening: those of permissions that are not `Yes`, of prohibitions not `No`.
    pub fn blockers(&self) -> impl Iterator<Item = &Line> {
        self.trace.iter().filter(|l| match l.at.starts_with("/prohibition") {
            true => l.atom.is_some() && l.truth != Truth::No,
            false => l.at.starts_with("/permission") && l.atom.is_some() && l.truth != Truth::Yes,
        })
    }
}

/// Decides whether an action may be done under a policy.
///
/// INVARIANT: knowing less never turns a refusal into a permission, and an operand that we cannot evaluate never helps.
pub fn evaluate(policy: &Policy, action: &str, operands: &Operands, context: &Context) -> Outcome {
    let action = super::spelled(action);
    let mut run = Run { operands, context, trace: Vec::new(), owed: Vec::new() };
    let mut permitted = Truth::No;
    for (n, rule) in policy.permission.iter().enumerate() {
        permitted = or(permitted, run.permission(rule, &action, &format!("/permission/{n}")));
    }
    let mut prohibited = Truth::No;
    for (n, rule) in policy.prohibition.iter().enumerate() {
        prohibited = or(prohibited, run.prohibition(rule, &action, &format!("/prohibition/{n}")));
    }
    for (n, duty) in policy.obligation.iter().enumerate() {
        run.duty(duty, format!("/obligation/{n}"), false);
    }
    let verdict = match (permitted, prohibited) {
        (_, Truth::Yes) | (Truth::No, _) => Verdict::Refuses,
        (Truth::Yes, Truth::No) => Verdict::Permits,
        (Truth::Open, _) | (_, Truth::Open) => Verdict::CannotTell,
    };
    Outcome { verdict, trace: run.trace, owed: run.owed }
}

struct Run<'a> {
    operands: &'a Operands,
    context: &'a Context,
    trace: Vec<Line>,
    owed: Vec<Owed>,
}

impl Run<'_> {
    fn permission(&mut self, rule: &Rule, action: &str, at: &str) -> Truth {
        if !Operands::includes(&rule.action, action) {
            self.line(at, Truth::No, Why::OtherAction);
            return Truth::No;
        }
        let mut truth = self.constraints(&rule.constraint, at);
        if truth != Truth::No {
            for (n, duty) in rule.duty.iter().enumerate() {
                let owed = self.duty(duty, format!("{at}/duty/{n}"), true);
                if owed {
                    // Whether it will be done is not known; until then the permission is not of use.
                    truth = and(truth, Truth::Open);
                    self.line(&format!("{at}/duty/{n}"), Truth::Open, Why::DutyFirst);
                }
            }
        }
        self.line(at, truth, Why::Joined);
        truth
    }

    fn prohibition(&mut self, rule: &Rule, action: &str, at: &str) -> Truth {
        let unknown = !self.operands.knows_action(&rule.action) && rule.action != action;
        if !unknown && !Operands::includes(&rule.action, action) {
            self.line(at, Truth::No, Why::OtherAction);
            return Truth::No;
        }
        let truth = self.constraints(&rule.constraint, at);
        let (truth, why) = match unknown {
            true => (and(truth, Truth::Open), Why::UnknownAction),
            false => (truth, Why::Joined),
        };
        self.line(at, truth, why);
        truth
    }

    /// Notes a duty and tells whether it is still to be done.
    fn duty(&mut self, duty: &Rule, at: String, first: bool) -> bool {
        let truth = self.constraints(&duty.constraint, &at);
        let done = self.context.done.contains(&at);
        if truth != Truth::No {
            self.owed.push(Owed { at, duty: duty.clone(), truth, first, done });
        }
        truth != Truth::No && !done
    }

    fn constraints(&mut self, all: &[Constraint], at: &str) -> Truth {
        let mut truth = Truth::Yes;
        for (n, constraint) in all.iter().enumerate() {
            truth = and(truth, self.constraint(constraint, &format!("{at}/constraint/{n}")));
        }
        truth
    }

    fn constraint(&mut self, constraint: &Constraint, at: &str) -> Truth {
        let (connective, parts) = match constraint {
            Constraint::Atom(atom) => return self.atom(atom, at),
            Constraint::Logic(connective, parts) => (*connective, parts),
        };
        let mut truths = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            truths.push(self.constraint(part, &format!("{at}/{}/{n}", connective.name())));
        }
        let truth = match connective {
            // What came in which order is not told to us, so that a sequence needs all, as `and` does.
            Connective::And | Connective::AndSequence => truths.iter().copied().fold(Truth::Yes, and),
            Connective::Or => truths.iter().copied().fold(Truth::No, or),
            Connective::Xone => {
                let n = |t: Truth| truths.iter().filter(|x| **x == t).count();
                match (n(Truth::Yes), n(Truth::Open)) {
                    (2.., _) => Truth::No,
                    (1, 0) => Truth::Yes,
                    (0, 0) => Truth::No,
                    _ => Truth::Open,
                }
            }
        };
        // An empty join says nothing, and nothing may rest on it.
        let truth = if parts.is_empty() { Truth::Open } else { truth };
        self.line(at, truth, Why::Joined);
        truth
    }

    fn atom(&mut self, atom: &Atom, at: &str) -> Truth {
        // In a prohibition the same word is a manner of the use, and is compared.
        let meaning = catena::meaning(&atom.left).filter(|_| !at.starts_with("/prohibition"));
        if let Some(truth) = meaning.and_then(|meaning| self.by_agreement(atom, meaning)) {
            let why = if truth == Truth::Open { Why::NotKnown } else { Why::Agreed };
            self.trace.push(Line { at: at.to_owned(), atom: Some(atom.clone()), held: None, truth, why });
            return truth;
        }
        let held = self.context.known(&atom.left);
        let (truth, why) = match (self.operands.domain(&atom.left), &held) {
            (None, _) => (Truth::Open, Why::UnknownOperand),
            (Some(_), None) => (Truth::Open, Why::NotKnown),
            (Some(domain), Some(Known::Values(values))) => match self.compare(atom, domain, values) {
                Some(truth) => (truth, Why::Compared),
                None => (Truth::Open, Why::NotComparable),
            },
            (Some(_), Some(Known::Between(low, high))) => match between(atom, low, high) {
                Some(truth) => (truth, Why::Compared),
                None => (Truth::Open, Why::NotComparable),
            },
        };
        self.trace.push(Line { at: at.to_owned(), atom: Some(atom.clone()), held, truth, why });
        truth
    }

    /// What a term of the parties comes to; none if it is to be compared.
    fn by_agreement(&self, atom: &Atom, meaning: Meaning) -> Option<Truth> {
        let Some(agreed) = self.context.agreed else {
            return (meaning != Meaning::Known).then_some(Truth::Open);
        };
        let until = |end: Option<i64>| match end {
            Some(end) if self.context.now.0 <= end => Truth::Yes,
            Some(_) => Truth::No,
            None => Truth::Open,
        };
        match meaning {
            Meaning::Known => None,
            Meaning::Term => Some(Truth::Yes),
            Meaning::UsedUntil | Meaning::UsedForDays => Some(until(catena::end_of_use(atom, agreed).map(|i| i.0))),
        }
    }

    fn compare(&self, atom: &Atom, domain: Domain, held: &BTreeSet<String>) -> Option<Truth> {
        let has = |right: &String| held.iter().any(|h| value::same(domain, h, right));
        let found = |yes: bool| Some(if yes { Truth::Yes } else { Truth::No });
        match atom.operator {
            Operator::Eq | Operator::Neq => {
                let typed = |t: &String| {
                    domain == Domain::Text || domain == Domain::Any || value::parse(domain, t).is_some()
                };
                if !held.iter().chain(&atom.right).all(typed) {
                    return None;
                }
                let equal = held.len() == atom.right.len() && atom.right.iter().all(has);
                found(equal == (atom.operator == Operator::Eq))
            }
            Operator::IsAnyOf => found(atom.right.iter().any(has)),
            Operator::IsNoneOf => found(!atom.right.iter().any(has)),
            Operator::IsAllOf => found(atom.right.iter().all(has)),
            Operator::IsA => Some(held.iter().map(|h| self.in_any(h, &atom.right)).fold(Truth::No, or)),
            Operator::IsPartOf if held.is_empty() => Some(Truth::No),
            Operator::IsPartOf => {
                Some(held.iter().map(|h| self.in_any(h, &atom.right)).fold(Truth::Yes, and))
            }
            Operator::HasPart => {
                let part = |r: &String| held.iter().map(|h| self.context.within(r, h)).fold(Truth::No, or);
                Some(atom.right.iter().map(part).fold(Truth::Yes, and))
            }
            Operator::Lt | Operator::Lteq | Operator::Gt | Operator::Gteq | Operator::TermLteq => {
                let (mut all, [right]) = (held.iter(), atom.right.as_slice()) else { return None };
                let (Some(one), None) = (all.next(), all.next()) else { return None };
                let order = value::compare(value::parse(domain, one)?, value::parse(domain, right)?)?;
                found(ordered(atom.operator, order))
            }
        }
    }

    fn in_any(&self, thing: &str, wholes: &[String]) -> Truth {
        wholes.iter().map(|w| self.context.within(thing, w)).fold(Truth::No, or)
    }

    fn line(&mut self, at: &str, truth: Truth, why: Why) {
        self.trace.push(Line { at: at.to_owned(), atom: None, held: None, truth, why });
    }
}

fn ordered(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Lt => order == Ordering::Less,
        Operator::Lteq | Operator::TermLteq => order != Ordering::Greater,
        Operator::Gt => order == Ordering::Greater,
        Operator::Gteq => order != Ordering::Less,
        _ => false,
    }
}

/// Compares a number of which only an interval is known: true or false if so at both ends.
fn between(atom: &Atom, low: &str, high: &str) -> Option<Truth> {
    let number = |t: &str| match value::parse(Domain::Number, t) {
        Some(Ordered::Number(n)) => Some(n),
        _ => None,
    };
    let (low, high) = (number(low)?, number(high)?);
    let rights: Option<Vec<i128>> = atom.right.iter().map(|r| number(r)).collect();
    let rights = rights?;
    if low > high {
        return None;
    }
    let can_be = |r: &i128| low <= *r && *r <= high;
    let must_be = |r: &i128| low == *r && high == *r;
    let truth = |yes: bool, no: bool| match (yes, no) {
        (true, _) => Truth::Yes,
        (_, true) => Truth::No,
        _ => Truth::Open,
    };
    match (atom.operator, rights.as_slice()) {
        (Operator::Eq, [r]) => Some(truth(must_be(r), !can_be(r))),
        (Operator::Neq, [r]) => Some(truth(!can_be(r), must_be(r))),
        (Operator::IsAnyOf, all) => Some(truth(all.iter().any(must_be), !all.iter().any(can_be))),
        (Operator::IsNoneOf, all) => Some(truth(!all.iter().any(can_be), all.iter().any(must_be))),
        (Operator::Lt | Operator::Lteq | Operator::Gt | Operator::Gteq | Operator::TermLteq, [r]) => {
            let (a, b) = (ordered(atom.operator, low.cmp(r)), ordered(atom.operator, high.cmp(r)));
            Some(truth(a && b, !a && !b))
        }
        _ => None,
    }
}

fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Open,
    }
}

fn or(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
        (Truth::No, Truth::No) => Truth::No,
        _ => Truth::Open,
    }
}
