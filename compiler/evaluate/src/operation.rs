//! An operation with the values of its operands: typed access for the evaluators.

use dpuc_dialects::{Attribute, DenseElements, Ir, OpId, TensorType};
use dpuc_kernels::reference::{KernelError, MAX_ELEMENTS};
use ndarray::{ArrayD, ArrayView1, ArrayView4, ArrayViewD, Ix1, Ix4};

use crate::error::Problem;
use crate::tensor::{ElementKind, Tensor};

pub(crate) type Outcome<T = Tensor> = Result<T, Problem>;

/// An operation about to be evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) ir: &'a Ir,
    pub(crate) op: OpId,
    pub(crate) operands: &'a [&'a Tensor],
}

impl<'a> Operation<'a> {
    /// Operand `index`, floats of any rank.
    pub(crate) fn floats(self, index: usize) -> Outcome<&'a ArrayD<f32>> {
        let operand = self.operands.get(index).and_then(|operand| operand.as_f32());
        operand.ok_or(Problem::Operand { index, expected: "a tensor of floats" })
    }

    /// Operand `index`, codes of any rank.
    pub(crate) fn codes(self, index: usize) -> Outcome<ArrayViewD<'a, i8>> {
        let operand = self.operands.get(index).and_then(|operand| operand.as_i8());
        operand.map(|array| array.view()).ok_or(Problem::Operand { index, expected: "a tensor of signed bytes" })
    }

    /// Operand `index`, codes of rank 4.
    pub(crate) fn code_map(self, index: usize) -> Outcome<ArrayView4<'a, i8>> {
        let map = self.codes(index)?.into_dimensionality::<Ix4>();
        map.map_err(|_| Problem::Operand { index, expected: "a four-dimensional tensor of signed bytes" })
    }

    /// Operand `index`, floats of rank 4.
    pub(crate) fn float_map(self, index: usize) -> Outcome<ArrayView4<'a, f32>> {
        let map = self.floats(index)?.view().into_dimensionality::<Ix4>();
        map.map_err(|_| Problem::Operand { index, expected: "a four-dimensional tensor of floats" })
    }

    /// Operand `index`, a vector of codes, if there is one.
    pub(crate) fn optional_code_vector(self, index: usize) -> Outcome<Option<ArrayView1<'a, i8>>> {
        if self.operands.len() <= index {
            return Ok(None);
        }
        let vector = self.codes(index)?.into_dimensionality::<Ix1>();
        vector.map(Some).map_err(|_| Problem::Operand { index, expected: "a vector of signed bytes" })
    }

    /// Operand `index`, the codes of a tensor with one dimension above 1, as a vector.
    pub(crate) fn code_vector(self, index: usize) -> Outcome<ArrayView1<'a, i8>> {
        let codes = self.codes(index)?;
        let count = codes.len();
        let vector = codes.into_shape_with_order(count);
        vector.map_err(|_| Problem::Operand { index, expected: "a vector of signed bytes" })
    }

    /// Fix point of operand `index`.
    pub(crate) fn fix(self, index: usize) -> Outcome<i32> {
        let value = self.ir.operands(self.op).get(index);
        value
            .and_then(|&value| self.ir.fix_of(value))
            .ok_or(Problem::Operand { index, expected: "a fixed-point tensor" })
    }

    fn result_type(self) -> Outcome<&'a TensorType> {
        let result = self.ir.results(self.op).first();
        result.and_then(|&result| self.ir.tensor_of(result)).ok_or(Problem::ResultType("tensor"))
    }

    /// Fix point of the result.
    pub(crate) fn result_fix(self) -> Outcome<i32> {
        self.result_type()?.fix_point().ok_or(Problem::ResultType("fixed-point tensor"))
    }

    /// Shape of the result.
    pub(crate) fn result_shape(self) -> Outcome<Vec<usize>> {
        self.result_type()?.static_shape().ok_or(Problem::ResultType("tensor of known shape"))
    }

    /// Height and width of the result, a map.
    pub(crate) fn result_size(self) -> Outcome<[usize; 2]> {
        match self.result_shape()?[..] {
            [_, height, width, _] => Ok([height, width]),
            _ => Err(Problem::ResultType("map")),
        }
    }

    /// A list of `N` sizes or indices.
    pub(crate) fn sizes<const N: usize>(self, name: &'static str) -> Outcome<[usize; N]> {
        self.size_list(name)?.try_into().map_err(|_| Problem::Attribute(name))
    }

    /// A list of sizes or indices.
    pub(crate) fn size_list(self, name: &'static str) -> Outcome<Vec<usize>> {
        self.integers(name)?.into_iter().map(|v| usize::try_from(v).map_err(|_| Problem::Attribute(name))).collect()
    }

    /// A list of integers.
    pub(crate) fn integers(self, name: &'static str) -> Outcome<Vec<i64>> {
        self.ir.ints(self.op, name).ok_or(Problem::Attribute(name))
    }

    /// An integer.
    pub(crate) fn integer<T: TryFrom<i64>>(self, name: &'static str) -> Outcome<T> {
        let value = self.ir.int(self.op, name).and_then(|value| T::try_from(value).ok());
        value.ok_or(Problem::Attribute(name))
    }

    /// A float.
    pub(crate) fn float(self, name: &'static str) -> Outcome<f64> {
        self.ir.float(self.op, name).ok_or(Problem::Attribute(name))
    }

    /// A truth value.
    pub(crate) fn flag(self, name: &'static str) -> Outcome<bool> {
        self.ir.bool(self.op, name).ok_or(Problem::Attribute(name))
    }

    /// A string.
    pub(crate) fn text(self, name: &'static str) -> Outcome<&'a str> {
        self.ir.str(self.op, name).ok_or(Problem::Attribute(name))
    }

    /// The constant that the attribute `value` holds or refers to.
    pub(crate) fn constant(self) -> Outcome {
        match self.ir.attribute(self.op, "value") {
            Some(Attribute::Symbol(path)) => {
                let name = path.join("::");
                let weight = self.ir.weights.get(&name).ok_or(Problem::MissingConstant(name))?;
                Tensor::from_weight(weight).ok_or(Problem::ConstantForm("its elements are neither f32 nor i8"))
            }
            Some(Attribute::Dense(dense)) => self.dense(&dense.elements),
            _ => Err(Problem::Attribute("value")),
        }
    }

    fn dense(self, elements: &DenseElements) -> Outcome {
        let shape = self.result_shape()?;
        let element = if self.result_type()?.fix_point().is_some() { ElementKind::I8 } else { ElementKind::F32 };
        let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim)).filter(|&n| n <= MAX_ELEMENTS);
        let count = count.ok_or_else(|| KernelError::TooLarge { operator: "constant", shape: shape.clone() })?;
        let tensor = match (elements, element) {
            (DenseElements::Floats(values), ElementKind::F32) => {
                Tensor::from_f32(&shape, filled(values, count, |value| value as f32))
            }
            (DenseElements::Integers(values), ElementKind::F32) => {
                Tensor::from_f32(&shape, filled(values, count, |value| value as f32))
            }
            (DenseElements::Integers(values), ElementKind::I8) => {
                if values.iter().any(|&value| i8::try_from(value).is_err()) {
                    return Err(Problem::ConstantForm("an element is no signed byte"));
                }
                Tensor::from_i8(&shape, filled(values, count, |value| value as i8))
            }
            (DenseElements::Floats(_), ElementKind::I8) => {
                return Err(Problem::ConstantForm("floats in a tensor of bytes"));
            }
            (DenseElements::Text(_), _) => return Err(Problem::ConstantForm("hexadecimal elements")),
        };
        tensor.ok_or(Problem::ConstantForm("the number of elements is not that of its shape"))
    }
}

/// The elements, or the only one `count` times.
fn filled<T: Copy, U: Clone>(values: &[T], count: usize, convert: impl Fn(T) -> U) -> Vec<U> {
    match values {
        [splat] => vec![convert(*splat); count],
        _ => values.iter().map(|&value| convert(value)).collect(),
    }
}
