//! Elements of tensors.

use half::{bf16, f16};
use thiserror::Error;

use crate::element::ElementType;
use crate::message::Tensor;

/// Elements in C order.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Of `float`, `float16` and `bfloat16`; every number of these is a single.
    Floats(Vec<f32>),
    /// Of `double`.
    Doubles(Vec<f64>),
    /// Of all integers and of `bool`, where they are 0 and 1.
    Integers(Vec<i64>),
}

/// Why a tensor's elements cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TensorError {
    /// A negative dimension, or more elements than can be counted.
    #[error("dimensions {0:?} make no tensor")]
    Dimensions(Vec<i64>),
    /// An element type this crate does not read.
    #[error(
        "elements of type {0} cannot be read; float, float16, bfloat16, double, bool and integers of 4 to 64 bits can"
    )]
    Element(ElementType),
    /// Too few or too many elements.
    #[error("dimensions {dims:?} need {expected} {element} elements, but the file has {found} {unit}")]
    Count {
        /// Dimensions.
        dims: Vec<i64>,
        /// Type of the elements.
        element: ElementType,
        /// Elements that the dimensions need.
        expected: usize,
        /// What there is, counted in `unit`.
        found: usize,
        /// Bytes or elements.
        unit: &'static str,
    },
    /// A number above the largest signed one of 64 bits.
    #[error("an element is {0}, above 9223372036854775807")]
    Range(u64),
    /// The data are in another file.
    #[error("its data are in another file that was not loaded")]
    External,
}

impl Tensor {
    /// What its elements are.
    pub const fn element_type(&self) -> ElementType {
        ElementType(self.data_type)
    }

    /// Dimensions.
    ///
    /// # Errors
    /// One is negative, or their product is no number.
    pub fn shape(&self) -> Result<Vec<usize>, TensorError> {
        let dims: Option<Vec<usize>> = self.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        dims.filter(|dims| count(dims).is_some()).ok_or_else(|| TensorError::Dimensions(self.dims.clone()))
    }

    /// Its elements, from whichever field they are in.
    ///
    /// # Errors
    /// Their type cannot be read, or they are not as many as the dimensions need.
    pub fn elements(&self) -> Result<Elements, TensorError> {
        let expected = count(&self.shape()?).unwrap_or(usize::MAX);
        if self.data_location != 0 {
            return Err(TensorError::External);
        }
        let element = self.element_type();
        let bits = element.bits().ok_or(TensorError::Element(element))?;
        match &self.raw_data {
            Some(raw) => {
                let bytes = expected.checked_mul(bits).map(|bits| bits.div_ceil(8));
                if bytes != Some(raw.len()) {
                    return Err(self.wrong_count(expected, raw.len(), "bytes"));
                }
                from_raw(element, raw, expected)
            }
            None => self.field_elements(element, expected),
        }
    }

    fn wrong_count(&self, expected: usize, found: usize, unit: &'static str) -> TensorError {
        TensorError::Count { dims: self.dims.clone(), element: self.element_type(), expected, found, unit }
    }

