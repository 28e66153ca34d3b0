//! Judgments that we hold: records of `tegata determine`, each a fact of every act that has exactly the facts it was made on.
//!
//! Its last day is looked at with each decision, so a flow that rests on it stops when its term is over.

use crate::agent::Node;
use crate::determination::{Backing, Given, backing};
use crate::error::ActError;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::{Digest, Instant, event::EventKind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Together;
use store::keep::{DocumentKind, Expect, Keep};
use trust::determination::Determination;

/// LIMIT: judgments that are held at once.
const JUDGMENTS_MAX: usize = 1_000;

/// A judgment as somebody gives it to us.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgment {
    /// The record that `tegata determine` wrote.
    pub record: Determination,
    /// Its seal (CAdES, DER) in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
}

impl Judgment {
    /// A record and its seal as they lie in files; none where the record is not one.
    pub fn of_files(record: &[u8], seal: Option<&[u8]>) -> Option<Self> {
        let record = Determination::read(record).ok()?;
        Some(Self { record, seal: seal.map(|bytes| STANDARD.encode(bytes)) })
    }

    /// The record with what stands behind it, by these anchors; the error is one line for people.
    pub fn verified(self, anchors: &[identity::x509::Certificate], now: Instant) -> Result<Given, String> {
        // The bytes that were sealed are the canonical ones, however the record was written here.
        let bytes = self.record.bytes().map_err(|e| e.to_string())?;
        let record = Determination::read(&bytes).map_err(|_| "this is no judgment that `tegata determine` wrote".to_owned())?;
        let seal = self.seal.map(|text| STANDARD.decode(text.trim())).transpose();
        let seal = seal.map_err(|_| "the seal is no base64".to_owned())?;
        Ok(Given { backing: backing(&bytes, seal.as_deref(), anchors, now)?, record })
    }
}

/// A judgment as it is held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// The digest of the record.
    pub id: Digest,
    /// The judgment.
    #[serde(flatten)]
    pub judgment: Judgment,
    /// What stood behind it when it was taken.
    pub backing: Backing,
    /// When that was.
    pub taken: Instant,
}

impl Node {
    /// Takes a judgment: from now on it is a fact of every act whose facts are those that it was made on. What runs is
    /// judged afresh before this returns.
    pub fn take_judgment(self: &Arc<Self>, judgment: Judgment) -> Result<Held, ActError> {
        let wrong = |detail: String| ActError::Asked { code: "node/judgment", detail };
        let given = judgment.clone().verified(&self.anchors, self.now()).map_err(wrong)?;
        let known = {
            let engine = crate::agent::lock(&self.engine);
            crate::determination::is_determination(&engine.book, &given.record.fact)
        };
        if !known {
            return Err(wrong(format!("`{}` is no determination of these rules", given.record.fact)));
        }
        if self.judgments()?.len() >= JUDGMENTS_MAX {
            return Err(wrong(format!("{JUDGMENTS_MAX} judgments are held already; give up those that are over")));
        }
        let bytes = given.record.bytes().map_err(|e| ActError::evidence("node/judgment", e))?;
        let held = Held { id: Digest::of(&bytes), judgment, backing: given.backing, taken: self.now() };
        let document = Keep {
            kind: DocumentKind::Determination,
            id: held.id.to_string(),
            about: None,
            at: held.taken,
            body: serde_json::to_vec(&held).map_err(|e| ActError::evidence("node/judgment", e))?,
            expect: Expect::Any,
        };
        let mut event = self.event(EventKind::JudgmentTaken, &held.id.to_string());
        event.binds = [("determination".to_owned(), held.id), ("paper".to_owned(), given.record.paper)].into();
        self.store.keep(&self.participant, document, Together::leaf(self.leaf(&event)?))?;
        self.judge_running();
        self.changed();
        Ok(held)
    }

    /// Gives a judgment up; what rests on it stops before this returns.
    pub fn give_up_judgment(self: &Arc<Self>, id: &str) -> Result<(), ActError> {
        if self.store.kept(&self.participant, DocumentKind::Determination, id)?.is_none() {
            return Err(ActError::NotFound { what: "judgment", name: id.to_owned() });
        }
        let event = self.event(EventKind::JudgmentGivenUp, id);
        self.store.forget(&self.participant, DocumentKind::Determination, id, Together::leaf(self.leaf(&event)?))?;
        self.judge_running();
        self.changed();
        Ok(())
    }

    /// The judgments that we hold.
    pub fn judgments(&self) -> Result<Vec<Held>, ActError> {
        let all = self.store.kept_all(&self.participant, DocumentKind::Determination, None, JUDGMENTS_MAX)?;
        all.iter().map(|k| serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/judgment", e))).collect()
    }

    /// The same, to be weighed.
    pub fn judgments_held(&self) -> Result<Vec<Given>, ActError> {
        Ok(self.judgments()?.into_iter().map(|held| Given { record: held.judgment.record, backing: held.backing }).collect())
    }

    /// The certificates that seals of judgments are believed by here.
    pub fn anchors(&self) -> &[identity::x509::Certificate] {
        &self.anchors
    }
}
