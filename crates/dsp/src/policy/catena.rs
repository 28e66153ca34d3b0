//! The policies of Catena-X, release 2025-9: which words there are, where each may stand, what it takes and how it is decided.
//!
//! Source: catenax-eV/cx-odrl-profile, schema 2025/9, state of 2025-09-17 (CC-BY-4.0; facts carried over, no text copied).
//! Words of releases before it have another namespace and other values; they are not these, and stay unknown.

use super::value::{self, Domain};
use super::{Atom, Connective, Constraint, Operator, Policy, Rule};
use crate::json::Malformed;
use model::Instant;

/// Before each name, as we keep it.
pub const PREFIX: &str = "cx-policy:";
/// Before each name, as it goes over the wire: nobody needs a context of ours to read it.
pub const NAMESPACE: &str = "https://w3id.org/catenax/2025/9/policy/";
/// The action of a policy that says who sees an offer; it never goes over the wire.
pub const ACCESS: &str = "cx-policy:access";

/// What a word takes on its right side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// One of these; free text too where the list is open.
    Listed(&'static [&'static str]),
    /// One of these, or a purpose of the parties' own, which is not in Catena-X's own form.
    ListedOrOwn(&'static [&'static str]),
    /// Any text.
    Free,
    /// The number of a legal entity: `BPNL` and twelve digits or capitals.
    Bpnl,
    /// A moment with seconds and zone.
    Moment,
    /// A whole number, greater than zero.
    Whole,
}

/// How a word is decided in a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// By what is known of the other party.
    Known,
    /// It is a term that both take with the agreement; nothing at run time could decide it.
    Term,
    /// The use ends at a moment.
    UsedUntil,
    /// The use ends so many days after the agreement.
    UsedForDays,
}

/// Where a word may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Places {
    access: bool,
    permission: bool,
    prohibition: bool,
    obligation: bool,
}

struct Word {
    name: &'static str,
    operators: &'static [Operator],
    takes: Takes,
    meaning: Meaning,
    places: Places,
    /// Words of one group exclude each other.
    group: Option<&'static str>,
}

const EQ: &[Operator] = &[Operator::Eq];
const ANY: &[Operator] = &[Operator::IsAnyOf];
const ALL: &[Operator] = &[Operator::IsAllOf];
const ANY_NONE: &[Operator] = &[Operator::IsAnyOf, Operator::IsNoneOf];

const IN_ACCESS: Places = Places { access: true, permission: false, prohibition: false, obligation: false };
const IN_BOTH: Places = Places { access: true, permission: true, prohibition: false, obligation: false };
const IN_USE: Places = Places { access: false, permission: true, prohibition: false, obligation: false };
const IN_USE_OR_NOT: Places =
    Places { access: false, permission: true, prohibition: true, obligation: false };
const IN_PROHIBITION: Places =
    Places { access: false, permission: false, prohibition: true, obligation: false };
const IN_OBLIGATION: Places =
    Places { access: false, permission: false, prohibition: false, obligation: true };

const REGIONS: &[&str] = &[
    "cx.region.all:1",
    "cx.region.europe:1",
    "cx.region.northAmerica:1",
    "cx.region.southAmerica:1",
    "cx.region.africa:1",
    "cx.region.asia:1",
    "cx.region.oceania:1",
    "cx.region.antarctica:1",
];

const PURPOSES: &[&str] = &[
    "cx.core.legalRequirementForThirdparty:1",
    "cx.core.industrycore:1",
    "cx.core.qualityNotifications:1",
    "cx.core.digitalTwinRegistry:1",
    "cx.pcf.base:1",
    "cx.quality.base:1",
    "cx.dcm.base:1",
    "cx.puris.base:1",
    "cx.circular.dpp:1",
    "cx.circular.smc:1",
    "cx.circular.marketplace:1",
    "cx.circular.materialaccounting:1",
    "cx.bpdm.gate.upload:1",
    "cx.bpdm.gate.download:1",
    "cx.bpdm.pool:1",
    "cx.bpdm.poolAll:1",
    "cx.bpdm.vas.countryrisk:1",
    "cx.bpdm.vas.dataquality.upload:1",
    "cx.bpdm.vas.dataquality.download:1",
    "cx.bpdm.vas.bdv.upload:1",
    "cx.bpdm.vas.bdv.download:1",
    "cx.bpdm.vas.fpd.upload:1",
    "cx.bpdm.vas.fpd.download:1",
    "cx.bpdm.vas.swd.upload:1",
    "cx.bpdm.vas.swd.download:1",
    "cx.bpdm.vas.nps.upload:1",
    "cx.bpdm.vas.nps.download:1",
    "cx.ccm.base:1",
    "cx.logistics.base:1",
];

