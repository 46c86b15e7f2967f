//! The classification networks with published times, from their papers and reference implementations.

use super::network::{MapId, Network};

const IMAGE: [u32; 3] = [224, 224, 3];

/// Where a bottleneck `ResNet` halves its maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halving {
    /// In the first 1 × 1 convolution of a stage (Caffe, Keras).
    First,
    /// In the first 3 × 3 convolution of a stage (torchvision, "v1.5").
    Middle,
    /// In the last block of a stage (TensorFlow slim).
    Last,
}

/// VGG with `convolutions` 3 × 3 convolutions in its five stages.
pub(crate) fn vgg(convolutions: [u32; 5]) -> Network {
    let (mut net, mut x) = Network::new(IMAGE);
    for (count, channels) in convolutions.into_iter().zip([64, 128, 256, 512, 512]) {
        for _ in 0..count {
            x = net.conv(x, channels, 3, 1);
        }
        x = net.pool(x, 2, 2);
    }
    x = net.conv_valid(x, 4096, 7, 1);
    x = net.conv(x, 4096, 1, 1);
    net.conv(x, 1000, 1, 1);
    net
}

/// ResNet-18 for a number of classes.
pub(crate) fn resnet18(classes: u32) -> Network {
    let (mut net, x) = Network::new(IMAGE);
    let mut x = resnet_stem(&mut net, x);
    for (stage, channels) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let shortcut = if stride == 2 { net.conv(x, channels, 1, 2) } else { x };
            let y = net.conv(x, channels, 3, stride);
            let y = net.conv(y, channels, 3, 1);
            x = net.add(shortcut, y);
        }
    }
    classify(&mut net, x, classes);
    net
}

/// `ResNet` with bottleneck blocks, `blocks` in its four stages.
pub(crate) fn resnet(blocks: [u32; 4], halving: Halving) -> Network {
    let (mut net, x) = Network::new(IMAGE);
    let mut x = resnet_stem(&mut net, x);
    for (stage, (count, channels)) in blocks.into_iter().zip([64, 128, 256, 512]).enumerate() {
        for block in 0..count {
            let halves = match halving {
                Halving::Last => stage < 3 && block == count - 1,
                Halving::First | Halving::Middle => stage > 0 && block == 0,
            };
            let stride = if halves { 2 } else { 1 };
            let [first, middle] = if halving == Halving::First { [stride, 1] } else { [1, stride] };
            let shortcut = match block {
                0 => net.conv(x, 4 * channels, 1, stride),
                _ if halves => net.pool(x, 1, 2),
                _ => x,
            };
            let y = net.conv(x, channels, 1, first);
            let y = net.conv(y, channels, 3, middle);
            let y = net.conv(y, 4 * channels, 1, 1);
            x = net.add(shortcut, y);
        }
    }
    classify(&mut net, x, 1000);
    net
}

fn resnet_stem(net: &mut Network, x: MapId) -> MapId {
    let x = net.conv(x, 64, 7, 2);
    net.pool(x, 3, 2)
}

fn classify(net: &mut Network, x: MapId, classes: u32) {
    let x = net.global_pool(x);
    net.conv(x, classes, 1, 1);
}

/// `MobileNet` v1 at a resolution; channels are multiplied by `quarters / 4`.
pub(crate) fn mobilenet_v1(resolution: u32, quarters: u32) -> Network {
    let (mut net, x) = Network::new([resolution, resolution, 3]);
    let width = |channels: u32| channels * quarters / 4;
    let mut x = net.conv(x, width(32), 3, 2);
    let blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)];
    let blocks = blocks.into_iter().chain([(512, 1); 5]).chain([(1024, 2), (1024, 1)]);
    for (channels, stride) in blocks {
        x = net.depthwise(x, stride);
        x = net.conv(x, width(channels), 1, 1);
    }
    classify(&mut net, x, 1001);
    net
}

/// `MobileNet` v2; channels are multiplied by `tenths / 10` and rounded to multiples of 8.
pub(crate) fn mobilenet_v2(tenths: u32, classes: u32) -> Network {
    let (mut net, x) = Network::new(IMAGE);
    let width = |channels: u32| ((channels * tenths + 40) / 80 * 8).max(8);
    let mut x = net.conv(x, width(32), 3, 2);
    let stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];
    for (expansion, channels, count, stride) in stages {
        for block in 0..count {
            let inside = net.shape(x)[2] * expansion;
            let y = if expansion == 1 { x } else { net.conv(x, inside, 1, 1) };
            let y = net.depthwise(y, if block == 0 { stride } else { 1 });
            let y = net.conv(y, width(channels), 1, 1);
            x = if block == 0 { y } else { net.add(x, y) };
        }
    }
    x = net.conv(x, width(1280).max(1280), 1, 1);
    classify(&mut net, x, classes);
    net
}

/// `SqueezeNet` 1.1 as in the compiled sample: pools are drawn into the branches before them.
pub(crate) fn squeezenet() -> Network {
    let (mut net, x) = Network::new([224, 224, 3]);
    let x = net.conv_valid(x, 64, 3, 2);
    let mut x = net.pool_valid(x, 3, 2);
    for (squeeze, expand, pooled) in [
        (16, 64, false),
        (16, 64, true),
        (32, 128, false),
        (32, 128, true),
        (48, 192, false),
        (48, 192, false),
        (64, 256, false),
        (64, 256, false),
    ] {
        let inside = net.conv(x, squeeze, 1, 1);
        let branches = [3, 1].map(|kernel| {
            let y = net.conv(inside, expand, kernel, 1);
            if pooled { net.pool_valid(y, 3, 2) } else { y }
        });
        x = net.concat(&branches);
    }
    let x = net.conv(x, 1000, 1, 1);
    net.global_pool(x);
    net
}

