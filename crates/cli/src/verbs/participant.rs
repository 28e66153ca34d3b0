//! `tegata participant`: the participants behind the doors of one process.

use crate::door::{self, Door, Fault, Which, part};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use words::{Arg, say};

/// Take participants in behind the doors of a process that serves: each has a folder, a store, keys and tokens of its own.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata participant --dir host                                           who is here
  tegata participant add aoi --did did:web:aoi.example --dir host         reached at once below /p/aoi
  tegata participant add aoi --did did:web:aoi.example --country DE --authority authority --dir host    with keys and certificates
  tegata participant add aoi --did did:web:aoi.example --through did:web:broker.example --dir host
  tegata participant mark aoi --scheme cbpr --certificate C-17 --by did:web:agent.example --until 2027-04-01 --dir host
  tegata participant quota aoi --offers 50 --dir host                     from now on
  tegata participant release aoi --dir host                               its folder stays
  tegata participant figures aoi --month 2026-11 --dir host               offers, contracts, pairs, bytes

A participant's own verbs run on its folder: tegata offer … --dir host/participants/aoi
Exit codes: 0 done, 2 usage, 3 nothing serves on this folder or the name is taken.")]
pub struct Participant {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    common: super::Common,
}

#[derive(Subcommand)]
enum Act {
    /// Take a participant in and print its admin token, once.
    Add {
        /// Its short name: small letters, digits and hyphens.
        name: String,
        /// Its id, a DID.
        #[arg(long)]
        did: String,
        /// Its name, for people.
        #[arg(long, default_value = "", hide_default_value = true)]
        title: String,
        /// The id of the intermediary that acts for it, if one does.
        #[arg(long, value_name = "DID")]
        through: Option<String>,
        /// Two letters of its country: its keys and certificates are made by an authority.
        #[arg(long, value_name = "PLACE", requires = "authority")]
        country: Option<String>,
        /// The folder of a running authority; without it the folder must have its keys (demo of a test identity excepted).
        #[arg(long, value_name = "FOLDER", requires = "country")]
        authority: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Serve a participant no longer; its folder stays, and `add` takes it in again.
    Release {
        /// Its short name.
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Record a certification of a participant that you have seen, in place of another of that scheme; the law takes it until its end.
    Mark {
        /// Its short name.
        name: String,
        /// The scheme, a value of `party.listed` such as cbpr.
        #[arg(long)]
        scheme: String,
        /// The number or name of the certificate.
        #[arg(long, value_name = "ID")]
        certificate: String,
        /// Who granted it.
        #[arg(long)]
        by: String,
        /// The first day on which it no longer counts.
        #[arg(long, value_name = "DAY")]
        until: model::CivilDate,
        #[command(flatten)]
        which: Which,
    },
    /// How much a participant may have and move, and what of it is used; what is named is set from now on.
    Quota {
        /// Its short name.
        name: String,
        /// Datasets that it offers at a time.
        #[arg(long, value_name = "N")]
        offers: Option<u64>,
        /// Negotiations that are open at a time.
        #[arg(long, value_name = "N")]
        negotiations: Option<u64>,
        /// Bytes that it gives and takes in a calendar month of UTC.
        #[arg(long, value_name = "N")]
        bytes_month: Option<u64>,
        #[command(flatten)]
        which: Which,
    },
    /// What a participant did in a month: offers, contracts, pairs, deliveries, bytes.
    Figures {
        /// Its short name.
        name: String,
        /// Such as 2026-11 (default: this month).
        #[arg(long)]
        month: Option<String>,
        #[command(flatten)]
        which: Which,
    },
}

/// Runs the verb.
pub fn run(participant: Participant) -> ExitCode {
    door::end(order(&participant))
}

fn order(participant: &Participant) -> Result<Vec<String>, Fault> {
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let language = participant.common.voice().language;
    match &participant.act {
        Some(Act::Add { name, did, title, through, country, authority, which }) => {
            if let (Some(country), Some(authority)) = (country, authority) {
                enrolled(participant, name, did, title, country, authority, which)?;
            }
            let newcomer = json!({ "name": name, "did": did, "title": title, "through": through });
            let made = Door::find(which)?.post("/v1/participants", &newcomer)?;
            let args = [("did", Arg::Text(did)), ("protocol", Arg::Text(&text(&made, "protocol")))];
            let mut lines = vec![say(language, "participant-added", &args)];
            // A folder that was there before has its tokens already.
            lines.extend(made.get("token").and_then(Value::as_str).map(str::to_owned));
            Ok(lines)
        }
        Some(Act::Figures { name, month, which }) => {
            let month = month.as_ref().map(|m| format!("?month={}", part(m))).unwrap_or_default();
            let answer = Door::find(which)?.get(&format!("/v1/participants/{}/figures{month}", part(name)))?;
            let figures = answer.get("figures").and_then(Value::as_object).cloned().unwrap_or_default();
            Ok(["offers", "contracts", "pairs", "deliveries", "bytes"]
                .iter()
                .map(|key| format!("{key:<12} {}", figures.get(*key).unwrap_or(&Value::Null)))
                .collect())
        }
        Some(Act::Release { name, which }) => {
            let answer = Door::find(which)?.delete(&format!("/v1/participants/{}", part(name)))?;
            let free = answer.get("free").and_then(Value::as_bool).unwrap_or_default();
            Ok(vec![say(language, if free { "participant-released" } else { "participant-ending" }, &[("name", Arg::Text(name))])])
        }
        Some(Act::Mark { name, scheme, certificate, by, until, which }) => {
            let door = Door::find(which)?;
            let known = door.get("/v1/participants")?;
            let rows = known.get("participants").and_then(Value::as_array).cloned().unwrap_or_default();
            let row = rows.iter().find(|r| r.get("name").and_then(Value::as_str) == Some(name));
            let before = row.and_then(|r| r.get("marks")).and_then(Value::as_array).cloned().unwrap_or_default();
            let kept = before.into_iter().filter(|m| m.get("scheme").and_then(Value::as_str) != Some(scheme));
            let kept = kept.map(|m| json!({ "scheme": text(&m, "scheme"), "id": text(&m, "id"), "by": text(&m, "by"), "until": text(&m, "until") }));
            let told = json!({ "scheme": scheme, "id": certificate, "by": by, "until": until.to_string() });
            let marks: Vec<Value> = kept.chain([told]).collect();
            let answer = door.put(&format!("/v1/participants/{}/marks", part(name)), &json!({ "marks": marks }))?;
            let marks = answer.get("marks").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(marks.iter().map(|m| ["scheme", "id", "by", "until"].map(|key| text(m, key)).join("  ")).collect())
        }
        Some(Act::Quota { name, offers, negotiations, bytes_month, which }) => {
            let door = Door::find(which)?;
            let path = format!("/v1/participants/{}/quotas", part(name));
            if offers.or(*negotiations).or(*bytes_month).is_some() {
                let told = json!({ "offers": offers, "negotiations": negotiations, "bytes_month": bytes_month });
                door.put(&path, &told)?;
            }
            let answer = door.get(&path)?;
            let number = |of: &str, key: &str| answer.pointer(&format!("/{of}/{key}")).and_then(Value::as_u64).unwrap_or_default();
            Ok(["offers", "negotiations", "bytes_month"]
                .iter()
                .map(|key| format!("{key:<12} {} / {}", number("used", key), number("quotas", key)))
                .collect())
        }
        None => {
            let answer = Door::find(&participant.which)?.get("/v1/participants")?;
            let rows = answer.get("participants").and_then(Value::as_array).cloned().unwrap_or_default();
            let chain = |row: &Value| {
                let ids = row.get("through").and_then(Value::as_array).cloned().unwrap_or_default();
                ids.iter().filter_map(Value::as_str).map(|id| format!(" < {id}")).collect::<String>()
            };
            Ok(rows
                .iter()
                .map(|r| format!("{:<20} {:<36} {}{}", text(r, "name"), text(r, "id"), text(r, "protocol"), chain(r)))
                .collect())
        }
    }
}

/// Makes the folder of a newcomer with keys and certificates; one that was enrolled before stays as it is.
fn enrolled(
    participant: &Participant,
    name: &str,
    did: &str,
    title: &str,
    country: &str,
    authority: &Path,
    which: &Which,
) -> Result<(), Fault> {
    let dir = which.dir.join(server::participants::FOLDER).join(name);
    if dir.join("tegata.toml").is_file() {
        return Ok(());
    }
    // The process that takes it in listens for it.
    let nowhere = Some("127.0.0.1:0".to_owned());
    let enroll = super::enroll::Enroll {
        dir,
        name: if title.is_empty() { name } else { title }.to_owned(),
        country: country.to_owned(),
        did: Some(did.to_owned()),
        organization: None,
        authority: authority.to_owned(),
        listen: nowhere.clone(),
        pages: nowhere,
        legal_day: None,
        common: participant.common.clone(),
    };
    super::enroll::join(&enroll).map(drop).map_err(|(line, exit)| Fault { line, exit })
}
