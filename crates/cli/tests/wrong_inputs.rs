//! Bad input gets one clear line with a stable code, the documented exit code, and nothing half-written.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn tegata(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).env("NO_COLOR", "1").output().unwrap()
}

fn fresh(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("tegata-wrong-{}-{name}", std::process::id()));
    let _gone = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Runs, and checks exit code, the code on the error's first line, and that no panic speaks.
fn refuses(args: &[&str], exit: i32, code: &str) -> String {
    let out = tegata(args);
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(exit), "{args:?}: {err}");
    assert!(err.contains(code), "{args:?} should say {code}: {err}");
    assert!(!err.contains("panicked") && !err.contains("RUST_BACKTRACE"), "{err}");
    err
}

fn rules(dir: &Path, file: &str, edit: impl Fn(&str) -> String) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    copy(&root, dir);
    let path = dir.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let edited = edit(&text);
    assert_ne!(text, edited, "the edit of {file} does nothing");
    fs::write(path, edited).unwrap();
    dir.to_path_buf()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn transfers() {
    refuses(&["check", "--from", "XX", "--to", "JP"], 2, "TGT-T006");
    let err = refuses(&["check", "--from", "DE", "--to", "JP", "--fact", "hop.moode=send_copy"], 2, "TGT-T001");
    assert!(err.contains("did you mean `hop.mode`"), "{err}");
    refuses(&["check", "--from", "DE", "--to", "JP", "--as-of", "2021-02-30"], 2, "TGT-C003");
    let err = refuses(&["check", "--from", "DE", "--to", "JP", "--data", "contact", "--fact", "data.about_people=no"], 2, "TGT-T005");
    assert!(err.contains("`data.categories`") && err.contains("`data.about_people`"), "{err}");
    refuses(&["check", "no-such-file.toml"], 2, "TGT-C002");
    refuses(&["check", "--from", "DE", "--to", "US", "--measure", "eu.sign_sccs"], 2, "TGT-C002");
    refuses(&["check"], 2, "TGT-C002");
    let err = refuses(&["check", "--from", "DE", "--to", "US", "--data", "location"], 2, "TGT-T001");
    assert!(err.contains("did you mean `precise_location`?"), "{err}");
    let err = refuses(&["check", "--from", "DE", "--to", "US", "--fact", "hop.mode=courier"], 2, "TGT-T001");
    assert!(err.contains("its values are") || err.contains("`tegata words hop.mode` lists its values"), "{err}");
    refuses(&["words", "no-such-word"], 2, "TGT-C002");
}

#[test]
fn words_are_found_in_both_languages() {
    let of = |words: &[&str]| String::from_utf8(tegata(&[&["words"], words].concat()).stdout).unwrap();
    assert!(of(&["data.categories"]).contains("precise_location"));
    assert!(of(&["マイナンバー"]).contains("data.categories=my_number"));
    assert!(of(&["clauses"]).contains("--measure "));
}

