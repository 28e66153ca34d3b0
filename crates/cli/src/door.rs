//! How verbs speak with a node that serves on this machine: `/v1` over loopback, with the secret of that start.

use clap::Args;
use server::node_acts::DoorFile;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

// LIMIT: how long an answer may take, and its bytes (a container with its log proof).
const ANSWER: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Which node.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// The folder of the node; `tegata serve` runs on it.
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    pub dir: PathBuf,
    /// Another door than the one that the folder names, such as http://127.0.0.1:4777.
    #[arg(long, value_name = "URL", requires = "token_file")]
    pub at: Option<String>,
    /// A file with a token for it.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// What each verb takes that asks a node: which one, and how the answer is told.
#[derive(Args, Clone)]
pub struct Asking {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// The node.
    #[command(flatten)]
    pub which: Which,
    /// Language and rules.
    #[command(flatten)]
    pub common: crate::verbs::Common,
}

impl Asking {
    /// The door of the node.
    pub fn door(&self) -> Result<Door, Fault> {
        Door::find(&self.which)
    }

    /// How to speak.
    pub fn voice(&self) -> crate::verdict::Voice {
        self.common.voice()
    }
}

impl Which {
    /// The arguments that name the same node again, each with a space before it.
    pub fn again(&self) -> String {
        let arg = |name: &str, value: &str| format!(" --{name} {}", quoted(value));
        let mut out = String::new();
        if self.dir != std::path::Path::new("tegata-data") {
            out.push_str(&arg("dir", &self.dir.display().to_string()));
        }
        out.extend(self.at.iter().map(|at| arg("at", at)));
        out.extend(self.token_file.iter().map(|file| arg("token-file", &file.display().to_string())));
        out
    }
}

/// A word as a shell takes it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What did not come about: a line for people, and the exit code.
#[derive(Debug)]
pub struct Fault {
    /// One line, and the reasons below it.
    pub line: String,
    /// The exit code.
    pub exit: u8,
}

impl Fault {
    /// A fault of what was given.
    pub fn usage(line: impl Into<String>) -> Self {
        Self { line: line.into(), exit: 2 }
    }

    /// Prints it and gives the exit code.
    pub fn exit(self) -> std::process::ExitCode {
        errln!("{}", self.line);
        std::process::ExitCode::from(self.exit)
    }
}

/// Ends a verb that speaks to a node: its lines, or the one line that says what is wrong.
pub fn end(done: Result<Vec<String>, Fault>) -> std::process::ExitCode {
    match done {
        Ok(lines) => {
            crate::tell::answer(&lines);
            std::process::ExitCode::SUCCESS
        }
        Err(fault) => fault.exit(),
    }
}

impl From<String> for Fault {
    fn from(line: String) -> Self {
        Self::usage(line)
    }
}

/// An open door.
#[derive(Debug)]
pub struct Door {
    host: String,
    /// What stands before each path: `/p/aoi` for a participant behind the doors of another.
    below: String,
    token: String,
}

