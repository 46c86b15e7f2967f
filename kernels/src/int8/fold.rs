//! What poolings and reductions do with values.

use super::scale::Scale;

/// Folds values into one.
pub(super) trait Fold {
    /// What is kept of the values so far.
    type Sum: Copy;

    /// Of no values.
    const START: Self::Sum;

    /// Takes in a value.
    fn step(sum: Self::Sum, value: i8) -> Self::Sum;

    /// Joins what was kept of two parts.
    fn join(a: Self::Sum, b: Self::Sum) -> Self::Sum;

    /// The byte of the output.
    fn finish(&self, sum: Self::Sum) -> u8;
}

/// The largest value, two's complement.
pub(super) struct Maximum;

impl Fold for Maximum {
    type Sum = i8;

    /// Padding counts as -128.
    const START: i8 = i8::MIN;

    #[inline(always)]
    fn step(best: i8, value: i8) -> i8 {
        best.max(value)
    }

    #[inline(always)]
    fn join(a: i8, b: i8) -> i8 {
        a.max(b)
    }

    #[inline(always)]
    fn finish(&self, best: i8) -> u8 {
        best as u8
    }
}

impl Fold for Scale {
    type Sum = i32;

    const START: i32 = 0;

    #[inline(always)]
    fn step(sum: i32, value: i8) -> i32 {
        sum + i32::from(value)
    }

    #[inline(always)]
    fn join(a: i32, b: i32) -> i32 {
        a + b
    }

    #[inline(always)]
    fn finish(&self, sum: i32) -> u8 {
        self.byte(sum)
    }
}
