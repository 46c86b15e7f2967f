//! Networks, what they are fed with, and what their results are judged by.

use std::path::Path;

use anyhow::{Context, Result};
use dpuc_dialects::Ir;
use dpuc_evaluate::Tensor;
use dpuc_import::{OnnxOptions, import_onnx};
use dpuc_samples::shared;
use image::RgbImage;

use super::data::{FASHION_PIXELS, classes, fashion_calibration, fashion_test, picture};
use super::images::labelled;
use super::pictures::crops;

/// Samples, each with the tensors of one run.
pub(super) type Inputs = Vec<Vec<Tensor>>;

/// What the float network's results are compared with.
pub(super) enum Truth {
    /// The class of each sample.
    Classes(Vec<u16>),
    /// The class of each pixel of each sample.
    Masks(Vec<Vec<u8>>),
    /// Nothing is known: the float network is right.
    Unknown,
}

/// A network with its data.
pub struct Task {
    /// What the table calls the network.
    pub name: &'static str,
    /// Where its model is, below `models/onnx`, without extension.
    file: &'static str,
    load: Load,
}

/// Reads the data of a task from the shared folder, with that many test samples at most.
type Load = Box<dyn Fn(&Path, usize) -> Result<Data>>;

/// The data of a task.
pub(super) struct Data {
    pub(super) calibration: Inputs,
    pub(super) test: Inputs,
    pub(super) truth: Truth,
}

/// All tasks; with a folder of labelled images also those that need one.
pub fn tasks(images: Option<&Path>) -> Vec<Task> {
    let task = |file: &'static str, load: Load| Task { name: file.rsplit('/').next().unwrap_or(file), file, load };
    let mobilenet = "third_party/mobilenet_v2_imagenet_bn";
    let mut tasks = vec![
        task("fashion_cnn", Box::new(|data, limit| fashion(data, limit, small))),
        task("resnet18_fashion", Box::new(|data, limit| fashion(data, limit, enlarged))),
        task("unet_landcover_512", Box::new(landcover)),
        task("unet_landcover_512_resize", Box::new(landcover)),
        task(mobilenet, Box::new(natural)),
    ];
    for (name, is_like_test) in [("mobilenet_v2 from crops", false), ("mobilenet_v2 from images", true)] {
        tasks.extend(images.map(|folder| {
            let folder = folder.to_owned();
            let load: Load = Box::new(move |data, limit| imagenet(data, &folder, limit, is_like_test));
            Task { name, ..task(mobilenet, load) }
        }));
    }
    tasks
}

impl Task {
    /// The float network.
    pub fn network(&self) -> Result<Ir> {
        let path =
            shared(&format!("models/onnx/{}.onnx", self.file)).context("the models are needed: set DPUC_SHARED")?;
        let model = dpuc_onnx::read(std::fs::read(&path)?.into())?;
        Ok(import_onnx(&model, &OnnxOptions::default())?.ir)
    }

    /// Calibration and test data; at most `limit` test samples.
    pub(super) fn data(&self, limit: usize) -> Result<Data> {
        let folder = shared("data").context("the data are needed: set DPUC_SHARED to the shared folder")?;
        (self.load)(&folder, limit)
    }
}

fn tensor(shape: &[usize], elements: Vec<f32>) -> Result<Vec<Tensor>> {
    Ok(vec![Tensor::from_f32(shape, elements).context("elements do not fit the shape")?])
}

fn fashion(data: &Path, limit: usize, convert: fn(&[u8]) -> Result<Vec<Tensor>>) -> Result<Data> {
    let folder = data.join("fashion_mnist");
    let (images, mut labels) = fashion_test(&folder)?;
    let inputs = |bytes: &[u8]| bytes.chunks_exact(FASHION_PIXELS).map(convert).collect::<Result<Inputs>>();
    labels.truncate(limit);
    let calibration = fashion_calibration(&folder)?;
    let few = calibration.len().min(CALIBRATION * FASHION_PIXELS);
    Ok(Data {
        calibration: inputs(&calibration[..few])?,
        test: inputs(&images[..labels.len() * FASHION_PIXELS])?,
        truth: Truth::Classes(labels.into_iter().map(u16::from).collect()),
    })
}

