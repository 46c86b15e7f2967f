//! Attribute values and typed access to them.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::wire::{Field, Malformed, Reader, Tag, Writer};

/// Attributes of one owner. Ordered by key: the file format gives map entries no order, and a fixed one makes equal graphs
/// equal files.
pub type AttrMap = BTreeMap<String, Attr>;

/// Declares the attribute kinds from one table: field number in `AttrValue`, variant, Rust type, name in messages.
macro_rules! attr_kinds {
    ($($number:literal $kind:ident($ty:ty) $name:literal;)*) => {
        /// The value of an attribute. Readers fetch attributes by kind, so the kind is part of the contract of each
        /// attribute: an `int32` where a `uint64` is expected does not load.
        ///
        /// Every kind converts from its Rust type by `From`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Attr {
            $(#[doc = concat!("Kind `", $name, "`.")] $kind($ty),)*
        }

        /// The kind of an attribute value. The discriminants are the field numbers of the message `AttrValue`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum AttrKind {
            $(#[doc = concat!("`", $name, "`.")] $kind = $number,)*
        }

        impl AttrKind {
            /// Every kind, in the order of its field number.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The name used in messages and in the specification.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }

        impl Attr {
            /// The kind of this value.
            pub fn kind(&self) -> AttrKind {
                match self { $(Self::$kind(_) => AttrKind::$kind,)* }
            }

            /// Reads the field `tag` of an `AttrValue`; `None` when the field is not a known kind and was skipped.
            pub(crate) fn read_kind(reader: &mut Reader<'_>, tag: Tag) -> Result<Option<Self>, Malformed> {
                Ok(match tag.number {
                    $($number => Some(Self::$kind(Field::read(reader, tag)?)),)*
                    _ => {
                        reader.skip(tag)?;
                        None
                    }
                })
            }

            /// Writes this value as a field of an `AttrValue`.
            pub(crate) fn write_kind(&self, writer: &mut Writer) {
                match self { $(Self::$kind(value) => writer.field($number, value),)* }
            }
        }

        $(
            impl From<$ty> for Attr {
                fn from(value: $ty) -> Self {
                    Self::$kind(value)
                }
            }

            impl<'a> FromAttr<'a> for &'a $ty {
                const KIND: AttrKind = AttrKind::$kind;

                fn from_attr(attr: &'a Attr) -> Option<Self> {
                    match attr {
                        Attr::$kind(value) => Some(value),
                        _ => None,
                    }
                }
            }
        )*
    };
}

attr_kinds! {
    4  Bool(bool)                                  "bool";
    5  Int32(i32)                                  "int32";
    6  Uint32(u32)                                 "uint32";
    7  Int64(i64)                                  "int64";
    8  Uint64(u64)                                 "uint64";
    9  Float(f32)                                  "float";
    10 Double(f64)                                 "double";
    11 String(String)                              "string";
    12 Bytes(Bytes)                                "Bytes";
    13 BoolVec(Vec<bool>)                          "BoolVec";
    14 Int32Vec(Vec<i32>)                          "Int32Vec";
    15 Uint32Vec(Vec<u32>)                         "Uint32Vec";
    16 Int64Vec(Vec<i64>)                          "Int64Vec";
    17 Uint64Vec(Vec<u64>)                         "Uint64Vec";
    18 FloatVec(Vec<f32>)                          "FloatVec";
    19 DoubleVec(Vec<f64>)                         "DoubleVec";
    20 StringVec(Vec<String>)                      "StringVec";
    21 BytesVec(Vec<Bytes>)                        "BytesVec";
    22 Int32Map(BTreeMap<String, i32>)             "map string→int32";
    23 Uint32Map(BTreeMap<String, u32>)            "map string→uint32";
    24 Int64Map(BTreeMap<String, i64>)             "map string→int64";
    25 Uint64Map(BTreeMap<String, u64>)            "map string→uint64";
    26 StringMap(BTreeMap<String, String>)         "map string→string";
    27 BytesMap(BTreeMap<String, Bytes>)           "map string→Bytes";
    28 Int32VecMap(BTreeMap<String, Vec<i32>>)     "map string→Int32Vec";
    29 Uint32VecMap(BTreeMap<String, Vec<u32>>)    "map string→Uint32Vec";
    30 Int64VecMap(BTreeMap<String, Vec<i64>>)     "map string→Int64Vec";
    31 Uint64VecMap(BTreeMap<String, Vec<u64>>)    "map string→Uint64Vec";
    32 StringVecMap(BTreeMap<String, Vec<String>>) "map string→StringVec";
}

