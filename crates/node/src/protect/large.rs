//! A table larger than memory goes through the lattice: read again for each pass, the release written as it is made.

use super::{ProtectError, encoded_batch, outside::Parts, scan};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use dataplane::{
    encode::{Encoder, Encoding},
    table::Table,
};
use model::Digest;
use pets::{
    classify::Knowledge,
    dictionary::Dictionary,
    outside::Spill,
    profile::Profile,
    protect::{Large, NotProtected, Passes, Released, protect_large},
    pseudonym::DomainKey,
};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What is protected, within what, and where it goes.
#[derive(Clone, Copy)]
pub struct Outsize<'a> {
    /// The table; it is read several times and must not change meanwhile.
    pub table: &'a Path,
    /// What has to be met.
    pub profile: &'a Profile,
    /// What a person said of the columns.
    pub corrections: Option<&'a Dictionary>,
    /// The key of pseudonyms.
    pub key: Option<&'a DomainKey>,
    /// What the detectors know.
    pub knowledge: &'a Knowledge,
    /// Bytes for what is counted.
    pub memory: usize,
    /// Where parts lie meanwhile.
    pub spill: &'a Path,
    /// Where the release goes.
    pub out: &'a Path,
}

/// A release that lies beside its place until it is taken there.
#[derive(Debug)]
pub struct Written {
    /// Plan and report.
    pub released: Released,
    /// SHA-256 of the written bytes.
    pub digest: Digest,
    part: Part,
}

impl Written {
    /// Gives the release its name; what is dropped without is removed.
    pub fn keep(self, out: &Path) -> Result<(), ProtectError> {
        fs::rename(&self.part.0, out).map_err(|e| not_written(out, &e))
    }
}

/// A file that was begun; it goes unless it gets another name.
#[derive(Debug)]
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

fn not_written(path: &Path, e: &dyn std::fmt::Display) -> ProtectError {
    ProtectError::Encoding(format!("cannot write `{}`: {e}", path.display()))
}

/// The table, opened anew for each pass.
struct Again<'a> {
    path: &'a Path,
    schema: SchemaRef,
}

impl Passes for Again<'_> {
    fn schema(&self) -> Option<SchemaRef> {
        Some(self.schema.clone())
    }

    fn each(&self, see: &mut dyn FnMut(&RecordBatch) -> Result<(), NotProtected>) -> Result<(), NotProtected> {
        let unread = |e: dataplane::sheet::SheetError| NotProtected::Unread(e.to_string());
        let mut table = Table::open(self.path, None).map_err(unread)?;
        while let Some(batch) = table.batch().map_err(unread)? {
            see(&batch)?;
        }
        Ok(())
    }
}

/// Where the bytes of the release go, and their digest on the way.
struct Sink {
    file: BufWriter<File>,
    digest: Sha256,
    encoding: Encoding,
    encoder: Option<Encoder>,
}

impl Sink {
    fn push(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let batch = encoded_batch(batch, self.encoding).map_err(|e| e.to_string())?;
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(Encoder::new(self.encoding, &batch.schema()).map_err(|e| e.to_string())?),
        };
        let bytes = encoder.push(&batch).map_err(|e| e.to_string())?;
        self.put(&bytes).map_err(|e| e.to_string())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes)
    }

    fn finish(mut self) -> Result<Digest, String> {
        if let Some(encoder) = self.encoder.take() {
            let bytes = encoder.finish().map_err(|e| e.to_string())?;
            self.put(&bytes).map_err(|e| e.to_string())?;
        }
        let file = self.file.into_inner().map_err(|e| e.to_string())?;
        file.sync_all().map_err(|e| e.to_string())?;
        Ok(Digest(self.digest.finalize().into()))
    }
}

/// A folder of parts whose faults are told in words.
struct Told(Parts);

impl Spill for Told {
    type Failed = String;

    fn put(&mut self, part: usize, bytes: &[u8]) -> Result<(), String> {
        self.0.put(part, bytes).map_err(|e| e.to_string())
    }

    fn take(&mut self, part: usize) -> Result<Vec<u8>, String> {
        self.0.take(part).map_err(|e| e.to_string())
    }
}

/// Protects a table of any size by the lattice; the release is the one that [`super::protect`] makes in memory.
pub fn protect_outsize(of: &Outsize<'_>) -> Result<Written, ProtectError> {
    let proposed = scan(of.table, of.knowledge)?.dictionary();
    let dictionary = of.corrections.map_or_else(|| proposed.clone(), |person| proposed.clone().corrected_by(person));
    // A workbook is put together in memory.
    let encoding = Encoding::of(of.out).filter(|e| *e != Encoding::Excel).ok_or_else(|| {
        ProtectError::Encoding(format!("`{}` is none of .csv, .parquet, .arrow, .jsonl, which are written bit by bit", of.out.display()))
    })?;
    let mut name = of.out.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = Part(of.out.with_file_name(name));
    let file = File::create(&part.0).map_err(|e| not_written(&part.0, &e))?;
    let mut sink = Sink { file: BufWriter::new(file), digest: Sha256::new(), encoding, encoder: None };
    let source = Again { path: of.table, schema: Table::open(of.table, None)?.schema().clone() };
    let large = Large {
        source: &source,
        dictionary: &dictionary,
        profile: of.profile,
        knowledge: of.knowledge,
        key: of.key,
        memory: of.memory,
    };
    let mut rooms = 0;
    let mut room = || -> Box<dyn Spill<Failed = String>> {
        rooms += 1;
        Box::new(Told(Parts::numbered(of.spill, rooms)))
    };
    let released = protect_large(&large, &mut room, &mut |batch| sink.push(batch).map_err(NotProtected::Spill))
        .map_err(ProtectError::NotProtected)?;
    let digest = sink.finish().map_err(|e| not_written(&part.0, &e))?;
    Ok(Written { released, digest, part })
}
