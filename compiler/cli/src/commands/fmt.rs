//! `dpuc fmt`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::{files, network};

/// Format IR text, keeping names and comments.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files to format in place.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; fail if a file is not formatted.
    #[arg(long)]
    check: bool,
    /// Write the formatted text to standard output instead.
    #[arg(long, conflicts_with = "check")]
    stdout: bool,
}

impl Fmt {
    pub(crate) fn run(self) -> Result<()> {
        let mut unformatted = Vec::new();
        for path in &self.files {
            let source = files::read_text(path)?;
            let name = path.display().to_string();
            let formatted = match dpuc_grammar::format(&source) {
                Ok(formatted) => formatted,
                Err(diagnostics) => bail!(network::explain(&diagnostics, &source, &name)),
            };
            if self.stdout {
                files::print(&formatted);
            } else if formatted != source {
                if self.check {
                    unformatted.push(name);
                } else {
                    files::write(path, formatted.as_bytes())?;
                }
            }
        }
        if unformatted.is_empty() { Ok(()) } else { bail!("not formatted: {}", unformatted.join(", ")) }
    }
}
