//! Sessions from the first call to the deployed network.

use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Operators, evaluate};
use dpuc_flow::{Artefact, Computation, Error, MANIFEST, Options, Phase, Session, Tensor};
use dpuc_isa::{Random, Target};
use dpuc_runtime::Host;
use tempfile::TempDir;

const CALLS: usize = 4;
const SHAPE: [usize; 4] = [1, 2, 8, 8];

/// A convolution with activation and pool for the DPU, and a sigmoid for the CPU; the framework has the channels first.
fn network() -> Ir {
    let mut random = Random::new(7);
    let mut numbers = |count: usize| {
        let numbers: Vec<String> = (0..count).map(|_| format!("{:?}", number(&mut random))).collect();
        numbers.join(", ")
    };
    let kernels: Vec<String> = (0..4).map(|_| format!("[[[{}]], [[{}]]]", numbers(2), numbers(2))).collect();
    let text = format!(
        "module @small {{
  func.func @main(%image: tensor<1x8x8x2xf32>) -> tensor<1x3x4x4xf32> attributes {{
      argument_layouts = [\"channels_first\"], result_layouts = [\"channels_first\"]}} {{
    %w = nn.constant dense<[{}]> : tensor<4x2x1x2xf32>
    %b = nn.constant dense<[{}]> : tensor<4xf32>
    %conv = nn.conv2d %image, %w, %b {{pads = [0, 0, 1, 0]}}
      : (tensor<1x8x8x2xf32>, tensor<4x2x1x2xf32>, tensor<4xf32>) -> tensor<1x8x8x4xf32>
    %relu = nn.relu %conv : tensor<1x8x8x4xf32>
    %pool = nn.max_pool %relu {{kernel = [2, 2], strides = [2, 2]}} : (tensor<1x8x8x4xf32>) -> tensor<1x4x4x4xf32>
    %part = nn.strided_slice %pool {{begin = [0, 0, 0, 0], end = [1, 3, 4, 4], strides = [1, 1, 1, 1]}}
      : (tensor<1x4x4x4xf32>) -> tensor<1x3x4x4xf32>
    %out = nn.sigmoid %part : tensor<1x3x4x4xf32>
    func.return %out : tensor<1x3x4x4xf32>
  }}
}}
",
        kernels.join(", "),
        numbers(4)
    );
    let parsed = parse(&text, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    assert!(verify(&parsed.ir).is_empty(), "{:?}", verify(&parsed.ir).list());
    parsed.ir
}

fn number(random: &mut Random) -> f32 {
    (random.below(2001) as f32 - 1000.0) / 800.0
}

fn image(seed: u64) -> Tensor {
    let mut random = Random::new(seed);
    Tensor::from_f32(&SHAPE, (0..SHAPE.iter().product()).map(|_| number(&mut random)).collect()).unwrap()
}

fn options(folder: Option<&Path>) -> Options {
    let target = Target::from_name("DPUCZDX8G_ISA1_B1024").unwrap();
    Options { calibration_calls: CALLS, build_folder: folder.map(Path::to_owned), ..Options::new(target) }
}

fn device() -> Target {
    options(None).target
}

/// What the float network gives, in the framework's order.
fn float(image: &Tensor) -> Tensor {
    let session = Session::build(&network(), options(None)).unwrap();
    let input = session.inputs()[0].take(image.clone()).unwrap();
    let result = evaluate(&network(), "main", &[input], &mut |_, _| {}).unwrap().swap_remove(0);
    session.outputs()[0].give(&result)
}

