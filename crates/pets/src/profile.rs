//! PET profiles: documents that authorities can agree on, and that a program can evaluate.

use crate::attack::Attack;
use crate::dictionary::{Entry, Role};
use crate::number::Decimal;
use crate::plan::{Act, DateUnit, Technique};
use crate::ratio::Ratio;
use model::text::Text;
use model::{CivilDate, Digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use toml::Spanned;

mod faults;
mod meet;

pub use meet::{Binding, Meet};

/// A profile, checked.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Stable name: `jp-anonymised`.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// For people.
    pub title: Text,
    /// First day on which it may be used.
    pub valid_from: CivilDate,
    /// Last day on which it may be used; a profile always expires.
    pub valid_until: CivilDate,
    /// Who would have to agree, and the effect that each claims.
    pub authorities: Vec<Authority>,
    /// The environment that the numbers are meant for.
    pub release: Release,
    /// What is demanded.
    pub clauses: Vec<Clause>,
    /// Digest of the document's bytes.
    pub digest: Digest,
}

/// An authority and the legal effect that it attaches. A claim, until a rule cites the power for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Whose law.
    pub jurisdiction: String,
    /// Its name.
    pub name: Text,
    /// The effect.
    pub claims: Text,
    /// The provisions that carry it.
    pub power: String,
    /// Whether it has co-signed this profile.
    pub agreed: bool,
}

/// Where the data may go (ISO/IEC 27559, 6): the environment is a part of the measure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// How it is released.
    pub model: ReleaseModel,
    /// To whom.
    pub recipient: Text,
    /// What one record stands for.
    pub person: String,
}

/// How data are released.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseModel {
    /// To anyone.
    Public,
    /// To named recipients under contract.
    Registered,
    /// Inside a controlled room.
    Enclave,
    /// The question comes to the data.
    ComputeToData,
    /// Counts and sums only.
    Aggregates,
}

/// One demand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Name within the profile.
    pub id: String,
    /// The provision or guidance that it rests on.
    pub cites: String,
    /// The demand in words.
    pub text: Text,
    /// The demand for the program.
    pub need: Need,
    /// True when the number was chosen by the profile and stands in no law.
    #[serde(default)]
    pub chosen: bool,
}

/// What a clause needs. A closed list: what is not here, software does not certify.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Need {
    /// Columns of these roles are treated by one of these techniques.
    Removed {
        /// Which columns.
        roles: Vec<Role>,
        /// How.
        by: Vec<Technique>,
    },
    /// Dates of these kinds go as this unit or coarser.
    Dates {
        /// Which kinds.
        kinds: Vec<String>,
        /// The finest unit.
        to: DateUnit,
    },
    /// Numbers of these kinds, from this one on, are one category.
    TopCoded {
        /// Which kinds.
        kinds: Vec<String>,
        /// The first number of the category.
        from: Decimal,
    },
    /// Codes of these kinds keep at most so many first characters.
    Prefix {
        /// Which kinds.
        kinds: Vec<String>,
        /// How many.
        keep: usize,
    },
    /// The smallest class of quasi-identifiers.
    MinClass {
        /// At least so many records.
        k: u64,
    },
    /// The greatest prosecutor risk.
    RiskMax {
        /// At most.
        most: Ratio,
    },
    /// The average prosecutor risk.
    RiskAverage {
        /// At most.
        most: Ratio,
    },
    /// Distinct values of each sensitive column in each class.
    DistinctL {
        /// At least.
        least: u64,
    },
    /// t-closeness of each sensitive column, ordered distance for numbers and equal distance for words.
    Closeness {
        /// At most.
        most: Ratio,
    },
    /// α of (α,k): the share of one sensitive value in a class.
    Alpha {
        /// At most.
        most: Ratio,
    },
    /// Basic β-likeness: the relative gain of a sensitive value's frequency in a class.
    Beta {
        /// At most.
        most: Ratio,
    },
    /// Recursive (c,2)-diversity: in each class the most frequent sensitive value occurs less than c times as often as all
    /// others together.
    Recursive {
        /// Below this.
        c: Ratio,
    },
    /// Each description in the release fits so many people of a population table.
    KMap {
        /// At least so many.
        k: u64,
    },
    /// What an attack gains by the release, at the upper 95 % bound. Observed, not exact.
    Attack {
        /// Which.
        attack: Attack,
        /// At most.
        most: Ratio,
    },
    /// Ends of numeric columns, and each word of others, are shared by so many records.
    SharedValues {
        /// Which columns.
        roles: Vec<Role>,
        /// At least.
        least: u64,
    },
    /// The detectors find no identifier in the released columns.
    NoResidual,
    /// The share of records left out.
    LeftOut {
        /// At most.
        most: Ratio,
    },
    /// A person or an authority judges; software says so and no more.
    Judgement {
        /// Who.
        by: Text,
    },
}

