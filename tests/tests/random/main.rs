//! Random networks: compiled for all sizes and compared with the reference to the last bit; and absurd ones, which must end in a program or
//! in a diagnostic.
//!
//! `DPUC_RANDOM_GRAPHS=n` tests n networks of each kind instead of the usual number, `DPUC_RANDOM_SEED=s` starts at seed s. A network that
//! fails is shrunk and written to a file beside the test program, whose name the failure says.

mod compare;
mod failure;

use std::time::{Duration, Instant};

use dpuc_backend::{Options, compile};
use dpuc_graphs::{absurd_network, random_network};
use dpuc_isa::{Random, Target};

use compare::compare;
use failure::{caught, require};

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds to test: `usual` of them unless the environment says otherwise.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let first = setting("DPUC_RANDOM_SEED").unwrap_or(0);
    let alone = std::env::var_os("DPUC_RANDOM_SEED").map(|_| 1);
    first..first + setting("DPUC_RANDOM_GRAPHS").or(alone).unwrap_or(usual)
}

/// Tests the networks of every second seed, so that two tests share the machine's cores.
fn equal_to_the_reference(half: u64) {
    let targets = Target::registered();
    for seed in seeds(120).filter(|seed| seed % 2 == half) {
        let ir = random_network(seed);
        let test = |ir: &dpuc_dialects::Ir| compare(ir, &targets, seed);
        require(&format!("random_{seed}"), ir, &test);
    }
}

#[test]
fn even_seeds_equal_the_reference() {
    equal_to_the_reference(0);
}

#[test]
fn odd_seeds_equal_the_reference() {
    equal_to_the_reference(1);
}

/// Far more than any network needs, far less than anybody waits.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn absurd_networks_end() {
    let targets = Target::registered();
    for seed in seeds(300) {
        let target = Random::new(seed).pick(&[0, targets.len() / 2, targets.len() - 1]);
        let ends = |ir: &dpuc_dialects::Ir| {
            let start = Instant::now();
            let outcome = caught(|| {
                let mut ir = ir.clone();
                // Half of them as the command line compiles them.
                if seed.is_multiple_of(2) {
                    dpuc_passes::canonicalise(&mut ir).map_err(|error| format!("fault of the compiler: {error}"))?;
                }
                compile(ir, &targets[target], &Options::default()).map_err(|error| error.to_string())
            });
            let error = match outcome {
                Err(panic) => return Err(panic),
                Ok(Err(diagnostic)) if diagnostic.contains("fault of the compiler") => return Err(diagnostic),
                Ok(Err(diagnostic)) => diagnostic,
                Ok(Ok(_)) => String::new(),
            };
            let elapsed = start.elapsed();
            if elapsed > PATIENCE { Err(format!("{}: {elapsed:?} {error}", targets[target].name)) } else { Ok(()) }
        };
        require(&format!("absurd_{seed}"), absurd_network(seed), &ends);
    }
}
