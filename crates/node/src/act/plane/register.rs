//! Planes of others as they are registered: data planes that our control plane uses, control planes that ours serves.

use crate::agent::Node;
use crate::error::ActError;
use crate::ports::Request;
use dsp::signaling::message::{Authorization, ControlRegistration, PlaneRegistration};
use model::Instant;
use serde::{Deserialize, Serialize};
use store::keep::{DocumentKind, Expect, Keep};
use store::{StoreError, Together};

/// LIMIT: planes that are registered at once.
const PLANES_MAX: usize = 1000;

/// A plane of others as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Registered {
    Data(PlaneRegistration),
    Control(ControlRegistration),
}

/// A plane of others for people and programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaneView {
    /// Its id.
    pub id: String,
    /// `data` or `control`.
    pub kind: &'static str,
    /// The base address of its signaling.
    pub endpoint: String,
    /// The profiles of a data plane.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// When it registered last.
    pub at: Instant,
}

pub(crate) fn plane_key(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

/// What is registered may ask for no way of proof that we do not have.
fn provable(wanted: Option<&Authorization>) -> Result<(), ActError> {
    match wanted {
        None => Ok(()),
        Some(wanted) => Err(ActError::Asked {
            code: "dps/authorization",
            detail: format!(
                "no authorization profile is spoken here, not `{}` either: leave it out, and name a token in `[signaling.tokens]`",
                wanted.kind
            ),
        }),
    }
}

impl Node {
    /// Registers a data plane of others, or replaces what is known of it.
    pub fn register_data_plane(&self, plane: PlaneRegistration) -> Result<(), ActError> {
        provable(plane.authorization.as_ref())?;
        self.keep_plane(plane_key("data", &plane.dataplane_id), &Registered::Data(plane))
    }

    /// Registers a control plane of others, or replaces what is known of it.
    pub fn register_control_plane(&self, plane: ControlRegistration) -> Result<(), ActError> {
        provable(plane.authorization.as_ref())?;
        self.keep_plane(plane_key("control", &plane.controlplane_id), &Registered::Control(plane))
    }

    fn keep_plane(&self, id: String, plane: &Registered) -> Result<(), ActError> {
        let known = self.store.kept_all(&self.participant, DocumentKind::Plane, None, PLANES_MAX)?;
        if known.len() == PLANES_MAX && known.iter().all(|k| k.id != id) {
            let detail = format!("{PLANES_MAX} planes are registered");
            return Err(ActError::Asked { code: "dps/too-many-planes", detail });
        }
        let document = Keep {
            kind: DocumentKind::Plane,
            id,
            about: None,
            at: self.now(),
            body: serde_json::to_vec(plane).map_err(|e| ActError::evidence("node/plane", e))?,
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::default())?;
        self.ring();
        Ok(())
    }

    /// Forgets a plane of others; `kind` is `data` or `control`. What it has begun it may not go on with.
    pub fn forget_plane(&self, kind: &str, id: &str) -> Result<(), ActError> {
        let key = plane_key(kind, id);
        match self.store.forget(&self.participant, DocumentKind::Plane, &key, Together::default()) {
            Err(StoreError::NotFound { .. }) => {
                Err(ActError::NotFound { what: "plane", name: id.to_owned() })
            }
            done => Ok(done.map(drop)?),
        }
    }

    /// The planes of others that are registered.
    pub fn planes(&self) -> Result<Vec<PlaneView>, ActError> {
        let kept = self.store.kept_all(&self.participant, DocumentKind::Plane, None, PLANES_MAX)?;
        let view = |k: store::keep::Kept| {
            let plane: Registered =
                serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/plane", e))?;
            Ok(match plane {
                Registered::Data(p) => PlaneView {
                    id: p.dataplane_id,
                    kind: "data",
                    endpoint: p.endpoint,
                    profiles: p.profiles,
                    at: k.at,
                },
                Registered::Control(p) => PlaneView {
                    id: p.controlplane_id,
                    kind: "control",
                    endpoint: p.endpoint,
                    profiles: Vec::new(),
                    at: k.at,
                },
            })
        };
        kept.into_iter().map(view).collect()
    }

    pub(crate) fn registered(&self, kind: &str, id: &str) -> Result<Option<Registered>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Plane, &plane_key(kind, id))?;
        let read = |k: store::keep::Kept| {
            serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/plane", e))
        };
        kept.map(read).transpose()
    }

    /// Puts the token that a plane of others gave us into a message to it.
    pub(crate) fn to_plane(&self, id: &str, request: Request) -> Result<Request, ActError> {
        let Some(file) = self.config.signaling.tokens.get(id) else { return Ok(request) };
        let file = self.config.file(file);
        let missing = |e: std::io::Error| ActError::Asked {
            code: "dps/token-file",
            detail: format!("the token for `{id}` in `{}`: {e}", file.display()),
        };
        let token = std::fs::read_to_string(&file).map_err(missing)?;
        Ok(request.with("authorization", format!("Bearer {}", token.trim())))
    }

    pub(super) fn data_plane(&self, id: &str) -> Result<PlaneRegistration, ActError> {
        match self.registered("data", id)? {
            Some(Registered::Data(plane)) => Ok(plane),
            _ => Err(ActError::NotFound { what: "registered data plane", name: id.to_owned() }),
        }
    }

    /// Checks what an offer says of the data plane that gives its bytes.
    pub(crate) fn check_plane(&self, offer: &crate::act::offer::Offer) -> Result<(), ActError> {
        let Some(plane) = &offer.plane else { return Ok(()) };
        self.data_plane(plane)?;
        if offer.plan.is_some() || offer.release.is_some() {
            let detail =
                "what a data plane of others gives goes as it is: no `plan` and no `release` can be promised"
                    .into();
            return Err(ActError::Asked { code: "dps/plan-elsewhere", detail });
        }
        Ok(())
    }
}
