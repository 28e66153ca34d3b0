//! A disk that forgets: what one process asked of its directory is replayed, and what was not synced is dropped or torn.
//!
//! `disk.c` is loaded into the process and writes down each write, cut, sync, rename, link and unlink below one directory.
//! When the process is dead, [`Disk::lose_power`] puts into the directory what such a disk may hold: contents as of the
//! last sync of each file, names as of the last sync of each directory; of what came later nothing, or some of it, and
//! the last write by halves. It covers all that the process wrote there: database, its log, received files, keys.
//!
//! LIMIT: a disk that says it synced and did not, and bytes that rot, are not covered. The index of the write-ahead log
//! (`-shm`) lives in shared memory and is dropped whole, as after a power cut.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SECTOR: usize = 512;

// The words of the journal, as in `disk.c`.
const CREATED: u8 = 1;
const WROTE: u8 = 2;
const CUT: u8 = 3;
const SYNCED: u8 = 4;
const SYNCED_NAMES: u8 = 5;
const RENAMED: u8 = 6;
const LINKED: u8 = 7;
const UNLINKED: u8 = 8;
const MADE: u8 = 9;

/// A small generator of test moments and losses; the same seed gives the same run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}

enum Change {
    Wrote { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<(usize, Change)>,
}

enum Name {
    Is(PathBuf, u64),
    Gone(PathBuf),
}

/// The directory of one process on a disk that forgets.
pub struct Disk {
    root: PathBuf,
    journal: PathBuf,
    shim: PathBuf,
    before: State,
    /// How often something was lost, and how often a write was torn.
    pub lost: u64,
    pub torn: u64,
}

/// Which files there are, and which name means which; directories have the number 0.
#[derive(Default)]
struct State {
    files: HashMap<u64, File>,
    names: BTreeMap<PathBuf, u64>,
}

/// Compiles what is loaded into the processes.
pub fn compile(dir: &Path) -> PathBuf {
    let shim = dir.join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/three/disk.c");
    let done = Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
    assert!(done.unwrap().success(), "the C compiler that the build needs anyway");
    shim
}

impl Disk {
    pub fn new(root: &Path, shim: &Path) -> Self {
        let journal = root.with_extension("journal");
        let before = State::default();
        Self { root: root.to_owned(), journal, shim: shim.to_owned(), before, lost: 0, torn: 0 }
    }

    /// Lets a process that is to be started write on this disk; what is there now is what the disk holds.
    pub fn put_under(&mut self, command: &mut Command) {
        fs::create_dir_all(&self.root).unwrap();
        let _ = fs::remove_file(&self.journal);
        command.env("LD_PRELOAD", &self.shim).env("TEGATA_DISK_ROOT", &self.root);
        command.env("TEGATA_DISK_JOURNAL", &self.journal);
        self.before = State::default();
        for path in tree(&self.root) {
            let meta = fs::metadata(&path).unwrap();
            let number = if meta.is_dir() { 0 } else { meta.ino() };
            if number > 0 && !self.before.files.contains_key(&number) {
                let synced = fs::read(&path).unwrap();
                self.before.files.insert(number, File { synced, since: Vec::new() });
            }
            self.before.names.insert(path, number);
        }
    }

    /// Puts into the directory what the disk holds after the power went; the process must be dead.
    pub fn lose_power(&mut self, dice: &mut Dice) {
        let State { mut files, mut names } = std::mem::take(&mut self.before);
        let mut pending: Vec<Name> = Vec::new();
        // What the process saw, to know which file a name means; and which file a number means, since the system gives
        // numbers again.
        let mut seen = names.clone();
        let mut numbers: HashMap<u64, u64> = files.keys().map(|n| (*n, *n)).collect();
        let journal = fs::read(&self.journal).unwrap_or_default();
        let mut rest = journal.as_slice();
        let mut order = 0;
        while let Some((what, number, at, bytes, more)) = record(rest) {
            rest = more;
            order += 1;
            let text = String::from_utf8_lossy(bytes).into_owned();
            let (from, to) = text.split_once('\n').unwrap_or((&text, ""));
            let (from, to) = (PathBuf::from(from), PathBuf::from(to));
            let file = numbers.get(&number).copied().unwrap_or(0);
            let at = at as usize;
            match what {
                CREATED => {
                    // INVARIANT: no number of the system is that large.
                    let fresh = (1 << 63) + order as u64;
                    numbers.insert(number, fresh);
                    files.insert(fresh, File::default());
                    seen.insert(from.clone(), fresh);
                    pending.push(Name::Is(from, fresh));
                }
                WROTE => changed(&mut files, file, order, Change::Wrote { at, bytes: bytes.to_vec() }),
                CUT => changed(&mut files, file, order, Change::Cut { length: at }),
                SYNCED => {
                    let file = files.entry(file).or_default();
                    for (_, change) in std::mem::take(&mut file.since) {
                        change.apply(&mut file.synced);
                    }
                }
                SYNCED_NAMES => {
                    let (now, later): (Vec<_>, Vec<_>) =
                        pending.into_iter().partition(|n| n.path().parent() == Some(&from));
                    now.into_iter().for_each(|name| name.apply(&mut names));
                    pending = later;
                }
                RENAMED => {
                    let file = seen.remove(&from).unwrap_or(0);
                    seen.insert(to.clone(), file);
                    pending.extend([Name::Is(to, file), Name::Gone(from)]);
                }
                LINKED => {
                    let file = seen.get(&from).copied().unwrap_or(0);
                    seen.insert(to.clone(), file);
                    pending.push(Name::Is(to, file));
                }
                UNLINKED => {
                    seen.remove(&from);
                    pending.push(Name::Gone(from));
                }
                MADE => {
                    seen.insert(from.clone(), 0);
                    pending.push(Name::Is(from, 0));
                }
                other => panic!("the journal says {other}"),
            }
        }
        self.forget(&mut files, &mut names, pending, dice);
        self.put(&files, &names);
    }

