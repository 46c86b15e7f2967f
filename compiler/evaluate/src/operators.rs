//! Operators that users supply for what this library does not know.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dpuc_dialects::{Attribute, Ir, OpId};

use crate::tensor::Tensor;

/// One call of a user-supplied operator.
#[derive(Clone, Copy, Debug)]
pub struct CustomCall<'a> {
    pub(crate) ir: &'a Ir,
    pub(crate) op: OpId,
    /// The values of its operands.
    pub inputs: &'a [&'a Tensor],
}

impl<'a> CustomCall<'a> {
    /// The framework's name of the operator.
    pub fn name(&self) -> &'a str {
        self.ir.str(self.op, "type").unwrap_or_default()
    }

    /// The shape its result must have; empty if the IR leaves a dimension open.
    pub fn shape(&self) -> Vec<usize> {
        self.ir.shape_of(self.ir.result(self.op)).unwrap_or_default()
    }

    /// The fix point of its result, if that is a tensor of codes.
    pub fn fix_point(&self) -> Option<i32> {
        self.ir.fix_of(self.ir.result(self.op))
    }

    /// The fix point of an operand, if that is a tensor of codes.
    pub fn input_fix_point(&self, index: usize) -> Option<i32> {
        self.ir.operands(self.op).get(index).and_then(|&operand| self.ir.fix_of(operand))
    }

    /// One of its attributes in the framework's graph.
    pub fn parameter(&self, name: &str) -> Option<&'a Attribute> {
        let Some(Attribute::Dictionary(entries)) = self.ir.attribute(self.op, "parameters") else { return None };
        entries.iter().find(|(key, _)| self.ir.text(*key) == name).map(|(_, value)| value)
    }
}

/// What a user-supplied operator computes; an error says why it cannot.
type Function = dyn Fn(&CustomCall<'_>) -> Result<Tensor, String> + Send + Sync;

/// User-supplied operators by the framework's name, for `nn.custom` operations of that type. A result of another shape or element type
/// than the IR says is an error.
///
/// ```
/// use dpuc_evaluate::{Operators, Tensor};
///
/// let operators = Operators::new().with("negate", |call| match call.inputs {
///     [Tensor::F32(x)] => Ok(Tensor::F32(x.mapv(|x| -x))),
///     _ => Err("takes one tensor of floats".to_owned()),
/// });
/// assert_eq!(operators.names().collect::<Vec<_>>(), ["negate"]);
/// ```
#[derive(Clone, Default)]
pub struct Operators(BTreeMap<String, Arc<Function>>);

impl Operators {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, in place of another of the same name.
    #[must_use]
    pub fn with(
        mut self,
        name: &str,
        function: impl Fn(&CustomCall<'_>) -> Result<Tensor, String> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name.to_owned(), Arc::new(function));
        self
    }

    /// Whether there is one of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name).map(|function| &**function)
    }
}

impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
