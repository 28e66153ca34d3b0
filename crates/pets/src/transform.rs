//! Applies a plan to batches; each row on its own, so that it can be done in flight.

use crate::calendar::read_day;
use crate::cell::Cells;
use crate::number::Decimal;
use crate::plan::{Act, DateUnit, Plan};
use crate::pseudonym::DomainKey;
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Why a batch does not pass.
#[derive(Debug)]
pub enum Refusal {
    /// The table has a column that the plan does not name: it stops at the border.
    UnplannedColumn(String),
    /// The plan names a column, not dropped, that the table lacks.
    MissingColumn(String),
    /// A column changed its type, name or place since the plan was prepared.
    SchemaChanged(String),
    /// Two columns have one name.
    DoubledColumn(String),
    /// The column holds lists, structs or bytes: it can only be kept or dropped.
    Unreadable(String),
    /// The plan pseudonymizes the column and no key was given.
    NeedsKey(String),
    /// A bin of this column has no positive width.
    NoWidth(String),
    /// Arrow could not build the batch.
    Arrow(ArrowError),
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnplannedColumn(_) => "pets/unplanned-column",
            Self::MissingColumn(_) => "pets/missing-column",
            Self::SchemaChanged(_) => "pets/schema-changed",
            Self::DoubledColumn(_) => "pets/doubled-column",
            Self::Unreadable(_) => "pets/unreadable-column",
            Self::NeedsKey(_) => "pets/needs-key",
            Self::NoWidth(_) => "pets/no-width",
            Self::Arrow(_) => "pets/arrow",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnplannedColumn(name) => {
                write!(f, "column `{name}` is not in the plan; it stops at the border")?
            }
            Self::MissingColumn(name) => write!(f, "column `{name}` is in the plan and not in the table")?,
            Self::SchemaChanged(name) => {
                write!(f, "column `{name}` is not what it was when the plan was prepared")?
            }
            Self::DoubledColumn(name) => write!(f, "column `{name}` is there twice")?,
            Self::Unreadable(name) => {
                write!(f, "column `{name}` has no single values; it can be kept or dropped")?
            }
            Self::NeedsKey(name) => write!(f, "column `{name}` needs a pseudonym key")?,
            Self::NoWidth(name) => write!(
                f,
                "column `{name}` needs a bin above zero, a shift above zero, or at most 32 and 128 bits"
            )?,
            Self::Arrow(error) => write!(f, "the batch could not be built: {error}")?,
        }
        write!(f, " ({})", self.code())
    }
}

impl std::error::Error for Refusal {}

impl From<ArrowError> for Refusal {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

/// A plan bound to one schema: a pure function from batch to batch.
#[derive(Debug, Clone)]
pub struct Border {
    before: SchemaRef,
    after: SchemaRef,
    acts: Vec<Act>,
    key: Option<DomainKey>,
}

impl Border {
    /// Binds a plan to a schema; refuses columns that the plan does not name and acts that cannot be done.
    pub fn prepare(plan: &Plan, schema: &SchemaRef, key: Option<DomainKey>) -> Result<Self, Refusal> {
        let mut acts = Vec::with_capacity(schema.fields().len());
        let mut fields = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if schema.fields().iter().take(index).any(|f| f.name() == name) {
                return Err(Refusal::DoubledColumn(name.clone()));
            }
            let act = plan.columns.get(name).ok_or_else(|| Refusal::UnplannedColumn(name.clone()))?;
            check(act, field, key.is_some())?;
            match act {
                Act::Drop => {}
                // Batches of one stream differ in whether a column happens to have gaps.
                Act::Keep => fields.push(Arc::new(field.as_ref().clone().with_nullable(true))),
                _ => fields.push(Arc::new(Field::new(name, DataType::Utf8, true))),
            }
            acts.push(act.clone());
        }
        if let Some(missing) = plan.released().find(|name| schema.field_with_name(name).is_err()) {
            return Err(Refusal::MissingColumn(missing.into()));
        }
        Ok(Self { before: schema.clone(), after: Arc::new(Schema::new(fields)), acts, key })
    }

    /// The schema of what comes out.
    pub fn schema(&self) -> &SchemaRef {
        &self.after
    }

