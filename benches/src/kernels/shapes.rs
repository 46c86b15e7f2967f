//! The shapes of the table and the published figures beside them.

/// Published GOP/s of oneDNN 3.2 in u8 x s8 on one core of a Xeon with AVX-512 VNNI, and the peak of that core.
pub const ONEDNN_PEAK: f64 = 756.0;

/// What is computed.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// `[m, k] x [n, k]^T`
    MatMul {
        /// Rows.
        m: usize,
        /// Outputs.
        n: usize,
        /// Products of a sum.
        k: usize,
    },
    /// A convolution of a square map with "same" padding.
    Convolution {
        /// Height and width of the input.
        size: usize,
        /// Input channels.
        inputs: usize,
        /// Output channels.
        outputs: usize,
        /// Height and width of the kernel.
        kernel: usize,
        /// Step on both axes.
        stride: usize,
    },
    /// A 3x3 depthwise convolution of a square map with "same" padding.
    Depthwise {
        /// Height and width.
        size: usize,
        /// Channels.
        channels: usize,
    },
}

impl Work {
    /// Multiply-accumulates.
    pub const fn products(self) -> usize {
        match self {
            Self::MatMul { m, n, k } => m * n * k,
            Self::Convolution { size, inputs, outputs, kernel, stride } => {
                let output = size.div_ceil(stride);
                output * output * outputs * inputs * kernel * kernel
            }
            Self::Depthwise { size, channels } => size * size * channels * 9,
        }
    }
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// What is computed.
    pub work: Work,
    /// Published GOP/s of oneDNN, see [`ONEDNN_PEAK`].
    pub onednn: f64,
}

const fn matmul(name: &'static str, [m, n, k]: [usize; 3], onednn: f64) -> Shape {
    Shape { name, work: Work::MatMul { m, n, k }, onednn }
}

const fn convolution(name: &'static str, [size, inputs, outputs, kernel, stride]: [usize; 5], onednn: f64) -> Shape {
    Shape { name, work: Work::Convolution { size, inputs, outputs, kernel, stride }, onednn }
}

const fn depthwise(name: &'static str, size: usize, channels: usize, onednn: f64) -> Shape {
    Shape { name, work: Work::Depthwise { size, channels }, onednn }
}

/// All lines of the table.
pub const SHAPES: [Shape; 14] = [
    matmul("gemm 512x512x512", [512, 512, 512], 750.0),
    matmul("gemm 3136x64x576", [3136, 64, 576], 720.0),
    matmul("gemm 3136x256x64", [3136, 256, 64], 557.0),
    matmul("gemm 196x1024x256", [196, 1024, 256], 696.0),
    matmul("gemm 12544x32x27", [12544, 32, 27], 345.0),
    convolution("conv 3x3 56^2 64->64", [56, 64, 64, 3, 1], 734.0),
    convolution("conv 3x3 14^2 256->256", [14, 256, 256, 3, 1], 800.0),
    convolution("conv 1x1 56^2 64->256", [56, 64, 256, 1, 1], 489.0),
    convolution("conv 7x7/2 224^2 3->64", [224, 3, 64, 7, 2], 472.0),
    convolution("pointwise 112^2 32->16", [112, 32, 16, 1, 1], 331.0),
    convolution("pointwise 56^2 144->24", [56, 144, 24, 1, 1], 425.0),
    depthwise("depthwise 3x3 112^2 x32", 112, 32, 74.0),
    depthwise("depthwise 3x3 14^2 x576", 14, 576, 70.0),
    convolution("U-Net 3x3 512^2 32->32", [512, 32, 32, 3, 1], 668.0),
];
