//! The catalog as a list to be asked: filter, page, link. What an asker may see at all is decided before.

use crate::json::{self, Malformed};
use crate::message::catalog::Dataset;
use model::Digest;
use serde_json::Value;

/// LIMIT: datasets in one page.
pub const PAGE_MAX: usize = 500;
/// Datasets in a page if the asker names no number.
pub const PAGE_DEFAULT: usize = 100;
/// LIMIT: conditions in one filter.
pub const CONDITIONS_MAX: usize = 32;
/// LIMIT: bytes of a paging token.
pub const TOKEN_MAX: usize = 4_096;

/// What a catalog request filters by: all conditions must hold.
///
/// A condition is `{"property": …, "operator": "eq" | "contains" | "in", "value": …}`; EDC's `QuerySpec` with `limit`,
/// `offset` 0 and `filterExpression` (`operandLeft`, `operator` `=`, `like` or `in`, `operandRight`) says the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
    limit: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    property: String,
    test: Match,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    OneOf(Vec<String>),
    Contains(String),
}

impl Filter {
    /// Reads the `filter` of a catalog request; one that we do not support is an error, answered with 400.
    pub fn read(entries: &[Value]) -> Result<Filter, Malformed> {
        let mut filter = Filter::default();
        for (n, entry) in entries.iter().enumerate() {
            let at = format!("/filter/{n}");
            let Some(map) = entry.as_object() else { return Err(unsupported(&at, "must be an object")) };
            let get = |key: &str| map.iter().find(|(k, _)| local(k) == key).map(|(_, v)| v);
            if let Some(limit) = get("limit") {
                filter.limit =
                    limit.as_u64().and_then(|n| usize::try_from(n).ok()).map(|n| n.clamp(1, PAGE_MAX));
            }
            if get("offset").is_some_and(|o| o.as_u64() != Some(0)) {
                return Err(unsupported(&at, "page by the `Link` header, not by `offset`"));
            }
            let spec = get("filterExpression").or_else(|| get("limit")).or_else(|| get("offset"));
            let listed = match (spec, get("filterExpression")) {
                (None, _) => vec![entry],
                (Some(_), Some(Value::Array(all))) => all.iter().collect(),
                (Some(_), Some(one)) => vec![one],
                (Some(_), None) => Vec::new(),
            };
            for one in listed {
                filter.conditions.push(condition(one, &at)?);
            }
        }
        match filter.conditions.len() > CONDITIONS_MAX {
            true => Err(unsupported("/filter", "has too many conditions")),
            false => Ok(filter),
        }
    }

    /// Returns the number of datasets that a page holds.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE_DEFAULT)
    }

    /// Tells whether a dataset is asked for.
    pub fn matches(&self, dataset: &Dataset) -> bool {
        self.conditions.iter().all(|c| {
            let held = values(dataset, &c.property);
            match &c.test {
                Match::OneOf(wanted) => held.iter().any(|h| wanted.contains(h)),
                Match::Contains(part) => held.iter().any(|h| h.to_lowercase().contains(part)),
            }
        })
    }

    /// Returns a digest that ties a paging token to its filter.
    pub fn digest(&self) -> Digest {
        let parts: Vec<Value> = self
            .conditions
            .iter()
            .map(|c| match &c.test {
                Match::OneOf(all) => serde_json::json!([c.property, "in", all]),
                Match::Contains(part) => serde_json::json!([c.property, "contains", part]),
            })
            .collect();
        json::digest(&serde_json::json!([parts, self.limit()]))
    }
}

fn unsupported(at: &str, message: &str) -> Malformed {
    Malformed::new("dsp/filter", at, message)
}

/// Shortens a property name: `dct:title`, its IRI and `title` are one.
fn local(key: &str) -> &str {
    key.rsplit(['/', '#', ':']).next().unwrap_or(key)
}

fn condition(value: &Value, at: &str) -> Result<Condition, Malformed> {
    let map = value.as_object().ok_or_else(|| unsupported(at, "must be an object"))?;
    let get = |names: [&str; 2]| map.iter().find(|(k, _)| names.contains(&local(k))).map(|(_, v)| v);
    let property = get(["property", "operandLeft"]).and_then(Value::as_str);
    let property = property.ok_or_else(|| unsupported(at, "`property` must be text"))?;
    let operator = get(["operator", "operator"]).and_then(Value::as_str).unwrap_or("eq");
    let wanted: Vec<String> = match get(["value", "operandRight"]) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return Err(unsupported(at, "`value` must be text or a list of texts")),
    };
    let test = match (operator, wanted.as_slice()) {
        ("eq" | "=", [_]) | ("in", _) => Match::OneOf(wanted),
        ("contains", [part]) => Match::Contains(part.to_lowercase()),
        ("like", [part]) => Match::Contains(part.trim_matches('%').to_lowercase()),
        _ => return Err(unsupported(at, "the operator is not supported; use eq, in or contains")),
    };
    Ok(Condition { property: local(property).to_owned(), test })
}

