//! Writes a small log into a directory, for programs of others to verify: `cargo run -p tlog --example sample_log -- DIR`.
//!
//! The keys are made from the numbers 1 and 2, so that every run writes the same bytes; never use them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use tlog::appender::Appender;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::cosignature::{Cosigner, Timestamp};
use tlog::entry::{Commitment, Salt, Tag};
use tlog::key::KeyName;
use tlog::merkle::Hash;
use tlog::note::Signer;
use tlog::proof::Proof;
use tlog::tile::{Reader, Tile, WIDTH};
use tlog::witness::{Request, Witness};
use tlog::{bundle, fsck, merkle};

/// The sizes at which the log publishes a checkpoint: before, at and after each boundary of tiles.
const SIZES: [u64; 9] = [1, 2, 255, 256, 257, 1000, 65_535, 65_536, 70_000];

/// The entries for which receipts are written at the last size.
const RECEIPTS: [u64; 7] = [0, 1, 255, 256, 65_535, 65_536, 69_999];

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: sample_log DIR")?;
    let directory = PathBuf::from(directory);
    let origin = KeyName::parse("log.example/sample")?;
    let log = Signer::new(origin.clone(), &[1; 32]);
    let witness = witness(&log)?;
    let (log_key, witness_key) = (log.verifier(), witness.verifier());
    let policy = format!("log {log_key}\nwitness w1 {witness_key}\ngroup all all w1\nquorum all\n");
    write(&directory, "log.vkey", log_key.to_string())?;
    write(&directory, "witness.vkey", witness_key.to_string())?;
    write(&directory, "policy", policy)?;

    let entries = entries(70_000)?;
    let leaves: Vec<Hash> = entries.iter().map(Commitment::leaf_hash).collect();
    let mut appender = Appender::new();
    let mut seen: Option<Checkpoint> = None;
    let mut last = None;
    for size in SIZES {
        let old = appender.size();
        let growth = appender.append(slice(&leaves, old, size)?)?;
        let first = old / u64::from(WIDTH) * u64::from(WIDTH);
        let bundles: Vec<&[u8; 32]> =
            slice(&entries, first, size)?.iter().map(Commitment::as_bytes).collect();
        for (tile, bytes) in growth.tiles.into_iter().chain(bundle::write(first, &bundles)?) {
            write(&directory, &tile.path(), bytes)?;
        }
        let signed = Checkpoint::new(origin.clone(), size, growth.root)?.sign(&log)?;
        let (state, signed) = cosign(&directory, &witness, seen, signed, size)?;
        write(&directory, &format!("checkpoints/{size}"), signed.to_string())?;
        seen = Some(state);
        last = Some(signed);
    }
    let signed = last.ok_or("no size")?;
    write(&directory, "checkpoint", signed.to_string())?;
    let size = appender.size();
    receipts(&directory, &signed, size)?;
    let report = fsck::check(size, &appender.root(), |tile| read(&directory, tile).map(Some))?;
    if report.is_clean() { Ok(()) } else { Err(format!("{:?}", report.findings).into()) }
}

fn witness(log: &Signer) -> Result<Witness, Box<dyn Error>> {
    let cosigner = Cosigner::new(KeyName::parse("witness.example/w1")?, &[2; 32]);
    Ok(Witness::new(cosigner, [log.verifier().clone()])?)
}

/// Commitments to made-up events, each with a salt that only a sample may compute.
fn entries(size: u64) -> Result<Vec<Commitment>, Box<dyn Error>> {
    let tag = Tag::new("log.example/event/v1").ok_or("no such tag")?;
    let entry = |n: u64| {
        let salt = Salt::new(*merkle::leaf_hash(&n.to_be_bytes()).as_bytes());
        Commitment::new(&tag, &salt, format!("{{\"n\":{n}}}").as_bytes())
    };
    Ok((0..size).map(entry).collect())
}

/// Proves to the witness that the log only grew, from the stored tiles alone, and attaches its cosignature.
fn cosign(
    directory: &Path,
    witness: &Witness,
    seen: Option<Checkpoint>,
    mut signed: SignedCheckpoint,
    size: u64,
) -> Result<(Checkpoint, SignedCheckpoint), Box<dyn Error>> {
    let old = seen.as_ref().map_or(0, Checkpoint::size);
    let mut tiles = Reader::new(size, |tile| read(directory, tile));
    let proof = merkle::consistency_proof(old, size, |position| tiles.hash(position))?;
    let request = Request::new(old, proof, signed.clone())?.to_string();
    write(directory, &format!("requests/{old}-{size}"), &request)?;
    let request = Request::parse(request.as_bytes())?;
    let now = Timestamp::new(1_790_000_000 + size).ok_or("no such time")?;
    let cosigned = witness.add_checkpoint(&request, seen.as_ref(), now)?;
    signed.attach(cosigned.body().as_bytes(), &[witness.verifier().clone()])?;
    Ok((cosigned.state, signed))
}

fn receipts(directory: &Path, signed: &SignedCheckpoint, size: u64) -> Result<(), Box<dyn Error>> {
    let mut tiles = Reader::new(size, |tile| read(directory, tile));
    for index in RECEIPTS {
        let path = merkle::inclusion_proof(index, size, |position| tiles.hash(position))?;
        let proof = Proof::new(index, path, signed.clone())?;
        write(directory, &format!("receipts/{index}.tlog-proof"), proof.to_string())?;
    }
    Ok(())
}

fn slice<T>(all: &[T], from: u64, to: u64) -> Result<&[T], Box<dyn Error>> {
    Ok(all.get(usize::try_from(from)?..usize::try_from(to)?).ok_or("beyond the entries")?)
}

fn read(directory: &Path, tile: Tile) -> std::io::Result<Vec<u8>> {
    fs::read(directory.join(tile.path()))
}

fn write(directory: &Path, path: &str, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
    let file = directory.join(path);
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(file, bytes)
}
