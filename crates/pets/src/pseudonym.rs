//! Keyed pseudonyms: the same person gets the same name within one recipient, purpose and period, and another in the next.

use crate::shares::{hex, unhex};
use aes_siv::KeyInit as _;
use aes_siv::siv::Aes256Siv;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

mod keyed;

pub(crate) use keyed::Begun;
use keyed::Keyed;

/// The pseudonymization domain (EDPB Guidelines 01/2025): within it one person has one pseudonym, across it none match.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Who receives the data.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// For how long: a year, a study wave.
    pub period: String,
}

/// The secret is too short to withstand guessing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretTooShort;

impl fmt::Display for SecretTooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pseudonym secret has at least {SECRET_BYTES_MIN} bytes (pets/secret-too-short)")
    }
}

impl std::error::Error for SecretTooShort {}

// LIMIT: secrets below 256 bits are refused.
const SECRET_BYTES_MIN: usize = 32;
const LABEL: &[u8] = b"tegata/pseudonym/1";
const TOKEN_LABEL: &[u8] = b"tegata/token/1";
/// Bytes of HMAC output kept: 128 bits, so that two of 10^12 people collide with chance below 10^-14.
const PSEUDONYM_BYTES: usize = 16;

/// The key of one domain: HKDF-SHA-256 (RFC 5869) of the secret, the domain as its info.
///
/// INVARIANT: never printed, serialized or compared; it lives as long as the transformation that needs it.
#[derive(Clone)]
pub struct DomainKey {
    keyed: Keyed,
    tokens: [u8; 64],
}

impl fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainKey")
    }
}

impl DomainKey {
    /// Derives the key of a domain from the holder's secret.
    pub fn derive(secret: &[u8], domain: &Domain) -> Result<Self, SecretTooShort> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(SecretTooShort);
        }
        let mut info = LABEL.to_vec();
        for part in [&domain.recipient, &domain.purpose, &domain.period] {
            push(&mut info, part.as_bytes());
        }
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, secret).expand(&info, &mut key).map_err(|_| SecretTooShort)?;
        let mut tokens = [0; 64];
        let info = [TOKEN_LABEL, info.get(LABEL.len()..).unwrap_or_default()].concat();
        Hkdf::<Sha256>::new(None, secret).expand(&info, &mut tokens).map_err(|_| SecretTooShort)?;
        Ok(Self { keyed: Keyed::of(&key), tokens })
    }

    /// The token of a value, in hex: AES-256-SIV (RFC 5297) with the namespace as associated data. One value has one token
    /// within a domain; its length shows the value's.
    pub fn token(&self, namespace: &str, value: &str) -> Option<String> {
        let sealed = Aes256Siv::new(&self.tokens.into()).encrypt([namespace.as_bytes()], value.as_bytes());
        sealed.ok().map(|bytes| hex(&bytes))
    }

    /// The value of a token; none when it is no token of this domain and namespace.
    pub fn value(&self, namespace: &str, token: &str) -> Option<String> {
        let bytes = unhex(token)?;
        let value = Aes256Siv::new(&self.tokens.into()).decrypt([namespace.as_bytes()], &bytes).ok()?;
        String::from_utf8(value).ok()
    }

    /// By how many days a person's days move within this domain: from `days` earlier to `days` later, never by none.
    pub(crate) fn days(&self, person: &str, days: u16) -> i32 {
        let tag = self.keyed.tag(&[b"tegata/shift/1", person.as_bytes()]);
        let drawn = tag.iter().take(8).fold(0u64, |n, &b| n << 8 | u64::from(b));
        let moved = (drawn % (2 * u64::from(days.max(1)))) as i32 - i32::from(days.max(1));
        if moved < 0 { moved } else { moved + 1 }
    }

    /// The pseudonym of a value in a column's own namespace: 128 bits of HMAC-SHA-256 (RFC 2104) in hex.
    pub fn name(&self, namespace: &str, value: &str) -> String {
        let mut out = String::with_capacity(2 * PSEUDONYM_BYTES);
        write_name(&self.naming(namespace), value, &mut out);
        out
    }

    /// What gives pseudonyms in a namespace.
    pub(crate) fn naming(&self, namespace: &str) -> Begun {
        self.keyed.begin(&[&(namespace.len() as u64).to_be_bytes(), namespace.as_bytes()])
    }
}

