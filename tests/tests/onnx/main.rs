//! From ONNX to programs: every model of the shared folder, and the topologies of `make_random_nets.py` with made-up weights, are imported,
//! quantised, written as quantised `.xmodel` and read back, and compiled for the largest DPU and for Leopard's. The programs compute what the
//! reference of the quantised network computes, to the bit, also at the extremes. That the float networks compute what ONNX Runtime does is
//! checked by `tests/peers/onnx_nodes.py`; the same at full size and at the command line by `tests/peers/onnx_flow.py`.
//!
//! Maps of large networks are smaller here than in the models, so that the test takes seconds.

mod model;

use dpuc_backend::{Device, Options, compile, export_quantised};
use dpuc_dialects::Ir;
use dpuc_dialects::dialects::nn;
use dpuc_evaluate::{Operators, Tensor, evaluate};
use dpuc_import::{OnnxOptions, import_onnx, import_xmodel};
use dpuc_isa::Target;
use dpuc_onnx::Model;
use dpuc_quantise::{Silent, quantise};
use dpuc_runtime::{Host, Session};
use dpuc_tests::{Fill, inputs};

const TARGETS: [&str; 2] = ["DPUCZDX8G_ISA1_B4096", "DPUCZDX8G_ISA1_B1024"];
const FILLS: [Fill; 3] = [Fill::Random(1), Fill::Constant(-128), Fill::Constant(127)];

/// A model in the IR, its input of another shape if one is given.
fn imported(model: &Model, shape: Option<[usize; 4]>) -> Ir {
    let input = &model.graph.as_ref().unwrap().inputs[0].name;
    let input_shapes = shape.map(|shape| (input.clone(), shape.to_vec())).into_iter().collect();
    let imported = import_onnx(model, &OnnxOptions { input_shapes, ..OnnxOptions::default() }).unwrap();
    assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
    imported.ir
}

fn quantised(ir: Ir) -> Ir {
    if ir.walk(ir.root()).into_iter().any(|op| ir.is(op, &nn::FIX)) {
        return ir;
    }
    quantise(&ir, &model::samples(&ir), dpuc_quantise::Options::default(), &Silent).unwrap().ir
}

fn lowered(mut ir: Ir) -> Ir {
    dpuc_passes::canonicalise(&mut ir).unwrap();
    dpuc_passes::lower_to_int8(&mut ir).unwrap();
    dpuc_passes::canonicalise(&mut ir).unwrap();
    ir
}

/// The network as the importer reads it from the file that the quantiser writes.
fn through_file(ir: &Ir) -> Ir {
    let bytes = dpuc_xmodel::write(&export_quantised(ir, None).unwrap()).unwrap();
    let imported = import_xmodel(&dpuc_xmodel::read(&bytes).unwrap()).unwrap();
    assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
    imported.ir
}

/// A session's input of signed bytes.
fn codes(fill: Fill, shape: &[usize]) -> Tensor {
    Tensor::from_i8(shape, fill.bytes(shape.iter().product())).unwrap()
}

fn same_bits(found: &Tensor, expected: &Tensor) -> bool {
    match (found, expected) {
        (Tensor::F32(found), Tensor::F32(expected)) => {
            found.shape() == expected.shape() && found.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        _ => found == expected,
    }
}

fn flows(model: &Model, shape: Option<[usize; 4]>) {
    let quantised = quantised(imported(model, shape));
    let read = through_file(&quantised);
    let (direct, ir) = (lowered(quantised), lowered(read));
    let run = |ir: &Ir, fill| evaluate(ir, "main", &inputs(ir, fill), &mut |_, _| {}).unwrap();
    let expected = FILLS.map(|fill| run(&ir, fill));
    let of_quantiser = run(&direct, FILLS[0]);
    assert!(of_quantiser.iter().zip(&expected[0]).all(|(a, b)| same_bits(a, b)), "the file is what was quantised");
    for name in TARGETS {
        let target = Target::from_name(name).unwrap();
        let compiled = compile(ir.clone(), &target, &Options::default()).unwrap();
        assert!(compiled.report.count(Device::Dpu) > 0, "{name}: something runs on the DPU");
        let graph = dpuc_xmodel::read(&dpuc_xmodel::write(&compiled.graph).unwrap()).unwrap();
        let session = Session::on_host(&graph, Host::Reference, &Operators::new()).unwrap();
        for program in session.programs() {
            let report = dpuc_accel::check(&program.instructions, &program.target, 5);
            assert!(report.is_clean(), "{name}: {:#?}", report.findings);
        }
        for (fill, expected) in FILLS.iter().zip(&expected) {
            let inputs = session.inputs().iter().map(|port| codes(*fill, &port.shape)).collect();
            let outcome = session.run(inputs).unwrap();
            // Tensors that leave the DPU inside the network follow the outputs.
            assert!(outcome.tensors.len() >= expected.len());
            for ((port, found), expected) in outcome.tensors.iter().zip(expected) {
                assert!(same_bits(found, expected), "{name}, {fill:?}: `{}` differs", port.name);
            }
        }
    }
}

macro_rules! networks {
    ($read:expr => $($test:ident $file:literal $($shape:expr)?;)*) => {
        $(
            #[test]
            fn $test() {
                let read: fn(&str) -> Option<Model> = $read;
                if let Some(model) = read($file) {
                    flows(&model, networks!(@shape $($shape)?));
                }
            }
        )*
    };
    (@shape) => { None };
    (@shape $shape:expr) => { Some($shape) };
}

networks! {
    model::shared =>
    fashion_cnn "fashion_cnn.onnx";
    resnet18_fashion "resnet18_fashion.onnx" [1, 3, 112, 112];
    unet_landcover "unet_landcover_512.onnx" [1, 3, 64, 64];
    unet_landcover_resize "unet_landcover_512_resize.onnx" [1, 3, 64, 64];
    mobilenet_v2 "third_party/mobilenet_v2_imagenet_bn.onnx" [1, 3, 96, 96];
    mtcnn_onet "third_party/mtcnn_onet.onnx";
    ppocr_detection "third_party/ppocrv4_det_640.onnx" [1, 3, 96, 96];
    cifar_resnet20_qdq "third_party/cifar_resnet20_qdq.onnx";
    zero_dce_qdq "third_party/zero_dce_qdq.onnx" [1, 3, 64, 64];
}

networks! {
    |file| Some(model::topology(file)) =>
    resnet18 "resnet18_v1.onnx" [1, 3, 64, 64];
    resnet50 "resnet50_v1.onnx" [1, 3, 64, 64];
    mobilenet_v1 "mobilenet_v1.onnx" [1, 3, 64, 64];
    inception_v1 "inception_v1_like.onnx" [1, 3, 64, 64];
    yolov3_tiny "yolov3_tiny_like.onnx" [1, 3, 64, 64];
    unet_512 "unet_512.onnx" [1, 3, 32, 32];
}

/// A new model of the shared folder is added above.
#[test]
fn every_model_of_the_shared_folder_is_tested() {
    let Some(folder) = dpuc_samples::shared("models/onnx") else { return };
    let count = |folder: &std::path::Path| {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "onnx")).count()
    };
    assert_eq!(count(&folder) + count(&folder.join("third_party")), 9);
}
