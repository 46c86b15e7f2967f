//! A compiled file written by hand, so that no other part of the compiler decides what is in it: a convolution, a pool that reads it, and an
//! operation of the host.

use std::collections::BTreeMap;

use bytes::Bytes;
use dpuc_accel::timing::Board;
use dpuc_isa::{Alu, AluInit, Conv, ConvInit, End, Engine, EngineSet, Instruction, Load, Save, Target, Tokens, encode};
use dpuc_xmodel::{Attributed, DataType, Graph, Op, Subgraph, Tensor};

/// The board of all figures here.
pub(crate) fn board() -> &'static Board {
    Board::named("generic").unwrap()
}

/// The names of the operations; a hostile file may have any.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) network: &'a str,
    pub(crate) conv: &'a str,
    pub(crate) pool: &'a str,
    pub(crate) host: &'a str,
}

pub(crate) const PLAIN: Names<'static> =
    Names { network: "by hand", conv: "net/conv", pool: "net/pool", host: "net/softmax" };

fn tokens(engine: Engine, wait: &[Engine], notify: &[Engine]) -> Tokens {
    let set = |others: &[Engine]| others.iter().fold(EngineSet::only(engine), |set, &other| set.with(other));
    Tokens { wait: set(wait), notify: set(notify) }
}

/// The places of the tensors: region and first byte.
const WEIGHTS: u32 = 4096;

/// A 4×4 map of 16 channels through a 1×1 convolution, saved, loaded again and pooled with a 1×1 kernel, for B4096. Every row is a bank.
pub(crate) fn program() -> Vec<Instruction> {
    use Engine::{Conv as C, Load as L, Misc as M, Save as S};
    let load = |region: u32, address: u32, bank: u32, line: u32, pixels: u32, tokens: Tokens| -> Instruction {
        let [reg_id, ddr_addr, bank_id, bank_addr, length] = [region, address, bank, line, pixels];
        Load { tokens, reg_id, ddr_addr, bank_id, bank_addr, length, channel: 16, jump_read: 16, ..Default::default() }
            .into()
    };
    let save = |region: u32, bank: u32, tokens: Tokens| -> Instruction {
        let (reg_id, ddr_addr) = (region, 64 * (bank % 8));
        Save { tokens, reg_id, ddr_addr, bank_id: bank, length: 4, channel: 16, jump_write: 16, ..Default::default() }
            .into()
    };
    let first = |row: u32, others: [Engine; 1]| if row == 0 { others.to_vec() } else { Vec::new() };
    let last = |row: u32, others: [Engine; 1]| if row == 3 { others.to_vec() } else { Vec::new() };

    let mut program = vec![load(0, 0, 33, 0, 1, tokens(L, &[], &[]))];
    program.extend((0..16).map(|channel| load(0, WEIGHTS + 16 * channel, 16 + channel, 0, 1, tokens(L, &[], &[]))));
    program.extend((0..4).map(|row| load(2, 64 * row, row, 0, 4, tokens(L, &[], &last(row, [C])))));
    program.push(ConvInit { tokens: tokens(C, &[], &[]), valid_pixel_parallel: 4, ..Default::default() }.into());
    program.push(Conv { tokens: tokens(C, &[L], &[S]), length: 4, bank_id_out: 8, ..Default::default() }.into());
    program.extend((0..4).map(|row| save(1, 8 + row, tokens(S, &first(row, [C]), &last(row, [L])))));
    program.extend((0..4).map(|row| load(1, 64 * row, row, 8, 4, tokens(L, &first(row, [S]), &last(row, [M])))));
    program.push(AluInit { tokens: tokens(M, &[], &[]), exec_mode: 3, length: 4, ..Default::default() }.into());
    let pool = Alu {
        tokens: tokens(M, &[L], &[S]),
        bank_addr_in: 8,
        bank_id_out: 8,
        bank_addr_out: 8,
        valid_pixel_parallel: 4,
        ..Default::default()
    };
    program.push(pool.into());
    let out = |row: u32| match save(3, 8 + row, tokens(S, &first(row, [M]), &[])) {
        Instruction::Save(save) => Instruction::from(Save { bank_addr: 8, ..save }),
        other => other,
    };
    program.extend((0..4).map(out));
    program.push(End { tokens: tokens(S, &[], &[]) }.into());
    program
}

