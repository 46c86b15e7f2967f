//! Between f32 and int8.

use super::encoding::Encoding;
use super::powers::Powers;
use crate::parallel::split_rows;
use crate::reference::round::dequantise;
use crate::simd::Kernels;

/// f32 to int8: [`quantise`](crate::reference::round::quantise).
#[derive(Clone, Copy, Debug)]
pub struct Quantise {
    kernels: Kernels,
    scale: Powers,
    encoding: Encoding,
}

impl Quantise {
    /// Prepares the conversion to codes of a fix point.
    pub fn new(kernels: Kernels, fix_point: i32, encoding: Encoding) -> Self {
        Self { kernels, scale: Powers::new(fix_point.into()), encoding }
    }

    /// Converts all elements.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn run(&self, input: &[f32], output: &mut [u8]) {
        assert_eq!(input.len(), output.len(), "as many results as arguments");
        let scale = self.scale;
        let mask = self.encoding.mask();
        split_rows(output, 1, input.len(), |band, output| {
            self.kernels.vectorised(|| {
                for (&x, byte) in input[band].iter().zip(output) {
                    *byte = scale.round(x) as u8 ^ mask;
                }
            });
        });
    }
}

/// int8 to f32: [`dequantise`].
#[derive(Clone, Debug)]
pub struct Dequantise {
    kernels: Kernels,
    /// The scale, if all results are normal numbers or 0, so that one product is exact.
    scale: Option<f32>,
    values: Box<[f32; 256]>,
    encoding: Encoding,
}

impl Dequantise {
    /// Prepares the conversion of codes of a fix point.
    pub fn new(kernels: Kernels, fix_point: i32, encoding: Encoding) -> Self {
        let value = |byte: usize| dequantise(encoding.decode(byte as u8), fix_point);
        let scale = (-110..=110).contains(&fix_point).then(|| f32::exp2(-fix_point as f32));
        Self { kernels, scale, values: Box::new(std::array::from_fn(value)), encoding }
    }

    /// Converts all elements.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn run(&self, input: &[u8], output: &mut [f32]) {
        assert_eq!(input.len(), output.len(), "as many results as arguments");
        let mask = self.encoding.mask();
        split_rows(output, 1, input.len(), |band, output| {
            let input = &input[band];
            let Some(scale) = self.scale else {
                for (&byte, value) in input.iter().zip(output) {
                    *value = self.values[usize::from(byte)];
                }
                return;
            };
            self.kernels.vectorised(|| {
                for (&byte, value) in input.iter().zip(output) {
                    *value = f32::from((byte ^ mask) as i8) * scale;
                }
            });
        });
    }
}
