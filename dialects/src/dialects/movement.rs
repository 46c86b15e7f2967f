//! Operations that move elements without changing them: attributes and shape rules shared by the `nn` and `int8` dialects.

use super::shapes::{axes_exist, broadcast_shapes, expect_shape, show};
use crate::define::{AttributeDefinition, AttributeKind, DefaultValue, default, required};
use crate::ir::{Ir, OpId};
use crate::verify::Findings;

/// Attributes of a transposition.
pub(super) const TRANSPOSE: &[AttributeDefinition] =
    &[required("order", AttributeKind::Ints(0, 0, 15), "Input dimension of each output dimension.")];

/// Attributes of a slice.
pub(super) const STRIDED_SLICE: &[AttributeDefinition] = &[
    required("begin", AttributeKind::Ints(0, 0, i64::MAX), "First index, for each dimension."),
    required("end", AttributeKind::Ints(0, 0, i64::MAX), "One past the last index, for each dimension."),
    required("strides", AttributeKind::Ints(0, 1, i64::MAX), "Step, for each dimension."),
];

pub(super) const PADDINGS: AttributeDefinition =
    required("paddings", AttributeKind::Ints(0, 0, 65535), "Elements before and after, for each dimension.");
pub(super) const PAD_MODE: AttributeDefinition = default(
    "mode",
    AttributeKind::Choice(&["constant", "reflect", "symmetric"]),
    DefaultValue::Str("constant"),
    "What they are: `value`, or the mirrored tensor without (`2 1 | 0 1 2`) or with (`1 0 | 0 1 2`) its edge repeated.",
);

/// Attributes of the exchange of space and channels.
pub(super) const SPACE_AND_DEPTH: &[AttributeDefinition] = &[
    required("block", AttributeKind::Int(1, 65535), "Rows and columns of a block."),
    default(
        "order",
        AttributeKind::Choice(&["dcr", "crd", "reorg"]),
        DefaultValue::Str("dcr"),
        "Which channel pixel `(y, x)` of a block has.",
    ),
];

/// Meaning of the orders.
pub(super) const ORDERS: &str = "With `b = block` and `C` channels on the side of the larger map, channel `c` of pixel `(y, x)` of a block is channel\n\n\
* `dcr`: `(y * b + x) * C + c` (ONNX's DCR, YOLO's focus),\n\
* `crd`: `c * b^2 + y * b + x` (ONNX's CRD, PyTorch's pixel shuffle),\n\
* `reorg`: as `dcr`, but the rows of the larger map are first permuted: within each `b^2` rows, row `y * b + x` takes the place of row `x * b + y` (darknet).\n\n\
Source: `spec/numerics.md` section 5.15.";

/// A permutation of the dimensions.
pub(super) fn transpose(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) else { return };
    let Some(order) = ir.ints(op, "order") else { return };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..input.len() as i64).collect::<Vec<_>>() {
        findings.error(
            ir,
            op,
            "transpose-order",
            format!("has an order that is no permutation of {} dimensions", input.len()),
        );
        return;
    }
    let expected: Vec<usize> = order.iter().map(|&axis| input[axis as usize]).collect();
    expect_shape(ir, op, &result, &expected, findings);
}

/// Bounds inside the operand, at least one element of each dimension.
pub(super) fn strided_slice(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) else { return };
    let lists = ["begin", "end", "strides"].map(|name| ir.ints(op, name));
    let [Some(begin), Some(end), Some(strides)] = lists else { return };
    if [begin.len(), end.len(), strides.len()] != [input.len(); 3] {
        let message = format!("needs `begin`, `end` and `strides` for each of the {} dimensions", input.len());
        findings.error(ir, op, "slice-bounds", message);
        return;
    }
    let mut expected = Vec::with_capacity(input.len());
    for (axis, &size) in input.iter().enumerate() {
        let (first, last) = (begin[axis], end[axis]);
        if first >= last || usize::try_from(last).map_or(true, |last| last > size) {
            let message = format!("takes {first} to {last} of dimension {axis}, which has {size} elements");
            findings.error(ir, op, "slice-bounds", message);
            return;
        }
        let count = ((last - first) as u64).div_ceil(strides[axis].max(1) as u64);
        expected.push(count as usize);
    }
    expect_shape(ir, op, &result, &expected, findings);
}

