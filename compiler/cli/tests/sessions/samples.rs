//! Quantising and deploying with samples from files of every kind, and what is said about the result.

use std::path::PathBuf;

use npyz::WriterBuilder;
use tempfile::TempDir;

use crate::flow::float_network;
use crate::{compiled, example, fail, only_array, succeed, text};

/// The first images of the example: the pixels of each.
fn pixels(count: usize) -> Vec<Vec<u8>> {
    let mut images: Vec<PathBuf> =
        std::fs::read_dir(example("images")).unwrap().map(|entry| entry.unwrap().path()).collect();
    images.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
    images.sort();
    images.iter().take(count).map(|path| image::open(path).unwrap().to_luma8().into_raw()).collect()
}

/// An `.npy` file.
fn array<T: npyz::AutoSerialize + Copy>(shape: &[u64], values: &[T]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut file).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    file
}

/// An `.npz` file of `.npy` files.
fn archive(arrays: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = npyz::npz::NpzWriter::new(&mut bytes);
    for (name, array) in arrays {
        let options = npyz::zip::write::FileOptions::default();
        writer.zip_writer().start_file(format!("{name}.npy"), options).unwrap();
        writer.zip_writer().write_all(array).unwrap();
    }
    drop(writer);
    bytes.into_inner()
}

#[test]
fn samples_may_be_a_folder_an_array_or_an_archive() {
    let folder = float_network();
    let images = example("images");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let all = pixels(12);
    let stacked = array(&[12, 28, 28], &all.concat());
    let labels = array(&[12], &[0u8; 12]);
    write("stacked.npy", &stacked);
    write("set.npz", &archive(&[("images", &stacked), ("labels", &labels)]));
    let floats: Vec<f32> = all.concat().into_iter().map(|pixel| f32::from(pixel) * (1.0 / 255.0)).collect();
    write("floats.npy", &array(&[12, 28, 28, 1], &floats));
    let quantise = |samples: &str, output: &str| {
        succeed(&folder, &["quantise", "small.mlir", "--calibrate", samples, "-o", output]);
        ["small_int.mlir", "small_int.safetensors", "quant_info.json", "quantise.json"]
            .map(|file| std::fs::read(folder.path().join(output).join(file)).unwrap())
    };
    let expected = quantise(images.to_str().unwrap(), "folder");
    let pattern = images.join("*_*.png");
    for samples in
        ["stacked.npy", "set.npz", "set.npz:images", "image=stacked.npy", "floats.npy", pattern.to_str().unwrap()]
    {
        assert!(quantise(samples, "array") == expected, "{samples}");
    }
    // The same samples, deployed: results of an array are numbered.
    let job = ["deploy", "small.mlir", "--arch", "kv260", "--calls", "4", "--input"];
    let shown = succeed(&folder, &[&job[..], &["set.npz", "-o", "out"]].concat());
    assert!(shown.contains("DPU        set.npz[11]  class "), "{shown}");
    succeed(&folder, &[&job[..], &[images.to_str().unwrap(), "-o", "by_name"]].concat());
    let array = only_array(&folder.path().join("out/set_00011"));
    assert_eq!(array, only_array(&folder.path().join("by_name/11_coat")));
    // And run as it is.
    let json = succeed(&folder, &["run", "small.mlir", "--input", "set.npz", "-o", "ran", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 12);
    let coat = images.join("11_coat.png");
    succeed(&folder, &["run", "small.mlir", "--input", coat.to_str().unwrap(), "-o", "coat"]);
    assert_eq!(only_array(&folder.path().join("ran/set_00011")), only_array(&folder.path().join("coat")));
}

/// A network with two inputs of different shapes.
const TWO_INPUTS: &str = "module @two {
  func.func @main(%left: tensor<1x4x4x2xf32>, %right: tensor<1x4x4x1xf32>) -> tensor<1x4x4x2xf32> {
    %w = nn.constant dense<[[[[0.5, -0.25]]], [[[0.125, 0.75]]]]> : tensor<2x1x1x2xf32>
    %v = nn.constant dense<[[[[0.5]]], [[[-0.5]]]]> : tensor<2x1x1x1xf32>
    %a = nn.conv2d %left, %w : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
    %b = nn.conv2d %right, %v : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
    %sum = nn.add %a, %b : tensor<1x4x4x2xf32>
    func.return %sum : tensor<1x4x4x2xf32>
  }
}
";

