//! A secret in shares: any t of n give it back, fewer tell nothing (Shamir 1979, over the field of 256 elements).
//!
//! Shares can lie with different custodians in different countries. Whoever joins a wrong share is refused and does not
//! learn which one was wrong, so nobody can be tried out share by share.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// The form of a [`Share`] as a document.
pub const FORM: &str = "tegata-share/1";

/// One share of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    form: String,
    /// How many are needed.
    pub needed: u8,
    /// How many there are.
    pub of: u8,
    /// Which one this is, from 1.
    pub place: u8,
    /// What a joined secret must answer, in hex; it tells nothing of a secret of 32 random bytes.
    check: String,
    /// The share itself, in hex.
    value: String,
}

// INVARIANT: a share is never printed.
impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of {})", self.place, self.of)
    }
}

/// Why a secret was not shared, or shares not joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotShared {
    /// At least two are needed, and no more than there are.
    Numbers,
    /// The secret has fewer than 32 bytes, or more than 4096.
    Secret,
    /// Fewer shares than are needed.
    TooFew {
        /// Given.
        given: usize,
        /// Needed.
        needed: u8,
    },
    /// The shares do not give the secret that was shared. Which of them is at fault is not said.
    Wrong,
}

impl NotShared {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Numbers => "pets/share-numbers",
            Self::Secret => "pets/secret-too-short",
            Self::TooFew { .. } => "pets/too-few-shares",
            Self::Wrong => "pets/wrong-share",
        }
    }
}

impl fmt::Display for NotShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers => f.write_str("at least two shares are needed, and no more than there are")?,
            Self::Secret => f.write_str("a shared secret has 32 to 4096 bytes")?,
            Self::TooFew { given, needed } => write!(f, "{given} shares of the {needed} that are needed")?,
            Self::Wrong => f.write_str("these shares do not give the secret")?,
        }
        write!(f, " ({})", self.code())
    }
}

impl std::error::Error for NotShared {}

// LIMIT: bytes of a shared secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 32..=4096;

/// Random bytes that [`split`] needs for a secret of this length.
pub fn random_bytes(secret: usize, needed: u8) -> usize {
    secret * usize::from(needed.saturating_sub(1))
}

/// Splits a secret in `of` shares of which `needed` give it back. `random` are [`random_bytes`] fresh random bytes.
pub fn split(secret: &[u8], needed: u8, of: u8, random: &[u8]) -> Result<Vec<Share>, NotShared> {
    if needed < 2 || needed > of {
        return Err(NotShared::Numbers);
    }
    if !SECRET_BYTES.contains(&secret.len()) || random.len() != random_bytes(secret.len(), needed) {
        return Err(NotShared::Secret);
    }
    let check = check(secret).ok_or(NotShared::Secret)?;
    let degree = usize::from(needed) - 1;
    let share = |place: u8| {
        // The secret's byte is the constant of a polynomial with random coefficients; a share is its value at its place.
        let value = secret.iter().zip(random.chunks_exact(degree)).map(|(&byte, coefficients)| {
            let high = coefficients.iter().fold(0, |value, &c| times(value, place) ^ c);
            times(high, place) ^ byte
        });
        Share {
            form: FORM.into(),
            needed,
            of,
            place,
            check: check.clone(),
            value: hex(&value.collect::<Vec<u8>>()),
        }
    };
    Ok((1..=of).map(share).collect())
}

/// Joins shares. More than are needed must all fit.
pub fn join(shares: &[Share]) -> Result<Vec<u8>, NotShared> {
    let first = shares.first().ok_or(NotShared::TooFew { given: 0, needed: 2 })?;
    let mut places: Vec<u8> = shares.iter().map(|s| s.place).collect();
    places.sort_unstable();
    places.dedup();
    if places.len() < usize::from(first.needed) {
        return Err(NotShared::TooFew { given: places.len(), needed: first.needed });
    }
    let alike = |s: &Share| {
        (&s.form, s.needed, s.of, &s.check, s.value.len())
            == (&first.form, first.needed, first.of, &first.check, first.value.len())
    };
    if !shares.iter().all(alike) || first.form != FORM || places.len() != shares.len() || places.contains(&0)
    {
        return Err(NotShared::Wrong);
    }
    let values =
        shares.iter().map(|s| unhex(&s.value)).collect::<Option<Vec<_>>>().ok_or(NotShared::Wrong)?;
    let weights: Vec<u8> = shares.iter().map(|s| weight(s.place, &places)).collect();
    let bytes = values.first().map_or(0, Vec::len);
    let byte = |at: usize| {
        values
            .iter()
            .zip(&weights)
            .fold(0, |sum, (value, &w)| sum ^ times(w, value.get(at).copied().unwrap_or(0)))
    };
    let secret: Vec<u8> = (0..bytes).map(byte).collect();
    match check(&secret) {
        Some(said) if said == first.check && SECRET_BYTES.contains(&bytes) => Ok(secret),
        _ => Err(NotShared::Wrong),
    }
}

