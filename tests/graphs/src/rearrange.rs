//! Operations of random networks that move elements.

use dpuc_dialects::ValueId;

use crate::growth::Growth;

fn affordable(growth: &mut Growth, value: ValueId) -> Option<Vec<usize>> {
    let shape = growth.net.shape(value);
    growth.affords(0, shape.iter().product()).then_some(shape)
}

/// Part of any tensor; of its last dimension, often a half, as a split gives it.
pub(crate) fn slice(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let shape = affordable(growth, x)?;
    let last = shape.len() - 1;
    let (mut begin, mut end, mut strides) = (vec![0; shape.len()], shape.clone(), vec![1; shape.len()]);
    if growth.random.one_in(2) && shape[last] > 1 {
        let half = shape[last] / 2;
        let range = growth.random.pick(&[[0, half], [half, shape[last]]]);
        [begin[last], end[last]] = range;
    } else {
        for axis in 1..shape.len() {
            begin[axis] = growth.between(0, shape[axis] - 1);
            end[axis] = growth.between(begin[axis] + 1, shape[axis]);
            strides[axis] = growth.random.pick(&[1, 1, 2, 3]);
        }
    }
    Some(growth.net.slice(x, &begin, &end, &strides))
}

pub(crate) fn pad(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let shape = growth.net.shape(x);
    let mode = growth.random.pick(&["constant", "constant", "symmetric", "reflect"]);
    let mut paddings = vec![[0, 0]; 4];
    for axis in 1..3 {
        let most = if mode == "reflect" { shape[axis] - 1 } else { shape[axis] };
        paddings[axis] = [0, 1].map(|_| growth.between(0, most.min(3)));
    }
    let elements = shape[0] * (shape[1] + 6) * (shape[2] + 6) * shape[3];
    let fill = growth.random.pick(&[0, 0, 0, -128, 127, 3]);
    growth.affords(0, elements).then(|| growth.net.pad(x, &paddings, mode, fill))
}

pub(crate) fn transpose(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    affordable(growth, x)?;
    let order = growth.random.pick(&[[0, 2, 1, 3], [0, 2, 1, 3], [0, 3, 1, 2], [0, 2, 3, 1], [0, 1, 3, 2]]);
    Some(growth.net.transpose(x, &order))
}

pub(crate) fn space_to_depth(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let shape = affordable(growth, x)?;
    let (block, order) = growth.random.pick(&[(2, "dcr"), (2, "crd"), (2, "reorg"), (3, "dcr"), (1, "crd")]);
    let rows = if order == "reorg" { block * block } else { block };
    let fits = shape[1].is_multiple_of(rows) && shape[2].is_multiple_of(block);
    fits.then(|| growth.net.space_to_depth(x, block, order))
}

pub(crate) fn depth_to_space(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let shape = affordable(growth, x)?;
    let (block, order) = growth.random.pick(&[(2, "dcr"), (2, "crd"), (2, "reorg"), (3, "crd")]);
    let rows_fit = order != "reorg" || shape[1].is_multiple_of(block);
    (rows_fit && shape[3].is_multiple_of(block * block)).then(|| growth.net.depth_to_space(x, block, order))
}

/// Bilinear enlargement by powers of two, for which the DPU has weights, and sometimes by others.
pub(crate) fn interpolate(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let elements: usize = growth.net.shape(x).iter().product();
    let scale = growth.random.pick(&[[2, 2], [2, 2], [4, 4], [1, 2], [3, 2]]);
    let fix = growth.fix_near(x);
    let half_pixel = growth.random.one_in(2);
    growth.affords(0, elements * scale[0] * scale[1]).then(|| growth.net.interpolate(x, scale, half_pixel, fix))
}
