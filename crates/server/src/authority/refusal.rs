//! Why the authority does not start or go on, and what a caller is told who is refused.

use crate::tls::TlsError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::certificate::IssueError;
use identity::status::StatusError;
use node::ports::SignError;
use std::fmt;
use std::path::PathBuf;

/// Why the authority does not start, or cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorityError {
    /// Another process works in the directory.
    Held(PathBuf),
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A file does not hold what this program wrote; nothing is forgotten, so nothing starts.
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A key is not at hand.
    Key(SignError),
    /// A certificate or list cannot be made.
    Issue(IssueError),
    /// The status list cannot be made.
    Status(StatusError),
    /// The door does not open.
    Tls(TlsError),
}

impl AuthorityError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held(_) => "authority/held",
            Self::File { .. } => "authority/file",
            Self::Broken { .. } => "authority/broken",
            Self::Key(_) => "authority/key",
            Self::Issue(e) => e.code(),
            Self::Status(e) => e.code(),
            Self::Tls(e) => e.code(),
        }
    }
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(path) => write!(f, "another process holds `{}`", path.display()),
            Self::File { path, detail } => write!(f, "`{}`: {detail}", path.display()),
            Self::Broken { path, detail } => write!(f, "`{}` is damaged: {detail}", path.display()),
            Self::Key(e) => e.fmt(f),
            Self::Issue(e) => e.fmt(f),
            Self::Status(e) => e.fmt(f),
            Self::Tls(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for AuthorityError {}

impl From<SignError> for AuthorityError {
    fn from(e: SignError) -> Self {
        Self::Key(e)
    }
}

impl From<IssueError> for AuthorityError {
    fn from(e: IssueError) -> Self {
        Self::Issue(e)
    }
}

impl From<StatusError> for AuthorityError {
    fn from(e: StatusError) -> Self {
        Self::Status(e)
    }
}

impl From<TlsError> for AuthorityError {
    fn from(e: TlsError) -> Self {
        Self::Tls(e)
    }
}

/// An answer that refuses; or, from an [`AuthorityError`], one that could not be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    detail: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl fmt::Display) -> Self {
        Self { status, code, detail: detail.to_string() }
    }

    pub(super) fn bad(code: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }
}

impl From<AuthorityError> for Refusal {
    fn from(e: AuthorityError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, e.code(), e)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let (status, code, detail) = (self.status.as_u16(), self.code, &self.detail);
        let body = serde_json::json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "code": code });
        typed(self.status, "application/problem+json", body.to_string())
    }
}

pub(super) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
