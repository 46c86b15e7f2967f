//! Operations with packed kernels: what they are is read from the operation, and their constants are packed once.

use std::sync::Arc;

use cranelift_codegen::entity::EntitySet;
use dpuc_dialects::Ir;
use dpuc_evaluate::{Tensor, sampling};
use dpuc_kernels::Gather;
use dpuc_kernels::float::{
    self, BatchMatmul, Conv2d, DepthwiseConv2d, Function, LayerNorm, Matmul, Pool2d, Pool2dParams, Pooling, Softmax,
};
use dpuc_kernels::int8::{Convolution, Depthwise, Encoding, Encodings, Interpolation, Resize};
use dpuc_kernels::reference::KernelError;
use dpuc_kernels::reference::activation::Activation;
use dpuc_kernels::reference::conv::{Conv2dParams, Fix};
use dpuc_kernels::reference::round::Rescale;
use ndarray::{ArrayView1, ArrayView4, ArrayViewD, Ix1, Ix2, Ix4};

use super::Lowering;
use super::attributes::{coordinates, size, sizes};
use crate::error::Error;
use crate::kernel::{Kernel, Map, Pair};
use crate::network::{Element, Network, Operation, TensorId, refusal};

type Packed = Option<Box<dyn Kernel>>;

impl Lowering<'_> {
    /// The packed kernel of an operation, if it has one.
    pub(super) fn packed(&mut self, operation: &Operation) -> Result<Packed, Error> {
        let packed = match self.ir.op_name(operation.op).split_once('.') {
            Some(("int8", name)) if is_convolution(name) => self.fixed_convolution(name, operation),
            Some(("int8", "upsample")) => self.fixed_upsample(operation),
            Some(("nn", name)) => self.float_kernel(name, operation),
            _ => Ok(None),
        };
        packed.map_err(|error| refusal(self.ir, operation.op, error.to_string()))
    }

    fn map_shape(&self, tensor: TensorId) -> Option<[usize; 4]> {
        self.shape(tensor).try_into().ok()
    }

    /// How the bytes of a tensor stand for codes.
    pub(super) fn encoding(&mut self, tensor: TensorId) -> Encoding {
        let view = self.read(tensor);
        self.program.buffers[view.buffer].encoding
    }

    fn list<const N: usize>(&self, operation: &Operation, name: &str) -> Option<[usize; N]> {
        sizes(self.ir, operation.op, name)?.try_into().ok()
    }

    fn fixed_convolution(&mut self, name: &str, operation: &Operation) -> Result<Packed, KernelError> {
        let &[x, w, ..] = &operation.operands[..] else { return Ok(None) };
        let (b, y) = (operation.operands.get(2).copied(), operation.results[0]);
        if self.info(x).constant.is_some() {
            return Ok(None);
        }
        let encodings = Encodings { input: self.encoding(x), output: self.encoding(y) };
        let transposed = name.starts_with("transposed");
        let params = || {
            let fix = |tensor: TensorId| self.info(tensor).fix;
            Some(Conv2dParams {
                strides: self.list(operation, "strides")?,
                dilations: if transposed { [1, 1] } else { self.list(operation, "dilations")? },
                pads: self.list(operation, "pads")?,
                fix: Fix { input: fix(x)?, weights: fix(w)?, bias: b.map_or(Some(0), fix)?, output: fix(y)? },
                activation: match self.ir.str(operation.op, "activation")? {
                    "none" => Activation::None,
                    "relu" => Activation::Relu,
                    "relu6" => Activation::Relu6,
                    "leaky_relu" => Activation::LeakyRelu,
                    _ => return None,
                },
            })
        };
        let (Some(input), Some(params)) = (self.map_shape(x), params()) else { return Ok(None) };
        let (Some(weights), Some(bias)) = (self.codes(w), b.map_or(Some(None), |b| self.code_vector(b).map(Some)))
        else {
            return Ok(None);
        };
        let kernels = self.kernels;
        let groups = size(self.ir, operation.op, "groups").unwrap_or(1);
        let weights = &weights;
        Ok(Some(match name {
            "conv2d" => Box::new(Convolution::new(kernels, input, weights, bias, groups, &params, encodings)?),
            "depthwise_conv2d" => Box::new(Depthwise::new(kernels, input, weights, bias, &params, encodings)?),
            "transposed_conv2d" => {
                Box::new(Convolution::transposed(kernels, input, weights, bias, &params, encodings)?)
            }
            _ => Box::new(Depthwise::transposed(kernels, input, weights, bias, &params, encodings)?),
        }))
    }

    fn fixed_upsample(&mut self, operation: &Operation) -> Result<Packed, KernelError> {
        let (x, y) = (operation.operands[0], operation.results[0]);
        if self.info(x).constant.is_some() {
            return Ok(None);
        }
        let encodings = Encodings { input: self.encoding(x), output: self.encoding(y) };
        let parts = || {
            let interpolation = match self.ir.str(operation.op, "mode")? {
                "nearest" => Interpolation::Nearest,
                "bilinear" => Interpolation::Bilinear,
                _ => return None,
            };
            let [_, height, width, _] = self.map_shape(y)?;
            let fix = Rescale { input: self.info(x).fix?, output: self.info(y).fix? };
            Some((self.map_shape(x)?, [height, width], interpolation, coordinates(self.ir, operation.op)?, fix))
        };
        let Some((input, size, interpolation, coordinates, fix)) = parts() else { return Ok(None) };
        Ok(Some(Box::new(Resize::new(self.kernels, input, size, interpolation, coordinates, fix, encodings)?)))
    }

    fn codes(&self, tensor: TensorId) -> Option<ArrayView4<'_, i8>> {
        self.info(tensor).constant.as_ref()?.as_i8()?.view().into_dimensionality::<Ix4>().ok()
    }

    fn code_vector(&self, tensor: TensorId) -> Option<ArrayView1<'_, i8>> {
        self.info(tensor).constant.as_ref()?.as_i8()?.view().into_dimensionality::<Ix1>().ok()
    }

    fn floats(&self, tensor: TensorId) -> Option<ArrayViewD<'_, f32>> {
        self.info(tensor).constant.as_ref().and_then(|constant| constant.as_f32()).map(|values| values.view())
    }

    fn float_kernel(&self, name: &str, operation: &Operation) -> Result<Packed, KernelError> {
        let Some(&x) = operation.operands.first() else { return Ok(None) };
        match name {
            "gather" => return self.gather(operation),
            "batch_matmul" => return self.batch_matmul(operation),
            _ => {}
        }
        if self.info(x).constant.is_some() || self.info(x).element != Element::F32 {
            return Ok(None);
        }
        let kernels = self.kernels;
        let map = |function| -> Result<Packed, KernelError> { Ok(Some(Box::new(Map { kernels, function }))) };
        match name {
            "sigmoid" => map(Function::Sigmoid),
            "tanh" => map(Function::Tanh),
            "exp" => map(Function::Exp),
            "log" => map(Function::Log),
            "erf" => map(Function::Erf),
            "silu" => map(Function::Silu),
            "mish" => map(Function::Mish),
            "softplus" => map(Function::Softplus),
            "elu" => match self.ir.float(operation.op, "alpha") {
                Some(alpha) => map(Function::Elu(alpha as f32)),
                None => Ok(None),
            },
            "gelu" => match self.ir.str(operation.op, "approximate") {
                Some("none") => map(Function::Gelu),
                Some("tanh") => map(Function::GeluTanh),
                _ => Ok(None),
            },
            "layer_norm" => self.layer_norm(operation),
            "resize" => self.float_resize(operation),
            "softmax" => {
                let Some(axis) = size(self.ir, operation.op, "axis") else { return Ok(None) };
                Ok(Some(Box::new(Softmax::new(kernels, self.shape(x), axis)?)))
            }
            "max_pool" => self.float_pool(operation, Pooling::Max),
            "avg_pool" if self.ir.bool(operation.op, "exclude_padding") == Some(false) => {
                self.float_pool(operation, Pooling::Average)
            }
            "matmul" if !self.has_variable_bias(operation) => self.float_matmul(operation),
            _ if is_convolution(name) && !self.has_variable_bias(operation) => self.float_convolution(name, operation),
            _ => Ok(None),
        }
    }

    /// Known operands of an operation of two; `None` if there are more or fewer.
    fn known(&self, operation: &Operation) -> Option<[Option<Arc<Tensor>>; 2]> {
        let operands: [TensorId; 2] = operation.operands[..].try_into().ok()?;
        Some(operands.map(|operand| self.info(operand).constant.clone()))
    }

    fn gather(&self, operation: &Operation) -> Result<Packed, KernelError> {
        let (Some(known), Some(axis)) = (self.known(operation), size(self.ir, operation.op, "axis")) else {
            return Ok(None);
        };
        let [data, indices] = [0, 1].map(|operand| self.shape(operation.operands[operand]));
        let operator = Gather::new(data, axis, indices.iter().product())?;
        Ok(Some(Box::new(Pair { operator, known })))
    }

    fn batch_matmul(&self, operation: &Operation) -> Result<Packed, KernelError> {
        let Some(known) = self.known(operation) else { return Ok(None) };
        let [lhs, rhs] = [0, 1].map(|operand| self.shape(operation.operands[operand]));
        Ok(Some(Box::new(Pair { operator: BatchMatmul::new(self.kernels, lhs, rhs)?, known })))
    }

    fn layer_norm(&self, operation: &Operation) -> Result<Packed, KernelError> {
        let input = self.shape(operation.operands[0]);
        let parts = || {
            let (axis, epsilon) = (size(self.ir, operation.op, "axis")?, self.ir.float(operation.op, "epsilon")?);
            let vectors =
                operation.operands[1..].iter().map(|&vector| self.floats(vector)).collect::<Option<Vec<_>>>()?;
            Some((input.get(axis..)?.iter().product(), epsilon as f32, vectors))
        };
        let Some((length, epsilon, vectors)) = parts() else { return Ok(None) };
        let vector = |index: usize| vectors.get(index).and_then(ArrayViewD::to_slice);
        Ok(Some(Box::new(LayerNorm::new(self.kernels, length, vector(0), vector(1), epsilon)?)))
    }

    fn float_resize(&self, operation: &Operation) -> Result<Packed, KernelError> {
        let (x, y) = (operation.operands[0], operation.results[0]);
        let (Some(input), Some([_, height, width, _])) = (self.map_shape(x), self.map_shape(y)) else {
            return Ok(None);
        };
        let Ok(sampling) = sampling(self.ir, operation.op) else { return Ok(None) };
        Ok(Some(Box::new(float::Resize::new(self.kernels, input, [height, width], sampling)?)))
    }

    fn float_pool(&self, operation: &Operation, pooling: Pooling) -> Result<Packed, KernelError> {
        let params = || {
            let (kernel, strides) = (self.list(operation, "kernel")?, self.list(operation, "strides")?);
            Some(Pool2dParams { kernel, strides, pads: self.list(operation, "pads")? })
        };
        let (Some(params), Some(input)) = (params(), self.map_shape(operation.operands[0])) else { return Ok(None) };
        Ok(Some(Box::new(Pool2d::new(self.kernels, pooling, input, &params)?)))
    }

    fn float_matmul(&self, operation: &Operation) -> Result<Packed, KernelError> {
        let parts = || {
            let weights = self.floats(*operation.operands.get(1)?)?.into_dimensionality::<Ix2>().ok()?;
            let is_transposed = self.ir.bool(operation.op, "transpose_b")?;
            Some((if is_transposed { weights.reversed_axes() } else { weights }, self.float_bias(operation)))
        };
        let Some((weights, bias)) = parts() else { return Ok(None) };
        Ok(Some(Box::new(Matmul::new(self.kernels, &weights, bias, None)?)))
    }

    /// The bias of an operation, if it has one that is a vector of constants.
    fn float_bias(&self, operation: &Operation) -> Option<ArrayView1<'_, f32>> {
        self.floats(*operation.operands.get(2)?)?.into_dimensionality::<Ix1>().ok()
    }

    /// Whether an operation has a bias that is not packed.
    fn has_variable_bias(&self, operation: &Operation) -> bool {
        operation.operands.len() > 2 && self.float_bias(operation).is_none()
    }

    fn float_convolution(&self, name: &str, operation: &Operation) -> Result<Packed, KernelError> {
        let transposed = name.starts_with("transposed");
        let parts = || {
            let weights = self.floats(*operation.operands.get(1)?)?.into_dimensionality::<Ix4>().ok()?;
            let params = float::Conv2dParams {
                strides: self.list(operation, "strides")?,
                dilations: if transposed { [1, 1] } else { self.list(operation, "dilations")? },
                pads: self.list(operation, "pads")?,
                groups: size(self.ir, operation.op, "groups").unwrap_or(1),
                activation: None,
            };
            Some((self.map_shape(operation.operands[0])?, weights, self.float_bias(operation), params))
        };
        let Some((input, weights, bias, params)) = parts() else { return Ok(None) };
        let kernels = self.kernels;
        Ok(Some(match name {
            "conv2d" => Box::new(Conv2d::new(kernels, input, &weights, bias, &params)?),
            "transposed_conv2d" => Box::new(Conv2d::transposed(kernels, input, &weights, bias, &params)?),
            "depthwise_conv2d" => Box::new(DepthwiseConv2d::new(kernels, input, &weights, bias, &params)?),
            _ => Box::new(DepthwiseConv2d::transposed(kernels, input, &weights, bias, &params)?),
        }))
    }
}

fn is_convolution(name: &str) -> bool {
    matches!(name, "conv2d" | "depthwise_conv2d" | "transposed_conv2d" | "transposed_depthwise_conv2d")
}

/// The tensors that are kept in the offset form if they are in the arena: what packed operators read, for their dot products take it as
/// it is. Every other reader and writer flips a bit.
pub(super) fn offset_tensors(ir: &Ir, network: &Network) -> EntitySet<TensorId> {
    let mut offset = EntitySet::new();
    for operation in network.operations.iter().rev() {
        let is_reader = match ir.op_name(operation.op).split_once('.') {
            Some(("int8", name)) if is_convolution(name) => true,
            // Another name of the same memory.
            Some(("int8", "reshape")) => offset.contains(operation.results[0]),
            _ => false,
        };
        if is_reader {
            offset.insert(operation.operands[0]);
        }
    }
    offset
}
