//! Random `int8` networks.

use dpuc_graphs::random_network;
use dpuc_passes::canonicalise;

use dpuc_isa::Random;

use crate::compare::{assert_equal, float, inputs};

#[test]
fn random_networks_equal_the_evaluator() {
    for seed in 0..250 {
        let ir = random_network(seed);
        let mut random = Random::new(seed);
        let runs: Vec<_> = (0..2)
            .map(|_| {
                let mut floats = Random::new(seed + 1);
                inputs(&ir, "main", || float(&mut floats), || random.code())
            })
            .collect();
        assert_equal(&ir, &runs, &format!("seed {seed}"));
        if seed % 5 == 0 {
            let mut canonical = ir.clone();
            canonicalise(&mut canonical).unwrap();
            assert_equal(&canonical, &runs, &format!("seed {seed} in canonical form"));
        }
    }
}
