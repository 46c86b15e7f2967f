//! The sample models outside the repository.

use std::fs;
use std::path::Path;

use dpuc_dialects::{Ir, LocationKind, OpId, ValueId, dialects::func};
use dpuc_import::{Imported, import_xmodel};
pub(crate) use dpuc_samples::shared;

/// The network in a sample file.
pub(crate) fn imported(path: &Path) -> Imported {
    let graph = dpuc_xmodel::read(&fs::read(path).unwrap()).unwrap();
    import_xmodel(&graph).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Name of the tensor an operation gives: the last name of its location.
pub(crate) fn tensor_name(ir: &Ir, op: OpId) -> Option<&str> {
    let location = ir.op(op).location;
    let last = match ir.location_kind(location) {
        LocationKind::Fused(parts) => *parts.last()?,
        _ => location,
    };
    ir.location_name(last)
}

/// The value of `@main` that is the tensor `name`.
pub(crate) fn value_of(ir: &Ir, name: &str) -> ValueId {
    let entry = func::entry(ir, ir.find_symbol("main").unwrap());
    let argument = ir.arguments(entry).iter().copied().find(|&argument| ir.value_name(argument) == Some(name));
    let result = || ir.ops(entry).find(|&op| tensor_name(ir, op) == Some(name)).map(|op| ir.result(op));
    argument.or_else(result).unwrap_or_else(|| panic!("no value is the tensor {name}"))
}
