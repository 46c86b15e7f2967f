//! Pooling.

use dpuc_dialects::Attribute;
use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;

use super::emit::Attributes;
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::literal::Literal;
use super::node::{MAX_SIZE, Node};
use super::window::{Map, Window};

pub(super) fn max(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    if node.has_output(1) {
        return Err("its indices are not supported".into());
    }
    let input = importer.operand(node, 0)?;
    let map = importer.map(&input)?;
    let Pooling { window, .. } = Pooling::of(node, &map)?;
    let result = importer.pooled(&nn::MAX_POOL, &input, &map, &window, Vec::new())?;
    importer.define(node, 0, result);
    Ok(())
}

/// The mean over a window. Padding counts as zeros or not at all, and what a rounded-up last window has behind the padding never counts.
pub(super) fn average(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let map = importer.map(&input)?;
    let size = map.size;
    let Pooling { window, given } = Pooling::of(node, &map)?;
    let counts_padding = node.flag("count_include_pad", false)?;
    let exclude = !counts_padding && window.pads != [0; 4];
    let attributes = vec![("exclude_padding", Attribute::Bool(exclude))];
    let mut result = importer.pooled(&nn::AVG_POOL, &input, &map, &window, attributes)?;
    if counts_padding && window.pads != given {
        let corrections = corrections(&window, given, size)?;
        let [height, width] = [corrections[0].len(), corrections[1].len()];
        let values =
            corrections[0].iter().flat_map(|row| corrections[1].iter().map(move |column| row * column)).collect();
        let shape = if input.rank() == 3 { vec![width] } else { vec![height, width] };
        result = importer.binary(&nn::MUL, &result, &Literal::floats(&shape, values).into())?;
    }
    importer.define(node, 0, result);
    Ok(())
}

/// For each row and column of windows, the size of the kernel divided by how much of it lies on the input with its given padding.
fn corrections(window: &Window, given: [i64; 4], input: [usize; 2]) -> Result<[Vec<f32>; 2], Reason> {
    let output = window.output(input)?;
    let along = |axis: usize| {
        let end = input[axis] as i64 + given[axis] + given[axis + 2];
        let inside = |index: i64| (end - index * window.strides[axis]).min(window.kernel[axis]);
        (0..output[axis] as i64).map(|index| window.kernel[axis] as f32 / inside(index) as f32).collect()
    };
    Ok([along(0), along(1)])
}

/// A window with all padding it reaches, and the padding that the node gives.
struct Pooling {
    window: Window,
    given: [i64; 4],
}

impl Pooling {
    fn of(node: Node<'_>, map: &Map) -> Result<Self, Reason> {
        let kernel = if map.spatial == 1 {
            [1, node.sizes::<1>("kernel_shape", [0])?[0]]
        } else {
            node.sizes("kernel_shape", [0, 0])?
        };
        if kernel.contains(&0) {
            return Err("its attribute kernel_shape is missing or has a zero".into());
        }
        let mut window = Window::of(node, kernel, map.spatial)?.auto_padded(node, map.size)?;
        if window.dilations != [1, 1] {
            return Err(format!(
                "its dilations are {:?} [h, w]; only windows without gaps are supported",
                window.dilations
            )
            .into());
        }
        let given = window.pads;
        if node.flag("ceil_mode", false)? {
            window.round_up(map.size);
        }
        if window.pads.iter().any(|&pad| pad > MAX_SIZE) {
            return Err(format!("it pads by {:?}, more than {MAX_SIZE}", window.pads).into());
        }
        Ok(Self { window, given })
    }
}

impl Window {
    /// Adds what a last window needs that begins on the input or its first padding and ends behind the padding.
    fn round_up(&mut self, input: [usize; 2]) {
        for (axis, size) in input.into_iter().enumerate() {
            let (size, stride) = (size as i64, self.strides[axis]);
            let [before, after] = [self.pads[axis], self.pads[axis + 2]];
            let room = (size + before + after - self.extent(axis)).max(0);
            let mut last = (room + stride - 1) / stride;
            if last * stride >= size + before {
                last -= 1;
            }
            self.pads[axis + 2] = (last * stride + self.extent(axis) - size - before).max(0);
        }
    }
}

impl Importer<'_> {
    fn pooled(
        &mut self,
        definition: &'static OpDefinition,
        input: &Operand,
        map: &Map,
        window: &Window,
        more: Attributes,
    ) -> Result<Operand, Reason> {
        let size = window.output(map.size)?;
        let mut attributes = vec![
            ("kernel", Attribute::ints(window.kernel)),
            ("strides", Attribute::ints(window.strides)),
            ("pads", Attribute::ints(window.pads)),
        ];
        attributes.extend(more);
        let value = self.emit(definition, &[map.value], attributes, &[map.batch, size[0], size[1], map.channels])?;
        Ok(self.of_map(Map { value, size, ..*map }, input)?.into())
    }

    fn global(&mut self, node: Node<'_>, definition: &'static OpDefinition) -> Outcome {
        let input = self.operand(node, 0)?;
        let map = self.map(&input)?;
        let kernel = map.size.map(|size| size as i64);
        if kernel.iter().any(|&size| size > MAX_SIZE) {
            return Err(format!("its map of {kernel:?} [h, w] is larger than {MAX_SIZE}").into());
        }
        let window = Window { kernel, strides: [1, 1], dilations: [1, 1], pads: [0; 4] };
        let result = self.pooled(definition, &input, &map, &window, Vec::new())?;
        self.define(node, 0, result);
        Ok(())
    }
}

pub(super) fn global_average(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.global(node, &nn::AVG_POOL)
}

pub(super) fn global_max(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.global(node, &nn::MAX_POOL)
}
