//! Element types.

use std::fmt;

/// `TensorProto.DataType`: what the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementType(pub i32);

/// Names as ONNX writes them, by number.
const NAMES: [&str; 25] = [
    "undefined",
    "float",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "double",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "uint4",
    "int4",
    "float4e2m1",
    "float8e8m0",
];

impl ElementType {
    /// IEEE single.
    pub const FLOAT: Self = Self(1);
    /// Unsigned byte.
    pub const UINT8: Self = Self(2);
    /// Signed byte.
    pub const INT8: Self = Self(3);
    /// Unsigned, 16 bits.
    pub const UINT16: Self = Self(4);
    /// Signed, 16 bits.
    pub const INT16: Self = Self(5);
    /// Signed, 32 bits.
    pub const INT32: Self = Self(6);
    /// Signed, 64 bits.
    pub const INT64: Self = Self(7);
    /// Text.
    pub const STRING: Self = Self(8);
    /// A byte that is 0 or 1.
    pub const BOOL: Self = Self(9);
    /// IEEE half.
    pub const FLOAT16: Self = Self(10);
    /// IEEE double.
    pub const DOUBLE: Self = Self(11);
    /// Unsigned, 32 bits.
    pub const UINT32: Self = Self(12);
    /// Unsigned, 64 bits.
    pub const UINT64: Self = Self(13);
    /// The upper half of an IEEE single.
    pub const BFLOAT16: Self = Self(16);
    /// Unsigned, four bits.
    pub const UINT4: Self = Self(21);
    /// Signed, four bits.
    pub const INT4: Self = Self(22);

    /// Whether its elements are real numbers.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::FLOAT | Self::FLOAT16 | Self::DOUBLE | Self::BFLOAT16)
    }

    /// Whether its elements are whole numbers.
    pub const fn is_integer(self) -> bool {
        self.range().is_some()
    }

    /// Smallest and largest whole number; those of 64 bits without sign end where those with sign do.
    pub const fn range(self) -> Option<(i64, i64)> {
        Some(match self {
            Self::UINT8 => (0, u8::MAX as i64),
            Self::INT8 => (i8::MIN as i64, i8::MAX as i64),
            Self::UINT16 => (0, u16::MAX as i64),
            Self::INT16 => (i16::MIN as i64, i16::MAX as i64),
            Self::INT32 => (i32::MIN as i64, i32::MAX as i64),
            Self::INT64 => (i64::MIN, i64::MAX),
            Self::UINT32 => (0, u32::MAX as i64),
            Self::UINT64 => (0, i64::MAX),
            Self::UINT4 => (0, 15),
            Self::INT4 => (-8, 7),
            _ => return None,
        })
    }

    /// Bits of one element in `raw_data`, if this crate reads elements of this type.
    pub const fn bits(self) -> Option<usize> {
        Some(match self {
            Self::UINT4 | Self::INT4 => 4,
            Self::UINT8 | Self::INT8 | Self::BOOL => 8,
            Self::UINT16 | Self::INT16 | Self::FLOAT16 | Self::BFLOAT16 => 16,
            Self::FLOAT | Self::INT32 | Self::UINT32 => 32,
            Self::INT64 | Self::UINT64 | Self::DOUBLE => 64,
            _ => return None,
        })
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|number| NAMES.get(number)) {
            Some(name) => f.write_str(name),
            None => write!(f, "element type {}", self.0),
        }
    }
}
