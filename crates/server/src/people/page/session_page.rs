//! Coming in and going out.

use super::{Frame, refused, tongue};
use crate::people::{Mode, State, asked::{Pairs, escape}, principal::{Ask, Seat}, session::{COOKIE, SESSION_LIFE, cookie_of}, tongue::Tongue};
use crate::problem::{Kind, Problem};
use axum::{
    Form,
    extract::{Path, Query, State as Held},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

/// The page that asks for the token, in place of the page that was wanted.
pub fn ask(state: &State, wanted: &Uri) -> Response {
    let next = wanted.path_and_query().map_or("/", |p| p.as_str());
    let mut response = form(state, wanted, next, false);
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

fn form(state: &State, uri: &Uri, next: &str, wrong: bool) -> Response {
    let t = Tongue::of_path(uri.path());
    let body = html! {
        h1 { (t.word("page-enter-title")) }
        p.lead { (t.word("page-enter-lead")) }
        @if state.mode == Mode::Demo { p { (t.word("page-enter-demo")) } }
        form method="post" action=(format!("/{}/enter", t.code())) {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="token" { (t.word("page-enter-token")) }
                @if wrong { p.note.warn role="alert" { (t.word("page-enter-wrong")) } }
                input #token type="password" name="token" required autocomplete="current-password" size="44" aria-invalid=[wrong.then_some("true")];
            }
            div.actions { button { (t.word("page-enter-go")) } }
        }
        p { (t.word("page-enter-public")) " " a href=(format!("/{}/countries", t.code())) { (t.word("page-nav-countries")) } ", " a href=(format!("/{}/changes", t.code())) { (t.word("page-nav-changes")) } ", " a href=(format!("/{}/report", t.code())) { (t.word("page-nav-report")) } }
    };
    Frame::new(t, uri, "", t.word("page-enter-title")).render(state, body)
}

/// `GET /{tongue}/enter`: the form; in a demo also the link that carries the token.
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>) -> Response {
    if let Err(r) = tongue(&code, &uri) {
        return r;
    }
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    match find("token").filter(|_| state.mode == Mode::Demo) {
        Some(token) => open(&state, &uri, &code, token, find("next").unwrap_or_default()),
        None => form(&state, &uri, find("next").unwrap_or_default(), false),
    }
}

/// `POST /{tongue}/enter`
pub async fn post(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, headers: HeaderMap, Form(pairs): Form<Pairs>) -> Response {
    // There is no session yet whose token the form could carry; the browser says where the form came from.
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if site.is_some_and(|s| s != "same-origin" && s != "none") {
        return refused(&uri, &Problem::of(Kind::FormNotOurs, ""));
    }
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
    open(&state, &uri, &code, find("token").trim(), find("next"))
}

fn open(state: &State, uri: &Uri, code: &str, token: &str, next: &str) -> Response {
    let Some(principal) = state.keeper.admit(token) else {
        let mut response = form(state, uri, next, true);
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    };
    let Some(id) = state.sessions.open(principal) else {
        return refused(uri, &Problem::of(Kind::WentWrong, ""));
    };
    let secure = if state.tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", SESSION_LIFE.as_secs());
    with_cookie(Redirect::to(&own(code, next)), &cookie)
}

/// `POST /{tongue}/leave`
pub async fn leave(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, headers: HeaderMap, seat: Seat<Ask>, Form(pairs): Form<Pairs>) -> Response {
    let csrf = pairs.iter().find(|(n, _)| n == "csrf").map(|(_, v)| v.as_str()).unwrap_or_default();
    if let Err(p) = seat.check(csrf) {
        return refused(&uri, &p);
    }
    cookie_of(&headers).inspect(|id| state.sessions.close(id));
    with_cookie(Redirect::to(&own(&code, "")), &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn with_cookie(redirect: Redirect, cookie: &str) -> Response {
    let mut response = redirect.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// A page of ours: nobody is sent to another host by a crafted link.
fn own(code: &str, next: &str) -> String {
    let ours = ["/en/", "/ja/"].iter().any(|p| next.starts_with(p)) && !next.contains("/enter") && !next.contains(['\\', '\r', '\n']);
    if ours { next.to_string() } else { format!("/{}/", escape(code)) }
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn a_link_leads_to_a_page_of_ours_only() {
        assert_eq!(own("en", "/en/verdict?a=b"), "/en/verdict?a=b");
        for other in ["https://evil.example/", "//evil.example/", "/\\evil.example", "", "/en/enter?token=x"] {
            assert_eq!(own("ja", other), "/ja/");
        }
    }
}
