//! Float operations with known results.

use std::f32::consts::{LN_2, SQRT_2};

use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Tensor, evaluate};

/// A shape and elements.
pub(crate) type Input<'a> = (&'a [usize], &'a [f32]);

/// Evaluates one operation of the given type, of inputs `%x0`, `%x1`, …
pub(crate) fn run(op: &str, ty: &str, inputs: &[Input]) -> Vec<f32> {
    evaluated(op, ty, inputs).unwrap()
}

/// The same; the message if it cannot be evaluated.
fn evaluated(op: &str, ty: &str, inputs: &[Input]) -> Result<Vec<f32>, String> {
    let ty_of =
        |shape: &[usize]| shape.iter().map(usize::to_string).chain(["f32".to_owned()]).collect::<Vec<_>>().join("x");
    let arguments = inputs.iter().enumerate().map(|(i, (shape, _))| format!("%x{i}: tensor<{}>", ty_of(shape)));
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    let result = ty.rsplit("-> ").next().unwrap();
    let source = format!(
        "module {{ func.func @main({arguments}) -> {result} {{ %y = {op} : {ty} func.return %y : {result} }} }}"
    );
    let parsed = parse(&source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{source}: {:#?}", parsed.diagnostics);
    assert!(verify(&parsed.ir).is_empty(), "{}", verify(&parsed.ir).list()[0]);
    let inputs: Vec<Tensor> =
        inputs.iter().map(|(shape, elements)| Tensor::from_f32(shape, elements.to_vec()).unwrap()).collect();
    let outputs = evaluate(&parsed.ir, "main", &inputs, &mut |_, _| {}).map_err(|error| error.to_string())?;
    Ok(outputs[0].as_f32().unwrap().iter().copied().collect())
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6, "{found} instead of {expected}");
    }
}

const SIX: Input = (&[6], &[-4.0, -1.0, 0.0, 0.5, 3.0, 8.0]);

#[test]
fn activations() {
    let unary = |name: &str| run(&format!("nn.{name} %x0"), "tensor<6xf32>", &[SIX]);
    assert_close(&unary("relu"), &[0.0, 0.0, 0.0, 0.5, 3.0, 8.0]);
    assert_close(&unary("relu6"), &[0.0, 0.0, 0.0, 0.5, 3.0, 6.0]);
    assert_close(&unary("hard_sigmoid"), &[0.0, 1.0 / 3.0, 0.5, 3.5 / 6.0, 1.0, 1.0]);
    assert_close(&unary("hard_swish"), &[0.0, -1.0 / 3.0, 0.0, 1.75 / 6.0, 3.0, 8.0]);
    assert_close(&unary("sigmoid"), &[0.017_986_21, 0.268_941_42, 0.5, 0.622_459_3, 0.952_574_13, 0.999_664_65]);
    assert_close(&unary("tanh"), &[-0.999_329_3, -0.761_594_2, 0.0, 0.462_117_16, 0.995_054_8, 1.0]);
    let leaky = run("nn.leaky_relu %x0 {alpha = 0.1015625}", "tensor<6xf32>", &[SIX]);
    assert_close(&leaky, &[-0.406_25, -0.101_562_5, 0.0, 0.5, 3.0, 8.0]);
}

#[test]
fn fix_in_every_mode() {
    let ties: Input = (&[6], &[-2.5, -1.5, -0.5, 0.5, 1.5, 200.0]);
    let fix = |attributes: &str| run(&format!("nn.fix %x0 {{{attributes}}}"), "tensor<6xf32>", &[ties]);
    assert_eq!(fix("fix_point = 0"), [-2.0, -1.0, 0.0, 1.0, 2.0, 127.0]);
    assert_eq!(fix("fix_point = 0, round_mode = \"std\""), [-3.0, -2.0, -1.0, 1.0, 2.0, 127.0]);
    assert_eq!(fix("fix_point = 0, round_mode = \"py3\""), [-2.0, -2.0, 0.0, 0.0, 2.0, 127.0]);
    assert_eq!(fix("fix_point = 0, signed = false"), [0.0, 0.0, 0.0, 1.0, 2.0, 200.0]);
    assert_eq!(fix("fix_point = 1, bit_width = 4"), [-2.5, -1.5, -0.5, 0.5, 1.5, 3.5]);
    assert_eq!(fix("fix_point = -3"), [0.0, 0.0, 0.0, 0.0, 0.0, 200.0]);
}