fn distance(a: &Tensor, b: &Tensor) -> f32 {
    let (Tensor::F32(a), Tensor::F32(b)) = (a, b) else { panic!("results are floats") };
    assert_eq!(a.shape(), b.shape());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_first_calls_are_float_and_the_others_the_dpus() {
    let mut session = Session::build(&network(), options(None)).unwrap();
    assert!(matches!(session.export(Path::new("nowhere")), Err(Error::NotCalibrated { seen: 0, wanted: CALLS })));
    for call in 0..CALLS {
        assert_eq!(session.phase(), Phase::Calibrating { seen: call, wanted: CALLS });
        let image = image(call as u64);
        let result = session.call(vec![image.clone()]).unwrap().swap_remove(0);
        assert_eq!(result.shape(), [1, 4, 3, 4], "the framework's order");
        assert!(distance(&result, &float(&image)) < 1e-6);
    }
    let image = image(99);
    session.set_input("image", image.clone()).unwrap();
    session.run().unwrap();
    assert_eq!((session.phase(), session.computation()), (Phase::Accelerated, Some(Computation::Dpu)));
    let found = session.get_output(0).unwrap().clone();
    let error = distance(&found, &float(&image));
    assert!(error > 0.0 && error < 0.03, "int8 differs from float a little, here {error}");
    // The quantised network in the artefact says the same to the last bit.
    let text = &session.artefact().unwrap().files()["small_int.mlir"];
    let mut quantised = parse(std::str::from_utf8(text).unwrap(), &ParseOptions::default()).ir;
    quantised
        .weights
        .read("small_int.safetensors", &session.artefact().unwrap().files()["small_int.safetensors"])
        .unwrap();
    dpuc_passes::lower_to_int8(&mut quantised).unwrap();
    let input = session.inputs()[0].take(image).unwrap();
    let Tensor::I8(codes) = input else { panic!("the DPU takes codes") };
    let point = session.inputs()[0].fix_point.unwrap();
    let input = Tensor::F32(codes.mapv(|code| f32::from(code) * 2f32.powi(-point)));
    let expected = evaluate(&quantised, "main", &[input], &mut |_, _| {}).unwrap().swap_remove(0);
    assert!(
        distance(&found, &session.outputs()[0].give(&expected)) < 1e-6,
        "only the sigmoid may differ in its last bits"
    );
    // People find in the artefact what was done.
    let summary = session.summary().unwrap().clone();
    let files = session.artefact().unwrap().files();
    assert_eq!(files["small_partition.svg"], summary.plan.svg().into_bytes());
    assert_eq!(
        files["quantise.html"],
        dpuc_report::quantised_page("small", &summary.quantisation.unwrap()).into_bytes()
    );
}

#[test]
fn an_interrupted_session_loses_nothing() {
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut session = Session::build(&network(), options(Some(whole.path()))).unwrap();
    let expected: Vec<_> = (0..6).map(|call| session.call(vec![image(call)]).unwrap()).collect();

    let mut results = Vec::new();
    for calls in [0..2, 1..3, 3..4, 3..4, 4..6] {
        // Two parts repeat a call, as a caller does who never got its result.
        let mut session = Session::build(&network(), options(Some(parts.path()))).unwrap();
        for call in calls {
            results.truncate(call as usize);
            results.push(session.call(vec![image(call)]).unwrap());
        }
    }
    assert!(results == expected);
    assert_eq!(Artefact::read(whole.path()).unwrap(), Artefact::read(parts.path()).unwrap());
    // A finished build accelerates from the first call.
    let mut session = Session::build(&network(), options(Some(parts.path()))).unwrap();
    assert_eq!(session.phase(), Phase::Accelerated);
    assert!(session.call(vec![image(5)]).unwrap() == expected[5]);
}

#[test]
fn a_deployed_network_is_checked_when_it_is_loaded() {
    let folder = TempDir::new().unwrap();
    let mut session = Session::build(&network(), options(None)).unwrap();
    (0..CALLS as u64).for_each(|call| drop(session.call(vec![image(call)]).unwrap()));
    session.export(folder.path()).unwrap();
    let expected = session.call(vec![image(9)]).unwrap();

    let load = || Artefact::read(folder.path());
    let run = |device: &Target| {
        let mut session = Session::load(load()?, device, Host::Reference, &Operators::new())?;
        session.call(vec![image(9)])
    };
    assert!(distance(&run(&device()).unwrap()[0], &expected[0]) < 1e-6);
    let message = run(&Target::from_name("DPUCZDX8G_ISA1_B4096").unwrap()).unwrap_err().to_string();
    assert!(
        message.contains("compiled for DPUCZDX8G_ISA1_B1024") && message.contains("size: network B1024, device B4096"),
        "{message}"
    );

    let manifest = std::fs::read(folder.path().join(MANIFEST)).unwrap();
    let model = folder.path().join("small.xmodel");
    let bytes = std::fs::read(&model).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    for content in [&damaged[..], &bytes[1..]] {
        std::fs::write(&model, content).unwrap();
        let message = load().unwrap_err().to_string();
        assert!(message.starts_with("small.xmodel is damaged"), "{message}");
    }
    std::fs::remove_file(&model).unwrap();
    assert!(load().unwrap_err().to_string().contains("missing"));
    std::fs::write(&model, bytes).unwrap();
    let escaping = String::from_utf8(manifest).unwrap().replace("small.xmodel", "../small.xmodel");
    for text in [&escaping[..], "{}", "", "[[[["] {
        std::fs::write(folder.path().join(MANIFEST), text).unwrap();
        assert!(load().unwrap_err().to_string().starts_with("manifest.json is damaged"));
    }
    std::fs::remove_file(folder.path().join(MANIFEST)).unwrap();
    assert!(matches!(load(), Err(Error::NoManifest(_))));
}

#[test]
fn wrong_use_is_explained() {
    let mut session = Session::build(&network(), options(None)).unwrap();
    let message = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(message(session.run()), "the input `image` is not set");
    assert_eq!(message(session.set_input("picture", image(0))), "the network has no input `picture`; it has image");
    let wrong = Tensor::from_f32(&[1, 3], vec![0.0; 3]).unwrap();
    assert!(message(session.set_input("image", wrong)).contains("takes [1, 2, 8, 8]"));
    assert!(session.get_output(0).is_err());
    assert!(matches!(session.call(Vec::new()), Err(Error::InputCount { expected: 1, found: 0 })));
    let none = Options { calibration_calls: 0, ..options(None) };
    assert!(matches!(Session::build(&network(), none), Err(Error::NoCalibration)));

    let folder = TempDir::new().unwrap();
    Session::build(&network(), options(Some(folder.path()))).unwrap().call(vec![image(0)]).unwrap();
    let mut other = network();
    other.set_attribute(other.root(), "sym_name", dpuc_dialects::Attribute::string("other"));
    assert!(matches!(Session::build(&other, options(Some(folder.path()))), Err(Error::OtherNetwork(_))));
}