#[test]
fn every_input_has_samples_of_its_own() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("two.mlir", TWO_INPUTS.as_bytes());
    let numbers = |count: usize| -> Vec<f32> { (0..count).map(|at| (at * 7 % 23) as f32 / 11.0 - 1.0).collect() };
    write("left.npy", &array(&[6, 4, 4, 2], &numbers(6 * 32)));
    write("right.npy", &array(&[6, 4, 4, 1], &numbers(6 * 16)));
    write(
        "both.npz",
        &archive(&[("left", &array(&[6, 4, 4, 2], &numbers(6 * 32))), ("right", &array(&[6, 16], &numbers(6 * 16)))]),
    );
    write("three.npy", &array(&[3, 4, 4, 1], &numbers(3 * 16)));
    write("wrong.npy", &array(&[6, 5, 4, 1], &numbers(6 * 20)));
    write("none.npy", &array::<f32>(&[0, 4, 4, 1], &[]));
    let mut infinite = numbers(6 * 16);
    infinite[40] = f32::INFINITY;
    write("infinite.npy", &array(&[6, 4, 4, 1], &infinite));
    write("apples.npz", &archive(&[("apples", &array(&[6, 3], &numbers(18)))]));
    write(
        "twins.npz",
        &archive(&[("a", &array(&[6, 4, 4, 1], &numbers(96))), ("b", &array(&[6, 4, 4, 1], &numbers(96)))]),
    );
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let job = |samples: &[&'static str]| {
        let flags = samples.iter().flat_map(|samples| ["--calibrate", samples]);
        [&["quantise", "two.mlir", "-o", "out"][..], &flags.collect::<Vec<_>>()].concat()
    };
    let info = || std::fs::read(folder.path().join("out/quant_info.json")).unwrap();
    succeed(&folder, &job(&["left.npy", "right.npy"]));
    let expected = info();
    for samples in [
        &["right=right.npy", "left.npy"][..],
        &["both.npz", "both.npz"],
        &["left=both.npz:left", "right=both.npz:right"],
    ] {
        succeed(&folder, &job(samples));
        assert!(info() == expected, "{samples:?}");
    }
    let deploy = ["deploy", "two.mlir", "--arch", "B512", "--calls", "2", "-o", "deployed"];
    let shown = succeed(&folder, &[&deploy[..], &["--input", "left=left.npy", "--input", "right.npy"]].concat());
    assert_eq!(shown.lines().filter(|line| line.starts_with("DPU")).count(), 4, "{shown}");

    let mut shown = String::new();
    for samples in [
        &["left.npy"][..],
        &["left.npy", "three.npy"],
        &["left.npy", "wrong.npy"],
        &["left.npy", "none.npy"],
        &["left.npy", "infinite.npy"],
        &["left.npy", "middle=right.npy"],
        &["left.npy", "empty"],
        &["left.npy", "apples.npz"],
        &["left.npy", "twins.npz"],
        &["left.npy", "both.npz:centre"],
        &["left.npy", "right.npy:right"],
        &["left.npy", "right.npy", "right.npy"],
        &["left.npy", "right.npy", "left=left.npy"],
        &["left.npy", "absent.npy"],
        &["left.npy", "empty/*.png"],
        &["left.npy", "two.mlir"],
    ] {
        shown += &format!("$ dpuc quantise … {}\n{}\n", samples.join(" "), fail(&folder, &job(samples)));
    }
    shown += &fail(&folder, &[&job(&["left.npy", "right.npy"])[..], &["--samples", "0"]].concat());
    insta::assert_snapshot!("wrong_samples", shown);
}

