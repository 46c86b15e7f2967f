//! Operations that move elements, for floats and codes alike: copies by affine accesses, or other names of the same memory.

use super::attributes::{float, size, sizes};
use super::{Lowered, Lowering, strided, whole};
use crate::loops::{Access, Nest, row_major};
use crate::network::{Element, Operation, TensorId, place};

/// The dimensions of an exchange of space and channels, written over the smaller map's side or the larger one's.
struct Exchange {
    /// Sizes, in the order of the written map.
    extents: Vec<usize>,
    /// Strides in the read map.
    strides: Vec<i64>,
}

impl Lowering<'_> {
    /// Lowers a movement to loops.
    pub(super) fn movement(&mut self, name: &str, operation: &Operation) -> Lowered {
        match name {
            "reshape" => {
                self.reshape(operation);
                Some(())
            }
            "transpose" => self.transpose(operation),
            "strided_slice" => self.slice(operation),
            "concat" => self.concat(operation),
            "split" => self.split(operation),
            "pad" => self.pad(operation),
            "space_to_depth" => self.exchange(operation, true),
            "depth_to_space" => self.exchange(operation, false),
            _ => None,
        }
    }

    fn reshape(&mut self, operation: &Operation) {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let source = self.read(input);
        if self.alias(result, source).is_none() {
            let extents = self.shape(result).to_vec();
            let strides = row_major(&extents);
            self.copy(operation, result, extents, strided(source, 0, strides));
        }
    }

    /// Fills a result in the order of its elements.
    fn copy(&mut self, operation: &Operation, result: TensorId, extents: Vec<usize>, load: Access) {
        let element = self.info(result).element;
        let store = whole(self.write(result), &extents);
        let dims = extents.len();
        let mut nest = Nest::new(place(self.ir, operation.op), extents, dims, store);
        nest.result = nest.load(load, element);
        self.push(nest);
    }

    fn transpose(&mut self, operation: &Operation) -> Lowered {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let order = sizes(self.ir, operation.op, "order")?;
        let source = row_major(self.shape(input));
        let strides: Vec<i64> = order.iter().map(|&axis| source.get(axis).copied()).collect::<Option<_>>()?;
        let load = strided(self.read(input), 0, strides);
        self.copy(operation, result, self.shape(result).to_vec(), load);
        Some(())
    }

    fn slice(&mut self, operation: &Operation) -> Lowered {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let (begin, steps) = (sizes(self.ir, operation.op, "begin")?, sizes(self.ir, operation.op, "strides")?);
        let source = row_major(self.shape(input));
        let offset: i64 = begin.iter().zip(&source).map(|(&first, &stride)| first as i64 * stride).sum();
        // A stride beyond the dimension takes one element and never moves.
        let strides = source.iter().zip(&steps).map(|(&stride, &step)| stride.saturating_mul(step as i64)).collect();
        let load = strided(self.read(input), offset, strides);
        self.copy(operation, result, self.shape(result).to_vec(), load);
        Some(())
    }

    /// Each input goes to its part of the result, requantised if it is of codes.
    fn concat(&mut self, operation: &Operation) -> Lowered {
        let result = operation.results[0];
        let axis = size(self.ir, operation.op, "axis").filter(|&axis| axis < self.shape(result).len())?;
        let output = self.fix(result);
        let (target, strides) = (self.write(result), row_major(self.shape(result)));
        let element = self.info(result).element;
        let mut nests = Vec::new();
        let mut first = 0i64;
        for &input in &operation.operands {
            let shape = self.shape(input).to_vec();
            let store = strided(target, first * strides[axis], strides.clone());
            first += shape[axis] as i64;
            let mut nest = Nest::new(place(self.ir, operation.op), shape.clone(), shape.len(), store);
            let x = self.element(&mut nest, input)?;
            nest.result = match (element, output) {
                (Element::F32, _) => x,
                (Element::I8, Some(output)) => {
                    let input = self.fix(input)?;
                    nest.body.requantise(x, input - output)
                }
                (Element::I8, None) => return None,
            };
            nests.push(nest);
        }
        for nest in nests {
            self.push(nest);
        }
        Some(())
    }

    fn split(&mut self, operation: &Operation) -> Lowered {
        let input = operation.operands[0];
        let axis = size(self.ir, operation.op, "axis").filter(|&axis| axis < self.shape(input).len())?;
        let strides = row_major(self.shape(input));
        let source = self.read(input);
        let is_outermost = self.shape(input)[..axis].iter().all(|&size| size == 1);
        let mut first = 0;
        for &part in &operation.results {
            let offset = first * strides[axis];
            first += self.shape(part)[axis] as i64;
            let view = crate::loops::View { buffer: source.buffer, offset: source.offset + offset as usize };
            if !(is_outermost && self.alias(part, view).is_some()) {
                let load = strided(source, offset, strides.clone());
                self.copy(operation, part, self.shape(part).to_vec(), load);
            }
        }
        Some(())
    }

    /// The constant everywhere, then the input in its place; or the input and its mirror images side by side.
    fn pad(&mut self, operation: &Operation) -> Lowered {
        let (ir, op) = (self.ir, operation.op);
        let (input, result) = (operation.operands[0], operation.results[0]);
        let paddings = sizes(ir, op, "paddings")?;
        let (pairs, rest) = paddings.as_chunks::<2>();
        let shape = self.shape(input).to_vec();
        if !rest.is_empty() || pairs.len() != shape.len() {
            return None;
        }
        let element = self.info(result).element;
        let edge = match ir.str(op, "mode")? {
            "constant" => None,
            // How far behind the edge the mirror image begins.
            "reflect" => Some(1),
            "symmetric" => Some(0),
            _ => return None,
        };
        if edge.is_none() {
            let mut fill = self.pointwise(operation);
            fill.result = match element {
                Element::I8 => fill.body.integer(i64::from(i8::try_from(ir.int(op, "value")?).ok()?)),
                Element::F32 => fill.body.real(float(ir, op, "value").unwrap_or(0.0) as f32),
            };
            self.push(fill);
        }
        let (source, target) = (self.read(input), self.write(result));
        let (inner, outer) = (row_major(&shape), row_major(self.shape(result)));
        // Of each dimension: size of the piece, its place in the result, its first element in the input and the direction.
        let mut pieces: Vec<Vec<(usize, usize, i64, i64)>> = Vec::new();
        for (&size, &[before, after]) in shape.iter().zip(pairs) {
            let mut own = vec![(size, before, 0, 1)];
            if let Some(edge) = edge {
                own.push((before, 0, before as i64 - 1 + edge, -1));
                own.push((after, before + size, size as i64 - 1 - edge, -1));
            }
            own.retain(|piece| piece.0 > 0);
            pieces.push(own);
        }
        let count = pieces.iter().try_fold(1usize, |count, own| count.checked_mul(own.len()));
        if count.is_none_or(|count| count > 81) {
            return None;
        }
        let mut choices: Vec<Vec<(usize, usize, i64, i64)>> = vec![Vec::new()];
        for own in &pieces {
            choices = choices
                .iter()
                .flat_map(|so_far| own.iter().map(move |&piece| [&so_far[..], &[piece]].concat()))
                .collect();
        }
        for choice in choices {
            let extents: Vec<usize> = choice.iter().map(|piece| piece.0).collect();
            let dims = choice.iter().enumerate();
            let to: i64 = dims.clone().map(|(dim, piece)| piece.1 as i64 * outer[dim]).sum();
            let from: i64 = dims.clone().map(|(dim, piece)| piece.2 * inner[dim]).sum();
            let directions = dims.map(|(dim, piece)| piece.3 * inner[dim]).collect();
            let dims = extents.len();
            let mut nest = Nest::new(place(ir, op), extents, dims, strided(target, to, outer.clone()));
            nest.result = nest.load(strided(source, from, directions), element);
            self.push(nest);
        }
        Some(())
    }

    fn exchange(&mut self, operation: &Operation, deepens: bool) -> Lowered {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let block = size(self.ir, operation.op, "block").filter(|&block| block > 0)?;
        let order = self.ir.str(operation.op, "order")?.to_owned();
        let (large, small) = if deepens { (input, result) } else { (result, input) };
        let (&[batch, height, width, channels], &[_, rows, columns, depth]) = (self.shape(large), self.shape(small))
        else {
            return None;
        };
        if rows * block != height || columns * block != width || channels * block * block != depth {
            return None;
        }
        if order == "reorg" && rows % block != 0 {
            return None;
        }
        let (b, c) = (block as i64, channels as i64);
        let (row, pixel) = ((width * channels) as i64, c);
        let (map_row, map_pixel) = ((columns * depth) as i64, depth as i64);
        let (image, map_image) = (height as i64 * row, rows as i64 * map_row);
        // One dimension: its size, its stride in the larger map and in the smaller one.
        type Dimension = (usize, i64, i64);
        let outermost: Dimension = (batch, image, map_image);
        let across: Dimension = (columns, b * pixel, map_pixel);
        let (inner_y, inner_x, channel): (Dimension, Dimension, Dimension) = match &order[..] {
            "dcr" | "reorg" => ((block, row, b * c), (block, pixel, c), (channels, 1, 1)),
            "crd" => ((block, row, b), (block, pixel, 1), (channels, 1, b * b)),
            _ => return None,
        };
        let down: Vec<Dimension> = if order == "reorg" {
            vec![(rows / block, b * b * row, b * map_row), (block, row, map_row)]
        } else {
            vec![(rows, b * row, map_row)]
        };
        let inner_y = if order == "reorg" { (block, b * row, b * c) } else { inner_y };
        let dimensions: Vec<Dimension> = [&[outermost], &down[..], &[across, inner_y, inner_x, channel]].concat();
        let exchange = Exchange::new(dimensions, deepens);
        let load = strided(self.read(input), 0, exchange.strides);
        self.copy(operation, result, exchange.extents, load);
        Some(())
    }
}

impl Exchange {
    /// Orders the dimensions by their strides in the written map, so that it is written in the order of its elements.
    fn new(mut dimensions: Vec<(usize, i64, i64)>, deepens: bool) -> Self {
        dimensions.retain(|&(size, ..)| size != 1);
        let written = |&(_, large, small): &(usize, i64, i64)| if deepens { small } else { large };
        dimensions.sort_by_key(|dimension| std::cmp::Reverse(written(dimension)));
        let read = |&(_, large, small): &(usize, i64, i64)| if deepens { large } else { small };
        Self {
            extents: dimensions.iter().map(|&(size, ..)| size).collect(),
            strides: dimensions.iter().map(read).collect(),
        }
    }
}
