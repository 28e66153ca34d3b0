//! Diagnostics for people: one line, the place underlined, what to do.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use rulebook::{
    book::Source,
    diagnostic::{Diagnostic, Severity},
};
use std::io::IsTerminal;

/// Prints findings to stderr, each underlined in its source.
pub fn print(diagnostics: &[Diagnostic], sources: &[Source]) {
    let renderer = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    for d in diagnostics {
        errln!("{}\n", render(d, sources, &renderer));
    }
}

fn render(d: &Diagnostic, sources: &[Source], renderer: &Renderer) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(d.message.as_str()).id(d.code).elements(Vec::<annotate_snippets::Message<'_>>::new());
    if let Some((span, source)) = d.span.and_then(|s| Some((s, sources.get(s.file)?))) {
        let end = span.end.min(source.text.len());
        let start = span.start.min(end);
        group = group.element(
            Snippet::source(source.text.as_str()).path(source.path.as_str()).annotation(AnnotationKind::Primary.span(start..end)),
        );
    }
    if !d.help.is_empty() {
        group = group.element(Level::HELP.message(d.help.as_str()));
    }
    renderer.render(&[group])
}
