//! Small graphs made by hand.

use bytes::Bytes;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_import::{Imported, import_xmodel};
use dpuc_xmodel::{Attributed, DataType, Graph, Op, Tensor};

/// An op whose float tensor has the op's name.
pub(crate) fn float(name: &str, kind: &str, dims: &[i32]) -> Op {
    Op::new(name, kind, Tensor::new(name, dims, DataType::FLOAT32))
}

/// A network input of floats.
pub(crate) fn data(name: &str, dims: &[i32]) -> Op {
    float(name, "data", dims).with_attr("shape", dims.to_vec()).with_attr("data_type", "FLOAT32")
}

/// A constant of floats counting up by a quarter.
pub(crate) fn constant(name: &str, dims: &[i32]) -> Op {
    let count: i32 = dims.iter().product();
    let bytes: Vec<u8> = (0..count).flat_map(|i| (i as f32 / 4.0).to_le_bytes()).collect();
    float(name, "const", dims)
        .with_attr("shape", dims.to_vec())
        .with_attr("data_type", "float32")
        .with_attr("data", bytes)
}

/// The `fix` of the op `input`.
pub(crate) fn fix(input: &str, dims: &[i32], point: i32) -> Op {
    with_fix(float(&format!("{input}_fix"), "fix", dims).with_arg("input", [input]), point)
}

/// The attributes of `fix`, `fix2float` and `float2fix`.
pub(crate) fn with_fix(op: Op, point: i32) -> Op {
    op.with_attr("fix_point", point)
        .with_attr("bit_width", 8)
        .with_attr("round_mode", "DPU_ROUND")
        .with_attr("if_signed", true)
}

/// An op whose tensor, `<name>_fix`, is fixed-point.
pub(crate) fn fixed(name: &str, kind: &str, dims: &[i32], point: i32) -> Op {
    let tensor = Tensor::new(format!("{name}_fix"), dims, DataType::XINT8);
    let tensor = tensor.with_attr("fix_point", point).with_attr("bit_width", 8).with_attr("if_signed", true);
    Op::new(name, kind, tensor.with_attr("round_mode", "DPU_ROUND"))
}

/// A constant of bytes counting up from `first`.
pub(crate) fn fixed_constant(name: &str, dims: &[i32], point: i32, first: u8) -> Op {
    let count: i32 = dims.iter().product();
    let bytes: Vec<u8> = (0..count).map(|i| first.wrapping_add(i as u8)).collect();
    fixed(name, "const-fix", dims, point).with_attr("data", Bytes::from(bytes))
}

/// A window's attributes; all in the order of the file, `[w, h]` and `[left, right, top, bottom]`.
pub(crate) fn window(op: Op, kernel: [i32; 2], stride: [i32; 2], pad: [i32; 4]) -> Op {
    op.with_attr("kernel", kernel.to_vec()).with_attr("stride", stride.to_vec()).with_attr("pad", pad.to_vec())
}

pub(crate) fn import(ops: Vec<Op>) -> Imported {
    import_xmodel(&Graph::uncompiled("net", ops)).unwrap_or_else(|error| panic!("{error}"))
}

/// The imported function as text, and the warnings as comments.
pub(crate) fn text(imported: &Imported) -> String {
    let warnings: Vec<String> = imported.warnings.iter().map(|warning| format!("// {warning}")).collect();
    print(&imported.ir, PrintOptions { generic: false, locations: false }) + &warnings.join("\n")
}
