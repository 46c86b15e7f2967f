//! Labelled images from a folder of the caller's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use rayon::prelude::*;

use super::data::picture;

/// Length of the shorter side before the centre is cropped.
const SHORT: u32 = 256;
/// Side of the crop.
const SIDE: u32 = 224;
/// Name of the file of labels.
const LABELS: &str = "labels.txt";

/// An image of `SIDE` times `SIDE` pixels and its class.
pub(super) type Labelled = (RgbImage, u16);

/// The images of a folder in order of their names, which must not be fewer than two, prepared as usual for `ImageNet`: the shorter side becomes 256
/// pixels, the centre of 224 times 224 is taken. The file `labels.txt`, with a file name and a class in each line, says which images there are;
/// without it the images are one of each class, in order.
pub(super) fn labelled(folder: &Path) -> Result<Vec<Labelled>> {
    let labels = folder.join(LABELS);
    let files = if labels.exists() { listed(folder, &labels)? } else { sorted(folder)? };
    if files.len() < 2 {
        bail!("{} has fewer than two images", folder.display());
    }
    files.par_iter().map(|(path, class)| Ok((centre(&picture(path)?), *class))).collect()
}

/// What the file of labels says.
fn listed(folder: &Path, labels: &Path) -> Result<Vec<(PathBuf, u16)>> {
    let text = std::fs::read_to_string(labels).with_context(|| labels.display().to_string())?;
    let entry = |(number, line): (usize, &str)| {
        let place = || format!("{}, line {}: a file name and a class are expected", labels.display(), number + 1);
        let (name, class) = line.trim().rsplit_once(char::is_whitespace).with_context(place)?;
        Ok((folder.join(name.trim()), class.parse().with_context(place)?))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(entry).collect()
}

/// All images, numbered.
fn sorted(folder: &Path) -> Result<Vec<(PathBuf, u16)>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.retain(|path| {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        ["jpg", "jpeg", "png"].iter().any(|known| extension == *known)
    });
    paths.sort();
    paths.into_iter().enumerate().map(|(class, path)| Ok((path, u16::try_from(class)?))).collect()
}

fn centre(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let short = width.min(height).max(1);
    let scaled = |side: u32| (u64::from(side) * u64::from(SHORT) / u64::from(short)) as u32;
    let resized = resize(image, scaled(width), scaled(height), FilterType::Triangle);
    let (width, height) = resized.dimensions();
    crop_imm(&resized, (width - SIDE) / 2, (height - SIDE) / 2, SIDE, SIDE).to_image()
}
