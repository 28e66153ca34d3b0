//! Evaluates a profile on released data: clause by clause, with the number, the limit and how far it is.

use crate::attack::{Attack, Attacked};
use crate::cell::Cells;
use crate::classify::{Knowledge, Scan, Scanner};
use crate::dictionary::{Dictionary, Entry, Role};
use crate::measure::{Classes, Diversity, Measures, NotCounted, PopulationRisk};
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use crate::profile::{Clause, Need, Profile};
use crate::ratio::Ratio;
use crate::outside::Spill;
use crate::report::RowsSorted;
use crate::transform::Unread;
use arrow_array::{BooleanArray, RecordBatch};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How a clause came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The number is within the limit.
    Met,
    /// A person or an authority has to judge.
    Judgement,
    /// The number is beyond the limit.
    NotMet,
}

/// A measured number, exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// A count.
    Count(u64),
    /// A share.
    Share(Ratio),
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Share(r) => write!(f, "{r}"),
        }
    }
}

/// The answer to one clause.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answer {
    /// The clause.
    pub clause: String,
    /// What it rests on.
    pub cites: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was measured, if the clause has a number.
    pub measured: Option<Figure>,
    /// What is allowed.
    pub limit: Option<Figure>,
    /// The columns at fault, or that have to be judged; names only.
    pub columns: Vec<String>,
    /// Records that would have to change or go for the clause to be met, where they can be counted.
    pub records_short: Option<u64>,
    /// True when the limit was chosen by the profile and stands in no law.
    pub chosen: bool,
}

/// How many records share a column's rarest released value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Shared {
    /// Records at the rarest end or with the rarest word; none of an empty column.
    pub least: Option<u64>,
    /// True when the values are numbers or bins and only both ends are looked at.
    pub ordered: bool,
}

/// What was measured on released data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Examined {
    /// Records before; none when nobody said.
    pub records_before: Option<u64>,
    /// Classes, risks, diversity.
    pub measures: Measures,
    /// For each released column that is neither quasi-identifier nor gone, how shared its rarest value is.
    pub shared: BTreeMap<String, Shared>,
    /// For each released column of numbers or coded ends, the greatest number that is not coded; none in it of an empty one.
    pub greatest: BTreeMap<String, Option<Decimal>>,
    /// Against a table of the population, if there is one.
    pub population: Option<PopulationRisk>,
    /// People in the population, if somebody said.
    pub population_size: Option<u64>,
    /// Of each column whose act has to read its values, those that it could not; empty where nobody counted.
    pub unread: BTreeMap<String, Unread>,
    /// What attacks came to, if they were tried.
    pub attacks: BTreeMap<Attack, Option<Attacked>>,
    /// SHA-256 of the released table, whatever the order of its rows.
    pub content: model::Digest,
    /// Records that all released columns together describe alone: more than any model of quasi-identifiers claims about.
    pub unique_over_all: u64,
    /// Columns of the release in which the detectors see an identifier, with what they see.
    pub residual: BTreeMap<String, String>,
    /// Detectors' weights behind `residual`; observed, not exact.
    pub scan: Scan,
}

impl Examined {
    /// Measures released batches. Quasi-identifiers and sensitive columns are those of the dictionary that are released.
    pub fn of(
        records_before: Option<u64>,
        released: &[RecordBatch],
        dictionary: &Dictionary,
        plan: &Plan,
        knowledge: &Knowledge,
    ) -> Result<Self, NotCounted> {
        let mut examining = Examining::of(dictionary, plan, None);
        for batch in released {
            examining.push(batch)?;
        }
        examining.finish(records_before, plan, knowledge).map(|(examined, _)| examined)
    }

    /// Answers each clause of a profile.
    pub fn answer(&self, profile: &Profile, dictionary: &Dictionary, plan: &Plan) -> Vec<Answer> {
        profile.clauses.iter().map(|clause| self.clause(clause, dictionary, plan)).collect()
    }

