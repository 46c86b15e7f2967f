//! Programs of many layers that read each other's results and share memory: only tokens keep the engines in order.

use std::collections::{BTreeMap, VecDeque};

use dpuc_accel::{Finding, check};
use dpuc_codegen::{Activation, Constant, Convolution, ElementwiseKind, FeatureMap, Layer, Pool, PoolKind};
use dpuc_isa::{Engine, Instruction, Random, Target};

use crate::data::{channels, side, values};
use crate::harness::{INPUTS, Memory, OUTPUTS, assemble, for_each_case};

/// A random layer from one map to another; the caller only cares that all executions agree.
fn layer(
    input: FeatureMap,
    address: u32,
    constants: Constant,
    target: &Target,
    random: &mut Random,
) -> (Layer, FeatureMap) {
    let map = |height, width, channels| FeatureMap::packed(OUTPUTS, address, [height, width, channels], 0);
    let FeatureMap { height, width, channels: depth, .. } = input;
    match random.below(6) {
        0 => {
            let output = map(height, width, channels(target, 40, random));
            let convolution = convolution(input, output, [3, 3], constants, random);
            (Layer::Conv2d { convolution, augment_channels: false }, output)
        }
        1 => {
            let output = map(height, width, depth);
            (Layer::DepthwiseConv2d(convolution(input, output, [3, 3], constants, random)), output)
        }
        2 => {
            let output = map(height.div_ceil(2), width.div_ceil(2), depth);
            let (kernel, strides, pads) = ([2, 2], [2, 2], [0, 0, height % 2, width % 2]);
            (Layer::Pool(Pool { kind: PoolKind::Max, input, output, kernel, strides, pads }), output)
        }
        3 => {
            let output = map(height, width, depth);
            let inputs = vec![input, input];
            (Layer::Elementwise { kind: ElementwiseKind::Add, inputs, output, relu: random.one_in(2) }, output)
        }
        4 if height * width < 200 => {
            let output = map(height * 2, width, depth);
            (Layer::UpsampleNearest { input, output, scale: [2, 1] }, output)
        }
        _ => {
            let output = map(height, width, depth);
            (Layer::Copy { input, output, relu: random.one_in(2) }, output)
        }
    }
}

fn convolution(
    input: FeatureMap,
    output: FeatureMap,
    kernel: [u32; 2],
    constants: Constant,
    random: &mut Random,
) -> Convolution {
    Convolution {
        input,
        output,
        kernel,
        strides: [1, 1],
        dilations: [1, 1],
        pads: [1; 4],
        weights: constants,
        weight_fix_point: 10,
        bias: constants,
        bias_shift: random.below(12),
        activation: random.pick(&[Activation::None, Activation::Relu]),
    }
}

#[test]
fn chains_with_shared_memory() {
    const SLOT: u32 = 1 << 16;
    for_each_case("chains", 25, |target, random| {
        let mut memory = Memory::new();
        let constants = memory.constant(values(50_000, random), random);
        memory.garbage(INPUTS, SLOT, random);
        memory.garbage(OUTPUTS, 3 * SLOT, random);
        let shape = [side(14, random), side(20, random), channels(target, 40, random)];
        let mut input = FeatureMap::packed(INPUTS, 0, shape, 0);
        let mut layers = Vec::new();
        for step in 0..random.between(3, 9) {
            // Three slots in turn: a layer overwrites what the layer before the previous one read.
            let (layer, output) = layer(input, step % 3 * SLOT, constants, target, random);
            layers.push(layer);
            input = output;
        }
        memory.run(&layers, target, random);
    });
}

/// The tokens between engines of a program, as (giving, taking) instructions: the n-th given is the n-th taken.
fn tokens_between_engines(instructions: &[Instruction]) -> Vec<(usize, usize)> {
    let mut given: BTreeMap<(Engine, Engine), VecDeque<usize>> = BTreeMap::new();
    let mut tokens = Vec::new();
    for (index, instruction) in instructions.iter().enumerate() {
        let engine = instruction.engine();
        for from in instruction.tokens().wait.without(engine).iter() {
            let giver = given.entry((from, engine)).or_default().pop_front().expect("the token was given before");
            tokens.push((giver, index));
        }
        for to in instruction.tokens().notify.without(engine).iter() {
            given.entry((engine, to)).or_default().push_back(index);
        }
    }
    tokens
}

/// Without any one of its tokens a program has a race.
#[test]
fn no_token_is_superfluous() {
    for_each_case("tokens", 2, |target, random| {
        let map = |address, channels| FeatureMap::packed(OUTPUTS, address, [13, 9, channels], 0);
        let constants = Constant { region: 0, address: 0 };
        let maps = [map(0, 20), map(10_000, 30), map(20_000, 30), map(30_000, 30)];
        let layers = [
            Layer::Conv2d {
                convolution: convolution(maps[0], maps[1], [3, 3], constants, random),
                augment_channels: false,
            },
            Layer::DepthwiseConv2d(convolution(maps[1], maps[2], [3, 3], constants, random)),
            Layer::Elementwise {
                kind: ElementwiseKind::Add,
                inputs: vec![maps[1], maps[2]],
                output: maps[3],
                relu: false,
            },
        ];
        let program = assemble(&layers, target).instructions;
        assert!(check(&program, target, 1).is_clean());
        let tokens = tokens_between_engines(&program);
        assert!(tokens.len() > 10, "only {} tokens", tokens.len());
        for (giver, taker) in tokens {
            let mut damaged = program.clone();
            let (from, to) = (damaged[giver].engine(), damaged[taker].engine());
            let notify = &mut damaged[giver].tokens_mut().notify;
            *notify = notify.without(to);
            let wait = &mut damaged[taker].tokens_mut().wait;
            *wait = wait.without(from);
            let report = check(&damaged, target, 1);
            assert!(matches!(report.findings[..], [Finding::Race { .. }]), "{giver} to {taker}: {report:?}");
        }
    });
}

/// Every instruction remembers its layer, layers come in order, and End closes the last one.
#[test]
fn provenance() {
    let target = &Target::registered()[7];
    let map = |address| FeatureMap::packed(OUTPUTS, address, [5, 5, 20], 0);
    let layers: Vec<Layer> =
        (0..4).map(|n| Layer::Copy { input: map(n * 500), output: map((n + 1) * 500), relu: n % 2 == 0 }).collect();
    let program = assemble(&layers, target);
    assert_eq!(program.nodes.len(), program.instructions.len());
    assert!(program.nodes.is_sorted());
    assert_eq!(program.nodes.first(), Some(&0));
    assert_eq!(program.nodes.last(), Some(&3));
    let mut layers = program.nodes;
    layers.dedup();
    assert_eq!(layers, [0, 1, 2, 3]);
}
