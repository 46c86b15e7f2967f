//! Files that several repositories share: specifications and real models.

use std::path::PathBuf;

/// The bytes of `path` below the shared folder, which is `DPUC_SHARED` or else `shared` beside the workspace. Without the
/// folder the test is skipped, loudly, unless `DPUC_REQUIRE_SHARED` is 1.
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("DPUC_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    match std::fs::read(root.join(path)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(std::env::var_os("DPUC_REQUIRE_SHARED").is_none_or(|value| value != "1"), "{path}: {error}");
            eprintln!("SKIPPED: {path}: {error}");
            None
        }
    }
}
