//! Arrays and images as tensors, tensors as files.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use dpuc_evaluate::Tensor;
use dpuc_kernels::reference::round::quantise;
use dpuc_runtime::{Port, Preprocessing};
use ndarray::ArrayD;
use npyz::{DType, NpyFile, WriterBuilder};

use crate::{files, images};

/// Largest array that is read, in elements.
const MAX_ELEMENTS: u64 = 1 << 30;

/// The tensor for `port` from the bytes of an image.
pub(crate) fn from_image(bytes: &[u8], port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    fit(preprocessing.tensor(&images::decode(bytes)?, &port.shape)?, port)
}

/// Reads the tensor for `port` from an `.npy` file or an image.
pub(crate) fn read(path: &Path, port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    let bytes = files::read(path)?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return from_image(&bytes, port, preprocessing).with_context(|| format!("cannot use {}", path.display()));
    }
    let tensor = read_npy(&bytes).with_context(|| format!("cannot use {}", path.display()))?;
    fit(tensor, port).with_context(|| format!("{} cannot be the input `{}`", path.display(), port.name))
}

/// An array of signed bytes or of floats; unsigned bytes and doubles become floats.
fn read_npy(bytes: &[u8]) -> Result<Tensor> {
    check_header(bytes)?;
    let file = NpyFile::new(Cursor::new(bytes)).context("it is no valid .npy file")?;
    let shape: Vec<usize> = file.shape().iter().map(|&dim| usize::try_from(dim)).collect::<Result<_, _>>()?;
    let count = file.shape().iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    if count.is_none_or(|count| count > MAX_ELEMENTS.min(bytes.len() as u64)) {
        bail!("its shape {shape:?} does not fit its {} bytes", bytes.len());
    }
    if file.order() != npyz::Order::C && shape.len() > 1 {
        bail!("it is in Fortran order; save it with numpy.ascontiguousarray");
    }
    let DType::Plain(ty) = file.dtype() else { bail!("it holds records; plain numbers are needed") };
    Ok(match ty.to_string().trim_start_matches(['<', '|', '>', '=']) {
        "i1" => Tensor::I8(array(&shape, file.into_vec::<i8>()?)?),
        "u1" => Tensor::F32(array(&shape, file.into_vec::<u8>()?.into_iter().map(f32::from).collect())?),
        "f4" => Tensor::F32(array(&shape, file.into_vec::<f32>()?)?),
        "f8" => Tensor::F32(array(&shape, file.into_vec::<f64>()?.into_iter().map(|value| value as f32).collect())?),
        other => bail!("it holds numbers of type {}; int8, uint8, float32 and float64 can be used", numpy_name(other)),
    })
}

