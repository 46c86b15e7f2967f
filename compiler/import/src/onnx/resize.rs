//! Up- and down-sampling.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;

use super::emit::float;
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::node::{Node, axis};
use super::window::Map;

/// Height and width of the result, and the factors, `[h, w]`.
#[derive(Clone, Copy, Debug)]
struct Target {
    size: [usize; 2],
    scales: [f32; 2],
}

/// How pixels are found and combined, as the dialect says it.
#[derive(Clone, Copy, Debug)]
struct Sampling {
    mode: &'static str,
    coordinates: &'static str,
    rounding: &'static str,
}

pub(super) fn resize(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    if node.flag("antialias", false)? {
        return Err("antialiasing is not supported; export with antialias=False".into());
    }
    if node.opset < 11 {
        let scales = scales(importer, node, 1)?.ok_or("its scales are missing")?;
        let target = scaled(&input, &scales)?;
        // This version rounds towards the denser map.
        let rounding = if target.scales.iter().any(|&scale| scale < 1.0) { "ceil" } else { "floor" };
        return importer.resized(node, &input, target, legacy(node, rounding)?);
    }
    let axes: Vec<usize> = match node.ints("axes")? {
        Some(axes) => axes.iter().map(|&value| axis(value, input.rank())).collect::<Result<_, _>>()?,
        None => (0..input.rank()).collect(),
    };
    let for_all = |given: &[f32]| -> Result<Vec<f32>, Reason> {
        let mut all = vec![1.0; input.rank()];
        if given.len() != axes.len() {
            return Err(format!("it gives {} sizes or scales for {} dimensions", given.len(), axes.len()).into());
        }
        axes.iter().zip(given).for_each(|(&axis, &value)| all[axis] = value);
        Ok(all)
    };
    let target = match (scales(importer, node, 2)?, importer.integers(node, 3, "sizes")?) {
        (Some(scales), _) => scaled(&input, &for_all(&scales)?)?,
        (None, Some(sizes)) => sized(node, &input, &axes, &sizes)?,
        (None, None) => return Err("its scales and sizes are both missing".into()),
    };
    let sampling = Sampling {
        mode: mode(node)?,
        coordinates: match node.text("coordinate_transformation_mode", "half_pixel")? {
            "half_pixel" => "half_pixel",
            "pytorch_half_pixel" => "pytorch_half_pixel",
            "half_pixel_symmetric" => "half_pixel_symmetric",
            "align_corners" => "align_corners",
            "asymmetric" => "asymmetric",
            other => return Err(format!("its coordinate_transformation_mode {other:?} is not supported").into()),
        },
        rounding: match node.text("nearest_mode", "round_prefer_floor")? {
            "round_prefer_floor" => "round_prefer_floor",
            "round_prefer_ceil" => "round_prefer_ceil",
            "floor" => "floor",
            "ceil" => "ceil",
            other => return Err(format!("its nearest_mode is {other:?}").into()),
        },
    };
    importer.resized(node, &input, target, sampling)
}

pub(super) fn upsample(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let scales = match node.floats("scales")? {
        Some(scales) => scales.to_vec(),
        None => scales(importer, node, 1)?.ok_or("its scales are missing")?,
    };
    let target = scaled(&input, &scales)?;
    importer.resized(node, &input, target, legacy(node, "floor")?)
}

/// Operators before set 11 know no other coordinates.
fn legacy(node: Node<'_>, rounding: &'static str) -> Result<Sampling, Reason> {
    Ok(Sampling { mode: mode(node)?, coordinates: "asymmetric", rounding })
}

