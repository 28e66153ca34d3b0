//! DCP section 5.4.1.2: scopes, which name credentials that may be read.

use std::fmt;

use super::credential::Credential;

const TYPE: &str = "org.eclipse.dspace.dcp.vc.type:";
const ID: &str = "org.eclipse.dspace.dcp.vc.id:";
/// What drafts wrote behind a scope, and connectors still do; a scope is for reading in any case.
const READ: &str = ":read";

/// Which credentials a verifier asks for or may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All of a type.
    Type(String),
    /// The one of an id.
    Id(String),
}

impl Scope {
    /// Reads a scope with or without `:read` behind it; another alias is not understood.
    pub fn parse(text: &str) -> Option<Scope> {
        let text = text.strip_suffix(READ).unwrap_or(text);
        let fits = |name: &&str| !name.is_empty() && !name.contains(char::is_whitespace);
        match text.strip_prefix(TYPE) {
            Some(kind) => Some(kind).filter(fits).map(|kind| Scope::Type(kind.to_owned())),
            None => text.strip_prefix(ID).filter(fits).map(|id| Scope::Id(id.to_owned())),
        }
    }

    /// Reads what an operator writes: a scope, or the bare name of a type.
    pub fn of(text: &str) -> Option<Scope> {
        match text.contains(':') {
            true => Scope::parse(text),
            false => Scope::parse(&format!("{TYPE}{text}")),
        }
    }

    /// Does a credential fall under it?
    pub fn covers(&self, credential: &Credential) -> bool {
        match self {
            Scope::Type(kind) => credential.kinds.iter().any(|one| one == kind),
            Scope::Id(id) => credential.id.as_ref() == Some(id),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Type(kind) => write!(f, "{TYPE}{kind}"),
            Scope::Id(id) => write!(f, "{ID}{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_scope() {
        let member = Scope::Type("MemberCredential".into());
        for text in [
            "org.eclipse.dspace.dcp.vc.type:MemberCredential",
            "org.eclipse.dspace.dcp.vc.type:MemberCredential:read",
        ] {
            assert_eq!(Scope::parse(text), Some(member.clone()));
        }
        assert_eq!(Scope::of("MemberCredential"), Some(member.clone()));
        assert_eq!(Scope::parse(&member.to_string()), Some(member));
        let id = Scope::Id("urn:uuid:8247b87d-8d72-47e1-8128-9ce47e3d829d".into());
        assert_eq!(Scope::parse(&id.to_string()), Some(id.clone()));
        assert_eq!(Scope::parse(&format!("{id}:read")), Some(id));
        for wrong in ["", "MemberCredential", TYPE, "org.eclipse.dspace.dcp.vc.type::read", "other:Member"] {
            assert_eq!(Scope::parse(wrong), None, "{wrong}");
        }
    }
}
