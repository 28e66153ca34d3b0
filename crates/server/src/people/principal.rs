//! Who asks: principals with a role, known by a token or by a session of the pages (DESIGN section 9).

use super::{State, page::session_page, session::cookie_of};
use crate::problem::{Kind, Problem};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::Response,
};
use model::Digest;
use std::marker::PhantomData;

/// What the holder of a token may do; the same words as the store's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Runs the node: backup, clock of the demo, settings.
    Operator,
    /// Makes tokens and everything below.
    Admin,
    /// Decides, offers, moves, and everything below.
    Act,
    /// Reads what the participant has.
    Read,
    /// Reads evidence and the log.
    Auditor,
    /// Reads what a regulator may see.
    Regulator,
    /// A control plane or a data plane of others: signals data flows and nothing else.
    Plane,
}

/// Somebody who showed a good token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// The participant whose rows it may see.
    pub participant: String,
    /// The token's id; a revoked one ends its sessions.
    pub token: String,
    /// What it may do.
    pub role: Role,
}

/// Who keeps the tokens. Tokens are hashed at rest; a doorkeeper sees a secret only while it looks it up.
pub trait Doorkeeper: Send + Sync {
    /// Returns whom a secret belongs to, if it is good now.
    fn admit(&self, secret: &str) -> Option<Principal>;
    /// Whether the token with this id is still good; asked at each page of a session.
    fn still(&self, token: &str) -> bool;
}

/// A doorkeeper with one token, as a demo prints it.
pub struct OneToken {
    hash: Digest,
    principal: Principal,
}

impl OneToken {
    /// Keeps the hash of the secret.
    pub fn new(secret: &str, principal: Principal) -> Self {
        Self { hash: Digest::of(secret.as_bytes()), principal }
    }
}

impl Doorkeeper for OneToken {
    // Hashes are compared, so the time taken says nothing about the secret.
    fn admit(&self, secret: &str) -> Option<Principal> {
        (Digest::of(secret.as_bytes()) == self.hash).then(|| self.principal.clone())
    }

    fn still(&self, token: &str) -> bool {
        token == self.principal.token
    }
}

/// What a door needs of a role.
pub trait Right: Send + Sync + 'static {
    /// Whether this role has it.
    fn allows(role: Role) -> bool;
}

/// To ask whether something may go: every role of the participant may.
#[derive(Clone, Copy, Debug)]
pub struct Ask;
/// To read the participant's flows and evidence: every role of the participant may, each through its own doors.
#[derive(Clone, Copy, Debug)]
pub struct Read;
/// To act for the participant.
#[derive(Clone, Copy, Debug)]
pub struct Act;

/// To run the node: its legal clock in a demo.
#[derive(Clone, Copy, Debug)]
pub struct Operate;

/// To signal data flows, as a plane of others does.
#[derive(Clone, Copy, Debug)]
pub struct Signals;

/// To make and revoke tokens.
#[derive(Clone, Copy, Debug)]
pub struct Manage;

impl Right for Manage {
    fn allows(role: Role) -> bool {
        role == Role::Admin
    }
}

impl Right for Operate {
    fn allows(role: Role) -> bool {
        matches!(role, Role::Admin | Role::Operator)
    }
}

impl Right for Ask {
    fn allows(role: Role) -> bool {
        role != Role::Plane
    }
}

impl Right for Read {
    fn allows(role: Role) -> bool {
        role != Role::Plane
    }
}

impl Right for Signals {
    fn allows(role: Role) -> bool {
        matches!(role, Role::Admin | Role::Act | Role::Plane)
    }
}

impl Right for Act {
    fn allows(role: Role) -> bool {
        matches!(role, Role::Admin | Role::Act)
    }
}

/// The principal of a program's request, by `Authorization: Bearer`.
#[derive(Clone, Debug)]
pub struct Bearer<R> {
    /// Who asks.
    pub principal: Principal,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<State> for Bearer<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let secret = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim());
        let principal = secret.and_then(|s| state.keeper.admit(s));
        let principal = principal.ok_or_else(|| {
            Problem::of(Kind::TokenMissing, "send `Authorization: Bearer …` with a token of this participant")
        })?;
        match R::allows(principal.role) {
            true => Ok(Self { principal, right: PhantomData }),
            false => Err(Problem::of(Kind::RoleNotEnough, "")),
        }
    }
}

/// The principal of a page, by its session; without one the page asks for the token.
#[derive(Clone, Debug)]
pub struct Seat<R> {
    /// Who asks.
    pub principal: Principal,
    /// The token that its forms carry.
    pub csrf: String,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<State> for Seat<R> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let seat = cookie_of(&parts.headers).and_then(|id| state.sessions.find(id));
        let seat = seat.filter(|s| state.keeper.still(&s.principal.token));
        match seat {
            None => Err(session_page::ask(state, &parts.uri)),
            Some(s) if !R::allows(s.principal.role) => {
                Err(super::page::refused(&parts.uri, &Problem::of(Kind::RoleNotEnough, "")))
            }
            Some(s) => Ok(Self { principal: s.principal, csrf: s.csrf, right: PhantomData }),
        }
    }
}

impl<R> Seat<R> {
    /// Checks the token of a form post.
    pub fn check(&self, csrf: &str) -> Result<(), Problem> {
        let same = Digest::of(csrf.as_bytes()) == Digest::of(self.csrf.as_bytes());
        same.then_some(()).ok_or_else(|| Problem::of(Kind::FormNotOurs, "open the page again and press once more"))
    }
}
