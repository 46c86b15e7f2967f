//! Arrays and images as tensors.

use std::path::Path;

use anyhow::{Context, Result, bail};
use dpuc_evaluate::Tensor;
use dpuc_runtime::npy::{is_npy, read_npy};
use dpuc_runtime::{Port, Preprocessing, Rows};

use crate::{files, images};

/// The tensor for `port` from the bytes of an image.
pub(crate) fn from_image(bytes: &[u8], port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    match preprocessing.tensor(&images::decode(bytes)?, &port.shape)? {
        Tensor::F32(values) => Ok(port.encode(values)),
        codes @ Tensor::I8(_) => Ok(codes),
    }
}

/// Reads the tensor for `port` from an `.npy` file or an image. Unsigned bytes in a file are the pixels of an image.
pub(crate) fn read(path: &Path, port: &Port, preprocessing: &Preprocessing) -> Result<Tensor> {
    let read = || -> Result<Tensor> {
        let bytes = files::read(path)?;
        if !is_npy(&bytes) {
            return from_image(&bytes, port, preprocessing);
        }
        let rows = Rows::new(read_npy(&bytes)?, port)?;
        if rows.count() > 1 {
            bail!("it holds {} samples for the input `{}`; one is needed here", rows.count(), port.name);
        }
        Ok(rows.sample(0, port, preprocessing)?)
    };
    read().with_context(|| format!("cannot use {}", path.display()))
}

#[cfg(test)]
mod tests {
    use dpuc_runtime::Layout;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damaged_images_are_refused_or_read(at in any::<prop::sample::Index>(), value: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = include_bytes!("../../../examples/fashion_cnn/images/08_bag.png").to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= value;
            bytes.truncate(cut.index(bytes.len() * 2).min(bytes.len()));
            let (name, shape) = ("x".to_owned(), vec![1, 28, 28, 1]);
            let port = Port { op: name.clone(), name, shape, fix_point: Some(6), layout: Layout::Same };
            let _ = from_image(&bytes, &port, &Preprocessing::default());
        }
    }
}
