//! The sample models outside the repository, and a small one made here.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
pub(crate) use dpuc_samples::shared;
use dpuc_xmodel::{Attributed, DataType, Graph, Op, Subgraph, Tensor};

/// The contents of one sample file.
pub(crate) fn sample(path: &str) -> Option<Vec<u8>> {
    shared(&format!("models/xmodel/{path}")).map(|path| fs::read(path).unwrap())
}

/// Every `.xmodel` among the samples, ordered by path.
pub(crate) fn samples() -> Vec<PathBuf> {
    let Some(models) = shared("models/xmodel") else { return Vec::new() };
    let mut files: Vec<PathBuf> = fs::read_dir(models)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "xmodel"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the sample folder has no .xmodel");
    files
}

fn fixed(name: &str) -> Tensor {
    Tensor::new(name, [1, 4, 4, 2], DataType::XINT8).with_attr("fix_point", 6)
}

fn placed(name: &str, register: i32, address: i32) -> Tensor {
    fixed(name)
        .with_attr("reg_id", register)
        .with_attr("ddr_addr", address)
        .with_attr("location", 1)
        .with_attr("stride", vec![32, 8, 2, 1])
}

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A compiled graph with one DPU subgraph: `x` → upload → conv (with `w`) → download → `y`.
pub(crate) fn compiled() -> Graph {
    let ops = vec![
        Op::new("x", "data-fix", fixed("x_fix")),
        Op::new("x_upload_0", "upload", placed("x_fix_upload_0", 2, 0)).with_arg("input", ["x"]),
        Op::new(
            "w",
            "const-fix",
            Tensor::new("w_fix", [2, 1, 1, 2], DataType::XINT8)
                .with_attr("reg_id", 0)
                .with_attr("ddr_addr", 0)
                .with_attr("location", 1),
        )
        .with_attr("data", Vec::<u8>::new()),
        Op::new("conv", "conv2d-fix", placed("conv_fix_download_0", 3, 0))
            .with_arg("input", ["x_upload_0"])
            .with_arg("weights", ["w"])
            .with_arg("bias", [""; 0])
            .with_attr("kernel", vec![1, 1])
            .with_attr("nonlinear", "RELU"),
        Op::new("conv_download_0", "download", fixed("conv_fix")).with_arg("input", ["conv"]),
        Op::new("y", "fix2float", Tensor::new("y", [1, 4, 4, 2], DataType::FLOAT32))
            .with_arg("input", ["conv_download_0"]),
    ];
    let dpu = Subgraph::parent(
        "subgraph_conv",
        vec![
            Subgraph::leaf("subgraph_x_upload_0", ["x_upload_0"]),
            Subgraph::leaf("subgraph_conv", ["w", "conv"]),
            Subgraph::leaf("subgraph_conv_download_0", ["conv_download_0"]),
        ],
    )
    .with_attr("device", "DPU")
    .with_attr("runner", strings(&[("run", "libvart-dpu-runner.so")]))
    .with_attr("dpu_name", "DPUCZDX8G_ISA1_B4096")
    .with_attr("dpu_fingerprint", 0x0101_0000_1601_0407_u64)
    .with_attr("mc_code", vec![0_u8, 0, 0x20, 0x72])
    .with_attr("reg_id_to_context_type", strings(&[("REG_0", "CONST"), ("REG_2", "DATA"), ("REG_3", "DATA")]))
    .with_attr(
        "reg_id_to_context_type_v2",
        strings(&[("REG_0", "CONST"), ("REG_2", "INTERFACE"), ("REG_3", "INTERFACE")]),
    )
    .with_attr("reg_id_to_size", BTreeMap::from([("REG_0", 16), ("REG_2", 32), ("REG_3", 32)].map(own_key)))
    .with_attr(
        "reg_id_to_parameter_value",
        BTreeMap::from([("REG_0", Bytes::from_static(&[1, 2, 3, 4]))].map(own_key)),
    );
    let children = vec![
        Subgraph::leaf("subgraph_x", ["x"]).with_attr("device", "USER"),
        dpu,
        Subgraph::leaf("subgraph_y", ["y"]).with_attr("device", "CPU"),
    ];
    Graph::partitioned("small", ops, children).with_attr("return_ops", vec!["y".to_owned()])
}

fn own_key<T>((key, value): (&str, T)) -> (String, T) {
    (key.to_owned(), value)
}
