//! Why a function cannot be evaluated.

use dpuc_kernels::reference::KernelError;
use thiserror::Error;

/// Why a function cannot be evaluated, and where.
#[derive(Debug, Error)]
pub enum EvalError {
    /// There is no function of this name with a body.
    #[error("no function `@{0}` with a body is in the module")]
    UnknownFunction(String),
    /// The wrong number of inputs.
    #[error("`@{function}` takes {expected} inputs, but {found} are given")]
    InputCount {
        /// The function.
        function: String,
        /// Number of its arguments.
        expected: usize,
        /// Number of inputs.
        found: usize,
    },
    /// An input has another type than the function's argument.
    #[error("input #{index} of `@{function}` must be a {expected}, but has shape {found:?} of {element}")]
    InputType {
        /// The function.
        function: String,
        /// Number of the input, 0 first.
        index: usize,
        /// The argument's type as text.
        expected: String,
        /// The input's shape.
        found: Vec<usize>,
        /// The input's element type.
        element: &'static str,
    },
    /// A value is needed that nothing computes: an argument of a function that is evaluated from the middle.
    #[error("the value `%{0}` is needed, but it is an argument and not given")]
    Unavailable(String),
    /// Calls are nested too deeply, or in a cycle.
    #[error("calls are nested more than {limit} deep at `@{function}`; functions must not call themselves")]
    Depth {
        /// The function that would be entered.
        function: String,
        /// The limit.
        limit: usize,
    },
    /// Functions call each other too often.
    #[error("more than {limit} calls are made; a network calls each of its functions a few times")]
    Calls {
        /// The limit.
        limit: usize,
    },
    /// An operation cannot be evaluated.
    #[error("{place}: `{op}` {problem}")]
    Operation {
        /// Name of the node in the framework's graph, or the operation's result.
        place: String,
        /// The operation's name.
        op: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
}

/// Why one operation cannot be evaluated.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no evaluator for it.
    #[error("has no evaluator; give its result to the evaluator to go on behind it")]
    NoEvaluator,
    /// An operator of the framework that is not known here.
    #[error(
        "of type `{0}` has no evaluator: the operator is not known here; register a function for it, or give its result to the evaluator to go on behind it"
    )]
    Custom(String),
    /// A user-supplied operator refuses its operands.
    #[error("of type `{operator}` cannot be evaluated by the function registered for it: {reason}")]
    UserSupplied {
        /// The operator.
        operator: String,
        /// What the function says.
        reason: String,
    },
    /// An operand is missing or has another element type or rank than the operation takes.
    #[error("has no operand #{index} that is {expected}")]
    Operand {
        /// Number of the operand, 0 first.
        index: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// An attribute is missing, of another kind, or out of range.
    #[error("has no usable attribute `{0}`")]
    Attribute(&'static str),
    /// The type of the result lacks what the operation needs.
    #[error("has a result whose type is no {0}")]
    ResultType(&'static str),
    /// A constant's symbol is not in the side file.
    #[error("refers to the constant `@{0}`, which is not in the side file")]
    MissingConstant(String),
    /// A constant is in a form that is not supported.
    #[error("has a constant in a form that cannot be evaluated: {0}")]
    ConstantForm(&'static str),
    /// The result has another shape or element type than the IR says; the IR was not verified.
    #[error("gives a result of shape {found:?}, but its type is {expected}")]
    Result {
        /// Shape of the result.
        found: Vec<usize>,
        /// The type as text.
        expected: String,
    },
    /// The kernel refuses its operands or parameters.
    #[error("cannot be evaluated: {0}")]
    Kernel(#[from] KernelError),
    /// Operands that do not fit each other.
    #[error("cannot be evaluated: {0}")]
    Shapes(String),
}
