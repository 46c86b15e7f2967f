//! Fully connected layers (`spec/xmodel.md` section 5.6).

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Ir, OpId, ValueId};

use super::code::{Activated, Fix, code, constant_code, constant_elements};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};

/// The product with a constant matrix is a convolution: of the whole map if a map was flattened, with the order of the flattening
/// folded into the weights, else of one pixel.
pub(super) struct Matmul;

/// Largest map that becomes the kernel, per axis: what every DPU has.
const MAX_KERNEL: usize = 16;

impl FixPattern for Matmul {
    const NAME: &'static str = "matmul";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = Activated::of(ir, fix).filter(|found| ir.is(found.op, &nn::MATMUL))?;
        let (input, weights) = (ir.operand(found.op, 0), constant_code(ir, ir.operand(found.op, 1))?);
        let bias = match ir.operands(found.op).get(2) {
            Some(&bias) => Some(constant_code(ir, bias)?),
            None => None,
        };
        let matrix = Matrix::of(ir, found.op, weights)?;
        let (source, kernel, result, elements) = match Flattened::of(ir, input, matrix.columns) {
            Some(map) => (Operand::Code(map.code), map.shape, vec![1, 1, 1, matrix.rows], matrix.permuted(&map.order)),
            None => {
                let shape = ir.shape_of(input)?;
                let rows: usize = shape.iter().rev().skip(1).product();
                // One image: its rows are those of a map. Several images stay several.
                let (images, rows) = if shape.first() == Some(&1) { (1, rows) } else { (rows, 1) };
                let kernel = factors(matrix.columns, rows);
                let [height, width, channels] = kernel;
                let shape = vec![images, rows * height, width, channels];
                let result = vec![images, rows, 1, matrix.rows];
                (Operand::Reshaped(code(ir, input)?, shape), kernel, result, matrix.elements)
            }
        };
        let [height, width, channels] = kernel;
        let shape = vec![matrix.rows, height, width, channels];
        let weights = NewConstant::derived(ir, weights, "(reshaped)", shape, elements)?;
        let operands = [source, Operand::Constant(weights)].into_iter().chain(bias.map(Operand::Code)).collect();
        let lowered = Lowered::new(&int8::CONV2D, fix, found.parts(), []).with_all(found.attribute());
        Some(Lowered { operands, shape: Some(result), ..lowered })
    }
}

/// Most channels of a pixel: what every DPU takes.
const MAX_CHANNELS: usize = 2048;

/// A row of `columns` elements as a map no larger than a kernel, `[height, width, channels]`: the one with the fewest pixels whose channels
/// every DPU takes (`spec/xmodel.md` section 5.6). With several rows, each is a row of pixels.
fn factors(columns: usize, rows: usize) -> [usize; 3] {
    let heights = if rows == 1 { MAX_KERNEL } else { 1 };
    let sizes = (1..=heights).flat_map(|height| (1..=MAX_KERNEL).map(move |width| [height, width]));
    let fitting = sizes.filter(|[height, width]| {
        let pixels = height * width;
        columns.is_multiple_of(pixels) && columns / pixels <= MAX_CHANNELS
    });
    match fitting.min_by_key(|[height, width]| height * width) {
        Some([height, width]) => [height, width, columns / (height * width)],
        None => [1, 1, columns],
    }
}

/// The constant matrix, `[out, in]`.
struct Matrix {
    rows: usize,
    columns: usize,
    elements: Vec<i8>,
}

impl Matrix {
    fn of(ir: &Ir, op: OpId, weights: ValueId) -> Option<Self> {
        let &[first, second] = &ir.shape_of(weights)?[..] else { return None };
        let elements = constant_elements(ir, weights)?;
        if ir.bool(op, "transpose_b")? {
            return Some(Self { rows: first, columns: second, elements });
        }
        let transposed = (0..second).flat_map(|row| (0..first).map(move |column| column * second + row));
        let elements = transposed.map(|at| elements.get(at).copied()).collect::<Option<_>>()?;
        Some(Self { rows: second, columns: first, elements })
    }

    /// Column `i` moved to `order[i]`.
    fn permuted(&self, order: &[usize]) -> Vec<i8> {
        let mut permuted = vec![0; self.elements.len()];
        for (from, to) in self.elements.chunks_exact(self.columns).zip(permuted.chunks_exact_mut(self.columns)) {
            for (&value, &at) in from.iter().zip(order) {
                to[at] = value;
            }
        }
        permuted
    }
}

/// A map `[1, H, W, C]` whose elements, rearranged, are the input of a fully connected layer.
struct Flattened {
    code: ValueId,
    shape: [usize; 3],
    /// For each element of the layer's input its place in the map.
    order: Vec<usize>,
}

/// Longest chain of rearrangements between map and layer.
const MAX_CHAIN: usize = 16;

