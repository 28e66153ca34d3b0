//! What a liar could try, and the step at which each try fails. The hardest liar is the sender itself: it has its real seal.

use super::{flow::Told, party::Order};
use node::{keys::seed, ports::{Carrier as _, Request}};
use server::carrier::{Terms, TlsCarrier, reach::Reach};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use tlog::{checkpoint::Checkpoint, key::KeyName, note::Signer, witness};
use trust::{
    bundle::{self, Bundle, Unsealed, file},
    verify::{Outcome, Step, StepId, Verdict},
};

/// What was tried, where it must fail, and where it failed.
pub type Forged = (&'static str, StepId, Option<StepId>);

/// Tries every forgery.
pub fn all(told: &mut Told, dir: &Path) -> Result<Vec<Forged>, String> {
    let mut out = by_a_stranger(told, dir)?;
    out.extend(by_the_sender(told, dir)?);
    Ok(out)
}

/// Without the sender's key: the data, the bytes of the container, the container zipped again, another authority.
fn by_a_stranger(told: &Told, dir: &Path) -> Result<Vec<Forged>, String> {
    let mut out = Vec::new();
    let anchors = Some(told.anchors.as_path());
    let bytes = read(&told.container)?;
    let mut data = read(&told.data)?;
    if let Some(b) = data.last_mut() {
        *b ^= 1;
    }
    let changed = write(dir.join("changed-data"), &data)?;
    out.push(("forged-data", StepId::Data, verify(told, &told.container, anchors, &changed)?.1));
    let mut broken = bytes.clone();
    let middle = broken.len() / 2;
    if let Some(b) = broken.get_mut(middle) {
        *b ^= 1;
    }
    let file = write(dir.join("broken.asice"), &broken)?;
    out.push(("forged-byte", StepId::Container, verify(told, &file, anchors, &told.data)?.1));
    let file = write(dir.join("rezipped.asice"), &rezipped(&bytes)?)?;
    out.push(("forged-rezipped", StepId::Seal, verify(told, &file, anchors, &told.data)?.1));
    // An authority of the same name that is not the one we trust.
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let running = server::authority::start(&dir.join("other-authority"), local).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let theirs = running.ca_pem_path.clone();
    out.push(("forged-authority", StepId::Seal, verify(told, &told.container, Some(&theirs), &told.data)?.1));
    running.stop();
    Ok(out)
}

/// With the sender's own key and a fresh stamp: the receipt of another delivery, an older checkpoint, a dropped leaf.
fn by_the_sender(told: &mut Told, dir: &Path) -> Result<Vec<Forged>, String> {
    let honest = Bundle::read(&read(&told.container)?).map_err(|e| e.to_string())?;
    let other = Bundle::read(&read(&told.other)?).map_err(|e| e.to_string())?;
    let text = |bundle: &Bundle, name: &str| String::from_utf8_lossy(bundle.file(name).unwrap_or_default()).into_owned();
    let (proof, older) = (text(&honest, file::LOG_PROOF), text(&other, file::LOG_PROOF));
    let split = |proof: &str| proof.split_once("\n\n").map(|(head, checkpoint)| (head.to_string(), checkpoint.to_string()));
    let (Some((head, checkpoint)), Some((_, before))) = (split(&proof), split(&older)) else {
        return Err("the log's proof is not in its form".into());
    };
    // The path of the proof without its last hash: as if what that hash stands for had been taken out of the tree.
    let mut lines: Vec<&str> = head.lines().collect();
    // INVARIANT: two lines before the hashes, and a log that others wrote to before has at least one hash.
    if lines.len() > 2 {
        lines.pop();
    }
    let tries = [
        ("forged-receipt", StepId::Receipt, file::RECEIPT, text(&other, file::RECEIPT)),
        ("forged-checkpoint", StepId::Log, file::LOG_PROOF, format!("{head}\n\n{before}")),
        ("forged-leaf", StepId::Log, file::LOG_PROOF, format!("{}\n\n{checkpoint}", lines.join("\n"))),
    ];
    let mut out = Vec::new();
    for (what, step, name, content) in tries {
        let forged = dir.join(format!("{what}.asice"));
        let replace = BTreeMap::from([(name.to_string(), content)]);
        told.troupe.provider.order(&Order::Reseal { container: told.container.clone(), replace, out: forged.clone() })?;
        let anchors = told.anchors.clone();
        out.push((what, step, verify(told, &forged, Some(&anchors), &told.data)?.1));
    }
    Ok(out)
}

/// The sender shows the witness another history of the same length, signed with its own log key; the refusal.
pub fn forked_log(told: &Told, dir: &Path) -> Result<Option<String>, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("the forked log: {e}");
    let config = node::config::Config::read(&dir.join("provider/tegata.toml")).map_err(|e| wrong(&e))?;
    let origin = KeyName::parse(&config.log_origin()).map_err(|e| wrong(&e))?;
    let signer = Signer::new(origin.clone(), &seed(&config.file(&config.keys.log_seed)).map_err(|e| wrong(&e))?);
    let carrier = TlsCarrier::open(Terms::new(&told.anchors).reaching(Reach::Anywhere)).map_err(|e| wrong(&e))?;
    let url = format!("{}/add-checkpoint", told.troupe.authority.said("url"));
    let mut size = size_of(&told.container)?;
    // The honest log may have grown meanwhile; the witness says how far.
    for _ in 0..3 {
        // LIMIT: a root of zeros; no history has it.
        let text = format!("{origin}\n{size}\n{}=\n", "A".repeat(43));
        let fork = Checkpoint::parse(&text).and_then(|c| c.sign(&signer)).map_err(|e| wrong(&e))?;
        let request = witness::Request::new(size, Vec::new(), fork).map_err(|e| wrong(&e))?;
        let reply = carrier.send(Request::post(&url, "text/plain", request.to_string().into_bytes())).map_err(|e| wrong(&e))?;
        match (reply.status, witness::parse_conflict(&reply.body)) {
            (409, Some(seen)) => size = seen,
            (200..=299, _) => return Ok(None),
            (status, _) => return Ok(Some(format!("{status} {}", String::from_utf8_lossy(&reply.body).lines().next().unwrap_or_default().chars().take(120).collect::<String>()))),
        }
    }
    Ok(None)
}

