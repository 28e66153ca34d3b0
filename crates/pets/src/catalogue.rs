//! The catalogue of identifiers: schemes as data, interpreted.

use crate::check::Rule;
use crate::dictionary::Role;
use crate::ratio::Ratio;
use crate::shape::Shape;
use model::text::Text;
use serde::Deserialize;
use std::fmt;
use std::ops::Range;

/// One kind of identifier.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Stable name: `jp-my-number`.
    pub id: String,
    /// For people.
    pub title: Text,
    /// Who gives it out: a country code, or `*`.
    pub jurisdiction: String,
    /// What it does to privacy.
    pub role: Role,
    /// The provision that calls it so, where we know it.
    pub law: Option<String>,
    /// Header words that announce it.
    pub headers: Vec<String>,
    /// How often a random filling of the shape passes.
    pub chance: Ratio,
    /// Believed in running text without a word before it.
    pub alone: bool,
    look: Option<Shape>,
    strip: Vec<char>,
    forms: Vec<Form>,
    /// One bit for each number of letters and digits that a value may have.
    lengths: u128,
}

#[derive(Clone, Debug)]
struct Form {
    shape: Shape,
    check: Vec<Rule>,
}

/// What a scheme says of one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Not of the shape.
    Foreign,
    /// Of the shape, and a check fails.
    Fails,
    /// Of the shape, and all checks pass.
    Passes,
}

impl Scheme {
    /// Judges one value; spaces, hyphens and full-width forms are forgiven.
    pub fn judge(&self, value: &str) -> Verdict {
        fold(value, &self.strip).map_or(Verdict::Foreign, |folded| self.judge_folded(&folded))
    }

    /// Judges a value that [`folded`] gave, where the scheme strips what is usual.
    pub(crate) fn judge_of(&self, value: &str, folded: Option<&str>) -> Verdict {
        match folded {
            // What cannot be folded has characters that no scheme has.
            None => Verdict::Foreign,
            Some(folded) if self.strip == USUAL => self.judge_folded(folded),
            Some(_) => self.judge(value),
        }
    }

    fn judge_folded(&self, folded: &str) -> Verdict {
        let mut fitting = self.forms.iter().filter(|form| form.shape.matches(folded.as_bytes())).peekable();
        if fitting.peek().is_none() {
            return Verdict::Foreign;
        }
        match fitting.any(|form| form.check.iter().all(|rule| rule.holds(folded))) {
            true => Verdict::Passes,
            false => Verdict::Fails,
        }
    }

    /// False when no value with so many letters and digits can pass; a quick look before [`Scheme::judge`].
    pub(crate) fn may_have(&self, letters_and_digits: usize) -> bool {
        self.lengths >> letters_and_digits.min(127) & 1 == 1
    }

    /// True when a pass says more than the shape alone.
    pub fn is_checked(&self) -> bool {
        self.chance < Ratio::ONE
    }

    /// How wide the shape is: of two that all values have, the narrower one tells more. Characters that may stand at each
    /// place, multiplied, in hundredths of a power of two; of several forms the widest.
    pub(crate) fn width(&self) -> u64 {
        let of = |form: &Form| form.shape.places().iter().map(|at| (at.len().max(1) as f64).log2()).sum::<f64>();
        (self.forms.iter().map(of).fold(0.0, f64::max) * 100.0) as u64
    }

    /// True when the value is written as people write this identifier, separators and all.
    pub fn looks_like(&self, value: &str) -> bool {
        self.look.as_ref().is_some_and(|look| look.matches(value.to_ascii_uppercase().as_bytes()))
    }

    /// True when some check is arithmetic: dates and ranges alone are met by many numbers that mean something else.
    pub fn is_arithmetic(&self) -> bool {
        self.forms.iter().any(|form| form.check.iter().any(Rule::is_arithmetic))
    }

    /// For each form, the characters that may stand at each place; for drawing random numbers in tests.
    pub fn forms(&self) -> Vec<Vec<Vec<u8>>> {
        self.forms.iter().map(|form| form.shape.places()).collect()
    }
}

/// What is stripped where a scheme does not say.
const USUAL: [char; 2] = [' ', '-'];
// LIMIT: an identifier has fewer letters and digits than this.
const COUNT_MAX: usize = 65;
// LIMIT: values longer than this are no identifiers.
const VALUE_BYTES_MAX: usize = 192;

