//! What an operation is: operands, results, attributes, constraints and documentation, as data.
//!
//! A definition is a `static` built from the `const` functions below. Parsing, printing, verification and the op reference page all
//! read it; nothing else needs to know the operation. See [`crate::dialects::nn`] for examples.

use crate::ir::{Attribute, Ir, OpId};
use crate::verify::Findings;

/// One operation of a dialect.
#[derive(Debug)]
pub struct OpDefinition {
    /// `dialect.name`
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Further documentation, Markdown.
    pub description: &'static str,
    /// Operands in order. Optional ones come last; a variadic one is the last.
    pub operands: &'static [ValueDefinition],
    /// Results in order, with the same rule.
    pub results: &'static [ValueDefinition],
    /// Attributes it knows; others are errors unless [`Traits::OPEN_ATTRIBUTES`] is set.
    pub attributes: &'static [AttributeDefinition],
    /// Number of regions.
    pub regions: usize,
    /// Properties passes ask for.
    pub traits: Traits,
    /// Rules that tables cannot say, run after the tables' own checks succeeded.
    pub verify: Option<fn(&Ir, OpId, &mut Findings)>,
}

/// How many values an operand or result stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    One,
    /// None or one.
    Optional,
    /// Any number.
    Any,
    /// One or more.
    Some,
}

/// One operand or result.
#[derive(Clone, Copy, Debug)]
pub struct ValueDefinition {
    /// Its name in documentation and messages.
    pub name: &'static str,
    /// How many values.
    pub arity: Arity,
    /// Which types are accepted.
    pub constraint: TypeConstraint,
}

/// Which types a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeConstraint {
    /// Every type.
    Any,
    /// A ranked tensor of `f32`.
    FloatTensor,
    /// A ranked tensor of `f32` with four dimensions, NHWC.
    FloatMap,
    /// A ranked tensor of `i8` with a fix point.
    FixTensor,
    /// The same with four dimensions, NHWC.
    FixMap,
    /// A ranked tensor of `f32`, or of `i8` with a fix point.
    AnyTensor,
}

impl TypeConstraint {
    /// The constraint in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Any => "any type",
            Self::FloatTensor => "a tensor of f32",
            Self::FloatMap => "a four-dimensional tensor of f32 (NHWC)",
            Self::FixTensor => "a tensor of i8 with an `#int8.fix<p>` encoding",
            Self::FixMap => "a four-dimensional tensor of i8 (NHWC) with an `#int8.fix<p>` encoding",
            Self::AnyTensor => "a tensor of f32, or of i8 with an `#int8.fix<p>` encoding",
        }
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct AttributeDefinition {
    /// Its name.
    pub name: &'static str,
    /// Which values are accepted.
    pub kind: AttributeKind,
    /// What its absence means.
    pub presence: Presence,
    /// Whether the pretty form writes it, without its name, after the operands.
    pub positional: bool,
    /// What it means, with unit and order.
    pub doc: &'static str,
}

/// What the absence of an attribute means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Presence {
    /// An error.
    Required,
    /// Nothing.
    Optional,
    /// This value.
    Default(DefaultValue),
}

/// A default value that a `static` can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// An integer.
    Int(i64),
    /// A list of integers.
    Ints(&'static [i64]),
    /// A truth value.
    Bool(bool),
    /// A string.
    Str(&'static str),
}

impl DefaultValue {
    /// Whether an attribute says no more than its absence.
    pub fn is(self, value: &Attribute) -> bool {
        match self {
            Self::Int(default) => value.as_int() == Some(default),
            Self::Ints(default) => value.as_ints().as_deref() == Some(default),
            Self::Bool(default) => value.as_bool() == Some(default),
            Self::Str(default) => value.as_str() == Some(default),
        }
    }
}

/// Which values an attribute accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeKind {
    /// Everything.
    Any,
    /// Present or absent.
    Unit,
    /// `true`, `false`
    Bool,
    /// An integer between the bounds, inclusive.
    Int(i64, i64),
    /// A float.
    Float,
    /// A string.
    Str,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A list of integers between the bounds, of this length (0: any length).
    Ints(usize, i64, i64),
    /// A list of floats of this length.
    Floats(usize),
    /// `@name`
    Symbol,
    /// `@name` or `dense<…>`
    Weights,
    /// A type.
    Type,
    /// A dictionary.
    Dictionary,
    /// A list of anything.
    Array,
}

/// Properties of an operation, a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits(u16);

