//! Each rule of `spec/quantisation.md` section 9 by itself, at its limit and beyond, and the worked examples of section 12.

use std::collections::BTreeMap;

use dpuc_dialects::dialects::nn;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::weights::Weight;

use super::*;
use crate::network::body;

/// A function with this body, whose constants are ones.
fn placement(function: &str) -> Placement {
    let parsed = parse(&format!("module @net {{\n{function}\n}}\n"), &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let mut ir = parsed.ir;
    for op in ir.walk(ir.root()) {
        let symbol = ir.attribute(op, "value").and_then(|value| value.as_symbol()).map(str::to_owned);
        if let (true, Some(symbol)) = (ir.is(op, &nn::CONSTANT), symbol) {
            let shape = ir.shape_of(ir.result(op)).unwrap();
            let ones = vec![1.0; shape.iter().product()];
            ir.weights.insert(symbol, Weight::from_f32(&shape, &ones).unwrap());
        }
    }
    let block = body(&ir).unwrap();
    Placement::new(&mut ir, block).unwrap()
}

/// Positions by name after the rules; tensors that are not named have position 5.
fn adjusted(placement: &Placement, wishes: &[(&str, i32)], profile: Profile) -> BTreeMap<String, i32> {
    let wish = |name: &str| wishes.iter().find(|(wished, _)| *wished == name).map_or(5, |(_, position)| *position);
    let mut positions = Positions {
        sites: placement.sites.iter().map(|site| wish(&site.name)).collect(),
        parameters: placement.parameters.iter().map(|parameter| wish(&parameter.symbol)).collect(),
    };
    adjust(placement, &mut positions, profile);
    let parameters = placement.parameters.iter().zip(&positions.parameters);
    let sites =
        (0..placement.sites.len()).map(|site| (placement.sites[site].name.clone(), positions.of(placement, site)));
    parameters.map(|(parameter, &position)| (parameter.symbol.clone(), position)).chain(sites).collect()
}

/// One convolution `y` of `x`.
const CONVOLUTION: &str = "func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
    %w = nn.constant @w : tensor<2x1x1x2xf32>
    %b = nn.constant @b : tensor<2xf32>
    %y = nn.conv2d %x, %w, %b : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
    func.return %y : tensor<1x4x4x2xf32>
  }";

/// Wishes for `x`, `w`, `b` and `y`, and what becomes of them.
fn check(function: &str, profile: Profile, names: &[&str], cases: &[(&[i32], &[i32])]) {
    let placement = placement(function);
    for (wished, expected) in cases {
        let wishes: Vec<(&str, i32)> = names.iter().copied().zip(wished.iter().copied()).collect();
        let found = adjusted(&placement, &wishes, profile);
        let found: Vec<i32> = names.iter().map(|name| found[*name]).collect();
        assert_eq!(found, *expected, "{profile:?} {names:?} {wished:?}");
    }
}

#[test]
fn the_sum_of_a_convolution_is_shifted_right_by_16_at_most() {
    let names = ["x", "w", "b", "y"];
    let cases: [(&[i32], &[i32]); 3] =
        [(&[4, 8, 5, 12], &[4, 8, 5, 12]), (&[8, 12, 12, 4], &[8, 12, 12, 4]), (&[8, 12, 12, 3], &[8, 11, 12, 3])];
    for profile in [Profile::Nndct, Profile::DecentQ] {
        check(CONVOLUTION, profile, &names, &cases);
    }
    // A result finer than the products: PyTorch's quantiser makes the result coarser, TensorFlow's the weights finer.
    check(CONVOLUTION, Profile::Nndct, &names, &[(&[3, 6, 5, 11], &[3, 6, 5, 9])]);
    check(CONVOLUTION, Profile::DecentQ, &names, &[(&[3, 6, 5, 11], &[3, 8, 5, 11])]);
}

/// Limits that a later change of a result's position must keep: the shift of the sum, and the bias that was chosen for the old position.
#[test]
fn a_result_cannot_become_coarser_than_sum_and_bias_can_be_shifted() {
    let placement = placement(CONVOLUTION);
    let positions = |bias: i32, output: i32| {
        let site = |name: &str| if name == "y" { output } else { 8 };
        Positions {
            sites: placement.sites.iter().map(|site_of| site(&site_of.name)).collect(),
            parameters: placement.parameters.iter().map(|of| if of.is_bias { bias } else { 8 }).collect(),
        }
    };
    let is_possible = |profile, bias, output| {
        is_computable(&placement, &positions(bias, output), placement.layers.len() - 1, profile)
    };
    for profile in [Profile::Nndct, Profile::DecentQ] {
        assert!(is_possible(profile, 12, 0) && !is_possible(profile, 12, -1), "the sum's shift is 16 at most");
        assert!(!is_possible(profile, 12, 17), "the sum is never shifted left");
        assert!(!is_possible(profile, -1, 4), "the bias's shift is 16 at most");
    }
    // A bias finer than the products: half a unit while the sum is shifted by less than 16, with AMD's TensorFlow rule even more.
    assert!(is_possible(Profile::Nndct, 17, 1) && !is_possible(Profile::Nndct, 17, 0));
    assert!(is_possible(Profile::DecentQ, 20, 4) && !is_possible(Profile::DecentQ, 20, 3));
}

