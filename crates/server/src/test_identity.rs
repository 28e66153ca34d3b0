//! The test identity: peers are who their `Authorization` header says, in the clear and on loopback.
//!
//! For conformance kits and connectors under test alone. A node takes it only with `mode = "demo"` and
//! `test_identity = true`, listens on loopback alone, and its keys are made here, marked as invented, so that a
//! production node refuses them.

use crate::node_server::{INVENTED, StartError};
use axum::http::{HeaderMap, header};
use identity::certificate::{Issuer, Order, Profile, prepare};
use identity::x509::Name;
use model::Instant;
use node::agent::Caller;
use node::config::{Config, ConfigError, Mode};
use node::keys::SealKey;
use node::ports::{Clock, MachineClock, SignError, random};
use serde_json::Value;
use std::net::SocketAddr;

/// LIMIT: bytes of a header that is read.
const HEADER_BYTES_MAX: usize = 4_096;
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

/// Refuses the test identity where it must not be: in production, or beyond loopback.
pub fn check(config: &Config, at: SocketAddr) -> Result<(), StartError> {
    match (config.mode, at.ip().is_loopback()) {
        (Mode::Demo, true) => Ok(()),
        (Mode::Production, _) => Err(StartError::Config(ConfigError::DemoOnly("test_identity"))),
        (Mode::Demo, false) => Err(StartError::Address(config.listen.clone())),
    }
}

/// Makes the seal's key and certificate, which is its own anchor, where they are not there yet.
pub fn make_keys(config: &Config) -> Result<(), StartError> {
    let wrong = |e: &dyn std::fmt::Display| StartError::Sign(SignError(e.to_string()));
    std::fs::create_dir_all(&config.directory).map_err(|e| wrong(&e))?;
    let key = SealKey::open_or_make(&config.file(&config.keys.seal_key))?;
    let (certificate, anchors) =
        (config.file(&config.keys.seal_certificate), config.file(&config.keys.anchors));
    if !certificate.exists() {
        let now = MachineClock.now();
        let order = Order {
            subject: Name::new().organization(INVENTED).common_name("test identity"),
            key: key.public()?,
            serial: random()?,
            not_before: Instant(now.0 - 3_600_000),
            not_after: Instant(now.0 + YEAR_MS),
            profile: Profile::Authority { path_len: 0 },
            crl_url: None,
        };
        let draft = prepare(&order, Issuer::Itself).map_err(|e| wrong(&e))?;
        let signature = key.sign(draft.to_sign())?;
        let pem = draft.finish(&signature).map_err(|e| wrong(&e))?.to_pem();
        std::fs::write(&certificate, &pem).map_err(|e| wrong(&e))?;
        std::fs::write(&anchors, &pem).map_err(|e| wrong(&e))?;
    }
    Ok(())
}

/// Who asks: the `clientId` of the JSON object in the header, as connectors under test send it.
pub fn caller(headers: &HeaderMap) -> Option<Caller> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if value.len() > HEADER_BYTES_MAX {
        return None;
    }
    let object: Value = serde_json::from_str(value.strip_prefix("Bearer ").unwrap_or(value)).ok()?;
    let id = object.get("clientId")?.as_str().filter(|id| !id.is_empty())?;
    Some(Caller::unproved(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_its_sender_and_nothing_else_does() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            caller(&headers).map(|c| c.id)
        };
        assert_eq!(read(r#"{"clientId":"kit","region":"any"}"#).as_deref(), Some("kit"));
        assert_eq!(read(r#"Bearer {"clientId":"kit"}"#).as_deref(), Some("kit"));
        for other in ["kit", "{}", r#"{"clientId":""}"#, r#"{"clientId":7}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn production_and_the_outside_are_refused() {
        let demo = Config { mode: Mode::Demo, test_identity: true, ..Config::default() };
        let inner = "127.0.0.1:0".parse().unwrap();
        assert!(check(&demo, inner).is_ok());
        assert_eq!(check(&demo, "0.0.0.0:0".parse().unwrap()).unwrap_err().code(), "config/listen");
        let production = Config { mode: Mode::Production, ..demo };
        assert_eq!(check(&production, inner).unwrap_err().code(), "config/demo-only");
    }
}