#[test]
fn elementwise_operations_broadcast() {
    let inputs: [(&[usize], &[f32]); 2] = [(&[2, 2], &[1.0, 2.0, 3.0, 4.0]), (&[2], &[10.0, 4.0])];
    let ty = "(tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>";
    assert_eq!(run("nn.add %x0, %x1", ty, &inputs), [11.0, 6.0, 13.0, 8.0]);
    assert_eq!(run("nn.sub %x0, %x1", ty, &inputs), [-9.0, -2.0, -7.0, 0.0]);
    assert_eq!(run("nn.mul %x0, %x1", ty, &inputs), [10.0, 8.0, 30.0, 16.0]);
    assert_eq!(run("nn.div %x0, %x1", ty, &inputs), [0.1, 0.5, 0.3, 1.0]);
}

#[test]
fn windows() {
    let row: Input = (&[1, 1, 4, 1], &[1.0, -2.0, 3.0, 5.0]);
    let ty = "(tensor<1x1x4x1xf32>) -> tensor<1x1x3x1xf32>";
    let attributes = "{kernel = [1, 3], strides = [1, 2], pads = [0, 2, 0, 1]}";
    assert_eq!(run(&format!("nn.max_pool %x0 {attributes}"), ty, &[row]), [1.0, 3.0, 5.0]);
    assert_close(&run(&format!("nn.avg_pool %x0 {attributes}"), ty, &[row]), &[1.0 / 3.0, 2.0 / 3.0, 8.0 / 3.0]);
    let weights: Input = (&[2, 1, 2, 1], &[1.0, 10.0, -1.0, 0.5]);
    let bias: Input = (&[2], &[100.0, 0.25]);
    let ty = "(tensor<1x1x4x1xf32>, tensor<2x1x2x1xf32>, tensor<2xf32>) -> tensor<1x1x2x2xf32>";
    let conv = run("nn.conv2d %x0, %x1, %x2 {dilations = [1, 2]}", ty, &[row, weights, bias]);
    assert_eq!(conv, [131.0, 0.75, 148.0, 4.75]);
    // Example C11 of numerics.md.
    let (input, kernel): (Input, Input) = ((&[1, 1, 2, 1], &[1.0, 2.0]), (&[1, 1, 3, 1], &[1.0, 2.0, 3.0]));
    let ty = "(tensor<1x1x2x1xf32>, tensor<1x1x3x1xf32>) -> tensor<1x1x5x1xf32>";
    for name in ["transposed_conv2d", "transposed_depthwise_conv2d"] {
        assert_eq!(
            run(&format!("nn.{name} %x0, %x1 {{strides = [1, 2]}}"), ty, &[input, kernel]),
            [3.0, 2.0, 7.0, 4.0, 2.0]
        );
    }
}

