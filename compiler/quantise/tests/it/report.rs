//! What a report says about networks whose noise is known.

use dpuc_quantise::{Options, TensorReport};

use crate::networks::{network, quantised, samples};

/// Convolution, pooling, convolution.
const NET: &str = "  func.func @main(%x: tensor<1x8x8x4xf32>) -> tensor<1x4x4x4xf32> {
    %w1 = nn.constant @w1 : tensor<4x3x3x4xf32>
    %b1 = nn.constant @b1 : tensor<4xf32>
    %c1 = nn.conv2d %x, %w1, %b1 {pads = [1, 1, 1, 1]} : (tensor<1x8x8x4xf32>, tensor<4x3x3x4xf32>, tensor<4xf32>) -> tensor<1x8x8x4xf32>
    %r1 = nn.relu %c1 : tensor<1x8x8x4xf32>
    %pool = nn.max_pool %r1 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x8x8x4xf32>) -> tensor<1x4x4x4xf32>
    %w2 = nn.constant @w2 : tensor<4x1x1x4xf32>
    %c2 = nn.conv2d %pool, %w2 : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>) -> tensor<1x4x4x4xf32>
    func.return %c2 : tensor<1x4x4x4xf32>
  }";

#[test]
fn noise_belongs_to_the_layer_that_adds_it() {
    let ir = network(NET);
    let report = quantised(&ir, Options { correct_bias: false, ..Options::default() }).report;
    let [x, r1, pool, c2] = &report.tensors[..] else { panic!("{:?}", report.tensors) };
    assert_eq!([&x.operation, &r1.operation, &pool.operation], ["argument", "nn.conv2d + nn.relu", "nn.max_pool"]);
    assert_eq!([&x.inputs[..], &r1.inputs, &pool.inputs, &c2.inputs], [&[][..], &[0], &[1], &[2]]);
    assert_eq!([x.tied_to, r1.tied_to, pool.tied_to, c2.tied_to], [None, None, Some(1), None]);
    // Selecting adds nothing, so that the pool passes its input's noise on.
    assert_eq!((pool.added, pool.loss), (200.0, 0.0));
    assert!(pool.share < 1e-12 && pool.sqnr.total_cmp(&pool.inherited).is_eq());
    for tensor in [x, r1, c2] {
        assert!((20.0..60.0).contains(&tensor.added) && tensor.share > 0.01, "{tensor:?}");
    }
    for tensor in [r1, c2] {
        assert!(tensor.sqnr < tensor.inherited && tensor.sqnr < tensor.added, "{tensor:?}");
        assert!((tensor.loss - (tensor.inherited - tensor.sqnr)).abs() < 1e-9);
    }
    let whole: f64 = report.tensors.iter().map(|tensor| tensor.share).sum();
    assert!((whole - 1.0).abs() < 1e-9);
}

#[test]
fn every_float_is_in_a_histogram() {
    let ir = network(NET);
    let report = quantised(&ir, Options::default()).report;
    assert_eq!(report.samples, samples(&ir, 6).len());
    for tensor in &report.tensors {
        let TensorReport { histogram, shape, position, .. } = tensor;
        let counted = histogram.counts.iter().sum::<u64>() + histogram.below + histogram.above;
        assert_eq!(counted, 6 * shape.iter().product::<usize>() as u64, "{tensor:?}");
        let code = |value: f32| (value * 2f32.powi(*position) + 0.5).floor() as i32;
        let last = histogram.first + histogram.counts.len() as i32 * histogram.width;
        assert!(code(tensor.least) >= histogram.first && code(tensor.most) < last, "{tensor:?}");
    }
    // Floats beyond the range of codes are those that saturate.
    let saturated = |tensor: &TensorReport| {
        let bins = tensor.histogram.counts.iter().enumerate();
        let outside = bins
            .filter(|(bin, _)| !(-128..128).contains(&(tensor.histogram.first + *bin as i32 * tensor.histogram.width)));
        outside.map(|(_, count)| count).sum::<u64>() as f64 / (6 * tensor.shape.iter().product::<usize>()) as f64
    };
    assert!(report.tensors.iter().all(|tensor| (saturated(tensor) - tensor.saturated).abs() < 1e-12));
    let names: Vec<&str> = report.constants.iter().map(|constant| constant.name.as_str()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(report.constants.iter().map(|constant| constant.tensor).collect::<Vec<_>>(), [1, 1, 3]);
}
