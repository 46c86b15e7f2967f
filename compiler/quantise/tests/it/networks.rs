//! Networks as text, with random constants and samples.

use dpuc_dialects::Ir;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_dialects::weights::Weight;
use dpuc_evaluate::Tensor;
use dpuc_quantise::{Options, Quantised, Silent, quantise};

/// Numbers between -1 and 1, the same for the same seed.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A verified network; every constant that it refers to gets noise.
pub(crate) fn network(body: &str) -> Ir {
    let parsed = parse(&format!("module @net {{\n{body}\n}}\n"), &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let mut ir = parsed.ir;
    for (seed, op) in ir.walk(ir.root()).into_iter().enumerate() {
        let symbol = ir.attribute(op, "value").and_then(|value| value.as_symbol()).map(str::to_owned);
        if let (true, Some(symbol)) = (ir.is(op, &nn::CONSTANT), symbol) {
            let shape = ir.shape_of(ir.result(op)).unwrap();
            let elements = noise(seed as u64 + 1, shape.iter().product());
            ir.weights.insert(symbol, Weight::from_f32(&shape, &elements).unwrap());
        }
    }
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir));
    ir
}

/// Samples of noise for a network's arguments.
pub(crate) fn samples(ir: &Ir, count: usize) -> Vec<Vec<Tensor>> {
    let entry = dpuc_dialects::dialects::func::entry(ir, ir.find_symbol("main").unwrap());
    let shapes: Vec<Vec<usize>> = ir.arguments(entry).iter().map(|&argument| ir.shape_of(argument).unwrap()).collect();
    let sample = |number: usize| {
        let tensor = |(at, shape): (usize, &Vec<usize>)| {
            let seed = (number * 31 + at + 1000) as u64;
            Tensor::from_f32(shape, noise(seed, shape.iter().product())).unwrap()
        };
        shapes.iter().enumerate().map(tensor).collect()
    };
    (0..count).map(sample).collect()
}

/// The network quantised with noise as samples.
pub(crate) fn quantised(ir: &Ir, options: Options) -> Quantised {
    let quantised = quantise(ir, &samples(ir, 6), options, &Silent).unwrap();
    assert!(verify(&quantised.ir).is_empty(), "{:?}", verify(&quantised.ir));
    quantised
}

/// Names of the operations of a network after lowering to integers.
pub(crate) fn lowered(quantised: &Quantised) -> Vec<String> {
    let mut ir = quantised.ir.clone();
    dpuc_passes::lower_to_int8(&mut ir).unwrap();
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir));
    ir.walk(ir.root()).into_iter().map(|op| ir.op_name(op).to_owned()).collect()
}
