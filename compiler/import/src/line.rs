//! Operators on lines, `[batch, length, channels]`, as operators on maps of height 1.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, ValueId};

use crate::error::{ImportError, Refusal};
use crate::float::{Outcome, unsupported};
use crate::importer::Importer;
use crate::node::{Node, int_list};
use crate::window::Window;

impl<'a> Importer<'a> {
    /// A 1-D convolution; weights are `[out, kernel, in]`.
    pub(crate) fn line_convolution(&mut self, node: Node<'a>) -> Outcome {
        let operands = self.weighted_inputs(node)?;
        let window = self.line_window(node, operands[0])?;
        let [outputs, kernel, channels] = self.ir.shape_of(operands[1]).unwrap_or_default()[..] else {
            return unsupported("its weights have not three dimensions");
        };
        let weights = self.append_float_part(&nn::RESHAPE, node, [operands[1]], &[outputs, 1, kernel, channels]);
        let input = self.map_of(node, operands[0])?;
        let maps = [input, weights].into_iter().chain(operands.get(2).copied());
        let pads = window.sliding_pads(Self::pad_mode(node)?);
        let attributes = [
            ("strides", int_list(window.strides)),
            ("pads", int_list(pads)),
            ("dilations", int_list(window.dilations)),
        ];
        self.line_of_map(&nn::CONV2D, node, maps, attributes)
    }

    /// A 1-D maximum pool.
    pub(crate) fn line_pool(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let window = self.line_window(node, input)?;
        let input = self.map_of(node, input)?;
        let pads = window.sliding_pads(Self::pad_mode(node)?);
        let attributes =
            [("kernel", int_list(window.kernel)), ("strides", int_list(window.strides)), ("pads", int_list(pads))];
        self.line_of_map(&nn::MAX_POOL, node, [input], attributes)
    }

    /// The window over a map of height 1.
    fn line_window(&self, node: Node<'a>, input: ValueId) -> Result<Window, Refusal> {
        let length = |dims: Option<[i64; 3]>| dims.map(|[_, length, _]| [1, length]);
        let shape = self.ir.shape_of(input).unwrap_or_default();
        let before: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let after: Vec<i64> = node.dims().iter().map(|&size| size.into()).collect();
        let (Some(input), Some(output)) = (length(before.try_into().ok()), length(after.try_into().ok())) else {
            return Err(Refusal::Unsupported("its input and output have not three dimensions".to_owned()));
        };
        let number = |key: &'static str| -> Result<[i64; 2], ImportError> { Ok([1, node.ints::<1>(key)?[0]]) };
        let [left, right] = if node.has("pad") { node.ints("pad")? } else { [0; 2] };
        Ok(Window {
            input,
            output,
            kernel: number("kernel")?,
            strides: number("stride")?,
            dilations: if node.has("dilation") { number("dilation")? } else { [1; 2] },
            pads: [0, left, 0, right],
        })
    }

    /// A value with up to four dimensions as a map: rows and columns of size 1 are added behind the batch.
    pub(crate) fn map_of(&mut self, node: Node<'a>, value: ValueId) -> Result<ValueId, Refusal> {
        let shape = self.ir.shape_of(value).unwrap_or_default();
        let map = match shape[..] {
            [_, _, _, _] => return Ok(value),
            [batch, length, channels] => [batch, 1, length, channels],
            [batch, channels] => [batch, 1, 1, channels],
            [channels] => [1, 1, 1, channels],
            _ => return Err(Refusal::Unsupported(format!("its input of dimensions {shape:?} is no map"))),
        };
        Ok(self.append_float_part(&nn::RESHAPE, node, [value], &map))
    }

    /// An operation on maps that stands for `node` once its result has the dimensions of the node.
    pub(crate) fn line_of_map<'n>(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: impl IntoIterator<Item = ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
    ) -> Outcome {
        let dims: Option<Vec<usize>> = node.dims().iter().map(|&size| usize::try_from(size).ok()).collect();
        let map = match dims.as_deref() {
            Some(&[_, _, _, _]) => return Ok(self.emit(definition, node, operands, attributes)?),
            Some(&[batch, length, channels]) => [batch, 1, length, channels],
            Some(&[batch, channels]) => [batch, 1, 1, channels],
            Some(&[channels]) => [1, 1, 1, channels],
            _ => return unsupported("its output is no map"),
        };
        let ty = self.ir.float_tensor(&map);
        let result = self.append_part(definition, node, operands, attributes, ty);
        Ok(self.emit(&nn::RESHAPE, node, [result], [])?)
    }
}
