//! A bench to try things on: the study that ships with the program, or a table of one's own, under a profile whose k is moved.

use super::{ProtectError, be_cautious, knowledge, looks_like_data, profile, spend};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use model::{CivilDate, Digest};
use pets::{
    cell::Cells,
    classify::Scan,
    dictionary::{Dictionary, Role},
    dp::{Answers, Book, Ledger, Question},
    measure::{Classes, Sizes},
    profile::Need,
    protect::{Protected, Request},
    ratio::Ratio,
    report::{Beside, Report},
    transform::Unread,
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const STUDY: &str = include_str!("../../../../examples/data/health.csv");
const DICTIONARY: &str = include_str!("../../../../examples/data/health.dictionary.toml");
/// LIMIT: k on the bench; the study has 5,265 records.
pub const K_MAX: u64 = 500;
/// LIMIT: a table of one's own on the bench; `tegata protect` takes any.
pub const PIECE_BYTES_MAX: usize = 1 << 20;
const PIECE_ROWS_MAX: usize = 20_000;
const PIECE_COLUMNS_MAX: usize = 40;
/// Records shown before and after.
const SHOWN: usize = 5;

/// One try.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// The profile's id.
    pub profile: String,
    /// The smallest class that was asked for.
    pub k: u64,
    /// The smallest class that the profile itself asks for.
    pub k_of_profile: u64,
    /// Whether the profile with this k is met.
    pub met: bool,
    /// Whether the profile as it is written is met: only then a report on it is a fact.
    pub holds: bool,
    /// The table as it was, over the columns that tell people apart together.
    pub before: Risk,
    /// The release.
    pub after: Risk,
    /// Each column: what it is, what was done, what it lost.
    pub columns: Vec<Column>,
    /// Names of the shown columns, and a few records before and after.
    pub records: Records,
    /// Clauses that are not met.
    pub short: Vec<String>,
}

/// How far people can be told apart.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// Records.
    pub records: u64,
    /// The smallest class.
    pub k: Option<u64>,
    /// Records that are alone.
    pub alone: u64,
    /// One over the smallest class.
    pub most: Ratio,
    /// Classes over records.
    pub average: Ratio,
}

/// One column.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it does to privacy.
    pub role: &'static str,
    /// What was done.
    pub act: String,
    /// Values that could not be read and are missing now; none where there was nothing to read.
    pub unread: Option<Unread>,
    /// The share of telling apart that is gone.
    pub loss: Option<Ratio>,
}

/// A few records.
#[derive(Clone, Debug, Serialize)]
pub struct Records {
    /// Columns of the original.
    pub columns: Vec<String>,
    /// Values before.
    pub before: Vec<Vec<Option<String>>>,
    /// Columns of the release.
    pub released: Vec<String>,
    /// Values after: other records than those before, the first of the release.
    pub after: Vec<Vec<Option<String>>>,
}

/// A table on the bench.
#[derive(Clone, Debug)]
pub struct Piece {
    /// `study`, or the digest of the table's content.
    pub id: String,
    /// The digest of the table's content, by which its budget is found whatever the table is called.
    content: Digest,
    batches: Vec<RecordBatch>,
    dictionary: Dictionary,
}

/// A release of a piece under a profile as it is written, looked at afresh.
#[derive(Debug)]
pub struct Sealable {
    /// The report.
    pub report: Report,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The release as CSV.
    pub release: Vec<u8>,
}

/// What an answer costs, of what the table may lose in all.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The loss (zCDP ρ).
    pub rho: Ratio,
    /// What a table may lose on the bench (zCDP ρ).
    pub budget: Ratio,
    /// The day that the book notes.
    pub on: CivilDate,
}

/// The recipient of answers on the bench.
pub const BENCH: &str = "bench";
/// LIMIT: budgets in the bench's book; a new table is not asked about beyond.
pub const LEDGERS_MAX: usize = 4_096;

/// The name of the study among pieces.
pub const STUDY_ID: &str = "study";

impl Piece {
    /// The study that ships with the program.
    pub fn study() -> Result<Self, ProtectError> {
        let person = Dictionary::parse(DICTIONARY).map_err(|e| ProtectError::Document(e.message().to_string()))?;
        let batches = vec![study()?];
        let dictionary = Scan::of(&batches, &knowledge()?).dictionary().corrected_by(&person);
        Ok(Self { id: STUDY_ID.into(), content: pets::report::content(&batches), batches, dictionary })
    }

