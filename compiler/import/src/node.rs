//! An operator of the graph with its attributes in the order and units of the dialects.

use dpuc_dialects::Attribute;
use dpuc_xmodel::{Attributed, FromAttr, Op};

use crate::error::{ImportError, Refusal};

/// Access to one operator.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(pub(crate) &'a Op);

impl<'a> Node<'a> {
    /// A required attribute.
    pub(crate) fn get<T: FromAttr<'a>>(self, key: &str) -> Result<T, ImportError> {
        Ok(self.0.attr(key)?)
    }

    /// An attribute that may be absent.
    pub(crate) fn get_or<T: FromAttr<'a>>(self, key: &str, default: T) -> Result<T, ImportError> {
        Ok(self.0.attr_opt(key)?.unwrap_or(default))
    }

    /// Whether an attribute is there.
    pub(crate) fn has(self, key: &str) -> bool {
        self.0.attrs.contains_key(key)
    }

    /// An error about the value of an attribute.
    pub(crate) fn attribute_error(self, attribute: &'static str, problem: impl Into<String>) -> ImportError {
        let (op, kind) = (self.0.name.clone(), self.0.kind.clone());
        ImportError::AttributeValue { op, kind, attribute, problem: problem.into() }
    }

    /// An error about an argument.
    pub(crate) fn argument_error(self, argument: &'static str, problem: impl Into<String>) -> ImportError {
        let (op, kind) = (self.0.name.clone(), self.0.kind.clone());
        ImportError::Argument { op, kind, argument, problem: problem.into() }
    }

    /// A list of `N` integers.
    pub(crate) fn ints<const N: usize>(self, key: &'static str) -> Result<[i64; N], ImportError> {
        let list: &[i32] = self.get(key)?;
        self.exactly(key, list)
    }

    fn exactly<const N: usize>(self, key: &'static str, list: &[i32]) -> Result<[i64; N], ImportError> {
        let list: &[i32; N] =
            list.try_into().map_err(|_| self.attribute_error(key, format!("is {list:?}, expected {N} numbers")))?;
        Ok(list.map(i64::from))
    }

    /// A pair `[w, h]` in the file as `[h, w]`.
    pub(crate) fn size(self, key: &'static str) -> Result<[i64; 2], ImportError> {
        let [width, height] = self.ints(key)?;
        Ok([height, width])
    }

    /// A pair `[w, h]` as `[h, w]`, `[1, 1]` if it is absent.
    pub(crate) fn size_or_one(self, key: &'static str) -> Result<[i64; 2], ImportError> {
        let list: &[i32] = self.get_or(key, &[1, 1][..])?;
        let [width, height] = self.exactly(key, list)?;
        Ok([height, width])
    }

    /// The pads, `[left, right, top, bottom]` in the file, as `[top, left, bottom, right]`.
    pub(crate) fn pads(self) -> Result<[i64; 4], ImportError> {
        let list: &[i32] = self.get_or("pad", &[0, 0, 0, 0][..])?;
        let [left, right, top, bottom] = self.exactly("pad", list)?;
        Ok([top, left, bottom, right])
    }

    /// An axis, which may be counted from the end.
    pub(crate) fn axis(self, rank: usize) -> Result<i64, ImportError> {
        self.normalised_axis("axis", self.get("axis")?, rank)
    }

    /// Axis `axis` of a tensor of `rank` dimensions, counted from the front.
    pub(crate) fn normalised_axis(self, key: &'static str, axis: i32, rank: usize) -> Result<i64, ImportError> {
        let rank = rank as i64;
        let axis = i64::from(axis);
        let counted = if axis < 0 { axis + rank } else { axis };
        if (0..rank).contains(&counted) {
            Ok(counted)
        } else {
            Err(self.attribute_error(key, format!("names axis {axis} of a tensor of {rank} dimensions")))
        }
    }

    /// The output's dimensions.
    pub(crate) fn dims(self) -> &'a [i32] {
        &self.0.tensor.dims
    }

    /// Height and width of the output, a map.
    pub(crate) fn output_size(self) -> Result<[i64; 2], Refusal> {
        match *self.dims() {
            [_, height, width, _] => Ok([height.into(), width.into()]),
            _ => Err(Refusal::Unsupported(format!("its output of dimensions {:?} is no NHWC map", self.dims()))),
        }
    }
}

/// A list of integers as an attribute of the IR.
pub(crate) fn int_list(values: impl IntoIterator<Item = i64>) -> Attribute {
    Attribute::ints(values)
}
