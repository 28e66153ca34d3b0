//! Revocation lists: read, and asked for an entry.

use super::{Crl, Name, Revoked, Signed, X509Error, extension_list, outer_content_len, read_pem, render_pem};
use crate::asn1::oid;
use crate::asn1::{Element, Reader, tag};
use crate::key::PublicKey;
use model::Instant;
use std::fmt;

/// LIMIT: bytes of a revocation list.
const CRL_BYTES_MAX: usize = 16 << 20;

impl Crl {
    /// RFC 5280 section 5.1: reads the DER of one revocation list.
    pub fn from_der(bytes: &[u8]) -> Result<Crl, X509Error> {
        if bytes.len() > CRL_BYTES_MAX {
            return Err(X509Error::TooLarge);
        }
        let mut outer = Reader::only(bytes, tag::SEQUENCE)?.inside();
        let signed = Signed::read(&mut outer)?;
        let mut tbs = signed.tbs.inside();
        if tbs.take(tag::INTEGER)?.small()? != 1 {
            return Err(X509Error::Version);
        }
        if tbs.take(tag::SEQUENCE)?.raw != signed.algorithm {
            return Err(X509Error::AlgorithmDiffers);
        }
        let issuer = Name::read(tbs.take(tag::SEQUENCE)?)?;
        let this_update = tbs.element()?.time()?;
        let next_update = match tbs.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(tbs.element()?.time()?),
            _ => None,
        };
        let mut unknown_critical = false;
        let revoked = match tbs.optional(tag::SEQUENCE)? {
            Some(list) => read_revoked(list, &mut unknown_critical)?,
            None => Vec::new(),
        };
        let mut number = None;
        if let Some(wrapped) = tbs.optional(tag::CONTEXT_CONSTRUCTED_0)? {
            for (oid, critical, value) in extension_list(Reader::only(wrapped.value, tag::SEQUENCE)?)? {
                if oid == oid::CRL_NUMBER {
                    number = Reader::only(value, tag::INTEGER)?.small().ok();
                } else if oid != oid::AUTHORITY_KEY_ID {
                    // An issuing distribution point or a delta indicator narrows what the list says.
                    unknown_critical |= critical;
                }
            }
        }
        tbs.end()?;
        let start = bytes.len() - outer_content_len(bytes)?;
        Ok(Crl {
            tbs: start..start + signed.tbs.raw.len(),
            der: bytes.to_vec(),
            issuer,
            this_update,
            next_update,
            revoked,
            number,
            unknown_critical,
            signature: signed.signature,
        })
    }

    /// RFC 7468: reads all revocation lists of a PEM text, in order.
    pub fn from_pem(text: &str) -> Result<Vec<Crl>, X509Error> {
        read_pem(text, "X509 CRL")?.iter().map(|der| Crl::from_der(der)).collect()
    }

    /// RFC 7468: the list as PEM text.
    pub fn to_pem(&self) -> String {
        render_pem("X509 CRL", &self.der)
    }

    /// The DER as it arrived.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// From when the list speaks.
    pub fn this_update(&self) -> Instant {
        self.this_update
    }

    /// Until when a newer list must be out.
    pub fn next_update(&self) -> Option<Instant> {
        self.next_update
    }

    /// The number of the list, which only grows.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// The entries.
    pub fn revoked(&self) -> &[Revoked] {
        &self.revoked
    }

    /// The entry of a certificate of this issuer.
    pub fn entry(&self, serial: &[u8]) -> Option<&Revoked> {
        self.revoked.iter().find(|entry| entry.serial == serial)
    }

    /// Is the list whole, understood and signed by that key?
    pub fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        let tbs = self.der.get(self.tbs.clone()).unwrap_or_default();
        !self.unknown_critical
            && self.signature.as_ref().is_some_and(|signature| issuer.verifies(tbs, signature))
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {} revoked)", self.issuer, self.revoked.len())
    }
}

fn read_revoked(list: Element<'_>, unknown_critical: &mut bool) -> Result<Vec<Revoked>, X509Error> {
    let mut revoked = Vec::new();
    for entry in list.inside().all(tag::SEQUENCE)? {
        let mut inside = entry.inside();
        let serial = inside.take(tag::INTEGER)?.unsigned()?.to_vec();
        let at = inside.element()?.time()?;
        let mut reason = None;
        if let Some(extensions) = inside.optional(tag::SEQUENCE)? {
            for (oid, critical, value) in extension_list(extensions)? {
                if oid == oid::REASON_CODE {
                    reason = Reader::only(value, tag::ENUMERATED)?.small()?.try_into().ok();
                } else {
                    *unknown_critical |= critical;
                }
            }
        }
        inside.end()?;
        revoked.push(Revoked { serial, at, reason });
    }
    Ok(revoked)
}
