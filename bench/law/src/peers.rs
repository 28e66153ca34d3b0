//! Cedar and regorus beside us: the same rules, the same facts, one run.
//!
//! `cargo run --release --manifest-path bench/law/Cargo.toml --features peers --bin peers`. Every law of the day is said again as
//! one Cedar policy and as rules of Rego, from the same conditions; the question is whether any of them refuses. All three must
//! agree on every sampled state, or the run ends with an error. Nothing is asserted about time.

#[path = "../../../crates/decide/tests/reference/evaluator.rs"]
mod evaluator;
#[path = "../../../crates/decide/tests/reference/generate.rs"]
mod generate;
mod known;
mod real;
mod said_again;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request};
use decide::{engine::Engine, gather::Day, judge::Room, table::Table};
use model::AsOf;
use regorus::{
    Value,
    languages::rego::compiler::Compiler,
    rvm::vm::RegoVM,
};
use rulebook::book::Rulebook;
use said_again::{facts, refusal};
use std::{hint::black_box, path::Path, str::FromStr, time::Instant};

/// States that all three are asked about.
const STATES: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Long conditions are deep ones to a parser.
    std::thread::Builder::new().stack_size(1 << 30).spawn(|| run().map_err(|e| e.to_string()))?.join().map_err(|_| "the run stopped")??;
    Ok(())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let (book, _) = Rulebook::parse(real::sources(root));
    let as_of = AsOf::then("2026-11-22".parse()?);
    let table = Engine::new(book.clone()).table(as_of).map_err(|e| e.0)?;
    let (mut room, day) = (Room::default(), Day::of(&book, as_of));
    let states: Vec<_> = known::known(&table, &known::pack(&book, &known::cases(root), &table));
    let states: Vec<_> = states.iter().step_by((states.len() / STATES).max(1)).take(STATES).collect();
    let ours: Vec<bool> = states.iter().map(|b| table.judge(b, &mut room).verdict.opens()).collect();
    let laws: Vec<said_again::Condition> = day.layers.iter().map(|l| refusal(&day, &day.law(l), &table.lexicon)).collect();
    println!("{} laws of {}, {} states with everything said; {} may go", laws.len(), as_of.on, states.len(), ours.iter().filter(|o| **o).count());
    let head = known::each(states.len(), || states.iter().for_each(|b| drop(black_box(table.judge(black_box(b), &mut room)))));
    println!("tegata, head (verdict and clause) from packed facts: {head:?}");
    let contexts: Vec<serde_json::Value> = states.iter().map(|b| facts(&table, b.facts())).collect();
    let cedar = cedar(&laws, &contexts, &ours)?;
    println!("cedar, one decision: {cedar:?}, {:.0} times ours", cedar.as_secs_f64() / head.as_secs_f64());
    let rego = rego(&laws, &contexts, &ours)?;
    println!("regorus, one decision: {rego:?}, {:.0} times ours", rego.as_secs_f64() / head.as_secs_f64());
    of_each(&table, &states, &mut room);
    Ok(())
}

fn of_each(table: &Table, states: &[&decide::judge::Bits], room: &mut Room) {
    for opens in [true, false] {
        let some: Vec<_> = states.iter().filter(|b| table.judge(b, room).verdict.opens() == opens).collect();
        let took = known::each(some.len(), || some.iter().for_each(|b| drop(black_box(table.judge(black_box(b), room)))));
        println!("  tegata, {}: {took:?}", if opens { "may go or out of scope" } else { "may not go, or not as it is, with the measures at hand weighed" });
    }
}

fn cedar(laws: &[said_again::Condition], contexts: &[serde_json::Value], ours: &[bool]) -> Result<std::time::Duration, Box<dyn std::error::Error>> {
    let mut text = "permit(principal, action, resource);\n".to_string();
    laws.iter().for_each(|l| text.push_str(&format!("forbid(principal, action, resource) when {{ {} }};\n", l.cedar())));
    let begun = Instant::now();
    let policies = PolicySet::from_str(&text)?;
    println!("cedar: {} policies, {} bytes, read in {:?}", laws.len() + 1, text.len(), begun.elapsed());
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    let [who, what, which] = ["Party::\"exporter\"", "Act::\"transfer\"", "Data::\"dataset\""].map(EntityUid::from_str);
    let (who, what, which) = (who?, what?, which?);
    let mut requests = Vec::new();
    for c in contexts {
        requests.push(Request::new(who.clone(), what.clone(), which.clone(), Context::from_json_value(c.clone(), None)?, None)?);
    }
    for (i, (r, ours)) in requests.iter().zip(ours).enumerate() {
        let answer = authorizer.is_authorized(r, &policies, &entities);
        if let Some(e) = answer.diagnostics().errors().next() {
            return Err(format!("cedar, state {i}: {e}").into());
        }
        if (answer.decision() == cedar_policy::Decision::Allow) != *ours {
            return Err(format!("cedar disagrees in state {i}: {}", contexts[i]).into());
        }
    }
    Ok(known::each(requests.len(), || requests.iter().for_each(|r| drop(black_box(authorizer.is_authorized(black_box(r), &policies, &entities))))))
}

fn rego(laws: &[said_again::Condition], contexts: &[serde_json::Value], ours: &[bool]) -> Result<std::time::Duration, Box<dyn std::error::Error>> {
    let mut rules = said_again::Rego::default();
    let names: Vec<String> = laws.iter().map(|l| rules.rule(l)).collect();
    let text = rules.text(&names);
    let begun = Instant::now();
    let mut engine = regorus::Engine::new();
    engine.add_policy("law.rego".into(), text.clone())?;
    let compiled = engine.compile_with_entrypoint(&"data.law.lawful".into())?;
    let program = Compiler::compile_from_policy(&compiled, &["data.law.lawful"])?;
    println!("regorus: {} bytes of Rego, compiled for its virtual machine in {:?}", text.len(), begun.elapsed());
    let mut vm = RegoVM::new();
    vm.load_program(program);
    vm.set_data(Value::new_object())?;
    let inputs: Vec<Value> = contexts.iter().map(|c| Value::from_json_str(&c.to_string())).collect::<Result<_, _>>()?;
    for (i, (input, ours)) in inputs.iter().zip(ours).enumerate() {
        vm.set_input(input.clone());
        let lawful = vm.execute()?;
        if lawful != Value::from(*ours) {
            return Err(format!("regorus disagrees in state {i} ({lawful:?}): {}", contexts[i]).into());
        }
        // The interpreter, on some of them: both of its engines read the rules as we do.
        if i % 100 == 0 && compiled.eval_with_input(input.clone())? != Value::from(*ours) {
            return Err(format!("the interpreter of regorus disagrees in state {i}").into());
        }
    }
    let few: Vec<&Value> = inputs.iter().step_by(20).collect();
    Ok(known::each(few.len(), || few.iter().for_each(|input| {
        vm.set_input((*input).clone());
        drop(black_box(vm.execute()));
    })))
}