/// The size of the log at the checkpoint of a container.
fn size_of(container: &Path) -> Result<u64, String> {
    let bundle = Bundle::read(&read(container)?).map_err(|e| e.to_string())?;
    let proof = String::from_utf8_lossy(bundle.file(file::LOG_PROOF).unwrap_or_default()).into_owned();
    let size = proof.split_once("\n\n").and_then(|(_, checkpoint)| checkpoint.lines().nth(1)?.parse().ok());
    size.ok_or_else(|| "the log's proof is not in its form".to_string())
}

fn rezipped(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |e: bundle::BundleError| format!("error[{}]: {e}", e.code());
    let bundle = Bundle::read(bytes).map_err(wrong)?;
    let mut files = bundle::container::read(bytes).map_err(|e| e.to_string())?;
    let (signature, stamp) = (bundle.file(bundle::SIGNATURE).unwrap_or_default().to_vec(), bundle.file(bundle::TIMESTAMP).unwrap_or_default().to_vec());
    files.retain(|name, _| !name.starts_with("META-INF/"));
    if let Some(b) = files.get_mut(file::EVENT_SALT).and_then(|event| event.first_mut()) {
        *b = if *b == b'0' { b'1' } else { b'0' };
    }
    Unsealed::new(files).map_err(wrong)?.sealed(signature).stamped(stamp).to_bytes().map_err(wrong)
}

/// The verdict, and the first step that did not pass.
pub fn verify(told: &Told, container: &Path, anchors: Option<&Path>, data: &Path) -> Result<(Verdict, Option<StepId>), String> {
    let files = node::verify::Files { container, anchors, policy: anchors.map(|_| told.policy.as_path()), crls: None, data: Some(data) };
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_millis() as i64).unwrap_or(0);
    let report = node::verify::verify_files(files, model::Instant(ms)).map_err(|e| e.to_string())?;
    let unclear = |s: &&Step| matches!(s.outcome, Outcome::Indeterminate(_));
    let stops = report.failed_at().or_else(|| report.steps.iter().find(unclear).map(|s| s.id));
    Ok((report.verdict(), stops))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", path.display()))
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<PathBuf, String> {
    std::fs::write(&path, bytes).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", path.display()))?;
    Ok(path)
}
