//! Tokens by which others get at our endpoint of a data flow, and their renewal (the token renewal profile of signaling).
//!
//! Here are their digests alone. A refresh token is bound to the other participant: whoever renews proves by a token of its
//! own that it is that participant, and names the access token that goes with it.

use super::{Carried, read};
use crate::act::claims::Denied;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Request, SignError, random};
use dsp::signaling::http::Renewal;
use model::{Digest, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::keep::{DocumentKind, Expect};

/// LIMIT: bytes of a form.
const FORM_BYTES_MAX: usize = 8 << 10;

/// What lets the other side at a flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Access {
    token: Digest,
    until: Instant,
    refresh: Digest,
}

/// Tokens in the clear, to be given once.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

impl Access {
    pub(super) fn mint(flow: &str, now: Instant, lives_s: u64) -> Result<(Access, Tokens), SignError> {
        let access = Digest(random()?).to_string();
        // Its first part finds the flow; the rest is the secret.
        let refresh = format!("{flow}.{}", Digest(random()?));
        let lives_ms = i64::try_from(lives_s).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let held = Access {
            token: Digest::of(access.as_bytes()),
            until: Instant(now.0.saturating_add(lives_ms)),
            refresh: Digest::of(refresh.as_bytes()),
        };
        Ok((held, Tokens { access, refresh }))
    }

    /// Whether a token is good now.
    pub(super) fn admits(&self, token: &str, now: Instant) -> bool {
        Digest::of(token.as_bytes()) == self.token && now < self.until
    }
}

impl Node {
    /// Renews an access token: OAuth 2 `refresh_token`, the client proved by a token that it signed itself.
    pub fn renew_access(&self, form: &str, bearer: &str) -> Result<Value, Denied> {
        let refused = |code: &str, says: &str| Denied { status: 400, code: code.into(), says: says.into() };
        let form = form.get(..FORM_BYTES_MAX.min(form.len())).unwrap_or_default();
        let field = |name: &str| {
            let named =
                |pair: &str| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, v)| decoded(v));
            form.split('&').find_map(named)
        };
        if field("grant_type").as_deref() != Some("refresh_token") {
            return Err(refused("unsupported_grant_type", "only `refresh_token` is granted here"));
        }
        let refresh = field("refresh_token").unwrap_or_default();
        let shown = self.bearer(bearer)?;
        let no_grant = || refused("invalid_grant", "the refresh token is not good for this client");
        let (id, _) = refresh.rsplit_once('.').ok_or_else(no_grant)?;
        let kept = self.store.kept(&self.participant, DocumentKind::Dataflow, id)?.ok_or_else(no_grant)?;
        let mut held: Carried = read(&kept.body)?;
        let access = held.access.as_ref().ok_or_else(no_grant)?;
        let same = |text: &str, digest: &Digest| Digest::of(text.as_bytes()) == *digest;
        let good = same(&refresh, &access.refresh)
            && shown.did == held.flow.asked().counter_party_id
            && shown.access.as_deref().is_some_and(|token| same(token, &access.token))
            && !held.flow.state().is_final();
        if !good {
            return Err(no_grant());
        }
        let lives_s = self.config.signaling.token_s;
        let (next, tokens) = Access::mint(id, self.now(), lives_s).map_err(ActError::from)?;
        held.access = Some(next);
        self.keep_carried(&held, Expect::Version(kept.version), Vec::new())?;
        Ok(json!({ "access_token": tokens.access, "token_type": "Bearer", "expires_in": lives_s,
            "refresh_token": tokens.refresh }))
    }

    /// Renews our access to the other side of a flow; the new address is kept before it is used.
    pub(super) fn renew_ours(&self, id: &str) -> Result<(), ActError> {
        let (mut held, version) = self.carried(id)?;
        let missing =
            || ActError::Asked { code: "dps/not-renewable", detail: "the access cannot be renewed".into() };
        let address = held.flow.address().cloned().ok_or_else(missing)?;
        let renewal = Renewal::of(&address).ok().flatten().ok_or_else(missing)?;
        self.need_claims()?;
        let token =
            self.token_with(&held.flow.asked().counter_party_id, address.property("authorization"))?;
        let form = renewal.form().into_bytes();
        let request = Request::post(renewal.endpoint.clone(), "application/x-www-form-urlencoded", form)
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request)?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let given = body.get("access_token").and_then(Value::as_str).filter(|_| reply.is_success());
        let given = given.ok_or_else(|| {
            ActError::nonsense(&renewal.endpoint, format!("status {} instead of a new token", reply.status))
        })?;
        let number = |v: &Value| v.as_u64().or_else(|| v.as_str().and_then(|s| s.parse().ok()));
        let next = Renewal {
            refresh_token: body
                .get("refresh_token")
                .and_then(Value::as_str)
                .unwrap_or(&renewal.refresh_token)
                .to_owned(),
            expires_in_s: body.get("expires_in").and_then(number).unwrap_or(renewal.expires_in_s),
            endpoint: renewal.endpoint,
        };
        let endpoint = address.endpoint.clone().unwrap_or_default();
        let fresh =
            dsp::message::transfer::DataAddress::new(address.endpoint_type, endpoint).with_bearer(given);
        held.flow.readdress(next.put(fresh));
        held.address_at = self.now();
        self.keep_carried(&held, Expect::Version(version), Vec::new())
    }

    /// Whether our access to the other side has run out by what it said.
    pub(super) fn access_is_over(&self, held: &Carried) -> bool {
        let renewal = held.flow.address().and_then(|a| Renewal::of(a).ok().flatten());
        renewal.is_some_and(|r| {
            let lives_ms = i64::try_from(r.expires_in_s).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
            self.now().0 >= held.address_at.0.saturating_add(lives_ms)
        })
    }

    /// Takes a flow off the list of those whose bytes are being moved.
    pub(super) fn moved(&self, id: &str) {
        lock(&self.pulls).remove(id);
        lock(&self.dataflows_open).touch(id);
        self.ring();
    }
}

/// Decodes a value of a form.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'+' => out.push(b' '),
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => out.push(u8::try_from(high * 16 + low).unwrap_or_default()),
                _ => return String::new(),
            },
            other => out.push(other),
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_its_time_and_no_other_is() {
        let (access, tokens) = Access::mint("f", Instant(1_000), 2).unwrap();
        assert!(access.admits(&tokens.access, Instant(2_999)));
        assert!(!access.admits(&tokens.access, Instant(3_000)));
        assert!(!access.admits(&tokens.refresh, Instant(1_000)) && !access.admits("", Instant(1_000)));
        assert!(tokens.refresh.starts_with("f."));
    }

    #[test]
    fn a_form_decodes_or_is_empty() {
        assert_eq!(decoded("a%3Ab+c"), "a:b c");
        assert_eq!(decoded("%zz"), "");
        assert_eq!(decoded("%e3%81"), "", "half a character is none");
    }
}
