//! Look at a table and make a release of it: files and profiles around the pure room `pets`.

use dataplane::{
    encode::{Encoder, Encoding},
    sheet::SheetError,
    table::Table,
};
use arrow_array::RecordBatch;
use model::Digest;
use pets::{
    catalogue::Catalogue,
    classify::{Knowledge, Scan, Scanner},
    dictionary::{Dictionary, Role},
    profile::{Meet, Profile},
    protect::{Ladders, Method, Protected, Request},
    pseudonym::DomainKey,
    whole::{NotDone, Steps},
    words::Words,
};
use std::{fmt, path::Path};

mod across;
mod bench;
mod certify;
mod large;
mod outside;
mod part;
mod shares;
mod spend;

pub use across::across;
pub use bench::{BENCH, Cost, K_MAX, PIECE_BYTES_MAX, Piece, Risk, STUDY_ID, Sealable, Tried, short};
pub use certify::{Certified, Sources, certify, seal};
pub use large::{Outsize, Written, protect_outsize};
pub use outside::{Measuring, measure};
pub use part::{Parted, linked, separate};
pub use shares::{joined, reveal, share};
pub use spend::{Spending, ask, book, open_ledger};

/// The profiles that ship with the program: id and text.
pub const PROFILES: [(&str, &str); 8] = [
    ("jp-anonymised", include_str!("../../../profiles/jp-anonymised.toml")),
    ("jp-pseudonymised", include_str!("../../../profiles/jp-pseudonymised.toml")),
    ("hipaa-safe-harbor", include_str!("../../../profiles/hipaa-safe-harbor.toml")),
    ("eu-wp216", include_str!("../../../profiles/eu-wp216.toml")),
    ("eu-wp216-k11", include_str!("../../../profiles/eu-wp216-k11.toml")),
    ("ema-0070", include_str!("../../../profiles/ema-0070.toml")),
    ("sg-pdpc", include_str!("../../../profiles/sg-pdpc.toml")),
    ("jp-eu-medical-research", include_str!("../../../profiles/jp-eu-medical-research.toml")),
];

/// Why a table could not be looked at or protected.
#[derive(Debug)]
pub enum ProtectError {
    /// The table.
    Table(SheetError),
    /// What the detectors know does not read.
    Knowledge(String),
    /// A profile, dictionary or plan does not read.
    Document(String),
    /// A step on the whole table could not be done.
    NotDone(NotDone),
    /// The data could not be protected.
    NotProtected(pets::protect::NotProtected),
    /// A release could not be evaluated.
    NotCertified(pets::report::NotCertified),
    /// Releases could not be measured together.
    NotTogether(pets::across::NotTogether),
    /// Parts of a large table could not be kept beside it.
    Spill(String),
    /// A secret could not be shared or joined.
    NotShared(pets::shares::NotShared),
    /// A seal could not be made.
    Seal(String),
    /// The table could not be separated.
    NotSeparated(pets::separate::NotSeparated),
    /// Two parts and a link proof do not belong together.
    NotLinked(pets::separate::NotLinked),
    /// A question under differential privacy got no answer.
    Refused(pets::dp::Refused),
    /// The book of privacy budgets; what is wrong with it.
    Book(String),
    /// The first row has cells that look like values; the length of one.
    NoHeader(usize),
    /// The release could not be written as bytes.
    Encoding(String),
}

