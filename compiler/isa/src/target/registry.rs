//! The embedded table of families, names and boards.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Target;

/// `targets.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registry {
    /// Family name and type code.
    pub(super) families: Vec<(String, u8)>,
    /// Families without a type code.
    pub(super) uncoded_families: Vec<String>,
    /// ISA-1 names of this compiler's family, smallest first.
    pub(super) registered: Vec<(String, u64)>,
    /// ISA-0 names of this compiler's family.
    pub(super) retired: Vec<(String, u64)>,
    /// Name, fingerprint and Vitis AI releases as found in compiled files.
    pub(super) observed: Vec<(String, u64, String)>,
    /// Names of other families.
    pub(super) other: Vec<(String, u64)>,
    /// Boards.
    pub(super) boards: Vec<Board>,
}

/// A board and the DPU of its usual image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "(String, u64, String)")]
pub struct Board {
    /// Name as typed by users, lower case.
    pub name: String,
    /// Fingerprint of its DPU.
    pub fingerprint: u64,
    /// Vendor, product, number and size of the cores.
    pub description: String,
}

impl From<(String, u64, String)> for Board {
    fn from((name, fingerprint, description): (String, u64, String)) -> Self {
        Self { name, fingerprint, description }
    }
}

/// A name under which compiled files carry a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedName {
    /// The name in the file.
    pub name: &'static str,
    /// Vitis AI releases that wrote it.
    pub releases: &'static str,
}

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| toml::from_str(include_str!("targets.toml")).expect("the embedded targets.toml is well formed"));

static REGISTERED: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let decode = |(_, fingerprint): &(String, u64)| Target::from_fingerprint(*fingerprint);
    REGISTRY.registered.iter().map(decode).collect::<Result<_, _>>().expect("registered targets decode")
});

pub(super) fn registry() -> &'static Registry {
    &REGISTRY
}

impl Registry {
    /// The family with this type code.
    pub(super) fn family(&self, code: u8) -> Option<&str> {
        self.families.iter().find(|(_, of)| *of == code).map(|(name, _)| name.as_str())
    }

    /// The registered or retired name of a fingerprint of any family.
    pub(super) fn name_of(&self, fingerprint: u64) -> Option<&str> {
        let names = self.registered.iter().chain(&self.retired).chain(&self.other);
        names.into_iter().find(|(_, of)| *of == fingerprint).map(|(name, _)| name.as_str())
    }
}

impl Target {
    /// The eight registered ISA-1 targets, B512 to B4096.
    pub fn registered() -> Vec<Self> {
        REGISTERED.clone()
    }

    /// The boards known by name, with the DPU of their usual image.
    pub fn boards() -> &'static [Board] {
        &registry().boards
    }

    /// Names under which compiled files of past releases carry `fingerprint`; they may differ from
    /// [`Target::name`], because before Vitis AI 3.0 the registered names meant DPUs without argmax.
    pub fn observed_names(fingerprint: u64) -> impl Iterator<Item = ObservedName> {
        let observed = registry().observed.iter().filter(move |(_, of, _)| *of == fingerprint);
        observed.map(|(name, _, releases)| ObservedName { name, releases })
    }
}
