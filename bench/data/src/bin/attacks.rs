//! Our three attacks where Anonymeter was tried: `attacks FOLDER` with `adult.csv`, the first 10,000 records released as they
//! are, the next 10,000 as control. `crates/pets/tests/oracle/attacks.py` has the other program.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::attack::{Ground, attack};
use pets::plan::{Act, Plan};
use std::path::Path;
use std::sync::Arc;

const QUASI: [&str; 8] = ["age", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country"];
const SENSITIVE: &str = "income";
const PEOPLE: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: attacks FOLDER")?;
    let text = std::fs::read_to_string(Path::new(&folder).join("adult.csv"))?;
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().ok_or("empty")?.split(',').collect();
    let rows: Vec<Vec<&str>> = lines.take(2 * PEOPLE).map(|l| l.split(',').collect()).collect();
    let table = |rows: &[Vec<&str>]| {
        let names = QUASI.into_iter().chain([SENSITIVE]);
        RecordBatch::try_from_iter(names.map(|name| {
            let place = head.iter().position(|h| *h == name).unwrap_or(0);
            (name, Arc::new(rows.iter().map(|r| r.get(place).copied()).collect::<StringArray>()) as ArrayRef)
        }))
    };
    let (people, control) = rows.split_at(PEOPLE.min(rows.len()));
    let (people, control) = ([table(people)?], [table(control)?]);
    let plan = Plan { columns: QUASI.into_iter().chain([SENSITIVE]).map(|n| (n.to_string(), Act::Keep)).collect() };
    let (quasi, sensitive) = (QUASI.map(String::from), [SENSITIVE.to_string()]);
    let ground = Ground { released: &people, plan: &plan, original: &people, control: Some(&control), quasi: &quasi, sensitive: &sensitive };
    for (kind, tried) in attack(&ground)? {
        let Some(tried) = tried else { continue };
        let rate = |r: &pets::attack::Rate| format!("{}/{} [{:.4}, {:.4}]", r.successes, r.attempts, r.low as f64 / 1e6, r.high as f64 / 1e6);
        println!("{}\t{}\t{}", kind.word(), rate(&tried.people), tried.control.as_ref().map_or("–".into(), rate));
    }
    Ok(())
}
