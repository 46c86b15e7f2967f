//! The difference finder: faults planted in programs must be found at the operation they belong to, and programs without fault are equal.

use dpuc_backend::{Options, compile, program_symbol};
use dpuc_dialects::Ir;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_evaluate::Tensor;
use dpuc_graphs::{Conv, Net, random_network};
use dpuc_isa::{Instruction, Opcode, Random, Save, Target, decode, encode};
use dpuc_runtime::bisect::{Compared, Difference, Expected, Problem, compare_subgraph};
use dpuc_runtime::function_inputs;
use dpuc_tests::{models, read};
use dpuc_xmodel::{Attr, Attributed, Graph, GraphIndex, Placement, Subgraph};

/// A compiled network, the origin of each of its instructions, and what its tensors should hold.
struct Case {
    graph: Graph,
    origins: Vec<String>,
    expected: Expected,
}

impl Case {
    fn new(ir: Ir, target: &Target) -> Self {
        let compiled = compile(ir, target, &Options::default()).unwrap();
        let name = program_symbol(&compiled.report.subgraphs[0].name);
        let program = compiled.ir.find_symbol(&name).unwrap();
        let body = compiled.ir.region_blocks(compiled.ir.op_regions(program)[0])[0];
        let origin = |op| compiled.ir.location_name(compiled.ir.op(op).location).unwrap_or_default().to_owned();
        let origins = compiled.ir.ops(body).map(origin).collect();
        let expected = expected(&compiled.graph, 1);
        Self { graph: compiled.graph, origins, expected }
    }

    fn program(&self) -> Vec<Instruction> {
        decode(dpu(&self.graph).attr::<&bytes::Bytes>("mc_code").unwrap()).unwrap()
    }

    /// The comparison of the network with another program.
    fn compare(&self, program: &[Instruction]) -> Compared {
        let mut graph = self.graph.clone();
        dpu_mut(&mut graph).set_attr("mc_code", encode(program).unwrap());
        compare(&graph, &self.expected)
    }
}

fn dpu(graph: &Graph) -> &Subgraph {
    graph.root.children.iter().find(|child| child.attr::<&str>("device").unwrap() == "DPU").unwrap()
}

fn dpu_mut(graph: &mut Graph) -> &mut Subgraph {
    let is_dpu = |child: &&mut Subgraph| child.attr::<&str>("device").unwrap() == "DPU";
    graph.root.children.iter_mut().find(is_dpu).unwrap()
}

/// What the network inside a compiled file gives for random inputs.
fn expected(graph: &Graph, seed: u64) -> Expected {
    let ir = dpuc_import::import_xmodel(graph).unwrap().ir;
    let mut random = Random::new(seed);
    let inputs = function_inputs(&ir, "main").into_iter().map(|port| {
        let codes = (0..port.elements()).map(|_| random.bits() as i8).collect();
        Tensor::from_i8(&port.shape, codes).unwrap()
    });
    let names = graph.ops.iter().filter(|op| matches!(op.kind.as_str(), "data" | "data-fix"));
    Expected::evaluate(&ir, names.map(|op| op.tensor.name.clone()), inputs.collect()).unwrap()
}

/// Compares the first DPU subgraph.
fn compare(graph: &Graph, expected: &Expected) -> Compared {
    let index = GraphIndex::new(graph);
    let views = index.dpu_subgraphs().unwrap();
    compare_subgraph(&index, &views[0], expected).unwrap()
}

/// The smallest and the largest target.
fn targets() -> [Target; 2] {
    let mut all = Target::registered();
    [all.remove(0), all.remove(all.len() - 1)]
}

/// A network with branches: two convolutions of one map joined in place, a sum, a pool, and outputs in the middle and at the end.
fn branches() -> Ir {
    let mut net = Net::new(3);
    let x = net.input(&[1, 9, 11, 12], 5);
    let conv = |channels, kernel| Conv { weight_fix: 10, ..Conv::same(channels, kernel, 4) };
    let a = net.conv(x, &conv(20, 3));
    let b = net.conv(x, &conv(9, 1));
    let joined = net.concat(&[a, b], 3, 4);
    let c = net.conv(joined, &conv(29, 3));
    let sum = net.add(&[joined, c], "none", 3);
    let pooled = net.pool(&int8::MAX_POOL, sum, [2, 2], [2, 2], [0; 4], 3);
    let last = net.conv(pooled, &conv(7, 3));
    net.finish(&[sum, last])
}

/// The difference that must be there, at `operation`, or, if that stays on chip, behind it and naming it.
fn found_at<'a>(compared: &'a Compared, operation: &str) -> &'a Difference {
    let difference = compared.difference.as_ref().unwrap_or_else(|| panic!("the fault in {operation} was not found"));
    let blamed = difference.operation == operation || difference.suspects.iter().any(|suspect| suspect == operation);
    assert!(blamed, "the fault is in {operation}: {difference:#?}");
    difference
}

