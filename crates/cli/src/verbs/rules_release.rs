//! `tegata rules key`, `release` and `sync`: rulebooks that a quorum of maintainers has signed.

use super::{read_text, write_together, write_whole};
use crate::rules_source;
use clap::{Args, Subcommand};
use model::Digest;
use node::{keys::write_secret, ports::{Carrier, Request, random}};
use rulebook::book::{Rulebook, Source, loads};
use serde::{Deserialize, Serialize};
use server::carrier::{TlsCarrier, Terms, reach::Reach};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tlog::{key::{KeyName, VerifierKey}, note::{Note, Signer}};
use trust::release::{Held, Keys, Release, ReleaseError};

/// The maintainers' keys that this program believes. Without a key in it, it says so and verifies nothing.
const MAINTAINERS: &str = include_str!("../../release/maintainers.txt");

// LIMIT: bytes of a release that are read.
const RELEASE_BYTES_MAX: usize = 64 << 20;

/// A release with everything that verifies it, as one file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    schema: String,
    release: String,
    keys: Vec<String>,
    files: BTreeMap<String, String>,
}

const SCHEMA: &str = "tegata.rules-release.1";

/// Keys of those who sign releases.
#[derive(Subcommand)]
pub enum Key {
    /// Make a key; the secret goes into a file that only you can read.
    #[command(after_help = "Example:\n  tegata rules key make --name maintainer.example/aiko --out aiko.key")]
    Make {
        /// A name that says who you are, without spaces: `maintainer.example/aiko`.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The file of the secret; keep it away from every repository.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make or sign an edition of the maintainers' keys; a later one needs a quorum of the one before, and of its own.
    #[command(after_help = "Examples:
  tegata rules key edition --number 1 --quorum 2 --key NAME+…+… --key … --key … --sign aiko.key --out keys-1.note
  tegata rules key edition --number 2 --quorum 2 --key … --key … --key … --sign aiko.key --out keys-2.note
  tegata rules key edition --sign ben.key --out keys-2.note           adds a signature")]
    Edition {
        /// Its number; without it, the file that is there is signed.
        #[arg(long, value_name = "N", requires_all = ["quorum", "keys"])]
        number: Option<u64>,
        /// How many must sign.
        #[arg(long, value_name = "N", requires = "number")]
        quorum: Option<usize>,
        /// A verifier key, as `key make` prints it.
        #[arg(long = "key", value_name = "KEY", requires = "number")]
        keys: Vec<String>,
        /// The secret to sign with.
        #[arg(long, value_name = "FILE", required = true)]
        sign: Vec<PathBuf>,
        /// The file of the edition.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the keys that this program believes.
    Show,
}

/// Make a release, or add a signature to one.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata rules release --number 7 --keys keys-1.note --sign aiko.key --out tegata-rules-7.json
  tegata rules release --sign ben.key --out tegata-rules-7.json        the second maintainer signs the same file

What is signed is a list of the files with their digests and the digest of the rulebook that they make.")]
pub struct MakeRelease {
    /// Its number, higher than the last; without it, the release that is there is signed.
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    /// The editions of keys, oldest first; the last one signs.
    #[arg(long, value_name = "FILE", requires = "number")]
    keys: Vec<PathBuf>,
    /// The secret to sign with.
    #[arg(long, value_name = "FILE", required = true)]
    sign: Vec<PathBuf>,
    /// The file of the release.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Rules from a folder instead of those in this program.
    #[arg(long, value_name = "FOLDER")]
    rules: Option<PathBuf>,
}

/// Take a release if a quorum of maintainers signed it and it is not older than what is held.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata rules sync https://rules.example/tegata-rules-7.json --to tegata-rules
  tegata rules sync tegata-rules-7.json --to tegata-rules --keys keys-1.note
  tegata rules sync releases/ --to tegata-rules --dry-run      the newest in a folder; only verify
  tegata check --rules tegata-rules …                          use what was taken

Nothing is written unless everything verifies. Exit codes: 0 taken or the same as held, 2 refused or not read, 3 nobody answers.")]
pub struct Sync {
    /// The release: an address, a file, or a folder of releases.
    source: String,
    /// The folder that holds what was taken.
    #[arg(long, value_name = "FOLDER", default_value = "tegata-rules")]
    to: PathBuf,
    /// An edition of keys that you believe instead of the maintainers' in this program.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Certificates at which the server's path ends (default: those of this system).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Verify and write nothing.
    #[arg(long)]
    dry_run: bool,
}

fn refused(what: &str, e: &ReleaseError) -> String {
    format!("error[{}]: {what}: {e}", e.code())
}

fn note_of(path: &str, text: &str) -> Result<Note, String> {
    Note::parse(text.as_bytes()).map_err(|e| format!("error[{}]: `{path}`: {e}", e.code()))
}

fn signer(path: &Path) -> Result<Signer, String> {
    let text = read_text(path)?;
    let wrong = || format!("error[TGT-C013]: `{}` is no secret of `tegata rules key make`", path.display());
    let (name, seed) = text.trim().strip_prefix("PRIVATE+KEY+").and_then(|t| t.split_once('+')).ok_or_else(wrong)?;
    let seed = (seed.len() == 64).then(|| seed.parse::<Digest>().ok()).flatten().ok_or_else(wrong)?;
    Ok(Signer::new(KeyName::parse(name).map_err(|_| wrong())?, &seed.0))
}

/// Runs `rules key`.
pub fn key(key: &Key) -> Result<Vec<String>, String> {
    match key {
        Key::Make { name, out } => {
            let name = KeyName::parse(name).map_err(|e| format!("error[TGT-C013]: {e}"))?;
            let seed = random::<32>().map_err(|e| format!("error[TGT-C001]: {}", e.0))?;
            let verifier = Signer::new(name.clone(), &seed).verifier().to_string();
            let secret = format!("PRIVATE+KEY+{name}+{}\n", Digest(seed));
            write_secret(out, secret.as_bytes()).map_err(|e| format!("error[TGT-C001]: cannot write `{}`: {e}", out.display()))?;
            Ok(vec![verifier])
        }
        Key::Edition { number, quorum, keys, sign, out } => {
            let text = match number {
                None => note_of(&out.display().to_string(), &read_text(out)?)?.text().to_string(),
                Some(edition) => {
                    let parsed = keys.iter().map(|k| VerifierKey::parse(k).map_err(|e| format!("error[{}]: `{k}`: {e}", e.code())));
                    Keys { edition: *edition, quorum: quorum.unwrap_or(1), keys: parsed.collect::<Result<_, _>>()? }.render()
                }
            };
            let edition = Keys::parse(&text).map_err(|e| refused("the edition", &e))?;
            let before = if number.is_none() { Some(note_of(&out.display().to_string(), &read_text(out)?)?) } else { None };
            let note = signed(&text, before, sign)?;
            write_whole(out, note.to_string().as_bytes())?;
            let own = edition.signers(&note).map_err(|e| refused("the edition", &e))?;
            Ok(vec![format!("{}: edition {}, {} keys, quorum {}; {own} of its own keys have signed", out.display(), edition.edition, edition.keys.len(), edition.quorum)])
        }
        Key::Show => {
            let pinned = Keys::parse(MAINTAINERS).map_err(|e| refused("the keys of this program", &e))?;
            let mut out = vec![format!("edition {}, quorum {}, {} keys", pinned.edition, pinned.quorum, pinned.keys.len())];
            out.extend(pinned.keys.iter().map(ToString::to_string));
            if pinned.keys.is_empty() {
                out.push("no maintainer has made a key yet: this program believes no release by itself; `rules sync --keys FILE` believes an edition that you have from elsewhere".into());
            }
            Ok(out)
        }
    }
}

/// A text with the signatures that are there and new ones.
fn signed(text: &str, before: Option<Note>, by: &[PathBuf]) -> Result<Note, String> {
    let mut signatures = before.map(|n| n.signatures().to_vec()).unwrap_or_default();
    for path in by {
        let one = signer(path)?.sign(text);
        if !signatures.contains(&one) {
            signatures.push(one);
        }
    }
    Note::new(text, signatures).map_err(|e| format!("error[{}]: {e}", e.code()))
}

/// Runs `rules release`.
pub fn release(make: &MakeRelease) -> Result<Vec<String>, String> {
    let mut packed = match make.number {
        None => unpack(&make.out.display().to_string(), read_text(&make.out)?.as_bytes())?,
        Some(number) => pack(number, make)?,
    };
    let before = if make.number.is_none() { Some(note_of("release", &packed.release)?) } else { None };
    let text = match &before {
        Some(note) => note.text().to_string(),
        None => packed.release.clone(),
    };
    let note = signed(&text, before, &make.sign)?;
    packed.release = note.to_string();
    let last = packed.keys.last().map(|k| note_of("keys", k)).transpose()?;
    let keys = last.map(|n| Keys::parse(n.text())).transpose().map_err(|e| refused("the keys", &e))?;
    let release = Release::parse(&text).map_err(|e| refused("the release", &e))?;
    let line = match &keys {
        Some(keys) => format!("{} of {} needed signatures", keys.signers(&note).map_err(|e| refused("the release", &e))?, keys.quorum),
        None => format!("{} signatures; no edition of keys is packed with it", note.signatures().len()),
    };
    let bytes = serde_json::to_vec(&packed).map_err(|e| format!("error[TGT-C001]: {e}"))?;
    write_whole(&make.out, &bytes)?;
    Ok(vec![format!("{}: release {}, rulebook {}, {} files; {line}", make.out.display(), release.number, release.rulebook.short(), release.files.len())])
}

fn pack(number: u64, make: &MakeRelease) -> Result<Packed, String> {
    let sources = match &make.rules {
        None => rules_source::release(),
        Some(folder) => rules_source::folder(folder).map_err(|e| format!("error[TGT-C001]: cannot read the rules in `{}`: {e}", folder.display()))?,
    };
    let files: BTreeMap<String, String> = sources.iter().map(|s| (s.path.clone(), s.text.clone())).collect();
    let book = book_of(&files)?;
    let keys: Vec<String> = make.keys.iter().map(|k| read_text(k)).collect::<Result<_, _>>()?;
    let edition = match keys.last() {
        Some(last) => Keys::parse(note_of("keys", last)?.text()).map_err(|e| refused("the keys", &e))?.edition,
        None => Keys::parse(MAINTAINERS).map_err(|e| refused("the keys of this program", &e))?.edition,
    };
    let digests = files.iter().map(|(p, t)| (p.clone(), Digest::of(t.as_bytes()))).collect();
    let release = Release { number, edition, rulebook: book.digest(), made: super::today(), files: digests };
    // Read back: what has no one spelling must not be signed.
    Release::parse(&release.render()).map_err(|e| refused("the release", &e))?;
    Ok(Packed { schema: SCHEMA.into(), release: release.render(), keys, files })
}

/// The rulebook of some files; one that does not load is no release.
fn book_of(files: &BTreeMap<String, String>) -> Result<Rulebook, String> {
    let sources = files.iter().map(|(path, text)| Source { path: path.clone(), text: text.clone() }).collect();
    let (book, findings) = Rulebook::parse(sources);
    if loads(&findings) { Ok(book) } else { Err("error[TGT-R000]: these rules do not load; `tegata rules lint FOLDER` shows every mistake".into()) }
}

fn unpack(from: &str, bytes: &[u8]) -> Result<Packed, String> {
    let packed: Packed = serde_json::from_slice(bytes).map_err(|e| format!("error[release/form]: `{from}` is no release of rules: {e}"))?;
    if packed.schema == SCHEMA { Ok(packed) } else { Err(format!("error[release/form]: `{from}` is a `{}`, not a `{SCHEMA}`", packed.schema)) }
}

/// Why a release was not taken: the line, and the exit code.
type Refusal = (String, u8);

fn usage(line: String) -> Refusal {
    (line, 2)
}

/// Runs `rules sync`.
pub fn sync(sync: &Sync) -> Result<Vec<String>, Refusal> {
    let (from, bytes) = fetch(sync)?;
    let packed = unpack(&from, &bytes).map_err(usage)?;
    let trusted = match &sync.keys {
        None => Keys::parse(MAINTAINERS).map_err(|e| refused("the keys of this program", &e)),
        Some(file) => read_text(file).and_then(|t| note_of(&file.display().to_string(), &t)).and_then(|n| Keys::parse(n.text()).map_err(|e| refused("the keys", &e))),
    };
    let trusted = trusted.map_err(usage)?;
    if trusted.keys.is_empty() {
        return Err(usage("error[release/no-keys]: no maintainer's key is in this program yet, so it believes no release by itself; name an edition that you have from elsewhere with --keys".into()));
    }
    let held = held(&sync.to).map_err(usage)?;
    let mut editions = held.as_ref().map(|h| h.keys.clone()).unwrap_or_default();
    editions.extend(packed.keys.clone());
    let notes: Vec<Note> = editions.iter().map(|k| note_of("keys", k)).collect::<Result<_, _>>().map_err(usage)?;
    let keys = trusted.advance(&distinct(notes)).map_err(|e| usage(refused("the keys", &e)))?;
    let note = note_of(&from, &packed.release).map_err(usage)?;
    let before = held.as_ref().map(|h| Held { number: h.release.number, text: h.text });
    let files = packed.files.iter().map(|(p, t)| (p.as_str(), t.as_bytes()));
    let release = Release::verify(&keys, &note, before, files).map_err(|e| usage(refused(&from, &e)))?;
    let book = book_of(&packed.files).map_err(usage)?;
    release.is_of(book.digest()).map_err(|e| usage(refused(&from, &e)))?;
    let what = format!("release {} of {}, rulebook {}, {} files, keys edition {}", release.number, release.made, release.rulebook, release.files.len(), keys.edition);
    if sync.dry_run {
        return Ok(vec![format!("{what}: verified, nothing written")]);
    }
    if held.as_ref().is_some_and(|h| h.text == Digest::of(note.text().as_bytes())) {
        return Ok(vec![format!("{what}: held already")]);
    }
    place(&sync.to, &packed, &bytes).map_err(usage)?;
    Ok(vec![format!("{what}: taken into `{}`; use it with --rules {0}", sync.to.display())])
}

/// One edition once; a later spelling of the same edition is left to [`Keys::advance`] to refuse.
fn distinct(notes: Vec<Note>) -> Vec<Note> {
    let mut out: Vec<Note> = Vec::new();
    for note in notes {
        if !out.iter().any(|n| n.text() == note.text()) {
            out.push(note);
        }
    }
    out
}

/// What was taken before.
struct Taken {
    release: Release,
    text: Digest,
    keys: Vec<String>,
}

/// The file in the folder that remembers what was taken, with its signatures.
const MEMORY: &str = "release.json";

fn held(folder: &Path) -> Result<Option<Taken>, String> {
    let path = folder.join(MEMORY);
    if !path.exists() {
        // A folder with rules of another kind is not overwritten.
        let used = std::fs::read_dir(folder).is_ok_and(|mut d| d.next().is_some());
        return if used { Err(format!("error[TGT-C014]: `{}` holds something that `rules sync` did not put there; choose another folder", folder.display())) } else { Ok(None) };
    }
    let packed = unpack(&path.display().to_string(), read_text(&path)?.as_bytes())?;
    let note = note_of(&path.display().to_string(), &packed.release)?;
    let release = Release::parse(note.text()).map_err(|e| refused(&path.display().to_string(), &e))?;
    Ok(Some(Taken { release, text: Digest::of(note.text().as_bytes()), keys: packed.keys }))
}

/// Puts the files in place: a new folder first, then renamed, so that a crash leaves the old or the new.
fn place(to: &Path, packed: &Packed, bytes: &[u8]) -> Result<(), String> {
    let wrong = |path: &Path, e: std::io::Error| format!("error[TGT-C001]: cannot write `{}`: {e}", path.display());
    let beside = |ending: &str| {
        let mut name = to.file_name().unwrap_or_default().to_os_string();
        name.push(ending);
        to.with_file_name(name)
    };
    let (new, old) = (beside(".new"), beside(".old"));
    for folder in [&new, &old] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|e| wrong(folder, e))?;
        }
    }
    let mut files: Vec<(PathBuf, &[u8])> = packed.files.iter().map(|(p, t)| (new.join(p), t.as_bytes())).collect();
    files.push((new.join(MEMORY), bytes));
    for (path, _) in &files {
        let folder = path.parent().unwrap_or(&new);
        std::fs::create_dir_all(folder).map_err(|e| wrong(folder, e))?;
    }
    write_together(&files)?;
    if to.exists() {
        std::fs::rename(to, &old).map_err(|e| wrong(to, e))?;
    }
    std::fs::rename(&new, to).map_err(|e| wrong(to, e))?;
    let _swept = std::fs::remove_dir_all(&old);
    Ok(())
}

