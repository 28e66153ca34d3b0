//! The JSON Schemas of DSP 2025-1, section by section, as checks: what a body must have before it is a message.
//!
//! Written from the published schemas (draft 2019-09), which are normative; nothing of them is copied here. A body may
//! hold more than the schema names; what it names must be so. In one point these checks are stricter: a constraint that is
//! atomic and logical at once is refused, though the schemas admit it if its logical half is malformed.

use crate::json::Malformed;
use serde_json::{Map, Value};

/// The JSON-LD context that each message must name, per DSP 2025-1 (schemas and contexts).
pub const CONTEXT: &str = "https://w3id.org/dspace/2025/1/context.jsonld";

/// LIMIT: violations reported for one body.
const VIOLATIONS_MAX: usize = 16;
/// LIMIT: nesting of logical constraints.
const CONSTRAINT_DEPTH_MAX: usize = 8;

/// The operators that the DSP contract schema admits.
pub const OPERATORS: [&str; 13] = [
    "eq",
    "gt",
    "gteq",
    "lteq",
    "hasPart",
    "isA",
    "isAllOf",
    "isAnyOf",
    "isNoneOf",
    "isPartOf",
    "lt",
    "term-lteq",
    "neq",
];

const LOGICAL: [&str; 4] = ["and", "andSequence", "or", "xone"];
const NEGOTIATION_STATES: [&str; 7] =
    ["REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"];
const TRANSFER_STATES: [&str; 5] = ["REQUESTED", "STARTED", "TERMINATED", "COMPLETED", "SUSPENDED"];

/// Checks a body against the schema that its `@type` names; an empty answer means valid.
pub fn check(body: &Value) -> Vec<Malformed> {
    let mut c = Check::default();
    let Some(map) = c.object(body) else { return c.found };
    let Some(kind) = map.get("@type").and_then(Value::as_str) else {
        c.fault("`@type` must be a string");
        return c.found;
    };
    c.context(map);
    match kind {
        "CatalogRequestMessage" => c.array(map, "filter", 0, |_, _| ()),
        "DatasetRequestMessage" => c.strings(map, &["dataset"]),
        "CatalogError" => {
            c.optional_string(map, "code");
            c.array(map, "reason", 0, |_, _| ());
        }
        "Catalog" => {
            c.strings(map, &["participantId"]);
            c.catalog(map);
        }
        "Dataset" => c.dataset(body),
        "ContractRequestMessage" => {
            c.strings(map, &["consumerPid"]);
            c.either(map, "callbackAddress", "providerPid");
            c.within(map, "offer", |c, v| c.message_offer(v, false));
        }
        "ContractOfferMessage" => {
            c.strings(map, &["providerPid"]);
            c.either(map, "callbackAddress", "consumerPid");
            c.within(map, "offer", |c, v| c.message_offer(v, true));
        }
        "ContractAgreementMessage" => {
            c.pids(map);
            c.within(map, "agreement", Check::agreement);
        }
        "ContractAgreementVerificationMessage" | "TransferCompletionMessage" => c.pids(map),
        "ContractNegotiationEventMessage" => {
            c.pids(map);
            c.one_of(map, "eventType", &["ACCEPTED", "FINALIZED"]);
        }
        "ContractNegotiationTerminationMessage"
        | "ContractNegotiationError"
        | "TransferTerminationMessage"
        | "TransferSuspensionMessage"
        | "TransferError" => {
            c.pids(map);
            c.optional_string(map, "code");
            c.array(map, "reason", 1, |_, _| ());
        }
        "ContractNegotiation" => {
            c.pids(map);
            c.one_of(map, "state", &NEGOTIATION_STATES);
        }
        "TransferRequestMessage" => {
            c.strings(map, &["agreementId", "format", "callbackAddress", "consumerPid"]);
            c.maybe(map, "dataAddress", Check::data_address);
        }
        "TransferStartMessage" => {
            c.pids(map);
            c.maybe(map, "dataAddress", Check::data_address);
        }
        "TransferProcess" => {
            c.pids(map);
            c.one_of(map, "state", &TRANSFER_STATES);
        }
        other => c.fault(format!("`@type` `{other}` is no message of DSP 2025-1")),
    }
    c.found
}

