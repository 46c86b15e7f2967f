//! Values.

use dpuc_dialects::weights::{ElementType, Weight};
use dpuc_dialects::{FloatKind, Ir, Type, TypeKind};
use ndarray::{Array, ArrayD, Dimension};

/// What the elements of a [`Tensor`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// Single-precision floats.
    F32,
    /// Signed bytes.
    I8,
}

/// The value of an operation's result: a dense tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// Floats.
    F32(ArrayD<f32>),
    /// Fixed-point codes; the fix point is in the type of the IR's value.
    I8(ArrayD<i8>),
}

impl Tensor {
    /// Floats in C order; `None` if their number is not that of the shape.
    pub fn from_f32(shape: &[usize], elements: Vec<f32>) -> Option<Self> {
        ArrayD::from_shape_vec(shape, elements).ok().map(Self::F32)
    }

    /// Codes in C order; `None` if their number is not that of the shape.
    pub fn from_i8(shape: &[usize], elements: Vec<i8>) -> Option<Self> {
        ArrayD::from_shape_vec(shape, elements).ok().map(Self::I8)
    }

    /// Dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32(array) => array.shape(),
            Self::I8(array) => array.shape(),
        }
    }

    /// What the elements are.
    pub const fn element(&self) -> ElementKind {
        match self {
            Self::F32(_) => ElementKind::F32,
            Self::I8(_) => ElementKind::I8,
        }
    }

    /// The floats, if that is what it holds.
    pub const fn as_f32(&self) -> Option<&ArrayD<f32>> {
        match self {
            Self::F32(array) => Some(array),
            Self::I8(_) => None,
        }
    }

    /// The codes, if that is what it holds.
    pub const fn as_i8(&self) -> Option<&ArrayD<i8>> {
        match self {
            Self::I8(array) => Some(array),
            Self::F32(_) => None,
        }
    }

    /// The tensor of a constant; `None` for element types that have no tensor here.
    pub(crate) fn from_weight(weight: &Weight) -> Option<Self> {
        match weight.element {
            ElementType::F32 => Self::from_f32(&weight.shape, weight.to_f32()?),
            ElementType::I8 => Self::from_i8(&weight.shape, weight.to_i8()?),
            ElementType::I32 | ElementType::I64 => None,
        }
    }

    /// Whether a value of type `ty` can be this tensor. Unknown dimensions accept every size.
    pub(crate) fn has_type(&self, ir: &Ir, ty: Type) -> bool {
        let Some(tensor) = ir.tensor(ty) else { return false };
        let element = match ir.type_kind(tensor.element) {
            TypeKind::Float(FloatKind::F32) => ElementKind::F32,
            TypeKind::Integer { width: 8, .. } => ElementKind::I8,
            _ => return false,
        };
        let fits = |(&expected, &size): (&Option<u64>, &usize)| expected.is_none_or(|dim| dim == size as u64);
        element == self.element()
            && tensor.shape.len() == self.shape().len()
            && tensor.shape.iter().zip(self.shape()).all(fits)
    }
}

impl<D: Dimension> From<Array<f32, D>> for Tensor {
    fn from(array: Array<f32, D>) -> Self {
        Self::F32(array.into_dyn())
    }
}

impl<D: Dimension> From<Array<i8, D>> for Tensor {
    fn from(array: Array<i8, D>) -> Self {
        Self::I8(array.into_dyn())
    }
}