    fn clause(&self, clause: &Clause, dictionary: &Dictionary, plan: &Plan) -> Answer {
        let sizes = &self.measures.sizes;
        let mut answer = Answer {
            clause: clause.id.clone(),
            cites: clause.cites.clone(),
            outcome: Outcome::Met,
            measured: None,
            limit: None,
            columns: Vec::new(),
            records_short: None,
            chosen: clause.chosen,
        };
        let mut judge = |met: bool, measured: Figure, limit: Figure| {
            answer.outcome = if met { Outcome::Met } else { Outcome::NotMet };
            (answer.measured, answer.limit) = (Some(measured), Some(limit));
        };
        match &clause.need {
            need if need.is_structural() => {
                let shows = |name: &String| !self.shows_top_coded(need, name, dictionary);
                answer.columns = unpermitted(need, dictionary, plan).into_iter().filter(shows).collect();
                let count = answer.columns.len() as u64;
                answer.outcome = if count == 0 { Outcome::Met } else { Outcome::NotMet };
                (answer.measured, answer.limit) = (Some(Figure::Count(count)), Some(Figure::Count(0)));
            }
            Need::MinClass { k } => {
                judge(
                    sizes.k().is_none_or(|have| have >= *k),
                    Figure::Count(sizes.k().unwrap_or(0)),
                    Figure::Count(*k),
                );
                answer.records_short = Some(sizes.records_below(*k));
            }
            Need::RiskMax { most } => {
                judge(sizes.risk_max() <= *most, Figure::Share(sizes.risk_max()), Figure::Share(*most));
                answer.records_short = Some(sizes.records_above(*most));
            }
            Need::RiskAverage { most } => judge(
                sizes.risk_average() <= *most,
                Figure::Share(sizes.risk_average()),
                Figure::Share(*most),
            ),
            Need::LeftOut { most } => match self.records_before {
                Some(before) => {
                    let share = Ratio::share(before.saturating_sub(sizes.records()), before);
                    judge(share <= *most, Figure::Share(share), Figure::Share(*most));
                }
                None => (answer.outcome, answer.limit) = (Outcome::Judgement, Some(Figure::Share(*most))),
            },
            Need::KMap { k } => match &self.population {
                Some(risk) => {
                    judge(risk.k_map >= *k, Figure::Count(risk.k_map), Figure::Count(*k));
                }
                None => (answer.outcome, answer.limit) = (Outcome::Judgement, Some(Figure::Count(*k))),
            },
            Need::Attack { attack, most } => match self.attacks.get(attack) {
                // Many a sensitive value is guessed right of people who are in no release: without a control that tells nothing.
                Some(Some(Attacked { control: None, .. })) if *attack == Attack::Inference => {
                    (answer.outcome, answer.limit) = (Outcome::Judgement, Some(Figure::Share(*most)));
                }
                Some(tried) => {
                    let risk = tried.map_or(Ratio::ZERO, |t| Ratio::share(t.risk_at_most, 1_000_000));
                    judge(risk <= *most, Figure::Share(risk), Figure::Share(*most));
                }
                None => (answer.outcome, answer.limit) = (Outcome::Judgement, Some(Figure::Share(*most))),
            },
            Need::Alpha { most } => {
                (answer.outcome, answer.columns) = self.worst(|d| d.alpha, *most, &mut answer.measured);
                answer.limit = Some(Figure::Share(*most));
            }
            Need::Beta { most } => {
                (answer.outcome, answer.columns) = self.worst(|d| d.beta, *most, &mut answer.measured);
                answer.limit = Some(Figure::Share(*most));
            }
            Need::Recursive { c } => {
                let holds = |d: &Diversity| d.recursive_c.is_some_and(|have| have < *c);
                let wrong = self.measures.diversity.iter().filter(|(_, d)| !holds(d));
                answer.columns = wrong.map(|(name, _)| name.clone()).collect();
                let count = answer.columns.len() as u64;
                answer.outcome = if count == 0 { Outcome::Met } else { Outcome::NotMet };
                (answer.measured, answer.limit) = (Some(Figure::Count(count)), Some(Figure::Count(0)));
            }
            Need::DistinctL { least } => {
                let l = self.measures.diversity.values().map(|d| d.distinct_l).min();
                judge(l.is_none_or(|l| l >= *least), Figure::Count(l.unwrap_or(0)), Figure::Count(*least));
                answer.columns = self
                    .measures
                    .diversity
                    .iter()
                    .filter(|(_, d)| d.distinct_l < *least)
                    .map(|(n, _)| n.clone())
                    .collect();
            }
            Need::Closeness { most } => {
                let of = |d: &Diversity| d.t_ordered.unwrap_or(d.t_equal);
                let t = self.measures.diversity.values().map(of).max().unwrap_or(Ratio::ZERO);
                judge(t <= *most, Figure::Share(t), Figure::Share(*most));
                answer.columns = self
                    .measures
                    .diversity
                    .iter()
                    .filter(|(_, d)| of(d) > *most)
                    .map(|(n, _)| n.clone())
                    .collect();
            }
            Need::SharedValues { roles, least } => {
                let concerned =
                    |name: &String| dictionary.columns.get(name).is_some_and(|e| roles.contains(&e.role));
                let counts = || {
                    self.shared.iter().filter(|(n, _)| concerned(n)).filter_map(|(n, s)| Some((n, s.least?)))
                };
                let rarest = counts().map(|(_, n)| n).min();
                judge(
                    rarest.is_none_or(|n| n >= *least),
                    Figure::Count(rarest.unwrap_or(0)),
                    Figure::Count(*least),
                );
                answer.columns = counts().filter(|(_, n)| n < least).map(|(n, _)| n.clone()).collect();
            }
            Need::NoResidual => {
                judge(self.residual.is_empty(), Figure::Count(self.residual.len() as u64), Figure::Count(0));
                answer.columns = self.residual.keys().cloned().collect();
            }
            _ => answer.outcome = Outcome::Judgement,
        }
        answer
    }
}

