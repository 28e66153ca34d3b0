//! Tables on the bench, in memory, for who put them there, and the ledger of what each lost.
//!
//! This ledger is a rehearsal's: it ends with the process. The book that counts is the file of `tegata protect dp`.

use crate::problem::{Kind, Problem};
use model::CivilDate;
use node::protect::{Piece, STUDY_ID};
use pets::{
    dp::{Answer, Ledger, Person, Question, What, rho_of_epsilon},
    ratio::Ratio,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use utoipa::ToSchema;

/// LIMIT: tables on the bench at a time, of all participants; the oldest is taken off for a new one.
const PIECES_MAX: usize = 16;
/// LIMIT: ledgers that are remembered; a new table is not asked about beyond.
const LEDGERS_MAX: usize = 4_096;
/// LIMIT: values that one count answers for.
const VALUES_MAX: usize = 200;
/// Answers that are still shown.
const ANSWERS_SHOWN: usize = 4;
/// What a table may lose on the bench in all, as ε.
const BUDGET_EPSILON: u64 = 4;
/// δ is ten to the minus this wherever ε is spoken of.
const DELTA_EXPONENT: u32 = 6;
/// Standard deviations between which 95 of 100 draws lie.
const WITHIN_95: f64 = 1.96;

type Name = (String, String);

/// All tables and ledgers, by participant and table.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    study: Option<Arc<Piece>>,
    pieces: Vec<(Name, Arc<Piece>)>,
    // INVARIANT: a ledger outlives its table, so that putting the table there again gives no new budget.
    ledgers: BTreeMap<Name, Book>,
}

#[derive(Clone, Debug)]
struct Book {
    ledger: Ledger,
    answers: Vec<Answered>,
}

/// A question, as a form or a program asks it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// The table; the study when absent.
    #[serde(default)]
    pub table: String,
    /// `count` by the values of a column, or `mean` of one.
    pub what: String,
    /// The column.
    pub column: String,
    /// Of a count: the values to answer for, as the asker knows them.
    #[serde(default)]
    pub values: Vec<String>,
    /// Of a mean: numbers below count as this.
    #[serde(default)]
    pub low: i64,
    /// Of a mean: numbers above count as this.
    #[serde(default)]
    pub high: i64,
    /// How much privacy, such as `0.5`.
    pub epsilon: String,
}

/// What was spent of a table's privacy on the bench.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Privacy {
    /// What it may lose in all.
    pub epsilon_budget: u64,
    /// What it lost, as ε at δ of one in a million.
    pub epsilon_spent: String,
    /// What is left (zCDP ρ).
    pub rho_left: Option<Ratio>,
    /// Each loss, oldest first.
    pub spent: Vec<pets::dp::Loss>,
    /// The last answers, newest first.
    pub answers: Vec<Answered>,
}

/// A question and its answers.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    /// The question, in words.
    pub asked: String,
    /// What it cost.
    pub epsilon: String,
    /// By group.
    pub rows: Vec<Row>,
}

/// One noisy answer.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The group; empty for all.
    pub group: String,
    /// What may be told.
    pub value: String,
    /// 95 of 100 draws are at most so far from the truth.
    pub within: String,
    /// The truth, for the holder of the table alone; counts only.
    pub exact: Option<u64>,
}