    /// Applies the plan to one batch of the schema that it was prepared for.
    pub fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, Refusal> {
        self.guard(&batch.schema())?;
        let mut columns = Vec::with_capacity(self.after.fields().len());
        for ((act, field), array) in self.acts.iter().zip(self.before.fields()).zip(batch.columns()) {
            if let Some(column) = self.column(act, field.name(), array, batch)? {
                columns.push(column);
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.after.clone(), columns, &options)?)
    }

    // A column that appears later than the plan stops at the border, whatever its place.
    fn guard(&self, schema: &SchemaRef) -> Result<(), Refusal> {
        if Arc::ptr_eq(schema, &self.before) {
            return Ok(());
        }
        if let Some(new) = schema.fields().iter().find(|f| self.before.field_with_name(f.name()).is_err()) {
            return Err(Refusal::UnplannedColumn(new.name().clone()));
        }
        for (index, field) in self.before.fields().iter().enumerate() {
            match schema.fields().get(index) {
                Some(same) if same.name() == field.name() && same.data_type() == field.data_type() => {}
                Some(_) => return Err(Refusal::SchemaChanged(field.name().clone())),
                None => return Err(Refusal::MissingColumn(field.name().clone())),
            }
        }
        match schema.fields().get(self.before.fields().len()) {
            Some(extra) => Err(Refusal::DoubledColumn(extra.name().clone())),
            None => Ok(()),
        }
    }

    fn column(
        &self,
        act: &Act,
        name: &str,
        array: &ArrayRef,
        batch: &RecordBatch,
    ) -> Result<Option<ArrayRef>, Refusal> {
        match act {
            Act::Drop => return Ok(None),
            Act::Keep => return Ok(Some(array.clone())),
            Act::Suppress => return Ok(Some(new_null_array(&DataType::Utf8, array.len()))),
            _ => {}
        }
        let cells = Cells::of(array).ok_or_else(|| Refusal::Unreadable(name.into()))?;
        if let Act::Shift { person, days } = act {
            return self.shifted(name, &cells, person, *days, batch).map(Some);
        }
        let cell = Cell::of(act, name, self.key.as_ref());
        let mut out = StringBuilder::with_capacity(array.len(), array.len() * 8);
        let mut memo = Memo::new();
        for row in 0..array.len() {
            match cells.text(row) {
                Some(text) => out.append_option(memo.apply(&cell, &text)),
                None => out.append_null(),
            }
        }
        Ok(Some(Arc::new(out.finish())))
    }
}

impl Border {
    // A day without a person has no amount to move by, and becomes missing.
    fn shifted(
        &self,
        name: &str,
        cells: &Cells<'_>,
        person: &str,
        days: u16,
        batch: &RecordBatch,
    ) -> Result<ArrayRef, Refusal> {
        let key = self.key.as_ref().ok_or_else(|| Refusal::NeedsKey(name.into()))?;
        let persons = batch.column_by_name(person).ok_or_else(|| Refusal::MissingColumn(person.into()))?;
        let persons = Cells::of(persons).ok_or_else(|| Refusal::Unreadable(person.into()))?;
        let mut out = StringBuilder::with_capacity(cells.len(), cells.len() * 10);
        for row in 0..cells.len() {
            let day = cells.text(row).and_then(|text| read_day(&text));
            match day.zip(persons.text(row)) {
                Some((day, person)) => {
                    write!(out, "{}", day.plus_days(key.days(&person, days))).ok();
                    out.append_value("");
                }
                None => out.append_null(),
            }
        }
        Ok(Arc::new(out.finish()))
    }
}

fn check(act: &Act, field: &Field, has_key: bool) -> Result<(), Refusal> {
    let name = || field.name().clone();
    let nested = field.data_type().is_nested()
        || matches!(
            field.data_type(),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        );
    match act {
        Act::Keep | Act::Drop | Act::Suppress => Ok(()),
        _ if nested => Err(Refusal::Unreadable(name())),
        Act::Pseudonym { .. } | Act::Token { .. } | Act::Shift { .. } if !has_key => {
            Err(Refusal::NeedsKey(name()))
        }
        Act::Bin { width, .. } if *width <= Decimal::ZERO => Err(Refusal::NoWidth(name())),
        Act::Ip { v4, v6 } if *v4 > 32 || *v6 > 128 => Err(Refusal::NoWidth(name())),
        Act::Shift { days: 0, .. } => Err(Refusal::NoWidth(name())),
        _ => Ok(()),
    }
}