fn values(dataset: &Dataset, property: &str) -> Vec<String> {
    match property {
        // EDC's name for the id of an asset.
        "@id" | "id" => vec![dataset.id.clone()],
        "format" => dataset.distribution.iter().map(|d| d.format.clone()).collect(),
        _ => dataset
            .properties
            .iter()
            .filter(|(k, _)| local(k) == property)
            .flat_map(|(_, v)| texts(v))
            .collect(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(map) => map.get("@value").or_else(|| map.get("@id")).map(texts).unwrap_or_default(),
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(yes) => vec![yes.to_string()],
        Value::Null => Vec::new(),
    }
}

/// Where a page begins: after or before a dataset, in the order of ids, under one filter.
///
/// A token holds a position, not a right: each page is filtered for its asker afresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The dataset next to the page.
    pub dataset: String,
    /// Whether the page lies before it.
    pub backward: bool,
    filter: Digest,
}

impl Cursor {
    /// Makes a cursor.
    pub fn new(dataset: &str, backward: bool, filter: &Filter) -> Cursor {
        Cursor { dataset: dataset.to_owned(), backward, filter: filter.digest() }
    }

    /// Writes the token for a query parameter.
    pub fn to_token(&self) -> String {
        let way = if self.backward { 'b' } else { 'f' };
        let hex: String = self.dataset.bytes().map(|b| format!("{b:02x}")).collect();
        format!("{way}{}{hex}", self.filter.short())
    }

    /// Reads a token; one of another filter is refused.
    pub fn read(token: &str, filter: &Filter) -> Result<Cursor, Malformed> {
        let wrong = || Malformed::new("dsp/token", "", "the paging token does not belong to this request");
        let digest = filter.digest();
        let short = digest.short();
        let backward = match token.get(..1) {
            Some("f") => false,
            Some("b") => true,
            _ => return Err(wrong()),
        };
        let rest =
            token.get(1..).filter(|_| token.len() <= TOKEN_MAX && token.is_ascii()).ok_or_else(wrong)?;
        let hex = rest.strip_prefix(short.as_str()).filter(|h| h.len() % 2 == 0).ok_or_else(wrong)?;
        let byte = |n: usize| hex.get(n..n + 2).and_then(|h| u8::from_str_radix(h, 16).ok());
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        let dataset = bytes.and_then(|b| String::from_utf8(b).ok()).ok_or_else(wrong)?;
        Ok(Cursor { dataset, backward, filter: digest })
    }
}

/// One page and what lies beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The datasets, by id.
    pub datasets: Vec<T>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Where the previous page ends.
    pub previous: Option<Cursor>,
}