/// The compiled file.
pub(crate) fn graph(names: Names<'_>) -> Graph {
    let tensor = |name: &str, dims: &[i32], place: Option<(i32, i32)>| {
        let mut tensor = Tensor::new(name, dims, DataType::XINT8).with_attr("fix_point", 4);
        if let Some((region, address)) = place {
            tensor = tensor.with_attr("reg_id", region).with_attr("ddr_addr", address).with_attr("location", 1);
        }
        tensor
    };
    let map = [1, 4, 4, 16];
    let fixed = |name: &str, suffix: &str| format!("{name}{suffix}");
    let constant = |name: String, dims: &[i32], address: i32| {
        let bytes: i32 = dims.iter().product();
        Op::new(&name, "const-fix", tensor(&fixed(&name, "_fix"), dims, Some((0, address))))
            .with_attr("data", Bytes::from(vec![1; bytes as usize]))
    };
    let (weights, bias) = (fixed(names.conv, "/weights"), fixed(names.conv, "/bias"));
    let ops = vec![
        Op::new("input", "data-fix", tensor("input_fix", &map, None)),
        Op::new("input_upload_0", "upload", tensor("input_fix_upload_0", &map, Some((2, 0))))
            .with_arg("input", ["input"]),
        constant(bias.clone(), &[16], 0),
        constant(weights.clone(), &[16, 1, 1, 16], WEIGHTS as i32),
        Op::new(names.conv, "conv2d-fix", tensor(&fixed(names.conv, "_fix"), &map, Some((1, 0))))
            .with_arg("input", ["input_upload_0"])
            .with_arg("weights", [weights.as_str()])
            .with_arg("bias", [bias.as_str()]),
        Op::new(names.pool, "pool-fix", tensor(&fixed(names.pool, "_fix_download_0"), &map, Some((3, 0))))
            .with_arg("input", [names.conv]),
        Op::new(fixed(names.pool, "_download_0"), "download", tensor(&fixed(names.pool, "_fix"), &map, None))
            .with_arg("input", [names.pool]),
        Op::new(names.host, "softmax", tensor(&fixed(names.host, "_fix"), &map, None))
            .with_arg("input", [fixed(names.pool, "_download_0")]),
    ];
    let download = fixed(names.pool, "_download_0");
    let children = vec![
        Subgraph::leaf("subgraph_input_upload_0", ["input_upload_0"]),
        Subgraph::leaf("subgraph_conv", [bias.as_str(), weights.as_str(), names.conv]),
        Subgraph::leaf("subgraph_pool", [names.pool]),
        Subgraph::leaf("subgraph_download", [download.as_str()]),
    ];
    let each = |values: [&str; 4]| -> BTreeMap<String, String> {
        (0..4).zip(values).map(|(region, value)| (format!("REG_{region}"), value.to_owned())).collect()
    };
    let target = Target::from_name("DPUCZDX8G_ISA1_B4096").unwrap();
    let sizes: BTreeMap<String, i32> =
        [8192, 256, 256, 256].into_iter().enumerate().map(|(region, size)| (format!("REG_{region}"), size)).collect();
    let constants: BTreeMap<String, Bytes> = [("REG_0".to_owned(), Bytes::from(vec![1; 8192]))].into();
    let runner: BTreeMap<String, String> = [("run".to_owned(), "libvart-dpu-runner.so".to_owned())].into();
    let dpu = Subgraph::parent(fixed("subgraph_", names.conv), children)
        .with_attr("device", "DPU")
        .with_attr("runner", runner)
        .with_attr("dpu_name", target.name.as_str())
        .with_attr("dpu_fingerprint", target.fingerprint)
        .with_attr("mc_code", encode(&program()).unwrap())
        .with_attr("reg_id_to_context_type", each(["CONST", "DATA", "DATA", "DATA"]))
        .with_attr("reg_id_to_context_type_v2", each(["CONST", "WORKSPACE", "INTERFACE", "INTERFACE"]))
        .with_attr("reg_id_to_parameter_value", constants)
        .with_attr("reg_id_to_size", sizes);
    let user = Subgraph::leaf("subgraph_input", ["input"]).with_attr("device", "USER");
    let host = Subgraph::leaf("subgraph_host", [names.host]).with_attr("device", "CPU");
    Graph::partitioned(names.network, ops, vec![user, dpu, host])
}
