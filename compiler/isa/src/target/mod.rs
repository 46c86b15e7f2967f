//! Targets: the parallelism, banks and options of one DPU configuration.

mod error;
mod fingerprint;
mod registry;
mod resolve;

pub use error::TargetError;
pub use fingerprint::{FeatureDifference, fingerprint_differences, parse_fingerprint};
pub use registry::{Board, ObservedName};

/// Lines in every bank.
pub const BANK_LINES: usize = 2048;
/// Largest kernel side of Conv.
pub const CONV_KERNEL_MAX: usize = 16;
/// Largest stride of Conv.
pub const CONV_STRIDE_MAX: usize = 8;
/// Largest kernel side of Alu.
pub const ALU_KERNEL_MAX: usize = 256;
/// Largest stride of Alu.
pub const ALU_STRIDE_MAX: usize = 256;
/// Largest bias shift of Conv and Alu.
pub const SHIFT_BIAS_MAX: u32 = 20;

/// One DPUCZDX8G ISA-1 configuration. Source: `spec/dpuczdx8g-isa.md` section 1.1, `spec/targets.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature bit of the fingerprint")]
pub struct Target {
    /// Registered or dynamic name, e.g. `DPUCZDX8G_ISA1_B4096`.
    pub name: String,
    /// 64-bit fingerprint: type, ISA version, feature code.
    pub fingerprint: u64,
    /// `PP`: rows the convolution array computes at once = banks in a feature-map group.
    pub pixel_parallel: usize,
    /// `ICP = OCP = W`: channels in and out of the array at once = bytes in a bank line.
    pub channel_parallel: usize,
    /// `APP`: rows the misc engine computes at once.
    pub alu_pixel_parallel: usize,
    /// Feature-map bank groups.
    pub feature_groups: usize,
    /// Whether Load can fold kernel columns into channels for the first layer.
    pub channel_augmentation: bool,
    /// Whether Conv has the leaky ReLU of slope 26/256.
    pub conv_leaky_relu: bool,
    /// Whether depthwise Alu modes have that leaky ReLU.
    pub alu_leaky_relu: bool,
    /// Whether Save can reduce channels to their argmax.
    pub argmax: bool,
    /// Largest output row interleave of Conv.
    pub conv_stride_out_max: usize,
    /// Largest output row interleave of Alu.
    pub alu_stride_out_max: usize,
}

impl Target {
    /// First bank of feature-map group `group`.
    pub const fn feature_bank(&self, group: usize) -> usize {
        group * self.pixel_parallel
    }

    /// Number of feature-map banks; bank ids below it are feature-map banks.
    pub const fn feature_banks(&self) -> usize {
        self.feature_groups * self.pixel_parallel
    }

    /// First of the `channel_parallel` convolution weight banks.
    pub const fn conv_weight_bank(&self) -> usize {
        self.feature_banks()
    }

    /// The depthwise weight bank.
    pub const fn depthwise_weight_bank(&self) -> usize {
        self.conv_weight_bank() + self.channel_parallel
    }

    /// The bias bank.
    pub const fn bias_bank(&self) -> usize {
        self.depthwise_weight_bank() + 1
    }

    /// Number of banks.
    pub const fn bank_count(&self) -> usize {
        self.bias_bank() + 1
    }

    /// Bytes in a bank line.
    pub const fn line_bytes(&self) -> usize {
        self.channel_parallel
    }

    /// Lines that hold `channels` bytes.
    pub const fn lines(&self, channels: usize) -> usize {
        channels.div_ceil(self.channel_parallel)
    }

    /// Multiplications and additions of the array per cycle, the B-number of the name.
    pub const fn peak_operations(&self) -> usize {
        2 * self.pixel_parallel * self.channel_parallel * self.channel_parallel
    }

    /// Largest number of channels of a first-layer pixel after augmentation, kernel columns times input channels; 0 if the
    /// target does not augment.
    pub const fn augmented_channels_max(&self) -> usize {
        if self.channel_augmentation { 2 * self.channel_parallel } else { 0 }
    }

    /// The bank groups in the order of their bank ids, with AMD's names.
    pub fn bank_groups(&self) -> Vec<BankGroup> {
        let group = |name: String, first, banks| BankGroup { name, first, banks };
        let mut groups: Vec<_> = (0..self.feature_groups)
            .map(|index| group(format!("VB{index}"), self.feature_bank(index), self.pixel_parallel))
            .collect();
        groups.push(group("CONVW".to_owned(), self.conv_weight_bank(), self.channel_parallel));
        groups.push(group("DWCONVW".to_owned(), self.depthwise_weight_bank(), 1));
        groups.push(group("BIAS".to_owned(), self.bias_bank(), 1));
        groups
    }
}

/// Consecutive banks with one purpose. Every bank has [`BANK_LINES`] lines of [`Target::line_bytes`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankGroup {
    /// `VB0`, `VB1`, … for feature maps, `CONVW`, `DWCONVW` for weights, `BIAS`.
    pub name: String,
    /// First bank id.
    pub first: usize,
    /// Number of banks.
    pub banks: usize,
}