/// Results that are the operand's parts along the axis, and no more.
pub(super) fn split(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(axis)) = (ir.shape_of(ir.operand(op, 0)), ir.int(op, "axis")) else { return };
    let Some(axis) = usize::try_from(axis).ok().filter(|&axis| axis < input.len()) else {
        findings.error(ir, op, "axis", format!("has axis {axis}, but its operand has {} dimensions", input.len()));
        return;
    };
    let mut total = 0usize;
    for (index, &result) in ir.results(op).iter().enumerate() {
        let Some(part) = ir.shape_of(result) else { return };
        let agrees = part.len() == input.len() && (0..input.len()).all(|dim| dim == axis || part[dim] == input[dim]);
        if !agrees {
            let message = format!(
                "has result #{index} of shape {}, which differs from {} outside axis {axis}",
                show(&part),
                show(&input)
            );
            findings.error(ir, op, "split-shape", message);
            return;
        }
        total = total.saturating_add(part[axis]);
    }
    if total != input[axis] {
        let message =
            format!("has results of {total} elements along axis {axis}, of which its operand has {}", input[axis]);
        findings.error(ir, op, "split-shape", message);
    }
}

/// As many paddings as dimensions ask for, and mirrors no wider than the operand.
pub(super) fn pad(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) else { return };
    let (Some(paddings), Some(mode)) = (ir.ints(op, "paddings"), ir.str(op, "mode")) else { return };
    if paddings.len() != 2 * input.len() {
        let message = format!("has {} paddings for {} dimensions, which need two each", paddings.len(), input.len());
        findings.error(ir, op, "paddings", message);
        return;
    }
    let mut expected = Vec::with_capacity(input.len());
    for ((axis, &size), pair) in input.iter().enumerate().zip(paddings.chunks_exact(2)) {
        let widest = match mode {
            "reflect" => size.saturating_sub(1),
            "symmetric" => size,
            _ => usize::MAX,
        };
        let pair = [pair[0], pair[1]].map(|padding| usize::try_from(padding).unwrap_or(0));
        if pair.iter().any(|&padding| padding > widest) {
            let message = format!("pads dimension {axis} by {pair:?}, but its mirror image has only {widest} elements");
            findings.error(ir, op, "paddings", message);
            return;
        }
        expected.push(size.saturating_add(pair[0]).saturating_add(pair[1]));
    }
    if result != expected {
        expect_shape(ir, op, &result, &expected, findings);
    }
}

/// Height and width divided by the block, channels multiplied by its area.
pub(super) fn space_to_depth(ir: &Ir, op: OpId, findings: &mut Findings) {
    exchange(ir, op, ir.operand(op, 0), ir.result(op), findings);
}

/// The inverse.
pub(super) fn depth_to_space(ir: &Ir, op: OpId, findings: &mut Findings) {
    exchange(ir, op, ir.result(op), ir.operand(op, 0), findings);
}

fn exchange(ir: &Ir, op: OpId, large: crate::ir::ValueId, small: crate::ir::ValueId, findings: &mut Findings) {
    let (Some(large), Some(small)) = (ir.shape_of(large), ir.shape_of(small)) else { return };
    let (Some(block), Some(order)) = (ir.int(op, "block"), ir.str(op, "order")) else { return };
    let block = usize::try_from(block).unwrap_or(1).max(1);
    let (&[batch, height, width, channels], &[small_batch, rows, columns, depth]) = (&large[..], &small[..]) else {
        return;
    };
    let area = block.saturating_mul(block);
    let row_block = if order == "reorg" { area } else { block };
    if !height.is_multiple_of(row_block) || !width.is_multiple_of(block) {
        let message = format!("has a map of {height}x{width}, which is not made of blocks of {row_block}x{block}");
        findings.error(ir, op, "block", message);
    } else if [small_batch, rows, columns, depth]
        != [batch, height / block, width / block, channels.saturating_mul(area)]
    {
        let message =
            format!("cannot have maps of shapes {} and {} with blocks of {block}", show(&large), show(&small));
        findings.error(ir, op, "block", message);
    }
}

/// An operand that NumPy broadcasts to the shape of the result.
pub(super) fn broadcast(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) else { return };
    if broadcast_shapes(&input, &result).as_ref() != Ok(&result) {
        let message = format!("cannot be broadcast from {} to {}", show(&input), show(&result));
        findings.error(ir, op, "broadcast", message);
    }
}

/// The dimensions of the indices in the place of the axis.
pub(super) fn gather(ir: &Ir, op: OpId, findings: &mut Findings) {
    axes_exist(ir, op, ir.int(op, "axis").into_iter(), findings);
    let (Some(data), Some(indices)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.operand(op, 1))) else { return };
    let (Some(result), Some(axis)) = (ir.shape_of(ir.result(op)), ir.int(op, "axis")) else { return };
    if let Some(axis) = usize::try_from(axis).ok().filter(|&axis| axis < data.len()) {
        let expected = [&data[..axis], &indices, &data[axis + 1..]].concat();
        expect_shape(ir, op, &result, &expected, findings);
    }
}