    /// A table as people paste it; what its columns are is what the scan proposes.
    pub fn pasted(text: &str) -> Result<Self, ProtectError> {
        let over = |what: String| ProtectError::Document(format!("a table here has at most {what}; `tegata protect` takes any"));
        if text.len() > PIECE_BYTES_MAX {
            return Err(over(format!("{} MiB", PIECE_BYTES_MAX >> 20)));
        }
        let batches = dataplane::table::pasted(text)?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let names: Vec<String> = batches.first().map(names).unwrap_or_default();
        if rows == 0 {
            return Err(ProtectError::Document("a first line with the names of columns, then a line for each record".into()));
        }
        if rows > PIECE_ROWS_MAX || names.len() > PIECE_COLUMNS_MAX {
            return Err(over(format!("{PIECE_ROWS_MAX} records and {PIECE_COLUMNS_MAX} columns")));
        }
        if let Some(cell) = names.iter().find(|n| looks_like_data(n)) {
            return Err(ProtectError::NoHeader(cell.chars().count()));
        }
        let knowledge = knowledge()?;
        let mut scan = Scan::of(&batches, &knowledge);
        be_cautious(&mut scan, &knowledge);
        let content = pets::report::content(&batches);
        Ok(Self { id: content.to_string(), content, dictionary: scan.dictionary(), batches })
    }

    /// The columns and what each is to a person.
    pub fn columns(&self) -> Vec<(String, Role)> {
        let role = |name: &String| self.dictionary.columns.get(name).map_or(Role::Attribute, |e| e.role);
        self.batches.first().map(names).unwrap_or_default().into_iter().map(|n| (n.clone(), role(&n))).collect()
    }

    /// Records.
    pub fn records(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Protects the piece under a profile with another k.
    pub fn tried(&self, id: &str, k: u64) -> Result<Tried, ProtectError> {
        let mut profile = profile(id)?;
        let k_of_profile = profile.k();
        let k = k.clamp(2, K_MAX);
        for clause in &mut profile.clauses {
            match &mut clause.need {
                Need::MinClass { k: least } => *least = k,
                Need::RiskMax { most } => *most = Ratio::share(1, k),
                // An average that was set for the profile's own k moves with it.
                Need::RiskAverage { most } if k < k_of_profile => *most = Ratio::ONE,
                _ => {}
            }
        }
        let out = self.protected(&profile)?;
        let exact = &out.report.exact;
        let quasi: Vec<String> = exact.columns.iter().filter(|(_, c)| c.role == Role::QuasiIdentifier).map(|(n, _)| n.clone()).collect();
        let released: Vec<String> = out.plan.released().filter(|n| quasi.iter().any(|q| q == n)).map(Into::into).collect();
        let columns = exact.columns.iter().map(|(name, c)| Column {
            name: name.clone(),
            role: c.role.word(),
            act: c.act.clone(),
            unread: c.unread,
            loss: c.loss.as_ref().map(|l| l.loss),
        });
        let met = out.is_met();
        Ok(Tried {
            profile: id.to_string(),
            k,
            k_of_profile,
            met,
            holds: met && k >= k_of_profile,
            before: Risk::of(&sizes(&quasi, &self.batches)?),
            after: Risk::of(&sizes(&released, &out.batches)?),
            columns: columns.collect(),
            records: Records {
                columns: self.batches.first().map(names).unwrap_or_default(),
                before: self.batches.first().map(first).unwrap_or_default(),
                released: out.batches.first().map(names).unwrap_or_default(),
                after: out.batches.first().map(first).unwrap_or_default(),
            },
            short: out.report.clauses().filter(|c| c.outcome == pets::examine::Outcome::NotMet).map(|c| c.clause.clone()).collect(),
        })
    }

    fn protected(&self, profile: &pets::profile::Profile) -> Result<Protected, ProtectError> {
        let knowledge = knowledge()?;
        let request = Request { batches: &self.batches, dictionary: &self.dictionary, profile, knowledge: &knowledge, key: None };
        pets::protect::protect(request).map_err(ProtectError::NotProtected)
    }

    /// Makes the release of a profile as it is written, and evaluates the profile on the released data.
    pub fn certified(&self, id: &str) -> Result<Sealable, ProtectError> {
        let profile = profile(id)?;
        let out = self.protected(&profile)?;
        let beside = Beside { plan: Some(&out.plan), original: Some(&self.batches), ..Beside::default() };
        let (_, report) = pets::report::certify(&profile, &self.dictionary, &out.batches, &knowledge()?, &beside)
            .map_err(ProtectError::NotCertified)?;
        let encoding = |e: &dyn std::fmt::Display| ProtectError::Encoding(e.to_string());
        let bytes = report.bytes().map_err(|e| encoding(&e))?;
        let release = super::csv(&out.batches).map_err(|e| encoding(&e))?;
        Ok(Sealable { report, bytes, release })
    }

    /// Asks a question under differential privacy. The loss is spent from the piece's ledger in the book before anything is
    /// drawn; the ledger is opened with the whole budget where there is none.
    pub fn ask(&self, question: &Question, cost: &Cost, book: &mut Book) -> Result<Answers, ProtectError> {
        let (table, unit) = (self.content.to_string(), question.person.unit());
        let dataset = book.known_as(&table, &table).unwrap_or(table);
        if book.find(&dataset, BENCH, unit).is_none() {
            if book.ledgers().len() >= LEDGERS_MAX {
                return Err(ProtectError::Book(format!("a book has at most {LEDGERS_MAX} budgets")));
            }
            book.open(Ledger::open(&dataset, BENCH, unit, cost.budget));
        }
        let ledger = book.find(&dataset, BENCH, unit).ok_or_else(|| ProtectError::Book("no budget is open".into()))?;
        spend::answered(question, &self.batches, cost.rho, ledger, cost.on)
    }

    /// The same from a book on the disk, which is richer by the loss before the answer is seen.
    pub fn ask_from(&self, question: &Question, cost: &Cost, book: &Path) -> Result<Answers, ProtectError> {
        spend::spent(book, |book| self.ask(question, cost, book))
    }

    /// The piece's ledger in a book, if something was asked.
    pub fn ledger(&self, book: &Book, unit: &str) -> Option<Ledger> {
        let table = self.content.to_string();
        let dataset = book.name_of(&table).unwrap_or(&table);
        book.ledgers().iter().find(|l| l.dataset == dataset && l.recipient == BENCH && l.unit == unit).cloned()
    }

    /// How many records have each value of a column, exactly: for the holder's eyes beside a noisy answer.
    pub fn counted(&self, column: &str) -> BTreeMap<String, u64> {
        let mut out = BTreeMap::new();
        for batch in &self.batches {
            let Some(cells) = batch.column_by_name(column).and_then(Cells::of) else { continue };
            for text in (0..batch.num_rows()).filter_map(|row| cells.text(row)) {
                *out.entry(text.into_owned()).or_default() += 1;
            }
        }
        out
    }
}

/// A digest that names a piece, short enough for a list.
pub fn short(id: &str) -> String {
    id.parse::<Digest>().map_or_else(|_| id.to_string(), |d| d.short())
}

fn study() -> Result<RecordBatch, ProtectError> {
    // The file has no quotes.
    let mut lines = STUDY.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |i: usize| {
        let value = |row: &Vec<&str>| row.get(i).copied().filter(|v| !v.is_empty()).map(str::to_string);
        Arc::new(rows.iter().map(value).collect::<StringArray>()) as ArrayRef
    };
    RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i))))
        .map_err(|e| ProtectError::Encoding(e.to_string()))
}

