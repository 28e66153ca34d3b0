//! `tegata schema`: the form of what goes in.

use crate::rules_source;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

/// Print the JSON Schema of an input, a sentence for each field in both languages.
#[derive(Args)]
#[command(after_help = "Example:\n  tegata schema transfer > transfer.schema.json")]
pub struct Schema {
    /// Of what.
    what: What,
    #[command(flatten)]
    common: super::Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Transfer,
}

/// Runs the verb.
pub fn run(schema: Schema) -> ExitCode {
    let What::Transfer = schema.what;
    match rules_source::load_law(schema.common.rules.as_deref()) {
        Ok(book) => {
            let value = rulebook::schema::transfer_schema(&book.vocabulary);
            super::print_lines(&[serde_json::to_string_pretty(&value).unwrap_or_default()]);
            ExitCode::SUCCESS
        }
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}
