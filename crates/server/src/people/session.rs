//! Sessions of the pages: in memory, ended by a restart, by time, or with the token that opened them.

use super::principal::Principal;
use axum::http::{HeaderMap, header};
use model::Digest;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// LIMIT: sessions at a time; the oldest is closed for a new one.
const SESSIONS_MAX: usize = 1_024;
/// LIMIT: life of a session.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// The cookie's name.
pub const COOKIE: &str = "tegata_session";

/// An open session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who opened it.
    pub principal: Principal,
    /// The token that its forms carry.
    pub csrf: String,
    opened: Instant,
}

/// All open sessions, by the hash of their id.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<Digest, Session>>);

impl Sessions {
    /// Opens a session and returns its id, which only the cookie keeps; `None` when there is no randomness.
    pub fn open(&self, principal: Principal) -> Option<String> {
        let (id, csrf) = (random()?, random()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, s| s.opened.elapsed() < SESSION_LIFE);
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, s)| s.opened).map(|(k, _)| *k);
            oldest.map(|k| all.remove(&k));
        }
        all.insert(Digest::of(id.as_bytes()), Session { principal, csrf, opened: Instant::now() });
        Some(id)
    }

    /// The session with this id, if it is open.
    pub fn find(&self, id: &str) -> Option<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&Digest::of(id.as_bytes())).filter(|s| s.opened.elapsed() < SESSION_LIFE).cloned()
    }

    /// Closes a session.
    pub fn close(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Digest::of(id.as_bytes()));
    }
}

/// The session id that a request carries.
pub fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// 32 random bytes as text.
fn random() -> Option<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(Digest(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::principal::Role;

    #[test]
    fn a_session_is_found_until_it_is_closed_and_only_by_its_id() {
        let all = Sessions::default();
        let who = Principal { participant: "p".into(), token: "t".into(), role: Role::Read };
        let id = all.open(who.clone()).unwrap();
        assert_eq!(all.find(&id).unwrap().principal, who);
        assert_ne!(all.find(&id).unwrap().csrf, id, "the page's form never shows the cookie's value");
        assert!(all.find("tegata").is_none());
        all.close(&id);
        assert!(all.find(&id).is_none());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=b; tegata_session=x1; c=d".parse().unwrap());
        assert_eq!(cookie_of(&headers), Some("x1"));
    }
}
