//! Products of matrices.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, ValueId};

use super::error::Reason;
use super::importer::{Importer, Operand, Outcome, Tensor};
use super::literal::{Literal, broadcast};
use super::node::Node;
use dpuc_dialects::layout::Layout;

/// NumPy's rule: a vector on the left is a row, on the right a column, which the result then does without.
pub(super) fn matmul(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (lhs, rhs) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let (is_row, is_column) = (lhs.rank() == 1, rhs.rank() == 1);
    let lhs = if is_row { importer.reshaped(&lhs, &[1, lhs.shape()[0]])? } else { lhs };
    let rhs = if is_column { importer.reshaped(&rhs, &[rhs.shape()[0], 1])? } else { rhs };
    let product = importer.product(&lhs, &rhs)?;
    let mut shape = product.shape().to_vec();
    if is_column {
        shape.pop();
    }
    if is_row {
        shape.remove(shape.len() - if is_column { 1 } else { 2 });
    }
    let result = importer.reshaped(&product, &shape)?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// The product of stacks of matrices; a constant matrix on the right is the weights of a fully connected layer.
    fn product(&mut self, lhs: &Operand, rhs: &Operand) -> Result<Operand, Reason> {
        let ([left @ .., rows, inner], [right @ .., length, columns]) = (lhs.shape(), rhs.shape()) else {
            return Err("its operands are no matrices".into());
        };
        if inner != length {
            return Err(format!("rows of {inner} elements cannot be multiplied with columns of {length}").into());
        }
        let mut shape = broadcast(&[left, right])?;
        shape.extend([*rows, *columns]);
        let element = lhs.element();
        let value = match rhs.known() {
            Some(weights) if right.is_empty() => {
                let operands = [self.same(lhs)?, self.constant(weights, &[1, 0])?];
                self.emit(&nn::MATMUL, &operands, Vec::new(), &shape)?
            }
            _ => {
                let operands = [self.same(lhs)?, self.same(rhs)?];
                self.emit(&nn::BATCH_MATMUL, &operands, Vec::new(), &shape)?
            }
        };
        Ok(Tensor { value, shape, layout: Layout::Same, element }.into())
    }

    /// A matrix, transposed if the node says so.
    fn matrix(&mut self, operand: &Operand, is_transposed: bool) -> Result<Operand, Reason> {
        if operand.rank() != 2 {
            return Err(format!("its operand of shape {:?} is no matrix", operand.shape()).into());
        }
        if !is_transposed {
            return Ok(operand.clone());
        }
        Ok(match operand {
            Operand::Known(literal) => literal.transposed(&[1, 0]).into(),
            Operand::Computed(tensor) => {
                let value = self.transpose(tensor.value, &[1, 0])?;
                Tensor { value, shape: vec![tensor.shape[1], tensor.shape[0]], ..tensor.clone() }.into()
            }
        })
    }

    /// A constant as the bias of a layer with `columns` outputs, if it is the same for all rows.
    fn row_bias(&mut self, addend: &Literal, factor: f32, columns: usize) -> Result<Option<ValueId>, Reason> {
        let is_row = addend.shape.iter().rev().skip(1).all(|&dim| dim == 1);
        if !is_row || ![1, columns].contains(&addend.count()) {
            return Ok(None);
        }
        let is_as_it_is = is_one(factor) && addend.count() == columns;
        let bias = if is_as_it_is { addend.clone() } else { addend.mapped(|value| value * factor) };
        let values = if bias.count() == columns {
            bias.reshaped(&[columns])
        } else {
            Literal {
                name: addend.name.clone(),
                fix: bias.fix,
                ..Literal::floats(&[columns], vec![bias.to_floats()[0]; columns])
            }
        };
        self.constant(&values, &[0]).map(Some)
    }
}

fn is_one(factor: f32) -> bool {
    factor.to_bits() == 1.0f32.to_bits()
}

/// `alpha * A * B + beta * C`
pub(super) fn gemm(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    let [lhs, rhs] = [importer.operand(node, 0)?, importer.operand(node, 1)?];
    let lhs = importer.matrix(&lhs, node.flag("transA", false)?)?;
    let is_transposed = node.flag("transB", false)?;
    let addend = importer.optional(node, 2).filter(|addend| !addend.shape().contains(&0));
    let Some(weights) = rhs.known().filter(|weights| weights.shape.len() == 2) else {
        let rhs = importer.matrix(&rhs, is_transposed)?;
        let product = importer.product(&lhs, &rhs)?;
        let product = if is_one(alpha) { product } else { importer.with_number(&nn::MUL, &product, alpha)? };
        let result = importer.plus(product, addend, beta)?;
        importer.define(node, 0, result);
        return Ok(());
    };
    let weights = if is_one(alpha) { weights.clone() } else { weights.mapped(|value| value * alpha) };
    let (columns, length) =
        if is_transposed { (weights.shape[0], weights.shape[1]) } else { (weights.shape[1], weights.shape[0]) };
    if lhs.shape()[1] != length {
        return Err(format!("rows of {} elements cannot be multiplied with columns of {length}", lhs.shape()[1]).into());
    }
    let shape = vec![lhs.shape()[0], columns];
    let mut operands =
        vec![importer.same(&lhs)?, importer.constant(&weights, if is_transposed { &[0, 1] } else { &[1, 0] })?];
    let bias = match &addend {
        Some(Operand::Known(literal)) => importer.row_bias(literal, beta, columns)?,
        _ => None,
    };
    let rest = if bias.is_some() { None } else { addend };
    operands.extend(bias);
    let value = importer.emit(&nn::MATMUL, &operands, vec![("transpose_b", Attribute::Bool(true))], &shape)?;
    let product = Tensor { value, shape, layout: Layout::Same, element: lhs.element() }.into();
    let result = importer.plus(product, rest, beta)?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// `value + beta * addend`
    fn plus(&mut self, value: Operand, addend: Option<Operand>, beta: f32) -> Result<Operand, Reason> {
        let Some(addend) = addend else { return Ok(value) };
        let addend = if is_one(beta) { addend } else { self.with_number(&nn::MUL, &addend, beta)? };
        self.binary(&nn::ADD, &value, &addend)
    }
}