/// Inception v1 (`GoogLeNet`); pools between modules are drawn into the branches before them.
pub(crate) fn inception_v1() -> Network {
    let (mut net, x) = Network::new(IMAGE);
    let x = net.conv(x, 64, 7, 2);
    let x = net.pool(x, 3, 2);
    let x = net.conv(x, 64, 1, 1);
    let x = net.conv(x, 192, 3, 1);
    let mut x = net.pool(x, 3, 2);
    for (widths, pool) in [
        ([64, 96, 128, 16, 32, 32], None),
        ([128, 128, 192, 32, 96, 64], Some(3)),
        ([192, 96, 208, 16, 48, 64], None),
        ([160, 112, 224, 24, 64, 64], None),
        ([128, 128, 256, 24, 64, 64], None),
        ([112, 144, 288, 32, 64, 64], None),
        ([256, 160, 320, 32, 128, 128], Some(2)),
        ([256, 160, 320, 32, 128, 128], None),
        ([384, 192, 384, 48, 128, 128], None),
    ] {
        let mut branches = Vec::new();
        let mut finish = |net: &mut Network, y: MapId| branches.push(pool.map_or(y, |kernel| net.pool(y, kernel, 2)));
        let y = net.conv(x, widths[0], 1, 1);
        finish(&mut net, y);
        for at in [1, 3] {
            let y = net.conv(x, widths[at], 1, 1);
            let y = net.conv(y, widths[at + 1], 3, 1);
            finish(&mut net, y);
        }
        let y = net.pool(x, 3, 1);
        let y = net.conv(y, widths[5], 1, 1);
        finish(&mut net, y);
        x = net.concat(&branches);
    }
    classify(&mut net, x, 1001);
    net
}

/// Inception v3.
pub(crate) fn inception_v3() -> Network {
    let (mut net, x) = Network::new([299, 299, 3]);
    let x = net.conv_valid(x, 32, 3, 2);
    let x = net.conv_valid(x, 32, 3, 1);
    let x = net.conv(x, 64, 3, 1);
    let x = net.pool_valid(x, 3, 2);
    let x = net.conv_valid(x, 80, 1, 1);
    let x = net.conv_valid(x, 192, 3, 1);
    let mut x = net.pool_valid(x, 3, 2);
    let branch = |net: &mut Network, x: MapId, steps: &[(u32, [u32; 2])]| {
        steps.iter().fold(x, |x, &(channels, kernel)| net.conv_of(x, channels, kernel))
    };
    let pooled = |net: &mut Network, x: MapId, channels: u32| {
        let x = net.pool(x, 3, 1);
        net.conv(x, channels, 1, 1)
    };
    for pool_width in [32, 64, 64] {
        let first = branch(&mut net, x, &[(64, [1, 1])]);
        let second = branch(&mut net, x, &[(48, [1, 1]), (64, [5, 5])]);
        let third = branch(&mut net, x, &[(64, [1, 1]), (96, [3, 3]), (96, [3, 3])]);
        let fourth = pooled(&mut net, x, pool_width);
        x = net.concat(&[first, second, third, fourth]);
    }
    let first = net.conv_valid(x, 384, 3, 2);
    let second = branch(&mut net, x, &[(64, [1, 1]), (96, [3, 3])]);
    let second = net.conv_valid(second, 96, 3, 2);
    let third = net.pool_valid(x, 3, 2);
    x = net.concat(&[first, second, third]);
    for width in [128, 160, 160, 192] {
        let first = branch(&mut net, x, &[(192, [1, 1])]);
        let second = branch(&mut net, x, &[(width, [1, 1]), (width, [1, 7]), (192, [7, 1])]);
        let steps = [(width, [1, 1]), (width, [7, 1]), (width, [1, 7]), (width, [7, 1]), (192, [1, 7])];
        let third = branch(&mut net, x, &steps);
        let fourth = pooled(&mut net, x, 192);
        x = net.concat(&[first, second, third, fourth]);
    }
    let first = branch(&mut net, x, &[(192, [1, 1])]);
    let first = net.conv_valid(first, 320, 3, 2);
    let second = branch(&mut net, x, &[(192, [1, 1]), (192, [1, 7]), (192, [7, 1])]);
    let second = net.conv_valid(second, 192, 3, 2);
    let third = net.pool_valid(x, 3, 2);
    x = net.concat(&[first, second, third]);
    for _ in 0..2 {
        let mut branches = vec![branch(&mut net, x, &[(320, [1, 1])])];
        for steps in [&[(384, [1, 1])][..], &[(448, [1, 1]), (384, [3, 3])]] {
            let y = branch(&mut net, x, steps);
            branches.extend([[1, 3], [3, 1]].map(|kernel| net.conv_of(y, 384, kernel)));
        }
        branches.push(pooled(&mut net, x, 192));
        x = net.concat(&branches);
    }
    classify(&mut net, x, 1001);
    net
}
