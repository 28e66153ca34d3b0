//! Tables larger than memory: counted within a limit, with parts of them beside in a folder that is removed afterwards.

use super::ProtectError;
use dataplane::table::Table;
use pets::outside::{Counted, NotMeasured, Outside, PARTS, Spill};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What is measured, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Measuring<'a> {
    /// The table.
    pub table: &'a Path,
    /// Columns that make a class.
    pub quasi: &'a [String],
    /// Columns whose values should differ within a class.
    pub sensitive: &'a [String],
    /// Bytes for counting.
    pub memory: usize,
    /// Where parts lie meanwhile.
    pub folder: &'a Path,
}

/// Measures a table of any size.
pub fn measure(of: &Measuring<'_>) -> Result<Counted, ProtectError> {
    let mut table = Table::open(of.table, None)?;
    let spill = Parts::new(of.folder);
    let mut outside = Outside::of(of.quasi, of.sensitive, of.memory, spill);
    let wrong = |e: NotMeasured<std::io::Error>| match e {
        NotMeasured::NotCounted(e) => ProtectError::NotProtected(e.into()),
        NotMeasured::Spill(e) => ProtectError::Spill(format!("parts of the table could not be kept in `{}`: {e}", of.folder.display())),
    };
    while let Some(batch) = table.batch()? {
        outside.push(&batch).map_err(wrong)?;
    }
    outside.finish().map_err(wrong)
}

/// Parts as files of one folder, which goes when this does.
///
/// INVARIANT: a part holds hashes and counts, no value of the table.
pub(super) struct Parts {
    folder: PathBuf,
    files: Vec<Option<File>>,
}

impl Parts {
    fn new(beside: &Path) -> Self {
        Self::numbered(beside, 0)
    }

    /// The same for one of several.
    pub(super) fn numbered(beside: &Path, number: usize) -> Self {
        let folder = beside.join(format!("tegata-spill-{}-{number}", std::process::id()));
        Self { folder, files: (0..PARTS).map(|_| None).collect() }
    }

    fn path(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{part:03}"))
    }
}

impl Spill for Parts {
    type Failed = std::io::Error;

    fn put(&mut self, part: usize, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.path(part);
        let Some(slot) = self.files.get_mut(part) else { return Ok(()) };
        if slot.is_none() {
            fs::create_dir_all(&self.folder)?;
            *slot = Some(File::create(path)?);
        }
        slot.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    fn take(&mut self, part: usize) -> std::io::Result<Vec<u8>> {
        let Some(file) = self.files.get_mut(part).and_then(Option::take) else { return Ok(Vec::new()) };
        drop(file);
        let mut bytes = Vec::new();
        File::open(self.path(part))?.read_to_end(&mut bytes)?;
        fs::remove_file(self.path(part))?;
        Ok(bytes)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.files.clear();
        // Nothing to do about a folder that does not go: it holds no value of the table.
        fs::remove_dir_all(&self.folder).ok();
    }
}
