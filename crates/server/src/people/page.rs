//! The pages: documents rendered here, complete without a script.

pub mod bench;
pub mod changes;
pub mod check;
pub mod claims;
pub mod compare;
pub mod country;
pub mod duty;
pub mod effect;
pub mod evidence;
pub mod field;
pub mod flow;
pub mod home;
pub mod hygiene;
pub mod judgments;
mod map;
pub mod matrix;
pub mod negotiation;
pub mod observed;
pub mod participants;
pub mod register;
pub mod report;
pub mod rule;
pub mod session_page;
pub mod verdict;

use super::{Mode, State, asked::{self, Pairs}, tongue::Tongue};
use crate::problem::{Kind, Problem};
use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use decide::decision::Verdict;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::{AsOf, CivilDate, Digest, citation::Citation};

/// The style sheet of every page.
pub const STYLE: &str = include_str!("page/style.css");
const ICON: &str = include_str!("page/icon.svg");

/// The style sheet; its address carries its digest, so it may be kept.
pub async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, STYLE).into_response()
}

/// The mark.
pub async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")], ICON).into_response()
}

/// The parts of a page's frame.
pub struct Frame<'a> {
    /// The language.
    pub tongue: Tongue,
    /// The title, without the product's name.
    pub title: String,
    /// Where this page is; the language switch keeps it.
    pub uri: &'a Uri,
    /// The entry of the navigation that is current.
    pub section: &'static str,
    /// Machine-readable data beside the page.
    pub json_ld: Option<serde_json::Value>,
}

impl<'a> Frame<'a> {
    /// A frame without machine-readable data.
    pub fn new(tongue: Tongue, uri: &'a Uri, section: &'static str, title: impl Into<String>) -> Self {
        Self { tongue, title: title.into(), uri, section, json_ld: None }
    }

    /// The whole page.
    pub fn render(&self, state: &State, body: Markup) -> Response {
        Html(self.document(Some(state), body).into_string()).into_response()
    }

