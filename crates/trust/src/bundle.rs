//! The evidence bundle: an ASiC-E container with CAdES (ETSI EN 319 162-1), sealed and time-stamped.
//!
//! Making one goes through its stages: [`Unsealed`] gives the manifest to seal, [`Unstamped`] the manifest to stamp,
//! then there is a [`Bundle`]. Reading accepts one form of bytes alone; what it says is judged in
//! [`crate::verify`].

pub mod container;
mod listing;

use std::fmt;

use crate::bundle::container::{ContainerError, Files};
use crate::bundle::listing::Listing;

/// The container's seal.
pub const SIGNATURE: &str = "META-INF/signature.p7s";
/// What the seal covers: every file outside of `META-INF/`.
pub const MANIFEST: &str = "META-INF/ASiCManifest.xml";
/// The container's time-stamp.
pub const TIMESTAMP: &str = "META-INF/timestamp.tst";
/// What the time-stamp covers: the seal and its manifest.
pub const TIMESTAMP_MANIFEST: &str = "META-INF/ASiCManifest-ts.xml";

const SIGNATURE_TYPE: &str = "application/pkcs7-signature";
const TIMESTAMP_TYPE: &str = "application/vnd.etsi.timestamp-token";

/// The names of the files that verification looks for.
pub mod file {
    /// What was delivered: `model::Manifest` in canonical JSON.
    pub const DELIVERY: &str = "manifest.json";
    /// The sender's seal over the manifest, made when it was committed.
    pub const DELIVERY_SEAL: &str = "manifest.p7s";
    /// The time-stamp over that seal.
    pub const DELIVERY_STAMP: &str = "manifest.tst";
    /// The receiver's receipt, a compact JWS.
    pub const RECEIPT: &str = "receipt.jws";
    /// The event that stands in the log: `model::event::Event` in canonical JSON.
    pub const EVENT: &str = "event.json";
    /// The event's salt in the log, 64 hex digits and a line feed.
    pub const EVENT_SALT: &str = "event.salt";
    /// The proof that the event stands in the log (C2SP tlog-proof).
    pub const LOG_PROOF: &str = "event.tlog-proof";
    /// Certificates between the signers and their anchors, PEM.
    pub const CHAIN: &str = "trust/chain.pem";
    /// Revocation lists, PEM.
    pub const REVOCATION: &str = "trust/crl.pem";
    /// The script that verifies all this without us.
    pub const SCRIPT: &str = "verify.sh";
}

/// Why a bundle is not made, or what in it contradicts its manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// The bytes are not a container in its one form.
    Container(ContainerError),
    /// A file that every bundle has is absent.
    Absent(&'static str),
    /// A file that is given would stand where the seal or the stamp stands.
    Reserved(String),
    /// A manifest is not in its one form.
    Manifest(&'static str),
    /// A file is there and in no manifest.
    Unlisted(String),
    /// A file is in a manifest and not there.
    Missing(String),
    /// A file differs from the digest in its manifest.
    Differs(String),
}

impl BundleError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            BundleError::Container(error) => error.code(),
            BundleError::Absent(_) => "bundle-absent",
            BundleError::Reserved(_) => "bundle-reserved",
            BundleError::Manifest(_) => "bundle-manifest",
            BundleError::Unlisted(_) => "bundle-unlisted",
            BundleError::Missing(_) => "bundle-missing",
            BundleError::Differs(_) => "bundle-differs",
        }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BundleError::Container(error) => write!(f, "{error}"),
            BundleError::Absent(name) => write!(f, "the bundle has no `{name}`"),
            BundleError::Reserved(name) => write!(f, "`{name}` is a name of the bundle itself"),
            BundleError::Manifest(name) => write!(f, "`{name}` is not in its one form"),
            BundleError::Unlisted(name) => write!(f, "`{name}` is in no manifest"),
            BundleError::Missing(name) => write!(f, "`{name}` is in the manifest and not in the bundle"),
            BundleError::Differs(name) => write!(f, "`{name}` differs from the digest in the manifest"),
        }
    }
}

impl std::error::Error for BundleError {}

impl From<ContainerError> for BundleError {
    fn from(error: ContainerError) -> BundleError {
        BundleError::Container(error)
    }
}

/// The files of a bundle before the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsealed {
    files: Files,
    manifest: String,
}

