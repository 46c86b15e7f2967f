//! Whole sessions at the command line, on the built-in example and on wrong input.

mod flow;
mod samples;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use npyz::WriterBuilder;
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
    succeed(&folder, &[&["compile", ir.to_str().unwrap()], &flags[..]].concat());
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
fn reports_and_traces_are_written() {
    let folder = TempDir::new().unwrap();
    let ir = example("fashion_cnn.mlir");
    let compile = ["compile", "--ir", ir.to_str().unwrap(), "--arch", "kv260", "-n", "net", "--report", "why"];
    succeed(&folder, &compile);
    let read = |path: &str| text(&std::fs::read(folder.path().join(path)).unwrap());
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let report = json(&read("why/report.json"));
    assert_eq!((&report["board"]["name"], &report["board"]["times_are"]), (&"kv260".into(), &"modelled".into()));
    assert_eq!(report["subgraphs"][0]["attribution"], "compiler");
    assert!(read("why/report.html").contains("</html>"));
    assert!(json(&read("why/trace.json"))["traceEvents"].as_array().unwrap().len() > 10);

    // A file on its own is explained too, on any board, and the slower clock takes longer.
    let shown = succeed(&folder, &["inspect", "net.xmodel", "--trace", "run.json", "--report", "file"]);
    assert!(shown.contains("modelled on generic at 300 MHz") && shown.contains("operations\n     0"), "{shown}");
    assert!(json(&read("run.json")) == json(&read("file/trace.json")));
    let milliseconds = |board: &str| {
        let shown = json(&succeed(&folder, &["inspect", "--json", "net.xmodel", "--board", board]));
        let own = shown["subgraphs"].as_array().unwrap().iter().find(|own| own["device"] == "DPU").unwrap().clone();
        assert!(!own["superlayers"].as_array().unwrap().is_empty());
        own["modelled"]["cycles"].as_f64().unwrap() / own["modelled"]["clock_mhz"].as_f64().unwrap() / 1e3
    };
    assert!(milliseconds("Leopard") > 2.0 * milliseconds("kv260"));
}

#[test]
fn reports_are_refused_where_they_make_no_sense() {
    let folder = compiled("B512");
    let unknown = fail(&folder, &["inspect", "build/net.xmodel", "--board", "kv261"]);
    assert!(unknown.contains("`kv261`") && unknown.contains("leopard"), "{unknown}");
    std::fs::create_dir(folder.path().join("why")).unwrap();
    std::fs::copy(folder.path().join("build/net.xmodel"), folder.path().join("why/report.html")).unwrap();
    let input = fail(&folder, &["inspect", "why/report.html", "--report", "why"]);
    assert!(input.contains("is the input"), "{input}");
    assert!(fail(&folder, &["inspect", "why/report.html", "--trace", "why/report.html"]).contains("is the input"));
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

#[test]
fn inputs_are_never_overwritten_and_outputs_never_lost() {
    let folder = compiled("B512");
    let model = std::fs::read(folder.path().join("build/net.xmodel")).unwrap();
    let refused: [&[&str]; 3] = [
        &["compile", "--xmodel", "build/net.xmodel", "--arch", "B512", "-o", "build", "-n", "net"],
        &["disasm", "build/net.xmodel", "-o", "build/net.xmodel"],
        &["opt", "build/net.xmodel", "-o", "build/net.xmodel"],
    ];
    for arguments in refused {
        let message = fail(&folder, arguments);
        assert!(message.contains("is the input"), "{message}");
        assert!(std::fs::read(folder.path().join("build/net.xmodel")).unwrap() == model);
    }
    assert!(fail(&folder, &["opt", "build/net.xmodel", "-o", "net.safetensors"]).contains("side file"));

    let network = r#"module {
  func.func @main(%x: tensor<1x2xi8, #int8.fix<0>>) -> (tensor<1x2xi8, #int8.fix<0>>, tensor<1x2xi8, #int8.fix<0>>) {
    %a = int8.requantise %x : tensor<1x2xi8, #int8.fix<0>> loc("a/b")
    %b = int8.requantise %x {activation = "relu"} : tensor<1x2xi8, #int8.fix<0>> loc("a_b")
    func.return %a, %b : tensor<1x2xi8, #int8.fix<0>>, tensor<1x2xi8, #int8.fix<0>>
  }
}
"#;
    std::fs::write(folder.path().join("two.mlir"), network).unwrap();
    std::fs::write(folder.path().join("x.npy"), signed_bytes(&[-3, 4])).unwrap();
    succeed(&folder, &["run", "two.mlir", "--input", "x.npy", "-o", "out"]);
    assert_eq!(npy::<i8>(&folder.path().join("out/a_b.npy")), [-3, 4]);
    assert_eq!(npy::<i8>(&folder.path().join("out/a_b_2.npy")), [0, 4]);
}