impl ProtectError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Table(e) => e.code(),
            Self::Knowledge(_) => "TGT-N001",
            Self::Document(_) => "TGT-N002",
            Self::Seal(_) => "TGT-N007",
            Self::NotProtected(_) | Self::NotSeparated(_) | Self::NotCertified(_) | Self::NotTogether(_) => "TGT-N003",
            Self::NotDone(e) => e.code(),
            Self::NotLinked(e) => e.code(),
            Self::NotShared(e) => e.code(),
            Self::Refused(e) => e.code(),
            Self::Book(_) => "TGT-N006",
            Self::Encoding(_) | Self::Spill(_) => "TGT-N004",
            Self::NoHeader(_) => "TGT-N005",
        }
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(e) => e.fmt(f),
            Self::NoHeader(n) => write!(f, "the first row looks like data, not like names of columns (a cell of {n} characters); add a header row"),
            Self::Knowledge(e) | Self::Document(e) | Self::Encoding(e) => f.write_str(e),
            Self::NotDone(e) => e.fmt(f),
            Self::NotProtected(e) => e.fmt(f),
            Self::NotSeparated(e) => e.fmt(f),
            Self::NotLinked(e) => e.fmt(f),
            Self::Refused(e) => e.fmt(f),
            Self::Book(e) | Self::Seal(e) | Self::Spill(e) => f.write_str(e),
            Self::NotCertified(e) => e.fmt(f),
            Self::NotShared(e) => e.fmt(f),
            Self::NotTogether(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for ProtectError {}

impl From<SheetError> for ProtectError {
    fn from(e: SheetError) -> Self {
        Self::Table(e)
    }
}

/// What the detectors know, from the files of the house.
pub fn knowledge() -> Result<Knowledge, ProtectError> {
    let wrong = |what: &str, e: &dyn fmt::Display| ProtectError::Knowledge(format!("{what}: {e}"));
    Ok(Knowledge {
        catalogue: Catalogue::parse(include_str!("../../../profiles/identifiers.toml")).map_err(|e| wrong("identifiers", &e))?,
        words: Words::parse(include_str!("../../../profiles/words.toml")).map_err(|e| wrong("words", &e))?.with_names(pets::words::NameLists {
            given: include_str!("../../../profiles/names/given-latin.txt"),
            family: include_str!("../../../profiles/names/family-latin.txt"),
            given_ja: include_str!("../../../profiles/names/given-ja.txt"),
            family_ja: include_str!("../../../profiles/names/family-ja.txt"),
            given_scripts: include_str!("../../../profiles/names/given-scripts.txt"),
            family_scripts: include_str!("../../../profiles/names/family-scripts.txt"),
            kana: include_str!("../../../profiles/names/kana.txt"),
            towns: include_str!("../../../profiles/names/towns.txt"),
        }),
        ladders: Ladders::parse(include_str!("../../../profiles/ladders.toml")).map_err(|e| wrong("ladders", &e))?,
    })
}

/// Looks at a table of any size, batch by batch.
pub fn scan(path: &Path, knowledge: &Knowledge) -> Result<Scan, ProtectError> {
    let mut table = Table::open(path, None)?;
    let mut scanner = Scanner::new(table.schema());
    if let Some(cell) = table.schema().fields().iter().map(|f| f.name()).find(|n| looks_like_data(n)) {
        // The cell is somebody's; only its length is said.
        return Err(ProtectError::NoHeader(cell.chars().count()));
    }
    while let Some(batch) = table.batch()? {
        scanner.push(&batch);
    }
    let mut found = scanner.finish(knowledge);
    be_cautious(&mut found, knowledge);
    Ok(found)
}

/// Looks at running text: the text, and where it points at persons.
pub fn scan_text(path: &Path, knowledge: &Knowledge) -> Result<(String, Vec<pets::text::Spot>), ProtectError> {
    let text = dataplane::sheet::text(path, None)?;
    let spots = pets::text::find(&text, knowledge);
    Ok((text, spots))
}

/// Digits in a row of names from which on they are a value, if they are most of it.
const VALUE_DIGITS_MIN: usize = 4;
// LIMIT: digits of a code that names a column; a person's or an article's number has more.
const HEADER_CODE_DIGITS_MAX: usize = 4;
/// The years that name columns.
const HEADER_YEARS: std::ops::Range<u32> = 1900..2100;

/// Whether a header cell is rather a value: a mail address, or mostly digits. A year is no value, nor is a short code that begins
/// with a letter: tables of statistics and surveys have columns `2019` and `V1234`.
fn looks_like_data(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let is_year = digits == 4 && name.parse::<u32>().is_ok_and(|year| HEADER_YEARS.contains(&year));
    let is_code = digits <= HEADER_CODE_DIGITS_MAX && name.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_number = digits >= VALUE_DIGITS_MIN && digits * 2 > name.chars().count() && !is_year && !is_code;
    (name.contains('@') && name.contains('.')) || is_number
}

/// Where the proposal is mild and the column is not, the proposal is made stricter; a person may loosen it again.
fn be_cautious(found: &mut Scan, knowledge: &Knowledge) {
    let personal = found.columns.iter().any(|f| !matches!(f.role, Role::Attribute | Role::NonPersonal));
    let singles_out: Vec<String> =
        found.singling_out.iter().filter(|s| s.columns.len() == 1 && s.uniques * 20 > s.of).flat_map(|s| s.columns.clone()).collect();
    for f in found.columns.iter_mut().filter(|f| matches!(f.role, Role::Attribute | Role::NonPersonal)) {
        let header = knowledge.words.header(&f.column);
        // A header that names an identifier outright is believed even where its values are unusual.
        let announced = knowledge.words.kinds().iter().find(|k| {
            k.role.identifies_alone() && knowledge.words.announced(&header, &k.headers, &k.unless).is_some_and(|a| a.whole)
        });
        if let Some(kind) = announced {
            f.role = kind.role;
        } else if personal && f.found.as_ref().is_some_and(|c| c.kind == "time") {
            // A day beside people is a day of somebody's life.
            f.role = Role::QuasiIdentifier;
            if let Some(c) = f.found.as_mut() {
                c.kind = "event-date".into();
            }
        } else if personal && singles_out.contains(&f.column) {
            f.role = Role::QuasiIdentifier;
        }
    }
}

/// A release: what was done, the report, and the released bytes as CSV.
#[derive(Debug)]
pub struct Release {
    /// Plan, batches and report.
    pub protected: Protected,
    /// The released table.
    pub bytes: Vec<u8>,
    /// SHA-256 of the released bytes.
    pub digest: Digest,
    /// SHA-256 of the report's canonical bytes.
    pub report: Digest,
}

impl Release {
    /// The released table in the form that a file's name asks for; none for a name of no form that is written here.
    pub fn bytes_for(&self, path: &Path) -> Option<Result<Vec<u8>, ProtectError>> {
        let encoding = Encoding::of(path)?;
        Some(encoded(&self.protected.batches, encoding).map_err(|e| ProtectError::Encoding(e.to_string())))
    }
}

/// What is done to a whole table first, and how its quasi-identifiers become coarser.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// Noise, means of groups, a sample, coarser trajectories.
    pub steps: Steps,
    /// Full-domain, by class, or in halves.
    pub method: Method,
}