const RESTRICTIONS: &[&str] = &[
    "cx.thirdParty.forbidden:1",
    "cx.manipulation.forbidden:1",
    "cx.derivations.forbidden:1",
    "cx.extraordinaryAnalytics.forbidden:1",
    "cx.dataProviderRemoval.forbidden:1",
];

const fn word(
    name: &'static str,
    operators: &'static [Operator],
    takes: Takes,
    meaning: Meaning,
    places: Places,
) -> Word {
    Word { name, operators, takes, meaning, places, group: None }
}

const fn one_of(group: &'static str, word: Word) -> Word {
    Word { group: Some(group), ..word }
}

use Meaning::{Known, Term, UsedForDays, UsedUntil};
use Takes::{Bpnl, Free, Listed, ListedOrOwn, Moment, Whole};

const WORDS: [Word; 29] = [
    word("Membership", EQ, Listed(&["active"]), Known, IN_BOTH),
    word("FrameworkAgreement", EQ, Listed(&["DataExchangeGovernance:1.0"]), Known, IN_BOTH),
    word("BusinessPartnerNumber", ANY_NONE, Bpnl, Known, IN_ACCESS),
    word("BusinessPartnerGroup", ANY_NONE, Free, Known, IN_ACCESS),
    word("UsagePurpose", ANY, ListedOrOwn(PURPOSES), Term, IN_USE),
    word("ContractReference", ALL, Free, Term, IN_USE),
    word("AffiliatesRegion", ANY, Listed(REGIONS), Term, IN_USE_OR_NOT),
    word("AffiliatesBpnl", ANY, Bpnl, Term, IN_USE_OR_NOT),
    word("ManagedLegalEntityRegion", ANY, Listed(REGIONS), Term, IN_USE),
    word("ManagedLegalEntityBpnl", ANY, Bpnl, Term, IN_USE),
    word(
        "DataFrequency",
        EQ,
        Listed(&["cx.dataFrequency.once:1", "cx.dataFrequency.unlimited:1"]),
        Term,
        IN_USE,
    ),
    word(
        "VersionChanges",
        EQ,
        Listed(&["cx.versionChanges.minor:1", "cx.versionChanges.major:1"]),
        Term,
        IN_USE,
    ),
    word("ContractTermination", EQ, Listed(&[DELETE_AT_END, KEEP_AT_END]), Term, IN_USE),
    word("ConfidentialInformationMeasures", EQ, Listed(&["cx.confidentiality.measures:1"]), Term, IN_USE),
    word(
        "ConfidentialInformationSharing",
        ANY,
        Listed(&["cx.sharing.affiliates:1", "cx.sharing.managedLegalEntity:1"]),
        Term,
        IN_USE,
    ),
    word("ExclusiveUsage", EQ, Listed(&["cx.exclusiveUsage.dataConsumer:1"]), Term, IN_USE),
    word(
        "Warranty",
        EQ,
        Listed(&["cx.warranty.none:1", "cx.warranty.contractReference:1", "cx.warranty.dataQualityIssues:1"]),
        Term,
        IN_USE,
    ),
    one_of("how long a warranty lasts", word("WarrantyDurationMonths", EQ, Whole, Term, IN_USE)),
    one_of(
        "how long a warranty lasts",
        word("WarrantyDefinition", EQ, Listed(&["cx.warranty.contractEndDate:1"]), Term, IN_USE),
    ),
    word("Liability", EQ, Listed(&["cx.grossNegligence:1", "cx.slightNegligence:1"]), Term, IN_USE),
    word("JurisdictionLocation", EQ, Free, Term, IN_USE),
    word(
        "JurisdictionLocationReference",
        EQ,
        Listed(&["cx.location.dataConsumer:1", "cx.location.contractReference:1"]),
        Term,
        IN_USE,
    ),
    word(
        "Precedence",
        EQ,
        Listed(&["cx.precedence.contractReference:1", "cx.precedence.rcAgreement:1"]),
        Term,
        IN_USE,
    ),
    one_of("when the use ends", word(USE_END_DATE, EQ, Moment, UsedUntil, IN_USE)),
    one_of("when the use ends", word(USE_END_DAYS, EQ, Whole, UsedForDays, IN_USE)),
    one_of(
        "when the use ends",
        word("DataUsageEndDefinition", EQ, Listed(&["cx.dataUsageEnd.unlimited:1"]), Term, IN_USE),
    ),
    word("UsageRestriction", ALL, Listed(RESTRICTIONS), Term, IN_PROHIBITION),
    one_of(
        "until when the data is provided",
        word("DataProvisioningEndDate", EQ, Moment, Term, IN_OBLIGATION),
    ),
    one_of(
        "until when the data is provided",
        word("DataProvisioningEndDurationDays", EQ, Whole, Term, IN_OBLIGATION),
    ),
];