/// A value as nearly all schemes read it, for [`Scheme::judge_of`]; none when no scheme can read it.
pub(crate) fn folded(value: &str) -> Option<String> {
    fold(value, &USUAL)
}

/// Upper case, full-width forms folded to ASCII, separators removed; none when something else is left.
fn fold(value: &str, strip: &[char]) -> Option<String> {
    if value.len() > VALUE_BYTES_MAX {
        return None;
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        let c = match c {
            '\u{3000}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0)?,
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => '-',
            c => c,
        };
        if !c.is_ascii() {
            return None;
        }
        if !strip.contains(&c) {
            out.push(c.to_ascii_uppercase());
        }
    }
    Some(out)
}

/// All schemes, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    schemes: Vec<Scheme>,
    /// For each number of letters and digits, the schemes whose values may have so many.
    by_count: Vec<Vec<usize>>,
}

/// The text is no catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotACatalogue {
    /// Where in the text, in bytes, if one place is at fault.
    pub span: Option<Range<usize>>,
    message: String,
}

impl fmt::Display for NotACatalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pets/not-a-catalogue)", self.message)
    }
}

impl std::error::Error for NotACatalogue {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    scheme: Vec<toml::Spanned<RawScheme>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScheme {
    id: String,
    title: Text,
    jurisdiction: String,
    role: Role,
    law: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    chance: Ratio,
    #[serde(default)]
    alone: bool,
    look: Option<String>,
    strip: Option<String>,
    form: Vec<RawForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    shape: String,
    check: Vec<Rule>,
}

impl Catalogue {
    /// Parses a catalogue; `profiles/identifiers.toml` describes the format.
    pub fn parse(text: &str) -> Result<Self, NotACatalogue> {
        let document: Document = toml::from_str(text)
            .map_err(|e| NotACatalogue { span: e.span(), message: e.message().to_string() })?;
        let mut schemes: Vec<Scheme> = Vec::with_capacity(document.scheme.len());
        for raw in document.scheme {
            let span = raw.span();
            let fault = |message: String| NotACatalogue { span: Some(span.clone()), message };
            let scheme = Scheme::of(raw.into_inner()).map_err(|e| fault(e.to_string()))?;
            if schemes.iter().any(|s| s.id == scheme.id) {
                return Err(fault(format!("scheme `{}` is there twice", scheme.id)));
            }
            schemes.push(scheme);
        }
        let of_count = |n| (0..).zip(&schemes).filter(|(_, s)| s.may_have(n)).map(|(at, _)| at).collect();
        let by_count = (0..COUNT_MAX).map(of_count).collect();
        Ok(Self { schemes, by_count })
    }

    /// The schemes that a value with so many letters and digits passes.
    pub(crate) fn passing(&self, value: &str, letters_and_digits: usize) -> impl Iterator<Item = &Scheme> {
        let places = self.by_count.get(letters_and_digits).map_or(&[][..], Vec::as_slice);
        // Nearly all schemes strip the same characters: the value is folded once for those.
        let folded = if places.is_empty() { None } else { fold(value, &USUAL) };
        let passes = move |scheme: &&Scheme| match &folded {
            Some(folded) if scheme.strip == USUAL => scheme.judge_folded(folded) == Verdict::Passes,
            _ => scheme.judge(value) == Verdict::Passes,
        };
        places.iter().filter_map(|&at| self.schemes.get(at)).filter(passes)
    }

    /// The schemes.
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// The scheme of an id.
    pub fn scheme(&self, id: &str) -> Option<&Scheme> {
        self.schemes.iter().find(|s| s.id == id)
    }
}

impl Scheme {
    fn of(raw: RawScheme) -> Result<Self, crate::shape::NotAShape> {
        let form = |f: RawForm| Ok(Form { shape: Shape::parse(&f.shape)?, check: f.check });
        let forms = raw.form.into_iter().map(form).collect::<Result<Vec<Form>, _>>()?;
        Ok(Self {
            id: raw.id,
            title: raw.title,
            jurisdiction: raw.jurisdiction,
            role: raw.role,
            law: raw.law,
            headers: raw.headers,
            chance: raw.chance,
            alone: raw.alone,
            look: raw.look.as_deref().map(Shape::parse).transpose()?,
            strip: raw.strip.as_deref().map_or(USUAL.to_vec(), |strip| strip.chars().collect()),
            lengths: forms.iter().fold(0, |bits, f| bits | f.shape.lengths()),
            forms,
        })
    }
}

#[cfg(test)]
mod tests;
