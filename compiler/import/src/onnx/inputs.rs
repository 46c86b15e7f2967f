//! Types and shapes that a model declares.

use std::collections::BTreeMap;

use dpuc_onnx::{DimensionValue, ElementType, Graph, ValueInfo};

use super::error::OnnxError;

/// What the caller decides.
#[derive(Clone, Debug, Default)]
pub struct OnnxOptions {
    /// Shapes of inputs, in the framework's order, by name. They take precedence over what the model says.
    pub input_shapes: BTreeMap<String, Vec<usize>>,
    /// What becomes of quantised models.
    pub scales: Scales,
}

/// What becomes of scales of quantised models (`spec/quantisation.md` section 13.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scales {
    /// Powers of two are kept; any other scale is an error that lists its node.
    #[default]
    Exact,
    /// Other scales become powers of two that hold their range. Accuracy suffers.
    Requantise,
    /// Rounding of activations is left out, and parameters are the numbers their codes stand for: a float network, to be quantised anew.
    Float,
}

/// Sizes of the model's named dimensions.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    sizes: BTreeMap<String, usize>,
}

/// An input and its shape in the framework's order.
pub(crate) struct Input<'m> {
    pub(crate) name: &'m str,
    pub(crate) shape: Vec<usize>,
    pub(crate) element: ElementType,
}

impl Symbols {
    /// The inputs of a graph that are no initialisers, with all sizes known.
    pub(crate) fn inputs<'m>(&mut self, graph: &'m Graph, options: &OnnxOptions) -> Result<Vec<Input<'m>>, OnnxError> {
        let is_constant = |input: &&ValueInfo| graph.initializers.iter().any(|tensor| tensor.name == input.name);
        let declared: Vec<&ValueInfo> = graph.inputs.iter().filter(|input| !is_constant(input)).collect();
        if let Some(name) = options.input_shapes.keys().find(|name| declared.iter().all(|input| input.name != **name)) {
            let known = declared.iter().map(|input| input.name.clone()).collect();
            return Err(OnnxError::UnknownInput { name: name.clone(), known });
        }
        // Given shapes first: they say what symbols of other inputs are.
        for input in &declared {
            if let Some(shape) = options.input_shapes.get(&input.name) {
                self.bind(input, shape)?;
            }
        }
        declared.into_iter().map(|input| self.input(input, options)).collect()
    }

    /// Learns the sizes of symbols from the shape given to an input.
    fn bind(&mut self, input: &ValueInfo, shape: &[usize]) -> Result<(), OnnxError> {
        let Some(dims) = dimensions(input) else { return Ok(()) };
        if dims.len() != shape.len() {
            let problem = format!("the shape {shape:?} is given, but it has {} dimensions", dims.len());
            return Err(OnnxError::Input { name: input.name.clone(), problem });
        }
        for (dim, &size) in dims.iter().zip(shape) {
            if let Some(DimensionValue::Symbol(symbol)) = dim
                && *self.sizes.entry(symbol.clone()).or_insert(size) != size
            {
                let problem = format!("the shape {shape:?} gives the dimension {symbol:?} a second size");
                return Err(OnnxError::Input { name: input.name.clone(), problem });
            }
        }
        Ok(())
    }

    fn input<'m>(&mut self, input: &'m ValueInfo, options: &OnnxOptions) -> Result<Input<'m>, OnnxError> {
        let fail = |problem: String| OnnxError::Input { name: input.name.clone(), problem };
        let tensor = input.ty.as_ref().and_then(|ty| ty.tensor.as_ref());
        let tensor = tensor.ok_or_else(|| fail("it is no tensor; only tensors can be inputs".to_owned()))?;
        let element = ElementType(tensor.element);
        if !element.is_float() && !element.is_integer() && element != ElementType::BOOL {
            return Err(fail(format!("its elements are of type {element}; numbers and truth values can be used")));
        }
        let shape = match options.input_shapes.get(&input.name) {
            Some(shape) => shape.clone(),
            None => self.declared(input).map_err(fail)?,
        };
        if shape.contains(&0) {
            return Err(fail(format!("its shape {shape:?} has no elements")));
        }
        Ok(Input { name: &input.name, shape, element })
    }

    /// The shape that the model says; an unknown batch is 1.
    fn declared(&mut self, input: &ValueInfo) -> Result<Vec<usize>, String> {
        let way_out = format!("give it with --input-shape {}=…", input.name);
        let Some(dims) = dimensions(input) else { return Err(format!("its shape is not known; {way_out}")) };
        let size = |(axis, dim): (usize, &Option<DimensionValue>)| match dim {
            Some(DimensionValue::Size(size)) if *size > 0 => {
                usize::try_from(*size).map_err(|_| format!("dimension {axis} is {size}"))
            }
            // Some exporters write 0 or -1 for a size that is not fixed.
            Some(DimensionValue::Symbol(symbol)) => match self.sizes.get(symbol) {
                Some(&size) => Ok(size),
                None if axis == 0 => Ok(*self.sizes.entry(symbol.clone()).or_insert(1)),
                None => Err(format!("the size of its dimension {axis}, {symbol:?}, is not known; {way_out}")),
            },
            _ if axis == 0 => Ok(1),
            _ => Err(format!("the size of its dimension {axis} is not known; {way_out}")),
        };
        dims.iter().enumerate().map(size).collect()
    }

    /// Sizes of a value, if the model says all of them.
    pub(crate) fn known(&self, value: &ValueInfo) -> Option<Vec<usize>> {
        let size = |dim: &Option<DimensionValue>| match dim.as_ref()? {
            DimensionValue::Size(size) => usize::try_from(*size).ok().filter(|&size| size > 0),
            DimensionValue::Symbol(symbol) => self.sizes.get(symbol).copied(),
        };
        dimensions(value)?.iter().map(size).collect()
    }
}

fn dimensions(value: &ValueInfo) -> Option<Vec<Option<DimensionValue>>> {
    let shape = value.ty.as_ref()?.tensor.as_ref()?.shape.as_ref()?;
    Some(shape.dims.iter().map(|dim| dim.value.clone()).collect())
}
