//! Finds what each column holds, with the evidence, and which combinations of columns single people out.
//!
//! A single value proves nothing (one random number in ten passes a check digit); a column does: the likelihood of its
//! passes under the scheme against their likelihood by chance is what is weighed, beside header words and value lists.
//! Weights are in decibans (tenths of a power of ten of odds). No value of the data is kept in a [`Scan`].

use crate::catalogue::Catalogue;
use crate::cell::Cells;
use crate::dictionary::{Dictionary, Entry, Role, SaidBy};
use crate::protect::Ladders;
use crate::ratio::Ratio;
use crate::sample::{Kept, Sample};
use crate::single_out::{Rows, SinglingOut};
use crate::words::Words;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::Serialize;
use std::collections::BTreeMap;

mod country;
pub(crate) mod forms;
mod values;
mod weigh;

/// What this room knows: the catalogue of identifiers, the lists of words, the ladders. All data, passed in as text.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// Identifiers with check rules.
    pub catalogue: Catalogue,
    /// Header words, value lists, names.
    pub words: Words,
    /// How values of a kind become coarser.
    pub ladders: Ladders,
}

/// One reason for a classification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "because", rename_all = "kebab-case")]
pub enum Evidence {
    /// A word of the header announces the kind.
    Header {
        /// The word.
        word: String,
        /// Whether it is the whole header.
        whole: bool,
    },
    /// Distinct values have the shape and pass the check digits of a scheme.
    CheckDigits {
        /// Distinct values looked at.
        of: u64,
        /// Of the scheme's shape.
        fitting: u64,
        /// That pass.
        passing: u64,
        /// How often chance passes.
        chance: Ratio,
    },
    /// Distinct values have a form: a mail address, a day, a telephone number.
    Form {
        /// Distinct values looked at.
        of: u64,
        /// Of the form.
        fitting: u64,
    },
    /// Distinct values are in the kind's list.
    List {
        /// Distinct values looked at.
        of: u64,
        /// In the list.
        listed: u64,
    },
    /// Nearly every record has a value of its own.
    AllDifferent {
        /// Distinct values.
        distinct: u64,
        /// Records with a value.
        records: u64,
    },
    /// Values are texts that mention persons.
    Mentions {
        /// Texts read.
        of: u64,
        /// That mention someone.
        mentioning: u64,
    },
    /// Other columns speak for the country of a scheme whose arithmetic is also that of another.
    Table {
        /// The country.
        country: String,
        /// Columns that do.
        columns: u64,
    },
    /// The values contradict what the header says.
    Contradicted {
        /// Distinct values looked at.
        of: u64,
        /// That do not fit.
        unfitting: u64,
    },
}

/// A reason and its weight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Weighed {
    /// Tenths of a power of ten of odds; negative speaks against.
    pub decibans: i32,
    /// The reason.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A kind that a column may be, with its reasons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Candidate {
    /// The kind or scheme.
    pub kind: String,
    /// What it does to privacy.
    pub role: Role,
    /// The sum of the weights.
    pub decibans: i32,
    /// The reasons.
    pub evidence: Vec<Weighed>,
}

/// What was found about one column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The column.
    pub column: String,
    /// What it does to privacy, in our proposal.
    pub role: Role,
    /// The best candidate, if any weighs enough.
    pub found: Option<Candidate>,
    /// Others that weigh enough, best first.
    pub alternatives: Vec<Candidate>,
    /// Records.
    pub rows: u64,
    /// Records without a value.
    pub missing: u64,
    /// Distinct values.
    pub distinct: u64,
    /// Whether `distinct` was counted or estimated.
    pub distinct_exact: bool,
    /// The most frequent look of its values: `999-9999`, `Aaaa Aaa`; digits, letters and scripts stand for themselves.
    pub looks_like: Option<String>,
    /// Kinds that values mention inside longer text, with the number of distinct values that do.
    pub mentions: BTreeMap<String, u64>,
    /// False when the column holds lists, structs or bytes and nothing was read.
    pub readable: bool,
}

/// What was found about a table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Scan {
    /// Records.
    pub rows: u64,
    /// Columns, in the table's order.
    pub columns: Vec<Finding>,
    /// Combinations that single out most records, by number of columns and then by power.
    pub singling_out: Vec<SinglingOut>,
    /// How many records the combinations were counted on (all, or the first ones).
    pub counted_rows: u64,
    /// How many of those the combinations of two and three were picked on, before the picked ones were counted on all.
    /// Who is alone in the whole is alone in any part, so a powerful combination shows there at least as strongly.
    pub picked_rows: u64,
}

/// Accumulates batches, then judges.
#[derive(Debug)]
pub struct Scanner {
    names: Vec<String>,
    samples: Vec<Sample>,
    readable: Vec<bool>,
    rows: Rows,
}

