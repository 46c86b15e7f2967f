//! The land-cover U-Net of `examples/unet_512` on Leopard's and on the largest DPU.

use std::path::{Path, PathBuf};

use dpuc_backend::{Device, Options, compile};
use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_isa::Target;
use dpuc_runtime::{Host, Network, Session};

const SIDE: usize = 512;
const CLASSES: usize = 7;
/// Pixels, of 262,144, to which the integer network gives the class of the float network; measured with the reference.
const AGREEMENT: usize = 259_629;

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/unet_512").join(file)
}

fn network() -> Ir {
    let text = std::fs::read_to_string(example("unet_512.mlir")).unwrap();
    let parsed = parse(&text, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let mut ir = parsed.ir;
    ir.weights.open(&example("unet_512.safetensors")).unwrap();
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir));
    ir
}

/// The scene as the network's codes, `pixel - 128`.
fn scene() -> Tensor {
    let image = image::open(example("scene.png")).unwrap().into_rgb8();
    let codes = image.as_raw().iter().map(|&pixel| (i16::from(pixel) - 128) as i8).collect();
    Tensor::from_i8(&[1, SIDE, SIDE, 3], codes).unwrap()
}

/// The class of each pixel: the first of the largest logits.
fn classes(logits: &Tensor) -> Vec<u8> {
    let logits = logits.as_i8().unwrap().as_standard_layout();
    let first_largest = |pixel: &[i8]| (0..CLASSES).rev().max_by_key(|&class| pixel[class]).unwrap_or(0) as u8;
    logits.as_slice().unwrap().chunks_exact(CLASSES).map(first_largest).collect()
}

fn digest(logits: &Tensor) -> String {
    dpuc_xmodel::md5_hex(&logits.as_i8().unwrap().iter().map(|&code| code as u8).collect::<Vec<_>>())
}

/// Compiles for a target and runs on the model; all of the network but the conversion of the pixels is on the DPU.
fn on_target(ir: &Ir, name: &str) -> Tensor {
    let target = Target::from_name(name).unwrap();
    let compiled = compile(ir.clone(), &target, &Options::default()).unwrap();
    assert_eq!(compiled.report.count(Device::Cpu), 1, "{:?}", compiled.report);
    let graph = dpuc_xmodel::read(&dpuc_xmodel::write(&compiled.graph).unwrap()).unwrap();
    let session = Session::new(&graph).unwrap();
    for program in session.programs() {
        let report = dpuc_accel::check(&program.instructions, &program.target, 5);
        assert!(report.is_clean(), "{name}: {:#?}", report.findings);
    }
    session.run(vec![scene()]).unwrap().tensors.swap_remove(0).1
}

#[test]
fn segments_the_scene_bit_exactly() {
    let ir = network();
    let network = Network::new(ir.clone(), Host::Reference, &Operators::new()).unwrap();
    let (_, expected) = network.run(vec![scene()]).unwrap().tensors.swap_remove(0);
    let stored = std::fs::read_to_string(example("logits.md5")).unwrap();
    assert_eq!(digest(&expected), stored.trim(), "the reference gives the stored logits");

    let float = image::open(example("float_classes.png")).unwrap().into_luma8();
    let same = classes(&expected).iter().zip(float.as_raw()).filter(|(own, float)| own == float).count();
    assert_eq!(same, AGREEMENT, "pixels with the class of the float network");

    for name in ["DPUCZDX8G_ISA1_B1024", "DPUCZDX8G_ISA1_B4096"] {
        assert!(on_target(&ir, name) == expected, "{name} gives other logits");
    }
}
