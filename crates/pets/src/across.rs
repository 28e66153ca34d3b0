//! Several releases of the same people: who can be told apart by all of them together.

use crate::measure::{Classes, NotCounted, Sizes, across};
use crate::plan::{Act, Plan};
use crate::report::row_digests;
use crate::transform::{Border, Refusal};
use arrow_array::RecordBatch;
use model::Digest;
use std::collections::HashSet;
use std::fmt;

/// One release and what was done to make it.
#[derive(Clone, Copy, Debug)]
pub struct Released<'a> {
    /// The released batches.
    pub batches: &'a [RecordBatch],
    /// What was done to each column.
    pub plan: &'a Plan,
}

/// What releases tell, each alone and all together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Together {
    /// Classes of each release, in order.
    pub alone: Vec<Sizes>,
    /// Classes of the intersection. A record that one release holds and another does not is told apart by that as well.
    pub all: Sizes,
}

/// Why releases cannot be measured together.
#[derive(Debug)]
pub enum NotTogether {
    /// A plan does not fit the original.
    Refused(Refusal),
    /// A table cannot be counted.
    NotCounted(NotCounted),
    /// A release, by its place, holds a row that its plan does not make of the original.
    OfOther(usize),
}

impl fmt::Display for NotTogether {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => why.fmt(f),
            Self::NotCounted(why) => why.fmt(f),
            Self::OfOther(place) => write!(
                f,
                "release {} holds rows that its plan does not make of this original (pets/not-as-planned)",
                place + 1
            ),
        }
    }
}

impl std::error::Error for NotTogether {}

/// Measures releases of one original together. Classes are those of the quasi-identifiers that a release holds; whether a
/// record is in a release shows in the release itself, because classes are left out whole.
pub fn together(
    original: &[RecordBatch],
    releases: &[Released<'_>],
    quasi: &[String],
) -> Result<Together, NotTogether> {
    let (mut alone, mut classes) = (Vec::with_capacity(releases.len()), Vec::with_capacity(releases.len()));
    for (place, release) in releases.iter().enumerate() {
        let of = classes_of(original, release, quasi, place)?;
        alone.push(across(std::slice::from_ref(&of)));
        classes.push(of);
    }
    Ok(Together { alone, all: across(&classes) })
}

fn classes_of(
    original: &[RecordBatch],
    release: &Released<'_>,
    quasi: &[String],
    place: usize,
) -> Result<Vec<Option<u32>>, NotTogether> {
    // Without the key a pseudonym cannot be made again, and it tells classes apart in one release alone.
    let act = |act: &Act| match act {
        Act::Pseudonym { .. } | Act::Token { .. } | Act::Shift { .. } => Act::Drop,
        other => other.clone(),
    };
    let plan = Plan { columns: release.plan.columns.iter().map(|(n, a)| (n.clone(), act(a))).collect() };
    let names: Vec<String> = plan.released().map(str::to_string).collect();
    let held: Vec<String> = quasi.iter().filter(|q| names.contains(q)).cloned().collect();
    let project = |batch: &RecordBatch| -> Result<RecordBatch, NotTogether> {
        let schema = batch.schema();
        let of = |name: &String| {
            schema
                .index_of(name)
                .map_err(|_| NotTogether::NotCounted(NotCounted::MissingColumn(name.clone())))
        };
        let places = names.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        batch.project(&places).map_err(|e| NotTogether::Refused(e.into()))
    };
    let mut there: HashSet<Digest> = HashSet::new();
    for batch in release.batches {
        there.extend(row_digests(&project(batch)?));
    }
    let mut made: HashSet<Digest> = HashSet::new();
    let mut counted = Classes::of(&held, &[]);
    let mut out = Vec::new();
    for batch in original {
        let border = Border::prepare(&plan, &batch.schema(), None).map_err(NotTogether::Refused)?;
        let image = project(&border.apply(batch).map_err(NotTogether::Refused)?)?;
        let classes = counted.push(&image).map_err(NotTogether::NotCounted)?;
        for (digest, class) in row_digests(&image).into_iter().zip(classes) {
            out.push(there.contains(&digest).then_some(class));
            made.insert(digest);
        }
    }
    match there.is_subset(&made) {
        true => Ok(out),
        false => Err(NotTogether::OfOther(place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::table;
    use arrow_array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn two_releases_of_pairs_single_everyone_out() {
        let people = table("age,town,illness\n21,A,flu\n22,B,gout\n31,A,flu\n32,B,gout", 3);
        let plan = |text: &str| Plan::parse(text).unwrap();
        let by_age = plan(
            "[columns.age]\nact='bin'\nwidth=10\n[columns.town]\nact='drop'\n[columns.illness]\nact='keep'",
        );
        let by_town =
            plan("[columns.age]\nact='drop'\n[columns.town]\nact='keep'\n[columns.illness]\nact='keep'");
        let made = |plan: &Plan| {
            let border = Border::prepare(plan, &people[0].schema(), None).unwrap();
            people.iter().map(|b| border.apply(b).unwrap()).collect::<Vec<_>>()
        };
        let (one, two) = (made(&by_age), made(&by_town));
        let quasi = ["age".to_string(), "town".to_string()];
        let released = |batches, plan| Released { batches, plan };
        let found = together(&people, &[released(&one, &by_age), released(&two, &by_town)], &quasi).unwrap();
        assert_eq!((found.alone[0].k(), found.alone[1].k(), found.all.k()), (Some(2), Some(2), Some(1)));
        // Half of the release: those who are left out are told apart by that, and count in no class of it.
        let half = [one[0].slice(0, 2)];
        let found = together(&people, &[released(&half, &by_age), released(&two, &by_town)], &quasi).unwrap();
        assert_eq!((found.alone[0].records(), found.all.records()), (2, 4));
        // A release of other people.
        let column = |v: &str| Arc::new(StringArray::from(vec![v])) as ArrayRef;
        let other =
            [RecordBatch::try_from_iter([("age", column("[90,100)")), ("illness", column("flu"))]).unwrap()];
        let wrong = together(&people, &[released(&two, &by_town), released(&other, &by_age)], &quasi);
        assert!(matches!(wrong, Err(NotTogether::OfOther(1))));
    }
}
