//! Networks of several operations: sharing, concatenation, reshapes, several inputs and outputs, host operators in between.

use std::collections::BTreeSet;

use dpuc_backend::{Device, program_symbol};
use dpuc_dialects::ValueId;
use dpuc_dialects::dialects::int8;
use dpuc_isa::Random;

use crate::harness::{check_network, largest, targets};
use dpuc_graphs::{Conv, Net};

/// Checks on the smallest and the largest target.
fn check(net: Net, outputs: &[ValueId]) -> dpuc_backend::Compiled {
    let ir = net.finish(outputs);
    let targets = targets();
    check_network(&ir, &targets[0], 1);
    check_network(&ir, &largest(), 2)
}

#[test]
fn residual_block_with_float_boundary() {
    let mut net = Net::new(1);
    let image = net.float_input(&[1, 12, 12, 3]);
    let x = net.quantise(image, 5);
    let a = net.conv(x, &Conv::same(24, 3, 4).relu().strided(2));
    let b = net.conv(a, &Conv::same(24, 3, 4));
    let sum = net.add(&[a, b], "relu", 4);
    let pooled = net.pool(&int8::AVG_POOL, sum, [6, 6], [1, 1], [0; 4], 4);
    let scores = net.conv(pooled, &Conv::same(10, 1, 3));
    let flat = net.reshape(scores, &[1, 10]);
    let result = net.dequantise(flat);
    let compiled = check(net, &[result]);
    assert_eq!(compiled.report.subgraphs.len(), 1);
    assert_eq!(compiled.report.count(Device::Cpu), 2, "quantise and dequantise");
}

#[test]
fn concatenations_in_place_and_copied() {
    let mut net = Net::new(2);
    let x = net.input(&[1, 6, 6, 16], 5);
    let a = net.conv(x, &Conv::same(5, 3, 4));
    let b = net.conv(x, &Conv::same(7, 1, 4).relu());
    let c = net.conv(x, &Conv::same(3, 1, 3));
    // `a` and `b` in place, `c` rescaled, `x` an upload, `a` a second time.
    let joined = net.concat(&[a, b, c, x, a], 3, 4);
    let d = net.conv(joined, &Conv::same(8, 1, 4));
    // A chain of concatenations, and `b` read through its strides.
    let e = net.add(&[b, b], "none", 4);
    let inner = net.concat(&[d, e], 3, 4);
    let f = net.conv(x, &Conv::same(4, 3, 4));
    let outer = net.concat(&[f, inner], 3, 4);
    let last = net.pool(&int8::MAX_POOL, outer, [2, 2], [2, 2], [0; 4], 4);
    check(net, &[last, outer]);
}

#[test]
fn concatenations_along_rows_and_columns() {
    let mut net = Net::new(3);
    let x = net.input(&[1, 4, 5, 9], 5);
    let a = net.conv(x, &Conv::same(9, 1, 5));
    let b = net.conv(x, &Conv::same(9, 3, 5));
    let tall = net.concat(&[a, b], 1, 5);
    let wide = net.concat(&[tall, tall], 2, 5);
    let y = net.conv(wide, &Conv::same(6, 3, 3));
    check(net, &[y]);
}

#[test]
fn outputs_that_are_used_inside() {
    let mut net = Net::new(4);
    let x = net.input(&[1, 5, 5, 8], 5);
    let a = net.conv(x, &Conv::same(8, 3, 4));
    let b = net.conv(a, &Conv::same(8, 3, 4));
    let both = net.concat(&[a, b], 3, 4);
    let flat = net.reshape(b, &[1, 200]);
    let sum = net.add(&[a, b], "none", 3);
    // `a` is an output and a part of a concatenation, `b` an output and the source of another.
    check(net, &[a, both, flat, sum, b]);
}

#[test]
fn several_inputs() {
    let mut net = Net::new(5);
    let x = net.input(&[1, 7, 7, 3], 6);
    let y = net.input(&[1, 7, 7, 3], 5);
    let z = net.float_input(&[1, 7, 7, 12]);
    let z = net.quantise(z, 4);
    let a = net.conv(x, &Conv::same(12, 3, 4));
    let b = net.conv(y, &Conv::same(12, 5, 4));
    let sum = net.add(&[a, b, z], "relu", 3);
    check(net, &[sum]);
}

#[test]
fn host_operator_between_two_subgraphs() {
    let mut net = Net::new(6);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 3, 4).relu());
    let large = net.upsample(a, [3, 3], "bilinear", 4);
    let b = net.conv(large, &Conv::same(6, 3, 4));
    let compiled = check(net, &[b]);
    assert_eq!(compiled.report.subgraphs.len(), 2);
}

