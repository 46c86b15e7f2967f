//! Creating operations.

use super::attributes::Attribute;
use super::entities::{BlockId, Location, OpId, Type, ValueId};
use super::tables::{Ir, OpKind};
use crate::define::OpDefinition;

/// Collects what a new operation needs, then creates it.
///
/// ```
/// use dpuc_dialects::dialects::{func, nn};
/// use dpuc_dialects::{Ir, OpBuilder};
///
/// let mut ir = Ir::new();
/// let map = ir.float_tensor(&[1, 4, 4, 8]);
/// let body = ir.body();
/// let function = func::build(&mut ir, body, "main", &[("x", map)], &[map]);
/// let entry = func::entry(&ir, function);
/// let x = ir.arguments(entry)[0];
/// let relu = OpBuilder::new(&nn::RELU).operands([x]).result(map, "y").append(&mut ir, entry);
/// assert_eq!(ir.operands(relu), [x]);
/// ```
#[derive(Clone, Debug)]
pub struct OpBuilder<'a> {
    kind: &'static OpDefinition,
    location: Option<Location>,
    operands: Vec<ValueId>,
    attributes: Vec<(&'a str, Attribute)>,
    results: Vec<(Type, &'a str)>,
}

impl<'a> OpBuilder<'a> {
    /// Starts an operation.
    pub const fn new(kind: &'static OpDefinition) -> Self {
        Self { kind, location: None, operands: Vec::new(), attributes: Vec::new(), results: Vec::new() }
    }

    /// Sets where it came from.
    #[must_use]
    pub const fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Sets where it came from unless that is set already.
    #[must_use]
    pub(crate) fn or_at(mut self, location: Location) -> Self {
        self.location = self.location.or(Some(location));
        self
    }

    /// Adds operands.
    #[must_use]
    pub fn operands(mut self, operands: impl IntoIterator<Item = ValueId>) -> Self {
        self.operands.extend(operands);
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'a str, value: Attribute) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// Adds a result; an empty name leaves it to the printer.
    #[must_use]
    pub fn result(mut self, ty: Type, name: &'a str) -> Self {
        self.results.push((ty, name));
        self
    }

    /// Creates the operation without placing it.
    pub fn create(self, ir: &mut Ir) -> OpId {
        let location = self.location.unwrap_or_else(|| ir.unknown_location());
        let op = ir.create_op(OpKind::Registered(self.kind), location);
        for value in self.operands {
            ir.add_operand(op, value);
        }
        for (name, value) in self.attributes {
            ir.set_attribute(op, name, value);
        }
        for (ty, name) in self.results {
            let result = ir.add_result(op, ty);
            if !name.is_empty() {
                ir.set_value_name(result, name);
            }
        }
        for _ in 0..self.kind.regions {
            ir.add_region(op);
        }
        op
    }

    /// Creates the operation at the end of `block`.
    pub fn append(self, ir: &mut Ir, block: BlockId) -> OpId {
        let op = self.create(ir);
        ir.append(block, op);
        op
    }

    /// Creates the operation before `next`.
    pub fn insert_before(self, ir: &mut Ir, next: OpId) -> OpId {
        let op = self.create(ir);
        ir.insert_before(next, op);
        op
    }
}