impl Examined {
    /// The greatest of a measure over sensitive columns against its limit, and the columns beyond it.
    fn worst(
        &self,
        of: impl Fn(&Diversity) -> Ratio,
        most: Ratio,
        measured: &mut Option<Figure>,
    ) -> (Outcome, Vec<String>) {
        let worst = self.measures.diversity.values().map(&of).max().unwrap_or(Ratio::ZERO);
        *measured = Some(Figure::Share(worst));
        let beyond = self.measures.diversity.iter().filter(|(_, d)| of(d) > most);
        let outcome = if worst <= most { Outcome::Met } else { Outcome::NotMet };
        (outcome, beyond.map(|(name, _)| name.clone()).collect())
    }

    /// Numbers that all lie below the category's beginning need no category.
    fn shows_top_coded(&self, need: &Need, name: &String, dictionary: &Dictionary) -> bool {
        let Need::TopCoded { kinds, from } = need else { return false };
        let kind = dictionary.columns.get(name).and_then(|e| e.kind.as_ref());
        kind.is_some_and(|kind| kinds.contains(kind))
            && self.greatest.get(name).is_some_and(|most| most.is_none_or(|most| most < *from))
    }
}

/// Measures a release batch by batch.
pub(crate) struct Examining {
    classes: Classes,
    rows: RowsSorted,
    values: BTreeMap<String, Values>,
    greatest: BTreeMap<String, Option<Option<Decimal>>>,
    scanner: Option<Scanner>,
    memory: Option<usize>,
}

