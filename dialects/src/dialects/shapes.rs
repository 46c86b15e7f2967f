//! Shape rules shared by the `nn` and `int8` dialects. Maps are NHWC; kernels, strides, dilations and scales are `[h, w]`; pads are
//! `[top, left, bottom, right]`. Source: `spec/xmodel.md` section 1.7.

use crate::ir::{Ir, OpId, ValueId};
use crate::verify::Findings;

/// Output size of a window walk along one axis: `floor((input + pads - dilated kernel) / stride) + 1`, if there is a window at all.
pub(super) fn window_output(
    input: usize,
    kernel: usize,
    stride: i64,
    dilation: i64,
    before: i64,
    after: i64,
) -> Option<usize> {
    let extent = (i64::try_from(kernel).ok()?.checked_sub(1)?).checked_mul(dilation)?.checked_add(1)?;
    let padded = i64::try_from(input).ok()?.checked_add(before)?.checked_add(after)?;
    let room = padded.checked_sub(extent)?;
    if room < 0 || stride < 1 {
        return None;
    }
    usize::try_from(room / stride + 1).ok()
}

/// Output size of a transposed convolution along one axis: `(input - 1) * stride + kernel - crops`.
pub(super) fn transposed_output(input: usize, kernel: usize, stride: i64, before: i64, after: i64) -> Option<usize> {
    let spread = i64::try_from(input).ok()?.checked_sub(1)?.checked_mul(stride)?;
    let full = spread.checked_add(i64::try_from(kernel).ok()?)?;
    usize::try_from(full.checked_sub(before)?.checked_sub(after)?).ok().filter(|&size| size > 0)
}

/// Shapes of the first operands and of the result, if all are known.
fn shapes<const N: usize>(ir: &Ir, op: OpId) -> Option<([Vec<usize>; N], Vec<usize>)> {
    let mut inputs = Vec::with_capacity(N);
    for &value in ir.operands(op).get(..N)? {
        inputs.push(ir.shape_of(value)?);
    }
    Some((inputs.try_into().ok()?, ir.shape_of(ir.result(op))?))
}

/// Reports a result shape that is not the expected one.
pub(super) fn expect_shape(ir: &Ir, op: OpId, found: &[usize], expected: &[usize], findings: &mut Findings) {
    if found != expected {
        let message =
            format!("has a result of shape {}, but its operands and attributes give {}", show(found), show(expected));
        findings.error(ir, op, "result-shape", message);
    }
}

pub(super) fn show(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// Strides, dilations and pads of an operation with a window.
struct Window {
    strides: [i64; 2],
    dilations: [i64; 2],
    pads: [i64; 4],
}

impl Window {
    fn of(ir: &Ir, op: OpId) -> Option<Self> {
        Some(Self {
            strides: ir.int_array(op, "strides")?,
            dilations: ir.int_array(op, "dilations").unwrap_or([1, 1]),
            pads: ir.int_array(op, "pads")?,
        })
    }

    fn output(&self, input: &[usize], kernel: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            let (before, after) = (self.pads[axis], self.pads[axis + 2]);
            window_output(input[1 + axis], kernel[axis], self.strides[axis], self.dilations[axis], before, after)
        };
        Some([axis(0)?, axis(1)?])
    }

    fn transposed_output(&self, input: &[usize], kernel: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            transposed_output(input[1 + axis], kernel[axis], self.strides[axis], self.pads[axis], self.pads[axis + 2])
        };
        Some([axis(0)?, axis(1)?])
    }
}

fn check_bias(ir: &Ir, op: OpId, channels: usize, findings: &mut Findings) {
    let Some(shape) = ir.operands(op).get(2).and_then(|&bias| ir.shape_of(bias)) else { return };
    if shape != [channels] {
        let message = format!("has a bias of shape {}, but {channels} output channels", show(&shape));
        findings.error(ir, op, "bias-shape", message);
    }
}

/// How an operation with weights maps channels and space.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Convolution {
    Dense,
    Depthwise,
}