impl Shelf {
    /// Puts a table there.
    pub fn put(&self, participant: &str, piece: Piece) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (participant.to_string(), piece.id.clone());
        held.pieces.retain(|(n, _)| *n != name);
        if held.pieces.len() >= PIECES_MAX {
            held.pieces.remove(0);
        }
        held.pieces.push((name, Arc::new(piece)));
    }

    /// The names of a participant's tables.
    pub fn names(&self, participant: &str) -> Vec<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.pieces.iter().filter(|((who, _), _)| who == participant).map(|((_, id), _)| id.clone()).collect()
    }

    /// A participant's table, or the study.
    pub fn piece(&self, participant: &str, id: &str) -> Result<Arc<Piece>, Problem> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if id == STUDY_ID {
            if let Some(study) = &held.study {
                return Ok(study.clone());
            }
            let study = Arc::new(Piece::study().map_err(|e| super::refused(&e))?);
            held.study = Some(study.clone());
            return Ok(study);
        }
        let found = held.pieces.iter().find(|((who, piece), _)| who == participant && piece == id);
        found.map(|(_, p)| p.clone()).ok_or_else(|| Problem::of(Kind::NotFound, "no such table is on the bench any more; put it there again"))
    }

    /// What a table lost, and for what.
    pub fn privacy(&self, participant: &str, id: &str) -> Privacy {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.ledgers.get(&(participant.to_string(), id.to_string())) {
            Some(book) => book.privacy(),
            None => Privacy { epsilon_budget: BUDGET_EPSILON, epsilon_spent: "0".into(), rho_left: budget(), ..Privacy::default() },
        }
    }

    /// Asks; the loss stays spent whatever becomes of the answer.
    pub fn ask(&self, participant: &str, asking: &Asking, on: CivilDate) -> Result<Privacy, Problem> {
        let wrong = |why: &str| Problem::of(Kind::ActNotUnderstood, why);
        let id = if asking.table.is_empty() { STUDY_ID } else { &asking.table };
        let piece = self.piece(participant, id)?;
        let question = asking.question().ok_or_else(|| wrong("`what` is `count` with 1 to 200 `values`, or `mean` with `low` and `high`"))?;
        let rho = asking.rho().ok_or_else(|| wrong("ε is a number above zero, such as 0.5"))?;
        let whole = budget().ok_or_else(|| wrong("no budget"))?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (participant.to_string(), id.to_string());
        if !held.ledgers.contains_key(&name) && held.ledgers.len() >= LEDGERS_MAX {
            return Err(Problem::of(Kind::Busy, "as many ledgers as are remembered; start this program again"));
        }
        let book = held.ledgers.entry(name).or_insert_with(|| Book { ledger: Ledger::open(id, "bench", "row", whole), answers: Vec::new() });
        let answers = piece.ask(&question, rho, &mut book.ledger, on).map_err(|e| super::refused(&e))?;
        let exact = if asking.what == "count" { piece.counted(&asking.column) } else { BTreeMap::new() };
        let row = |a: &Answer| Row {
            group: a.group.join(", "),
            value: a.to_string(),
            within: within(a, &answers.variance),
            exact: (asking.what == "count").then(|| a.group.first().and_then(|g| exact.get(g)).copied().unwrap_or(0)),
        };
        let answered = Answered { asked: question.to_string(), epsilon: asking.epsilon.clone(), rows: answers.answers.iter().map(row).collect() };
        book.answers.insert(0, answered);
        book.answers.truncate(ANSWERS_SHOWN);
        Ok(book.privacy())
    }
}

impl Book {
    fn privacy(&self) -> Privacy {
        Privacy {
            epsilon_budget: BUDGET_EPSILON,
            epsilon_spent: format!("{:.2}", self.ledger.epsilon(DELTA_EXPONENT)),
            rho_left: Some(self.ledger.left()),
            spent: self.ledger.losses().to_vec(),
            answers: self.answers.clone(),
        }
    }
}

impl Asking {
    fn question(&self) -> Option<Question> {
        let column = self.column.clone();
        match self.what.as_str() {
            "count" => {
                let values: Vec<&str> = self.values.iter().map(|v| v.trim()).filter(|v| !v.is_empty()).collect();
                let groups: Vec<Vec<String>> = values.into_iter().map(|v| vec![v.to_string()]).collect();
                let few = (1..=VALUES_MAX).contains(&groups.len());
                few.then_some(Question { by: vec![column], groups, what: What::Count, person: Person::Row })
            }
            "mean" => {
                let what = What::Mean { column, low: self.low, high: self.high, decimals: 1 };
                Some(Question { by: Vec::new(), groups: Vec::new(), what, person: Person::Row })
            }
            _ => None,
        }
    }

    fn rho(&self) -> Option<Ratio> {
        rho_of_epsilon(self.epsilon.trim().parse().ok()?, DELTA_EXPONENT)
    }
}

fn budget() -> Option<Ratio> {
    rho_of_epsilon(Ratio::of(u128::from(BUDGET_EPSILON), 1)?, DELTA_EXPONENT)
}

/// How far a noisy count is from the truth at an ε, in 95 of 100 draws: known before anything is asked.
pub fn noise(epsilon: &str) -> Option<String> {
    let rho = rho_of_epsilon(epsilon.parse().ok()?, DELTA_EXPONENT)?;
    Some(format!("{:.0}", (WITHIN_95 / (2.0 * rho.to_f64()).sqrt()).ceil()))
}

fn within(answer: &Answer, variance: &[Ratio]) -> String {
    let unit = 10f64.powi(answer.decimals.try_into().unwrap_or(0));
    let deviation = variance.first().map_or(0.0, |v| v.to_f64().sqrt());
    match answer.of {
        None => format!("{:.0}", (WITHIN_95 * deviation / unit).ceil()),
        // The sum's noise over the number of records; that number's own noise moves a mean far less.
        Some(of) => format!("{:.1}", WITHIN_95 * deviation / unit / of.max(1) as f64),
    }
}
