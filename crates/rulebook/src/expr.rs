//! The closed expression grammar: `or` of `and` of optional `not` of an atom or a parenthesis.

use crate::{
    block::Line,
    diagnostic::{Diagnostic, Span},
};
use model::CivilDate;
use serde::Serialize;

/// A condition over facts, parsed with the places of its atoms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// Always (`yes`) or never (`no`).
    Const(bool),
    /// A test of one fact.
    Atom(Atom),
    /// The negation.
    Not(Box<Expr>),
    /// All of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
}

/// A test of one fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Atom {
    /// The fact as written: `recipient.place`, `hop.mode`; a disputed question for [`Test::Reading`].
    pub fact: String,
    /// What is asked of it.
    pub test: Test,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

/// What an atom asks of its fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A yes/no fact is yes.
    Yes,
    /// The value is one of these (`is` has one).
    In(Vec<String>),
    /// The set shares a member with these.
    HasAny(Vec<String>),
    /// The set has all of these.
    HasAll(Vec<String>),
    /// The set has no member beside these.
    HasOnly(Vec<String>),
    /// The count is at least this.
    AtLeast(i64),
    /// The day lies strictly before this one.
    Before(CivilDate),
    /// The place (or one of the places) is on the list.
    OnList(String),
    /// The determination passed, possibly with measures; made by this role.
    Determined(String),
    /// The disputed question is read this way (`a` or `b`).
    Reading(String),
}

impl Expr {
    /// Calls `f` with every atom.
    pub fn each_atom<'a>(&'a self, f: &mut impl FnMut(&'a Atom)) {
        match self {
            Self::Const(_) => {}
            Self::Atom(a) => f(a),
            Self::Not(e) => e.each_atom(f),
            Self::And(es) | Self::Or(es) => es.iter().for_each(|e| e.each_atom(f)),
        }
    }
}

/// Parses the value of a line.
pub fn parse(line: &Line, diagnostics: &mut Vec<Diagnostic>) -> Option<Expr> {
    parse_at(line, 0, &line.value, diagnostics)
}

/// Parses a part of a line's value that starts at `offset`.
pub fn parse_at(line: &Line, offset: usize, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Expr> {
    let mut parser = Parser { line, offset, tokens: tokens(text), at: 0, depth: 0 };
    let result = parser.or().and_then(|e| match parser.peek() {
        None => Ok(e),
        Some(t) => Err(parser.fault(t.start, t.end, format!("`{}` is not expected here", t.text), "join conditions with `and` or `or`")),
    });
    match result {
        Ok(e) => Some(e),
        Err(d) => {
            diagnostics.push(*d);
            None
        }
    }
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    start: usize,
    end: usize,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = start + c.len_utf8();
        let mut take_while = |end: &mut usize, keep: &dyn Fn(char) -> bool| {
            while let Some(&(i, n)) = chars.peek() {
                if !keep(n) {
                    break;
                }
                *end = i + n.len_utf8();
                chars.next();
            }
        };
        match c {
            '(' | ')' | '{' | '}' | ',' => {}
            '>' | '<' => take_while(&mut end, &|n| n == '='),
            '\'' => {
                take_while(&mut end, &|n| n != '\'');
                if chars.peek().is_some() {
                    end += 1;
                    chars.next();
                }
            }
            c if c.is_ascii_digit() => take_while(&mut end, &|n| n.is_alphanumeric() || ",-_".contains(n)),
            _ => take_while(&mut end, &|n| n.is_alphanumeric() || "._-".contains(n)),
        }
        let mut word = text.get(start..end).unwrap_or_default();
        // A comma inside `{1, 2}` after a number belongs to the list, not to the number.
        while c.is_ascii_digit() && word.ends_with(',') {
            word = word.get(..word.len() - 1).unwrap_or_default();
        }
        out.push(Token { text: word.into(), start, end: start + word.len() });
        if word.len() < end - start {
            out.push(Token { text: ",".into(), start: start + word.len(), end });
        }
    }
    out
}

// LIMIT: nesting of one expression.
const DEPTH_MAX: usize = 24;

struct Parser<'a> {
    line: &'a Line<'a>,
    offset: usize,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

