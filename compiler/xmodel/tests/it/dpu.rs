//! The checked view of a DPU subgraph.

use std::collections::BTreeMap;

use dpuc_xmodel::{Attr, Attributed, Graph, GraphIndex, Op, Placement, Register, RegisterRole, Subgraph};

use crate::models::{compiled, sample};

fn dpu_attr<'a>(graph: &'a mut Graph, key: &str) -> &'a mut Attr {
    graph.root.children[1].attrs.get_mut(key).unwrap()
}

fn set_register_entry<T>(graph: &mut Graph, key: &str, register: &str, value: T)
where
    Attr: From<BTreeMap<String, T>>,
    for<'a> &'a BTreeMap<String, T>: dpuc_xmodel::FromAttr<'a>,
    T: Clone,
{
    let mut map: BTreeMap<String, T> = graph.root.children[1].attr::<&BTreeMap<String, T>>(key).unwrap().clone();
    map.insert(register.to_owned(), value);
    *dpu_attr(graph, key) = map.into();
}

/// The message about the DPU subgraph of the small graph after `change`.
fn message(change: impl FnOnce(&mut Graph)) -> String {
    let mut graph = compiled();
    change(&mut graph);
    let message = GraphIndex::new(&graph).dpu_subgraphs().unwrap_err().to_string();
    match message.strip_prefix("DPU subgraph \"subgraph_conv\" cannot run: ") {
        Some(problem) => problem.to_owned(),
        None => message,
    }
}

#[test]
fn the_view_has_what_a_runtime_needs() {
    let graph = compiled();
    let subgraphs = GraphIndex::new(&graph).dpu_subgraphs().unwrap();
    let [dpu] = &subgraphs[..] else { panic!("{} DPU subgraphs", subgraphs.len()) };
    assert_eq!(dpu.subgraph.name, "subgraph_conv");
    assert_eq!((dpu.target, dpu.fingerprint), (Some("DPUCZDX8G_ISA1_B4096"), Some(0x0101_0000_1601_0407)));
    assert_eq!(dpu.mc_code[..], [0, 0, 0x20, 0x72]);
    let roles: Vec<_> = dpu.registers.iter().map(|r| (r.number, r.role, r.size)).collect();
    let interface = RegisterRole::Interface;
    assert_eq!(roles, [(0, RegisterRole::Const, 16), (2, interface, 32), (3, interface, 32)]);
    assert_eq!(dpu.register(0).unwrap().parameter.unwrap()[..], [1, 2, 3, 4]);
    assert_eq!(dpu.register(1), None);

    let [input] = &dpu.inputs[..] else { panic!("{:?}", dpu.inputs) };
    assert_eq!((input.op.name.as_str(), input.tensor.name.as_str()), ("x_upload_0", "x_fix"));
    assert_eq!((input.register, input.address, input.num_bytes, input.fix_point), (2, 0, 32, 6));
    let [output] = &dpu.outputs[..] else { panic!("{:?}", dpu.outputs) };
    assert_eq!((output.op.name.as_str(), output.tensor.name.as_str()), ("conv_download_0", "conv_fix"));
    assert_eq!((output.register, output.address, output.num_bytes, output.fix_point), (3, 0, 32, 6));
}

/// The worked example of §3.10 is this file.
#[test]
fn registers_of_the_worked_example() {
    let Some(file) = sample("mnist_cnn/compiled_b4096.xmodel") else { return };
    let graph = dpuc_xmodel::read(&file).unwrap();
    let subgraphs = GraphIndex::new(&graph).dpu_subgraphs().unwrap();
    let [dpu] = &subgraphs[..] else { panic!("{} DPU subgraphs", subgraphs.len()) };
    let registers: Vec<_> = dpu.registers.iter().map(|register| (register.role, register.size)).collect();
    assert_eq!(
        registers,
        [
            (RegisterRole::Const, 65536),
            (RegisterRole::Workspace, 3856),
            (RegisterRole::Interface, 816),
            (RegisterRole::Interface, 16)
        ]
    );
    assert_eq!(dpu.register(0).unwrap().parameter.unwrap().len(), 65536);
    assert_eq!((dpu.inputs[0].register, dpu.inputs[0].address, dpu.inputs[0].num_bytes), (2, 32, 784));
    assert_eq!((dpu.outputs[0].register, dpu.outputs[0].address, dpu.outputs[0].num_bytes), (3, 0, 10));
    assert_eq!(dpu.mc_code[dpu.mc_code.len() - 4..], 0x7220_0000_u32.to_le_bytes());
}

