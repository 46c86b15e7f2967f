//! Whole sessions at the command line, on the built-in example and on wrong input.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/fashion_cnn").join(file)
}

/// Runs `dpuc` in a folder.
fn dpuc(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::cargo_bin("dpuc").unwrap().current_dir(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `dpuc`, which must succeed; gives its standard output.
fn succeed(folder: &TempDir, arguments: &[&str]) -> String {
    let output = dpuc(folder, arguments);
    assert!(output.status.success(), "dpuc {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs `dpuc`, which must fail with one message and no panic; gives the message.
fn fail(folder: &TempDir, arguments: &[&str]) -> String {
    let output = dpuc(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "dpuc {arguments:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

/// Compiles the example to `build/net.xmodel`.
fn compiled(arch: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let ir = example("fashion_cnn.mlir");
    let flags = ["--arch", arch, "--output_dir", "build", "--net_name", "net"];
    succeed(&folder, &[&["compile", "--ir", ir.to_str().unwrap()], &flags[..]].concat());
    folder
}

fn npy<T: npyz::Deserialize>(path: &Path) -> Vec<T> {
    npyz::NpyFile::new(&std::fs::read(path).unwrap()[..]).unwrap().into_vec().unwrap()
}

#[test]
fn the_example_gives_the_expected_logits_on_every_size() {
    let expected: Vec<i8> = npy(&example("expected_logits.npy"));
    let mut images: Vec<PathBuf> =
        std::fs::read_dir(example("images")).unwrap().map(|entry| entry.unwrap().path()).collect();
    images.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
    images.sort();
    assert_eq!(images.len() * 10, expected.len());
    for (arch, count) in [("kv260", images.len()), ("B512", 2), ("DPUCZDX8G_ISA1_B1152", 2), ("leopard", 2)] {
        let folder = compiled(arch);
        for (image, expected) in images.iter().zip(expected.chunks(10)).take(count) {
            let arguments =
                ["run", "build/net.xmodel", "--input", image.to_str().unwrap(), "--output_dir", "out", "--check"];
            succeed(&folder, &arguments);
            let outputs: Vec<PathBuf> =
                std::fs::read_dir(folder.path().join("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
            let logits = outputs.iter().find_map(|path| {
                let file = std::fs::read(path).unwrap();
                let array = npyz::NpyFile::new(&file[..]).unwrap();
                (array.shape() == [1, 10]).then(|| array.into_vec::<i8>().ok())?
            });
            assert_eq!(logits.as_deref(), Some(expected), "{arch}, {}", image.display());
        }
    }
}

#[test]
fn compiling_twice_gives_the_same_bytes_and_the_side_files_agree() {
    let (first, second) = (compiled("zcu104"), compiled("B4096"));
    for file in ["net.xmodel", "meta.json", "md5sum.txt"] {
        let read = |folder: &TempDir| std::fs::read(folder.path().join("build").join(file)).unwrap();
        assert!(read(&first) == read(&second), "{file}");
    }
    let sum = text(&std::fs::read(first.path().join("build/md5sum.txt")).unwrap());
    assert_eq!((sum.len(), sum.ends_with('\n')), (33, true));
    let meta = text(&std::fs::read(first.path().join("build/meta.json")).unwrap());
    assert!(meta.contains("DPUCZDX8G_ISA1_B4096") && meta.contains("libvart-dpu-runner.so"), "{meta}");
}

#[test]
fn called_as_vai_c_xir_it_compiles() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("vai_c_xir");
    std::fs::copy(assert_cmd::cargo::cargo_bin("dpuc"), &program).unwrap();
    let first = compiled("B1600");
    std::fs::copy(first.path().join("build/net.xmodel"), folder.path().join("in.xmodel")).unwrap();
    std::fs::write(folder.path().join("arch.json"), r#"{"fingerprint":"0x101000056010407"}"#).unwrap();
    let arguments = ["-x", "in.xmodel", "-a", "arch.json", "-o", "out", "-n", "moved"];
    let output = std::process::Command::new(&program).current_dir(&folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Another size, taken out of a compiled file, is the same program as from the source.
    let moved = succeed(&folder, &["disasm", "out/moved.xmodel"]);
    assert_eq!(moved, succeed(&compiled("B4096"), &["disasm", "build/net.xmodel"]));
}

#[test]
fn disassembly_assembles_to_the_same_bytes() {
    let folder = compiled("B2304");
    succeed(&folder, &["disasm", "build/net.xmodel", "-o", "net.mlir"]);
    succeed(&folder, &["asm", "net.mlir", "-o", "from_ir.bin"]);
    succeed(&folder, &["disasm", "build/net.xmodel", "--format", "amd", "-o", "net.txt"]);
    succeed(&folder, &["asm", "net.txt", "-o", "from_amd.bin"]);
    let read = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
    assert!(!read("from_ir.bin").is_empty() && read("from_ir.bin") == read("from_amd.bin"));
    succeed(&folder, &["fmt", "--check", "net.mlir"]);
    let shown = succeed(&folder, &["inspect", "build/net.xmodel"]);
    assert!(shown.contains("[DPU]") && shown.contains("multiply-accumulates"), "{shown}");
    let json = succeed(&folder, &["inspect", "--json", "build/net.xmodel"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["subgraphs"].as_array().unwrap().iter().any(|subgraph| subgraph["array_macs"].as_u64() > Some(0)));
}

#[test]
fn the_demo_draws_a_picture() {
    let folder = TempDir::new().unwrap();
    let shown = succeed(&folder, &["demo"]);
    assert!(shown.contains("10 of 12 right"), "{shown}");
    let picture = image::open(folder.path().join("demo/fashion_cnn.png")).unwrap();
    assert!(picture.width() > 500 && picture.height() > 400);
}

#[test]
fn wrong_input_is_explained() {
    let folder = compiled("B512");
    std::fs::write(folder.path().join("broken.xmodel"), b"\x0a\xff\xff\xff\xff\x0f").unwrap();
    std::fs::write(folder.path().join("broken.mlir"), "module {\n  func.func @main() {\n    nn.rellu\n  }\n").unwrap();
    std::fs::write(folder.path().join("arch.json"), r#"{"target": "DPUCZDX8G_ISA1_B4095"}"#).unwrap();
    std::fs::write(folder.path().join("code.txt"), "LOAD 0001 0001 bank_adr 3\n").unwrap();
    let cases: [&[&str]; 11] = [
        &["run", "broken.xmodel"],
        &["run", "absent.xmodel"],
        &["run", "build/net.xmodel"],
        &["run", "build/net.xmodel", "--input", "broken.mlir"],
        &["run", "build/net.xmodel", "--subgraph", "nothing"],
        &["run", "build/net.xmodel", "--arch", "0x101000016010407"],
        &["compile", "--ir", "broken.mlir", "--arch", "kv260"],
        &["compile", "--xmodel", "build/net.xmodel", "--arch", "kv261"],
        &["compile", "--xmodel", "build/net.xmodel", "--arch", "arch.json"],
        &["asm", "code.txt", "-o", "code.bin"],
        &["opt", "broken.mlir", "--pipeline", "lower-to-int9"],
    ];
    let mut shown = String::new();
    for arguments in cases {
        shown += &format!("$ dpuc {}\n{}\n", arguments.join(" "), fail(&folder, arguments));
    }
    insta::assert_snapshot!("wrong_input", shown);
    assert!(!folder.path().join("deploy.xmodel").exists() && !folder.path().join("code.bin").exists());
}

#[test]
fn targets_are_listed() {
    let folder = TempDir::new().unwrap();
    insta::assert_snapshot!("targets", succeed(&folder, &["targets"]));
    let json = succeed(&folder, &["targets", "--json", "ultra96"]);
    assert!(json.contains("DPUCZDX8G_ISA1_B1600"), "{json}");
}
