//! Puts chunks together into the manifest that is sealed.

use model::{
    Digest,
    manifest::{Chunk, Manifest},
};
use pass::{Form, Pass};

/// Makes the manifest of what was delivered under a pass.
///
/// `position` is the place in the source after the last chunk; `previous` the manifest before, if there was one.
pub fn assemble(
    pass: &Pass,
    transfer: &str,
    schema: Vec<String>,
    chunks: Vec<Chunk>,
    position: String,
    previous: Option<(u64, Digest)>,
) -> Manifest {
    Manifest {
        version: 1,
        transfer: transfer.to_owned(),
        sequence: previous.map_or(0, |(sequence, _)| sequence + 1),
        agreement: pass.agreement().unwrap_or_default().to_owned(),
        decision: pass.decision(),
        rulebook: pass.rulebook(),
        report: match pass.scope().form {
            Form::Raw => None,
            Form::Release(report) => Some(report),
        },
        schema,
        chunks,
        position,
        previous: previous.map(|(_, digest)| digest),
    }
}
