//! What a loop computes for one point: a graph of integers and floats.
//!
//! Integers are ideal, with an interval that each is known to lie in; the code generator takes the narrowest machine integer in which nothing
//! overflows. Floats are single precision, each operation rounded once, in the order of the evaluator.

use std::collections::HashMap;

use cranelift_codegen::entity::{EntityRef, PrimaryMap, entity_impl};

/// A number in the body of a loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Node(u32);
entity_impl!(Node, "n");

/// A function of two numbers of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    /// Floats only.
    Div,
    /// The larger; of a number and a NaN the number.
    Max,
    /// The smaller; of a number and a NaN the number.
    Min,
}

/// A function of one float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    Abs,
    Sqrt,
    Floor,
    Ceil,
}

/// A comparison of two floats; what is not a number only is not equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Predicate {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// How halves are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rounding {
    /// `floor(x + 1/2)`, exactly.
    Up,
    /// Ties away from zero.
    Away,
    /// Ties to the even neighbour.
    Even,
}

/// A fold over the reduced dimensions of a nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reduction {
    /// Sum; of floats in double precision, rounded once.
    Sum,
    /// Sum of floats in double precision over a count, rounded once.
    Mean(u64),
    /// Largest; of floats, NaN is passed over.
    Max,
    /// Smallest of floats; NaN is passed over.
    Min,
}

/// How a number is computed. Floats are kept as bits, so that equal operations are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Element of the nest's load of this number.
    Load(usize),
    /// A literal.
    Integer(i64),
    /// A literal, as bits.
    Real(u32),
    Binary(Binary, Node, Node),
    Unary(Unary, Node),
    /// 1 if the comparison of two floats holds, 0 if not.
    Compare(Predicate, Node, Node),
    /// `condition != 0 ? a : b`, of floats.
    Select(Node, Node, Node),
    /// `x * 2^n`
    ShiftLeft(Node, u32),
    /// `floor(x / 2^n)`
    ShiftRight(Node, u32),
    /// `floor(x / 2^n + 1/2)`, `n` at least 1.
    RoundShift(Node, u32),
    /// `x < 0 ? a : b`; NaN is not below 0.
    IfNegative(Node, Node, Node),
    /// A float clamped to bounds, as bits; NaN stays.
    Clamp(Node, u32, u32),
    /// A float rounded to an integral one.
    Round(Rounding, Node),
    /// The float of an integer, which must have at most 24 bits.
    ToReal(Node),
    /// The signed byte nearest to an integral float; NaN gives 0.
    ToCode(Node),
    /// A number folded over the reduced dimensions.
    Reduce(Reduction, Node),
}

impl Operation {
    /// The numbers it reads.
    pub(crate) fn operands(self) -> impl Iterator<Item = Node> {
        let operands = match self {
            Self::Load(_) | Self::Integer(_) | Self::Real(_) => [None; 3],
            Self::Binary(_, a, b) | Self::Compare(_, a, b) => [Some(a), Some(b), None],
            Self::Unary(_, x)
            | Self::ShiftLeft(x, _)
            | Self::ShiftRight(x, _)
            | Self::RoundShift(x, _)
            | Self::Clamp(x, _, _)
            | Self::Round(_, x)
            | Self::ToReal(x)
            | Self::ToCode(x)
            | Self::Reduce(_, x) => [Some(x), None, None],
            Self::IfNegative(x, a, b) | Self::Select(x, a, b) => [Some(x), Some(a), Some(b)],
        };
        operands.into_iter().flatten()
    }

