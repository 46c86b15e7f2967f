//! Constants that are known while a model is read.

use std::sync::Arc;

use dpuc_onnx::{ElementType, Elements, Tensor};

use super::error::Reason;

/// A constant tensor, dimensions as the framework has them.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    /// Name of the initialiser or of the output it came from.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) shape: Vec<usize>,
    pub(crate) element: ElementType,
    pub(crate) numbers: Numbers,
    /// Binary places of its elements, which are signed bytes of so many, if it is quantised.
    pub(crate) fix: Option<i32>,
}

/// Elements in C order. One element stands for all.
#[derive(Clone, Debug)]
pub(crate) enum Numbers {
    Floats(Arc<[f32]>),
    /// Integers and, as 0 and 1, truth values.
    Integers(Arc<[i64]>),
}

impl Literal {
    /// The constant that a message says. Doubles become singles.
    pub(crate) fn new(tensor: &Tensor) -> Result<Self, Reason> {
        let shape = tensor.shape().map_err(|error| error.to_string())?;
        let numbers = match tensor.elements().map_err(|error| error.to_string())? {
            Elements::Floats(values) => Numbers::Floats(values.into()),
            Elements::Doubles(values) => Numbers::Floats(values.into_iter().map(|value| value as f32).collect()),
            Elements::Integers(values) => Numbers::Integers(values.into()),
        };
        let name = (!tensor.name.is_empty()).then(|| tensor.name.as_str().into());
        Ok(Self { name, shape, element: tensor.element_type(), numbers, fix: None })
    }

    /// Floats; one value may stand for all.
    pub(crate) fn floats(shape: &[usize], values: Vec<f32>) -> Self {
        Self {
            name: None,
            shape: shape.to_vec(),
            element: ElementType::FLOAT,
            numbers: Numbers::Floats(values.into()),
            fix: None,
        }
    }

    /// A list of integers.
    pub(crate) fn integers(values: Vec<i64>) -> Self {
        let shape = vec![values.len()];
        Self { name: None, shape, element: ElementType::INT64, numbers: Numbers::Integers(values.into()), fix: None }
    }

    /// One float without dimensions.
    pub(crate) fn scalar(value: f32) -> Self {
        Self::floats(&[], vec![value])
    }

    /// A float for each channel, in a shape that broadcasts to a tensor of `rank` dimensions whose second one are the channels.
    pub(crate) fn per_channel(values: Vec<f32>, rank: usize) -> Self {
        let mut shape = vec![values.len()];
        shape.extend(vec![1; rank.saturating_sub(2)]);
        Self::floats(&shape, values)
    }

    /// Number of elements.
    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of elements that are stored.
    pub(crate) fn stored(&self) -> usize {
        match &self.numbers {
            Numbers::Floats(values) => values.len(),
            Numbers::Integers(values) => values.len(),
        }
    }

