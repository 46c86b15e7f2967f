//! Why a function cannot be compiled or run.

use dpuc_evaluate::EvalError;
use thiserror::Error;

/// Why a function cannot be compiled or run.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no function of this name with a body.
    #[error("no function `@{0}` with a body is in the module")]
    UnknownFunction(String),
    /// Calls are nested too deeply or in a cycle, or make the function too long.
    #[error("the calls in `@{function}` unfold to more than {limit} operations, or functions call themselves")]
    Calls {
        /// The compiled function.
        function: String,
        /// Most operations.
        limit: usize,
    },
    /// A value has a type that is no tensor of `f32` or `i8` with known dimensions, or has too many elements.
    #[error("`%{value}` of type {ty} cannot be compiled: {reason}")]
    Type {
        /// The value's name.
        value: String,
        /// The type as text.
        ty: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An operation cannot be lowered.
    #[error("{place}: `{op}` cannot be compiled: {reason}")]
    Operation {
        /// Name of the node in the framework's graph, or the operation's result.
        place: String,
        /// The operation's name.
        op: String,
        /// Why not.
        reason: String,
    },
    /// A constant cannot be read.
    #[error(transparent)]
    Constant(EvalError),
    /// The values that are alive together are too many.
    #[error("the function needs {bytes} bytes of memory for its values; at most {limit} are allowed")]
    Memory {
        /// Bytes of the arena.
        bytes: u64,
        /// The limit of the options.
        limit: u64,
    },
    /// The system has no memory for an arena.
    #[error("{0} bytes of memory cannot be had")]
    Allocation(usize),
    /// This machine has no code generator.
    #[error("no machine code can be generated: {0}")]
    Machine(String),
    /// The wrong number of inputs.
    #[error("the function takes {expected} inputs, but {found} are given")]
    InputCount {
        /// Number of its arguments.
        expected: usize,
        /// Number of inputs.
        found: usize,
    },
    /// An input has another type than the function's argument.
    #[error("input #{index} (`{name}`) must be {expected}, but has shape {found}")]
    InputType {
        /// Number of the input, 0 first.
        index: usize,
        /// The argument's name.
        name: String,
        /// The argument's shape and element type.
        expected: String,
        /// The input's.
        found: String,
    },
    /// An operation failed while the function ran.
    #[error("{place}: {reason}")]
    Run {
        /// The operation.
        place: String,
        /// Why.
        reason: String,
    },
}
