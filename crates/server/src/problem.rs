//! Problem documents (RFC 9457): every refusal of a door for programs is made here.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::error::ActError;
use rulebook::diagnostic::Diagnostic;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a door refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The `Host` header names a host that this door does not serve.
    HostNotKnown,
    /// No token, or one that is not good.
    TokenMissing,
    /// The token's role does not allow this.
    RoleNotEnough,
    /// A form post that did not come from a page of this session.
    FormNotOurs,
    /// Nothing is here.
    NotFound,
    /// This act is not offered here.
    NotOffered,
    /// The body is larger than is read.
    BodyTooLarge,
    /// The body is not JSON.
    BodyNotJson,
    /// The body is no list of transfers.
    ListNotRead,
    /// The transfer does not speak the vocabulary, or contradicts itself.
    TransferNotUnderstood,
    /// A parameter is no day.
    DayNotUnderstood,
    /// More transfers than are answered at once.
    TooMany,
    /// Too many questions are waiting.
    Busy,
    /// The rules cannot be compiled for that day.
    RulesTooFine,
    /// A fault of this program.
    WentWrong,
    /// No node runs behind this door.
    NoNode,
    /// The idempotency key was used for another request.
    KeyTaken,
    /// The first request under this idempotency key is still under way.
    KeyUnderWay,
    /// An order that is not understood or does not hold.
    ActNotUnderstood,
    /// The law, a peer or the state of a process refuses.
    ActRefused,
    /// A peer or an authority gave no good answer.
    PeerNotReached,
    /// For the demo alone.
    DemoOnly,
    /// The act could not be done here.
    ActFailed,
    /// A quota of the participant is used up.
    QuotaReached,
}

impl Kind {
    /// All kinds, for the reference.
    pub const ALL: [Kind; 24] = [
        Kind::HostNotKnown,
        Kind::TokenMissing,
        Kind::RoleNotEnough,
        Kind::FormNotOurs,
        Kind::NotFound,
        Kind::NotOffered,
        Kind::BodyTooLarge,
        Kind::BodyNotJson,
        Kind::ListNotRead,
        Kind::TransferNotUnderstood,
        Kind::DayNotUnderstood,
        Kind::TooMany,
        Kind::Busy,
        Kind::RulesTooFine,
        Kind::WentWrong,
        Kind::NoNode,
        Kind::KeyTaken,
        Kind::KeyUnderWay,
        Kind::ActNotUnderstood,
        Kind::ActRefused,
        Kind::PeerNotReached,
        Kind::DemoOnly,
        Kind::ActFailed,
        Kind::QuotaReached,
    ];

    /// Status, stable code, the last part of the type, and title.
    fn row(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Kind::HostNotKnown => {
                (S::MISDIRECTED_REQUEST, "TGT-H001", "host-not-known", "this host is not served here")
            }
            Kind::TokenMissing => (S::UNAUTHORIZED, "TGT-H002", "token-missing", "a good token is needed"),
            Kind::RoleNotEnough => {
                (S::FORBIDDEN, "TGT-H003", "role-not-enough", "the token's role does not allow this")
            }
            Kind::FormNotOurs => {
                (S::FORBIDDEN, "TGT-H004", "form-not-ours", "the form did not come from a page of this session")
            }
            Kind::NotFound => (S::NOT_FOUND, "TGT-H005", "not-found", "nothing is here"),
            Kind::NotOffered => (S::METHOD_NOT_ALLOWED, "TGT-H006", "not-offered", "this is not offered here"),
            Kind::BodyTooLarge => {
                (S::PAYLOAD_TOO_LARGE, "TGT-H007", "body-too-large", "the body is larger than is read")
            }
            Kind::BodyNotJson => (S::BAD_REQUEST, "TGT-H008", "body-not-json", "the body is not JSON"),
            Kind::ListNotRead => {
                (S::UNPROCESSABLE_ENTITY, "TGT-H009", "list-not-read", "the list cannot be read")
            }
            Kind::TransferNotUnderstood => (
                S::UNPROCESSABLE_ENTITY,
                "TGT-H010",
                "transfer-not-understood",
                "the transfer is not understood",
            ),
            Kind::DayNotUnderstood => {
                (S::BAD_REQUEST, "TGT-H011", "day-not-understood", "a day is written 2026-11-22")
            }
            Kind::TooMany => {
                (S::UNPROCESSABLE_ENTITY, "TGT-H012", "too-many", "more than are answered at once")
            }
            Kind::Busy => (S::SERVICE_UNAVAILABLE, "TGT-H013", "busy", "too many questions are waiting"),
            Kind::RulesTooFine => (
                S::INTERNAL_SERVER_ERROR,
                "TGT-H014",
                "rules-too-fine",
                "the rules cannot be compiled for this day",
            ),
            Kind::WentWrong => {
                (S::INTERNAL_SERVER_ERROR, "TGT-H015", "went-wrong", "this program made a mistake")
            }
            Kind::NoNode => (S::NOT_FOUND, "TGT-H016", "no-node", "no node runs behind this door"),
            Kind::KeyTaken => {
                (S::UNPROCESSABLE_ENTITY, "TGT-H017", "key-taken", "another request came under this idempotency key")
            }
            Kind::KeyUnderWay => {
                (S::CONFLICT, "TGT-H018", "key-under-way", "the first request under this idempotency key is under way")
            }
            Kind::ActNotUnderstood => {
                (S::UNPROCESSABLE_ENTITY, "TGT-H019", "act-not-understood", "the order is not understood")
            }
            Kind::ActRefused => (S::CONFLICT, "TGT-H020", "act-refused", "this is refused"),
            Kind::PeerNotReached => {
                (S::BAD_GATEWAY, "TGT-H021", "peer-not-reached", "a peer gave no good answer")
            }
            Kind::DemoOnly => (S::FORBIDDEN, "TGT-H022", "demo-only", "this is for the demo alone"),
            Kind::ActFailed => (S::INTERNAL_SERVER_ERROR, "TGT-H023", "act-failed", "the act could not be done"),
            Kind::QuotaReached => {
                (S::TOO_MANY_REQUESTS, "TGT-H024", "quota-reached", "a quota of the participant is used up")
            }
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The last part of the problem's type.
    pub fn slug(self) -> &'static str {
        self.row().2
    }