fn fetch(sync: &Sync) -> Result<(String, Vec<u8>), Refusal> {
    if sync.source.contains("://") {
        return Ok((sync.source.clone(), download(&sync.source, sync.ca.as_deref())?));
    }
    let path = Path::new(&sync.source);
    let file = if path.is_dir() { newest(path).map_err(usage)? } else { path.to_path_buf() };
    let wrong = |e: &dyn std::fmt::Display| usage(format!("error[TGT-C001]: cannot read `{}`: {e}", file.display()));
    let size = std::fs::metadata(&file).map_err(|e| wrong(&e))?.len();
    if size > RELEASE_BYTES_MAX as u64 {
        return Err(usage(format!("error[release/form]: `{}` is larger than {RELEASE_BYTES_MAX} bytes", file.display())));
    }
    let bytes = std::fs::read(&file).map_err(|e| wrong(&e))?;
    Ok((file.display().to_string(), bytes))
}

/// The release with the highest number in a folder, as it says of itself; whether it is one is seen later.
fn newest(folder: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("error[TGT-C001]: cannot read `{}`: {e}", folder.display()))?;
    let number = |path: &PathBuf| {
        let packed = unpack("", &std::fs::read(path).ok()?).ok()?;
        Release::parse(Note::parse(packed.release.as_bytes()).ok()?.text()).ok().map(|r| r.number)
    };
    let files = entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| p.extension().is_some_and(|x| x == "json"));
    let found = files.filter_map(|p| number(&p).map(|n| (n, p))).max();
    found.map(|(_, p)| p).ok_or_else(|| format!("error[release/form]: no release of rules lies in `{}`", folder.display()))
}

