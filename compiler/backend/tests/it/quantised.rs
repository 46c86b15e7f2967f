//! The quantised form: what is written is what AMD's quantiser writes, and the importer reads the same network.

use dpuc_backend::{export_quantised, foreign_operators};
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::{Attribute, Ir, ValueId};
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_graphs::{Net, Precision, random_float_network};
use dpuc_import::{Form, import_xmodel};
use dpuc_isa::Random;
use dpuc_tests::{QUANTISED, import, models, read};
use dpuc_xmodel::{Attr, Graph, Op};

/// Through the bytes of a file and back.
fn round_trip(ir: &Ir) -> (Graph, Ir) {
    let graph = export_quantised(ir, None).unwrap_or_else(|error| panic!("{error}"));
    let bytes = dpuc_xmodel::write(&graph).unwrap();
    let again = dpuc_xmodel::write(&export_quantised(ir, None).unwrap()).unwrap();
    assert!(bytes == again, "exporting twice gives different files");
    let read = dpuc_xmodel::read(&bytes).unwrap();
    assert_eq!(read, graph, "the file holds the graph");
    let imported = import_xmodel(&read).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported.form, Form::Quantised);
    assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
    (graph, imported.ir)
}

fn text(ir: &Ir) -> String {
    print(ir, PrintOptions { generic: false, locations: true })
}

/// Operators and tensors keep names, dimensions, arguments and attributes, down to the kinds of the values. The only differences: a
/// reshape's dimensions are its attribute instead of a constant behind a `stack`, and padding that no window reaches is not written.
#[test]
fn files_of_amd_are_written_as_they_were() {
    let Some(models) = models() else { return };
    for sample in QUANTISED {
        let theirs = read(&models, sample);
        let ir = import(&models, sample);
        let graph = export_quantised(&ir, None).unwrap();
        assert_eq!(graph.name, theirs.name, "{sample}");
        let carries_shape = |op: &&Op| {
            let readers = || theirs.ops.iter().filter(|reader| reader.producers().any(|name| name == op.name));
            op.kind == "stack" || (op.kind == "const" && readers().all(|reader| reader.kind == "stack"))
        };
        let expected: Vec<&Op> = theirs.ops.iter().filter(|op| !carries_shape(op)).collect();
        assert_eq!(graph.ops.len(), expected.len(), "{sample}");
        for expected in expected {
            let found = graph.ops.iter().find(|op| op.name == expected.name);
            let found = found.unwrap_or_else(|| panic!("{sample}: {} is not written", expected.name));
            assert_eq!(normalised(found), normalised(expected), "{sample}");
            let reached = pads(found).zip(pads(expected)).all(|(found, expected)| found <= expected);
            assert!(reached, "{sample}: pads of {}", expected.name);
        }
        assert_eq!(foreign_operators(&graph).count(), 0, "{sample}");
    }
}

fn pads(op: &Op) -> impl Iterator<Item = i32> + '_ {
    let pads = match op.attrs.get("pad") {
        Some(Attr::Int32Vec(pads)) => &pads[..],
        _ => &[],
    };
    pads.iter().copied()
}

fn normalised(op: &Op) -> Op {
    let mut op = op.clone();
    if op.attrs.contains_key("pad") {
        op.attrs.insert("pad".to_owned(), Attr::Bool(true));
    }
    if op.kind == "reshape" {
        op.attrs.remove("shape");
        op.args.retain(|arg| arg.name != "shape");
    }
    op
}

#[test]
fn files_of_amd_survive_export_and_import() {
    let Some(models) = models() else { return };
    for sample in QUANTISED {
        let ir = import(&models, sample);
        let imported = import_xmodel(&export_quantised(&ir, None).unwrap()).unwrap();
        assert_eq!(text(&imported.ir), text(&ir), "{sample}");
        let weights = |ir: &Ir| ir.weights.to_safetensors().unwrap();
        assert!(weights(&imported.ir) == weights(&ir), "{sample}");
    }
}

