//! What a pass is and which passes there are.

use std::fmt::Debug;
use std::str::FromStr;

use indexmap::IndexMap;
use thiserror::Error;

use crate::ir::Ir;
use crate::verify::Findings;

/// A transformation of the whole program.
pub trait Pass: Debug + Send + Sync {
    /// Runs it. The program must be valid before and after.
    fn run(&self, ir: &mut Ir) -> Result<(), PassError>;
}

impl<F: Fn(&mut Ir) -> Result<(), PassError> + Send + Sync + Debug> Pass for F {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        self(ir)
    }
}

/// A pass with its declaration, ready to run.
pub type PlannedPass = (PassInfo, Box<dyn Pass>);

/// Why a pass gave up.
#[derive(Debug, Error)]
pub enum PassError {
    /// Operations it cannot deal with.
    #[error("{} problem(s); the first: {}", .0.len(), .0.list().first().map(ToString::to_string).unwrap_or_default())]
    Findings(Findings),
    /// Any other reason.
    #[error("{0}")]
    Other(String),
}

/// A pass, before it is constructed.
#[derive(Clone, Copy, Debug)]
pub struct PassInfo {
    /// Its name in pipelines, kebab-case.
    pub name: &'static str,
    /// What it does, one line.
    pub summary: &'static str,
    /// The options it takes.
    pub options: &'static [OptionInfo],
    /// Makes the pass.
    pub create: fn(&PassOptions) -> Result<Box<dyn Pass>, PassError>,
}

/// An option of a pass.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Its name.
    pub name: &'static str,
    /// Its value if it is not given; `None` if it must be.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

/// Values of a pass' options, all of them set.
#[derive(Clone, Debug, Default)]
pub struct PassOptions {
    values: IndexMap<&'static str, String>,
}

impl PassOptions {
    pub(super) fn set(&mut self, name: &'static str, value: String) -> bool {
        self.values.insert(name, value).is_none()
    }

    pub(super) fn fill(&mut self, options: &'static [OptionInfo]) -> Result<(), &'static OptionInfo> {
        for option in options {
            if self.values.contains_key(option.name) {
                continue;
            }
            self.values.insert(option.name, option.default.ok_or(option)?.to_owned());
        }
        Ok(())
    }

    /// The option's text; empty for an option the pass does not declare.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The option's value.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T, PassError> {
        let text = self.text(name);
        text.parse().map_err(|_| PassError::Other(format!("`{text}` is no value for the option `{name}`")))
    }
}

/// The passes a program knows, in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct PassRegistry {
    infos: IndexMap<&'static str, PassInfo>,
}

impl PassRegistry {
    /// No passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds passes.
    #[must_use]
    pub fn with(mut self, infos: &[PassInfo]) -> Self {
        for &info in infos {
            self.infos.insert(info.name, info);
        }
        self
    }

    /// The pass called `name`.
    pub fn find(&self, name: &str) -> Option<&PassInfo> {
        self.infos.get(name)
    }

    /// All passes.
    pub fn iter(&self) -> impl Iterator<Item = &PassInfo> {
        self.infos.values()
    }
}
