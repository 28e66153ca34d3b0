//! The bench: the study that ships with the program or a table of one's own, protected with another k, what each law says
//! of it then, and answers about it with noise.

use super::{
    State,
    asked::{Asked, Pairs, too_many},
    principal::{Ask, Bearer},
};
use crate::problem::{Kind, Problem};
use axum::{Json, extract::{Query, State as Held}, http::{StatusCode, header}, response::{IntoResponse, Response}};
use decide::{decision::Verdict, engine::Engine};
use model::{AsOf, fact::Said, transfer::Transfer};
use node::protect::{ProtectError, STUDY_ID, Sealable, Tried};
use pets::dictionary::Role;
use rulebook::book::parse_said;
use serde::Serialize;

mod shelf;

pub use shelf::{Asking, Privacy, Shelf, noise};

/// Where the release might go, unless a place is asked for: one of each family of laws.
pub const PLACES: [&str; 9] = ["JP", "US", "DE", "GB", "CH", "KR", "SG", "BR", "IN"];
/// Profiles that a rule knows as a measured fact.
pub const PROFILES: [&str; 5] = ["jp-anonymised", "jp-pseudonymised", "eu-wp216-k11", "ema-0070", "hipaa-safe-harbor"];
/// What is so of the study, unless something else is said.
const STUDY_FACTS: [(&str, &str); 12] = [
    ("data.categories", "{health}"),
    ("data.about_people", "yes"),
    ("data.official_class", "{}"),
    ("data.received_from", "{own}"),
    ("hop.mode", "{send_copy}"),
    ("hop.purpose", "{research}"),
    ("hop.separate_person", "yes"),
    ("hop.foreign_authority_asks", "no"),
    ("hop.regularity", "once"),
    ("subjects.employees", "no"),
    ("exporter.capacity", "{controller, research_body}"),
    ("data.identifiable_for_exporter", "not_reasonably"),
];

/// What is asked of the bench.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The table: the study, or one of one's own.
    pub table: String,
    /// The profile.
    pub profile: String,
    /// The smallest class.
    pub k: u64,
    /// Facts beside the study's, and the day.
    pub asked: Asked,
}

/// What the law of each place says, of the table and of the release.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Where to.
    pub place: String,
    /// Of the table as it is.
    pub raw: Verdict,
    /// Of the release, with its report where the profile holds.
    pub released: Verdict,
}

/// A try and its verdicts.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The table.
    pub table: String,
    /// The measured part.
    #[serde(flatten)]
    pub tried: Tried,
    /// From where.
    pub from: String,
    /// By destination.
    pub verdicts: Vec<Judged>,
    /// What was spent of the table's privacy here, and for what.
    pub privacy: Privacy,
}

/// A table that was put on the bench.
#[derive(Clone, Debug, Serialize)]
pub struct Put {
    /// By what it is asked for.
    pub table: String,
    /// Records.
    pub records: usize,
    /// Columns and what the scan takes them for.
    pub columns: Vec<(String, Role)>,
}

