//! Object identifiers: the few that certificates, seals and time-stamps name.

use std::fmt;

use super::DerError;

/// X.690 section 8.19: an object identifier, held as its content octets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(std::borrow::Cow<'static, [u8]>);

impl Oid {
    /// Reads the content octets of an OBJECT IDENTIFIER.
    pub fn from_content(content: &[u8]) -> Result<Oid, DerError> {
        let ends = content.last().is_some_and(|byte| byte & 0x80 == 0);
        // LIMIT: 39 octets, as OpenSSL and RustCrypto also hold no longer identifiers.
        if !ends || content.len() > 39 {
            return Err(DerError::Value);
        }
        let mut at_start = true;
        for byte in content {
            if at_start && *byte == 0x80 {
                return Err(DerError::Value);
            }
            at_start = byte & 0x80 == 0;
        }
        Ok(Oid(content.to_vec().into()))
    }

    /// Reads the dotted text, such as `1.2.840.113549`.
    pub fn from_dotted(text: &str) -> Result<Oid, DerError> {
        let arcs: Result<Vec<u128>, _> = text.split('.').map(str::parse::<u128>).collect();
        let arcs = arcs.map_err(|_| DerError::Value)?;
        let [top, second, rest @ ..] = arcs.as_slice() else { return Err(DerError::Value) };
        if *top > 2 || (*top < 2 && *second > 39) {
            return Err(DerError::Value);
        }
        let first = second.checked_add(top * 40).ok_or(DerError::Value)?;
        let mut content = Vec::new();
        for arc in std::iter::once(&first).chain(rest) {
            let groups = (128 - arc.leading_zeros()).max(1).div_ceil(7);
            for group in (0..groups).rev() {
                let more = if group > 0 { 0x80 } else { 0 };
                content.push((arc >> (7 * group)) as u8 & 0x7f | more);
            }
        }
        Oid::from_content(&content)
    }

    /// The content octets.
    pub fn content(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc: u128 = 0;
        let mut first = true;
        for byte in self.0.iter() {
            arc = arc.wrapping_shl(7) | u128::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                continue;
            }
            if first {
                let top = (arc / 40).min(2);
                write!(f, "{top}.{}", arc - top * 40)?;
                first = false;
            } else {
                write!(f, ".{arc}")?;
            }
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal, $content:expr;)*) => {
        $($(#[$doc])* #[doc = concat!("`", $dotted, "`.")]
        pub const $name: Oid = Oid(std::borrow::Cow::Borrowed(&$content));)*

        #[cfg(test)]
        const ALL: &[(Oid, &str)] = &[$(($name, $dotted)),*];
    };
}

