//! Markdown into blocks: the fences that the program reads, with the heading and prose they stand under.

use crate::diagnostic::{Diagnostic, Span, did_you_mean};
use std::borrow::Cow;

/// The kinds of block (docs/rule-format.md).
pub const KINDS: [&str; 21] = [
    "instrument", "layer", "scope", "out", "bar", "gate", "route", "obligation", "list", "measure", "disputed", "fact",
    "extend", "spoken", "constraint", "places", "case", "topic", "explained", "form", "calendar",
];

/// One `key argument: value` line, continuation lines joined. It borrows from the text: a rulebook has tens of thousands.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The key's first word.
    pub key: &'a str,
    /// What stands between the key and the colon, often empty.
    pub argument: &'a str,
    /// The value, lines joined by one space.
    pub value: Cow<'a, str>,
    /// Where the key and its argument stand.
    pub key_span: Span,
    /// Where the value stands.
    pub value_span: Span,
    /// Where each piece of the value after the first starts: (offset in `value`, offset in the text).
    pieces: Vec<(usize, usize)>,
}

impl<'a> Line<'a> {
    /// A stretch of text that stands outside every block, at `start` in its file.
    pub fn loose(file: usize, start: usize, text: &'a str) -> Self {
        let span = Span { file, start, end: start + text.len().max(1) };
        Self { key: "", argument: "", value: text.into(), key_span: span, value_span: span, pieces: Vec::new() }
    }

    /// The place in the source of a stretch of `value`.
    pub fn place(&self, start: usize, end: usize) -> Span {
        let at = |offset: usize| {
            let last = self.pieces.iter().rev().find(|(v, _)| *v <= offset);
            last.map_or(self.value_span.start + offset, |(v, s)| s + (offset - v))
        };
        let start = at(start);
        Span { file: self.value_span.file, start, end: at(end).max(start + 1) }
    }
}

/// A fenced block with its place in the document.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// One of [`KINDS`].
    pub kind: &'a str,
    /// The id after the kind.
    pub id: &'a str,
    /// Its lines.
    pub lines: Vec<Line<'a>>,
    /// The heading it stands under.
    pub heading: &'a str,
    /// The prose between that heading (or the last block) and the fence.
    pub prose: String,
    /// Where kind and id stand.
    pub span: Span,
}

impl<'t> Block<'t> {
    /// The line with this key, if any.
    pub fn line(&self, key: &str) -> Option<&Line<'t>> {
        self.lines.iter().find(|l| l.key == key && l.argument.is_empty())
    }

    /// All lines with this key.
    pub fn lines_of<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Line<'t>> + 'a {
        self.lines.iter().filter(move |l| l.key == key)
    }
}

// LIMIT: one rule file; larger is a mistake or an attack.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Parses one Markdown text into its blocks.
pub fn parse<'a>(file: usize, text: &'a str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Block<'a>> {
    if text.len() > FILE_BYTES_MAX {
        diagnostics.push(Diagnostic::error("TGT-R001", Span { file, start: 0, end: 1 }, "the file is larger than 1 MiB", "split it by instrument"));
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let (mut heading, mut prose) = ("", String::new());
    let mut open: Option<Block<'a>> = None;
    let mut foreign_fence = false;
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        let start = offset;
        offset += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        if let Some(rest) = line.strip_prefix("```") {
            if let Some(mut done) = open.take() {
                done.lines.shrink_to_fit();
                blocks.push(done);
                prose.clear();
            } else if foreign_fence {
                foreign_fence = false;
            } else {
                open = open_fence(file, start, line, rest, heading, &prose, diagnostics);
                foreign_fence = open.is_none();
            }
        } else if let Some(block) = open.as_mut() {
            read_line(block, file, start, line, diagnostics);
        } else if foreign_fence {
        } else if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
            prose.clear();
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    if let Some(block) = open {
        diagnostics.push(Diagnostic::error("TGT-R002", block.span, "the block is never closed", "end it with a line of three backticks"));
    }
    blocks
}

fn open_fence<'a>(file: usize, start: usize, line: &str, rest: &'a str, heading: &'a str, prose: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Block<'a>> {
    let mut words = rest.split_whitespace();
    let (kind, id) = (words.next()?, words.next()?);
    let span = Span { file, start: start + 3, end: start + line.len() };
    if !KINDS.contains(&kind) {
        diagnostics.push(Diagnostic::error("TGT-R004", span, format!("`{kind}` is no kind of block"), did_you_mean(kind, KINDS)));
        return None;
    }
    if let Some(extra) = words.next() {
        diagnostics.push(Diagnostic::error("TGT-R004", span, format!("`{extra}` after the id is not read"), "an id is one word"));
    }
    if !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)) {
        diagnostics.push(Diagnostic::error("TGT-R004", span, format!("`{id}` is not an id"), "lower-case letters, digits, dots, hyphens and underscores"));
    }
    Some(Block {
        kind,
        id,
        lines: Vec::new(),
        heading,
        prose: prose.trim().into(),
        span,
    })
}

fn read_line<'a>(block: &mut Block<'a>, file: usize, start: usize, line: &'a str, diagnostics: &mut Vec<Diagnostic>) {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return;
    }
    let indent = line.len() - line.trim_start().len();
    let piece_start = start + indent;
    if indent >= 2 {
        if let Some(last) = block.lines.last_mut() {
            let value = last.value.to_mut();
            if !value.is_empty() {
                value.push(' ');
            }
            last.pieces.push((value.len(), piece_start));
            value.push_str(trimmed);
            last.value_span.end = piece_start + trimmed.len();
            return;
        }
    }
    let span = Span { file, start: piece_start, end: piece_start + trimmed.len() };
    let Some((key, value)) = trimmed.split_once(':') else {
        diagnostics.push(Diagnostic::error("TGT-R005", span, "the line has no colon", "write `key: value`, and indent a line that goes on by two spaces"));
        return;
    };
    let (word, argument) = key.trim().split_once(char::is_whitespace).unwrap_or((key.trim(), ""));
    let value_start = piece_start + key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.trim();
    block.lines.push(Line {
        key: word,
        argument: argument.trim(),
        value: value.into(),
        key_span: Span { file, start: piece_start, end: piece_start + key.len() },
        value_span: Span { file, start: value_start, end: (value_start + value.len()).max(value_start + 1) },
        pieces: Vec::new(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_and_its_place_is_kept() {
        let text = "# T\n## 45\nFree.\n```route eu.gdpr.45\ngate: g\nneed: a or\n  b is c\n```\n";
        let mut d = Vec::new();
        let blocks = parse(0, text, &mut d);
        assert!(d.is_empty(), "{d:?}");
        let b = &blocks[0];
        assert_eq!((b.kind, b.id, b.heading, b.prose.as_str()), ("route", "eu.gdpr.45", "45", "Free."));
        let need = b.line("need").unwrap();
        assert_eq!(need.value, "a or b is c");
        let span = need.place(5, 6);
        assert_eq!(&text[span.start..span.end], "b");
    }

    #[test]
    fn a_mistyped_kind_is_named_and_an_ordinary_fence_is_left_alone() {
        let mut d = Vec::new();
        parse(0, "```sh\nls\n```\n```gaet x.y\na: b\n```\n", &mut d);
        assert_eq!(d.len(), 1);
        assert!(d[0].help.contains("`gate`"), "{d:?}");
    }
}