fn convolution(ir: &Ir, op: OpId, kind: Convolution, transposed: bool, findings: &mut Findings) {
    let (Some(([input, weights], result)), Some(window)) = (shapes::<2>(ir, op), Window::of(ir, op)) else { return };
    let (&[batch, .., channels], &[outer, kernel_h, kernel_w, inner]) = (&input[..], &weights[..]) else {
        findings.error(ir, op, "weights-shape", format!("has weights of shape {}, which is not OHWI", show(&weights)));
        return;
    };
    if input.len() != 4 {
        return;
    }
    let output_channels = match kind {
        Convolution::Dense => outer,
        Convolution::Depthwise => inner,
    };
    let groups = ir.int(op, "groups").and_then(|groups| usize::try_from(groups).ok()).unwrap_or(1).max(1);
    if !channels.is_multiple_of(groups) || !output_channels.is_multiple_of(groups) {
        let message =
            format!("cannot split {channels} input and {output_channels} output channels into {groups} groups");
        findings.error(ir, op, "groups", message);
        return;
    }
    let group_channels = channels / groups;
    if inner != group_channels || (kind == Convolution::Depthwise && outer != 1) {
        let expected = match kind {
            Convolution::Dense => format!("[out, kernel_h, kernel_w, {group_channels}]"),
            Convolution::Depthwise => format!("[1, kernel_h, kernel_w, {channels}]"),
        };
        let message =
            format!("has weights of shape {} where the input's {channels} channels need {expected}", show(&weights));
        findings.error(ir, op, "weights-shape", message);
        return;
    }
    let kernel = [kernel_h, kernel_w];
    let space = if transposed { window.transposed_output(&input, kernel) } else { window.output(&input, kernel) };
    let Some([height, width]) = space else {
        findings.error(ir, op, "empty-result", "has no output: the kernel is larger than the padded input");
        return;
    };
    expect_shape(ir, op, &result, &[batch, height, width, output_channels], findings);
    check_bias(ir, op, output_channels, findings);
}

pub(super) fn conv2d(ir: &Ir, op: OpId, findings: &mut Findings) {
    convolution(ir, op, Convolution::Dense, false, findings);
}

pub(super) fn depthwise_conv2d(ir: &Ir, op: OpId, findings: &mut Findings) {
    convolution(ir, op, Convolution::Depthwise, false, findings);
}

pub(super) fn transposed_conv2d(ir: &Ir, op: OpId, findings: &mut Findings) {
    convolution(ir, op, Convolution::Dense, true, findings);
}

pub(super) fn transposed_depthwise_conv2d(ir: &Ir, op: OpId, findings: &mut Findings) {
    convolution(ir, op, Convolution::Depthwise, true, findings);
}

pub(super) fn pool(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(([input], result)), Some(window)) = (shapes::<1>(ir, op), Window::of(ir, op)) else { return };
    let (Some([kernel_h, kernel_w]), &[batch, _, _, channels]) = (ir.int_array::<2>(op, "kernel"), &input[..]) else {
        return;
    };
    let kernel = [kernel_h, kernel_w].map(|size| usize::try_from(size).unwrap_or(0));
    match window.output(&input, kernel) {
        Some([height, width]) => expect_shape(ir, op, &result, &[batch, height, width, channels], findings),
        None => findings.error(ir, op, "empty-result", "has no output: the kernel is larger than the padded input"),
    }
    // The mean of no element is no number.
    let sees_none = |side: usize| usize::try_from(window.pads[side]).is_ok_and(|pad| pad >= kernel[side % 2]);
    if ir.bool(op, "exclude_padding") == Some(true) && (0..4).any(sees_none) {
        let message = "leaves out its padding, of which a window may see nothing else: pads must be below the kernel";
        findings.error(ir, op, "pads", message);
    }
}

/// Equal shapes of all inputs and the result.
pub(super) fn same_shape(ir: &Ir, op: OpId, findings: &mut Findings) {
    same_shape_of(ir, op, super::int8::inputs(ir, op), findings);
}

/// The result has the shape of the first operand, and the second one an element for each of its channels.
pub(super) fn channel_vector(ir: &Ir, op: OpId, findings: &mut Findings) {
    same_shape_of(ir, op, &ir.operands(op)[..1], findings);
    let (Some(shape), Some(vector)) = (ir.shape_of(ir.result(op)), ir.shape_of(ir.operand(op, 1))) else { return };
    let channels = shape.last().copied().unwrap_or(1);
    let is_vector =
        vector.split_last().is_some_and(|(&last, rest)| last == channels && rest.iter().all(|&dim| dim == 1));
    if !is_vector {
        let message = format!("has a vector of shape {} for {channels} channels", show(&vector));
        findings.error(ir, op, "vector-shape", message);
    }
}

fn same_shape_of(ir: &Ir, op: OpId, values: &[ValueId], findings: &mut Findings) {
    let Some(result) = ir.shape_of(ir.result(op)) else { return };
    for (index, &value) in values.iter().enumerate() {
        if let Some(shape) = ir.shape_of(value).filter(|shape| *shape != result) {
            let message =
                format!("has operand #{index} of shape {} and a result of shape {}", show(&shape), show(&result));
            findings.error(ir, op, "result-shape", message);
        }
    }
}

/// NumPy broadcasting of all operands to the result.
pub(super) fn broadcast(ir: &Ir, op: OpId, findings: &mut Findings) {
    let Some(result) = ir.shape_of(ir.result(op)) else { return };
    let mut expected: Vec<usize> = Vec::new();
    for &value in ir.operands(op) {
        let Some(shape) = ir.shape_of(value) else { return };
        match broadcast_shapes(&expected, &shape) {
            Ok(merged) => expected = merged,
            Err(message) => {
                findings.error(ir, op, "broadcast", message);
                return;
            }
        }
    }
    expect_shape(ir, op, &result, &expected, findings);
}