    /// The title.
    pub fn title(self) -> &'static str {
        self.row().3
    }
}

/// One finding about what was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// Stable code, `TGT-T…`.
    code: String,
    /// What is wrong.
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
}

/// RFC 9457, a problem document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A reference to the kind of problem; `/problems/…` of this server tells more.
    #[serde(rename = "type")]
    about: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// This occurrence in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// Stable code, the same as on the terminal where there is one.
    code: &'static str,
    /// What is wrong in what was sent, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    #[serde(skip)]
    #[schema(ignore)]
    kind: Option<Kind>,
}

impl Problem {
    /// Makes a problem of a kind with a detail.
    pub fn of(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            about: format!("/problems/{}", kind.slug()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            code: kind.code(),
            findings: Vec::new(),
            kind: Some(kind),
        }
    }

    /// A transfer that does not bind, with every finding.
    pub fn findings(findings: &[Diagnostic]) -> Self {
        let detail = findings.first().map(|d| d.message.clone()).unwrap_or_default();
        let findings = findings
            .iter()
            .map(|d| Finding { code: d.code.into(), message: d.message.clone(), help: d.help.clone() })
            .collect();
        Self { findings, ..Self::of(Kind::TransferNotUnderstood, detail) }
    }

    /// An act of the node that was not done, with its own code before what it says.
    pub fn act(error: &ActError) -> Self {
        let kind = match error {
            ActError::NotFound { .. } => Kind::NotFound,
            ActError::Facts(_) | ActError::Rules(_) | ActError::Asked { .. } => Kind::ActNotUnderstood,
            ActError::Protocol(dsp::machine::Fault::Busy) => Kind::Busy,
            ActError::Protocol(_) => Kind::ActRefused,
            ActError::Refused { .. } | ActError::LogBehind { .. } => Kind::ActRefused,
            ActError::Carrier(_) | ActError::Nonsense { .. } | ActError::TooLate { .. } => Kind::PeerNotReached,
            ActError::Quota { .. } => Kind::QuotaReached,
            ActError::DemoOnly(_) => Kind::DemoOnly,
            ActError::Store(_) | ActError::Sign(_) | ActError::Flow(_) | ActError::Sink(_) | ActError::Evidence { .. } => Kind::ActFailed,
        };
        let lines: &[String] = match error {
            ActError::Refused { reasons, .. } => reasons,
            ActError::Facts(lines) => lines,
            _ => &[],
        };
        let finding = |line: &String| Finding { code: error.code(), message: line.clone(), help: String::new() };
        Self { findings: lines.iter().map(finding).collect(), ..Self::of(kind, format!("{}: {error}", error.code())) }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::WentWrong)
    }

    /// What is said about this occurrence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The findings in words.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.findings.iter().map(|f| (f.message.as_str(), f.help.as_str()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match kind {
            Kind::TokenMissing => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tegata\""));
            }
            Kind::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_slugs_are_given_once() {
        let codes: BTreeSet<_> = Kind::ALL.iter().map(|k| k.code()).collect();
        let slugs: BTreeSet<_> = Kind::ALL.iter().map(|k| k.slug()).collect();
        assert_eq!((codes.len(), slugs.len()), (Kind::ALL.len(), Kind::ALL.len()));
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let value = serde_json::to_value(Problem::of(Kind::NotFound, "no rule `x`")).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"type":"/problems/not-found","title":"nothing is here","status":404,
                "detail":"no rule `x`","code":"TGT-H005"})
        );
    }
}
