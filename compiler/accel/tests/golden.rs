//! Every compiled sample model gives AMD's golden outputs, from garbage-filled memories.

mod common;

use dpuc_accel::Core;

#[test]
fn every_sample_is_bit_exact() {
    let Some(models) = common::models() else { return };
    for sample in common::SAMPLES {
        for program in common::programs(&models, sample) {
            assert!(!program.inputs.is_empty() && !program.outputs.is_empty(), "{sample} has boundary tensors");
            let mut core = Core::new(&program.target);
            program.prepare(&mut core, 1);
            core.run(&program.instructions).unwrap_or_else(|error| panic!("{sample}, {}: {error}", program.name));
            assert_eq!(program.wrong_outputs(core.regions()), Vec::<&str>::new(), "{sample}, {}", program.name);
        }
    }
}
