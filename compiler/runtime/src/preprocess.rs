//! From images to the numbers a network takes.
//!
//! What a network expects is part of it: colour order, geometry, mean and scale travel with the model as one line of text
//! (`colour=rgb; fit=crop:256; filter=bilinear; mean=123.675,116.28,103.53; scale=0.0171,0.0175,0.0174`), in the module's attribute
//! [`ATTRIBUTE`] and in the compiled file's attribute of the same name.

use std::fmt;
use std::str::FromStr;

use dpuc_evaluate::Tensor;
use image::imageops::{FilterType, crop_imm, replace, resize};
use image::{DynamicImage, Rgb, RgbImage};

/// Name of the attribute of modules and compiled files that says how images become inputs.
pub const ATTRIBUTE: &str = "dpuc.preprocessing";

/// Largest side an image is resized to, in pixels.
const MAX_SIDE: u32 = 1 << 14;
/// Most pixels an image is resized to; resampling takes some twenty bytes for each.
const MAX_PIXELS: u64 = 1 << 24;

/// How an image becomes an input of shape `[1, height, width, channels]`: fitted to the size, then `(pixel - mean) * scale` for each
/// channel, pixels being 0 to 255.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Order of the channels of an input with three of them; one channel takes the grey levels.
    pub colour: Colour,
    /// How an image of another size fits.
    pub fit: Fit,
    /// How it is resampled.
    pub filter: Filter,
    /// Number that stands for zero, for all channels or for each, in the order of the input's channels.
    pub mean: PerChannel,
    /// Factor from pixels to numbers, likewise.
    pub scale: PerChannel,
}

impl Default for Preprocessing {
    /// Pixels from 0 to 1, red first, of the input's size.
    fn default() -> Self {
        Self {
            colour: Colour::Rgb,
            fit: Fit::Exact,
            filter: Filter::Bilinear,
            mean: PerChannel(vec![0.0]),
            scale: PerChannel(vec![1.0 / 255.0]),
        }
    }
}

/// One number for all channels, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub struct PerChannel(pub Vec<f32>);

/// Order of the colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red, the order of `OpenCV`.
    Bgr,
}

/// How an image of another size fits an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does not: only images of the input's size are taken.
    Exact,
    /// Height and width are scaled independently.
    Stretch,
    /// The shorter side is scaled to this many pixels (to the input's, if absent), and the middle is cut out.
    Crop(Option<u32>),
    /// Scaled to lie within the input, in the middle, with this grey level around it.
    Letterbox(u8),
}

/// How images are resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Linear interpolation, with all pixels that a smaller one covers.
    Bilinear,
    /// Cubic interpolation (Catmull-Rom).
    Bicubic,
    /// Windowed sinc of three lobes.
    Lanczos,
}

/// Why an image is not taken or a description is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreprocessError {
    /// The input is no image.
    #[error("an image can only be an input of shape [1, height, width, 1 or 3 channels], not {0:?}")]
    NoImage(Vec<usize>),
    /// The image has another size.
    #[error(
        "the image is {found_width}x{found_height}, the input {width}x{height}; say how it fits: stretch, crop or letterbox"
    )]
    Size {
        /// Width of the image.
        found_width: u32,
        /// Height of the image.
        found_height: u32,
        /// Width of the input.
        width: u32,
        /// Height of the input.
        height: u32,
    },
    /// It would become too large.
    #[error(
        "`fit={fit}` would resize the image of {found_width}x{found_height} pixels to {width}x{height}, more than {MAX_PIXELS} pixels; resize it before"
    )]
    Large {
        /// How it is to fit.
        fit: Fit,
        /// Width of the image.
        found_width: u32,
        /// Height of the image.
        found_height: u32,
        /// Width of the resized image.
        width: u32,
        /// Height of the resized image.
        height: u32,
    },
    /// Means or scales for another number of channels.
    #[error("{what} has {found} numbers; an input of {channels} channels needs 1 or {channels}")]
    Channels {
        /// `mean` or `scale`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// Channels of the input.
        channels: usize,
    },
    /// A part of the description is not understood.
    #[error("`{found}` is no {what}: {expected}")]
    Unknown {
        /// What should be there.
        what: &'static str,
        /// What is there.
        found: String,
        /// What could be there.
        expected: &'static str,
    },
}

