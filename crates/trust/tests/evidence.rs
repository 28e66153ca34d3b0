//! The whole way: a bundle passes to anchors from outside, and every forgery fails at its own step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/sample_evidence/kit.rs"]
mod kit;

use kit::{LogKind, World};
use model::Instant;
use trust::verify::{Anchors, Inputs, Level, Outcome, Report, StepId, Verdict, verify};

const NOW: Instant = Instant(1_795_000_000_250);

fn anchors(world: &World) -> Anchors {
    Anchors { certificates: vec![world.root.clone()], log: Some(kit::parsed_policy()) }
}

fn judged(container: &[u8], anchors: &Anchors, data: &[u8], now: Instant) -> Report {
    let mut data = data;
    verify(Inputs { container, anchors, crls: &[], data: Some(&mut data), now })
}

#[test]
fn a_good_bundle_passes_at_every_level() {
    let world = World::new(kit::ROOT, NOW);
    let good = kit::bundle(kit::files(&world, LogKind::Honest), &world, &world);
    let report = judged(&good, &anchors(&world), &kit::data(), NOW);
    assert_eq!(report.verdict(), Verdict::Passed, "{report}");
    assert!(report.steps.iter().all(|step| step.outcome == Outcome::Passed), "{report}");
    assert_eq!(report.levels, [Level::Recorded, Level::Witnessed, Level::Sealed, Level::Stamped]);
    assert_eq!(report.stamped_at, Some(NOW));
    // Nine years later it still holds, by the stamp; a checkpoint from the future does not.
    let later = Instant(NOW.0 + 3_300 * kit::DAY);
    assert_eq!(judged(&good, &anchors(&world), &kit::data(), later).verdict(), Verdict::Passed);
    let earlier = Instant(NOW.0 - 120_000);
    assert_eq!(judged(&good, &anchors(&world), &kit::data(), earlier).failed_at(), Some(StepId::Stamp));
}

#[test]
fn every_forgery_fails_at_its_own_step() {
    let world = World::new(kit::ROOT, NOW);
    let forgeries = kit::forgeries(&world);
    assert!(forgeries.len() >= 19);
    for (name, step, container) in forgeries {
        let report = judged(&container, &anchors(&world), &kit::data(), NOW);
        assert_eq!(report.failed_at().map(StepId::code), Some(step), "{name}\n{report}");
    }
}

#[test]
fn a_changed_byte_of_any_file_fails_though_the_zip_is_right() {
    let world = World::new(kit::ROOT, NOW);
    let changed = kit::changed_bytes(&world);
    assert_eq!(changed.len(), 2 * 13);
    for (name, container) in changed {
        let report = judged(&container, &anchors(&world), &kit::data(), NOW);
        // The token alone stands in no manifest: it stamps one.
        let expected = if name.ends_with("timestamp.tst") { StepId::Stamp } else { StepId::Digests };
        assert_eq!(report.failed_at(), Some(expected), "{name}\n{report}");
    }
}

#[test]
fn other_data_fail_at_the_data() {
    let world = World::new(kit::ROOT, NOW);
    let good = kit::bundle(kit::files(&world, LogKind::Honest), &world, &world);
    let data = kit::data();
    let mut changed = data.clone();
    changed[data.len() - 1] ^= 1;
    let more = [&data[..], b"!"].concat();
    for other in [&changed[..], &data[..data.len() - 1], &more, b""] {
        assert_eq!(judged(&good, &anchors(&world), other, NOW).failed_at(), Some(StepId::Data));
    }
    let report =
        verify(Inputs { container: &good, anchors: &anchors(&world), crls: &[], data: None, now: NOW });
    assert_eq!(report.step(StepId::Data).map(|step| &step.outcome), Some(&Outcome::Absent));
}

#[test]
fn without_anchors_or_policy_it_is_never_green() {
    let world = World::new(kit::ROOT, NOW);
    let good = kit::bundle(kit::files(&world, LogKind::Honest), &world, &world);
    let nothing = judged(&good, &Anchors::default(), &kit::data(), NOW);
    assert_eq!(nothing.verdict(), Verdict::Indeterminate, "{nothing}");
    assert!(nothing.levels.is_empty());
    let no_policy = Anchors { log: None, ..anchors(&world) };
    assert_eq!(judged(&good, &no_policy, &kit::data(), NOW).verdict(), Verdict::Indeterminate);
    let other = Anchors { certificates: vec![World::new(kit::OTHER_ROOT, NOW).root], ..anchors(&world) };
    assert_eq!(judged(&good, &other, &kit::data(), NOW).failed_at(), Some(StepId::Seal));
    let mut files = kit::files(&world, LogKind::Honest);
    files.remove("trust/crl.pem");
    let no_list = kit::bundle(files, &world, &world);
    let report = judged(&no_list, &anchors(&world), &kit::data(), NOW);
    assert_eq!(report.verdict(), Verdict::Indeterminate, "{report}");
}

#[test]
fn no_changed_byte_of_the_container_passes() {
    let world = World::new(kit::ROOT, NOW);
    let good = kit::bundle(kit::files(&world, LogKind::Honest), &world, &world);
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone();
        changed[at] ^= 0x20;
        let report = judged(&changed, &anchors(&world), &kit::data(), NOW);
        assert_eq!(report.failed_at(), Some(StepId::Container), "byte {at}\n{report}");
    }
}
