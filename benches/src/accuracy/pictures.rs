//! Natural images without labels: crops of photographs and land-cover scenes, at random places and of random sizes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use dpuc_isa::Random;
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::data::picture;

/// Side of a crop after scaling.
const SIDE: u32 = 224;

/// The pictures in a folder, in order of their names, without masks.
fn pictures(folder: &Path) -> Result<Vec<RgbImage>> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        [".png", ".jpg"].iter().any(|known| name.ends_with(known)) && !name.ends_with("_label.png")
    });
    paths.sort();
    paths.iter().map(|path| picture(path)).collect()
}

/// `count` crops of the shared pictures. Calibration takes the photographs with even numbers and the scenes for calibration, the test
/// takes the others. Three of four crops are of photographs.
pub(super) fn crops(data: &Path, count: usize, is_test: bool) -> Result<Vec<RgbImage>> {
    let photos = pictures(&data.join("photos"))?.into_iter().enumerate();
    let photos: Vec<RgbImage> =
        photos.filter(|(number, _)| (number % 2 == 1) == is_test).map(|(_, photo)| photo).collect();
    let kind = if is_test { "test_" } else { "calib_" };
    let scenes = (0..4).map(|number| picture(&data.join(format!("landcover/{kind}{number:03}.png"))));
    let scenes: Vec<RgbImage> = scenes.collect::<Result<_>>()?;
    let mut random = Random::new(if is_test { 2 } else { 1 });
    let crop = |number: usize| {
        let source = if number % 4 == 3 { &scenes[number / 4 % scenes.len()] } else { &photos[number % photos.len()] };
        let (width, height) = source.dimensions();
        let short = width.min(height);
        let side = short / 3 + random.below(short - short / 3 + 1);
        let left = random.below(width - side + 1);
        let top = random.below(height - side + 1);
        resize(&crop_imm(source, left, top, side, side).to_image(), SIDE, SIDE, FilterType::Triangle)
    };
    Ok((0..count).map(crop).collect())
}
