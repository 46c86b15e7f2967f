//! Which values own a `nn.fix` (`spec/quantisation.md` section 4).
//!
//! A *site* is a value that is rounded: an argument or a result of a float operator that an integer operator reads, or the result of an
//! integer operator, behind the activation that is computed with it. A *layer* is an integer operator with its activation. Between sites
//! there are only movements of elements, which need no rounding, and operators that stay in floating point.
//!
//! A site may be *tied* to another one: it has the same position by construction (a pooling's result has that of its input; what only a
//! concatenation reads has that of the concatenation).

mod operators;
mod results;

use std::collections::HashMap;

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};

use crate::error::Error;
use crate::network::{constant, own_constant, value_name};
pub(crate) use operators::{Activation, LEAKY_SLOPE, OperatorKind};
use operators::{absorbs, moves, operator_kind};
pub(crate) use results::results;

/// Number of a site.
pub(crate) type SiteId = usize;
/// Number of a layer.
pub(crate) type LayerId = usize;

/// A value that is rounded.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) value: ValueId,
    /// What reports and statistics call it; unique.
    pub(crate) name: String,
    /// The layer whose result it is; `None` for arguments and results of float operators.
    pub(crate) layer: Option<LayerId>,
    /// Whether it is an argument of the function.
    pub(crate) is_argument: bool,
    /// Whether one operation reads it.
    pub(crate) has_one_reader: bool,
    /// The site whose position it has.
    pub(crate) tied_to: Option<SiteId>,
}

/// An integer operator.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) op: OpId,
    pub(crate) kind: OperatorKind,
    pub(crate) activation: Option<Activation>,
    /// The sites its variable operands come from, in order.
    pub(crate) inputs: Vec<SiteId>,
    pub(crate) output: SiteId,
    /// Its constant operands.
    pub(crate) parameters: Vec<ParameterId>,
}

/// Number of a parameter.
pub(crate) type ParameterId = usize;

/// A constant operand of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) op: OpId,
    /// Which operand.
    pub(crate) index: usize,
    /// Its symbol in the side file; no other operand has it.
    pub(crate) symbol: String,
    pub(crate) shape: Vec<usize>,
    /// Whether it is the bias of a weighted layer.
    pub(crate) is_bias: bool,
}

/// Where a network is rounded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placement {
    /// In the order in which they are computed.
    pub(crate) sites: Vec<Site>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) parameters: Vec<Parameter>,
}

impl Placement {
    /// Plans the roundings of a function. Constants of layers become constants of their own.
    pub(crate) fn new(ir: &mut Ir, block: BlockId) -> Result<Self, Error> {
        let mut walk = Walk { ir, placement: Self::default(), states: HashMap::new() };
        let ops: Vec<OpId> = walk.ir.ops(block).collect();
        for op in ops {
            walk.visit(op)?;
        }
        let mut placement = walk.placement;
        if placement.layers.is_empty() {
            return Err(Error::NothingToQuantise);
        }
        placement.tie(ir);
        Ok(placement)
    }

    /// The site whose position `site` has.
    pub(crate) fn root(&self, site: SiteId) -> SiteId {
        let mut site = site;
        while let Some(next) = self.sites[site].tied_to {
            site = next;
        }
        site
    }

    /// The sites that have positions of their own.
    pub(crate) fn roots(&self) -> impl Iterator<Item = SiteId> + '_ {
        (0..self.sites.len()).filter(|&site| self.sites[site].tied_to.is_none())
    }

    /// The weights and the bias of a weighted layer.
    pub(crate) fn weights(&self, layer: LayerId) -> Option<(ParameterId, Option<ParameterId>)> {
        let layer = &self.layers[layer];
        if layer.kind != OperatorKind::Weighted {
            return None;
        }
        let of = |is_bias: bool| layer.parameters.iter().copied().find(|&id| self.parameters[id].is_bias == is_bias);
        Some((of(false)?, of(true)))
    }

    /// Ties results of selecting operators to their inputs, and what only a concatenation reads to its result.
    fn tie(&mut self, ir: &Ir) {
        let by_value: HashMap<ValueId, SiteId> =
            self.sites.iter().enumerate().map(|(id, site)| (site.value, id)).collect();
        for layer in &self.layers {
            if let (true, &[input]) = (layer.kind.selects(), &layer.inputs[..]) {
                self.sites[layer.output].tied_to = Some(input);
            }
        }
        let concats: Vec<(OpId, SiteId)> = self
            .layers
            .iter()
            .filter(|layer| layer.kind == OperatorKind::Concat)
            .map(|layer| (layer.op, layer.output))
            .collect();
        // Later concatenations first, so that nested ones share the position of the outermost.
        for (concat, output) in concats.into_iter().rev() {
            for &operand in ir.operands(concat) {
                if let Some(root) = self.sole_root(ir, operand, concat, &by_value) {
                    self.sites[root].tied_to = Some(output);
                }
            }
        }
    }

    /// The site behind an operand of a concatenation, through movements and selecting operators, if nothing but the concatenation reads
    /// any value on the way.
    fn sole_root(
        &self,
        ir: &Ir,
        operand: ValueId,
        concat: OpId,
        by_value: &HashMap<ValueId, SiteId>,
    ) -> Option<SiteId> {
        let mut value = operand;
        let mut reader = concat;
        loop {
            if ir.users(value) != [reader] {
                return None;
            }
            let producer = ir.defining_op(value)?;
            match by_value.get(&value) {
                Some(&site) if self.sites[site].tied_to.is_none() => return Some(site),
                Some(_) => {}
                None if moves(ir, producer) => {}
                // The operator in front of its activation.
                None => return None,
            }
            reader = producer;
            value = *ir.operands(producer).first()?;
        }
    }
}

