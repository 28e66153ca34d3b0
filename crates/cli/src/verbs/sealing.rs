//! The key that a verb seals with: that of a node's folder, or a certificate and key given as files.

use clap::Args;
use std::path::{Path, PathBuf};

/// How a record is sealed.
#[derive(Args)]
pub struct Sealing {
    /// Seal with the keys of this node's folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["seal_certificate", "seal_key"])]
    dir: Option<PathBuf>,
    /// Seal with this certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "seal_key")]
    seal_certificate: Option<PathBuf>,
    /// The key of the seal (PEM).
    #[arg(long, value_name = "FILE", requires = "seal_certificate")]
    seal_key: Option<PathBuf>,
}

impl Sealing {
    /// The seal over bytes (CAdES baseline B, detached), if there is a key.
    pub fn seal(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let (certificate, key) = match (&self.dir, &self.seal_certificate, &self.seal_key) {
            (Some(dir), _, _) => {
                let config = node::config::Config::read(&dir.join("tegata.toml")).map_err(|e| format!("error[{}]: {e}", e.code()))?;
                (config.file(&config.keys.seal_certificate), config.file(&config.keys.seal_key))
            }
            (None, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => return Ok(None),
        };
        node::protect::seal(bytes, &certificate, &key, super::now()).map(Some).map_err(|e| format!("error[{}]: {e}", e.code()))
    }
}

/// Where the seal of a file lies.
pub fn seal_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".p7s");
    path.with_file_name(name)
}
