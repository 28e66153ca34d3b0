//! Compact JWS (RFC 7515) and JWT (RFC 7519), strict: only ES256 and EdDSA, no critical header, no doubled member,
//! audience and expiry always there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::Instant;
use serde_json::{Map, Value, json};

use crate::json;
use crate::key::{Algorithm, PublicKey, Signature};
use crate::x509::Certificate;

// LIMIT: a token is at most 256 KiB, its certificate chain at most 8 certificates.
const TOKEN_BYTES_MAX: usize = 256 << 10;
const CHAIN_LEN_MAX: usize = 8;

/// RFC 7515 section 4: the header, as far as it is understood; other members are ignored, `crit` is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `typ`: what the token is, which guards against using one kind as another.
    pub typ: Option<String>,
    /// `kid`: which key of the signer.
    pub key_id: Option<String>,
    /// `x5c`: the certificates of the signer, its own first. They are a claim until a path is validated.
    pub chain: Vec<Certificate>,
}

impl Header {
    /// Starts a header with an algorithm and a type.
    pub fn new(algorithm: Algorithm, typ: &str) -> Header {
        Header { algorithm, typ: Some(typ.to_owned()), key_id: None, chain: Vec::new() }
    }

    /// Names the key.
    pub fn with_key_id(mut self, key_id: &str) -> Header {
        self.key_id = Some(key_id.to_owned());
        self
    }

    /// Carries the certificates of the signer.
    pub fn with_chain(mut self, chain: &[Certificate]) -> Header {
        self.chain = chain.to_vec();
        self
    }

    fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
        members.insert("alg".into(), json!(self.algorithm.jose()));
        if let Some(key_id) = &self.key_id {
            members.insert("kid".into(), json!(key_id));
        }
        if let Some(typ) = &self.typ {
            members.insert("typ".into(), json!(typ));
        }
        if !self.chain.is_empty() {
            let chain: Vec<String> = self.chain.iter().map(|one| STANDARD.encode(one.der())).collect();
            members.insert("x5c".into(), json!(chain));
        }
        Value::Object(members).to_string().into_bytes()
    }
}

/// RFC 7515 and RFC 7519: why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtError {
    /// It is not three base64url parts of JSON in their one form.
    Malformed,
    /// `alg` is none of those allowed.
    Algorithm,
    /// `crit` asks for something that is not understood.
    Critical,
    /// `typ` is not the expected one.
    Type,
    /// The signature is not one by this key.
    Signature,
    /// `aud` is absent or names somebody else.
    Audience,
    /// `exp` is absent or past.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `iat` is absent or longer ago than allowed.
    TooOld,
}

impl JwtError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            JwtError::Malformed => "jwt-malformed",
            JwtError::Algorithm => "jwt-algorithm",
            JwtError::Critical => "jwt-critical",
            JwtError::Type => "jwt-type",
            JwtError::Signature => "jwt-signature",
            JwtError::Audience => "jwt-audience",
            JwtError::Expired => "jwt-expired",
            JwtError::NotYetValid => "jwt-not-yet-valid",
            JwtError::TooOld => "jwt-too-old",
        }
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JwtError::Malformed => "the token is not a compact JWS in its one form",
            JwtError::Algorithm => "the algorithm is none of those allowed",
            JwtError::Critical => "a critical header member is not understood",
            JwtError::Type => "the token is of another type",
            JwtError::Signature => "the signature is not one by this key",
            JwtError::Audience => "the audience is absent or somebody else",
            JwtError::Expired => "the expiry is absent or past",
            JwtError::NotYetValid => "the token is not valid yet",
            JwtError::TooOld => "the token was issued too long ago",
        })
    }
}

impl std::error::Error for JwtError {}

/// A token that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    signing_input: String,
    algorithm: Algorithm,
}

impl Draft {
    /// RFC 7515 section 5.1: the bytes to sign.
    pub fn to_sign(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// RFC 7515 section 7.1: adds the signature.
    pub fn finish(self, signature: &Signature) -> Result<String, JwtError> {
        if signature.algorithm() != self.algorithm {
            return Err(JwtError::Algorithm);
        }
        Ok(format!("{}.{}", self.signing_input, URL_SAFE_NO_PAD.encode(signature.bytes())))
    }
}

/// RFC 7515 section 5.1: prepares a compact JWS over these bytes.
pub fn prepare(header: &Header, payload: &[u8]) -> Draft {
    let signing_input =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_json()), URL_SAFE_NO_PAD.encode(payload));
    Draft { signing_input, algorithm: header.algorithm }
}