#[test]
fn matrices_in_both_orders() {
    let (x, b): (Input, Input) = ((&[1, 2], &[1.0, 2.0]), (&[3], &[0.5, 0.0, 0.0]));
    let rows: Input = (&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let columns: Input = (&[2, 3], &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    let ty = "(tensor<1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x3xf32>";
    assert_eq!(run("nn.matmul %x0, %x1, %x2", ty, &[x, rows, b]), [5.5, 11.0, 17.0]);
    let ty = "(tensor<1x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>";
    assert_eq!(run("nn.matmul %x0, %x1, %x2 {transpose_b = false}", ty, &[x, columns, b]), [5.5, 11.0, 17.0]);
}

#[test]
fn reductions() {
    let x: Input = (&[2, 3], &[1.0, 2.0, 6.0, -1.0, -2.0, -6.0]);
    let reduce = |name: &str, attributes: &str, ty: &str| {
        run(&format!("nn.reduce_{name} %x0 {{{attributes}}}"), &format!("(tensor<2x3xf32>) -> {ty}"), &[x])
    };
    assert_eq!(reduce("mean", "axes = [1]", "tensor<2x1xf32>"), [3.0, -3.0]);
    assert_eq!(reduce("max", "axes = [0], keep_dims = false", "tensor<3xf32>"), [1.0, 2.0, 6.0]);
    assert_eq!(reduce("sum", "axes = [0, 1]", "tensor<1x1xf32>"), [0.0]);
}

#[test]
fn argmax_is_the_first_maximum() {
    let x: Input = (&[2, 3], &[6.0, 2.0, 6.0, -1.0, -0.5, -6.0]);
    let argmax = |axis: u32, ty: &str| run(&format!("nn.argmax %x0 {{axis = {axis}}}"), ty, &[x]);
    assert_eq!(argmax(1, "(tensor<2x3xf32>) -> tensor<2x1xf32>"), [0.0, 1.0]);
    assert_eq!(argmax(0, "(tensor<2x3xf32>) -> tensor<1x3xf32>"), [0.0, 0.0, 0.0]);
}

/// The rows of numerics.md section 5.7.
#[test]
fn bilinear_rows() {
    let row: Input = (&[1, 1, 2, 1], &[10.0, -31.0]);
    let ty = "(tensor<1x1x2x1xf32>) -> tensor<1x1x4x1xf32>";
    let resize = |attributes: &str| run(&format!("nn.resize %x0 {{mode = \"bilinear\"{attributes}}}"), ty, &[row]);
    assert_eq!(resize(""), [10.0, -10.5, -31.0, -31.0]);
    assert_close(&resize(", coordinates = \"align_corners\"")[..2], &[10.0, 10.0 - 41.0 / 3.0]);
    assert_eq!(resize(", coordinates = \"half_pixel\""), [10.0, -0.25, -20.75, -31.0]);
}

#[test]
fn functions_of_one_variable() {
    let unary = |op: &str| {
        let (name, attributes) = op.split_once(' ').unwrap_or((op, ""));
        run(&format!("nn.{name} %x0 {attributes}"), "tensor<6xf32>", &[SIX])
    };
    assert_close(&unary("exp")[..5], &[0.018_315_638, 0.367_879_44, 1.0, 1.648_721_3, 20.085_537]);
    assert_close(&unary("erf"), &[-1.0, -0.842_700_8, 0.0, 0.520_499_9, 0.999_977_9, 1.0]);
    assert_close(&unary("silu"), &[-0.071_944_84, -0.268_941_43, 0.0, 0.311_229_66, 2.857_722_3, 7.997_317]);
    assert_close(&unary("gelu"), &[-0.000_126_685, -0.158_655_26, 0.0, 0.345_731_23, 2.995_950_2, 8.0]);
    let tanh = unary("gelu {approximate = \"tanh\"}");
    assert_close(&tanh, &[-0.000_070_246, -0.158_808_01, 0.0, 0.345_714, 2.996_362_6, 8.0]);
    assert_close(&unary("mish"), &[-0.072_591_24, -0.303_401_5, 0.0, 0.375_245_2, 2.986_535, 7.999_998]);
    assert_close(&unary("softplus"), &[0.018_149_93, 0.313_261_7, LN_2, 0.974_077, 3.048_587_3, 8.000_335]);
    assert_close(&unary("elu {alpha = 2.0}"), &[-1.963_368_7, -1.264_241_1, 0.0, 0.5, 3.0, 8.0]);
    assert_close(&unary("sin"), &[0.756_802_5, -0.841_471, 0.0, 0.479_425_54, 0.141_120_01, 0.989_358_2]);
    assert_close(&unary("cos"), &[-0.653_643_6, 0.540_302_3, 1.0, 0.877_582_55, -0.989_992_5, -0.145_500_03]);
    assert_eq!(unary("abs"), [4.0, 1.0, 0.0, 0.5, 3.0, 8.0]);
    assert_close(&unary("log")[3..], &[-LN_2, 1.098_612_3, 2.079_441_5]);
    assert!(unary("log")[1].is_nan() && unary("sqrt")[0].is_nan());
    assert_eq!(unary("log")[2..3], [f32::NEG_INFINITY]);
    assert_close(&unary("sqrt")[2..], &[0.0, 0.707_106_77, 1.732_050_8, 2.828_427]);
}

#[test]
fn functions_with_corners() {
    let halves: Input = (&[8], &[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, f32::INFINITY, f32::NEG_INFINITY]);
    let run = |op: &str| run(op, "tensor<8xf32>", &[halves]);
    let (up, down) = (f32::INFINITY, f32::NEG_INFINITY);
    assert_eq!(run("nn.round %x0"), [-2.0, -2.0, -0.0, 0.0, 2.0, 2.0, up, down]);
    assert_eq!(run("nn.floor %x0"), [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, up, down]);
    assert_eq!(run("nn.ceil %x0"), [-2.0, -1.0, -0.0, 1.0, 2.0, 3.0, up, down]);
    assert_eq!(run("nn.clip %x0 {min = -1.0}"), [-1.0, -1.0, -0.5, 0.5, 1.5, 2.5, up, -1.0]);
    assert_eq!(run("nn.clip %x0 {max = 1.0}"), [-2.5, -1.5, -0.5, 0.5, 1.0, 1.0, 1.0, down]);
    // ONNX: where the bounds cross, the upper one wins.
    assert_eq!(run("nn.clip %x0 {min = 3.0, max = 2.0}"), [2.0; 8]);
    assert_eq!(run("nn.exp %x0")[6..], [up, 0.0]);
    assert_eq!(run("nn.erf %x0")[6..], [1.0, -1.0]);
    assert_eq!(run("nn.softplus %x0")[6..], [up, 0.0]);
    assert_eq!(run("nn.elu %x0 {alpha = 0.5}")[6..], [up, -0.5]);
}

#[test]
fn comparisons_and_choices() {
    let nan = f32::NAN;
    let inputs: [Input; 2] = [(&[4], &[1.0, 2.0, 3.0, nan]), (&[1], &[2.0])];
    let compare = |predicate: &str| {
        let ty = "(tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>";
        run(&format!("nn.compare %x0, %x1 {{predicate = \"{predicate}\"}}"), ty, &inputs)
    };
    assert_eq!(compare("eq"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(compare("ne"), [1.0, 0.0, 1.0, 1.0]);
    assert_eq!(compare("lt"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(compare("le"), [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(compare("gt"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(compare("ge"), [0.0, 1.0, 1.0, 0.0]);
    let ty = "(tensor<3xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<2x3xf32>";
    let inputs: [Input; 3] = [(&[3], &[0.0, -0.0, nan]), (&[2, 1], &[5.0, 6.0]), (&[1], &[7.0])];
    assert_eq!(run("nn.select %x0, %x1, %x2", ty, &inputs), [7.0, 7.0, 5.0, 7.0, 7.0, 6.0]);
    let ty = "(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>";
    let inputs: [Input; 2] = [(&[4], &[2.0, -2.0, 0.0, -8.0]), (&[4], &[0.5, 3.0, 0.0, 1.0 / 3.0])];
    let pow = run("nn.pow %x0, %x1", ty, &inputs);
    assert_close(&pow[..3], &[SQRT_2, -8.0, 1.0]);
    assert!(pow[3].is_nan());
}

#[test]
fn broadcasting_and_gathering() {
    let x: Input = (&[2, 1], &[1.0, 2.0]);
    let ty = "(tensor<2x1xf32>) -> tensor<2x2x3xf32>";
    let repeated = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0];
    assert_eq!(run("nn.broadcast %x0", ty, &[x]), [repeated, repeated].concat());
    let data: Input = (&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let indices: Input = (&[2, 2], &[0.0, -1.0, 2.0, -3.0]);
    let ty = "(tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x2x2xf32>";
    let gathered = run("nn.gather %x0, %x1 {axis = 1}", ty, &[data, indices]);
    assert_eq!(gathered, [1.0, 3.0, 3.0, 1.0, 4.0, 6.0, 6.0, 4.0]);
    let row = run(
        "nn.gather %x0, %x1 {axis = 0}",
        "(tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>",
        &[data, (&[], &[-1.0])],
    );
    assert_eq!(row, [4.0, 5.0, 6.0]);
}

#[test]
fn wrong_indices_are_errors() {
    for index in [3.0, -4.0, 0.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
        let ty = "(tensor<3xf32>, tensor<1xf32>) -> tensor<1xf32>";
        let inputs: [Input; 2] = [(&[3], &[1.0, 2.0, 3.0]), (&[1], &[index])];
        let message = evaluated("nn.gather %x0, %x1 {axis = 0}", ty, &inputs).unwrap_err();
        let wanted = "names no part: of 3 ones, indices are integers from -3 to 2";
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn layer_normalisation() {
    let x: Input = (&[2, 4], &[1.0, 2.0, 3.0, 4.0, -10.0, -10.0, -10.0, -10.0]);
    let ty = "(tensor<2x4xf32>) -> tensor<2x4xf32>";
    let unit = [-1.341_635_4, -0.447_211_8, 0.447_211_8, 1.341_635_4, 0.0, 0.0, 0.0, 0.0];
    assert_close(&run("nn.layer_norm %x0 {axis = 1, epsilon = 1.0e-05}", ty, &[x]), &unit);
    let (scale, offset): (Input, Input) = ((&[4], &[1.0, 2.0, -1.0, 0.0]), (&[4], &[0.5, 0.0, 0.0, 7.0]));
    let ty = "(tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>";
    let found = run("nn.layer_norm %x0, %x1, %x2 {axis = 1, epsilon = 1.0e-05}", ty, &[x, scale, offset]);
    assert_close(&found, &[-0.841_635_4, -0.894_423_6, -0.447_211_8, 7.0, 0.5, 0.0, 0.0, 7.0]);
    let all =
        run("nn.layer_norm %x0 {axis = 0, epsilon = 0.0}", "tensor<2x2xf32>", &[(&[2, 2], &[0.0, 2.0, 4.0, 6.0])]);
    assert_close(&all, &[-1.341_640_8, -0.447_213_6, 0.447_213_6, 1.341_640_8]);
}

#[test]
fn stacks_of_matrices() {
    let lhs: Input = (&[2, 1, 2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.0, 1.0, -1.0, 1.0, 0.0]);
    let rhs: Input = (&[2, 3, 1], &[1.0, 10.0, 100.0, 2.0, 0.0, -1.0]);
    let ty = "(tensor<2x1x2x3xf32>, tensor<2x3x1xf32>) -> tensor<2x2x2x1xf32>";
    let found = run("nn.batch_matmul %x0, %x1", ty, &[lhs, rhs]);
    assert_eq!(found, [321.0, 654.0, -1.0, 2.0, 100.0, 9.0, -1.0, -2.0]);
    let ty = "(tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>";
    assert_eq!(run("nn.batch_matmul %x0, %x1", ty, &[(&[1, 2], &[3.0, 4.0]), (&[2, 1], &[5.0, 6.0])]), [39.0]);
}

#[test]
fn padding_left_out_of_means() {
    let row: Input = (&[1, 1, 4, 1], &[1.0, -2.0, 3.0, 5.0]);
    let ty = "(tensor<1x1x4x1xf32>) -> tensor<1x1x3x1xf32>";
    let op = "nn.avg_pool %x0 {kernel = [1, 3], strides = [1, 2], pads = [0, 2, 0, 1], exclude_padding = true}";
    assert_eq!(run(op, ty, &[row]), [1.0, 2.0 / 3.0, 4.0]);
}

#[test]
fn minima_along_axes() {
    let x: Input = (&[2, 3], &[1.0, 2.0, 6.0, -1.0, -2.0, -6.0]);
    let ty = "(tensor<2x3xf32>) -> tensor<2xf32>";
    assert_eq!(run("nn.reduce_min %x0 {axes = [1], keep_dims = false}", ty, &[x]), [1.0, -6.0]);
}