impl Flattened {
    /// The map behind `value`, a row of `length` elements: through reshapes, transpositions and conversions that change nothing.
    fn of(ir: &Ir, value: ValueId, length: usize) -> Option<Self> {
        let mut rearrangements: Vec<OpId> = Vec::new();
        let mut value = value;
        let mut best = None;
        for _ in 0..MAX_CHAIN {
            let (fits, shape) = (ir.fix_of(value).is_some(), ir.shape_of(value)?);
            if let (true, &[1, height @ 1..=MAX_KERNEL, width @ 1..=MAX_KERNEL, channels]) = (fits, &shape[..]) {
                best = Some((value, [height, width, channels], rearrangements.clone()));
            }
            let Some(op) = ir.defining_op(value) else { break };
            let input = ir.operands(op).first().copied();
            match ir.op_name(op) {
                "int8.dequantise" => {}
                "int8.quantise" if is_exact_quantisation(ir, op) => {}
                "int8.reshape" | "nn.reshape" | "nn.transpose" => rearrangements.push(op),
                _ => break,
            }
            value = input?;
        }
        let (code, shape, rearrangements) = best?;
        let [height, width, channels] = shape;
        if height.checked_mul(width)?.checked_mul(channels)? != length {
            return None;
        }
        let mut order: Vec<usize> = (0..length).collect();
        for op in rearrangements.into_iter().rev().filter(|&op| ir.is(op, &nn::TRANSPOSE)) {
            let axes = ir.ints(op, "order")?;
            let axes: Vec<usize> = axes.into_iter().map(|axis| usize::try_from(axis).ok()).collect::<Option<_>>()?;
            order = transposed(&order, &ir.shape_of(ir.operand(op, 0))?, &axes)?;
        }
        Some(Self { code, shape, order })
    }
}

/// Whether an `int8.quantise` reads rearranged codes of its own fix point.
fn is_exact_quantisation(ir: &Ir, op: OpId) -> bool {
    let mut value = ir.operand(op, 0);
    for _ in 0..MAX_CHAIN {
        if let Some(found) = code(ir, value) {
            return ir.fix_of(found) == ir.fix_of(ir.result(op));
        }
        match ir.defining_op(value) {
            Some(inner) if ir.is(inner, &nn::RESHAPE) || ir.is(inner, &nn::TRANSPOSE) => value = ir.operand(inner, 0),
            _ => return false,
        }
    }
    false
}

/// Elements of a tensor of this shape, C order, with its axes permuted: axis `i` of the result is axis `axes[i]`.
fn transposed(elements: &[usize], shape: &[usize], axes: &[usize]) -> Option<Vec<usize>> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].checked_mul(shape[axis])?;
    }
    let sizes: Vec<(usize, usize)> =
        axes.iter().map(|&axis| Some((*shape.get(axis)?, *strides.get(axis)?))).collect::<Option<_>>()?;
    let mut result = Vec::with_capacity(elements.len());
    let mut index = vec![0usize; sizes.len()];
    for _ in 0..elements.len() {
        let at: usize = index.iter().zip(&sizes).map(|(index, (_, stride))| index * stride).sum();
        result.push(*elements.get(at)?);
        for (index, (size, _)) in index.iter_mut().zip(&sizes).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rows_become_maps() {
        assert_eq!(factors(2048, 1), [1, 1, 2048]);
        assert_eq!(factors(4096, 1), [1, 2, 2048]);
        assert_eq!(factors(25088, 1), [1, 14, 1792]);
        assert_eq!(factors(4096, 7), [1, 2, 2048]);
        // A prime has no factors.
        assert_eq!(factors(4099, 1), [1, 1, 4099]);
        assert_eq!(factors(2048 * 256, 1), [16, 16, 2048]);
        assert_eq!(factors(2048 * 256, 2), [1, 1, 2048 * 256]);
    }

    #[test]
    fn transposition_follows_the_axes() {
        let elements: Vec<usize> = (0..6).collect();
        assert_eq!(transposed(&elements, &[1, 2, 3], &[0, 2, 1]).unwrap(), [0, 3, 1, 4, 2, 5]);
        assert_eq!(transposed(&elements, &[1, 2, 3], &[0, 1, 2]).unwrap(), elements);
    }

    /// W'[o][h*W*C + w*C + c] = W[o][c*H*W + h*W + w] (spec/xmodel.md section 5.6).
    #[test]
    fn the_channel_first_order_is_folded_into_the_weights() {
        let (height, width, channels) = (2, 3, 4);
        let length = height * width * channels;
        let elements: Vec<usize> = (0..length).collect();
        let order = transposed(&elements, &[1, height, width, channels], &[0, 3, 1, 2]).unwrap();
        let matrix = Matrix { rows: 2, columns: length, elements: (0..2 * length).map(|i| i as i8).collect() };
        let permuted = matrix.permuted(&order);
        for o in 0..2 {
            for h in 0..height {
                for w in 0..width {
                    for c in 0..channels {
                        let to = o * length + (h * width + w) * channels + c;
                        let from = o * length + (c * height + h) * width + w;
                        assert_eq!(permuted[to], matrix.elements[from]);
                    }
                }
            }
        }
    }
}
