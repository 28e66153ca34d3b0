//! Who has enrolled, what was issued to whom, and what is revoked: one file, replaced whole at each change.

use super::ca::{Ca, LIST_MS};
use super::enroll::{Enrollment, SignedEnrollment};
use super::folder::{Folder, Readers};
use super::{AuthorityError, Refusal, token_line};
use axum::http::StatusCode;
use identity::certificate::Profile;
use identity::x509::{AltName, Certificate, Crl, Name, Revoked};
use model::{Digest, Instant};
use node::ports::random;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tlog::key::VerifierKey;

pub(super) const REGISTER: &str = "register.json";
pub(super) const ENROLLMENT_TOKEN: &str = "enrollment.token";

/// LIMIT: participants of one demo authority; the register is rewritten at each change.
const MEMBERS_MAX: usize = 1_000;

/// LIMIT: certificates that one participant may have had.
const CERTIFICATES_MAX: usize = 200;

/// What is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    /// The number of the last revocation list.
    crl_number: u64,
    /// The digest of the one enrollment token that is good.
    token: Digest,
    members: Vec<Member>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    did: String,
    name: String,
    /// Digests of the public keys, which no other participant may use.
    tls_key: Digest,
    seal_key: Digest,
    /// Verifier key strings.
    logs: Vec<String>,
    /// Serial numbers in hex.
    serials: Vec<String>,
    status_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Revocation>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    at: Instant,
    reason: u8,
}

/// What was issued to one participant.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) tls: Certificate,
    pub(super) seal: Certificate,
    pub(super) status_index: usize,
}

/// The register with the root that signs for it.
#[derive(Debug)]
pub(super) struct Register {
    folder: Arc<Folder>,
    ca: Ca,
    state: State,
    crl: Crl,
}