/// An act on one cell.
pub(crate) struct Cell<'a> {
    act: &'a Act,
    namespace: &'a str,
    key: Option<&'a DomainKey>,
}

impl<'a> Cell<'a> {
    pub(crate) fn of(act: &'a Act, column: &'a str, key: Option<&'a DomainKey>) -> Self {
        let namespace = match act {
            Act::Pseudonym { namespace: Some(shared) } | Act::Token { namespace: Some(shared) } => shared,
            _ => column,
        };
        Self { act, namespace, key }
    }

    /// The value that goes out for a value that is there; `None` is missing.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        self.write(text, &mut out).then_some(out)
    }

    /// Appends the value that goes out; false, and nothing is appended, when it is missing.
    fn write(&self, text: &str, out: &mut String) -> bool {
        self.try_write(text, out).is_some()
    }

    fn try_write(&self, text: &str, out: &mut String) -> Option<()> {
        // Writing to a String cannot fail.
        match self.act {
            Act::Keep => out.push_str(text),
            Act::Drop | Act::Suppress => return None,
            Act::Bin { width, origin, below, above } => {
                let number: Decimal = text.parse().ok()?;
                match coded(number, *below, *above) {
                    Some(end) => out.push_str(&end),
                    None => out.push_str(&bin(number, *width, *origin, *below, *above)),
                }
            }
            Act::Clamp { below, above } => {
                let number: Decimal = text.parse().ok()?;
                match coded(number, *below, *above) {
                    Some(end) => out.push_str(&end),
                    None => write!(out, "{number}").ok()?,
                }
            }
            Act::Date { to } => {
                let (year, month, _) = read_day(text)?.parts();
                match to {
                    DateUnit::Month => write!(out, "{year}-{month:02}"),
                    DateUnit::Quarter => write!(out, "{year}-Q{}", month.div_ceil(3)),
                    DateUnit::Year => write!(out, "{year}"),
                    DateUnit::Decade => write!(out, "{}s", year.div_euclid(10) * 10),
                }
                .ok()?;
            }
            Act::Prefix { keep } => {
                let end = text.char_indices().nth(*keep).map_or(text.len(), |(at, _)| at);
                out.push_str(text.get(..end)?);
                out.push('*');
            }
            Act::Map { to, otherwise } => out.push_str(to.get(text).or(otherwise.as_ref())?),
            Act::Pseudonym { .. } => self.key?.write_name(self.namespace, text, out),
            Act::Token { .. } => out.push_str(&self.key?.token(self.namespace, text)?),
            Act::Ip { v4, v6 } => out.push_str(&network(text, *v4, *v6)?),
            // The person beside it is needed: only a border moves days.
            Act::Shift { .. } => return None,
        }
        Some(())
    }
}

/// Remembers what values became: ages, days and words repeat within a batch, and looking up is cheaper than computing.
struct Memo {
    slots: Vec<Slot>,
    last: Slot,
    asked: usize,
    known: usize,
}

/// What a value became; a value that is missing afterwards is there no more.
#[derive(Clone, Default)]
struct Slot {
    before: String,
    after: String,
    is_there: bool,
}

impl Slot {
    fn fill(&mut self, cell: &Cell<'_>, text: &str) {
        self.after.clear();
        self.is_there = cell.write(text, &mut self.after);
    }

    fn after(&self) -> Option<&str> {
        self.is_there.then_some(self.after.as_str())
    }
}

// LIMIT: values remembered, and questions after which a memo that seldom knows is no longer asked.
const MEMO_SLOTS: usize = 1024;
const MEMO_TRIAL: usize = 2048;

impl Memo {
    fn new() -> Self {
        Self { slots: vec![Slot::default(); MEMO_SLOTS], last: Slot::default(), asked: 0, known: 0 }
    }

