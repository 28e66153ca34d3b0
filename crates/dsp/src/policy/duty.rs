//! What a contract leaves to be done after delivery: what, by whom, until when.
//!
//! ODRL names no clock for duties. We read `dateTime` as the moment, and `elapsedTime` or `delayPeriod` as counted from the
//! delivery, whatever the operator: what is owed within thirty days and what is owed after thirty days are both due then.

use super::evaluate::{Context, Truth, evaluate};
use super::operands::Operands;
use super::value::{self, Domain, Ordered};
use super::{Atom, Connective, Constraint, Policy, Rule, catena};
use crate::machine::Role;
use crate::profile;
use model::Instant;
use serde::{Deserialize, Serialize};

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Delete what was delivered.
    Delete,
    /// Tell the provider that it was delivered and is held.
    Inform,
    /// Report on the use.
    ReportUse,
    /// Provide the data until then.
    Provide,
    /// Another action of ODRL, that people do.
    Other,
}

/// One thing that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owing {
    /// Its place in the policy, by which fulfilment is noted; the same on both sides.
    pub at: String,
    /// What.
    pub act: Act,
    /// By whom.
    pub by: Role,
    /// Until when; none where the contract names no moment.
    pub due: Option<Instant>,
    /// The rule that says it.
    pub rule: Rule,
}

/// Finds what is owed under a policy that was agreed, for a delivery of that moment.
///
/// INVARIANT: what is known can free from a duty only if it says that a condition of it does not hold.
pub fn owed(policy: &Policy, agreed: Instant, delivered: Instant) -> Vec<Owing> {
    let mut out = Vec::new();
    for (n, rule) in policy.obligation.iter().enumerate() {
        let at = format!("/obligation/{n}");
        let mut due: Option<Instant> = None;
        let rest = without_time(rule, agreed, delivered, &mut due);
        if applies(&rest, delivered, agreed) {
            let (act, by) = act_of(rule);
            out.push(Owing { at, act, by, due, rule: rule.clone() });
        }
    }
    if let Some(end) = catena::use_ends(policy, agreed)
        && catena::deletes_at_end(policy)
    {
        let rule = Rule::new("delete", catena::ends_of_use(policy).cloned().map(Constraint::Atom).collect());
        out.push(Owing { at: "/use-end".into(), act: Act::Delete, by: Role::Consumer, due: Some(end), rule });
    }
    out
}

fn act_of(rule: &Rule) -> (Act, Role) {
    match rule.action.as_str() {
        "delete" => (Act::Delete, Role::Consumer),
        "inform" => (Act::Inform, Role::Consumer),
        profile::REPORT_USE => (Act::ReportUse, Role::Consumer),
        // Catena-X writes as a duty to use what is a duty to provide.
        "use" => (Act::Provide, Role::Provider),
        _ => (Act::Other, Role::Consumer),
    }
}

/// Takes the moments out of a duty's conditions, the earliest of which is when it is due.
fn without_time(rule: &Rule, agreed: Instant, delivered: Instant, due: &mut Option<Instant>) -> Rule {
    let mut take = |atom: &Atom| match moment(atom, agreed, delivered) {
        Some(at) => {
            *due = Some(due.map_or(at, |before: Instant| before.min(at)));
            true
        }
        None => false,
    };
    let mut rest = rule.clone();
    rest.constraint.retain_mut(|constraint| match constraint {
        Constraint::Atom(atom) => !take(atom),
        Constraint::Logic(Connective::And | Connective::AndSequence, parts) => {
            parts.retain(|part| !matches!(part, Constraint::Atom(atom) if take(atom)));
            !parts.is_empty()
        }
        Constraint::Logic(..) => true,
    });
    rest
}

