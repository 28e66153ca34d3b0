//! What a peer presents of itself: asked of its credential service, judged, and read as words of policies.

use super::Denied;
use crate::agent::Node;
use crate::ports::Request;
use identity::dcp::credential::Credential;
use identity::dcp::message::{PresentationQuery, PresentationResponse};
use identity::dcp::presentation::{self, Terms};
use identity::dcp::scope::Scope;
use identity::dcp::token::Bearer;
use identity::dcp::{path, service};
use model::Instant;

impl Node {
    /// DCP section 5.1: asks the bearer's credential service and judges what it shows; until when that is believed, and
    /// the credentials that were accepted.
    pub(super) fn ask_for_presentations(&self, bearer: &Bearer, scopes: &[Scope]) -> Result<(Instant, Vec<Credential>), Denied> {
        let access = bearer.access.as_deref();
        let access = access.ok_or_else(|| {
            Denied::new(401, "claims/no-access", "the token gives no leave to read credentials")
        })?;
        let document = self.document(&bearer.did, false)?;
        let nowhere =
            || Denied::new(403, "claims/no-service", format!("`{}` names no credential service", bearer.did));
        let base = document.service(service::CREDENTIALS).ok_or_else(nowhere)?;
        // A scope is sent as the operator wrote it: some peers want the older spelling.
        let asked: Vec<String> = self
            .config
            .claims
            .require
            .iter()
            .filter_map(|text| {
                if text.contains(':') { Some(text.clone()) } else { Scope::of(text).map(|s| s.to_string()) }
            })
            .collect();
        let token = self.token_with(&bearer.did, Some(access))?;
        let url = format!("{}{}", base.trim_end_matches('/'), path::QUERY);
        let request =
            Request::post(url, "application/json", PresentationQuery::of(&asked).to_string().into_bytes())
                .with("authorization", format!("Bearer {token}"));
        let refused = |why: &dyn std::fmt::Display| {
            Denied::new(
                403,
                "claims/no-presentation",
                format!("the credential service of `{}`: {why}", bearer.did),
            )
        };
        let reply = self.carrier.send(request).map_err(|e| refused(&e))?;
        if !reply.is_success() {
            return Err(refused(&format!("status {}", reply.status)));
        }
        let shown = PresentationResponse::read(&reply.body).map_err(|e| refused(&e))?.presentation;
        let now = self.now();
        let trusted = |issuer: &str, kind: &str| self.config.claims.trusts(issuer, kind);
        let terms = Terms {
            verifier: self.id(),
            holder: &bearer.did,
            scopes,
            trusted: &trusted,
            now,
            rigor: self.rigor(),
        };
        let accepted = self.resolving(|material| presentation::judge(&shown, &terms, material))?;
        let ends = accepted.iter().filter_map(|credential| credential.valid_until).min();
        let again = Instant(now.0 + self.config.claims.recheck_ms);
        Ok((ends.map_or(again, |end| end.min(again)), accepted))
    }
}
