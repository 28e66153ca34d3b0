//! What a data officer does to a table before it goes, through the program: part it, ask it with noise, look at texts.
//! And the promise that no value of a person appears in an answer, an error or a report.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn tegata(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(dir).env("NO_COLOR", "1").env("TEGATA_LANG", "en").output().unwrap()
}

fn fresh(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("tegata-protect-{}-{name}", std::process::id()));
    let _gone = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("secret.bin"), [7u8; 32]).unwrap();
    dir
}

/// Runs, checks the exit code, and gives what was printed on both streams.
fn says(dir: &Path, args: &[&str], exit: i32) -> String {
    let out = tegata(dir, args);
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.code(), Some(exit), "{args:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

const FLEET: &str = "driver,vin,speed,plant\nSato Hanako,X1,50,A\n,X2,61,B\nSuzuki Taro,X3,55,A\nSato Hanako,X1,50,A\n";
const FLEET_DICTIONARY: &str = "[columns.driver]\nrole='direct-identifier'\n[columns.vin]\nrole='linking-code'\n[columns.speed]\nrole='non-personal'\n[columns.plant]\nrole='non-personal'\n";
const PART: [&str; 15] = [
    "protect", "separate", "fleet.csv", "--dictionary", "fleet.toml", "--key", "secret.bin", "--for", "maker/quality/2026", "--personal", "p.csv",
    "--non-personal", "n.csv", "--link", "l.json",
];

#[test]
fn a_mixed_table_is_parted_and_the_parts_are_shown_to_belong() {
    let dir = fresh("part");
    fs::write(dir.join("fleet.csv"), FLEET).unwrap();
    fs::write(dir.join("fleet.toml"), FLEET_DICTIONARY).unwrap();
    let said = says(&dir, &PART, 0);
    assert!(said.contains("4 rows, 2 columns: speed, plant"), "{said}");
    let rest = fs::read_to_string(dir.join("n.csv")).unwrap();
    assert!(!rest.contains("Sato") && !rest.contains("X1") && rest.starts_with("speed,plant"), "{rest}");
    says(&dir, &["protect", "linked", "p.csv", "n.csv", "--link", "l.json"], 0);
    let personal = fs::read_to_string(dir.join("p.csv")).unwrap();
    fs::write(dir.join("p.csv"), personal.replace("Suzuki Taro", "Suzuki Jiro")).unwrap();
    let said = says(&dir, &["protect", "linked", "p.csv", "n.csv", "--link", "l.json"], 20);
    assert!(said.contains("pets/not-linked"), "{said}");
    // A column that appears later than the plan stops, and nothing is written over.
    fs::write(dir.join("fleet.csv"), "driver,vin,speed,plant,phone\nSato,X1,50,A,090-1111-2222\n").unwrap();
    let before = fs::read(dir.join("n.csv")).unwrap();
    let said = says(&dir, &PART, 2);
    assert!(said.contains("`phone`") && said.contains("pets/unplanned-column"), "{said}");
    assert_eq!(before, fs::read(dir.join("n.csv")).unwrap());
}

#[test]
fn a_budget_is_opened_once_spent_and_then_refuses() {
    let dir = fresh("dp");
    let rows: String = (0..600).map(|n| format!("p{},{},{}\n", n % 300, ["female", "male"][n % 2], 20 + n % 60)).collect();
    fs::write(dir.join("visits.csv"), format!("person,sex,age\n{rows}")).unwrap();
    let open = ["protect", "budget", "b.json", "--dataset", "visits", "--recipient", "clinic", "--unit", "person", "--rho", "1/2"];
    says(&dir, &open, 0);
    assert!(says(&dir, &open, 2).contains("a budget is set once"));
    let ask = |what: &[&'static str], rho: &'static str| -> Vec<&'static str> {
        let mut args = vec!["protect", "dp", "visits.csv", "--book", "b.json", "--dataset", "visits", "--recipient", "clinic", "--person", "person", "--rows-max", "2", "--rho", rho];
        args.extend(what);
        args
    };
    let said = says(&dir, &ask(&["--count", "--by", "sex", "--group", "female", "--group", "male", "--json"], "1/8"), 0);
    let answers: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    for answer in answers["answers"].as_array().unwrap() {
        // σ = 4: eight deviations fail once in 10^15.
        assert!((answer["value"].as_i64().unwrap() - 300).abs() < 32, "{said}");
    }
    let said = says(&dir, &ask(&["--mean", "age", "--bounds", "20..80", "--decimals", "1"], "1/4"), 0);
    assert!(said.contains("left: ρ 1/8 of 1/2"), "{said}");
    says(&dir, &ask(&["--histogram", "age", "--edges", "40,60"], "1/16"), 0);
    let said = says(&dir, &ask(&["--count"], "1/8"), 11);
    assert!(said.contains("pets/budget-spent") && said.contains("left: 1/16"), "{said}");
    // The table under another name has no fresh budget.
    fs::copy(dir.join("visits.csv"), dir.join("other.csv")).unwrap();
    says(&dir, &["protect", "budget", "b.json", "--dataset", "other", "--recipient", "clinic", "--unit", "person", "--rho", "9"], 0);
    let said = says(&dir, &["protect", "dp", "other.csv", "--book", "b.json", "--dataset", "other", "--recipient", "clinic", "--person", "person", "--rows-max", "1", "--count", "--rho", "1"], 2);
    assert!(said.contains("has its budget as `visits`"), "{said}");
    // Who counts as one person is part of the budget; without a bound there is none.
    says(&dir, &["protect", "dp", "visits.csv", "--book", "b.json", "--dataset", "visits", "--recipient", "clinic", "--one-row-each", "--count", "--rho", "1/64"], 2);
    let said = says(&dir, &["protect", "dp", "visits.csv", "--book", "b.json", "--dataset", "visits", "--recipient", "clinic", "--person", "person", "--count", "--rho", "1/64"], 2);
    assert!(said.contains("--rows-max"), "{said}");
    let book = fs::read_to_string(dir.join("b.json")).unwrap();
    assert!(!book.contains("seed") && !book.contains("p17"), "{book}");
    assert!(says(&dir, &["protect", "budget", "b.json"], 0).contains("mean of age within 20..80"));
}

#[test]
fn texts_of_both_languages_are_looked_at_and_covered() {
    let dir = fresh("text");
    let text = "To Mr. Brown\n担当の鈴木さんの電話は090-0123-4567です。\nThe order 123456789018 was shipped.\n";
    fs::write(dir.join("letter.txt"), text).unwrap();
    let said = says(&dir, &["scan", "letter.txt", "--cover", "out.txt"], 0);
    assert!(said.contains("1:8") && said.contains("2:4") && said.contains("person-name 2, phone 1"), "{said}");
    for value in ["Brown", "鈴木", "090-0123-4567"] {
        assert!(!said.contains(value), "{said}");
    }
    let covered = fs::read_to_string(dir.join("out.txt")).unwrap();
    assert_eq!(covered, "To Mr. [person-name]\n担当の[person-name]さんの電話は[phone]です。\nThe order 123456789018 was shipped.\n");
    fs::write(dir.join("wrong.txt"), b"a \xff\xff b").unwrap();
    assert!(says(&dir, &["scan", "wrong.txt"], 2).contains("dataplane/wrong-encoding"));
}

fn health(dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    fs::copy(root.join("health.csv"), dir.join("health.csv")).unwrap();
    fs::copy(root.join("health.dictionary.toml"), dir.join("d.toml")).unwrap();
}

const CERTIFY: [&str; 13] =
    ["protect", "certify", "r.csv", "--profile", "jp-anonymised+eu-wp216-k11", "--original", "health.csv", "--dictionary", "d.toml", "--plan", "plan.toml", "--out", "c.json"];

#[test]
fn a_release_is_certified_from_its_own_values_and_says_which_clause_and_how_far() {
    let dir = fresh("certify");
    health(&dir);
    let joint = "jp-anonymised+eu-wp216-k11";
    says(&dir, &["protect", "health.csv", "--profile", joint, "--dictionary", "d.toml", "--out", "r.csv", "--report", "r.json", "--plan", "plan.toml"], 0);
    let said = says(&dir, &CERTIFY, 0);
    assert!(said.contains("smallest class 11") && said.contains("singling-out: "), "{said}");
    assert!(said.contains("not for software, eu-wp216-k11/recital-26"), "{said}");
    let report = |name: &str| -> serde_json::Value { serde_json::from_str(&fs::read_to_string(dir.join(name)).unwrap()).unwrap() };
    let (made, certified) = (report("r.json"), report("c.json"));
    for part in ["classes", "k", "content", "clauses", "diversity", "risk_average"] {
        assert_eq!(made["exact"][part], certified["exact"][part], "{part}");
    }
    // One person more who is like nobody: the clause, its number and the people short are said.
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    let odd: Vec<&str> = release.lines().nth(1).unwrap().split(',').collect();
    let head: Vec<&str> = release.lines().next().unwrap().split(',').collect();
    let place = head.iter().position(|h| *h == "sex").unwrap();
    let line: Vec<String> = odd.iter().enumerate().map(|(i, c)| if i == place { "intersex".into() } else { c.to_string() }).collect();
    fs::write(dir.join("r.csv"), format!("{release}{}\n", line.join(","))).unwrap();
    let said = says(&dir, &CERTIFY, 10);
    assert!(said.contains("✗ eu-wp216-k11/singling-out") && said.contains("1 (11) −1"), "{said}");
    // The original in place of the release.
    fs::copy(dir.join("health.csv"), dir.join("r.csv")).unwrap();
    assert!(says(&dir, &CERTIFY, 2).contains("pets/stray-column"));
}

#[test]
fn the_meet_of_profiles_says_which_clause_binds() {
    let dir = fresh("meet");
    let said = says(&dir, &["protect", "meet", "jp-anonymised", "eu-wp216-k11", "ema-0070"], 0);
    assert!(said.contains("▪  eu-wp216-k11/singling-out") && said.contains("classes of at least 11"), "{said}");
    assert!(said.contains("·  jp-anonymised/34-4-quasi") && said.contains("demanded already by eu-wp216-k11/singling-out"), "{said}");
    says(&dir, &["protect", "meet", "jp-anonymised"], 2);
    says(&dir, &["protect", "meet", "jp-anonymised", "nobody"], 2);
}

/// Values of direct identifiers in the demo's table: none may appear in what is printed or reported.
fn values_of_persons(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("health.csv")).unwrap();
    text.lines().skip(1).take(400).flat_map(|l| l.split(',').take(4).map(str::to_string).collect::<Vec<_>>()).filter(|v| v.chars().count() > 4).collect()
}

