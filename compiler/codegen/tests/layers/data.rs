//! Random values and sizes.

use dpuc_isa::{Random, Target};
use ndarray::Array4;

/// Values of one of several kinds: any byte, extremes, small, constant.
pub(crate) fn values(count: usize, random: &mut Random) -> Vec<i8> {
    let kind = random.below(6);
    let constant = random.pick(&[-128, 127, 0, -1]);
    let value = |random: &mut Random| match kind {
        0 => random.pick(&[-128, 127]),
        1 => random.pick(&[-128, -127, -1, 0, 1, 127]),
        2 => random.below(9) as i8 - 4,
        3 if random.one_in(3) => constant,
        _ => random.bits() as i8,
    };
    (0..count).map(|_| value(random)).collect()
}

/// A random NHWC map.
pub(crate) fn map_values([height, width, channels]: [u32; 3], random: &mut Random) -> Array4<i8> {
    let shape = (1, height as usize, width as usize, channels as usize);
    let values = values(shape.1 * shape.2 * shape.3, random);
    Array4::from_shape_vec(shape, values).expect("as many values as the shape has")
}

/// A channel count, often next to a multiple of the line width.
pub(crate) fn channels(target: &Target, most: u32, random: &mut Random) -> u32 {
    let width = target.channel_parallel as u32;
    let count = match random.below(6) {
        0 => random.between(1, 4),
        1 => width,
        2 => random.between(1, 4) * width - 1,
        3 => random.between(1, 3) * width + 1,
        _ => random.between(1, 4 * width),
    };
    count.min(most)
}

/// A map side, mostly small.
pub(crate) fn side(most: u32, random: &mut Random) -> u32 {
    match random.below(8) {
        0 => random.between(1, 3),
        1 => random.between(1, most),
        _ => random.between(1, most.div_ceil(3)),
    }
}
