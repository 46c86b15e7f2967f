//! The sample models outside the repository.

use std::path::{Path, PathBuf};
use std::{env, fs};

use dpuc_dialects::{Ir, LocationKind, OpId, ValueId, dialects::func};
use dpuc_import::{Imported, import_xmodel};

/// `path` below the folder named by `DPUC_SHARED`, or the one next to the workspace; `None`, with a notice, when it is absent and not
/// required.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder = env::var_os("DPUC_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(env::var_os("DPUC_REQUIRE_SHARED").is_none_or(|required| required != "1"), "{} is absent", found.display());
    eprintln!("SKIPPED: {} does not exist; set DPUC_SHARED to the folder that has it", found.display());
    None
}

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