/// What is known of a value while the operations are visited.
#[derive(Clone, Copy)]
struct Fixed {
    /// The site it is, or that it was moved from.
    site: SiteId,
}

struct Walk<'a> {
    ir: &'a mut Ir,
    placement: Placement,
    /// Values that have been rounded, moved or not.
    states: HashMap<ValueId, Fixed>,
}

impl Walk<'_> {
    fn visit(&mut self, op: OpId) -> Result<(), Error> {
        let ir = &*self.ir;
        if ir.is(op, &nn::FIX) {
            return Err(Error::AlreadyQuantised { place: value_name(ir, ir.result(op)) });
        }
        if ir.is(op, &nn::CONSTANT) || ir.has_traits(op, Traits::TERMINATOR) {
            return Ok(());
        }
        let is_placed = ir.results(op).iter().any(|result| self.states.contains_key(result));
        if is_placed {
            return Ok(());
        }
        if moves(ir, op) {
            if let Some(&fixed) = ir.operands(op).first().and_then(|operand| self.states.get(operand)) {
                self.states.extend(ir.results(op).iter().map(|&result| (result, fixed)));
            }
            return Ok(());
        }
        match operator_kind(ir, op) {
            Some(kind) if self.is_worthwhile(op, kind) => self.layer(op, kind),
            _ => Ok(()),
        }
    }

    /// Weighted operators always are integer ones; others follow their data, so that parts that stay in floating point are left alone.
    fn is_worthwhile(&self, op: OpId, kind: OperatorKind) -> bool {
        let ir = &*self.ir;
        let is_known = |value: &ValueId| {
            let is_argument = ir.defining_op(*value).is_none();
            self.states.contains_key(value) || is_argument && ir.shape_of(*value).is_some_and(|shape| shape.len() == 4)
        };
        kind == OperatorKind::Weighted || ir.operands(op).iter().any(is_known)
    }

    fn layer(&mut self, op: OpId, kind: OperatorKind) -> Result<(), Error> {
        let mut inputs = Vec::new();
        let mut parameters = Vec::new();
        for index in 0..self.ir.operands(op).len() {
            let value = self.ir.operand(op, index);
            match constant(self.ir, value) {
                Some(elements) => parameters.push(self.parameter(op, index, kind, &elements)?),
                None => inputs.push(self.fixed(value)),
            }
        }
        let (end, activation) = self.end(op, kind);
        let id = self.placement.layers.len();
        let output = self.site(self.ir.result(end), Some(id));
        self.placement.layers.push(Layer { op, kind, activation, inputs, output, parameters });
        Ok(())
    }

    /// The last operation of the layer: the activation that is its only reader, or the operator itself.
    fn end(&self, op: OpId, kind: OperatorKind) -> (OpId, Option<Activation>) {
        let ir = &*self.ir;
        let result = ir.result(op);
        if let (&[reader], 1) = (&ir.users(result)[..], ir.use_count(result))
            && let Some(activation) = Activation::of(ir, reader)
            && absorbs(ir, op, kind, activation)
        {
            return (reader, Some(activation));
        }
        (op, None)
    }

    /// The site of an operand, made if it is a float.
    fn fixed(&mut self, value: ValueId) -> SiteId {
        match self.states.get(&value) {
            Some(fixed) => fixed.site,
            None => self.site(value, None),
        }
    }

    fn site(&mut self, value: ValueId, layer: Option<LayerId>) -> SiteId {
        let id = self.placement.sites.len();
        let wish = value_name(self.ir, value);
        let is_taken = |name: &str| self.placement.sites.iter().any(|site| site.name == name);
        let name = if is_taken(&wish) { format!("{wish}#{id}") } else { wish };
        let is_argument = self.ir.defining_op(value).is_none();
        let has_one_reader = self.ir.users(value).len() == 1;
        self.placement.sites.push(Site { value, name, layer, is_argument, has_one_reader, tied_to: None });
        self.states.insert(value, Fixed { site: id });
        id
    }

    fn parameter(
        &mut self,
        op: OpId,
        index: usize,
        kind: OperatorKind,
        elements: &[f32],
    ) -> Result<ParameterId, Error> {
        if !elements.iter().all(|value| value.is_finite()) {
            return Err(Error::Constant(value_name(self.ir, self.ir.operand(op, index))));
        }
        let symbol = own_constant(self.ir, op, index, elements);
        let shape = self.ir.shape_of(self.ir.operand(op, index)).unwrap_or_default();
        let is_bias = kind == OperatorKind::Weighted && index == 2;
        self.placement.parameters.push(Parameter { op, index, symbol, shape, is_bias });
        Ok(self.placement.parameters.len() - 1)
    }
}