#[test]
fn a_bias_is_aligned_to_the_products() {
    let names = ["x", "w", "b", "y"];
    // 16 to the left at most: PyTorch's quantiser makes the weights coarser, TensorFlow's the bias finer.
    check(CONVOLUTION, Profile::Nndct, &names, &[(&[8, 8, 0, 4], &[8, 8, 0, 4]), (&[8, 8, -1, 4], &[8, 7, -1, 4])]);
    check(CONVOLUTION, Profile::DecentQ, &names, &[(&[8, 8, -1, 4], &[8, 8, 0, 4])]);
    // To the right by as many bits as the sum of products has left; what hardware drops is not asked for by default.
    check(
        CONVOLUTION,
        Profile::DecentQ,
        &names,
        &[(&[0, 1, 9, -7], &[0, 1, 9, -7]), (&[0, 1, 12, -7], &[0, 1, 9, -7])],
    );
    check(CONVOLUTION, Profile::Nndct, &names, &[(&[2, 4, 12, 0], &[2, 4, 7, 0]), (&[8, 8, 12, 0], &[8, 8, 12, 0])]);
    check(CONVOLUTION, Profile::Nndct, &names, &[(&[0, 9, 12, -7], &[0, 9, 9, -7])]);
}

/// `y`, the sum of `x` and another argument.
fn binary(op: &str) -> String {
    format!(
        "func.func @main(%x: tensor<1x4x4x2xf32>, %z: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {{
    %y = nn.{op} %x, %z : tensor<1x4x4x2xf32>
    func.return %y : tensor<1x4x4x2xf32>
  }}"
    )
}

#[test]
fn operands_and_results_of_sums_are_at_most_15_bits_apart() {
    let cases: [(&[i32], &[i32]); 4] = [
        (&[-3, 12, 0], &[-3, 12, 0]),
        (&[-4, 12, 0], &[-4, 11, 0]),
        (&[4, 5, -16], &[4, 5, -11]),
        (&[-10, -10, 12], &[-10, -10, 5]),
    ];
    for profile in [Profile::Nndct, Profile::DecentQ] {
        check(&binary("add"), profile, &["x", "z", "y"], &cases);
    }
}

#[test]
fn products_are_shifted_right_by_15_at_most_and_not_left() {
    let cases: [(&[i32], &[i32]); 3] = [(&[4, 5, 9], &[4, 5, 9]), (&[4, 5, 10], &[4, 5, 9]), (&[8, 8, 0], &[8, 8, 1])];
    check(&binary("mul"), Profile::Nndct, &["x", "z", "y"], &cases);
}

/// `y`, an activation of `x`.
fn unary(op: &str) -> String {
    format!(
        "func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {{
    %y = nn.{op} %x : tensor<1x4x4x2xf32>
    func.return %y : tensor<1x4x4x2xf32>
  }}"
    )
}

#[test]
fn gates_have_the_positions_of_their_tables() {
    let sigmoid: [(&[i32], &[i32]); 4] =
        [(&[3, 9], &[3, 9]), (&[3, 6], &[3, 7]), (&[-2, 6], &[0, 7]), (&[0, 15], &[0, 14])];
    check(&unary("hard_sigmoid"), Profile::Nndct, &["x", "y"], &sigmoid);
    let swish: [(&[i32], &[i32]); 4] =
        [(&[3, 9], &[3, 9]), (&[3, 11], &[3, 10]), (&[-1, 3], &[0, 3]), (&[10, 0], &[10, 2])];
    check(&unary("hard_swish"), Profile::Nndct, &["x", "y"], &swish);
}

/// Below position 4 the hardware's clamp is above 6.
#[test]
fn a_relu6_has_position_4_at_least() {
    let function = CONVOLUTION.replace("func.return %y", "%r = nn.relu6 %y : tensor<1x4x4x2xf32>\n func.return %r");
    check(&function, Profile::Nndct, &["x", "w", "r"], &[(&[4, 8, 2], &[4, 8, 4]), (&[4, 8, 5], &[4, 8, 5])]);
}

