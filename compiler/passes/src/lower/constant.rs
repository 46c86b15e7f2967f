//! Constants that are rounded.

use std::collections::HashMap;
use std::sync::Arc;

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, DenseElements, Ir, OpBuilder, OpId};
use dpuc_kernels::reference::round::RoundMode;

use super::code::makes_bytes;
use super::lowered::tensor_name;

/// `nn.fix` of a constant is a constant of codes, whatever the mode of its rounding.
pub(super) struct FixedConstant {
    /// How many operations refer to each constant of the side file.
    pub(super) symbols: HashMap<Arc<str>, usize>,
}

/// A constant to round.
pub(super) struct Match {
    constant: OpId,
    mode: RoundMode,
    point: i32,
}

/// Largest number of elements a splat is expanded to, far above the constants of a network.
const MAX_SPLAT: usize = 1 << 26;

impl Pattern for FixedConstant {
    const NAME: &'static str = "fixed-constant";
    type Match = Match;

    fn root(&self) -> &'static OpDefinition {
        &nn::FIX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Match> {
        if !makes_bytes(ir, op) {
            return None;
        }
        let constant = ir.defining_op(ir.operand(op, 0)).filter(|&constant| ir.is(constant, &nn::CONSTANT))?;
        elements(ir, constant)?;
        let mode = match ir.str(op, "round_mode")? {
            "dpu" => RoundMode::HalfUp,
            "std" => RoundMode::HalfAwayFromZero,
            _ => RoundMode::HalfToEven,
        };
        Some(Match { constant, mode, point: i32::try_from(ir.int(op, "fix_point")?).ok()? })
    }

    fn rewrite(&self, found: Match, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ir = rewriter.ir();
        let values = elements(ir, found.constant).unwrap_or_default();
        let codes: Vec<i8> = values.into_iter().map(|value| found.mode.quantise(value, found.point)).collect();
        let shape = ir.shape_of(ir.result(op)).unwrap_or_default();
        let symbol = self.symbol(ir, found.constant);
        let name = ir.value_name(ir.result(op)).unwrap_or_default().to_owned();
        let location = rewriter.fuse(&[found.constant, op]);
        let tables = rewriter.tables();
        if let Ok(weight) = Weight::from_i8(&shape, &codes) {
            tables.weights.insert(symbol.as_str(), weight);
        }
        let (ty, float) = (tables.fix_tensor(&shape, found.point), tables.float_tensor(&shape));
        let builder = OpBuilder::new(&int8::CONSTANT).attribute("value", Attribute::symbol(symbol));
        let constant = rewriter.insert(builder.at(location).result(ty, &name));
        let code = rewriter.ir().result(constant);
        let dequantised = rewriter.insert(OpBuilder::new(&int8::DEQUANTISE).operands([code]).result(float, ""));
        let dequantised = rewriter.ir().result(dequantised);
        if !name.is_empty() {
            rewriter.tables().set_value_name(dequantised, &format!("{name}_"));
        }
        rewriter.replace(op, &[dequantised]);
    }
}

impl FixedConstant {
    /// The name of the constant of codes: that of the float constant if nothing else needs that one, else a free one.
    fn symbol(&self, ir: &Ir, constant: OpId) -> String {
        match ir.attribute(constant, "value").and_then(Attribute::as_symbol) {
            Some(symbol) if self.symbols.get(symbol) == Some(&1) && ir.use_count(ir.result(constant)) == 1 => {
                symbol.to_owned()
            }
            Some(symbol) => ir.weights.free_name(symbol),
            None => {
                let name = tensor_name(ir, ir.op(constant).location).or_else(|| ir.value_name(ir.result(constant)));
                ir.weights.free_name(name.unwrap_or("constant"))
            }
        }
    }
}

/// The elements of a float constant, C order.
fn elements(ir: &Ir, constant: OpId) -> Option<Vec<f32>> {
    let shape = ir.shape_of(ir.result(constant))?;
    match ir.attribute(constant, "value")? {
        Attribute::Symbol(path) => ir.weights.get(path.first()?).filter(|weight| weight.shape == shape)?.to_f32(),
        Attribute::Dense(dense) => {
            let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim))?;
            let values: Vec<f32> = match &dense.elements {
                DenseElements::Floats(values) => values.iter().map(|&value| value as f32).collect(),
                DenseElements::Integers(values) => values.iter().map(|&value| value as f32).collect(),
                DenseElements::Text(_) => return None,
            };
            match values[..] {
                [splat] if count <= MAX_SPLAT => Some(vec![splat; count]),
                _ => Some(values).filter(|values| values.len() == count),
            }
        }
        _ => None,
    }
}
