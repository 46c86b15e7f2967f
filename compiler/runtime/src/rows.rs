//! Arrays that hold one sample for an input, or many, one after the other.

use dpuc_evaluate::Tensor;
use image::{DynamicImage, GrayImage, RgbImage};

use crate::error::RuntimeError;
use crate::npy::Array;
use crate::port::Port;
use crate::preprocess::{PreprocessError, Preprocessing};

/// Why an array holds no samples for an input.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// Another shape.
    #[error(
        "its shape {found:?} is that of no sample for the input `{name}` of shape {expected:?}, nor of several with their number in front"
    )]
    Shape {
        /// The input.
        name: String,
        /// Its shape, as the framework has it.
        expected: Vec<usize>,
        /// The array's.
        found: Vec<usize>,
    },
    /// The first dimension is 0.
    #[error("it holds no samples: its shape is {0:?}")]
    Empty(Vec<usize>),
    /// The input does not take such numbers.
    #[error(transparent)]
    Input(Box<RuntimeError>),
    /// Its pixels cannot become the input.
    #[error(transparent)]
    Pixels(#[from] PreprocessError),
}

/// Samples for an input in an array. Unsigned bytes are the pixels of images, grey or red, green, blue, if the input takes images: they become
/// numbers as images do. Everything else is taken as it is, in any shape that [`Port::take`] knows.
#[derive(Clone, Debug)]
pub struct Rows {
    array: Array,
    /// Samples in the first dimension; the whole array is one, if absent.
    count: Option<usize>,
    /// How bytes are pixels.
    pixels: Option<Pixels>,
}

/// An image in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pixels {
    height: usize,
    width: usize,
    /// 1 or 3.
    channels: usize,
    /// Whether channels come first.
    planar: bool,
}

impl Rows {
    /// The samples of an array for `port`.
    ///
    /// # Errors
    /// An array of another shape, or without elements.
    pub fn new(array: Array, port: &Port) -> Result<Self, RowsError> {
        let shape = array.shape().to_vec();
        if shape.contains(&0) {
            return Err(RowsError::Empty(shape));
        }
        let image = |shape: &[usize]| match array {
            Array::Bytes(_) => Pixels::of(shape, port),
            Array::Numbers(_) => None,
        };
        let (count, pixels) = match (image(&shape), shape.split_first()) {
            (Some(pixels), _) => (None, Some(pixels)),
            (None, Some((&count, row))) if image(row).is_some() => (Some(count), image(row)),
            _ if port.fits(&shape) => (None, None),
            (None, Some((&count, row))) if port.fits(row) => (Some(count), None),
            _ => {
                let (name, expected) = (port.name.clone(), port.framework_shape());
                return Err(RowsError::Shape { name, expected, found: shape });
            }
        };
        Ok(Self { array, count, pixels })
    }

    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.count.unwrap_or(1)
    }

    /// A sample as the tensor for `port`.
    ///
    /// # Errors
    /// Pixels that do not fit; codes for an input of floats.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn sample(&self, index: usize, port: &Port, preprocessing: &Preprocessing) -> Result<Tensor, RowsError> {
        let row = if self.count.is_some() { self.array.row(index) } else { self.array.clone() };
        match (row, self.pixels) {
            (Array::Bytes(bytes), Some(pixels)) => {
                let bytes: Vec<u8> = bytes.into_iter().collect();
                match preprocessing.tensor(&pixels.image(&bytes), &port.shape)? {
                    Tensor::F32(values) => Ok(port.encode(values)),
                    codes @ Tensor::I8(_) => Ok(codes),
                }
            }
            (row, _) => port.take(row.into_numbers()).map_err(|error| RowsError::Input(Box::new(error))),
        }
    }
}

impl Pixels {
    /// An array of this shape as an image for `port`: rows, columns and perhaps channels, or as many channels as the input has, rows and
    /// columns; a batch dimension of 1 may be in front. `None` if it is none, or if the input takes no images.
    fn of(shape: &[usize], port: &Port) -> Option<Self> {
        let &[1, input_height, input_width, input_channels @ (1 | 3)] = &port.shape[..] else { return None };
        let shape = if let [1, rest @ ..] = shape { if shape.len() == 4 { rest } else { shape } } else { shape };
        let is_input = |height: usize, width: usize| (height, width) == (input_height, input_width);
        let limit = |side: usize| u32::try_from(side).is_ok();
        let pixels = match *shape {
            [height, width] => Self { height, width, channels: 1, planar: false },
            // Three grey images of the input's size are no image of three rows.
            [_, height, width @ (1 | 3)] if is_input(height, width) && input_channels == 1 => return None,
            [height, width, channels @ (1 | 3)] => Self { height, width, channels, planar: false },
            [channels @ (1 | 3), height, width] if channels == input_channels => {
                Self { height, width, channels, planar: true }
            }
            _ => return None,
        };
        (limit(pixels.height) && limit(pixels.width)).then_some(pixels)
    }

