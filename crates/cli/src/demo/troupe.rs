//! The processes of the demo: an authority and two parties, each with its own directory, on loopback over TLS.

use super::party::Order;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The processes that run, so that they end with the demo whatever ends it.
static RUNNING: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every process of the demo.
pub fn end_all() {
    for child in lock(&RUNNING).drain(..) {
        let mut child = lock(&child);
        let _gone = child.kill();
        let _gone = child.wait();
    }
}

/// A child process that answers one line for one line; it is killed when dropped.
pub struct Actor {
    name: &'static str,
    child: Arc<Mutex<Child>>,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Actor {
    /// Starts this program again with other arguments and waits until it is ready.
    pub fn start(name: &'static str, args: &[&str]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{name}: {e}"))?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name}: no pipe"));
        };
        let child = Arc::new(Mutex::new(child));
        lock(&RUNNING).push(child.clone());
        let mut actor = Self { name, child, orders, answers: BufReader::new(answers), ready: Value::Null };
        let first = actor.line()?;
        actor.ready = first.get("ready").cloned().ok_or_else(|| format!("{name} did not start: {first}"))?;
        Ok(actor)
    }

    fn line(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(n) if n > 0 => serde_json::from_str(&line).map_err(|e| format!("{}: {e}: {line}", self.name)),
            _ => Err(format!("{} ended", self.name)),
        }
    }

    /// A text of what it said when it was ready.
    pub fn said(&self, key: &str) -> String {
        self.ready.get(key).and_then(Value::as_str).unwrap_or_default().to_string()
    }

    /// Gives an order and returns the answer.
    pub fn order(&mut self, order: &Order) -> Result<Value, String> {
        let text = serde_json::to_string(order).map_err(|e| e.to_string())?;
        writeln!(self.orders, "{text}").map_err(|e| format!("{}: {e}", self.name))?;
        let answer = self.line()?;
        match answer.get("error").and_then(Value::as_str) {
            Some(e) => Err(format!("{}: {e}", self.name)),
            None => Ok(answer.get("ok").cloned().unwrap_or(Value::Null)),
        }
    }

    /// Gives the order again until the answer is what is waited for.
    pub fn until<T>(&mut self, what: &str, order: &Order, mut look: impl FnMut(&Value) -> Option<T>) -> Result<T, String> {
        // LIMIT: how long a step of the demo may take.
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.order(order)?;
            if let Some(found) = look(&answer) {
                return Ok(found);
            }
            if Instant::now() > end {
                return Err(format!("{}: {what} did not come within 30 s; last answer: {answer}", self.name));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        let _gone = child.kill();
        let _gone = child.wait();
    }
}

/// Writes a party's configuration and returns its file.
pub fn config(dir: &Path, config: &node::config::Config) -> Result<PathBuf, String> {
    let file = dir.join("tegata.toml");
    std::fs::write(&file, config.render()).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", file.display()))?;
    Ok(file)
}
