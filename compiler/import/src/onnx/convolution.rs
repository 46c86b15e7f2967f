//! Convolutions.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, ValueId};

use super::emit::{Attributes, list};
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::literal::{Literal, strides, walk};
use super::node::{MAX_SIZE, Node};
use super::window::{Map, Window};

/// Height and width of the kernel of weights `[a, b, (h,) w]`.
fn kernel(weights: &Operand) -> Result<[i64; 2], Reason> {
    let sizes = match *weights.shape() {
        [_, _, width] => [1, width],
        [_, _, height, width] => [height, width],
        _ => {
            return Err(format!(
                "its weights have shape {:?}; one or two spatial dimensions are supported",
                weights.shape()
            )
            .into());
        }
    };
    let kernel = sizes.map(|size| size as i64);
    if kernel.iter().any(|size| !(1..=MAX_SIZE).contains(size)) {
        return Err(format!("its kernel is {kernel:?} [h, w]; 1 to {MAX_SIZE} are supported").into());
    }
    Ok(kernel)
}

/// The number of groups, which must divide the channels.
fn groups(node: Node<'_>, channels: usize) -> Result<usize, Reason> {
    let groups = node.int("group", 1)?;
    let count = usize::try_from(groups).ok().filter(|&count| count > 0 && channels.is_multiple_of(count));
    count.ok_or_else(|| format!("its {channels} channels cannot be in {groups} groups").into())
}

pub(super) fn convolution(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (input, weights) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let map = importer.map(&input)?;
    let kernel = kernel(&weights)?;
    let (outputs, group_inputs) = (weights.shape()[0], weights.shape()[1]);
    let groups = groups(node, map.channels)?;
    if weights.rank() != input.rank() || group_inputs * groups != map.channels || !outputs.is_multiple_of(groups) {
        let (own, channels) = (weights.shape(), map.channels);
        return Err(format!("its weights of shape {own:?} do not fit {channels} channels in {groups} groups").into());
    }
    let window = Window::of(node, kernel, map.spatial)?.auto_padded(node, map.size)?;
    let weights = importer.reshaped(&weights, &[outputs, group_inputs, kernel[0] as usize, kernel[1] as usize])?;
    let is_depthwise = groups > 1 && group_inputs == 1 && outputs == groups;
    // Kernels are OHWI, those of a depthwise convolution `[1, h, w, channels]`.
    let order: &[usize] = if is_depthwise { &[1, 2, 3, 0] } else { &[0, 2, 3, 1] };
    let arranged = importer.arranged(&weights, order)?;
    let mut operands = vec![map.value, arranged];
    operands.extend(importer.bias(node, outputs)?);
    let mut attributes = vec![
        ("strides", Attribute::ints(window.strides)),
        ("pads", Attribute::ints(window.pads)),
        ("dilations", Attribute::ints(window.dilations)),
    ];
    let definition = if is_depthwise { &nn::DEPTHWISE_CONV2D } else { &nn::CONV2D };
    if !is_depthwise && groups > 1 {
        attributes.push(("groups", Attribute::int(groups as i64)));
    }
    let size = window.output(map.size)?;
    let value = importer.emit(definition, &operands, attributes, &[map.batch, size[0], size[1], outputs])?;
    let result = importer.of_map(Map { value, size, channels: outputs, ..map }, &input)?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// An operand with its dimensions permuted.
    fn arranged(&mut self, operand: &Operand, order: &[usize]) -> Result<ValueId, Reason> {
        match operand {
            Operand::Known(literal) => self.constant(literal, order),
            Operand::Computed(tensor) => {
                let rank = tensor.shape.len();
                let order: Vec<usize> = order.iter().map(|&axis| tensor.layout.place(rank, axis)).collect();
                self.transpose(tensor.value, &order)
            }
        }
    }

    /// The third input, if there is one.
    fn bias(&mut self, node: Node<'_>, channels: usize) -> Result<Option<ValueId>, Reason> {
        let Some(bias) = self.optional(node, 2) else { return Ok(None) };
        if bias.shape() != [channels] {
            return Err(format!("its bias has shape {:?}, but it has {channels} output channels", bias.shape()).into());
        }
        self.same(&bias).map(Some)
    }
}

/// A transposed convolution: its sizes.
struct Transposed {
    window: Window,
    /// What is cut from the full output, `[top, left, bottom, right]`; negative if something is added.
    crops: [i64; 4],
}

