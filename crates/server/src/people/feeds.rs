//! Feeds of changes: `/feed.atom` and `/feed.json`, worked out once a day and language.

use super::{State, asked::Pairs, page::tagged, tongue::Tongue};
use crate::problem::{Kind, Problem};
use axum::{
    extract::{Query, State as Held},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use decide::engine::Engine;
use model::{CivilDate, text::Language};
use node::feed::{self, Change, Place};
use std::sync::{Arc, Mutex, PoisonError};

/// What was worked out, by day and language.
#[derive(Debug, Default)]
pub struct Shelf {
    kept: Mutex<Vec<(CivilDate, Language, Arc<Vec<Change>>)>>,
    /// Held by the one who works a feed out: it takes a while, and anybody may ask.
    at_work: Arc<tokio::sync::Mutex<()>>,
}

impl Shelf {
    fn on(&self, today: CivilDate, language: Language) -> Option<Arc<Vec<Change>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(d, l, _)| *d == today && *l == language).map(|(_, _, changes)| changes.clone())
    }

    fn keep(&self, today: CivilDate, language: Language, changes: Arc<Vec<Change>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(d, l, _)| *d == today && *l != language);
        kept.push((today, language, changes));
    }

    /// The changes. The first who asks waits for them; whoever comes meanwhile is told to come again.
    async fn ask(state: &State, language: Language) -> Result<Arc<Vec<Change>>, Problem> {
        let (shelf, book, today) = (state.feeds.clone(), state.book.clone(), state.day());
        if let Some(changes) = shelf.on(today, language) {
            return Ok(changes);
        }
        let Ok(work) = shelf.at_work.clone().try_lock_owned() else { return Err(Problem::of(Kind::Busy, "")) };
        // It goes on when the caller hangs up, so that the next one finds it done.
        let found = tokio::task::spawn_blocking(move || {
            let changes = Arc::new(feed::changes(&mut Engine::new(book), today, language)?);
            shelf.keep(today, language, changes.clone());
            drop(work);
            Ok(changes)
        });
        found.await.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map_err(super::asked::too_many)
    }
}

/// `GET /feed.atom`
pub async fn atom(Held(state): Held<State>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Result<Response, Problem> {
    let (changes, base, language) = asked(&state, &pairs, &headers).await?;
    let kind = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    let place = Place { base: &base, language };
    Ok(tagged(&headers, &tag(&state, language, &base), || (kind, feed::atom(&state.book, &changes, &place)).into_response()))
}

/// `GET /feed.json`
pub async fn json(Held(state): Held<State>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Result<Response, Problem> {
    let (changes, base, language) = asked(&state, &pairs, &headers).await?;
    let kind = [(header::CONTENT_TYPE, "application/feed+json; charset=utf-8")];
    let place = Place { base: &base, language };
    Ok(tagged(&headers, &tag(&state, language, &base), || (kind, feed::json_feed(&state.book, &changes, &place).to_string()).into_response()))
}

fn tag(state: &State, language: Language, base: &str) -> String {
    format!("{}-{}-{language:?}-{}", state.book.digest().short(), state.day(), model::Digest::of(base.as_bytes()).short())
}

/// The changes, the address of this door as the caller names it (the guard has judged the name), and the language.
async fn asked(state: &State, pairs: &Pairs, headers: &HeaderMap) -> Result<(Arc<Vec<Change>>, String, Language), Problem> {
    let code = pairs.iter().find(|(n, _)| n == "lang").map_or("en", |(_, v)| v.as_str());
    let tongue = Tongue::of(code).ok_or_else(|| Problem::of(Kind::NotFound, format!("no language `{}`; en or ja", code.chars().take(20).collect::<String>())))?;
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let base = if host.is_empty() { String::new() } else { format!("{}://{host}", if state.tls { "https" } else { "http" }) };
    Ok((Shelf::ask(state, tongue.0).await?, base, tongue.0))
}