    /// The same with other operands.
    pub(crate) fn map(self, mut map: impl FnMut(Node) -> Node) -> Self {
        match self {
            Self::Load(_) | Self::Integer(_) | Self::Real(_) => self,
            Self::Binary(binary, a, b) => Self::Binary(binary, map(a), map(b)),
            Self::Unary(unary, x) => Self::Unary(unary, map(x)),
            Self::Compare(predicate, a, b) => Self::Compare(predicate, map(a), map(b)),
            Self::Select(x, a, b) => Self::Select(map(x), map(a), map(b)),
            Self::ShiftLeft(x, n) => Self::ShiftLeft(map(x), n),
            Self::ShiftRight(x, n) => Self::ShiftRight(map(x), n),
            Self::RoundShift(x, n) => Self::RoundShift(map(x), n),
            Self::IfNegative(x, a, b) => Self::IfNegative(map(x), map(a), map(b)),
            Self::Clamp(x, low, high) => Self::Clamp(map(x), low, high),
            Self::Round(rounding, x) => Self::Round(rounding, map(x)),
            Self::ToReal(x) => Self::ToReal(map(x)),
            Self::ToCode(x) => Self::ToCode(map(x)),
            Self::Reduce(reduction, x) => Self::Reduce(reduction, map(x)),
        }
    }
}

/// What is known of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An integer from `low` to `high`.
    Integer {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
    /// A float.
    Real,
}

/// A signed byte.
pub(crate) const CODE: Kind = Kind::Integer { low: -128, high: 127 };

/// A graph of numbers, operands first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    nodes: PrimaryMap<Node, (Operation, Kind)>,
    known: HashMap<Operation, Node>,
}

