//! `tegata claims`: who we are by the Decentralized Claims Protocol, what we hold and issue, and which peers are believed.

use crate::{door::{Asking, Door, Fault, end, part}, verdict::Voice};
use clap::Args;
use model::Instant;
use serde_json::{Value, json};
use std::process::ExitCode;
use words::{Arg, say};

/// Claims: who this node is to its peers, the credentials it holds and issues, and which peers it believes on what.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata claims --dir munich                                                     how claims stand
  tegata claims --request did:web:issuer.example --credential MembershipCredential   ask an issuer; it comes by itself
  tegata claims --approve ID                                                     issue what somebody asks for; it binds
  tegata claims --revoke ID                                                      set its bit in the status list, for good

Exit codes: 0 done, 2 usage, 3 no node serves or a peer refused.")]
pub struct Claims {
    /// Ask this issuer (a DID) for credentials.
    #[arg(long, value_name = "DID", requires = "credential", group = "act")]
    request: Option<String>,
    /// The type or id of a credential to ask for; may be repeated.
    #[arg(long, value_name = "TYPE", requires = "request")]
    credential: Vec<String>,
    /// Issue what this request asks for.
    #[arg(long, value_name = "ID", group = "act")]
    approve: Option<String>,
    /// Reject this request.
    #[arg(long, value_name = "ID", group = "act")]
    reject: Option<String>,
    /// Why it is rejected; the holder reads it.
    #[arg(long, value_name = "TEXT", requires = "reject")]
    reason: Option<String>,
    /// Revoke a credential that this node issued.
    #[arg(long, value_name = "ID", group = "act")]
    revoke: Option<String>,
    /// Forget a credential that this node holds.
    #[arg(long, value_name = "ID", group = "act")]
    forget: Option<String>,
    /// Make a new key that signs from now on.
    #[arg(long, group = "act")]
    rotate: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(claims: Claims) -> ExitCode {
    end(tell(&claims))
}

fn tell(claims: &Claims) -> Result<Vec<String>, Fault> {
    let door = claims.asking.door()?;
    let voice = claims.asking.voice();
    if let Some((answer, line)) = act(claims, &door, voice)? {
        return Ok(vec![if claims.asking.json { answer.to_string() } else { line }]);
    }
    let standing = door.get("/v1/claims")?;
    Ok(if claims.asking.json { vec![standing.to_string()] } else { lines(&standing, voice) })
}

/// Does what was ordered, if something was; an answer without a body is null.
fn act(claims: &Claims, door: &Door, voice: Voice) -> Result<Option<(Value, String)>, Fault> {
    let done = || voice.word("claims-done");
    if let Some(issuer) = &claims.request {
        let answer = door.post("/v1/credential-requests", &json!({ "issuer": issuer, "credentials": claims.credential }))?;
        return Ok(Some((answer, say(voice.language, "claims-requested", &[("issuer", Arg::Text(issuer))]))));
    }
    if let Some(id) = &claims.approve {
        door.order(&format!("/v1/issuer/requests/{}/approve", part(id)), &json!({}))?;
        return Ok(Some((Value::Null, done())));
    }
    if let Some(id) = &claims.reject {
        door.order(&format!("/v1/issuer/requests/{}/reject", part(id)), &json!({ "reason": claims.reason }))?;
        return Ok(Some((Value::Null, done())));
    }
    if let Some(id) = &claims.revoke {
        return Ok(Some((door.post(&format!("/v1/issuer/issued/{}/revoke", part(id)), &json!({}))?, done())));
    }
    if let Some(id) = &claims.forget {
        door.drop(&format!("/v1/credentials/{}", part(id)))?;
        return Ok(Some((Value::Null, done())));
    }
    if claims.rotate {
        let answer = door.post("/v1/did/keys", &json!({}))?;
        let id = text(&answer, "id");
        return Ok(Some((answer, say(voice.language, "claims-new-key", &[("id", Arg::Text(&id))]))));
    }
    Ok(None)
}

fn text(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_str).unwrap_or_default().to_string()
}