/// Cuts a page from datasets that are sorted by id and already filtered for the asker.
///
/// For a store that finds the page by an index, [`Page::of`] adds the cursors instead.
pub fn page<'a>(sorted: &'a [&'a Dataset], cursor: Option<&Cursor>, filter: &Filter) -> Page<&'a Dataset> {
    let limit = filter.limit();
    let (start, end) = match cursor {
        None => (0, limit),
        Some(c) if c.backward => {
            let end = sorted.partition_point(|d| d.id < c.dataset);
            (end.saturating_sub(limit), end)
        }
        Some(c) => {
            let start = sorted.partition_point(|d| d.id <= c.dataset);
            (start, start.saturating_add(limit))
        }
    };
    let end = end.min(sorted.len());
    let datasets: Vec<&Dataset> = sorted.get(start..end).unwrap_or_default().to_vec();
    Page::of(datasets, |d| d.id.as_str(), start > 0, end < sorted.len(), filter)
}

impl<T> Page<T> {
    /// Makes a page of what a store found, telling whether there is more on either side.
    pub fn of(
        datasets: Vec<T>,
        id: impl Fn(&T) -> &str,
        before: bool,
        after: bool,
        filter: &Filter,
    ) -> Page<T> {
        let next = datasets.last().filter(|_| after).map(|d| Cursor::new(id(d), false, filter));
        let previous = datasets.first().filter(|_| before).map(|d| Cursor::new(id(d), true, filter));
        Page { datasets, next, previous }
    }

    /// Writes the `Link` header, RFC 8288, per DSP 2025-1 (pagination); none if the page is alone.
    pub fn link(&self, url: &str) -> Option<String> {
        let links: Vec<String> = [("previous", &self.previous), ("next", &self.next)]
            .into_iter()
            .filter_map(|(rel, cursor)| {
                let token = cursor.as_ref()?.to_token();
                Some(format!("<{url}?continuationToken={token}>; rel=\"{rel}\""))
            })
            .collect();
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// Finds the address of the next page in a peer's `Link` header, RFC 8288; it must lie under the address that was asked.
pub fn next_link(header: &str, asked: &str) -> Option<String> {
    for link in header.split(',') {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"));
        if is_next {
            // A page that leads elsewhere could make us call inner addresses.
            let origin = |url: &str| url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            return (origin(target) == origin(asked)).then(|| target.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::catalog::Distribution;
    use crate::message::terms::Terms;
    use serde_json::json;

    fn dataset(n: usize) -> Dataset {
        let title = if n.is_multiple_of(2) { "Rice harvest" } else { "Sea level" };
        Dataset::new(
            &format!("urn:d:{n:03}"),
            vec![Terms::of(Default::default())],
            vec![Distribution::new("HttpData-PULL", "s")],
        )
        .with("dct:title", title)
        .with("dcat:keyword", json!(["open", { "@value": "gov" }]))
    }

    fn read(entries: Value) -> Result<Filter, Malformed> {
        Filter::read(entries.as_array().unwrap())
    }

    #[test]
    fn filters() {
        let hits = |f: Value| (0..10).filter(|n| read(f.clone()).unwrap().matches(&dataset(*n))).count();
        assert_eq!(hits(json!([])), 10);
        assert_eq!(hits(json!([{"property": "dct:title", "operator": "contains", "value": "RICE"}])), 5);
        assert_eq!(hits(json!([{"property": "http://purl.org/dc/terms/title", "value": "Sea level"}])), 5);
        assert_eq!(
            hits(
                json!([{"property": "keyword", "operator": "in", "value": ["gov", "x"]}, {"property": "@id", "value": "urn:d:003"}])
            ),
            1
        );
        assert_eq!(hits(json!([{"property": "format", "value": "S3"}])), 0);
        let spec = json!([{"@type": "QuerySpec", "offset": 0, "limit": 3,
            "filterExpression": [{"operandLeft": "https://w3id.org/edc/v0.0.1/ns/id", "operator": "=", "operandRight": "urn:d:001"}]}]);
        assert_eq!((hits(spec.clone()), read(spec).unwrap().limit()), (1, 3));
        for bad in [
            json!(["x"]),
            json!([{"sparql": "x"}]),
            json!([{"property": "a", "operator": "near", "value": "b"}]),
            json!([{"offset": 50, "limit": 50}]),
            json!([{"property": "a", "value": 3}]),
        ] {
            assert_eq!(read(bad.clone()).unwrap_err().code(), "dsp/filter", "{bad}");
        }
        let many: Vec<Value> = (0..=CONDITIONS_MAX).map(|_| json!({"property": "a", "value": "b"})).collect();
        assert!(Filter::read(&many).is_err());
    }

    #[test]
    fn pages_cover_everything_once_in_both_directions() {
        let all: Vec<Dataset> = (0..23).map(dataset).collect();
        let sorted: Vec<&Dataset> = all.iter().collect();
        let filter = read(json!([{"limit": 5}])).unwrap();
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        let mut last = None;
        loop {
            let found = page(&sorted, cursor.as_ref(), &filter);
            seen.extend(found.datasets.iter().map(|d| d.id.clone()));
            last = found.previous.clone().or(last);
            match &found.next {
                Some(next) => {
                    let token = next.to_token();
                    assert!(found.link("https://p.example/catalog/request").unwrap().contains(&token));
                    cursor = Some(Cursor::read(&token, &filter).unwrap());
                }
                None => break,
            }
        }
        assert_eq!(seen, all.iter().map(|d| d.id.clone()).collect::<Vec<_>>());
        let before = page(&sorted, last.as_ref(), &filter);
        assert_eq!(
            before.datasets.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(),
            ["urn:d:015", "urn:d:016", "urn:d:017", "urn:d:018", "urn:d:019"]
        );
        assert!(before.link("https://x").unwrap().contains("rel=\"previous\""));
        assert_eq!(page(&sorted, None, &Filter::default()).link("https://x"), None);
        let other = read(json!([{"limit": 6}])).unwrap();
        let token = Cursor::new("urn:d:001", false, &filter).to_token();
        for (token, filter) in
            [(token.as_str(), &other), ("", &filter), ("x", &filter), ("fé", &filter), ("f12", &filter)]
        {
            assert_eq!(Cursor::read(token, filter).unwrap_err().code(), "dsp/token");
        }
    }

    #[test]
    fn links_of_peers() {
        let asked = "https://p.example/dsp/catalog/request";
        let header = "<https://p.example/x?a=1>; rel=\"previous\", <https://p.example/x?a=2>; rel=\"next\"";
        assert_eq!(next_link(header, asked).as_deref(), Some("https://p.example/x?a=2"));
        assert_eq!(next_link("<http://127.0.0.1/x>; rel=\"next\"", asked), None);
        assert_eq!(next_link("nonsense", asked), None);
    }
}