oids! {
    /// RFC 5480: an elliptic curve public key,
    EC_PUBLIC_KEY = "1.2.840.10045.2.1", [42, 134, 72, 206, 61, 2, 1];
    /// RFC 5480: the curve P-256,
    PRIME256V1 = "1.2.840.10045.3.1.7", [42, 134, 72, 206, 61, 3, 1, 7];
    /// RFC 5758: ECDSA over SHA-256,
    ECDSA_SHA256 = "1.2.840.10045.4.3.2", [42, 134, 72, 206, 61, 4, 3, 2];
    /// RFC 8410: Ed25519, key and signature,
    ED25519 = "1.3.101.112", [43, 101, 112];
    /// RFC 5754: SHA-256,
    SHA256 = "2.16.840.1.101.3.4.2.1", [96, 134, 72, 1, 101, 3, 4, 2, 1];
    /// X.520 common name,
    COMMON_NAME = "2.5.4.3", [85, 4, 3];
    /// X.520 country name,
    COUNTRY = "2.5.4.6", [85, 4, 6];
    /// X.520 organization name,
    ORGANIZATION = "2.5.4.10", [85, 4, 10];
    /// X.520 organizational unit name,
    ORGANIZATIONAL_UNIT = "2.5.4.11", [85, 4, 11];
    /// ETSI EN 319 412-3: organization identifier,
    ORGANIZATION_IDENTIFIER = "2.5.4.97", [85, 4, 97];
    /// RFC 5280 subject key identifier,
    SUBJECT_KEY_ID = "2.5.29.14", [85, 29, 14];
    /// RFC 5280 key usage,
    KEY_USAGE = "2.5.29.15", [85, 29, 15];
    /// RFC 5280 subject alternative name,
    ALT_NAME = "2.5.29.17", [85, 29, 17];
    /// RFC 5280 basic constraints,
    BASIC_CONSTRAINTS = "2.5.29.19", [85, 29, 19];
    /// RFC 5280 CRL number,
    CRL_NUMBER = "2.5.29.20", [85, 29, 20];
    /// RFC 5280 reason code of a CRL entry,
    REASON_CODE = "2.5.29.21", [85, 29, 21];
    /// RFC 5280 CRL distribution points,
    CRL_POINTS = "2.5.29.31", [85, 29, 31];
    /// RFC 5280 certificate policies,
    POLICIES = "2.5.29.32", [85, 29, 32];
    /// RFC 5280 authority key identifier,
    AUTHORITY_KEY_ID = "2.5.29.35", [85, 29, 35];
    /// RFC 5280 extended key usage,
    EXTENDED_KEY_USAGE = "2.5.29.37", [85, 29, 37];
    /// RFC 5280 purpose: TLS server,
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1", [43, 6, 1, 5, 5, 7, 3, 1];
    /// RFC 5280 purpose: TLS client,
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2", [43, 6, 1, 5, 5, 7, 3, 2];
    /// RFC 5280 purpose: e-mail protection, which OpenSSL asks of a CMS signer,
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4", [43, 6, 1, 5, 5, 7, 3, 4];
    /// RFC 5280 purpose: time-stamping,
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8", [43, 6, 1, 5, 5, 7, 3, 8];
    /// RFC 5652 content type: data,
    DATA = "1.2.840.113549.1.7.1", [42, 134, 72, 134, 247, 13, 1, 7, 1];
    /// RFC 5652 content type: signed data,
    SIGNED_DATA = "1.2.840.113549.1.7.2", [42, 134, 72, 134, 247, 13, 1, 7, 2];
    /// RFC 5652 attribute: content type,
    CONTENT_TYPE = "1.2.840.113549.1.9.3", [42, 134, 72, 134, 247, 13, 1, 9, 3];
    /// RFC 5652 attribute: message digest,
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4", [42, 134, 72, 134, 247, 13, 1, 9, 4];
    /// RFC 5652 attribute: signing time,
    SIGNING_TIME = "1.2.840.113549.1.9.5", [42, 134, 72, 134, 247, 13, 1, 9, 5];
    /// RFC 5035 attribute: signing certificate, version 2,
    SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47", [42, 134, 72, 134, 247, 13, 1, 9, 16, 2, 47];
    /// RFC 3161 content type: what a time-stamp says,
    TST_INFO = "1.2.840.113549.1.9.16.1.4", [42, 134, 72, 134, 247, 13, 1, 9, 16, 1, 4];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_octets_are_the_dotted_text() {
        for (oid, dotted) in ALL {
            assert_eq!(oid.to_string(), *dotted);
            assert_eq!(Oid::from_content(oid.content()).as_ref(), Ok(oid));
            assert_eq!(Oid::from_dotted(dotted).as_ref(), Ok(oid));
        }
        let uuid = "2.25.281474976710655000000";
        assert_eq!(Oid::from_dotted(uuid).map(|oid| oid.to_string()).as_deref(), Ok(uuid));
        for wrong in ["", "1", "3.1", "1.40", "1.2.x", "1..2"] {
            assert_eq!(Oid::from_dotted(wrong), Err(DerError::Value), "{wrong}");
        }
        assert_eq!(Oid::from_content(&[]), Err(DerError::Value));
        assert_eq!(Oid::from_content(&[42, 0x80, 1]), Err(DerError::Value));
        assert_eq!(Oid::from_content(&[42, 0x81]), Err(DerError::Value));
    }
}
