//! Networks of shapes as networks of numbers.

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, ValueId};
use dpuc_graphs::{Conv, Net};

use crate::calibration::network::{Kind, Network, Operator};

/// Fix point of all feature maps.
const FIX: i32 = 4;

/// The network with random constants, and with ReLU behind every convolution whose result is no operand of a sum, and behind every sum.
pub(super) fn with_constants(network: &Network) -> Ir {
    let mut net = Net::new(1);
    let [height, width, channels] = network.shapes[0].map(|size| size as usize);
    let mut values = vec![net.input(&[1, height, width, channels], FIX)];
    for operator in &network.operators {
        let inputs: Vec<ValueId> = operator.inputs.iter().map(|input| values[input.0]).collect();
        let value = match operator.kind {
            Kind::Conv => net.conv(inputs[0], &convolution(network, operator)),
            Kind::Depthwise => net.depthwise(inputs[0], &convolution(network, operator)),
            Kind::Pool => {
                let kind = if operator.kernel[0] > 3 { &int8::AVG_POOL } else { &int8::MAX_POOL };
                let kernel = operator.kernel.map(|size| size as usize);
                net.pool(kind, inputs[0], kernel, [i64::from(operator.stride); 2], pads(network, operator), FIX)
            }
            Kind::Add => net.add(&inputs, "relu", FIX),
            Kind::Concat => net.concat(&inputs, 3, FIX),
        };
        assert_eq!(values.len(), operator.output.0, "operators in the order of their results");
        values.push(value);
    }
    let output = values[values.len() - 1];
    net.finish(&[output])
}

fn convolution(network: &Network, operator: &Operator) -> Conv {
    let is_summed =
        network.operators.iter().any(|reader| reader.kind == Kind::Add && reader.inputs.contains(&operator.output));
    Conv {
        channels: network.shape(operator.output)[2] as usize,
        kernel: operator.kernel.map(|size| size as usize),
        strides: [i64::from(operator.stride); 2],
        pads: pads(network, operator),
        dilations: [1, 1],
        activation: if is_summed { "none" } else { "relu" },
        weight_fix: 9,
        bias_fix: Some(FIX),
        fix: FIX,
    }
}

/// `[top, left, bottom, right]`: what the windows reach beyond the map, half of it in front.
fn pads(network: &Network, operator: &Operator) -> [i64; 4] {
    let [input, output] = [operator.inputs[0], operator.output].map(|map| network.shape(map));
    let missing = |axis: usize| {
        i64::from(((output[axis] - 1) * operator.stride + operator.kernel[axis]).saturating_sub(input[axis]))
    };
    let [height, width] = [missing(0), missing(1)];
    [height / 2, width / 2, height - height / 2, width - width / 2]
}