/// One fault in a profile, at its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: Spanned<String>,
    version: Spanned<u32>,
    title: Text,
    valid_from: Spanned<CivilDate>,
    valid_until: Spanned<CivilDate>,
    authority: Vec<Authority>,
    release: Release,
    clause: Vec<Spanned<Clause>>,
}

impl Profile {
    /// Parses a profile; every fault found is returned, each with its place.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let document: Document = toml::from_str(text).map_err(|e| {
            vec![Fault {
                span: e.span().unwrap_or(0..0),
                code: "profile/syntax",
                message: e.message().to_string(),
                help: None,
            }]
        })?;
        let faults = faults::faults(&document, text);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            id: document.id.into_inner(),
            version: document.version.into_inner(),
            title: document.title,
            valid_from: document.valid_from.into_inner(),
            valid_until: document.valid_until.into_inner(),
            authorities: document.authority,
            release: document.release,
            clauses: document.clause.into_iter().map(Spanned::into_inner).collect(),
            digest: Digest::of(text.as_bytes()),
        })
    }

    /// True on the days on which the profile may be used.
    pub fn is_valid_on(&self, day: CivilDate) -> bool {
        self.valid_from <= day && day <= self.valid_until
    }

    /// Whether the clauses about single columns permit an act on a column.
    pub fn permits(&self, entry: &Entry, act: &Act) -> bool {
        self.clauses.iter().all(|clause| clause.need.permits(entry, act))
    }

    /// The smallest class that all clauses together demand; 1 when none does.
    pub fn k(&self) -> u64 {
        let demanded = |clause: &Clause| match &clause.need {
            Need::MinClass { k } => *k,
            // The least k with 1/k not above the limit.
            Need::RiskMax { most } => {
                let (numerator, denominator) = most.parts();
                denominator.checked_div(numerator).map_or(u64::MAX, |whole| {
                    u64::try_from(whole + u128::from(whole * numerator < denominator)).unwrap_or(u64::MAX)
                })
            }
            _ => 1,
        };
        self.clauses.iter().map(demanded).max().unwrap_or(1).max(1)
    }

    /// Distinct sensitive values that a class needs; 1 when no clause says so.
    pub fn distinct_l(&self) -> u64 {
        let demanded = |clause: &Clause| if let Need::DistinctL { least } = clause.need { least } else { 1 };
        self.clauses.iter().map(demanded).max().unwrap_or(1)
    }

    /// How far a class may be from the whole; one when no clause says so.
    pub fn closeness(&self) -> Ratio {
        let demanded =
            |clause: &Clause| if let Need::Closeness { most } = clause.need { most } else { Ratio::ONE };
        self.clauses.iter().map(demanded).min().unwrap_or(Ratio::ONE)
    }

    /// The share of records that may be left out; none when no clause says so.
    pub fn left_out(&self) -> Option<Ratio> {
        self.clauses
            .iter()
            .filter_map(|clause| if let Need::LeftOut { most } = clause.need { Some(most) } else { None })
            .min()
    }

    /// The average risk allowed; one when no clause says so.
    pub fn risk_average(&self) -> Ratio {
        let demanded =
            |clause: &Clause| if let Need::RiskAverage { most } = clause.need { most } else { Ratio::ONE };
        self.clauses.iter().map(demanded).min().unwrap_or(Ratio::ONE)
    }

    /// How many records must share ends and words of a column of this role; none when no clause says so.
    pub fn shared_values(&self, role: Role) -> Option<u64> {
        let demanded = |clause: &Clause| match &clause.need {
            Need::SharedValues { roles, least } if roles.contains(&role) => Some(*least),
            _ => None,
        };
        self.clauses.iter().filter_map(demanded).max()
    }
}

