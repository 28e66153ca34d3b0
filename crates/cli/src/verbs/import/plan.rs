//! What of an EDC becomes which offer, and why the rest does not. Nothing is written here.

use super::body;
use crate::door::{Fault, part};
use crate::edc::policy::{Part, Why, carry};
use crate::edc::{Management, NAMESPACE, Unread, text};
use dsp::policy::{Place, Policy};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// LIMIT: assets of all contract definitions together, one asset in two of them counted twice.
const PAIRS_MAX: usize = 1_000_000;
/// LIMIT: files in the folder of the data.
const FILES_MAX: usize = 1_000_000;

/// What an EDC holds.
#[derive(Debug, Default)]
pub struct Found {
    /// Assets by id.
    pub assets: BTreeMap<String, Value>,
    /// Policy definitions by id.
    pub policies: BTreeMap<String, Value>,
    /// Contract definitions.
    pub definitions: Vec<Definition>,
}

/// A contract definition with the assets that it selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its id.
    pub id: String,
    /// The policy that says who sees.
    pub access: String,
    /// The policy of use.
    pub terms: String,
    /// The assets.
    pub selects: Vec<String>,
}

/// What was asked for.
pub struct Wanted<'a> {
    /// These assets; none: all.
    pub assets: &'a [String],
    /// These contract definitions; none: all.
    pub definitions: &'a [String],
    /// Whether a policy without a rule lets everybody.
    pub no_rule_is_open: bool,
    /// Where the files are.
    pub files: Option<&'a Path>,
    /// Who else gives the bytes.
    pub plane: Option<&'a str>,
    /// The facts of each offer.
    pub facts: Value,
}

/// What became of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in no contract definition: the EDC does not offer it either.
    Skipped,
    /// It is not taken over.
    Refused(Vec<Why>),
    /// It would be offered.
    New,
    /// It is offered so already.
    Same,
    /// Another offer of this dataset is there, and stays.
    Other,
    /// It is offered now.
    Offered,
    /// It is offered now, in place of another offer.
    Replaced,
}

/// One asset.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its id, which is the dataset's.
    pub id: String,
    /// Its name, for people.
    pub title: String,
    /// The type of its data address.
    pub address: String,
    /// Properties that no offer of ours shows.
    pub left: Vec<String>,
    /// The contract definitions that offer it.
    pub by: Vec<String>,
    /// The policies that it came over with: of use, and of who sees.
    pub policies: Option<(String, String)>,
    /// What became of it.
    pub outcome: Outcome,
    /// The offer, if it can be one.
    pub body: Option<Value>,
}

/// A policy in one of its parts: as it comes over, or why not.
pub type Carried = Result<Option<Policy>, Vec<Why>>;

/// The whole.
#[derive(Debug, Default)]
pub struct Plan {
    /// Each policy, for what a contract definition uses it.
    pub policies: BTreeMap<(String, Part), Carried>,
    /// Policies that no contract definition names.
    pub unused: Vec<String>,
    /// The contract definitions.
    pub definitions: Vec<Definition>,
    /// The assets.
    pub assets: Vec<Asset>,
}

impl Plan {
    /// How many assets came out so.
    pub fn count(&self, so: impl Fn(&Outcome) -> bool) -> usize {
        self.assets.iter().filter(|a| so(&a.outcome)).count()
    }

    /// Whether everything that the EDC offers is or can be offered here.
    pub fn is_whole(&self) -> bool {
        self.count(|o| matches!(o, Outcome::Refused(_) | Outcome::Other)) == 0
    }
}

/// Reads assets, policies and contract definitions; `told` hears of each page.
pub fn read(edc: &Management, told: &dyn Fn(&str, usize)) -> Result<Found, Unread> {
    let by_id = |rows: Vec<Value>| rows.into_iter().map(|row| (text(&row, "@id").to_owned(), row)).collect::<BTreeMap<_, _>>();
    let assets = by_id(edc.all("assets", None, &|n| told("assets", n))?);
    let policies = by_id(edc.all("policydefinitions", None, &|n| told("policydefinitions", n))?);
    let rows = edc.all("contractdefinitions", None, &|n| told("contractdefinitions", n))?;
    let (mut definitions, mut pairs) = (Vec::new(), 0);
    for (n, row) in rows.iter().enumerate() {
        told("contractdefinitions", n + 1);
        let selects = selected(edc, row, &assets)?;
        pairs += selects.len();
        if pairs > PAIRS_MAX {
            let says = format!("the contract definitions select more than {PAIRS_MAX} assets together");
            return Err(Unread { says, help: "no more are read at once".into() });
        }
        let named = |key: &str| text(row, key).to_owned();
        definitions.push(Definition { id: named("@id"), access: named("accessPolicyId"), terms: named("contractPolicyId"), selects });
    }
    Ok(Found { assets, policies, definitions })
}