    /// Lets nothing of what was not synced live, or some of it; the last write is torn.
    fn forget(&mut self, files: &mut HashMap<u64, File>, names: &mut BTreeMap<PathBuf, u64>, pending: Vec<Name>, dice: &mut Dice) {
        let some = dice.below(2) == 1;
        let last = files.values().flat_map(|f| f.since.iter().map(|(order, _)| *order)).max();
        for file in files.values_mut() {
            for (order, mut change) in std::mem::take(&mut file.since) {
                let is_last = Some(order) == last;
                if let (true, Change::Wrote { bytes, .. }) = (is_last, &mut change) {
                    bytes.truncate(bytes.len() / SECTOR / 2 * SECTOR + bytes.len() % SECTOR / 2);
                    self.torn += 1;
                }
                if is_last || (some && dice.below(2) == 1) {
                    change.apply(&mut file.synced);
                } else {
                    self.lost += 1;
                }
            }
        }
        // Names change in the order of the file system's own journal: some of the first, or none.
        let keep = if some { dice.below(pending.len() as u64 + 1) as usize } else { 0 };
        self.lost += (pending.len() - keep) as u64;
        pending.into_iter().take(keep).for_each(|name| name.apply(names));
    }

    fn put(&self, files: &HashMap<u64, File>, names: &BTreeMap<PathBuf, u64>) {
        fs::remove_dir_all(&self.root).unwrap();
        fs::create_dir_all(&self.root).unwrap();
        let mut first: HashMap<u64, PathBuf> = HashMap::new();
        for (path, number) in names {
            if path.to_string_lossy().ends_with("-shm") || !path.parent().is_some_and(Path::is_dir) {
                continue;
            }
            if *number == 0 {
                fs::create_dir_all(path).unwrap();
            } else if let Some(other) = first.get(number) {
                fs::hard_link(other, path).unwrap();
            } else {
                fs::write(path, files.get(number).map_or(&[][..], |f| &f.synced)).unwrap();
                first.insert(*number, path.clone());
            }
        }
    }
}

fn changed(files: &mut HashMap<u64, File>, file: u64, order: usize, change: Change) {
    files.entry(file).or_default().since.push((order, change));
}

fn tree(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut stack = vec![root.to_owned()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            out.push(entry.path());
            if entry.path().is_dir() {
                stack.push(entry.path());
            }
        }
    }
    out.sort();
    out
}

type Record<'a> = (u8, u64, u64, &'a [u8], &'a [u8]);

/// One record and what follows; none at the end, also where the process died while it wrote the journal.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let (head, rest) = bytes.split_at_checked(21)?;
    let eight = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
    let n = u32::from_le_bytes(head[17..21].try_into().unwrap()) as usize;
    let (body, rest) = rest.split_at_checked(n)?;
    Some((head[0], eight(1), eight(9), body, rest))
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Self::Cut { length } => to.resize(length, 0),
            Self::Wrote { at, bytes } => {
                if to.len() < at + bytes.len() {
                    to.resize(at + bytes.len(), 0);
                }
                to[at..at + bytes.len()].copy_from_slice(&bytes);
            }
        }
    }
}

impl Name {
    fn path(&self) -> &Path {
        match self {
            Self::Is(path, _) | Self::Gone(path) => path,
        }
    }

    fn apply(self, to: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Is(path, number) => drop(to.insert(path, number)),
            Self::Gone(path) => drop(to.remove(&path)),
        }
    }
}
