//! Compiles a network and compares every level of the result with the reference.

use dpuc_accel::{Core, check};
use dpuc_backend::{Compiled, Options, compile};
use dpuc_dialects::dialects::{dpu, func};
use dpuc_dialects::{Attribute, Ir, OpId, TypeKind, ValueId};
use dpuc_evaluate::{Evaluator, Operators, Tensor, evaluate};
use dpuc_import::import_xmodel;
use dpuc_isa::{Instruction, Latches, Random, Target, decode};
use dpuc_runtime::{Host, Session};
use dpuc_xmodel::{Attributed, Boundary, DpuSubgraph, Graph, GraphIndex};

use dpuc_graphs::random_codes;

/// Compiles for one target and checks everything with several inputs: random ones and extremes.
pub(crate) fn check_network(ir: &Ir, target: &Target, seed: u64) -> Compiled {
    let compiled = compile(ir.clone(), target, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let bytes = dpuc_xmodel::write(&compiled.graph).unwrap();
    let again = compile(ir.clone(), target, &Options::default()).unwrap();
    assert!(bytes == dpuc_xmodel::write(&again.graph).unwrap(), "compiling twice gives different files");
    let graph = dpuc_xmodel::read(&bytes).unwrap();
    assert_eq!(graph, compiled.graph, "the file holds the graph");

    let index = GraphIndex::new(&graph);
    let subgraphs = index.dpu_subgraphs().unwrap_or_else(|error| panic!("{error}"));
    let programs: Vec<Vec<Instruction>> = subgraphs.iter().map(|view| check_program(view, target)).collect();
    let mut random = Random::new(seed);
    for fill in [Fill::Random, Fill::Random, Fill::All(-128), Fill::All(127)] {
        let inputs = inputs(ir, fill, &mut random);
        let expected = evaluate(ir, "main", &inputs, &mut |_, _| {}).unwrap();
        let lowered = evaluate(&compiled.ir, "main", &inputs, &mut |_, _| {}).unwrap();
        assert_eq!(expected, lowered, "partition and plan keep the meaning");
        check_file(&graph, ir, &inputs, &expected);
        for (view, program) in subgraphs.iter().zip(&programs) {
            check_run(&compiled.ir, view, program, target, &inputs, &mut random);
        }
    }
    compiled
}

/// The registered targets.
pub(crate) fn targets() -> Vec<Target> {
    Target::registered()
}

/// The largest registered target.
pub(crate) fn largest() -> Target {
    Target::registered().pop().unwrap()
}

/// What inputs are filled with.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Random,
    All(i8),
}

/// Inputs of `@main`; floats are random quarters.
fn inputs(ir: &Ir, fill: Fill, random: &mut Random) -> Vec<Tensor> {
    let main = ir.find_symbol("main").unwrap();
    let arguments = ir.arguments(func::entry(ir, main));
    let tensor = |value: &ValueId| {
        let shape = ir.shape_of(*value).unwrap();
        let count: usize = shape.iter().product();
        let codes = match fill {
            Fill::Random => random_codes(random, count),
            Fill::All(code) => vec![code; count],
        };
        let element = ir.tensor_of(*value).unwrap().element;
        if matches!(ir.type_kind(element), TypeKind::Float(_)) {
            Tensor::from_f32(&shape, codes.into_iter().map(|code| f32::from(code) / 4.0).collect()).unwrap()
        } else {
            Tensor::from_i8(&shape, codes).unwrap()
        }
    };
    arguments.iter().map(tensor).collect()
}

/// Legal instructions, tokens that order every conflict, and no access outside the declared regions nor a write to constants or inputs.
fn check_program(view: &DpuSubgraph<'_>, target: &Target) -> Vec<Instruction> {
    assert_eq!((view.target, view.fingerprint), (Some(target.name.as_str()), Some(target.fingerprint)));
    let program = decode(view.mc_code).unwrap();
    let report = check(&program, target, 5);
    assert!(report.is_clean(), "{report:#?}");
    let mut latches = Latches::new();
    for instruction in &program {
        let operation = latches.resolve(instruction).unwrap();
        operation.check(target).unwrap();
        let Some(span) = operation.region_span() else { continue };
        let register = view.register(span.region).unwrap_or_else(|| panic!("REG_{} is not declared", span.region));
        assert!(span.end <= register.size, "{instruction:?} leaves REG_{} of {} bytes", span.region, register.size);
        if matches!(instruction, Instruction::Save(_)) {
            assert!(matches!(span.region, 1 | 3), "{instruction:?} writes constants or inputs");
        }
    }
    program
}

