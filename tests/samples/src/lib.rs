//! Finds the real models that tests and benches use. They are not part of the repository: a fresh clone elsewhere does without them, and
//! says so; where `DPUC_REQUIRE_SHARED` is 1, as in CI, their absence is a failure.

use std::env;
use std::path::{Path, PathBuf};

/// All compiled samples, below `models/xmodel` of the shared folder.
pub const COMPILED: [&str; 15] = [
    "dpu_mnist/compiled_b4096.xmodel",
    "mnist_cnn/compiled_b4096.xmodel",
    "pointpillars/compiled_b4096.xmodel",
    "squeezenet/compiled_b4096.xmodel",
    "tf2_custom_op/compiled_b4096.xmodel",
    "unet2d_liver/compiled_b4096.xmodel",
    "zero_dce/compiled_b4096.xmodel",
    "yolox_nano/compiled_b512.xmodel",
    "yolox_nano/compiled_b800.xmodel",
    "yolox_nano/compiled_b1024.xmodel",
    "yolox_nano/compiled_b1152.xmodel",
    "yolox_nano/compiled_b1600.xmodel",
    "yolox_nano/compiled_b2304.xmodel",
    "yolox_nano/compiled_b3136.xmodel",
    "yolox_nano/compiled_b4096.xmodel",
];

/// All quantised samples.
pub const QUANTISED: [&str; 4] = [
    "mnist_cnn/quantised.xmodel",
    "cifar_resnet20/quantised.xmodel",
    "zero_dce/quantised.xmodel",
    "pointpillars/quantised.xmodel",
];

/// `path` below the folder named by `DPUC_SHARED`, or the folder `shared` beside the workspace; `None`, with a notice, when it is absent
/// and not required.
///
/// # Panics
/// If it is absent and `DPUC_REQUIRE_SHARED` is 1.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found = env::var_os("DPUC_SHARED").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(
        env::var_os("DPUC_REQUIRE_SHARED").is_none_or(|required| required != "1"),
        "{} is required",
        found.display()
    );
    eprintln!("SKIPPED: {} does not exist; set DPUC_SHARED to the folder that has it", found.display());
    None
}

/// The folder of sample models, `models/xmodel`; see [`shared`].
pub fn models() -> Option<PathBuf> {
    shared("models/xmodel")
}
