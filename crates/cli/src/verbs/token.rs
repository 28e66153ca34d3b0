//! `tegata token`: who may come in at the doors of a process that serves.

use crate::door::{self, Door, Fault, Which, part};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// List, make and revoke tokens for `/v1` and the pages. A secret is shown once and kept as a hash.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata token --dir munich                              all tokens
  tegata token make auditor-2026 --role read --dir munich
  tegata token revoke auditor-2026 --dir munich

Roles: admin everything; act offers and gets; read sees; auditor evidence; regulator what a regulator may see; operator runs the node; plane, a control or data plane of others, signals data flows and nothing else.
Exit codes: 0 done, 2 usage, 3 nothing serves on this folder or the name is taken.")]
pub struct Token {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    common: super::Common,
}

#[derive(Subcommand)]
enum Act {
    /// Make a token and print its secret, once.
    Make {
        /// Its name.
        id: String,
        /// What its holder may do.
        #[arg(long, default_value = "read")]
        role: String,
        #[command(flatten)]
        which: Which,
    },
    /// Revoke a token; its sessions end.
    Revoke {
        /// Its name.
        id: String,
        #[command(flatten)]
        which: Which,
    },
}

/// Runs the verb.
pub fn run(token: Token) -> ExitCode {
    door::end(order(&token))
}

fn order(token: &Token) -> Result<Vec<String>, Fault> {
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    match &token.act {
        Some(Act::Make { id, role, which }) => {
            let made = Door::find(which)?.post("/v1/tokens", &json!({ "id": id, "role": role }))?;
            Ok(vec![text(&made, "secret")])
        }
        Some(Act::Revoke { id, which }) => {
            Door::find(which)?.post(&format!("/v1/tokens/{}/revoke", part(id)), &json!({}))?;
            Ok(vec![id.clone()])
        }
        None => {
            let answer = Door::find(&token.which)?.get("/v1/tokens")?;
            let voice = token.common.voice();
            let rows = answer.get("tokens").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(rows
                .iter()
                .map(|t| {
                    let gone = if t.get("revoked_at").is_some_and(|r| !r.is_null()) { voice.word("token-revoked") } else { String::new() };
                    format!("{:<24} {:<10} {gone}", text(t, "id"), text(t, "role"))
                })
                .collect())
        }
    }
}
