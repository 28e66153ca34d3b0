//! A table larger than memory, counted within a limit: `large ROWS CLASSES MIB FOLDER`. Rows are made as they are counted.
//!
//! Prints the time, the bytes that went out to FOLDER, and the most memory that the process ever held.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::outside::{Outside, PARTS, Spill};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

type Failed = Box<dyn std::error::Error>;

struct Parts {
    folder: PathBuf,
    files: Vec<Option<File>>,
}

impl Spill for Parts {
    type Failed = std::io::Error;
    fn put(&mut self, part: usize, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.folder.join(format!("{part:03}"));
        let Some(slot) = self.files.get_mut(part) else { return Ok(()) };
        if slot.is_none() {
            *slot = Some(File::create(path)?);
        }
        slot.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }
    fn take(&mut self, part: usize) -> std::io::Result<Vec<u8>> {
        let path = self.folder.join(format!("{part:03}"));
        let mut bytes = Vec::new();
        if self.files.get_mut(part).and_then(Option::take).is_some() {
            File::open(&path)?.read_to_end(&mut bytes)?;
            fs::remove_file(path)?;
        }
        Ok(bytes)
    }
}

fn main() -> Result<(), Failed> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [rows, classes, mib, folder] = given.as_slice() else { return Err("usage: large ROWS CLASSES MIB FOLDER".into()) };
    let (rows, classes, mib): (u64, u64, usize) = (rows.parse()?, classes.parse()?, mib.parse()?);
    let folder = PathBuf::from(folder).join(format!("large-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let spill = Parts { folder: folder.clone(), files: (0..PARTS).map(|_| None).collect() };
    let mut outside = Outside::of(&["a".into(), "b".into()], &[], mib << 20, spill);
    let start = std::time::Instant::now();
    let (mut at, mut making) = (0, std::time::Duration::ZERO);
    while at < rows {
        let made = std::time::Instant::now();
        let upto = (at + 65_536).min(rows);
        // Each class in two columns; rows of one class are far apart.
        let a: StringArray = (at..upto).map(|n| Some((n % classes % 100).to_string())).collect();
        let b: StringArray = (at..upto).map(|n| Some((n % classes / 100).to_string())).collect();
        let batch = RecordBatch::try_from_iter([("a", Arc::new(a) as ArrayRef), ("b", Arc::new(b) as ArrayRef)])?;
        making += made.elapsed();
        outside.push(&batch).map_err(|_| "the spill failed")?;
        at = upto;
    }
    let counted = outside.finish().map_err(|_| "the spill failed")?;
    let spent = start.elapsed() - making;
    fs::remove_dir_all(&folder)?;
    assert_eq!((counted.sizes.records(), counted.sizes.classes()), (rows, classes.min(rows)));
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    println!("large\t{rows} rows\t{classes} classes\tk {}\t{:.1} s\t{:.2} M rows/s\tspilled {} MB\t{peak}",
        counted.sizes.k().unwrap_or(0), spent.as_secs_f64(), rows as f64 / 1e6 / spent.as_secs_f64(), counted.spilled / 1_000_000);
    Ok(())
}
