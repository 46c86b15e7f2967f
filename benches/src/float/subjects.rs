//! The competitors, ready to run.

use std::hint::black_box;

use dpuc_kernels::float::{
    Conv2d, Conv2dParams, DepthwiseConv2d, Function, Matmul, Pool2d, Pool2dParams, Pooling, Softmax,
};
use dpuc_kernels::simd::Kernels;
use ndarray::{Array2, Array4, Dimension, IntoDimension};
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

use super::scalar;

/// An operator and what it is compared with.
pub struct Case {
    /// What it is.
    pub name: String,
    /// Multiply-adds of a run; 0 if they are not what it spends its time on.
    pub products: usize,
    /// Runs the operator.
    pub ours: Box<dyn FnMut()>,
    /// Runs the peer.
    pub peer: Box<dyn FnMut()>,
    /// What the peer is.
    pub peer_name: &'static str,
}

/// Numbers in no particular order, from -1 to 1.
fn numbers<D: IntoDimension>(shape: D) -> ndarray::Array<f32, D::Dim> {
    let shape = shape.into_dimension();
    let number = |i: u32| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0;
    let values = (0..shape.size() as u32).map(number).collect();
    ndarray::Array::from_shape_vec(shape, values).expect("as many numbers as elements")
}

fn values(count: usize) -> Vec<f32> {
    numbers(count).into_raw_vec_and_offset().0
}

/// All cases.
pub fn cases(kernels: Kernels) -> Vec<Case> {
    let products = [
        [512, 512, 512],
        [3136, 64, 576],
        [3136, 256, 64],
        [196, 1024, 256],
        [12544, 32, 27],
        [49, 512, 4608],
        [1, 1000, 1280],
        [12544, 16, 32],
    ];
    let mut cases: Vec<Case> = products.map(|shape| matmul(kernels, shape)).into();
    cases.extend([(56, 64, 64, 3), (14, 256, 256, 3), (224, 3, 32, 3), (256, 32, 32, 3)].map(|c| conv(kernels, c)));
    for shape in [[112, 32, 3], [14, 576, 3], [28, 240, 5]] {
        cases.push(depthwise(kernels, shape));
        cases.push(pool(kernels, Pooling::Max, shape));
        cases.push(pool(kernels, Pooling::Average, shape));
    }
    cases.extend([[100, 1000], [8400, 16]].map(|shape| softmax(kernels, shape)));
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    cases.push(function(kernels, Function::Exp, f32::exp));
    cases.push(function(kernels, Function::Sigmoid, sigmoid));
    cases.push(function(kernels, Function::Tanh, f32::tanh));
    cases.push(function(kernels, Function::Silu, move |x| x * sigmoid(x)));
    cases
}

fn matmul(kernels: Kernels, [m, n, k]: [usize; 3]) -> Case {
    let (x, w) = (values(m * k), numbers((k, n)));
    let operator = Matmul::new(kernels, &w.view(), None, None).expect("a plain matrix");
    let peer = rten(m, &x, &w);
    let mut y = vec![0.0; m * n];
    Case {
        name: format!("matmul {m}x{n}x{k}"),
        products: m * n * k,
        ours: Box::new(move || operator.run(black_box(&x), &mut y)),
        peer,
        peer_name: "rten-gemm",
    }
}

/// The product with prepacked weights by `rten-gemm`.
fn rten(m: usize, x: &[f32], w: &Array2<f32>) -> Box<dyn FnMut()> {
    let (k, n) = w.dim();
    let executor = GemmExecutor::<f32>::new();
    let a = NdTensor::from_data([m, k], x.to_vec());
    let b = executor.prepack_b(NdTensorView::from_data([k, n], w.as_slice().expect("standard layout")));
    let mut output = vec![0.0; m * n];
    Box::new(move || {
        let (a, b) = (GemmInputA::Unpacked(a.view()), GemmInputB::Packed(&b));
        executor.gemm(&mut output, a, b, GemmOptions::default()).expect("matching matrices");
    })
}