/// Whatever networks of floats say, the file says it: their results are the same to the bit.
#[test]
fn random_networks_survive_the_file() {
    let mut compared = 0;
    for seed in 0..300 {
        let ir = random_float_network(seed, Precision::Close);
        let Ok(graph) = export_quantised(&ir, None) else {
            let error = export_quantised(&ir, None).unwrap_err().to_string();
            assert!(error.contains("it returns an argument or a constant"), "seed {seed}: {error}");
            continue;
        };
        let imported = import_xmodel(&graph).unwrap_or_else(|error| panic!("seed {seed}: {error}")).ir;
        let inputs = inputs(&ir, seed);
        let run = |ir: &Ir| evaluate(ir, "main", &inputs, &mut |_, _| {}).unwrap();
        for (found, expected) in run(&imported).iter().zip(&run(&ir)) {
            assert!(same_bits(found, expected), "seed {seed}: {}", print(&ir, PrintOptions::default()));
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} results were compared");
}

fn inputs(ir: &Ir, seed: u64) -> Vec<Tensor> {
    let mut random = Random::new(seed);
    let main = ir.find_symbol("main").unwrap();
    let arguments = ir.arguments(func::entry(ir, main));
    let tensor = |&value: &ValueId| {
        let shape = ir.shape_of(value).unwrap();
        let count = shape.iter().product();
        let codes = dpuc_graphs::random_codes(&mut random, count);
        Tensor::from_f32(&shape, codes.into_iter().map(|code| f32::from(code) / 16.0).collect()).unwrap()
    };
    arguments.iter().map(tensor).collect()
}

fn same_bits(found: &Tensor, expected: &Tensor) -> bool {
    let (Tensor::F32(found), Tensor::F32(expected)) = (found, expected) else { return found == expected };
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    found.shape() == expected.shape() && found.iter().zip(expected).all(same)
}

fn int(name: &'static str, value: i64) -> (&'static str, Attribute) {
    (name, Attribute::int(value))
}

/// What the registry has, in its terms; the rest under this project's own names, with what a reader needs for an operator it does not know.
#[test]
fn operators_have_the_names_of_the_registry_where_it_has_them() {
    let map = [1, 4, 4, 6];
    let mut net = Net::new(1);
    let x = net.float_input(&map);
    let float = |name: &'static str, value: f64| (name, Attribute::Float(value, None));
    let mut y = net.float(&nn::ELU, &[x], &[float("alpha", 0.5)], &map);
    for kind in [&nn::GELU, &nn::SILU, &nn::MISH, &nn::EXP] {
        y = net.float(kind, &[y], &[], &map);
    }
    let turned = net.float(&nn::TRANSPOSE, &[y], &[("order", Attribute::ints([0, 1, 3, 2]))], &[1, 4, 6, 4]);
    y = net.float(&nn::BATCH_MATMUL, &[y, turned], &[], &[1, 4, 4, 4]);
    y = net.float(&nn::AVG_POOL, &[y], &[("kernel", Attribute::ints([4, 4]))], &[1, 1, 1, 4]);
    y = net.float(&nn::GELU, &[y], &[("approximate", Attribute::string("tanh"))], &[1, 1, 1, 4]);
    let excluded = [
        ("kernel", Attribute::ints([3, 3])),
        ("pads", Attribute::ints([1, 1, 1, 1])),
        ("exclude_padding", Attribute::Bool(true)),
    ];
    y = net.float(&nn::AVG_POOL, &[y], &excluded, &[1, 1, 1, 4]);
    let (graph, imported) = round_trip(&net.finish(&[y]));
    let kinds: Vec<&str> = graph.ops.iter().map(|op| op.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["data", "elu", "gelu", "swish", "mish", "exp", "transpose", "matmul", "avgpool2d", "nn.gelu", "nn.avg_pool"]
    );
    let foreign: Vec<_> = foreign_operators(&graph).map(|(_, kind)| kind).collect();
    assert_eq!(foreign, ["nn.gelu", "nn.avg_pool"]);
    let op = |kind: &str| graph.ops.iter().find(|op| op.kind == kind).unwrap();
    assert_eq!(op("avgpool2d").attrs["global"], Attr::Bool(true));
    assert_eq!(op("elu").attrs["alpha"], Attr::Float(0.5));
    assert_eq!(op("nn.gelu").attrs["shape"], Attr::Int32Vec(vec![1, 1, 1, 4]));
    assert_eq!(op("nn.gelu").attrs["data_type"], Attr::from("FLOAT32"));
    assert!(text(&imported).contains("exclude_padding = true"));
}

/// As AMD's quantisers write them, with names of theirs: the hardware multiplies and shifts instead of dividing.
#[test]
fn means_and_gates_get_the_factor_of_the_hardware() {
    let fixed = |net: &mut Net, x, shape: &[usize]| net.float(&nn::FIX, &[x], &[int("fix_point", 7)], shape);
    let mut net = Net::new(6);
    let x = net.float_input(&[1, 7, 14, 4]);
    let gate = net.float(&nn::HARD_SIGMOID, &[x], &[], &[1, 7, 14, 4]);
    let gate = fixed(&mut net, gate, &[1, 7, 14, 4]);
    let kernel = |size: i64| ("kernel", Attribute::ints([size, size]));
    let strides = ("strides", Attribute::ints([7, 7]));
    let seven = net.float(&nn::AVG_POOL, &[gate], &[kernel(7), strides], &[1, 1, 2, 4]);
    let seven = fixed(&mut net, seven, &[1, 1, 2, 4]);
    let four = net.float(&nn::AVG_POOL, &[gate], &[kernel(4)], &[1, 4, 11, 4]);
    let four = fixed(&mut net, four, &[1, 4, 11, 4]);
    let mean = net.float(&nn::REDUCE_MEAN, &[gate], &[("axes", Attribute::ints([1, 2]))], &[1, 1, 1, 4]);
    let mean = fixed(&mut net, mean, &[1, 1, 1, 4]);
    // Not rounded: nothing for the DPU.
    let plain = net.float(&nn::AVG_POOL, &[gate], &[kernel(7), ("strides", Attribute::ints([7, 7]))], &[1, 1, 2, 4]);
    let ir = net.finish(&[seven, four, mean, plain]);
    let (graph, imported) = round_trip(&ir);
    let factors: Vec<f32> = graph
        .ops
        .iter()
        .filter(|op| op.kind == "const")
        .map(|op| match &op.attrs["data"] {
            Attr::Bytes(bytes) => f32::from_le_bytes(bytes[..].try_into().unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    // 7 x 14: 1/98 is nearest to 21/2^11 among the factors of the hardware.
    assert_eq!(factors, [6.0 * 2731.0 / 16384.0, 49.0 * 21.0 / 1024.0, 1.0, 98.0 * 21.0 / 2048.0]);
    let product = graph.ops.iter().find(|op| op.kind == "mul").unwrap();
    let name = &product.name;
    assert_eq!(product.arg("input"), [format!("{name}_i0"), format!("{name}_i1")]);
    assert!(name.starts_with("hard_sigmoid"), "{name}");
    // Written again, nothing is added.
    assert_eq!(export_quantised(&imported, None).unwrap(), graph);
}

/// The format's operators have one result.
#[test]
fn a_split_becomes_slices() {
    let mut net = Net::new(2);
    let x = net.float_input(&[1, 2, 2, 6]);
    let y = net.float(&nn::RELU, &[x], &[], &[1, 2, 2, 6]);
    let ir = &mut net.ir;
    let block = func::entry(ir, ir.find_symbol("main").unwrap());
    let sizes = [1, 3, 2].map(|channels| ir.float_tensor(&[1, 2, 2, channels]));
    let mut split = dpuc_dialects::OpBuilder::new(&nn::SPLIT).operands([y]).attribute("axis", Attribute::int(3));
    for ty in sizes {
        split = split.result(ty, "");
    }
    let split = split.append(ir, block);
    let parts = ir.results(split).to_vec();
    let ir = net.finish(&[parts[2], parts[0], parts[1], parts[0]]);
    let (graph, imported) = round_trip(&ir);
    assert_eq!(graph.ops.iter().filter(|op| op.kind == "strided_slice").count(), 4, "one result is given twice");
    let inputs = inputs(&ir, 2);
    let run = |ir: &Ir| evaluate(ir, "main", &inputs, &mut |_, _| {}).unwrap();
    assert_eq!(run(&imported), run(&ir));
}

#[test]
fn what_the_module_says_for_this_project_travels() {
    let mut net = Net::new(3);
    let x = net.float_input(&[1, 2, 2, 6]);
    let y = net.float(&nn::RELU, &[x], &[], &[1, 2, 2, 6]);
    // Nobody reads it.
    net.float(&nn::SOFTMAX, &[y], &[int("axis", 3)], &[1, 2, 2, 6]);
    let mut ir = net.finish(&[y]);
    let root = ir.root();
    ir.set_attribute(root, "sym_name", Attribute::string("small"));
    ir.set_attribute(root, "dpuc.preprocessing", Attribute::string("{}"));
    let main = ir.find_symbol("main").unwrap();
    for attribute in ["argument_layouts", "result_layouts"] {
        ir.set_attribute(main, attribute, Attribute::Array([Attribute::string("nchw")].into()));
    }
    let (graph, imported) = round_trip(&ir);
    assert_eq!(graph.name, "small");
    assert_eq!(graph.ops.iter().map(|op| op.kind.as_str()).collect::<Vec<_>>(), ["data", "relu"]);
    assert_eq!(imported.attribute(imported.root(), "dpuc.preprocessing").and_then(Attribute::as_str), Some("{}"));
    let main = imported.find_symbol("main").unwrap();
    for attribute in ["argument_layouts", "result_layouts"] {
        let layouts = imported.attribute(main, attribute).and_then(Attribute::as_array).unwrap();
        assert_eq!(layouts[0].as_str(), Some("nchw"));
    }
}

#[test]
fn what_is_no_quantised_network_is_refused() {
    let mut net = Net::new(4);
    let x = net.float_input(&[1, 2, 2, 4]);
    let code = net.quantise(x, 4);
    let y = net.op(&int8::REQUANTISE, &[code], &[], &[1, 2, 2, 4], 3);
    let error = export_quantised(&net.finish(&[y]), None).unwrap_err().to_string();
    assert!(error.contains("only operations of the dialect `nn`") && error.contains("compile it instead"), "{error}");
    let mut net = Net::new(5);
    let x = net.float_input(&[1, 4]);
    let error = export_quantised(&net.finish(&[x]), None).unwrap_err().to_string();
    assert!(error.contains("it returns an argument or a constant"), "{error}");
    let error = export_quantised(&Ir::new(), None).unwrap_err().to_string();
    assert!(error.contains("no function `@main`"), "{error}");
}
