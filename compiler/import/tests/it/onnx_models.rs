//! Every ONNX sample is imported.

use bytes::Bytes;
use dpuc_import::{OnnxOptions, import_onnx};

#[test]
fn all_samples_are_imported() {
    let Some(folder) = dpuc_samples::shared("models/onnx") else { return };
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("third_party")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    if let Ok(more) = std::env::var("MORE_ONNX") {
        for entry in std::fs::read_dir(more).unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    let mut failed = 0;
    for file in &files {
        let model = dpuc_onnx::read(Bytes::from(std::fs::read(file).unwrap())).unwrap();
        match import_onnx(&model, &OnnxOptions::default()) {
            Ok(imported) => eprintln!("{}: {} operations", file.display(), imported.ir.ops(imported.ir.body()).count()),
            Err(error) => {
                failed += 1;
                eprintln!("{}: {}", file.display(), error.to_string().lines().take(12).collect::<Vec<_>>().join("\n"));
            }
        }
    }
    assert_eq!(failed, 0);
}