/// Checks the length of the header before anything is allocated for it: two bytes in version 1 of the format, four in later ones.
fn check_header(bytes: &[u8]) -> Result<()> {
    let length = match bytes {
        [_, _, _, _, _, _, 1, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => usize::MAX,
    };
    if length > bytes.len() { Err(anyhow!("it is no valid .npy file: its header is cut")) } else { Ok(()) }
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

fn array<T>(shape: &[usize], values: Vec<T>) -> Result<ArrayD<T>> {
    ArrayD::from_shape_vec(shape, values).map_err(|_| anyhow!("its shape {shape:?} does not fit its data"))
}

/// Checks the shape and quantises floats with the port's fix point; a missing batch dimension is added, and a flat array takes the shape.
fn fit(tensor: Tensor, port: &Port) -> Result<Tensor> {
    let found = match &tensor {
        Tensor::F32(array) => array.shape().to_vec(),
        Tensor::I8(array) => array.shape().to_vec(),
    };
    let without_batch = port.shape.first() == Some(&1) && port.shape[1..] == found[..];
    let flat = found.len() == 1 && found[0] == port.elements();
    if found != port.shape && !without_batch && !flat {
        bail!("its shape is {found:?}; {:?} is needed", port.shape);
    }
    Ok(match (tensor, port.fix_point) {
        (Tensor::I8(values), Some(_)) => Tensor::I8(values.into_shape_with_order(port.shape.clone())?),
        (Tensor::F32(values), Some(fix_point)) => {
            let values = values.into_shape_with_order(port.shape.clone())?;
            Tensor::I8(values.mapv(|value| quantise(value, fix_point)))
        }
        (Tensor::F32(values), None) => Tensor::F32(values.into_shape_with_order(port.shape.clone())?),
        (Tensor::I8(_), None) => bail!("it holds int8, but the input is float and has no fix point"),
    })
}

/// The bytes of an `.npy` file, C order.
pub(crate) fn to_npy(tensor: &Tensor) -> Result<Vec<u8>> {
    fn bytes<T: npyz::AutoSerialize + Clone>(array: &ArrayD<T>) -> Result<Vec<u8>> {
        let shape: Vec<u64> = array.shape().iter().map(|&dim| dim as u64).collect();
        let mut out = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut out).begin_nd()?;
        writer.extend(array.iter().cloned())?;
        writer.finish()?;
        Ok(out)
    }
    match tensor {
        Tensor::I8(array) => bytes(array),
        Tensor::F32(array) => bytes(array),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn port(shape: &[usize], fix_point: Option<i32>) -> Port {
        Port { name: "x".to_owned(), op: "x".to_owned(), shape: shape.to_vec(), fix_point }
    }

    #[test]
    fn arrays_survive_a_file() {
        for tensor in [
            Tensor::from_i8(&[1, 2, 2], vec![-128, 127, 0, 5]).unwrap(),
            Tensor::from_f32(&[1, 2], vec![0.5, -1.25]).unwrap(),
        ] {
            assert_eq!(read_npy(&to_npy(&tensor).unwrap()).unwrap(), tensor);
        }
    }

    #[test]
    fn floats_are_quantised_and_bytes_are_not() {
        let floats = Tensor::from_f32(&[4], vec![0.046_875, -0.015_625, 9.0, -9.0]).unwrap();
        let fitted = fit(floats, &port(&[1, 4], Some(5))).unwrap();
        assert_eq!(fitted, Tensor::from_i8(&[1, 4], vec![2, 0, 127, -128]).unwrap());
        let bytes = Tensor::from_i8(&[1, 2], vec![1, -1]).unwrap();
        assert_eq!(fit(bytes.clone(), &port(&[1, 2], Some(5))).unwrap(), bytes);
        assert!(fit(bytes.clone(), &port(&[1, 2], None)).is_err());
        assert!(fit(bytes, &port(&[2, 1], Some(5))).is_err());
    }

    #[test]
    fn a_huge_shape_is_refused_before_memory_is_asked_for() {
        let mut file = to_npy(&Tensor::from_i8(&[1, 2, 3], vec![0; 6]).unwrap()).unwrap();
        let text = b"(1, 2, 3, )";
        let at = file.windows(text.len()).position(|window| window == text).unwrap();
        file[at..at + text.len()].copy_from_slice(b"(99999999,)");
        assert!(read_npy(&file).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damaged_arrays_are_refused_or_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            truncate: bool,
        ) {
            let mut file = to_npy(&Tensor::from_i8(&[1, 4, 4, 2], (0..32).collect()).unwrap()).unwrap();
            for (at, value) in flips {
                let at = at.index(file.len());
                file[at] ^= value;
            }
            if truncate {
                file.truncate(cut.index(file.len()));
            }
            if let Ok(tensor) = read_npy(&file) {
                prop_assert!(tensor.shape().iter().product::<usize>() <= file.len());
            }
        }

        #[test]
        fn damaged_images_are_refused_or_read(at in any::<prop::sample::Index>(), value: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = include_bytes!("../../../examples/fashion_cnn/images/08_bag.png").to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= value;
            bytes.truncate(cut.index(bytes.len() * 2).min(bytes.len()));
            let _ = from_image(&bytes, &port(&[1, 28, 28, 1], Some(6)), &Preprocessing::default());
        }
    }
}
