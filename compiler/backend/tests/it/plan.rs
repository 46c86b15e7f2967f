//! The memory plan.

use dpuc_backend::{Options, compile, partition, plan};
use dpuc_dialects::Ir;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::text::{PrintOptions, print};

use crate::harness::{body_of, largest};
use crate::net::{Conv, Net};

fn planned(mut ir: Ir) -> Ir {
    partition(&mut ir, &largest()).unwrap();
    plan(&mut ir, &largest()).unwrap();
    ir
}

fn tiny() -> Ir {
    let mut net = Net::new(1);
    let image = net.float_input(&[1, 8, 8, 3]);
    let x = net.quantise(image, 6);
    let a = net.conv(x, &Conv::same(4, 3, 5).relu());
    let b = net.conv(a, &Conv { bias_fix: None, ..Conv::same(4, 1, 5) });
    let both = net.concat(&[a, b], 3, 5);
    let pooled = net.pool(&int8::AVG_POOL, both, [8, 8], [1, 1], [0; 4], 5);
    let flat = net.reshape(pooled, &[1, 8]);
    let result = net.dequantise(flat);
    net.finish(&[result])
}

#[test]
fn a_tiny_network() {
    insta::assert_snapshot!(print(&planned(tiny()), PrintOptions::default()));
}

#[test]
fn region_sizes_of_a_real_network_are_the_vendor_s() {
    // The network of `spec/xmodel.md` section 3.10, with its memory map.
    let mut net = Net::new(2);
    let x = net.input(&[1, 28, 28, 1], 6);
    let conv = |channels, kernel, pads| Conv { pads, ..Conv::same(channels, kernel, 5).relu().strided(2) };
    let a = net.conv(x, &conv(16, 5, [1, 1, 0, 0]));
    let b = net.conv(a, &conv(32, 5, [1, 1, 1, 1]));
    let c = net.conv(b, &conv(64, 3, [1, 1, 0, 0]));
    let d = net.conv(c, &Conv { pads: [0; 4], ..Conv::same(10, 3, 4) });
    let flat = net.reshape(d, &[1, 10]);
    let mut ir = net.finish(&[flat]);
    partition(&mut ir, &largest()).unwrap();
    let report = plan(&mut ir, &largest()).unwrap();
    assert_eq!(report.subgraphs[0].region_sizes, [65536, 3856, 816, 16]);
    assert_eq!((report.subgraphs[0].superlayers, report.subgraphs[0].in_place), (4, 1));
}

#[test]
fn a_bias_beyond_the_field_is_stored_as_the_hardware_takes_it() {
    let mut net = Net::new(3);
    let x = net.input(&[1, 4, 4, 8], 3);
    // shift = 3 + 7 + 1 - 14 < 0: three bits are dropped, and the fix point says so.
    let y = net.conv(x, &Conv { bias_fix: Some(14), ..Conv::same(8, 1, 3) });
    let ir = planned(net.finish(&[y]));
    let body = body_of(&ir, "subgraph_constant_0");
    let fixes: Vec<i32> = body
        .iter()
        .filter(|&&op| ir.op_name(op) == "dpu.parameter")
        .filter_map(|&op| ir.fix_of(ir.result(op)))
        .collect();
    assert_eq!(fixes, [7, 11]);
}

#[test]
fn a_network_beyond_the_address_space_is_refused() {
    let mut net = Net::new(4);
    let inputs: Vec<_> = (0..5).map(|_| net.input(&[1, 32, 256, 16384], 3)).collect();
    let four = net.add(&inputs[..4], "none", 3);
    let all = net.add(&[four, inputs[4]], "none", 3);
    let error = compile(net.finish(&[all]), &largest(), &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("DPU subgraph `@subgraph_add_0` needs 671088640 bytes in REG_2; the DPU addresses 536870912"), "{error}");
}