const DAY_MS: i64 = 86_400_000;
const USE_END_DATE: &str = "DataUsageEndDate";
const USE_END_DAYS: &str = "DataUsageEndDurationDays";
const DELETE_AT_END: &str = "cx.data.deletion:1";
const KEEP_AT_END: &str = "cx.data.keeping:1";

fn found(left: &str) -> Option<&'static Word> {
    let name = left.strip_prefix(PREFIX)?;
    WORDS.iter().find(|w| w.name == name)
}

/// Every word, as we keep it.
pub fn names() -> impl Iterator<Item = String> {
    WORDS.iter().map(|w| format!("{PREFIX}{}", w.name))
}

/// The words that are manners of use: what a plain use, by the recipient itself and for itself, has none of.
pub fn manners() -> impl Iterator<Item = String> {
    WORDS.iter().filter(|w| w.places.prohibition).map(|w| format!("{PREFIX}{}", w.name))
}

/// The one spelling that we keep of a word: a policy that names the context of Catena-X writes it without a prefix, and
/// no word of ODRL is spelled so.
pub(super) fn kept(name: String) -> String {
    let bare = name == "access" || WORDS.iter().any(|w| w.name == name);
    if bare { format!("{PREFIX}{name}") } else { name }
}

/// How a word is decided in a permission; none for words of others.
pub fn meaning(left: &str) -> Option<Meaning> {
    found(left).map(|w| w.meaning)
}

/// The kind of values of a word.
pub(super) fn domain(left: &str) -> Option<Domain> {
    Some(match found(left)?.takes {
        Moment => Domain::Time,
        Whole => Domain::Number,
        Listed(_) | ListedOrOwn(_) | Free | Bpnl => Domain::Text,
    })
}

/// Whether the recipient deletes when the use ends: by its own word, or because an end of use means it, unless the
/// contract says that the data may be kept.
pub fn deletes_at_end(policy: &Policy) -> bool {
    let says = |value: &str| {
        atoms(&policy.permission)
            .any(|a| a.left == format!("{PREFIX}ContractTermination") && a.right == [value])
    };
    !says(KEEP_AT_END)
}

/// The last moment of the use by one comparison, for an agreement of that moment.
pub fn end_of_use(atom: &Atom, agreed: Instant) -> Option<Instant> {
    let [right] = atom.right.as_slice() else { return None };
    match meaning(&atom.left)? {
        UsedUntil => match value::parse(Domain::Time, right)? {
            value::Ordered::Time(_, last) => Some(Instant(last)),
            _ => None,
        },
        UsedForDays => {
            let days = right.parse::<i64>().ok().filter(|n| *n > 0)?;
            Some(Instant(agreed.0.checked_add(days.checked_mul(DAY_MS)?)?))
        }
        Known | Term => None,
    }
}

/// The last moment of the use under a policy, if a permission names one.
pub fn use_ends(policy: &Policy, agreed: Instant) -> Option<Instant> {
    atoms(&policy.permission).filter_map(|atom| end_of_use(atom, agreed)).min()
}

/// The comparisons that say when the use ends.
pub fn ends_of_use(policy: &Policy) -> impl Iterator<Item = &Atom> {
    atoms(&policy.permission).filter(|a| matches!(meaning(&a.left), Some(UsedUntil | UsedForDays)))
}

/// All comparisons of these rules, whatever joins them.
fn atoms(rules: &[Rule]) -> impl Iterator<Item = &Atom> {
    let mut open: Vec<&Constraint> = rules.iter().flat_map(|r| &r.constraint).collect();
    std::iter::from_fn(move || {
        loop {
            match open.pop()? {
                Constraint::Atom(atom) => return Some(atom),
                Constraint::Logic(_, parts) => open.extend(parts),
            }
        }
    })
}

