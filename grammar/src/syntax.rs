//! The syntax tree of IR text.
//!
//! Every node borrows from the source and knows its span. The tree says what was written, not what it means: names are not resolved,
//! attribute and type texts are checked for shape only.

use std::borrow::Cow;

/// A byte range of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A parsed file.
#[derive(Clone, Debug, Default)]
pub struct Document<'a> {
    /// `#name = attribute`, `!name = type`, `#loc1 = loc(..)`.
    pub aliases: Vec<Alias<'a>>,
    /// Top-level operations.
    pub operations: Vec<Operation<'a>>,
}

/// A piece of text with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The text without sigil (`%`, `@`, `^`, `#`, `!`) and without quotes. Escapes of a quoted name are as written;
    /// [`crate::unescape`] resolves them.
    pub text: &'a str,
    /// The place, sigil and quotes included.
    pub span: Span,
}

/// An alias definition.
#[derive(Clone, Debug)]
pub struct Alias<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// What it stands for.
    pub value: AliasValue<'a>,
}

/// What an alias stands for.
#[derive(Clone, Debug)]
pub enum AliasValue<'a> {
    /// `#name = attribute`
    Attribute(Attribute<'a>),
    /// `!name = type`
    Type(Type<'a>),
    /// `#name = loc(..)`
    Location(Location<'a>),
}

/// Whether an operation was written `"dialect.op"(…)` or `dialect.op …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// MLIR's generic form.
    Generic,
    /// The form for people.
    Pretty,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    /// From the first result name to the last character.
    pub span: Span,
    /// `%a, %b:2 =`
    pub results: Vec<ResultName<'a>>,
    /// `dialect.op`; `module` is written without dialect and reported as `builtin.module`.
    pub name: Name<'a>,
    /// How it was written.
    pub form: Form,
    /// Operands and positional attributes in the order written. Generic form: operands only. Functions and modules: their symbol. Calls
    /// written `@f(%x)`: the symbol and the operands.
    pub arguments: Vec<Argument<'a>>,
    /// `(%x: T, …)` after the symbol of a pretty function; they become the arguments of the entry block.
    pub parameters: Option<Vec<Parameter<'a>>>,
    /// `[^bb1, ^bb2]` of the generic form.
    pub successors: Vec<Name<'a>>,
    /// `<{…}>` properties and `{…}` attributes together, in the order written. The visibility of a pretty function is
    /// `sym_visibility`, attributes of its results are `res_attrs`: an array with one dictionary for each result.
    pub attributes: Vec<Entry<'a>>,
    /// Regions in order.
    pub regions: Vec<Region<'a>>,
    /// Text after `:` (or the `-> T` of a pretty function, as [`Signature::Function`] without inputs).
    pub signature: Option<Signature<'a>>,
    /// `loc(..)`
    pub location: Option<Location<'a>>,
}

/// `%name` or `%name:count` on the left of `=`.
#[derive(Clone, Copy, Debug)]
pub struct ResultName<'a> {
    /// The name.
    pub name: Name<'a>,
    /// Number of results it names, 1 if not written.
    pub count: u32,
}

/// An operand or a positional attribute.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// `%x` or `%x#1`
    Value(ValueUse<'a>),
    /// `@symbol`, a literal, …
    Attribute(Attribute<'a>),
}

/// A use of a value.
#[derive(Clone, Copy, Debug)]
pub struct ValueUse<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The number after `#`, 0 if not written.
    pub index: u32,
}

/// A block argument or function parameter.
#[derive(Clone, Debug)]
pub struct Parameter<'a> {
    /// Its name; the text is empty where a function declaration states the type only.
    pub name: Name<'a>,
    /// Its type.
    pub ty: Type<'a>,
    /// `{…}` after the type of a function parameter.
    pub attributes: Vec<Entry<'a>>,
    /// `loc(..)`
    pub location: Option<Location<'a>>,
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region<'a> {
    /// Braces included.
    pub span: Span,
    /// Blocks in order; the first may have no label.
    pub blocks: Vec<Block<'a>>,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The whole block.
    pub span: Span,
    /// `^name`, if written.
    pub label: Option<Name<'a>>,
    /// Its arguments.
    pub parameters: Vec<Parameter<'a>>,
    /// Its operations.
    pub operations: Vec<Operation<'a>>,
}

/// The types an operation states.
#[derive(Clone, Debug)]
pub enum Signature<'a> {
    /// `T` or `T, U`
    Types(Vec<Type<'a>>),
    /// `(T, U) -> V` or `(T) -> (V, W)`
    Function {
        /// Operand types.
        inputs: Vec<Type<'a>>,
        /// Result types.
        results: Vec<Type<'a>>,
    },
}

