//! Networks compiled for all eight sizes: bit-equal to the reference, free of races, and the same bytes twice.

use dpuc_backend::{Options, compile};
use dpuc_dialects::Ir;
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_isa::Target;
use dpuc_runtime::{Session, function_outputs};
use dpuc_tests::{Fill, import, inputs, models};

fn lowered(sample: &str) -> Option<Ir> {
    let mut ir = import(&models()?, sample);
    dpuc_passes::lower_to_int8(&mut ir).unwrap_or_else(|error| panic!("{sample}: {error}"));
    Some(ir)
}

/// Signed bytes of an input, for a session that takes them.
fn session_input(fill: Fill, shape: &[usize]) -> Tensor {
    Tensor::from_i8(shape, fill.bytes(shape.iter().product())).unwrap()
}

fn recompiles(sample: &str) {
    let Some(ir) = lowered(sample) else { return };
    let ports = function_outputs(&ir, "main");
    let expected: Vec<_> =
        Fill::ALL.iter().map(|&fill| evaluate(&ir, "main", &inputs(&ir, fill), &mut |_, _| {}).unwrap()).collect();
    for target in Target::registered() {
        let options = Options::default();
        let compile = || compile(ir.clone(), &target, &options).unwrap_or_else(|error| panic!("{sample}: {error}"));
        let compiled = compile();
        let bytes = dpuc_xmodel::write(&compiled.graph).unwrap();
        assert!(
            bytes == dpuc_xmodel::write(&compile().graph).unwrap(),
            "{sample}, {}: twice the same bytes",
            target.name
        );

        let session = Session::new(&dpuc_xmodel::read(&bytes).unwrap()).unwrap();
        assert!(session.programs().count() > 0, "{sample}, {}: something runs on the DPU", target.name);
        for program in session.programs() {
            let report = dpuc_accel::check(&program.instructions, &program.target, 5);
            assert!(report.is_clean(), "{sample}, {}: {:#?}", target.name, report.findings);
        }
        for (fill, expected) in Fill::ALL.iter().zip(&expected) {
            let inputs = session.inputs().iter().map(|port| session_input(*fill, &port.shape)).collect();
            let outcome = session.run(inputs).unwrap_or_else(|error| panic!("{sample}, {}: {error}", target.name));
            for (port, expected) in ports.iter().zip(expected) {
                let found = outcome.tensors.iter().find(|(own, _)| own.name == port.name);
                let (_, found) = found.unwrap_or_else(|| {
                    let names: Vec<_> = outcome.tensors.iter().map(|(own, _)| &own.name).collect();
                    panic!("{sample}, {}: no output `{}` among {names:?}", target.name, port.name)
                });
                assert!(is_same(found, expected), "{sample}, {}, {fill:?}: `{}` differs", target.name, port.name);
            }
        }
    }
}

/// Equal codes; floats up to the last bits of a softmax, whose kernel is not the reference's.
fn is_same(found: &Tensor, expected: &Tensor) -> bool {
    match (found, expected) {
        (Tensor::F32(found), Tensor::F32(expected)) if found.shape() == expected.shape() => {
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0))
        }
        _ => found == expected,
    }
}

macro_rules! networks {
    ($($test:ident: $sample:literal;)*) => {
        $(
            #[test]
            fn $test() {
                recompiles($sample);
            }
        )*
    };
}

networks! {
    mnist_cnn: "mnist_cnn/quantised.xmodel";
    cifar_resnet20: "cifar_resnet20/quantised.xmodel";
    zero_dce: "zero_dce/quantised.xmodel";
    squeezenet_from_compiled: "squeezenet/compiled_b4096.xmodel";
    yolox_nano_from_compiled: "yolox_nano/compiled_b4096.xmodel";
    dpu_mnist_from_compiled: "dpu_mnist/compiled_b4096.xmodel";
}
