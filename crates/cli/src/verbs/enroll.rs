//! `tegata enroll`: keys, certificates and a configuration for a new node.

use clap::Args;
use node::config::{Config, Mode};
use std::{net::TcpListener, path::{Path, PathBuf}, process::ExitCode};
use words::{Arg, say};

/// Make a node's folder: keys, certificates from an authority, and `tegata.toml`. Then `tegata serve --dir FOLDER` runs it.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata enroll --dir munich --name 'Nord GmbH' --country DE
  tegata enroll --dir boston --name 'Demo Labs' --country US --did did:web:labs.example --authority ../authority
  tegata enroll --dir munich --name 'Nord GmbH' --country DE --legal-day 2020-07-15    a legal clock for a trial

The authority is the one of `tegata authority`, which is invented: the node runs in `mode = \"demo\"`.")]
pub struct Enroll {
    /// The folder of the node; it is made.
    #[arg(long, value_name = "FOLDER")]
    pub(super) dir: PathBuf,
    /// The participant's name, for people.
    #[arg(long)]
    pub(super) name: String,
    /// Two letters of its country.
    #[arg(long, value_name = "PLACE")]
    pub(super) country: String,
    /// Its id, a did:web (default: did:web:FOLDER.example).
    #[arg(long)]
    pub(super) did: Option<String>,
    /// Its identifier as a legal person, such as NTRJP-1234567890123 (default: an invented one).
    #[arg(long, value_name = "ID")]
    pub(super) organization: Option<String>,
    /// The folder of a running authority, with its root certificate and enrollment token.
    #[arg(long, default_value = "authority", value_name = "FOLDER")]
    pub(super) authority: PathBuf,
    /// Where peers reach the node (default: a free port of this machine).
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
    /// Where its pages and `/v1` are (default: a free port of this machine).
    #[arg(long, value_name = "ADDRESS")]
    pub(super) pages: Option<String>,
    /// The civil day whose law counts, for a trial.
    #[arg(long, value_name = "DAY")]
    pub(super) legal_day: Option<model::CivilDate>,
    #[command(flatten)]
    pub(super) common: super::Common,
}

/// Runs the verb.
pub fn run(enroll: Enroll) -> ExitCode {
    match join(&enroll) {
        Ok(lines) => {
            super::print_lines(&lines);
            ExitCode::SUCCESS
        }
        Err((line, exit)) => {
            errln!("{line}");
            ExitCode::from(exit)
        }
    }
}

/// Makes the folder; the lines say what was made.
pub(super) fn join(enroll: &Enroll) -> Result<Vec<String>, (String, u8)> {
    let usage = |line: String| (line, 2);
    let target = enroll.dir.join("tegata.toml");
    if target.exists() {
        return Err(usage(format!("error[TGT-C001]: `{}` is there already; enroll into another folder", target.display())));
    }
    let read = |name: &str| super::read_text(&enroll.authority.join(name)).map(|t| t.trim().to_string());
    let hint = |e: String| usage(format!("{e}; is `tegata authority --dir {}` running?", enroll.authority.display()));
    let (url, token) = (read(super::authority::ADDRESS_FILE).map_err(hint)?, read("enrollment.token").map_err(hint)?);
    let folder = enroll.dir.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let label: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let country = enroll.country.to_uppercase();
    let made = !enroll.dir.exists();
    std::fs::create_dir_all(&enroll.dir).map_err(|e| usage(format!("error[TGT-C001]: `{}`: {e}", enroll.dir.display())))?;
    let directory = std::fs::canonicalize(&enroll.dir).map_err(|e| usage(format!("error[TGT-C001]: `{}`: {e}", enroll.dir.display())))?;
    let mut config = Config {
        mode: Mode::Demo,
        participant: enroll.did.clone().unwrap_or_else(|| format!("did:web:{}.example", label.trim_matches('-'))),
        name: enroll.name.clone(),
        directory: directory.clone(),
        listen: enroll.listen.clone().map_or_else(|| free(0), Ok).map_err(usage)?,
        pages: enroll.pages.clone().map_or_else(|| free(1), Ok).map_err(usage)?,
        legal_day: enroll.legal_day,
        ..Config::default()
    };
    let organization = enroll.organization.clone().unwrap_or_else(|| format!("NTR{country}-INVENTED-{}", label.to_uppercase()));
    let anchors = enroll.authority.join("ca.pem");
    if let Err(e) = server::node_server::enroll(&mut config, &url, &anchors, &token, &country, &organization) {
        if made {
            // Nothing half-made is left; keys that nobody certified are worth nothing.
            let _gone = std::fs::remove_dir_all(&directory);
        }
        let exit = if matches!(e, server::authority::enroll::JoinError::Refused(..)) { 2 } else { 3 };
        return Err((format!("error[{}]: {e}", e.code()), exit));
    }
    // The folder may be moved: its configuration names it by itself.
    config.directory = Path::new(".").to_path_buf();
    super::write_whole(&target, config.render().as_bytes()).map_err(usage)?;
    let language = enroll.common.voice().language;
    let dir = enroll.dir.display().to_string();
    Ok(vec![
        say(language, "enroll-done", &[("did", Arg::Text(&config.participant)), ("file", Arg::Text(&target.display().to_string()))]),
        say(language, "enroll-next", &[("dir", Arg::Text(&dir))]),
    ])
}

/// An address of this machine with a port that is free now. It lies below those that systems hand out by themselves (from 32768), lest
/// a passing connection hold it when the node starts. The doors of one node are looked for in different halves.
fn free(door: u16) -> Result<String, String> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 6_000;
    let seed = std::process::id().wrapping_mul(7_919).wrapping_add(super::now().0 as u32);
    let start = (seed % u32::from(COUNT)) as u16;
    let ports = (0..COUNT).map(|i| FIRST + door * COUNT + (start + i) % COUNT);
    let found = ports.chain([0]).find_map(|port| TcpListener::bind(("127.0.0.1", port)).and_then(|l| l.local_addr()).ok());
    found.map(|at| at.to_string()).ok_or_else(|| "error[TGT-C010]: no free port".into())
}
