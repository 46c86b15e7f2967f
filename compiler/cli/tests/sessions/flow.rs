//! From a float network to a deployed one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{example, fail, succeed};

/// A float network and a folder of twelve images for it.
pub(crate) fn float_network() -> TempDir {
    let folder = TempDir::new().unwrap();
    let text = "module @small {
  func.func @main(%image: tensor<1x28x28x1xf32>) -> tensor<1x1x1x4xf32> {
    %w = nn.constant dense<[[[[0.5], [-0.25]]], [[[0.125], [0.75]]], [[[-0.5], [1.0]]], [[[0.25], [0.25]]]]> : tensor<4x1x2x1xf32>
    %conv = nn.conv2d %image, %w : (tensor<1x28x28x1xf32>, tensor<4x1x2x1xf32>) -> tensor<1x28x27x4xf32>
    %relu = nn.relu %conv : tensor<1x28x27x4xf32>
    %mean = nn.reduce_mean %relu {axes = [1, 2]} : (tensor<1x28x27x4xf32>) -> tensor<1x1x1x4xf32>
    func.return %mean : tensor<1x1x1x4xf32>
  }
}
";
    std::fs::write(folder.path().join("small.mlir"), text).unwrap();
    folder
}

/// The result files of all samples in a folder: the sample's folder, and the bytes.
fn results(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|sample| std::fs::read_dir(sample.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let read = |file: PathBuf| (file.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&file).unwrap());
    files.into_iter().map(read).collect()
}

#[test]
fn an_interrupted_deployment_continues_with_the_same_results() {
    let folder = float_network();
    let images = example("images");
    let images = images.to_str().unwrap();
    let job = ["deploy", "small.mlir", "--arch", "kv260", "--input", images, "--calls", "4"];
    let whole = succeed(&folder, &[&job[..], &["-o", "whole", "--export", "exported"]].concat());
    assert_eq!(whole.lines().filter(|line| line.starts_with("CPU float")).count(), 4);
    assert_eq!(whole.lines().filter(|line| line.starts_with("DPU")).count(), 8);
    // A result that cannot be written stops the command in the middle: a file is where its folder should be.
    for (sample, done) in [("02_pullover", 2), ("07_sneaker", 7)] {
        let place = folder.path().join("parts").join(sample);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, "in the way").unwrap();
        fail(&folder, &[&job[..], &["-o", "parts", "--build_dir", "build"]].concat());
        std::fs::remove_file(place).unwrap();
        let journal = std::fs::read_to_string(folder.path().join("build/unfinished.json")).unwrap();
        let journal: serde_json::Value = serde_json::from_str(&journal).unwrap();
        assert_eq!(journal["done"].as_array().unwrap().len(), done);
    }
    succeed(&folder, &[&job[..], &["-o", "parts", "--build_dir", "build"]].concat());
    assert!(!folder.path().join("build/unfinished.json").exists());
    let results = |output: &str| results(&folder.path().join(output));
    assert_eq!(results("whole").len(), 12);
    assert!(results("whole") == results("parts"));
    // The exported folder runs by itself, for its own target only.
    let exported = ["deploy", "exported", "--input", images, "-o", "again", "--arch"];
    assert!(!succeed(&folder, &[&exported[..], &["kv260"]].concat()).contains("CPU float"));
    assert!(fail(&folder, &[&exported[..], &["leopard"]].concat()).contains("build it again for DPUCZDX8G_ISA1_B1024"));
}

#[test]
fn shards_of_a_calibration_set_quantise_as_one_machine() {
    let folder = float_network();
    let images = example("images");
    let job = ["quantise", "small.mlir", "--calibrate", images.to_str().unwrap()];
    succeed(&folder, &[&job[..], &["-o", "one"]].concat());
    for shard in ["0/3", "1/3", "2/3"] {
        let file = format!("{}.json", &shard[..1]);
        succeed(&folder, &[&job[..], &["--shard", shard, "--statistics", &file]].concat());
    }
    succeed(&folder, &["merge-stats", "2.json", "0.json", "1.json", "-o", "merged.json"]);
    succeed(&folder, &[&job[..], &["--statistics", "merged.json", "-o", "merged"]].concat());
    for file in ["small_int.mlir", "small_int.safetensors", "quant_info.json"] {
        let read = |output: &str| std::fs::read(folder.path().join(output).join(file)).unwrap();
        assert!(read("one") == read("merged"), "{file}");
    }
    fail(&folder, &[&job[..], &["--statistics", "1.json", "-o", "part"]].concat());
    succeed(&folder, &["compile", "one/small_int.mlir", "--arch", "leopard", "--net_name", "small"]);
}

