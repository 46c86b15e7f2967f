//! One function on both.

use dpuc_dialects::dialects::func;
use dpuc_dialects::{FloatKind, Ir, TypeKind};
use dpuc_evaluate::{Evaluator, Operators, Tensor};
use dpuc_isa::Random;
use dpuc_jit::{Options, compile};

/// A float: often halfway between two codes, sometimes far out of range or no number at all.
pub(crate) fn float(random: &mut Random) -> f32 {
    match random.below(64) {
        0 => 1000.0,
        1 => -1000.0,
        2 => f32::INFINITY,
        3 => f32::NEG_INFINITY,
        4 => f32::NAN,
        5 => -0.0,
        6 => 0.499_999_97,
        7 => -0.500_000_06,
        8 => f32::MIN_POSITIVE / 4.0,
        9..20 => (f32::from(random.code()) * 16_777_259.0).sin() * 5.0,
        _ => (random.below(1 << 11) as f32 - 1024.0) / 256.0,
    }
}

/// A float that is a number of moderate size.
pub(crate) fn tame(random: &mut Random) -> f32 {
    (random.below(1 << 16) as f32 - 32768.0) / 4096.0
}

/// Inputs of a function.
pub(crate) fn inputs(
    ir: &Ir,
    function: &str,
    mut float: impl FnMut() -> f32,
    mut code: impl FnMut() -> i8,
) -> Vec<Tensor> {
    let entry = func::entry(ir, ir.find_symbol(function).unwrap());
    let input = |&argument| {
        let shape = ir.shape_of(argument).unwrap();
        let count = shape.iter().product();
        let tensor = ir.tensor_of(argument).unwrap();
        if *ir.type_kind(tensor.element) == TypeKind::Float(FloatKind::F32) {
            Tensor::from_f32(&shape, (0..count).map(|_| float()).collect()).unwrap()
        } else {
            Tensor::from_i8(&shape, (0..count).map(|_| code()).collect()).unwrap()
        }
    };
    ir.arguments(entry).iter().map(input).collect()
}

/// What the evaluator says.
pub(crate) fn evaluated(ir: &Ir, inputs: &[Tensor], operators: &Operators) -> Vec<Tensor> {
    Evaluator::new(ir).with_operators(operators.clone()).run("main", inputs, &mut |_, _| {}).unwrap()
}

/// Compiles `@main` and compares it with the evaluator on some inputs, to the bit; zeros of both signs are one, and so are all NaNs.
pub(crate) fn assert_equal(ir: &Ir, runs: &[Vec<Tensor>], what: &str) {
    assert_close(ir, runs, 0.0, what);
}

/// As [`assert_equal`], floats up to an error relative to the largest element of the result.
pub(crate) fn assert_close(ir: &Ir, runs: &[Vec<Tensor>], tolerance: f32, what: &str) {
    let compiled = compile(ir, "main", &Options::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for inputs in runs {
        let found = compiled.run(inputs).unwrap_or_else(|error| panic!("{what}: {error}"));
        let expected = evaluated(ir, inputs, &Operators::new());
        assert_same(&found, &expected, tolerance, what);
    }
}

/// Compares results, floats up to `tolerance` of the largest element.
pub(crate) fn assert_same(found: &[Tensor], expected: &[Tensor], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.shape(), expected.shape(), "{what}: result #{number}");
        match (found, expected) {
            (Tensor::I8(found), Tensor::I8(expected)) => {
                let wrong = found.iter().zip(expected).position(|(found, expected)| found != expected);
                assert!(wrong.is_none(), "{what}: result #{number} differs first at element {wrong:?}");
            }
            (Tensor::F32(found), Tensor::F32(expected)) => {
                // Terms of a sum may cancel: what is left is as exact as the terms, for which the largest element stands.
                let magnitude = expected.iter().filter(|x| x.is_finite()).fold(1.0, |most: f32, x| most.max(x.abs()));
                for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
                    let is_close = (found - expected).abs() <= tolerance * magnitude;
                    let are_both = |what: fn(f32) -> bool| what(found) && what(expected);
                    let is_same = found.to_bits() == expected.to_bits()
                        || are_both(f32::is_nan)
                        || are_both(|x| x.abs().to_bits() == 0);
                    assert!(is_same || is_close, "{what}: result #{number}[{at}] is {found:?} instead of {expected:?}");
                }
            }
            _ => panic!("{what}: result #{number} has another element type"),
        }
    }
}
