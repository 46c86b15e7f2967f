//! Adding operations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, OpBuilder, ValueId};
use dpuc_onnx::ElementType;

use super::error::Reason;
use super::importer::{Importer, Operand, Tensor};
use super::literal::{Literal, broadcast};
use dpuc_dialects::layout::Layout;

/// Attributes of an operation.
pub(crate) type Attributes = Vec<(&'static str, Attribute)>;

/// Most elements of a tensor.
const MAX_ELEMENTS: usize = 1 << 31;

/// A list of sizes.
pub(crate) fn list(values: &[usize]) -> Attribute {
    Attribute::ints(values.iter().map(|&value| value as i64))
}

/// A float.
pub(crate) fn float(value: f32) -> Attribute {
    Attribute::Float(value.into(), None)
}

/// Number of elements of a tensor that can be computed.
pub(crate) fn checked_count(shape: &[usize]) -> Result<usize, Reason> {
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    match count {
        Some(0) => Err(format!("its result of shape {shape:?} has no elements").into()),
        Some(count) if count <= MAX_ELEMENTS => Ok(count),
        _ => Err(format!("its result of shape {shape:?} has more than {MAX_ELEMENTS} elements").into()),
    }
}

/// The layout for an operation on several operands: channels last if any of them has that.
pub(crate) fn common_layout(operands: &[&Operand], rank: usize) -> Layout {
    let has_channels_last = |operand: &&&Operand| match operand {
        Operand::Computed(tensor) => tensor.shape.len() == rank && tensor.layout == Layout::ChannelsLast,
        Operand::Known(_) => false,
    };
    if operands.iter().any(|operand| has_channels_last(&operand)) { Layout::ChannelsLast } else { Layout::Same }
}

impl Importer<'_> {
    /// Adds an operation that gives a tensor of `shape`, dimensions of the IR.
    pub(crate) fn emit(
        &mut self,
        definition: &'static OpDefinition,
        operands: &[ValueId],
        attributes: Attributes,
        shape: &[usize],
    ) -> Result<ValueId, Reason> {
        checked_count(shape)?;
        let ty = self.ir.float_tensor(shape);
        let mut builder =
            OpBuilder::new(definition).at(self.location).operands(operands.iter().copied()).result(ty, "");
        for (name, value) in attributes {
            if !definition.is_default(name, &value) {
                builder = builder.attribute(name, value);
            }
        }
        let op = builder.append(&mut self.ir, self.entry);
        Ok(self.ir.result(op))
    }

    /// A value of the IR; a constant as the framework has it.
    pub(crate) fn tensor(&mut self, operand: &Operand) -> Result<Tensor, Reason> {
        match operand {
            Operand::Computed(tensor) => Ok(tensor.clone()),
            Operand::Known(literal) => {
                let value = self.constant(literal, &Layout::Same.order(literal.shape.len()))?;
                let (shape, element) = (literal.shape.clone(), literal.element);
                Ok(Tensor { value, shape, layout: Layout::Same, element })
            }
        }
    }

    /// The value of an operand in a layout.
    pub(crate) fn in_layout(&mut self, operand: &Operand, layout: Layout) -> Result<ValueId, Reason> {
        let rank = operand.rank();
        match operand {
            Operand::Known(literal) => self.constant(literal, &layout.order(rank)),
            Operand::Computed(tensor) if tensor.layout.order(rank) == layout.order(rank) => Ok(tensor.value),
            Operand::Computed(tensor) => {
                let order: Vec<usize> =
                    layout.order(rank).into_iter().map(|axis| tensor.layout.place(rank, axis)).collect();
                self.transpose(tensor.value, &order)
            }
        }
    }

    /// The value of an operand with the dimensions of the framework.
    pub(crate) fn same(&mut self, operand: &Operand) -> Result<ValueId, Reason> {
        self.in_layout(operand, Layout::Same)
    }

    /// A value with its dimensions permuted; each such is made once.
    pub(crate) fn transpose(&mut self, value: ValueId, order: &[usize]) -> Result<ValueId, Reason> {
        if order.iter().copied().eq(0..order.len()) {
            return Ok(value);
        }
        if let Some(&made) = self.transposed.get(&(value, order.to_vec())) {
            return Ok(made);
        }
        let shape = self.ir.shape_of(value).unwrap_or_default();
        let shape: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let made = self.emit(&nn::TRANSPOSE, &[value], vec![("order", list(order))], &shape)?;
        self.transposed.insert((value, order.to_vec()), made);
        Ok(made)
    }

    /// A value with another shape, dimensions of the IR.
    pub(crate) fn reshape(&mut self, value: ValueId, shape: &[usize]) -> Result<ValueId, Reason> {
        if self.ir.shape_of(value).as_deref() == Some(shape) {
            return Ok(value);
        }
        self.emit(&nn::RESHAPE, &[value], Vec::new(), shape)
    }

    /// An operand with another shape, as the framework reshapes.
    pub(crate) fn reshaped(&mut self, operand: &Operand, shape: &[usize]) -> Result<Operand, Reason> {
        if operand.shape() == shape {
            return Ok(operand.clone());
        }
        match operand {
            Operand::Known(literal) => Ok(literal.reshaped(shape).into()),
            Operand::Computed(tensor) => {
                let value = self.same(operand)?;
                let value = self.reshape(value, shape)?;
                Ok(Tensor { value, shape: shape.to_vec(), layout: Layout::Same, element: tensor.element }.into())
            }
        }
    }

    /// An operation on each element by itself.
    pub(crate) fn unary(
        &mut self,
        definition: &'static OpDefinition,
        operand: &Operand,
        attributes: Attributes,
    ) -> Result<Operand, Reason> {
        let tensor = self.tensor(operand)?;
        let shape = tensor.layout.arrange(&tensor.shape);
        let value = self.emit(definition, &[tensor.value], attributes, &shape)?;
        Ok(Tensor { value, ..tensor }.into())
    }

    /// An operation on the elements of several operands, which broadcast.
    pub(crate) fn elementwise(
        &mut self,
        definition: &'static OpDefinition,
        operands: &[&Operand],
        attributes: Attributes,
    ) -> Result<Operand, Reason> {
        let shapes: Vec<&[usize]> = operands.iter().map(|operand| operand.shape()).collect();
        let shape = broadcast(&shapes)?;
        let layout = common_layout(operands, shape.len());
        let mut values = Vec::with_capacity(operands.len());
        for operand in operands {
            values.push(self.broadcastable(operand, shape.len(), layout)?);
        }
        let value = self.emit(definition, &values, attributes, &layout.arrange(&shape))?;
        let element = operands.iter().map(|operand| operand.element()).find(|element| element.is_float());
        let element =
            element.unwrap_or_else(|| operands.last().map_or(ElementType::FLOAT, |operand| operand.element()));
        Ok(Tensor { value, shape, layout, element }.into())
    }

    /// The value of an operand in a layout, such that it broadcasts to tensors of `rank` dimensions in that layout.
    fn broadcastable(&mut self, operand: &Operand, rank: usize, layout: Layout) -> Result<ValueId, Reason> {
        let own = operand.rank();
        let is_single = operand.shape().iter().all(|&dim| dim == 1);
        if own < rank && is_single && own != 1 {
            let single = self.reshaped(operand, &[1])?;
            return self.same(&single);
        }
        if own == rank || is_single || layout == Layout::Same {
            return self.in_layout(operand, layout);
        }
        let shape: Vec<usize> = vec![1; rank - own].into_iter().chain(operand.shape().iter().copied()).collect();
        let full = self.reshaped(operand, &shape)?;
        self.in_layout(&full, layout)
    }

    /// `lhs op rhs`
    pub(crate) fn binary(
        &mut self,
        definition: &'static OpDefinition,
        lhs: &Operand,
        rhs: &Operand,
    ) -> Result<Operand, Reason> {
        self.elementwise(definition, &[lhs, rhs], Vec::new())
    }

    /// `operand op number`
    pub(crate) fn with_number(
        &mut self,
        definition: &'static OpDefinition,
        operand: &Operand,
        number: f32,
    ) -> Result<Operand, Reason> {
        self.binary(definition, operand, &Literal::scalar(number).into())
    }
}
