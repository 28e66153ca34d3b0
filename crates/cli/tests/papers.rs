//! An assessment from the blank form to an answer that rests on it, with the real rules and the real program.

use std::{fs, path::Path, process::Command};

const TRANSFER: &str = r#"
[parties.nord]
name = "Nord GmbH"
facts = { "party.place" = "DE", "party.person" = "company", "party.targets" = ["DE"], "party.capacity" = ["controller"], "party.sector" = ["retail"] }
[parties.pune]
name = "Pune Services Ltd."
facts = { "party.place" = "IN", "party.person" = "company", "party.subject_to" = [], "party.targets" = ["IN"], "party.capacity" = ["processor"] }
[datasets.contacts]
facts = { "data.categories" = ["contact"], "data.about_people" = true, "data.public" = false }
subjects.customers = { "subjects.located_in" = ["DE"], "subjects.employees" = false }
[[hops]]
from = "nord"
to = "pune"
data = ["contacts"]
facts = { "hop.mode" = ["send_copy"], "hop.separate_person" = true, "hop.need" = [], "hop.purpose" = ["customer_service"], "hop.foreign_authority_asks" = false, "mechanism.kind" = ["eu_scc_2021"], "hop.processor_of_exporter" = true }
"#;

/// Runs the program in a folder: exit code, standard output, standard error.
fn tegata(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).current_dir(dir).args(args).args(["--lang", "en"]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("t.toml"), TRANSFER).unwrap();
    dir
}

/// Draws the paper up and fills it in as somebody would.
fn conclude(dir: &Path, outcome: &str, out: &str) -> (i32, String) {
    tegata(dir, &["draft", "t.toml", "--form", "eu.form.tia", "--as-of", "2026-11-01", "--out", "tia.md", "--force"]);
    let paper = fs::read_to_string(dir.join("tia.md")).unwrap();
    let filled = paper.replace("outcome = \"______\"", &format!("outcome = \"{outcome}\"")).replace("by = \"______\"", "by = \"A. Beispiel, DPO\"");
    fs::write(dir.join("tia.md"), filled.replace("______", "looked at")).unwrap();
    let (code, _, err) = tegata(dir, &["determine", "tia.md", "--out", out]);
    (code, err)
}

#[test]
fn a_transfer_is_told_the_papers_that_it_needs() {
    let dir = folder();
    let (code, out, _) = tegata(dir.path(), &["draft", "t.toml"]);
    assert_eq!(code, 0);
    assert!(out.contains("eu.form.tia") && out.contains("eu.form.scc_annexes"), "{out}");
    assert!(!out.contains("jp.form"), "a German exporter needs no Japanese paper: {out}");
}

#[test]
fn a_paper_with_blanks_is_no_judgment() {
    let dir = folder();
    tegata(dir.path(), &["draft", "t.toml", "--form", "eu.form.tia", "--out", "tia.md"]);
    let (code, _, err) = tegata(dir.path(), &["determine", "tia.md", "--out", "tia.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("TGT-C015") && err.contains("line"), "{err}");
    assert!(!dir.path().join("tia.json").exists());
}

#[test]
fn an_answer_rests_on_a_judgment_of_these_facts_and_days() {
    let dir = folder();
    let at = |args: &[&str]| tegata(dir.path(), &[&["check", "t.toml"], args].concat());
    assert_eq!(at(&["--as-of", "2026-11-22"]).0, 10, "without the assessment it may not go as it is");
    assert_eq!(conclude(dir.path(), "passes", "tia.json").0, 0);
    let judged = ["--determination", "tia.json"];
    let (code, out, _) = at(&[&judged[..], &["--as-of", "2026-11-22"]].concat());
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("Rests on: Transfer impact assessment") && out.contains("A. Beispiel, DPO"), "{out}");
    for (other, why) in [(["--as-of", "2027-11-01"], "does not count on this day"), (["--as-of", "2026-10-31"], "does not count on this day")] {
        let (code, out, _) = at(&[&judged[..], &other].concat());
        assert!(code == 10 && out.contains(why), "{out}");
    }
    let (code, out, _) = at(&[&judged[..], &["--as-of", "2026-11-22", "--fact", "data.categories=health"]].concat());
    assert!(code != 0 && out.contains("other facts") && out.contains("data.categories"), "{out}");
}

#[test]
fn judgments_that_differ_count_for_nothing_and_a_failed_one_opens_nothing() {
    let dir = folder();
    assert_eq!(conclude(dir.path(), "passes", "yes.json").0, 0);
    let filled = fs::read(dir.path().join("tia.md")).unwrap();
    let (code, _, err) = tegata(dir.path(), &["draft", "t.toml", "--form", "eu.form.tia", "--out", "tia.md"]);
    assert!(code == 2 && err.contains("--force") && fs::read(dir.path().join("tia.md")).unwrap() == filled, "what a person filled in stays: {err}");
    assert_eq!(conclude(dir.path(), "fails", "no.json").0, 0);
    let (code, out, _) = tegata(dir.path(), &["check", "t.toml", "--as-of", "2026-11-22", "--determination", "yes.json", "--determination", "no.json"]);
    assert!(code == 10 && out.matches("comes out differently").count() == 2, "{out}");
    let (code, out, _) = tegata(dir.path(), &["check", "t.toml", "--as-of", "2026-11-22", "--determination", "no.json"]);
    assert_ne!(code, 0, "{out}");
    fs::write(dir.path().join("yes.json.p7s"), "not a seal").unwrap();
    let (code, _, err) = tegata(dir.path(), &["check", "t.toml", "--determination", "yes.json"]);
    assert!(code == 2 && err.contains("TGT-C015"), "{err}");
}
