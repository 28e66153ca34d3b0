//! Serves the pages on loopback, with the rules of a folder and two invented flows, to look at them.
//!
//! `cargo run -p server --example pages -- [rules folder] [port]`

use decide::decision::{MeasureAnswer, Remedy};
use model::{Instant, fact::{Said, Spoken}, text::Text};
use rulebook::book::{Rulebook, Source, loads};
use server::people::{
    self, Mode, State,
    flows::{Delivered, End, FlowState, FlowView, Flows, Stop},
    principal::{OneToken, Principal, Role},
};
use std::path::Path;
use trust::verify::{Level, Outcome, Report, Step, StepId};

const SECRET: &str = "example-token-of-the-pages-32-bytes";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "rules".into());
    let port: u16 = args.next().and_then(|p| p.parse().ok()).unwrap_or(4777);
    let mut sources = Vec::new();
    read(Path::new(&folder), Path::new(&folder), &mut sources)?;
    let (book, findings) = Rulebook::parse(sources);
    if !loads(&findings) {
        return Err("these rules do not load".into());
    }
    let who = Principal { participant: "demo".into(), token: "demo".into(), role: Role::Act };
    let state = State::new(book, Mode::Demo, OneToken::new(SECRET, who)).with_flows(Invented);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let door = people::bind(([127, 0, 0, 1], port).into(), state).await?;
        println!("{}", people::link(door.address(), SECRET));
        door.serve(std::future::pending()).await
    })?;
    Ok(())
}

fn read(root: &Path, dir: &Path, out: &mut Vec<Source>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            read(root, &path, out)?;
        } else if name.ends_with(".md") && !name.starts_with("demo/") {
            out.push(Source { path: name, text: std::fs::read_to_string(&path)? });
        }
    }
    Ok(())
}

/// Two flows made up for looking at: one that its law stopped, one that runs.
struct Invented;

fn at(day: &str, seconds: i64) -> Instant {
    Instant(day.parse::<model::CivilDate>().map_or(0, |d| Instant::start_of(d, 0).0) + seconds * 1_000)
}

fn flow(id: &str, state: FlowState, stop: Option<Stop>) -> FlowView {
    FlowView {
        id: id.into(),
        dataset: "Customer contacts 2020".into(),
        from: End { name: "Demo Seiki Deutschland GmbH".into(), place: "DE".into() },
        to: End { name: "Example CRM Inc.".into(), place: "US".into() },
        state,
        began: Some(at("2020-07-15", 32_405)),
        delivered: Delivered { chunks: 5, chunks_all: Some(12), bytes: 5 * 8_388_608, last_at: Some(at("2020-07-15", 86_399)) },
        stop,
        evidence: Some(Level::Stamped),
        facts: vec![
            ("exporter.place".into(), Said::claim(Spoken::Word("DE".into()))),
            ("recipient.place".into(), Said::claim(Spoken::Word("US".into()))),
            ("data.categories".into(), Said::claim(Spoken::Words(vec!["contact".into()]))),
            ("recipient.listed".into(), Said::claim(Spoken::Words(vec!["us_privacy_shield".into()]))),
        ],
    }
}

fn stopped() -> FlowView {
    let measure = |id: &str, en: &str, ja: &str, decides: &str, days, money| MeasureAnswer {
        id: id.into(),
        label: Text::of(en, ja),
        decides: decides.into(),
        money,
        days,
        utility_loss: 0,
        note: Text::of("", ""),
        makes: Vec::new(),
    };
    let contract = measure("eu.measure.scc", "sign the EU standard contractual clauses", "EU標準契約条項を締結", "both", 14, 3_000);
    let assess = measure("eu.measure.tia", "assess the law of the destination, and record it", "移転先国の法制度を評価し記録", "exporter", 10, 5_000);
    let consent = measure("eu.measure.consent", "ask each person for explicit consent", "本人から明示の同意を取得", "individual", 30, 8_000);
    let stop = Stop {
        rule: "eu.gdpr.44".into(),
        cites: "GDPR Art. 44".into(),
        says: Text::of(
            "A transfer takes place only if Article 45, 46 or 49 is met. The decision on the Privacy Shield was annulled on 16 July 2020, so Article 45 is met no longer.",
            "移転は45条・46条・49条のいずれかを満たす場合に限られる。プライバシーシールド決定は2020年7月16日に無効とされ、45条は満たされなくなった。",
        ),
        since: "2020-07-16".parse().unwrap_or_else(|_| model::CivilDate::from_days(0)),
        at: at("2020-07-16", 1),
        about_delivered: Text::of(
            "The judgment gave no period of grace: what was sent before rests on the decision as it stood then, what is still used there needs a ground from that day on.",
            "判決は猶予期間を置いていない。それ以前の移転は当時の決定に基づくが、その日以後も利用を続けるには別の根拠が必要である。",
        ),
        remedies: vec![
            Remedy { measures: vec![contract, assess], rank: 2, routes: vec!["eu.gdpr.46.2.c".into()], money: 8_000, days: 14, utility_loss: 0 },
            Remedy { measures: vec![consent], rank: 3, routes: vec!["eu.gdpr.49.1.a".into()], money: 8_000, days: 30, utility_loss: 0 },
        ],
    };
    flow("T-02", FlowState::Stopped, Some(stop))
}

impl Flows for Invented {
    fn all(&self, _: &Principal) -> Vec<FlowView> {
        let running = FlowView { dataset: "Line sensors".into(), evidence: Some(Level::Witnessed), ..flow("T-08", FlowState::Running, None) };
        vec![stopped(), running]
    }

    fn one(&self, who: &Principal, id: &str) -> Option<FlowView> {
        self.all(who).into_iter().find(|f| f.id == id)
    }

    fn cure(&self, _: &Principal, _: &str, _: &[String]) -> Result<(), Text> {
        Err(Text::of("this flow is invented: nothing can be pressed on it", "これは架空のフローであり、操作はできません"))
    }

    fn evidence(&self, _: &Principal, id: &str) -> Option<Report> {
        let found = |id: StepId, outcome, detail: &str| Step { id, outcome, detail: detail.into() };
        let steps = StepId::ALL
            .into_iter()
            .map(|s| match s {
                StepId::Data => found(s, Outcome::Absent, "the data was not given"),
                StepId::Receipt => found(s, Outcome::Indeterminate("no-anchor".into()), "the receiver's certificate leads to no anchor"),
                StepId::Container => found(s, Outcome::Passed, "9 files in their one form"),
                StepId::Digests => found(s, Outcome::Passed, "each file has the SHA-256 in its manifest"),
                StepId::Log => found(s, Outcome::Passed, "entry 41 of 43 in `log.example/seiki`, 1 cosigned"),
                s => found(s, Outcome::Passed, ""),
            })
            .collect();
        let levels = vec![Level::Recorded, Level::Witnessed, Level::Sealed, Level::Stamped];
        (id == "T-02").then(|| Report { steps, levels, stamped_at: Some(at("2020-07-16", 3)) })
    }
}