/// Appends the pseudonym to a text that is used again for the next one.
pub(crate) fn write_name(naming: &Begun, value: &str, out: &mut String) {
    let tag = naming.tag(value.as_bytes());
    let mut text = [0; 2 * PSEUDONYM_BYTES];
    for (pair, byte) in text.chunks_exact_mut(2).zip(tag) {
        pair.copy_from_slice(HEX.get(usize::from(byte)).unwrap_or(b"00"));
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Each byte as two digits.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut out = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        out[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    out
};

fn push(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_be_bytes());
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(recipient: &str, purpose: &str, period: &str) -> Domain {
        Domain { recipient: recipient.into(), purpose: purpose.into(), period: period.into() }
    }

    #[test]
    fn the_same_within_a_domain_and_unlike_across_each_of_its_parts() {
        let key = |d: Domain| DomainKey::derive(&[7; 32], &d).unwrap();
        let here = key(domain("clinic", "study", "2026"));
        assert_eq!(
            here.name("patient", "123"),
            key(domain("clinic", "study", "2026")).name("patient", "123")
        );
        assert_eq!(here.name("patient", "123").len(), 32);
        let others = [
            key(domain("insurer", "study", "2026")),
            key(domain("clinic", "billing", "2026")),
            key(domain("clinic", "study", "2027")),
            key(domain("clinicstudy", "", "2026")),
        ];
        assert!(others.iter().all(|other| other.name("patient", "123") != here.name("patient", "123")));
        assert_ne!(here.name("patient", "123"), here.name("patien", "t123"));
    }

    // Recomputed with Python's hmac and hashlib alone: HKDF-Extract with a zero salt, one block of Expand, HMAC, first 16 bytes.
    #[test]
    fn agrees_with_a_recomputation_from_rfc_2104_and_rfc_5869() {
        let key = DomainKey::derive(&[7; 32], &domain("clinic", "study", "2026")).unwrap();
        assert_eq!(key.name("patient", "123"), "8f11f543a170aa74ce33bd3764610fb7");
    }

    // What tokens and keys are made with, at the published vectors: RFC 5297 A.1, RFC 5869 A.3, FIPS 180-4 (`abc`).
    #[test]
    fn the_primitives_agree_with_their_published_vectors() {
        let key = unhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").unwrap();
        let beside = unhex("101112131415161718191a1b1c1d1e1f2021222324252627").unwrap();
        let key: [u8; 32] = key.try_into().unwrap();
        let sealed = aes_siv::siv::Aes128Siv::new(&key.into()).encrypt([beside], &unhex("112233445566778899aabbccddee").unwrap());
        assert_eq!(hex(&sealed.unwrap()), "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
        let mut okm = [0; 42];
        Hkdf::<Sha256>::new(None, &[0x0b; 22]).expand(&[], &mut okm).unwrap();
        assert_eq!(hex(&okm), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(model::Digest::of(b"abc").to_string(), abc);
    }

    #[test]
    fn tokens_turn_back_in_their_domain_and_nowhere_else() {
        let key = DomainKey::derive(&[7; 32], &domain("clinic", "study", "2026")).unwrap();
        let token = key.token("patient", "佐藤 123").unwrap();
        assert_eq!(key.value("patient", &token).as_deref(), Some("佐藤 123"));
        assert_eq!(key.token("patient", "佐藤 123").unwrap(), token);
        assert_eq!(key.value("visit", &token), None);
        let other = DomainKey::derive(&[7; 32], &domain("clinic", "study", "2027")).unwrap();
        assert_eq!(other.value("patient", &token), None);
        let last = if token.ends_with('0') { "1" } else { "0" };
        assert_eq!(key.value("patient", &format!("{}{last}", &token[..token.len() - 1])), None);
    }

    #[test]
    fn days_of_a_person_move_together_and_never_stay() {
        let key = DomainKey::derive(&[7; 32], &domain("clinic", "study", "2026")).unwrap();
        let moved: Vec<i32> = (0..4000).map(|n| key.days(&n.to_string(), 30)).collect();
        assert!(moved.iter().all(|d| (1..=30).contains(&d.abs())), "{moved:?}");
        // Each of sixty amounts 67 times on average; six deviations from that is one chance in ten million.
        let seldom = (-30..=30).filter(|d| *d != 0).map(|d| moved.iter().filter(|&&m| m == d).count()).min();
        assert!(seldom >= Some(20), "{seldom:?}");
    }

    #[test]
    fn short_secrets_are_refused_and_keys_never_print() {
        assert_eq!(DomainKey::derive(&[7; 31], &domain("a", "b", "c")).unwrap_err(), SecretTooShort);
        assert_eq!(
            format!("{:?}", DomainKey::derive(&[7; 32], &domain("a", "b", "c")).unwrap()),
            "DomainKey"
        );
    }
}
