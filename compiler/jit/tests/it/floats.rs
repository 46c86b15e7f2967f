//! Random float networks.

use dpuc_graphs::{Precision, random_float_network};

use crate::compare::{Random, assert_close, assert_equal, inputs};

#[test]
fn what_is_exact_is_equal() {
    for seed in 0..400 {
        let ir = random_float_network(seed, Precision::Exact);
        let mut random = Random::new(seed);
        let runs: Vec<_> = (0..2).map(|_| inputs(&ir, "main", || random.float(), || 0)).collect();
        assert_equal(&ir, &runs, &format!("seed {seed}"));
    }
}

#[test]
fn what_is_summed_or_approximated_is_close() {
    for seed in 0..400 {
        let ir = random_float_network(seed, Precision::Close);
        let mut random = Random::new(seed);
        let runs: Vec<_> = (0..2).map(|_| inputs(&ir, "main", || random.tame(), || 0)).collect();
        assert_close(&ir, &runs, 1e-4, &format!("seed {seed}"));
    }
}