impl Preprocessing {
    /// The input of shape `[1, height, width, channels]` that an image becomes.
    pub fn tensor(&self, image: &DynamicImage, shape: &[usize]) -> Result<Tensor, PreprocessError> {
        let refused = || PreprocessError::NoImage(shape.to_vec());
        let &[1, height, width, channels @ (1 | 3)] = shape else { return Err(refused()) };
        let (mean, scale) = (self.mean.of("mean", channels)?, self.scale.of("scale", channels)?);
        let side = |side: usize| u32::try_from(side).ok().filter(|&side| side <= MAX_SIDE).ok_or_else(refused);
        let fitted = DynamicImage::ImageRgb8(self.fit(image, side(width)?, side(height)?)?);
        let pixels = if channels == 1 { fitted.to_luma8().into_raw() } else { fitted.into_rgb8().into_raw() };
        let number = |pixel: &[u8], channel: usize| {
            let source = if channels == 3 && self.colour == Colour::Bgr { 2 - channel } else { channel };
            (f32::from(pixel[source]) - mean[channel]) * scale[channel]
        };
        let numbers =
            pixels.chunks_exact(channels).flat_map(|pixel| (0..channels).map(move |channel| number(pixel, channel)));
        Tensor::from_f32(shape, numbers.collect()).ok_or_else(refused)
    }

    /// The image as the network sees it, before means and scales: `width` by `height` pixels.
    pub fn fit(&self, image: &DynamicImage, width: u32, height: u32) -> Result<RgbImage, PreprocessError> {
        let (found_width, found_height) = (image.width(), image.height());
        let colours = image.to_rgb8();
        if (found_width, found_height) == (width, height) && !matches!(self.fit, Fit::Crop(Some(_))) {
            return Ok(colours);
        }
        if found_width == 0 || found_height == 0 || self.fit == Fit::Exact {
            return Err(PreprocessError::Size { found_width, found_height, width, height });
        }
        let filter = self.filter.kind();
        // Sizes of the whole image at a scale of `numerator / denominator`, never nothing.
        let scaled = |numerator: u32, denominator: u32| {
            let side = |side: u32| {
                let scaled =
                    (u64::from(side) * u64::from(numerator) + u64::from(denominator) / 2) / u64::from(denominator);
                scaled.clamp(1, u64::from(MAX_SIDE)) as u32
            };
            (side(found_width), side(found_height))
        };
        let resized = |width: u32, height: u32| {
            if u64::from(width) * u64::from(height) > MAX_PIXELS {
                return Err(PreprocessError::Large { fit: self.fit, found_width, found_height, width, height });
            }
            Ok(resize(&colours, width, height, filter))
        };
        let is_wider = u64::from(found_width) * u64::from(height) > u64::from(found_height) * u64::from(width);
        Ok(match self.fit {
            Fit::Exact | Fit::Stretch => resized(width, height)?,
            Fit::Crop(shorter) => {
                let (whole_width, whole_height) = match shorter {
                    Some(shorter) => scaled(shorter, found_width.min(found_height)),
                    None if is_wider => scaled(height, found_height),
                    None => scaled(width, found_width),
                };
                let (whole_width, whole_height) = (whole_width.max(width), whole_height.max(height));
                let whole = resized(whole_width, whole_height)?;
                crop_imm(&whole, (whole_width - width) / 2, (whole_height - height) / 2, width, height).to_image()
            }
            Fit::Letterbox(grey) => {
                let (inner_width, inner_height) =
                    if is_wider { scaled(width, found_width) } else { scaled(height, found_height) };
                let inner = resized(inner_width.min(width), inner_height.min(height))?;
                let mut whole = RgbImage::from_pixel(width, height, Rgb([grey; 3]));
                let place = |outer: u32, inner: u32| i64::from((outer - inner) / 2);
                replace(&mut whole, &inner, place(width, inner.width()), place(height, inner.height()));
                whole
            }
        })
    }
}

impl Filter {
    const fn kind(self) -> FilterType {
        match self {
            Self::Nearest => FilterType::Nearest,
            Self::Bilinear => FilterType::Triangle,
            Self::Bicubic => FilterType::CatmullRom,
            Self::Lanczos => FilterType::Lanczos3,
        }
    }
}