#[test]
fn nothing_personal_appears_in_answers_errors_or_reports() {
    let dir = fresh("grep");
    health(&dir);
    let values = values_of_persons(&dir);
    assert!(values.len() > 1500);
    let mut seen = String::new();
    let mut run = |args: &[&str], exit: i32| seen.push_str(&says(&dir, args, exit));
    run(&["scan", "health.csv"], 0);
    run(&["scan", "health.csv", "--json"], 0);
    run(&["scan", "health.csv", "--dictionary", "found.toml"], 0);
    run(&["scan", "health.csv", "--text"], 0);
    run(&["protect", "health.csv", "--profile", "jp-anonymised", "--dictionary", "d.toml", "--out", "r.csv", "--report", "r.json", "--plan", "plan.toml"], 0);
    // Every way to be wrong that has the table at hand: raw data certified, a key that is missing, a header that is a person.
    fs::copy(dir.join("health.csv"), dir.join("raw.csv")).unwrap();
    run(&["protect", "certify", "raw.csv", "--profile", "jp-anonymised", "--original", "health.csv", "--dictionary", "d.toml", "--out", "c.json"], 10);
    run(&["protect", "certify", "health.csv", "--profile", "jp-anonymised", "--dictionary", "found.toml", "--plan", "plan.toml", "--out", "x.json"], 2);
    run(&["protect", "separate", "health.csv", "--dictionary", "d.toml", "--personal", "p", "--non-personal", "n", "--link", "l"], 2);
    let text = fs::read_to_string(dir.join("health.csv")).unwrap();
    fs::write(dir.join("headless.csv"), text.split_once('\n').unwrap().1).unwrap();
    run(&["scan", "headless.csv"], 2);
    run(&["protect", "headless.csv", "--profile", "jp-anonymised", "--out", "h.csv", "--report", "h.json"], 2);
    let ragged = text.replacen("Lisa Lee,", "Lisa Lee,extra,", 1);
    fs::write(dir.join("ragged.csv"), ragged).unwrap();
    run(&["scan", "ragged.csv"], 2);
    fs::write(dir.join("cut.parquet"), &text.as_bytes()[..4000]).unwrap();
    run(&["scan", "cut.parquet"], 2);
    run(&["protect", "budget", "b.json", "--dataset", "h", "--recipient", "r", "--unit", "my_number", "--rho", "1"], 0);
    run(&["protect", "dp", "health.csv", "--book", "b.json", "--dataset", "h", "--recipient", "r", "--person", "my_number", "--rows-max", "1", "--count", "--by", "sex", "--group", "female", "--rho", "1/2"], 0);
    run(&["protect", "dp", "health.csv", "--book", "b.json", "--dataset", "h", "--recipient", "r", "--person", "my_number", "--rows-max", "1", "--count", "--by", "nothing", "--group", "x", "--rho", "1/8"], 2);
    for file in ["r.json", "c.json", "plan.toml", "found.toml", "b.json"] {
        seen.push_str(&fs::read_to_string(dir.join(file)).unwrap());
    }
    for value in &values {
        assert!(!seen.contains(value.as_str()), "`{value}` appears");
    }
}

