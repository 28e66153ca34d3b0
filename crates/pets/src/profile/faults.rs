//! What is wrong with a profile as a document, each with its place.

use super::{Document, Fault, Need};
use crate::ratio::Ratio;
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) fn faults(document: &Document, text: &str) -> Vec<Fault> {
    let mut out = Vec::new();
    let mut fault = |span: Range<usize>, code, message: String, help: Option<&str>| {
        out.push(Fault { span, code, message, help: help.map(Into::into) });
    };
    if *document.version.get_ref() == 0 {
        fault(document.version.span(), "profile/version", "versions count from 1".into(), None);
    }
    if document.valid_until.get_ref() < document.valid_from.get_ref() {
        fault(
            document.valid_until.span(),
            "profile/validity",
            "the profile ends before it begins".into(),
            None,
        );
    }
    if document.authority.is_empty() {
        fault(
            document.id.span(),
            "profile/authority",
            "no authority is named".into(),
            Some("add an `[[authority]]` with the effect and the power claimed"),
        );
    }
    let mut seen = BTreeSet::new();
    for clause in &document.clause {
        let (span, clause) = (whole_table(text, clause.span()), clause.get_ref());
        if !seen.insert(&clause.id) {
            fault(
                span.clone(),
                "profile/clause-twice",
                format!("clause `{}` is there twice", clause.id),
                None,
            );
        }
        if clause.cites.trim().is_empty() {
            fault(
                span.clone(),
                "profile/no-ground",
                format!("clause `{}` cites nothing", clause.id),
                Some("name the provision, or write `chosen`"),
            );
        }
        if let Some(message) = impossible(&clause.need) {
            fault(span, "profile/impossible", format!("clause `{}`: {message}", clause.id), None);
        }
    }
    out
}

// The reader spans the header of a table only; people look for the table.
fn whole_table(text: &str, header: Range<usize>) -> Range<usize> {
    let next =
        text.get(header.end..).and_then(|rest| rest.find("\n[")).map_or(text.len(), |at| header.end + at);
    header.start..next
}

fn impossible(need: &Need) -> Option<&'static str> {
    match need {
        Need::MinClass { k: 0 } | Need::KMap { k: 0 } => Some("a class of nobody is none; k is at least 1"),
        Need::RiskMax { most } | Need::RiskAverage { most } if *most == Ratio::ZERO => {
            Some("a risk of zero is met by an empty table only")
        }
        Need::RiskMax { most }
        | Need::RiskAverage { most }
        | Need::LeftOut { most }
        | Need::Closeness { most }
        | Need::Alpha { most }
        | Need::Attack { most, .. }
            if *most > Ratio::ONE =>
        {
            Some("a share is at most 1")
        }
        Need::DistinctL { least: 0 } | Need::SharedValues { least: 0, .. } => Some("zero demands nothing"),
        Need::Alpha { most } if *most == Ratio::ZERO => Some("some value has a share in every class"),
        Need::Recursive { c } if *c == Ratio::ZERO => Some("some value occurs in every class"),
        Need::Removed { roles, by } if roles.is_empty() || by.is_empty() => Some("name roles and techniques"),
        _ => None,
    }
}
