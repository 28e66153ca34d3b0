//! The HTTPS binding of DSP 2025-1: which path carries which message, for the server to route and the client to call.
//!
//! Templates use `{id}` for the pid of the receiver, relative to `<base>`; [`VERSIONS`] alone is relative to `<root>`.

/// Version list, unversioned and unauthenticated, relative to the root.
pub const VERSIONS: &str = "/.well-known/dspace-version";
/// POST a catalog request; answer 200 with a catalog.
pub const CATALOG_REQUEST: &str = "/catalog/request";
/// GET one dataset.
pub const CATALOG_DATASET: &str = "/catalog/datasets/{id}";
/// GET the state of a negotiation, both roles.
pub const NEGOTIATION: &str = "/negotiations/{id}";
/// POST an initial contract request to a provider; answer 201.
pub const NEGOTIATION_REQUEST: &str = "/negotiations/request";
/// POST an initial contract offer to a consumer; answer 201.
pub const NEGOTIATION_OFFERS: &str = "/negotiations/offers";
/// POST a counter-offer to a provider.
pub const NEGOTIATION_COUNTER: &str = "/negotiations/{id}/request";
/// POST an offer to a consumer.
pub const NEGOTIATION_OFFER: &str = "/negotiations/{id}/offers";
/// POST an agreement to a consumer.
pub const NEGOTIATION_AGREEMENT: &str = "/negotiations/{id}/agreement";
/// POST an agreement verification to a provider.
pub const NEGOTIATION_VERIFICATION: &str = "/negotiations/{id}/agreement/verification";
/// POST an event: ACCEPTED to a provider, FINALIZED to a consumer.
pub const NEGOTIATION_EVENTS: &str = "/negotiations/{id}/events";
/// POST a termination, both roles.
pub const NEGOTIATION_TERMINATION: &str = "/negotiations/{id}/termination";
/// GET the state of a transfer process, both roles (the specification lists the provider's; peers ask both).
pub const TRANSFER: &str = "/transfers/{id}";
/// POST a transfer request to a provider; answer 201.
pub const TRANSFER_REQUEST: &str = "/transfers/request";
/// POST a start, both roles.
pub const TRANSFER_START: &str = "/transfers/{id}/start";
/// POST a completion, both roles.
pub const TRANSFER_COMPLETION: &str = "/transfers/{id}/completion";
/// POST a suspension, both roles.
pub const TRANSFER_SUSPENSION: &str = "/transfers/{id}/suspension";
/// POST a termination, both roles.
pub const TRANSFER_TERMINATION: &str = "/transfers/{id}/termination";

/// One route of the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The template.
    pub path: &'static str,
    /// The `@type` that a POST must carry; another one is answered with 400.
    pub carries: Option<&'static str>,
    /// The status of a first success.
    pub status: u16,
}

/// Every route of the binding but the version list, for the server to mount and a test to walk.
pub const ROUTES: [Route; 18] = [
    post(CATALOG_REQUEST, "CatalogRequestMessage", 200),
    get(CATALOG_DATASET),
    get(NEGOTIATION),
    post(NEGOTIATION_REQUEST, "ContractRequestMessage", 201),
    post(NEGOTIATION_OFFERS, "ContractOfferMessage", 201),
    post(NEGOTIATION_COUNTER, "ContractRequestMessage", 200),
    post(NEGOTIATION_OFFER, "ContractOfferMessage", 200),
    post(NEGOTIATION_AGREEMENT, "ContractAgreementMessage", 200),
    post(NEGOTIATION_VERIFICATION, "ContractAgreementVerificationMessage", 200),
    post(NEGOTIATION_EVENTS, "ContractNegotiationEventMessage", 200),
    post(NEGOTIATION_TERMINATION, "ContractNegotiationTerminationMessage", 200),
    get(TRANSFER),
    post(TRANSFER_REQUEST, "TransferRequestMessage", 201),
    post(TRANSFER_START, "TransferStartMessage", 200),
    post(TRANSFER_COMPLETION, "TransferCompletionMessage", 200),
    post(TRANSFER_SUSPENSION, "TransferSuspensionMessage", 200),
    post(TRANSFER_TERMINATION, "TransferTerminationMessage", 200),
    // Some peers send a trailing slash; servers that route literally may mount this list twice.
    get(VERSIONS),
];

const fn post(path: &'static str, carries: &'static str, status: u16) -> Route {
    Route { method: "POST", path, carries: Some(carries), status }
}

const fn get(path: &'static str) -> Route {
    Route { method: "GET", path, carries: None, status: 200 }
}

/// Puts a pid or dataset id into a template, percent-encoded as one path segment.
pub fn with_id(template: &str, id: &str) -> String {
    template.replace("{id}", &segment(id))
}

/// Joins a base or callback address and a path; a trailing slash of the address makes no difference.
pub fn join(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// Percent-encodes text as one path segment, per RFC 3986, 3.3.
pub fn segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Tells whether text is an absolute http or https address that can be a callback.
///
/// Which hosts may be called is the server's decision, not this room's.
pub fn is_callback(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|r| {
        let host = r.split(['/', '?', '#']).next().unwrap_or_default();
        let clean = !host.is_empty() && !host.contains('@');
        clean
            && address.len() <= CALLBACK_MAX
            && address.bytes().all(|b| (0x21..0x7f).contains(&b))
            && !r.contains(['?', '#'])
    })
}

/// LIMIT: bytes of a callback address.
pub const CALLBACK_MAX: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_join_with_and_without_slash() {
        let path = with_id(NEGOTIATION_VERIFICATION, "urn:uuid:a b/c");
        assert_eq!(path, "/negotiations/urn:uuid:a%20b%2Fc/agreement/verification");
        assert_eq!(join("https://a.example/x/", &path), join("https://a.example/x", &path));
    }

    #[test]
    fn callbacks() {
        assert!(is_callback("https://consumer.example/callback"));
        assert!(is_callback("http://127.0.0.1:8080"));
        for bad in ["", "ftp://x", "https://", "https://a@b/", "https://x/?q=1", "https://x y/", "/relative"]
        {
            assert!(!is_callback(bad), "{bad}");
        }
    }

    #[test]
    fn each_route_is_listed_once() {
        for (n, route) in ROUTES.iter().enumerate() {
            assert!(ROUTES.iter().skip(n + 1).all(|r| (r.method, r.path) != (route.method, route.path)));
        }
    }
}
