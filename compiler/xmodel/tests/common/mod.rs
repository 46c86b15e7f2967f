//! Access to the sample models outside the repository.

use std::path::{Path, PathBuf};

/// The folder named by `DPUC_SHARED`, or the one next to the workspace.
fn shared() -> PathBuf {
    std::env::var_os("DPUC_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}

/// `path` below the shared folder; `None`, with a notice, when it is absent and not required.
pub(crate) fn sample(path: &str) -> Option<PathBuf> {
    let found = shared().join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(std::env::var_os("DPUC_REQUIRE_SHARED").is_none_or(|v| v != "1"), "{} is required", found.display());
    eprintln!("SKIPPED: {} does not exist; set DPUC_SHARED to the folder that has it", found.display());
    None
}
