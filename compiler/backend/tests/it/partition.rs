//! Devices and reasons.

use dpuc_backend::{Device, PartitionReport, Subgraphs, partition};
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Attribute, Ir, ValueId};

use dpuc_isa::Target;

use crate::harness::largest;
use dpuc_graphs::{Conv, Net};

fn partitioned(net: Net, outputs: &[ValueId]) -> (Ir, PartitionReport) {
    let mut ir = net.finish(outputs);
    let report = partition(&mut ir, &largest(), Subgraphs::All).unwrap();
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir).list());
    (ir, report)
}

/// Name, device and reasons of every operation.
fn lines(report: &PartitionReport) -> Vec<String> {
    let line = |op: &dpuc_backend::OperationReport| {
        let reasons: Vec<String> = op.reasons.iter().map(ToString::to_string).collect();
        match op.device {
            Device::Dpu => format!("{}: @{}", op.name, op.subgraph.as_deref().unwrap_or("-")),
            Device::Cpu => format!("{}: {}", op.name, reasons.join("; ")),
        }
    };
    report.operations.iter().map(line).collect()
}

#[test]
fn every_operation_on_the_host_has_a_reason() {
    let mut net = Net::new(1);
    let x = net.input(&[1, 40, 40, 8], 5);
    let wide = net.conv(x, &Conv { kernel: [17, 3], pads: [8, 1, 8, 1], ..Conv::same(8, 3, 4) });
    let shift = net.conv(x, &Conv { weight_fix: 0, bias_fix: None, ..Conv::same(8, 1, 6) });
    let coarse = net.conv(x, &Conv { bias_fix: Some(-12), ..Conv::same(8, 1, 4) });
    let bilinear = net.upsample(x, [3, 2], "bilinear", 5);
    let attributes = [("scale", Attribute::ints([2, 2])), ("align_corners", Attribute::Bool(true))];
    let corners = net.op(&int8::UPSAMPLE, &[x], &attributes, &[1, 80, 80, 8], 5);
    let batch = net.reshape(x, &[80, 20, 8, 1]);
    let batched = net.requantise(batch, "relu", 5);
    let real = net.dequantise(x);
    let shape = net.shape(x);
    let tanh = net.float(&nn::TANH, &[real], &[], &shape);
    let flat = net.reshape(x, &[1, 12800]);
    let (_, report) = partitioned(net, &[wide, shift, coarse, bilinear, corners, batched, tanh, flat]);
    insta::assert_snapshot!(lines(&report).join("\n"));
    assert_eq!(report.count(Device::Dpu), 0);
    assert!(report.subgraphs.is_empty());
}

#[test]
fn an_argmax_that_save_cannot_find_stays_on_the_host() {
    let network = |axis: usize| {
        let mut net = Net::new(9);
        let x = net.input(&[1, 4, 4, 8], 5);
        let conv = net.conv(x, &Conv::same(8, 1, 5));
        let mut shape = net.shape(conv);
        shape[axis] = 1;
        let y = net.op(&int8::ARGMAX, &[conv], &[("axis", Attribute::int(axis as i64))], &shape, 0);
        net.finish(&[y])
    };
    let reasons = |axis: usize, target: &Target| {
        let report = partition(&mut network(axis), target, Subgraphs::All).unwrap();
        let argmax = report.operations.last().unwrap();
        let hints: Vec<Option<String>> = argmax.reasons.iter().map(|reason| reason.hint(&argmax.kind)).collect();
        (argmax.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(), hints)
    };
    assert_eq!(reasons(3, &largest()), (vec![], vec![]));
    let (why, hints) = reasons(2, &largest());
    assert_eq!(why, ["it compares along axis 2; the DPU compares the channels of a pixel, the last axis"]);
    assert_eq!(hints, [Some("compare the channels; another axis needs a transpose before it".to_owned())]);
    let old = Target { argmax: false, ..largest() };
    let (why, hints) = reasons(3, &old);
    assert_eq!(why, [format!("argmax; the Save of {} does not compare channels", old.name)]);
    assert!(hints[0].as_ref().is_some_and(|hint| hint.contains("argmax in its fingerprint")), "{hints:?}");
}

#[test]
fn weights_that_are_computed_stay_on_the_host() {
    let mut net = Net::new(2);
    let x = net.input(&[1, 4, 4, 8], 5);
    let weights = net.input(&[8, 1, 1, 8], 7);
    let y = net.op(&int8::CONV2D, &[x, weights], &[], &[1, 4, 4, 8], 4);
    let (_, report) = partitioned(net, &[y]);
    assert_eq!(
        lines(&report),
        ["conv2d_0: its weights are not a constant; the DPU loads them from its constant region"]
    );
}

