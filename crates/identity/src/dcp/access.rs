//! DCP section 4.3.1: access tokens, by which one verifier may read some of our credentials for a while.
//!
//! For others they are opaque. We sign them for ourselves, so that nothing has to be remembered of them: who shows one
//! must be the participant for whom it was made, which its own token proves.

use model::Instant;
use serde_json::json;

use super::scope::Scope;
use super::token::SKEW_S;
use crate::jwt::{self, Draft, Expect, Header, Jws};
use crate::key::{Algorithm, PublicKey};

const TYPE: &str = "tegata-access+jwt";

/// Leave for one verifier to read what these scopes name.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Who we are.
    pub holder: &'a str,
    /// Who may read.
    pub verifier: &'a str,
    /// What.
    pub scopes: &'a [Scope],
    /// Now.
    pub issued_at: Instant,
    /// How long, in seconds.
    pub lives_s: i64,
}

impl Grant<'_> {
    /// Prepares the token, to be signed by our key of this id.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Draft {
        let now = self.issued_at.0.div_euclid(1_000);
        let scopes: Vec<String> = self.scopes.iter().map(Scope::to_string).collect();
        let claims = json!({
            "iss": self.holder, "aud": self.holder, "sub": self.verifier, "scope": scopes,
            "iat": now, "exp": now.saturating_add(self.lives_s),
        });
        jwt::prepare(&Header::new(algorithm, TYPE).with_key_id(key_id), claims.to_string().as_bytes())
    }
}

/// What a token lets this verifier read; `None` when it is not ours, not for it, or over.
pub fn granted(
    text: &str,
    holder: &str,
    verifier: &str,
    now: Instant,
    key_of: impl Fn(&str) -> Option<PublicKey>,
) -> Option<Vec<Scope>> {
    let jws = Jws::parse(text).ok()?;
    let key = key_of(jws.header().key_id.as_deref()?)?;
    let expect = Expect {
        audience: holder,
        typ: Some(TYPE),
        algorithms: &[Algorithm::Es256, Algorithm::EdDsa],
        now,
        skew_s: SKEW_S,
        age_s_max: None,
    };
    let claims = jwt::verify(&jws, &key, &expect).ok()?;
    if claims.issuer.as_deref() != Some(holder) || claims.subject.as_deref() != Some(verifier) {
        return None;
    }
    claims.members.get("scope")?.as_array()?.iter().map(|one| one.as_str().and_then(Scope::parse)).collect()
}

/// Reads a list of scopes as an operator or a client writes it, parted by spaces.
pub fn scopes(text: &str) -> Option<Vec<Scope>> {
    text.split_whitespace().map(Scope::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Signature;
    use p256::ecdsa::signature::Signer as _;

    #[test]
    fn a_grant_is_for_one_verifier_and_for_a_while() {
        let signing = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
        let key = PublicKey::p256(signing.verifying_key().to_sec1_point(true).as_bytes()).unwrap();
        let wanted = [Scope::Type("Member".into())];
        let (us, them, now) = ("did:web:a.example", "did:web:b.example", Instant(1_795_000_000_000));
        let grant = Grant { holder: us, verifier: them, scopes: &wanted, issued_at: now, lives_s: 60 };
        let draft = grant.prepare(Algorithm::Es256, "k");
        let signature: p256::ecdsa::Signature = signing.sign(draft.to_sign());
        let signature = Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap();
        let token = draft.finish(&signature).unwrap();
        let key_of = |id: &str| (id == "k").then_some(key);
        assert_eq!(granted(&token, us, them, now, key_of), Some(wanted.to_vec()));
        assert_eq!(granted(&token, us, "did:web:c.example", now, key_of), None);
        assert_eq!(granted(&token, them, them, now, key_of), None);
        assert_eq!(granted(&token, us, them, Instant(now.0 + 81_000), key_of), None);
        assert_eq!(granted(&token, us, them, now, |_| None), None);
        assert_eq!(granted("opaque", us, them, now, key_of), None);
    }
}
