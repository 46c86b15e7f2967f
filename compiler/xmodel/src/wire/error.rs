//! What can be wrong with the bytes of a message.

use std::fmt;

use thiserror::Error;

/// How a field is stored. The discriminants are the low three bits of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// Base-128 integer of 1 to 10 bytes, lowest group first.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A length and that many bytes: strings, bytes, messages, packed numbers.
    Length = 2,
    /// Four bytes, little-endian.
    Fixed32 = 5,
}

impl fmt::Display for WireType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Varint => "a variable-length integer",
            Self::Fixed64 => "8 fixed bytes",
            Self::Length => "a length with bytes",
            Self::Fixed32 => "4 fixed bytes",
        })
    }
}

/// Bytes that are not a message of the `.xmodel` schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}at byte {offset}: {cause}", PlacePrefix(.place))]
pub struct Malformed {
    /// Where in the graph, outermost part first: `op "conv1"`, `key "kernel"`.
    pub place: Vec<String>,
    /// Where in the file, in bytes from its start.
    pub offset: usize,
    /// What is wrong.
    pub cause: MalformedCause,
}

impl Malformed {
    pub(crate) fn new(offset: usize, cause: MalformedCause) -> Self {
        Self { place: Vec::new(), offset, cause }
    }

    /// The same error with one more enclosing part.
    pub(crate) fn within(mut self, part: impl fmt::Display) -> Self {
        self.place.insert(0, part.to_string());
        self
    }
}

struct PlacePrefix<'a>(&'a [String]);

impl fmt::Display for PlacePrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| write!(f, "{part}, "))
    }
}

/// What is wrong with the bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MalformedCause {
    /// A value or message runs past the end of what encloses it.
    #[error("{needed} bytes are announced but only {left} are left; the file is truncated, damaged or not an .xmodel")]
    Truncated {
        /// Bytes announced.
        needed: u64,
        /// Bytes left in the enclosing message.
        left: usize,
    },
    /// An integer has more than 10 bytes.
    #[error("an integer has more than 10 bytes; the file is damaged or not an .xmodel")]
    LongVarint,
    /// A tag has field number 0, a field number above 2²⁹ − 1 or an unknown wire type.
    #[error("{0:#x} is not a valid field tag; the file is damaged or not an .xmodel")]
    BadTag(u64),
    /// A field is not stored in the way its type demands.
    #[error("field {number} must be stored as {expected} but is {found}; the file is damaged or not an .xmodel")]
    WrongWireType {
        /// Field number in its message.
        number: u32,
        /// The wire type of the schema.
        expected: WireType,
        /// The wire type in the file.
        found: WireType,
    },
    /// A string is not UTF-8.
    #[error("a string is not valid UTF-8")]
    NotUtf8,
    /// A field that holds one value occurs twice, or a map has a key twice.
    #[error("{0} is given twice")]
    Repeated(String),
    /// A field is absent that no reader can do without.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An attribute has no value of a known kind.
    #[error("the attribute has no value of a known kind; readers refuse such a file")]
    NoAttrKind,
    /// A dimension above 2³¹ − 1.
    #[error("dimension {0} is above 2147483647 (only 4294967295, meaning unknown, is allowed there)")]
    Dimension(u32),
    /// The field `data_type` or `tensor_bit_width` holds something undefined.
    #[error("data type {data_type} of {bit_width} bits does not exist; known are types 0 to 6 with 1 to 64 bits")]
    DataType {
        /// Value of `data_type`.
        data_type: i32,
        /// Value of `tensor_bit_width`.
        bit_width: i32,
    },
    /// Messages are nested deeper than any graph needs.
    #[error("messages are nested more than {0} deep")]
    TooDeep(usize),
}
