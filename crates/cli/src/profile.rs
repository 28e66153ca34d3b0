//! A transfer as flags describe it; verbs that ask about many places at once leave its destination open.

use crate::transfer_file;
use clap::Args;
use decide::engine::Engine;
use model::{AsOf, CivilDate, fact, transfer::Transfer};
use node::question;
use rulebook::{bind::Crossing, book::Rulebook};

/// The facts of a transfer but for its ends, as flags.
#[derive(Args, Clone)]
pub struct Described {
    /// Categories of data, such as contact,salary_hr; naming some says that the data is about people unless they say otherwise.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    data: Vec<String>,
    /// Purposes, such as payroll.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    purpose: Vec<String>,
    /// Any fact of the vocabulary: slot=value; sets add up.
    #[arg(long, value_name = "FACT=VALUE")]
    fact: Vec<String>,
}

impl Described {
    /// What is said, with the places of the ends.
    pub fn said(&self, book: &Rulebook, ends: &[(&str, Option<&String>)]) -> Result<Said, String> {
        let mut said = Said::default();
        for (slot, place) in ends.iter().filter_map(|(slot, place)| place.map(|p| (slot, p))) {
            said.add(&format!("{slot}={}", question::place(&book.vocabulary, place)))?;
        }
        let data = self.data.iter().map(|word| format!("data.categories={{{word}}}"));
        let purpose = self.purpose.iter().map(|word| format!("hop.purpose={{{word}}}"));
        data.chain(purpose).chain(self.fact.iter().cloned()).try_for_each(|fact| said.add(&fact))?;
        Ok(said)
    }
}

/// Facts that were said one by one; sets add up.
#[derive(Default)]
pub struct Said(pub Vec<(String, fact::Said)>);

impl Said {
    /// Adds `slot=value`.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        transfer_file::add(&mut self.0, text).map_err(|e| format!("error[TGT-C002]: {e}"))
    }
}

/// One transfer as described, at a day.
#[derive(Args, Clone)]
pub struct Profile {
    #[command(flatten)]
    described: Described,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// Where nothing was said, take what is usual as said; the answer lists it.
    #[arg(long)]
    usual: bool,
}

impl Profile {
    /// The day asked for.
    pub fn as_of(&self) -> AsOf {
        AsOf::then(self.as_of.unwrap_or_else(crate::verbs::today))
    }

    /// Its facts, with those of the ends.
    pub fn flat(&self, engine: &Engine, ends: &[(&str, Option<&String>)]) -> Result<Vec<(String, fact::Said)>, String> {
        Ok(self.described.said(&engine.book, ends)?.0)
    }

    /// Whether what is usual is taken as said.
    pub fn usual(&self) -> bool {
        self.usual
    }

    /// The one crossing that it describes, and the facts that were taken as usual.
    pub fn crossing(&self, engine: &Engine, ends: &[(&str, Option<&String>)]) -> Result<(Crossing, Vec<String>), String> {
        let bound = engine.book.bind(&Transfer::single(self.flat(engine, ends)?)).map_err(|ds| crate::verbs::faults(&ds))?;
        let (bound, added) = if self.usual { engine.book.suppose(&bound) } else { (bound, Vec::new()) };
        let crossing = bound.crossings.into_iter().next().ok_or_else(|| "error[TGT-C002]: nothing moves".to_string())?;
        let told = |slot: &String| crossing.facts.get(slot).map(|f| format!("{slot}={}", f.known));
        let taken = added.first().into_iter().flatten().filter_map(told).collect();
        Ok((crossing, taken))
    }
}

/// The codes of places as a person names them.
pub fn places(engine: &Engine, names: &[String]) -> Result<Vec<String>, String> {
    let of = |name: &String| {
        question::known_place(&engine.book.vocabulary, name).ok_or_else(|| {
            let codes = engine.book.vocabulary.places.keys().map(String::as_str);
            format!("error[TGT-C002]: `{name}` is no place; {}", rulebook::diagnostic::did_you_mean(&name.to_uppercase(), codes))
        })
    };
    names.iter().map(of).collect()
}