#[test]
fn older_files_do_not_tell_workspace_from_interface() {
    let mut graph = compiled();
    graph.root.children[1].attrs.remove("reg_id_to_context_type_v2");
    let subgraphs = GraphIndex::new(&graph).dpu_subgraphs().unwrap();
    let roles: Vec<_> = subgraphs[0].registers.iter().map(|register: &Register<'_>| register.role).collect();
    assert_eq!(roles, [RegisterRole::Const, RegisterRole::Data, RegisterRole::Data]);
}

#[test]
fn required_attributes() {
    for (key, kind) in [
        ("runner", "map string→string"),
        ("mc_code", "Bytes"),
        ("reg_id_to_context_type", "map string→string"),
        ("reg_id_to_size", "map string→int32"),
        ("reg_id_to_parameter_value", "map string→Bytes"),
    ] {
        assert_eq!(
            message(|g| drop(g.root.children[1].attrs.remove(key))),
            format!(r#"subgraph "subgraph_conv": attribute "{key}" of kind {kind} is missing"#)
        );
    }
    assert_eq!(
        message(|g| drop(g.root.children[1].attrs.remove("device"))),
        r#"subgraph "subgraph_conv": attribute "device" of kind string is missing"#
    );
    assert_eq!(
        message(|g| *dpu_attr(g, "dpu_fingerprint") = 1_i64.into()),
        "subgraph \"subgraph_conv\": attribute \"dpu_fingerprint\" of kind uint64 is expected, but it is of kind int64; \
         readers fetch attributes by kind"
    );
    assert_eq!(
        message(|g| *dpu_attr(g, "runner") = Attr::StringMap(BTreeMap::new())),
        r#"its attribute "runner" has no entry "run" with the library that runs it"#
    );
}

#[test]
fn the_view_is_of_dpu_subgraphs() {
    let graph = compiled();
    let index = GraphIndex::new(&graph);
    let error = dpuc_xmodel::DpuSubgraph::new(&index, &graph.root.children[0]).unwrap_err();
    assert_eq!(error.to_string(), r#"DPU subgraph "subgraph_x" cannot run: its device is "USER""#);
}

#[test]
fn code_is_words() {
    for length in [0, 3, 6] {
        assert_eq!(
            message(|g| *dpu_attr(g, "mc_code") = vec![0_u8; length].into()),
            format!("its mc_code has {length} bytes; instructions are 32-bit words, and there must be some")
        );
    }
}

#[test]
fn registers_are_complete() {
    let roles = "reg_id_to_context_type_v2";
    let string = |text: &str| text.to_owned();
    for name in ["REG_8", "REG_01", "REG_", "REG_+1", "reg_1", ""] {
        assert_eq!(
            message(|g| set_register_entry(g, roles, name, string("CONST"))),
            format!("{name:?} is not a register; names are REG_0 to REG_7")
        );
    }
    assert_eq!(
        message(|g| set_register_entry(g, roles, "REG_2", string("const"))),
        r#"register REG_2 has context type "const"; known are CONST, WORKSPACE, INTERFACE and DATA"#
    );
    assert_eq!(
        message(|g| set_register_entry(g, roles, "REG_1", string("WORKSPACE"))),
        "register REG_1 has no entry in reg_id_to_size"
    );
    for size in [0, -1] {
        assert_eq!(
            message(|g| set_register_entry(g, "reg_id_to_size", "REG_2", size)),
            format!("register REG_2 has size {size}; it must be above 0")
        );
    }
    assert_eq!(
        message(|g| *dpu_attr(g, "reg_id_to_parameter_value") = Attr::BytesMap(BTreeMap::new())),
        "register REG_0 is CONST but has no entry in reg_id_to_parameter_value"
    );
    assert_eq!(
        message(|g| set_register_entry(g, "reg_id_to_size", "REG_0", 3)),
        "register REG_0 has 3 bytes but its parameter has 4"
    );
    assert_eq!(
        message(|g| *dpu_attr(g, roles) = BTreeMap::from([(string("REG_0"), string("CONST"))]).into()),
        "it has no register for data (context type DATA, WORKSPACE or INTERFACE)"
    );
    assert_eq!(
        message(|g| {
            set_register_entry(g, roles, "REG_1", string("INTERFACE"));
            set_register_entry(g, "reg_id_to_size", "REG_1", 4);
        }),
        "register REG_1 is INTERFACE but holds no input or output"
    );
}

fn set_tensor_attr(op: usize, key: &'static str, value: impl Into<Attr>) -> impl FnOnce(&mut Graph) {
    move |graph| graph.ops[op].tensor.set_attr(key, value)
}

#[test]
fn tensors_have_a_place() {
    for key in ["reg_id", "ddr_addr", "location"] {
        assert_eq!(
            message(|g| drop(g.ops[2].tensor.attrs.remove(key))),
            format!(r#"tensor "w_fix": attribute "{key}" of kind int32 is missing"#)
        );
    }
    let possible = "possible are registers 0 to 7, addresses from 0, and location 0 (on chip) or 1 (in a register)";
    let place = |reg_id, ddr_addr, location| {
        format!(r#"tensor "w_fix" has reg_id {reg_id}, ddr_addr {ddr_addr}, location {location}; {possible}"#)
    };
    assert_eq!(message(set_tensor_attr(2, "location", 2)), place(0, 0, 2));
    assert_eq!(message(set_tensor_attr(2, "reg_id", 8)), place(8, 0, 1));
    assert_eq!(message(set_tensor_attr(2, "reg_id", -1)), place(-1, 0, 1));
    assert_eq!(message(set_tensor_attr(2, "ddr_addr", -1)), place(0, -1, 1));
    assert_eq!(
        message(set_tensor_attr(2, "reg_id", 1)),
        r#"tensor "w_fix" is in register REG_1, which the subgraph does not have"#
    );

    let mut graph = compiled();
    graph.ops[2].tensor.set_attr("location", 0);
    assert_eq!(Placement::of(&graph.ops[2].tensor), Ok(Placement::OnChip));
    assert!(GraphIndex::new(&graph).dpu_subgraphs().is_ok());
}

#[test]
fn boundary_tensors_lie_densely_in_their_register() {
    let upload = r#"boundary tensor "x_fix_upload_0""#;
    assert_eq!(
        message(set_tensor_attr(1, "location", 0)),
        format!("{upload} is on chip (location 0); it must be in a register")
    );
    assert_eq!(
        message(set_tensor_attr(1, "stride", vec![64, 16, 4, 1])),
        format!("{upload} has strides [64, 16, 4, 1]; it must be dense: [32, 8, 2, 1]")
    );
    assert_eq!(
        message(set_tensor_attr(1, "ddr_addr", 1)),
        r#"boundary tensor "x_fix" ends at byte 33 of register REG_2, which has 32"#
    );
    assert_eq!(
        message(set_tensor_attr(1, "reg_id", 7)),
        r#"tensor "x_fix_upload_0" is in register REG_7, which the subgraph does not have"#
    );
    assert_eq!(
        message(|g| g.ops[1].tensor.dims[1] = 3),
        r#"boundary tensor "x_fix" has dimensions [1, 4, 4, 2] outside and [1, 3, 4, 2] inside"#
    );
    assert_eq!(
        message(|g| (0..2).for_each(|op| g.ops[op].tensor.dims[0] = -1)),
        r#"boundary tensor "x_fix" has dimensions [-1, 4, 4, 2]; they must all be known"#
    );
    assert_eq!(
        message(|g| drop(g.ops[4].tensor.attrs.remove("fix_point"))),
        r#"tensor "conv_fix": attribute "fix_point" of kind int32 is missing"#
    );
}

#[test]
fn boundaries_are_upload_and_download_ops() {
    assert_eq!(
        message(|g| g.ops[1].kind = "identity".to_owned()),
        "input tensor \"x_fix\" must be read inside by exactly one upload op, but is read by [(\"x_upload_0\", \
         \"identity\")]"
    );
    assert_eq!(
        message(|g| g.ops[3].args[1].ops[0] = "x".to_owned()),
        "input tensor \"x_fix\" must be read inside by exactly one upload op, but is read by [(\"x_upload_0\", \
         \"upload\"), (\"conv\", \"conv2d-fix\")]"
    );
    let outputs = "only download ops can be outputs";
    assert_eq!(
        message(|g| g.ops[5].args[0].ops[0] = "conv".to_owned()),
        format!(r#"op "conv" of type conv2d-fix is read outside or by nobody; {outputs}"#)
    );
    assert_eq!(
        message(|g| g.ops[3].args[1].ops.clear()),
        format!(r#"op "w" of type const-fix is read outside or by nobody; {outputs}"#)
    );
    assert_eq!(
        message(|g| g.ops[4].args[0].ops.push("w".to_owned())),
        r#"download op "conv_download_0" must have exactly one input but has 2"#
    );
}

/// The runtime numbers inputs by the names of their tensors, whatever the order of the ops.
#[test]
fn boundaries_are_ordered_by_tensor_name() {
    let mut graph = compiled();
    let mut second: Vec<Op> = graph.ops[..2].to_vec();
    second[0].name = "b".to_owned();
    second[0].tensor.name = "a_fix".to_owned();
    second[1].name = "b_upload_0".to_owned();
    second[1].args[0].ops[0] = "b".to_owned();
    graph.ops.splice(2..2, second);
    graph.ops[5].args[0].ops.push("b_upload_0".to_owned());
    graph.root.children[0].ops.push("b".to_owned());
    graph.root.children[1].children.push(Subgraph::leaf("s", ["b_upload_0"]));
    dpuc_xmodel::validate(&graph).unwrap();
    let subgraphs = GraphIndex::new(&graph).dpu_subgraphs().unwrap();
    let inputs: Vec<_> = subgraphs[0].inputs.iter().map(|input| input.tensor.name.as_str()).collect();
    assert_eq!(inputs, ["a_fix", "x_fix"]);
}
