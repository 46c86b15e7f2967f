//! What the tests have in common, and conversions and tables of single values.

use ndarray::{Array, Dimension};

use crate::int8::{Dequantise, Encoding, Encodings, Quantise, Table};
use crate::reference::activation::Activation;
use crate::reference::round::{dequantise, quantise, requantise};
use crate::simd::{Kernels, Tier};

/// Kernels of every tier of this machine.
pub(super) fn tiers() -> impl Iterator<Item = Kernels> {
    Tier::ALL.into_iter().filter_map(Kernels::new)
}

/// All pairs of encodings.
pub(super) const ENCODINGS: [Encodings; 4] = [
    Encodings::both(Encoding::Signed),
    Encodings::both(Encoding::Offset),
    Encodings { input: Encoding::Signed, output: Encoding::Offset },
    Encodings { input: Encoding::Offset, output: Encoding::Signed },
];

/// Codes of a linear congruential generator (Knuth's MMIX constants).
pub(super) fn codes(seed: u64, count: usize) -> Vec<i8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as i8
    };
    (0..count).map(|_| next()).collect()
}

/// The bytes of codes in C order.
pub(super) fn bytes<D: Dimension>(codes: &Array<i8, D>, encoding: Encoding) -> Vec<u8> {
    codes.iter().map(|&q| encoding.encode(q)).collect()
}

#[test]
fn tables_hold_every_function_at_every_length() {
    let hard_swish = |q: i8| Activation::HardSwish { pre: 4, gate: 7 }.apply(q.into(), 4, 4);
    let functions: [&dyn Fn(i8) -> i8; 3] = [&|q| requantise(q, -1), &|q| requantise(q, 3), &hard_swish];
    for kernels in tiers() {
        for encodings in ENCODINGS {
            for function in functions {
                let table = Table::new(kernels, encodings, function);
                assert!(!table.is_identity());
                for length in (0..200).chain([4095, 4096, 40_000]) {
                    let x = codes(length as u64, length);
                    let input: Vec<u8> = x.iter().map(|&q| encodings.input.encode(q)).collect();
                    let expected: Vec<u8> = x.iter().map(|&q| encodings.output.encode(function(q))).collect();
                    let mut found = vec![0xaa; length];
                    table.run(&input, &mut found);
                    assert!(found == expected, "{:?} {encodings:?} {length}", kernels.tier());
                    found.copy_from_slice(&input);
                    table.run_in_place(&mut found);
                    assert!(found == expected, "{:?} {encodings:?} {length}", kernels.tier());
                }
            }
        }
        assert!(Table::new(kernels, ENCODINGS[1], |q| q).is_identity());
        let all: Vec<u8> = (0..=255).collect();
        let mut found = [0; 256];
        Table::new(kernels, ENCODINGS[0], |q| !q).run(&all, &mut found);
        assert!((0..=255).zip(found).all(|(x, y): (u8, u8)| y == !x));
    }
}

#[test]
fn quantisation_equals_the_reference_over_the_whole_range_of_f32() {
    const STEP: usize = 4093;
    let ties = (-1100..1100).flat_map(|tie| {
        let tie = tie as f32 / 8.0;
        [tie.next_down(), tie, tie.next_up()]
    });
    let x: Vec<f32> = (0..=u32::MAX).step_by(STEP).map(f32::from_bits).chain(ties).collect();
    let mut found = vec![0; x.len()];
    for kernels in tiers() {
        for fix_point in [0, 1, 5, 7, -3, 31, -31, 126, -126, 140, -140, 200, 260, -260, i32::MAX, i32::MIN] {
            for encoding in [Encoding::Signed, Encoding::Offset] {
                Quantise::new(kernels, fix_point, encoding).run(&x, &mut found);
                let wrong = x.iter().zip(&found).find(|&(&x, &byte)| encoding.decode(byte) != quantise(x, fix_point));
                assert_eq!(wrong, None, "{:?} {fix_point} {encoding:?}", kernels.tier());
            }
        }
    }
}

#[test]
fn dequantisation_equals_the_reference() {
    let x: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for kernels in tiers() {
        for fix_point in
            [0, 4, -4, 31, 110, 111, 126, 127, 130, 149, 152, -110, -111, -120, -122, -128, i32::MAX, i32::MIN]
        {
            for encoding in [Encoding::Signed, Encoding::Offset] {
                let mut found = vec![f32::NAN; x.len()];
                Dequantise::new(kernels, fix_point, encoding).run(&x, &mut found);
                let same = |(&x, y): (&u8, &f32)| y.to_bits() == dequantise(encoding.decode(x), fix_point).to_bits();
                assert!(x.iter().zip(&found).all(same), "{:?} {fix_point}", kernels.tier());
            }
        }
    }
}