/// Reads the file as a network again and runs it as a program: both must give what the original gives.
fn check_file(graph: &Graph, ir: &Ir, inputs: &[Tensor], expected: &[Tensor]) {
    let again = import_xmodel(graph).unwrap_or_else(|error| panic!("{error}"));
    assert!(again.warnings.is_empty(), "{:?}", again.warnings);
    let main = |ir: &Ir| func::entry(ir, ir.find_symbol("main").unwrap());
    let arguments = again.ir.arguments(main(&again.ir));
    assert_eq!(arguments.len(), inputs.len());
    let converted: Vec<Tensor> =
        arguments.iter().zip(inputs).map(|(&argument, input)| quantised(&again.ir, argument, input)).collect();
    let outputs = evaluate(&again.ir, "main", &converted, &mut |_, _| {}).unwrap();
    assert_eq!(outputs, expected, "the file says the same network");
    assert_eq!(ir.arguments(main(ir)).len(), inputs.len());

    let session = Session::on_host(graph, Host::Reference, &Operators::new()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = session.run(converted).unwrap_or_else(|error| panic!("{error}"));
    let names: &[String] = graph.attr("return_ops").unwrap();
    assert_eq!(names.len(), expected.len());
    for (name, expected) in names.iter().zip(expected) {
        let tensor = &graph.ops.iter().find(|op| op.name == *name).unwrap().tensor.name;
        let found = outcome.tensors.iter().find(|(port, _)| port.name == *tensor);
        let (_, found) = found.unwrap_or_else(|| panic!("no {tensor}"));
        assert_eq!(found, expected, "{name} of the running file");
    }
}

/// A float input as the file takes it, if its first operation quantises.
fn quantised(ir: &Ir, argument: ValueId, input: &Tensor) -> Tensor {
    match (ir.fix_of(argument), input) {
        (Some(fix), Tensor::F32(values)) => {
            let code = |&value: &f32| (value * (fix as f32).exp2() + 0.5).floor().clamp(-128.0, 127.0) as i8;
            Tensor::I8(values.map(code))
        }
        _ => input.clone(),
    }
}

/// Runs one subgraph on the model with the values it gets in the network.
fn check_run(
    ir: &Ir,
    view: &DpuSubgraph<'_>,
    program: &[Instruction],
    target: &Target,
    inputs: &[Tensor],
    random: &mut Random,
) {
    let call = call_of(ir, &view.subgraph.name);
    let entry = func::entry(ir, ir.find_symbol("main").unwrap());
    let mut evaluator = Evaluator::new(ir);
    for (&argument, input) in ir.arguments(entry).iter().zip(inputs) {
        evaluator = evaluator.with_value(argument, input.clone());
    }
    let values = |values: &[ValueId]| evaluator.values("main", values, &mut |_, _| {}).unwrap();
    let (given, expected) = (values(ir.operands(call)), values(ir.results(call)));

    let mut core = Core::new(target);
    core.scramble_banks(random.bits());
    for register in &view.registers {
        let number = usize::from(register.number);
        core.regions_mut().define(number, register.size as usize).unwrap();
        core.scramble_region(number, random.bits());
        if let Some(bytes) = register.parameter {
            core.regions_mut().write(number, 0, bytes).unwrap();
        }
    }
    let (uploads, downloads) = (in_order(view, "upload", &view.inputs), in_order(view, "download", &view.outputs));
    assert_eq!((uploads.len(), downloads.len()), (given.len(), expected.len()), "boundaries of {}", view.subgraph.name);
    for (boundary, tensor) in uploads.into_iter().zip(&given) {
        core.regions_mut().write(usize::from(boundary.register), boundary.address as usize, &bytes_of(tensor)).unwrap();
    }
    core.run(program).unwrap();
    for (boundary, tensor) in downloads.into_iter().zip(&expected) {
        let count = boundary.num_bytes as usize;
        let found = core.regions().bytes(usize::from(boundary.register), boundary.address as usize, count).unwrap();
        let expected = bytes_of(tensor);
        if let Some(at) = found.iter().zip(&expected).position(|(found, expected)| found != expected) {
            let wrong = found.iter().zip(&expected).filter(|(found, expected)| found != expected).count();
            panic!(
                "{}, {}: byte {at} of {:?} is {}, expected {}; {wrong} of {count} differ",
                target.name,
                view.subgraph.name,
                tensor.shape(),
                found[at].cast_signed(),
                expected[at].cast_signed(),
            );
        }
    }
}

/// Boundaries in the order of the subgraph's children, which is that of the call's operands or results.
fn in_order<'a>(view: &'a DpuSubgraph<'_>, kind: &'a str, boundaries: &'a [Boundary<'_>]) -> Vec<&'a Boundary<'a>> {
    let names = view.subgraph.children.iter().filter_map(|child| child.ops.first());
    names
        .filter_map(|name| boundaries.iter().find(|boundary| boundary.op.kind == kind && boundary.op.name == *name))
        .collect()
}

/// The call of a subgraph in `@main`.
pub(crate) fn call_of(ir: &Ir, subgraph: &str) -> OpId {
    let entry = func::entry(ir, ir.find_symbol("main").unwrap());
    let callee = |op: OpId| ir.attribute(op, "callee").and_then(Attribute::as_symbol).map(str::to_owned);
    ir.ops(entry).find(|&op| callee(op).as_deref() == Some(subgraph)).unwrap()
}

/// The operations of a planned subgraph.
pub(crate) fn body_of(ir: &Ir, subgraph: &str) -> Vec<OpId> {
    let op = ir.find_symbol(subgraph).filter(|&op| ir.is(op, &dpu::SUBGRAPH)).unwrap();
    ir.ops(func::entry(ir, op)).collect()
}

pub(crate) fn bytes_of(tensor: &Tensor) -> Vec<u8> {
    tensor.as_i8().unwrap().iter().map(|&code| code.cast_unsigned()).collect()
}