/// The README's demonstration: killed while it calibrates and again on the DPU, then left alone; `PX_` variables say how.
#[test]
fn a_killed_deployment_of_the_onnx_example_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let command = |output: &str, build: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dpuc"));
        let (model, stream, labels) = (example("fashion_cnn.onnx"), example("stream"), example("labels.txt"));
        command.current_dir(&folder).arg("deploy").arg(model).arg("--input").arg(stream).arg("--labels").arg(labels);
        command.args(["--arch", "kv260", "--output_dir", output]).env("PX_QUANT_SIZE", "32");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(build) = build {
            command.env("PX_BUILD_DIR", build);
        }
        command
    };
    let whole = command("whole", None).output().unwrap();
    let lines = String::from_utf8(whole.stdout).unwrap();
    assert_eq!(lines.lines().filter(|line| line.starts_with("CPU float")).count(), 32);
    assert_eq!(lines.lines().filter(|line| line.starts_with("DPU")).count(), 68);
    // The class is part of a picture's name.
    let is_right = |line: &&str| {
        let class = |text: &str| text.to_lowercase().replace(['-', '/', ' '], "_");
        let (file, answer) = line.rsplit_once(".png").unwrap();
        let answer = answer.trim().rsplit_once(' ').unwrap().0;
        class(file).ends_with(&class(answer))
    };
    assert!(lines.lines().filter(is_right).count() >= 88, "{lines}");
    let said = String::from_utf8(whole.stderr).unwrap();
    assert!(said.contains("switching to the DPU"), "{said}");
    // Whether the command was killed after some lines; a slow test may find it finished.
    let is_killed_after = |lines: usize| {
        let mut child = command("parts", Some("build")).spawn().unwrap();
        let mut shown = BufReader::new(child.stdout.take().unwrap()).lines();
        (0..lines).for_each(|_| drop(shown.next()));
        child.kill().unwrap();
        !child.wait().unwrap().success()
    };
    let is_interrupted = (0..10).any(|_| {
        let _ = ["parts", "build"].map(|old| std::fs::remove_dir_all(folder.path().join(old)));
        [5, 45].into_iter().all(is_killed_after)
    });
    assert!(is_interrupted);
    let last = command("parts", Some("build")).output().unwrap();
    assert!(String::from_utf8(last.stderr).unwrap().contains("continuing after"));
    assert!(results(&folder.path().join("whole")) == results(&folder.path().join("parts")));
    // The finished build accelerates from the first call.
    let again = command("again", Some("build")).output().unwrap();
    assert!(!String::from_utf8(again.stdout).unwrap().contains("CPU float"));
}

#[test]
fn a_float_network_runs_from_onnx() {
    let folder = TempDir::new().unwrap();
    let (model, image, labels) = (example("fashion_cnn.onnx"), example("images/08_bag.png"), example("labels.txt"));
    let paths = [&model, &image, &labels].map(|path| path.to_str().unwrap());
    let run = |device| ["run", paths[0], "--input", paths[1], "--labels", paths[2], "--top", "1", "--device", device];
    let shown = succeed(&folder, &run("cpu"));
    assert!(shown.contains("bag"), "{shown}");
    assert_eq!(shown, succeed(&folder, &run("reference")));
}

/// The second flow, as its users type it: quantise to `NAME_int.xmodel`, compile that for an arch.json, run. The program computes what the
/// reference makes of the quantised file, and it does not matter which of the quantiser's files is compiled.
#[test]
fn a_quantised_xmodel_is_compiled_for_an_arch_json() {
    let folder = float_network();
    let images = example("images");
    let job = ["quantise", "small.mlir", "--input", images.to_str().unwrap(), "--samples", "4", "--net_name", "net"];
    succeed(&folder, &[&job[..], &["--output_dir", "quantised"]].concat());
    std::fs::write(folder.path().join("arch.json"), succeed(&folder, &["targets", "leopard", "--arch-json"])).unwrap();
    for (option, file, output) in [("--xmodel", "net_int.xmodel", "build"), ("--ir", "net_int.mlir", "text")] {
        let file = format!("quantised/{file}");
        let rest = ["--arch", "arch.json", "--output_dir", output, "--net_name", "net"];
        succeed(&folder, &[&["compile", option, &file], &rest[..]].concat());
    }
    // Names are shorter in the text, which has no locations.
    let programs = |file: &str| {
        let graph = dpuc_xmodel::read(&std::fs::read(folder.path().join(file)).unwrap()).unwrap();
        let values = |key| graph.root.children.iter().filter_map(|child| child.attrs.get(key)).cloned().collect();
        ["mc_code", "reg_id_to_parameter_value"].map(|key| -> Vec<dpuc_xmodel::Attr> { values(key) })
    };
    assert!(!programs("build/net.xmodel")[0].is_empty());
    assert!(
        programs("build/net.xmodel") == programs("text/net.xmodel"),
        "both files of the quantiser give one program"
    );
    let image = example("images/02_pullover.png");
    let run = |model: &str, output: &str, options: &[&str]| {
        succeed(&folder, &[&["run", model, "--input", image.to_str().unwrap(), "-o", output], options].concat());
    };
    run("quantised/net_int.xmodel", "reference", &["--device", "reference"]);
    run("build/net.xmodel", "dpu", &["--arch", "leopard", "--check"]);
    // The tensor as floats has the name of the tensor as codes and an underscore.
    let read = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
    assert!(
        read("reference/mean_fix.npy") == read("dpu/mean_fix_.npy"),
        "the program computes what the reference does"
    );
    assert!(fail(&folder, &["quantise", "small.mlir", "--input", ".", "--net_name", "a/b"]).contains("file name"));
}
