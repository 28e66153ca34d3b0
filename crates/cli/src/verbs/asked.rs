//! What is asked about: a transfer from a file, from flags, or from a file with flags laid over it.

use crate::{profile::Described, transfer_file};
use clap::Args;
use model::{fact::Said, transfer::Transfer};
use rulebook::book::Rulebook;
use std::path::PathBuf;

/// The question, as every verb takes it that looks at one transfer.
#[derive(Args)]
pub struct Asked {
    /// A transfer file (TOML or JSON; long or short form; see `tegata schema transfer`).
    pub file: Option<PathBuf>,
    /// Place of the exporter, such as DE.
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// Place of the recipient, such as US.
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    #[command(flatten)]
    described: Described,
    /// A measure that is in place, by id.
    #[arg(long = "measure", value_name = "ID")]
    measures: Vec<String>,
}

impl Asked {
    /// The facts of the flags.
    pub fn flat(&self, book: &Rulebook) -> Result<Vec<(String, Said)>, String> {
        let ends = [("exporter.place", self.from.as_ref()), ("recipient.place", self.to.as_ref())];
        let mut said = self.described.said(book, &ends)?;
        for id in &self.measures {
            let measure = book.measures.iter().find(|m| m.id == *id).ok_or_else(|| {
                let ids = book.measures.iter().map(|m| m.id.as_str());
                format!("error[TGT-C002]: there is no measure `{id}`; {}", super::near(id, ids))
            })?;
            measure.does.iter().try_for_each(|effect| said.add(&format!("{}={}", effect.slot, effect.value)))?;
        }
        Ok(said.0)
    }

    /// The transfer: the file with the flags laid over it, or the flags alone.
    pub fn transfer(&self, book: &Rulebook) -> Result<Transfer, String> {
        let flat = self.flat(book)?;
        let Some(file) = &self.file else {
            return match flat.is_empty() {
                true => Err("error[TGT-C002]: nothing to look at: give a file, or --from and --to".into()),
                false => Ok(Transfer::single(flat)),
            };
        };
        let mut transfer = transfer_file::read(file).map_err(|e| format!("error[TGT-C002]: {e}"))?;
        node::question::overlay(&mut transfer, &flat);
        Ok(transfer)
    }
}
