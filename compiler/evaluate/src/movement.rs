//! Operations that move elements, for floats and codes alike.

use dpuc_kernels::reference::blocks::{
    depth_to_space, pixel_shuffle, pixel_unshuffle, reorg, reorg_reverse, space_to_depth,
};
use dpuc_kernels::reference::rearrange::{PadMode, pad, strided_slice, transpose};
use ndarray::{Array4, ArrayD, ArrayView4, ArrayViewD};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `transpose`
pub(crate) fn permuted<T: Copy>(op: Operation<'_>, input: &ArrayViewD<'_, T>) -> Outcome<ArrayD<T>> {
    Ok(transpose(input, &op.size_list("order")?)?)
}

/// `strided_slice`
pub(crate) fn sliced<T: Copy>(op: Operation<'_>, input: &ArrayViewD<'_, T>) -> Outcome<ArrayD<T>> {
    let (begin, end, strides) = (op.integers("begin")?, op.integers("end")?, op.integers("strides")?);
    Ok(strided_slice(input, &begin, &end, &strides)?)
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
