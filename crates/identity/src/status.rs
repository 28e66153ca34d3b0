//! W3C Bitstring Status List 1.0 and its forerunner StatusList2021: one bit a credential, as a signed credential that
//! anyone may cache, enveloped by VC-JOSE or, in the older form, as a JWT with a `vc` claim.
//!
//! LIMIT: one bit an entry (`statusSize` 1), purposes `revocation` and `suspension`; the Token Status List of the
//! IETF, still a draft, comes later.

use std::fmt;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use model::Instant;
use serde_json::{Value, json};

use crate::json;
use crate::jwt::{self, Header, Jws};
use crate::key::{Algorithm, PublicKey};

/// Bitstring Status List section 2.1: the fewest bits, so that one entry hides among many.
pub const BITS_MIN: usize = 131_072;
// LIMIT: 2^25 bits (4 MiB) are the most that is unpacked.
const BITS_MAX: usize = 1 << 25;

/// Bitstring Status List section 2.1: what a bit that is set says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusPurpose {
    /// Cancelled for good.
    Revocation,
    /// Held for a while.
    Suspension,
}

impl StatusPurpose {
    /// The name in the standard.
    pub fn code(self) -> &'static str {
        match self {
            StatusPurpose::Revocation => "revocation",
            StatusPurpose::Suspension => "suspension",
        }
    }
}

/// Which of the two standards a list and its entries follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ListForm {
    /// Bitstring Status List 1.0, over the data model 2.0.
    #[default]
    Bitstring,
    /// StatusList2021 (working draft of 2023-04-27), over the data model 1.1.
    List2021,
}

impl ListForm {
    /// The type of an entry.
    pub fn entry_type(self) -> &'static str {
        match self {
            ListForm::Bitstring => "BitstringStatusListEntry",
            ListForm::List2021 => "StatusList2021Entry",
        }
    }

    fn credential_type(self) -> &'static str {
        match self {
            ListForm::Bitstring => "BitstringStatusListCredential",
            ListForm::List2021 => "StatusList2021Credential",
        }
    }

    fn list_type(self) -> &'static str {
        match self {
            ListForm::Bitstring => "BitstringStatusList",
            ListForm::List2021 => "StatusList2021",
        }
    }
}

/// Why a status list is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusError {
    /// The list is not a compressed bit string of an accepted length.
    Encoding,
    /// The token is not a signed status list credential.
    Credential,
    /// The signature is not one by this key.
    Signature,
    /// The list is another one, of another purpose or issuer.
    OtherList,
    /// The list speaks for another time.
    Stale,
    /// The list has no such entry.
    Index,
}

impl StatusError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            StatusError::Encoding => "status-encoding",
            StatusError::Credential => "status-credential",
            StatusError::Signature => "status-signature",
            StatusError::OtherList => "status-other-list",
            StatusError::Stale => "status-stale",
            StatusError::Index => "status-index",
        }
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StatusError::Encoding => "the list is not a compressed bit string of an accepted length",
            StatusError::Credential => "the token is not a signed status list",
            StatusError::Signature => "the signature of the status list is not one by this key",
            StatusError::OtherList => "this is another status list",
            StatusError::Stale => "the status list speaks for another time",
            StatusError::Index => "the status list has no such entry",
        })
    }
}

impl std::error::Error for StatusError {}

/// Bitstring Status List section 2.2: the bits; number 0 is the top bit of the first byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Bitstring(Vec<u8>);

impl Bitstring {
    /// Makes a list of so many bits, none set; at least [`BITS_MIN`], rounded up to whole bytes.
    pub fn new(bits: usize) -> Bitstring {
        Bitstring(vec![0; bits.clamp(BITS_MIN, BITS_MAX).div_ceil(8)])
    }

