//! Poolings.

use ndarray::Array4;
use proptest::prelude::*;

use super::values::{ENCODINGS, bytes, codes, tiers};
use crate::int8::{AveragePool, Encodings, MaxPool};
use crate::reference::pool::{Pool2dParams, avg_pool, max_pool};
use crate::reference::round::Rescale;

#[derive(Clone, Debug)]
struct Case {
    input: [usize; 4],
    params: Pool2dParams,
    seed: u64,
}

impl Case {
    fn check(&self) {
        // All bytes, and all of them extreme.
        for extreme in [false, true] {
            let limit = |q: i8| if extreme { if q < 0 { -128 } else { 127 } } else { q };
            let x = Array4::from_shape_vec(self.input, codes(self.seed, self.input.iter().product()));
            let x = x.unwrap().mapv(limit);
            let (Ok(maxima), Ok(means)) = (max_pool(&x.view(), &self.params), avg_pool(&x.view(), &self.params)) else {
                return;
            };
            for (kernels, encodings) in tiers().flat_map(|kernels| ENCODINGS.map(|encodings| (kernels, encodings))) {
                let Encodings { input, output } = encodings;
                let mut found = vec![0xaa; maxima.len()];
                let operator = MaxPool::new(kernels, self.input, &self.params, encodings).unwrap();
                assert_eq!(&operator.output_shape()[..], maxima.shape());
                operator.run(&bytes(&x, input), &mut found);
                assert!(found == bytes(&maxima, output), "max {:?} {encodings:?} {self:?}", kernels.tier());
                let operator = AveragePool::new(kernels, self.input, &self.params, encodings).unwrap();
                operator.run(&bytes(&x, input), &mut found);
                assert!(found == bytes(&means, output), "avg {:?} {encodings:?} {self:?}", kernels.tier());
            }
        }
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let channels = prop::sample::select(vec![1usize, 3, 8, 16, 17, 64, 100]);
    let shape = (1..3usize, 1..12usize, 1..24usize, channels);
    let window = ([1..8usize, 1..8], [1..4usize, 1..4], [0..4usize, 0..4, 0..4, 0..4]);
    (shape, window, -3..12i32, -4..12i32, any::<u64>()).prop_map(|(shape, window, from, to, seed)| Case {
        input: [shape.0, shape.1, shape.2, shape.3],
        params: Pool2dParams {
            kernel: window.0,
            strides: window.1,
            pads: window.2,
            fix: Rescale { input: from, output: to },
        },
        seed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn poolings_equal_the_reference(case in cases()) {
        case.check();
    }
}

#[test]
fn global_and_long_windows() {
    for kernel in [[7, 7], [14, 14], [1, 40], [40, 1], [33, 32], [100, 100]] {
        let params = Pool2dParams { kernel, strides: [1, 1], pads: [0; 4], fix: Rescale { input: 4, output: 5 } };
        Case { input: [1, kernel[0], kernel[1], 20], params, seed: 9 }.check();
    }
}

#[test]
fn extreme_shifts() {
    for (from, to) in [(0, i32::MAX), (i32::MAX, 0), (i32::MIN, i32::MAX), (i32::MAX, i32::MIN), (31, 0), (0, 31)] {
        let params =
            Pool2dParams { kernel: [3, 3], strides: [2, 2], pads: [1; 4], fix: Rescale { input: from, output: to } };
        Case { input: [1, 6, 7, 19], params, seed: 3 }.check();
    }
}

#[test]
fn windows_of_too_many_pixels_are_refused() {
    let params = Pool2dParams { kernel: [4096, 4096], strides: [1, 1], pads: [0; 4], fix: Rescale::none(0) };
    let kernels = tiers().next().unwrap();
    let error = AveragePool::new(kernels, [1, 4096, 4096, 1], &params, ENCODINGS[0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "avg_pool: kernel [h, w] = [4096, 4096] sees more than 8388608 pixels; pool in two steps"
    );
}
