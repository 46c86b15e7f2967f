//! Logarithm, error function, and the activations made of them. Their errors are stated at [`Function`](super::Function).

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, SQRT_2};

use super::function::{clamp, exp, polynomial, sigmoid, small_exp_m1};
use super::lanes::Lanes;

/// `x < 0 ? alpha * (e^x - 1) : x`
#[inline(always)]
pub(super) fn elu<L: Lanes>(lanes: L, x: L::F32, alpha: f32) -> L::F32 {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let is_small = |then, otherwise| lanes.select_less(lanes.abs(x), lanes.splat(LN_2 / 2.0), then, otherwise);
    let below = is_small(small_exp_m1(lanes, x), lanes.sub(exp(lanes, x), one));
    lanes.select_less(x, zero, lanes.mul(lanes.splat(alpha), below), x)
}

/// `ln(m * 2^n) = n ln 2 + ln m` with `m` from √½ to √2; the polynomial is that of Cephes' `logf`.
#[inline(always)]
pub(super) fn log<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    const DENORMAL: f32 = f32::MIN_POSITIVE;
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    // Denormal numbers are made normal by 2^23.
    let is_denormal = |then, otherwise| lanes.select_less(x, lanes.splat(DENORMAL), then, otherwise);
    let normal = is_denormal(lanes.mul(x, lanes.splat((1 << 23) as f32)), x);
    let [n, m] = lanes.split(normal);
    let n = lanes.sub(n, is_denormal(lanes.splat(23.0), zero));
    let is_large = |then, otherwise| lanes.select_less(lanes.splat(SQRT_2), m, then, otherwise);
    let n = lanes.add(n, is_large(one, zero));
    let m = lanes.mul(m, is_large(lanes.splat(0.5), one));
    let y = log_1p_and(lanes, lanes.sub(m, one), n);
    // Beyond the positive numbers.
    let y = lanes.select_less(lanes.splat(f32::MAX), x, x, y);
    let y = lanes.select_less(zero, x, y, lanes.splat(f32::NEG_INFINITY));
    let y = lanes.select_less(x, zero, lanes.splat(f32::NAN), y);
    // Clamped to nothing but 0, NaN stays.
    lanes.add(y, clamp(lanes, x, 0.0, 0.0))
}

/// `ln(1 + f) + n ln 2` for `f` from √½ - 1 to √2 - 1.
#[inline(always)]
fn log_1p_and<L: Lanes>(lanes: L, f: L::F32, n: L::F32) -> L::F32 {
    /// ln 2 in two parts: products of the first with exponents are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// `(ln(1 + f) - f + f^2 / 2) / f^3`
    const TAIL: [f32; 9] = [
        7.037_684e-2,
        -1.151_461e-1,
        1.167_699_8e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let square = lanes.mul(f, f);
    let y = lanes.mul(lanes.mul(polynomial(lanes, TAIL, f), f), square);
    let y = lanes.mul_add(n, lanes.splat(LN_2[1]), y);
    let y = lanes.mul_sub_from(square, lanes.splat(0.5), y);
    lanes.mul_add(n, lanes.splat(LN_2[0]), lanes.add(f, y))
}

/// `max(x, 0) + ln(1 + e^-|x|)`; what the sum `1 + e` loses is `e - ((1 + e) - 1)`, and worth that over `1 + e` in the logarithm.
#[inline(always)]
pub(super) fn softplus<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let e = exp(lanes, lanes.sub(zero, lanes.abs(x)));
    let sum = lanes.add(one, e);
    let lost = lanes.sub(e, lanes.sub(sum, one));
    let is_large = |then, otherwise| lanes.select_less(lanes.splat(SQRT_2), sum, then, otherwise);
    let half = lanes.mul(sum, is_large(lanes.splat(0.5), one));
    let log = log_1p_and(lanes, lanes.sub(half, one), is_large(one, zero));
    lanes.add(lanes.select_less(x, zero, zero, x), lanes.add(log, lanes.div(lost, sum)))
}

/// `tanh(ln(1 + e)) = n / (n + 2)` with `n = e (e + 2)`; beyond 20 it is 1.
#[inline(always)]
pub(super) fn mish<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    let two = lanes.splat(2.0);
    let e = exp(lanes, lanes.min(lanes.splat(20.0), x));
    let n = lanes.mul(e, lanes.add(e, two));
    lanes.mul(x, lanes.div(n, lanes.add(n, two)))
}

/// `x + x * p(x^2)` near 0, `1 - e^q(|x|)` with the sign of `x` elsewhere; both polynomials are least-squares fits with weights that make
/// the largest relative errors equal.
#[inline(always)]
pub(super) fn erf<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    const NEAR: [f32; 7] =
        [8.185_071e-5, -8.097_697e-4, 5.196_951_3e-3, -2.685_770_4e-2, 1.128_366_4e-1, -3.761_263_2e-1, 1.283_791_7e-1];
    const FAR: [f32; 8] = [
        -2.109_496_7e-5,
        4.344_617e-4,
        -4.171_059e-3,
        2.511_941_6e-2,
        -1.082_800_7e-1,
        -6.333_469e-1,
        -1.129_514_9,
        1.746_830_7e-4,
    ];
    /// Where the polynomials meet, and where the result is 1.
    const LIMITS: [f32; 2] = [0.93, 3.95];
    let magnitude = lanes.abs(x);
    let square = lanes.mul(x, x);
    let near = lanes.mul_add(magnitude, polynomial(lanes, NEAR, square), magnitude);
    let bounded = lanes.min(lanes.splat(LIMITS[1]), magnitude);
    let far = lanes.sub(lanes.splat(1.0), exp(lanes, polynomial(lanes, FAR, bounded)));
    lanes.copy_sign(lanes.select_less(magnitude, lanes.splat(LIMITS[0]), near, far), x)
}

/// `x * (1 + erf(x / √2)) / 2`
#[inline(always)]
pub(super) fn gelu<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    let erf = erf(lanes, lanes.mul(x, lanes.splat(FRAC_1_SQRT_2)));
    let half = lanes.splat(0.5);
    lanes.mul(x, lanes.mul_add(erf, half, half))
}

/// `x * sigmoid(√(8 / π) * (x + 0.044715 * x^3))`
#[inline(always)]
pub(super) fn gelu_tanh<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    /// `√(8 / π)` and `0.044715` times it.
    const FACTORS: [f32; 2] = [1.595_769, 7.135_481_6e-2];
    let inner = lanes.mul_add(lanes.mul(x, x), lanes.splat(FACTORS[1]), lanes.splat(FACTORS[0]));
    lanes.mul(x, sigmoid(lanes, lanes.mul(x, inner)))
}
