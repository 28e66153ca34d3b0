//! One way to read a cell of any column: as its canonical text, or as missing.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_buffer::NullBuffer;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use model::CivilDate;
use std::borrow::Cow;
use std::sync::Arc;

/// Reads the cells of one Arrow array as text.
///
/// INVARIANT: equal values give equal text whatever the array's type; blank text and NaN are missing; so classes
/// counted on a CSV file and on the same table in Parquet are the same.
pub struct Cells<'a> {
    array: &'a dyn Array,
    nulls: Option<&'a NullBuffer>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Text(&'a arrow_array::StringArray),
    LargeText(&'a arrow_array::LargeStringArray),
    TextView(&'a arrow_array::StringViewArray),
    Whole(Box<dyn Fn(usize) -> i128 + 'a>),
    Float(Box<dyn Fn(usize) -> f64 + 'a>),
    Decimal(&'a arrow_array::Decimal128Array, i8),
    Truth(&'a arrow_array::BooleanArray),
    Day(Box<dyn Fn(usize) -> i64 + 'a>),
    Second(Box<dyn Fn(usize) -> i64 + 'a>),
    Coded(Vec<usize>, Box<Cells<'a>>),
    Nothing,
}

impl<'a> Cells<'a> {
    /// Reads the array, unless its type holds no single value (lists, structs, binary).
    pub fn of(array: &'a ArrayRef) -> Option<Self> {
        Self::of_dyn(array.as_ref())
    }

    fn of_dyn(array: &'a dyn Array) -> Option<Self> {
        macro_rules! whole {
            ($t:ty) => {{
                let a = array.as_primitive::<$t>();
                Kind::Whole(Box::new(move |row| a.value(row).into()))
            }};
        }
        macro_rules! second {
            ($t:ty, $per:expr) => {{
                let a = array.as_primitive::<$t>();
                Kind::Second(Box::new(move |row| a.value(row).div_euclid($per)))
            }};
        }
        let kind = match array.data_type() {
            DataType::Null => Kind::Nothing,
            DataType::Utf8 => Kind::Text(array.as_string()),
            DataType::LargeUtf8 => Kind::LargeText(array.as_string()),
            DataType::Utf8View => Kind::TextView(array.as_string_view()),
            DataType::Boolean => Kind::Truth(array.as_boolean()),
            DataType::Int8 => whole!(Int8Type),
            DataType::Int16 => whole!(Int16Type),
            DataType::Int32 => whole!(Int32Type),
            DataType::Int64 => whole!(Int64Type),
            DataType::UInt8 => whole!(UInt8Type),
            DataType::UInt16 => whole!(UInt16Type),
            DataType::UInt32 => whole!(UInt32Type),
            DataType::UInt64 => whole!(UInt64Type),
            DataType::Float32 => {
                let a = array.as_primitive::<Float32Type>();
                // Through text, so that 0.1 as a 32-bit float reads `0.1`.
                Kind::Float(Box::new(move |row| a.value(row).to_string().parse().unwrap_or(f64::NAN)))
            }
            DataType::Float64 => {
                let a = array.as_primitive::<Float64Type>();
                Kind::Float(Box::new(move |row| a.value(row)))
            }
            DataType::Decimal128(_, scale) => Kind::Decimal(array.as_primitive::<Decimal128Type>(), *scale),
            DataType::Date32 => {
                let a = array.as_primitive::<Date32Type>();
                Kind::Day(Box::new(move |row| a.value(row).into()))
            }
            DataType::Date64 => {
                let a = array.as_primitive::<Date64Type>();
                Kind::Day(Box::new(move |row| a.value(row).div_euclid(86_400_000)))
            }
            DataType::Timestamp(TimeUnit::Second, _) => second!(TimestampSecondType, 1),
            DataType::Timestamp(TimeUnit::Millisecond, _) => second!(TimestampMillisecondType, 1_000),
            DataType::Timestamp(TimeUnit::Microsecond, _) => second!(TimestampMicrosecondType, 1_000_000),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => second!(TimestampNanosecondType, 1_000_000_000),
            DataType::Dictionary(_, _) => {
                let coded = array.as_any_dictionary();
                Kind::Coded(coded.normalized_keys(), Box::new(Self::of_dyn(coded.values().as_ref())?))
            }
            _ => return None,
        };
        Some(Self { array, nulls: array.nulls(), kind })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// True when there is no cell.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// The texts of some rows in order, as [`Cells::text`] gives them: what kind of array it is, is asked once.
    pub(crate) fn each(&self, rows: std::ops::Range<usize>, mut take: impl FnMut(Option<&str>)) {
        match &self.kind {
            Kind::Text(a) if self.nulls.is_none() && rows.end <= a.len() => {
                rows.for_each(|row| take(Some(trim(a.value(row))).filter(|t| !t.is_empty())));
            }
            _ => rows.for_each(|row| take(self.text(row).as_deref())),
        }
    }

    /// The text of one cell, trimmed; `None` when it is null, blank, or beyond the end.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        if row >= self.array.len() || self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let trimmed = |t: &'a str| Some(trim(t)).filter(|t| !t.is_empty()).map(Cow::Borrowed);
        match &self.kind {
            Kind::Text(a) => trimmed(a.value(row)),
            Kind::LargeText(a) => trimmed(a.value(row)),
            Kind::TextView(a) => trimmed(a.value(row)),
            Kind::Whole(value) => Some(Cow::Owned(value(row).to_string())),
            Kind::Float(value) => float_text(value(row)).map(Cow::Owned),
            Kind::Decimal(a, scale) => Some(Cow::Owned(decimal_text(a.value(row), *scale))),
            Kind::Truth(a) => Some(Cow::Borrowed(if a.value(row) { "true" } else { "false" })),
            Kind::Day(value) => Some(Cow::Owned(day_text(value(row)))),
            Kind::Second(value) => Some(Cow::Owned(second_text(value(row)))),
            Kind::Coded(keys, values) => keys.get(row).and_then(|&key| values.text(key)),
            Kind::Nothing => None,
        }
    }
}

// Nearly all texts begin and end with a character of ASCII that is no space: two glances instead of a search.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [only] if only.is_ascii_graphic() => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// The same table with every column as text, in the spelling that counts and digests use. Columns that hold no single
/// values stay as they are.
pub fn as_text(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        match Cells::of(array) {
            Some(cells) => {
                let texts: StringArray = (0..cells.len()).map(|row| cells.text(row)).collect();
                fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
                columns.push(Arc::new(texts) as ArrayRef);
            }
            None => {
                fields.push(field.clone());
                columns.push(array.clone());
            }
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

// Minus zero and zero are one value; not-a-number is no value, as in the tools that write it for a gap.
fn float_text(value: f64) -> Option<String> {
    match value {
        v if v.is_nan() => None,
        0.0 => Some("0".into()),
        v => Some(v.to_string()),
    }
}

fn decimal_text(value: i128, scale: i8) -> String {
    if scale <= 0 {
        return format!("{value}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    }
    let digits = usize::from(scale.unsigned_abs());
    let padded = format!("{:0>width$}", value.unsigned_abs(), width = digits + 1);
    let (whole, decimals) = padded.split_at(padded.len() - digits);
    let sign = if value < 0 { "-" } else { "" };
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

fn day_text(days: i64) -> String {
    i32::try_from(days).map_or_else(|_| format!("day {days}"), |d| CivilDate::from_days(d).to_string())
}

fn second_text(seconds: i64) -> String {
    let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{}T{:02}:{:02}:{:02}Z", day_text(day), rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    };

    fn texts(array: ArrayRef) -> Vec<Option<String>> {
        let cells = Cells::of(&array).unwrap();
        let one: Vec<Option<String>> = (0..=cells.len()).map(|row| cells.text(row).map(Cow::into_owned)).collect();
        let mut all = Vec::new();
        cells.each(0..cells.len() + 1, |text| all.push(text.map(String::from)));
        cells.each(0..0, |_| panic!("no row was asked for"));
        assert_eq!(one, all);
        one
    }

    #[test]
    fn equal_values_read_alike_whatever_their_type() {
        let some = |t: &str| Some(t.to_string());
        assert_eq!(
            texts(Arc::new(StringArray::from(vec![Some(" 5 "), Some(""), None]))),
            [some("5"), None, None, None]
        );
        assert_eq!(texts(Arc::new(Int64Array::from(vec![Some(5), None]))), [some("5"), None, None]);
        assert_eq!(
            texts(Arc::new(Float64Array::from(vec![5.0, -0.0, 0.1, f64::NAN]))),
            [some("5"), some("0"), some("0.1"), None, None]
        );
        let decimals = Decimal128Array::from(vec![500, -105, 7]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(texts(Arc::new(decimals)), [some("5"), some("-1.05"), some("0.07"), None]);
        assert_eq!(
            texts(Arc::new(Date32Array::from(vec![0, 18_459]))),
            [some("1970-01-01"), some("2020-07-16"), None]
        );
        assert_eq!(texts(Arc::new(BooleanArray::from(vec![true]))), [some("true"), None]);
        let coded: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
        assert_eq!(texts(Arc::new(coded)), [some("a"), None, some("a"), None]);
    }
}
