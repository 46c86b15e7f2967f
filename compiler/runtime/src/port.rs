//! Inputs and outputs of networks and subgraphs.

use dpuc_evaluate::Tensor;
use dpuc_xmodel::{Attributed, Op};

use crate::error::RuntimeError;

/// A tensor that enters or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The tensor's name.
    pub name: String,
    /// The operator that produces it.
    pub op: String,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its fix point, if it is a fixed-point tensor: real = integer · 2^(−`fix_point`).
    pub fix_point: Option<i32>,
}

impl Port {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The output tensor of an operator; `None` if a dimension is unknown or the size overflows.
    pub(crate) fn of(op: &Op) -> Option<Self> {
        let fix_point = op.tensor.attr_opt::<i32>("fix_point").ok().flatten();
        let fixed = op.tensor.data_type.bit_width == 8;
        Some(Self {
            name: op.tensor.name.clone(),
            op: op.name.clone(),
            shape: shape(&op.tensor)?,
            fix_point: fix_point.filter(|_| fixed),
        })
    }

    /// Refuses a tensor of another shape.
    pub(crate) fn check(&self, tensor: &Tensor) -> Result<(), RuntimeError> {
        if tensor.shape() == self.shape {
            return Ok(());
        }
        let (name, expected, found) = (self.name.clone(), self.shape.clone(), tensor.shape().to_vec());
        Err(RuntimeError::InputShape { name, expected, found })
    }

    /// Whether a user's `name` means this tensor: its name, its operator's, or either with `/` written as `_`.
    pub fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.op].iter().any(|own| *own == name || own.replace('/', "_") == name)
    }
}

/// Dimensions of a tensor; `None` if one is unknown or the number of elements overflows.
pub(crate) fn shape(tensor: &dpuc_xmodel::Tensor) -> Option<Vec<usize>> {
    tensor.num_elements()?;
    tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect()
}