impl Unsealed {
    /// ETSI EN 319 162-1 annex A.4: lists these files, none of them under `META-INF/`.
    pub fn new(files: Files) -> Result<Unsealed, BundleError> {
        if let Some(name) = files.keys().find(|name| is_meta(name)) {
            return Err(BundleError::Reserved(name.clone()));
        }
        // Refuses odd names and sizes before anything is signed.
        container::render(&files)?;
        let manifest = signature_listing(&files).to_xml();
        Ok(Unsealed { files, manifest })
    }

    /// The bytes to seal, as [`crate::seal::prepare`] takes their digest.
    pub fn manifest(&self) -> &[u8] {
        self.manifest.as_bytes()
    }

    /// Adds the seal over the manifest.
    pub fn sealed(self, signature: Vec<u8>) -> Unstamped {
        let mut files = self.files;
        files.insert(MANIFEST.into(), self.manifest.into_bytes());
        files.insert(SIGNATURE.into(), signature);
        let manifest = timestamp_listing(&files).to_xml();
        Unstamped { files, manifest }
    }
}

/// The files of a bundle with the seal, before the time-stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstamped {
    files: Files,
    manifest: String,
}

impl Unstamped {
    /// The bytes to stamp, as [`crate::timestamp::Request`] takes their digest.
    pub fn manifest(&self) -> &[u8] {
        self.manifest.as_bytes()
    }

    /// Adds the time-stamp token over the manifest.
    pub fn stamped(self, token: Vec<u8>) -> Bundle {
        let mut files = self.files;
        files.insert(TIMESTAMP_MANIFEST.into(), self.manifest.into_bytes());
        files.insert(TIMESTAMP.into(), token);
        Bundle { files }
    }
}

/// A bundle whose bytes are in their one form; its contents are not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    files: Files,
}

impl Bundle {
    /// ETSI EN 319 162-1: reads a container in its one form.
    pub fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
        Ok(Bundle { files: container::read(bytes)? })
    }

    /// The bytes of the container.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        Ok(container::render(&self.files)?)
    }

    /// One file.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A file that every bundle has.
    pub fn required(&self, name: &'static str) -> Result<&[u8], BundleError> {
        self.file(name).ok_or(BundleError::Absent(name))
    }

    /// ETSI EN 319 162-1 annex A.4: checks that the manifests list exactly the files that are there, each with its
    /// digest.
    pub fn check_digests(&self) -> Result<(), BundleError> {
        for name in [SIGNATURE, TIMESTAMP] {
            self.required(name)?;
        }
        for (name, expected) in
            [(MANIFEST, signature_listing(&self.files)), (TIMESTAMP_MANIFEST, timestamp_listing(&self.files))]
        {
            let found = Listing::from_xml(&expected.signed_by, expected.media_type, self.required(name)?)
                .ok_or(BundleError::Manifest(name))?;
            compare(&found, &expected)?;
        }
        let meta = [SIGNATURE, MANIFEST, TIMESTAMP, TIMESTAMP_MANIFEST];
        match self.names().find(|name| is_meta(name) && !meta.contains(name)) {
            Some(name) => Err(BundleError::Unlisted(name.to_owned())),
            None => Ok(()),
        }
    }
}

/// Compares what a manifest lists with what is there.
fn compare(found: &Listing, there: &Listing) -> Result<(), BundleError> {
    for (name, digest) in &there.files {
        match found.files.iter().find(|(listed, _)| listed == name) {
            None => return Err(BundleError::Unlisted(name.clone())),
            Some((_, listed)) if listed != digest => return Err(BundleError::Differs(name.clone())),
            Some(_) => {}
        }
    }
    match found.files.iter().find(|(name, _)| !there.files.iter().any(|(other, _)| other == name)) {
        Some((name, _)) => Err(BundleError::Missing(name.clone())),
        // Everything fits, so that only a doubled or misplaced line could still differ.
        None if found != there => Err(BundleError::Manifest(MANIFEST)),
        None => Ok(()),
    }
}

fn is_meta(name: &str) -> bool {
    name.to_ascii_uppercase().starts_with("META-INF")
}

fn signature_listing(files: &Files) -> Listing {
    let content = files.iter().filter(|(name, _)| !is_meta(name));
    Listing::new(SIGNATURE, SIGNATURE_TYPE, content.map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

fn timestamp_listing(files: &Files) -> Listing {
    let sealed = files.iter().filter(|(name, _)| *name == SIGNATURE || *name == MANIFEST);
    Listing::new(TIMESTAMP, TIMESTAMP_TYPE, sealed.map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}