#[test]
fn releases_of_the_same_people_are_measured_together() {
    let dir = fresh("across");
    health(&dir);
    for (profile, out, plan) in [("jp-anonymised", "a.csv", "a.toml"), ("hipaa-safe-harbor", "b.csv", "b.toml")] {
        says(&dir, &["protect", "health.csv", "--profile", profile, "--dictionary", "d.toml", "--out", out, "--report", "r.json", "--plan", plan], 0);
    }
    let said = says(&dir, &["protect", "across", "health.csv", "--dictionary", "d.toml", "--release", "a.csv=a.toml", "--release", "b.csv=b.toml", "--at-least", "10"], 10);
    assert!(said.contains("a.csv: smallest class 10") && said.contains("all together: smallest class 1,"), "{said}");
    says(&dir, &["protect", "across", "health.csv", "--dictionary", "d.toml", "--release", "a.csv=a.toml", "--at-least", "10"], 0);
    let said = says(&dir, &["protect", "across", "health.csv", "--dictionary", "d.toml", "--release", "a.csv=b.toml"], 2);
    assert!(said.contains("pets/missing-column") || said.contains("pets/not-as-planned"), "{said}");
}

#[test]
fn tokens_are_turned_back_by_enough_custodians_and_by_nobody_else() {
    let dir = fresh("tokens");
    let rows: String = (0..60).map(|n| format!("pt-{n:04},{},{}\n", 20 + n % 3, ["f", "m"][n % 2])).collect();
    fs::write(dir.join("t.csv"), format!("patient,age,sex\n{rows}")).unwrap();
    let dictionary = "[columns.patient]\nrole='linking-code'\nact={act='token'}\n[columns.age]\nrole='quasi-identifier'\nkind='age'\n[columns.sex]\nrole='quasi-identifier'\nkind='sex'\n";
    fs::write(dir.join("d.toml"), dictionary).unwrap();
    let made = ["protect", "t.csv", "--profile", "ema-0070", "--dictionary", "d.toml", "--key", "secret.bin", "--for", "clinic/study/2026", "--report", "r.json"];
    // The same release in every form that is written; each is read again.
    for out in ["r.csv", "r.parquet", "r.arrow", "r.jsonl"] {
        says(&dir, &[&made[..], &["--out", out]].concat(), 0);
        says(&dir, &["scan", out], 0);
    }
    assert!(says(&dir, &[&made[..], &["--out", "r.pdf"]].concat(), 2).contains("dataplane/unknown-format"));
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    assert!(!release.contains("pt-0"), "{release}");
    says(&dir, &["protect", "share", "--key", "secret.bin", "--needed", "2", "--of", "3", "--out", "s"], 0);
    let reveal = |shares: &[&str], exit: i32| {
        let mut args = vec!["protect", "reveal", "r.csv", "--column", "patient", "--for", "clinic/study/2026", "--out", "back.csv"];
        shares.iter().for_each(|s| args.extend(["--share", s]));
        says(&dir, &args, exit)
    };
    reveal(&["s/share-3.json", "s/share-1.json"], 0);
    assert!(fs::read_to_string(dir.join("back.csv")).unwrap().contains("pt-0042"));
    assert!(reveal(&["s/share-2.json"], 2).contains("pets/too-few-shares"));
    // A share of another secret, in either place: the same words.
    fs::write(dir.join("other.bin"), [9u8; 32]).unwrap();
    says(&dir, &["protect", "share", "--key", "other.bin", "--needed", "2", "--of", "3", "--out", "o"], 0);
    let (first, second) = (reveal(&["o/share-1.json", "s/share-2.json"], 2), reveal(&["s/share-1.json", "o/share-2.json"], 2));
    assert!(first == second && first.contains("pets/wrong-share"), "{first} {second}");
    // Another domain's key turns nothing back, and names no token.
    let said = says(&dir, &["protect", "reveal", "r.csv", "--column", "patient", "--for", "clinic/study/2027", "--key", "secret.bin", "--out", "x.csv"], 2);
    let token = release.lines().nth(1).unwrap().split(',').next().unwrap();
    assert!(token.len() > 40 && said.contains("record 1 of `patient`") && !said.contains(token), "{said}");
}