impl Body {
    /// The numbers in order.
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = (Node, Operation, Kind)> + '_ {
        self.nodes.iter().map(|(node, &(operation, kind))| (node, operation, kind))
    }

    pub(crate) fn operation(&self, node: Node) -> Operation {
        self.nodes[node].0
    }

    pub(crate) fn kind(&self, node: Node) -> Kind {
        self.nodes[node].1
    }

    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Bounds of an integer.
    ///
    /// # Panics
    /// If it is a float.
    pub(crate) fn bounds(&self, node: Node) -> (i64, i64) {
        match self.kind(node) {
            Kind::Integer { low, high } => (low, high),
            Kind::Real => panic!("{node} is a float"),
        }
    }

    /// Adds an operation whose kind is given, unless it is there.
    pub(crate) fn push(&mut self, operation: Operation, kind: Kind) -> Node {
        if let Some(&node) = self.known.get(&operation) {
            return node;
        }
        let node = self.nodes.push((operation, kind));
        self.known.insert(operation, node);
        node
    }

    /// An integer literal.
    pub(crate) fn integer(&mut self, value: i64) -> Node {
        self.push(Operation::Integer(value), Kind::Integer { low: value, high: value })
    }

    /// A float literal.
    pub(crate) fn real(&mut self, value: f32) -> Node {
        self.push(Operation::Real(value.to_bits()), Kind::Real)
    }

    /// A function of two numbers of one kind. Bounds must stay within 62 bits.
    pub(crate) fn binary(&mut self, binary: Binary, a: Node, b: Node) -> Node {
        let kind = match (self.kind(a), self.kind(b)) {
            (Kind::Real, _) | (_, Kind::Real) => Kind::Real,
            (Kind::Integer { low: a, high: b }, Kind::Integer { low: c, high: d }) => {
                let (low, high) = match binary {
                    Binary::Add => (a + c, b + d),
                    Binary::Sub => (a - d, b - c),
                    Binary::Mul | Binary::Div => {
                        let products = [a * c, a * d, b * c, b * d];
                        let least = products.into_iter().fold(i64::MAX, i64::min);
                        (least, products.into_iter().fold(i64::MIN, i64::max))
                    }
                    Binary::Max => (a.max(c), b.max(d)),
                    Binary::Min => (a.min(c), b.min(d)),
                };
                Kind::Integer { low, high }
            }
        };
        self.push(Operation::Binary(binary, a, b), kind)
    }

    /// `x * 2^n`
    pub(crate) fn shift_left(&mut self, x: Node, n: u32) -> Node {
        let (low, high) = self.bounds(x);
        if n == 0 { x } else { self.push(Operation::ShiftLeft(x, n), Kind::Integer { low: low << n, high: high << n }) }
    }

    /// `floor(x / 2^n)`
    pub(crate) fn shift_right(&mut self, x: Node, n: u32) -> Node {
        let (low, high) = self.bounds(x);
        // Beyond the widest bound only the sign is left, whatever the machine integer.
        let n = n.min(bits(low, high));
        if n == 0 {
            x
        } else {
            self.push(Operation::ShiftRight(x, n), Kind::Integer { low: low >> n, high: high >> n })
        }
    }

    /// An integer from `low` to `high`.
    pub(crate) fn clamp(&mut self, x: Node, low: i64, high: i64) -> Node {
        let (least, most) = self.bounds(x);
        let mut clamped = x;
        if least < low {
            let bound = self.integer(low);
            clamped = self.binary(Binary::Max, clamped, bound);
        }
        if most > high {
            let bound = self.integer(high);
            clamped = self.binary(Binary::Min, clamped, bound);
        }
        clamped
    }

    /// `saturate(floor(x / 2^shift + 1/2))`, the one rounding of every operator; exact for every shift.
    pub(crate) fn requantise(&mut self, x: Node, shift: i64) -> Node {
        let (low, high) = self.bounds(x);
        if shift <= 0 {
            // Any non-zero value saturates at 2^8 already.
            let bounded = self.clamp(x, -256, 256);
            let scaled = self.shift_left(bounded, shift.unsigned_abs().min(8) as u32);
            return self.clamp(scaled, -128, 127);
        }
        // |x| < 2^(shift-1) rounds to 0.
        if shift > i64::from(bits(low, high)) + 1 {
            return self.integer(0);
        }
        let shift = shift as u32;
        let round = |v: i64| ((v >> (shift - 1)) + 1) >> 1;
        let kind = Kind::Integer { low: round(low), high: round(high) };
        let rounded = self.push(Operation::RoundShift(x, shift), kind);
        self.clamp(rounded, -128, 127)
    }

    /// `max(x, 0)` of an integer.
    pub(crate) fn rectify(&mut self, x: Node) -> Node {
        self.clamp(x, 0, i64::MAX)
    }

    /// `x < 0 ? a : b`
    pub(crate) fn if_negative(&mut self, x: Node, a: Node, b: Node) -> Node {
        let kind = match (self.kind(a), self.kind(b)) {
            (Kind::Integer { low: a, high: b }, Kind::Integer { low: c, high: d }) => {
                Kind::Integer { low: a.min(c), high: b.max(d) }
            }
            _ => Kind::Real,
        };
        self.push(Operation::IfNegative(x, a, b), kind)
    }

    /// A function of one float.
    pub(crate) fn unary(&mut self, unary: Unary, x: Node) -> Node {
        self.push(Operation::Unary(unary, x), Kind::Real)
    }

    /// 1 if the comparison of two floats holds, 0 if not.
    pub(crate) fn compare(&mut self, predicate: Predicate, a: Node, b: Node) -> Node {
        self.push(Operation::Compare(predicate, a, b), Kind::Real)
    }

    /// `condition != 0 ? a : b`, of floats.
    pub(crate) fn select(&mut self, condition: Node, a: Node, b: Node) -> Node {
        self.push(Operation::Select(condition, a, b), Kind::Real)
    }

    /// A float clamped to bounds; NaN stays.
    pub(crate) fn clamp_real(&mut self, x: Node, low: f32, high: f32) -> Node {
        self.push(Operation::Clamp(x, low.to_bits(), high.to_bits()), Kind::Real)
    }

    /// A float rounded to an integral one.
    pub(crate) fn round(&mut self, rounding: Rounding, x: Node) -> Node {
        self.push(Operation::Round(rounding, x), Kind::Real)
    }

    /// The float of an integer of at most 24 bits.
    pub(crate) fn real_of(&mut self, x: Node) -> Node {
        self.push(Operation::ToReal(x), Kind::Real)
    }

    /// The signed byte nearest to an integral float; NaN gives 0.
    pub(crate) fn code_of(&mut self, x: Node) -> Node {
        self.push(Operation::ToCode(x), CODE)
    }

    /// A number folded over `count` points.
    pub(crate) fn reduce(&mut self, reduction: Reduction, x: Node, count: usize) -> Node {
        let kind = match self.kind(x) {
            Kind::Integer { low, high } if reduction == Reduction::Sum => {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                Kind::Integer { low: low.saturating_mul(count).min(0), high: high.saturating_mul(count).max(0) }
            }
            kind => kind,
        };
        self.push(Operation::Reduce(reduction, x), kind)
    }

    /// The body without the nodes that `root` does not need; and where the root and each load went.
    pub(crate) fn prune(&self, root: Node, mut load: impl FnMut(usize) -> usize) -> (Self, Node) {
        let mut needed = vec![false; self.nodes.len()];
        needed[root.index()] = true;
        for (node, operation, _) in self.nodes().rev() {
            if needed[node.index()] {
                operation.operands().for_each(|operand| needed[operand.index()] = true);
            }
        }
        let mut pruned = Self::default();
        let mut places: Vec<Option<Node>> = vec![None; self.nodes.len()];
        for (node, operation, kind) in self.nodes() {
            if needed[node.index()] {
                let operation = match operation {
                    Operation::Load(number) => Operation::Load(load(number)),
                    other => other.map(|operand| places[operand.index()].unwrap_or(operand)),
                };
                places[node.index()] = Some(pruned.push(operation, kind));
            }
        }
        let root = places[root.index()].unwrap_or(root);
        (pruned, root)
    }
}

