//! What each stage gains, on a small network whose channels differ much.

use dpuc_dialects::Ir;
use dpuc_dialects::weights::Weight;
use dpuc_quantise::{Effort, Options};

use crate::networks::{network, noise, quantised};

/// A depthwise layer between two others.
const SEPARABLE: &str = "func.func @main(%x: tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32> {
    %w1 = nn.constant @w1 : tensor<16x1x1x8xf32>
    %b1 = nn.constant @b1 : tensor<16xf32>
    %c1 = nn.conv2d %x, %w1, %b1 : (tensor<1x8x8x8xf32>, tensor<16x1x1x8xf32>, tensor<16xf32>) -> tensor<1x8x8x16xf32>
    %r1 = nn.relu %c1 : tensor<1x8x8x16xf32>
    %w2 = nn.constant @w2 : tensor<1x3x3x16xf32>
    %b2 = nn.constant @b2 : tensor<16xf32>
    %d2 = nn.depthwise_conv2d %r1, %w2, %b2 {pads = [1, 1, 1, 1]} : (tensor<1x8x8x16xf32>, tensor<1x3x3x16xf32>, tensor<16xf32>) -> tensor<1x8x8x16xf32>
    %r2 = nn.relu %d2 : tensor<1x8x8x16xf32>
    %w3 = nn.constant @w3 : tensor<8x1x1x16xf32>
    %b3 = nn.constant @b3 : tensor<8xf32>
    %y = nn.conv2d %r2, %w3, %b3 : (tensor<1x8x8x16xf32>, tensor<8x1x1x16xf32>, tensor<8xf32>) -> tensor<1x8x8x8xf32>
    func.return %y : tensor<1x8x8x8xf32>
  }";

/// What the depthwise layer makes of channel `c` is small by `4^-(c % 5)`, and the layer behind it makes up for that.
fn separable() -> Ir {
    let mut ir = network(SEPARABLE);
    let mut scale = |name: &str, shape: &[usize], base: f32| {
        let mut elements = noise(77 + shape.len() as u64, shape.iter().product());
        elements.iter_mut().enumerate().for_each(|(at, value)| *value *= base.powi((at % 16 % 5) as i32));
        ir.weights.insert(name, Weight::from_f32(shape, &elements).unwrap());
    };
    scale("w2", &[1, 3, 3, 16], 0.25);
    scale("b2", &[16], 0.25);
    scale("w3", &[8, 1, 1, 16], 4.0);
    ir
}

/// Signal to noise of the result.
fn sqnr(options: Options) -> f64 {
    quantised(&separable(), options).report.tensors.last().unwrap().sqnr
}

#[test]
fn each_stage_makes_the_result_better() {
    let plain = Options { equalise: false, correct_bias: false, ..Options::default() };
    let plain_sqnr = sqnr(plain.clone());
    let equalised = sqnr(Options { equalise: true, ..plain.clone() });
    let corrected = sqnr(Options { correct_bias: true, ..plain });
    let whole = sqnr(Options::default());
    let high = sqnr(Options { effort: Effort::High, ..Options::default() });
    let all = [plain_sqnr, equalised, corrected, whole, high];
    assert!(equalised > plain_sqnr + 6.0, "{all:?}");
    assert!(corrected > plain_sqnr, "{all:?}");
    assert!(whole > equalised, "{all:?}");
    assert!(high > whole, "{all:?}");
}

#[test]
fn only_chosen_roundings_count_as_tuned() {
    let is_tuned = |effort| quantised(&separable(), Options { effort, ..Options::default() }).info.fast_finetuned;
    assert!(!is_tuned(Effort::Normal));
    assert!(is_tuned(Effort::High));
}
