//! Windows that walk over maps: convolution and pooling.

use super::error::Reason;
use super::importer::{Importer, Operand, Tensor};
use super::node::{MAX_SIZE, Node};
use dpuc_dialects::layout::Layout;

/// A window; pairs are `[h, w]`, pads `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) kernel: [i64; 2],
    pub(crate) strides: [i64; 2],
    pub(crate) dilations: [i64; 2],
    pub(crate) pads: [i64; 4],
}

impl Window {
    /// The window of a node. Those along one axis have a height of 1.
    pub(crate) fn of(node: Node<'_>, kernel: [i64; 2], spatial: usize) -> Result<Self, Reason> {
        let line = spatial == 1;
        let pair = |name: &str| -> Result<[i64; 2], Reason> {
            let values =
                if line { node.sizes::<1>(name, [1])?.map(|value| [1, value])[0] } else { node.sizes(name, [1, 1])? };
            if values.contains(&0) { Err(format!("its {name} are {values:?}").into()) } else { Ok(values) }
        };
        let pads = if line {
            let [before, after] = node.sizes("pads", [0; 2])?;
            [0, before, 0, after]
        } else {
            node.sizes("pads", [0; 4])?
        };
        Ok(Self { kernel, strides: pair("strides")?, dilations: pair("dilations")?, pads })
    }

    /// Rows or columns that the window covers.
    pub(crate) fn extent(&self, axis: usize) -> i64 {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// With the pads that the attribute `auto_pad` asks for.
    pub(crate) fn auto_padded(mut self, node: Node<'_>, input: [usize; 2]) -> Result<Self, Reason> {
        let mode = node.text("auto_pad", "NOTSET")?;
        match mode {
            "" | "NOTSET" => {}
            "VALID" => self.pads = [0; 4],
            "SAME_UPPER" | "SAME_LOWER" => {
                for (axis, size) in input.into_iter().enumerate() {
                    let (size, stride) = (size as i64, self.strides[axis]);
                    let outputs = (size - 1) / stride + 1;
                    let missing = ((outputs - 1) * stride + self.extent(axis) - size).max(0);
                    let small = missing / 2;
                    let before = if mode == "SAME_LOWER" { missing - small } else { small };
                    (self.pads[axis], self.pads[axis + 2]) = (before, missing - before);
                }
            }
            other => return Err(format!("its attribute auto_pad is {other:?}").into()),
        }
        if self.pads.iter().any(|pad| *pad > MAX_SIZE) {
            return Err(format!("it pads by {:?}, more than {MAX_SIZE}", self.pads).into());
        }
        Ok(self)
    }

    /// Height and width of the result.
    pub(crate) fn output(&self, input: [usize; 2]) -> Result<[usize; 2], Reason> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let room = input[axis] as i64 + self.pads[axis] + self.pads[axis + 2] - self.extent(axis);
            if room < 0 {
                return Err(format!("its window is larger than its padded input of {input:?} [h, w]").into());
            }
            output[axis] = (room / self.strides[axis] + 1) as usize;
        }
        Ok(output)
    }
}

/// A map in the IR, and how many spatial dimensions it has in the framework.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    pub(crate) value: dpuc_dialects::ValueId,
    pub(crate) batch: usize,
    pub(crate) size: [usize; 2],
    pub(crate) channels: usize,
    pub(crate) spatial: usize,
}

impl Importer<'_> {
    /// A tensor with channels as a map; with one spatial dimension that is the width.
    pub(crate) fn map(&mut self, operand: &Operand) -> Result<Map, Reason> {
        let map = |value, batch, channels, size, spatial| Ok(Map { value, batch, size, channels, spatial });
        match *operand.shape() {
            [batch, channels, height, width] => {
                let value = self.in_layout(operand, Layout::ChannelsLast)?;
                map(value, batch, channels, [height, width], 2)
            }
            [batch, channels, width] => {
                let line = self.in_layout(operand, Layout::ChannelsLast)?;
                let value = self.reshape(line, &[batch, 1, width, channels])?;
                map(value, batch, channels, [1, width], 1)
            }
            _ => Err(format!("its input has shape {:?}; one or two spatial dimensions are supported", operand.shape())
                .into()),
        }
    }

    /// The tensor of the framework that a map in the IR is.
    pub(crate) fn of_map(&mut self, map: Map, like: &Operand) -> Result<Tensor, Reason> {
        let Map { value, batch, size: [height, width], channels, spatial } = map;
        let element = like.element();
        let layout = Layout::ChannelsLast;
        if spatial == 2 {
            return Ok(Tensor { value, shape: vec![batch, channels, height, width], layout, element });
        }
        let value = self.reshape(value, &[batch, width, channels])?;
        Ok(Tensor { value, shape: vec![batch, channels, width], layout, element })
    }
}
