//! A table that is read again for each pass gives the bytes that the table in memory gives.

use node::protect::{Outsize, knowledge, profile, protect, protect_outsize};
use pets::dictionary::Dictionary;
use std::fs;
use std::path::Path;

const STUDY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/health.csv");
const DICTIONARY: &str = include_str!("../../../examples/data/health.dictionary.toml");

#[test]
fn the_release_and_the_report_are_the_same_bytes() {
    let (folder, knowledge) = (tempfile::tempdir().unwrap(), knowledge().unwrap());
    let person = Dictionary::parse(DICTIONARY).unwrap();
    // Four times the study: more digests of rows than the least limit holds.
    let text = fs::read_to_string(STUDY).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let table = folder.path().join("study.csv");
    fs::write(&table, format!("{head}\n{rows}{rows}{rows}{rows}")).unwrap();
    for (id, name) in [("jp-anonymised", "release.csv"), ("eu-wp216-k11", "release.parquet"), ("ema-0070", "release.jsonl")] {
        let profile = profile(id).unwrap();
        let held = protect(&table, &profile, Some(&person), None, &knowledge).unwrap();
        let out = folder.path().join(name);
        let of = Outsize {
            table: &table,
            profile: &profile,
            corrections: Some(&person),
            key: None,
            knowledge: &knowledge,
            memory: 4 << 20,
            spill: folder.path(),
            out: &out,
        };
        let written = protect_outsize(&of).unwrap();
        assert!(!out.exists(), "nothing has its name before the report is known");
        assert_eq!(written.released.report.digest().unwrap(), held.report, "{id}");
        assert!(written.released.spilled > 100_000, "{id}: {}", written.released.spilled);
        assert!(written.released.report.is_met(), "{id}");
        let digest = written.digest;
        written.keep(&out).unwrap();
        let bytes = fs::read(&out).unwrap();
        assert_eq!(model::Digest::of(&bytes), digest);
        assert!(bytes == held.bytes_for(&out).unwrap().unwrap(), "{id}: the same bytes");
    }
    let left = |end: &str| fs::read_dir(folder.path()).unwrap().filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().contains(end)).count();
    assert_eq!((left(".part"), left("spill")), (0, 0), "nothing is left behind");
}

#[test]
fn what_cannot_be_done_leaves_nothing_behind() {
    let (folder, knowledge) = (tempfile::tempdir().unwrap(), knowledge().unwrap());
    let profile = profile("eu-wp216-k11").unwrap();
    let refused = |out: &str, memory: usize| {
        let out = folder.path().join(out);
        let of = Outsize {
            table: Path::new(STUDY),
            profile: &profile,
            corrections: None,
            key: None,
            knowledge: &knowledge,
            memory,
            spill: folder.path(),
            out: &out,
        };
        protect_outsize(&of).unwrap_err().to_string()
    };
    assert!(refused("release.csv", 1000).contains("pets/too-many-classes"));
    assert!(refused("release.xlsx", 64 << 20).contains("release.xlsx"));
    assert!(refused("no/such/folder/release.csv", 64 << 20).contains("cannot write"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