#[test]
fn programs_without_fault_are_equal() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let compared = case.compare(&case.program());
        assert_eq!(compared.difference, None, "{}", target.name);
        assert!(compared.tensors >= 2, "the outputs were compared");
    }
}

#[test]
fn random_networks_are_equal() {
    let mut compared = 0;
    for seed in 0..12 {
        let target = &Target::registered()[seed as usize % 8];
        let graph = compile(random_network(seed), target, &Options::default()).unwrap().graph;
        let expected = expected(&graph, seed);
        let index = GraphIndex::new(&graph);
        for view in index.dpu_subgraphs().unwrap() {
            let outcome = compare_subgraph(&index, &view, &expected).unwrap();
            assert_eq!(outcome.difference, None, "seed {seed} on {}", target.name);
            compared += outcome.tensors;
        }
    }
    assert!(compared > 24, "{compared} tensors");
}

#[test]
fn a_missing_save_is_a_missing_part() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let program = case.program();
        let saves: Vec<usize> = positions(&program, Opcode::Save);
        for at in [saves[0], saves[saves.len() / 2], saves[saves.len() - 1]] {
            let mut faulty = program.clone();
            faulty.remove(at);
            let compared = case.compare(&faulty);
            let difference = found_at(&compared, &case.origins[at]);
            assert!(matches!(difference.problem, Problem::Missing { missing, .. } if missing > 0), "{difference:#?}");
            let by = difference.evidence.written_by.as_ref();
            assert!(by.is_none_or(|place| case.origins[place.index] == case.origins[at]), "{difference:#?}");
        }
    }
}

#[test]
fn a_save_to_the_wrong_place_is_found() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let program = case.program();
        for at in positions(&program, Opcode::Save) {
            let mut faulty = program.clone();
            if let Instruction::Save(save) = &mut faulty[at] {
                save.bank_addr = (save.bank_addr + 1) % 2048;
            }
            let compared = case.compare(&faulty);
            let difference = found_at(&compared, &case.origins[at]);
            let Problem::Values { first, wrong } = &difference.problem else { panic!("{difference:#?}") };
            assert!(*wrong > 0 && first.found != first.expected);
            let listing = &difference.evidence.written_by.as_ref().unwrap().listing;
            assert!(listing.contains(&(at, faulty[at])), "{at}: {difference:#?}");
        }
    }
}

#[test]
fn a_wrong_shift_is_found_at_its_operation() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let program = case.program();
        let inits = positions(&program, Opcode::ConvInit);
        assert!(inits.len() >= 3);
        for at in inits {
            let mut faulty = program.clone();
            if let Instruction::ConvInit(init) = &mut faulty[at] {
                init.shift_cut -= 1;
            }
            let compared = case.compare(&faulty);
            let difference = found_at(&compared, &case.origins[at]);
            let Problem::Values { first, .. } = &difference.problem else { panic!("{difference:#?}") };
            assert_eq!(first.index.len(), 4);
        }
    }
}

#[test]
fn a_dropped_computation_is_found_at_its_operation() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let program = case.program();
        for opcode in [Opcode::Conv, Opcode::Alu, Opcode::Elew] {
            for at in positions(&program, opcode).into_iter().step_by(5) {
                let mut faulty = program.clone();
                faulty.remove(at);
                found_at(&case.compare(&faulty), &case.origins[at]);
            }
        }
    }
}

#[test]
fn a_corrupted_weight_is_found_at_its_reader() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        for constant in case.graph.ops.iter().filter(|op| op.kind == "const-fix") {
            let reader = case.graph.ops.iter().find(|op| op.producers().any(|name| name == constant.name)).unwrap();
            let Placement::Memory { address, .. } = Placement::of(&constant.tensor).unwrap() else { panic!("in DDR") };
            let mut graph = case.graph.clone();
            let subgraph = dpu_mut(&mut graph);
            let mut parameters: std::collections::BTreeMap<String, bytes::Bytes> =
                subgraph.attr::<&std::collections::BTreeMap<_, _>>("reg_id_to_parameter_value").unwrap().clone();
            let mut contents = parameters["REG_0"].to_vec();
            contents[address as usize] ^= 0x80;
            parameters.insert("REG_0".to_owned(), contents.into());
            subgraph.set_attr("reg_id_to_parameter_value", Attr::from(parameters));
            let compared = compare(&graph, &case.expected);
            let difference = found_at(&compared, &reader.name);
            if difference.operation == reader.name {
                let Problem::Values { first, .. } = &difference.problem else { panic!("{difference:#?}") };
                assert_eq!(first.index.last(), Some(&0), "the first output channel is wrong: {difference:#?}");
            }
        }
    }
}