/// An `.npy` file of shape [1, n].
fn signed_bytes(values: &[i8]) -> Vec<u8> {
    use npyz::WriterBuilder;
    let mut file = Vec::new();
    let shape = [1, values.len() as u64];
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut file).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn networks_that_cannot_run_are_refused_quickly() {
    let folder = TempDir::new().unwrap();
    let ty = "tensor<1x2xi8, #int8.fix<0>>";
    let mut chain = String::new();
    for number in 0..40 {
        let (name, next) = (if number == 0 { "main".to_owned() } else { format!("f{number}") }, number + 1);
        chain += &format!(
            "func.func @{name}(%x: {ty}) -> {ty} {{\n  %a = func.call %x, @f{next} : {ty}\n  %b = func.call %a, @f{next} : {ty}\n  func.return %b : {ty}\n}}\n"
        );
    }
    chain += &format!("func.func @f40(%x: {ty}) -> {ty} {{\n  func.return %x : {ty}\n}}\n");
    let undefined: String = (0..20_000)
        .map(|number| format!("  %r{number} = nn.relu %u{number} : tensor<2xf32>\n"))
        .collect::<Vec<_>>()
        .concat();
    let files = [
        ("declaration.mlir", format!("func.func private @main({ty}) -> {ty}\n"), "@main"),
        ("calls.mlir", chain, "calls"),
        ("undefined.mlir", format!("func.func @main() {{\n{undefined}  func.return\n}}\n"), "and 900 more"),
        ("empty.mlir", "func.func @main(%x: tensor<1x0x0x8xf32>) -> tensor<1x1x1x8xf32> {\n  %m = nn.reduce_mean %x {axes = [1, 2]} : (tensor<1x0x0x8xf32>) -> tensor<1x1x1x8xf32>\n  func.return %m : tensor<1x1x1x8xf32>\n}\n".to_owned(), "no elements"),
    ];
    std::fs::write(folder.path().join("x.npy"), signed_bytes(&[1, 2])).unwrap();
    std::fs::write(folder.path().join("cut.npy"), b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}").unwrap();
    for (name, source, complaint) in &files {
        std::fs::write(folder.path().join(name), source).unwrap();
        let message = fail(&folder, &["run", name, "--input", "x.npy"]);
        assert!(message.contains(complaint), "{name}: {message}");
    }
    std::fs::write(
        folder.path().join("one.mlir"),
        format!("func.func @main(%x: {ty}) -> {ty} {{\n  func.return %x : {ty}\n}}\n"),
    )
    .unwrap();
    assert!(fail(&folder, &["run", "one.mlir", "--input", "cut.npy"]).contains("header"));
}

