//! Operations that belong together, as real networks have them.

use dpuc_dialects::ValueId;
use dpuc_dialects::dialects::int8;

use crate::growth::Growth;
use crate::net::Conv;

/// A convolution that keeps the map's size, with a shift that fills the range of a byte; `None` if it is too much work.
fn same_conv(growth: &mut Growth, input: ValueId, channels: usize, kernel: usize) -> Option<ValueId> {
    let [batch, height, width, inner] = growth.dims(input);
    let pixels = batch * height * width;
    let terms = kernel * kernel * inner;
    if !growth.affords((pixels * terms * channels) as u64, pixels * channels) {
        return None;
    }
    let fix = growth.free_fix();
    let weight_fix = 6 + terms.ilog2() as i32 / 2 + fix - growth.fix_of(input);
    let activation = growth.random.pick(&["none", "relu"]);
    let conv = Conv { weight_fix, bias_fix: Some(fix + 2), activation, ..Conv::same(channels, kernel, fix) };
    Some(growth.net.conv(input, &conv))
}

/// Two convolutions and a sum with what they started from.
pub(crate) fn residual(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let [.., channels] = growth.dims(x);
    let kernel = growth.random.pick(&[1, 3, 3]);
    let inner = growth.between(1, channels.min(64));
    let a = same_conv(growth, x, inner, kernel)?;
    let b = same_conv(growth, a, channels, growth_kernel(kernel))?;
    let fix = growth.fix_near(b);
    Some(growth.net.add(&[b, x], "relu", fix))
}

const fn growth_kernel(kernel: usize) -> usize {
    if kernel == 3 { 1 } else { 3 }
}

/// Convolutions of one map, joined along channels with one fix point, so that they can be written in place.
pub(crate) fn branches(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let mut parts = Vec::new();
    for _ in 0..growth.between(2, 4) {
        let (channels, kernel) = (growth.between(1, 40), growth.random.pick(&[1, 1, 3]));
        let part = same_conv(growth, x, channels, kernel)?;
        if growth.random.one_in(3) {
            growth.keep(part);
        }
        parts.push(part);
    }
    if growth.random.one_in(3) {
        parts.push(x);
    }
    let fix = growth.fix_of(parts[0]);
    Some(growth.net.concat(&parts, 3, fix))
}

/// Half the size, a convolution, the old size again, joined with what it started from.
pub(crate) fn hourglass(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let [_, height, width, channels] = growth.dims(x);
    if height % 2 == 1 || width % 2 == 1 {
        return None;
    }
    let fix = growth.fix_of(x);
    let small = growth.net.pool(&int8::MAX_POOL, x, [2, 2], [2, 2], [0; 4], fix);
    let inner = same_conv(growth, small, channels.min(48), 3)?;
    let fix = growth.fix_near(inner);
    let large = growth.net.upsample(inner, [2, 2], "nearest", fix);
    growth.keep(inner);
    Some(growth.net.concat(&[large, x], 3, fix))
}

/// A few convolutions, one after another, that nothing else reads.
pub(crate) fn chain(growth: &mut Growth) -> Option<ValueId> {
    let mut x = growth.map();
    for _ in 0..growth.between(2, 5) {
        let (channels, kernel) = (growth.between(4, 40), growth.random.pick(&[1, 3]));
        x = same_conv(growth, x, channels, kernel)?;
    }
    Some(x)
}

/// A float operation, which the host runs, between two that the accelerator runs.
pub(crate) fn host_between(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let elements = growth.net.shape(x).iter().product();
    if !growth.affords(0, elements) {
        return None;
    }
    let real = growth.net.dequantise(x);
    let soft = growth.net.softmax(real);
    let fix = growth.between(5, 8) as i32;
    Some(growth.net.quantise(soft, fix))
}
