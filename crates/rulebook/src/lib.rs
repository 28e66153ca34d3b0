//! Rule files become a checked [`book::Rulebook`]; a described transfer becomes [`bind::Bound`] knowledge.
//!
//! This room reads law as text (docs/rule-format.md): (path, text) pairs in, nouns of law and diagnostics with
//! places out. It never decides, never names a country in code, and touches no file: whoever calls brings the texts.
//!
//! Path of data: text → [`block`] → [`read`] and [`expr`] → [`book`] → [`check`]; a transfer → [`bind`].
//!
//! ```
//! use rulebook::book::{Rulebook, Source};
//! let text = "# Law\n```gaet x.1\nwhen: yes\n```\n";
//! let (_, findings) = Rulebook::parse(vec![Source { path: "x.md".into(), text: text.into() }]);
//! assert_eq!(findings[0].help, "did you mean `gate`?");
//! ```

pub mod book;
pub mod law;
pub mod vocabulary;
pub mod expr;
pub mod bind;
pub mod lookup;
pub mod census;
pub mod watchlist;
pub mod export;
pub mod form;
pub mod schema;
pub mod search;
pub mod usual;
pub mod window;
pub mod calendar;
pub mod strike;
pub mod diagnostic;
pub mod block;
pub mod read;
mod check;
