//! Types.

use super::entities::Type;

/// The content of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `i8`, `si8`, `ui8`
    Integer {
        /// Bits.
        width: u32,
        /// `true` for `si`, `false` for `ui`, `None` for signless.
        signed: Option<bool>,
    },
    /// `f16`, `bf16`, `f32`, `f64`
    Float(FloatKind),
    /// `index`
    Index,
    /// `none`
    None,
    /// `tensor<…>`
    Tensor(TensorType),
    /// `(inputs) -> results`
    Function {
        /// Argument types.
        inputs: Box<[Type]>,
        /// Result types.
        results: Box<[Type]>,
    },
    /// `tuple<…>`
    Tuple(Box<[Type]>),
    /// A type of a dialect this library does not know, as text.
    Opaque(Box<str>),
}

/// Floating-point formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatKind {
    /// IEEE half.
    F16,
    /// Brain float.
    BF16,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
}

impl FloatKind {
    /// The type's text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The format with this text.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::F16, Self::BF16, Self::F32, Self::F64].into_iter().find(|kind| kind.name() == name)
    }
}

/// A ranked tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// Dimensions, outermost first; `None` is an unknown dimension.
    pub shape: Box<[Option<u64>]>,
    /// Element type.
    pub element: Type,
    /// What the elements mean beyond their type.
    pub encoding: Option<Encoding>,
}

/// The encoding of a tensor's elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `#int8.fix<p>`: the value is `q * 2^-p`.
    Fix(i32),
    /// Any other attribute, as text.
    Opaque(Box<str>),
}

impl TensorType {
    /// The shape if every dimension is known.
    pub fn static_shape(&self) -> Option<Vec<usize>> {
        self.shape.iter().map(|dim| dim.and_then(|d| usize::try_from(d).ok())).collect()
    }

    /// The fix point, if the elements are fixed-point numbers.
    pub fn fix_point(&self) -> Option<i32> {
        match self.encoding {
            Some(Encoding::Fix(point)) => Some(point),
            _ => None,
        }
    }
}
