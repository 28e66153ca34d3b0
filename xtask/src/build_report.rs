//! What each crate of the cold build of the first README command costs.
//!
//! Cargo's own timing report is read: it writes a page, and the page holds the units as JSON.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Instant, SystemTime},
};

use serde_json::Value;

/// What one crate costs: its library, its build script and the running of that script together.
#[derive(Default)]
struct Cost {
    seconds: f64,
    units: usize,
    features: Vec<String>,
}

/// Builds the first README command cold, in a folder of its own that is removed afterwards, and lists what each crate cost, dearest first.
/// `--keep` leaves the folder, and with it the page that Cargo made; `--from PAGE` reads a page that is there and builds nothing.
pub fn run(root: &Path) -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(2).collect();
    if let Some(page) = args.iter().position(|a| a == "--from").and_then(|at| args.get(at + 1)) {
        return table(&fs::read_to_string(page).map_err(|e| format!("{page}: {e}"))?, None);
    }
    let target = root.join("target/build-report");
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    eprintln!("$ cargo build --timings --target-dir {}", target.display());
    let start = Instant::now();
    let status = Command::new("cargo").args(["build", "--timings", "--target-dir"]).arg(&target).current_dir(root).status().map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err("the build failed".into());
    }
    let wall = start.elapsed().as_secs();
    let page = newest_page(&target.join("cargo-timings"))?;
    let text = fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    table(&text, Some(wall))?;
    if args.iter().any(|a| a == "--keep") {
        println!("{}", page.display());
        return Ok(());
    }
    fs::remove_dir_all(&target).map_err(|e| format!("{}: {e}", target.display()))
}

fn newest_page(dir: &Path) -> Result<PathBuf, String> {
    let pages = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?.flatten().map(|e| e.path());
    let pages = pages.filter(|p| p.extension().is_some_and(|e| e == "html"));
    let written = |p: &PathBuf| fs::metadata(p).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    pages.max_by_key(written).ok_or_else(|| format!("cargo left no timing report in {}", dir.display()))
}

/// Prints a line a crate from the text of Cargo's timing page.
fn table(html: &str, wall: Option<u64>) -> Result<(), String> {
    let start = html.split_once("const UNIT_DATA = ").map(|(_, rest)| rest).ok_or("the timing report has no UNIT_DATA; did cargo change its form?")?;
    // The list ends where its own brackets do; a reader of one value stops there.
    let units = serde_json::Deserializer::from_str(start).into_iter::<Value>().next().ok_or("UNIT_DATA is empty")?.map_err(|e| format!("UNIT_DATA: {e}"))?;
    let costs = by_crate(&units);
    let total: f64 = costs.values().map(|c| c.seconds).sum();
    let mut rows: Vec<(&String, &Cost)> = costs.iter().collect();
    rows.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    println!("{:>8}  {:>6}  {:>5}  {:<32}  features", "seconds", "share", "units", "crate");
    for (name, cost) in rows {
        let share = if total > 0.0 { 100.0 * cost.seconds / total } else { 0.0 };
        println!("{:>8.1}  {share:>5.1}%  {:>5}  {name:<32}  {}", cost.seconds, cost.units, cost.features.join(" "));
    }
    let took = wall.map(|s| format!(", {} min {:02} s on the clock", s / 60, s % 60)).unwrap_or_default();
    println!("{} crates, {} units, {total:.0} s of compiling{took}", costs.len(), units.as_array().map_or(0, Vec::len));
    Ok(())
}

fn by_crate(units: &Value) -> BTreeMap<String, Cost> {
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    for unit in units.as_array().map(Vec::as_slice).unwrap_or_default() {
        let text = |key: &str| unit.get(key).and_then(Value::as_str).unwrap_or_default();
        let cost = costs.entry(format!("{} {}", text("name"), text("version"))).or_default();
        cost.seconds += unit.get("duration").and_then(Value::as_f64).unwrap_or(0.0);
        cost.units += 1;
        for feature in unit.get("features").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !cost.features.iter().any(|f| f == feature) {
                cost.features.push(feature.to_string());
            }
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_costs_what_its_units_cost_together() {
        let page = r#"<script>const UNIT_DATA = [{"name":"zstd","version":"1.0.0","duration":2.5,"features":["a"]},
            {"name":"zstd","version":"1.0.0","target":" build script","duration":0.5,"features":["a","b"]}];
            const CONCURRENCY_DATA = [];</script>"#;
        assert!(table(page, None).is_ok());
        let units = serde_json::json!([{"name": "z", "version": "1", "duration": 2.5, "features": ["a"]}, {"name": "z", "version": "1", "duration": 0.5, "features": ["a", "b"]}]);
        let costs = by_crate(&units);
        let z = &costs["z 1"];
        assert_eq!((z.seconds, z.units, z.features.join(" ").as_str()), (3.0, 2, "a b"));
        assert!(table("<p>no units</p>", None).is_err());
    }
}