/// A value of one of the description's words.
fn one_of<T: Copy>(
    what: &'static str,
    expected: &'static str,
    known: &[(&str, T)],
    text: &str,
) -> Result<T, PreprocessError> {
    let found = known.iter().find(|(name, _)| *name == text.trim());
    found.map(|(_, value)| *value).ok_or_else(|| PreprocessError::Unknown { what, found: text.to_owned(), expected })
}

const COLOURS: &[(&str, Colour)] = &[("rgb", Colour::Rgb), ("bgr", Colour::Bgr)];
const FILTERS: &[(&str, Filter)] = &[
    ("nearest", Filter::Nearest),
    ("bilinear", Filter::Bilinear),
    ("bicubic", Filter::Bicubic),
    ("lanczos", Filter::Lanczos),
];

fn name_of<T: PartialEq>(known: &[(&'static str, T)], value: &T) -> &'static str {
    known.iter().find(|(_, own)| own == value).map_or("", |(name, _)| name)
}

impl FromStr for Colour {
    type Err = PreprocessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        one_of("colour order", "rgb and bgr are known", COLOURS, text)
    }
}

impl FromStr for Filter {
    type Err = PreprocessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        one_of("filter", "nearest, bilinear, bicubic and lanczos are known", FILTERS, text)
    }
}

impl FromStr for Fit {
    type Err = PreprocessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || PreprocessError::Unknown {
            what: "way to fit an image",
            found: text.to_owned(),
            expected: "exact, stretch, crop, crop:SHORTER_SIDE, letterbox and letterbox:GREY are known",
        };
        Ok(match text.trim().split_once(':') {
            None => match text.trim() {
                "exact" => Self::Exact,
                "stretch" => Self::Stretch,
                "crop" => Self::Crop(None),
                "letterbox" => Self::Letterbox(114),
                _ => return Err(unknown()),
            },
            Some(("crop", side)) => {
                let side = side.parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
                Self::Crop(Some(side.ok_or_else(unknown)?))
            }
            Some(("letterbox", grey)) => Self::Letterbox(grey.parse().map_err(|_| unknown())?),
            Some(_) => return Err(unknown()),
        })
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::Stretch => f.write_str("stretch"),
            Self::Crop(None) => f.write_str("crop"),
            Self::Crop(Some(side)) => write!(f, "crop:{side}"),
            Self::Letterbox(grey) => write!(f, "letterbox:{grey}"),
        }
    }
}

impl PerChannel {
    /// As many numbers as channels.
    fn of(&self, what: &'static str, channels: usize) -> Result<Vec<f32>, PreprocessError> {
        match self.0[..] {
            [number] => Ok(vec![number; channels]),
            ref numbers if numbers.len() == channels => Ok(numbers.to_vec()),
            ref numbers => Err(PreprocessError::Channels { what, found: numbers.len(), channels }),
        }
    }
}

impl FromStr for PerChannel {
    type Err = PreprocessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| part.trim().parse::<f32>().ok().filter(|number| number.is_finite());
        let unknown = || PreprocessError::Unknown {
            what: "list of numbers",
            found: text.to_owned(),
            expected: "one number, or one for each channel with commas between them",
        };
        text.split(',').map(|part| number(part).ok_or_else(unknown)).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for PerChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(f32::to_string).collect();
        f.write_str(&numbers.join(","))
    }
}

impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (colour, filter) = (name_of(COLOURS, &self.colour), name_of(FILTERS, &self.filter));
        write!(f, "colour={colour}; fit={}; filter={filter}; ", self.fit)?;
        write!(f, "mean={}; scale={}", self.mean, self.scale)
    }
}

impl FromStr for Preprocessing {
    type Err = PreprocessError;