/// Where systems keep the certificates that they believe.
const SYSTEM_ANCHORS: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// What speaks TLS with an address outside, or in the clear with one on this machine.
pub fn carrier(ca: Option<&Path>) -> Result<TlsCarrier, Refusal> {
    let anchors = ca.map(Path::to_path_buf).or_else(|| SYSTEM_ANCHORS.iter().map(PathBuf::from).find(|p| p.is_file()));
    let Some(anchors) = anchors else {
        return Err(usage("error[TGT-C001]: this system keeps no certificates where they are looked for; name them with --ca".into()));
    };
    let terms = Terms::new(anchors).reaching(Reach::Anywhere).clear_on_loopback();
    TlsCarrier::open(terms).map_err(|e| usage(format!("error[{}]: {e}", e.code())))
}

fn download(url: &str, ca: Option<&Path>) -> Result<Vec<u8>, Refusal> {
    let carrier = carrier(ca)?;
    let request = Request { answer_bytes_max: RELEASE_BYTES_MAX, ..Request::get(url) };
    let reply = carrier.send(request).map_err(|e| (format!("error[{}]: {e}", e.code()), 3))?;
    match reply.is_success() {
        true => Ok(reply.body),
        false => Err((format!("error[peer/refused]: `{url}` answers with status {}", reply.status), 3)),
    }
}
