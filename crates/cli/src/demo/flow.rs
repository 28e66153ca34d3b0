//! Scenes 3, 4 and 6: two nodes and an authority in three processes; the judgment; and what an outsider can check.

use super::{
    forge,
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
    time::Instant,
};
use trust::verify::{StepId, Verdict};

/// The table that is watched, and its codebook that goes before.
const STUDY: &str = "urn:dataset:study";
const CODEBOOK: &str = "urn:dataset:codebook";
/// The evidence of the small delivery that comes first: scene 6 takes its receipt and its older checkpoint.
const OTHER: &str = "other.asice";
/// Small, so that a person can watch chunks go by.
const CHUNK_BYTES: usize = 4096;

/// What the flow left for scenes 6 and 7.
pub struct Told {
    pub(super) container: PathBuf,
    /// The evidence of another, earlier delivery.
    pub(super) other: PathBuf,
    pub(super) policy: PathBuf,
    pub(super) anchors: PathBuf,
    pub(super) data: PathBuf,
    pub(super) troupe: Troupe,
}

impl Told {
    /// The link that opens the provider's pages, where they are served.
    pub fn pages(&self) -> Option<String> {
        Some(self.troupe.provider.said("pages")).filter(|link| !link.is_empty())
    }
}

/// The processes.
pub struct Troupe {
    pub(super) authority: Actor,
    pub(super) provider: Actor,
    pub(super) consumer: Actor,
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
    earlier(stage, &mut troupe, &exporter, dir)?;
    let dataset = STUDY.to_string();
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

/// A small delivery before the one that is watched.
fn earlier(stage: &mut Stage, troupe: &mut Troupe, facts: &Facts, dir: &Path) -> Result<(), String> {
    let source = dir.join("codebook.txt");
    std::fs::write(&source, "what the columns of the study mean\n").map_err(|e| format!("error[TGT-C001]: `{}`: {e}", source.display()))?;
    let dataset = CODEBOOK.to_string();
    troupe.provider.order(&Order::Offer { dataset: dataset.clone(), title: "Codebook of the study".into(), source, facts: facts.clone() })?;
    let provider = troupe.provider.said("protocol");
    let negotiation = text(&troupe.consumer.order(&Order::Ask { provider, dataset })?);
    let transfer = troupe.consumer.until("the codebook's transfer", &Order::Begun { negotiation }, |v| v.as_str().map(str::to_string))?;
    let got = troupe.consumer.until("the codebook", &Order::Got { transfer }, |v| v.get("path").is_some().then(|| v.clone()))?;
    troupe.provider.until("the codebook's receipt", &Order::Report, |v| has_receipt(v, CODEBOOK))?;
    let manifest = manifest_of(&got)?;
    evidence(troupe, &Order::Evidence { manifest, container: dir.join(OTHER), policy: dir.join("other.policy") })?;
    stage.say(format!("   {} · manifest {}", stage.voice.word("demo-earlier"), manifest.short()));
    Ok(())
}

/// Whether the flow of a dataset has its receipt.
fn has_receipt(report: &Value, dataset: &str) -> Option<()> {
    let parts = of(report, dataset)?.get("parts")?.as_array()?;
    parts.iter().any(|x| x == "receipt").then_some(())
}

fn manifest_of(got: &Value) -> Result<Digest, String> {
    got.get("manifest").and_then(Value::as_str).unwrap_or_default().parse().map_err(|e| format!("{e}"))
}

/// Stamp and cosignature follow the commit; evidence is asked for until it reaches its level.
fn evidence(troupe: &mut Troupe, order: &Order) -> Result<(), String> {
    let end = Instant::now() + std::time::Duration::from_secs(20);
    loop {
        troupe.provider.order(&Order::Advance)?;
        match troupe.provider.order(order) {
            Err(e) if Instant::now() > end => return Err(e),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(50)),
            Ok(_) => return Ok(()),
        }
    }
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
    let manifest = manifest_of(got)?;
    let same = std::fs::read(&data).ok() == std::fs::read(source).ok();
    stage.must("what arrived is what was sent, nothing twice", same);
    // The receipt goes back to the provider before its evidence is whole.
    troupe.provider.until("the receipt", &Order::Report, |v| has_receipt(v, STUDY))?;
    let (container, policy) = (dir.join("evidence.asice"), dir.join("log.policy"));
    evidence(&mut troupe, &Order::Evidence { manifest, container: container.clone(), policy: policy.clone() })?;
    let bytes = got.get("bytes").and_then(Value::as_u64).unwrap_or(0);
    stage.say(format!("   ✓ {} bytes · manifest {} · {}", bytes, manifest.short(), stage.voice.word("demo-sealed")));
    Ok(Told { container, other: dir.join(OTHER), policy, anchors, data, troupe })
}

/// Scene 6: openssl verifies; forgeries fail, each at its own step.
pub fn dont_trust_us(stage: &mut Stage, told: &mut Told, dir: &Path) -> Result<(), String> {
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
    let honest = forge::verify(told, &told.container, Some(&told.anchors), &told.data)?;
    stage.must("tegata verify passes the evidence", honest.0 == Verdict::Passed);
    let no_anchor = forge::verify(told, &told.container, None, &told.data)?;
    stage.say(format!("   {}", stage.voice.word("demo-no-anchor")));
    stage.must("without anchors from outside it is indeterminate", no_anchor.0 == Verdict::Indeterminate);
    for (what, step, outcome) in forge::all(told, dir)? {
        let at = outcome.map(StepId::code).unwrap_or("-");
        stage.say(format!("   ✗ {} → {at}", stage.voice.word(what)));
        stage.must(&format!("{what} fails at `{}`", step.code()), outcome == Some(step));
    }
    let refusal = forge::forked_log(told, dir)?;
    stage.say(format!("   ✗ {} → {}", stage.voice.word("forged-log"), refusal.as_deref().unwrap_or("-")));
    stage.must("the witness refuses a forked log", refusal.is_some());
    Ok(())
}

#[derive(Clone, Debug)]
struct Flow {
    id: String,
    chunks: u64,
    bytes: u64,
    stopped: Option<(String, Vec<String>)>,
}

/// The flow of a dataset in a report.
fn of<'a>(report: &'a Value, dataset: &str) -> Option<&'a Value> {
    report.as_array()?.iter().find(|f| f.get("dataset").and_then(Value::as_str) == Some(dataset))
}

/// The flow that is watched, in a report.
fn flow(report: &Value) -> Option<Flow> {
    let f = of(report, STUDY)?;
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
        if demo.watched() {
            args.push("--pages");
        }
        let folder = rules.as_ref().map(|r| text(r));
        if let Some(folder) = &folder {
            args.extend(["--rules", folder.as_str()]);
        }
        Actor::start(name, &args)
    };
    let provider = start("provider", "DE", "NTRDE-HRB000001", &world.flow.exporter)?;
    let consumer = start("consumer", "US", "NTRUS-0000002", &world.flow.recipient)?;
    Ok((Troupe { authority, provider, consumer }, anchors))
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
        law: node::config::Law { accept_drafted: world.flow.accept_drafted.clone(), ..Default::default() },
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