impl Door {
    /// Finds the door of a node.
    pub fn find(which: &Which) -> Result<Self, Fault> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|e| Fault::usage(format!("error[TGT-C001]: cannot read `{}`: {e}", path.display())))
        };
        if let (Some(at), Some(file)) = (&which.at, &which.token_file) {
            let (host, below) = place(at)?;
            return Ok(Self { host, below, token: read(file)?.trim().to_string() });
        }
        let Some(found) = DoorFile::read(&which.dir) else {
            let line = format!("error[TGT-C011]: no node serves on `{0}`; start one: tegata serve --dir {0}", which.dir.display());
            return Err(Fault { line, exit: 3 });
        };
        let token = match &which.token_file {
            Some(file) => read(file)?.trim().to_string(),
            None => found.token.clone(),
        };
        let (host, below) = place(&found.address)?;
        Ok(Self { host, below, token })
    }

    /// Asks.
    pub fn get(&self, path: &str) -> Result<Value, Fault> {
        json(&self.call("GET", path, None)?)
    }

    /// Asks for bytes.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Fault> {
        self.call("GET", path, None)
    }

    /// Orders.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Fault> {
        json(&self.call("POST", path, Some(body.to_string()))?)
    }

    /// Orders what has no answer but that it is done.
    pub fn order(&self, path: &str, body: &Value) -> Result<(), Fault> {
        self.call("POST", path, Some(body.to_string())).map(|_| ())
    }

    /// Takes something away, where the answer is only that it is gone.
    pub fn drop(&self, path: &str) -> Result<(), Fault> {
        self.call("DELETE", path, None).map(|_| ())
    }

    /// Puts something in the place of what was.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Fault> {
        json(&self.call("PUT", path, Some(body.to_string()))?)
    }

    /// Takes something away.
    pub fn delete(&self, path: &str) -> Result<Value, Fault> {
        json(&self.call("DELETE", path, None)?)
    }

    /// Orders what the node may refuse for itself: that it does, with its reasons, is an answer too.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Result<Value, String>, Fault> {
        let (status, answer) = self.exchange("POST", path, Some(body.to_string()))?;
        match status {
            200..=299 => json(&answer).map(Ok),
            400 | 409 | 422 | 429 => Ok(Err(refusal(status, &answer).line)),
            _ => Err(refusal(status, &answer)),
        }
    }

    fn call(&self, method: &str, path: &str, body: Option<String>) -> Result<Vec<u8>, Fault> {
        let (status, body) = self.exchange(method, path, body)?;
        match (200..300).contains(&status) {
            true => Ok(body),
            false => Err(refusal(status, &body)),
        }
    }

    /// Asks and hears the status and the body.
    fn exchange(&self, method: &str, path: &str, body: Option<String>) -> Result<(u16, Vec<u8>), Fault> {
        let gone = |e: std::io::Error| {
            let line = format!("error[TGT-C011]: nobody answers at http://{}: {e}; is `tegata serve` running?", self.host);
            Fault { line, exit: 3 }
        };
        let address = self.host.to_socket_addrs().map_err(gone)?.next();
        let address = address.ok_or_else(|| gone(std::io::ErrorKind::NotFound.into()))?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).map_err(gone)?;
        stream.set_read_timeout(Some(ANSWER)).map_err(gone)?;
        let body = body.unwrap_or_default();
        let head = format!(
            "{method} {}{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.below, self.host, self.token, body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(gone)?;
        let mut raw = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut raw).map_err(gone)?;
        let end = raw.windows(4).position(|w| w == b"\r\n\r\n");
        let Some((head, body)) = end.map(|end| (&raw[..end], &raw[end + 4..])) else {
            return Err(gone(std::io::Error::other("the answer is no HTTP")));
        };
        let status: u16 = String::from_utf8_lossy(head).split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Ok((status, body.to_vec()))
    }
}

/// Host and port of an address, and the path below which the door lies.
fn place(at: &str) -> Result<(String, String), Fault> {
    let wrong = || Fault::usage(format!("error[TGT-C002]: `{at}` is no address such as http://127.0.0.1:4777"));
    let rest = at.strip_prefix("http://").map(|r| r.trim_end_matches('/')).ok_or_else(wrong)?;
    let (host, below) = match rest.split_once('/') {
        None => (rest, String::new()),
        Some((host, name)) => match name.strip_prefix("p/") {
            Some(one) if !one.contains('/') => (host, format!("/p/{}", part(one))),
            _ => return Err(wrong()),
        },
    };
    Ok((host.to_string(), below))
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|e| Fault { line: format!("error[TGT-C011]: the answer is no JSON: {e}"), exit: 3 })
}

/// A problem document as lines for people.
fn refusal(status: u16, body: &[u8]) -> Fault {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let (code, detail) = (text("code"), text("detail"));
    let what = if detail.is_empty() { text("title") } else { detail };
    let mut line = format!("error[{}]: {}", if code.is_empty() { status.to_string() } else { code }, if what.is_empty() { format!("status {status}") } else { what });
    for finding in problem.get("findings").and_then(Value::as_array).into_iter().flatten() {
        let said = finding.get("message").and_then(Value::as_str).unwrap_or_default();
        if !line.contains(said) {
            line.push_str(&format!("\n  {said}"));
        }
    }
    // A peer, or a refusal by one; else what was given; else this program.
    let exit = match status {
        502 | 409 => 3,
        500..=599 => 1,
        _ => 2,
    };
    Fault { line, exit }
}

/// A part of a path, escaped.
pub fn part(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
