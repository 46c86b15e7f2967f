//! Targets: the parallelism, banks and options of one DPU configuration.

/// Lines in every bank.
pub const BANK_LINES: usize = 2048;

/// One DPUCZDX8G ISA-1 configuration. Source: `spec/dpuczdx8g-isa.md` section 1.1, `spec/targets.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// The eight registered ISA-1 targets, B512 to B4096.
    pub fn registered() -> Vec<Self> {
        [
            (0, 4, 8, 2),
            (1, 4, 10, 2),
            (2, 8, 8, 4),
            (3, 4, 12, 2),
            (4, 8, 10, 4),
            (5, 8, 12, 4),
            (6, 8, 14, 4),
            (7, 8, 16, 4),
        ]
        .into_iter()
        .map(|(arch, pixel_parallel, channel_parallel, alu_pixel_parallel)| Self {
            name: format!("DPUCZDX8G_ISA1_B{}", 2 * pixel_parallel * channel_parallel * channel_parallel),
            fingerprint: 0x0101_0000_5601_0000 | (alu_pixel_parallel as u64) << 8 | arch,
            pixel_parallel,
            channel_parallel,
            alu_pixel_parallel,
            feature_groups: 2,
            channel_augmentation: true,
            conv_leaky_relu: true,
            alu_leaky_relu: false,
            argmax: true,
            conv_stride_out_max: 4,
            alu_stride_out_max: 4,
        })
        .collect()
    }
}