/// Most calibration samples.
const CALIBRATION: usize = 128;

fn small(pixels: &[u8]) -> Result<Vec<Tensor>> {
    tensor(&[1, 28, 28, 1], pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect())
}

/// Mean and standard deviation of `ImageNet`'s colours.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

fn normalised(pixel: u8, channel: usize) -> f32 {
    (f32::from(pixel) / 255.0 - IMAGENET.0[channel]) / IMAGENET.1[channel]
}

/// Every pixel 8x8 times, in three channels.
fn enlarged(pixels: &[u8]) -> Result<Vec<Tensor>> {
    let mut elements = Vec::with_capacity(224 * 224 * 3);
    for at in 0..224 * 224 {
        let pixel = pixels[at / 224 / 8 * 28 + at % 224 / 8];
        elements.extend((0..3).map(|channel| normalised(pixel, channel)));
    }
    tensor(&[1, 224, 224, 3], elements)
}

fn landcover(data: &Path, limit: usize) -> Result<Data> {
    let folder = data.join("landcover");
    let scene = |name: String| {
        let pixels = picture(&folder.join(name))?.into_raw();
        tensor(&[1, 512, 512, 3], pixels.iter().map(|&pixel| f32::from(pixel) / 128.0 - 1.0).collect())
    };
    let count = limit.min(16);
    Ok(Data {
        calibration: (0..32).map(|number| scene(format!("calib_{number:03}.png"))).collect::<Result<_>>()?,
        test: (0..count).map(|number| scene(format!("test_{number:03}.png"))).collect::<Result<_>>()?,
        truth: Truth::Masks(
            (0..count)
                .map(|number| classes(&folder.join(format!("test_{number:03}_label.png"))))
                .collect::<Result<_>>()?,
        ),
    })
}

/// Crops on which agreement is counted.
const CROPS: usize = 512;

fn natural(data: &Path, limit: usize) -> Result<Data> {
    let inputs = |count: usize, is_test: bool| -> Result<Inputs> {
        crops(data, count, is_test)?.into_iter().map(prepared).collect()
    };
    Ok(Data { calibration: inputs(CALIBRATION, false)?, test: inputs(CROPS.min(limit), true)?, truth: Truth::Unknown })
}

/// An image in colour as `ImageNet`'s networks want it.
fn prepared(image: RgbImage) -> Result<Vec<Tensor>> {
    let (width, height) = image.dimensions();
    let pixels = image.into_raw();
    let elements = pixels.iter().enumerate().map(|(at, &pixel)| normalised(pixel, at % 3)).collect();
    tensor(&[1, height as usize, width as usize, 3], elements)
}

/// One of so many labelled images is for calibration.
const IMAGES_PER_CALIBRATION: usize = 8;

/// Labelled images as the test; for calibration those between them, or crops of the shared pictures.
fn imagenet(data: &Path, folder: &Path, limit: usize, is_like_test: bool) -> Result<Data> {
    let (mut calibration, mut test, mut classes) = (Inputs::new(), Inputs::new(), Vec::new());
    for (number, (image, class)) in labelled(folder)?.into_iter().enumerate() {
        if number % IMAGES_PER_CALIBRATION == 0 {
            calibration.push(prepared(image)?);
        } else if test.len() < limit {
            test.push(prepared(image)?);
            classes.push(class);
        }
    }
    calibration.truncate(CALIBRATION);
    if !is_like_test {
        calibration = crops(data, CALIBRATION, false)?.into_iter().map(prepared).collect::<Result<_>>()?;
    }
    Ok(Data { calibration, test, truth: Truth::Classes(classes) })
}
