//! Rebuilds the binary when a rule file changes: the rules are part of it.

fn main() {
    println!("cargo:rerun-if-changed=../../rules");
}
