//! `tegata backup` and `tegata restore`: a copy of what a directory remembers, also while a node runs on it.

use clap::Args;
use node::desk::STORE;
use node::error::ActError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Copy what a directory remembers to a new file; a running node goes on.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata backup --dir tegata-data tegata-2026-11-22.backup
  tegata backup --dir host --participant aoi aoi-2026-11-22.backup    one participant behind the doors of a process
  tegata backup --dir host --all host-2026-11-22                      the process and all of them, into a new folder")]
pub struct Backup {
    /// The file of the copy, with --all the folder; it must not exist. It is as secret as the directory.
    target: PathBuf,
    /// The directory.
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
    /// The short name of a participant behind the doors of the process on that directory.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    participant: Option<String>,
    /// The directory and every participant in it, each as it stands when its turn comes; with their tegata.toml, without their keys.
    #[arg(long)]
    all: bool,
}

/// Put a copy into an empty directory. A node restored so asks its witnesses before it signs.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata restore tegata-2026-11-22.backup --dir tegata-data
  tegata restore aoi-2026-11-22.backup --dir host --participant aoi
  tegata restore host-2026-11-22 --dir host --all")]
pub struct Restore {
    /// The copy, with --all the folder.
    copy: PathBuf,
    /// The directory; it must hold no store yet.
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
    /// The short name of the participant; the process that serves it must have released it.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    participant: Option<String>,
    /// Everything that a copy of all holds. A tegata.toml that is there stays.
    #[arg(long)]
    all: bool,
}

/// Runs `backup`.
pub fn backup(backup: Backup) -> ExitCode {
    finish(match (&backup.participant, backup.all) {
        (None, true) => backup_house(&backup.dir, &backup.target),
        (Some(name), _) => one(&member(&backup.dir, name), &backup.target, node::desk::backup).map(single),
        (None, false) => one(&backup.dir, &backup.target, node::desk::backup).map(single),
    })
}

/// Runs `restore`.
pub fn restore(restore: Restore) -> ExitCode {
    finish(match (&restore.participant, restore.all) {
        (None, true) => restore_house(&restore.copy, &restore.dir),
        (Some(name), _) => one(&restore.copy, &member(&restore.dir, name), node::desk::restore).map(single),
        (None, false) => one(&restore.copy, &restore.dir, node::desk::restore).map(single),
    })
}

/// The name of a house's own copy, and of a participant's configuration beside its copy.
const HOST: &str = "host";
const CONFIG: &str = "tegata.toml";

fn single(done: PathBuf) -> Vec<PathBuf> {
    vec![done]
}

fn member(dir: &Path, name: &str) -> PathBuf {
    dir.join(server::participants::FOLDER).join(name)
}

fn one(from: &Path, to: &Path, act: fn(&Path, &Path) -> Result<(), ActError>) -> Result<PathBuf, String> {
    act(from, to).map(|()| to.to_owned()).map_err(|e| format!("error[{}]: {e}", e.code()))
}

/// Names of what a folder has, in order, that `take` makes a name of.
fn names(folder: &Path, take: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(|all| all.flatten().map(|e| e.path()).collect::<Vec<_>>());
    let mut names: Vec<String> = entries.unwrap_or_default().iter().filter_map(|p| take(p)).collect();
    names.sort();
    names
}

fn unwritten(path: &Path, e: &std::io::Error) -> String {
    format!("error[TGT-C001]: `{}`: {e}", path.display())
}

/// Copies a file that may not be there.
fn copied(from: &Path, to: &Path) -> Result<(), String> {
    match from.is_file() && !to.exists() {
        true => std::fs::copy(from, to).map(drop).map_err(|e| unwritten(to, &e)),
        false => Ok(()),
    }
}

