//! Operators of several maps, or of a map and a vector, as layers (`spec/recipes-eltwise-data.md` sections 4 to 7 and 15).

use dpuc_codegen::{
    Activation, Constant, Convolution, Extreme, FeatureMap, Layer, Pool, PoolKind, WeightedSum, limits,
};
use dpuc_dialects::dialects::int8;

use super::Reason;
use super::geometry::Context;
use super::taps::{Taps, offset_exponent};
use crate::placement::Placement;

impl Context<'_> {
    /// Constant `number` of those that legalisation adds; anything before that.
    pub(super) fn parameter(&self, number: usize) -> Result<Constant, Reason> {
        let parameters = &self.ir.operands(self.op)[int8::inputs(self.ir, self.op).len()..];
        parameters.get(number).map_or(Ok(Constant::default()), |&value| self.constant(value))
    }

    /// The parameters are the weights and the zeros.
    pub(super) fn weighted_sum(&self) -> Result<Vec<Layer>, Reason> {
        let taps = Taps::of(self.ir, self.op)?;
        Ok(vec![Layer::WeightedSum(WeightedSum {
            inputs: taps.operands.iter().map(|&operand| self.input(operand)).collect::<Result<_, _>>()?,
            output: self.output()?,
            rectified: taps.rectified,
            weights: self.parameter(0)?,
            product_fix_point: taps.product_fix_point,
            zeros: self.parameter(1)?,
            relu: self.ir.str(self.op, "activation") == Some("relu"),
        })])
    }

    pub(super) fn extreme(&self, minus_ones: Option<Constant>) -> Result<Vec<Layer>, Reason> {
        let inputs = int8::inputs(self.ir, self.op);
        let inputs = inputs.iter().map(|&value| self.map(value)).collect::<Result<_, _>>()?;
        Ok(vec![Layer::Extreme(Extreme { inputs, output: self.output()?, minus_ones })])
    }

    pub(super) fn channel_mul(&self) -> Result<Vec<Layer>, Reason> {
        let vector = self.operand(1)?;
        Ok(vec![Layer::ChannelScale {
            input: self.input(0)?,
            output: self.output()?,
            scale: self.constant(vector)?,
            scale_fix_point: self.fix_point(vector)?,
            activation: Activation::None,
        }])
    }

    /// A depthwise convolution of one tap with the vector as bias. The parameter is the weights, a power of two.
    pub(super) fn channel_add(&self) -> Result<Vec<Layer>, Reason> {
        let (input, output, vector) = (self.input(0)?, self.output()?, self.operand(1)?);
        let vector_fix_point = self.fix_point(vector)?;
        let exponent = offset_exponent(input.fix_point, vector_fix_point, output.fix_point)?;
        let shift = i64::from(input.fix_point) + i64::from(exponent) - i64::from(vector_fix_point) + 1;
        Ok(vec![Layer::DepthwiseConv2d(Convolution {
            input,
            output,
            kernel: [1, 1],
            strides: [1, 1],
            dilations: [1, 1],
            pads: [0; 4],
            weights: self.parameter(0)?,
            weight_fix_point: exponent,
            bias: self.constant(vector)?,
            // What does not fit gives a violation.
            bias_shift: u32::try_from(shift).unwrap_or(limits::BIAS_SHIFT.max as u32 + 1),
            activation: Activation::None,
        })])
    }

    /// Save compares the channels of a pixel, which are together in memory.
    pub(super) fn argmax(&self) -> Result<Vec<Layer>, Reason> {
        let axis = self.ir.int(self.op, "axis").ok_or(Reason::Malformed { what: "axis" })?;
        let rank = self.shape(self.operand(0)?)?.len();
        if usize::try_from(axis).ok().and_then(|axis| axis.checked_add(1)) != Some(rank) {
            return Err(Reason::ArgmaxAxis { axis });
        }
        Ok(vec![Layer::Argmax { input: self.input(0)?, output: self.output()? }])
    }

    /// A reduction over height, width or both is a pool of whole axes; one over the channels is a pool of the map whose columns they are.
    pub(super) fn reduction(&self, kind: PoolKind) -> Result<Vec<Layer>, Reason> {
        let operand = self.operand(0)?;
        let shape = self.shape(operand)?;
        let mut axes = self.ir.ints(self.op, "axes").ok_or(Reason::Malformed { what: "axes" })?;
        axes.sort_unstable();
        let reduces = |axis: i64| axes.contains(&axis);
        if shape.len() != 4 || axes.is_empty() || reduces(0) || (reduces(3) && axes.len() > 1) {
            return Err(Reason::ReducedAxes { axes });
        }
        if kind == PoolKind::Average && !mean_is_average(&shape, &axes) {
            return Err(Reason::MeanFactor);
        }
        let kept: Vec<usize> = (0i64..).zip(&shape).map(|(axis, &size)| if reduces(axis) { 1 } else { size }).collect();
        let result = self.ir.result(self.op);
        let place = self.place(result)?;
        let own_shape = self.shape(result)?;
        let place = if own_shape == kept {
            place
        } else if place.is_dense(&own_shape) {
            Placement::dense(place.region, place.address, &kept)
        } else {
            return Err(Reason::Layout { shape: own_shape });
        };
        let (input, output) = (self.input(0)?, Self::map_of(&kept, &place, self.fix_point(result)?)?);
        let (input, output, kernel) = if reduces(3) {
            let shape_of = |map| channels_as_columns(map).ok_or_else(|| Reason::Layout { shape: shape.clone() });
            (shape_of(input)?, shape_of(output)?, [1, input.channels])
        } else {
            (input, output, [if reduces(1) { input.height } else { 1 }, if reduces(2) { input.width } else { 1 }])
        };
        Ok(vec![Layer::Pool(Pool { kind, input, output, kernel, strides: [1, 1], pads: [0; 4] })])
    }
}