impl Scanner {
    /// Starts a scan of tables with this schema.
    pub fn new(schema: &Schema) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let count = names.len();
        Self {
            names,
            samples: vec![Sample::new(); count],
            readable: vec![true; count],
            rows: Rows::of_width(count),
        }
    }

    /// Looks at a batch; columns beyond the schema are not looked at, they stop at the border later.
    pub fn push(&mut self, batch: &RecordBatch) {
        let cells: Vec<Option<Cells<'_>>> =
            batch.columns().iter().take(self.names.len()).map(Cells::of).collect();
        let columns = self.samples.iter_mut().zip(&mut self.readable).zip(&cells).enumerate();
        for (index, ((sample, readable), cells)) in columns {
            *readable &= cells.is_some();
            // The first rows are coded for counting; their values go to the sample at the end, each once.
            let coded = self.rows.push(index, cells.as_ref(), batch.num_rows());
            match cells {
                Some(cells) => cells.each(coded..batch.num_rows(), |text| sample.push(text)),
                None => sample.push_many(None, (batch.num_rows() - coded) as u64),
            }
        }
    }

    /// Judges what was seen.
    pub fn finish(self, knowledge: &Knowledge) -> Scan {
        let kept = |(index, mut sample): (usize, Sample)| {
            let counted = self.rows.counted(index);
            if sample.is_fresh() {
                return Kept::of_counted(counted.into_iter());
            }
            counted.into_iter().for_each(|(text, times)| sample.push_many(text, times));
            sample.finish()
        };
        let samples: Vec<Kept> = self.samples.into_iter().enumerate().map(kept).collect();
        let mut columns: Vec<Finding> = Vec::with_capacity(samples.len());
        for ((name, sample), readable) in self.names.iter().zip(&samples).zip(&self.readable) {
            let finding = Finding { readable: *readable, ..weigh::column(name, sample, knowledge) };
            columns.push(weigh::mentions(finding, sample, knowledge));
        }
        weigh::coordinates(&mut columns, &samples);
        country::settle(&mut columns, &samples, knowledge);
        // A code that nothing announces is a person's only beside columns that are about persons.
        let personal =
            |f: &Finding| !matches!(f.role, Role::Attribute | Role::NonPersonal) && !f.is_bare_code();
        if !columns.iter().any(personal) {
            for bare in columns.iter_mut().filter(|f| f.is_bare_code()) {
                bare.alternatives.splice(0..0, bare.found.take());
            }
            columns.iter_mut().for_each(|f| f.role = Role::NonPersonal);
        }
        let singling_out = self.rows.singling_out(&columns);
        Scan {
            rows: columns.first().map_or(0, |f| f.rows),
            columns,
            singling_out,
            counted_rows: self.rows.len(),
            picked_rows: self.rows.picked(),
        }
    }
}

impl Finding {
    /// Kinds that are as likely as the one found: schemes with the same arithmetic, between which neither the values, the header
    /// nor the rest of the table decides. The first of all is named first only because one must be.
    pub fn as_likely(&self) -> impl Iterator<Item = &Candidate> {
        let best = self.found.as_ref();
        self.alternatives.iter().filter(move |other| best.is_some_and(|best| weigh::are_alike(best, other)))
    }

    fn is_bare_code(&self) -> bool {
        let bare = |w: &Weighed| matches!(w.evidence, Evidence::AllDifferent { .. });
        self.role == Role::LinkingCode && self.found.as_ref().is_some_and(|c| c.evidence.iter().all(bare))
    }
}

impl Scan {
    /// Scans batches of one schema.
    pub fn of(batches: &[RecordBatch], knowledge: &Knowledge) -> Self {
        let schema = batches.first().map_or_else(|| Schema::empty().into(), RecordBatch::schema);
        let mut scanner = Scanner::new(&schema);
        batches.iter().for_each(|batch| scanner.push(batch));
        scanner.finish(knowledge)
    }

    /// The proposal as a dictionary, for a person to correct.
    pub fn dictionary(&self) -> Dictionary {
        let entry = |f: &Finding| Entry {
            role: f.role,
            kind: f.found.as_ref().map(|c| c.kind.clone()),
            said_by: SaidBy::Scan,
            ladder: Vec::new(),
            weight: 1,
            act: None,
        };
        Dictionary {
            columns: self.columns.iter().map(|f| (f.column.clone(), entry(f))).collect::<BTreeMap<_, _>>(),
        }
    }

    /// The finding on a column.
    pub fn column(&self, name: &str) -> Option<&Finding> {
        self.columns.iter().find(|f| f.column == name)
    }
}

#[cfg(test)]
pub(crate) mod tests;
