//! The published transfer profile of HTTP, and renewal of its access tokens.

use crate::message::transfer::DataAddress;
use std::fmt;

/// The profile by which a consumer pulls over HTTP.
pub const PULL: &str = "https://w3id.org/dspace-sig/profile/http-pull";
/// The profile by which a provider pushes over HTTP.
pub const PUSH: &str = "https://w3id.org/dspace-sig/profile/http-push";
/// How an address of HTTP names its kind where no profile of signaling does.
pub const PLAIN: &str = "https://w3id.org/idsa/v4.1/HTTP";

/// Why an address cannot be used under a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFault {
    /// It has no endpoint.
    NoEndpoint,
    /// It is of another kind than the profile.
    OtherKind,
    /// The profile demands `https`.
    Clear,
    /// `authorization` without `authType`, or another than `bearer`.
    NotBearer,
    /// A refresh token without the lifetime of the access token, or a lifetime that is no number.
    NoLifetime,
    /// It cannot be renewed, and only such are taken here.
    NotRenewable,
}

impl AddressFault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            AddressFault::NoEndpoint => "dps/no-endpoint",
            AddressFault::OtherKind => "dps/other-endpoint-type",
            AddressFault::Clear => "dps/not-https",
            AddressFault::NotBearer => "dps/not-bearer",
            AddressFault::NoLifetime => "dps/no-lifetime",
            AddressFault::NotRenewable => "dps/not-renewable",
        }
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressFault::NoEndpoint => "the data address has no `endpoint`",
            AddressFault::OtherKind => "the `endpointType` of the data address is not that of the profile",
            AddressFault::Clear => "the `endpoint` of the data address is not https",
            AddressFault::NotBearer => {
                "the data address has an `authorization` and its `authType` is not `bearer`"
            }
            AddressFault::NoLifetime => {
                "the data address has a `refreshToken` and no `expiresIn` in whole seconds"
            }
            AddressFault::NotRenewable => {
                "the data address has no `refreshToken`, and only renewable ones are taken"
            }
        })
    }
}

/// What an address must be under a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// `http` is taken: between programs of one machine.
    pub clear: bool,
    /// Access must be renewable.
    pub renewable: bool,
}

/// Checks an address that came under a profile. A profile of other names than the published ones asks for an endpoint alone.
pub fn check(profile: &str, address: &DataAddress, demands: Demands) -> Result<(), AddressFault> {
    let endpoint = address.endpoint.as_deref().filter(|e| !e.is_empty()).ok_or(AddressFault::NoEndpoint)?;
    if profile != PULL && profile != PUSH {
        return Ok(());
    }
    if address.endpoint_type != profile {
        return Err(AddressFault::OtherKind);
    }
    if !demands.clear && !endpoint.starts_with("https://") {
        return Err(AddressFault::Clear);
    }
    if address.property("authorization").is_some() && address.property("authType") != Some("bearer") {
        return Err(AddressFault::NotBearer);
    }
    match Renewal::of(address)? {
        None if demands.renewable && profile == PULL => Err(AddressFault::NotRenewable),
        _ => Ok(()),
    }
}

/// How the access token of an address is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// What is shown to renew.
    pub refresh_token: String,
    /// How long the access token lives, in seconds.
    pub expires_in_s: u64,
    /// Where it is renewed.
    pub endpoint: String,
}

impl Renewal {
    /// Reads it from an address; none when the address has no refresh token.
    pub fn of(address: &DataAddress) -> Result<Option<Renewal>, AddressFault> {
        let Some(refresh_token) = address.property("refreshToken") else { return Ok(None) };
        let lifetime = address.property("expiresIn").and_then(|s| s.parse().ok());
        let endpoint = address.property("refreshEndpoint").or(address.endpoint.as_deref());
        Ok(Some(Renewal {
            refresh_token: refresh_token.to_owned(),
            expires_in_s: lifetime.ok_or(AddressFault::NoLifetime)?,
            endpoint: endpoint.ok_or(AddressFault::NoEndpoint)?.to_owned(),
        }))
    }

    /// Puts it into an address.
    pub fn put(&self, address: DataAddress) -> DataAddress {
        address
            .with("refreshToken", self.refresh_token.clone())
            .with("expiresIn", self.expires_in_s.to_string())
            .with("refreshEndpoint", self.endpoint.clone())
    }

    /// The form that asks for a new token.
    pub fn form(&self) -> String {
        format!("grant_type=refresh_token&refresh_token={}", crate::paths::segment(&self.refresh_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Demands = Demands { clear: false, renewable: false };

    fn renewable() -> DataAddress {
        let address = DataAddress::new(PULL, "https://p.example/d").with_bearer("t");
        Renewal { refresh_token: "r".into(), expires_in_s: 300, endpoint: "https://p.example/r".into() }
            .put(address)
    }

    #[test]
    fn the_profile_of_http_demands_what_it_says() {
        let of = |kind: &str, endpoint: &str| DataAddress::new(kind, endpoint);
        assert_eq!(check(PULL, &of(PULL, "https://p.example"), STRICT), Ok(()));
        assert_eq!(check(PULL, &of(PULL, "http://p.example"), STRICT), Err(AddressFault::Clear));
        assert_eq!(check(PULL, &of(PUSH, "https://p.example"), STRICT), Err(AddressFault::OtherKind));
        assert_eq!(check(PULL, &of(PULL, ""), STRICT), Err(AddressFault::NoEndpoint));
        let basic = of(PULL, "https://p.example").with("authorization", "t").with("authType", "basic");
        assert_eq!(check(PULL, &basic, STRICT), Err(AddressFault::NotBearer));
        assert_eq!(check("house-pull", &of(PLAIN, "http://p.example"), STRICT), Ok(()));
    }

    #[test]
    fn where_renewal_is_demanded_an_address_without_it_is_refused() {
        let demands = Demands { clear: false, renewable: true };
        assert_eq!(check(PULL, &renewable(), demands), Ok(()));
        let bare = DataAddress::new(PULL, "https://p.example/d").with_bearer("t");
        assert_eq!(check(PULL, &bare, demands), Err(AddressFault::NotRenewable));
        assert_eq!(check(PULL, &bare.with("refreshToken", "r"), demands), Err(AddressFault::NoLifetime));
    }

    #[test]
    fn renewal_reads_back_and_falls_to_the_endpoint_of_the_data() {
        let read = Renewal::of(&renewable()).unwrap().unwrap();
        assert_eq!((read.expires_in_s, read.endpoint.as_str()), (300, "https://p.example/r"));
        let short =
            DataAddress::new(PULL, "https://p.example/d").with("refreshToken", "a b").with("expiresIn", "9");
        let read = Renewal::of(&short).unwrap().unwrap();
        assert_eq!(
            (read.endpoint.as_str(), read.form().as_str()),
            ("https://p.example/d", "grant_type=refresh_token&refresh_token=a%20b")
        );
    }
}
