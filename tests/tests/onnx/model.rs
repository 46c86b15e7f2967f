//! Models from files, weights for topologies, and calibration samples.

use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::dialects::func;
use dpuc_evaluate::Tensor;
use dpuc_isa::Random;
use dpuc_onnx::Model;
use image::imageops::FilterType;

/// A model of the shared folder.
pub(crate) fn shared(file: &str) -> Option<Model> {
    Some(read(&dpuc_samples::shared("models/onnx")?.join(file)))
}

fn read(path: &Path) -> Model {
    dpuc_onnx::read(std::fs::read(path).unwrap().into()).unwrap()
}

/// A model without weights (`tests/peers/topologies.py`), with made-up ones: the same each time.
pub(crate) fn topology(file: &str) -> Model {
    let mut model = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/topologies").join(file));
    let mut random = Random::new(1);
    for tensor in &mut model.graph.as_mut().unwrap().initializers {
        if tensor.external_data.is_empty() {
            continue;
        }
        let dims: Vec<usize> = tensor.dims.iter().map(|&dim| usize::try_from(dim).unwrap()).collect();
        let mut between = |low: f32, high: f32| low + (high - low) * random.between(0, 1 << 16) as f32 / 65536.0;
        let mut parameter = || match (&dims[..], &tensor.name) {
            (&[_], name) if name.ends_with("running_var") => between(0.8, 1.25),
            (&[_], name) if name.ends_with("weight") => between(0.6, 1.0),
            (&[_], _) => between(-0.1, 0.1),
            // He's initialisation, which keeps the scale of activations from layer to layer.
            (shape, _) => {
                let limit = (6.0 / shape[1..].iter().product::<usize>() as f32).sqrt();
                between(-limit, limit)
            }
        };
        let elements = std::iter::repeat_with(&mut parameter).take(dims.iter().product());
        tensor.raw_data = Some(elements.flat_map(f32::to_le_bytes).collect::<Vec<u8>>().into());
        tensor.external_data.clear();
        tensor.data_location = 0;
    }
    model
}

/// Calibration samples for a network of one image: photographs of the shared folder, or noise where there are none; numbers from -1 to 1.
pub(crate) fn samples(ir: &Ir) -> Vec<Vec<Tensor>> {
    let function = ir.find_symbol("main").unwrap();
    let shape = ir.shape_of(ir.arguments(func::entry(ir, function))[0]).unwrap();
    let &[_, height, width, channels] = &shape[..] else { panic!("an input of shape {shape:?} is no image") };
    let pictures = dpuc_samples::shared("data/landcover");
    let sample = |number: u64| {
        let pixels = match &pictures {
            Some(folder) => {
                let picture = image::open(folder.join(format!("calib_00{number}.png"))).unwrap();
                let picture = picture.resize_exact(width as u32, height as u32, FilterType::Triangle);
                if channels == 1 { picture.into_luma8().into_raw() } else { picture.into_rgb8().into_raw() }
            }
            None => {
                let mut random = Random::new(number);
                (0..height * width * channels).map(|_| random.between(0, 255) as u8).collect()
            }
        };
        let floats = pixels.into_iter().map(|pixel| f32::from(pixel) / 128.0 - 1.0).collect();
        vec![Tensor::from_f32(&shape, floats).unwrap()]
    };
    (0..3).map(sample).collect()
}
