//! `cargo xtask`: the house's own commands.
//!
//! `ci` runs what continuous integration runs; `build-report` shows what each crate of a cold build costs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let verb = env::args().nth(1).unwrap_or_default();
    let done = match verb.as_str() {
        "ci" => ci(),
        "build-report" => build_report(),
        _ => Err("usage: cargo xtask ci | build-report".into()),
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

fn ci() -> Result<(), String> {
    run("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    run("cargo", &["test", "--workspace"])?;
    run("bash", &[".ci/run"])
}

/// Builds the first README command cold in a folder of its own and lists what each crate cost, dearest first.
fn build_report() -> Result<(), String> {
    let target = root().join("target/build-report");
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| e.to_string())?;
    }
    let target_text = target.display().to_string();
    let start = std::time::Instant::now();
    run("cargo", &["build", "--timings", "--target-dir", &target_text])?;
    let wall = start.elapsed().as_secs();
    let html = fs::read_to_string(target.join("cargo-timings/cargo-timing.html")).map_err(|e| e.to_string())?;
    let units = html.split("const UNIT_DATA = ").nth(1).and_then(|t| t.split(";\n").next()).ok_or("the timing report has no UNIT_DATA")?;
    let units: serde_json::Value = serde_json::from_str(units).map_err(|e| e.to_string())?;
    let mut rows: Vec<(f64, String)> = units
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|u| {
            let text = |key: &str| u.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_string();
            let seconds = u.get("duration").and_then(|v| v.as_f64()).unwrap_or(0.0);
            (seconds, format!("{} {}{}", text("name"), text("version"), text("target")))
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{} units, {wall} s wall, {:.0} s of compiler time", rows.len(), rows.iter().map(|r| r.0).sum::<f64>());
    for (seconds, name) in rows.iter().take(60) {
        println!("{seconds:>7.1} s  {name}");
    }
    Ok(())
}
