//! Reading the data sets.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use image::RgbImage;

/// Pixels of a Fashion-MNIST image.
pub(super) const FASHION_PIXELS: usize = 28 * 28;

/// Images one after another, 28x28 grey.
pub(super) fn fashion_calibration(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("calib_512.npz");
    let mut archive = npyz::npz::NpzArchive::open(&path).with_context(|| path.display().to_string())?;
    let images = archive.by_name("images")?.context("the archive has no array `images`")?;
    Ok(images.into_vec::<u8>()?)
}

/// Images one after another, and the class of each.
pub(super) fn fashion_test(folder: &Path) -> Result<(Vec<u8>, Vec<u8>)> {
    let images = idx(&folder.join("t10k-images-idx3-ubyte.gz"), 3)?;
    let labels = idx(&folder.join("t10k-labels-idx1-ubyte.gz"), 1)?;
    if images.len() != labels.len() * FASHION_PIXELS {
        bail!("{} pixels, but {} labels", images.len(), labels.len());
    }
    Ok((images, labels))
}

/// The bytes of an IDX file with this many dimensions.
fn idx(path: &Path, dimensions: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| path.display().to_string())?;
    GzDecoder::new(BufReader::new(file)).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    let header = 4 + 4 * dimensions;
    if bytes.len() < header || usize::from(bytes[3]) != dimensions {
        bail!("{} is no IDX file with {dimensions} dimensions", path.display());
    }
    Ok(bytes.split_off(header))
}

/// An image in colour.
pub(super) fn picture(path: &Path) -> Result<RgbImage> {
    Ok(image::open(path).with_context(|| path.display().to_string())?.to_rgb8())
}

/// The class of each pixel.
pub(super) fn classes(path: &Path) -> Result<Vec<u8>> {
    Ok(image::open(path).with_context(|| path.display().to_string())?.to_luma8().into_raw())
}
