//! Applies a plan to batches; each row on its own, so that it can be done in flight.

use crate::calendar::read_day;
use crate::cell::Cells;
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use crate::pseudonym::DomainKey;
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::fmt::Write as _;
use std::sync::Arc;

mod cell;
mod memo;
mod refusal;
mod unread;

pub(crate) use cell::{Cell, could_give};
use memo::{Memo, Written};
pub use refusal::Refusal;
pub use unread::{UNREAD_PERCENT_MAX, Unread};
pub(crate) use unread::{has_to_read, reads, unread};

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
        let mut out = Written::of(array.len());
        let mut memo = Memo::new();
        cells.each(0..array.len(), |text| out.push(|to| text.is_some_and(|text| memo.write(&cell, text, to))));
        Ok(Some(Arc::new(out.finish()?)))
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
        Act::Local { .. } | Act::Range => Err(Refusal::WholeTable(name())),
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

#[cfg(test)]
mod tests;