/// Lagrange's weight of a place at zero.
fn weight(place: u8, places: &[u8]) -> u8 {
    let others = places.iter().filter(|&&p| p != place);
    others.fold(1, |product, &other| times(product, times(other, inverse(other ^ place))))
}

/// Product in the field of AES: x⁸ + x⁴ + x³ + x + 1. No table and no branch on a value.
fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a, b, 0);
    for _ in 0..8 {
        product ^= a & 0u8.wrapping_sub(b & 1);
        a = (a << 1) ^ (0x1b & 0u8.wrapping_sub(a >> 7));
        b >>= 1;
    }
    product
}

/// a²⁵⁴, which is the inverse of all but zero.
fn inverse(a: u8) -> u8 {
    let (mut out, mut power) = (1, a);
    for _ in 0..7 {
        power = times(power, power);
        out = times(out, power);
    }
    out
}

fn check(secret: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(b"tegata/share/1");
    Some(hex(mac.finalize().into_bytes().get(..16)?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |d: u8| (d as char).to_digit(16).filter(|_| !d.is_ascii_uppercase()).map(|v| v as u8);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n: usize) -> Vec<u8> {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, 4.2: {57} · {83} = {c1}, {57} · {13} = {fe}.
        assert_eq!((times(0x57, 0x83), times(0x57, 0x13)), (0xc1, 0xfe));
        assert!((1..=255).all(|a| times(a, inverse(a)) == 1));
    }

    #[test]
    fn any_three_of_five_join_and_two_do_not() {
        let secret = random(40);
        let shares = split(&secret, 3, 5, &random(random_bytes(40, 3))).unwrap();
        for a in 0..5 {
            for b in 0..5 {
                for c in 0..5 {
                    let picked = [a, b, c].map(|i: usize| shares[i].clone());
                    let distinct = a != b && b != c && a != c;
                    assert_eq!(join(&picked).ok(), distinct.then(|| secret.clone()), "{a} {b} {c}");
                }
            }
        }
        assert_eq!(join(&shares).unwrap(), secret);
        assert_eq!(join(&shares[..2]).unwrap_err(), NotShared::TooFew { given: 2, needed: 3 });
    }

    #[test]
    fn a_wrong_share_is_refused_without_saying_which() {
        let secret = random(32);
        let shares = split(&secret, 2, 3, &random(random_bytes(32, 2))).unwrap();
        let other = split(&random(33)[1..], 2, 3, &random(random_bytes(32, 2))).unwrap();
        let mut said = Vec::new();
        for wrong in 0..2 {
            let mut picked = shares[..2].to_vec();
            picked[wrong].value.replace_range(0..2, "zz");
            said.push(join(&picked).unwrap_err().to_string());
            picked[wrong] = Share { value: hex(&random(32)), ..shares[wrong].clone() };
            said.push(join(&picked).unwrap_err().to_string());
            picked[wrong] = other[wrong].clone();
            said.push(join(&picked).unwrap_err().to_string());
            picked[wrong] = Share { place: 3, ..shares[wrong].clone() };
            said.push(join(&picked).unwrap_err().to_string());
        }
        said.dedup();
        assert_eq!(said, ["these shares do not give the secret (pets/wrong-share)"]);
        assert_eq!(format!("{:?}", shares[0]), "Share(1 of 3)");
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let secret = random(32);
        for (needed, of) in [(1, 3), (0, 0), (4, 3)] {
            assert_eq!(
                split(&secret, needed, of, &random(random_bytes(32, needed))).unwrap_err(),
                NotShared::Numbers
            );
        }
        assert_eq!(split(&secret[..31], 2, 3, &random(31)).unwrap_err(), NotShared::Secret);
        assert_eq!(join(&[]).unwrap_err().code(), "pets/too-few-shares");
    }
}