/// A type as text; [`crate::parse_type`] gives its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type<'a> {
    /// The text without surrounding blanks.
    pub text: &'a str,
    /// The place.
    pub span: Span,
}

/// `name = value`, or `name` alone for a unit attribute.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The name; quotes around it are not part of it.
    pub name: Name<'a>,
    /// The value.
    pub value: Attribute<'a>,
}

/// An attribute with its place.
#[derive(Clone, Debug)]
pub struct Attribute<'a> {
    /// The place.
    pub span: Span,
    /// What is written there.
    pub kind: AttributeKind<'a>,
}

/// The kinds of attribute.
#[derive(Clone, Debug)]
pub enum AttributeKind<'a> {
    /// No value, or `unit`.
    Unit,
    /// `true`, `false`
    Bool(bool),
    /// `-3`, `0x1F`, `3 : i32`; the text without the type. With a float type, hexadecimal digits are the bits of the float.
    Integer {
        /// The digits as written, sign included.
        text: &'a str,
        /// The stated type.
        ty: Option<Type<'a>>,
    },
    /// `1.5e-3`, `1.0 : f64`
    Float {
        /// The number as written.
        text: &'a str,
        /// The stated type.
        ty: Option<Type<'a>>,
    },
    /// `"text"`, escapes resolved.
    String(Cow<'a, str>),
    /// `@a` or `@a::@b`
    Symbol(Vec<Name<'a>>),
    /// `[a, b]`
    Array(Vec<Attribute<'a>>),
    /// `{a = 1}`
    Dictionary(Vec<Entry<'a>>),
    /// A type used as attribute.
    Type(Type<'a>),
    /// `dense<…> : T`; the body is everything between the angle brackets, not looked at. As argument of a pretty operation it has the
    /// one type of the signature.
    Dense {
        /// Text between `<` and `>`.
        body: &'a str,
        /// The type.
        ty: Type<'a>,
    },
    /// `array<i64: 1, 2>`
    DenseArray {
        /// Element type.
        element: Type<'a>,
        /// Numbers as written.
        body: Vec<&'a str>,
    },
    /// `#dialect.name<body>`, `#alias`, `affine_map<…>`, `dense_resource<…> : T` and the like; the whole text.
    Dialect(&'a str),
    /// `loc(..)` used as attribute.
    Location(Box<Location<'a>>),
}

/// A source location.
#[derive(Clone, Debug)]
pub struct Location<'a> {
    /// The place in this file.
    pub span: Span,
    /// What it says.
    pub kind: LocationKind<'a>,
}

/// The kinds of location.
#[derive(Clone, Debug)]
pub enum LocationKind<'a> {
    /// `loc(unknown)`
    Unknown,
    /// `loc("file":line:column)`; of a range `loc("file":line:column to line:column)` the start.
    File {
        /// File name.
        file: Cow<'a, str>,
        /// Line, 1 first.
        line: u32,
        /// Column, 1 first.
        column: u32,
    },
    /// `loc("name")` or `loc("name"(child))`
    Name(Cow<'a, str>, Option<Box<Location<'a>>>),
    /// `loc(fused[a, b])`
    Fused(Vec<Location<'a>>),
    /// `loc(callsite(callee at caller))`
    CallSite(Box<Location<'a>>, Box<Location<'a>>),
    /// `loc(#alias)`
    Alias(Name<'a>),
}

/// The structure of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeTree<'a> {
    /// `i8`, `si8`, `ui8`
    Integer {
        /// Bits.
        width: u32,
        /// `si`/`ui`; `None` for `i`.
        signed: Option<bool>,
    },
    /// `f16`, `bf16`, `f32`, `f64`
    Float(&'a str),
    /// `index`
    Index,
    /// `none`
    None,
    /// `tensor<1x2x?xT, encoding>`; `None` stands for `?`.
    Tensor {
        /// Dimensions, outermost first.
        shape: Vec<Option<u64>>,
        /// Element type.
        element: Box<TypeTree<'a>>,
        /// Text of the encoding attribute.
        encoding: Option<&'a str>,
    },
    /// `(A, B) -> C`
    Function(Vec<TypeTree<'a>>, Vec<TypeTree<'a>>),
    /// `tuple<A, B>`
    Tuple(Vec<TypeTree<'a>>),
    /// `!dialect.name<body>`, or any other type; the whole text.
    Dialect(&'a str),
}
