//! Inputs and outputs of networks and subgraphs.

use dpuc_dialects::layout::Layout;
use dpuc_evaluate::Tensor;
use dpuc_kernels::reference::round::quantise;
use dpuc_xmodel::{Attributed, Op};
use ndarray::{ArrayD, IxDyn};

use crate::error::RuntimeError;

/// A tensor that enters or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The tensor's name.
    pub name: String,
    /// The operator that produces it.
    pub op: String,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its fix point, if it is a fixed-point tensor: real = integer · 2^(−`fix_point`).
    pub fix_point: Option<i32>,
    /// How its dimensions differ from those of the framework's tensor.
    pub layout: Layout,
}

impl Port {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The output tensor of an operator; `None` if a dimension is unknown or the size overflows.
    pub(crate) fn of(op: &Op) -> Option<Self> {
        let fix_point = op.tensor.attr_opt::<i32>("fix_point").ok().flatten();
        let fixed = op.tensor.data_type.bit_width == 8;
        Some(Self {
            name: op.tensor.name.clone(),
            op: op.name.clone(),
            shape: shape(&op.tensor)?,
            fix_point: fix_point.filter(|_| fixed),
            layout: op.attr("dpuc.layout").map_or(Layout::Same, Layout::from_name),
        })
    }

    /// The dimensions of the framework's tensor.
    pub fn framework_shape(&self) -> Vec<usize> {
        self.layout.framework_order(self.shape.len()).into_iter().map(|axis| self.shape[axis]).collect()
    }

    /// A user's tensor as this input: in the framework's order of dimensions or, if its shape is not the framework's, in the network's, with or
    /// without the batch dimension of 1, or flat in the framework's order. Floats become codes if the input has a fix point,
    /// `floor(x * 2^fix_point + 1/2)` within −128 and 127; codes are taken as they are.
    ///
    /// # Errors
    /// Another shape; codes for an input of floats without fix point.
    pub fn take(&self, tensor: Tensor) -> Result<Tensor, RuntimeError> {
        let framework = self.framework_shape();
        let found = tensor.shape().to_vec();
        let means = |shape: &[usize]| is_meant(shape, &found);
        let is_flat = found.len() == 1 && found[0] == self.elements();
        let order = if means(&framework) || is_flat {
            self.layout.order(framework.len())
        } else if means(&self.shape) {
            (0..self.shape.len()).collect()
        } else {
            return Err(self.refuse(&found));
        };
        let shape = if means(&framework) || is_flat { framework } else { self.shape.clone() };
        let refuse = || self.refuse(&found);
        match (tensor, self.fix_point) {
            (Tensor::I8(codes), Some(_)) => arranged(codes, &shape, &order).map(Tensor::I8).ok_or_else(refuse),
            (Tensor::F32(values), _) => {
                let values = arranged(values, &shape, &order).ok_or_else(refuse)?;
                Ok(self.encode(values))
            }
            (Tensor::I8(_), None) => Err(RuntimeError::NoFixPoint(self.name.clone())),
        }
    }

    /// Whether [`Port::take`] accepts this shape.
    pub fn fits(&self, shape: &[usize]) -> bool {
        is_meant(&self.framework_shape(), shape) || is_meant(&self.shape, shape) || *shape == [self.elements()]
    }

    /// Floats in the network's order of dimensions as this input has them.
    pub fn encode(&self, values: ArrayD<f32>) -> Tensor {
        match self.fix_point {
            Some(fix_point) => Tensor::I8(values.mapv(|value| quantise(value, fix_point))),
            None => Tensor::F32(values),
        }
    }

    /// This output in the framework's order of dimensions.
    pub fn give(&self, tensor: &Tensor) -> Tensor {
        fn permuted<T: Clone>(array: &ArrayD<T>, layout: Layout) -> ArrayD<T> {
            let order = layout.framework_order(array.ndim());
            array.view().permuted_axes(IxDyn(&order)).as_standard_layout().into_owned()
        }
        match tensor {
            Tensor::I8(array) => Tensor::I8(permuted(array, self.layout)),
            Tensor::F32(array) => Tensor::F32(permuted(array, self.layout)),
        }
    }

