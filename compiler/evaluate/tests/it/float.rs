//! Float operations with known results.

use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Tensor, evaluate};

/// A shape and elements.
type Input<'a> = (&'a [usize], &'a [f32]);

/// Evaluates one operation of the given type, of inputs `%x0`, `%x1`, …
fn run(op: &str, ty: &str, inputs: &[Input]) -> Vec<f32> {
    let dims = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let arguments = inputs.iter().enumerate().map(|(i, (shape, _))| format!("%x{i}: tensor<{}xf32>", dims(shape)));
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
    let outputs = evaluate(&parsed.ir, "main", &inputs, &mut |_, _| {}).unwrap();
    outputs[0].as_f32().unwrap().iter().copied().collect()
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
    assert_close(&resize(", align_corners = true")[..2], &[10.0, 10.0 - 41.0 / 3.0]);
    assert_eq!(resize(", half_pixel = true"), [10.0, -0.25, -20.75, -31.0]);
}