/// Protects a table under a profile. `corrections` is what a person said of its columns.
pub fn protect(path: &Path, profile: &Profile, corrections: Option<&Dictionary>, key: Option<&DomainKey>, knowledge: &Knowledge) -> Result<Release, ProtectError> {
    protect_by(path, profile, corrections, key, knowledge, &How::default())
}

/// The same in another way. Random bytes come from the system; nothing of them is kept.
pub fn protect_by(
    path: &Path,
    profile: &Profile,
    corrections: Option<&Dictionary>,
    key: Option<&DomainKey>,
    knowledge: &Knowledge,
    how: &How,
) -> Result<Release, ProtectError> {
    let proposed = scan(path, knowledge)?.dictionary();
    let dictionary = match corrections {
        Some(person) => proposed.corrected_by(person),
        None => proposed,
    };
    let batches = stepped(Table::open(path, None)?.all()?, &how.steps)?;
    let request = Request { batches: &batches, dictionary: &dictionary, profile, knowledge, key };
    let protected = pets::protect::protect_by(request, how.method).map_err(ProtectError::NotProtected)?;
    let bytes = csv(&protected.batches).map_err(|e| ProtectError::Encoding(e.to_string()))?;
    let report = protected.report.digest().map_err(|e| ProtectError::Encoding(e.to_string()))?;
    Ok(Release { digest: Digest::of(&bytes), report, bytes, protected })
}

fn stepped(batches: Vec<RecordBatch>, steps: &Steps) -> Result<Vec<RecordBatch>, ProtectError> {
    let (mut pool, mut broken) = (spend::Pool::new(), false);
    let mut source = |out: &mut [u8]| broken |= pool.fill(out).is_err();
    let stepped = steps.apply(&batches, &mut source).map_err(ProtectError::NotDone)?;
    if broken { Err(ProtectError::NotDone(NotDone::Randomness)) } else { Ok(stepped) }
}

fn csv(batches: &[RecordBatch]) -> Result<Vec<u8>, arrow_schema::ArrowError> {
    encoded(batches, Encoding::Csv)
}

// As text first where types are not kept, so that what was measured and what is read again later are the same values.
fn encoded(batches: &[RecordBatch], encoding: Encoding) -> Result<Vec<u8>, arrow_schema::ArrowError> {
    let mut bytes = Vec::new();
    let texts = batches.iter().map(|batch| encoded_batch(batch, encoding)).collect::<Result<Vec<_>, _>>()?;
    if let Some(first) = texts.first() {
        let mut encoder = Encoder::new(encoding, &first.schema())?;
        for batch in &texts {
            bytes.extend(encoder.push(batch)?);
        }
        bytes.extend(encoder.finish()?);
    }
    Ok(bytes)
}

