//! What verbs that ask about many places at once take: one transfer as described, its destination left open.

use crate::transfer_file;
use clap::Args;
use decide::engine::Engine;
use model::{AsOf, CivilDate, fact::Said, transfer::Transfer};
use node::question;
use rulebook::bind::Crossing;

/// One transfer as described.
#[derive(Args, Clone)]
pub struct Profile {
    /// Categories of data, such as contact,salary_hr.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    data: Vec<String>,
    /// Purposes, such as payroll.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    purpose: Vec<String>,
    /// Any fact of the vocabulary: slot=value; sets add up.
    #[arg(long = "fact", value_name = "FACT=VALUE")]
    facts: Vec<String>,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
}

impl Profile {
    /// The day asked for.
    pub fn as_of(&self) -> AsOf {
        AsOf::then(self.as_of.unwrap_or_else(crate::verbs::today))
    }

    /// Its facts, with those of the ends.
    pub fn flat(&self, engine: &Engine, ends: &[(&str, Option<&String>)]) -> Result<Vec<(String, Said)>, String> {
        let mut flat = Vec::new();
        let mut add = |text: &str| transfer_file::add(&mut flat, text).map_err(|e| format!("error[TGT-C002]: {e}"));
        for (slot, place) in ends.iter().filter_map(|(s, p)| p.map(|p| (s, p))) {
            add(&format!("{slot}={}", question::place(&engine.book.vocabulary, place)))?;
        }
        for word in &self.data {
            add(&format!("data.categories={{{word}}}"))?;
        }
        for word in &self.purpose {
            add(&format!("hop.purpose={{{word}}}"))?;
        }
        for fact in &self.facts {
            add(fact)?;
        }
        Ok(flat)
    }

    /// The one crossing that it describes.
    pub fn crossing(&self, engine: &Engine, ends: &[(&str, Option<&String>)]) -> Result<Crossing, String> {
        let bound = engine.book.bind(&Transfer::single(self.flat(engine, ends)?)).map_err(|ds| crate::verbs::faults(&ds))?;
        bound.crossings.into_iter().next().ok_or_else(|| "error[TGT-C002]: nothing moves".to_string())
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
