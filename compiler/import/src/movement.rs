//! Operators that only move elements, of both forms (`spec/xmodel.md` section 2, `spec/numerics.md` sections 5.15 to 5.18).

use bytes::Bytes;
use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, ValueId};
use dpuc_xmodel::Attributed;

use crate::float::{Outcome, unsupported};
use crate::importer::Importer;
use crate::node::{Node, int_list};

/// Attributes of an operation, in the order of its definition.
type Attributes = Vec<(&'static str, Attribute)>;

impl<'a> Importer<'a> {
    /// `transpose`, of floats or codes.
    pub(crate) fn transpose(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let order: &[i32] = node.get("order")?;
        let rank = self.rank(input);
        let order: Result<Vec<i64>, _> = order.iter().map(|&axis| node.normalised_axis("order", axis, rank)).collect();
        self.moved(definition, node, input, vec![("order", int_list(order?))])
    }

    /// `strided_slice` and `strided_slice-fix`.
    pub(crate) fn strided_slice(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let dims = self.ir.shape_of(input).unwrap_or_default();
        let (begin, end, strides): (&[i32], &[i32], &[i32]) =
            (node.get("begin")?, node.get("end")?, node.get("strides")?);
        if [begin.len(), end.len(), strides.len()] != [dims.len(); 3] || strides.iter().any(|&stride| stride < 1) {
            return unsupported("only a slice of every dimension with positive strides can be said");
        }
        let bounds = |values: &[i32]| {
            let bound = |(&value, &dim): (&i32, &usize)| {
                let (value, dim) = (i64::from(value), dim as i64);
                (if value < 0 { value + dim } else { value }).clamp(0, dim)
            };
            int_list(values.iter().zip(&dims).map(bound))
        };
        let strides = int_list(strides.iter().map(|&stride| stride.into()));
        let attributes = vec![("begin", bounds(begin)), ("end", bounds(end)), ("strides", strides)];
        self.moved(definition, node, input, attributes)
    }

    /// `pad`
    pub(crate) fn float_pad(&mut self, node: Node<'a>) -> Outcome {
        let values: &[f32] = node.get_or("constant_values", &[][..])?;
        let value = match *values {
            [] => 0.0,
            [first, ref rest @ ..] if rest.iter().all(|value| value.to_bits() == first.to_bits()) => first,
            _ => return unsupported(format!("padding with {values:?} cannot be said; only one constant can")),
        };
        let value = (value != 0.0).then(|| ("value", Attribute::Float(value.into(), None)));
        self.pad(&nn::PAD, node, value)
    }

    /// `pad-fix`, whose constant is a code.
    pub(crate) fn fixed_pad(&mut self, node: Node<'a>) -> Outcome {
        let codes: Option<&Bytes> = node.0.attr_opt("constant_values")?;
        let code = match codes.map_or(&[][..], |codes| codes) {
            [] => 0,
            &[code] => code.cast_signed(),
            codes => {
                return unsupported(format!("padding with {} constants cannot be said; only one can", codes.len()));
            }
        };
        self.pad(&int8::PAD, node, Some(("value", Attribute::int(code.into()))))
    }

    fn pad(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        value: Option<(&'static str, Attribute)>,
    ) -> Outcome {
        let input = self.input(node)?;
        let paddings: &[i32] = node.get("paddings")?;
        if paddings.iter().any(|&padding| padding < 0) {
            return unsupported(format!("negative paddings {paddings:?} cannot be said"));
        }
        let mode = match node.get("mode")? {
            "CONSTANT" => "constant",
            "REFLECT" => "reflect",
            "SYMMETRIC" => "symmetric",
            other => return unsupported(format!("the mode {other:?} cannot be said")),
        };
        let paddings = int_list(paddings.iter().map(|&padding| padding.into()));
        let mut attributes = vec![("paddings", paddings), ("mode", Attribute::string(mode))];
        attributes.extend(value.filter(|_| mode == "constant"));
        self.moved(definition, node, input, attributes)
    }

    /// Space to depth or back: `factor` names the attribute with the block size. Which of the two follows from the sizes, because the
    /// flag means different things for different operators.
    pub(crate) fn space_and_depth(
        &mut self,
        [to_depth, to_space]: [&'static OpDefinition; 2],
        node: Node<'a>,
        factor: &str,
        order: &str,
    ) -> Outcome {
        let input = self.input(node)?;
        let block: i32 = node.get(factor)?;
        if block < 1 {
            return unsupported(format!("a block of {block} pixels cannot be said"));
        }
        let definition = if node.output_size()? > self.map_size(input)? { to_space } else { to_depth };
        let attributes = vec![("block", Attribute::int(block.into())), ("order", Attribute::string(order))];
        self.moved(definition, node, input, attributes)
    }

    /// Adds a movement; a change of the fix point becomes an operation of its own.
    fn moved(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        input: ValueId,
        attributes: Attributes,
    ) -> Outcome {
        let before = self.ir.fix_of(input);
        let after: Option<i32> = node.0.tensor.attr_opt("fix_point")?;
        match (before, after) {
            (Some(before), Some(after)) if before != after => {
                let shape: Vec<usize> = node.dims().iter().filter_map(|&dim| usize::try_from(dim).ok()).collect();
                let ty = self.ir.fix_tensor(&shape, before);
                let moved = self.append_part(definition, node, [input], attributes, ty);
                Ok(self.emit(&int8::REQUANTISE, node, [moved], [])?)
            }
            _ => Ok(self.emit(definition, node, [input], attributes)?),
        }
    }
}