impl Transposed {
    fn of(node: Node<'_>, kernel: [i64; 2], map: &Map) -> Result<Self, Reason> {
        let window = Window::of(node, kernel, map.spatial)?;
        let line = map.spatial == 1;
        let pair = |name: &str| -> Result<[i64; 2], Reason> {
            if line { Ok([0, node.sizes::<1>(name, [0])?[0]]) } else { node.sizes(name, [0, 0]) }
        };
        let added = pair("output_padding")?;
        let mut wanted = pair("output_shape")?;
        if line && wanted != [0, 0] {
            wanted[0] = 1;
        }
        let mode = node.text("auto_pad", "NOTSET")?;
        let mut crops = [0; 4];
        for axis in 0..2 {
            let (size, stride) = (map.size[axis] as i64, window.strides[axis]);
            let full = (size - 1) * stride + window.extent(axis) + added[axis];
            let target = match mode {
                "SAME_UPPER" | "SAME_LOWER" if wanted == [0, 0] => Some(size * stride),
                _ => (wanted != [0, 0]).then(|| wanted[axis]),
            };
            let [before, after] = match (target, mode) {
                (Some(target), "SAME_UPPER") => [(full - target) / 2, full - target - (full - target) / 2],
                (Some(target), _) => [full - target - (full - target) / 2, (full - target) / 2],
                (None, "VALID") => [0, 0],
                (None, _) => [window.pads[axis], window.pads[axis + 2]],
            };
            (crops[axis], crops[axis + 2]) = (before, after - added[axis]);
        }
        Ok(Self { window, crops })
    }
}

pub(super) fn transposed(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let weights = importer.operand(node, 1)?;
    let Some(literal) = weights.known().cloned() else {
        return Err("its weights are computed by the network, not constant".into());
    };
    let mut map = importer.map(&input)?;
    let kernel = kernel(&weights)?;
    let (inputs, group_outputs) = (literal.shape[0], literal.shape[1]);
    let groups = groups(node, map.channels)?;
    if weights.rank() != input.rank() || inputs != map.channels {
        return Err(format!("its weights of shape {:?} do not fit {} channels", literal.shape, map.channels).into());
    }
    let outputs = group_outputs.checked_mul(groups).ok_or("its result is too large")?;
    let Transposed { window, mut crops } = Transposed::of(node, kernel, &map)?;
    importer.extend_for(&mut map, window.strides, &mut crops)?;
    let weights = literal.reshaped(&[inputs, group_outputs, kernel[0] as usize, kernel[1] as usize]);
    let weights = stored(&weights, window.dilations)?;
    importer.constants.spend(weights.stored())?;
    let mut size = [0; 2];
    for axis in 0..2 {
        let full = (map.size[axis] as i64 - 1) * window.strides[axis] + window.extent(axis);
        let rest = full - crops[axis] - crops[axis + 2];
        size[axis] =
            usize::try_from(rest).ok().filter(|&size| size > 0).ok_or("its padding leaves nothing of its result")?;
    }
    let bias = importer.bias(node, outputs)?;
    let attributes = vec![("strides", Attribute::ints(window.strides)), ("pads", Attribute::ints(crops))];
    let geometry = Grouped { groups, inputs, group_outputs, size };
    let value = importer.grouped(&map, &weights, bias, &attributes, &geometry)?;
    let result = importer.of_map(Map { value, size, channels: outputs, ..map }, &input)?;
    importer.define(node, 0, result);
    Ok(())
}

/// Of ONNX's `[in, out, h, w]`: OHWI, which for `[channels, 1, h, w]` is `[1, h, w, channels]`.
const ORDER: &[usize] = &[1, 2, 3, 0];

/// How the channels of a transposed convolution are divided.
struct Grouped {
    groups: usize,
    inputs: usize,
    group_outputs: usize,
    size: [usize; 2],
}

