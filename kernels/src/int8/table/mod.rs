//! Functions of one int8 value as tables of 256 bytes.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX-512 VBMI intrinsics and the call of a function that needs them")]
mod vbmi;

use super::encoding::Encodings;
use crate::parallel::split_rows;
use crate::simd::{Kernels, Tier};

/// Bytes looked up in one step of a shared table.
const ROW: usize = 1 << 12;

/// A function of one int8 value, any of `requantise`, `leaky_relu`, `hard_sigmoid`, …, as its bytes for all 256 bytes of input.
#[derive(Clone, Debug)]
pub struct Table {
    bytes: Box<[u8; 256]>,
    has_vbmi: bool,
}

impl Table {
    /// Tabulates a function of the values that bytes stand for.
    pub fn new(kernels: Kernels, encodings: Encodings, function: impl Fn(i8) -> i8) -> Self {
        let byte = |byte: usize| encodings.output.encode(function(encodings.input.decode(byte as u8)));
        #[cfg(target_arch = "x86_64")]
        let has_vbmi = kernels.tier() == Tier::Avx512Vnni && vbmi::is_available();
        #[cfg(not(target_arch = "x86_64"))]
        let has_vbmi = kernels.tier() > Tier::Avx512Vnni;
        Self { bytes: Box::new(std::array::from_fn(byte)), has_vbmi }
    }

    /// Whether every byte stays as it is.
    pub fn is_identity(&self) -> bool {
        self.bytes.iter().enumerate().all(|(index, &byte)| index == usize::from(byte))
    }

    /// Looks up every byte of the input.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn run(&self, input: &[u8], output: &mut [u8]) {
        assert_eq!(input.len(), output.len(), "as many results as arguments");
        let whole = input.len() / ROW * ROW;
        let (rows, rest) = output.split_at_mut(whole);
        split_rows(rows, ROW, whole, |band, rows| self.look_up(&input[band.start * ROW..][..rows.len()], rows));
        self.look_up(&input[whole..], rest);
    }

    /// Looks up every byte in its place.
    pub fn run_in_place(&self, bytes: &mut [u8]) {
        let whole = bytes.len() / ROW * ROW;
        let (rows, rest) = bytes.split_at_mut(whole);
        split_rows(rows, ROW, whole, |_, rows| self.replace(rows));
        self.replace(rest);
    }

    /// [`Self::run`] by this thread alone.
    fn look_up(&self, input: &[u8], output: &mut [u8]) {
        output.copy_from_slice(input);
        self.replace(output);
    }

    /// [`Self::run_in_place`] by this thread alone.
    pub(super) fn replace(&self, bytes: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if self.has_vbmi {
            return vbmi::replace(&self.bytes, bytes);
        }
        for byte in bytes {
            *byte = self.bytes[usize::from(*byte)];
        }
    }
}
