//! Pictures of results.

use std::io::Cursor;

use anyhow::Result;
use font8x8::UnicodeFonts;
use image::{ImageFormat, Rgb, RgbImage};

const BACKGROUND: Rgb<u8> = Rgb([250, 250, 250]);
const TEXT: Rgb<u8> = Rgb([30, 30, 30]);
const RIGHT: Rgb<u8> = Rgb([30, 140, 60]);
const WRONG: Rgb<u8> = Rgb([200, 40, 40]);
/// Pixels of a character cell.
const CELL: u32 = 8;
const MARGIN: u32 = 12;

/// A picture that was classified.
pub(crate) struct Classified {
    pub(crate) image: image::GrayImage,
    pub(crate) answer: String,
    pub(crate) truth: String,
    /// Share of the answer among all classes, 0 to 1.
    pub(crate) probability: f32,
}

/// A sheet of classified pictures under a title, as the bytes of a PNG file.
pub(crate) fn contact_sheet(title: &[String], pictures: &[Classified]) -> Result<Vec<u8>> {
    const COLUMNS: u32 = 4;
    const ZOOM: u32 = 6;
    let side =
        pictures.iter().map(|picture| picture.image.width().max(picture.image.height())).max().unwrap_or(0) * ZOOM;
    let (tile_width, tile_height) = (side + MARGIN, side + MARGIN + 3 * CELL);
    let header = MARGIN + title.len() as u32 * (CELL + 4);
    let rows = (pictures.len() as u32).div_ceil(COLUMNS);
    let mut sheet =
        RgbImage::from_pixel(MARGIN + COLUMNS * tile_width, header + MARGIN + rows * tile_height, BACKGROUND);
    for (line, text) in title.iter().enumerate() {
        write(&mut sheet, MARGIN, MARGIN + line as u32 * (CELL + 4), text, TEXT);
    }
    for (number, picture) in pictures.iter().enumerate() {
        let number = number as u32;
        let left = MARGIN + (number % COLUMNS) * tile_width;
        let top = header + MARGIN + (number / COLUMNS) * tile_height;
        let scaled = image::imageops::resize(&picture.image, side, side, image::imageops::FilterType::Nearest);
        for (x, y, pixel) in scaled.enumerate_pixels() {
            sheet.put_pixel(left + x, top + y, Rgb([pixel.0[0]; 3]));
        }
        let right = picture.answer == picture.truth;
        let answer = format!("{} {:.0}%", picture.answer, picture.probability * 100.0);
        write(&mut sheet, left, top + side + 4, &answer, if right { RIGHT } else { WRONG });
        if !right {
            write(&mut sheet, left, top + side + 6 + CELL, &format!("is {}", picture.truth), TEXT);
        }
    }
    let mut bytes = Vec::new();
    sheet.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    Ok(bytes)
}

/// Writes text with its upper left corner at a place; what leaves the image is cut.
fn write(image: &mut RgbImage, left: u32, top: u32, text: &str, colour: Rgb<u8>) {
    for (position, character) in text.chars().enumerate() {
        let rows = font8x8::BASIC_FONTS.get(character).unwrap_or_default();
        for (y, row) in rows.into_iter().enumerate() {
            for x in (0..CELL).filter(|x| row & (1 << x) != 0) {
                let (x, y) = (left + position as u32 * CELL + x, top + y as u32);
                if x < image.width() && y < image.height() {
                    image.put_pixel(x, y, colour);
                }
            }
        }
    }
}