/// The example compiled for a DPU equals the reference; with a corrupted constant it does not, and the exit code says so.
#[test]
fn bisect_names_the_operation_with_a_corrupted_weight() {
    let ir = example("fashion_cnn.mlir");
    let folder = compiled("kv260");
    let equal = succeed(&folder, &["bisect", ir.to_str().unwrap(), "--arch", "B512"]);
    assert!(equal.contains(": equal; "), "{equal}");
    let image = example("images/00_t_shirt_top.png");
    succeed(&folder, &["bisect", "build/net.xmodel", "-i", image.to_str().unwrap()]);

    let mut bytes = std::fs::read(folder.path().join("build/net.xmodel")).unwrap();
    let mut graph = dpuc_xmodel::read(&bytes).unwrap();
    let weights = graph.ops.iter().find(|op| op.name.starts_with("pw_conv.weight")).unwrap();
    let dpuc_xmodel::Placement::Memory { address, .. } = dpuc_xmodel::Placement::of(&weights.tensor).unwrap() else {
        panic!("weights are in DDR")
    };
    let reader = graph.ops.iter().find(|op| op.producers().any(|name| name == weights.name)).unwrap().name.clone();
    corrupt(&mut graph, address as usize);
    bytes = dpuc_xmodel::write(&graph).unwrap();
    std::fs::write(folder.path().join("bad.xmodel"), bytes).unwrap();
    let against = ["bisect", "bad.xmodel", "--reference", "build/net.xmodel"];
    let output = dpuc(&folder, &[&against[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let difference = &report["subgraphs"][0]["difference"];
    assert_eq!(report["equal"], false);
    let named = |name: &serde_json::Value| name.as_str() == Some(&reader);
    assert!(
        named(&difference["operation"]) || difference["suspects"].as_array().unwrap().iter().any(named),
        "{difference:#}"
    );
    assert!(difference["written_by"]["listing"].as_array().unwrap().len() == 3, "{difference:#}");
    let shown = dpuc(&folder, &against);
    assert!(text(&shown.stdout).contains("first different operation: "), "{}", text(&shown.stdout));

    // What cannot be compared is neither equal nor different.
    for arguments in
        [&["bisect", "none.xmodel"][..], &["bisect", ir.to_str().unwrap()], &["bisect", "bad.xmodel", "-a", "B512"]]
    {
        let output = dpuc(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{}", text(&output.stderr));
    }
}

/// Changes a thousand constants of the first DPU subgraph.
fn corrupt(graph: &mut dpuc_xmodel::Graph, address: usize) {
    use dpuc_xmodel::{Attr, Attributed};
    let is_dpu = |child: &&mut dpuc_xmodel::Subgraph| child.attr::<&str>("device").unwrap() == "DPU";
    let subgraph = graph.root.children.iter_mut().find(is_dpu).unwrap();
    let Some(Attr::BytesMap(registers)) = subgraph.attrs.get_mut("reg_id_to_parameter_value") else {
        panic!("the constants are in the file")
    };
    let mut contents = registers["REG_0"].to_vec();
    contents[address..address + 1024].iter_mut().for_each(|byte| *byte ^= 0x80);
    registers.insert("REG_0".to_owned(), contents.into());
}

/// The numbers in the only array of a folder.
fn only_array(folder: &Path) -> Vec<f32> {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|extension| extension == "npy")).unwrap();
    npy(&file)
}

/// The example as IR text and compiled, on the CPU and on the reference.
#[test]
fn every_device_gives_the_same() {
    let folder = compiled("kv260");
    let (ir, image) = (example("fashion_cnn.mlir"), example("images/08_bag.png"));
    let run = |model: &str, device: &str| {
        let output = format!("{device}_{}", model.len());
        let input = image.to_str().unwrap();
        succeed(&folder, &["run", model, "--input", input, "--device", device, "--output_dir", &output]);
        only_array(&folder.path().join(output))
    };
    let expected = run(ir.to_str().unwrap(), "reference");
    // The network ends in a softmax, whose kernel may differ from the reference in the last bits.
    let check = |found: &[f32], what: &str| {
        let is_close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6;
        assert!(found.len() == expected.len() && found.iter().zip(&expected).all(is_close), "{what}: {found:?}");
    };
    for device in ["auto", "cpu"] {
        check(&run(ir.to_str().unwrap(), device), device);
    }
    check(&run("build/net.xmodel", "cpu"), "compiled, on the CPU");
    let message =
        fail(&folder, &["run", "build/net.xmodel", "--device", "cpu", "--check", "--input", image.to_str().unwrap()]);
    assert!(message.contains("is not run on the DPU"), "{message}");
}

#[test]
fn a_function_is_printed_at_each_level() {
    let folder = TempDir::new().unwrap();
    let ir = example("fashion_cnn.mlir");
    let emit = |level: &str| succeed(&folder, &["opt", ir.to_str().unwrap(), "--emit", level]);
    assert!(emit("loops").contains("nest \""));
    assert!(emit("cranelift").starts_with("function u0:0(i64) -> i32"));
    assert!(emit("asm").contains("ret") || !cfg!(target_arch = "x86_64"));
    let missing = fail(&folder, &["opt", ir.to_str().unwrap(), "--emit", "loops", "--function", "absent"]);
    assert!(missing.contains("no function `@absent`"), "{missing}");
}

#[test]
fn a_folder_of_images_of_any_size_is_classified() {
    let folder = TempDir::new().unwrap();
    let (images, ir) = (folder.path().join("images"), example("fashion_cnn.mlir"));
    std::fs::create_dir(&images).unwrap();
    for (name, side) in [("bag_large", 56), ("bag", 28)] {
        let image = image::open(example("images/08_bag.png")).unwrap();
        image
            .resize_exact(side, side, image::imageops::FilterType::Nearest)
            .save(images.join(format!("{name}.png")))
            .unwrap();
    }
    let flags = ["--arch", "kv260", "--fit", "stretch", "--filter", "nearest", "--net_name", "net"];
    succeed(&folder, &[&["compile", ir.to_str().unwrap()], &flags[..]].concat());
    let labels = example("labels.txt");
    let arguments =
        ["run", "net.xmodel", "--input", "images", "--top", "2", "--labels", labels.to_str().unwrap(), "-o", "out"];
    let text = succeed(&folder, &arguments);
    let (small, large) = text.split_at(text.find("out/bag_large").unwrap());
    assert!(small.contains("0.9631  bag\n"), "{text}");
    assert_eq!(small.replace("out/bag/", "out/bag_large/"), large);
    let json: serde_json::Value =
        serde_json::from_str(&succeed(&folder, &[&arguments[..], &["--json"]].concat())).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    for name in ["bag", "bag_large"] {
        assert!(folder.path().join("out").join(name).is_dir(), "{name}");
    }
    // What the command line says goes before what the file says.
    let message = fail(&folder, &["run", "net.xmodel", "--input", "images/bag_large.png", "--fit", "exact"]);
    assert!(message.contains("the image is 56x56, the input 28x28"), "{message}");
    let message = fail(&folder, &["run", "net.xmodel", "--input", "out"]);
    assert!(message.contains("has no .png"), "{message}");
}

#[test]
fn a_map_of_classes_is_drawn_over_the_image() {
    let folder = TempDir::new().unwrap();
    let text = "module {\n  func.func @main(%x: tensor<1x8x8x3xf32>) -> tensor<1x8x8x3xf32> {\n    %y = nn.fix %x {fix_point = 6} \
                : tensor<1x8x8x3xf32>\n    func.return %y : tensor<1x8x8x3xf32>\n  }\n}\n";
    std::fs::write(folder.path().join("net.mlir"), text).unwrap();
    let image = image::RgbImage::from_fn(8, 8, |x, _| image::Rgb(if x < 4 { [200, 0, 0] } else { [0, 0, 200] }));
    image.save(folder.path().join("x.png")).unwrap();
    succeed(&folder, &["run", "net.mlir", "--input", "x.png", "--pictures", "-o", "out"]);
    let read = |what: &str| {
        let mut files = std::fs::read_dir(folder.path().join("out")).unwrap().map(|entry| entry.unwrap().path());
        let path = files.find(|path| path.to_string_lossy().ends_with(what)).unwrap();
        image::open(path).unwrap().to_rgb8()
    };
    let mask = read("_mask.png");
    assert_eq!(mask.get_pixel(0, 0), mask.get_pixel(3, 7));
    assert_ne!(mask.get_pixel(0, 0), mask.get_pixel(4, 0));
    assert_eq!(read("_overlay.png").dimensions(), (8, 8));
}

#[test]
fn arrays_are_taken_and_given_in_the_order_of_the_framework() {
    let folder = TempDir::new().unwrap();
    // Two channels are swapped, so that no order is taken for another.
    let text = "module {
  func.func @main(%x: tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32> attributes {
      argument_layouts = [\"channels_first\"], result_layouts = [\"channels_first\"]} {
    %x_fix = nn.fix %x {fix_point = 4} : tensor<1x2x3x2xf32>
    %w = nn.constant dense<[[[[0.0, 1.0]]], [[[1.0, 0.0]]]]> : tensor<2x1x1x2xf32>
    %w_fix = nn.fix %w {fix_point = 4} : tensor<2x1x1x2xf32>
    %y = nn.conv2d %x_fix, %w_fix : (tensor<1x2x3x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x3x2xf32>
    %y_fix = nn.fix %y {fix_point = 4} : tensor<1x2x3x2xf32>
    func.return %y_fix : tensor<1x2x3x2xf32>
  }
}
";
    std::fs::write(folder.path().join("net.mlir"), text).unwrap();
    let channels = [[0f32, 1.0, 2.0, 3.0, 4.0, 5.0], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]];
    let write = |name: &str, values: &[f32]| {
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        let mut npy =
            npyz::WriteOptions::new().default_dtype().shape(&[1, 2, 2, 3]).writer(&mut file).begin_nd().unwrap();
        npy.extend(values.iter().copied()).unwrap();
        npy.finish().unwrap();
    };
    write("x.npy", &channels.concat());
    succeed(&folder, &["compile", "net.mlir", "--arch", "kv260", "--net_name", "compiled"]);
    for (model, device) in [("net.mlir", "cpu"), ("compiled.xmodel", "auto"), ("compiled.xmodel", "cpu")] {
        let json = succeed(&folder, &["run", model, "--device", device, "--input", "x.npy", "-o", "out", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let outputs = json["outputs"].as_array().unwrap();
        let floats = outputs.iter().find(|output| output["dtype"] == "float32").unwrap();
        assert_eq!(floats["shape"], serde_json::json!([1, 2, 2, 3]), "{model} {device}");
        let swapped = [channels[1], channels[0]].concat();
        assert_eq!(npy::<f32>(&folder.path().join(floats["file"].as_str().unwrap())), swapped, "{model} {device}");
    }
}