/// Operands of a sum that nobody else reads are rounded once, to the sum's position.
#[test]
fn operands_of_a_sum_are_rounded_to_its_position_at_once() {
    let function = "func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
    %w = nn.constant @w : tensor<2x1x1x2xf32>
    %c = nn.conv2d %x, %w : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
    %y = nn.add %x, %c : tensor<1x4x4x2xf32>
    func.return %y : tensor<1x4x4x2xf32>
  }";
    let names = ["x", "w", "c", "y"];
    check(function, Profile::Nndct, &names, &[(&[6, 8, 6, 4], &[6, 8, 4, 4]), (&[6, 8, 3, 4], &[6, 8, 3, 4])]);
    check(function, Profile::DecentQ, &names, &[(&[6, 8, 6, 4], &[6, 8, 6, 4])]);
}

/// Section 12.1: no rule touches the positions that AMD's PyTorch quantiser found for `LeNet`.
#[test]
fn the_positions_of_lenet_stay() {
    let function = "func.func @main(%x: tensor<1x28x28x3xf32>) -> tensor<1x84xf32> {
    %w1 = nn.constant @w1 : tensor<6x5x5x3xf32>
    %b1 = nn.constant @b1 : tensor<6xf32>
    %c1 = nn.conv2d %x, %w1, %b1 : (tensor<1x28x28x3xf32>, tensor<6x5x5x3xf32>, tensor<6xf32>) -> tensor<1x24x24x6xf32>
    %relu1 = nn.relu %c1 : tensor<1x24x24x6xf32>
    %pool1 = nn.max_pool %relu1 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x24x24x6xf32>) -> tensor<1x12x12x6xf32>
    %w2 = nn.constant @w2 : tensor<16x5x5x6xf32>
    %b2 = nn.constant @b2 : tensor<16xf32>
    %c2 = nn.conv2d %pool1, %w2, %b2 : (tensor<1x12x12x6xf32>, tensor<16x5x5x6xf32>, tensor<16xf32>) -> tensor<1x8x8x16xf32>
    %relu2 = nn.relu %c2 : tensor<1x8x8x16xf32>
    %pool2 = nn.max_pool %relu2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x8x8x16xf32>) -> tensor<1x4x4x16xf32>
    %flat = nn.reshape %pool2 : (tensor<1x4x4x16xf32>) -> tensor<1x256xf32>
    %w3 = nn.constant @w3 : tensor<120x256xf32>
    %b3 = nn.constant @b3 : tensor<120xf32>
    %f1 = nn.matmul %flat, %w3, %b3 {transpose_b = true} : (tensor<1x256xf32>, tensor<120x256xf32>, tensor<120xf32>) -> tensor<1x120xf32>
    %fc1 = nn.relu %f1 : tensor<1x120xf32>
    %w4 = nn.constant @w4 : tensor<84x120xf32>
    %b4 = nn.constant @b4 : tensor<84xf32>
    %f2 = nn.matmul %fc1, %w4, %b4 {transpose_b = true} : (tensor<1x120xf32>, tensor<84x120xf32>, tensor<84xf32>) -> tensor<1x84xf32>
    %fc2 = nn.relu %f2 : tensor<1x84xf32>
    func.return %fc2 : tensor<1x84xf32>
  }";
    let names = ["x", "w1", "b1", "relu1", "pool1", "w2", "b2", "relu2", "pool2", "w3", "b3", "fc1", "w4", "b4", "fc2"];
    let found = [6, 8, 9, 5, 5, 8, 8, 5, 5, 8, 8, 4, 8, 8, 4];
    check(function, Profile::Nndct, &names, &[(&found, &found)]);
}

/// Section 12.2: of the biases that AMD's TensorFlow quantiser found for the MNIST network, one is a bit too fine and one just at its limit.
#[test]
fn the_bias_of_the_mnist_network_gets_a_bit_coarser() {
    let function = "func.func @main(%flat: tensor<1x4x4x16xf32>) -> tensor<1x10xf32> {
    %x = nn.reshape %flat : (tensor<1x4x4x16xf32>) -> tensor<1x256xf32>
    %w1 = nn.constant @w1 : tensor<64x256xf32>
    %b1 = nn.constant @b1 : tensor<64xf32>
    %f1 = nn.matmul %x, %w1, %b1 {transpose_b = true} : (tensor<1x256xf32>, tensor<64x256xf32>, tensor<64xf32>) -> tensor<1x64xf32>
    %fc1 = nn.relu %f1 : tensor<1x64xf32>
    %w2 = nn.constant @w2 : tensor<10x64xf32>
    %b2 = nn.constant @b2 : tensor<10xf32>
    %fc2 = nn.matmul %fc1, %w2, %b2 {transpose_b = true} : (tensor<1x64xf32>, tensor<10x64xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    func.return %fc2 : tensor<1x10xf32>
  }";
    let names = ["x", "w1", "b1", "fc1", "w2", "b2", "fc2"];
    check(function, Profile::DecentQ, &names, &[(&[-3, 8, 11, -5, 8, 11, -6], &[-3, 8, 11, -5, 8, 10, -6])]);
}
