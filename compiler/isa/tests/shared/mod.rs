//! Files that several repositories share: specifications and real models.

/// The bytes of `path` below the shared folder; without it the test is skipped, loudly, unless it is required.
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    dpuc_samples::shared(path).map(|found| std::fs::read(&found).unwrap_or_else(|error| panic!("{path}: {error}")))
}
