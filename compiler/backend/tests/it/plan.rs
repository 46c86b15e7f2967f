//! The memory plan.

use dpuc_backend::{Options, Subgraphs, compile, emit, export, partition, plan};
use dpuc_dialects::dialects::int8;
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::{Attribute, Ir};
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_runtime::Session;

use crate::harness::{body_of, largest};
use dpuc_graphs::{Conv, Net};

fn planned(mut ir: Ir) -> Ir {
    partition(&mut ir, &largest(), Subgraphs::All).unwrap();
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

/// Everything down to the instructions is text that can be read again.
#[test]
fn all_levels_are_text() {
    let text = print(&compile(tiny(), &largest(), &Options::default()).unwrap().ir, PrintOptions::default());
    let parsed = parse(&text, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    assert_eq!(print(&parsed.ir, PrintOptions::default()), text);
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
    partition(&mut ir, &largest(), Subgraphs::All).unwrap();
    let report = plan(&mut ir, &largest()).unwrap();
    // AMD's compiler needs 3856 bytes of workspace; here everything stays on chip.
    assert_eq!(report.subgraphs[0].region_sizes, [65536, 0, 816, 16]);
    assert_eq!(report.subgraphs[0].in_place, 1);
}

/// The scores stay on chip; behind the indices, Save asks for seven bytes that it does not write.
#[test]
fn an_argmax_reads_scores_on_chip() {
    let mut net = Net::new(8);
    let x = net.input(&[1, 16, 16, 8], 6);
    let scores = net.conv(x, &Conv::same(8, 3, 4));
    let indices = net.op(&int8::ARGMAX, &[scores], &[("axis", Attribute::int(3))], &[1, 16, 16, 1], 0);
    let mut ir = net.finish(&[indices]);
    partition(&mut ir, &largest(), Subgraphs::All).unwrap();
    let report = plan(&mut ir, &largest()).unwrap();
    let [_, workspace, _, outputs] = report.subgraphs[0].region_sizes;
    assert_eq!((workspace, outputs), (0, 272));
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
    let all = inputs[1..].iter().fold(inputs[0], |sum, &input| net.add(&[sum, input], "none", 3));
    let error = compile(net.finish(&[all]), &largest(), &Options::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("DPU subgraph `@subgraph_add_0` needs 671088640 bytes in REG_2; the DPU addresses 536870912"),
        "{error}"
    );
}

#[test]
fn planning_twice_or_emitting_unplanned_subgraphs_is_refused() {
    let mut ir = tiny();
    partition(&mut ir, &largest(), Subgraphs::All).unwrap();
    let error = emit(&mut ir, &largest()).unwrap_err().to_string();
    assert_eq!(error, "DPU subgraph `@subgraph_avg_pool_7`: `constant_1` is in no superlayer; run `plan` first");
    let error = export(&ir, &largest(), &Options::default()).unwrap_err().to_string();
    assert_eq!(error, "DPU subgraph `@subgraph_avg_pool_7`: it has no region_sizes of 31 bits; was it planned?");
    plan(&mut ir, &largest()).unwrap();
    let error = plan(&mut ir, &largest()).unwrap_err().to_string();
    assert!(error.contains("`dpu.upload` has no DPU form"), "{error}");
    let error = export(&ir, &largest(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("there is no program `@subgraph_avg_pool_7_program`; run `emit` first"), "{error}");
}

/// Puts two outputs in the same place: the reference does not see it, the model must.
#[test]
fn a_wrong_plan_is_found_by_the_model() {
    let mut net = Net::new(5);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 3, 4));
    let b = net.conv(a, &Conv::same(8, 3, 4));
    let c = net.add(&[a, b], "none", 4);
    let mut ir = net.finish(&[b, c]);
    partition(&mut ir, &largest(), Subgraphs::All).unwrap();
    let name = plan(&mut ir, &largest()).unwrap().subgraphs[0].name.clone();
    let superlayers: Vec<_> =
        body_of(&ir, &name).into_iter().filter(|&op| ir.op_name(op) == "dpu.superlayer").collect();
    let placements = ir.attribute(superlayers[0], "placements").and_then(Attribute::as_array).unwrap();
    let same = vec![placements.last().unwrap().clone(); placements.len()];
    ir.set_attribute(superlayers[0], "placements", Attribute::Array(same.into()));
    emit(&mut ir, &largest()).unwrap();
    let graph = export(&ir, &largest(), &Options::default()).unwrap();
    let inputs = vec![Tensor::from_i8(&[1, 4, 4, 8], (0..128).map(|i| i as i8).collect()).unwrap()];
    let expected = evaluate(&ir, "main", &inputs, &mut |_, _| {}).unwrap();
    let outcome = Session::new(&graph).unwrap().run(inputs).unwrap();
    assert_ne!(outcome.tensors[0].1, expected[0]);
}
