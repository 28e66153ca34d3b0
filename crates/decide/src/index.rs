//! Where each rule stands in the rulebook, by id.

use rulebook::{
    book::Rulebook,
    law::{Bar, Gate, Obligation, Out, Route, Scope},
};
use std::collections::HashMap;

/// Places in the rulebook's lists, by id.
#[derive(Clone, Debug, Default)]
pub struct Index(HashMap<String, usize>);

impl Index {
    /// Looks at every rule once. Ids are given once over all kinds.
    pub fn of(book: &Rulebook) -> Self {
        let mut out = HashMap::new();
        out.extend(book.scopes.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        out.extend(book.outs.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        out.extend(book.bars.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        out.extend(book.gates.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        out.extend(book.routes.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        out.extend(book.obligations.iter().enumerate().map(|(i, b)| (b.head.id.clone(), i)));
        Self(out)
    }

    fn at<'b, T>(&self, list: &'b [T], id: &str) -> Option<&'b T> {
        self.0.get(id).and_then(|i| list.get(*i))
    }

    /// A scope block.
    pub fn scope<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Scope> {
        self.at(&book.scopes, id).filter(|b| b.head.id == id)
    }

    /// An out block.
    pub fn out<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Out> {
        self.at(&book.outs, id).filter(|b| b.head.id == id)
    }

    /// A bar.
    pub fn bar<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Bar> {
        self.at(&book.bars, id).filter(|b| b.head.id == id)
    }

    /// A gate.
    pub fn gate<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Gate> {
        self.at(&book.gates, id).filter(|b| b.head.id == id)
    }

    /// A route.
    pub fn route<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Route> {
        self.at(&book.routes, id).filter(|b| b.head.id == id)
    }

    /// An obligation.
    pub fn obligation<'b>(&self, book: &'b Rulebook, id: &str) -> Option<&'b Obligation> {
        self.at(&book.obligations, id).filter(|b| b.head.id == id)
    }
}
