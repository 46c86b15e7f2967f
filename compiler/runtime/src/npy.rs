//! Arrays in files of NumPy.

use std::io::Cursor;

use dpuc_evaluate::Tensor;
use ndarray::{ArrayD, Axis};
use npyz::{DType, NpyFile, WriterBuilder};

/// Largest array that is read, in elements.
const MAX_ELEMENTS: u64 = 1 << 30;

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NpyError(pub(crate) String);

fn refuse<T>(problem: impl Into<String>) -> Result<T, NpyError> {
    Err(NpyError(problem.into()))
}

/// Whether these are the bytes of an `.npy` file.
pub fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x93NUMPY")
}

/// The array of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Unsigned bytes, as pixels have them.
    Bytes(ArrayD<u8>),
    /// Signed bytes, or floats, which doubles become.
    Numbers(Tensor),
}

impl Array {
    /// Its dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Bytes(array) => array.shape(),
            Self::Numbers(tensor) => tensor.shape(),
        }
    }

    /// Its numbers; unsigned bytes become floats.
    pub fn into_numbers(self) -> Tensor {
        match self {
            Self::Bytes(array) => Tensor::F32(array.mapv(f32::from)),
            Self::Numbers(tensor) => tensor,
        }
    }

    /// The array at an index of the first dimension.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn row(&self, index: usize) -> Self {
        match self {
            Self::Bytes(array) => Self::Bytes(array.index_axis(Axis(0), index).to_owned()),
            Self::Numbers(Tensor::I8(array)) => Self::Numbers(Tensor::I8(array.index_axis(Axis(0), index).to_owned())),
            Self::Numbers(Tensor::F32(array)) => {
                Self::Numbers(Tensor::F32(array.index_axis(Axis(0), index).to_owned()))
            }
        }
    }
}

/// The array of an `.npy` file: signed bytes, or floats, which unsigned bytes and doubles become.
pub fn from_npy(bytes: &[u8]) -> Result<Tensor, NpyError> {
    read_npy(bytes).map(Array::into_numbers)
}

/// The array of an `.npy` file.
pub fn read_npy(bytes: &[u8]) -> Result<Array, NpyError> {
    check_header(bytes)?;
    let damaged = |error: std::io::Error| NpyError(format!("it is no valid .npy file: {error}"));
    let file = NpyFile::new(Cursor::new(bytes)).map_err(damaged)?;
    let too_large = || NpyError(format!("its shape {:?} does not fit its {} bytes", file.shape(), bytes.len()));
    let shape: Option<Vec<usize>> = file.shape().iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let count = file.shape().iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    if count.is_none_or(|count| count > MAX_ELEMENTS.min(bytes.len() as u64)) {
        return Err(too_large());
    }
    let shape = shape.ok_or_else(too_large)?;
    if file.order() != npyz::Order::C && shape.len() > 1 {
        return refuse("it is in Fortran order; save it with numpy.ascontiguousarray");
    }
    let DType::Plain(ty) = file.dtype() else { return refuse("it holds records; plain numbers are needed") };
    let misfit = || NpyError(format!("its shape {shape:?} does not fit its data"));
    let floats = |values: Vec<f32>| Tensor::from_f32(&shape, values).map(Array::Numbers).ok_or_else(misfit);
    match ty.to_string().trim_start_matches(['<', '|', '>', '=']) {
        "i1" => {
            let codes = file.into_vec::<i8>().map_err(damaged)?;
            Tensor::from_i8(&shape, codes).map(Array::Numbers).ok_or_else(misfit)
        }
        "u1" => {
            let bytes = file.into_vec::<u8>().map_err(damaged)?;
            ArrayD::from_shape_vec(shape.clone(), bytes).map(Array::Bytes).map_err(|_| misfit())
        }
        "f4" => floats(file.into_vec::<f32>().map_err(damaged)?),
        "f8" => floats(file.into_vec::<f64>().map_err(damaged)?.into_iter().map(|value| value as f32).collect()),
        other => refuse(format!(
            "it holds numbers of type {}; int8, uint8, float32 and float64 can be used",
            numpy_name(other)
        )),
    }
}

/// Checks the length of the header before anything is allocated for it: two bytes in version 1 of the format, four in later ones.
fn check_header(bytes: &[u8]) -> Result<(), NpyError> {
    let length = match bytes {
        [_, _, _, _, _, _, 1, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => usize::MAX,
    };
    if length > bytes.len() { refuse("it is no valid .npy file: its header is cut") } else { Ok(()) }
}

/// NumPy's name of a type that a file calls by kind and bytes, e.g. `i8` for `int64`.
fn numpy_name(code: &str) -> String {
    let (kind, bytes) = code.split_at(code.len().min(1));
    let name = match kind {
        "i" => "int",
        "u" => "uint",
        "f" => "float",
        "c" => "complex",
        _ => return code.to_owned(),
    };
    bytes.parse::<u32>().map_or_else(|_| code.to_owned(), |bytes| format!("{name}{}", bytes * 8))
}

/// The bytes of an `.npy` file, C order.
pub fn to_npy(tensor: &Tensor) -> Vec<u8> {
    fn bytes<T: npyz::AutoSerialize + Clone>(array: &ArrayD<T>) -> std::io::Result<Vec<u8>> {
        let shape: Vec<u64> = array.shape().iter().map(|&dim| dim as u64).collect();
        let mut out = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut out).begin_nd()?;
        writer.extend(array.iter().cloned())?;
        writer.finish()?;
        Ok(out)
    }
    let written = match tensor {
        Tensor::I8(array) => bytes(array),
        Tensor::F32(array) => bytes(array),
    };
    written.expect("writing to memory succeeds")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arrays_survive_a_file() {
        for tensor in [
            Tensor::from_i8(&[1, 2, 2], vec![-128, 127, 0, 5]).unwrap(),
            Tensor::from_f32(&[1, 2], vec![0.5, -1.25]).unwrap(),
        ] {
            assert_eq!(from_npy(&to_npy(&tensor)).unwrap(), tensor);
        }
    }

    #[test]
    fn a_huge_shape_is_refused_before_memory_is_asked_for() {
        let mut file = to_npy(&Tensor::from_i8(&[1, 2, 3], vec![0; 6]).unwrap());
        let text = b"(1, 2, 3, )";
        let at = file.windows(text.len()).position(|window| window == text).unwrap();
        file[at..at + text.len()].copy_from_slice(b"(99999999,)");
        assert!(from_npy(&file).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damaged_arrays_are_refused_or_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            truncate: bool,
        ) {
            let mut file = to_npy(&Tensor::from_i8(&[1, 4, 4, 2], (0..32).collect()).unwrap());
            for (at, value) in flips {
                let at = at.index(file.len());
                file[at] ^= value;
            }
            if truncate {
                file.truncate(cut.index(file.len()));
            }
            if let Ok(tensor) = from_npy(&file) {
                prop_assert!(tensor.shape().iter().product::<usize>() <= file.len());
            }
        }
    }
}