impl Traits {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Has no effect but its results: may be removed when they are unused, and merged with an equal one.
    pub const PURE: Self = Self(1);
    /// Ends its block.
    pub const TERMINATOR: Self = Self(2);
    /// Its regions see no value defined outside.
    pub const ISOLATED: Self = Self(4);
    /// Defines the symbol named by its `sym_name`.
    pub const SYMBOL: Self = Self(8);
    /// Its region is a scope of symbols.
    pub const SYMBOL_TABLE: Self = Self(16);
    /// Each region has exactly one block without terminator.
    pub const NO_TERMINATOR: Self = Self(32);
    /// Accepts attributes its table does not list.
    pub const OPEN_ATTRIBUTES: Self = Self(64);
    /// Printed as a function: `@name(%arg: T) -> R`.
    pub const FUNCTION: Self = Self(128);
    /// Its regions are lists of declarations or graphs: the order of definition and use is free.
    pub const GRAPH_REGION: Self = Self(256);

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A dialect: a name, its documentation and its operations.
#[derive(Debug)]
pub struct Dialect {
    /// The prefix of its operations.
    pub name: &'static str,
    /// What it is for, Markdown.
    pub description: &'static str,
    /// Its operations in the order of the reference page.
    pub operations: &'static [&'static OpDefinition],
}

/// Starts a definition.
pub const fn op(name: &'static str, summary: &'static str) -> OpDefinition {
    OpDefinition {
        name,
        summary,
        description: "",
        operands: &[],
        results: &[],
        attributes: &[],
        regions: 0,
        traits: Traits::NONE,
        verify: None,
    }
}

impl OpDefinition {
    /// Whether `value` is what the absence of the attribute `name` means.
    pub fn is_default(&self, name: &str, value: &Attribute) -> bool {
        match self.attribute(name).map(|attribute| attribute.presence) {
            Some(Presence::Default(default)) => default.is(value),
            _ => false,
        }
    }

    /// Adds further documentation.
    #[must_use]
    pub const fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Sets the operands.
    #[must_use]
    pub const fn operands(mut self, operands: &'static [ValueDefinition]) -> Self {
        self.operands = operands;
        self
    }

    /// Sets the results.
    #[must_use]
    pub const fn results(mut self, results: &'static [ValueDefinition]) -> Self {
        self.results = results;
        self
    }

    /// Sets the attributes.
    #[must_use]
    pub const fn attributes(mut self, attributes: &'static [AttributeDefinition]) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the number of regions.
    #[must_use]
    pub const fn regions(mut self, regions: usize) -> Self {
        self.regions = regions;
        self
    }

    /// Adds properties.
    #[must_use]
    pub const fn traits(mut self, traits: Traits) -> Self {
        self.traits = self.traits.and(traits);
        self
    }

    /// Sets the rule that tables cannot say.
    #[must_use]
    pub const fn verify(mut self, verify: fn(&Ir, OpId, &mut Findings)) -> Self {
        self.verify = Some(verify);
        self
    }

    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDefinition> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Whether it is this very definition.
    pub fn is(&self, other: &'static Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// The name without the dialect.
    pub fn short_name(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, short)| short)
    }
}

/// A value with arity [`Arity::One`].
pub const fn one(name: &'static str, constraint: TypeConstraint) -> ValueDefinition {
    ValueDefinition { name, arity: Arity::One, constraint }
}

/// A value that may be absent.
pub const fn optional(name: &'static str, constraint: TypeConstraint) -> ValueDefinition {
    ValueDefinition { name, arity: Arity::Optional, constraint }
}

/// Any number of values.
pub const fn any_number(name: &'static str, constraint: TypeConstraint) -> ValueDefinition {
    ValueDefinition { name, arity: Arity::Any, constraint }
}

/// One or more values.
pub const fn some(name: &'static str, constraint: TypeConstraint) -> ValueDefinition {
    ValueDefinition { name, arity: Arity::Some, constraint }
}

/// An attribute that must be there.
pub const fn required(name: &'static str, kind: AttributeKind, doc: &'static str) -> AttributeDefinition {
    AttributeDefinition { name, kind, presence: Presence::Required, positional: false, doc }
}

/// An attribute that may be absent.
pub const fn maybe(name: &'static str, kind: AttributeKind, doc: &'static str) -> AttributeDefinition {
    AttributeDefinition { name, kind, presence: Presence::Optional, positional: false, doc }
}

/// An attribute with a default value.
pub const fn default(
    name: &'static str,
    kind: AttributeKind,
    value: DefaultValue,
    doc: &'static str,
) -> AttributeDefinition {
    AttributeDefinition { name, kind, presence: Presence::Default(value), positional: false, doc }
}

impl AttributeDefinition {
    /// Written without its name, after the operands.
    #[must_use]
    pub const fn positional(mut self) -> Self {
        self.positional = true;
        self
    }
}
