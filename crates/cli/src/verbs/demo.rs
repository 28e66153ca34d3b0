//! `tegata demo`: the day the law changed.

use crate::{
    demo::{flow, party::Pages, scenes, stage::Stage, world::World},
    rules_source,
};
use clap::Args;
use decide::engine::Engine;
use std::{path::PathBuf, process::ExitCode};

/// The day the law changed: look, ask, go, the judgment, one file and several answers, don't trust us.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata demo                          with pauses, on a terminal
  tegata demo --headless               as a test: exits 1 when a step does not follow from the rulebook
  tegata demo --world my-world.toml    your table, parties and legal clock (see examples/world/demo.toml)")]
pub struct Demo {
    /// Never pause; exit 1 when a step does not follow.
    #[arg(long)]
    headless: bool,
    /// A world of your own.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Where the demo keeps its nodes (default: a fresh folder that is removed at the end).
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    common: super::Common,
}

impl Demo {
    /// Whether a person watches: then there are pauses, and the pages are served.
    pub fn watched(&self) -> bool {
        !self.headless && std::io::IsTerminal::is_terminal(&std::io::stdin())
    }

    /// The rules folder, if one was named.
    pub fn rules(&self) -> Option<PathBuf> {
        self.common.rules.as_ref().map(|r| std::fs::canonicalize(r).unwrap_or_else(|_| r.clone()))
    }
}

/// A party or the authority of the demo, as a process of its own.
#[derive(Args)]
pub struct Part {
    /// The configuration of a party.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The directory of the authority.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Rules from a folder.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Serve the party's pages too.
    #[arg(long)]
    pages: bool,
}

/// Runs one process of the demo.
pub fn play_part(part: Part) -> ExitCode {
    let pages = if part.pages { Pages::Served } else { Pages::None };
    let done = match (&part.config, &part.dir) {
        (Some(config), _) => crate::demo::party::run(config, part.rules.as_deref(), pages),
        (_, Some(dir)) => flow::authority(dir),
        _ => Err("error[TGT-C002]: --config or --dir".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the verb.
pub fn run(demo: Demo) -> ExitCode {
    match play(&demo) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            failed.iter().for_each(|f| errln!("demo: did not follow: {f}"));
            ExitCode::FAILURE
        }
        Err(e) => {
            errln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Takes the fresh folder away at the end, also when the demo is ended by Ctrl-C or with an error.
struct Sweep(PathBuf);

impl Sweep {
    fn of(dir: &std::path::Path) -> Self {
        let place = dir.to_path_buf();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(server::authority::asked_to_end());
                crate::demo::troupe::end_all();
                let _gone = std::fs::remove_dir_all(&place);
                // 128 and the number of the signal, as shells say it.
                std::process::exit(130);
            }
        });
        Self(dir.to_path_buf())
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        crate::demo::troupe::end_all();
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn play(demo: &Demo) -> Result<Vec<String>, String> {
    let mut stage = Stage::open(demo.common.voice(), demo.headless);
    let fresh = demo.dir.is_none();
    let dir = demo.dir.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("tegata-demo-{}", std::process::id())));
    std::fs::create_dir_all(&dir).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", dir.display()))?;
    let dir = std::fs::canonicalize(&dir).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", dir.display()))?;
    let _swept = fresh.then(|| Sweep::of(&dir));
    let world = World::read(demo.world.as_deref(), &dir)?;
    let mut engine = Engine::for_few(rules_source::load_law(demo.common.rules.as_deref())?);
    let today = super::today();
    scenes::opening(&stage);
    stage.pause(&stage.voice.word("demo-next"));
    scenes::look(&mut stage, &world)?;
    stage.pause(&stage.voice.word("demo-next"));
    scenes::ask(&mut stage, &world, &mut engine, today)?;
    stage.pause(&stage.voice.word("demo-next"));
    let told = flow::play(&mut stage, &world, demo, &dir);
    scenes::same_bytes(&mut stage, &world, &mut engine, today)?;
    let mut told = told;
    if let Ok(t) = &mut told {
        if let Err(e) = flow::dont_trust_us(&mut stage, t, &dir) {
            told = Err(e);
        }
    }
    let pages = told.as_ref().ok().and_then(flow::Told::pages);
    scenes::your_turn(&stage, pages.as_deref());
    if pages.is_some() {
        stage.pause(&stage.voice.word("demo-pages-until"));
    }
    let (seconds, mut failed) = stage.close();
    if let Err(e) = told {
        failed.push(e);
    }
    outln!("\n   {seconds} s");
    Ok(failed)
}
