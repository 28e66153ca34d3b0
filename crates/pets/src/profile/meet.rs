//! The meet of two profiles: what both demand, and which clause of which one binds.

use super::{Clause, Need, Profile};
use model::Digest;
use model::text::Text;
use serde::Serialize;

/// A clause of a meet, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Binding {
    /// The profile.
    pub profile: String,
    /// The clause in it.
    pub clause: String,
    /// The clause that already demands as much, if one does: this one then does not bind.
    pub covered_by: Option<String>,
}

/// Two profiles as one.
#[derive(Clone, Debug)]
pub struct Meet {
    /// Meeting it meets both; clauses are named `profile/clause`.
    pub profile: Profile,
    /// Every clause of both, and whether it binds.
    pub bindings: Vec<Binding>,
}

impl Profile {
    /// The weakest profile that implies both. Incomparable demands both apply. None when they are never valid together.
    pub fn meet(&self, other: &Profile) -> Option<Meet> {
        Self::meet_all(&[self.clone(), other.clone()])
    }

    /// The weakest profile that implies each of several. None when there is none, or no day on which all are valid.
    pub fn meet_all(profiles: &[Profile]) -> Option<Meet> {
        let first = profiles.first()?;
        let valid_from = profiles.iter().map(|p| p.valid_from).max()?;
        let valid_until = profiles.iter().map(|p| p.valid_until).min()?;
        if valid_until < valid_from {
            return None;
        }
        let mut all: Vec<(&Profile, &Clause)> = Vec::new();
        for profile in profiles {
            all.extend(profile.clauses.iter().map(|clause| (profile, clause)));
        }
        let name = |(profile, clause): &(&Profile, &Clause)| format!("{}/{}", profile.id, clause.id);
        let mut bindings = Vec::with_capacity(all.len());
        let mut clauses = Vec::new();
        for (index, here) in all.iter().enumerate() {
            // Of two that demand the same, the first binds.
            let covers = |(place, there): &(usize, &(&Profile, &Clause))| {
                *place != index
                    && there.1.need.implies(&here.1.need)
                    && (*place < index || !here.1.need.implies(&there.1.need))
            };
            let covered_by = all.iter().enumerate().find(covers).map(|(_, there)| name(there));
            if covered_by.is_none() {
                clauses.push(Clause { id: name(here), ..here.1.clone() });
            }
            bindings.push(Binding { profile: here.0.id.clone(), clause: here.1.id.clone(), covered_by });
        }
        let titles = |of: fn(&Text) -> &str, and: &str| {
            profiles.iter().map(|p| of(&p.title)).collect::<Vec<_>>().join(and)
        };
        let title = Text::of(titles(|t| &t.en, " and "), titles(|t| &t.ja, "かつ"));
        let mut authorities = Vec::new();
        for authority in profiles.iter().flat_map(|p| &p.authorities) {
            if !authorities.contains(authority) {
                authorities.push(authority.clone());
            }
        }
        let profile = Profile {
            id: profiles.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join("+"),
            version: 1,
            title,
            valid_from,
            valid_until,
            authorities,
            // The narrowest door: of two environments the later in the list is the more guarded.
            release: profiles
                .iter()
                .map(|p| &p.release)
                .max_by_key(|r| r.model as u8)
                .unwrap_or(&first.release)
                .clone(),
            clauses,
            digest: Digest::of(&profiles.iter().flat_map(|p| p.digest.0).collect::<Vec<u8>>()),
        };
        Some(Meet { profile, bindings })
    }
}

