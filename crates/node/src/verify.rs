//! Verifies an evidence container from files: anchors and log policy come from outside, never from the container.

use crate::error::ActError;
use identity::x509::{Certificate, Crl};
use model::Instant;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tlog::policy::Policy;
use trust::verify::{Anchors, Inputs, Report};

/// LIMIT: bytes of a container that is read.
const CONTAINER_BYTES_MAX: u64 = 128 << 20;

/// What is verified, as files.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The container.
    pub container: &'a Path,
    /// Certificates that are trusted, PEM; without them the answer is indeterminate.
    pub anchors: Option<&'a Path>,
    /// The log policy that is trusted.
    pub policy: Option<&'a Path>,
    /// Revocation lists, PEM.
    pub crls: Option<&'a Path>,
    /// The delivered data.
    pub data: Option<&'a Path>,
}

fn read(path: &Path) -> Result<Vec<u8>, ActError> {
    let unreadable = |e: std::io::Error| {
        ActError::evidence("verify/unreadable", format!("cannot read `{}`: {e}", path.display()))
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(CONTAINER_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Verifies, step by step; what is wrong with the container is in the report, not an error.
pub fn verify_files(files: Files<'_>, now: Instant) -> Result<Report, ActError> {
    let container = read(files.container)?;
    let text = |path: Option<&Path>| -> Result<String, ActError> {
        path.map(|p| read(p).map(|b| String::from_utf8_lossy(&b).into_owned()))
            .transpose()
            .map(Option::unwrap_or_default)
    };
    let malformed = |what: &str, e: String| ActError::evidence("verify/anchors", format!("{what}: {e}"));
    // A file that was given and holds none of what it is for is a slip, not an answer without it.
    let none = |path: Option<&Path>, what: &str| match path {
        Some(path) => Err(malformed(what, format!("`{}` holds none in PEM", path.display()))),
        None => Ok(()),
    };
    let certificates =
        Certificate::from_pem(&text(files.anchors)?).map_err(|e| malformed("anchors", e.to_string()))?;
    if certificates.is_empty() {
        none(files.anchors, "certificates that you trust")?;
    }
    let crls = Crl::from_pem(&text(files.crls)?).map_err(|e| malformed("revocation lists", e.to_string()))?;
    if crls.is_empty() {
        none(files.crls, "revocation lists")?;
    }
    let log = match files.policy {
        None => None,
        Some(path) => Some(Policy::parse(&read(path)?).map_err(|faults| {
            malformed("log policy", faults.first().map(ToString::to_string).unwrap_or_default())
        })?),
    };
    let anchors = Anchors { certificates, log };
    let mut data = match files.data {
        None => None,
        Some(path) if path.is_dir() => {
            return Err(ActError::evidence("verify/unreadable", format!("`{}` is a folder; name the delivered file", path.display())));
        }
        Some(path) => Some(std::io::BufReader::new(File::open(path).map_err(|e| {
            ActError::evidence("verify/unreadable", format!("cannot read `{}`: {e}", path.display()))
        })?)),
    };
    let data = data.as_mut().map(|d| d as &mut dyn Read);
    Ok(trust::verify::verify(Inputs { container: &container, anchors: &anchors, crls: &crls, data, now }))
}