    /// Refuses a tensor of another shape.
    pub(crate) fn check(&self, tensor: &Tensor) -> Result<(), RuntimeError> {
        if tensor.shape() == self.shape { Ok(()) } else { Err(self.refuse(tensor.shape())) }
    }

    fn refuse(&self, found: &[usize]) -> RuntimeError {
        let (name, expected, found) = (self.name.clone(), self.framework_shape(), found.to_vec());
        RuntimeError::InputShape { name, expected, found }
    }

    /// Whether a user's `name` means this tensor: its name, its operator's, or either with `/` written as `_`.
    pub fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.op].iter().any(|own| *own == name || own.replace('/', "_") == name)
    }
}

/// Whether a tensor of shape `found` is one of `shape`, perhaps without the batch dimension of 1.
fn is_meant(shape: &[usize], found: &[usize]) -> bool {
    found == shape || (shape.first() == Some(&1) && shape[1..] == *found)
}

/// An array given this shape, then with its dimensions in another order.
fn arranged<T: Clone>(array: ArrayD<T>, shape: &[usize], order: &[usize]) -> Option<ArrayD<T>> {
    let array = array.into_shape_with_order(shape.to_vec()).ok()?;
    Some(array.permuted_axes(IxDyn(order)).as_standard_layout().into_owned())
}

/// Dimensions of a tensor; `None` if one is unknown or the number of elements overflows.
pub(crate) fn shape(tensor: &dpuc_xmodel::Tensor) -> Option<Vec<usize>> {
    tensor.num_elements()?;
    tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(shape: &[usize], fix_point: Option<i32>, layout: Layout) -> Port {
        Port { name: "x".to_owned(), op: "x".to_owned(), shape: shape.to_vec(), fix_point, layout }
    }

    #[test]
    fn floats_are_quantised_and_bytes_are_not() {
        let fixed = port(&[1, 4], Some(5), Layout::Same);
        let floats = Tensor::from_f32(&[4], vec![0.046_875, -0.015_625, 9.0, -9.0]).unwrap();
        assert_eq!(fixed.take(floats).unwrap(), Tensor::from_i8(&[1, 4], vec![2, 0, 127, -128]).unwrap());
        let bytes = Tensor::from_i8(&[1, 2], vec![1, -1]).unwrap();
        assert_eq!(port(&[1, 2], Some(5), Layout::Same).take(bytes.clone()).unwrap(), bytes);
        assert!(port(&[1, 2], None, Layout::Same).take(bytes.clone()).is_err());
        assert!(port(&[2, 1], Some(5), Layout::Same).take(bytes).is_err());
    }

    #[test]
    fn both_orders_of_dimensions_are_taken_and_the_frameworks_is_given() {
        let first = port(&[1, 2, 1, 3], None, Layout::ChannelsLast);
        let network = Tensor::from_f32(&[1, 2, 1, 3], (0u8..6).map(f32::from).collect()).unwrap();
        let framework = first.give(&network);
        assert_eq!(framework, Tensor::from_f32(&[1, 3, 2, 1], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]).unwrap());
        assert_eq!(first.take(framework.clone()).unwrap(), network);
        assert_eq!(first.take(network.clone()).unwrap(), network);
        let Tensor::F32(array) = framework else { panic!("floats stay floats") };
        let flat = Tensor::F32(array.flatten().into_dyn().into_owned());
        assert_eq!(first.take(flat).unwrap(), network);
        // A shape that both orders have means the framework's.
        let square = port(&[1, 2, 2, 2], None, Layout::ChannelsLast);
        let framework = Tensor::from_f32(&[1, 2, 2, 2], (0u8..8).map(f32::from).collect()).unwrap();
        let network = square.take(framework.clone()).unwrap();
        assert_ne!(network, framework);
        assert_eq!(square.give(&network), framework);
    }
}