/// The assets that a contract definition selects. What it asks for beside single ids, the EDC itself answers.
fn selected(edc: &Management, definition: &Value, assets: &BTreeMap<String, Value>) -> Result<Vec<String>, Unread> {
    let criteria: Vec<Value> = match definition.get("assetsSelector") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(many)) => many.clone(),
        Some(one) => vec![one.clone()],
    };
    if criteria.is_empty() {
        return Ok(assets.keys().cloned().collect());
    }
    if let [one] = criteria.as_slice()
        && text(one, "operandLeft").strip_prefix(NAMESPACE) == Some("id")
        && text(one, "operator") == "="
        && let Some(id) = one.get("operandRight").and_then(Value::as_str)
    {
        return Ok(assets.keys().filter(|known| *known == id).cloned().collect());
    }
    let rows = edc.all("assets", Some(&criteria.into()), &|_| ())?;
    Ok(rows.iter().map(|row| text(row, "@id").to_owned()).collect())
}

/// Makes the plan.
pub fn make(found: Found, wanted: &Wanted<'_>) -> Result<Plan, Fault> {
    let unknown = |what: &str, id: &str| Fault::usage(format!("error[TGT-C002]: this EDC has no {what} `{id}`"));
    if let Some(id) = wanted.assets.iter().find(|id| !found.assets.contains_key(*id)) {
        return Err(unknown("asset", id));
    }
    if let Some(id) = wanted.definitions.iter().find(|id| found.definitions.iter().all(|d| d.id != **id)) {
        return Err(unknown("contract definition", id));
    }
    let mut plan = Plan::default();
    for definition in &found.definitions {
        for (id, part) in [(&definition.terms, Part::Terms), (&definition.access, Part::Access)] {
            if let Some(row) = found.policies.get(id) {
                plan.policies.entry((id.clone(), part)).or_insert_with(|| carry(row, part, wanted.no_rule_is_open));
            }
        }
    }
    let used: BTreeSet<&String> = plan.policies.keys().map(|(id, _)| id).collect();
    plan.unused = found.policies.keys().filter(|id| !used.contains(id)).cloned().collect();
    let files = match wanted.files {
        Some(folder) => Some(files(folder, &found.assets)?),
        None => None,
    };
    let mut by: BTreeMap<&str, Vec<&Definition>> = BTreeMap::new();
    let chosen = |d: &&Definition| wanted.definitions.is_empty() || wanted.definitions.contains(&d.id);
    for definition in found.definitions.iter().filter(chosen) {
        for id in &definition.selects {
            by.entry(id).or_default().push(definition);
        }
    }
    for (id, row) in found.assets.iter().filter(|(id, _)| wanted.assets.is_empty() || wanted.assets.contains(id)) {
        let definitions = by.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        plan.assets.push(asset(id, row, definitions, &plan.policies, files.as_ref(), wanted));
    }
    plan.definitions = found.definitions;
    Ok(plan)
}

fn asset(id: &str, row: &Value, by: &[&Definition], policies: &BTreeMap<(String, Part), Carried>, files: Option<&Files>, wanted: &Wanted<'_>) -> Asset {
    let (title, left) = shown(id, row);
    let address = row.pointer("/dataAddress/type").and_then(Value::as_str).unwrap_or("?").to_owned();
    let mut made = Asset { id: id.to_owned(), title, address, left, by: by.iter().map(|d| d.id.clone()).collect(), policies: None, outcome: Outcome::Skipped, body: None };
    if by.is_empty() {
        return made;
    }
    let refuse = |made: Asset, whys: Vec<Why>| Asset { outcome: Outcome::Refused(whys), ..made };
    let (definition, terms, access) = match agreed(by, policies) {
        Ok(found) => found,
        Err(whys) => return refuse(made, whys),
    };
    let why = |code: &'static str, what: &str| vec![Why { code, at: String::new(), what: what.to_owned() }];
    let source = match (files, wanted.plane) {
        (None, None) => return Asset { policies: Some((definition.terms.clone(), definition.access.clone())), ..refuse(made.clone(), why("import/no-bytes", &made.address)) },
        (None, Some(_)) => None,
        (Some(files), _) => match files.get(id).map(Vec::as_slice).unwrap_or_default() {
            [one] => Some(one.as_path()),
            [] => return refuse(made, why("import/no-file", &file_name(id))),
            many => {
                let names: Vec<String> = many.iter().map(|f| f.display().to_string()).collect();
                return refuse(made, why("import/many-files", &names.join(", ")));
            }
        },
    };
    let mut body = body(id, &made.title, wanted, source);
    if let Some(map) = body.as_object_mut() {
        for (key, policy) in [("terms", terms), ("access", access)] {
            if let Some(policy) = policy {
                map.insert(key.into(), policy.to_terms(Place::Catalog).to_value());
            }
        }
    }
    made.policies = Some((definition.terms.clone(), definition.access.clone()));
    Asset { outcome: Outcome::New, body: Some(body), ..made }
}