impl Bench {
    /// Reads `table`, `profile`, `k`, `from` and further facts; what is absent has a usual value.
    pub fn read(state: &State, pairs: &Pairs) -> Result<Self, Problem> {
        let find = |name: &str| pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str());
        let profile = find("profile").unwrap_or("jp-anonymised");
        if !PROFILES.contains(&profile) {
            return Err(Problem::of(Kind::NotFound, format!("no profile `{profile}` on the bench; there are {}", PROFILES.join(", "))));
        }
        let most = node::protect::K_MAX;
        let k = match find("k").map(str::parse::<u64>) {
            None => 11,
            Some(Ok(k)) if (2..=most).contains(&k) => k,
            Some(_) => return Err(Problem::of(Kind::TransferNotUnderstood, format!("k is a whole number from 2 to {most}"))),
        };
        let table = find("table").unwrap_or(STUDY_ID).to_string();
        Ok(Self { table, profile: profile.to_string(), k, asked: Asked::read(state, pairs)? })
    }

    /// From where the release goes.
    pub fn from(&self) -> String {
        self.asked.value("exporter.place").unwrap_or_else(|| "JP".into())
    }

    /// The same question as pairs of a query, without a day that was not chosen.
    pub fn pairs(&self) -> Pairs {
        let mut pairs: Pairs = self.asked.pairs().into_iter().filter(|(n, _)| n != "as_of").collect();
        pairs.extend([("profile", self.profile.clone()), ("k", self.k.to_string()), ("table", self.table.clone())].map(|(n, v)| (n.to_string(), v)));
        pairs
    }

    /// Protects, then asks.
    pub async fn show(&self, state: &State, participant: &str) -> Result<Shown, Problem> {
        let (profile, k) = (self.profile.clone(), self.k);
        let piece = state.bench.piece(participant, &self.table)?;
        let (shelf, who, table) = (state.bench.clone(), participant.to_string(), self.table.clone());
        let (tried, privacy) = state.work(move || (piece.tried(&profile, k), shelf.privacy(&who, &table))).await?;
        let (tried, privacy) = (tried.map_err(|e| refused(&e))?, privacy?);
        let (bench, holds) = (self.clone(), tried.holds);
        let verdicts = state.think(move |engine| bench.verdicts(engine, holds)).await??;
        Ok(Shown { table: self.table.clone(), tried, from: self.from(), verdicts, privacy })
    }

    /// Makes a release of the profile as it is written, and evaluates the profile on it.
    pub async fn certified(&self, state: &State, participant: &str) -> Result<Sealable, Problem> {
        let (profile, piece) = (self.profile.clone(), state.bench.piece(participant, &self.table)?);
        state.work(move || piece.certified(&profile)).await?.map_err(|e| refused(&e))
    }

    fn verdicts(&self, engine: &mut Engine, holds: bool) -> Result<Vec<Judged>, Problem> {
        let from = self.from();
        let report = ("data.profile_report".to_string(), parse_said(&format!("evidenced {{{}}}", self.profile)));
        let mut out = Vec::new();
        for place in PLACES.iter().filter(|p| **p != from) {
            let mut facts = self.facts(&from, place);
            // The table as it is names people, whatever is said of the release.
            let mut raw: Vec<(String, Said)> = facts.iter().filter(|(s, _)| s != "data.identifiable_for_exporter").cloned().collect();
            raw.push(("data.identifiable_for_exporter".into(), parse_said("identified")));
            if holds {
                facts.push(report.clone());
            }
            out.push(Judged {
                place: place.to_string(),
                raw: verdict(engine, raw, self.asked.as_of)?,
                released: verdict(engine, facts, self.asked.as_of)?,
            });
        }
        Ok(out)
    }

    fn facts(&self, from: &str, to: &str) -> Vec<(String, Said)> {
        let mut facts: Vec<(String, Said)> =
            self.asked.flat.iter().filter(|(s, _)| s != "recipient.place" && s != "data.profile_report").cloned().collect();
        // What one's own table is about is nobody's to suppose.
        let own = self.table != STUDY_ID;
        let usual = STUDY_FACTS.iter().filter(|(slot, _)| !(own && *slot == "data.categories"));
        let usual = usual.map(|(slot, said)| (slot.to_string(), parse_said(said)));
        let placed = [
            ("exporter.place", from.to_string()),
            ("recipient.place", to.to_string()),
            ("exporter.targets", format!("{{{from}}}")),
            ("subjects.located_in", format!("{{{from}}}")),
        ];
        for (slot, said) in usual.chain(placed.map(|(slot, said)| (slot.to_string(), parse_said(&said)))) {
            if !facts.iter().any(|(s, _)| *s == slot) {
                facts.push((slot, said));
            }
        }
        facts
    }
}

fn verdict(engine: &mut Engine, facts: Vec<(String, Said)>, as_of: AsOf) -> Result<Verdict, Problem> {
    let bound = engine.book.bind(&Transfer::single(facts)).map_err(|f| Problem::findings(&f))?;
    engine.verdict(&bound, as_of).map_err(too_many)
}

/// Why the bench gives no answer, as a problem: what a person can mend is theirs, the rest is ours.
fn refused(e: &ProtectError) -> Problem {
    match e {
        ProtectError::Refused(why) => Problem::of(Kind::ActRefused, why.to_string()),
        ProtectError::Table(_) | ProtectError::Document(_) | ProtectError::NoHeader(_) => Problem::of(Kind::ListNotRead, e.to_string()),
        ProtectError::NotProtected(_) | ProtectError::NotCertified(_) => Problem::of(Kind::ActNotUnderstood, e.to_string()),
        _ => Problem::of(Kind::WentWrong, e.code()),
    }
}