impl From<&str> for Attr {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<Vec<u8>> for Attr {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value.into())
    }
}

impl fmt::Display for AttrKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type an attribute can be fetched as: a reference to the type of any kind, the numbers and `bool` by value,
/// `&str` and slices.
pub trait FromAttr<'a>: Sized {
    /// The kind that holds such a value.
    const KIND: AttrKind;

    /// The value, or `None` when the attribute is of another kind.
    fn from_attr(attr: &'a Attr) -> Option<Self>;
}

macro_rules! from_attr_by_value {
    ($($ty:ty)*) => {$(
        impl<'a> FromAttr<'a> for $ty {
            const KIND: AttrKind = <&'a $ty>::KIND;

            fn from_attr(attr: &'a Attr) -> Option<Self> {
                <&'a $ty>::from_attr(attr).copied()
            }
        }
    )*};
}

from_attr_by_value!(bool i32 u32 i64 u64 f32 f64);

impl<'a> FromAttr<'a> for &'a str {
    const KIND: AttrKind = AttrKind::String;

    fn from_attr(attr: &'a Attr) -> Option<Self> {
        <&'a String>::from_attr(attr).map(String::as_str)
    }
}

impl<'a, T> FromAttr<'a> for &'a [T]
where
    &'a Vec<T>: FromAttr<'a>,
{
    const KIND: AttrKind = <&'a Vec<T>>::KIND;

    fn from_attr(attr: &'a Attr) -> Option<Self> {
        <&'a Vec<T>>::from_attr(attr).map(Vec::as_slice)
    }
}

/// Who carries an attribute, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The graph of this name.
    Graph(String),
    /// The op of this name.
    Op(String),
    /// The tensor of this name.
    Tensor(String),
    /// The subgraph of this name.
    Subgraph(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match self {
            Self::Graph(name) => ("graph", name),
            Self::Op(name) => ("op", name),
            Self::Tensor(name) => ("tensor", name),
            Self::Subgraph(name) => ("subgraph", name),
        };
        write!(f, "{what} {name:?}")
    }
}

/// An attribute that is not there or not of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{owner}: attribute {key:?} of kind {expected} {problem}")]
pub struct AttrError {
    /// Who should carry the attribute.
    pub owner: Owner,
    /// The name of the attribute.
    pub key: String,
    /// The kind asked for.
    pub expected: AttrKind,
    /// What is wrong.
    pub problem: AttrProblem,
}

/// What is wrong with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttrProblem {
    /// It does not exist.
    #[error("is missing")]
    Missing,
    /// It is of another kind.
    #[error("is expected, but it is of kind {0}; readers fetch attributes by kind")]
    Found(AttrKind),
}

/// Typed access to attributes, common to everything that carries some.
pub trait Attributed {
    /// All attributes.
    fn attrs(&self) -> &AttrMap;

    /// All attributes, to change them.
    fn attrs_mut(&mut self) -> &mut AttrMap;

    /// The name to use in messages.
    fn owner(&self) -> Owner;

    /// The attribute `key`, which must exist and be of the kind of `T`.
    fn attr<'a, T: FromAttr<'a>>(&'a self, key: &str) -> Result<T, AttrError> {
        self.attr_opt(key)?.ok_or_else(|| attr_error(self.owner(), key, T::KIND, AttrProblem::Missing))
    }

    /// The attribute `key`, which must be of the kind of `T` if it exists.
    fn attr_opt<'a, T: FromAttr<'a>>(&'a self, key: &str) -> Result<Option<T>, AttrError> {
        let Some(attr) = self.attrs().get(key) else { return Ok(None) };
        match T::from_attr(attr) {
            Some(value) => Ok(Some(value)),
            None => Err(attr_error(self.owner(), key, T::KIND, AttrProblem::Found(attr.kind()))),
        }
    }

    /// Sets the attribute `key`.
    fn set_attr(&mut self, key: impl Into<String>, value: impl Into<Attr>) {
        self.attrs_mut().insert(key.into(), value.into());
    }

    /// The same owner with the attribute `key` set.
    #[must_use]
    fn with_attr(mut self, key: impl Into<String>, value: impl Into<Attr>) -> Self
    where
        Self: Sized,
    {
        self.set_attr(key, value);
        self
    }
}

fn attr_error(owner: Owner, key: &str, expected: AttrKind, problem: AttrProblem) -> AttrError {
    AttrError { owner, key: key.to_owned(), expected, problem }
}
