//! `tegata doctor`: what is wrong on this machine, and what to do about it.

mod edc;

use crate::rules_source;
use clap::Args;
use identity::x509::Certificate;
use node::config::Config;
use node::ports::{Carrier as _, Request};
use server::carrier::reach::Reach;
use server::carrier::{Terms, TlsCarrier};
use std::{
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Check clock, port, disk, directory, certificates, rules and peers; each line says ok, warn or fail, and what to do.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata doctor
  tegata doctor --dir munich
  tegata doctor --config tegata.toml --peer https://partner.example:8443
  tegata doctor --edc http://127.0.0.1:8181/management --edc-key-file key

Exit codes: 0 nothing fails, 1 something fails.")]
pub struct Doctor {
    /// The configuration of a node (default: no file, all defaults).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of a node, which has its configuration.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// A peer that should be reachable.
    #[arg(long, value_name = "URL")]
    peer: Vec<String>,
    /// The management API of an Eclipse EDC, to be read: why its negotiations hang, instead of this machine.
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "dir", "peer"])]
    edc: Option<String>,
    /// A file with the key of that API.
    #[arg(long, value_name = "FILE", requires = "edc")]
    edc_key_file: Option<PathBuf>,
    /// As if this were the day, for trying it out.
    #[arg(long, hide = true, value_name = "DAY")]
    now: Option<model::CivilDate>,
    #[command(flatten)]
    common: super::Common,
}

impl Doctor {
    fn now(&self) -> model::Instant {
        self.now.map_or_else(super::now, |day| model::Instant::start_of(day, 0))
    }
}

/// How one thing is.
enum Finding {
    Ok(String),
    Warn(String, String),
    Fail(String, String),
}

use Finding::{Fail, Ok as Fine, Warn};

/// Runs the verb.
pub fn run(doctor: Doctor) -> ExitCode {
    if let Some(base) = &doctor.edc {
        return tell(of_edc(base, doctor.edc_key_file.as_deref(), doctor.now()));
    }
    // A folder without a configuration runs on defaults, as `serve` does.
    let of_folder = doctor.dir.as_ref().map(|d| d.join("tegata.toml")).filter(|f| f.exists());
    let file = doctor.config.clone().or(of_folder);
    let (config, read) = match &file {
        None => {
            let plain = Config::default();
            let directory = doctor.dir.clone().unwrap_or_else(|| plain.directory.clone());
            (Config { directory, ..plain }, Fine("no file; every key has its default".into()))
        }
        Some(path) => match Config::read(path) {
            Ok(config) => (config, Fine(path.display().to_string())),
            Err(e) => (Config::default(), Fail(format!("{}: {e}", e.code()), "mend the file; `tegata.toml` may also be left out".into())),
        },
    };
    let runs = runs(&config.directory);
    let mut all = vec![("config", read), ("clock", clock(doctor.now())), ("rules", rules(&doctor)), ("directory", directory(&config.directory, runs)), ("disk", disk(&config.directory))];
    all.push(("port", port("peers", &config.listen, runs)));
    all.push(("port", port("pages", &config.pages, runs)));
    if let Some(problem) = law(&doctor, &config) {
        all.push(("law", problem));
    }
    if file.is_some() {
        for (name, file) in [("tls", &config.keys.tls_certificate), ("seal", &config.keys.seal_certificate), ("anchors", &config.keys.anchors)] {
            all.push((name, certificate(&config.file(file), doctor.now())));
        }
    }
    let services = [&config.authority.revocation_list, &config.authority.time_stamp, &config.authority.witness];
    let mut asked: Vec<String> = Vec::new();
    for (name, url) in doctor.peer.iter().map(|u| ("peer", u)).chain(services.into_iter().flatten().map(|u| ("authority", u))) {
        // The services of one authority are at one place, and one line says that it answers.
        let host = host_of(url);
        if !asked.contains(&host) {
            all.push((name, peer(&host)));
            asked.push(host);
        }
    }
    if let Some(there) = services.into_iter().flatten().next().and_then(|url| their_clock(url, &config)) {
        all.push(("clock", apart(doctor.now(), there)));
    }
    tell(all)
}

/// What the management API of an EDC shows.
fn of_edc(base: &str, key_file: Option<&Path>, now: model::Instant) -> Vec<(&'static str, Finding)> {
    let read = |file: &Path| std::fs::read_to_string(file).map_err(|e| format!("the file with the key, {}: {e}", file.display()));
    let key = match key_file.map(read).transpose() {
        Err(says) => return vec![("edc", Fail(says, "name one that can be read".into()))],
        Ok(key) => key,
    };
    match edc::look(base, key.as_deref().map(str::trim)) {
        Ok(seen) => edc::judge(&seen, now, &edc::answers),
        Err(unread) => vec![("edc", Fail(unread.says, unread.help))],
    }
}

