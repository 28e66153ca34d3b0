//! Scenes 3, 4 and 6: two nodes and an authority in three processes; the judgment; and what an outsider can check.

use super::{
    party::Order,
    stage::Stage,
    troupe::{self, Actor},
    world::World,
};
use crate::verbs::demo::Demo;
use identity::x509::Certificate;
use model::{Digest, transfer::Facts};
use node::config::{Config, Limits, Mode};
use serde_json::Value;
use server::{
    authority::enroll::{Newcomer, join},
    carrier::{Terms, TlsCarrier, reach::Reach},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use trust::{
    bundle::{self, Bundle, Unsealed},
    verify::{StepId, Verdict},
};

/// Small, so that a person can watch chunks go by.
const CHUNK_BYTES: usize = 4096;

/// What the flow left for scene 6.
pub struct Told {
    container: PathBuf,
    policy: PathBuf,
    anchors: PathBuf,
    data: PathBuf,
    _troupe: Troupe,
}

struct Troupe {
    _authority: Actor,
    provider: Actor,
    consumer: Actor,
}

/// Scenes 3 and 4.
pub fn play(stage: &mut Stage, world: &World, demo: &Demo, dir: &Path) -> Result<Told, String> {
    stage.scene(3, &stage.voice.word("demo-go"));
    let (mut troupe, anchors) = troupe_of(world, demo, dir)?;
    stage.say(format!("   {} · {} · {}", stage.voice.word("demo-three"), troupe.provider.said("address"), troupe.consumer.said("address")));
    let (exporter, recipient) = split(world);
    let id = troupe.consumer.said("id");
    troupe.provider.order(&Order::Know { id, facts: recipient })?;
    let source = std::fs::canonicalize(&world.table.file).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", world.table.file.display()))?;
    let dataset = "urn:dataset:study".to_string();
    troupe.provider.order(&Order::Offer { dataset: dataset.clone(), title: "Health study (people invented)".into(), source: source.clone(), facts: exporter })?;
    stage.say(format!("   {}", stage.voice.word("demo-offered")));
    let provider = troupe.provider.said("protocol");
    let asked = Instant::now();
    let negotiation = text(&troupe.consumer.order(&Order::Ask { provider, dataset })?);
    let transfer = troupe.consumer.until("the transfer", &Order::Begun { negotiation }, |v| v.as_str().map(str::to_string))?;
    stage.say(format!("   {} {} ms", stage.voice.word("demo-agreed"), asked.elapsed().as_millis()));
    let first = troupe.consumer.until("the first chunks", &Order::Report, |v| flow(v).filter(|f| f.chunks >= 5))?;
    stage.say(format!("   {} {}", stage.voice.word("demo-chunks"), first.chunks));
    judgment(stage, world, &mut troupe)?;
    let got = troupe.consumer.until("the data", &Order::Got { transfer }, |v| v.get("path").is_some().then(|| v.clone()))?;
    finish(stage, &got, &source, troupe, anchors, dir)
}

/// Scene 4: the Court rules while the flow is running.
fn judgment(stage: &mut Stage, world: &World, troupe: &mut Troupe) -> Result<(), String> {
    stage.scene(4, &stage.voice.word("demo-judgment"));
    stage.say(format!("   {} {}", stage.voice.word("demo-legal-clock"), world.flow.legal_day));
    stage.pause(&world.flow.judgment);
    let before = Instant::now();
    troupe.provider.order(&Order::Move { day: world.flow.judgment_day })?;
    let stopped = troupe.provider.until("the stop", &Order::Report, |v| flow(v).filter(|f| f.stopped.is_some()))?;
    let held = troupe.consumer.until("the suspension", &Order::Report, |v| flow(v).filter(|f| f.stopped.is_some()))?;
    let (says, rules) = stopped.stopped.unwrap_or_default();
    stage.say(format!("   {} {} · {} ms", world.flow.judgment_day, world.flow.judgment, before.elapsed().as_millis()));
    stage.say(format!("   ■ {says}"));
    rules.iter().take(3).for_each(|r| stage.say(format!("     {r}")));
    stage.say(format!("   {} {} ({} bytes)", stage.voice.word("demo-delivered"), held.chunks, held.bytes));
    stage.must("the stop names a rule", !rules.is_empty());
    let again = troupe.consumer.until("the count", &Order::Report, flow)?;
    stage.must("no chunk goes after the stop", again.chunks <= held.chunks + 1);
    let cures = troupe.provider.order(&Order::Cures { transfer: stopped.id.clone() })?;
    let cheapest = cures.get(0).cloned().unwrap_or_default();
    let measures: Vec<String> = cheapest.get("measures").and_then(Value::as_array).into_iter().flatten().map(|m| label(m, stage)).collect();
    stage.must("there is a way through", !measures.is_empty());
    stage.say(format!("   {}: {}", stage.voice.word("ways"), measures.join(" + ")));
    stage.pause(&stage.voice.word("demo-agree"));
    let cured = troupe.provider.order(&Order::Cure { transfer: stopped.id, way: 0 })?;
    let verdict = cured.get("verdict").and_then(Value::as_str).unwrap_or_default().to_string();
    stage.must("the cure opens", verdict == "permitted" || verdict == "out_of_scope");
    stage.say(format!("   ▶ {}", stage.voice.word(&format!("verdict-{verdict}"))));
    Ok(())
}

fn finish(stage: &mut Stage, got: &Value, source: &Path, mut troupe: Troupe, anchors: PathBuf, dir: &Path) -> Result<Told, String> {
    let data = PathBuf::from(got.get("path").and_then(Value::as_str).unwrap_or_default());
    let manifest: Digest = got.get("manifest").and_then(Value::as_str).unwrap_or_default().parse().map_err(|e| format!("{e}"))?;
    let same = std::fs::read(&data).ok() == std::fs::read(source).ok();
    stage.must("what arrived is what was sent, nothing twice", same);
    // The receipt goes back to the provider before its evidence is whole.
    let has_receipt = |v: &Value| v.as_array()?.iter().any(|f| f.get("parts").and_then(Value::as_array).is_some_and(|p| p.iter().any(|x| x == "receipt"))).then_some(());
    troupe.provider.until("the receipt", &Order::Report, has_receipt)?;
    let (container, policy) = (dir.join("evidence.asice"), dir.join("log.policy"));
    let order = Order::Evidence { manifest, container: container.clone(), policy: policy.clone() };
    // Stamp and cosignature follow the commit; evidence is asked for until it reaches its level.
    let end = Instant::now() + std::time::Duration::from_secs(20);
    loop {
        troupe.provider.order(&Order::Advance)?;
        let made = troupe.provider.order(&order);
        if made.is_ok() || Instant::now() > end {
            made?;
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let bytes = got.get("bytes").and_then(Value::as_u64).unwrap_or(0);
    stage.say(format!("   ✓ {} bytes · manifest {} · {}", bytes, manifest.short(), stage.voice.word("demo-sealed")));
    Ok(Told { container, policy, anchors, data, _troupe: troupe })
}

/// Scene 6: openssl verifies; forgeries fail, each at its own step.
pub fn dont_trust_us(stage: &mut Stage, told: &Told, dir: &Path) -> Result<(), String> {
    stage.scene(6, &stage.voice.word("demo-dont-trust"));
    let script = dir.join("verify.sh");
    std::fs::write(&script, trust::script::VERIFY_SH).map_err(|e| e.to_string())?;
    let by_openssl = Command::new("sh")
        .arg(&script)
        .args(["--anchors".as_ref(), told.anchors.as_os_str(), "--policy".as_ref(), told.policy.as_os_str(), told.container.as_os_str(), told.data.as_os_str()])
        .output()
        .map_err(|e| format!("sh: {e}"))?;
    let lines = String::from_utf8_lossy(&by_openssl.stdout).into_owned();
    lines.lines().take(8).for_each(|l| stage.say(format!("   {l}")));
    stage.must("openssl, unzip and sha256sum pass the evidence", by_openssl.status.success());
    let honest = verify(told, &told.container, Some(&told.anchors), &told.data)?;
    stage.must("tegata verify passes the evidence", honest.0 == Verdict::Passed);
    let no_anchor = verify(told, &told.container, None, &told.data)?;
    stage.say(format!("   {}", stage.voice.word("demo-no-anchor")));
    stage.must("without anchors from outside it is indeterminate", no_anchor.0 == Verdict::Indeterminate);
    for (what, step, outcome) in forgeries(told, dir)? {
        let at = outcome.map(StepId::code).unwrap_or("-");
        stage.say(format!("   ✗ {} → {at}", stage.voice.word(what)));
        stage.must(&format!("{what} fails at `{}`", step.code()), outcome == Some(step));
    }
    Ok(())
}

type Forged = (&'static str, StepId, Option<StepId>);

fn forgeries(told: &Told, dir: &Path) -> Result<Vec<Forged>, String> {
    let mut out = Vec::new();
    let bytes = std::fs::read(&told.container).map_err(|e| e.to_string())?;
    // A byte of the delivered data.
    let mut data = std::fs::read(&told.data).map_err(|e| e.to_string())?;
    if let Some(b) = data.last_mut() {
        *b ^= 1;
    }
    let changed = dir.join("changed-data");
    std::fs::write(&changed, &data).map_err(|e| e.to_string())?;
    out.push(("forged-data", StepId::Data, verify(told, &told.container, Some(&told.anchors), &changed)?.1));
    // A byte inside the container.
    let mut broken = bytes.clone();
    let middle = broken.len() / 2;
    if let Some(b) = broken.get_mut(middle) {
        *b ^= 1;
    }
    let file = dir.join("broken.asice");
    std::fs::write(&file, &broken).map_err(|e| e.to_string())?;
    out.push(("forged-byte", StepId::Container, verify(told, &file, Some(&told.anchors), &told.data)?.1));
    // Zipped again with right checksums and a right manifest, under the old seal.
    let again = rezipped(&bytes)?;
    let file = dir.join("rezipped.asice");
    std::fs::write(&file, again).map_err(|e| e.to_string())?;
    out.push(("forged-rezipped", StepId::Seal, verify(told, &file, Some(&told.anchors), &told.data)?.1));
    // An authority of the same name that is not the one we trust.
    let other = dir.join("other-authority");
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let running = server::authority::start(&other, local).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let theirs = running.ca_pem_path.clone();
    out.push(("forged-authority", StepId::Seal, verify(told, &told.container, Some(&theirs), &told.data)?.1));
    running.stop();
    Ok(out)
}

fn rezipped(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |e: bundle::BundleError| format!("error[{}]: {e}", e.code());
    let bundle = Bundle::read(bytes).map_err(wrong)?;
    let mut files = bundle::container::read(bytes).map_err(|e| e.to_string())?;
    let (signature, stamp) = (bundle.file(bundle::SIGNATURE).unwrap_or_default().to_vec(), bundle.file(bundle::TIMESTAMP).unwrap_or_default().to_vec());
    files.retain(|name, _| !name.starts_with("META-INF/"));
    if let Some(event) = files.get_mut(bundle::file::EVENT_SALT) {
        if let Some(b) = event.first_mut() {
            *b = if *b == b'0' { b'1' } else { b'0' };
        }
    }
    let forged = Unsealed::new(files).map_err(wrong)?.sealed(signature).stamped(stamp);
    forged.to_bytes().map_err(wrong)
}

fn verify(told: &Told, container: &Path, anchors: Option<&Path>, data: &Path) -> Result<(Verdict, Option<StepId>), String> {
    let files = node::verify::Files { container, anchors, policy: anchors.map(|_| told.policy.as_path()), crls: None, data: Some(data) };
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_millis() as i64).unwrap_or(0);
    let report = node::verify::verify_files(files, model::Instant(ms)).map_err(|e| e.to_string())?;
    let stops = report.failed_at().or_else(|| {
        let unclear = |s: &&trust::verify::Step| matches!(s.outcome, trust::verify::Outcome::Indeterminate(_));
        report.steps.iter().find(unclear).map(|s| s.id)
    });
    Ok((report.verdict(), stops))
}

#[derive(Clone, Debug)]
struct Flow {
    id: String,
    chunks: u64,
    bytes: u64,
    stopped: Option<(String, Vec<String>)>,
}

/// The newest flow of a report.
fn flow(report: &Value) -> Option<Flow> {
    let f = report.as_array()?.last()?;
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let stopped = f.get("stopped").filter(|s| !s.is_null()).map(|s| {
        let rules = s.get("rules").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect();
        (text(s, "says"), rules)
    });
    let count = |key: &str| f.get(key).and_then(Value::as_u64).unwrap_or(0);
    Some(Flow { id: text(f, "id"), chunks: count("chunks"), bytes: count("bytes"), stopped })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn label(measure: &Value, stage: &Stage) -> String {
    let language = match stage.voice.language {
        model::text::Language::En => "en",
        model::text::Language::Ja => "ja",
    };
    measure.get("label").and_then(|l| l.get(language)).and_then(Value::as_str).unwrap_or_default().to_string()
}

/// What is said of the exporter's side, and what of the recipient.
fn split(world: &World) -> (Facts, Facts) {
    world.flow_facts().into_iter().partition(|(slot, _)| !slot.starts_with("recipient."))
}

fn troupe_of(world: &World, demo: &Demo, dir: &Path) -> Result<(Troupe, PathBuf), String> {
    let of = |name: &str| dir.join(name);
    let text = |p: &Path| p.display().to_string();
    let authority = Actor::start("authority", &["demo-authority", "--dir", &text(&of("authority"))])?;
    let anchors = PathBuf::from(authority.said("anchors"));
    let rules = demo.rules();
    let start = |name: &'static str, country: &str, identifier: &str, firm: &str| -> Result<Actor, String> {
        let home = of(name);
        std::fs::create_dir_all(&home).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", home.display()))?;
        let config = enroll(&authority, &anchors, &home, name, country, identifier, firm, world)?;
        let file = text(&troupe::config(&home, &config)?);
        let mut args = vec!["demo-party", "--config", file.as_str()];
        let folder = rules.as_ref().map(|r| text(r));
        if let Some(folder) = &folder {
            args.extend(["--rules", folder.as_str()]);
        }
        Actor::start(name, &args)
    };
    let provider = start("provider", "DE", "NTRDE-HRB000001", &world.flow.exporter)?;
    let consumer = start("consumer", "US", "NTRUS-0000002", &world.flow.recipient)?;
    Ok((Troupe { _authority: authority, provider, consumer }, anchors))
}

fn enroll(authority: &Actor, anchors: &Path, home: &Path, name: &str, country: &str, identifier: &str, firm: &str, world: &World) -> Result<Config, String> {
    let carrier = TlsCarrier::open(Terms::new(anchors).reaching(Reach::Anywhere)).map_err(|e| e.to_string())?;
    let token = std::fs::read_to_string(authority.said("enrollment_token")).map_err(|e| e.to_string())?;
    let mut config = Config {
        mode: Mode::Demo,
        participant: format!("did:web:{name}.example"),
        name: firm.to_string(),
        directory: home.to_path_buf(),
        chunk_bytes: CHUNK_BYTES,
        legal_day: Some(world.flow.legal_day),
        limits: Limits { watch_ms: 20, ..Limits::default() },
        law: node::config::Law { accept_drafted: world.flow.accept_drafted.clone() },
        ..Config::default()
    };
    let newcomer = Newcomer {
        did: config.participant.clone(),
        name: firm.chars().take(60).collect(),
        country: country.into(),
        organization_identifier: identifier.into(),
        hosts: vec!["127.0.0.1".into(), "localhost".into()],
        log_origin: config.log_origin(),
    };
    let enrolled = join(&carrier, &authority.said("url"), token.trim(), &newcomer, home).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    config.authority = node::config::Authority {
        revocation_list: Some(enrolled.revocation_list),
        time_stamp: Some(enrolled.time_stamp),
        witness: Some(enrolled.witness),
        witness_key: Some(enrolled.witness_key),
    };
    debug_assert!(Certificate::from_pem(&enrolled.anchors).is_ok());
    Ok(config)
}

/// The authority as a process: says where it is, then serves until its director is gone.
pub fn authority(dir: &Path) -> Result<(), String> {
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let running = server::authority::start(dir, local).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let ready = serde_json::json!({ "ready": {
        "url": running.url(),
        "anchors": running.ca_pem_path,
        "enrollment_token": running.enrollment_token_path,
        "operator_token": running.operator_token_path,
    } });
    outln!("{ready}");
    // The pipe from the director closes when it ends.
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0) {
        line.clear();
    }
    running.stop();
    Ok(())
}