impl Need {
    /// True when whatever meets this need meets the other.
    pub fn implies(&self, other: &Need) -> bool {
        let holds = |mine: &[String], theirs: &[String]| theirs.iter().all(|kind| mine.contains(kind));
        if let (Some(mine), Some(theirs)) = (self.risk(), other.risk()) {
            return mine <= theirs;
        }
        match (self, other) {
            // The average is never above the greatest.
            (_, Self::RiskAverage { most }) if self.risk().is_some_and(|mine| mine <= *most) => true,
            (Self::RiskAverage { most: mine }, Self::RiskAverage { most: theirs })
            | (Self::LeftOut { most: mine }, Self::LeftOut { most: theirs })
            | (Self::Closeness { most: mine }, Self::Closeness { most: theirs }) => mine <= theirs,
            (Self::Alpha { most: mine }, Self::Alpha { most: theirs })
            | (Self::Beta { most: mine }, Self::Beta { most: theirs })
            | (Self::Recursive { c: mine }, Self::Recursive { c: theirs }) => mine <= theirs,
            // A class in which no value has all records holds two values at least.
            (Self::Recursive { .. }, Self::DistinctL { least }) => *least <= 2,
            // Whoever is like k others in the release is like them in the population.
            (_, Self::KMap { k })
                if self.risk().is_some_and(|mine| mine <= crate::ratio::Ratio::share(1, *k)) =>
            {
                true
            }
            (Self::KMap { k: mine }, Self::KMap { k: theirs }) => mine >= theirs,
            (Self::Attack { attack, most }, Self::Attack { attack: other, most: theirs }) => {
                attack == other && most <= theirs
            }
            (Self::DistinctL { least: mine }, Self::DistinctL { least: theirs }) => mine >= theirs,
            (Self::SharedValues { roles, least }, Self::SharedValues { roles: theirs, least: demanded }) => {
                least >= demanded && theirs.iter().all(|role| roles.contains(role))
            }
            (Self::Removed { roles, by }, Self::Removed { roles: theirs, by: allowed }) => {
                theirs.iter().all(|role| roles.contains(role)) && by.iter().all(|way| allowed.contains(way))
            }
            (Self::Dates { kinds, to }, Self::Dates { kinds: theirs, to: unit }) => {
                holds(kinds, theirs) && to >= unit
            }
            (Self::TopCoded { kinds, from }, Self::TopCoded { kinds: theirs, from: number }) => {
                holds(kinds, theirs) && from <= number
            }
            (Self::Prefix { kinds, keep }, Self::Prefix { kinds: theirs, keep: kept }) => {
                holds(kinds, theirs) && keep <= kept
            }
            (Self::NoResidual, Self::NoResidual) => true,
            (Self::Judgement { .. }, Self::Judgement { .. }) => false,
            _ => false,
        }
    }

    /// The greatest prosecutor risk that the need leaves, if it is about that: one over k is a risk.
    fn risk(&self) -> Option<crate::ratio::Ratio> {
        match self {
            Self::MinClass { k } => Some(crate::ratio::Ratio::share(1, *k)),
            Self::RiskMax { most } => Some(*most),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        Profile::parse(text).unwrap()
    }

    fn jp() -> Profile {
        profile(include_str!("../../../../profiles/jp-anonymised.toml"))
    }

    fn eu() -> Profile {
        profile(include_str!("../../../../profiles/eu-wp216-k11.toml"))
    }

    #[test]
    fn the_stricter_clause_of_each_kind_binds() {
        let meet = jp().meet(&eu()).unwrap();
        assert_eq!(
            (meet.profile.k(), meet.profile.distinct_l(), meet.profile.risk_average().to_string()),
            (11, 2, "1/20".into())
        );
        let covered =
            |clause: &str| meet.bindings.iter().find(|b| b.clause == clause).unwrap().covered_by.clone();
        assert_eq!(covered("34-4-quasi").as_deref(), Some("eu-wp216-k11/singling-out"));
        assert_eq!(covered("singling-out"), None);
        assert_eq!(covered("34-2").as_deref(), Some("eu-wp216-k11/identifiers"));
        assert_eq!((covered("34-5-risk"), covered("34-4-values")), (None, None));
        // One no-residual is enough, no judgement stands for another.
        assert_eq!(covered("residual").as_deref(), Some("jp-anonymised/34-residual"));
        let judgements =
            meet.profile.clauses.iter().filter(|c| matches!(c.need, Need::Judgement { .. })).count();
        assert_eq!(judgements, 5);
    }

    #[test]
    fn the_joint_profile_implies_what_its_two_parts_let_software_judge() {
        let joint = profile(include_str!("../../../../profiles/jp-eu-medical-research.toml"));
        for part in [jp(), eu()] {
            for clause in part.clauses.iter().filter(|c| !matches!(c.need, Need::Judgement { .. })) {
                assert!(
                    joint.clauses.iter().any(|c| c.need.implies(&clause.need)),
                    "{}/{}",
                    part.id,
                    clause.id
                );
            }
        }
    }

    #[test]
    fn implication_is_a_partial_order_on_all_clauses_of_the_house() {
        let needs: Vec<Need> = [jp(), eu()]
            .into_iter()
            .flat_map(|p| p.clauses)
            .map(|c| c.need)
            .filter(|n| !matches!(n, Need::Judgement { .. }))
            .collect();
        for a in &needs {
            assert!(a.implies(a));
            for b in &needs {
                for c in &needs {
                    assert!(!(a.implies(b) && b.implies(c)) || a.implies(c));
                }
            }
        }
    }

    #[test]
    fn profiles_that_never_meet_in_time_have_no_meet() {
        let later = include_str!("../../../../profiles/eu-wp216-k11.toml")
            .replace("2026-11-22", "2028-01-01")
            .replace("2027-11-21", "2028-12-31");
        assert!(jp().meet(&profile(&later)).is_none());
    }
}
