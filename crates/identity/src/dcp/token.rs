//! DCP section 4.3: self-issued ID tokens, by which a participant says who it is.
//!
//! INVARIANT: a token that passes here has not yet been asked whether it was shown before; the caller remembers
//! [`Bearer::id`] of its DID until [`Bearer::remember_until`].

use std::fmt;

use model::Instant;
use serde_json::{Map, Value, json};

use crate::did::{DidDocument, DidWeb, Relationship, Rigor};
use crate::json;
use crate::jwt::{self, Draft, Header, Jws, JwtError};
use crate::key::Algorithm;

// LIMIT: a token was issued at most this many seconds ago, so that none is remembered for ever; it names itself in so
// many bytes, and carries so large an access token.
const AGE_S_MAX: i64 = 3_600;
const ID_BYTES_MAX: usize = 256;
const ACCESS_BYTES_MAX: usize = 8 << 10;
/// LIMIT: how far clocks may differ, in seconds.
pub const SKEW_S: i64 = 20;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

/// A token that we issue about ourselves.
#[derive(Clone, Copy, Debug)]
pub struct SelfIssued<'a> {
    /// Who we are: a DID.
    pub did: &'a str,
    /// Whom it is for: a DID.
    pub audience: &'a str,
    /// Its own name, never used twice.
    pub id: &'a str,
    /// Now.
    pub issued_at: Instant,
    /// How long it lives, in seconds.
    pub lives_s: i64,
    /// What lets the verifier read our credentials.
    pub access: Option<&'a str>,
}

impl SelfIssued<'_> {
    /// DCP section 4.3: prepares the token, to be signed by the key of this DID URL.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Draft {
        let now = self.issued_at.0.div_euclid(1_000);
        let mut claims = json!({
            "iss": self.did, "sub": self.did, "aud": self.audience, "jti": self.id,
            "iat": now, "exp": now.saturating_add(self.lives_s),
        });
        if let (Some(access), Some(claims)) = (self.access, claims.as_object_mut()) {
            claims.insert("token".into(), json!(access));
        }
        let header = Header::new(algorithm, "JWT").with_key_id(key_id);
        jwt::prepare(&header, claims.to_string().as_bytes())
    }
}

/// DCP section 4.3.3: why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is no signed token, or a claim is of another kind than it must be.
    Malformed,
    /// `iss` and `sub` are not the same `did:web` identifier.
    NotSelfIssued,
    /// `aud` is absent or somebody else.
    Audience,
    /// The document names no key for this token that may invoke capabilities.
    Key,
    /// The signature is not one by that key.
    Signature,
    /// The document is of another subject.
    Subject,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `exp` is absent or past, or it was issued too long ago.
    Expired,
    /// `jti` is absent or of no use.
    NoId,
}

impl TokenError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            TokenError::Malformed => "claims/token-malformed",
            TokenError::NotSelfIssued => "claims/token-not-self-issued",
            TokenError::Audience => "claims/token-audience",
            TokenError::Key => "claims/token-key",
            TokenError::Signature => "claims/token-signature",
            TokenError::Subject => "claims/token-subject",
            TokenError::NotYetValid => "claims/token-not-yet-valid",
            TokenError::Expired => "claims/token-expired",
            TokenError::NoId => "claims/token-id",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenError::Malformed => "the token is no signed token of this protocol",
            TokenError::NotSelfIssued => "`iss` and `sub` of the token are not one `did:web` identifier",
            TokenError::Audience => "the token is for somebody else",
            TokenError::Key => "the DID document has no such key that may invoke capabilities",
            TokenError::Signature => "the signature of the token is not one by the bearer's key",
            TokenError::Subject => "the DID document is of another subject",
            TokenError::NotYetValid => "the token is not valid yet",
            TokenError::Expired => "the token has expired, or was issued too long ago",
            TokenError::NoId => "the token has no `jti`",
        })
    }
}

impl std::error::Error for TokenError {}

