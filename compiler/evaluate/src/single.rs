//! One operation by itself.

use dpuc_dialects::dialects::{dpu, nn};
use dpuc_dialects::{Ir, OpId};

use crate::error::{EvalError, Problem};
use crate::operation::{Operation, Outcome};
use crate::operators::{CustomCall, Operators};
use crate::tensor::Tensor;
use crate::{fixed, float, movement};

/// Evaluates one operation on the values of its operands; gives its results. The operation must be one of `int8`, `nn`, or a container
/// of the `dpu` dialect that passes a value on; calls and superlayers need an [`Evaluator`](crate::Evaluator).
pub fn evaluate_operation(
    ir: &Ir,
    op: OpId,
    operands: &[&Tensor],
    operators: &Operators,
) -> Result<Vec<Tensor>, EvalError> {
    let results = results(Operation { ir, op, operands }, operators).map_err(|problem| failure(ir, op, problem))?;
    for (&value, tensor) in ir.results(op).iter().zip(&results) {
        let ty = ir.value_type(value);
        if !tensor.has_type(ir, ty) {
            let problem = Problem::Result { found: tensor.shape().to_vec(), expected: ir.show_type(ty) };
            return Err(failure(ir, op, problem));
        }
    }
    Ok(results)
}

fn results(operation: Operation<'_>, operators: &Operators) -> Outcome<Vec<Tensor>> {
    let Operation { ir, op, operands } = operation;
    if ir.is(op, &nn::SPLIT) {
        return movement::parts(operation);
    }
    let result = if ir.is(op, &dpu::UPLOAD) || ir.is(op, &dpu::DOWNLOAD) {
        operands.first().map(|&operand| operand.clone()).ok_or(Problem::Operand { index: 0, expected: "a tensor" })
    } else if ir.is(op, &dpu::PARAMETER) {
        operation.constant()
    } else if ir.is(op, &nn::CUSTOM) {
        custom(operation, operators)
    } else {
        match ir.op_name(op).split_once('.') {
            Some(("int8", _)) => fixed::evaluate(operation),
            Some(("nn", name)) => float::evaluate(name, operation),
            _ => Err(Problem::NoEvaluator),
        }
    };
    Ok(vec![result?])
}

fn custom(operation: Operation<'_>, operators: &Operators) -> Outcome {
    let Operation { ir, op, operands: inputs } = operation;
    let name = ir.str(op, "type").unwrap_or_default();
    let function = operators.get(name).ok_or_else(|| Problem::Custom(name.to_owned()))?;
    let call = CustomCall { ir, op, inputs };
    function(&call).map_err(|reason| Problem::UserSupplied { operator: name.to_owned(), reason })
}

/// A problem at the place of an operation.
pub(crate) fn failure(ir: &Ir, op: OpId, problem: Problem) -> EvalError {
    let result = ir.results(op).first().and_then(|&result| ir.value_name(result));
    let place = ir.location_name(ir.op(op).location).or(result).unwrap_or("unnamed operation").to_owned();
    EvalError::Operation { place, op: ir.op_name(op).to_owned(), problem: Box::new(problem) }
}
