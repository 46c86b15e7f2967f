//! Networks of several images, on every target.

use dpuc_dialects::dialects::int8;
use dpuc_graphs::Conv;

use crate::single::{on_every_target, size};

#[test]
fn convolutions_of_a_batch() {
    on_every_target("batch of convolutions", 2, |net, random| {
        let shape = [size(random, 2, 4), size(random, 3, 8), size(random, 3, 8), size(random, 1, 20)];
        let input = net.input(&shape, 4);
        // Few channels are augmented: the images' paddings overlap their neighbours.
        let conv = net.conv(input, &Conv::same(size(random, 1, 20), 3, 4).relu());
        let conv = if random.one_in(2) { net.depthwise(conv, &Conv::same(0, 3, 3)) } else { conv };
        net.pool(&int8::MAX_POOL, conv, [2, 2], [1, 1], [0; 4], 3)
    });
}

/// Pointwise operations see the images as one map; after a slice there are gaps between them.
#[test]
fn pointwise_operations_of_a_batch() {
    on_every_target("batch of sums", 2, |net, random| {
        let shape = [size(random, 2, 3), size(random, 3, 8), size(random, 3, 8), size(random, 1, 20)];
        let (a, b) = (net.input(&shape, 4), net.input(&shape, 5));
        let sum = net.add(&[a, b], "relu", 4);
        let end = [shape[0], shape[1] - 1, shape[2], shape[3]];
        let top = net.slice(sum, &[0; 4], &end, &[1; 4]);
        let bottom = net.slice(sum, &[0, 1, 0, 0], &shape, &[1; 4]);
        let product = net.mul([top, bottom], 3);
        let axis = random.pick(&[0, 1, 2, 3]);
        net.concat(&[product, top], axis, 3)
    });
}

#[test]
fn movements_of_a_batch() {
    on_every_target("batch of movements", 2, |net, random| {
        let shape = [2, 4, 6, 4 * size(random, 1, 5)];
        let input = net.input(&shape, 4);
        let value = net.requantise(input, "none", 3);
        let large = net.depth_to_space(value, 2, "dcr");
        let padded = net.pad(large, &[[0, 0], [1, 0], [0, 1], [0, 0]], random.pick(&["symmetric", "constant"]), 5);
        let smooth = net.interpolate(padded, [2, 2], random.one_in(2), 3);
        let (turned, flat) = (net.transpose(smooth, &[0, 3, 2, 1]), net.shape(smooth));
        let flat = net.reshape(turned, &[2, flat[1..].iter().product()]);
        net.requantise(flat, "relu", 2)
    });
}

/// A fully connected layer of several images.
#[test]
fn fully_connected_batch() {
    on_every_target("batch of vectors", 1, |net, random| {
        let input = net.input(&[size(random, 2, 5), 3, 3, 7], 4);
        let conv = Conv { kernel: [3, 3], pads: [0; 4], ..Conv::same(10, 3, 3) };
        let map = net.conv(input, &conv);
        let shape = net.shape(map);
        net.reshape(map, &[shape[0], 10])
    });
}
