//! Running passes.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::registry::{PassError, PassInfo, PlannedPass};
use crate::ir::Ir;
use crate::text::{PrintOptions, print};
use crate::verify::{Findings, verify};

/// Runs passes one after another.
#[derive(Debug)]
pub struct PassManager {
    passes: Vec<PlannedPass>,
    /// Whether the program is verified after every pass.
    pub verify: bool,
    /// Whether each pass' event says if it changed the program. Costs a print of the program for every pass.
    pub detect_changes: bool,
}

/// What the observer hears after each pass.
#[derive(Debug)]
pub struct PassEvent<'a> {
    /// The pass.
    pub pass: &'a PassInfo,
    /// Number of the pass, 0 first.
    pub index: usize,
    /// The program as the pass left it.
    pub ir: &'a Ir,
    /// Whether the program changed, if that was asked for.
    pub changed: Option<bool>,
}

/// How long a pass and the verification after it took.
#[derive(Clone, Copy, Debug)]
pub struct PassTime {
    /// The pass' name.
    pub name: &'static str,
    /// The pass itself.
    pub pass: Duration,
    /// The verification.
    pub verify: Duration,
}

/// A pass failed, or left an invalid program.
#[derive(Debug, Error)]
pub enum PassFailure {
    /// The pass gave up.
    #[error("the pass `{pass}` failed: {error}")]
    Pass {
        /// The pass' name.
        pass: &'static str,
        /// Its reason.
        error: PassError,
    },
    /// The program is invalid; a bug of the pass, or of the input if no pass has run yet.
    #[error("the program is invalid {}: {} finding(s)", after.map_or_else(|| "before any pass".to_owned(), |pass| format!("after the pass `{pass}`")), findings.len())]
    Invalid {
        /// The pass after which it was invalid.
        after: Option<&'static str>,
        /// What is wrong.
        findings: Findings,
    },
}

impl PassManager {
    /// A manager that verifies.
    pub fn new(passes: Vec<PlannedPass>) -> Self {
        Self { passes, verify: true, detect_changes: false }
    }

    /// Runs all passes; `observe` is called after each.
    pub fn run(&self, ir: &mut Ir, mut observe: impl FnMut(&PassEvent<'_>)) -> Result<Vec<PassTime>, PassFailure> {
        let check = |ir: &Ir, after| {
            let findings = if self.verify { verify(ir) } else { Findings::default() };
            if findings.is_empty() { Ok(()) } else { Err(PassFailure::Invalid { after, findings }) }
        };
        check(ir, None)?;
        let text = |ir: &Ir| self.detect_changes.then(|| print(ir, PrintOptions { generic: true, locations: true }));
        let mut before = text(ir);
        let mut times = Vec::with_capacity(self.passes.len());
        for (index, (info, pass)) in self.passes.iter().enumerate() {
            let start = Instant::now();
            pass.run(ir).map_err(|error| PassFailure::Pass { pass: info.name, error })?;
            let ran = Instant::now();
            check(ir, Some(info.name))?;
            times.push(PassTime { name: info.name, pass: ran - start, verify: ran.elapsed() });
            let after = text(ir);
            let changed = after.as_ref().map(|after| Some(after) != before.as_ref());
            observe(&PassEvent { pass: info, index, ir, changed });
            before = after;
        }
        Ok(times)
    }
}
