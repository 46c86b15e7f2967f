//! Constants of the function.

use std::collections::HashMap;

use dpuc_dialects::dialects::nn;
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Dense, DenseElements, OpBuilder, ValueId};
use dpuc_onnx::Graph;

use super::error::Reason;
use super::importer::Importer;
use super::literal::{Literal, Numbers};

/// Elements that folding and rearranging may make whatever the size of the model.
const FREE_ELEMENTS: usize = 1 << 26;

/// How often the elements of the model may be copied.
const COPIES: usize = 8;

/// Constants made so far, and how many more may be.
#[derive(Debug)]
pub(crate) struct Constants {
    /// By where their elements are, shape and order.
    made: HashMap<Key, (Literal, ValueId)>,
    left: usize,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    elements: usize,
    shape: Vec<usize>,
    order: Vec<usize>,
    fix: Option<i32>,
}

impl Key {
    fn new(literal: &Literal, order: &[usize]) -> Self {
        let elements = match &literal.numbers {
            Numbers::Floats(values) => values.as_ptr().addr(),
            Numbers::Integers(values) => values.as_ptr().addr(),
        };
        Self { elements, shape: literal.shape.clone(), order: order.to_vec(), fix: literal.fix }
    }
}

impl Constants {
    pub(crate) fn new(graph: &Graph) -> Self {
        let count = |tensor: &dpuc_onnx::Tensor| tensor.shape().map_or(0, |shape| shape.iter().product());
        let elements = graph.initializers.iter().map(count).fold(0usize, usize::saturating_add);
        Self { made: HashMap::new(), left: elements.saturating_mul(COPIES).saturating_add(FREE_ELEMENTS) }
    }

    /// Counts elements that are made.
    ///
    /// # Errors
    /// They are more than any network needs.
    pub(crate) fn spend(&mut self, elements: usize) -> Result<(), Reason> {
        self.left = self.left.checked_sub(elements).ok_or("the constants computed so far are too large")?;
        Ok(())
    }
}

impl Importer<'_> {
    /// A constant with its dimensions permuted; each is made once.
    pub(crate) fn constant(&mut self, literal: &Literal, order: &[usize]) -> Result<ValueId, Reason> {
        let key = Key::new(literal, order);
        if let Some((_, value)) = self.constants.made.get(&key) {
            return Ok(*value);
        }
        if literal.shape.contains(&0) {
            return Err(format!("a constant of shape {:?} has no elements", literal.shape).into());
        }
        let arranged = literal.transposed(order);
        self.constants.spend(arranged.stored())?;
        let values = arranged.to_floats();
        let ty = self.ir.float_tensor(&arranged.shape);
        let name =
            literal.name.clone().unwrap_or_else(|| self.ir.location_name(self.location).unwrap_or("constant").into());
        let value = if values.len() == 1 {
            Attribute::Dense(Dense { ty, elements: DenseElements::Floats([f64::from(values[0])].into()) })
        } else {
            let symbol = self.ir.weights.free_name(&name);
            let weight = Weight::from_f32(&arranged.shape, &values).map_err(|error| error.to_string())?;
            self.ir.weights.insert(symbol.as_str(), weight);
            Attribute::symbol(symbol)
        };
        let location = self.ir.named_location(&*name);
        let claimed = self.names.claim(&name);
        let builder = OpBuilder::new(&nn::CONSTANT).at(location).attribute("value", value).result(ty, &claimed);
        let op = builder.append(&mut self.ir, self.entry);
        let mut value = self.ir.result(op);
        if let Some(point) = literal.fix {
            // ONNX rounds halves to even; codes are whole already.
            let attributes = [("fix_point", Attribute::int(point.into())), ("round_mode", Attribute::string("py3"))];
            let mut fix = OpBuilder::new(&nn::FIX).at(location).operands([value]).result(ty, "");
            for (name, attribute) in attributes {
                fix = fix.attribute(name, attribute);
            }
            let fix = fix.append(&mut self.ir, self.entry);
            value = self.ir.result(fix);
        }
        // The literal is kept so that its elements stay where the key says.
        self.constants.made.insert(key, (literal.clone(), value));
        Ok(value)
    }
}
