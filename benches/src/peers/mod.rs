//! Whole networks for the comparison with other CPU runtimes (`benches/peers/compare.py`).

mod cpu;
mod describe;
mod synthetic;

use dpuc_dialects::Ir;

use crate::calibration::zoo::{Halving, mobilenet_v1, mobilenet_v2, resnet, resnet18};
use crate::samples::sample;

pub use cpu::{CpuNetwork, read_floats, write_floats};
pub use describe::{Description, describe};

/// The networks by name: those of the samples that are there, and well-known ones with random constants.
pub fn networks() -> Vec<(&'static str, Ir)> {
    let samples =
        [("cifar_resnet20", "cifar_resnet20/quantised.xmodel"), ("yolox_nano", "yolox_nano/compiled_b4096.xmodel")];
    let imported = samples.into_iter().filter_map(|(name, path)| {
        let mut ir = dpuc_import::import_xmodel(&sample(path)?).ok()?.ir;
        dpuc_passes::canonicalise(&mut ir).ok()?;
        dpuc_passes::lower_to_int8(&mut ir).ok()?;
        dpuc_passes::canonicalise(&mut ir).ok()?;
        Some((name, ir))
    });
    let made = [
        ("mobilenet_v1", mobilenet_v1(224, 4)),
        ("mobilenet_v2", mobilenet_v2(10, 1000)),
        ("resnet18", resnet18(1000)),
        ("resnet50", resnet([3, 4, 6, 3], Halving::Middle)),
    ];
    imported.chain(made.into_iter().map(|(name, network)| (name, synthetic::with_constants(&network)))).collect()
}
