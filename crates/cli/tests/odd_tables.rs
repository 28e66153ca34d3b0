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
    assert!(said.contains("0 of 1 records") && said.contains("risk asks for at least 11 records that look alike"), "{said}");
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
fn dates_in_four_calendars_become_the_same_years() {
    let dir = fresh("days");
    let forms = ["1952-12-26", "昭和27年12月26日", "S27.12.26", "1952/12/26", "26.12.1952", "1952年12月26日", "民國41年12月26日", "26/12/2495"];
    let rows: String = (0..64).map(|n| format!("{},{}\n", forms[n % 8], ["a", "b"][n / 8 % 2])).collect();
    let dictionary = "[columns.born]\nrole='quasi-identifier'\nkind='birth-date'\nact={act='date',to='year'}\n[columns.x]\nrole='attribute'\n";
    let (exit, said) = protect(&dir, &format!("born,x\n{rows}"), dictionary, "ema-0070");
    assert_eq!(exit, 0, "{said}");
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    assert!(release.lines().skip(1).all(|l| l.starts_with("1952,")), "{release}");
    // A day that could be two days is not guessed: it becomes missing.
    let (_, said) = protect(&dir, &format!("born,x\n{}", "03/04/2020,a\n".repeat(20)), dictionary, "ema-0070");
    let release = fs::read_to_string(dir.join("r.csv")).unwrap();
    assert!(release.lines().skip(1).all(|l| l == ",a"), "{release} {said}");
    assert!(said.contains("! born: 20 of 20 values could not be read"), "{said}");
    let report = fs::read_to_string(dir.join("r.json")).unwrap();
    assert!(report.contains(r#""unread":{"of":20,"values":20}"#), "{report}");
    // One in a hundred and twenty is said, and not warned of.
    let rows: String = (0..120).map(|n| if n == 7 { "03/04/1952,a\n" } else { "1952-12-26,a\n" }).collect();
    let (_, said) = protect(&dir, &format!("born,x\n{rows}"), dictionary, "ema-0070");
    assert!(said.contains("\nborn: 1 of 120 values could not be read"), "{said}");
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
fn a_first_row_that_is_data_is_refused_and_years_and_codes_are_names() {
    let dir = fresh("header");
    let scan = |header: &str| {
        fs::write(dir.join("t.csv"), format!("{header}\n1,2,3\n4,5,6\n")).unwrap();
        tegata(&dir, &["scan", "t.csv"])
    };
    assert_eq!(scan("2019,V1234,c1000").0, 0);
    for header in ["a,b,090-1234-5678", "a,b,48211", "a,b,x@firma.ee", "P004821337,b,c", "P12345,b,c", "c10000,b,c"] {
        let (exit, said) = scan(header);
        let value = header.split(',').max_by_key(|cell| cell.len()).unwrap();
        assert!(exit == 2 && said.contains("TGT-N005") && !said.contains(value), "{header}: {said}");
    }
}

#[test]
fn mixed_encodings_name_the_byte() {
    let dir = fresh("encoding");
    fs::write(dir.join("d.toml"), AGE).unwrap();
    fs::write(dir.join("m.csv"), [&"age,x\n30,山田\n".as_bytes()[..], &[0x8e, 0x52, 0xff, 0xff, b'\n']].concat()).unwrap();
    // Two files put together, which the one encoding reads wrongly and does not refuse.
    let sjis = [0x8d, 0xb2, 0x93, 0xa1];
    fs::write(dir.join("two.csv"), ["age,x\n30,山田\n31,".as_bytes(), &sjis, b"\n"].concat()).unwrap();
    let (exit, said) = tegata(&dir, &["scan", "two.csv"]);
    assert!(exit == 2 && said.contains("dataplane/wrong-encoding") && said.contains("byte 6"), "{said}");
    fs::write(dir.join("one.csv"), [b"age,x\n30,", &sjis[..], b"\n"].concat()).unwrap();
    assert_eq!(tegata(&dir, &["scan", "one.csv"]).0, 0);
    let args = ["scan", "m.csv"];
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(&dir).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(2) && said.contains("dataplane/wrong-encoding"), "{said}");
}

/// Runs a verb in a folder; gives exit code and all that was said.
fn tegata(dir: &Path, args: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(dir).env("NO_COLOR", "1").env("TEGATA_LANG", "en").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!said.contains("panicked"), "{said}");
    (out.status.code().unwrap(), said)
}

#[test]
fn a_table_of_as_many_classes_as_records_is_counted_beside_memory() {
    let dir = fresh("wide");
    let rows: String = (0..60_000).map(|n| format!("{n},{}\n", n % 2)).collect();
    fs::write(dir.join("t.csv"), format!("id,x\n{rows}")).unwrap();
    let (exit, said) = tegata(&dir, &["protect", "measure", "t.csv", "--quasi", "id", "--sensitive", "x", "--memory", "1", "--spill", "."]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("60000 records in 60000 classes") && said.contains("60000 alone") && said.contains("lay in"), "{said}");
    // Nothing is left of the parts.
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    let (exit, said) = tegata(&dir, &["protect", "measure", "t.csv", "--quasi", "x", "--at-least", "30001"]);
    assert!(exit == 10 && said.contains("the smallest of 30000"), "{said}");
    let (exit, said) = tegata(&dir, &["protect", "measure", "t.csv", "--quasi", "nobody"]);
    assert!(exit == 2 && said.contains("nobody"), "{said}");
}

#[test]
fn steps_that_cannot_be_done_and_forms_that_cannot_hold_the_table() {
    let dir = fresh("steps");
    let rows: String = (0..40).map(|n| format!("{},{}\n", 20 + n % 2, ["山田", "花子", "😀"][n % 3])).collect();
    fs::write(dir.join("t.csv"), format!("age,x\n{rows}")).unwrap();
    fs::write(dir.join("d.toml"), "[columns.age]\nrole='quasi-identifier'\nkind='age'\n[columns.x]\nrole='attribute'\n").unwrap();
    let protect = |out: &str, more: &[&str]| {
        let mut args = vec!["protect", "t.csv", "--profile", "ema-0070", "--dictionary", "d.toml", "--report", "r.json", "--out", out];
        args.extend(more);
        tegata(&dir, &args)
    };
    let (exit, said) = protect("r.sjis.csv", &[]);
    assert!(exit == 2 && said.contains("Shift_JIS") && !said.contains('😀') && !dir.join("r.sjis.csv").exists(), "{said}");
    let (exit, said) = protect("r.xlsx", &["--by", "mondrian"]);
    assert!(exit == 0, "{said}");
    assert_eq!(tegata(&dir, &["scan", "r.xlsx"]).0, 0);
    for (step, code) in [
        ("[[step]]\ndo='noise'\ncolumn='nobody'\nmost=1\nstep=1", "pets/missing-column"),
        ("[[step]]\ndo='sample'\nkeep='2'", "pets/senseless-step"),
        ("[[step]]\ndo='blur'", "pets/not-steps"),
    ] {
        fs::write(dir.join("s.toml"), step).unwrap();
        let (exit, said) = protect("r.csv", &["--before", "s.toml"]);
        assert!(exit == 2 && said.contains(code) && !dir.join("r.csv").exists(), "{said}");
    }
    fs::write(dir.join("s.toml"), "[[step]]\ndo='noise'\ncolumn='age'\nmost=1\nstep=1").unwrap();
    let (exit, said) = protect("r.csv", &["--before", "s.toml"]);
    assert!(exit == 0 || exit == 10, "{said}");
}