impl Importer<'_> {
    /// Adds rows and columns of zeros behind the input where the result is larger than the full output: they give what is missing, and
    /// more is cropped.
    fn extend_for(&mut self, map: &mut Map, strides: [i64; 2], crops: &mut [i64; 4]) -> Outcome {
        let mut zeros = [0; 2];
        for axis in 0..2 {
            let (before, after) = (crops[axis], crops[axis + 2]);
            if !(0..=MAX_SIZE).contains(&before) || after > MAX_SIZE {
                return Err(
                    format!("it crops {before} and {after} rows or columns; 0 to {MAX_SIZE} are supported").into()
                );
            }
            if after < 0 {
                let more = (-after + strides[axis] - 1) / strides[axis];
                zeros[axis] = usize::try_from(more).unwrap_or(usize::MAX);
                crops[axis + 2] = after + more * strides[axis];
            }
        }
        if zeros == [0, 0] {
            return Ok(());
        }
        let size = [0, 1].map(|axis| map.size[axis].saturating_add(zeros[axis]));
        let paddings = list(&[0, 0, 0, zeros[0], 0, zeros[1], 0, 0]);
        map.value = self.emit(
            &nn::PAD,
            &[map.value],
            vec![("paddings", paddings)],
            &[map.batch, size[0], size[1], map.channels],
        )?;
        map.size = size;
        Ok(())
    }

    /// A transposed convolution in groups: one for each group, or one for each channel.
    fn grouped(
        &mut self,
        map: &Map,
        weights: &Literal,
        bias: Option<ValueId>,
        attributes: &Attributes,
        geometry: &Grouped,
    ) -> Result<ValueId, Reason> {
        let &Grouped { groups, inputs, group_outputs, size: [height, width] } = geometry;
        let shape = |channels: usize| [map.batch, height, width, channels];
        if groups == 1 || (groups == inputs && group_outputs == 1) {
            let definition = if groups == 1 { &nn::TRANSPOSED_CONV2D } else { &nn::TRANSPOSED_DEPTHWISE_CONV2D };
            let weights = self.constant(weights, ORDER)?;
            let operands: Vec<ValueId> = [map.value, weights].into_iter().chain(bias).collect();
            return self.emit(definition, &operands, attributes.clone(), &shape(groups * group_outputs));
        }
        let own = inputs / groups;
        let mut parts = Vec::with_capacity(groups);
        for group in 0..groups {
            let input = self.channels_of(map.value, group * own, own)?;
            let weights = self.constant(&weights.rows(group * own, own), ORDER)?;
            parts.push(self.emit(
                &nn::TRANSPOSED_CONV2D,
                &[input, weights],
                attributes.clone(),
                &shape(group_outputs),
            )?);
        }
        let joined =
            self.emit(&nn::CONCAT, &parts, vec![("axis", Attribute::int(3))], &shape(groups * group_outputs))?;
        match bias {
            Some(bias) => self.emit(&nn::ADD, &[joined, bias], Vec::new(), &shape(groups * group_outputs)),
            None => Ok(joined),
        }
    }

    /// Some channels of a map.
    fn channels_of(&mut self, map: ValueId, first: usize, count: usize) -> Result<ValueId, Reason> {
        let shape = self.ir.shape_of(map).unwrap_or_default();
        let &[batch, height, width, _] = &shape[..] else { return Err("its input is no map".into()) };
        let attributes = vec![
            ("begin", list(&[0, 0, 0, first])),
            ("end", list(&[batch, height, width, first + count])),
            ("strides", list(&[1; 4])),
        ];
        self.emit(&nn::STRIDED_SLICE, &[map], attributes, &[batch, height, width, count])
    }
}

impl Literal {
    /// Some of its rows, the first dimension.
    fn rows(&self, first: usize, count: usize) -> Self {
        let row = strides(&self.shape).first().copied().unwrap_or(1);
        let mut shape = self.shape.clone();
        shape[0] = count;
        self.picked(&shape, first * row..(first + count) * row)
    }
}

/// Weights `[in, out, h, w]` as the dialect stores them, spatially flipped, with zeros between taps in place of dilation.
fn stored(weights: &Literal, dilations: [i64; 2]) -> Result<Literal, Reason> {
    let &[inputs, outputs, height, width] = &weights.shape[..] else {
        return Err("its weights are not of rank 4".into());
    };
    let own = strides(&weights.shape);
    let steps = [own[0] as isize, own[1] as isize, -(own[2] as isize), -(own[3] as isize)];
    let last = (height - 1) * own[2] + (width - 1) * own[3];
    let flipped = weights.picked(&weights.shape, walk(&weights.shape, last, &steps));
    if dilations == [1, 1] {
        return Ok(Literal { name: weights.name.clone(), ..flipped });
    }
    let [step_h, step_w] = dilations.map(|step| step as usize);
    let [spread_h, spread_w] = [(height - 1) * step_h + 1, (width - 1) * step_w + 1];
    let count = [inputs, outputs, spread_h, spread_w].iter().try_fold(1usize, |count, &size| count.checked_mul(size));
    let count = count.filter(|&count| count <= 1 << 24).ok_or("its dilated kernel is too large")?;
    let values = flipped.all_floats();
    let mut spread = vec![0.0; count];
    for (index, value) in values.into_iter().enumerate() {
        let (filter, tap) = (index / (height * width), index % (height * width));
        let (y, x) = (tap / width * step_h, tap % width * step_w);
        spread[(filter * spread_h + y) * spread_w + x] = value;
    }
    Ok(Literal {
        name: weights.name.clone(),
        fix: weights.fix,
        ..Literal::floats(&[inputs, outputs, spread_h, spread_w], spread)
    })
}
