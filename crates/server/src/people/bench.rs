//! The bench: the study that ships with the program, protected with another k, and what each law says of it then.

use super::{
    State,
    asked::{Asked, Pairs, too_many},
    principal::{Ask, Bearer},
};
use crate::problem::{Kind, Problem};
use axum::{Json, extract::{Query, State as Held}};
use decide::{decision::Verdict, engine::Engine};
use model::{AsOf, fact::Said, transfer::Transfer};
use node::protect::Tried;
use rulebook::book::parse_said;
use serde::Serialize;

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
    /// The measured part.
    #[serde(flatten)]
    pub tried: Tried,
    /// From where.
    pub from: String,
    /// By destination.
    pub verdicts: Vec<Judged>,
}

impl Bench {
    /// Reads `profile`, `k`, `from` and further facts; what is absent has a usual value.
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
        Ok(Self { profile: profile.to_string(), k, asked: Asked::read(state, pairs)? })
    }

    /// From where the release goes.
    pub fn from(&self) -> String {
        self.asked.value("exporter.place").unwrap_or_else(|| "JP".into())
    }

    /// Protects, then asks.
    pub async fn show(&self, state: &State) -> Result<Shown, Problem> {
        let (profile, k) = (self.profile.clone(), self.k);
        let tried = state.work(move || node::protect::bench(&profile, k)).await?;
        let tried = tried.map_err(|e| Problem::of(Kind::WentWrong, e.code()))?;
        let (bench, holds) = (self.clone(), tried.holds);
        let verdicts = state.think(move |engine| bench.verdicts(engine, holds)).await??;
        Ok(Shown { tried, from: self.from(), verdicts })
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
        let usual = STUDY_FACTS.iter().map(|(slot, said)| (slot.to_string(), parse_said(said)));
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

/// The study that ships with the program, protected with another k, and what each law says of it.
#[utoipa::path(get, path = "/v1/bench", tag = "checks", security(("token" = [])),
    params(("profile" = Option<String>, Query, description = "a profile that a rule knows; jp-anonymised when absent"),
        ("k" = Option<u64>, Query, description = "the smallest class, 2 to 500; 11 when absent"),
        ("exporter.place" = Option<String>, Query, description = "from where; JP when absent. Further facts as in a check")),
    responses((status = 200, description = "risk before and after, what each column lost, a few records, verdicts by destination", body = Object),
        (status = 404, description = "no such profile on the bench", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "no such k", body = Problem, content_type = "application/problem+json")))]
pub async fn get(Held(state): Held<State>, _who: Bearer<Ask>, Query(pairs): Query<Pairs>) -> Result<Json<Shown>, Problem> {
    Ok(Json(Bench::read(&state, &pairs)?.show(&state).await?))
}