impl Register {
    pub(super) fn open(folder: Arc<Folder>, ca: Ca, now: Instant) -> Result<Self, AuthorityError> {
        let mut state = match folder.read(REGISTER)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|e| folder.broken(REGISTER, e))?,
            None => State { version: 1, crl_number: 0, token: Digest([0; 32]), members: Vec::new() },
        };
        if state.version != 1 {
            return Err(folder.broken(REGISTER, format!("version `{}` is not known", state.version)));
        }
        let token = folder.read(ENROLLMENT_TOKEN)?.unwrap_or_default();
        let fresh = if Digest::of(token.trim_ascii()) == state.token { None } else { Some(token_line()?) };
        if let Some(fresh) = &fresh {
            // The first start, or a kill between the register and the file of the token.
            state.token = Digest::of(fresh.trim_ascii());
        }
        // Replaced by the next line, before anybody can see it.
        let crl = ca.revocation_list(state.crl_number, &[], now)?;
        let mut register = Self { folder, ca, state: state.clone(), crl };
        register.replace(state, now)?;
        if let Some(fresh) = fresh {
            register.folder.write(ENROLLMENT_TOKEN, Readers::Owner, &fresh)?;
        }
        Ok(register)
    }

    /// Stores a new state with a revocation list of the next number, then holds both.
    fn replace(&mut self, mut state: State, now: Instant) -> Result<(), AuthorityError> {
        state.crl_number += 1;
        let mut revoked = Vec::new();
        for member in &state.members {
            let Some(revocation) = member.revoked else { continue };
            for serial in &member.serials {
                let serial =
                    unhex(serial).ok_or_else(|| self.folder.broken(REGISTER, "a serial number is no hex"))?;
                revoked.push(Revoked { serial, at: revocation.at, reason: Some(revocation.reason) });
            }
        }
        let crl = self.ca.revocation_list(state.crl_number, &revoked, now)?;
        let bytes = serde_json::to_vec_pretty(&state).map_err(|e| self.folder.broken(REGISTER, e))?;
        // The number is on disk before a list of that number is seen by anybody.
        self.folder.write(REGISTER, Readers::Owner, &bytes)?;
        self.folder.write("crl.pem", Readers::All, crl.to_pem().as_bytes())?;
        self.state = state;
        self.crl = crl;
        Ok(())
    }

    pub(super) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// The revocation list, renewed when half of its time is over.
    pub(super) fn crl(&mut self, now: Instant) -> Result<Crl, AuthorityError> {
        let due = self.crl.next_update().is_none_or(|next| next.0 - now.0 < LIST_MS / 2);
        if due {
            self.replace(self.state.clone(), now)?;
        }
        Ok(self.crl.clone())
    }

    /// The bits that are set in the status list.
    pub(super) fn revoked_indexes(&self) -> Vec<usize> {
        self.state.members.iter().filter(|m| m.revoked.is_some()).map(|m| m.status_index).collect()
    }

    /// The keys of all logs that have enrolled; those of revoked participants are forgotten no more than their logs.
    pub(super) fn log_keys(&self) -> Vec<VerifierKey> {
        let logs = self.state.members.iter().flat_map(|member| &member.logs);
        logs.filter_map(|log| VerifierKey::parse(log).ok()).collect()
    }

    /// Issues certificates to whoever holds the token and the keys.
    pub(super) fn enroll(&mut self, request: &SignedEnrollment, now: Instant) -> Result<Issued, Refusal> {
        let asked = &request.enrollment;
        if Digest::of(asked.token.as_bytes()) != self.state.token {
            let detail = "the enrollment token is not the one in `enrollment.token`, or was used";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "enroll-token", detail));
        }
        let keys = asked.check().map_err(|detail| Refusal::bad("enroll-claim", detail))?;
        request.check_proofs(&keys).map_err(|detail| Refusal::bad("enroll-proof", detail))?;
        let (tls_key, seal_key) = (Digest::of(keys.tls.bytes()), Digest::of(keys.seal.bytes()));
        let position = self.place_of(asked, tls_key, seal_key)?;
        let mut state = self.state.clone();
        let status_index = match position {
            Some(at) => state.members.get(at).map(|member| member.status_index),
            None => None,
        };
        let status_index = status_index.map_or_else(|| self.fresh_index(), Ok)?;
        let tls = self.ca.issue(Name::new().common_name(&asked.name), keys.tls, asked.tls_profile(), now)?;
        let subject = Name::new()
            .country(&asked.country)
            .organization(&asked.name)
            .organization_identifier(&asked.organization_identifier)
            .common_name(&asked.name);
        let names = vec![AltName::Uri(asked.did.clone())];
        let seal = self.ca.issue(subject, keys.seal, Profile::Seal { names }, now)?;
        let at = position.unwrap_or_else(|| {
            let (did, name) = (asked.did.clone(), asked.name.clone());
            let (logs, serials) = (Vec::new(), Vec::new());
            state.members.push(Member {
                did,
                name,
                tls_key,
                seal_key,
                logs,
                serials,
                status_index,
                revoked: None,
            });
            state.members.len() - 1
        });
        if let Some(member) = state.members.get_mut(at) {
            if member.serials.len() >= CERTIFICATES_MAX {
                return Err(Refusal::new(
                    StatusCode::CONFLICT,
                    "enroll-many",
                    "it has had too many certificates",
                ));
            }
            member.serials.extend([hex(tls.serial()), hex(seal.serial())]);
            member.logs.extend(asked.log_key.clone().filter(|log| !member.logs.contains(log)));
        }
        let fresh = token_line()?;
        state.token = Digest::of(fresh.trim_ascii());
        self.replace(state, now)?;
        self.folder.write(ENROLLMENT_TOKEN, Readers::Owner, &fresh)?;
        Ok(Issued { tls, seal, status_index })
    }

    /// The place of a participant that comes again with its keys, nothing for a new one.
    fn place_of(&self, asked: &Enrollment, tls: Digest, seal: Digest) -> Result<Option<usize>, Refusal> {
        let taken = |code, detail: &str| Err(Refusal::new(StatusCode::CONFLICT, code, detail));
        let members = &self.state.members;
        let place = members.iter().position(|m| m.did == asked.did && m.revoked.is_none());
        let is_same = |m: &Member| m.tls_key == tls && m.seal_key == seal;
        if place.and_then(|at| members.get(at)).is_some_and(|m| !is_same(m)) {
            return taken(
                "enroll-did-taken",
                "a participant with other keys has enrolled under this identifier",
            );
        }
        let others = || members.iter().enumerate().filter(|(at, _)| Some(*at) != place).map(|(_, m)| m);
        let used = [tls, seal];
        if others().any(|m| used.contains(&m.tls_key) || used.contains(&m.seal_key)) {
            return taken(
                "enroll-key-taken",
                "a key is that of another participant, or of one that is revoked",
            );
        }
        let origin = |log: &str| log.split('+').next().unwrap_or_default().to_owned();
        let asked_origin = asked.log_key.as_deref().map(origin);
        let foreign =
            |m: &Member| m.did != asked.did && m.logs.iter().any(|log| Some(origin(log)) == asked_origin);
        if others().any(foreign) {
            return taken("enroll-log-taken", "the log of this name is that of another participant");
        }
        if place.is_none() && members.len() >= MEMBERS_MAX {
            return taken("enroll-full", "no more participants are taken");
        }
        Ok(place)
    }

    /// A number in the status list, drawn so that its neighbors tell nothing.
    fn fresh_index(&self) -> Result<usize, Refusal> {
        loop {
            let drawn = u32::from_be_bytes(random().map_err(AuthorityError::from)?);
            let index = drawn as usize % identity::status::BITS_MIN;
            if !self.state.members.iter().any(|m| m.status_index == index) {
                return Ok(index);
            }
        }
    }

    /// Revokes all certificates of a participant; gives the number of the list that says so.
    pub(super) fn revoke(&mut self, did: &str, reason: u8, now: Instant) -> Result<u64, Refusal> {
        // RFC 5280 section 5.3.1: 7 is not used, 6 and 8 are for what can be undone, which is not offered.
        if !matches!(reason, 0..=5 | 9 | 10) {
            return Err(Refusal::bad("revoke-reason", format!("`{reason}` is no reason for good")));
        }
        let mut state = self.state.clone();
        let mut known = false;
        let mut changed = false;
        for member in state.members.iter_mut().filter(|m| m.did == did) {
            known = true;
            if member.revoked.is_none() {
                member.revoked = Some(Revocation { at: now, reason });
                changed = true;
            }
        }
        if !known {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "revoke-unknown",
                format!("nobody enrolled as `{did}`"),
            ));
        }
        if changed {
            self.replace(state, now)?;
        }
        Ok(self.state.crl_number)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
