//! Reports on compiled networks, as files.

use std::path::Path;

use anyhow::{Result, anyhow};
use dpuc_accel::timing::Board;
use dpuc_report::Explanation;

use crate::files;

/// The board that times are modelled on if none is named.
const DEFAULT_BOARD: &str = "generic";

/// The files of a report.
const FILES: [&str; 3] = ["report.html", "report.json", "trace.json"];

/// The board with a name, or the default one.
pub(crate) fn board(name: Option<&str>) -> Result<&'static Board> {
    let name = name.unwrap_or(DEFAULT_BOARD).to_lowercase();
    Board::named(&name).ok_or_else(|| {
        let known: Vec<&str> = Board::all().iter().map(|board| &*board.name).collect();
        anyhow!("there is no time model of a board `{name}`; there is one of {}", known.join(", "))
    })
}

/// The board to model: the one named, or the one compiled for, or the default.
pub(crate) fn board_for(name: Option<&str>, arch: &str) -> Result<&'static Board> {
    match Board::named(&arch.to_lowercase()) {
        Some(board) if name.is_none() => Ok(board),
        _ => board(name),
    }
}

/// Fails if a report in `folder` would replace `input`.
pub(crate) fn keep_input(input: &Path, folder: &Path) -> Result<()> {
    FILES.iter().try_for_each(|file| files::keep_input(input, &folder.join(file)))
}

/// Writes `report.html`, `report.json` and `trace.json`.
pub(crate) fn write(explanation: &Explanation, folder: &Path) -> Result<()> {
    files::create_folder(folder)?;
    let contents = [explanation.html(), explanation.json(), explanation.trace()];
    FILES.iter().zip(contents).try_for_each(|(file, content)| files::write(&folder.join(file), content.as_bytes()))
}
