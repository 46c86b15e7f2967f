//! The token and definedness check on vendor programs.

mod common;

use dpuc_accel::check;

#[test]
fn vendor_programs_are_clean() {
    let Some(models) = common::models() else { return };
    for sample in common::SAMPLES {
        for program in common::programs(&models, sample) {
            let start = std::time::Instant::now();
            let report = check(&program.instructions, &program.target, 10);
            eprintln!("{sample} {:?}", start.elapsed());
            eprintln!("{sample}, {}: {report:#?}", program.name);
        }
    }
}