/// Bits of the magnitudes between two bounds.
fn bits(low: i64, high: i64) -> u32 {
    let magnitude = low.unsigned_abs().max(high.unsigned_abs());
    u64::BITS - magnitude.leading_zeros()
}

#[cfg(test)]
mod tests {
    use dpuc_kernels::reference::round::rsat;

    use super::*;

    /// Evaluates the integers of a body, checking that each lies in its interval.
    fn evaluate(body: &Body, x: i64) -> i64 {
        let mut values: Vec<i64> = Vec::new();
        for (node, operation, kind) in body.nodes() {
            let get = |node: Node| values[node.index()];
            let value = match operation {
                Operation::Load(_) => x,
                Operation::Integer(value) => value,
                Operation::Binary(Binary::Max, a, b) => get(a).max(get(b)),
                Operation::Binary(Binary::Min, a, b) => get(a).min(get(b)),
                Operation::ShiftLeft(x, n) => get(x) << n,
                Operation::RoundShift(x, n) => ((get(x) >> (n - 1)) + 1) >> 1,
                other => panic!("{other:?} is not expected"),
            };
            let Kind::Integer { low, high } = kind else { panic!("{node} is a float") };
            assert!((low..=high).contains(&value), "{node} = {value} is not in {low}..={high}");
            values.push(value);
        }
        values[values.len() - 1]
    }

    #[test]
    fn requantisation_is_exact_for_every_shift() {
        for shift in -80..=80 {
            for (low, high) in [(-128, 127), (-16384, 16256), (-(1 << 31), 1 << 31), (0, 1)] {
                let mut body = Body::default();
                let x = body.push(Operation::Load(0), Kind::Integer { low, high });
                let y = body.requantise(x, shift);
                for x in [low, low + 1, low / 2, -2, -1, 0, 1, 2, 3, high / 3, high - 1, high] {
                    if !(low..=high).contains(&x) {
                        continue;
                    }
                    let expected = i64::from(rsat(x, shift));
                    let found = match body.operation(y) {
                        Operation::Integer(value) => value,
                        Operation::Load(_) => x,
                        _ => evaluate(&body, x),
                    };
                    assert_eq!(found, expected, "{x} in {low}..={high} >> {shift}");
                }
            }
        }
    }

    #[test]
    fn equal_operations_are_one() {
        let mut body = Body::default();
        let x = body.push(Operation::Load(0), CODE);
        let (a, b) = (body.shift_left(x, 3), body.shift_left(x, 3));
        assert_eq!(a, b);
        assert_eq!(body.len(), 2);
    }
}
