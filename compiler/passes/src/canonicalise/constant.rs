//! Movements of constants: another constant.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Ir, OpId};

use crate::rebuild::{elements, producer, replacing_constant, sizes};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let kinds = [
        (&nn::TRANSPOSE, &nn::CONSTANT),
        (&nn::RESHAPE, &nn::CONSTANT),
        (&int8::TRANSPOSE, &int8::CONSTANT),
        (&int8::RESHAPE, &int8::CONSTANT),
    ];
    kinds.into_iter().fold(patterns, |patterns, (root, constant)| patterns.with(MovedConstant { root, constant }))
}

/// A transposition or reshape of a constant.
struct MovedConstant {
    root: &'static OpDefinition,
    constant: &'static OpDefinition,
}

impl Pattern for MovedConstant {
    const NAME: &'static str = "moved-constant";
    /// The constant it is made from, and the new one.
    type Match = (OpId, Weight);

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(OpId, Weight)> {
        let constant = producer(ir, ir.operand(op, 0), &[self.constant])?;
        let weight = elements(ir, constant)?;
        let shape = ir.shape_of(ir.result(op))?;
        let bytes = match sizes(ir, op, "order") {
            Some(order) => permuted(&weight, &order)?,
            None => weight.bytes().to_vec(),
        };
        Some((constant, Weight::new(weight.element, &shape, bytes).ok()?))
    }

    fn rewrite(&self, (constant, weight): (OpId, Weight), op: OpId, rewriter: &mut Rewriter<'_>) {
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        if let Some(moved) = replacing_constant(rewriter, constant, weight, "moved", ty) {
            rewriter.replace(op, &[moved]);
        }
    }
}

/// The bytes of a constant whose dimension `i` is dimension `order[i]` of `weight`.
fn permuted(weight: &Weight, order: &[usize]) -> Option<Vec<u8>> {
    let (shape, size) = (&weight.shape, weight.element.bytes());
    let mut places = vec![0usize];
    for &axis in order {
        let stride = shape.get(axis + 1..)?.iter().product::<usize>();
        places = places.iter().flat_map(|&place| (0..shape[axis]).map(move |index| place + index * stride)).collect();
    }
    let mut bytes = Vec::with_capacity(places.len() * size);
    for place in places {
        bytes.extend_from_slice(weight.bytes().get(place * size..)?.get(..size)?);
    }
    Some(bytes)
}
