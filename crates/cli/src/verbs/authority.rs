//! `tegata authority`: the demo's authority, to try nodes by hand.

use clap::Args;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Run an invented authority for trying nodes by hand: certificates with revocation, time-stamps, a witness of logs.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata authority                              in ./authority, at 127.0.0.1:4700
  tegata authority --revoke did:web:boston.example   takes a participant's certificates back; its flows stop

It checks no claim, so nothing that it signs is worth anything outside a trial; a node in production mode refuses it.")]
pub struct Authority {
    /// Where it keeps its keys and its list.
    #[arg(long, default_value = "authority", value_name = "FOLDER")]
    dir: PathBuf,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:4700", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Do not run: tell the one that runs on this folder to revoke a participant.
    #[arg(long, value_name = "DID")]
    revoke: Option<String>,
    #[command(flatten)]
    common: super::Common,
}

/// The file with the address of the authority that runs on a folder.
pub const ADDRESS_FILE: &str = "address";

/// Runs the verb.
pub fn run(authority: Authority) -> ExitCode {
    let done = match &authority.revoke {
        Some(did) => revoke(&authority, did),
        None => serve(&authority),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(1)
        }
    }
}

fn serve(authority: &Authority) -> Result<(), String> {
    let language = authority.common.voice().language;
    let file = authority.dir.join(ADDRESS_FILE);
    let mut here = false;
    let done = server::authority::run(&authority.dir, authority.listen, |running| {
        here = true;
        let dir = authority.dir.display().to_string();
        let lines = [
            say(language, "authority-at", &[("url", Arg::Text(running.url())), ("dir", Arg::Text(&dir))]),
            say(language, "authority-invented", &[]),
            say(language, "authority-next", &[("dir", Arg::Text(&dir))]),
        ];
        if let Err(e) = super::write_whole(&file, format!("{}\n", running.url()).as_bytes()) {
            errln!("{e}");
        }
        super::print_lines(&lines);
    });
    // An authority that did not start leaves the file of the one that runs.
    if here {
        let _gone = std::fs::remove_file(&file);
    }
    done.map_err(|e| format!("error[{}]: {e}", e.code()))
}

fn revoke(authority: &Authority, did: &str) -> Result<(), String> {
    let read = |name: &str| super::read_text(&authority.dir.join(name)).map(|t| t.trim().to_string());
    let (url, token) = (read(ADDRESS_FILE)?, read("operator.token")?);
    server::node_server::revoke(&url, &authority.dir.join("ca.pem"), &token, did).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    super::print_lines(&[say(authority.common.voice().language, "authority-revoked", &[("did", Arg::Text(did))])]);
    Ok(())
}