#[test]
fn concatenations_and_reshapes_follow_their_inputs() {
    let mut net = Net::new(3);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 1, 5));
    let host = net.host(x, 5);
    // A channel joins host and DPU values; rows do not; host values alone stay.
    let mixed = net.concat(&[a, host], 3, 5);
    let rows = net.concat(&[a, host], 1, 5);
    let idle = net.concat(&[host, x], 3, 5);
    let flat = net.reshape(a, &[1, 128]);
    let (_, report) = partitioned(net, &[mixed, rows, idle, flat]);
    let names = ["concat_4", "concat_5", "concat_6", "reshape_7"];
    let found: Vec<String> =
        lines(&report).into_iter().filter(|line| names.iter().any(|name| line.starts_with(name))).collect();
    assert_eq!(
        found,
        [
            "concat_4: @subgraph_concat_4",
            "concat_5: one of its inputs is not on the DPU, and then only 4-D maps joined along axis 3 go to the DPU; this is axis 1",
            "concat_6: none of its inputs is on the DPU",
            "reshape_7: @subgraph_concat_4",
        ]
    );
}

#[test]
fn groups_without_computation_stay_on_the_host() {
    let mut net = Net::new(4);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 1, 5));
    let host = net.host(a, 5);
    // `a` and the concatenation cannot share a subgraph, because the host works in between.
    let joined = net.concat(&[a, host], 3, 5);
    let (_, report) = partitioned(net, &[joined]);
    let last = lines(&report).pop().unwrap();
    assert_eq!(last, "concat_4: alone it would be a DPU subgraph without computation");
}

#[test]
fn subgraphs_are_convex_named_and_called_in_order() {
    let mut net = Net::new(5);
    let x = net.input(&[1, 4, 4, 8], 5);
    let a = net.conv(x, &Conv::same(8, 1, 5));
    let host = net.host(a, 5);
    let b = net.conv(a, &Conv::same(8, 1, 5));
    let c = net.add(&[b, host], "none", 5);
    // Unused: removed.
    net.conv(c, &Conv::same(8, 1, 5));
    let (ir, report) = partitioned(net, &[c]);
    let names: Vec<&str> = report.subgraphs.iter().map(|subgraph| subgraph.name.as_str()).collect();
    // Constants count for the name; `b` does not depend on the host and joins `a`.
    assert_eq!(names, ["subgraph_constant_0", "subgraph_add_7"]);
    let sizes: Vec<_> = report.subgraphs.iter().map(|s| (s.operations, s.inputs, s.outputs)).collect();
    assert_eq!(sizes, [(2, 1, 2), (1, 2, 1)]);
    let main = func::entry(&ir, ir.find_symbol("main").unwrap());
    let kinds: Vec<&str> = ir.ops(main).map(|op| ir.op_name(op)).collect();
    assert_eq!(kinds, ["func.call", "int8.upsample", "func.call", "func.return"]);
}

#[test]
fn a_module_without_network_is_refused() {
    let error = partition(&mut Ir::new(), &largest(), Subgraphs::All).unwrap_err().to_string();
    assert_eq!(error, "the module has no function `@main`; the network must be a `func.func` of that name");
}

#[test]
fn only_the_largest_subgraph_if_one_is_wanted() {
    let network = || {
        let mut net = Net::new(2);
        let x = net.input(&[1, 8, 8, 8], 5);
        let first = net.conv(x, &Conv::same(8, 3, 4));
        let real = net.dequantise(first);
        let shape = net.shape(first);
        let tanh = net.float(&nn::TANH, &[real], &[], &shape);
        let codes = net.quantise(tanh, 6);
        let second = net.conv(codes, &Conv::same(8, 3, 4));
        let third = net.conv(second, &Conv::same(8, 1, 4));
        net.finish(&[third])
    };
    assert_eq!(partition(&mut network(), &largest(), Subgraphs::All).unwrap().subgraphs.len(), 2);
    let mut ir = network();
    let report = partition(&mut ir, &largest(), Subgraphs::Largest).unwrap();
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir).list());
    insta::assert_snapshot!(lines(&report).join("\n"));
    let [subgraph] = &report.subgraphs[..] else { panic!("{:?}", report.subgraphs) };
    assert_eq!(subgraph.operations, 2);
}