/// One copy a participant, each one committed state; all of them are of no one moment.
fn backup_house(dir: &Path, target: &Path) -> Result<Vec<PathBuf>, String> {
    let within = target.join(server::participants::FOLDER);
    std::fs::create_dir(target).and_then(|()| std::fs::create_dir(&within)).map_err(|e| unwritten(target, &e))?;
    let mut done = vec![one(dir, &target.join(format!("{HOST}.backup")), node::desk::backup)?];
    copied(&dir.join(CONFIG), &target.join(format!("{HOST}.toml")))?;
    let stored = |p: &Path| Some(p.file_name()?.to_string_lossy().into_owned()).filter(|_| p.join(STORE).is_file());
    for name in names(&dir.join(server::participants::FOLDER), stored) {
        done.push(one(&member(dir, &name), &within.join(format!("{name}.backup")), node::desk::backup)?);
        copied(&member(dir, &name).join(CONFIG), &within.join(format!("{name}.toml")))?;
    }
    Ok(done)
}

/// Nothing is written when any of the places has a store.
fn restore_house(copy: &Path, dir: &Path) -> Result<Vec<PathBuf>, String> {
    let within = copy.join(server::participants::FOLDER);
    let copies = names(&within, |p| Some(p.file_stem()?.to_string_lossy().into_owned()).filter(|_| p.extension().is_some_and(|e| e == "backup")));
    let mut places = vec![(copy.to_owned(), HOST.to_owned(), dir.to_owned())];
    places.extend(copies.into_iter().map(|name| (within.clone(), name.clone(), member(dir, &name))));
    if let Some((_, _, taken)) = places.iter().find(|(_, _, to)| to.join(STORE).exists()) {
        return Err(format!("error[store/occupied]: `{}` holds a store; nothing was restored", taken.display()));
    }
    let mut done = Vec::new();
    for (from, name, to) in places {
        done.push(one(&from.join(format!("{name}.backup")), &to, node::desk::restore)?);
        copied(&from.join(format!("{name}.toml")), &to.join(CONFIG))?;
    }
    Ok(done)
}

fn finish(done: Result<Vec<PathBuf>, String>) -> ExitCode {
    match done {
        Ok(places) => {
            places.iter().for_each(|place| outln!("{}", place.display()));
            ExitCode::SUCCESS
        }
        Err(line) => {
            errln!("{line}");
            ExitCode::from(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::desk::Desk;

    /// The secret of the first token: it opens a restored desk as it opened the one before.
    fn made(dir: &Path, did: &str) -> (Desk, String) {
        let desk = Desk::open(dir, did).unwrap();
        let token = desk.first_token().unwrap().unwrap();
        (desk, token)
    }

    #[test]
    fn a_house_is_copied_while_it_runs_and_each_is_put_back_by_its_name() {
        let place = tempfile::tempdir().unwrap();
        let (house, copy, again) = (place.path().join("house"), place.path().join("copy"), place.path().join("again"));
        let (aoi, kita) = (member(&house, "aoi"), member(&house, "host"));
        // They are open: whoever holds them goes on.
        let running = [made(&house, "did:web:host.example"), made(&aoi, "did:web:aoi.example"), made(&kita, "did:web:kita.example")];
        std::fs::write(aoi.join(CONFIG), "participant = \"did:web:aoi.example\"").unwrap();
        assert_eq!(backup_house(&house, &copy).unwrap().len(), 3, "one may be called `host`");
        assert!(backup_house(&house, &copy).unwrap_err().contains("TGT-C001"), "nothing is written over");
        assert_eq!(restore_house(&copy, &again).unwrap().len(), 3);
        assert!(member(&again, "aoi").join(CONFIG).is_file());
        for (at, did, (_, token)) in [(again.clone(), "host", &running[0]), (member(&again, "aoi"), "aoi", &running[1])] {
            let desk = Desk::open(&at, &format!("did:web:{did}.example")).unwrap();
            assert!(desk.admit(token).is_some_and(|holder| holder.role == "admin"), "{did}");
        }
        assert!(restore_house(&copy, &again).unwrap_err().contains("store/occupied"));

        // One alone.
        let alone = place.path().join("aoi.backup");
        one(&aoi, &alone, node::desk::backup).unwrap();
        let third = place.path().join("third");
        one(&alone, &member(&third, "aoi"), node::desk::restore).unwrap();
        let desk = Desk::open(&member(&third, "aoi"), "did:web:aoi.example").unwrap();
        assert!(desk.admit(&running[1].1).is_some() && desk.admit(&running[2].1).is_none());
    }
}