/// Prints the findings; their worst is the exit.
fn tell(all: Vec<(&'static str, Finding)>) -> ExitCode {
    let mut failed = false;
    for (name, finding) in all {
        match finding {
            Fine(what) => outln!("ok    {name:<10} {what}"),
            Warn(what, help) => outln!("warn  {name:<10} {what}\n                 → {help}"),
            Fail(what, help) => {
                failed = true;
                outln!("fail  {name:<10} {what}\n                 → {help}");
            }
        }
    }
    if failed { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// The youngest file that this program was made with is older than now, or the clock is wrong.
fn clock(now: model::Instant) -> Finding {
    let made = newest_reading();
    match made {
        Some(day) if now.day(0) < day => Fail(format!("the clock says {}, before the rules were read ({day})", now.day(0)), "set the clock of this machine (NTP); stamps and verdicts depend on it".into()),
        Some(day) if now.day(0).days_since_epoch() - day.days_since_epoch() > 3_650 => Fail(format!("the clock says {now}, ten years after the rules were read"), "set the clock of this machine (NTP)".into()),
        _ => Fine(now.to_string()),
    }
}

/// What the clock of a service says, if it answers: the `Date` of its answer.
fn their_clock(url: &str, config: &Config) -> Option<model::Instant> {
    let terms = Terms::new(config.file(&config.keys.anchors)).reaching(Reach::Anywhere);
    let reply = TlsCarrier::open(terms).ok()?.send(Request::get(url)).ok()?;
    http_date(reply.header("date")?)
}

/// Reads `Sun, 22 Nov 2026 11:02:32 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<model::Instant> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split(' ').skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    let day: model::CivilDate = format!("{year}-{month:02}-{day}").parse().ok()?;
    let seconds = time.split(':').try_fold(0, |sum, part| part.parse::<i64>().ok().map(|n| sum * 60 + n))?;
    Some(model::Instant(model::Instant::start_of(day, 0).0 + seconds * 1_000))
}

/// Two clocks beside each other. LIMIT: five seconds, since the other is told in whole seconds and its answer takes a moment.
fn apart(now: model::Instant, there: model::Instant) -> Finding {
    let seconds = (now.0 - there.0) / 1_000;
    match seconds.abs() {
        0..=5 => Fine(format!("as the authority's, {there}")),
        _ => Fail(format!("this clock says {now}, the authority's {there}: {seconds} s apart"), "set the clock of this machine (NTP); peers and stamps disagree with it".into()),
    }
}

fn newest_reading() -> Option<model::CivilDate> {
    let book = rules_source::load_law(None).ok()?;
    book.heads().into_iter().map(|(_, h)| h.read).max()
}

fn rules(doctor: &Doctor) -> Finding {
    match rules_source::load_law(doctor.common.rules.as_deref()) {
        Err(e) => Fail(e, "`tegata rules lint` shows every mistake".into()),
        Ok(book) => {
            let today = doctor.now().day(0);
            let stale = book.heads().into_iter().filter(|(k, h)| h.read.plus_days(if *k == "entry" { 30 } else { 90 }) < today).count();
            let what = format!("{} rules, digest {}", book.heads().len(), book.digest().short());
            match stale {
                0 => Fine(what),
                n => Warn(format!("{what}; {n} are older than their interval"), "take a newer release, or read them again: lists change more often than acts".into()),
            }
        }
    }
}

/// Names in `accept_drafted` that are none.
fn law(doctor: &Doctor, config: &Config) -> Option<Finding> {
    let book = rules_source::load_law(doctor.common.rules.as_deref()).ok()?;
    match config.check_law(&book) {
        Err(e) => Some(Fail(e.to_string(), "mend the name".into())),
        Ok(()) if !config.law.accept_drafted.is_empty() => {
            let what = format!("rules read once are accepted: {}", config.law.accept_drafted.join(", "));
            Some(Warn(what, "have them read a second time; evidence names them".into()))
        }
        Ok(()) => None,
    }
}

/// Whether `tegata serve` runs on a folder: it left its door there, and the door answers.
fn runs(dir: &Path) -> bool {
    let door = server::node_acts::DoorFile::read(dir);
    let address = door.and_then(|d| d.address.strip_prefix("http://")?.trim_end_matches('/').parse::<SocketAddr>().ok());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

fn directory(dir: &Path, runs: bool) -> Finding {
    if !dir.exists() {
        return Fine(format!("`{}` is made at the first start", dir.display()));
    }
    match node::desk::Desk::open(dir, "local") {
        Ok(_) => Fine(dir.display().to_string()),
        Err(e) if runs && e.code() == "store/held" => Fine(format!("{e}, which serves")),
        Err(e) => {
            let help = match e.code().as_str() {
                "store/held" => "stop the other process, or choose another directory",
                "store/disk-full" => "free some space",
                "store/newer" => "run the newer program",
                _ => "choose another directory, or restore a copy into an empty one",
            };
            Fail(format!("{}: {e}", e.code()), help.into())
        }
    }
}

/// Whether a file of one mebibyte can be written and synced.
fn disk(dir: &Path) -> Finding {
    let place = if dir.is_dir() { dir.to_path_buf() } else { PathBuf::from(".") };
    let file = place.join(".tegata-doctor.tmp");
    let done = std::fs::write(&file, vec![0u8; 1 << 20]).and_then(|()| std::fs::File::open(&file)?.sync_all());
    let _gone = std::fs::remove_file(&file);
    match done {
        Ok(()) => Fine(format!("1 MiB written and synced in `{}`", place.display())),
        Err(e) => Fail(format!("cannot write in `{}`: {e}", place.display()), "free some space, or give the directory to this user".into()),
    }
}

/// Whether one of the two doors can be opened.
fn port(door: &str, listen: &str, runs: bool) -> Finding {
    let Ok(address) = listen.parse::<SocketAddr>() else {
        return Fail(format!("{door}: `{listen}` is no address"), "write it as 127.0.0.1:8443".into());
    };
    if address.port() == 0 {
        return Fine(format!("{door}: a free one of {} is taken at the start", address.ip()));
    }
    match TcpListener::bind(address) {
        Ok(_) => Fine(format!("{door}: {address} is free")),
        Err(e) if runs && e.kind() == std::io::ErrorKind::AddrInUse => Fine(format!("{door}: {address} is in use, and the folder is being served")),
        Err(e) => Fail(format!("{door}: {address}: {e}"), "stop what listens there, or choose another port".into()),
    }
}

fn certificate(file: &Path, now: model::Instant) -> Finding {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) => return Fail(format!("`{}`: {e}", file.display()), "enroll with the authority, or name the file in `[keys]`".into()),
    };
    match Certificate::from_pem(&text) {
        Err(e) => Fail(format!("`{}`: {e}", file.display()), "this is no certificate in PEM".into()),
        Ok(list) => match list.iter().map(Certificate::not_after).min() {
            None => Fail(format!("`{}` holds no certificate", file.display()), "enroll with the authority".into()),
            _ if list.iter().any(|c| c.not_before() > now) => Fail(format!("`{}` is not valid yet at {now}", file.display()), "set the clock of this machine (NTP)".into()),
            Some(end) if end < now => Fail(format!("`{}` expired on {end}", file.display()), "renew it; peers refuse it".into()),
            Some(end) if end.0 - now.0 < 7 * 86_400_000 => Warn(format!("`{}` expires on {end}", file.display()), "renew it this week".into()),
            Some(end) => Fine(format!("`{}` is good until {end}", file.display())),
        },
    }
}

/// Host and port of an address.
fn host_of(url: &str) -> String {
    let host = url.strip_prefix("https://").and_then(|r| r.split('/').next()).unwrap_or(url);
    if host.contains(':') { host.to_string() } else { format!("{host}:443") }
}

fn peer(host: &str) -> Finding {
    let address = host.to_socket_addrs().ok().and_then(|mut a| a.next());
    let Some(address) = address else { return Fail(format!("`{host}` has no address"), "check the name, and DNS".into()) };
    match TcpStream::connect_timeout(&address, Duration::from_secs(3)) {
        Ok(_) => Fine(format!("{host} answers")),
        Err(e) => Fail(format!("{host}: {e}"), "is the peer up, and does a firewall let us through?".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_held_beside_another() {
        let there = http_date("Sun, 22 Nov 2026 11:02:32 GMT").unwrap();
        assert_eq!(there.to_string(), "2026-11-22T11:02:32.000Z");
        assert!(http_date("today").is_none() && http_date("Sun, 31 Feb 2026 11:02:32 GMT").is_none());
        assert!(matches!(apart(model::Instant(there.0 + 4_000), there), Fine(_)));
        for wrong in [-3_600_000, 3_600_000, 7_000] {
            assert!(matches!(apart(model::Instant(there.0 + wrong), there), Fail(says, _) if says.contains("s apart")));
        }
    }
}
