//! "Did you mean": the known word closest to a mistyped one.

/// The candidate with the fewest edits to `word` (letter case aside), the first on ties, if it is close enough to be meant.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes time quadratic in the length; no known word is longer than this.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_ascii_lowercase());
    let (edits, candidate) = candidates.into_iter().map(|c| (distance(c), c)).min_by_key(|&(edits, _)| edits)?;
    (edits <= 1 + word.chars().count() / 6).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn suggests_only_what_is_close() {
        let words = ["kernel_h", "kernel_w", "length", "id"];
        assert_eq!(closest("kernel_x", words), Some("kernel_h"));
        assert_eq!(closest("LENGHT", words), Some("length"));
        assert_eq!(closest("colour", words), None);
        assert_eq!(closest(&"l".repeat(1 << 20), words), None);
    }
}
