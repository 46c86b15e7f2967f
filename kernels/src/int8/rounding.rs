//! The epilogue of a convolution in 32 bits: what is done to each channel's sum, and when 32 bits suffice.
//!
//! With `v = 2 · sum + bias` (numerics.md 5.1, the bias in half units of the accumulator) and `cut = shift_cut`,
//!
//! ```text
//! floor(v / 2^(cut+1) + 1/2) = (sum + floor(bias / 2) + 2^(cut-1)) >> cut     for cut > 0, as 2^cut is even
//!                            =  sum + floor((bias + 1) / 2)                   for cut = 0
//! ```
//!
//! so that bias and rounding become the value a sum starts from. ReLU and `ReLU6` have integer limits and may follow the rounding.

use crate::reference::activation::Activation;
use crate::reference::conv::{Epilogue, Fix};
use crate::simd::requantise::{Requantise, Slope};

use super::encoding::Encoding;

/// The hardware's leaky slope 26/256 in lowest terms, which leaves more bits to the sums.
const LEAKY: (i8, i32) = (13, 7);

/// The largest code of `ReLU6` up to output fix point 4 (numerics.md 4).
const RELU6_LIMIT: i8 = 96;

/// Epilogue of all channels in 32 bits.
#[derive(Clone, Debug)]
pub(super) struct Rounding {
    pub(super) requantise: Requantise,
    /// What the sum of each channel starts from.
    pub(super) start: Vec<i32>,
    /// `bias - 2 · start` of each channel.
    pub(super) halves: Vec<i32>,
    /// For activations that are functions of a rounded int8 value: their bytes for each code.
    pub(super) table: Option<Box<[u8; 256]>>,
}

impl Rounding {
    /// The epilogue, or nothing if a value in it may leave 32 bits. `magnitudes` holds the largest sum of each channel without its
    /// sign.
    pub(super) fn new(
        epilogue: &Epilogue,
        fix: Fix,
        activation: Activation,
        magnitudes: &[i64],
        output: Encoding,
    ) -> Option<Self> {
        match activation {
            Activation::HardSigmoid { pre } | Activation::HardSwish { pre, .. } => {
                let inner = Fix { output: i32::try_from(pre).ok()?, ..fix };
                let rounded = Self::new(epilogue, inner, Activation::None, magnitudes, Encoding::Signed)?;
                let codes = |code: usize| {
                    output.encode(activation.apply(i64::from(code as u8 as i8), i64::from(pre), fix.output))
                };
                return Some(Self { table: Some(Box::new(std::array::from_fn(codes))), ..rounded });
            }
            _ => {}
        }
        let cut = u32::try_from(fix.shift_cut()).ok().filter(|&cut| cut <= 30)?;
        let half_unit = (1i64 << cut) >> 1;
        let biases = &epilogue.doubled_bias;
        let starts: Vec<i64> = biases
            .iter()
            .map(|&bias| if cut == 0 { (bias + 1).div_euclid(2) } else { bias.div_euclid(2) + half_unit })
            .collect();
        let halves: Vec<i64> = biases.iter().zip(&starts).map(|(&bias, &start)| bias - 2 * start).collect();
        let slope = match activation {
            Activation::LeakyRelu => Some(LEAKY),
            Activation::PRelu { multiplier, shift } => Some((multiplier, shift)),
            _ => None,
        };
        let slope = match slope {
            None => None,
            Some((multiplier, shift)) => {
                let shift = cut as i64 + 1 + i64::from(shift);
                let shift = u32::try_from(shift).ok().filter(|shift| (1..=30).contains(shift))?;
                Some(Slope { multiplier: multiplier.into(), round: 1 << (shift - 1), shift })
            }
        };
        let fits = magnitudes.iter().zip(&starts).zip(biases).all(|((&magnitude, &start), &bias)| {
            let largest = magnitude + start.abs();
            let largest = match slope {
                None => largest,
                Some(slope) => {
                    let exact = 2 * magnitude + bias.abs();
                    (2 * largest).max(exact * i64::from(slope.multiplier).abs().max(1) + i64::from(slope.round))
                }
            };
            largest <= i64::from(i32::MAX)
        });
        if !fits {
            return None;
        }
        let low = if matches!(activation, Activation::Relu | Activation::Relu6) { 0 } else { i8::MIN };
        let high = if activation == Activation::Relu6 && fix.output <= 4 { RELU6_LIMIT } else { i8::MAX };
        Some(Self {
            requantise: Requantise { shift: cut, slope, low, high, mask: output.mask() },
            start: starts.iter().map(|&start| start as i32).collect(),
            halves: halves.iter().map(|&half| half as i32).collect(),
            table: None,
        })
    }

    /// Applies the function of a rounded value to finished codes.
    pub(super) fn finish(&self, codes: &mut [u8]) {
        if let Some(table) = &self.table {
            for code in codes {
                *code = table[usize::from(*code)];
            }
        }
    }
}
