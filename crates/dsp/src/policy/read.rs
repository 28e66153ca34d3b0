//! From any spelling of ODRL to the typed policy: compact terms, `odrl:` names, full IRIs, `@id` and `@value` objects.

use super::{Atom, catena, Connective, Constraint, DEPTH_MAX, Kind, Operator, PARTS_MAX, Policy, Rule};
use crate::json::Malformed;
use serde_json::{Map, Value};

/// The ODRL namespace, ODRL 2.2, 1.
pub(crate) const ODRL: &str = "http://www.w3.org/ns/odrl/2/";

/// Namespaces and the prefix that we write for each; ODRL's own names and DSP's have none.
const PREFIXES: [(&str, &str); 7] = [
    (ODRL, ""),
    ("odrl:", ""),
    ("https://w3id.org/dspace/2025/1/", ""),
    ("dspace:", ""),
    ("https://w3id.org/catenax/2025/9/policy/", "cx-policy:"),
    ("https://w3id.org/dpv#", "dpv:"),
    ("http://www.w3.org/2001/XMLSchema#", "xsd:"),
];

/// Shortens a name to the one spelling that we keep.
pub(crate) fn name(text: &str) -> String {
    match PREFIXES.iter().find_map(|(long, short)| Some((short, text.strip_prefix(long)?))) {
        Some((short, local)) => format!("{short}{local}"),
        None => text.to_owned(),
    }
}

/// The spelling that goes to peers: a name with a prefix that no context of theirs may define is written out.
pub(super) fn wire(name: &str) -> String {
    let long = PREFIXES.iter().find_map(|(long, short)| Some((long, name.strip_prefix(short).filter(|_| !short.is_empty())?)));
    match long {
        Some((long, local)) => format!("{long}{local}"),
        None => name.to_owned(),
    }
}

pub(super) fn read(value: &Value) -> Result<Policy, Vec<Malformed>> {
    let mut reader = Reader { at: Vec::new(), faults: Vec::new(), parts: PARTS_MAX };
    let policy = reader.policy(value);
    match (policy, reader.faults.is_empty()) {
        (Some(policy), true) => Ok(policy),
        _ => Err(reader.faults),
    }
}

struct Reader {
    at: Vec<String>,
    faults: Vec<Malformed>,
    parts: usize,
}

impl Reader {
    fn fault(&mut self, code: &'static str, message: impl Into<String>) {
        let at = self.at.iter().map(|part| format!("/{part}")).collect::<String>();
        self.faults.push(Malformed::new(code, at, message));
    }

    fn inside<T>(&mut self, part: impl ToString, f: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(part.to_string());
        let made = f(self);
        self.at.pop();
        made
    }

    /// Returns the object with every key shortened, or reports it.
    fn object(&mut self, value: &Value) -> Option<Map<String, Value>> {
        let Some(map) = unwrap(value).as_object() else {
            self.fault("odrl/shape", "must be an object");
            return None;
        };
        let mut short = Map::new();
        for (key, value) in map {
            let key = match key.as_str() {
                "uid" => "@id".to_owned(),
                other => name(other),
            };
            if short.insert(key.clone(), value.clone()).is_some() {
                self.fault("odrl/twice", format!("`{key}` occurs in two spellings"));
            }
        }
        Some(short)
    }

    /// Refuses words of ODRL that we do not understand: dropping one could widen a permission.
    fn known(&mut self, map: &Map<String, Value>, keys: &[&str]) {
        for key in map.keys() {
            // Annotations of other vocabularies carry no rule; a plain word is ODRL's.
            let annotation = key.starts_with(['@', '$']) || key.contains(':');
            if !annotation && !keys.contains(&key.as_str()) {
                self.fault("odrl/unknown-word", format!("`{key}` is not understood here"));
            }
        }
    }

    fn policy(&mut self, value: &Value) -> Option<Policy> {
        let map = self.object(value)?;
        let keys = [
            "profile",
            "permission",
            "prohibition",
            "obligation",
            "target",
            "assigner",
            "assignee",
            "timestamp",
        ];
        self.known(&map, &keys);
        let kind = match map.get("@type").map(texts).unwrap_or_default().first().map(|t| name(t)).as_deref() {
            None | Some("Offer") => Kind::Offer,
            Some("Agreement") => Kind::Agreement,
            Some("Set" | "Policy") => Kind::Set,
            Some(other) => {
                self.fault("odrl/kind", format!("`{other}` is no kind of policy"));
                Kind::Set
            }
        };
        let mut rules = |key: &str| {
            let listed = map.get(key).map(items).unwrap_or_default();
            let read = |r: &mut Reader| {
                let mut made = Vec::new();
                for (n, item) in listed.iter().enumerate() {
                    made.extend(r.inside(n, |r| r.rule(item, key == "permission")));
                }
                made
            };
            self.inside(key, read)
        };
        let (permission, prohibition, obligation) =
            (rules("permission"), rules("prohibition"), rules("obligation"));
        let text = |key: &str| map.get(key).and_then(|v| texts(v).into_iter().next());
        Some(Policy {
            id: text("@id").unwrap_or_default(),
            kind,
            profile: map.get("profile").map(texts).unwrap_or_default(),
            target: text("target"),
            assigner: text("assigner"),
            assignee: text("assignee"),
            permission,
            prohibition,
            obligation,
        })
    }

