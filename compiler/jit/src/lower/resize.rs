//! Nearest-neighbour resampling by whole factors as copies.

use dpuc_dialects::dialects::nn;
use dpuc_evaluate::sampling;
use dpuc_kernels::reference::resize::downsample;
use dpuc_kernels::reference::sampling::{Axis, Interpolation, Sampling};
use ndarray::Array4;

use super::attributes::{coordinates, sizes};
use super::{Lowered, Lowering, strided, whole};
use crate::loops::{Nest, row_major};
use crate::network::{Element, Operation, place};

impl Lowering<'_> {
    /// Lowers `int8.upsample` and `int8.downsample`.
    pub(super) fn resample(&mut self, name: &str, operation: &Operation) -> Lowered {
        if name == "upsample" {
            return self.resize(operation);
        }
        let scale = sizes(self.ir, operation.op, "scale")?;
        let &[rows, columns] = &scale[..] else { return None };
        let sources = |size: usize, scale: usize| {
            let line = line(size)?;
            let picked = downsample(&line.view(), [scale as f32, 1.0]).ok()?;
            Some(picked.iter().copied().collect::<Vec<u32>>())
        };
        let &[_, height, width, _] = self.shape(operation.operands[0]) else { return None };
        let picks = |sources: &[u32], step: usize| sources.iter().enumerate().all(|(o, &i)| i as usize == o * step);
        if !picks(&sources(height, rows)?, rows) || !picks(&sources(width, columns)?, columns) {
            return None;
        }
        self.resampled(operation, [1, 1], [rows, columns])
    }

    /// Lowers `nn.resize` and `int8.upsample` to the nearest pixel by whole factors.
    pub(super) fn resize(&mut self, operation: &Operation) -> Lowered {
        let (ir, op) = (self.ir, operation.op);
        let (&[_, height, width, _], &[_, rows, columns, _]) =
            (self.shape(operation.operands[0]), self.shape(operation.results[0]))
        else {
            return None;
        };
        if rows > MAX_SIDE || columns > MAX_SIDE {
            return None;
        }
        let sampling = if ir.is(op, &nn::RESIZE) {
            sampling(ir, op).ok()?
        } else {
            let coordinates = coordinates(ir, op)?;
            let rounding = (ir.str(op, "mode")? == "nearest").then(|| coordinates.rounding())?;
            Sampling { interpolation: Interpolation::Nearest(rounding), coordinates, factors: None }
        };
        let Interpolation::Nearest(rounding) = sampling.interpolation else { return None };
        let [row_axis, column_axis] = sampling.axes([height, width], [rows, columns]);
        let factor = |axis: Axis| {
            let factor = axis.output.checked_div(axis.input).filter(|factor| factor * axis.input == axis.output)?;
            let sources = axis.nearest(rounding);
            sources.iter().enumerate().all(|(o, &source)| source == o / factor).then_some(factor)
        };
        let factors = [factor(row_axis)?, factor(column_axis)?];
        self.resampled(operation, factors, [1, 1])
    }

    /// Pixel `(y * step_h / factor_h, x * step_w / factor_w)` of the input, requantised.
    fn resampled(&mut self, operation: &Operation, factors: [usize; 2], steps: [usize; 2]) -> Lowered {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let (source, shape) = (row_major(self.shape(input)), self.shape(result).to_vec());
        let &[batch, height, width, channels] = &shape[..] else { return None };
        let extents = vec![batch, height / factors[0], factors[0], width / factors[1], factors[1], channels];
        let [row, column] = [steps[0] as i64 * source[1], steps[1] as i64 * source[2]];
        let load = strided(self.read(input), 0, vec![source[0], row, 0, column, 0, 1]);
        let store = whole(self.write(result), &extents);
        let mut nest = Nest::new(place(self.ir, operation.op), extents, 6, store);
        let element = self.info(input).element;
        let x = nest.load(load, element);
        nest.result = match element {
            Element::F32 => x,
            Element::I8 => {
                let shift = self.fix(input)? - self.fix(result)?;
                nest.body.requantise(x, shift)
            }
        };
        self.push(nest);
        Some(())
    }
}

/// Longest side that is resampled here: the places of all its pixels are listed once.
const MAX_SIDE: usize = 1 << 16;

/// A column of pixels that are their own numbers.
fn line(size: usize) -> Option<Array4<u32>> {
    let numbers = (0..u32::try_from(size).ok().filter(|_| size <= MAX_SIDE)?).collect();
    Array4::from_shape_vec([1, size, 1, 1], numbers).ok()
}