impl Examining {
    /// Begins; `outside` is how many bytes may be held and where the others go.
    pub(crate) fn of(dictionary: &Dictionary, plan: &Plan, outside: Option<(usize, Box<dyn Spill<Failed = String>>)>) -> Self {
        let out: Vec<(String, &Entry)> = plan
            .released()
            .filter_map(|name| Some((name.to_string(), dictionary.columns.get(name)?)))
            .collect();
        let of_role = |role: Role| {
            out.iter().filter(|(_, e)| e.role == role).map(|(n, _)| n.clone()).collect::<Vec<_>>()
        };
        let shared = out.iter().filter(|(_, e)| e.role != Role::QuasiIdentifier);
        let memory = outside.as_ref().map(|(memory, _)| *memory);
        Self {
            classes: Classes::of(&of_role(Role::QuasiIdentifier), &of_role(Role::Sensitive)),
            rows: outside.map_or_else(RowsSorted::held, |(memory, place)| RowsSorted::within(memory, place)),
            values: shared.map(|(n, _)| (n.clone(), Values::default())).collect(),
            greatest: out.iter().map(|(n, _)| (n.clone(), Some(None))).collect(),
            scanner: None,
            memory,
        }
    }

    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), NotCounted> {
        self.classes.push(batch)?;
        self.rows.push(batch).map_err(NotCounted::Spill)?;
        for (name, values) in &mut self.values {
            values.push(batch, name, None)?;
        }
        if self.memory.is_some_and(|most| self.values.values().map(Values::bytes).sum::<usize>() > most) {
            return Err(NotCounted::TooMany);
        }
        for (name, most) in &mut self.greatest {
            greatest_number(batch, name, most)?;
        }
        self.scanner.get_or_insert_with(|| Scanner::new(&batch.schema())).push(batch);
        Ok(())
    }

    /// What was measured, and the bytes that went out.
    pub(crate) fn finish(self, records_before: Option<u64>, plan: &Plan, knowledge: &Knowledge) -> Result<(Examined, u64), NotCounted> {
        let scan = self.scanner.map_or_else(|| Scan::of(&[], knowledge), |scanner| scanner.finish(knowledge));
        let (content, unique_over_all, spilled) = self.rows.finish().map_err(NotCounted::Spill)?;
        let examined = Examined {
            records_before,
            measures: self.classes.measure(),
            shared: self.values.iter().map(|(name, values)| (name.clone(), values.rarest())).collect(),
            greatest: self.greatest.into_iter().filter_map(|(name, most)| Some((name, most?))).collect(),
            population: None,
            population_size: None,
            unread: BTreeMap::new(),
            attacks: BTreeMap::new(),
            content,
            unique_over_all,
            residual: residual(&scan, plan),
            scan,
        };
        Ok((examined, spilled))
    }
}