    fn apply(&mut self, cell: &Cell<'_>, text: &str) -> Option<&str> {
        if self.asked >= MEMO_TRIAL && self.known * 4 < self.asked {
            self.last.fill(cell, text);
            return self.last.after();
        }
        let mut hash = crate::intern::Mixed::default();
        std::hash::Hasher::write(&mut hash, text.as_bytes());
        let place = std::hash::Hasher::finish(&hash) as usize % MEMO_SLOTS;
        self.asked += 1;
        // INVARIANT: an empty text is never asked for (it is missing), so a fresh slot matches nothing.
        let slot = self.slots.get_mut(place)?;
        if slot.before == text {
            self.known += 1;
        } else {
            slot.before.clear();
            slot.before.push_str(text);
            slot.fill(cell, text);
        }
        slot.after()
    }
}

fn coded(number: Decimal, below: Option<Decimal>, above: Option<Decimal>) -> Option<String> {
    match (below, above) {
        (Some(below), _) if number < below => Some(format!("<{below}")),
        (_, Some(above)) if number >= above => Some(format!(">={above}")),
        _ => None,
    }
}

// A bin never reaches over a coded end, so that bins do not overlap what is coded.
fn bin(
    number: Decimal,
    width: Decimal,
    origin: Decimal,
    below: Option<Decimal>,
    above: Option<Decimal>,
) -> String {
    let low = number.floor_to(width, origin);
    let high = above.map_or(low.plus(width), |a| a.min(low.plus(width)));
    format!("[{},{high})", below.map_or(low, |b| b.max(low)))
}

/// The network of an address, with so many bits of it.
fn network(text: &str, v4: u8, v6: u8) -> Option<String> {
    match text.parse().ok()? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0);
            Some(format!("{}/{v4}", Ipv4Addr::from_bits(address.to_bits() & mask)))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(v6)).unwrap_or(0);
            Some(format!("{}/{v6}", Ipv6Addr::from_bits(address.to_bits() & mask)))
        }
    }
}