/// RFC 7515: a compact JWS that is read and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws {
    header: Header,
    signing_input: String,
    payload: Vec<u8>,
    signature: Signature,
}

impl Jws {
    /// RFC 7515 section 5.2: reads a compact JWS.
    pub fn parse(token: &str) -> Result<Jws, JwtError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(JwtError::Malformed);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwtError::Malformed)?;
        // The decoder refuses padding and stray trailing bits, so that a token has one text.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed);
        let header = read_header(&decode(header)?)?;
        let signature =
            Signature::from_bytes(header.algorithm, &decode(signature)?).ok_or(JwtError::Malformed)?;
        Ok(Jws { header, payload: decode(payload)?, signature, signing_input: signing_input.to_owned() })
    }

    /// The header, a claim until the signature is verified.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload before verification, for finding out whose key to ask for.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// RFC 7515 section 5.2: the payload, if the signature is one by this key.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], JwtError> {
        if key.verifies(self.signing_input.as_bytes(), &self.signature) {
            Ok(&self.payload)
        } else {
            Err(JwtError::Signature)
        }
    }
}

fn read_header(bytes: &[u8]) -> Result<Header, JwtError> {
    let Ok(Value::Object(members)) = json::parse(bytes) else { return Err(JwtError::Malformed) };
    if members.contains_key("crit") || members.contains_key("b64") {
        return Err(JwtError::Critical);
    }
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwtError::Malformed),
    };
    let algorithm = text("alg")?.and_then(|name| Algorithm::from_jose(&name)).ok_or(JwtError::Algorithm)?;
    let mut chain = Vec::new();
    if let Some(list) = members.get("x5c") {
        let list = list.as_array().filter(|list| list.len() <= CHAIN_LEN_MAX).ok_or(JwtError::Malformed)?;
        for one in list {
            let der = one.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or(JwtError::Malformed)?;
            chain.push(Certificate::from_der(&der).map_err(|_| JwtError::Malformed)?);
        }
    }
    Ok(Header { algorithm, typ: text("typ")?, key_id: text("kid")?, chain })
}

/// RFC 7519 section 4.1 and RFC 8725: what a token must say to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The verifier's own name, which `aud` must contain.
    pub audience: &'a str,
    /// The expected `typ`, compared without case and without `application/`; `None` accepts any.
    pub typ: Option<&'a str>,
    /// The algorithms allowed.
    pub algorithms: &'a [Algorithm],
    /// The instant of verification.
    pub now: Instant,
    /// How far clocks may differ, in seconds.
    pub skew_s: i64,
    /// How long ago it may be issued, in seconds; `None` does not ask for `iat`.
    pub age_s_max: Option<i64>,
}

/// RFC 7519 section 4.1: the claims of a token that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `jti`: the caller remembers it until `expires`, so that a token is not used twice.
    pub id: Option<String>,
    /// `exp`.
    pub expires: Instant,
    /// All claims.
    pub members: Map<String, Value>,
}

