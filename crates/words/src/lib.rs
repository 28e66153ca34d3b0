//! Message ids to text in English and Japanese, for the terminal, the pages and reasons.
//!
//! This room holds words of the house; it never holds law: what a rule says stands in `rules/`. Both languages have
//! the same ids, which a test checks, so that a page is never half translated.
//!
//! ```
//! use model::text::Language;
//! assert_eq!(words::say(Language::En, "verdict-permitted", &[]), "May go");
//! assert_eq!(words::say(Language::Ja, "verdict-permitted", &[]), "移転できます");
//! ```

mod cite;

pub use cite::cite;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use model::text::Language;
use std::sync::OnceLock;

/// The English messages, Fluent syntax.
pub const EN: &str = include_str!("../i18n/en.ftl");
/// The Japanese messages.
pub const JA: &str = include_str!("../i18n/ja.ftl");

/// Help of the verbs in Japanese. The English stands with the verbs themselves, where each argument is declared; a test of
/// `cli` holds the two against each other.
pub const HELP_JA: &str = include_str!("../i18n/help.ja.ftl");

type Bundle = FluentBundle<FluentResource>;

fn bundle(language: Language) -> &'static Bundle {
    static ENGLISH: OnceLock<Bundle> = OnceLock::new();
    static JAPANESE: OnceLock<Bundle> = OnceLock::new();
    match language {
        Language::En => ENGLISH.get_or_init(|| load(unic_langid::langid!("en"), EN)),
        Language::Ja => JAPANESE.get_or_init(|| load(unic_langid::langid!("ja"), JA)),
    }
}

fn load(id: unic_langid::LanguageIdentifier, text: &str) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // A message file with a fault still serves its other messages; a test keeps both files free of faults.
    let resource = FluentResource::try_new(text.to_string()).unwrap_or_else(|(partial, _)| partial);
    bundle.add_resource_overriding(resource);
    bundle.set_use_isolating(false);
    bundle
}

/// A text of help in Japanese, if there is one.
pub fn help(id: &str) -> Option<String> {
    static HELP: OnceLock<Bundle> = OnceLock::new();
    let bundle = HELP.get_or_init(|| load(unic_langid::langid!("ja"), HELP_JA));
    let pattern = bundle.get_message(id)?.value()?;
    Some(bundle.format_pattern(pattern, None, &mut Vec::new()).into_owned())
}

/// An argument of a message.
#[derive(Clone, Debug)]
pub enum Arg<'a> {
    /// Text.
    Text(&'a str),
    /// A number, for plural forms.
    Number(i64),
}

/// The text of a message id in a language; the id itself if there is no such message.
pub fn say(language: Language, id: &str, args: &[(&str, Arg<'_>)]) -> String {
    let bundle = bundle(language);
    let Some(pattern) = bundle.get_message(id).and_then(|m| m.value()) else { return id.to_string() };
    let mut fluent = FluentArgs::new();
    for (name, arg) in args {
        let value = match arg {
            Arg::Text(t) => FluentValue::from(t.to_string()),
            Arg::Number(n) => FluentValue::from(*n),
        };
        fluent.set(name.to_string(), value);
    }
    bundle.format_pattern(pattern, Some(&fluent), &mut Vec::new()).into_owned()
}

/// The ids that a message file defines, in order.
pub fn ids(file: &str) -> Vec<&str> {
    let starts_message = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    file.lines().filter(starts_message).filter_map(|l| l.split_once(" =").map(|(id, _)| id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_have_the_same_ids_and_no_fault() {
        let (en, ja): (BTreeSet<_>, BTreeSet<_>) = (ids(EN).into_iter().collect(), ids(JA).into_iter().collect());
        assert_eq!(en.symmetric_difference(&ja).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(en.len(), ids(EN).len(), "an id is given once");
        for text in [EN, JA] {
            assert!(FluentResource::try_new(text.to_string()).is_ok());
        }
    }

    #[test]
    fn numbers_choose_their_form() {
        assert_eq!(say(Language::En, "days", &[("n", Arg::Number(1))]), "1 day");
        assert_eq!(say(Language::En, "days", &[("n", Arg::Number(14))]), "14 days");
        assert_eq!(say(Language::Ja, "days", &[("n", Arg::Number(14))]), "14日");
        assert_eq!(say(Language::En, "no-such-id", &[]), "no-such-id");
    }
}