/// Checks a version response, per DSP 2025-1 (exposure of versions); it carries no `@context`.
pub fn check_versions(body: &Value) -> Vec<Malformed> {
    let mut c = Check::default();
    let Some(map) = c.object(body) else { return c.found };
    c.require(map, "protocolVersions");
    c.array(map, "protocolVersions", 1, |c, v| {
        let Some(version) = c.object(v) else { return };
        c.strings(version, &["version", "path"]);
        c.one_of(version, "binding", &["HTTPS"]);
        c.optional_string(version, "identifierType");
        c.optional_string(version, "serviceId");
        c.maybe(version, "auth", |c, v| {
            let Some(auth) = c.object(v) else { return };
            c.strings(auth, &["protocol", "version"]);
            c.array(auth, "profile", 0, Check::string);
        });
    });
    c.found
}

/// Checks an offer as it stands in a catalog: no target, at least one permission or prohibition.
pub fn check_catalog_offer(offer: &Value) -> Vec<Malformed> {
    let mut c = Check::default();
    c.catalog_offer(offer);
    c.found
}

/// Checks an offer as a message carries it: with a target, at least one permission or prohibition.
pub fn check_offer(offer: &Value) -> Vec<Malformed> {
    let mut c = Check::default();
    c.message_offer(offer, true);
    c.found
}

/// Checks an agreement: target, assigner, assignee, and a time stamp that is an `xsd:dateTime` if present.
pub fn check_agreement(agreement: &Value) -> Vec<Malformed> {
    let mut c = Check::default();
    c.agreement(agreement);
    c.found
}

#[derive(Default)]
struct Check {
    at: Vec<String>,
    found: Vec<Malformed>,
}

impl Check {
    fn fault(&mut self, message: impl Into<String>) {
        if self.found.len() < VIOLATIONS_MAX {
            let at = self.at.iter().map(|part| format!("/{part}")).collect::<String>();
            self.found.push(Malformed::new("dsp/schema", at, message));
        }
    }

    fn inside(&mut self, part: impl Into<String>, f: impl FnOnce(&mut Self)) {
        self.at.push(part.into());
        f(self);
        self.at.pop();
    }