    fn document(&self, state: Option<&State>, body: Markup) -> Markup {
        let t = self.tongue;
        let style = format!("/style.css?{}", Digest::of(STYLE.as_bytes()).short());
        html! {
            (DOCTYPE)
            html lang=(t.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – " (t.word("page-name")) }
                    link rel="stylesheet" href=(style);
                    link rel="icon" href="/icon.svg" type="image/svg+xml";
                    link rel="alternate" hreflang=(t.other().code()) href=(self.elsewhere());
                    link rel="alternate" type="application/atom+xml" title=(t.word("feed-title")) href=(format!("/feed.atom?lang={}", t.code()));
                    link rel="alternate" type="application/feed+json" title=(t.word("feed-title")) href=(format!("/feed.json?lang={}", t.code()));
                    @if let Some(data) = &self.json_ld {
                        script type="application/ld+json" { (PreEscaped(data.to_string().replace('<', "\\u003c"))) }
                    }
                }
                body {
                    a.skip href="#main" { (t.word("page-skip")) }
                    header {
                        @if state.is_some_and(|s| s.mode == Mode::Demo) { p.demo { (t.word("page-demo")) } }
                        div.top {
                            a.brand href=(format!("/{}/", t.code())) lang="en" { span.mark aria-hidden="true" { "手形" } " Tegata" }
                            nav aria-label=(t.word("page-nav")) {
                                ul {
                                    @let hosts = state.is_some_and(|s| s.participants.is_some());
                                    @for (name, path) in SECTIONS.iter().chain(hosts.then_some(&HOUSE)) {
                                        li { a href=(format!("/{}/{path}", t.code())) aria-current=[(*name == self.section).then_some("page")] { (t.word(&format!("page-nav-{name}"))) } }
                                    }
                                }
                            }
                            a.tongue href=(self.elsewhere()) hreflang=(t.other().code()) lang=(t.other().code()) { (t.word("page-other-language")) }
                        }
                    }
                    main #main tabindex="-1" { (body) }
                    footer {
                        p { (t.word("page-not-advice")) }
                        @if let Some(state) = state {
                            p.small {
                                (t.word("page-rulebook")) " " code { (state.book.digest().short()) } " · "
                                (t.word("page-version")) " " (env!("CARGO_PKG_VERSION")) " · "
                                a href=(format!("/{}/report", t.code())) { (t.word("page-nav-report")) } " · "
                                a href="/openapi.json" { "OpenAPI" }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The same page in the other language.
    fn elsewhere(&self) -> String {
        let rest: String = self.uri.path().split('/').skip(2).map(|p| format!("/{p}")).collect();
        let query = self.uri.query().filter(|q| !q.contains("token=")).map(|q| format!("?{q}")).unwrap_or_default();
        format!("/{}{}{query}", self.tongue.other().code(), if rest.is_empty() { "/" } else { &rest })
    }
}

const SECTIONS: &[(&str, &str)] = &[
    ("check", "check"),
    ("countries", "countries"),
    ("matrix", "matrix"),
    ("register", "register"),
    ("bench", "bench"),
    ("flows", "flows"),
    ("changes", "changes"),
    ("report", "report"),
];

/// Where others are taken in behind the doors of this process.
const HOUSE: (&str, &str) = ("participants", "participants");

/// The tongue of a path, or the page that says that there is none.
pub fn tongue(code: &str, uri: &Uri) -> Result<Tongue, Response> {
    Tongue::of(code).ok_or_else(|| refused(uri, &Problem::of(Kind::NotFound, uri.path())))
}

/// A problem as a page.
pub fn refused(uri: &Uri, problem: &Problem) -> Response {
    let t = Tongue::of_path(uri.path());
    let title = t.word(&format!("page-problem-{}", problem.kind().slug()));
    let body = html! {
        h1 { (title) }
        @if !problem.detail().is_empty() { p { code { (problem.detail()) } } }
        @let lines: Vec<_> = problem.lines().collect();
        @if !lines.is_empty() {
            ul { @for (message, help) in lines { li { (message) @if !help.is_empty() { " (" (help) ")" } } } }
        }
        p.small { (t.word("page-problem-code")) " " code { (problem.kind().code()) } }
        p { a href=(format!("/{}/", t.code())) { (t.word("page-home")) } }
    };
    let page = Frame::new(t, uri, "", title).document(None, body);
    (problem.kind().status(), Html(page.into_string())).into_response()
}

/// The kinds of problem, for programmers; a problem's type leads here.
pub async fn problems(uri: Uri, path: Option<Path<String>>) -> Response {
    let wanted = path.map(|Path(slug)| slug);
    let body = html! {
        h1 { "Problems" }
        table {
            thead { tr { th scope="col" { "Code" } th scope="col" { "Type" } th scope="col" { "Status" } th scope="col" { "Meaning" } } }
            tbody {
                @for k in Kind::ALL {
                    @if wanted.as_deref().is_none_or(|w| w == k.slug()) {
                        tr { td { code { (k.code()) } } td { code { (k.slug()) } } td { (k.status().as_u16()) } td { (k.title()) } }
                    }
                }
            }
        }
    };
    let known = wanted.is_none_or(|w| Kind::ALL.iter().any(|k| k.slug() == w));
    let status = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let page = Frame::new(Tongue::of_path("/en"), &uri, "", "Problems").document(None, body);
    (status, Html(page.into_string())).into_response()
}

/// Answers 304 when the caller holds this version, else the page with its ETag.
pub fn tagged(headers: &HeaderMap, tag: &str, response: impl FnOnce() -> Response) -> Response {
    let quoted = format!("\"{tag}\"");
    let held = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let same = held.is_some_and(|h| h.split(',').any(|t| t.trim().trim_start_matches("W/") == quoted));
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { response() };
    if let Ok(value) = HeaderValue::from_str(&quoted) {
        response.headers_mut().insert(header::ETAG, value);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}

/// A verdict: a letter in a box and words; color only repeats them.
pub fn badge(t: Tongue, v: Verdict) -> Markup {
    html! {
        span class=(format!("badge {}", v.word())) {
            span.letter aria-hidden="true" { (t.word(&format!("page-letter-{}", v.word()))) }
            " " (t.word(&format!("verdict-{}", v.word())))
        }
    }
}

/// The address of a rule at a day.
pub fn rule_link(t: Tongue, id: &str, on: CivilDate) -> String {
    format!("/{}/rule/{}/{on}", t.code(), asked::escape(id))
}

/// Since when and until when, in words.
pub fn span_of(t: Tongue, from: Option<CivilDate>, until: Option<CivilDate>) -> Markup {
    html! {
        @match (from, until) {
            (Some(f), None) => (PreEscaped(fill(&t.with("page-since", &[("day", "\u{1}")]), &time(t, f)))),
            (Some(f), Some(u)) => (PreEscaped(fill(&t.with("page-from-until", &[("from", "\u{1}"), ("until", &t.day(u))]), &time(t, f)))),
            (None, _) => (t.word("page-start-unknown")),
        }
    }
}

fn fill(escaped: &str, what: &Markup) -> String {
    escaped.replace('\u{1}', &what.0)
}

/// A day with its machine form.
pub fn time(t: Tongue, day: CivilDate) -> Markup {
    html! { time datetime=(day.to_string()) { (t.day(day)) } }
}

/// Article, dates and official link of a citation.
pub fn citation(t: Tongue, c: &Citation) -> Markup {
    html! {
        span.dates { (span_of(t, c.from, c.until)) }
        " · " (t.of_value("review-", &c.review))
        @if c.source.starts_with("https://") {
            " · " a href=(c.source) rel="noreferrer external" { (t.word("page-official")) }
        }
    }
}

/// A form that asks the same page for another day.
pub fn as_of_form(t: Tongue, action: &str, keep: &Pairs, as_of: AsOf) -> Markup {
    html! {
        form.asof method="get" action=(action) {
            @for (name, value) in keep.iter().filter(|(n, _)| n != "as_of" && n != "published_by") {
                input type="hidden" name=(name) value=(value);
            }
            label for="as_of" { (t.word("page-as-of")) }
            input #as_of type="date" name="as_of" value=(as_of.on.to_string()) min="1900-01-01" max="2200-12-31" required;
            button.plain { (t.word("page-as-of-go")) }
        }
    }
}

/// A list of at most `n` items, the others behind a fold.
pub fn folded(t: Tongue, items: Vec<Markup>, n: usize, ordered: bool) -> Markup {
    let more = items.len().saturating_sub(n);
    let list = |part: &[Markup], start: usize| {
        html! {
            @if ordered { ol.cards start=(start) { @for i in part { li { (i) } } } }
            @else { ul.cards { @for i in part { li { (i) } } } }
        }
    };
    html! {
        @if !items.is_empty() { (list(items.get(..n.min(items.len())).unwrap_or_default(), 1)) }
        @if more > 0 {
            details { summary { (t.count("page-more", more)) } (list(items.get(n..).unwrap_or_default(), n + 1)) }
        }
    }
}
