//! Did you mean …?

/// The candidate most like `wrong`, if one is like enough to be a slip of the hand: at most one edit for every three characters. Among
/// equals the first wins.
pub fn suggest<'c>(wrong: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    /// Longer words are not compared: the effort grows with the product of the lengths.
    const LONGEST: usize = 100;
    if wrong.len() > LONGEST {
        return None;
    }
    let allowed = (wrong.chars().count() / 3).max(1);
    candidates
        .filter(|candidate| candidate.len() <= LONGEST && candidate.len().abs_diff(wrong.len()) <= 4 * allowed)
        .map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn nearest_candidate() {
        let operations = ["nn.conv2d", "nn.relu", "nn.add", "nn.relu6"];
        let suggest = |wrong| suggest(wrong, operations.into_iter());
        assert_eq!(suggest("nn.con2d"), Some("nn.conv2d"));
        assert_eq!(suggest("nn.rleu"), Some("nn.relu"));
        assert_eq!(suggest("nn.softmax"), None);
        assert_eq!(suggest(""), None);
        assert_eq!(suggest(&"x".repeat(1000)), None);
    }

    #[test]
    fn a_short_word_is_not_replaced_entirely() {
        assert_eq!(suggest("x", ["y"].into_iter()), None);
        assert_eq!(suggest("dx", ["dy"].into_iter()), Some("dy"));
    }
}
