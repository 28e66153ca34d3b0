//! Tables that are wrong in every way that tables are: each has a defined answer, one line, and no panic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn fresh(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("tegata-odd-{}-{name}", std::process::id()));
    let _gone = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Protects a table under a profile; gives exit code and all that was said.
fn protect(dir: &Path, table: &str, dictionary: &str, profile: &str) -> (i32, String) {
    fs::write(dir.join("t.csv"), table).unwrap();
    fs::write(dir.join("d.toml"), dictionary).unwrap();
    let args = ["protect", "t.csv", "--profile", profile, "--dictionary", "d.toml", "--out", "r.csv", "--report", "r.json"];
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(dir).env("NO_COLOR", "1").env("TEGATA_LANG", "en").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!said.contains("panicked"), "{said}");
    (out.status.code().unwrap(), said)
}

const AGE: &str = "[columns.age]\nrole='quasi-identifier'\nkind='age'\n[columns.x]\nrole='sensitive'\n";

#[test]
fn empty_and_all_null_columns_one_row_and_no_rows() {
    let dir = fresh("empty");
    // A column without a value is one class and one value: missing.
    let empty = format!("age,x\n{}", "30,\n".repeat(20));
    let (exit, said) = protect(&dir, &empty, AGE, "ema-0070");
    assert_eq!(exit, 0, "{said}");
    let both = format!("age,x\n{}", ",\n".repeat(20));
    assert_eq!(protect(&dir, &both, AGE, "ema-0070").0, 0);
    // With two sensitive values demanded, missing alone is not enough; which clause and how far is said.
    let (exit, said) = protect(&dir, &empty, AGE, "eu-wp216-k11");
    assert_eq!(exit, 10, "{said}");
    assert!(said.contains("✗ useful") && said.contains("1 (1/10)"), "{said}");
    let (exit, said) = protect(&dir, "age,x\n30,a\n", AGE, "ema-0070");
    assert_eq!(exit, 10, "{said}");
    assert!(said.contains("0 of 1 records"), "{said}");
    let (exit, said) = protect(&dir, "age,x\n", AGE, "ema-0070");
    assert_eq!((exit, said.contains("pets/empty")), (2, true), "{said}");
    let (exit, said) = protect(&dir, "", AGE, "ema-0070");
    assert_eq!((exit, said.contains("dataplane/empty-file")), (2, true), "{said}");
}

#[test]
fn not_a_number_and_infinities_are_no_numbers() {
    let dir = fresh("nan");
    let rows: String = (0..60).map(|n| format!("{},{}\n", 20 + n % 3, ["1", "NaN", "inf", "-Infinity", "1e3"][n % 5])).collect();
    let (exit, said) = protect(&dir, &format!("age,x\n{rows}"), AGE, "ema-0070");
    assert_eq!(exit, 0, "{said}");
    // In the column that is binned they become missing, which is a class of its own, and too small here.
    let rows: String = (0..62).map(|n| format!("{},a\n", if n == 0 { "NaN".into() } else if n == 1 { "inf".into() } else { (20 + n % 3).to_string() })).collect();
    let (exit, said) = protect(&dir, &format!("age,x\n{rows}"), AGE, "ema-0070");
    assert!(exit == 0 && !fs::read_to_string(dir.join("r.csv")).unwrap().to_lowercase().contains("inf"), "{said}");
}

#[test]
fn dates_in_three_calendars_become_the_same_years() {
    let dir = fresh("days");
    let forms = ["1952-12-26", "昭和27年12月26日", "S27.12.26", "1952/12/26", "26.12.1952", "1952年12月26日"];
    let rows: String = (0..60).map(|n| format!("{},{}\n", forms[n % 6], ["a", "b"][n % 2])).collect();
    let dictionary = "[columns.born]\nrole='quasi-identifier'\nkind='birth-date'\nact={act='date',to='year'}\n[columns.x]\nrole='attribute'\n";
    let (exit, said) = protect(&dir, &format!("born,x\n{rows}"), dictionary, "ema-0070");
    assert_eq!(exit, 0, "{said}");
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    assert!(release.lines().skip(1).all(|l| l.starts_with("1952,")), "{release}");
    // A day that could be two days is not guessed: it becomes missing.
    let (_, said) = protect(&dir, &format!("born,x\n{}", "03/04/2020,a\n".repeat(20)), dictionary, "ema-0070");
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    assert!(release.lines().skip(1).all(|l| l == ",a"), "{release} {said}");
}

#[test]
fn a_threshold_that_cannot_be_met_says_which_clause_and_how_far() {
    let dir = fresh("threshold");
    let rows: String = (0..30).map(|n| format!("{},{}\n", n * 3, n % 4)).collect();
    let profile = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/eu-wp216-k11.toml")).unwrap();
    fs::write(dir.join("p.toml"), profile.replace("k = 11", "k = 1000")).unwrap();
    let (exit, said) = protect(&dir, &format!("age,x\n{rows}"), AGE, "p.toml");
    assert_eq!(exit, 10, "{said}");
    assert!(said.contains("✗ useful") && said.contains("1 (1/10)") && said.contains("0 of 30 records"), "{said}");
    assert!(!dir.join("r.csv").exists());
    let wrong = profile.replace("k = 11", "k = 0");
    fs::write(dir.join("p.toml"), wrong).unwrap();
    let (exit, said) = protect(&dir, &format!("age,x\n{rows}"), AGE, "p.toml");
    assert!(exit == 2 && said.contains("profile/impossible"), "{said}");
}

#[test]
fn mixed_encodings_name_the_byte() {
    let dir = fresh("encoding");
    fs::write(dir.join("d.toml"), AGE).unwrap();
    fs::write(dir.join("m.csv"), [&"age,x\n30,山田\n".as_bytes()[..], &[0x8e, 0x52, 0xff, 0xff, b'\n']].concat()).unwrap();
    let args = ["scan", "m.csv"];
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(&dir).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(2) && said.contains("dataplane/wrong-encoding"), "{said}");
}
