//! The management API of an Eclipse EDC, which is only read: by `doctor --edc` and by `import`.
//!
//! What is said of its answers holds for EDC 0.15, against which it is tried (`conformance/edc`); another version is read as far
//! as it answers in the same words.

pub mod names;
pub mod policy;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// LIMIT: bytes of one answer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// LIMIT: rows that are asked for at once.
const PAGE: usize = 500;
/// LIMIT: rows of one kind that are read to their end.
pub const ROWS_MAX: usize = 100_000;
/// LIMIT: how long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The namespace of EDC's own words.
pub const NAMESPACE: &str = "https://w3id.org/edc/v0.0.1/ns/";

/// A management API.
#[derive(Debug)]
pub struct Management {
    base: String,
    key: Option<String>,
}

/// Why it could not be read, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What happened.
    pub says: String,
    /// What to do about it.
    pub help: String,
}

fn unread<T>(says: impl Into<String>, help: impl Into<String>) -> Result<T, Unread> {
    Err(Unread { says: says.into(), help: help.into() })
}

impl Management {
    /// The API at an address, such as `http://127.0.0.1:8181/management`, with the version that is read where it names none;
    /// `key` goes into `X-Api-Key`.
    pub fn at(base: &str, key: Option<&str>) -> Self {
        let base = base.trim_end_matches('/');
        let versioned = base.rsplit('/').next().is_some_and(|last| last.starts_with('v') && last.len() > 1);
        Self { base: if versioned { base.to_owned() } else { format!("{base}/v3") }, key: key.map(str::to_owned) }
    }

    /// Whether its version is the one whose words this program knows.
    pub fn is_v3(&self) -> bool {
        self.base.ends_with("/v3")
    }

    /// At most so many rows of a kind; `newest` asks for those first.
    pub fn some(&self, kind: &str, newest: bool, most: usize) -> Result<Vec<Value>, Unread> {
        let mut query = json!({ "limit": most });
        if newest {
            query["sortField"] = "createdAt".into();
            query["sortOrder"] = "DESC".into();
        }
        self.rows(kind, query)
    }

    /// Every row of a kind that meets the criteria, page by page in the order of ids; `told` hears how many there are so far.
    ///
    /// A page that is shorter than asked for is no end: an API may give less at once. What comes twice or is without end is
    /// not taken for the whole.
    pub fn all(&self, kind: &str, criteria: Option<&Value>, told: &dyn Fn(usize)) -> Result<Vec<Value>, Unread> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        loop {
            let mut query = json!({ "offset": all.len(), "limit": PAGE, "sortField": "id", "sortOrder": "ASC" });
            if let Some(criteria) = criteria {
                query["filterExpression"] = criteria.clone();
            }
            let page = self.rows(kind, query)?;
            if page.is_empty() {
                return Ok(all);
            }
            for row in page {
                let id = text(&row, "@id").to_owned();
                if id.is_empty() {
                    return unread(format!("{}/{kind} gives a row without an id", self.base), "is this the management API?");
                }
                if !seen.insert(id.clone()) {
                    return unread(format!("{}/{kind} gives `{id}` twice", self.base), "it changed while it was read: ask again");
                }
                all.push(row);
            }
            if all.len() > ROWS_MAX {
                return unread(format!("{}/{kind} has more than {ROWS_MAX} rows", self.base), "no more are read at once");
            }
            told(all.len());
        }
    }

    fn rows(&self, kind: &str, mut query: Value) -> Result<Vec<Value>, Unread> {
        query["@context"] = json!({ "@vocab": NAMESPACE });
        query["@type"] = "QuerySpec".into();
        self.ask(&format!("{kind}/request"), "POST", Some(query)).map(listed)
    }

    /// What stands at a path.
    pub fn get(&self, path: &str) -> Result<Vec<Value>, Unread> {
        self.ask(path, "GET", None).map(listed)
    }

    /// One question in HTTP/1.0, whose answer ends with the connection.
    fn ask(&self, path: &str, method: &str, body: Option<Value>) -> Result<Value, Unread> {
        let url = format!("{}/{path}", self.base);
        let Some(rest) = url.strip_prefix("http://") else {
            return unread(format!("`{url}`: only http is spoken here"), "forward the management port to this machine, and give http://127.0.0.1:PORT/…");
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let raw = self.exchange(host, path, method, body).map_err(|e| Unread {
            says: format!("nobody answers at http://{host}: {e}"),
            help: "is EDC up, and is this its management port (`web.http.management.port`)?".into(),
        })?;
        let end = raw.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(raw.len());
        let head = String::from_utf8_lossy(raw.get(..end).unwrap_or_default());
        let status: u16 = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        match status {
            200..=299 => serde_json::from_slice(raw.get(end + 4..).unwrap_or_default())
                .map_err(|e| Unread { says: format!("`{url}` answers with what is no JSON: {e}"), help: "is this the management API?".into() }),
            401 | 403 => unread(format!("`{url}` wants another key (status {status})"), "give the file with its key: --edc-key-file"),
            404 => unread(format!("`{url}` is not there"), "give the base address with its path, such as http://127.0.0.1:8181/management/v3"),
            other => unread(format!("`{url}` answers with status {other}"), "look at the log of this EDC"),
        }
    }

    fn exchange(&self, host: &str, path: &str, method: &str, body: Option<Value>) -> std::io::Result<Vec<u8>> {
        let named = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let address = named.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let key = self.key.as_ref().map(|k| format!("x-api-key: {k}\r\n")).unwrap_or_default();
        let head = format!("{method} /{path} HTTP/1.0\r\nhost: {host}\r\n{key}accept: application/json\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut raw = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut raw)?;
        Ok(raw)
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(rows) => rows,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The text under a key, empty if there is none.
pub fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}
