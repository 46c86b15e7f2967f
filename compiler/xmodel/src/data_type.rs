//! Tensor element types.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How the bits of a tensor element are read. The discriminants are the values of the field `data_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum Representation {
    /// Signed integer.
    Int = 0,
    /// Unsigned integer.
    Uint = 1,
    /// Signed fixed point: real = integer · 2^(−`fix_point`).
    Xint = 2,
    /// Unsigned fixed point.
    Xuint = 3,
    /// IEEE 754 binary floating point.
    Float = 4,
    /// Brain floating point.
    Bfloat = 5,
    /// Not known to the writer of the file.
    Unknown = 6,
}

impl Representation {
    /// Every representation, in the order of its number in the file.
    pub const ALL: [Self; 7] =
        [Self::Int, Self::Uint, Self::Xint, Self::Xuint, Self::Float, Self::Bfloat, Self::Unknown];

    /// The name in upper case, as in the string form of a data type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Uint => "UINT",
            Self::Xint => "XINT",
            Self::Xuint => "XUINT",
            Self::Float => "FLOAT",
            Self::Bfloat => "BFLOAT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The representation with this number in the field `data_type`.
    pub fn from_number(number: i32) -> Option<Self> {
        usize::try_from(number).ok().and_then(|index| Self::ALL.get(index).copied())
    }
}

/// The element type of a tensor. Its text form is name and width: `XINT8`, `FLOAT32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataType {
    /// How the bits are read.
    pub representation: Representation,
    /// Bits per element, 1 to 64; 0 only with [`Representation::Unknown`].
    pub bit_width: u32,
}

impl DataType {
    /// Every tensor inside a DPU subgraph.
    pub const XINT8: Self = Self { representation: Representation::Xint, bit_width: 8 };
    /// Every tensor of a quantised graph and the host tensors of a compiled one.
    pub const FLOAT32: Self = Self { representation: Representation::Float, bit_width: 32 };

    /// Whether [`DataType::bit_width`] is in the range its representation allows.
    pub fn is_valid(self) -> bool {
        let lowest = u32::from(self.representation != Representation::Unknown);
        (lowest..=64).contains(&self.bit_width)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.representation.name(), self.bit_width)
    }
}

/// A string that names no data type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a data type; write INT, UINT, XINT, XUINT, FLOAT, BFLOAT or UNKNOWN (all upper or all lower case) and \
     the width in bits, for example XINT8 or float32"
)]
pub struct ParseDataTypeError(pub String);

impl FromStr for DataType {
    type Err = ParseDataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (name, width) = text.split_at(digits);
        let representation =
            Representation::ALL.into_iter().find(|r| r.name() == name || r.name().to_ascii_lowercase() == name);
        let bit_width = if width.bytes().all(|b| b.is_ascii_digit()) { width.parse().ok() } else { None };
        match (representation, bit_width) {
            (Some(representation), Some(bit_width)) => Some(Self { representation, bit_width }),
            _ => None,
        }
        .filter(|data_type| data_type.is_valid())
        .ok_or_else(|| ParseDataTypeError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_in_both_cases() {
        for representation in Representation::ALL {
            for bit_width in [1, 8, 16, 32, 64] {
                let data_type = DataType { representation, bit_width };
                assert_eq!(data_type.to_string().parse(), Ok(data_type));
                assert_eq!(data_type.to_string().to_ascii_lowercase().parse(), Ok(data_type));
            }
            assert_eq!(Representation::from_number(representation as i32), Some(representation));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "XINT", "8", "Xint8", "XINT+8", "XINT0", "XINT65", "XINT8 ", "XINT99999999999", "DOUBLE64"] {
            assert_eq!(text.parse::<DataType>(), Err(ParseDataTypeError(text.to_owned())), "{text:?}");
        }
        assert_eq!(Representation::from_number(7), None);
        assert_eq!(Representation::from_number(-1), None);
    }
}