/// What is wrong with the words of Catena-X in a policy; nothing is said of a policy that has none.
pub(super) fn check(policy: &Policy) -> Vec<Malformed> {
    let mut faults = Vec::new();
    let lists = [
        ("permission", &policy.permission),
        ("prohibition", &policy.prohibition),
        ("obligation", &policy.obligation),
    ];
    for (key, rules) in lists {
        for (n, rule) in rules.iter().enumerate() {
            let at = format!("/{key}/{n}");
            if key != "permission" && rule.action == ACCESS {
                let says = "who sees an offer is said by permissions alone".to_owned();
                faults.push(Malformed::new("catena/place", format!("{at}/action"), says));
            }
            let mut seen: Vec<&'static Word> = Vec::new();
            for (m, constraint) in rule.constraint.iter().enumerate() {
                check_constraint(
                    constraint,
                    key,
                    rule,
                    &format!("{at}/constraint/{m}"),
                    &mut seen,
                    &mut faults,
                );
            }
        }
    }
    faults
}

fn check_constraint(
    constraint: &Constraint,
    key: &str,
    rule: &Rule,
    at: &str,
    seen: &mut Vec<&'static Word>,
    faults: &mut Vec<Malformed>,
) {
    match constraint {
        Constraint::Logic(connective, parts) => {
            let ours = atoms(std::slice::from_ref(rule)).any(|a| found(&a.left).is_some());
            if ours && *connective != Connective::And {
                let says =
                    format!("the words of Catena-X are joined by `and`, not by `{}`", connective.name());
                faults.push(Malformed::new("catena/joined", at, says));
            }
            for (n, part) in parts.iter().enumerate() {
                check_constraint(part, key, rule, &format!("{at}/{}/{n}", connective.name()), seen, faults);
            }
        }
        Constraint::Atom(atom) => {
            if let Some(word) = found(&atom.left) {
                check_atom(word, atom, key, rule, at, faults);
                let other =
                    |w: &&&'static Word| w.group.is_some() && w.group == word.group && w.name != word.name;
                if let Some(other) = seen.iter().find(other) {
                    let both = format!(
                        "`{}` and `{}` both say {}",
                        other.name,
                        word.name,
                        word.group.unwrap_or_default()
                    );
                    faults.push(Malformed::new("catena/excludes", at, both));
                }
                seen.push(word);
            }
        }
    }
}

fn check_atom(word: &Word, atom: &Atom, key: &str, rule: &Rule, at: &str, faults: &mut Vec<Malformed>) {
    let fits = match (key, rule.action.as_str()) {
        ("permission", ACCESS) => word.places.access,
        ("permission", _) => word.places.permission,
        ("prohibition", _) => word.places.prohibition,
        _ => word.places.obligation,
    };
    if !fits {
        let says = format!("`{}` does not belong into a {key} of `{}`", word.name, rule.action);
        faults.push(Malformed::new("catena/place", format!("{at}/leftOperand"), says));
    }
    if !word.operators.contains(&atom.operator) {
        let may: Vec<&str> = word.operators.iter().map(|o| o.name()).collect();
        let says = format!(
            "`{}` is compared by `{}`, not by `{}`",
            word.name,
            may.join("` or `"),
            atom.operator.name()
        );
        faults.push(Malformed::new("catena/operator", format!("{at}/operator"), says));
    }
    for right in &atom.right {
        if !takes(word.takes, right) {
            let says = format!("`{right}` is no value of `{}`", word.name);
            faults.push(Malformed::new("catena/value", format!("{at}/rightOperand"), says));
        }
    }
}

fn takes(takes: Takes, right: &str) -> bool {
    match takes {
        Listed(all) => all.contains(&right),
        // `cx.` is the association's own: what looks like its purpose and is not on its list is a mistake.
        ListedOrOwn(all) => all.contains(&right) || !right.starts_with("cx.") && !right.trim().is_empty(),
        Free => !right.trim().is_empty(),
        Bpnl => right.strip_prefix("BPNL").is_some_and(|rest| {
            rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        }),
        Moment => {
            let (day, clock) = right.split_once('T').unwrap_or((right, ""));
            let zoned = clock.ends_with('Z') || clock.get(8..9).is_some_and(|c| c == "+" || c == "-");
            day.len() == 10 && clock.len() >= 9 && zoned && value::parse(Domain::Time, right).is_some()
        }
        Whole => right.parse::<u32>().is_ok_and(|n| n > 0),
    }
}
