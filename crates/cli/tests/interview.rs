//! The interview, as twenty people would go through it who know their own case and nothing of the law (`everyday.toml`).

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    process::{Child, Command, Stdio},
};

#[derive(Deserialize)]
struct Everyday {
    mostly: BTreeMap<String, String>,
    question: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    asks: String,
    from: String,
    to: String,
    data: String,
    purpose: String,
    wanted: Vec<String>,
    #[serde(default)]
    said: BTreeMap<String, String>,
}

impl Question {
    /// What this person says when asked for a fact; nothing where the person does not know.
    fn answer(&self, mostly: &BTreeMap<String, String>, slot: &str) -> String {
        let own = ["exporter.targets", "subjects.located_in", "data.collected_in"];
        let told = match slot {
            "hop.purpose" => Some(&self.purpose),
            _ => self.said.get(slot).or_else(|| mostly.get(slot)).or_else(|| own.contains(&slot).then_some(&self.from)),
        };
        told.cloned().unwrap_or_default()
    }

    /// Goes through the interview: how many answers were given, and the verdict.
    fn ask(&self, mostly: &BTreeMap<String, String>) -> (usize, &'static str) {
        let flags = ["--from", &self.from, "--to", &self.to, "--data", &self.data, "--purpose", &self.purpose];
        let mut child = Command::new(env!("CARGO_BIN_EXE_tegata"))
            .args(["check", "--interview", "--lang", "en"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = 0;
        while let Some(prompt) = prompt(&mut child) {
            let answer = self.reply(mostly, &prompt);
            answers += usize::from(!answer.is_empty());
            writeln!(child.stdin.as_mut().unwrap(), "{answer}").unwrap();
        }
        let verdict = match child.wait().unwrap().code() {
            Some(0) => "permitted",
            Some(10) => "conditional",
            Some(11) => "prohibited",
            Some(12) => "undetermined",
            Some(13) => "out_of_scope",
            other => panic!("{}: ended with {other:?}", self.id),
        };
        (answers, verdict)
    }

    /// The answer to one prompt: the numbers of what is otherwise than usual, or the fact asked for.
    fn reply(&self, mostly: &BTreeMap<String, String>, prompt: &str) -> String {
        let slots: Vec<&str> = prompt.lines().filter_map(|l| l.strip_suffix(']')?.rsplit_once('[')).map(|(_, slot)| slot).collect();
        match slots.as_slice() {
            [] => panic!("{}: a prompt that names no fact: {prompt}", self.id),
            [slot] => match self.answer(mostly, slot).as_str() {
                "none" => "0".into(),
                answer => answer.into(),
            },
            many => {
                let otherwise: Vec<String> =
                    many.iter().enumerate().filter(|(_, slot)| self.said.contains_key(**slot)).map(|(i, _)| (i + 1).to_string()).collect();
                if otherwise.is_empty() { "y".into() } else { otherwise.join(",") }
            }
        }
    }
}

/// What the program writes until it waits for an answer; nothing when it asks no more.
fn prompt(child: &mut Child) -> Option<String> {
    let (mut text, mut byte) = (Vec::new(), [0]);
    let stderr = child.stderr.as_mut().unwrap();
    while stderr.read(&mut byte).unwrap() == 1 {
        text.push(byte[0]);
        if text.ends_with(b") > ") {
            return Some(String::from_utf8(text).unwrap());
        }
    }
    None
}

#[test]
fn everyday_questions_are_settled_in_five_answers() {
    let everyday: Everyday = toml::from_str(include_str!("everyday.toml")).unwrap();
    let (mut right, mut soon, mut told) = (0, 0, String::new());
    for question in &everyday.question {
        let (answers, verdict) = question.ask(&everyday.mostly);
        let good = question.wanted.iter().any(|w| w == verdict);
        right += usize::from(good);
        soon += usize::from(good && answers <= 5);
        told += &format!("{} {answers} answers, {verdict}, {}: {}\n", question.id, if good { "right" } else { "not as wanted" }, question.asks);
        let milder = matches!(verdict, "permitted" | "out_of_scope") && !good;
        assert!(!milder, "too mild\n{told}");
    }
    println!("{told}{right} right, {soon} of them within five answers");
    // The goal is fifteen of twenty; one question more or less after a change in the law is looked at, not failed.
    assert!(right >= 18 && soon >= 16, "{told}{right} right, {soon} of them within five answers");
}