/// The greatest number of a column so far; `<20` counts as below all. None when some value is no number.
fn greatest_number(batch: &RecordBatch, name: &str, most: &mut Option<Option<Decimal>>) -> Result<(), NotCounted> {
    if most.is_none() {
        return Ok(());
    }
    let cells = cells(batch, name)?;
    for row in 0..batch.num_rows() {
        let Some(text) = cells.text(row).filter(|t| !t.starts_with('<')) else { continue };
        match text.parse::<Decimal>() {
            Ok(number) => *most = most.map(|most| most.max(Some(number))),
            Err(_) => {
                *most = None;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn cells<'a>(batch: &'a RecordBatch, name: &str) -> Result<Cells<'a>, NotCounted> {
    let array = batch.column_by_name(name).ok_or_else(|| NotCounted::MissingColumn(name.into()))?;
    Cells::of(array).ok_or_else(|| NotCounted::Unreadable(name.into()))
}

/// Columns, and those that the dictionary does not know, whose act the need does not permit.
fn unpermitted(need: &Need, dictionary: &Dictionary, plan: &Plan) -> Vec<String> {
    let wrong = |(name, act): &(&String, &Act)| {
        dictionary.columns.get(*name).is_none_or(|entry| !need.permits(entry, act))
    };
    plan.columns.iter().filter(wrong).map(|(name, _)| name.clone()).collect()
}

// A pseudonym looks like a code because it is one; the clause on its column judges it, not the detectors.
fn residual(scan: &Scan, plan: &Plan) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for finding in &scan.columns {
        let pseudonym =
            matches!(plan.columns.get(&finding.column), Some(Act::Pseudonym { .. } | Act::Token { .. }));
        match &finding.found {
            Some(found) if found.role.identifies_alone() && !pseudonym && finding.missing < finding.rows => {
                out.insert(finding.column.clone(), found.kind.clone());
            }
            _ => {
                if let Some((kind, _)) = finding.mentions.iter().next() {
                    out.insert(finding.column.clone(), format!("mentions {kind}"));
                }
            }
        }
    }
    out
}

/// The values of a column and how many records have each.
#[derive(Debug, Default, Clone)]
pub(crate) struct Values {
    counts: HashMap<String, u64>,
    text: usize,
}

/// Bytes that a value takes beside its text.
const VALUE_BYTES: usize = 80;

impl Values {
    /// Counts the rows of a batch, or those that a mask lets through.
    pub(crate) fn push(&mut self, batch: &RecordBatch, name: &str, mask: Option<&BooleanArray>) -> Result<(), NotCounted> {
        let cells = cells(batch, name)?;
        let passes = |row: usize| mask.is_none_or(|mask| row < mask.len() && mask.value(row));
        for text in (0..batch.num_rows()).filter(|row| passes(*row)).filter_map(|row| cells.text(row)) {
            match self.counts.get_mut(text.as_ref()) {
                Some(n) => *n += 1,
                None => {
                    self.text += text.len();
                    self.counts.insert(text.into_owned(), 1);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text + self.counts.len() * VALUE_BYTES
    }

    pub(crate) fn into_counts(self) -> impl Iterator<Item = (String, u64)> {
        self.counts.into_iter()
    }

    /// How many records share the rarest end (of numbers and bins) or word (of others).
    pub(crate) fn rarest(&self) -> Shared {
        let placed: Option<Vec<(Place, u64)>> = self.counts.iter().map(|(text, &n)| Some((place(text)?, n))).collect();
        match placed {
            Some(placed) => {
                let end = |of: Option<&(Place, u64)>| of.map(|p| p.1);
                let ends = [end(placed.iter().min()), end(placed.iter().max())];
                Shared { least: ends.into_iter().flatten().min(), ordered: true }
            }
            None => Shared { least: self.counts.values().min().copied(), ordered: false },
        }
    }
}

// `<20` before all numbers, `>=85` after all, bins by their lower edge.
type Place = (i8, Decimal);

fn place(text: &str) -> Option<Place> {
    if let Some(number) = text.strip_prefix(">=") {
        return Some((1, number.parse().ok()?));
    }
    if let Some(number) = text.strip_prefix('<') {
        return Some((-1, number.parse().ok()?));
    }
    let low = text.strip_prefix('[').and_then(|t| t.split_once(',')).map_or(text, |(low, _)| low);
    Some((0, low.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn the_rarest_end_of_numbers_and_the_rarest_word() {
        let column = |v: &[&str]| {
            vec![
                RecordBatch::try_from_iter([("x", Arc::new(StringArray::from(v.to_vec())) as ArrayRef)])
                    .unwrap(),
            ]
        };
        let check = |v: &[&str], least: Option<u64>, ordered: bool| {
            let mut values = Values::default();
            column(v).iter().for_each(|batch| values.push(batch, "x", None).unwrap());
            assert_eq!(values.rarest(), Shared { least, ordered }, "{v:?}")
        };
        check(&["1", "1", "2", "3", "3", "3"], Some(2), true);
        check(&["<10", "<10", "12", ">=20", ">=20", ""], Some(2), true);
        check(&["[5,10)", "[5,10)", "[10,15)", "[15,20)", "[15,20)"], Some(2), true);
        check(&["a", "a", "b", "1", "1"], Some(1), false);
        check(&["", ""], None, true);
    }
}
