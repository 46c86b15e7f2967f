//! Functions of one real variable.
//!
//! Greatest error against the correctly rounded result, in units in the last place of the result (denormal results: of
//! the smallest denormal), on every tier; tested with every 509th of all 2^32 floats:
//!
//! | function | error |
//! |---|---|
//! | `exp` | 1 |
//! | `sigmoid` | 2.5 |
//! | `tanh` | 2 |
//! | `silu` | 3.5; below -87, where `sigmoid` is denormal, `|x|` of the smallest denormals |
//! | `elu` (of slope 1) | 2.5 |
//! | `log` | 1.5 |
//! | `softplus` | 3 |
//! | `mish` | 4; below -87 as `silu` |
//! | `erf` | 1.5 |
//! | `gelu`, `gelu_tanh` | of `x`, not of the result: 2 |
//!
//! A NaN gives NaN (`relu`: 0), infinities the limits, but `silu(-∞)` is NaN, as the product `x * sigmoid(x)` is. Tiers may
//! differ from each other within these bounds. The other functions are exact: they equal their formula in f32.

use super::lanes::{Lanes, Task, round};
use super::special;
use crate::parallel::split_units;
use crate::simd::Kernels;

/// A function of one real variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x < 0 ? alpha * x : x`
    LeakyRelu(
        /// Slope of the negative half.
        f32,
    ),
    /// `relu6(x + 3) / 6`
    HardSigmoid,
    /// `x * relu6(x + 3) / 6`
    HardSwish,
    /// `e^x`
    Exp,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x / (1 + e^-x)`
    Silu,
    /// `x < 0 ? alpha * (e^x - 1) : x`
    Elu(
        /// Minus the limit for small numbers.
        f32,
    ),
    /// Natural logarithm.
    Log,
    /// `ln(1 + e^x)`
    Softplus,
    /// `x * tanh(ln(1 + e^x))`
    Mish,
    /// Error function.
    Erf,
    /// `x * (1 + erf(x / √2)) / 2`
    Gelu,
    /// `x * (1 + tanh(√(2 / π) * (x + 0.044715 * x^3))) / 2`
    GeluTanh,
}

/// Elementary operations of a function, about.
const COST: usize = 16;
/// Elements of the parts that threads share, whole vectors of any tier.
const UNIT: usize = 1 << 10;

impl Kernels {
    /// `output[i] = function(input[i])`, large slices in several threads.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn map(self, function: Function, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len(), output.len(), "as many results as arguments");
        let work = output.len().saturating_mul(COST);
        split_units(output, UNIT, work, |part, output| {
            self.with_lanes(Map { function, input: &input[part], output });
        });
    }

    /// What is left of an activation once values are between its [`Function::limits`].
    pub(super) fn finish(self, activation: Option<Function>, values: &mut [f32]) {
        if let Some(function) = activation.filter(|function| function.limits().is_none()) {
            self.map_in_place(function, values);
        }
    }

    /// `values[i] = function(values[i])`
    pub fn map_in_place(self, function: Function, values: &mut [f32]) {
        self.with_lanes(MapInPlace { function, values });
    }
}

struct Map<'a> {
    function: Function,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Task for Map<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (input, output) in self.input.chunks(L::COUNT).zip(self.output.chunks_mut(L::COUNT)) {
            lanes.store_up_to(self.function.apply(lanes, lanes.load_up_to(input)), output);
        }
    }
}

struct MapInPlace<'a> {
    function: Function,
    values: &'a mut [f32],
}

impl Task for MapInPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for values in self.values.chunks_mut(L::COUNT) {
            lanes.store_up_to(self.function.apply(lanes, lanes.load_up_to(values)), values);
        }
    }
}

impl Function {
    /// The limits between which the function keeps its argument, if it does nothing else.
    pub(super) const fn limits(self) -> Option<[f32; 2]> {
        match self {
            Self::Relu => Some([0.0, f32::INFINITY]),
            Self::Relu6 => Some([0.0, 6.0]),
            _ => None,
        }
    }

    /// The function of every lane.
    #[inline(always)]
    fn apply<L: Lanes>(self, lanes: L, x: L::F32) -> L::F32 {
        match self {
            Self::Relu => lanes.max(x, lanes.splat(0.0)),
            Self::Relu6 => clamp(lanes, x, 0.0, 6.0),
            Self::LeakyRelu(alpha) => lanes.select_less(x, lanes.splat(0.0), lanes.mul(lanes.splat(alpha), x), x),
            Self::HardSigmoid => hard_sigmoid(lanes, x),
            Self::HardSwish => lanes.mul(x, hard_sigmoid(lanes, x)),
            Self::Exp => exp(lanes, x),
            Self::Sigmoid => sigmoid(lanes, x),
            Self::Tanh => tanh(lanes, x),
            Self::Silu => lanes.mul(x, sigmoid(lanes, x)),
            Self::Elu(alpha) => special::elu(lanes, x, alpha),
            Self::Log => special::log(lanes, x),
            Self::Softplus => special::softplus(lanes, x),
            Self::Mish => special::mish(lanes, x),
            Self::Erf => special::erf(lanes, x),
            Self::Gelu => special::gelu(lanes, x),
            Self::GeluTanh => special::gelu_tanh(lanes, x),
        }
    }
}

/// `x` moved into `low..=high`; NaN stays.
#[inline(always)]
pub(super) fn clamp<L: Lanes>(lanes: L, x: L::F32, low: f32, high: f32) -> L::F32 {
    lanes.min(lanes.splat(high), lanes.max(lanes.splat(low), x))
}

#[inline(always)]
fn hard_sigmoid<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    let six = lanes.splat(6.0);
    lanes.div(clamp(lanes, lanes.add(x, lanes.splat(3.0)), 0.0, 6.0), six)
}

/// `c[0] * x^n + c[1] * x^(n-1) + …`
#[inline(always)]
pub(super) fn polynomial<L: Lanes, const N: usize>(lanes: L, coefficients: [f32; N], x: L::F32) -> L::F32 {
    let mut sum = lanes.splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = lanes.mul_add(sum, x, lanes.splat(coefficient));
    }
    sum
}

/// `e^x = 2^n * e^r` with `|r| <= ln 2 / 2`; reduction and polynomial are those of Cephes' `expf`.
#[inline(always)]
pub(super) fn exp<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    /// ln 2 in two parts: products of the first with whole numbers up to 2^15 are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Beyond these the result is 0 or infinite.
    let x = clamp(lanes, x, -104.0, 89.0);
    let n = round(lanes, lanes.mul(x, lanes.splat(std::f32::consts::LOG2_E)));
    let r = lanes.mul_sub_from(n, lanes.splat(LN_2[0]), x);
    let r = lanes.mul_sub_from(n, lanes.splat(LN_2[1]), r);
    lanes.scale(lanes.add(small_exp_m1(lanes, r), lanes.splat(1.0)), n)
}

/// `e^r - 1` for `|r| <= ln 2 / 2`.
#[inline(always)]
pub(super) fn small_exp_m1<L: Lanes>(lanes: L, r: L::F32) -> L::F32 {
    /// `(e^r - 1 - r) / r^2`
    const TAIL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    let tail = polynomial(lanes, TAIL, r);
    lanes.mul_add(lanes.mul(r, r), tail, r)
}

/// From `e^-|x|`, which cannot overflow, on both sides of 0.
#[inline(always)]
pub(super) fn sigmoid<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let e = exp(lanes, lanes.sub(zero, lanes.abs(x)));
    lanes.div(lanes.select_less(x, zero, e, one), lanes.add(one, e))
}

/// An odd polynomial near 0 (Cephes' `tanhf`), `1 - 2 / (e^2|x| + 1)` with the sign of `x` elsewhere.
#[inline(always)]
fn tanh<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    /// `(tanh(x) - x) / x^3` in `x^2`
    const TAIL: [f32; 5] = [-5.704_988_7e-3, 2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1];
    const SMALL: f32 = 0.625;
    let (one, two) = (lanes.splat(1.0), lanes.splat(2.0));
    let magnitude = lanes.abs(x);
    let square = lanes.mul(x, x);
    let small = lanes.mul_add(lanes.mul(polynomial(lanes, TAIL, square), square), magnitude, magnitude);
    let e = exp(lanes, lanes.mul(magnitude, two));
    let large = lanes.sub(one, lanes.div(two, lanes.add(e, one)));
    lanes.copy_sign(lanes.select_less(magnitude, lanes.splat(SMALL), small, large), x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::real::RealFunction;
    use crate::simd::Tier;

    /// Distance between neighbouring bit patterns tested: coprime to 2, so that all low bits occur.
    const STEP: usize = 509;

    fn tiers() -> impl Iterator<Item = Kernels> {
        Tier::ALL.into_iter().filter_map(Kernels::new)
    }

    /// Distance in units of the last place of the expected value.
    fn error_in_ulps(found: f32, expected: f64) -> f64 {
        let rounded = expected as f32;
        if found.to_bits() == rounded.to_bits() || (found.is_nan() && rounded.is_nan()) {
            return 0.0;
        }
        let exponent = rounded.abs().log2().floor().max(-126.0);
        (f64::from(found) - expected).abs() / f64::exp2(f64::from(exponent) - 23.0)
    }

    /// The largest error over every [`STEP`]-th float of those not below `from` is at most `bound`.
    fn check(function: Function, exact: fn(f64) -> f64, bound: f64, from: f32) {
        let all: Vec<f32> = (0..=u32::MAX).step_by(STEP).map(f32::from_bits).collect();
        for kernels in tiers() {
            let mut found = vec![0.0; all.len()];
            kernels.map(function, &all, &mut found);
            let pairs = all.iter().zip(&found).filter(|(x, _)| **x >= from || x.is_nan());
            let errors = pairs.map(|(&x, &y)| (error_in_ulps(y, exact(f64::from(x))), x, y));
            let worst = errors.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
            assert!(worst.0 <= bound, "{function:?} {:?}: {worst:?}", kernels.tier());
        }
    }

    fn sigmoid(x: f64) -> f64 {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    }

    #[test]
    fn errors_over_the_whole_range_of_f32() {
        let all = f32::NEG_INFINITY;
        check(Function::Exp, f64::exp, 1.0, all);
        check(Function::Sigmoid, sigmoid, 2.5, all);
        check(Function::Tanh, f64::tanh, 2.0, all);
        check(Function::Silu, |x| x * sigmoid(x), 3.5, -87.0);
        check(Function::Silu, |x| x * sigmoid(x), 104.0, f32::MIN);
        check(Function::Elu(1.0), |x| if x < 0.0 { x.exp_m1() } else { x }, 2.5, all);
        check(Function::Log, f64::ln, 1.5, all);
        check(Function::Softplus, |x| RealFunction::Softplus.evaluate(x), 3.0, all);
        check(Function::Mish, |x| RealFunction::Mish.evaluate(x), 4.0, -87.0);
        check(Function::Mish, |x| RealFunction::Mish.evaluate(x), 104.0, f32::MIN);
        check(Function::Erf, |x| RealFunction::Erf.evaluate(x), 1.5, all);
    }

    /// The tails of these are products of a number and a difference that cancels.
    #[test]
    fn errors_in_units_of_the_argument() {
        for (function, exact) in [(Function::Gelu, RealFunction::Gelu), (Function::GeluTanh, RealFunction::GeluTanh)] {
            let all: Vec<f32> = (0..=u32::MAX).step_by(STEP).map(f32::from_bits).filter(|x| x.is_finite()).collect();
            for kernels in tiers() {
                let mut found = vec![0.0; all.len()];
                kernels.map(function, &all, &mut found);
                for (&x, &y) in all.iter().zip(&found) {
                    let unit = f64::exp2(f64::from(x.abs().log2().floor().max(-126.0)) - 23.0);
                    let error = (f64::from(y) - exact.evaluate(f64::from(x))).abs();
                    assert!(error <= 2.0 * unit, "{function:?}({x}) = {y} {:?}: {}", kernels.tier(), error / unit);
                }
            }
        }
    }

    #[test]
    fn special_values() {
        let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN, 1e-45, -1e-45, -95.0];
        for kernels in tiers() {
            let run = |function| {
                let mut values = x;
                kernels.map_in_place(function, &mut values);
                assert!(values[0].is_nan(), "{function:?}");
                values[1..].to_vec()
            };
            let denormal = (-95f64).exp() as f32;
            assert_eq!(run(Function::Exp), [f32::INFINITY, 0.0, 1.0, 1.0, f32::INFINITY, 0.0, 1.0, 1.0, denormal]);
            assert_eq!(run(Function::Sigmoid), [1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.5, 0.5, denormal]);
            let tanh = run(Function::Tanh);
            assert_eq!(tanh, [1.0, -1.0, 0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, -1.0]);
            assert!(tanh[3].is_sign_negative() && tanh[2].is_sign_positive());
            let silu = run(Function::Silu);
            assert!(silu[1].is_nan());
            assert_eq!((silu[0], &silu[2..5]), (f32::INFINITY, &[0.0, -0.0, f32::MAX][..]));
            for function in [Function::Gelu, Function::GeluTanh, Function::Mish] {
                let y = run(function);
                assert!(y[1].is_nan(), "{function:?}");
                assert_eq!((y[0], &y[2..5]), (f32::INFINITY, &[0.0, -0.0, f32::MAX][..]), "{function:?}");
            }
            assert_eq!(run(Function::Erf)[..6], [1.0, -1.0, 0.0, -0.0, 1.0, -1.0]);
            assert_eq!(run(Function::Elu(0.5))[..6], [f32::INFINITY, -0.5, 0.0, -0.0, f32::MAX, -0.5]);
            assert_eq!(run(Function::Softplus)[..2], [f32::INFINITY, 0.0]);
            let log = run(Function::Log);
            assert_eq!((log[0], &log[2..4]), (f32::INFINITY, &[f32::NEG_INFINITY; 2][..]));
            assert!(log[1].is_nan() && log[5].is_nan() && log[7].is_nan() && log[8].is_nan());
        }
    }

    /// The formulas of the reference evaluator.
    #[test]
    fn functions_of_one_clamp_are_exact() {
        let x: Vec<f32> = (-700..700).map(|i| i as f32 / 97.0).chain([f32::INFINITY, f32::NEG_INFINITY]).collect();
        let hard_sigmoid = |x: f32| (x + 3.0).clamp(0.0, 6.0) / 6.0;
        for kernels in tiers() {
            let check = |function, exact: &dyn Fn(f32) -> f32| {
                let mut y = vec![0.0; x.len()];
                kernels.map(function, &x, &mut y);
                let same = |(&x, &y): (&f32, &f32)| y == exact(x) || (y.is_nan() && exact(x).is_nan());
                assert!(x.iter().zip(&y).all(same), "{function:?}");
            };
            check(Function::Relu, &|x| x.max(0.0));
            check(Function::Relu6, &|x| x.clamp(0.0, 6.0));
            check(Function::LeakyRelu(0.101_562_5), &|x| if x < 0.0 { 0.101_562_5 * x } else { x });
            check(Function::HardSigmoid, &hard_sigmoid);
            check(Function::HardSwish, &|x| x * hard_sigmoid(x));
            let mut nan = [f32::NAN; 3];
            kernels.map_in_place(Function::Relu, &mut nan);
            assert_eq!(nan, [0.0; 3]);
        }
    }

    #[test]
    fn every_length_is_mapped() {
        for kernels in tiers() {
            for length in 0..70 {
                let x: Vec<f32> = (0..length).map(|i| i as f32 / 8.0).collect();
                let mut y = vec![0.0; length];
                kernels.map(Function::Sigmoid, &x, &mut y);
                let each = x.iter().map(|&x| {
                    let mut one = [x];
                    kernels.map_in_place(Function::Sigmoid, &mut one);
                    one[0]
                });
                assert_eq!(y, each.collect::<Vec<_>>());
            }
        }
    }
}
