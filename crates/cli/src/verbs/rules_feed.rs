//! `tegata rules feed`: the changes of the law with their effect, printed, or sent to a program that waits for them.

use super::{Common, read_text, rules_release, write_whole};
use crate::{rules_source, webhook::{self, Secret}};
use clap::{Args, ValueEnum};
use decide::engine::Engine;
use model::{CivilDate, Digest};
use node::feed::{self, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::carrier::TlsCarrier;
use std::{collections::BTreeMap, path::{Path, PathBuf}};
use words::{Arg, say};

/// Print the changes of the law with their effect as a feed, or send each new one to an address.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata rules feed > changes.atom
  tegata rules feed --format json --lang ja > changes.json
  tegata rules feed --base https://rules.example     entries lead to the pages of `tegata serve` there
  tegata rules feed --post https://desk.example/hooks/law --secret law.secret --memory law.sent.json

`tegata serve` gives the same at /feed.atom and /feed.json. --post is for a daily job: each change is sent once, signed as Standard
Webhooks says (headers webhook-id, webhook-timestamp, webhook-signature; the secret is `whsec_` and base64), and again when what it
says has changed. The first time, what is in force already is taken as known. Exit codes: 0 done, 2 usage, 3 it was not taken.")]
pub struct Feed {
    /// The form.
    #[arg(long, value_name = "FORM", default_value = "atom")]
    format: FeedForm,
    /// Scheme and host of the pages that entries lead to.
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    base: String,
    /// The day to look from (default: today): a year back, and all that is to come.
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// Send each change that was not sent yet to this address, instead of printing.
    #[arg(long, value_name = "URL", requires = "secret")]
    post: Option<String>,
    /// The file with the secret that the receiver gave out.
    #[arg(long, value_name = "FILE", requires = "post")]
    secret: Option<PathBuf>,
    /// Where it is remembered what was sent.
    #[arg(long, value_name = "FILE", default_value = "tegata-sent.json")]
    memory: PathBuf,
    /// Certificates at which the receiver's path ends (default: those of this system).
    #[arg(long, value_name = "FILE", requires = "post")]
    ca: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FeedForm {
    Atom,
    Json,
}

/// What was sent: by the id of a change, the digest of what was said of it.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    schema: String,
    changes: BTreeMap<String, Digest>,
}

const SCHEMA: &str = "tegata.sent.1";

/// The feed as lines, or what was sent. An error comes with its exit code.
pub fn feed(feed: &Feed) -> Result<Vec<String>, (String, u8)> {
    let usage = |line: String| (line, 2);
    let book = rules_source::load(feed.common.rules.as_deref()).map_err(usage)?;
    let language = feed.common.voice().language;
    let today = feed.as_of.unwrap_or_else(super::today);
    // What is told wrongly is said before the work, which takes a while.
    let receiver = match (&feed.post, &feed.secret) {
        (Some(url), Some(secret)) => Some(Receiver::of(feed, url, secret)?),
        _ => None,
    };
    let bar = super::wheel(&say(language, "feed-wheel", &[]));
    let changes = feed::changes(&mut Engine::new(book.clone()), today, language).map_err(|e| usage(super::too_many(e)))?;
    bar.finish_and_clear();
    let place = Place { base: feed.base.trim_end_matches('/'), language };
    if let Some(receiver) = receiver {
        let items = feed::json_feed(&book, &changes, &place);
        let items = items.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        return send(feed, receiver, &items, today);
    }
    Ok(match feed.format {
        FeedForm::Atom => vec![feed::atom(&book, &changes, &place).trim_end().to_string()],
        FeedForm::Json => vec![feed::json_feed(&book, &changes, &place).to_string()],
    })
}

/// Who waits for changes, and what was sent already; none: nothing yet.
struct Receiver<'a> {
    url: &'a str,
    secret: Secret,
    carrier: TlsCarrier,
    before: Option<Sent>,
}

impl<'a> Receiver<'a> {
    fn of(feed: &Feed, url: &'a str, secret: &Path) -> Result<Self, (String, u8)> {
        let usage = |line: String| (line, 2);
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(usage(format!("error[peer/address]: `{url}` is no address of a receiver, such as https://desk.example/hooks/law")));
        }
        let wrong = || usage(format!("error[TGT-C013]: `{}` is no secret of a webhook: `whsec_` and base64 of 24 to 64 bytes", secret.display()));
        let secret = Secret::read(&read_text(secret).map_err(usage)?).ok_or_else(wrong)?;
        let before = remembered(&feed.memory).map_err(usage)?;
        Ok(Self { url, secret, carrier: rules_release::carrier(feed.ca.as_deref())?, before })
    }
}

/// Sends what is new, oldest first; what was taken is remembered at once.
fn send(feed: &Feed, to: Receiver<'_>, items: &[Value], today: CivilDate) -> Result<Vec<String>, (String, u8)> {
    let usage = |line: String| (line, 2);
    let first = to.before.is_none();
    let mut sent = to.before.unwrap_or_else(|| Sent { schema: SCHEMA.into(), ..Sent::default() });
    let mut n = 0;
    for item in items.iter().rev() {
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
        let (id, digest) = (text("/id"), Digest::of(format!("{}\n{}", text("/title"), text("/content_text")).as_bytes()));
        if sent.changes.get(&id) == Some(&digest) {
            continue;
        }
        let in_force = text("/_tegata/in_force").parse::<CivilDate>().is_ok_and(|day| day <= today);
        if !(first && in_force) {
            let body = json!({ "type": "tegata.law.changed", "timestamp": super::now().to_string(), "data": item }).to_string();
            let name = format!("{id}#{}", digest.short());
            let taken = webhook::post(&to.carrier, to.url, &to.secret, &name, super::now(), body.into_bytes());
            if let Err(line) = taken {
                remember(&feed.memory, &sent).map_err(usage)?;
                return Err((line, 3));
            }
            n += 1;
        }
        sent.changes.insert(id, digest);
    }
    remember(&feed.memory, &sent).map_err(usage)?;
    Ok(vec![say(feed.common.voice().language, "feed-sent", &[("n", Arg::Number(n)), ("url", Arg::Text(to.url))])])
}

fn remembered(path: &Path) -> Result<Option<Sent>, String> {
    if !path.exists() {
        return Ok(None);
    }
    let sent: Option<Sent> = serde_json::from_str(&read_text(path)?).ok();
    let sent = sent.filter(|s| s.schema == SCHEMA);
    sent.map(Some).ok_or_else(|| format!("error[TGT-C014]: `{}` is no memory of `rules feed --post`; name another with --memory", path.display()))
}

fn remember(path: &Path, sent: &Sent) -> Result<(), String> {
    let bytes = serde_json::to_vec_pretty(sent).map_err(|e| format!("error[TGT-C001]: {e}"))?;
    write_whole(path, &bytes)
}