#[test]
fn what_quantising_costs_is_a_table_a_page_and_data() {
    let folder = float_network();
    let shown = succeed(&folder, &["quantise", "small.mlir", "--calibrate", example("images").to_str().unwrap()]);
    for tensor in ["image", "relu", "mean"] {
        assert_eq!(shown.lines().filter(|line| line.split_whitespace().next() == Some(tensor)).count(), 1, "{shown}");
    }
    let read = |file: &str| text(&std::fs::read(folder.path().join(file)).unwrap());
    let report: serde_json::Value = serde_json::from_str(&read("quantise.json")).unwrap();
    let tensors = report["tensors"].as_array().unwrap();
    let total: f64 = tensors.iter().map(|tensor| tensor["share"].as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let page = read("quantise.html");
    assert!(page.contains("</html>") && page.contains("\"histogram\""));
    for reference in ["http:", "https:", "src=", "@import", "url(", "<link", "{{"] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn the_partition_is_drawn_the_same_every_time() {
    let (first, second) = (compiled("kv260"), compiled("kv260"));
    let picture = |folder: &TempDir| text(&std::fs::read(folder.path().join("build/net_partition.svg")).unwrap());
    let drawn = picture(&first);
    assert_eq!(drawn, picture(&second));
    assert!(
        drawn.starts_with("<svg ") && drawn.contains("class=\"dpu\"") && drawn.contains("class=\"cpu\""),
        "{drawn}"
    );
    let ir = example("fashion_cnn.mlir");
    let shown = succeed(&first, &["compile", ir.to_str().unwrap(), "--arch", "kv260"]);
    let table = shown.split_once("written:").unwrap().0;
    insta::assert_snapshot!("partition", table);
    let json = succeed(&first, &["compile", ir.to_str().unwrap(), "--arch", "kv260", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let devices: Vec<&serde_json::Value> =
        json["parts"].as_array().unwrap().iter().map(|part| &part["device"]).collect();
    assert_eq!(devices, ["input", "DPU", "CPU"]);
    assert_eq!((&json["flows"][1]["from"], &json["flows"][1]["to"]), (&1.into(), &2.into()));
}

#[test]
fn only_results_of_the_network_are_classified() {
    let folder = compiled("kv260");
    let image = example("images/08_bag.png");
    let run = ["run", "build/net.xmodel", "--input", image.to_str().unwrap(), "-o", "out"];
    let all = succeed(&folder, &run);
    let best = succeed(&folder, &[&run[..], &["--top", "3"]].concat());
    assert!(all.lines().count() > 1 && all.lines().all(|line| line.starts_with("out")), "{all}");
    // The network gives logits and probabilities; the integers that leave the DPU are a third tensor.
    assert_eq!((all.lines().count(), all.matches("logits").count()), (3, 2), "{all}");
    assert_eq!(best.lines().filter(|line| line.starts_with("out")).count(), 2, "{best}");
    assert_eq!(best.lines().count(), 2 * 4, "{best}");
}

/// The calibration set of the shared data goes in as it is.
#[test]
fn the_shared_calibration_set_is_taken_directly() {
    let Some(model) = dpuc_samples::shared("models/onnx/fashion_cnn.onnx") else { return };
    let Some(set) = dpuc_samples::shared("data/fashion_mnist/calib_512.npz") else { return };
    let folder = TempDir::new().unwrap();
    let job = ["quantise", model.to_str().unwrap(), "--calibrate", set.to_str().unwrap(), "--samples", "24"];
    let shown = succeed(&folder, &job);
    assert!(shown.contains("input"), "{shown}");
    let report = std::fs::read(folder.path().join("quantise.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    // Pixels became 0 to 1.
    assert_eq!(report["tensors"][0]["most"], 1.0);
}
