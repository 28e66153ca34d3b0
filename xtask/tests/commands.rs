//! The two commands of the README build one set: what the first compiled, the second does not compile again.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// What Cargo would compile, with how: package, target, side (host or target) and mode, to the profile and the features.
/// Cargo shows its plan to nightly alone; the variable asks a stable one for it, and nothing is built.
fn plan(command: &[&str]) -> BTreeMap<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(command)
        .args(["--offline", "--unit-graph", "-Zunstable-options"])
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut plan = BTreeMap::new();
    for unit in graph["units"].as_array().unwrap() {
        let mut profile = unit["profile"].clone();
        // `dev` and `test` are two names; what is compiled differs by what they set.
        profile.as_object_mut().unwrap().remove("name");
        let how = format!("features {}, profile {profile}", unit["features"]);
        let side = if profile["opt_level"] == "0" { "host" } else { "target" };
        plan.insert(format!("{} {} {} {side}", unit["pkg_id"].as_str().unwrap(), unit["target"]["name"], unit["mode"]), how);
    }
    plan
}

#[test]
fn both_commands_share_one_profile_and_feature_set() {
    let (first, second) = (plan(&["build"]), plan(&["test", "--workspace"]));
    assert!(first.len() > 200, "{} units", first.len());
    let mut parted = Vec::new();
    for (unit, how) in &first {
        match second.get(unit) {
            Some(again) if again == how => {}
            Some(again) => parted.push(format!("{unit}\n  command one: {how}\n  command two: {again}")),
            None => parted.push(format!("{unit}\n  is in command one alone")),
        }
    }
    assert!(parted.is_empty(), "command two would compile these and all that rests on them again:\n{}", parted.join("\n"));
}
