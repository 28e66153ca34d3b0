//! Distinguished names: made attribute by attribute, read as they arrive, shown to people.

use super::Name;
use crate::asn1::oid::{self, Oid};
use crate::asn1::{DerError, Element, tag, write};
use std::fmt;

impl Name {
    /// Starts a name with no attribute.
    pub fn new() -> Name {
        Name { der: write::sequence(&[]), attributes: Vec::new() }
    }

    /// X.520: adds the common name.
    pub fn common_name(self, text: &str) -> Name {
        self.with(oid::COMMON_NAME, text)
    }

    /// X.520: adds the organization name.
    pub fn organization(self, text: &str) -> Name {
        self.with(oid::ORGANIZATION, text)
    }

    /// ETSI EN 319 412-1 section 5.1.4: adds the identifier of a legal person, such as `NTRJP-1234567890123`.
    pub fn organization_identifier(self, text: &str) -> Name {
        self.with(oid::ORGANIZATION_IDENTIFIER, text)
    }

    /// X.520: adds the country, two letters.
    pub fn country(self, text: &str) -> Name {
        self.with(oid::COUNTRY, text)
    }

    fn with(mut self, attribute: Oid, text: &str) -> Name {
        self.attributes.push((attribute, text.to_owned()));
        let parts: Vec<Vec<u8>> = self
            .attributes
            .iter()
            .map(|(attribute, text)| {
                // RFC 5280 appendix A: a country is a PrintableString, everything else UTF8String.
                let tag = if *attribute == oid::COUNTRY { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
                let value = write::element(tag, text.as_bytes());
                write::set_of(vec![write::sequence(&[&write::oid(attribute), &value])])
            })
            .collect();
        self.der = write::element(tag::SEQUENCE, &parts.concat());
        self
    }

    /// The DER of the name as it arrived or was made.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The first value of an attribute.
    pub fn attribute(&self, attribute: &Oid) -> Option<&str> {
        self.attributes.iter().find(|(oid, _)| oid == attribute).map(|(_, text)| text.as_str())
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Name, DerError> {
        let mut attributes = Vec::new();
        for set in element.inside().all(tag::SET)? {
            for pair in set.inside().all(tag::SEQUENCE)? {
                let mut pair = pair.inside();
                let attribute = pair.oid()?;
                let value = pair.element()?;
                pair.end()?;
                attributes.push((attribute, value.text()?));
            }
        }
        Ok(Name { der: element.raw.to_vec(), attributes })
    }
}

impl Default for Name {
    fn default() -> Name {
        Name::new()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (attribute, text)) in self.attributes.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let label = [
                (oid::COMMON_NAME, "CN"),
                (oid::COUNTRY, "C"),
                (oid::ORGANIZATION, "O"),
                (oid::ORGANIZATIONAL_UNIT, "OU"),
                (oid::ORGANIZATION_IDENTIFIER, "organizationIdentifier"),
            ]
            .into_iter()
            .find(|(oid, _)| oid == attribute);
            match label {
                Some((_, label)) => write!(f, "{comma}{label}={text}")?,
                None => write!(f, "{comma}{attribute}={text}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
