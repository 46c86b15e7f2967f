//! Random float networks.

use dpuc_graphs::{Precision, random_float_network};

use dpuc_isa::Random;

use crate::compare::{assert_close, assert_equal, float, inputs, tame};

#[test]
fn what_is_exact_is_equal() {
    for seed in 0..400 {
        let ir = random_float_network(seed, Precision::Exact);
        let mut random = Random::new(seed);
        let runs: Vec<_> = (0..2).map(|_| inputs(&ir, "main", || float(&mut random), || 0)).collect();
        assert_equal(&ir, &runs, &format!("seed {seed}"));
    }
}

#[test]
fn what_is_summed_or_approximated_is_close() {
    for seed in 0..400 {
        let ir = random_float_network(seed, Precision::Close);
        let mut random = Random::new(seed);
        let runs: Vec<_> = (0..2).map(|_| inputs(&ir, "main", || tame(&mut random), || 0)).collect();
        assert_close(&ir, &runs, 1e-5, &format!("seed {seed}"));
    }
}
