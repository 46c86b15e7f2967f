//! Arrays and images as tensors.

use std::path::Path;

use anyhow::{Context, Result, bail};
use dpuc_evaluate::Tensor;
use dpuc_kernels::reference::round::quantise;
use dpuc_runtime::npy::{from_npy, is_npy};
use dpuc_runtime::{Port, Preprocessing};

use crate::{files, images};

/// The tensor for `port` from the bytes of an image.
pub(crate) fn from_image(bytes: &[u8], port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    fit(preprocessing.tensor(&images::decode(bytes)?, &port.shape)?, port)
}

/// Reads the tensor for `port` from an `.npy` file or an image.
pub(crate) fn read(path: &Path, port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    let bytes = files::read(path)?;
    if !is_npy(&bytes) {
        return from_image(&bytes, port, preprocessing).with_context(|| format!("cannot use {}", path.display()));
    }
    let tensor = from_npy(&bytes).with_context(|| format!("cannot use {}", path.display()))?;
    fit(tensor, port).with_context(|| format!("{} cannot be the input `{}`", path.display(), port.name))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn port(shape: &[usize], fix_point: Option<i32>) -> Port {
        Port { name: "x".to_owned(), op: "x".to_owned(), shape: shape.to_vec(), fix_point }
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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

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
