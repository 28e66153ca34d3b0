//! What every request passes first: the host it names; and what every answer carries.

use super::State;
use crate::problem::{Kind, Problem};
use http_body_util::BodyExt as _;
use axum::{
    extract::{Request, State as Held},
    http::{HeaderName, HeaderValue, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// LIMIT: bytes of a request's body at any door for people and programs.
pub const BODY_BYTES_MAX: usize = 4 << 20;

const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Refuses a request for a host that this door does not serve, and puts the safety headers on every answer.
///
/// The host is checked on loopback too: a page of another site may have its own name resolve to 127.0.0.1.
pub async fn guard(Held(state): Held<State>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    let named = named.or_else(|| request.uri().authority().map(Authority::as_str));
    let known = named.and_then(|h| h.parse::<Authority>().ok()).is_some_and(|a| serves(&state.hosts, a.host()));
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let mut response = match known {
        true if length.is_some_and(|n: u64| n > BODY_BYTES_MAX as u64) => too_large(request).await,
        true => whole(next.run(request).await),
        false => Problem::of(Kind::HostNotKnown, format!("`{}`", named.unwrap_or_default())).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if state.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// LIMIT: bytes of a refused body that are read and thrown away, so that its sender gets to read the answer.
const DRAINED_BYTES_MAX: usize = 64 << 20;

async fn too_large(request: Request) -> Response {
    // A sender that is cut off while it writes sees a broken line and not the reason.
    let (mut body, mut thrown) = (request.into_body(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        thrown += frame.data_ref().map_or(0, |d| d.len());
        if thrown > DRAINED_BYTES_MAX {
            break;
        }
    }
    Problem::of(Kind::BodyTooLarge, format!("at most {} MiB; send many transfers in several questions", BODY_BYTES_MAX >> 20)).into_response()
}

/// A body of unknown length that became too large was refused in the words of the framework; it is refused in ours.
fn whole(response: Response) -> Response {
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/problem"));
    match response.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE && !ours {
        true => Problem::of(Kind::BodyTooLarge, "").into_response(),
        false => response,
    }
}

fn serves(hosts: &[String], host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    ["localhost", "127.0.0.1", "::1"].contains(&host) || hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::serves;

    #[test]
    fn only_loopback_and_named_hosts_are_served() {
        assert!(serves(&[], "localhost") && serves(&[], "[::1]") && serves(&["A.example".into()], "a.example"));
        assert!(!serves(&[], "evil.example") && !serves(&[], "localhost.evil.example") && !serves(&[], ""));
    }
}
