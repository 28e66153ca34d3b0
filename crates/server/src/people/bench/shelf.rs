//! Tables on the bench, in memory, for who put them there, and the ledger of what each lost, in a book of budgets.
//!
//! The book is a file of the directory, that of `tegata protect budget`: a start gives no budget back. Doors without a
//! directory (those of tests) hold it in memory.

use crate::problem::{Kind, Problem};
use model::CivilDate;
use node::protect::{Cost, Piece, STUDY_ID};
use pets::{
    dp::{Answer, Book, Ledger, Person, Question, What, rho_of_epsilon},
    ratio::Ratio,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use utoipa::ToSchema;

/// LIMIT: tables on the bench at a time, of all participants; the oldest is taken off for a new one.
const PIECES_MAX: usize = 16;
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

/// The bench's book in a directory.
const BOOK_FILE: &str = "bench.book.json";

/// All tables, by participant and table, and where their ledgers are.
#[derive(Debug, Default)]
pub struct Shelf {
    held: Mutex<Held>,
    book: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Held {
    study: Option<Arc<Piece>>,
    pieces: Vec<(Name, Arc<Piece>)>,
    answers: BTreeMap<Name, Vec<Answered>>,
    // INVARIANT: a ledger outlives its table, so that putting the table there again gives no new budget.
    books: BTreeMap<String, Book>,
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
    /// A shelf whose book lies in a directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self { book: Some(directory.join(BOOK_FILE)), ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a table there.
    pub fn put(&self, participant: &str, piece: Piece) {
        let mut held = self.lock();
        let name = (participant.to_string(), piece.id.clone());
        held.pieces.retain(|(n, _)| *n != name);
        if held.pieces.len() >= PIECES_MAX {
            held.pieces.remove(0);
        }
        held.pieces.push((name, Arc::new(piece)));
        let Held { pieces, answers, .. } = &mut *held;
        // What is off the bench is shown no more; its loss stays in the book.
        answers.retain(|name, _| name.1 == STUDY_ID || pieces.iter().any(|(n, _)| n == name));
    }

    /// The names of a participant's tables.
    pub fn names(&self, participant: &str) -> Vec<String> {
        let held = self.lock();
        held.pieces.iter().filter(|((who, _), _)| who == participant).map(|((_, id), _)| id.clone()).collect()
    }

    /// A participant's table, or the study.
    pub fn piece(&self, participant: &str, id: &str) -> Result<Arc<Piece>, Problem> {
        let mut held = self.lock();
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
    pub fn privacy(&self, participant: &str, id: &str) -> Result<Privacy, Problem> {
        let piece = self.piece(participant, id)?;
        let kept = match &self.book {
            Some(path) => node::protect::book(path).map_err(|e| super::refused(&e))?,
            None => self.lock().books.get(participant).cloned(),
        };
        let ledger = kept.and_then(|book| piece.ledger(&book, Person::Row.unit()));
        let answers = self.lock().answers.get(&(participant.to_string(), id.to_string())).cloned().unwrap_or_default();
        Ok(Privacy::of(ledger.as_ref(), answers))
    }

    /// Asks; the loss stays spent whatever becomes of the answer.
    pub fn ask(&self, participant: &str, asking: &Asking, on: CivilDate) -> Result<Privacy, Problem> {
        let wrong = |why: &str| Problem::of(Kind::ActNotUnderstood, why);
        let id = if asking.table.is_empty() { STUDY_ID } else { &asking.table };
        let piece = self.piece(participant, id)?;
        let question = asking.question().ok_or_else(|| wrong("`what` is `count` with 1 to 200 `values`, or `mean` with `low` and `high`"))?;
        let rho = asking.rho().ok_or_else(|| wrong("ε is a number above zero, such as 0.5"))?;
        let cost = Cost { rho, budget: budget().ok_or_else(|| wrong("no budget"))?, on };
        let answers = match &self.book {
            Some(path) => piece.ask_from(&question, &cost, path),
            None => piece.ask(&question, &cost, self.lock().books.entry(participant.to_string()).or_default()),
        };
        let answers = answers.map_err(|e| super::refused(&e))?;
        let exact = if asking.what == "count" { piece.counted(&asking.column) } else { BTreeMap::new() };
        let row = |a: &Answer| Row {
            group: a.group.join(", "),
            value: a.to_string(),
            within: within(a, &answers.variance),
            exact: (asking.what == "count").then(|| a.group.first().and_then(|g| exact.get(g)).copied().unwrap_or(0)),
        };
        let answered = Answered { asked: question.to_string(), epsilon: asking.epsilon.clone(), rows: answers.answers.iter().map(row).collect() };
        let mut held = self.lock();
        let shown = held.answers.entry((participant.to_string(), id.to_string())).or_default();
        shown.insert(0, answered);
        shown.truncate(ANSWERS_SHOWN);
        drop(held);
        self.privacy(participant, id)
    }
}

impl Privacy {
    fn of(ledger: Option<&Ledger>, answers: Vec<Answered>) -> Self {
        let Some(ledger) = ledger else {
            return Self { epsilon_budget: BUDGET_EPSILON, epsilon_spent: "0".into(), rho_left: budget(), ..Self::default() };
        };
        Self {
            epsilon_budget: BUDGET_EPSILON,
            epsilon_spent: format!("{:.2}", ledger.epsilon(DELTA_EXPONENT)),
            rho_left: Some(ledger.left()),
            spent: ledger.losses().to_vec(),
            answers,
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