/// The study that ships with the program, or a table of one's own, protected with another k, and what each law says of it.
#[utoipa::path(get, path = "/v1/bench", tag = "checks", security(("token" = [])),
    params(("profile" = Option<String>, Query, description = "a profile that a rule knows; jp-anonymised when absent"),
        ("k" = Option<u64>, Query, description = "the smallest class, 2 to 500; 11 when absent"),
        ("table" = Option<String>, Query, description = "a table that was put on the bench; the study when absent"),
        ("exporter.place" = Option<String>, Query, description = "from where; JP when absent. Further facts as in a check")),
    responses((status = 200, description = "risk before and after, what each column lost, a few records, verdicts by destination, what was spent of privacy", body = Object),
        (status = 404, description = "no such profile or table on the bench", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "no such k", body = Problem, content_type = "application/problem+json")))]
pub async fn get(Held(state): Held<State>, who: Bearer<Ask>, Query(pairs): Query<Pairs>) -> Result<Json<Shown>, Problem> {
    Ok(Json(Bench::read(&state, &pairs)?.show(&state, &who.principal.participant).await?))
}

/// Puts a table on the bench: CSV with a header, at most 1 MiB and 20,000 records. It is kept in memory only, for who sent it.
#[utoipa::path(post, path = "/v1/bench/tables", tag = "checks", security(("token" = [])), request_body(content = String, content_type = "text/csv"),
    responses((status = 201, description = "its name, and what the scan takes its columns for", body = Object),
        (status = 422, description = "no table, or too large", body = Problem, content_type = "application/problem+json")))]
pub async fn put(Held(state): Held<State>, who: Bearer<Ask>, text: String) -> Result<(StatusCode, Json<Put>), Problem> {
    Ok((StatusCode::CREATED, Json(put_on(&state, &who.principal.participant, text).await?)))
}

/// Reads a table and puts it on the shelf.
pub async fn put_on(state: &State, participant: &str, text: String) -> Result<Put, Problem> {
    let piece = state.work(move || node::protect::Piece::pasted(&text)).await?.map_err(|e| refused(&e))?;
    let put = Put { table: piece.id.clone(), records: piece.records(), columns: piece.columns() };
    state.bench.put(participant, piece);
    Ok(put)
}

/// Asks a question about a table on the bench under differential privacy; the loss is noted before the answer is given.
#[utoipa::path(post, path = "/v1/bench/answers", tag = "checks", security(("token" = [])), request_body(content = Asking),
    responses((status = 200, description = "the ledger, and the last answers, newest first", body = Object),
        (status = 409, description = "the budget does not cover it, or no bound follows", body = Problem, content_type = "application/problem+json")))]
pub async fn ask(Held(state): Held<State>, who: Bearer<Ask>, Json(asking): Json<Asking>) -> Result<Json<Privacy>, Problem> {
    Ok(Json(ask_of(&state, &who.principal.participant, asking).await?))
}

/// Asks, off the threads that serve.
pub async fn ask_of(state: &State, participant: &str, asking: Asking) -> Result<Privacy, Problem> {
    let (shelf, participant, on) = (state.bench.clone(), participant.to_string(), state.day());
    state.work(move || shelf.ask(&participant, &asking, on)).await?
}

/// The report on the release of a profile as it is written, in its canonical bytes.
#[utoipa::path(get, path = "/v1/bench/report", tag = "checks", security(("token" = [])),
    params(("profile" = Option<String>, Query, description = "as on the bench"), ("table" = Option<String>, Query, description = "as on the bench")),
    responses((status = 200, description = "`exact` is reproduced bit for bit by a second implementation; `observed` has its tolerance", body = Object)))]
pub async fn report(Held(state): Held<State>, who: Bearer<Ask>, Query(pairs): Query<Pairs>) -> Result<Response, Problem> {
    let made = Bench::read(&state, &pairs)?.certified(&state, &who.principal.participant).await?;
    Ok(file("report.json", "application/json", made.bytes))
}

/// The release of a profile as it is written.
#[utoipa::path(get, path = "/v1/bench/release", tag = "checks", security(("token" = [])),
    params(("profile" = Option<String>, Query, description = "as on the bench"), ("table" = Option<String>, Query, description = "as on the bench")),
    responses((status = 200, description = "the released records", body = String, content_type = "text/csv")))]
pub async fn release(Held(state): Held<State>, who: Bearer<Ask>, Query(pairs): Query<Pairs>) -> Result<Response, Problem> {
    let made = Bench::read(&state, &pairs)?.certified(&state, &who.principal.participant).await?;
    Ok(file("release.csv", "text/csv; charset=utf-8", made.release))
}

/// Bytes to keep under a name.
pub fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let keep = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_string()), (header::CONTENT_DISPOSITION, keep)], bytes).into_response()
}