    fn rule(&mut self, value: &Value, may_have_duty: bool) -> Option<Rule> {
        self.spend()?;
        let map = self.object(value)?;
        let keys: &[&str] =
            if may_have_duty { &["action", "constraint", "duty"] } else { &["action", "constraint"] };
        self.known(&map, keys);
        let action = map.get("action").map(texts).unwrap_or_default();
        let [action] = action.as_slice() else {
            self.fault("odrl/action", "one `action` must be named");
            return None;
        };
        let mut constraint = Vec::new();
        for (n, item) in map.get("constraint").map(items).unwrap_or_default().iter().enumerate() {
            constraint.extend(self.inside(format!("constraint/{n}"), |r| r.constraint(item, DEPTH_MAX)));
        }
        let mut duty = Vec::new();
        for (n, item) in map.get("duty").map(items).unwrap_or_default().iter().enumerate() {
            duty.extend(self.inside(format!("duty/{n}"), |r| r.rule(item, false)));
        }
        Some(Rule { action: catena::kept(name(action)), constraint, duty })
    }

    fn constraint(&mut self, value: &Value, depth: usize) -> Option<Constraint> {
        self.spend()?;
        let map = self.object(value)?;
        let Some(depth) = depth.checked_sub(1) else {
            self.fault("odrl/depth", format!("constraints nest deeper than {DEPTH_MAX}"));
            return None;
        };
        let joined: Vec<Connective> =
            Connective::ALL.into_iter().filter(|c| map.contains_key(c.name())).collect();
        match joined.as_slice() {
            [] => self.atom(&map),
            [connective] => {
                self.known(&map, &[connective.name()]);
                let listed = map.get(connective.name()).map(items).unwrap_or_default();
                if listed.is_empty() {
                    self.fault("odrl/empty", format!("`{}` joins nothing", connective.name()));
                }
                let mut parts = Vec::new();
                for (n, item) in listed.iter().enumerate() {
                    let at = format!("{}/{n}", connective.name());
                    parts.extend(self.inside(at, |r| r.constraint(item, depth)));
                }
                Some(Constraint::Logic(*connective, parts))
            }
            _ => {
                self.fault("odrl/constraint", "a constraint joins in one way only");
                None
            }
        }
    }

    fn atom(&mut self, map: &Map<String, Value>) -> Option<Constraint> {
        self.known(map, &["leftOperand", "operator", "rightOperand"]);
        let left = map.get("leftOperand").map(texts).unwrap_or_default();
        let operator = map.get("operator").map(texts).unwrap_or_default();
        let right: Vec<String> =
            map.get("rightOperand").map(texts).unwrap_or_default().iter().map(|t| name(t)).collect();
        let ([left], [operator]) = (left.as_slice(), operator.as_slice()) else {
            self.fault("odrl/constraint", "one `leftOperand` and one `operator` must be named");
            return None;
        };
        let Some(operator) = Operator::of(&name(operator)) else {
            self.fault("odrl/operator", format!("`{operator}` is no operator"));
            return None;
        };
        if right.is_empty() || right.len() > 1 && !operator.takes_many() {
            self.fault("odrl/right-operand", format!("`{}` takes another number of values", operator.name()));
            return None;
        }
        for _ in &right {
            self.spend()?;
        }
        Some(Constraint::Atom(Atom { left: catena::kept(name(left)), operator, right }))
    }

    fn spend(&mut self) -> Option<()> {
        match self.parts.checked_sub(1) {
            Some(left) => {
                self.parts = left;
                Some(())
            }
            None => {
                if self.faults.iter().all(|f| f.code() != "odrl/size") {
                    self.fault("odrl/size", format!("a policy has at most {PARTS_MAX} parts"));
                }
                None
            }
        }
    }
}

/// Looks through an array of one, which expanded JSON-LD puts around everything.
fn unwrap(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => value,
    }
}

fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all.iter().flat_map(items).collect(),
        Value::Object(map) => match map.get("@list").or_else(|| map.get("@set")) {
            Some(inner) => items(inner),
            None => vec![value.clone()],
        },
        other => vec![other.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    items(value)
        .iter()
        .filter_map(|item| match item {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Object(map) => match map.get("@id").or_else(|| map.get("@value")) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(Value::Bool(yes)) => Some(yes.to_string()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}
