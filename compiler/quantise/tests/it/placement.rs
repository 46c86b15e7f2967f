//! Where roundings are placed, seen from the integer network.

use dpuc_quantise::{Error, Options, Silent, quantise};

use crate::networks::{lowered, network, quantised, samples};

/// A network of most operators, in integers but for the boundary.
const WHOLE: &str = "func.func @main(%x: tensor<1x8x8x4xf32>) -> tensor<1x10xf32> {
    %w1 = nn.constant @w1 : tensor<8x3x3x4xf32>
    %b1 = nn.constant @b1 : tensor<8xf32>
    %c1 = nn.conv2d %x, %w1, %b1 {pads = [1, 1, 1, 1]} : (tensor<1x8x8x4xf32>, tensor<8x3x3x4xf32>, tensor<8xf32>) -> tensor<1x8x8x8xf32>
    %r1 = nn.relu6 %c1 : tensor<1x8x8x8xf32>
    %w2 = nn.constant @w2 : tensor<1x3x3x8xf32>
    %d1 = nn.depthwise_conv2d %r1, %w2 {pads = [1, 1, 1, 1]} : (tensor<1x8x8x8xf32>, tensor<1x3x3x8xf32>) -> tensor<1x8x8x8xf32>
    %r2 = nn.leaky_relu %d1 {alpha = 0.1} : tensor<1x8x8x8xf32>
    %a1 = nn.add %r1, %r2 : tensor<1x8x8x8xf32>
    %r3 = nn.relu %a1 : tensor<1x8x8x8xf32>
    %p1 = nn.max_pool %r3 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x8x8x8xf32>) -> tensor<1x4x4x8xf32>
    %g1 = nn.avg_pool %p1 {kernel = [4, 4]} : (tensor<1x4x4x8xf32>) -> tensor<1x1x1x8xf32>
    %s1 = nn.hard_sigmoid %g1 : tensor<1x1x1x8xf32>
    %m1 = nn.mul %p1, %s1 : (tensor<1x4x4x8xf32>, tensor<1x1x1x8xf32>) -> tensor<1x4x4x8xf32>
    %u1 = nn.resize %m1 {mode = \"nearest\"} : (tensor<1x4x4x8xf32>) -> tensor<1x8x8x8xf32>
    %k1 = nn.concat %u1, %r1 {axis = 3} : (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>) -> tensor<1x8x8x16xf32>
    %w3 = nn.constant @w3 : tensor<4x3x3x16xf32>
    %t1 = nn.conv2d %k1, %w3 {strides = [2, 2]} : (tensor<1x8x8x16xf32>, tensor<4x3x3x16xf32>) -> tensor<1x3x3x4xf32>
    %f1 = nn.reshape %t1 : (tensor<1x3x3x4xf32>) -> tensor<1x36xf32>
    %w4 = nn.constant @w4 : tensor<10x36xf32>
    %b4 = nn.constant @b4 : tensor<10xf32>
    %l1 = nn.matmul %f1, %w4, %b4 {transpose_b = true} : (tensor<1x36xf32>, tensor<10x36xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    %y = nn.softmax %l1 {axis = 1} : tensor<1x10xf32>
    func.return %y : tensor<1x10xf32>
  }";

#[test]
fn a_network_of_known_operators_lowers_to_integers_completely() {
    for options in [
        Options::default(),
        Options { correct_bias: false, equalise: false, ..Options::default() },
        Options { effort: dpuc_quantise::Effort::High, ..Options::default() },
        Options { profile: dpuc_quantise::Profile::DecentQ, ..Options::default() },
    ] {
        let quantised = quantised(&network(WHOLE), options);
        let floats: Vec<String> = lowered(&quantised).into_iter().filter(|name| name.starts_with("nn.")).collect();
        assert_eq!(floats, ["nn.softmax"]);
    }
}

#[test]
fn selecting_operators_and_concatenations_do_not_rescale() {
    let quantised = quantised(&network(WHOLE), Options::default());
    let position = |name: &str| quantised.info.output[&format!("net::{name}")][0][1];
    assert_eq!(position("r3"), position("p1"));
    assert_eq!(position("u1"), position("k1"));
    assert_eq!(position("m1"), position("k1"));
    // relu6 is exact from position 4 on, a hard sigmoid from 7 on.
    assert!(position("r1") >= 4);
    assert!(position("s1") >= 7);
}

#[test]
fn operators_without_an_integer_form_stay_in_floating_point() {
    let ir = network(
        "func.func @main(%x: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
    %w = nn.constant @w : tensor<4x1x1x4xf32>
    %c = nn.conv2d %x, %w : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>) -> tensor<1x4x4x4xf32>
    %s = nn.sigmoid %c : tensor<1x4x4x4xf32>
    %t = nn.tanh %s : tensor<1x4x4x4xf32>
    %m = nn.mul %c, %t : tensor<1x4x4x4xf32>
    %d = nn.div %m, %s : tensor<1x4x4x4xf32>
    func.return %d : tensor<1x4x4x4xf32>
  }",
    );
    let names = lowered(&quantised(&ir, Options::default()));
    let floats: Vec<&String> = names.iter().filter(|name| name.starts_with("nn.")).collect();
    assert_eq!(floats, ["nn.sigmoid", "nn.tanh", "nn.div"]);
    assert!(names.iter().any(|name| name == "int8.mul"));
}

#[test]
fn shared_constants_are_rounded_for_each_reader() {
    let ir = network(
        "func.func @main(%x: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
    %w = nn.constant @w : tensor<4x1x1x4xf32>
    %b = nn.constant @b : tensor<4xf32>
    %c = nn.conv2d %x, %w, %b : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
    %d = nn.conv2d %c, %w, %b : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
    func.return %d : tensor<1x4x4x4xf32>
  }",
    );
    let quantised = quantised(&ir, Options::default());
    assert_eq!(quantised.info.param.len(), 4);
    assert!(!lowered(&quantised).iter().any(|name| name.starts_with("nn.")));
}

#[test]
fn what_cannot_be_quantised_is_refused() {
    let message = |body: &str| {
        let ir = network(body);
        quantise(&ir, &samples(&ir, 1), Options::default(), &Silent).unwrap_err().to_string()
    };
    let fixed = "func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %f = nn.fix %x {fix_point = 3} : tensor<1x4xf32>
    func.return %f : tensor<1x4xf32>
  }";
    assert!(message(fixed).contains("quantised already"));
    let float = "func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %f = nn.tanh %x : tensor<1x4xf32>
    func.return %f : tensor<1x4xf32>
  }";
    assert!(message(float).contains("nothing to quantise"));
    let ir = network(WHOLE);
    assert!(matches!(quantise(&ir, &Vec::new(), Options::default(), &Silent), Err(Error::NoSamples)));
    let mut nan = samples(&ir, 1);
    nan[0][0] = dpuc_evaluate::Tensor::from_f32(&[1, 8, 8, 4], vec![f32::NAN; 256]).unwrap();
    assert!(matches!(quantise(&ir, &nan, Options::default(), &Silent), Err(Error::NotFinite { .. })));
}
