//! The world that the demo plays in: a table, parties, a legal clock. One's own file can replace it.

use model::{CivilDate, fact::Said, transfer::Transfer};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The world that ships with the program, and its table.
const WORLD: &str = include_str!("../../../../examples/world/demo.toml");
const TABLE: &[u8] = include_bytes!("../../../../examples/data/health.csv");
const DICTIONARY: &str = include_str!("../../../../examples/data/health.dictionary.toml");

type Facts = BTreeMap<String, Said>;

/// The world as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// The table.
    pub table: TableOfWorld,
    /// Scene 2.
    pub ask: Vec<Question>,
    ask_common: Facts,
    /// Scenes 3 and 4.
    pub flow: FlowOfWorld,
    /// Scene 5.
    pub same_bytes: Vec<Question>,
    same_bytes_common: Facts,
}

/// The table and how it is protected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableOfWorld {
    /// The file.
    pub file: PathBuf,
    /// What a person said of its columns.
    pub dictionary: Option<PathBuf>,
    /// The profile of scene 5.
    pub profile: String,
}

/// One transfer that is asked about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// From whom to whom, for people.
    pub name: String,
    facts: Facts,
}

/// The flow between two nodes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowOfWorld {
    /// Who gives.
    pub exporter: String,
    /// Who gets.
    pub recipient: String,
    /// The legal clock at the start.
    pub legal_day: CivilDate,
    /// The day it is moved to.
    pub judgment_day: CivilDate,
    /// What happened then, for people.
    pub judgment: String,
    /// Rules or layers that the exporter accepts by name though they were read once; none in the world of the program.
    #[serde(default)]
    pub accept_drafted: Vec<String>,
    facts: Facts,
}

impl World {
    /// Reads a world file; paths in it are relative to it. Without one, the world of the program is laid out in `dir`.
    pub fn read(file: Option<&Path>, dir: &Path) -> Result<Self, String> {
        let wrong = |e: std::io::Error, p: &Path| format!("error[TGT-C001]: `{}`: {e}", p.display());
        let Some(file) = file else {
            let (table, dictionary) = (dir.join("health.csv"), dir.join("health.dictionary.toml"));
            std::fs::create_dir_all(dir).map_err(|e| wrong(e, dir))?;
            std::fs::write(&table, TABLE).map_err(|e| wrong(e, &table))?;
            std::fs::write(&dictionary, DICTIONARY).map_err(|e| wrong(e, &dictionary))?;
            let mut world: Self = toml::from_str(WORLD).map_err(|e| format!("error[TGT-C002]: the world of the program: {e}"))?;
            world.table.file = table;
            world.table.dictionary = Some(dictionary);
            return Ok(world);
        };
        let text = std::fs::read_to_string(file).map_err(|e| wrong(e, file))?;
        let mut world: Self = toml::from_str(&text).map_err(|e| format!("error[TGT-C002]: `{}`: {}", file.display(), e.to_string().trim()))?;
        let base = file.parent().unwrap_or(Path::new("."));
        world.table.file = base.join(&world.table.file);
        world.table.dictionary = world.table.dictionary.map(|d| base.join(d));
        Ok(world)
    }

    /// A question of scene 2 as a transfer.
    pub fn asked(&self, question: &Question) -> Transfer {
        transfer(&self.ask_common, &question.facts)
    }

    /// A question of scene 5 as a transfer; what was measured on the bytes is a fact, if the numbers are met.
    pub fn same(&self, question: &Question, measured: Option<(String, Said)>) -> Transfer {
        let mut own = question.facts.clone();
        own.extend(measured);
        transfer(&self.same_bytes_common, &own)
    }

    /// The facts of the flow, by slot.
    pub fn flow_facts(&self) -> BTreeMap<String, Said> {
        let mut all = self.ask_common.clone();
        all.extend(self.flow.facts.clone());
        all
    }
}

fn transfer(common: &Facts, own: &Facts) -> Transfer {
    let mut all = common.clone();
    all.extend(own.clone());
    Transfer::single(all)
}
