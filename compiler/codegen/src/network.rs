//! A whole program's work: operators and the feature maps between them.

use crate::layer::Layer;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is in DDR before the program starts.
    Memory,
    /// A node computes it.
    Node,
    /// Its bytes in DDR are those of other values: a concatenation written by its parts, a reshape, a slice.
    View(Vec<Part>),
}

/// A value that a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index of the value.
    pub value: usize,
    /// The channel of the view at which the part's channels start, if the view consists of such parts and the part has the
    /// view's rows and columns; otherwise the view exists in DDR only.
    pub first_channel: Option<u32>,
}

/// A feature map between operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Rows, columns, channels.
    pub shape: [u32; 3],
    /// Where it comes from.
    pub origin: Origin,
    /// Whether somebody outside the program reads it.
    pub is_output: bool,
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it does, in this order. Several layers communicate through DDR only.
    pub layers: Vec<Layer>,
    /// Indices of the values it reads; with one layer, in the order of its operands.
    pub inputs: Vec<usize>,
    /// Index of the value it computes.
    pub output: usize,
}

/// Operators in an order in which they can run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Feature maps.
    pub values: Vec<Value>,
    /// Operators.
    pub nodes: Vec<Node>,
}