    /// Elements in the field for their type.
    fn field_elements(&self, element: ElementType, expected: usize) -> Result<Elements, TensorError> {
        let stored = match element {
            ElementType::FLOAT => self.float_data.len(),
            ElementType::DOUBLE => self.double_data.len(),
            ElementType::INT64 => self.int64_data.len(),
            ElementType::UINT32 | ElementType::UINT64 => self.uint64_data.len(),
            _ => self.int32_data.len(),
        };
        let is_nibbles = matches!(element, ElementType::UINT4 | ElementType::INT4);
        let places = if is_nibbles { expected.div_ceil(2) } else { expected };
        if stored != places {
            return Err(self.wrong_count(expected, stored, "elements"));
        }
        let narrow = |convert: fn(i32) -> i64| self.int32_data.iter().map(|&value| convert(value)).collect();
        let halves = |convert: fn(u16) -> f32| self.int32_data.iter().map(|&bits| convert(bits as u16)).collect();
        Ok(match element {
            ElementType::FLOAT => Elements::Floats(self.float_data.clone()),
            ElementType::DOUBLE => Elements::Doubles(self.double_data.clone()),
            ElementType::INT64 => Elements::Integers(self.int64_data.clone()),
            ElementType::UINT32 => {
                Elements::Integers(self.uint64_data.iter().map(|&value| i64::from(value as u32)).collect())
            }
            ElementType::UINT64 => {
                Elements::Integers(self.uint64_data.iter().map(|&value| signed(value)).collect::<Result<_, _>>()?)
            }
            ElementType::FLOAT16 => Elements::Floats(halves(|bits| f16::from_bits(bits).to_f32())),
            ElementType::BFLOAT16 => Elements::Floats(halves(|bits| bf16::from_bits(bits).to_f32())),
            ElementType::BOOL => Elements::Integers(narrow(|value| i64::from(value != 0))),
            ElementType::UINT8 => Elements::Integers(narrow(|value| i64::from(value as u8))),
            ElementType::INT8 => Elements::Integers(narrow(|value| i64::from(value as i8))),
            ElementType::UINT16 => Elements::Integers(narrow(|value| i64::from(value as u16))),
            ElementType::INT16 => Elements::Integers(narrow(|value| i64::from(value as i16))),
            ElementType::INT32 => Elements::Integers(narrow(i64::from)),
            ElementType::UINT4 | ElementType::INT4 => {
                let bytes: Vec<u8> = self.int32_data.iter().map(|&value| value as u8).collect();
                Elements::Integers(nibbles(&bytes, expected, element == ElementType::INT4))
            }
            _ => return Err(TensorError::Element(element)),
        })
    }
}

/// Elements of little-endian bytes, which are as many as `count` elements need.
fn from_raw(element: ElementType, raw: &[u8], count: usize) -> Result<Elements, TensorError> {
    fn each<const N: usize, T>(raw: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
        raw.as_chunks::<N>().0.iter().map(|&bytes| convert(bytes)).collect()
    }
    Ok(match element {
        ElementType::FLOAT => Elements::Floats(each(raw, f32::from_le_bytes)),
        ElementType::FLOAT16 => Elements::Floats(each(raw, |bytes| f16::from_le_bytes(bytes).to_f32())),
        ElementType::BFLOAT16 => Elements::Floats(each(raw, |bytes| bf16::from_le_bytes(bytes).to_f32())),
        ElementType::DOUBLE => Elements::Doubles(each(raw, f64::from_le_bytes)),
        ElementType::BOOL => Elements::Integers(raw.iter().map(|&byte| i64::from(byte != 0)).collect()),
        ElementType::UINT8 => Elements::Integers(raw.iter().map(|&byte| i64::from(byte)).collect()),
        ElementType::INT8 => Elements::Integers(raw.iter().map(|&byte| i64::from(byte.cast_signed())).collect()),
        ElementType::UINT16 => Elements::Integers(each(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))),
        ElementType::INT16 => Elements::Integers(each(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))),
        ElementType::UINT32 => Elements::Integers(each(raw, |bytes| i64::from(u32::from_le_bytes(bytes)))),
        ElementType::INT32 => Elements::Integers(each(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))),
        ElementType::INT64 => Elements::Integers(each(raw, i64::from_le_bytes)),
        ElementType::UINT64 => {
            let numbers = each(raw, |bytes| signed(u64::from_le_bytes(bytes)));
            Elements::Integers(numbers.into_iter().collect::<Result<_, _>>()?)
        }
        ElementType::UINT4 => Elements::Integers(nibbles(raw, count, false)),
        ElementType::INT4 => Elements::Integers(nibbles(raw, count, true)),
        _ => return Err(TensorError::Element(element)),
    })
}

fn signed(value: u64) -> Result<i64, TensorError> {
    i64::try_from(value).map_err(|_| TensorError::Range(value))
}

/// Two elements a byte, the first in the low half.
fn nibbles(bytes: &[u8], count: usize, is_signed: bool) -> Vec<i64> {
    let halves = bytes.iter().flat_map(|&byte| [byte & 15, byte >> 4]).take(count);
    halves.map(|half| if is_signed && half > 7 { i64::from(half) - 16 } else { i64::from(half) }).collect()
}

fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim))
}