fn sizes(columns: &[String], batches: &[RecordBatch]) -> Result<Sizes, ProtectError> {
    let mut classes = Classes::of(columns, &[]);
    for batch in batches {
        classes.push(batch).map_err(|e| ProtectError::NotProtected(e.into()))?;
    }
    Ok(classes.measure().sizes)
}

impl Risk {
    fn of(sizes: &Sizes) -> Self {
        Self { records: sizes.records(), k: sizes.k(), alone: sizes.uniques(), most: sizes.risk_max(), average: sizes.risk_average() }
    }
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|f| f.name().clone()).collect()
}

fn first(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let cells: Vec<_> = batch.columns().iter().map(Cells::of).collect();
    let row = |row: usize| cells.iter().map(|c| c.as_ref().and_then(|c| c.text(row)).map(|t| t.into_owned())).collect();
    (0..batch.num_rows().min(SHOWN)).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pets::dp::{Person, What};

    #[test]
    fn a_loss_is_on_the_disk_before_the_answer_and_no_start_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.book.json");
        let r = |t: &str| t.parse::<Ratio>().unwrap();
        let cost = |rho: &str| Cost { rho: r(rho), budget: r("1"), on: CivilDate::of(2026, 11, 23).unwrap() };
        let question = Question { by: vec!["sex".into()], groups: vec![vec!["female".into()]], what: What::Count, person: Person::Row };
        let text = "age,sex\n30,female\n31,male\n";
        let left = || Piece::pasted(text).unwrap().ledger(&spend::book(&path).unwrap().unwrap(), "row").unwrap().left();
        Piece::pasted(text).unwrap().ask_from(&question, &cost("1/4"), &path).unwrap();
        assert_eq!(left(), r("3/4"));
        // What a death in the middle of writing leaves behind is no book.
        std::fs::write(folder.path().join("bench.book.json.part"), "{").unwrap();
        Piece::pasted(text).unwrap().ask_from(&question, &cost("1/2"), &path).unwrap();
        assert_eq!(left(), r("1/4"));
        let spent = Piece::pasted(text).unwrap().ask_from(&question, &cost("1/2"), &path);
        assert!(matches!(spent, Err(ProtectError::Refused(pets::dp::Refused::BudgetSpent { .. }))));
        // Where the loss cannot be written, there is no answer; a book that does not read gives none either.
        std::fs::create_dir(folder.path().join("bench.book.json.part")).unwrap();
        assert_eq!(Piece::pasted(text).unwrap().ask_from(&question, &cost("1/8"), &path).unwrap_err().code(), "TGT-N006");
        assert_eq!(left(), r("1/4"));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Piece::pasted(text).unwrap().ask_from(&question, &cost("1/8"), &path).unwrap_err().code(), "TGT-N006");
        // The order of rows makes no other table, and the study pasted is the study.
        let whole = |id: &Piece| id.content;
        assert_eq!(whole(&Piece::pasted("age,sex\n31,male\n30,female\n").unwrap()), whole(&Piece::pasted(text).unwrap()));
        assert_eq!(whole(&Piece::pasted(STUDY).unwrap()), whole(&Piece::study().unwrap()));
    }
}
