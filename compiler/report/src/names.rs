//! Names that fit.

/// What most names begin with, up to a separator: in order, those between a tenth and nine tenths share it.
pub(crate) fn common_prefix<'a>(names: impl Iterator<Item = &'a str>) -> &'a str {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    if names.len() < 2 {
        return "";
    }
    let (low, high) = (names[names.len() / 10], names[(names.len() * 9).div_ceil(10) - 1]);
    let pairs = low.char_indices().zip(high.chars());
    let same = pairs.take_while(|((_, a), b)| a == b).map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0);
    let ends = ["/", "__", "."].map(|separator| low[..same].rfind(separator).map_or(0, |at| at + separator.len()));
    &low[..ends.into_iter().max().unwrap_or(0)]
}

/// A name without what all begin with, in at most `length` characters.
pub(crate) fn short(name: &str, prefix: &str, length: usize) -> String {
    match name.strip_prefix(prefix) {
        Some(own) if !own.is_empty() => ending(own, length),
        _ => ending(name, length),
    }
}

/// At most `length` characters; of a long name the end says most, from a separator on if there is one near.
pub(crate) fn ending(name: &str, length: usize) -> String {
    let count = name.chars().count();
    if count <= length {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - length + 1).collect();
    let is_separator = |c: char| ['_', '/', '.', ':'].contains(&c);
    let near = end.char_indices().take(length / 3).zip(end.chars().skip(1));
    let start =
        near.filter(|&((_, c), next)| is_separator(c) && !is_separator(next)).map(|((at, c), _)| at + c.len_utf8());
    format!("…{}", &end[start.min().unwrap_or(0)..])
}

/// Dimensions as people write them.
pub fn dimensions(shape: &[i32]) -> String {
    let sides: Vec<String> = shape.iter().map(i32::to_string).collect();
    sides.join("×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_all_have() {
        let names = ["net/a/conv", "net/a/pool", "net/b/é", "net/b/è"];
        assert_eq!(common_prefix(names.into_iter()), "net/");
        assert_eq!(common_prefix(["x__é1", "x__è2"].into_iter()), "x__");
        assert_eq!(common_prefix(["abc", "abd"].into_iter()), "");
        assert_eq!(common_prefix(["one/name"].into_iter()), "");
        assert_eq!(short("net/a/conv", "net/", 20), "a/conv");
        assert_eq!(short("net/", "net/", 20), "net/");
        assert_eq!(short("net/a/conv", "net/", 5), "…conv");
    }
}
