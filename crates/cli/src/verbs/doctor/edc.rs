//! `tegata doctor --edc`: why negotiations of an Eclipse EDC hang or end. What is said of its states holds for EDC 0.15.

use super::{Fail, Finding, Fine, Warn};
use crate::edc::{Management, Unread, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// LIMIT: rows of each kind that are looked at, newest first.
const ROWS_MAX: usize = 1000;
/// LIMIT: lines about negotiations and transfers, so that all fits one screen.
const LINES_MAX: usize = 8;
/// How many datasets a catalog of EDC shows when the request does not say.
const CATALOG_DEFAULT: usize = 50;
/// How long a step may take before it is called stuck.
const PATIENCE_MS: i64 = 60_000;

/// What an EDC told of itself.
#[derive(Debug, Default)]
pub struct Seen {
    negotiations: Vec<Value>,
    transfers: Vec<Value>,
    definitions: Vec<Value>,
    policies: Vec<Value>,
    assets: Vec<Value>,
    /// None: this EDC does not tell.
    planes: Option<Vec<Value>>,
}

/// Reads the management API at `base`; `key` goes into `X-Api-Key`.
pub fn look(base: &str, key: Option<&str>) -> Result<Seen, Unread> {
    let edc = Management::at(base, key);
    Ok(Seen {
        negotiations: edc.some("contractnegotiations", true, ROWS_MAX)?,
        transfers: edc.some("transferprocesses", false, ROWS_MAX)?,
        definitions: edc.some("contractdefinitions", false, ROWS_MAX)?,
        policies: edc.some("policydefinitions", false, ROWS_MAX)?,
        assets: edc.some("assets", false, ROWS_MAX)?,
        planes: edc.get("dataplanes").ok(),
    })
}

/// Judges what was seen; `reach` tells whether an address answers from this machine.
pub fn judge(seen: &Seen, now: model::Instant, reach: &dyn Fn(&str) -> bool) -> Vec<(&'static str, Finding)> {
    let mut all = vec![("edc", Fine(format!(
        "{} negotiations, {} transfers, {} assets in {} contract definitions{}",
        seen.negotiations.len(), seen.transfers.len(), seen.assets.len(), seen.definitions.len(),
        seen.planes.as_ref().map(|p| format!(", {} data planes", p.len())).unwrap_or_default(),
    )))];
    all.extend(processes("negotiation", &seen.negotiations, now, reach));
    all.extend(processes("transfer", &seen.transfers, now, reach));
    all.extend(offered(seen));
    all
}

/// What cannot be offered or given as it is set up.
fn offered(seen: &Seen) -> Vec<(&'static str, Finding)> {
    let mut all = Vec::new();
    let known: BTreeSet<&str> = seen.policies.iter().map(|p| text(p, "@id")).collect();
    for definition in &seen.definitions {
        let id = text(definition, "@id");
        for key in ["accessPolicyId", "contractPolicyId"] {
            let policy = text(definition, key);
            if !known.contains(policy) {
                all.push(("offer", Fail(format!("contract definition `{id}` names the policy `{policy}`, which is not there"), "its datasets are in no catalog: create the policy, or name another".into())));
            }
        }
        let selects = definition.get("assetsSelector").is_some_and(|s| s.is_object() || s.as_array().is_some_and(|a| !a.is_empty()));
        if !selects {
            all.push(("offer", Warn(format!("contract definition `{id}` selects every asset"), "give it an `assetsSelector`, unless everything is meant".into())));
        }
    }
    if seen.definitions.is_empty() {
        all.push(("offer", Warn("there is no contract definition, so its catalog is empty".into(), "a consumer that finds nothing to ask for is no stuck negotiation".into())));
    }
    if seen.assets.len() > CATALOG_DEFAULT {
        all.push(("catalog", Warn(format!("{} assets; a catalog request that names no limit is shown {CATALOG_DEFAULT}", seen.assets.len()), "let consumers page, or filter by `querySpec`".into())));
    }
    let mut operands = BTreeSet::new();
    seen.policies.iter().for_each(|p| left_operands(p, &mut operands));
    if !operands.is_empty() {
        let names: Vec<&str> = operands.iter().map(String::as_str).collect();
        all.push(("policy", Warn(format!("policies rest on: {}", names.join(", ")), "this API does not tell whether a function is bound to each, in the scope where it is asked; without one EDC does not judge the constraint".into())));
    }
    if let Some(planes) = &seen.planes {
        let ready = planes.iter().any(|p| text(p, "state") == "AVAILABLE" || text(p, "state").is_empty());
        if !ready && (!seen.definitions.is_empty() || !seen.transfers.is_empty()) {
            all.push(("plane", Fail("no data plane is available".into(), "transfers end when they start: register one, or look why it is not AVAILABLE".into())));
        }
    }
    all
}

fn left_operands(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if key.ends_with("leftOperand") {
                    let name = inner.as_str().or_else(|| inner.get("@id").and_then(Value::as_str));
                    found.extend(name.map(|n| n.rsplit(['/', '#']).next().unwrap_or(n).to_owned()));
                } else {
                    left_operands(inner, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|v| left_operands(v, found)),
        _ => {}
    }
}

/// Processes that stand or ended early, those alike in one line.
fn processes(kind: &'static str, rows: &[Value], now: model::Instant, reach: &dyn Fn(&str) -> bool) -> Vec<(&'static str, Finding)> {
    let mut alike: BTreeMap<(String, String), (usize, i64, String)> = BTreeMap::new();
    for row in rows {
        let (state, role, peer) = (text(row, "state"), text(row, "type"), text(row, "counterPartyAddress"));
        // Each answer says since when it stands; earlier versions say only when it was created.
        let since = ["stateTimestamp", "createdAt"].iter().find_map(|k| row.get(*k).and_then(Value::as_i64)).unwrap_or(now.0);
        let age = now.0 - since;
        let Some((says, help)) = explain(kind, role, state, peer, text(row, "errorDetail"), age, reach) else { continue };
        let line = alike.entry((says, help)).or_insert_with(|| (0, age, text(row, "@id").to_owned()));
        line.0 += 1;
        line.1 = line.1.min(age);
    }
    let mut lines: Vec<_> = alike.into_iter().collect();
    lines.sort_by_key(|(_, (_, age, _))| *age);
    let hidden = lines.len().saturating_sub(LINES_MAX);
    let mut all: Vec<(&'static str, Finding)> = lines
        .into_iter()
        .take(LINES_MAX)
        .map(|((says, help), (n, age, id))| {
            let many = if n > 1 { format!(" ({n} like this)") } else { String::new() };
            (kind, Fail(format!("{says}{many}; last {}, `{id}`", ago(age)), help))
        })
        .collect();
    if hidden > 0 {
        all.push((kind, Warn(format!("{hidden} more kinds of trouble, older than these"), "mend these first".into())));
    }
    all
}

fn ago(ms: i64) -> String {
    match ms / 1_000 {
        s if s < 120 => format!("{s} s ago"),
        s if s < 7_200 => format!("{} min ago", s / 60),
        s if s < 172_800 => format!("{} h ago", s / 3_600),
        s => format!("{} days ago", s / 86_400),
    }
}

/// Why one process stands or ended, and what to do; none: nothing is wrong with it.
fn explain(kind: &str, role: &str, state: &str, peer: &str, error: &str, age: i64, reach: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    let consumer = role == "CONSUMER";
    let other = if consumer { "provider" } else { "consumer" };
    if state == "TERMINATED" || state == "TERMINATING" {
        return Some(ended(kind, other, peer, error));
    }
    if age < PATIENCE_MS {
        return None;
    }
    let unheard = |what: &str| {
        let says = format!("{kind} {state}: {what} has not been taken by the {other} at {peer}");
        let help = match reach(peer) {
            false => format!("nobody answers there from this machine either: is it up, and is that the address it tells others (`edc.dsp.callback.address`)?"),
            true => "something answers there from here: look in this EDC's log for what it said (401, 404, a time-out), and whether EDC itself can reach it".to_owned(),
        };
        Some((says, help))
    };
    let theirs = |what: &str| Some((format!("{kind} {state}: the {other} at {peer} has it and {what}"), format!("it is the {other}'s move: ask them, or end it by `terminate`")));
    match (kind, state) {
        ("negotiation", "INITIAL" | "REQUESTING") => unheard("the request"),
        ("negotiation", "REQUESTED") if consumer => theirs("has neither agreed nor refused"),
        ("negotiation", "REQUESTED" | "ACCEPTED") => Some((format!("negotiation {state}: asked by {peer}, and this EDC has not agreed"), "EDC agrees by itself, unless a pending guard holds it or its state machine stands: look at its log, and whether other negotiations move".into())),
        ("negotiation", "OFFERED") if consumer => Some((format!("negotiation OFFERED: the provider at {peer} offers other terms"), "EDC accepts none by itself: accept by the management API, or end it".into())),
        ("negotiation", "OFFERED") => theirs("has not answered the offer"),
        ("negotiation", "OFFERING" | "ACCEPTING" | "AGREEING" | "VERIFYING" | "FINALIZING") => unheard(match state {
            "AGREEING" => "the agreement",
            "VERIFYING" => "the verification",
            "FINALIZING" => "the end",
            _ => "the message",
        }),
        ("negotiation", "AGREED") if consumer => unheard("the verification"),
        ("negotiation", "AGREED") => theirs("has not verified the agreement"),
        ("negotiation", "VERIFIED") if consumer => theirs("has not finalized"),
        ("negotiation", "VERIFIED") => unheard("the end"),
        ("transfer", "INITIAL" | "PROVISIONING" | "PROVISIONED" | "REQUESTING" | "STARTING" | "SUSPENDING" | "RESUMING" | "COMPLETING") => unheard("the message"),
        ("transfer", "REQUESTED") if consumer => theirs("has not started"),
        ("transfer", "REQUESTED") => Some((format!("transfer REQUESTED: asked by {peer}, and this EDC has not started"), "is a data plane available for its transfer type?".into())),
        _ => None,
    }
}

/// Why a process ended early.
fn ended(kind: &str, other: &str, peer: &str, error: &str) -> (String, String) {
    if error.is_empty() {
        let says = format!("{kind} TERMINATED by the {other} at {peer}, which gave no reason here");
        return (says, format!("the reason is at the {other}: its `errorDetail` and log tell it"));
    }
    let low = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| low.contains(w));
    let help = if has(&["not equal to the one in the contract offer", "policy equality"]) {
        "the request was not word for word the offer of the catalog: ask again with the offer of a fresh catalog, its id included"
    } else if has(&["401", "403", "unauthorized", "not authorized", "credential", "token"]) {
        "one side does not believe who the other is: credentials, trusted issuers, clocks, DID documents"
    } else if has(&["connect", "timed out", "timeout", "refused", "unknownhost", "unresolved"]) {
        "the network: the address that a side tells others (`edc.dsp.callback.address`) must be reachable from the other"
    } else if has(&["404", "not found"]) {
        "an address or an id is unknown there: base address of the protocol with its version, agreement, dataset"
    } else if has(&["policy", "constraint"]) {
        "a constraint was not met, or no function judges it"
    } else if has(&["data plane", "dataplane", "no suitable"]) {
        "no data plane takes this transfer type and source"
    } else {
        "the words are EDC's own; its log has more"
    };
    (format!("{kind} TERMINATED with {peer}: {}", said(error)), help.to_owned())
}

/// The sentence in an error, without the JSON around it.
fn said(error: &str) -> String {
    let inner = error.find('{').and_then(|at| serde_json::from_str::<Value>(error.get(at..)?).ok());
    let reason = inner.as_ref().and_then(|v| v.get("reason")).map(|r| match r {
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        other => other.as_str().unwrap_or_default().to_owned(),
    });
    let whole = match (reason.filter(|r| !r.is_empty()), error.find('{')) {
        (Some(reason), Some(at)) => format!("{} {reason}", error.get(..at).unwrap_or_default().trim_end()),
        _ => error.to_owned(),
    };
    let short: String = whole.chars().map(|c| if c.is_control() { ' ' } else { c }).take(180).collect();
    if short.len() < whole.len() { format!("{short}…") } else { short }
}

/// Whether the host of an address takes connections.
pub fn answers(url: &str) -> bool {
    let (rest, port) = match url.split_once("://") {
        Some(("https", rest)) => (rest, 443),
        Some((_, rest)) => (rest, 80),
        None => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:{port}") };
    let address = host.to_socket_addrs().ok().and_then(|mut a| a.next());
    address.is_some_and(|a| TcpStream::connect_timeout(&a, Duration::from_secs(2)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: model::Instant = model::Instant(1_800_000_000_000);

    fn negotiation(role: &str, state: &str, age_s: i64, error: &str) -> Value {
        let mut row = json!({ "@id": "n", "type": role, "state": state, "counterPartyAddress": "http://peer.example/dsp", "createdAt": NOW.0 - age_s * 1_000 });
        if !error.is_empty() {
            row["errorDetail"] = error.into();
        }
        row
    }

    fn lines(seen: &Seen, reached: bool) -> Vec<String> {
        judge(seen, NOW, &|_| reached)
            .into_iter()
            .map(|(name, finding)| match finding {
                Fine(what) => format!("ok {name} {what}"),
                Warn(what, help) => format!("warn {name} {what} → {help}"),
                Fail(what, help) => format!("fail {name} {what} → {help}"),
            })
            .collect()
    }

    fn of(negotiations: Vec<Value>, reached: bool) -> Vec<String> {
        let plain = json!({ "@id": "d", "accessPolicyId": "p", "contractPolicyId": "p", "assetsSelector": { "operandLeft": "id" } });
        let seen = Seen { negotiations, definitions: vec![plain], policies: vec![json!({ "@id": "p" })], planes: Some(vec![json!({ "state": "AVAILABLE" })]), ..Seen::default() };
        lines(&seen, reached)
    }

    #[test]
    fn what_hangs_is_explained_by_whose_move_it_is() {
        let dead = of(vec![negotiation("CONSUMER", "REQUESTING", 300, "")], false);
        assert!(dead[1].contains("the request has not been taken") && dead[1].contains("nobody answers there"), "{dead:?}");
        let alive = of(vec![negotiation("CONSUMER", "REQUESTING", 300, "")], true);
        assert!(alive[1].contains("something answers there"), "{alive:?}");
        let theirs = of(vec![negotiation("CONSUMER", "REQUESTED", 7_300, "")], true);
        assert!(theirs[1].contains("the provider's move") && theirs[1].contains("2 h ago"), "{theirs:?}");
        let ours = of(vec![negotiation("PROVIDER", "REQUESTED", 300, "")], true);
        assert!(ours[1].contains("pending guard"), "{ours:?}");
        assert_eq!(of(vec![negotiation("CONSUMER", "REQUESTED", 5, "")], true).len(), 1, "a moment is no trouble");
        assert_eq!(of(vec![negotiation("CONSUMER", "FINALIZED", 5_000, "")], true).len(), 1);
    }

    #[test]
    fn what_ended_says_why_and_those_alike_share_a_line() {
        let error = "Failed to send agreement to consumer: {\"@type\":\"ContractNegotiationError\",\"code\":\"400\",\"reason\":[\"Policy in the contract agreement is not equal to the one in the contract offer\"]}";
        let said = of(vec![negotiation("PROVIDER", "TERMINATED", 9, error), negotiation("PROVIDER", "TERMINATED", 400, error)], true);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[1].contains("(2 like this); last 9 s ago") && said[1].contains("fresh catalog") && !said[1].contains('{'), "{said:?}");
        let silent = of(vec![negotiation("CONSUMER", "TERMINATED", 9, "")], true);
        assert!(silent[1].contains("gave no reason here"), "{silent:?}");
    }

    #[test]
    fn a_screen_is_enough() {
        let many = (0..40).map(|n| negotiation("PROVIDER", "TERMINATED", n, &format!("error number {n}"))).collect();
        let said = of(many, true);
        assert_eq!(said.len(), 2 + LINES_MAX, "{said:?}");
        assert!(said[LINES_MAX + 1].contains("32 more kinds"));
    }

    #[test]
    fn what_is_set_up_wrong_is_named() {
        let policy = json!({ "@id": "p", "policy": { "odrl:permission": { "odrl:constraint": { "odrl:leftOperand": { "@id": "https://w3id.org/catenax/policy/Membership" } } } } });
        let seen = Seen {
            definitions: vec![json!({ "@id": "d", "accessPolicyId": "p", "contractPolicyId": "gone", "assetsSelector": [] })],
            policies: vec![policy],
            assets: vec![json!({}); 60],
            planes: Some(Vec::new()),
            ..Seen::default()
        };
        let said = lines(&seen, true).join("\n");
        for word in ["`gone`, which is not there", "selects every asset", "is shown 50", "rest on: Membership", "no data plane is available"] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