fn encoded_batch(batch: &RecordBatch, encoding: Encoding) -> Result<RecordBatch, arrow_schema::ArrowError> {
    if encoding.is_typed() { Ok(batch.clone()) } else { pets::cell::as_text(batch) }
}

/// A report that was made on a release, checked against that release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The profile whose numbers are met.
    pub profile: String,
    /// SHA-256 of the report's canonical bytes, by which passes name it.
    pub report: Digest,
    /// SHA-256 of the released bytes.
    pub content: Digest,
}

/// LIMIT: bytes of a report that is read.
const REPORT_BYTES_MAX: u64 = 16 << 20;

/// Reads a report and the release that it is about: its form and profile are ours, its numbers are met, and its content
/// is that of exactly this table. It is not measured again: whoever doubts the report protects the table again.
pub fn measured(report: &Path, release: &Path) -> Result<Measured, ProtectError> {
    let wrong = |why: String| ProtectError::Document(format!("`{}` {why}", report.display()));
    let unreadable = |path: &Path, e: std::io::Error| ProtectError::Document(format!("cannot read `{}`: {e}", path.display()));
    let size = std::fs::metadata(report).map_err(|e| unreadable(report, e))?.len();
    if size > REPORT_BYTES_MAX {
        return Err(wrong("is larger than 16 MiB".into()));
    }
    let text = std::fs::read_to_string(report).map_err(|e| unreadable(report, e))?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| wrong(format!("is no report: {e}")))?;
    let said = |pointer: &str| value.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_string();
    if said("/exact/form") != pets::report::FORM {
        return Err(wrong(format!("is no report of the form {}", pets::report::FORM)));
    }
    let (id, version) = (said("/exact/profile/id"), said("/exact/profile/digest"));
    let known = profile(&id)?;
    if known.digest.to_string() != version {
        return Err(wrong(format!("speaks of another text of the profile `{id}` than this program has")));
    }
    if said("/exact/outcome") != "met" || said("/observed/outcome") != "met" {
        return Err(wrong(format!("says that the numbers of `{id}` are not met")));
    }
    let batches = Table::open(release, None)?.all()?;
    if pets::report::content(&batches).to_string() != said("/exact/content") {
        return Err(wrong(format!("is about another table than `{}`", release.display())));
    }
    let bytes = model::canonical::to_bytes(&value).map_err(|e| wrong(format!("is no report: {e}")))?;
    let content = std::fs::read(release).map_err(|e| unreadable(release, e))?;
    Ok(Measured { profile: id, report: Digest::of(&bytes), content: Digest::of(&content) })
}

/// LIMIT: profiles joined by `+`.
const JOINED_MAX: usize = 8;

/// A profile by id or file; several joined by `+` are one that demands what each does.
pub fn profile(name: &str) -> Result<Profile, ProtectError> {
    match name.contains('+') && !Path::new(name).exists() {
        true => meet(&name.split('+').collect::<Vec<_>>()).map(|m| m.profile),
        false => one_profile(name),
    }
}

/// Several profiles as one, and which clause of which binds.
pub fn meet(names: &[&str]) -> Result<Meet, ProtectError> {
    if names.len() < 2 || names.len() > JOINED_MAX {
        return Err(ProtectError::Document(format!("two to {JOINED_MAX} profiles are joined, not {}", names.len())));
    }
    let profiles = names.iter().map(|n| one_profile(n)).collect::<Result<Vec<_>, _>>()?;
    Profile::meet_all(&profiles).ok_or_else(|| ProtectError::Document(format!("there is no day on which {} are all valid", names.join(" and "))))
}

fn one_profile(name: &str) -> Result<Profile, ProtectError> {
    let text = match PROFILES.iter().find(|(id, _)| *id == name) {
        Some((_, text)) => text.to_string(),
        None => std::fs::read_to_string(name).map_err(|_| {
            let ids: Vec<&str> = PROFILES.iter().map(|(id, _)| *id).collect();
            ProtectError::Document(format!("`{name}` is no profile and no file; profiles: {}", ids.join(", ")))
        })?,
    };
    let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    Profile::parse(&text).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(|fault| format!("line {}: {fault}", line(fault.span.start))).collect();
        ProtectError::Document(format!("`{name}` {}", told.join("; ")))
    })
}
