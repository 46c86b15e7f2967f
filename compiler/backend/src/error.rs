//! Why a module cannot be compiled.

use dpuc_codegen::EmitError;
use dpuc_dialects::verify::{Findings, verify};
use dpuc_dialects::{Ir, OpId};
use dpuc_isa::{FieldError, IllegalInstruction};
use dpuc_xmodel::InvalidGraph;
use thiserror::Error;

use crate::names::operation_name;
use crate::operator::Reason;
use crate::program::ProgramError;

/// Why a module cannot be compiled.
#[derive(Debug, Error)]
pub enum BackendError {
    /// The module breaks rules of its dialects.
    #[error("the module {step} is not valid:{}", list(findings))]
    Invalid {
        /// When it was checked.
        step: &'static str,
        /// The broken rules.
        findings: Findings,
    },
    /// There is nothing to compile.
    #[error("the module has no function `@main`; the network must be a `func.func` of that name")]
    NoMain,
    /// There is nothing to place or emit.
    #[error(
        "the module has no `dpu.subgraph`; run `partition` first, and note that it makes none if nothing suits the DPU"
    )]
    NoSubgraph,
    /// A subgraph is for another target.
    #[error("`@{subgraph}` is for {found}, not for {target}; all steps need the same target")]
    OtherTarget {
        /// The subgraph.
        subgraph: String,
        /// Its target.
        found: String,
        /// The target asked for.
        target: String,
    },
    /// The function has no straight-line body.
    #[error("`@{function}` has {blocks} blocks; a network is one block of operations")]
    Blocks {
        /// The function or subgraph.
        function: String,
        /// Number of its blocks.
        blocks: usize,
    },
    /// A dimension is not known.
    #[error("`{name}` gives a value of type {ty}; compiling needs tensors whose dimensions are all known")]
    UnknownShape {
        /// The operation or argument.
        name: String,
        /// The type.
        ty: String,
    },
    /// A constant cannot be read.
    #[error("constant `{name}`: {reason}")]
    Constant {
        /// The constant.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// An operation inside a subgraph is none the accelerator runs.
    #[error("`{name}` is in DPU subgraph `@{subgraph}`, but the DPU cannot run it: {reason}; move it to `@main`")]
    NotForDpu {
        /// The operation.
        name: String,
        /// The subgraph.
        subgraph: String,
        /// Why.
        reason: Box<Reason>,
    },
    /// A subgraph, superlayer or placement is not as the earlier steps leave it.
    #[error("DPU subgraph `@{subgraph}`: {problem}")]
    Unplanned {
        /// The subgraph.
        subgraph: String,
        /// What is wrong.
        problem: String,
    },
    /// A region would be larger than 29-bit addresses reach.
    #[error(
        "DPU subgraph `@{subgraph}` needs {size} bytes in REG_{region}; the DPU addresses {max}; split the network or reduce \
         its maps",
        max = 1u64 << 29
    )]
    RegionTooLarge {
        /// The subgraph.
        subgraph: String,
        /// The region.
        region: usize,
        /// Bytes it would need.
        size: u64,
    },
    /// A layer cannot be emitted at its place.
    #[error("`{name}`: {error}")]
    Emit {
        /// The operation.
        name: String,
        /// What the code generator says.
        error: EmitError,
    },
    /// The finished program breaks a rule of the target, which is a fault of this compiler.
    #[error(
        "the program of `@{subgraph}` is not legal on the target: {error}; please report this as a fault of the compiler"
    )]
    Illegal {
        /// The subgraph.
        subgraph: String,
        /// The rule.
        error: IllegalInstruction,
    },
    /// A `dpu.program` cannot be read.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// An instruction has a value its field cannot hold.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// An operation of the host has no form in an `.xmodel`.
    #[error("`{name}` cannot be written to an .xmodel: {reason}")]
    NotExportable {
        /// The operation.
        name: String,
        /// Why.
        reason: String,
    },
    /// The exported graph breaks a convention of the format.
    #[error(transparent)]
    Graph(#[from] InvalidGraph),
}

impl BackendError {
    /// An operation inside a subgraph that the DPU cannot run.
    pub(crate) fn not_for_dpu(ir: &Ir, op: OpId, subgraph: &str, reason: Reason) -> Self {
        let name = operation_name(ir, op).to_owned();
        Self::NotForDpu { name, subgraph: subgraph.to_owned(), reason: Box::new(reason) }
    }
}

fn list(findings: &Findings) -> String {
    let lines: Vec<String> = findings.list().iter().map(|finding| format!("\n  {finding}")).collect();
    lines.concat()
}

/// Checks the module between two steps.
///
/// # Errors
/// [`BackendError::Invalid`] with everything that is wrong.
pub(crate) fn check(ir: &Ir, step: &'static str) -> Result<(), BackendError> {
    let findings = verify(ir);
    if findings.is_empty() { Ok(()) } else { Err(BackendError::Invalid { step, findings }) }
}