    /// Is the bit set? `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<bool> {
        self.0.get(index / 8).map(|byte| byte & (0x80 >> (index % 8)) != 0)
    }

    /// Sets the bit, or answers that there is none.
    pub fn set(&mut self, index: usize) -> Result<(), StatusError> {
        let byte = self.0.get_mut(index / 8).ok_or(StatusError::Index)?;
        *byte |= 0x80 >> (index % 8);
        Ok(())
    }

    /// Clears the bit, or answers that there is none.
    pub fn clear(&mut self, index: usize) -> Result<(), StatusError> {
        let byte = self.0.get_mut(index / 8).ok_or(StatusError::Index)?;
        *byte &= !(0x80 >> (index % 8));
        Ok(())
    }

    /// Bitstring Status List section 3.3: gzip, then multibase base64url.
    pub fn encode(&self) -> Result<String, StatusError> {
        let mut packed = Vec::new();
        let mut gzip = GzBuilder::new().mtime(0).read(self.0.as_slice(), Compression::default());
        gzip.read_to_end(&mut packed).map_err(|_| StatusError::Encoding)?;
        Ok(format!("u{}", URL_SAFE_NO_PAD.encode(packed)))
    }

    /// StatusList2021 section 4.2: gzip, then base64url, without the letter that names the base.
    fn encode_2021(&self) -> Result<String, StatusError> {
        Ok(self.encode()?.split_off(1))
    }

    /// Bitstring Status List section 3.4: unpacks a list.
    pub fn decode(text: &str) -> Result<Bitstring, StatusError> {
        Bitstring::unpack(text.strip_prefix('u').ok_or(StatusError::Encoding)?)
    }

    /// StatusList2021 section 4.3: unpacks a list. Issuers write either alphabet, with or without padding, and some the
    /// letter of the newer standard; gzip begins with `H`, so that this is no ambiguity.
    fn decode_2021(text: &str) -> Result<Bitstring, StatusError> {
        let text = text.strip_prefix('u').unwrap_or(text).trim_end_matches('=');
        Bitstring::unpack(&text.replace('+', "-").replace('/', "_"))
    }

    fn unpack(packed: &str) -> Result<Bitstring, StatusError> {
        let packed = URL_SAFE_NO_PAD.decode(packed).map_err(|_| StatusError::Encoding)?;
        let mut bits = Vec::new();
        let most = BITS_MAX as u64 / 8;
        GzDecoder::new(packed.as_slice())
            .take(most + 1)
            .read_to_end(&mut bits)
            .map_err(|_| StatusError::Encoding)?;
        if bits.len() * 8 < BITS_MIN || bits.len() as u64 > most {
            return Err(StatusError::Encoding);
        }
        Ok(Bitstring(bits))
    }
}

impl fmt::Debug for Bitstring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitstring({} bits)", self.0.len() * 8)
    }
}

/// Bitstring Status List section 2.1: where the status of one credential stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// Which standard it follows.
    pub form: ListForm,
    /// The address of the list, which is also its id.
    pub list: String,
    /// The purpose.
    pub purpose: StatusPurpose,
    /// The number of the bit.
    pub index: usize,
}

impl StatusEntry {
    /// The `credentialStatus` member of a credential.
    pub fn to_json(&self) -> Value {
        json!({
            "id": format!("{}#{}", self.list, self.index),
            "type": self.form.entry_type(),
            "statusPurpose": self.purpose.code(),
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        })
    }

    /// Reads a `credentialStatus` member.
    pub fn from_json(value: &Value) -> Option<StatusEntry> {
        let text = |member: &str| value.get(member).and_then(Value::as_str);
        let kind = text("type")?;
        let form =
            [ListForm::Bitstring, ListForm::List2021].into_iter().find(|form| form.entry_type() == kind)?;
        let purpose = [StatusPurpose::Revocation, StatusPurpose::Suspension]
            .into_iter()
            .find(|purpose| text("statusPurpose") == Some(purpose.code()))?;
        // Some issuers write the number as a number.
        let index = match value.get("statusListIndex")? {
            Value::String(digits) => digits.parse().ok()?,
            number => usize::try_from(number.as_u64()?).ok()?,
        };
        Some(StatusEntry { form, list: text("statusListCredential")?.to_owned(), purpose, index })
    }
}

/// Bitstring Status List section 2.2: a version of a list, as its issuer states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    /// Which standard it follows.
    pub form: ListForm,
    /// The address of the list, which is also its id.
    pub id: String,
    /// The issuer, a DID.
    pub issuer: String,
    /// The purpose.
    pub purpose: StatusPurpose,
    /// From when this version speaks.
    pub valid_from: Instant,
    /// Until when it may be relied on.
    pub valid_until: Instant,
    /// The bits.
    pub bits: Bitstring,
}

