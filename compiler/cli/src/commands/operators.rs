//! `dpuc operators`

use anyhow::Result;
use clap::Args;
use dpuc_import::supported_operators;

use crate::files;

/// List the ONNX operators that can be imported.
#[derive(Debug, Args)]
pub(crate) struct Operators {}

impl Operators {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as all commands are")]
    pub(crate) fn run(self) -> Result<()> {
        let mut text =
            String::from("ONNX operators, operator sets 7 and later; what is in parentheses restricts them\n");
        for operator in supported_operators() {
            let last = operator.last.map(|last| format!("until operator set {last}"));
            let notes: Vec<&str> =
                last.as_deref().into_iter().chain([operator.restrictions]).filter(|note| !note.is_empty()).collect();
            let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
            text += &format!("{}{notes}\n", operator.name);
        }
        files::print(&text);
        Ok(())
    }
}
