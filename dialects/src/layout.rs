//! How a function's values differ from the arrays of the framework it came from.

use crate::ir::{Attribute, Ir, OpId};

/// Attribute of a function: a [`Layout::name`] for each argument.
pub const ARGUMENT_LAYOUTS: &str = "argument_layouts";

/// Attribute of a function: a [`Layout::name`] for each result.
pub const RESULT_LAYOUTS: &str = "result_layouts";

/// How the dimensions of a value in the IR follow from those of the framework's tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// As the framework has them.
    #[default]
    Same,
    /// The framework's `[batch, channels, …]` as `[batch, …, channels]`.
    ChannelsLast,
}

impl Layout {
    /// Dimension `i` in the IR is the framework's dimension `order[i]`.
    pub fn order(self, rank: usize) -> Vec<usize> {
        match self {
            Self::ChannelsLast if rank > 2 => [0].into_iter().chain(2..rank).chain([1]).collect(),
            _ => (0..rank).collect(),
        }
    }

    /// Where the framework's dimension `axis` is in the IR.
    pub fn place(self, rank: usize, axis: usize) -> usize {
        match (self, axis) {
            (Self::ChannelsLast, 1) if rank > 2 => rank - 1,
            (Self::ChannelsLast, 2..) if rank > 2 => axis - 1,
            _ => axis,
        }
    }

    /// Values for each of the framework's dimensions, in the order of the IR.
    pub fn arrange<T: Clone>(self, values: &[T]) -> Vec<T> {
        self.order(values.len()).into_iter().map(|axis| values[axis].clone()).collect()
    }

    /// Dimension `i` of the framework's tensor is dimension `order[i]` in the IR.
    pub fn framework_order(self, rank: usize) -> Vec<usize> {
        (0..rank).map(|axis| self.place(rank, axis)).collect()
    }

    /// Its name in the attributes [`ARGUMENT_LAYOUTS`] and [`RESULT_LAYOUTS`]: what the framework has.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::ChannelsLast => "channels_first",
        }
    }

    /// The layout of that name; what is not known is the same.
    pub fn from_name(name: &str) -> Self {
        if name == Self::ChannelsLast.name() { Self::ChannelsLast } else { Self::Same }
    }

    /// What a function's attribute says about the argument or result `number`.
    pub fn of(ir: &Ir, function: OpId, attribute: &str, number: usize) -> Self {
        let layouts = ir.attribute(function, attribute).and_then(Attribute::as_array);
        let name = layouts.and_then(|layouts| layouts.get(number)).and_then(Attribute::as_str);
        name.map_or(Self::Same, Self::from_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_invert_orders() {
        for layout in [Layout::Same, Layout::ChannelsLast] {
            for rank in 0..6 {
                let order = layout.order(rank);
                assert!((0..rank).all(|axis| order[layout.place(rank, axis)] == axis), "{layout:?} {rank}");
            }
        }
        assert_eq!(Layout::ChannelsLast.arrange(&['n', 'c', 'h', 'w']), ['n', 'h', 'w', 'c']);
        assert_eq!(Layout::ChannelsLast.framework_order(4), [0, 3, 1, 2]);
    }
}