    fn object<'v>(&mut self, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let map = value.as_object();
        if map.is_none() {
            self.fault("must be an object");
        }
        map
    }

    fn string(&mut self, value: &Value) {
        if !value.is_string() {
            self.fault("must be a string");
        }
    }

    fn require(&mut self, map: &Map<String, Value>, key: &str) -> bool {
        let there = map.contains_key(key);
        if !there {
            self.fault(format!("`{key}` is missing"));
        }
        there
    }

    fn optional_string(&mut self, map: &Map<String, Value>, key: &str) {
        if let Some(value) = map.get(key) {
            self.inside(key, |c| c.string(value));
        }
    }

    fn strings(&mut self, map: &Map<String, Value>, keys: &[&str]) {
        for key in keys {
            if self.require(map, key) {
                self.optional_string(map, key);
            }
        }
    }

    fn pids(&mut self, map: &Map<String, Value>) {
        self.strings(map, &["providerPid", "consumerPid"]);
    }

    fn one_of(&mut self, map: &Map<String, Value>, key: &str, allowed: &[&str]) {
        if self.require(map, key)
            && !map.get(key).and_then(Value::as_str).is_some_and(|v| allowed.contains(&v))
        {
            self.inside(key, |c| c.fault(format!("must be one of {}", allowed.join(", "))));
        }
    }

    fn constant(&mut self, map: &Map<String, Value>, key: &str, text: &str, required: bool) {
        match map.get(key) {
            Some(value) if value.as_str() == Some(text) => {}
            None if !required => {}
            _ => self.fault(format!("`{key}` must be `{text}`")),
        }
    }

    fn maybe(&mut self, map: &Map<String, Value>, key: &str, f: impl FnOnce(&mut Self, &Value)) {
        if let Some(value) = map.get(key) {
            self.inside(key, |c| f(c, value));
        }
    }

    fn within(&mut self, map: &Map<String, Value>, key: &str, f: impl FnOnce(&mut Self, &Value)) {
        if self.require(map, key) {
            self.maybe(map, key, f);
        }
    }

    fn array(&mut self, map: &Map<String, Value>, key: &str, min: usize, f: impl Fn(&mut Self, &Value)) {
        let Some(value) = map.get(key) else { return };
        self.inside(key, |c| match value.as_array() {
            None => c.fault("must be an array"),
            Some(items) if items.len() < min => {
                c.fault(format!("must hold at least {min}, else be left out"))
            }
            Some(items) => {
                for (n, item) in items.iter().enumerate() {
                    c.inside(n.to_string(), |c| f(c, item));
                }
            }
        });
    }

    fn either(&mut self, map: &Map<String, Value>, a: &str, b: &str) {
        if map.contains_key(a) == map.contains_key(b) {
            self.fault(format!("exactly one of `{a}` and `{b}` must be there"));
        }
        self.optional_string(map, a);
        self.optional_string(map, b);
    }

    fn context(&mut self, map: &Map<String, Value>) {
        let named = map.get("@context").and_then(Value::as_array);
        if !named.is_some_and(|all| all.iter().all(Value::is_string) && all.iter().any(|v| v == CONTEXT)) {
            self.fault(format!("`@context` must be an array of strings that holds `{CONTEXT}`"));
        }
    }

    fn catalog(&mut self, map: &Map<String, Value>) {
        self.constant(map, "@type", "Catalog", true);
        self.strings(map, &["@id"]);
        if map.contains_key("hasPolicy") {
            self.fault("a catalog has no `hasPolicy`");
        }
        self.array(map, "distribution", 1, Check::distribution);
        self.array(map, "dataset", 1, Check::dataset);
        self.array(map, "service", 1, Check::service);
        if self.at.len() > 2 * CONSTRAINT_DEPTH_MAX {
            return self.fault("catalogs nest too deep");
        }
        self.array(map, "catalog", 1, |c, v| {
            if let Some(inner) = c.object(v) {
                c.catalog(inner);
            }
        });
    }

    fn dataset(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.strings(map, &["@id"]);
        self.require(map, "hasPolicy");
        self.require(map, "distribution");
        self.array(map, "hasPolicy", 1, Check::catalog_offer);
        self.array(map, "distribution", 1, Check::distribution);
    }

    fn distribution(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.strings(map, &["format"]);
        self.array(map, "hasPolicy", 1, Check::catalog_offer);
        self.within(map, "accessService", |c, v| {
            if !v.is_string() {
                c.service(v);
            }
        });
    }

    fn service(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.constant(map, "@type", "DataService", true);
        self.strings(map, &["@id", "endpointURL"]);
        self.array(map, "servesDataset", 1, Check::dataset);
    }

    fn policy(&mut self, map: &Map<String, Value>) {
        self.strings(map, &["@id"]);
        if let Some(profile) = map.get("profile") {
            let good =
                profile.is_string() || profile.as_array().is_some_and(|a| a.iter().all(Value::is_string));
            if !good {
                self.inside("profile", |c| c.fault("must be a string or an array of strings"));
            }
        }
        for key in ["permission", "prohibition", "obligation"] {
            self.array(map, key, 1, Check::rule);
        }
    }

    fn needs_rule(&mut self, map: &Map<String, Value>) {
        if !map.contains_key("permission") && !map.contains_key("prohibition") {
            self.fault("a `permission` or a `prohibition` must be there");
        }
    }

    fn message_offer(&mut self, value: &Value, target: bool) {
        let Some(map) = self.object(value) else { return };
        self.policy(map);
        self.constant(map, "@type", "Offer", true);
        self.needs_rule(map);
        match target {
            true => self.strings(map, &["target"]),
            false => self.optional_string(map, "target"),
        }
    }

    fn catalog_offer(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.policy(map);
        // The schema leaves `@type` open here, but if it is there it must be `Offer`.
        self.constant(map, "@type", "Offer", false);
        self.needs_rule(map);
        if map.contains_key("target") {
            self.fault("an offer in a catalog has no `target`");
        }
    }

    fn agreement(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.policy(map);
        self.constant(map, "@type", "Agreement", true);
        self.needs_rule(map);
        self.strings(map, &["target", "assigner", "assignee"]);
        self.maybe(map, "timestamp", |c, v| {
            if !v.as_str().is_some_and(is_date_time) {
                c.fault("must be an xsd:dateTime");
            }
        });
    }

    fn rule(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.strings(map, &["action"]);
        self.array(map, "constraint", 0, |c, v| c.constraint(v, CONSTRAINT_DEPTH_MAX));
    }

    fn constraint(&mut self, value: &Value, depth: usize) {
        let Some(map) = self.object(value) else { return };
        let Some(depth) = depth.checked_sub(1) else {
            return self.fault(format!("constraints nest deeper than {CONSTRAINT_DEPTH_MAX}"));
        };
        let logical = LOGICAL.iter().filter(|key| map.contains_key(**key)).count();
        let atomic = ["leftOperand", "operator", "rightOperand"].iter().all(|key| map.contains_key(*key));
        match (logical, atomic) {
            (1, false) => {
                for key in LOGICAL {
                    self.array(map, key, 0, |c, v| c.constraint(v, depth));
                }
            }
            (0, true) => {
                self.strings(map, &["leftOperand"]);
                self.one_of(map, "operator", &OPERATORS);
                let right = map.get("rightOperand");
                if !right.is_some_and(|v| v.is_string() || v.is_object() || v.is_array()) {
                    self.inside("rightOperand", |c| c.fault("must be a string, an object or an array"));
                }
            }
            _ => self.fault("must be one atomic or one logical constraint"),
        }
    }

    fn data_address(&mut self, value: &Value) {
        let Some(map) = self.object(value) else { return };
        self.constant(map, "@type", "DataAddress", true);
        self.strings(map, &["endpointType"]);
        self.optional_string(map, "endpoint");
        // The schema wants one at least; an empty list says nothing, and connectors in use send it.
        self.array(map, "endpointProperties", 0, |c, v| {
            let Some(property) = c.object(v) else { return };
            c.constant(property, "@type", "EndpointProperty", true);
            c.strings(property, &["name", "value"]);
        });
    }
}