/// A "same" convolution; its peer is `rten-gemm` on the finished im2col matrix, which a convolution would still have to make.
fn conv(kernels: Kernels, (size, inputs, outputs, kernel): (usize, usize, usize, usize)) -> Case {
    let (x, w) = (values(size * size * inputs), numbers([outputs, kernel, kernel, inputs]));
    let params = Conv2dParams { pads: [kernel / 2; 4], activation: Some(Function::Relu), ..Conv2dParams::default() };
    let operator = Conv2d::new(kernels, [1, size, size, inputs], &w.view(), None, &params).expect("a plain window");
    let (m, k) = (size * size, kernel * kernel * inputs);
    let peer = rten(m, &values(m * k), &numbers((k, outputs)));
    let mut y = vec![0.0; m * outputs];
    Case {
        name: format!("conv {kernel}x{kernel} {size}x{size} {inputs}->{outputs}"),
        products: m * outputs * k,
        ours: Box::new(move || operator.run(black_box(&x), &mut y)),
        peer,
        peer_name: "rten-gemm without im2col",
    }
}

fn depthwise(kernels: Kernels, [size, channels, kernel]: [usize; 3]) -> Case {
    let (x, w): (_, Array4<f32>) = (values(size * size * channels), numbers([1, kernel, kernel, channels]));
    let params = Conv2dParams { pads: [kernel / 2; 4], activation: Some(Function::Relu), ..Conv2dParams::default() };
    let shape = [1, size, size, channels];
    let operator = DepthwiseConv2d::new(kernels, shape, &w.view(), None, &params).expect("a plain window");
    let (mut y, mut z, input) = (vec![0.0; x.len()], vec![0.0; x.len()], x.clone());
    let weights = w.into_raw_vec_and_offset().0;
    Case {
        name: format!("depthwise {kernel}x{kernel} {size}x{size}x{channels}"),
        products: x.len() * kernel * kernel,
        ours: Box::new(move || operator.run(black_box(&x), &mut y)),
        peer: Box::new(move || {
            scalar::window([size, channels, kernel], 0.0, black_box(&input), &mut z, |sum, x, [tap, channel]| {
                sum + x * weights[tap * channels + channel]
            });
            for y in &mut z {
                *y = y.max(0.0);
            }
        }),
        peer_name: "scalar loop",
    }
}

fn pool(kernels: Kernels, pooling: Pooling, [size, channels, kernel]: [usize; 3]) -> Case {
    let x = values(size * size * channels);
    let params = Pool2dParams { kernel: [kernel; 2], strides: [1, 1], pads: [kernel / 2; 4] };
    let operator = Pool2d::new(kernels, pooling, [1, size, size, channels], &params).expect("a plain window");
    let (mut y, mut z, input) = (vec![0.0; x.len()], vec![0.0; x.len()], x.clone());
    let shape = [size, channels, kernel];
    let cells = (kernel * kernel) as f32;
    Case {
        name: format!("{pooling:?} pool {kernel}x{kernel} {size}x{size}x{channels}"),
        products: 0,
        ours: Box::new(move || operator.run(black_box(&x), &mut y)),
        peer: match pooling {
            Pooling::Max => Box::new(move || {
                scalar::window(shape, f32::NEG_INFINITY, black_box(&input), &mut z, |best, x, _| best.max(x));
            }),
            Pooling::Average => Box::new(move || {
                scalar::window(shape, 0.0, black_box(&input), &mut z, |sum, x, _| sum + x);
                for y in &mut z {
                    *y /= cells;
                }
            }),
        },
        peer_name: "scalar loop",
    }
}

fn softmax(kernels: Kernels, [rows, row]: [usize; 2]) -> Case {
    let x = values(rows * row);
    let operator = Softmax::new(kernels, &[rows, row], 1).expect("a matrix");
    let (mut y, mut z, input) = (vec![0.0; x.len()], vec![0.0; x.len()], x.clone());
    Case {
        name: format!("softmax {rows}x{row}"),
        products: 0,
        ours: Box::new(move || operator.run(black_box(&x), &mut y)),
        peer: Box::new(move || scalar::softmax(row, black_box(&input), &mut z)),
        peer_name: "scalar loop",
    }
}

fn function(kernels: Kernels, function: Function, plain: impl Fn(f32) -> f32 + 'static) -> Case {
    let x: Vec<f32> = values(100_000).into_iter().map(|x| 10.0 * x).collect();
    let (mut y, mut z, input) = (vec![0.0; x.len()], vec![0.0; x.len()], x.clone());
    Case {
        name: format!("{function:?} of 100000"),
        products: 0,
        ours: Box::new(move || kernels.map(function, black_box(&x), &mut y)),
        peer: Box::new(move || {
            for (&x, z) in black_box(&input).iter().zip(&mut z) {
                *z = plain(x);
            }
        }),
        peer_name: "scalar loop",
    }
}
