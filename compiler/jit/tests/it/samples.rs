//! Whole networks.

use dpuc_passes::{canonicalise, lower_to_int8};

use dpuc_isa::Random;

use crate::compare::{assert_equal, inputs, tame};

fn lowered(name: &str) -> Option<dpuc_dialects::Ir> {
    let bytes = std::fs::read(dpuc_samples::models()?.join(name)).unwrap();
    let mut ir = dpuc_import::import_xmodel(&dpuc_xmodel::read(&bytes).unwrap()).unwrap().ir;
    canonicalise(&mut ir).unwrap();
    lower_to_int8(&mut ir).unwrap();
    canonicalise(&mut ir).unwrap();
    Some(ir)
}

#[test]
fn whole_networks_equal_the_evaluator() {
    for name in ["mnist_cnn/quantised.xmodel", "cifar_resnet20/quantised.xmodel"] {
        let Some(ir) = lowered(name) else { return };
        let (mut random, mut codes) = (Random::new(1), Random::new(2));
        let runs: Vec<_> = (0..2).map(|_| inputs(&ir, "main", || tame(&mut random), || codes.code())).collect();
        assert_equal(&ir, &runs, name);
    }
}
