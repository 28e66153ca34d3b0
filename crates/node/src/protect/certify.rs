//! Certify a release: its numbers are measured on the released data, and the report can be sealed.

use super::{ProtectError, scan};
use crate::keys::SealKey;
use dataplane::table::Table;
use identity::x509::Certificate;
use model::{Digest, Instant};
use pets::classify::Knowledge;
use pets::dictionary::Dictionary;
use pets::plan::Plan;
use pets::profile::Profile;
use pets::report::{Beside, Report};
use std::path::Path;

/// What is at hand beside the release. Each missing piece leaves its clauses to judgement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// What a person says of the columns; without an original it has to name them all.
    pub dictionary: Option<&'a Dictionary>,
    /// What was done to each column; without it, what shows in the values.
    pub plan: Option<&'a Plan>,
    /// How many records there were, where the original is not at hand.
    pub records_before: Option<u64>,
    /// The table that the release was made of.
    pub original: Option<&'a Path>,
    /// People of the same kind of whom it was not made.
    pub control: Option<&'a Path>,
    /// A table of the population.
    pub population: Option<&'a Path>,
    /// How many people the population has.
    pub population_size: Option<u64>,
}

/// A report on a release, and what it was held against.
#[derive(Debug)]
pub struct Certified {
    /// The report.
    pub report: Report,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The plan, given or as it shows.
    pub plan: Plan,
    /// What each column was taken for.
    pub dictionary: Dictionary,
}

/// Evaluates a profile on released data.
pub fn certify(
    release: &Path,
    profile: &Profile,
    sources: &Sources<'_>,
    knowledge: &Knowledge,
) -> Result<Certified, ProtectError> {
    let proposed = sources.original.map(|path| scan(path, knowledge)).transpose()?.map(|s| s.dictionary());
    let dictionary = match (proposed, sources.dictionary) {
        (Some(proposed), Some(person)) => proposed.corrected_by(person),
        (Some(alone), None) => alone,
        (None, Some(person)) => person.clone(),
        (None, None) => {
            return Err(ProtectError::Document(
                "nobody says what the columns are: give a dictionary, or the original to look at".into(),
            ));
        }
    };
    let read = |path: &Path| Table::open(path, None)?.all();
    let released = read(release)?;
    let original = sources.original.map(read).transpose()?;
    let control = sources.control.map(read).transpose()?;
    let population = sources.population.map(read).transpose()?;
    let beside = Beside {
        plan: sources.plan,
        records_before: sources.records_before,
        original: original.as_deref(),
        control: control.as_deref(),
        population: population.as_deref(),
        population_size: sources.population_size,
    };
    let (plan, report) = pets::report::certify(profile, &dictionary, &released, knowledge, &beside)
        .map_err(ProtectError::NotCertified)?;
    let bytes = report.bytes().map_err(|e| ProtectError::Encoding(e.to_string()))?;
    Ok(Certified { report, bytes, plan, dictionary })
}

/// Seals bytes with a key and its certificate (CAdES baseline B, detached).
pub fn seal(bytes: &[u8], certificate: &Path, key: &Path, now: Instant) -> Result<Vec<u8>, ProtectError> {
    let wrong = |why: &dyn std::fmt::Display| ProtectError::Seal(why.to_string());
    let text = std::fs::read_to_string(certificate)
        .map_err(|e| wrong(&format!("cannot read `{}`: {e}", certificate.display())))?;
    let chain = Certificate::from_pem(&text).map_err(|e| wrong(&format!("`{}`: {e}", certificate.display())))?;
    let (signer, chain) = chain
        .split_first()
        .ok_or_else(|| wrong(&format!("`{}` holds no certificate", certificate.display())))?;
    let key = SealKey::open(key).map_err(|e| wrong(&e))?;
    let draft = trust::seal::prepare(&Digest::of(bytes), signer, chain, now).map_err(|e| wrong(&e))?;
    let signature = key.sign(draft.to_sign()).map_err(|e| wrong(&e))?;
    draft.finish(&signature).map_err(|e| wrong(&e))
}