    /// Whether one stored element stands for all.
    pub(crate) fn is_splat(&self) -> bool {
        self.stored() == 1 && self.count() != 1
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self.numbers, Numbers::Floats(_))
    }

    /// The stored elements as floats.
    pub(crate) fn to_floats(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Floats(values) => values.to_vec(),
            Numbers::Integers(values) => values.iter().map(|&value| value as f32).collect(),
        }
    }

    /// All elements as floats, `count` of them.
    pub(crate) fn all_floats(&self) -> Vec<f32> {
        let stored = self.to_floats();
        if self.is_splat() { vec![stored[0]; self.count()] } else { stored }
    }

    /// All elements, if they are integers.
    pub(crate) fn to_integers(&self) -> Option<Vec<i64>> {
        match &self.numbers {
            Numbers::Integers(values) if self.is_splat() => Some(vec![values[0]; self.count()]),
            Numbers::Integers(values) => Some(values.to_vec()),
            Numbers::Floats(_) => None,
        }
    }

    /// The only element as a float.
    pub(crate) fn single(&self) -> Option<f32> {
        match &self.to_floats()[..] {
            &[value] if self.count() == 1 => Some(value),
            _ => None,
        }
    }

    /// The same elements in C order under another shape with as many.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Self {
        debug_assert_eq!(self.count(), shape.iter().product::<usize>());
        Self { shape: shape.to_vec(), ..self.clone() }
    }

    /// A tensor whose element `i` is the stored element `sources[i]` of this one.
    pub(crate) fn picked(&self, shape: &[usize], sources: impl IntoIterator<Item = usize>) -> Self {
        fn pick<T: Copy>(values: &[T], sources: impl IntoIterator<Item = usize>) -> Arc<[T]> {
            sources.into_iter().map(|source| values[source]).collect()
        }
        let numbers = match &self.numbers {
            _ if self.stored() == 1 => self.numbers.clone(),
            Numbers::Floats(values) => Numbers::Floats(pick(values, sources)),
            Numbers::Integers(values) => Numbers::Integers(pick(values, sources)),
        };
        Self { shape: shape.to_vec(), numbers, ..self.clone() }
    }

    /// With its dimensions permuted: dimension `i` is dimension `order[i]` of this one.
    pub(crate) fn transposed(&self, order: &[usize]) -> Self {
        let strides = strides(&self.shape);
        let shape: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        let steps: Vec<isize> = order.iter().map(|&axis| strides[axis] as isize).collect();
        self.picked(&shape, walk(&shape, 0, &steps))
    }

    /// With every element passed through a function.
    pub(crate) fn mapped(&self, function: impl Fn(f32) -> f32) -> Self {
        let values = self.to_floats().into_iter().map(function).collect();
        Self { element: ElementType::FLOAT, numbers: Numbers::Floats(values), fix: None, ..self.clone() }
    }
}

/// Elements between neighbours along each dimension, C order.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Places of the elements of a view of `shape` that begins at `start` and steps by `steps` along its dimensions.
pub(crate) fn walk(shape: &[usize], start: usize, steps: &[isize]) -> impl Iterator<Item = usize> + use<> {
    let count: usize = shape.iter().product();
    let (shape, steps) = (shape.to_vec(), steps.to_vec());
    let mut index = vec![0; shape.len()];
    let mut place = start as isize;
    (0..count).map(move |_| {
        let current = place as usize;
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            place += steps[axis];
            if index[axis] < shape[axis] {
                break;
            }
            place -= steps[axis] * shape[axis] as isize;
            index[axis] = 0;
        }
        current
    })
}

/// The shape that all broadcast to, NumPy's rule.
pub(crate) fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>, Reason> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![1; rank];
    for shape in shapes {
        for (own, &dim) in result.iter_mut().skip(rank - shape.len()).zip(*shape) {
            if *own != dim && *own != 1 && dim != 1 {
                return Err(format!("its operands of shapes {shapes:?} do not broadcast").into());
            }
            if dim != 1 {
                *own = dim;
            }
        }
    }
    Ok(result)
}

/// Places in a tensor of `shape` of the elements of the tensor of shape `to` that it broadcasts to.
pub(crate) fn broadcast_places(shape: &[usize], to: &[usize]) -> impl Iterator<Item = usize> + use<> {
    let own = strides(shape);
    let offset = to.len() - shape.len();
    let step = |axis: usize| match axis.checked_sub(offset) {
        Some(axis) if shape[axis] != 1 => own[axis] as isize,
        _ => 0,
    };
    let steps: Vec<isize> = (0..to.len()).map(step).collect();
    walk(to, 0, &steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposition_and_broadcast() {
        let literal = Literal::floats(&[2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(literal.transposed(&[1, 0]).to_floats(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(broadcast_places(&[3, 1], &[2, 3, 2]).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(broadcast(&[&[3, 1], &[2, 1, 4]]), Ok(vec![2, 3, 4]));
        assert!(broadcast(&[&[3], &[2]]).is_err());
        assert_eq!(walk(&[], 5, &[]).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn one_element_stands_for_all() {
        let literal = Literal::floats(&[2, 2], vec![7.0]);
        assert!(literal.is_splat());
        assert_eq!(literal.all_floats(), [7.0; 4]);
        assert_eq!(literal.transposed(&[1, 0]).stored(), 1);
    }
}