impl Need {
    /// Whether this need, if it is about single columns, permits an act on a column.
    pub fn permits(&self, entry: &Entry, act: &Act) -> bool {
        if let Act::Local { of } = act {
            return of.iter().all(|act| self.permits(entry, act));
        }
        let concerns = |kinds: &[String]| entry.kind.as_ref().is_some_and(|kind| kinds.contains(kind));
        let gone = act.technique() == Technique::Suppression;
        match self {
            Self::Removed { roles, by } if roles.contains(&entry.role) => by.contains(&act.technique()),
            Self::Dates { kinds, to } if concerns(kinds) => {
                gone || matches!(act, Act::Date { to: unit } if unit >= to)
            }
            Self::TopCoded { kinds, from } if concerns(kinds) => {
                gone || matches!(act, Act::Bin { above: Some(above), .. } | Act::Clamp { above: Some(above), .. } if above <= from)
            }
            Self::Prefix { kinds, keep } if concerns(kinds) => {
                gone || matches!(act, Act::Prefix { keep: kept } if kept <= keep)
            }
            _ => true,
        }
    }

    /// True when detectors or attacks answer it: the answer is observed and not exact.
    pub fn is_observed(&self) -> bool {
        matches!(self, Self::NoResidual | Self::Attack { .. })
    }

    /// True when the need is about single columns and their acts.
    pub fn is_structural(&self) -> bool {
        matches!(
            self,
            Self::Removed { .. } | Self::Dates { .. } | Self::TopCoded { .. } | Self::Prefix { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JP: &str = include_str!("../../../profiles/jp-anonymised.toml");

    #[test]
    fn the_profiles_of_the_house_are_sound() {
        let profiles = [
            JP,
            include_str!("../../../profiles/hipaa-safe-harbor.toml"),
            include_str!("../../../profiles/ema-0070.toml"),
            include_str!("../../../profiles/eu-wp216-k11.toml"),
            include_str!("../../../profiles/jp-pseudonymised.toml"),
            include_str!("../../../profiles/sg-pdpc.toml"),
            include_str!("../../../profiles/jp-eu-medical-research.toml"),
        ];
        for text in profiles {
            let profile = Profile::parse(text).unwrap_or_else(|f| panic!("{f:?}"));
            assert!(
                profile.authorities.iter().all(|a| !a.agreed),
                "{}: no authority has agreed to anything here",
                profile.id
            );
            assert!(
                profile.clauses.iter().any(|c| matches!(c.need, Need::Judgement { .. })),
                "{}",
                profile.id
            );
        }
        let k = |text: &str| Profile::parse(text).unwrap().k();
        assert_eq!((k(profiles[0]), k(profiles[1]), k(profiles[2]), k(profiles[3])), (10, 1, 11, 11));
    }

    #[test]
    fn a_risk_of_nine_hundredths_needs_twelve_and_one_eleventh_eleven() {
        let with = |most: &str| {
            Profile::parse(
                &JP.replace("is = \"min-class\", k = 10", &format!("is = \"risk-max\", most = \"{most}\"")),
            )
            .unwrap()
            .k()
        };
        assert_eq!((with("0.09"), with("1/11"), with("0.5"), with("1")), (12, 11, 2, 1));
    }

    #[test]
    fn every_fault_is_found_at_its_place() {
        let check = |from: &str, to: &str, code: &str, at: &str| {
            assert!(JP.contains(from), "{from}");
            let text = JP.replace(from, to);
            let faults = Profile::parse(&text).unwrap_err();
            let fault = faults.iter().find(|f| f.code == code).unwrap_or_else(|| panic!("{faults:?}"));
            assert!(text[fault.span.clone()].contains(at), "{:?}", &text[fault.span.clone()]);
        };
        check("k = 10", "k = 0", "profile/impossible", "34-4-quasi");
        check("id = \"34-2\"", "id = \"34-1\"", "profile/clause-twice", "34-1");
        check("version = 1", "version = 0", "profile/version", "0");
        check("most = \"1/20\"", "most = \"1/0\"", "profile/syntax", "1/0");
        check("is = \"no-residual\"", "is = \"no-trace\"", "profile/syntax", "no-trace");
        check("valid_until = \"2027-11-21\"", "valid_until = \"2020-01-01\"", "profile/validity", "2020");
        let two = JP.replace("k = 10", "k = 0").replace("version = 1", "version = 0");
        assert_eq!(Profile::parse(&two).unwrap_err().len(), 2);
    }
}