impl From<JwtError> for TokenError {
    fn from(e: JwtError) -> TokenError {
        match e {
            JwtError::Malformed | JwtError::Algorithm | JwtError::Critical | JwtError::Type => {
                TokenError::Malformed
            }
            JwtError::Signature => TokenError::Signature,
            JwtError::Audience => TokenError::Audience,
            JwtError::Expired | JwtError::TooOld => TokenError::Expired,
            JwtError::NotYetValid => TokenError::NotYetValid,
        }
    }
}

/// A token that was shown and is not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    jws: Jws,
    /// Whose document decides.
    pub did: DidWeb,
}

/// A bearer that proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Its DID.
    pub did: String,
    /// The name of the token, to be accepted once.
    pub id: String,
    /// Until when that name must be remembered.
    pub remember_until: Instant,
    /// What lets us read its credentials.
    pub access: Option<String>,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// Reads the value of an `Authorization` header: `Bearer` and a token of this protocol.
pub fn of_header(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let compact = token.bytes().filter(|b| *b == b'.').count() == 2 && !token.contains(['{', ' ']);
    (scheme.eq_ignore_ascii_case("bearer") && compact).then_some(token)
}

/// DCP section 4.3.3, steps 1 and 2: reads a token as far as its own words go.
pub fn read(text: &str, audience: &str) -> Result<Shown, TokenError> {
    let jws = Jws::parse(text)?;
    let Ok(Value::Object(claims)) = json::parse(jws.unverified_payload()) else {
        return Err(TokenError::Malformed);
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = claim("iss").ok_or(TokenError::NotSelfIssued)?;
    if claim("sub") != Some(issuer) {
        return Err(TokenError::NotSelfIssued);
    }
    let did = DidWeb::parse(issuer).map_err(|_| TokenError::NotSelfIssued)?;
    let heard = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    };
    match heard {
        true => Ok(Shown { jws, did }),
        false => Err(TokenError::Audience),
    }
}