/// Tells whether text is an `xsd:dateTime`: date, `T`, time with seconds, optional fraction and zone.
pub fn is_date_time(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some((date, rest)) = text.split_once('T') else { return false };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let within = |s: &str, low: u32, high: u32| {
        s.len() == 2 && digits(s) && s.parse::<u32>().is_ok_and(|n| (low..=high).contains(&n))
    };
    let year_good = digits(year) && (year.len() == 4 || year.len() > 4 && !year.starts_with('0'));
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let zone_good = match zone {
        "" | "Z" => true,
        _ => zone
            .get(1..)
            .and_then(|z| z.split_once(':'))
            .is_some_and(|(h, m)| within(h, 0, 13) && within(m, 0, 59) || h == "14" && m == "00"),
    };
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(w, f)| (w, Some(f)));
    let clock_parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = clock_parts.as_slice() else { return false };
    let midnight = *hour == "24"
        && *minute == "00"
        && *second == "00"
        && fraction.is_none_or(|f| f.bytes().all(|b| b == b'0'));
    let clock_good = midnight || within(hour, 0, 23) && within(minute, 0, 59) && within(second, 0, 59);
    year_good
        && within(month, 1, 12)
        && within(day, 1, 31)
        && clock_good
        && zone_good
        && fraction.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times() {
        for good in [
            "2023-01-01T01:00:00Z",
            "2026-11-22T03:45:10.123456789Z",
            "2023-01-01T24:00:00",
            "-0044-03-15T12:00:00+09:00",
        ] {
            assert!(is_date_time(good), "{good}");
        }
        for bad in [
            "2023-01-01",
            "2023-01-01T01:00Z",
            "2023-13-01T01:00:00Z",
            "2023-01-01T25:00:00Z",
            "2023-01-01T01:00:00+15:00",
            "x2023-01-01T01:00:00Z",
            "",
        ] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }
}
