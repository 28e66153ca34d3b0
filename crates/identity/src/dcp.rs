//! Decentralized Claims Protocol 1.0.1: who asks, proved by a token of its own and by credentials of others.
//!
//! Path of data: a token → [`token::read`] → the bearer's DID, whose document somebody resolves → [`token::Shown::verify`]
//! → a query for its presentations → [`presentation::judge`], which names what it still lacks until it accepts or refuses.
//! The other way: credentials that are held → [`presentation::Presentation`] → a signed presentation for one verifier.
//!
//! Whether a token was shown before is for the caller's memory to say: this room keeps no state.

pub mod access;
pub mod credential;
pub mod message;
pub mod presentation;
pub mod schema;
pub mod scope;
pub mod token;

use serde_json::{Value, json};

/// DCP section 4.4: the context of its messages.
pub const CONTEXT: &str = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";

/// DCP sections 5.2 and 6.2: the types of services in a DID document.
pub mod service {
    /// Where presentations are asked for and credentials are stored.
    pub const CREDENTIALS: &str = "CredentialService";
    /// Where credentials are asked for.
    pub const ISSUER: &str = "IssuerService";
}

/// DCP sections 5.4 and 6: paths under the base address of a service.
pub mod path {
    /// Of a credential service: asks for presentations.
    pub const QUERY: &str = "/presentations/query";
    /// Of a credential service: stores; of an issuer service: asks for credentials.
    pub const CREDENTIALS: &str = "/credentials";
    /// Of a credential service: hears of an offer.
    pub const OFFERS: &str = "/offers";
    /// Of an issuer service: what it issues.
    pub const METADATA: &str = "/metadata";
    /// Of an issuer service: how a request stands, with its id behind.
    pub const REQUESTS: &str = "/requests";
}

/// DCP profiles: which data model, which status list, which proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// VC Data Model 2.0, Bitstring Status List, enveloped with JOSE.
    Vc20Bssl,
    /// VC Data Model 1.1, StatusList2021, external proof with JWT.
    Vc11Sl2021,
}

impl Profile {
    /// Both, the newer first.
    pub const ALL: [Profile; 2] = [Profile::Vc20Bssl, Profile::Vc11Sl2021];

    /// The alias in the standard.
    pub fn alias(self) -> &'static str {
        match self {
            Profile::Vc20Bssl => "vc20-bssl/jwt",
            Profile::Vc11Sl2021 => "vc11-sl2021/jwt",
        }
    }

    /// Finds the profile of an alias.
    pub fn from_alias(alias: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.alias() == alias)
    }
}

/// DCP section 5.4.3: why a presentation or a credential is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The presentation does not read.
    PresentationMalformed,
    /// It is for somebody else.
    PresentationAudience,
    /// Who shows it is not its holder.
    PresentationHolder,
    /// It names no key of its holder that may authenticate.
    PresentationKey,
    /// Its signature is not one by that key.
    PresentationSignature,
    /// It does not hold now.
    PresentationTime,
    /// It mixes credentials of several profiles.
    PresentationMixed,
    /// A credential does not read, or has a status that is not understood.
    CredentialMalformed,
    /// A credential names no key of its issuer that may assert.
    CredentialKey,
    /// The signature of a credential is not one by that key.
    CredentialSignature,
    /// A credential is of another subject than who shows it.
    CredentialHolder,
    /// A credential holds only later.
    CredentialNotYetValid,
    /// A credential holds no longer.
    CredentialExpired,
    /// A credential was revoked.
    CredentialRevoked,
    /// A credential is suspended.
    CredentialSuspended,
    /// Whether a credential was revoked cannot be told.
    StatusUnknown,
    /// The claims do not have the shape that is told, or that shape is not understood.
    Shape,
    /// The issuer is not one whose word counts here.
    IssuerNotTrusted,
    /// A credential that was asked for is not there.
    Missing,
}

impl Fault {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Fault::PresentationMalformed => "claims/presentation-malformed",
            Fault::PresentationAudience => "claims/presentation-audience",
            Fault::PresentationHolder => "claims/presentation-holder",
            Fault::PresentationKey => "claims/presentation-key",
            Fault::PresentationSignature => "claims/presentation-signature",
            Fault::PresentationTime => "claims/presentation-time",
            Fault::PresentationMixed => "claims/presentation-mixed",
            Fault::CredentialMalformed => "claims/credential-malformed",
            Fault::CredentialKey => "claims/credential-key",
            Fault::CredentialSignature => "claims/credential-signature",
            Fault::CredentialHolder => "claims/credential-holder",
            Fault::CredentialNotYetValid => "claims/credential-not-yet-valid",
            Fault::CredentialExpired => "claims/credential-expired",
            Fault::CredentialRevoked => "claims/credential-revoked",
            Fault::CredentialSuspended => "claims/credential-suspended",
            Fault::StatusUnknown => "claims/status-unknown",
            Fault::Shape => "claims/shape",
            Fault::IssuerNotTrusted => "claims/issuer-not-trusted",
            Fault::Missing => "claims/missing",
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::PresentationMalformed => "the presentation is none of a profile of this protocol",
            Fault::PresentationAudience => "the presentation is for somebody else",
            Fault::PresentationHolder => "the presentation is by another holder",
            Fault::PresentationKey => "the presentation names no key of its holder that may authenticate",
            Fault::PresentationSignature => "the signature of the presentation does not hold",
            Fault::PresentationTime => "the presentation does not hold now",
            Fault::PresentationMixed => "the presentation mixes credentials of several profiles",
            Fault::CredentialMalformed => "a credential is none of a profile of this protocol",
            Fault::CredentialKey => "a credential names no key of its issuer that may assert",
            Fault::CredentialSignature => "the signature of a credential does not hold",
            Fault::CredentialHolder => "a credential is about another subject than its holder",
            Fault::CredentialNotYetValid => "a credential holds only later",
            Fault::CredentialExpired => "a credential has expired",
            Fault::CredentialRevoked => "a credential was revoked",
            Fault::CredentialSuspended => "a credential is suspended",
            Fault::StatusUnknown => "whether a credential was revoked cannot be told",
            Fault::Shape => "the claims of a credential do not have the shape that it names",
            Fault::IssuerNotTrusted => "the issuer of a credential is not one whose word counts here",
            Fault::Missing => "a credential that was asked for is not there",
        })
    }
}

impl std::error::Error for Fault {}

/// The members that each message begins with.
fn message(kind: &str) -> Value {
    json!({ "@context": [CONTEXT], "type": kind })
}