/// The shape to which NumPy broadcasts two shapes, or why it does not.
pub(super) fn broadcast_shapes(lhs: &[usize], rhs: &[usize]) -> Result<Vec<usize>, String> {
    let rank = lhs.len().max(rhs.len());
    let dim = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let merge = |axis| match (dim(lhs, axis), dim(rhs, axis)) {
        (a, b) if a == b || b == 1 => Ok(a),
        (1, b) => Ok(b),
        (a, b) => Err(format!("has operands whose dimensions {a} and {b} cannot be broadcast to each other")),
    };
    (0..rank).map(merge).collect()
}

pub(super) fn concat(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(result), Some(axis)) = (ir.shape_of(ir.result(op)), ir.int(op, "axis")) else { return };
    let Some(axis) = usize::try_from(axis).ok().filter(|&axis| axis < result.len()) else {
        findings.error(ir, op, "axis", format!("has axis {axis}, but its result has {} dimensions", result.len()));
        return;
    };
    let mut expected: Option<Vec<usize>> = None;
    for (index, &value) in ir.operands(op).iter().enumerate() {
        let Some(shape) = ir.shape_of(value) else { return };
        let Some(sum) = &mut expected else {
            expected = Some(shape);
            continue;
        };
        let agrees = shape.len() == sum.len() && (0..shape.len()).all(|dim| dim == axis || shape[dim] == sum[dim]);
        if !agrees {
            let message = format!(
                "has operand #{index} of shape {}, which differs from the first outside axis {axis}",
                show(&shape)
            );
            findings.error(ir, op, "concat-shape", message);
            return;
        }
        sum[axis] = sum[axis].saturating_add(shape[axis]);
    }
    if let Some(expected) = expected {
        expect_shape(ir, op, &result, &expected, findings);
    }
}

/// Axes that the first operand has.
pub(super) fn axes_exist(ir: &Ir, op: OpId, axes: impl Iterator<Item = i64>, findings: &mut Findings) {
    let Some(rank) = ir.tensor_of(ir.operand(op, 0)).map(|tensor| tensor.shape.len()) else { return };
    for axis in axes.filter(|&axis| usize::try_from(axis).map_or(true, |axis| axis >= rank)) {
        findings.error(ir, op, "axis", format!("has axis {axis}, but its operand has {rank} dimensions"));
    }
}

/// Axes that exist, and the result without them or with size 1.
pub(super) fn reduction(ir: &Ir, op: OpId, findings: &mut Findings) {
    let axes = ir.ints(op, "axes").unwrap_or_default();
    axes_exist(ir, op, axes.iter().copied(), findings);
    let (Some(([input], result)), Some(keep)) = (shapes::<1>(ir, op), ir.bool(op, "keep_dims")) else { return };
    let is_reduced = |dim: usize| axes.iter().any(|&axis| usize::try_from(axis) == Ok(dim));
    let sizes = input.iter().enumerate().filter(|&(dim, _)| keep || !is_reduced(dim));
    let expected: Vec<usize> = sizes.map(|(dim, &size)| if is_reduced(dim) { 1 } else { size }).collect();
    expect_shape(ir, op, &result, &expected, findings);
}

/// An axis that exists, and the result with size 1 there.
pub(super) fn argmax(ir: &Ir, op: OpId, findings: &mut Findings) {
    axes_exist(ir, op, ir.int(op, "axis").into_iter(), findings);
    let (Some(([mut expected], result)), Some(axis)) = (shapes::<1>(ir, op), ir.int(op, "axis")) else { return };
    if let Some(size) = usize::try_from(axis).ok().and_then(|axis| expected.get_mut(axis)) {
        *size = 1;
        expect_shape(ir, op, &result, &expected, findings);
    }
}

/// Equal number of elements.
pub(super) fn reshape(ir: &Ir, op: OpId, findings: &mut Findings) {
    let Some(([input], result)) = shapes::<1>(ir, op) else { return };
    let count = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    if count(&input) != count(&result) {
        let message = format!("changes the number of elements: {} to {}", show(&input), show(&result));
        findings.error(ir, op, "reshape", message);
    }
}

/// Scaling of height and width by the integers in `scale`; `up` multiplies, otherwise division rounds up.
pub(super) fn scaled(ir: &Ir, op: OpId, up: bool, findings: &mut Findings) {
    let (Some(([input], result)), Some(scale)) = (shapes::<1>(ir, op), ir.int_array::<2>(op, "scale")) else { return };
    let &[batch, height, width, channels] = &input[..] else { return };
    let factor = |axis: usize| usize::try_from(scale[axis]).unwrap_or(1).max(1);
    let apply = |size: usize, factor: usize| if up { size.saturating_mul(factor) } else { size.div_ceil(factor) };
    let expected = [batch, apply(height, factor(0)), apply(width, factor(1)), channels];
    expect_shape(ir, op, &result, &expected, findings);
}