fn all<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn listed(of: &Value, key: &str) -> String {
    all(of, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn moment(of: &Value, key: &str) -> Option<Instant> {
    of.get(key).and_then(|at| serde_json::from_value(at.clone()).ok())
}

/// How claims stand, a line each, under four headings.
fn lines(s: &Value, voice: Voice) -> Vec<String> {
    let teller = Teller { voice, now: moment(s, "at") };
    [teller.ourselves(s), teller.held(s), teller.issued(s), teller.peers(s)].concat()
}

/// Says what stands in a document.
struct Teller {
    voice: Voice,
    now: Option<Instant>,
}

impl Teller {
    fn word(&self, id: &str) -> String {
        self.voice.word(id)
    }

    fn with(&self, id: &str, name: &str, value: &str) -> String {
        say(self.voice.language, id, &[(name, Arg::Text(value))])
    }

    fn until(&self, of: &Value) -> String {
        moment(of, "valid_until").map(|at| format!("  {}", self.with("claims-until", "until", &at.to_string()))).unwrap_or_default()
    }

    /// How a line begins: with a mark, if its day has passed.
    fn mark(&self, of: &Value, key: &str) -> String {
        match moment(of, key).zip(self.now).is_some_and(|(end, now)| end <= now) {
            true => format!("■ {}  ", self.word("claims-over")),
            false => "· ".into(),
        }
    }

    fn paper(&self, of: &Value) -> String {
        let by = self.with("claims-by", "issuer", &text(of, "issuer"));
        format!("  {}{}  {by}{}", self.mark(of, "valid_until"), listed(of, "kinds"), self.until(of))
    }

    fn state(&self, of: &Value) -> String {
        self.word(match text(of, "state").as_str() {
            "ISSUED" => "claims-state-issued",
            "REJECTED" => "claims-state-rejected",
            _ => "claims-state-open",
        })
    }

    fn ourselves(&self, s: &Value) -> Vec<String> {
        let mut out = vec![format!("{}: {}", self.word("claims-ourselves"), text(s, "did"))];
        if s.get("on") == Some(&Value::Bool(false)) {
            out.push(format!("  {}", self.word("claims-off")));
        }
        out.extend(all(s, "keys").iter().rev().enumerate().map(|(n, key)| {
            let says = match moment(key, "retired_until") {
                Some(end) => self.with("claims-key-retired", "until", &end.to_string()),
                None => self.word(if n == 0 { "claims-key-signs" } else { "claims-key-verifies" }),
            };
            format!("  · {}  {says}", text(key, "id"))
        }));
        out
    }

    fn held(&self, s: &Value) -> Vec<String> {
        let mut out = vec![self.word("claims-held")];
        if all(s, "held").is_empty() {
            out.push(format!("  {}", self.word("claims-held-none")));
        }
        out.extend(all(s, "held").iter().map(|of| format!("{}  {}", self.paper(of), text(of, "id"))));
        let asked = |of: &Value| format!("  · {}  {}  {}  {}", self.state(of), listed(of, "credentials"), text(of, "issuer"), text(of, "reason")).trim_end().to_string();
        out.extend(all(s, "asked").iter().map(asked));
        out
    }

    fn issued(&self, s: &Value) -> Vec<String> {
        let mut out = vec![self.word("claims-issue")];
        if all(s, "issuable").is_empty() {
            out.push(format!("  {}", self.word("claims-issue-none")));
        }
        out.extend(all(s, "issuable").iter().map(|of| format!("  · {}  {}  {}", text(of, "kind"), text(of, "id"), text(of, "profile"))));
        for of in all(s, "askers") {
            let waits = of.get("waits") == Some(&Value::Bool(true));
            let how = if waits { format!("■ {}", self.word("claims-waits")) } else { format!("· {}", self.state(of)) };
            out.push(format!("  {how}  {}  {}  {}", text(of, "holder"), listed(of, "credentials"), text(of, "id")));
            if !text(of, "trouble").is_empty() {
                out.push(format!("    {}", self.with("claims-trouble", "why", &text(of, "trouble"))));
            }
        }
        for of in all(s, "issued") {
            let how = moment(of, "revoked_at").map_or_else(|| self.word("claims-state-issued"), |at| self.with("claims-revoked", "at", &at.to_string()));
            out.push(format!("  · {how}  {}  → {}{}  {}", text(of, "kind"), text(of, "holder"), self.until(of), text(of, "id")));
        }
        for of in all(s, "lists") {
            let n = |key: &str| of.get(key).and_then(Value::as_u64).unwrap_or_default().to_string();
            out.push(format!("  {}", say(self.voice.language, "claims-list", &[("url", Arg::Text(&text(of, "url"))), ("taken", Arg::Text(&n("taken"))), ("revoked", Arg::Text(&n("revoked")))])));
        }
        out
    }

    fn peers(&self, s: &Value) -> Vec<String> {
        let require = listed(s, "require");
        let require = if require.is_empty() { self.word("claims-require-none") } else { self.with("claims-require", "kinds", &require) };
        let mut out = vec![self.word("claims-peers"), format!("  {require}")];
        if all(s, "believed").is_empty() && all(s, "refused").is_empty() {
            out.push(format!("  {}", self.word("claims-peers-none")));
        }
        for of in all(s, "believed") {
            let end = moment(of, "until").map(|at| at.to_string()).unwrap_or_default();
            out.push(format!("  {}{}  {}", self.mark(of, "until"), text(of, "did"), self.with("claims-believed", "until", &end)));
            for one in all(of, "papers") {
                out.push(format!("  {}", self.paper(one)));
                out.extend(all(one, "lists").iter().filter_map(Value::as_str).map(|list| format!("      {}", self.with("claims-not-revoked", "list", list))));
            }
        }
        for of in all(s, "refused") {
            out.push(format!("  ■ {}: {}  {} ({})", self.word("claims-refused"), text(of, "did"), text(of, "says"), text(of, "code")));
        }
        out
    }
}
