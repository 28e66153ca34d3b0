//! The scenes that need no second process: what is real, look, ask, one file and several answers.

use super::{stage::Stage, world::World};
use crate::verbs;
use decide::{
    decision::{Decision, Verdict},
    engine::Engine,
};
use model::{AsOf, CivilDate};
use node::protect::Release;
use pets::dictionary::Dictionary;
use words::{Arg, say};

/// Scene 0: what is real and what is invented.
pub fn opening(stage: &Stage) {
    stage.scene(0, &stage.voice.word("demo-title"));
    for id in ["demo-real", "demo-invented", "demo-nothing-leaves"] {
        stage.say(format!("   {}", stage.voice.word(id)));
    }
}

/// Scene 1: look at the table.
pub fn look(stage: &mut Stage, world: &World) -> Result<(), String> {
    stage.scene(1, &stage.voice.word("demo-look"));
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let found = node::protect::scan(&world.table.file, &node::protect::knowledge().map_err(wrong)?).map_err(wrong)?;
    verbs::scan::lines(&found, stage.voice).iter().for_each(|l| stage.say(l));
    let identifying = found.columns.iter().any(|c| c.role.identifies_alone());
    let singling = found.singling_out.iter().any(|s| s.uniques > 0);
    stage.must("a column identifies people, or a combination singles them out", identifying || singling);
    Ok(())
}

/// Scene 2: one table, several destinations.
pub fn ask(stage: &mut Stage, world: &World, engine: &mut Engine, today: CivilDate) -> Result<(), String> {
    stage.scene(2, &stage.voice.word("demo-ask"));
    let mut verdicts = Vec::new();
    for question in &world.ask {
        let decision = decide(engine, &world.asked(question), AsOf::then(today))?;
        stage.say(format!("   {}", question.name));
        stage.say(format!("      {}  {}", stage.voice.verdict(decision.verdict), first_line(&decision, stage)));
        if decision.verdict == Verdict::Undetermined {
            let lacks = decision.worst().map(|c| c.missing.iter().take(3).map(|m| stage.voice.lack(m)).collect::<Vec<_>>()).unwrap_or_default();
            lacks.iter().for_each(|l| stage.say(format!("      {l}")));
        }
        verdicts.push(decision.verdict);
    }
    let distinct = |v: Verdict| verdicts.contains(&v);
    stage.must("some destination is open", verdicts.iter().any(|v| v.opens()));
    stage.must("some destination needs something first", distinct(Verdict::Conditional));
    stage.must("one destination cannot be told", distinct(Verdict::Undetermined));
    Ok(())
}

/// Scene 5: the same de-identified bytes judged under several laws.
pub fn same_bytes(stage: &mut Stage, world: &World, engine: &mut Engine, today: CivilDate) -> Result<Release, String> {
    stage.scene(5, &stage.voice.word("demo-same-bytes"));
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let corrections = match &world.table.dictionary {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", path.display()))?;
            Some(Dictionary::parse(&text).map_err(|e| format!("error[TGT-N002]: `{}`: {}", path.display(), e.message()))?)
        }
        None => None,
    };
    let profile = node::protect::profile(&world.table.profile).map_err(wrong)?;
    let release = node::protect::protect(&world.table.file, &profile, corrections.as_ref(), None, &node::protect::knowledge().map_err(wrong)?).map_err(wrong)?;
    let exact = &release.protected.report.exact;
    let k = exact.k.map(|k| k.to_string()).unwrap_or_default();
    stage.say(format!("   {}: {}", world.table.profile, say(stage.voice.language, "protect-summary", &[
        ("k", Arg::Text(&k)),
        ("risk", Arg::Text(&exact.risk_max.percent(1))),
        ("released", Arg::Number(exact.records_released as i64)),
        ("of", Arg::Number(exact.records_before.unwrap_or_default() as i64)),
    ])));
    stage.say(format!("   sha256 {} · {} {}", release.digest.short(), stage.voice.word("demo-report"), release.report.short()));
    stage.must("the profile's numbers are met", release.protected.is_met());
    let mut answers = Vec::new();
    for question in &world.same_bytes {
        let measured = release.protected.is_met().then(|| verbs::check::report_fact(&release.protected.report.exact.profile.id));
        let decision = decide(engine, &world.same(question, measured), AsOf::then(today))?;
        stage.say(format!("   {}", question.name));
        stage.say(format!("      {}  {}", stage.voice.verdict(decision.verdict), first_line(&decision, stage)));
        answers.push((decision.verdict, decision.deciding_ids().first().map(ToString::to_string)));
    }
    answers.sort_by_key(|(v, id)| (v.severity(), id.clone()));
    answers.dedup();
    stage.must("each law answers for itself", answers.len() == world.same_bytes.len());
    stage.say(format!("   {}", stage.voice.word("demo-gap")));
    Ok(release)
}

/// Scene 7: your turn.
pub fn your_turn(stage: &Stage, pages: Option<&str>) {
    stage.scene(7, &stage.voice.word("demo-your-turn"));
    for command in [
        "tegata check                                   # an interview: may it go?",
        "tegata check --register examples/register/demo-seiki.csv",
        "tegata scan YOUR-TABLE.csv                     # which columns identify people",
    ] {
        stage.say(format!("   {command}"));
    }
    if let Some(address) = pages {
        stage.say(format!("   {} {address}", stage.voice.word("demo-pages")));
    }
    stage.say(format!("   {}", stage.voice.word("demo-not-shown")));
}

/// Decides a transfer on a day.
pub fn decide(engine: &mut Engine, transfer: &model::transfer::Transfer, as_of: AsOf) -> Result<Decision, String> {
    let bound = engine.book.bind(transfer).map_err(|ds| verbs::faults(&ds))?;
    engine.decide(&bound, as_of).map_err(verbs::too_many)
}

fn first_line(decision: &Decision, stage: &Stage) -> String {
    decision.worst().map(|c| verbs::check::one_line(c, stage.voice)).unwrap_or_default()
}