    /// Reads what [`fmt::Display`] writes; what is not said stays as in [`Preprocessing::default`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut result = Self::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("colour", value)) => result.colour = value.parse()?,
                Some(("fit", value)) => result.fit = value.parse()?,
                Some(("filter", value)) => result.filter = value.parse()?,
                Some(("mean", value)) => result.mean = value.parse()?,
                Some(("scale", value)) => result.scale = value.parse()?,
                _ => {
                    return Err(PreprocessError::Unknown {
                        what: "part of a description of preprocessing",
                        found: part.to_owned(),
                        expected: "colour=, fit=, filter=, mean= and scale= are known",
                    });
                }
            }
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;

    /// A picture whose red channel counts columns, green rows, blue is 9.
    fn ramp(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 9])))
    }

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        let Tensor::F32(array) = tensor else { panic!("images become floats") };
        array.iter().copied().collect()
    }

    #[test]
    fn each_channel_has_its_mean_and_scale_in_the_order_of_the_input() {
        let text = "colour=bgr; mean=9,0,1; scale=1,2,0.5";
        let preprocessing: Preprocessing = text.parse().unwrap();
        let tensor = preprocessing.tensor(&ramp(2, 1), &[1, 1, 2, 3]).unwrap();
        assert_eq!(numbers(&tensor), [0.0, 0.0, -0.5, 0.0, 0.0, 0.0]);
        let grey = DynamicImage::ImageLuma8(GrayImage::from_raw(2, 1, vec![0, 255]).unwrap());
        let tensor = Preprocessing::default().tensor(&grey, &[1, 1, 2, 1]).unwrap();
        assert_eq!(numbers(&tensor), [0.0, 1.0]);
    }

    #[test]
    fn the_middle_is_cut_out() {
        let fit = |text: &str, width, height| {
            let preprocessing = Preprocessing { fit: text.parse().unwrap(), ..Preprocessing::default() };
            preprocessing.fit(&ramp(8, 4), width, height).unwrap()
        };
        let middle = fit("crop:4", 2, 2);
        assert_eq!(middle.get_pixel(0, 0).0, [3, 1, 9]);
        assert_eq!(middle.get_pixel(1, 1).0, [4, 2, 9]);
        // Without a size the shorter side fills the input.
        assert_eq!(fit("crop", 4, 4).get_pixel(0, 3).0, [2, 3, 9]);
        let boxed = fit("letterbox:7", 8, 6);
        assert_eq!((boxed.get_pixel(0, 0).0, boxed.get_pixel(5, 1).0), ([7; 3], [5, 0, 9]));
        assert_eq!(fit("stretch", 8, 8).dimensions(), (8, 8));
    }

    #[test]
    fn extreme_sides_end() {
        for fit in ["stretch", "crop", "crop:1", "letterbox"] {
            let preprocessing = Preprocessing { fit: fit.parse().unwrap(), ..Preprocessing::default() };
            for (width, height) in [(1, 1), (300, 1), (1, 300)] {
                let fitted = preprocessing.fit(&ramp(width, height), 3, 5).unwrap();
                assert_eq!(fitted.dimensions(), (3, 5), "{fit} {width}x{height}");
            }
        }
    }

    #[test]
    fn a_description_survives_its_text() {
        let text = "colour=bgr; fit=crop:256; filter=bicubic; mean=123.675,116.28,103.53; scale=0.0171,0.0175,0.0174";
        let preprocessing: Preprocessing = text.parse().unwrap();
        assert_eq!(preprocessing.to_string(), text);
        assert_eq!("".parse(), Ok(Preprocessing::default()));
        for wrong in ["colour=cmyk", "fit=crop:0", "fit=crop:99999999", "mean=", "mean=1,nan", "size=3", "fit"] {
            assert!(wrong.parse::<Preprocessing>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let tensor = |text: &str, shape: &[usize]| text.parse::<Preprocessing>().unwrap().tensor(&ramp(2, 2), shape);
        assert!(tensor("", &[1, 2, 3, 3]).unwrap_err().to_string().contains("the image is 2x2, the input 3x2"));
        assert!(tensor("", &[1, 2, 2, 4]).is_err());
        assert!(tensor("", &[2, 2, 2, 3]).is_err());
        assert!(tensor("fit=stretch", &[1, 1 << 20, 1 << 20, 3]).is_err());
        assert!(tensor("mean=1,2", &[1, 2, 2, 3]).is_err());
        let large = tensor("fit=crop:16384", &[1, 2, 2, 3]).unwrap_err().to_string();
        assert!(large.contains("`fit=crop:16384`") && large.contains("2x2 pixels to 16384x16384"), "{large}");
        assert!(tensor("fit=crop:512", &[1, 2, 2, 3]).is_ok());
    }
}