/// The moment that a comparison names.
fn moment(atom: &Atom, agreed: Instant, delivered: Instant) -> Option<Instant> {
    let [right] = atom.right.as_slice() else { return None };
    let (start, domain) = match atom.left.as_str() {
        "dateTime" | "cx-policy:DataProvisioningEndDate" => (Instant(0), Domain::Time),
        "elapsedTime" | "delayPeriod" => (delivered, Domain::Duration),
        "cx-policy:DataProvisioningEndDurationDays" => {
            let days = right.parse::<i64>().ok()?;
            return Some(Instant(agreed.0.checked_add(days.checked_mul(86_400_000)?)?));
        }
        _ => return None,
    };
    match value::parse(domain, right)? {
        // A day lasts until its end.
        Ordered::Time(_, last) => Some(Instant(last)),
        Ordered::Duration(ms) => Some(Instant(start.0.checked_add(ms)?)),
        Ordered::Number(_) => None,
    }
}

/// Whether a duty is owed, as far as its other conditions tell; what is not known does not free from it.
fn applies(rule: &Rule, now: Instant, agreed: Instant) -> bool {
    let mut only = Policy::offer("", Vec::new());
    only.obligation = vec![rule.clone()];
    let outcome = evaluate(&only, "use", &Operands::standard(), &Context::at(now).agreed(agreed));
    outcome.owed.iter().any(|owed| owed.truth != Truth::No)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const DAY: i64 = 86_400_000;

    fn policy(obligation: Value) -> Policy {
        Policy::read(&json!({"@id": "urn:p", "permission": [{"action": "use"}], "obligation": obligation}))
            .unwrap()
    }

    fn due(obligation: Value) -> Vec<(Act, Role, Option<i64>)> {
        let owed = owed(&policy(obligation), Instant(0), Instant(DAY));
        owed.into_iter().map(|o| (o.act, o.by, o.due.map(|i| i.0))).collect()
    }

    fn atom(left: &str, operator: &str, right: &str) -> Value {
        json!({"leftOperand": left, "operator": operator, "rightOperand": right})
    }

    #[test]
    fn each_duty_has_its_moment_and_its_party() {
        let made = due(json!([
            {"action": "delete", "constraint": [atom("elapsedTime", "lteq", "P30D")]},
            {"action": "delete", "constraint": [atom("delayPeriod", "gteq", "PT1H"), atom("dateTime", "lteq", "1970-01-02")]},
            {"action": "inform", "constraint": [{"and": [atom("dateTime", "eq", "1970-01-03T00:00:00Z"), atom("spatial", "eq", "JP")]}]},
            {"action": "tegata:report-use", "constraint": [atom("elapsedTime", "eq", "P1W")]},
            {"action": "attribute"},
            {"action": "use", "constraint": [{"and": [atom("DataProvisioningEndDurationDays", "eq", "2")]}]}
        ]));
        let (c, p) = (Role::Consumer, Role::Provider);
        assert_eq!(
            made,
            [
                (Act::Delete, c, Some(31 * DAY)),
                (Act::Delete, c, Some(DAY + 3_600_000)),
                (Act::Inform, c, Some(2 * DAY)),
                (Act::ReportUse, c, Some(8 * DAY)),
                (Act::Other, c, None),
                (Act::Provide, p, Some(2 * DAY)),
            ]
        );
        // A moment in a choice is no moment: it stands, and the duty is owed.
        let choice = json!([{"action": "delete", "constraint": [{"or": [atom("dateTime", "lteq", "1970-01-03"), atom("spatial", "eq", "JP")]}]}]);
        assert_eq!(due(choice), [(Act::Delete, c, None)]);
    }

    #[test]
    fn the_end_of_a_use_is_a_duty_to_delete_unless_the_data_may_be_kept() {
        let with = |constraints: Value| {
            let read = json!({"@id": "urn:p", "permission": [{"action": "use", "constraint": [{"and": constraints}]}]});
            owed(&Policy::read(&read).unwrap(), Instant(0), Instant(DAY))
        };
        let days = atom("DataUsageEndDurationDays", "eq", "3");
        let made = with(json!([days]));
        assert_eq!(
            (made.len(), made[0].act, made[0].due, made[0].at.as_str()),
            (1, Act::Delete, Some(Instant(3 * DAY)), "/use-end")
        );
        assert!(with(json!([days, atom("ContractTermination", "eq", "cx.data.keeping:1")])).is_empty());
        assert!(
            with(json!([atom("DataUsageEndDefinition", "eq", "cx.dataUsageEnd.unlimited:1")])).is_empty()
        );
    }
}
