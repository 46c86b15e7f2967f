//! What a network's outputs say to a person: the likeliest classes, and a map of classes over the picture.

use std::io::Cursor;

use anyhow::Result;
use dpuc_evaluate::Tensor;
use image::{GrayImage, ImageFormat, Rgb, RgbImage};

/// Share of the picture in an overlay, in 256ths.
const PICTURE_SHARE: u32 = 128;

/// A class and how sure the network is of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) class: usize,
    pub(crate) score: f32,
}

/// The output as one score for each class, if it is that: all dimensions but the last are 1.
pub(crate) fn scores(tensor: &Tensor, fix_point: Option<i32>) -> Option<Vec<f32>> {
    let (&classes, outer) = tensor.shape().split_last()?;
    if classes < 2 || outer.iter().any(|&dim| dim != 1) {
        return None;
    }
    Some(match tensor {
        Tensor::F32(array) => array.iter().copied().collect(),
        Tensor::I8(array) => {
            let unit = 2f32.powi(-fix_point.unwrap_or(0));
            array.iter().map(|&code| f32::from(code) * unit).collect()
        }
    })
}

/// The `count` best classes, best first; the first of equal ones comes first.
pub(crate) fn best(scores: &[f32], count: usize) -> Vec<Answer> {
    let mut answers: Vec<Answer> = scores.iter().enumerate().map(|(class, &score)| Answer { class, score }).collect();
    answers.sort_by(|a, b| b.score.total_cmp(&a.score));
    answers.truncate(count);
    answers
}

/// The output as a map of class numbers, if it is one: `[1, height, width, classes]` of scores, or of one channel of class numbers.
pub(crate) fn class_map(tensor: &Tensor) -> Option<GrayImage> {
    let &[1, height, width, channels] = tensor.shape() else { return None };
    if height * width < 2 || !(1..=256).contains(&channels) {
        return None;
    }
    let classes: Option<Vec<u8>> = match tensor {
        Tensor::F32(array) => array.as_slice()?.chunks(channels).map(class_of).collect(),
        Tensor::I8(array) => {
            let numbers: Vec<f32> = array.iter().map(|&code| f32::from(code)).collect();
            numbers.chunks(channels).map(class_of).collect()
        }
    };
    GrayImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, classes?)
}

/// The class of one pixel: the first of the highest scores, or the number itself, which must be a small whole one.
fn class_of(pixel: &[f32]) -> Option<u8> {
    if let [number] = *pixel {
        return (number.fract() == 0.0 && (0.0..256.0).contains(&number)).then_some(number as u8);
    }
    let best = pixel.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    u8::try_from(best.0).ok()
}

/// A map of classes in colours as the bytes of a PNG file.
pub(crate) fn mask(classes: &GrayImage) -> Result<Vec<u8>> {
    png(&RgbImage::from_fn(classes.width(), classes.height(), |x, y| colour(classes.get_pixel(x, y).0[0])))
}

/// A map of classes in colours over the picture, which is stretched to its size.
pub(crate) fn overlay(classes: &GrayImage, picture: &RgbImage) -> Result<Vec<u8>> {
    let (width, height) = classes.dimensions();
    let picture = image::imageops::resize(picture, width, height, image::imageops::FilterType::Triangle);
    let mix = |picture: u8, class: u8| {
        ((u32::from(picture) * PICTURE_SHARE + u32::from(class) * (256 - PICTURE_SHARE)) / 256) as u8
    };
    png(&RgbImage::from_fn(width, height, |x, y| {
        let (below, above) = (picture.get_pixel(x, y).0, colour(classes.get_pixel(x, y).0[0]).0);
        Rgb([0, 1, 2].map(|channel| mix(below[channel], above[channel])))
    }))
}

/// A colour for each class, neighbours far apart: hues in steps of the golden angle, and three levels of brightness.
fn colour(class: u8) -> Rgb<u8> {
    let hue = f32::from(class) * 0.618_034 % 1.0 * 6.0;
    let level = [230.0, 170.0, 110.0][usize::from(class / 8) % 3];
    let channel = |offset: f32| {
        let distance = ((hue + offset) % 6.0 - 3.0).abs() - 1.0;
        (distance.clamp(0.0, 1.0) * level) as u8
    };
    Rgb([channel(0.0), channel(4.0), channel(2.0)])
}

fn png(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_classes_come_first_and_the_first_of_equals() {
        let tensor = Tensor::from_i8(&[1, 1, 4], vec![-3, 8, 2, 8]).unwrap();
        let scores = scores(&tensor, Some(2)).unwrap();
        assert_eq!(best(&scores, 2), [Answer { class: 1, score: 2.0 }, Answer { class: 3, score: 2.0 }]);
        assert_eq!(best(&scores, 9).len(), 4);
    }

    #[test]
    fn maps_are_told_from_scores() {
        let map = Tensor::from_f32(&[1, 1, 2, 2], vec![0.0, 1.0, 3.0, 3.0]).unwrap();
        assert_eq!(class_map(&map).unwrap().into_raw(), [1, 0]);
        assert!(scores(&map, None).is_none());
        let numbers = Tensor::from_f32(&[1, 1, 2, 1], vec![6.0, 255.0]).unwrap();
        assert_eq!(class_map(&numbers).unwrap().into_raw(), [6, 255]);
        let picture = Tensor::from_f32(&[1, 1, 2, 1], vec![0.5, 1.0]).unwrap();
        assert!(class_map(&picture).is_none());
        assert!(class_map(&Tensor::from_f32(&[1, 4], vec![0.0; 4]).unwrap()).is_none());
    }

    #[test]
    fn classes_have_colours_of_their_own() {
        let colours: std::collections::BTreeSet<_> = (0..24).map(|class| colour(class).0).collect();
        assert_eq!(colours.len(), 24);
    }
}