/// The one way in which an asset is offered: by one contract definition, or by several that say the same.
fn agreed<'a>(by: &[&'a Definition], policies: &'a BTreeMap<(String, Part), Carried>) -> Result<(&'a Definition, Option<&'a Policy>, Option<&'a Policy>), Vec<Why>> {
    let mut good: Vec<(&Definition, Option<&Policy>, Option<&Policy>)> = Vec::new();
    let mut whys: BTreeSet<Why> = BTreeSet::new();
    for definition in by {
        let mut carried = |id: &str, part: Part, code: &'static str| match policies.get(&(id.to_owned(), part)) {
            Some(Ok(policy)) => Some(policy.as_ref()),
            Some(Err(_)) => {
                whys.insert(Why { code, at: String::new(), what: id.to_owned() });
                None
            }
            None => {
                whys.insert(Why { code: "import/policy-gone", at: String::new(), what: format!("{} → {id}", definition.id) });
                None
            }
        };
        let (terms, access) = (carried(&definition.terms, Part::Terms, "import/terms"), carried(&definition.access, Part::Access, "import/access"));
        if let (Some(terms), Some(access)) = (terms, access) {
            good.push((definition, terms, access));
        }
    }
    let same = |a: Option<&Policy>, b: Option<&Policy>| match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.same_rules(b),
        _ => false,
    };
    match good.first() {
        Some(first) if whys.is_empty() && good.iter().all(|other| same(first.1, other.1) && same(first.2, other.2)) => Ok(*first),
        _ if by.len() > 1 => {
            let ids: Vec<&str> = by.iter().map(|d| d.id.as_str()).collect();
            whys.insert(Why { code: "import/several", at: String::new(), what: ids.join(", ") });
            Err(whys.into_iter().collect())
        }
        _ => Err(whys.into_iter().collect()),
    }
}

/// The name of an asset for people, and its properties that an offer of ours does not show.
fn shown(id: &str, row: &Value) -> (String, Vec<String>) {
    let (mut title, mut left) = (id.to_owned(), Vec::new());
    for (key, value) in row.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let local = key.strip_prefix(NAMESPACE).or_else(|| key.strip_prefix("edc:")).unwrap_or(key);
        match (local, value.as_str()) {
            ("name", Some(name)) => title = name.to_owned(),
            ("id", _) => {}
            _ => left.push(local.to_owned()),
        }
    }
    (title, left)
}

/// Files by the id of their asset.
type Files = BTreeMap<String, Vec<PathBuf>>;

/// The file of each asset: named by its id, or by its id and an ending. A file belongs to one asset alone, first to the one
/// whose name it has whole.
fn files(folder: &Path, assets: &BTreeMap<String, Value>) -> Result<Files, Fault> {
    let wrong = |e: std::io::Error| Fault::usage(format!("error[TGT-C001]: cannot read `{}`: {e}", folder.display()));
    let folder = std::fs::canonicalize(folder).map_err(wrong)?;
    let by_name: BTreeMap<String, &String> = assets.keys().map(|id| (file_name(id), id)).collect();
    let mut found = Files::new();
    for (n, entry) in std::fs::read_dir(&folder).map_err(wrong)?.enumerate() {
        if n >= FILES_MAX {
            return Err(Fault::usage(format!("error[TGT-C001]: `{}` holds more than {FILES_MAX} files", folder.display())));
        }
        let path = entry.map_err(wrong)?.path();
        let text = |part: Option<&std::ffi::OsStr>| part.and_then(|p| p.to_str()).and_then(|p| by_name.get(p)).copied();
        if let Some(id) = text(path.file_name()).or_else(|| text(path.file_stem()))
            && path.is_file()
        {
            found.entry(id.clone()).or_default().push(path);
        }
    }
    Ok(found)
}