impl Shown {
    /// Which key it names; another one than the document has may be a new one.
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header().key_id.as_deref()
    }

    /// DCP section 4.3.3, steps 3 to 6: verifies the token by the bearer's document.
    pub fn verify(
        &self,
        document: &DidDocument,
        audience: &str,
        now: Instant,
        rigor: Rigor,
    ) -> Result<Bearer, TokenError> {
        if document.subject() != self.did.as_str() {
            return Err(TokenError::Subject);
        }
        let key = document
            .key_or_only(self.key_id(), Relationship::CapabilityInvocation, rigor)
            .ok_or(TokenError::Key)?;
        let expect = jwt::Expect {
            audience,
            typ: None,
            algorithms: &ALGORITHMS,
            now,
            skew_s: SKEW_S,
            age_s_max: Some(AGE_S_MAX),
        };
        let claims = jwt::verify(&self.jws, &key, &expect)?;
        let id = claims.id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX).ok_or(TokenError::NoId)?;
        let access = match claims.members.get("token") {
            None | Some(Value::Null) => None,
            Some(Value::String(access)) if access.len() <= ACCESS_BYTES_MAX => Some(access.clone()),
            Some(_) => return Err(TokenError::Malformed),
        };
        // It cannot be shown after it has expired, nor after it has become too old.
        let oldest = Instant(now.0.saturating_add((AGE_S_MAX + 2 * SKEW_S) * 1_000));
        let ends = Instant(claims.expires.0.saturating_add(SKEW_S * 1_000));
        let remember_until = Instant(ends.0.min(oldest.0));
        Ok(Bearer { did: self.did.to_string(), id, remember_until, access, claims: claims.members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::did::{Method, render_methods};
    use crate::key::{PublicKey, Signature};
    use p256::ecdsa::signature::Signer as _;

    const A: &str = "did:web:a.example";
    const B: &str = "did:web:b.example";
    const NOW: Instant = Instant(1_795_000_000_000);

    fn key(seed: u8) -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    fn sign(claims: &Value, key_id: Option<&str>, seed: u8) -> String {
        let mut header = Header::new(Algorithm::Es256, "JWT");
        header.key_id = key_id.map(str::to_owned);
        let draft = jwt::prepare(&header, claims.to_string().as_bytes());
        let signature: p256::ecdsa::Signature = key(seed).sign(draft.to_sign());
        draft.finish(&Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()).unwrap()
    }

    fn document(uses: &[Relationship]) -> DidDocument {
        let public = PublicKey::p256(key(5).verifying_key().to_sec1_point(true).as_bytes()).unwrap();
        let method = Method { fragment: "k".into(), key: public, uses: uses.to_vec() };
        let made = render_methods(&DidWeb::parse(A).unwrap(), &[method], &[]);
        DidDocument::from_json(A, made.to_string().as_bytes()).unwrap()
    }

    fn claims() -> Value {
        json!({ "iss": A, "sub": A, "aud": B, "jti": "1", "iat": 1_795_000_000, "exp": 1_795_000_300, "token": "t" })
    }

    fn check(text: &str, uses: &[Relationship]) -> Result<Bearer, TokenError> {
        read(text, B)?.verify(&document(uses), B, NOW, Rigor::Full)
    }

    const INVOKES: [Relationship; 1] = [Relationship::CapabilityInvocation];

    #[test]
    fn what_we_issue_we_accept() {
        let made = SelfIssued {
            did: A,
            audience: B,
            id: "one",
            issued_at: NOW,
            lives_s: 300,
            access: Some("opaque"),
        };
        let draft = made.prepare(Algorithm::Es256, "did:web:a.example#k");
        let signature: p256::ecdsa::Signature = key(5).sign(draft.to_sign());
        let signature = Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap();
        let bearer = check(&draft.finish(&signature).unwrap(), &INVOKES).unwrap();
        assert_eq!(
            (bearer.did.as_str(), bearer.id.as_str(), bearer.access.as_deref()),
            (A, "one", Some("opaque"))
        );
        assert_eq!(bearer.remember_until, Instant(NOW.0 + 320_000));
    }

    #[test]
    fn each_step_refuses() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            check(&sign(&claims, None, 5), &INVOKES)
        };
        assert!(with("jti", json!("2")).is_ok());
        assert_eq!(with("sub", json!(B)), Err(TokenError::NotSelfIssued));
        assert_eq!(with("iss", json!("did:key:z6Mk")), Err(TokenError::NotSelfIssued));
        assert_eq!(with("aud", json!(A)), Err(TokenError::Audience));
        assert_eq!(with("exp", json!(1_794_999_970)), Err(TokenError::Expired));
        assert_eq!(with("iat", json!(1_794_990_000)), Err(TokenError::Expired));
        assert_eq!(with("iat", json!(1_795_000_060)), Err(TokenError::NotYetValid));
        assert_eq!(with("nbf", json!(1_795_000_060)), Err(TokenError::NotYetValid));
        assert_eq!(with("jti", json!("")), Err(TokenError::NoId));
        assert_eq!(with("jti", Value::Null), Err(TokenError::Malformed));
        assert_eq!(with("token", json!(7)), Err(TokenError::Malformed));
    }

    #[test]
    fn the_key_must_be_the_bearers_and_may_invoke() {
        let named = |key_id| sign(&claims(), Some(key_id), 5);
        assert!(check(&named("did:web:a.example#k"), &INVOKES).is_ok());
        assert!(check(&named("#k"), &INVOKES).is_ok());
        assert_eq!(check(&named("did:web:a.example#other"), &INVOKES), Err(TokenError::Key));
        assert_eq!(check(&named("#k"), &[Relationship::Authentication]), Err(TokenError::Key));
        assert_eq!(check(&sign(&claims(), Some("#k"), 6), &INVOKES), Err(TokenError::Signature));
        let other = DidDocument::from_json(B, json!({ "id": B }).to_string().as_bytes()).unwrap();
        let shown = read(&named("#k"), B).unwrap();
        assert_eq!(shown.verify(&other, B, NOW, Rigor::Full), Err(TokenError::Subject));
    }

    #[test]
    fn a_header_holds_a_token_or_not() {
        assert_eq!(of_header("Bearer a.b.c"), Some("a.b.c"));
        for wrong in ["a.b.c", "Bearer", "Bearer opaque", "Basic a.b.c", "Bearer {\"clientId\":\"a.b.c\"}"] {
            assert_eq!(of_header(wrong), None, "{wrong}");
        }
    }
}
