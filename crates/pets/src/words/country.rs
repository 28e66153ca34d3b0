//! What a value says of the country that its table is from.

use super::Country;

/// From how many letters and digits on a value that begins with the country's letters is an account: `EE38 2200 2210 2014 5685`.
const ACCOUNT_MIN: usize = 15;

impl Country {
    /// True when a value speaks for the country: a telephone number, an account, a postcode, an address of mail or of a page, or
    /// a word that hardly any other language has.
    pub(crate) fn is_said_by(&self, value: &str) -> bool {
        self.calls(value) || self.begins(value) || self.ends(value) || self.is_named(value)
    }

    // `+372 5123 4567`, `00372…`
    fn calls(&self, value: &str) -> bool {
        let Some(number) = value.strip_prefix('+').or_else(|| value.strip_prefix("00")) else { return false };
        self.phones.iter().any(|prefix| number.starts_with(prefix.as_str()))
    }

    // An account, or a postcode with the letters of the country: `LT-01103`.
    fn begins(&self, value: &str) -> bool {
        let Some(rest) = value.strip_prefix(self.id.as_str()) else { return false };
        let is_code = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_account = || {
            let kept = value.bytes().filter(u8::is_ascii_alphanumeric).count();
            rest.starts_with(|c: char| c.is_ascii_digit()) && kept >= ACCOUNT_MIN
        };
        rest.strip_prefix('-').is_some_and(is_code) || is_account()
    }

    // `someone@firma.ee`, `https://www.firma.ee/…`
    fn ends(&self, value: &str) -> bool {
        let (_, host) = value.split_once('@').or_else(|| value.split_once("://")).unwrap_or_default();
        let host = host.split(['/', ':', '?']).next().unwrap_or("");
        let last = host.rsplit_once('.').map_or("", |(_, last)| last);
        // Britain's letters are not those of its domain.
        last.eq_ignore_ascii_case(if self.id == "GB" { "UK" } else { &self.id })
    }

    fn is_named(&self, value: &str) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let words = value.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).any(|word| self.words.contains(&word))
    }
}
