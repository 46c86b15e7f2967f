//! Attributes: compile-time constants attached to operations.

use std::sync::Arc;

use super::entities::{Name, Type};

/// An attribute. Cheap to clone: everything long is shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Present or absent.
    Unit,
    /// `true`, `false`
    Bool(bool),
    /// `3`, `3 : i32`; without a type it is an `i64`.
    Integer(i64, Option<Type>),
    /// `1.5`, `1.5 : f32`; without a type it is an `f64`.
    Float(f64, Option<Type>),
    /// `"text"`
    String(Arc<str>),
    /// `@a::@b`
    Symbol(Arc<[Arc<str>]>),
    /// `[a, b]`
    Array(Arc<[Attribute]>),
    /// `{a = 1, b}`
    Dictionary(Arc<[(Name, Attribute)]>),
    /// A type.
    Type(Type),
    /// `dense<…> : T`
    Dense(Dense),
    /// `array<i64: 1, 2>`
    DenseArray(Type, Arc<[i64]>),
    /// `#dialect.name<…>`, as text.
    Opaque(Arc<str>),
}

/// A small constant tensor written in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Its tensor type.
    pub ty: Type,
    /// Its elements.
    pub elements: DenseElements,
}

/// Elements of a [`Dense`], in C order. One element stands for all (a splat).
#[derive(Clone, Debug, PartialEq)]
pub enum DenseElements {
    /// Integers of any width.
    Integers(Arc<[i64]>),
    /// Floats, kept as `f64` (every `f32` is exact).
    Floats(Arc<[f64]>),
    /// A form this library does not interpret, e.g. hexadecimal, as text between the brackets.
    Text(Arc<str>),
}

impl Attribute {
    /// An untyped integer.
    pub const fn int(value: i64) -> Self {
        Self::Integer(value, None)
    }

    /// An array of untyped integers.
    pub fn ints(values: impl IntoIterator<Item = i64>) -> Self {
        Self::Array(values.into_iter().map(Self::int).collect())
    }

    /// An array of untyped floats.
    pub fn floats(values: impl IntoIterator<Item = f64>) -> Self {
        Self::Array(values.into_iter().map(|value| Self::Float(value, None)).collect())
    }

    /// A string.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A reference to a top-level symbol.
    pub fn symbol(name: impl Into<Arc<str>>) -> Self {
        Self::Symbol(Arc::new([name.into()]))
    }

    /// The integer, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Integer(value, _) => Some(*value),
            _ => None,
        }
    }

    /// The number as a float, if it is one.
    pub const fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value, _) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The integers, if it is an array of nothing else.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        match self {
            Self::Array(elements) => elements.iter().map(Self::as_int).collect(),
            Self::DenseArray(_, elements) => Some(elements.to_vec()),
            _ => None,
        }
    }

    /// The floats, if it is an array of nothing else.
    pub fn as_floats(&self) -> Option<Vec<f64>> {
        self.as_array()?.iter().map(Self::as_float).collect()
    }

    /// The symbol's name, if it is a flat symbol reference.
    pub fn as_symbol(&self) -> Option<&str> {
        match self {
            Self::Symbol(path) if path.len() == 1 => Some(&path[0]),
            _ => None,
        }
    }

    /// The type, if it is one.
    pub const fn as_type(&self) -> Option<Type> {
        match self {
            Self::Type(ty) => Some(*ty),
            _ => None,
        }
    }
}
