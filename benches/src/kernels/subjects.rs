//! The competitors, ready to run.

use dpuc_kernels::int8::{Convolution, Depthwise, Encoding, Encodings, MatMul};
use dpuc_kernels::reference::activation::Activation;
use dpuc_kernels::reference::conv::{Conv2dParams, Fix};
use dpuc_kernels::simd::Kernels;
use ndarray::{Array1, Array2, Array4};
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

use super::shapes::Work;

/// Requantised with a shift, a bias and ReLU, as almost every operator of a network is.
const FIX: Fix = Fix { input: 5, weights: 7, bias: 8, output: 3 };

/// Bytes in no particular order.
fn bytes(count: usize) -> impl Iterator<Item = i8> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i8)
}

enum Operator {
    MatMul(MatMul),
    Convolution(Convolution),
    Depthwise(Box<Depthwise>),
}

/// A packed operator of `dpuc-kernels` with its memory.
pub struct Ours {
    operator: Operator,
    input: Vec<u8>,
    output: Vec<u8>,
    scratch: Vec<u8>,
}

impl Ours {
    /// Packs the operator for the offset form on both sides.
    ///
    /// # Panics
    /// If the shape is refused.
    pub fn new(kernels: Kernels, work: Work) -> Self {
        let encodings = Encodings::both(Encoding::Offset);
        let activation = Activation::Relu;
        let map = |shape: [usize; 4]| {
            let count = shape.iter().product();
            Array4::from_shape_vec(shape, bytes(count).collect()).expect("as many bytes as elements")
        };
        let params = |kernel: usize, stride: usize| {
            let (before, after) = ((kernel - 1) / 2, kernel / 2);
            let pads = [before, before, after, after];
            Conv2dParams { strides: [stride; 2], dilations: [1, 1], pads, fix: FIX, activation }
        };
        let bias = |outputs: usize| Array1::from_iter(bytes(outputs));
        let (operator, inputs, outputs, scratch) = match work {
            Work::MatMul { m, n, k } => {
                let weights =
                    Array2::from_shape_vec((n, k), bytes(n * k).collect()).expect("as many bytes as elements");
                let operator =
                    MatMul::new(kernels, m, &weights.view(), Some(bias(n).view()), FIX, activation, encodings);
                let operator = operator.expect("a plain matrix product");
                let scratch = operator.scratch_bytes();
                (Operator::MatMul(operator), m * k, m * n, scratch)
            }
            Work::Convolution { size, inputs, outputs, kernel, stride } => {
                let (shape, weights) = ([1, size, size, inputs], map([outputs, kernel, kernel, inputs]));
                let (bias, params) = (bias(outputs), params(kernel, stride));
                let operator =
                    Convolution::new(kernels, shape, &weights.view(), Some(bias.view()), 1, &params, encodings);
                let operator = operator.expect("a plain convolution");
                let (results, scratch) = (operator.output_shape().iter().product(), operator.scratch_bytes());
                (Operator::Convolution(operator), shape.iter().product(), results, scratch)
            }
            Work::Depthwise { size, channels } => {
                let (shape, weights) = ([1, size, size, channels], map([1, 3, 3, channels]));
                let (bias, params) = (bias(channels), params(3, 1));
                let operator = Depthwise::new(kernels, shape, &weights.view(), Some(bias.view()), &params, encodings);
                let operator = operator.expect("a plain depthwise convolution");
                let (results, scratch) = (operator.output_shape().iter().product(), operator.scratch_bytes());
                (Operator::Depthwise(Box::new(operator)), shape.iter().product(), results, scratch)
            }
        };
        let input = bytes(inputs).map(i8::cast_unsigned).collect();
        Self { operator, input, output: vec![0; outputs], scratch: vec![0; scratch] }
    }

    /// Runs it once.
    pub fn run(&mut self) {
        let Self { operator, input, output, scratch } = self;
        match operator {
            Operator::MatMul(operator) => operator.run(input, output, scratch),
            Operator::Convolution(operator) => operator.run(input, output, scratch),
            Operator::Depthwise(operator) => operator.run(input, output, scratch),
        }
    }
}

/// `rten-gemm` in u8 x i8 with prepacked weights; its results are sums of 32 bits, not requantised.
pub struct Rten {
    executor: GemmExecutor<u8, i8, i32>,
    a: NdTensor<u8, 2>,
    b: PackedBMatrix<i8>,
    output: Vec<i32>,
}

impl Rten {
    /// The peer of a matrix product; nothing for other work.
    pub fn new(work: Work) -> Option<Self> {
        let Work::MatMul { m, n, k } = work else { return None };
        let executor = GemmExecutor::new();
        let a = NdTensor::from_data([m, k], bytes(m * k).map(i8::cast_unsigned).collect::<Vec<_>>());
        let b: Vec<i8> = bytes(k * n).collect();
        let b = executor.prepack_b(NdTensorView::from_data([k, n], b.as_slice()));
        Some(Self { executor, a, b, output: vec![0; m * n] })
    }

    /// Runs it once.
    ///
    /// # Panics
    /// If the peer refuses its own packed matrices.
    pub fn run(&mut self) {
        let (a, b) = (GemmInputA::Unpacked(self.a.view()), GemmInputB::Packed(&self.b));
        self.executor.gemm(&mut self.output, a, b, GemmOptions::default()).expect("matching matrices");
    }
}