/// RFC 7519 section 7.2: verifies a signed token against a key and what is expected of it.
pub fn verify(token: &Jws, key: &PublicKey, expect: &Expect<'_>) -> Result<Claims, JwtError> {
    if !expect.algorithms.contains(&token.header.algorithm) || key.algorithm() != token.header.algorithm {
        return Err(JwtError::Algorithm);
    }
    if let Some(expected) = expect.typ {
        let short = |typ: &str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
        if token.header.typ.as_deref().map(short) != Some(short(expected)) {
            return Err(JwtError::Type);
        }
    }
    let Ok(Value::Object(members)) = json::parse(token.verify(key)?) else { return Err(JwtError::Malformed) };
    let heard = match members.get("aud") {
        Some(Value::String(one)) => one == expect.audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(expect.audience)),
        _ => false,
    };
    if !heard {
        return Err(JwtError::Audience);
    }
    // LIMIT: times are whole seconds; RFC 7519 would allow fractions, which nobody here sends.
    let seconds = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64().and_then(|seconds| seconds.checked_mul(1_000)) {
            Some(millis) => Ok(Some(millis)),
            None => Err(JwtError::Malformed),
        },
    };
    let (now, skew) = (expect.now.0, expect.skew_s.saturating_mul(1_000));
    let expires = seconds("exp")?.ok_or(JwtError::Expired)?;
    if now >= expires.saturating_add(skew) {
        return Err(JwtError::Expired);
    }
    let issued_at = seconds("iat")?;
    for start in [seconds("nbf")?, issued_at].into_iter().flatten() {
        if start > now.saturating_add(skew) {
            return Err(JwtError::NotYetValid);
        }
    }
    if let Some(age) = expect.age_s_max {
        let oldest = now.saturating_sub(age.saturating_mul(1_000)).saturating_sub(skew);
        if issued_at.is_none_or(|issued_at| issued_at < oldest) {
            return Err(JwtError::TooOld);
        }
    }
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwtError::Malformed),
    };
    Ok(Claims {
        issuer: text("iss")?,
        subject: text("sub")?,
        id: text("jti")?,
        expires: Instant(expires),
        members,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Signer as _;

    fn key() -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn public() -> PublicKey {
        PublicKey::p256(key().verifying_key().to_sec1_point(false).as_bytes()).unwrap()
    }

    fn sign(header: &Header, payload: &Value) -> String {
        let draft = prepare(header, payload.to_string().as_bytes());
        let signature: p256::ecdsa::Signature = key().sign(draft.to_sign());
        draft.finish(&Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()).unwrap()
    }

    fn expect() -> Expect<'static> {
        Expect {
            audience: "did:web:b.example",
            typ: Some("jwt"),
            algorithms: &[Algorithm::Es256],
            now: Instant(1_000_000_000),
            skew_s: 5,
            age_s_max: Some(60),
        }
    }

    fn try_one(change: impl Fn(&mut Map<String, Value>)) -> Result<Claims, JwtError> {
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!("did:web:a.example")),
            ("aud", json!(["did:web:b.example"])),
            ("exp", json!(1_000_100)),
            ("iat", json!(999_990)),
            ("jti", json!("one")),
        ] {
            claims.insert(name.into(), value);
        }
        change(&mut claims);
        let token = sign(&Header::new(Algorithm::Es256, "JWT"), &Value::Object(claims));
        verify(&Jws::parse(&token)?, &public(), &expect())
    }

    #[test]
    fn only_what_is_expected_is_accepted() {
        let claims = try_one(|_| ()).unwrap();
        assert_eq!((claims.id.as_deref(), claims.expires), (Some("one"), Instant(1_000_100_000)));
        let set = |name: &'static str, value: Value| {
            try_one(move |claims| {
                claims.insert(name.into(), value.clone());
            })
        };
        assert_eq!(set("aud", json!("did:web:c.example")), Err(JwtError::Audience));
        assert_eq!(set("exp", json!(999_995)), Err(JwtError::Expired));
        assert_eq!(set("exp", json!(1.5)), Err(JwtError::Malformed));
        assert_eq!(set("nbf", json!(1_000_006)), Err(JwtError::NotYetValid));
        assert!(set("nbf", json!(1_000_005)).is_ok());
        assert_eq!(set("iat", json!(999_934)), Err(JwtError::TooOld));
        assert_eq!(try_one(|claims| drop(claims.remove("exp"))), Err(JwtError::Expired));
        assert_eq!(try_one(|claims| drop(claims.remove("aud"))), Err(JwtError::Audience));
    }

    #[test]
    fn a_header_cannot_widen_what_is_accepted() {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = |header: Value| {
            format!("{}.{}.{}", part(header), part(json!({})), URL_SAFE_NO_PAD.encode([1; 64]))
        };
        assert_eq!(Jws::parse(&token(json!({"alg": "none"}))), Err(JwtError::Algorithm));
        assert_eq!(Jws::parse(&token(json!({"alg": "HS256"}))), Err(JwtError::Algorithm));
        assert_eq!(Jws::parse(&token(json!({"alg": "ES256", "crit": ["x"]}))), Err(JwtError::Critical));
        let jws = Jws::parse(&token(json!({"alg": "ES256"}))).unwrap();
        assert_eq!(jws.verify(&public()), Err(JwtError::Signature));
        let good = sign(&Header::new(Algorithm::Es256, "JWT"), &json!({"a": 1}));
        assert!(Jws::parse(&good).unwrap().verify(&public()).is_ok());
        assert_eq!(Jws::parse(&format!("{good}=")), Err(JwtError::Malformed));
        // The last character of 64 bytes holds four stray bits.
        let last = good.chars().last().unwrap();
        let other = if last == 'A' { 'B' } else { char::from(last as u8 + 1) };
        assert_eq!(Jws::parse(&format!("{}{other}", &good[..good.len() - 1])), Err(JwtError::Malformed));
    }

    /// RFC 7515 appendix A.3, made by its authors.
    #[test]
    fn the_token_of_rfc_7515() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let key = PublicKey::from_jwk(&json!({ "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }));
        assert!(Jws::parse(token).unwrap().verify(&key.unwrap()).is_ok());
    }
}
