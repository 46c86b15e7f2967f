//! Products of matrices.

use super::{OUTPUT, PAIR, TENSOR, shapes};
use crate::define::{AttributeKind, DefaultValue, OpDefinition, Traits, default, one, op, optional};
use crate::ir::{Ir, OpId};
use crate::verify::Findings;

/// Matrix product.
pub static MATMUL: OpDefinition =
    op("nn.matmul", "Product of a matrix with a constant matrix, plus bias (a fully connected layer).")
        .operands(&[one("input", TENSOR), one("weights", TENSOR), optional("bias", TENSOR)])
        .results(OUTPUT)
        .attributes(&[default(
            "transpose_b",
            AttributeKind::Bool,
            DefaultValue::Bool(true),
            "Weights are `[out, in]` if true, `[in, out]` if not.",
        )])
        .traits(Traits::PURE)
        .verify(verify_matmul);

/// Product of two variable stacks of matrices.
pub static BATCH_MATMUL: OpDefinition = op(
    "nn.batch_matmul",
    "Products of the matrices `[.., rows, inner]` and `[.., inner, columns]`; the leading dimensions broadcast.",
)
.operands(PAIR)
.results(OUTPUT)
.traits(Traits::PURE)
.verify(verify_batch_matmul);

fn verify_matmul(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(weights)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.operand(op, 1))) else { return };
    let (Some(result), Some(transposed)) = (ir.shape_of(ir.result(op)), ir.bool(op, "transpose_b")) else { return };
    let (&[.., length], &[rows, columns]) = (&input[..], &weights[..]) else {
        findings.error(
            ir,
            op,
            "matmul-shape",
            format!("has weights of shape {}, which is no matrix", shapes::show(&weights)),
        );
        return;
    };
    let (inner, outer) = if transposed { (columns, rows) } else { (rows, columns) };
    if inner != length {
        let message = format!("multiplies rows of {length} elements with weights for {inner}");
        findings.error(ir, op, "matmul-shape", message);
        return;
    }
    let mut expected = input.clone();
    if let Some(last) = expected.last_mut() {
        *last = outer;
    }
    shapes::expect_shape(ir, op, &result, &expected, findings);
}

fn verify_batch_matmul(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(lhs), Some(rhs)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.operand(op, 1))) else { return };
    let Some(result) = ir.shape_of(ir.result(op)) else { return };
    let ([left @ .., rows, inner], [right @ .., length, columns]) = (&lhs[..], &rhs[..]) else {
        let message =
            format!("multiplies {} with {}; both need two dimensions", shapes::show(&lhs), shapes::show(&rhs));
        findings.error(ir, op, "matmul-shape", message);
        return;
    };
    if inner != length {
        let message = format!("multiplies rows of {inner} elements with columns of {length}");
        findings.error(ir, op, "matmul-shape", message);
        return;
    }
    match shapes::broadcast_shapes(left, right) {
        Ok(mut expected) => {
            expected.extend([rows, columns]);
            shapes::expect_shape(ir, op, &result, &expected, findings);
        }
        Err(message) => findings.error(ir, op, "broadcast", message),
    }
}
