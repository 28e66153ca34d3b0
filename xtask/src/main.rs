//! `cargo xtask`: the house's own commands.
//!
//! `ci` runs what continuous integration runs; `build-report` shows what each crate of a cold build costs; `kills` is the
//! long run of sudden deaths; `oracle` asks python-stdnum about a hundred thousand numbers a scheme; `fuzz` throws broken input at every reader for a minute.

mod build_report;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let verb = env::args().nth(1).unwrap_or_default();
    let done = match verb.as_str() {
        "ci" => ci(),
        "agree" => agree(),
        "build-report" => build_report::run(&root()),
        "kills" => kills(),
        "oracle" => oracle(),
        "fuzz" => run("cargo", &["run", "--manifest-path", "fuzz/Cargo.toml"]),
        _ => Err("usage: cargo xtask ci | agree | build-report | kills | oracle | fuzz".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    eprintln!("$ {program} {}", args.join(" "));
    let status = Command::new(program).args(args).current_dir(root()).status().map_err(|e| format!("{program}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{program} {}` failed", args.join(" "))) }
}

/// The reference evaluator against the compiled law: `cargo xtask agree --cases 10000000`.
fn agree() -> Result<(), String> {
    let more: Vec<String> = env::args().skip(2).collect();
    let mut args = vec!["run", "--release", "--manifest-path", "bench/law/Cargo.toml", "--bin", "agree", "--"];
    args.extend(more.iter().map(String::as_str));
    run("cargo", &args)
}

/// OpenDP's maps again, and a hundred thousand numbers a scheme, judged by python-stdnum and by the catalogue: `cargo xtask
/// oracle [PYTHON [DATA]]`, where PYTHON is an interpreter that has python-stdnum 2.2, and OpenDP 0.16.0 if its maps are asked, DATA `data/` of a checkout of ARX. What came out is recorded in `crates/pets/tests/oracle/README.md`.
fn oracle() -> Result<(), String> {
    let python = env::args().nth(2).unwrap_or_else(|| "python3".into());
    maps(&python)?;
    if let Some(data) = env::args().nth(3) {
        run("cargo", &["run", "-p", "pets", "--example", "arx", "--", &data])?;
    }
    let kept = root().join("target/oracle.tsv");
    fs::create_dir_all(root().join("target")).map_err(|e| e.to_string())?;
    let file = fs::File::create(&kept).map_err(|e| format!("{}: {e}", kept.display()))?;
    let recorded = Command::new(&python)
        .args(["identifiers.py", "--many", "100000"])
        .current_dir(root().join("crates/pets/tests/oracle"))
        .stdout(file)
        .status()
        .map_err(|e| format!("{python}: {e}"))?;
    if !recorded.success() {
        return Err("python-stdnum was not asked".into());
    }
    let status = Command::new("cargo")
        .args(["test", "-p", "pets", "--test", "oracle", "of_many_numbers", "--", "--nocapture"])
        .env("TEGATA_ORACLE", &kept)
        .current_dir(root())
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if status.success() { Ok(()) } else { Err("a disagreement has no reason".into()) }
}

/// OpenDP's privacy maps asked again: they must be those of the record. Its draws are random and stay as they were recorded.
fn maps(python: &str) -> Result<(), String> {
    let folder = root().join("crates/pets/tests/oracle");
    let asked = Command::new(python).arg("privacy.py").current_dir(&folder).output().map_err(|e| format!("{python}: {e}"))?;
    if !asked.status.success() {
        println!("OpenDP was not asked (pip install opendp==0.16.0); its record stands");
        return Ok(());
    }
    let maps = |text: &str| text.lines().filter(|l| !l.starts_with("draws")).map(str::to_string).collect::<Vec<_>>();
    let record = fs::read_to_string(folder.join("privacy.tsv")).map_err(|e| e.to_string())?;
    let now = maps(&String::from_utf8_lossy(&asked.stdout));
    match now == maps(&record) {
        true => println!("OpenDP: {} maps as recorded", now.len()),
        false => return Err("OpenDP says otherwise than its record".into()),
    }
    Ok(())
}

fn ci() -> Result<(), String> {
    run("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    run("cargo", &["test", "--workspace"])?;
    run("bash", &[".ci/run"])
}

/// Kills sender and receiver at a hundred random moments on each of two disks, and keeps where the moments fell.
fn kills() -> Result<(), String> {
    let kept = root().join("bench/KILLS.txt");
    let status = Command::new("cargo")
        .args(["test", "-p", "server", "--test", "kill", "kill_at_random", "--", "--nocapture"])
        .env("TEGATA_KILLS", "100")
        .env("TEGATA_KILLS_TO", &kept)
        .current_dir(root())
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err("a transfer was not what it must be after a death".into());
    }
    println!("the histogram is in {}, what fell within the protocol beside it", kept.display());
    Ok(())
}
