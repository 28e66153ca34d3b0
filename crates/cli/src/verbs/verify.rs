//! `tegata verify`: evidence, step by step, to anchors from outside.

use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use trust::verify::{Outcome, Verdict};

/// Check an evidence container. Anchors and log policy come from you, never from the container.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata verify evidence.asice --anchors anchors.pem --policy log.policy --data delivered.csv
  sh verify.sh --anchors anchors.pem --policy log.policy evidence.asice delivered.csv     the same with openssl alone

Exit codes: 0 passed, 20 a step failed, 12 it cannot be told (an anchor, a policy or a list is missing), 2 usage.")]
pub struct Verify {
    /// The container (.asice).
    container: PathBuf,
    /// Certificates that you trust, PEM.
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Logs and witnesses that you trust (c2sp.org/tlog-policy).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Newer revocation lists, PEM.
    #[arg(long, value_name = "FILE")]
    crls: Option<PathBuf>,
    /// The delivered data.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Print nothing; the exit code tells.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the verb.
pub fn run(verify: Verify) -> ExitCode {
    let files = node::verify::Files {
        container: &verify.container,
        anchors: verify.anchors.as_deref(),
        policy: verify.policy.as_deref(),
        crls: verify.crls.as_deref(),
        data: verify.data.as_deref(),
    };
    let report = match node::verify::verify_files(files, super::now()) {
        Ok(report) => report,
        Err(e) => {
            errln!("error[{}]: {e}", e.code());
            return ExitCode::from(2);
        }
    };
    if !verify.quiet {
        let lines: Vec<String> = report
            .steps
            .iter()
            .map(|s| {
                let outcome = match &s.outcome {
                    Outcome::Passed => "passed".to_string(),
                    Outcome::Failed(code) => format!("FAILED ({code})"),
                    Outcome::Indeterminate(code) => format!("indeterminate ({code})"),
                    Outcome::Absent => "absent".to_string(),
                    Outcome::NotReached => "not reached".to_string(),
                };
                format!("{:<10} {outcome:<14} {}", s.id.code(), s.detail)
            })
            .collect();
        super::print_lines(&lines);
        let levels: Vec<&str> = report.levels.iter().map(|l| l.code()).collect();
        outln!("levels: {}", if levels.is_empty() { "none".into() } else { levels.join(", ") });
    }
    ExitCode::from(match report.verdict() {
        Verdict::Passed => 0,
        Verdict::Failed => 20,
        Verdict::Indeterminate => 12,
    })
}