impl Parser<'_> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).cloned()
    }

    fn is(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|t| t.text == word)
    }

    fn eat(&mut self, word: &str) -> bool {
        let hit = self.is(word);
        self.at += usize::from(hit);
        hit
    }

    fn place(&self, start: usize, end: usize) -> Span {
        self.line.place(self.offset + start, self.offset + end)
    }

    fn fault(&self, start: usize, end: usize, message: String, help: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error("TGT-R010", self.place(start, end), message, help))
    }

    fn next(&mut self, wanted: &str) -> Parsed<Token> {
        match self.peek() {
            Some(t) => {
                self.at += 1;
                Ok(t)
            }
            None => {
                let end = self.tokens.last().map_or(0, |t| t.end);
                Err(self.fault(end.saturating_sub(1), end.max(1), format!("the expression ends where {wanted} is expected"), ""))
            }
        }
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut terms = vec![self.and()?];
        while self.eat("or") {
            terms.push(self.and()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expr::Or(terms) })
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut terms = vec![self.unary()?];
        while self.eat("and") {
            terms.push(self.unary()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expr::And(terms) })
    }

    fn unary(&mut self) -> Parsed<Expr> {
        if self.eat("not") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if let Some(open) = self.peek().filter(|t| t.text == "(") {
            self.at += 1;
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.fault(open.start, open.end, "the expression is nested too deeply".into(), "give a part of it a rule of its own"));
            }
            let inner = self.or()?;
            self.depth -= 1;
            let close = self.next("`)`")?;
            if close.text != ")" {
                return Err(self.fault(close.start, close.end, format!("`)` is expected before `{}`", close.text), ""));
            }
            return Ok(inner);
        }
        self.atom()
    }

    fn atom(&mut self) -> Parsed<Expr> {
        let head = self.next("a condition")?;
        match head.text.as_str() {
            "yes" => return Ok(Expr::Const(true)),
            "no" => return Ok(Expr::Const(false)),
            "determined" => return self.determined(&head),
            "reading" => return self.reading(&head),
            "and" | "or" | ")" | "}" | "{" | "," | "is" | "in" | "has" | "on" => {
                return Err(self.fault(head.start, head.end, format!("`{}` stands where a fact is expected", head.text), ""));
            }
            _ => {}
        }
        let operator = self.peek().map(|t| t.text).unwrap_or_default();
        let (test, negate) = match operator.as_str() {
            "is" => {
                self.at += 1;
                (Test::In(vec![self.next("a value")?.text]), false)
            }
            "in" => {
                self.at += 1;
                (Test::In(self.words()?), false)
            }
            "has" => {
                self.at += 1;
                (self.has()?, false)
            }
            "on" => {
                self.at += 1;
                (Test::OnList(self.next("a list")?.text), false)
            }
            "before" | "after" => {
                self.at += 1;
                let t = self.next("a day")?;
                let day: CivilDate = t.text.parse().map_err(|e| self.fault(t.start, t.end, format!("{e}"), ""))?;
                // `after D` is `not before D + 1 day`; an unsaid day is open either way.
                if operator == "before" { (Test::Before(day), false) } else { (Test::Before(day.plus_days(1)), true) }
            }
            ">=" | "<" | ">" | "<=" => {
                self.at += 1;
                let t = self.next("a number")?;
                let n: i64 = t.text.replace([',', '_'], "").parse().map_err(|_| {
                    self.fault(t.start, t.end, format!("`{}` is not a whole number", t.text), "write it as 100,000")
                })?;
                match operator.as_str() {
                    ">=" => (Test::AtLeast(n), false),
                    "<" => (Test::AtLeast(n), true),
                    ">" => (Test::AtLeast(n.saturating_add(1)), false),
                    _ => (Test::AtLeast(n.saturating_add(1)), true),
                }
            }
            _ => (Test::Yes, false),
        };
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(head.end, |t| t.end);
        let atom = Expr::Atom(Atom { fact: head.text, test, span: self.place(head.start, end) });
        Ok(if negate { Expr::Not(Box::new(atom)) } else { atom })
    }

    fn has(&mut self) -> Parsed<Test> {
        let t = self.next("`any`, `all` or `only`")?;
        let words = match t.text.as_str() {
            "any" | "all" | "only" => self.words()?,
            _ => return Ok(Test::HasAny(vec![t.text])),
        };
        Ok(match t.text.as_str() {
            "any" => Test::HasAny(words),
            "all" => Test::HasAll(words),
            _ => Test::HasOnly(words),
        })
    }

    fn words(&mut self) -> Parsed<Vec<String>> {
        let open = self.next("`{`")?;
        if open.text != "{" {
            return Err(self.fault(open.start, open.end, format!("`{{` is expected before `{}`", open.text), "write values as {a, b}"));
        }
        let mut words = Vec::new();
        loop {
            let t = self.next("a value")?;
            match t.text.as_str() {
                "}" if !words.is_empty() => return Ok(words),
                "," => continue,
                "}" | "{" | "(" | ")" => return Err(self.fault(t.start, t.end, "the set of values is not well formed".into(), "write values as {a, b}")),
                _ => words.push(t.text),
            }
        }
    }

    fn determined(&mut self, head: &Token) -> Parsed<Expr> {
        let test = self.next("a determination")?;
        let name = test.text.trim_matches('\'').to_string();
        if !self.eat("by") {
            return Err(self.fault(head.start, test.end, "who determines is missing".into(), "write determined 'name' by exporter"));
        }
        let by = self.next("a role")?;
        Ok(Expr::Atom(Atom { fact: name, test: Test::Determined(by.text), span: self.place(head.start, by.end) }))
    }

    fn reading(&mut self, head: &Token) -> Parsed<Expr> {
        let id = self.next("a disputed question")?;
        let is = self.next("`is`")?;
        let side = self.next("`a` or `b`")?;
        if is.text != "is" || !["a", "b"].contains(&side.text.as_str()) {
            return Err(self.fault(head.start, side.end, "a reading is `a` or `b`".into(), "write reading ID is a"));
        }
        Ok(Expr::Atom(Atom { fact: id.text, test: Test::Reading(side.text), span: self.place(head.start, side.end) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Expr>, Vec<Diagnostic>) {
        let source = format!("```bar x\nwhen: {text}\n```\n");
        let mut d = Vec::new();
        let blocks = crate::block::parse(0, &source, &mut d);
        let e = parse(blocks[0].line("when").unwrap(), &mut d);
        (e, d)
    }

    #[test]
    fn precedence_and_atoms() {
        let (e, d) = read("a.b and not (hop.mode has any {x, y} or v.n < 100,000) or recipient.place on eu.adequacy");
        assert!(d.is_empty(), "{d:?}");
        let Some(Expr::Or(terms)) = e else { panic!() };
        assert_eq!(terms.len(), 2);
        let Expr::And(parts) = &terms[0] else { panic!() };
        assert!(matches!(&parts[1], Expr::Not(inner) if matches!(&**inner, Expr::Or(v) if v.len() == 2)));
        let (e, _) = read("c.on after 2022-03-31");
        assert_eq!(e, Some(Expr::Not(Box::new(Expr::Atom(Atom { fact: "c.on".into(), test: Test::Before("2022-04-01".parse().unwrap()), span: Span { file: 0, start: 15, end: 36 } })))));
        assert!(read("determined 'assessment.x' by exporter and reading eu.q is a").1.is_empty());
        assert!(matches!(read("p in {JP, KR}").0, Some(Expr::Atom(Atom { test: Test::In(v), .. })) if v == ["JP", "KR"]));
    }

    #[test]
    fn faults_are_underlined() {
        for (text, at) in [("a and", "d"), ("a b", "b"), ("(a or b", "b"), ("x before 2021-02-30", "2021-02-30"), ("n >= many", "many"), ("x in JP", "JP")] {
            let source = format!("```bar x\nwhen: {text}\n```\n");
            let (_, d) = read(text);
            assert_eq!(d.len(), 1, "{text}: {d:?}");
            let s = d[0].span.unwrap();
            assert_eq!(&source[s.start..s.end], at, "{text}");
        }
    }
}
