//! Messages that open a process, while they are being decided on.
//!
//! The law is asked before the first commit of a process, and a peer that waits too long repeats its message meanwhile.

use crate::agent::{Node, lock};
use store::process::ProcessKind;

/// Kind, peer and its id of the process.
pub(crate) type OpeningName = (&'static str, String, String);

/// A message is being decided on as long as this lives.
pub(super) struct Opening<'a> {
    node: &'a Node,
    name: OpeningName,
}

impl Node {
    /// Marks a message as being decided on; none while it is already.
    pub(super) fn opening(&self, kind: ProcessKind, peer: &str, theirs: &str) -> Option<Opening<'_>> {
        let name = (kind.as_str(), peer.to_owned(), theirs.to_owned());
        lock(&self.openings).insert(name.clone()).then_some(Opening { node: self, name })
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        lock(&self.node.openings).remove(&self.name);
    }
}