fn mode(node: Node<'_>) -> Result<&'static str, Reason> {
    match node.text("mode", "nearest")? {
        "nearest" => Ok("nearest"),
        "linear" | "bilinear" => Ok("bilinear"),
        "cubic" => Ok("cubic"),
        other => Err(format!("its attribute mode is {other:?}").into()),
    }
}

/// Scales, if the input is there and not empty.
fn scales(importer: &Importer<'_>, node: Node<'_>, index: usize) -> Result<Option<Vec<f32>>, Reason> {
    let literal = importer.optional_literal(node, index, "scales")?;
    Ok(literal.map(|literal| literal.all_floats()).filter(|scales| !scales.is_empty()))
}

/// The last dimensions as `[h, w]`, of which there may be one; the others must stay.
fn spatial<T: Copy + PartialEq + std::fmt::Debug>(values: &[T], kept: &[T], one: T) -> Result<[T; 2], Reason> {
    let is_kept = values.len() == kept.len() && values.iter().zip(kept).take(2).all(|(value, kept)| value == kept);
    match *values {
        [_, _, width] if is_kept => Ok([one, width]),
        [_, _, height, width] if is_kept => Ok([height, width]),
        _ => Err(format!("it resizes by or to {values:?}; only height and width of a map can be resized").into()),
    }
}

/// The target of factors for all dimensions.
fn scaled(input: &Operand, scales: &[f32]) -> Result<Target, Reason> {
    let scales = spatial(scales, &vec![1.0; input.rank()], 1.0)?;
    let own = spatial(input.shape(), input.shape(), 1)?;
    let size = [0, 1].map(|axis| (own[axis] as f32 * scales[axis]) as usize);
    Ok(Target { size, scales })
}

/// The target of sizes for some axes, perhaps with one factor for all of them.
fn sized(node: Node<'_>, input: &Operand, axes: &[usize], sizes: &[i64]) -> Result<Target, Reason> {
    let mut result = input.shape().to_vec();
    if sizes.len() != axes.len() {
        return Err(format!("it gives {} sizes for {} dimensions", sizes.len(), axes.len()).into());
    }
    for (&axis, &size) in axes.iter().zip(sizes) {
        result[axis] = usize::try_from(size).map_err(|_| format!("it gives the size {size}"))?;
    }
    let ratio = |axis: usize| result[axis] as f32 / input.shape()[axis] as f32;
    let ratios = axes.iter().map(|&axis| ratio(axis));
    let one = match node.text("keep_aspect_ratio_policy", "stretch")? {
        "stretch" => None,
        "not_larger" => ratios.reduce(f32::min),
        "not_smaller" => ratios.reduce(f32::max),
        other => return Err(format!("its keep_aspect_ratio_policy is {other:?}").into()),
    };
    if let Some(scale) = one {
        for &axis in axes {
            result[axis] = (input.shape()[axis] as f32 * scale).round() as usize;
        }
    }
    let size = spatial(&result, input.shape(), 1)?;
    let own = spatial(input.shape(), input.shape(), 1)?;
    Ok(Target { size, scales: [0, 1].map(|axis| one.unwrap_or(size[axis] as f32 / own[axis] as f32)) })
}

impl Importer<'_> {
    fn resized(&mut self, node: Node<'_>, input: &Operand, target: Target, sampling: Sampling) -> Outcome {
        let Target { size, scales } = target;
        if spatial(input.shape(), input.shape(), 1)? == size
            && scales.iter().all(|scale| scale.to_bits() == 1.0f32.to_bits())
        {
            self.define(node, 0, input.clone());
            return Ok(());
        }
        let map = self.map(input)?;
        if scales.iter().any(|scale| !scale.is_normal() || *scale < 0.0) {
            return Err(format!("its scales are {scales:?} [h, w]").into());
        }
        let Sampling { mode, coordinates, rounding } = normalised(sampling, map.size, size);
        let mut attributes = vec![("mode", Attribute::string(mode)), ("coordinates", Attribute::string(coordinates))];
        match mode {
            "nearest" => attributes.push(("rounding", Attribute::string(rounding))),
            "cubic" => {
                attributes.push(("cubic_a", float(node.float("cubic_coeff_a", -0.75)?)));
                attributes.push(("exclude_outside", Attribute::Bool(node.flag("exclude_outside", false)?)));
            }
            _ if node.flag("exclude_outside", false)? => {
                return Err("its attribute exclude_outside is only supported in cubic mode".into());
            }
            _ => {}
        }
        let is_ratio = |axis: usize| {
            let [own, size] = [map.size[axis], size[axis]];
            let is_multiple = size.is_multiple_of(own) || own.is_multiple_of(size.max(1));
            is_multiple && (own as f32 * scales[axis]).to_bits() == (size as f32).to_bits()
        };
        if !is_ratio(0) || !is_ratio(1) {
            attributes.push(("scales", Attribute::floats(scales.map(f64::from))));
        }
        let value = self.emit(&nn::RESIZE, &[map.value], attributes, &[map.batch, size[0], size[1], map.channels])?;
        let result = self.of_map(Map { value, size, ..map }, input)?;
        self.define(node, 0, result);
        Ok(())
    }
}

/// Enlarged by integers, centred pixels that are rounded to the nearest are those that asymmetric ones are rounded down to: pixel `s * k + j`
/// lies at `k + (j + 0.5) / s - 0.5`, less than a half from `k`.
fn normalised(sampling: Sampling, from: [usize; 2], to: [usize; 2]) -> Sampling {
    let is_enlarged = (0..2).all(|axis| to[axis].is_multiple_of(from[axis]));
    let is_centred = ["half_pixel", "pytorch_half_pixel", "half_pixel_symmetric"].contains(&sampling.coordinates);
    if sampling.mode == "nearest" && is_enlarged && is_centred && sampling.rounding.starts_with("round") {
        return Sampling { coordinates: "asymmetric", rounding: "floor", ..sampling };
    }
    sampling
}