impl StatusList {
    /// Prepares the signed form: by VC-JOSE-COSE section 3.1 a `vc+jwt`, in the older form a JWT with a `vc` claim.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Result<jwt::Draft, StatusError> {
        let encoded = match self.form {
            ListForm::Bitstring => self.bits.encode()?,
            ListForm::List2021 => self.bits.encode_2021()?,
        };
        let kinds = ["VerifiableCredential", self.form.credential_type()];
        let subject = json!({
            "id": format!("{}#list", self.id),
            "type": self.form.list_type(),
            "statusPurpose": self.purpose.code(),
            "encodedList": encoded,
        });
        let (from, until) = (self.valid_from.to_string(), self.valid_until.to_string());
        let (typ, payload) = match self.form {
            ListForm::Bitstring => (
                "vc+jwt",
                json!({
                    "@context": ["https://www.w3.org/ns/credentials/v2"],
                    "id": self.id, "type": kinds, "issuer": self.issuer,
                    "validFrom": from, "validUntil": until, "credentialSubject": subject,
                }),
            ),
            ListForm::List2021 => (
                "JWT",
                json!({
                    "iss": self.issuer, "sub": format!("{}#list", self.id), "jti": self.id,
                    "nbf": self.valid_from.0.div_euclid(1_000),
                    "exp": self.valid_until.0.div_euclid(1_000),
                    "vc": {
                        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vc/status-list/2021/v1"],
                        "id": self.id, "type": kinds, "issuer": self.issuer,
                        "issuanceDate": from, "expirationDate": until, "credentialSubject": subject,
                    },
                }),
            ),
        };
        let header = Header::new(algorithm, typ).with_key_id(key_id);
        Ok(jwt::prepare(&header, payload.to_string().as_bytes()))
    }

    /// Bitstring Status List section 3.2: reads a signed list and believes it if this key signed it.
    pub fn verify(token: &str, key: &PublicKey) -> Result<StatusList, StatusError> {
        let jws = Jws::parse(token).map_err(|_| StatusError::Credential)?;
        let payload = jws.verify(key).map_err(|_| StatusError::Signature)?;
        let claims = json::parse(payload).map_err(|_| StatusError::Credential)?;
        let (form, credential) = match claims.get("vc") {
            Some(credential) => (ListForm::List2021, credential),
            None if jws.header().typ.as_deref() == Some("vc+jwt") => (ListForm::Bitstring, &claims),
            None => return Err(StatusError::Credential),
        };
        let subject = credential.get("credentialSubject").ok_or(StatusError::Credential)?;
        fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str, StatusError> {
            value.get(member).and_then(Value::as_str).ok_or(StatusError::Credential)
        }
        // A list that names no end, or no beginning, speaks for the time at which it was fetched.
        let instant = |member: &str, without: i64| -> Result<Instant, StatusError> {
            match credential.get(member) {
                None => Ok(Instant(without)),
                Some(_) => text(credential, member)?.parse().map_err(|_| StatusError::Credential),
            }
        };
        let kinds = credential.get("type").and_then(Value::as_array).ok_or(StatusError::Credential)?;
        let right_kind = kinds.iter().any(|kind| kind == form.credential_type());
        if !right_kind || text(subject, "type")? != form.list_type() {
            return Err(StatusError::Credential);
        }
        let purpose = [StatusPurpose::Revocation, StatusPurpose::Suspension]
            .into_iter()
            .find(|purpose| subject.get("statusPurpose").and_then(Value::as_str) == Some(purpose.code()))
            .ok_or(StatusError::Credential)?;
        let encoded = text(subject, "encodedList")?;
        let (from, until, bits) = match form {
            ListForm::Bitstring => ("validFrom", "validUntil", Bitstring::decode(encoded)?),
            ListForm::List2021 => ("issuanceDate", "expirationDate", Bitstring::decode_2021(encoded)?),
        };
        Ok(StatusList {
            form,
            id: text(credential, "id")?.to_owned(),
            issuer: text(credential, "issuer")?.to_owned(),
            purpose,
            valid_from: instant(from, i64::MIN)?,
            valid_until: instant(until, i64::MAX)?,
            bits,
        })
    }

    /// Bitstring Status List section 3.2: is the entry's bit set, as this list says at this instant?
    pub fn is_set(&self, entry: &StatusEntry, now: Instant) -> Result<bool, StatusError> {
        if entry.list != self.id || entry.purpose != self.purpose || entry.form != self.form {
            return Err(StatusError::OtherList);
        }
        if now < self.valid_from || now > self.valid_until {
            return Err(StatusError::Stale);
        }
        self.bits.get(entry.index).ok_or(StatusError::Index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Signature;
    use p256::ecdsa::signature::Signer as _;

    #[test]
    fn a_set_bit_is_seen_and_only_in_its_time() {
        let signing = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let key = PublicKey::p256(signing.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let mut bits = Bitstring::new(1);
        bits.set(94_567).unwrap();
        assert_eq!(bits.set(BITS_MIN), Err(StatusError::Index));
        let list = StatusList {
            form: ListForm::Bitstring,
            id: "https://a.example/status/1".into(),
            issuer: "did:web:a.example".into(),
            purpose: StatusPurpose::Revocation,
            valid_from: Instant(1_000),
            valid_until: Instant(61_000),
            bits,
        };
        let draft = list.prepare(Algorithm::Es256, "did:web:a.example#status").unwrap();
        let signature: p256::ecdsa::Signature = signing.sign(draft.to_sign());
        let token =
            draft.finish(&Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()).unwrap();
        assert!(token.len() < 1_500);
        let read = StatusList::verify(&token, &key).unwrap();
        assert_eq!(read, list);
        let (form, purpose) = (ListForm::Bitstring, StatusPurpose::Revocation);
        let entry = |index| StatusEntry { form, list: list.id.clone(), purpose, index };
        assert_eq!(StatusEntry::from_json(&entry(5).to_json()), Some(entry(5)));
        assert_eq!(read.is_set(&entry(94_567), Instant(2_000)), Ok(true));
        assert_eq!(read.is_set(&entry(94_566), Instant(2_000)), Ok(false));
        assert_eq!(read.is_set(&entry(94_566), Instant(61_001)), Err(StatusError::Stale));
        assert_eq!(read.is_set(&entry(BITS_MIN), Instant(2_000)), Err(StatusError::Index));
        let other = StatusEntry { purpose: StatusPurpose::Suspension, ..entry(1) };
        assert_eq!(read.is_set(&other, Instant(2_000)), Err(StatusError::OtherList));
        let forged = format!("{}A{}", &token[..token.len() - 10], &token[token.len() - 9..]);
        assert_ne!(forged, token);
        assert_eq!(StatusList::verify(&forged, &key), Err(StatusError::Signature));
    }

    #[test]
    fn the_older_form_says_the_same() {
        let signing = p256::ecdsa::SigningKey::from_slice(&[4; 32]).unwrap();
        let key = PublicKey::p256(signing.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let mut bits = Bitstring::new(1);
        bits.set(7).unwrap();
        let list = StatusList {
            form: ListForm::List2021,
            id: "https://a.example/status/2".into(),
            issuer: "did:web:a.example".into(),
            purpose: StatusPurpose::Revocation,
            valid_from: Instant(1_000),
            valid_until: Instant(61_000),
            bits,
        };
        let draft = list.prepare(Algorithm::Es256, "did:web:a.example#k").unwrap();
        let signature: p256::ecdsa::Signature = signing.sign(draft.to_sign());
        let signature = Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap();
        let read = StatusList::verify(&draft.finish(&signature).unwrap(), &key).unwrap();
        assert_eq!(read, list);
        let entry = |form| StatusEntry { form, list: list.id.clone(), purpose: list.purpose, index: 7 };
        assert_eq!(read.is_set(&entry(ListForm::List2021), Instant(2_000)), Ok(true));
        assert_eq!(read.is_set(&entry(ListForm::Bitstring), Instant(2_000)), Err(StatusError::OtherList));
        // Both alphabets, padding, and the letter of the newer standard are one list.
        let plain = list.bits.encode_2021().unwrap();
        for spelt in [plain.clone(), format!("u{plain}"), plain.replace('-', "+").replace('_', "/") + "=="] {
            assert_eq!(Bitstring::decode_2021(&spelt).unwrap(), list.bits);
        }
    }

    /// Made with Python: `gzip.compress(bytes(16384), mtime=0)` and with bits 0 and 131071 set.
    #[test]
    fn a_foreign_list_is_read() {
        let foreign = include_str!("../../../conformance/trust/fixtures/bitstring.txt");
        let bits = Bitstring::decode(foreign.trim()).unwrap();
        let set: Vec<usize> = (0..BITS_MIN).filter(|index| bits.get(*index) == Some(true)).collect();
        assert_eq!(set, [0, 9, BITS_MIN - 1]);
    }

    #[test]
    fn a_bomb_or_a_stub_is_refused() {
        let pack = |bytes: &[u8]| Bitstring(bytes.to_vec()).encode().unwrap();
        assert_eq!(Bitstring::decode(&pack(&[0; 100])), Err(StatusError::Encoding));
        assert_eq!(Bitstring::decode(&pack(&vec![0; BITS_MAX / 8 + 1])), Err(StatusError::Encoding));
        assert_eq!(Bitstring::decode("u!!"), Err(StatusError::Encoding));
        assert_eq!(Bitstring::decode("zAAAA"), Err(StatusError::Encoding));
    }
}