#[test]
fn float_operator_between_two_subgraphs() {
    let mut net = Net::new(7);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 3, 4));
    let real = net.dequantise(a);
    let soft = net.softmax(real);
    let code = net.quantise(soft, 7);
    let scaled = net.conv(code, &Conv::same(8, 1, 6));
    let product = net.mul([a, scaled], 4);
    let result = net.dequantise(product);
    let compiled = check(net, &[result, real]);
    assert_eq!(compiled.report.subgraphs.len(), 2);
}

#[test]
fn relu6_beside_convolutions() {
    let mut net = Net::new(8);
    let x = net.input(&[1, 6, 5, 20], 3);
    let a = net.requantise(x, "relu6", 4);
    let b = net.depthwise(a, &Conv { activation: "relu6", ..Conv::same(20, 3, 4) });
    let c = net.hard_sigmoid(b, 7);
    let d = net.mul([b, c], 4);
    check(net, &[d]);
}

/// Every instruction carries the operation it computes, by the name the report uses.
#[test]
fn instructions_keep_their_origin() {
    let mut net = Net::new(9);
    let x = net.input(&[1, 6, 6, 16], 5);
    let a = net.conv(x, &Conv::same(16, 3, 4));
    let b = net.requantise(a, "relu6", 4);
    let joined = net.concat(&[a, b, x], 3, 4);
    let flat = net.reshape(joined, &[1, 6 * 6 * 48]);
    let compiled = check(net, &[flat]);
    let name = program_symbol(&compiled.report.subgraphs[0].name);
    let program = compiled.ir.find_symbol(&name).unwrap();
    let body = compiled.ir.region_blocks(compiled.ir.op_regions(program)[0])[0];
    let origin = |op| compiled.ir.location_name(compiled.ir.op(op).location).expect("an origin");
    let origins: BTreeSet<&str> = compiled.ir.ops(body).map(origin).collect();
    assert_eq!(origins, ["conv2d_2", "requantise_3", "concat_4"].into());
}

/// 24 networks, times `DPUC_BACKEND_CASES` if set.
#[test]
fn random_networks() {
    let factor = std::env::var("DPUC_BACKEND_CASES").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    for seed in 0..24 * factor {
        let mut net = Net::new(seed);
        let mut random = Random::new(seed ^ 0xace);
        let shape = [1, 3 + random.below(8) as usize, 3 + random.below(8) as usize, 1 + random.below(24) as usize];
        let mut maps = vec![net.input(&shape, 4), net.input(&shape, 5)];
        for _ in 0..4 + random.below(9) {
            let next = random_operation(&mut net, &maps, &mut random);
            maps.push(next);
        }
        let computed = &maps[2..];
        let mut outputs = vec![*computed.last().unwrap()];
        outputs.extend(computed.iter().copied().filter(|_| random.one_in(4)));
        outputs.dedup();
        let mut seen = Vec::new();
        outputs.retain(|output| {
            !seen.contains(output) && {
                seen.push(*output);
                true
            }
        });
        let ir = net.finish(&outputs);
        let target = random.pick(&(0..targets().len()).collect::<Vec<_>>());
        eprintln!("network {seed} on {}", targets()[target].name);
        check_network(&ir, &targets()[target], seed);
    }
}

/// An operation on some of the maps.
fn random_operation(net: &mut Net, maps: &[ValueId], random: &mut Random) -> ValueId {
    let x = random.pick(maps);
    let shape = net.shape(x);
    let like: Vec<ValueId> = maps.iter().copied().filter(|&map| net.shape(map) == shape).collect();
    let joinable: Vec<ValueId> = maps.iter().copied().filter(|&map| net.shape(map)[..3] == shape[..3]).collect();
    let fix = 3 + random.below(3) as i32;
    let y = random.pick(&like);
    match random.below(12) {
        0 | 1 => {
            let conv = Conv::same(1 + random.below(24) as usize, random.pick(&[1, 3]), fix);
            net.conv(x, &Conv { activation: random.pick(&["none", "relu", "leaky_relu"]), ..conv })
        }
        2 => net.depthwise(x, &Conv::same(1, 3, fix).relu()),
        3 | 4 => net.add(&[x, y], random.pick(&["none", "relu"]), fix),
        5 => net.mul([x, y], fix),
        6 | 7 => {
            let parts: Vec<ValueId> = (0..2 + random.below(2)).map(|_| random.pick(&joinable)).collect();
            let fix = net.ir.fix_of(parts[0]).unwrap();
            net.concat(&parts, 3, fix)
        }
        8 => net.pool(&int8::MAX_POOL, x, [3, 3], [1, 1], [1; 4], fix),
        9 => net.requantise(x, "relu", fix),
        10 => net.host(x, fix),
        _ => net.leaky_relu(x, 26, 8, fix),
    }
}
