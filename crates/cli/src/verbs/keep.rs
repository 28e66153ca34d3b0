//! `tegata backup` and `tegata restore`: a copy of what a directory remembers, also while a node runs on it.

use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Copy what a directory remembers to a new file; a running node goes on.
#[derive(Args)]
#[command(after_help = "Example:\n  tegata backup --dir tegata-data tegata-2026-11-22.backup")]
pub struct Backup {
    /// The file of the copy; it must not exist. It is as secret as the directory.
    target: PathBuf,
    /// The directory.
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
}

/// Put a copy into an empty directory. A node restored so asks its witnesses before it signs.
#[derive(Args)]
#[command(after_help = "Example:\n  tegata restore tegata-2026-11-22.backup --dir tegata-data")]
pub struct Restore {
    /// The copy.
    copy: PathBuf,
    /// The directory; it must hold no store yet.
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
}

/// Runs `backup`.
pub fn backup(backup: Backup) -> ExitCode {
    finish(node::desk::backup(&backup.dir, &backup.target), &backup.target)
}

/// Runs `restore`.
pub fn restore(restore: Restore) -> ExitCode {
    finish(node::desk::restore(&restore.copy, &restore.dir), &restore.dir)
}

fn finish(done: Result<(), node::error::ActError>, place: &std::path::Path) -> ExitCode {
    match done {
        Ok(()) => {
            outln!("{}", place.display());
            ExitCode::SUCCESS
        }
        Err(e) => {
            errln!("error[{}]: {e}", e.code());
            ExitCode::from(1)
        }
    }
}