/// The name of an asset's file without its ending: the id, with what no name may hold escaped.
fn file_name(id: &str) -> String {
    let plain = !id.contains(['/', '\\', '%', '\0']) && id != "." && id != "..";
    if plain { id.to_owned() } else { part(id).replace('.', "%2E") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ODRL: &str = "http://www.w3.org/ns/odrl/2/";

    fn policy(id: &str, left: &str) -> (String, Value) {
        let rule = json!({ "odrl:action": { "@id": "odrl:use" }, "odrl:constraint": { "odrl:leftOperand": { "@id": left },
            "odrl:operator": { "@id": "odrl:eq" }, "odrl:rightOperand": "active" } });
        let row = json!({ "@id": id, "policy": { "@type": "odrl:Set", "odrl:permission": rule },
            "@context": { "@vocab": NAMESPACE, "odrl": ODRL, "cx": "https://w3id.org/catenax/2025/9/policy/", "edc": NAMESPACE } });
        (id.to_owned(), row)
    }

    fn definition(id: &str, access: &str, terms: &str, selects: &[&str]) -> Definition {
        Definition { id: id.into(), access: access.into(), terms: terms.into(), selects: selects.iter().map(ToString::to_string).collect() }
    }

    fn found(definitions: Vec<Definition>) -> Found {
        let asset = |id: &str| (id.to_owned(), json!({ "@id": id, "properties": { "name": format!("Name of {id}"), "contenttype": "text/csv" }, "dataAddress": { "type": "HttpData" } }));
        Found {
            assets: ["a", "b", "c"].map(asset).into(),
            policies: [policy("member", "cx:Membership"), policy("again", "cx:Membership"), policy("odd", "edc:Mood")].into(),
            definitions,
        }
    }

    fn wanted<'a>(plane: Option<&'a str>, definitions: &'a [String]) -> Wanted<'a> {
        Wanted { assets: &[], definitions, no_rule_is_open: false, files: None, plane, facts: json!({}) }
    }

    fn codes(plan: &Plan, id: &str) -> Vec<&'static str> {
        match &plan.assets.iter().find(|a| a.id == id).unwrap().outcome {
            Outcome::Refused(whys) => whys.iter().map(|w| w.code).collect(),
            Outcome::New => vec!["new"],
            Outcome::Skipped => vec!["skipped"],
            _ => vec![],
        }
    }

    #[test]
    fn each_asset_becomes_an_offer_or_says_why_not() {
        let all = vec![definition("1", "member", "member", &["a"]), definition("2", "odd", "gone", &["b"])];
        let plan = make(found(all), &wanted(Some("warehouse"), &[])).unwrap();
        assert_eq!(codes(&plan, "a"), ["new"]);
        assert_eq!(codes(&plan, "b"), ["import/access", "import/policy-gone"]);
        assert_eq!(codes(&plan, "c"), ["skipped"]);
        assert!(!plan.is_whole() && plan.unused == ["again"]);
        let body = plan.assets[0].body.as_ref().unwrap();
        assert_eq!((text(body, "dataset"), text(body, "title"), text(body, "plane")), ("a", "Name of a", "warehouse"));
        assert_eq!(body.pointer("/access/permission/0/action"), Some(&json!("https://w3id.org/catenax/2025/9/policy/access")));
        assert_eq!(body.pointer("/terms/permission/0/constraint/0/rightOperand"), Some(&json!("active")));
        assert_eq!(plan.assets[0].left, ["contenttype"]);
        let nowhere = make(found(vec![definition("1", "member", "member", &["a"])]), &wanted(None, &[])).unwrap();
        assert_eq!(codes(&nowhere, "a"), ["import/no-bytes"]);
    }

    #[test]
    fn two_definitions_of_one_asset_must_say_the_same() {
        let twice = |other: &str| vec![definition("1", "member", "member", &["a"]), definition("2", "member", other, &["a"])];
        let plane = Some("warehouse");
        assert_eq!(codes(&make(found(twice("again")), &wanted(plane, &[])).unwrap(), "a"), ["new"]);
        assert_eq!(codes(&make(found(twice("odd")), &wanted(plane, &[])).unwrap(), "a"), ["import/several", "import/terms"]);
        let first = ["1".to_owned()];
        assert_eq!(codes(&make(found(twice("odd")), &wanted(plane, &first)).unwrap(), "a"), ["new"], "one was chosen");
        let nobody = ["3".to_owned()];
        assert!(make(found(twice("odd")), &wanted(plane, &nobody)).is_err());
    }

    #[test]
    fn a_file_belongs_to_one_asset() {
        let folder = std::env::temp_dir().join(format!("tegata-import-{}", std::process::id()));
        let _old = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["a.csv", "b", "b.c", "urn%3Ax%2Fy.parquet", "d.csv", "d.xlsx", "%2E%2E.csv"] {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        let ids = ["a", "b", "b.c", "urn:x/y", "d", "e", ".."];
        let assets = ids.iter().map(|id| ((*id).to_owned(), Value::Null)).collect();
        let found = files(&folder, &assets).unwrap();
        let of = |id: &str| found.get(id).map_or(0, Vec::len);
        assert_eq!(ids.map(of), [1, 1, 1, 1, 2, 0, 1], "{found:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
