//! Operations that move elements, for floats and codes alike.

use dpuc_dialects::ValueId;
use dpuc_kernels::reference::blocks::{
    depth_to_space, pixel_shuffle, pixel_unshuffle, reorg, reorg_reverse, space_to_depth,
};
use dpuc_kernels::reference::rearrange::{PadMode, pad, strided_slice, transpose};
use ndarray::{Array4, ArrayD, ArrayView4, ArrayViewD};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};
use crate::tensor::Tensor;

/// `transpose`
pub(crate) fn permuted<T: Copy>(op: Operation<'_>, input: &ArrayViewD<'_, T>) -> Outcome<ArrayD<T>> {
    Ok(transpose(input, &op.size_list("order")?)?)
}

/// `strided_slice`
pub(crate) fn sliced<T: Copy>(op: Operation<'_>, input: &ArrayViewD<'_, T>) -> Outcome<ArrayD<T>> {
    let (begin, end, strides) = (op.integers("begin")?, op.integers("end")?, op.integers("strides")?);
    Ok(strided_slice(input, &begin, &end, &strides)?)
}

/// `split`: a part for each result.
pub(crate) fn parts(op: Operation<'_>) -> Outcome<Vec<Tensor>> {
    let (input, axis) = (op.floats(0)?.view(), op.integer::<usize>("axis")?);
    if axis >= input.ndim() {
        return Err(Problem::Attribute("axis"));
    }
    let mut first = 0;
    let mut part = |&result: &ValueId| {
        let size = op.ir.shape_of(result).and_then(|shape| shape.get(axis).copied());
        let (mut begin, mut end) = (vec![0; input.ndim()], vec![i64::MAX; input.ndim()]);
        begin[axis] = first;
        first += size.and_then(|size| i64::try_from(size).ok()).ok_or(Problem::ResultType("tensor of known shape"))?;
        end[axis] = first;
        Ok(strided_slice(&input, &begin, &end, &vec![1; input.ndim()])?.into())
    };
    op.ir.results(op.op).iter().map(&mut part).collect()
}

/// `pad`; `value` is the constant.
pub(crate) fn padded<T: Copy>(op: Operation<'_>, input: &ArrayViewD<'_, T>, value: T) -> Outcome<ArrayD<T>> {
    let paddings = op.size_list("paddings")?;
    let (pairs, rest) = paddings.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Problem::Attribute("paddings"));
    }
    let mode = match op.text("mode")? {
        "constant" => PadMode::Constant(value),
        "reflect" => PadMode::Reflect,
        "symmetric" => PadMode::Symmetric,
        _ => return Err(Problem::Attribute("mode")),
    };
    Ok(pad(input, pairs, mode)?)
}

/// `space_to_depth`
pub(crate) fn deepened<T: Copy>(op: Operation<'_>, input: &ArrayView4<'_, T>) -> Outcome<Array4<T>> {
    let block = op.integer("block")?;
    Ok(match op.text("order")? {
        "dcr" => space_to_depth(input, block)?,
        "crd" => pixel_unshuffle(input, block)?,
        "reorg" => reorg(input, block)?,
        _ => return Err(Problem::Attribute("order")),
    })
}

/// `depth_to_space`
pub(crate) fn spread<T: Copy>(op: Operation<'_>, input: &ArrayView4<'_, T>) -> Outcome<Array4<T>> {
    let block = op.integer("block")?;
    Ok(match op.text("order")? {
        "dcr" => depth_to_space(input, block)?,
        "crd" => pixel_shuffle(input, block)?,
        "reorg" => reorg_reverse(input, block)?,
        _ => return Err(Problem::Attribute("order")),
    })
}
