//! Questions under differential privacy: the book of budgets is on the disk, richer by the loss, before an answer is seen.

use super::ProtectError;
use arrow_array::RecordBatch;
use dataplane::table::Table;
use model::{CivilDate, Digest, canonical};
use pets::dp::{Answers, Book, Ledger, Question};
use pets::ratio::Ratio;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn wrong(path: &Path, why: impl std::fmt::Display) -> ProtectError {
    ProtectError::Book(format!("`{}`: {why}", path.display()))
}

/// LIMIT: bytes of a book.
const BOOK_BYTES_MAX: u64 = 64 << 20;

/// Reads a book of budgets; none when there is no such file.
pub fn book(path: &Path) -> Result<Option<Book>, ProtectError> {
    match fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(wrong(path, e)),
        Ok(meta) if meta.len() > BOOK_BYTES_MAX => return Err(wrong(path, "is larger than 64 MiB")),
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(|e| wrong(path, e))?;
    let book: Book =
        serde_json::from_slice(&bytes).map_err(|e| wrong(path, format!("is no book of budgets: line {}", e.line())))?;
    match book.is_of_this_form() {
        true => Ok(Some(book)),
        false => Err(wrong(path, "is a book of another form")),
    }
}

/// One process at a time: what two spend at once would be spent once.
fn alone(path: &Path) -> Result<File, ProtectError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".lock");
    let lock = path.with_file_name(name);
    let file = File::options().create(true).truncate(false).write(true).open(&lock).map_err(|e| wrong(&lock, e))?;
    file.lock().map_err(|e| wrong(&lock, e))?;
    Ok(file)
}

// INVARIANT: when this returns, the book is on the disk; a crash after it loses the answer, never the loss.
fn keep(path: &Path, book: &Book) -> Result<(), ProtectError> {
    let bytes = canonical::to_bytes(book).map_err(|e| wrong(path, e))?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part).map_err(|e| wrong(&part, e))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| wrong(&part, e))?;
    fs::rename(&part, path).map_err(|e| wrong(path, e))?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), PathBuf::from);
    File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| wrong(&folder, e))
}

/// Opens a ledger in a book, which is made if it is not there.
pub fn open_ledger(path: &Path, ledger: Ledger) -> Result<(), ProtectError> {
    let name = format!("{} / {} / {}", ledger.dataset, ledger.recipient, ledger.unit);
    spent(path, |book| match book.open(ledger) {
        true => Ok(()),
        false => Err(wrong(path, format!("the budget of {name} is there already; a budget is set once"))),
    })
}

/// What is spent, by whom, from where.
#[derive(Debug, Clone)]
pub struct Spending<'a> {
    /// The book.
    pub book: &'a Path,
    /// The dataset's name in it.
    pub dataset: &'a str,
    /// Who gets the answer.
    pub recipient: &'a str,
    /// The loss (zCDP ρ).
    pub rho: Ratio,
    /// The day that the book notes.
    pub on: CivilDate,
}

/// Asks a question about a table. Returns the answers and what is left; a refusal costs nothing.
pub fn ask(path: &Path, question: &Question, spending: &Spending<'_>) -> Result<(Answers, Ledger), ProtectError> {
    let _lock = alone(spending.book)?;
    let mut book = book(spending.book)?.ok_or_else(|| wrong(spending.book, "there is no such book; open a budget first"))?;
    let batches = Table::open(path, None)?.all()?;
    let table: Digest = pets::report::content(&batches);
    if let Some(other) = book.known_as(&table.to_string(), spending.dataset) {
        return Err(wrong(spending.book, format!("this table has its budget as `{other}`, not as `{}`", spending.dataset)));
    }
    let unit = question.person.unit();
    let ledger = book.find(spending.dataset, spending.recipient, unit).ok_or_else(|| {
        wrong(spending.book, format!("no budget is open for {} / {} / {unit}", spending.dataset, spending.recipient))
    })?;
    let answers = answered(question, &batches, spending.rho, ledger, spending.on)?;
    let left = ledger.clone();
    keep(spending.book, &book)?;
    Ok((answers, left))
}

/// Spends from a ledger and draws. Where the system gives no random bytes, no answer is seen.
pub(super) fn answered(
    question: &Question,
    batches: &[RecordBatch],
    rho: Ratio,
    ledger: &mut Ledger,
    on: CivilDate,
) -> Result<Answers, ProtectError> {
    let (mut pool, mut broken) = (Pool::new(), false);
    let mut source = |out: &mut [u8]| broken |= pool.fill(out).is_err();
    let answers = pets::dp::ask(question, batches, rho, ledger, on, &mut source).map_err(ProtectError::Refused)?;
    if broken { Err(ProtectError::Refused(pets::dp::Refused::Randomness)) } else { Ok(answers) }
}

/// Spends from a book that need not be there yet: as it will be on the disk when this returns.
pub(super) fn spent<T>(path: &Path, spend: impl FnOnce(&mut Book) -> Result<T, ProtectError>) -> Result<T, ProtectError> {
    let _lock = alone(path)?;
    let mut book = book(path)?.unwrap_or_default();
    let done = spend(&mut book)?;
    keep(path, &book)?;
    Ok(done)
}

const POOL_BYTES: usize = 4096;

/// Random bytes of the operating system, fetched in larger pieces. Nothing of them is kept: no seed, no noise.
pub(super) struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { bytes: [0; POOL_BYTES], used: POOL_BYTES }
    }

    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<(), getrandom::Error> {
        for byte in out {
            if self.used == POOL_BYTES {
                getrandom::fill(&mut self.bytes)?;
                self.used = 0;
            }
            if let Some(fresh) = self.bytes.get_mut(self.used) {
                *byte = std::mem::take(fresh);
            }
            self.used += 1;
        }
        Ok(())
    }
}