/// Whether an act could have given this value: data that claim to be transformed are held against their plan.
pub(crate) fn could_give(act: &Act, text: &str) -> bool {
    let number = |t: &str| t.parse::<Decimal>().ok();
    let coded = |below: &Option<Decimal>, above: &Option<Decimal>| {
        text.strip_prefix('<').is_some_and(|t| below.is_some() && number(t) == *below)
            || text.strip_prefix(">=").is_some_and(|t| above.is_some() && number(t) == *above)
    };
    match act {
        Act::Keep => true,
        Act::Drop | Act::Suppress => false,
        Act::Bin { width, origin, below, above } => {
            let edges =
                text.strip_prefix('[').and_then(|t| t.strip_suffix(')')).and_then(|t| t.split_once(','));
            let low = edges.and_then(|(low, _)| number(low));
            coded(below, above) || low.is_some_and(|low| bin(low, *width, *origin, *below, *above) == text)
        }
        Act::Clamp { below, above } => {
            let within = |n: Decimal| below.is_none_or(|b| n >= b) && above.is_none_or(|a| n < a);
            coded(below, above) || number(text).is_some_and(within)
        }
        Act::Date { to } => {
            let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
            match to {
                DateUnit::Month => text.split_once('-').is_some_and(|(y, m)| digits(y, 4) && digits(m, 2)),
                DateUnit::Quarter => text.split_once("-Q").is_some_and(|(y, q)| digits(y, 4) && digits(q, 1)),
                DateUnit::Year => digits(text, 4),
                DateUnit::Decade => text.strip_suffix("0s").is_some_and(|t| digits(t, 3)),
            }
        }
        Act::Ip { v4, v6 } => text
            .split_once('/')
            .is_some_and(|(address, _)| network(address, *v4, *v6).is_some_and(|same| same == text)),
        Act::Shift { .. } => {
            matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _]) && read_day(text).is_some()
        }
        Act::Token { .. } => text.len() >= 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        Act::Prefix { keep } => text.strip_suffix('*').is_some_and(|t| t.chars().count() <= *keep),
        Act::Map { to, otherwise } => {
            otherwise.as_deref() == Some(text) || to.values().any(|value| value == text)
        }
        Act::Pseudonym { .. } => {
            text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, StringArray};

    fn text(act: &str, value: &str) -> Option<String> {
        let plan = Plan::parse(&format!("[columns.x]\n{act}")).unwrap();
        Cell::of(&plan.columns["x"], "x", None).apply(value)
    }

    #[test]
    fn each_act_on_a_cell() {
        let check = |act: &str, value: &str, expect: &str| {
            assert_eq!(text(act, value).as_deref(), (!expect.is_empty()).then_some(expect), "{act} {value}")
        };
        check("act='bin'\nwidth=5", "24", "[20,25)");
        check("act='bin'\nwidth=5", "25", "[25,30)");
        check("act='bin'\nwidth=5\nabove=85", "92", ">=85");
        check("act='bin'\nwidth=10\nabove=85", "82", "[80,85)");
        check("act='bin'\nwidth=10\nbelow=18", "19", "[18,20)");
        check("act='bin'\nwidth=10\nbelow=18", "17", "<18");
        check("act='bin'\nwidth='0.5'", "6.2", "[6,6.5)");
        check("act='bin'\nwidth=5", "unknown", "");
        check("act='clamp'\nbelow=40\nabove=120", "39.9", "<40");
        check("act='clamp'\nbelow=40\nabove=120", "79.50", "79.5");
        check("act='date'\nto='year'", "1952-12-26", "1952");
        check("act='date'\nto='quarter'", "昭和27年12月26日", "1952-Q4");
        check("act='date'\nto='decade'", "1952-12-26", "1950s");
        check("act='date'\nto='year'", "03/04/2020", "");
        check("act='prefix'\nkeep=3", "984-7289", "984*");
        check("act='prefix'\nkeep=1", "東京都", "東*");
        check("act='map'\nto={Tokyo='Kanto'}", "Tokyo", "Kanto");
        check("act='map'\nto={Tokyo='Kanto'}", "Osaka", "");
        check("act='map'\nto={Tokyo='Kanto'}\notherwise='elsewhere'", "Osaka", "elsewhere");
        check("act='suppress'", "anything", "");
        check("act='ip'\nv4=24\nv6=48", "192.0.2.77", "192.0.2.0/24");
        check("act='ip'\nv4=24\nv6=48", "2001:db8:1:2::7", "2001:db8:1::/48");
        check("act='ip'\nv4=0\nv6=0", "192.0.2.77", "0.0.0.0/0");
        check("act='ip'\nv4=24\nv6=48", "not an address", "");
    }

    #[test]
    fn days_of_one_person_move_together_and_tokens_need_the_key() {
        let column = |v: &[Option<&str>]| Arc::new(arrow_array::StringArray::from(v.to_vec())) as ArrayRef;
        let table = RecordBatch::try_from_iter([
            ("patient", column(&[Some("a"), Some("a"), Some("b"), None])),
            (
                "seen",
                column(&[Some("2026-01-10"), Some("令和8年1月20日"), Some("2026-01-10"), Some("2026-01-10")]),
            ),
        ])
        .unwrap();
        let plan = Plan::parse(
            "[columns.patient]\nact='token'\n[columns.seen]\nact='shift'\nperson='patient'\ndays=90",
        )
        .unwrap();
        assert_eq!(Border::prepare(&plan, &table.schema(), None).unwrap_err().code(), "pets/needs-key");
        let domain =
            crate::pseudonym::Domain { recipient: "r".into(), purpose: "p".into(), period: "1".into() };
        let key = DomainKey::derive(&[3; 32], &domain).unwrap();
        let out = Border::prepare(&plan, &table.schema(), Some(key.clone())).unwrap().apply(&table).unwrap();
        let (patients, seen) = (Cells::of(out.column(0)).unwrap(), Cells::of(out.column(1)).unwrap());
        assert_eq!(key.value("patient", &patients.text(2).unwrap()).as_deref(), Some("b"));
        let day = |row: usize| read_day(&seen.text(row).unwrap()).unwrap().days_since_epoch();
        assert_eq!(day(1) - day(0), 10);
        assert_ne!(day(0), read_day("2026-01-10").unwrap().days_since_epoch());
        assert!((day(2) - read_day("2026-01-10").unwrap().days_since_epoch()).abs() <= 90);
        assert_eq!(seen.text(3), None);
    }

    #[test]
    fn what_an_act_gives_it_could_give_and_raw_values_it_could_not() {
        let acts = [
            "act='bin'\nwidth=5\nabove=85\nbelow=18",
            "act='bin'\nwidth='0.5'",
            "act='clamp'\nbelow=40\nabove=120",
            "act='date'\nto='month'",
            "act='date'\nto='quarter'",
            "act='date'\nto='year'",
            "act='date'\nto='decade'",
            "act='prefix'\nkeep=3",
            "act='map'\nto={Tokyo='Kanto'}\notherwise='elsewhere'",
        ];
        for act in acts {
            let plan = Plan::parse(&format!("[columns.x]\n{act}")).unwrap();
            for value in [
                "3",
                "17.9",
                "18",
                "20",
                "84.5",
                "85",
                "119",
                "121",
                "-4",
                "1952-12-26",
                "984-7289",
                "Tokyo",
                "昭和27年12月26日",
            ] {
                if let Some(given) = text(act, value) {
                    assert!(could_give(&plan.columns["x"], &given), "{act} {value} {given}");
                    let raw = could_give(&plan.columns["x"], value);
                    assert!(!raw || given == value || act.contains("prefix"), "{act} {value}");
                }
            }
            for raw in ["1952-12-26", "Lisa Lee", "984-7289"] {
                assert!(!could_give(&plan.columns["x"], raw), "{act} {raw}");
            }
        }
    }

    fn table(fields: &[(&str, ArrayRef)]) -> RecordBatch {
        RecordBatch::try_from_iter(fields.iter().cloned()).unwrap()
    }

    fn column(values: Vec<&str>) -> ArrayRef {
        Arc::new(StringArray::from(values))
    }

    #[test]
    fn a_column_that_appears_later_than_the_plan_stops_at_the_border() {
        let plan = Plan::parse("[columns.age]\nact='bin'\nwidth=10\n[columns.name]\nact='drop'").unwrap();
        let first = table(&[("name", column(vec!["a"])), ("age", Arc::new(Int64Array::from(vec![34])))]);
        let border = Border::prepare(&plan, &first.schema(), None).unwrap();
        let out = border.apply(&first).unwrap();
        assert_eq!(
            out,
            table(&[("age", column(vec!["[30,40)"]))]).with_schema(border.schema().clone()).unwrap()
        );
        let later = table(&[
            ("name", column(vec!["a"])),
            ("age", Arc::new(Int64Array::from(vec![34]))),
            ("phone", column(vec!["1"])),
        ]);
        assert!(matches!(border.apply(&later), Err(Refusal::UnplannedColumn(name)) if name == "phone"));
        assert!(matches!(Border::prepare(&plan, &later.schema(), None), Err(Refusal::UnplannedColumn(_))));
        let swapped = table(&[("age", Arc::new(Int64Array::from(vec![34]))), ("name", column(vec!["a"]))]);
        assert!(matches!(border.apply(&swapped), Err(Refusal::SchemaChanged(_))));
        let retyped = table(&[("name", column(vec!["a"])), ("age", column(vec!["34"]))]);
        assert!(matches!(border.apply(&retyped), Err(Refusal::SchemaChanged(name)) if name == "age"));
        let missing = table(&[("name", column(vec!["a"]))]);
        assert!(
            matches!(Border::prepare(&plan, &missing.schema(), None), Err(Refusal::MissingColumn(name)) if name == "age")
        );
    }

    #[test]
    fn a_pseudonym_needs_a_key_and_batches_are_independent() {
        let plan = Plan::parse("[columns.id]\nact='pseudonym'").unwrap();
        let (one, two) = (table(&[("id", column(vec!["1", "2"]))]), table(&[("id", column(vec!["2"]))]));
        assert!(matches!(Border::prepare(&plan, &one.schema(), None), Err(Refusal::NeedsKey(_))));
        let domain =
            crate::pseudonym::Domain { recipient: "r".into(), purpose: "p".into(), period: "2026".into() };
        let border =
            Border::prepare(&plan, &one.schema(), DomainKey::derive(&[1; 32], &domain).ok()).unwrap();
        let (one, two) = (border.apply(&one).unwrap(), border.apply(&two).unwrap());
        let read = |b: &RecordBatch, row| Cells::of(b.column(0)).unwrap().text(row).unwrap().into_owned();
        assert_eq!(read(&one, 1), read(&two, 0));
        assert_ne!(read(&one, 0), read(&one, 1));
    }
}
