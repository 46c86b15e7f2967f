//! Images: decoding, and how they become inputs.

use std::io::Cursor;

use anyhow::{Context, Result};
use clap::Args;
use dpuc_dialects::{Attribute, Ir};
use dpuc_runtime::Preprocessing;
use dpuc_runtime::preprocess::{self, Colour, Filter, Fit, PerChannel};
use image::{DynamicImage, ImageFormat};

use crate::network;

/// What the command line says about images; the rest is as the network says, or as [`Preprocessing::default`].
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Images (by default as the network says, or else exact, rgb, 0 to 1)")]
pub(crate) struct ImageOptions {
    /// How an image of another size fits: `exact`, `stretch`, `crop`, `crop:SHORTER_SIDE`, `letterbox`, `letterbox:GREY`.
    #[arg(long, value_name = "HOW")]
    fit: Option<Fit>,
    /// How it is resampled: nearest, bilinear, bicubic, lanczos.
    #[arg(long, value_name = "NAME")]
    filter: Option<Filter>,
    /// Order of the channels: rgb or bgr.
    #[arg(long, value_name = "ORDER")]
    colour: Option<Colour>,
    /// Level, 0 to 255, that becomes zero; one, or one for each channel with commas between them.
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    mean: Option<PerChannel>,
    /// Factor from levels to numbers, likewise; 1 / 255 / deviation where a framework divides by a standard deviation.
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    scale: Option<PerChannel>,
}

impl ImageOptions {
    /// How images become inputs of a network whose own description is `description`.
    pub(crate) fn preprocessing(&self, description: Option<&str>) -> Result<Preprocessing> {
        let own =
            description.map(str::parse).transpose().context("the network says how images become its inputs, but")?;
        let own: Preprocessing = own.unwrap_or_default();
        Ok(Preprocessing {
            colour: self.colour.unwrap_or(own.colour),
            fit: self.fit.unwrap_or(own.fit),
            filter: self.filter.unwrap_or(own.filter),
            mean: self.mean.clone().unwrap_or(own.mean),
            scale: self.scale.clone().unwrap_or(own.scale),
        })
    }

    /// Writes into the module how images become its inputs, if the command line says anything about it.
    pub(crate) fn record(&self, ir: &mut Ir) -> Result<()> {
        if self.is_given() {
            let preprocessing = self.preprocessing(network::preprocessing(ir))?.to_string();
            ir.set_attribute(ir.root(), preprocess::ATTRIBUTE, Attribute::string(preprocessing));
        }
        Ok(())
    }

    fn is_given(&self) -> bool {
        let Self { fit, filter, colour, mean, scale } = self;
        fit.is_some() || filter.is_some() || colour.is_some() || mean.is_some() || scale.is_some()
    }
}

/// The format of a PNG or JPEG image, by its first bytes.
pub(crate) fn format(bytes: &[u8]) -> Result<ImageFormat> {
    let known = image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled);
    known.context("it is neither an array (.npy, .npz) nor a PNG or JPEG image")
}

/// Decodes a PNG or JPEG image; its size is bounded before memory is asked for.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage> {
    let mut reader = image::ImageReader::with_format(Cursor::new(bytes), format(bytes)?);
    reader.limits(image::Limits::default());
    reader.decode().context("the image cannot be decoded")
}