#[test]
fn rules_are_underlined_in_the_file() {
    let dir = fresh("rules");
    let file = "eu/gdpr-chapter-v.md";
    let word = rules(&dir.join("word"), file, |t| t.replacen("recipient.place on eu.adequacy", "recipient.plaice on eu.adequacy", 1));
    let err = refuses(&["rules", "lint", word.to_str().unwrap()], 1, "TGT-R014");
    assert!(err.contains("recipient.plaice on eu.adequacy") && err.contains("^^^"), "{err}");
    let article = rules(&dir.join("article"), file, |t| t.replacen("cites: GDPR Art. 45(1), (3) and (9)\n", "", 1));
    refuses(&["rules", "lint", article.to_str().unwrap()], 1, "TGT-R003");
    let date = rules(&dir.join("date"), file, |t| t.replacen("2018-05-25", "2018-05-32", 1));
    refuses(&["rules", "lint", date.to_str().unwrap()], 1, "TGT-R009");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn tables_and_registers() {
    let dir = fresh("tables");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_string();
    fs::write(dir.join("ragged.csv"), "a,b\n1,2\n1,2,3\n").unwrap();
    let err = refuses(&["check", "--register", &path("ragged.csv")], 2, "dataplane/ragged-row");
    assert!(err.contains("line 3"), "{err}");
    // Cut within a quote: one line with the place, whatever reads it, and nothing is half-written.
    fs::write(dir.join("cut.csv"), "name,city\nAnn Day,Oslo\n\"Lisa Lee\",\"Tok").unwrap();
    for verb in [vec!["check", "--register", &path("cut.csv")], vec!["scan", &path("cut.csv")]] {
        let err = refuses(&verb, 2, "dataplane/open-quote");
        assert!(err.contains("line 3") && !err.contains("Lisa"), "{err}");
    }
    refuses(&["protect", &path("cut.csv"), "--profile", "jp-pseudonymised", "--out", &path("out.csv"), "--report", &path("report.json")], 2, "dataplane/open-quote");
    assert!(!dir.join("out.csv").exists() && !dir.join("report.json").exists());
    fs::write(dir.join("wrong.csv"), b"name,b\n\xff\xfe\xfd,1\n").unwrap();
    refuses(&["scan", &path("wrong.csv")], 2, "dataplane/wrong-encoding");
    fs::write(dir.join("short.parquet"), b"PAR1\x00\x01").unwrap();
    refuses(&["scan", &path("short.parquet")], 2, "dataplane/damaged-file");
    refuses(&["scan", &path("missing.csv")], 2, "dataplane/missing-file");
    fs::write(dir.join("empty.csv"), "").unwrap();
    refuses(&["scan", &path("empty.csv")], 2, "dataplane/empty-file");
    fs::write(dir.join("columns.csv"), "x,y\n1,2\n").unwrap();
    refuses(&["check", "--register", &path("columns.csv")], 2, "TGT-C007");
    // A profile that cannot be met writes nothing.
    fs::write(dir.join("few.csv"), "name,age,disease\nLisa Lee,66,flu\nKen Sato,12,cold\n").unwrap();
    let out = tegata(&["protect", &path("few.csv"), "--profile", "jp-anonymised", "--out", &path("out.csv"), "--report", &path("report.json")]);
    assert_eq!(out.status.code(), Some(10), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!dir.join("out.csv").exists() && !dir.join("report.json").exists());
    assert!(!String::from_utf8_lossy(&out.stdout).contains("Lisa"), "no value of the data is printed");
    refuses(&["protect", &path("few.csv"), "--profile", "no-such", "--out", &path("o"), "--report", &path("r")], 2, "TGT-N002");
    // Thresholds that cannot be met name their clause; one that is no number names its file and line.
    let out = tegata(&["protect", &path("few.csv"), "--profile", "eu-wp216-k11", "--out", &path("o"), "--report", &path("r"), "--lang", "en"]);
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(told.contains("singling-out asks for at least 11 records") && told.contains("among 2"), "{told}");
    fs::write(dir.join("below.toml"), include_str!("../../../profiles/eu-wp216-k11.toml").replace("k = 11", "k = -3")).unwrap();
    let err = refuses(&["protect", &path("few.csv"), "--profile", &path("below.toml"), "--out", &path("o"), "--report", &path("r")], 2, "profile/syntax");
    let line = include_str!("../../../profiles/eu-wp216-k11.toml").lines().position(|l| l.starts_with("need") && l.contains("k = 11")).unwrap() + 1;
    assert!(err.contains("below.toml") && err.contains(&format!("line {line}")), "{err}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn evidence() {
    let dir = fresh("evidence");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/evidence");
    let given = |name: &str| example.join(name).to_str().unwrap().to_string();
    let data = example.join("../data/health.csv");
    let (anchors, policy) = (given("anchors.pem"), given("log.policy"));
    let outside = ["--anchors", anchors.as_str(), "--policy", policy.as_str(), "--data", data.to_str().unwrap()];
    let run = |container: &str, more: &[&str]| tegata(&[&["verify", container], more].concat());
    let script = fs::read_to_string(given("verify.sh")).unwrap();
    assert_eq!(script, trust::script::VERIFY_SH, "the script to try is the one that every container has");
    assert_eq!(run(&given("evidence.asice"), &outside).status.code(), Some(0));
    assert_eq!(run(&given("evidence.asice"), &[]).status.code(), Some(12), "without anchors: indeterminate, not green");
    let mut bytes = fs::read(given("evidence.asice")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let tampered = dir.join("tampered.asice");
    fs::write(&tampered, &bytes).unwrap();
    let out = run(tampered.to_str().unwrap(), &outside);
    assert_eq!(out.status.code(), Some(20));
    assert!(String::from_utf8_lossy(&out.stdout).contains("container  FAILED"), "{}", String::from_utf8_lossy(&out.stdout));
    bytes[middle] ^= 1;
    bytes.push(0);
    fs::write(&tampered, &bytes).unwrap();
    assert_eq!(run(tampered.to_str().unwrap(), &outside).status.code(), Some(20), "no byte may follow");
    assert_eq!(tegata(&["verify", "no-such.asice"]).status.code(), Some(2));
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_directory_has_one_holder() {
    let dir = fresh("holder");
    let data = dir.join("data").to_str().unwrap().to_string();
    let mut first = Command::new(env!("CARGO_BIN_EXE_tegata"))
        .args(["serve", "--listen", "127.0.0.1:0", "--dir", &data])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // Kept open: who stops reading must not end the program that is tested.
    let mut said = std::io::BufReader::new(first.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    let err = refuses(&["serve", "--listen", "127.0.0.1:0", "--dir", &data], 2, "held");
    assert_eq!(err.lines().count(), 1, "{err}");
    first.kill().unwrap();
    first.wait().unwrap();
    fs::remove_dir_all(dir).unwrap();
}

/// Gives the bytes with every occurrence of one name replaced by another of the same length.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = out[at..].windows(from.len()).position(|w| w == from.as_bytes()) {
        at += found;
        out[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    out
}

#[test]
fn containers_with_a_doubled_or_an_escaping_name() {
    let dir = fresh("containers");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/evidence");
    let bytes = fs::read(example.join("evidence.asice")).unwrap();
    let anchors = example.join("anchors.pem");
    for (name, changed) in [
        ("doubled", renamed(&bytes, "event.json", "event.salt")),
        ("escaping", renamed(&bytes, "event.json", "../nt.json")),
        ("extra", renamed(&bytes, "event.json", "extra.json")),
        ("short", bytes[..bytes.len() - 100].to_vec()),
        ("nothing", Vec::new()),
    ] {
        let file = dir.join(name);
        fs::write(&file, changed).unwrap();
        let out = tegata(&["verify", file.to_str().unwrap(), "--anchors", anchors.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(20), "{name}: {text}");
        assert!(text.contains("FAILED"), "{name}: {text}");
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 5, "nothing is unpacked");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn many_at_once() {
    let lines = |text: &str| {
        use std::io::Write;
        let mut child = Command::new(env!("CARGO_BIN_EXE_tegata"))
            .args(["check", "--jsonl"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let good = r#"{"exporter.place":"TH","recipient.place":"JP"}"#;
    assert_eq!(lines(&format!("{good}\n")).status.code(), Some(12));
    let out = lines(&format!("{good}\nnonsense\n{good}\n"));
    assert_eq!(out.status.code(), Some(2), "a line that is not understood is no answer");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(text.lines().count(), 3, "the others are answered: {text}");
    assert!(text.lines().nth(1).unwrap().contains("tegata.problem.1"), "{text}");
    assert_eq!(lines("").status.code(), Some(2), "nothing asked is nothing answered");
}

#[test]
fn registers_with_covers_doubles_and_nothing() {
    let dir = fresh("registers");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_string();
    fs::write(dir.join("header.csv"), "from,to,data\n").unwrap();
    let err = refuses(&["check", "--register", &path("header.csv")], 2, "TGT-C007");
    assert!(err.contains("no rows"), "{err}");
    fs::write(dir.join("cover.csv"), "List of transfers,,\nkept by,Demo,\nfrom,to,data\nDE,JP,contact\n").unwrap();
    let out = tegata(&["check", "--register", &path("cover.csv")]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 row"), "{}", String::from_utf8_lossy(&out.stdout));
    fs::write(dir.join("doubled.csv"), "id,from,to\nT-1,DE,JP\nT-1,DE,US\n").unwrap();
    refuses(&["watch", &path("doubled.csv")], 2, "TGT-C007");
    fs::write(dir.join("good.csv"), "id,from,to\nT-1,DE,JP\n").unwrap();
    refuses(&["watch", &path("good.csv"), "--as-of", "2024-01-02", "--until", "2024-01-01"], 2, "TGT-C003");
    refuses(&["check", &path("good.csv")], 2, "TGT-C002");
    // What turned because the row was edited is told apart from what the law turned.
    let look = |on: &str| String::from_utf8_lossy(&tegata(&["watch", &path("good.csv"), "--as-of", on]).stdout).into_owned();
    look("2024-01-01");
    fs::write(dir.join("good.csv"), "id,from,to,targets,people located in,data,exporter.person\nT-1,SE,FR,SE,SE,contact,company\n").unwrap();
    let told = look("2024-01-02");
    assert!(told.contains("the row was edited"), "{told}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_report_counts_for_its_own_release_alone() {
    let dir = fresh("report");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_string();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    let (table, words) = (examples.join("health.csv"), examples.join("health.dictionary.toml"));
    let out = tegata(&["protect", table.to_str().unwrap(), "--profile", "jp-anonymised", "--dictionary", words.to_str().unwrap(), "--out", &path("release.csv"), "--report", &path("report.json")]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::write(dir.join("asked.json"), r#"{"exporter.place":"JP","exporter.person":"company","exporter.capacity":["controller"],"exporter.sector":["retail"],"exporter.targets":["JP"],
        "recipient.place":"US","recipient.person":"company","recipient.capacity":["controller"],"recipient.listed":[],"recipient.excluded_from_content":false,"recipient.subject_to":[],"recipient.database_business_in":["US"],
        "hop.separate_person":true,"hop.mode":["send_copy"],"hop.regularity":"once","hop.need":["none"],"hop.processor_of_exporter":false,"hop.foreign_authority_asks":false,"hop.first_on":"2024-04-01","hop.within_original_purpose":true,"hop.purpose":["research"],
        "data.about_people":true,"data.identifiable_for_exporter":"identifiable","data.identifiable_for_recipient":"not_reasonably","data.categories":["health"],"data.structured":true,"data.public":false,"data.received_from":["own"],"data.collected_in":["JP"],"data.official_class":[],
        "subjects.located_in":["JP"],"subjects.employees":false}"#).unwrap();
    let ask = |more: &[&str]| tegata(&[&["check", &path("asked.json")], more].concat()).status.code();
    let with = [String::from("--report"), path("report.json"), String::from("--release"), path("release.csv")];
    let with: Vec<&str> = with.iter().map(String::as_str).collect();
    let duties = ["--fact", "data.jp_anonymous_duties={method_secured,items_published,provision_published,marked}"];
    assert_eq!(ask(&[]), Some(10));
    assert_eq!(ask(&with), Some(10), "a report fulfills no duty");
    assert_eq!(ask(&duties), Some(10), "duties make no numbers");
    assert_eq!(ask(&[&with[..], &duties].concat()), Some(13), "both, and it is anonymously processed information");
    let text = fs::read_to_string(dir.join("release.csv")).unwrap();
    fs::write(dir.join("release.csv"), text.replacen("\n", "\nx", 1)).unwrap();
    let err = refuses(&[&["check", &path("asked.json")], &with[..]].concat(), 2, "TGT-N002");
    assert!(err.contains("another table"), "{err}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn whoever_stops_reading_ends_no_program_with_a_panic() {
    for args in ["rules ls", "schema transfer", "check --from DE --to US --explain", "--help"] {
        let line = format!("{} {args} 2>&1 >&- | head -c 1 >/dev/null; {0} {args} 2>err.$$ | head -n 1 >/dev/null; cat err.$$; rm -f err.$$", env!("CARGO_BIN_EXE_tegata"));
        let out = Command::new("sh").args(["-c", &line]).current_dir(std::env::temp_dir()).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(!text.contains("panicked"), "{args}: {text}");
    }
}

#[test]
fn faults_and_help_in_japanese() {
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(["check", "--from", "XX", "--to", "JP", "--lang", "ja"]).output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(err.contains("TGT-T006") && err.contains("国名"), "{err}");
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).arg("--help").env("TEGATA_LANG", "ja").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("移転してよいか") && text.contains("証跡"), "{text}");
    // Names of places are understood in both languages.
    let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(["check", "--from", "日本", "--to", "アメリカ", "--data", "contact", "--lang", "ja"]).output().unwrap();
    assert_eq!(out.status.code(), Some(12), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success_and_what_a_person_wrote_stays() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [&["words", "consent"][..], &["rules", "watchlist", "tr."], &["verify", "--help"]] {
        let out = Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).env("TEGATA_LANG", "en").stdout(full()).stderr(std::process::Stdio::piped()).output().unwrap();
        let help = args.contains(&"--help");
        assert!(help || out.status.code() == Some(1) && String::from_utf8_lossy(&out.stderr).contains("TGT-C001"), "{args:?}: {out:?}");
    }
    let dir = fresh("stays");
    let (table, dictionary) = (dir.join("t.csv"), dir.join("d.toml"));
    fs::write(&table, "\u{1b}]0;title\u{7}name,b\nx,1\n").unwrap();
    fs::write(&dictionary, "# corrected by hand").unwrap();
    let (table, written) = (table.to_string_lossy(), dictionary.to_string_lossy());
    let out = tegata(&["scan", &table, "--dictionary", &written]);
    assert!(out.status.code() == Some(2) && fs::read_to_string(&dictionary).unwrap() == "# corrected by hand", "{out:?}");
    let out = tegata(&["scan", &table, "--dictionary", &written, "--force"]);
    assert!(out.status.success() && fs::read_to_string(&dictionary).unwrap() != "# corrected by hand");
    assert!(!out.stdout.contains(&0x1b) && !out.stdout.contains(&7), "what would rename the window of a terminal is not printed");
}
