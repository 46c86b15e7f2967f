//! Names of values.

use std::collections::{HashMap, HashSet};

/// Names given so far in one function.
#[derive(Debug, Default)]
pub(crate) struct ValueNames {
    taken: HashSet<String>,
    /// Last number added to each name that was wanted again.
    numbers: HashMap<String, u64>,
}

impl ValueNames {
    /// A name that is free, after `wish`: characters other than letters, digits and `_.$-` become `_`, and a number is added to a name
    /// that is taken. A name cannot begin with a digit nor with `-`, nor end with `-`, which the syntax reads differently.
    pub(crate) fn claim(&mut self, wish: &str) -> String {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.$-".contains(c) { c } else { '_' };
        let mut name: String = wish.chars().map(allowed).collect();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            name.insert(0, '_');
        }
        if name.ends_with('-') {
            name.push('_');
        }
        if !self.taken.contains(&name) {
            self.taken.insert(name.clone());
            return name;
        }
        let mut number = self.numbers.get(&name).copied().unwrap_or(0);
        let free = loop {
            number += 1;
            let candidate = format!("{name}_{number}");
            if !self.taken.contains(&candidate) {
                break candidate;
            }
        };
        self.numbers.insert(name, number);
        self.taken.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_distinct() {
        let mut names = ValueNames::default();
        let given = ["a/b(c):0", "a_b_c__0", "3x", "", "-", "a-", "ä", "ok.$-x"].map(|wish| names.claim(wish));
        assert_eq!(given, ["a_b_c__0", "a_b_c__0_1", "_3x", "_", "_-_", "a-_", "__1", "ok.$-x"]);
    }
}