/// Whether the factor of a mean, the product of those of its axes, is that of a pool of the same window.
fn mean_is_average(shape: &[usize], axes: &[i64]) -> bool {
    let sizes = axes.iter().filter_map(|&axis| shape.get(usize::try_from(axis).ok()?));
    let sizes: Vec<u32> = sizes.filter_map(|&size| u32::try_from(size).ok()).collect();
    // A row is no entry of the table of square windows.
    let factors = || sizes.iter().map(|&size| dpuc_codegen::average_factor([1, size]));
    let whole = factors().fold((1u64, 0u32), |(factor, shift), (own, own_shift)| {
        (factor.saturating_mul(own.into()), shift.saturating_add(own_shift))
    });
    let kernel = match sizes[..] {
        [height, width] => [height, width],
        [size] => [1, size],
        _ => return false,
    };
    let (factor, shift) = dpuc_codegen::average_factor(kernel);
    whole == (u64::from(factor), shift)
}

/// Each pixel as a row of one-channel pixels.
fn channels_as_columns(map: FeatureMap) -> Option<FeatureMap> {
    let evenly = map.height == 1 || map.width.checked_mul(map.pixel_stride) == Some(map.row_stride);
    Some(FeatureMap {
        height: map.height.checked_mul(map.width)?,
        width: map.channels,
        channels: 1,
        row_stride: map.pixel_stride,
        pixel_stride: 1,
        ..map
    })
    .filter(|_| evenly)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_the_factor_of_a_pool_only_if_one_axis_is_a_power_of_two() {
        let shape = [1, 7, 8, 12];
        for (axes, expected) in [(&[1][..], true), (&[2], true), (&[3], true), (&[1, 2], true)] {
            assert_eq!(mean_is_average(&shape, axes), expected, "{axes:?}");
        }
        assert!(!mean_is_average(&[1, 7, 7, 1], &[1, 2]));
        assert!(!mean_is_average(&[1, 3, 5, 1], &[1, 2]));
    }
}