    fn image(self, bytes: &[u8]) -> DynamicImage {
        let Self { height, width, channels, planar } = self;
        let (columns, rows) = (width as u32, height as u32);
        let at = |x: u32, y: u32, channel: usize| {
            let pixel = y as usize * width + x as usize;
            let index = if planar { channel * width * height + pixel } else { pixel * channels + channel };
            bytes.get(index).copied().unwrap_or_default()
        };
        if channels == 1 {
            DynamicImage::ImageLuma8(GrayImage::from_fn(columns, rows, |x, y| image::Luma([at(x, y, 0)])))
        } else {
            let colours = |x, y| image::Rgb([at(x, y, 0), at(x, y, 1), at(x, y, 2)]);
            DynamicImage::ImageRgb8(RgbImage::from_fn(columns, rows, colours))
        }
    }
}

#[cfg(test)]
mod tests {
    use dpuc_dialects::layout::Layout;
    use ndarray::ArrayD;

    use super::*;

    fn port(shape: &[usize], layout: Layout) -> Port {
        Port { name: "x".to_owned(), op: "x".to_owned(), shape: shape.to_vec(), fix_point: None, layout }
    }

    fn bytes(shape: &[usize]) -> Array {
        let count: usize = shape.iter().product();
        Array::Bytes(ArrayD::from_shape_vec(shape.to_vec(), (0..count).map(|value| value as u8).collect()).unwrap())
    }

    fn floats(shape: &[usize]) -> Array {
        bytes(shape).into_numbers().into()
    }

    impl From<Tensor> for Array {
        fn from(tensor: Tensor) -> Self {
            Self::Numbers(tensor)
        }
    }

    fn plain() -> Preprocessing {
        "scale=1".parse().unwrap()
    }

    fn values(rows: &Rows, index: usize, port: &Port) -> Vec<f32> {
        let Tensor::F32(array) = rows.sample(index, port, &plain()).unwrap() else { panic!("floats") };
        array.into_iter().collect()
    }

    #[test]
    fn the_first_dimension_counts_samples() {
        let port = port(&[1, 2, 3, 1], Layout::ChannelsLast);
        for (shape, count) in [
            (&[2, 3][..], 1),
            (&[1, 2, 3], 1),
            (&[5, 2, 3], 5),
            (&[5, 2, 3, 1], 5),
            (&[5, 1, 2, 3], 5),
            (&[1, 1, 2, 3], 1),
        ] {
            let rows = Rows::new(bytes(shape), &port).unwrap();
            assert_eq!(rows.count(), count, "{shape:?}");
            let last: Vec<f32> = (0u8..6).map(|value| f32::from(value) + 6.0 * (count - 1) as f32).collect();
            assert_eq!(values(&rows, count - 1, &port), last, "{shape:?}");
        }
        for (shape, count) in
            [(&[1, 1, 2, 3][..], 1), (&[4, 1, 2, 3], 4), (&[4, 1, 1, 2, 3], 4), (&[4, 6], 4), (&[6], 1)]
        {
            assert_eq!(Rows::new(floats(shape), &port).unwrap().count(), count, "{shape:?}");
        }
        for shape in [&[4, 7][..], &[3, 2], &[]] {
            assert!(matches!(Rows::new(floats(shape), &port), Err(RowsError::Shape { .. })), "{shape:?}");
        }
        assert!(matches!(Rows::new(bytes(&[0, 2, 3]), &port), Err(RowsError::Empty(_))));
    }

    #[test]
    fn colours_may_come_first_or_last() {
        let port = port(&[1, 2, 2, 3], Layout::ChannelsLast);
        let last = Rows::new(bytes(&[2, 2, 2, 3]), &port).unwrap();
        assert_eq!((last.count(), values(&last, 1, &port)[..4].to_vec()), (2, vec![12.0, 13.0, 14.0, 15.0]));
        let first = Rows::new(bytes(&[2, 3, 2, 2]), &port).unwrap();
        assert_eq!((first.count(), values(&first, 0, &port)[..4].to_vec()), (2, vec![0.0, 4.0, 8.0, 1.0]));
        // Grey images become three equal channels.
        let grey = Rows::new(bytes(&[2, 2]), &port).unwrap();
        assert_eq!(values(&grey, 0, &port)[..6], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn bytes_are_plain_numbers_for_other_inputs() {
        let port = port(&[1, 4], Layout::Same);
        let rows = Rows::new(bytes(&[3, 4]), &port).unwrap();
        assert_eq!((rows.count(), values(&rows, 2, &port)), (3, vec![8.0, 9.0, 10.0, 11.0]));
    }
}
