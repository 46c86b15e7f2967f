//! Every ONNX sample is imported.

use std::collections::BTreeMap;

use dpuc_dialects::dialects::func;
use dpuc_dialects::layout::{ARGUMENT_LAYOUTS, Layout, RESULT_LAYOUTS};

use super::build::import;

#[test]
fn every_sample_is_imported() {
    let Some(folder) = dpuc_samples::shared("models/onnx") else { return };
    let mut lines = Vec::new();
    for folder in [folder.clone(), folder.join("third_party")] {
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
        files.sort();
        for file in files {
            let model = dpuc_onnx::read(std::fs::read(&file).unwrap().into()).unwrap();
            let imported = import(&model).unwrap();
            assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
            let ir = &imported.ir;
            let main = ir.find_symbol("main").unwrap();
            let mut kinds = BTreeMap::new();
            for op in ir.ops(func::entry(ir, main)) {
                *kinds.entry(ir.op_name(op)).or_insert(0) += 1;
            }
            let layout = |attribute| format!("{:?}", Layout::of(ir, main, attribute, 0));
            let (arguments, results) = (layout(ARGUMENT_LAYOUTS), layout(RESULT_LAYOUTS));
            lines.push(format!("{}: {arguments} to {results}", file.file_stem().unwrap().display()));
            lines.extend(kinds.into_iter().map(|(kind, count)| format!("  {kind} {count}")));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
