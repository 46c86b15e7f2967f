//! Reductions along axes (`spec/numerics.md` section 5.12).
//!
//! Over height and width they are poolings, sums and means over the channels are convolutions with one filter; what is left is a reduction
//! of codes by itself. An argmax of codes gives codes, whether or not they are rounded.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};
use dpuc_kernels::reference::pool::average_factor;

use super::code::{Fix, code, corrected, list};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};
use super::movement::is_always_fixed;
use super::pool::whole_axes;

/// Most elements that one filter or window sums: what every DPU's weight memory holds.
const MAX_SUMMED: usize = 2048;

/// `nn.reduce_max`: a pooling of whole axes, or by itself.
pub(super) struct ReduceMax;

impl FixPattern for ReduceMax {
    const NAME: &'static str = "reduce-max";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::REDUCE_MAX)?;
        let input = code(ir, ir.operand(op, 0))?;
        let Some((kernel, shape)) = whole_axes(ir, op) else { return by_itself(ir, op, fix, input) };
        let lowered = Lowered::new(&int8::MAX_POOL, fix, vec![op], [input]).with("kernel", Attribute::ints(kernel));
        Some(Lowered { shape, ..lowered })
    }
}

/// `nn.reduce_mean` over the channels, or over axes that no pooling has.
pub(super) struct ReduceMean;

impl FixPattern for ReduceMean {
    const NAME: &'static str = "reduce-mean";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        // With a factor it would be a mean of another size.
        let found = corrected(ir, fix.input(ir), &nn::REDUCE_MEAN).filter(|found| found.correction.is_none())?;
        let input = code(ir, ir.operand(found.op, 0))?;
        if whole_axes(ir, found.op).is_some() {
            return None;
        }
        let note = "takes the mean of each axis by a factor over a power of two, as the hardware does".to_owned();
        let is_exact = |size: &usize| size.is_power_of_two();
        let axes = ir.ints(found.op, "axes")?.into_iter().filter_map(|axis| usize::try_from(axis).ok());
        let shape = ir.shape_of(input)?;
        let note = (!axes.filter_map(|axis| shape.get(axis)).all(is_exact)).then_some(note);
        let lowered = match summed_channels(ir, found.op) {
            Some((channels, shape)) => {
                let factor = average_factor([1, channels]);
                let weight = i8::try_from(factor.multiplier).ok()?;
                let point = i32::try_from(factor.shift).ok()?;
                one_filter(found.op, fix, input, (channels, weight, point), shape)
            }
            None => by_itself(ir, found.op, fix, input)?,
        };
        Some(Lowered { note, ..lowered })
    }
}

/// `nn.reduce_sum`
pub(super) struct ReduceSum;

impl FixPattern for ReduceSum {
    const NAME: &'static str = "reduce-sum";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::REDUCE_SUM)?;
        let input = code(ir, ir.operand(op, 0))?;
        // A sum that gets finer would have to be shifted left, which no convolution does.
        let shifts_right = ir.fix_of(input)? >= fix.point;
        if let Some((channels, shape)) = summed_channels(ir, op).filter(|_| shifts_right) {
            return Some(one_filter(op, fix, input, (channels, 1, 0), shape));
        }
        if let Some((kernel, shape)) = whole_axes(ir, op).filter(|_| shifts_right)
            && let [Ok(height), Ok(width)] = kernel.map(usize::try_from)
            && height.checked_mul(width).is_some_and(|count| count <= MAX_SUMMED)
            && height.max(width) <= MAX_KERNEL
            && let Some(&[.., channels @ ..=MAX_CHANNELS]) = ir.shape_of(input).as_deref()
        {
            let weights = equal_weights(op, vec![1, height, width, channels], 1, 0);
            let lowered = Lowered::new(&int8::DEPTHWISE_CONV2D, fix, vec![op], []);
            return Some(Lowered { operands: vec![Operand::Code(input), weights], shape, ..lowered });
        }
        by_itself(ir, op, fix, input)
    }
}

/// Largest depthwise kernel, per axis.
const MAX_KERNEL: usize = 256;
/// Most channels of a map for which weights are made; the hardware ends at 4096.
const MAX_CHANNELS: usize = 1 << 14;

/// The channels of a map that a reduction sums, and the shape with one channel if the reduction drops the dimension.
fn summed_channels(ir: &Ir, op: OpId) -> Option<(usize, Option<Vec<usize>>)> {
    let &[batch, height, width, channels] = &ir.shape_of(ir.operand(op, 0))?[..] else { return None };
    let is_channels = ir.ints(op, "axes")? == [3] && channels <= MAX_SUMMED;
    let shape = (!ir.bool(op, "keep_dims")?).then(|| vec![batch, height, width, 1]);
    is_channels.then_some((channels, shape))
}

/// A convolution with one filter of equal weights.
fn one_filter(
    op: OpId,
    fix: Fix,
    input: ValueId,
    (channels, weight, point): (usize, i8, i32),
    shape: Option<Vec<usize>>,
) -> Lowered {
    let weights = equal_weights(op, vec![1, 1, 1, channels], weight, point);
    Lowered { operands: vec![Operand::Code(input), weights], shape, ..Lowered::new(&int8::CONV2D, fix, vec![op], []) }
}

fn equal_weights(op: OpId, shape: Vec<usize>, value: i8, point: i32) -> Operand {
    let elements = vec![value; shape.iter().product()];
    Operand::Constant(NewConstant { origin: op, suffix: "_weights", shape, elements, point })
}

/// `nn.argmax` and a `nn.fix` that changes no index.
pub(super) struct Argmax;

impl FixPattern for Argmax {
    const NAME: &'static str = "argmax";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::ARGMAX).filter(|_| fix.point == INDEX_POINT)?;
        argmax(ir, op, fix, vec![op])
    }
}

/// `nn.argmax` that is not rounded, or to another fix point: its indices are codes all the same.
pub(super) struct UnfixedArgmax;

impl Pattern for UnfixedArgmax {
    const NAME: &'static str = "unfixed-argmax";
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        &nn::ARGMAX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        let waits = is_always_fixed(ir, op, |fix| fix.point == INDEX_POINT);
        argmax(ir, op, Fix { op, point: INDEX_POINT }, vec![]).filter(|_| !waits)
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        found.apply(rewriter);
    }
}

/// Indices are whole numbers.
const INDEX_POINT: i32 = 0;

/// The argmax of codes, if its indices are signed bytes; the codes have the order of the numbers they stand for.
fn argmax(ir: &Ir, op: OpId, fix: Fix, parts: Vec<OpId>) -> Option<Lowered> {
    let input = code(ir, ir.operand(op, 0))?;
    let axis = ir.attribute(op, "axis")?;
    let size = *ir.shape_of(input)?.get(usize::try_from(axis.as_int()?).ok()?)?;
    (size <= int8::ARGMAX_MAX).then(|| Lowered::new(&int8::ARGMAX, fix, parts, [input]).with("axis", axis.clone()))
}

/// The reduction of codes.
fn by_itself(ir: &Ir, op: OpId, fix: Fix, input: ValueId) -> Option<Lowered> {
    let kind = match ir.op_name(op) {
        "nn.reduce_max" => &int8::REDUCE_MAX,
        "nn.reduce_mean" => &int8::REDUCE_MEAN,
        _ => &int8::REDUCE_SUM,
    };
    let keep_dims = ("keep_dims", Attribute::Bool(ir.bool(op, "keep_dims")?));
    Some(Lowered::new(kind, fix, vec![op], [input]).with_all([list(ir, op, "axes")?, keep_dims]))
}
