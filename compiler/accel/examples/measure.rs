//! Seconds that running and checking every sample program takes, on one thread.
//!
//! `cargo run --release -p dpuc-accel --example measure [NAME] [TIER]`: only samples whose path contains NAME; kernels of TIER
//! (a `Tier` as written in the code) instead of the fastest.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use dpuc_accel::{Core, check};
use dpuc_kernels::simd::{Kernels, Tier};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let tier = arguments.next().and_then(|tier| Tier::ALL.into_iter().find(|t| format!("{t:?}") == tier));
    let kernels = tier.map_or_else(|| Some(Kernels::detect()), Kernels::new).expect("the machine has this tier");
    let models = common::models().expect("sample models");
    println!("tier {:?}", kernels.tier());
    for sample in common::SAMPLES.into_iter().filter(|sample| sample.contains(&name)) {
        for program in common::programs(&models, sample) {
            let mut core = Core::with_kernels(&program.target, kernels);
            let mut seconds = f64::MAX;
            for _ in 0..3 {
                program.prepare(&mut core, 1);
                let start = Instant::now();
                core.run(&program.instructions).expect("a legal program");
                seconds = seconds.min(start.elapsed().as_secs_f64());
            }
            assert!(program.wrong_outputs(core.regions()).is_empty());
            let start = Instant::now();
            assert!(check(&program.instructions, &program.target, 1).is_clean());
            let check_seconds = start.elapsed().as_secs_f64();
            let (count, giga) = (program.instructions.len(), core.statistics().conv_macs as f64 * 1e-9);
            println!(
                "run {seconds:.4} s, check {check_seconds:.4} s, {count:5} instructions, {giga:6.3} G MACs of Conv: {sample}"
            );
        }
    }
}
