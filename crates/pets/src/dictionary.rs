//! What each column is: proposed by classification, corrected by a person, kept with the dataset.

use crate::plan::Act;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a column does to a person's privacy (ISO/IEC 20889 vocabulary; items of APPI Enforcement Rule Art. 31 and 34).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Points at one person alone: a name, a phone number, a mail address.
    DirectIdentifier,
    /// A number that an authority gave to one person: My Number, passport, Aadhaar.
    IdentificationCode,
    /// Links records that are kept apart: a patient number, a customer number, a device.
    LinkingCode,
    /// Singles out together with others: age, sex, postcode, birth date.
    QuasiIdentifier,
    /// What a person would not have known: health, income, belief.
    Sensitive,
    /// Misused, it costs the person money: a card or account number.
    PropertyDamage,
    /// About a person, and none of the above.
    Attribute,
    /// Not about a person.
    NonPersonal,
}

impl Role {
    /// The word that documents use: `quasi-identifier`.
    pub fn word(self) -> &'static str {
        match self {
            Self::DirectIdentifier => "direct-identifier",
            Self::IdentificationCode => "identification-code",
            Self::LinkingCode => "linking-code",
            Self::QuasiIdentifier => "quasi-identifier",
            Self::Sensitive => "sensitive",
            Self::PropertyDamage => "property-damage",
            Self::Attribute => "attribute",
            Self::NonPersonal => "non-personal",
        }
    }

    /// True when the column cannot stay as it is in anything called de-identified.
    pub fn identifies_alone(self) -> bool {
        matches!(
            self,
            Self::DirectIdentifier | Self::IdentificationCode | Self::LinkingCode | Self::PropertyDamage
        )
    }
}

/// What one column is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the column does to privacy.
    pub role: Role,
    /// What it holds, as the catalogue names it: `jp-my-number`, `person-name`, `age`, `date`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who said so.
    #[serde(default)]
    pub said_by: SaidBy,
    /// Acts from finest to coarsest that the search may choose among; without it the usual ones for the kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<Act>,
    /// How much the column matters to whoever will use the data: its loss counts so many times. 1 by default, 0 not at all.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// The act that a person chose; the search leaves it alone and the profile judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
}

fn one() -> u32 {
    1
}

fn is_one(weight: &u32) -> bool {
    *weight == 1
}

/// Who said what a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaidBy {
    /// Classification proposed it.
    #[default]
    Scan,
    /// A person set or confirmed it.
    Person,
}

/// What each column of a dataset is; written as TOML beside the data.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dictionary {
    /// Column name → what it is.
    pub columns: BTreeMap<String, Entry>,
}

impl Dictionary {
    /// Parses a dictionary from TOML: a table `[columns.NAME]` for each column, with `role = "…"`.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Renders the dictionary as TOML that [`Dictionary::parse`] reads back.
    pub fn render(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Names of the columns with a role, in name order.
    pub fn with_role(&self, role: Role) -> Vec<String> {
        self.columns.iter().filter(|(_, entry)| entry.role == role).map(|(name, _)| name.clone()).collect()
    }

    /// Lays a person's corrections over a proposal; theirs win.
    pub fn corrected_by(mut self, person: &Dictionary) -> Self {
        for (name, entry) in &person.columns {
            self.columns.insert(name.clone(), Entry { said_by: SaidBy::Person, ..entry.clone() });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_word_wins_over_the_scan() {
        let scan = Dictionary::parse(
            "[columns.age]\nrole='quasi-identifier'\nkind='age'\n[columns.note]\nrole='attribute'",
        )
        .unwrap();
        let person = Dictionary::parse("[columns.note]\nrole='sensitive'").unwrap();
        let both = scan.corrected_by(&person);
        assert_eq!(both.with_role(Role::Sensitive), ["note"]);
        assert_eq!(both.columns["note"].said_by, SaidBy::Person);
        assert_eq!(both.columns["age"].said_by, SaidBy::Scan);
        assert_eq!(Dictionary::parse(&both.render().unwrap()).unwrap(), both);
    }
}