#[test]
fn an_overwritten_tensor_is_named() {
    for target in targets() {
        let case = Case::new(branches(), &target);
        let mut program = case.program();
        // Zeros over the first pixel of an output, when it is complete.
        let sum = case.graph.ops.iter().find(|op| op.kind == "eltwise-fix").unwrap();
        let Placement::Memory { register, address, .. } = Placement::of(&sum.tensor).unwrap() else { panic!("in DDR") };
        let saves = positions(&program, Opcode::Save).into_iter().filter(|&at| case.origins[at] == sum.name);
        let after = saves.max().unwrap() + 1;
        let zeros = Save {
            reg_id: register.into(),
            ddr_addr: address,
            const_en: 1,
            channel: 29,
            jump_write: 29,
            ..Save::default()
        };
        program.insert(after, zeros.into());
        let compared = case.compare(&program);
        let difference = compared.difference.unwrap();
        assert_eq!(difference.operation, sum.name, "{difference:#?}");
        let Problem::Overwritten { first } = &difference.problem else { panic!("{difference:#?}") };
        assert_eq!((first.found, &first.index[..3]), (0, &[0, 0, 0][..]));
        assert_eq!(difference.evidence.written_by.unwrap().index, after);
    }
}

#[test]
fn an_illegal_instruction_stops_with_its_place() {
    let [target, _] = targets();
    let case = Case::new(branches(), &target);
    let mut program = case.program();
    let at = positions(&program, Opcode::Load)[3];
    if let Instruction::Load(load) = &mut program[at] {
        (load.reg_id, load.ddr_addr) = (6, 0);
    }
    let difference = case.compare(&program).difference.unwrap();
    assert!(
        matches!(&difference.problem, Problem::Stopped { reason } if reason.contains("region 6")),
        "{difference:#?}"
    );
    assert_eq!(difference.evidence.written_by.unwrap().index, at);
}

fn positions(program: &[Instruction], opcode: Opcode) -> Vec<usize> {
    (0..program.len()).filter(|&at| program[at].opcode() == opcode).collect()
}

/// AMD's own programs are equal to the networks inside their files.
#[test]
fn vendor_programs_are_equal() {
    let Some(models) = models() else { return };
    for sample in
        ["mnist_cnn/compiled_b4096.xmodel", "squeezenet/compiled_b4096.xmodel", "yolox_nano/compiled_b512.xmodel"]
    {
        let graph = read(&models, sample);
        let compared = compare(&graph, &expected(&graph, 7));
        assert_eq!(compared.difference, None, "{sample}");
        assert!(compared.tensors > 1, "{sample}: {compared:?}");
    }
}

/// What an operator without meaning reads is known, and what follows it is compared on arbitrary numbers.
#[test]
fn both_sides_of_an_unknown_operator_are_compared() {
    let source = r#"module { func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
        %w = int8.constant dense<[[[[1, 2]]], [[[-3, 4]]]]> : tensor<2x1x1x2xi8, #int8.fix<2>>
        %codes = int8.quantise %x : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xi8, #int8.fix<4>>
        %front = int8.conv2d %codes, %w : (tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<2x1x1x2xi8, #int8.fix<2>>) -> tensor<1x4x4x2xi8, #int8.fix<4>>
        %numbers = int8.dequantise %front : (tensor<1x4x4x2xi8, #int8.fix<4>>) -> tensor<1x4x4x2xf32>
        %unknown = nn.custom %numbers {type = "mystery"} : tensor<1x4x4x2xf32>
        %again = int8.quantise %unknown : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xi8, #int8.fix<4>>
        %back = int8.conv2d %again, %w : (tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<2x1x1x2xi8, #int8.fix<2>>) -> tensor<1x4x4x2xi8, #int8.fix<4>>
        %y = int8.dequantise %back : (tensor<1x4x4x2xi8, #int8.fix<4>>) -> tensor<1x4x4x2xf32>
        func.return %y : tensor<1x4x4x2xf32> } }"#;
    let parsed = parse(source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let compiled = compile(parsed.ir, &targets()[0], &Options::default()).unwrap();
    let input = Tensor::from_f32(&[1, 4, 4, 2], (0..32u8).map(|x| f32::from(x) / 8.0 - 2.0).collect()).unwrap();
    let expected = Expected::evaluate(&compiled.ir, ["x"], vec![input]).unwrap();
    let index = GraphIndex::new(&compiled.graph);
    let views = index.dpu_subgraphs().unwrap();
    assert_eq!(views.len(), 2);
    for view in &views {
        let compared = compare_subgraph(&index, view, &expected).unwrap();
        assert!(compared.difference.is_none() && compared.tensors == 1, "{compared:?}");
    }
}
