//! Places: ISO 3166-1 alpha-2 codes and named parts of them.

use std::fmt;

/// A place code: `JP`, or a part of a place, `CA-QC`, `AE-DIFC`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Place(pub String);

impl Place {
    /// Whether this place is `whole` or a part of it (`CA-QC` lies in `CA`).
    pub fn lies_in(&self, whole: &str) -> bool {
        self.0 == whole || self.0.strip_prefix(whole).is_some_and(|rest| rest.starts_with('-'))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_in_wholes_only() {
        assert!(Place("CA-QC".into()).lies_in("CA"));
        assert!(!Place("CA".into()).lies_in("CA-QC"));
        assert!(!Place("CAX".into()).lies_in("CA"));
    }
}
