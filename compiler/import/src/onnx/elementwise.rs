//! Operators on each element by itself.

use dpuc_dialects::Attribute;
use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_onnx::ElementType;

use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::literal::Literal;
use super::node::Node;

/// Operators of one operand that the dialect has.
macro_rules! unary {
    ($($name:ident $definition:ident,)*) => {$(
        pub(super) fn $name(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
            importer.unary_node(&nn::$definition, node)
        }
    )*};
}

unary! {
    abs ABS, ceil CEIL, cos COS, erf ERF, exp EXP, floor FLOOR, log LOG, round ROUND, sin SIN, sqrt SQRT,
}

/// Operators of any number of operands, combined one after the other.
macro_rules! chain {
    ($($name:ident $definition:ident,)*) => {$(
        pub(super) fn $name(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
            let result = importer.chain(&nn::$definition, node)?;
            importer.define(node, 0, result);
            Ok(())
        }
    )*};
}

chain! {
    add ADD, sub SUB, mul MUL, pow POW, max MAX, min MIN, sum ADD,
}

/// Comparisons.
macro_rules! compare {
    ($($name:ident $predicate:literal,)*) => {$(
        pub(super) fn $name(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
            let operands = importer.operands(node)?;
            let result = importer.compare($predicate, &operands[..])?;
            importer.define_as(node, result, ElementType::BOOL);
            Ok(())
        }
    )*};
}

compare! {
    equal "eq", greater "gt", greater_or_equal "ge", less "lt", less_or_equal "le", xor "ne",
}

impl Importer<'_> {
    /// A node that is an operation of one operand without attributes.
    pub(super) fn unary_node(&mut self, definition: &'static OpDefinition, node: Node<'_>) -> Outcome {
        let input = self.operand(node, 0)?;
        let result = self.unary(definition, &input, Vec::new())?;
        self.define(node, 0, result);
        Ok(())
    }

    fn chain(&mut self, definition: &'static OpDefinition, node: Node<'_>) -> Result<Operand, Reason> {
        let operands = self.operands(node)?;
        let (first, rest) = operands.split_first().ok_or("it has no input")?;
        rest.iter().try_fold(first.clone(), |so_far, next| self.binary(definition, &so_far, next))
    }

    fn compare(&mut self, predicate: &'static str, operands: &[Operand]) -> Result<Operand, Reason> {
        let [lhs, rhs] = operands else { return Err(format!("it has {} inputs, not 2", operands.len()).into()) };
        self.elementwise(&nn::COMPARE, &[lhs, rhs], vec![("predicate", Attribute::string(predicate))])
    }

    /// Whether each element compares so with a number.
    fn compared(&mut self, operand: &Operand, predicate: &'static str, number: f32) -> Result<Operand, Reason> {
        self.compare(predicate, &[operand.clone(), Literal::scalar(number).into()])
    }

    /// `condition ? a : b`
    pub(super) fn choose(&mut self, condition: &Operand, a: &Operand, b: &Operand) -> Result<Operand, Reason> {
        self.elementwise(&nn::SELECT, &[condition, a, b], Vec::new())
    }

    /// The next integer towards zero.
    fn truncated(&mut self, operand: &Operand) -> Result<Operand, Reason> {
        let is_negative = self.compared(operand, "lt", 0.0)?;
        let [up, down] = [self.unary(&nn::CEIL, operand, Vec::new())?, self.unary(&nn::FLOOR, operand, Vec::new())?];
        self.choose(&is_negative, &up, &down)
    }

    /// The elements as another type: what is not an integer yet is truncated if that is one.
    fn converted(&mut self, operand: &Operand, element: ElementType) -> Result<Operand, Reason> {
        let own = operand.element();
        let result = match (own, element) {
            (ElementType::BOOL, ElementType::BOOL) => operand.clone(),
            (_, ElementType::BOOL) => self.compared(operand, "ne", 0.0)?,
            _ if element.is_integer() && own.is_float() => self.truncated(operand)?,
            _ if element.is_float() || element.is_integer() => operand.clone(),
            _ => return Err(format!("elements of type {element} are not supported").into()),
        };
        let mut tensor = self.tensor(&result)?;
        tensor.element = element;
        Ok(tensor.into())
    }

    /// Defines the first output with elements of a type.
    fn define_as(&mut self, node: Node<'_>, result: Operand, element: ElementType) {
        let result = match result {
            Operand::Computed(mut tensor) => {
                tensor.element = element;
                Operand::Computed(tensor)
            }
            known @ Operand::Known(_) => known,
        };
        self.define(node, 0, result);
    }
}

pub(super) fn cast(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.converted(&input, target(node)?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The element type a `Cast` asks for.
pub(super) fn target(node: Node<'_>) -> Result<ElementType, Reason> {
    let number = node.maybe_int("to")?.and_then(|number| i32::try_from(number).ok());
    number.map(ElementType).ok_or_else(|| "its attribute to is missing".into())
}

pub(super) fn cast_like(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (input, like) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let result = importer.converted(&input, like.element())?;
    importer.define(node, 0, result);
    Ok(())
}

/// Quotients of integers are truncated.
pub(super) fn div(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (lhs, rhs) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let mut result = importer.binary(&nn::DIV, &lhs, &rhs)?;
    if !result.element().is_float() {
        result = importer.truncated(&result)?;
    }
    importer.define_as(node, result, lhs.element());
    Ok(())
}

pub(super) fn neg(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.with_number(&nn::MUL, &input, -1.0)?;
    importer.define_as(node, result, input.element());
    Ok(())
}

pub(super) fn reciprocal(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.binary(&nn::DIV, &Literal::scalar(1.0).into(), &input)?;
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn sign(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let [above, below] = [importer.compared(&input, "gt", 0.0)?, importer.compared(&input, "lt", 0.0)?];
    let result = importer.binary(&nn::SUB, &above, &below)?;
    importer.define_as(node, result, input.element());
    Ok(())
}

pub(super) fn tan(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let [sine, cosine] = [importer.unary(&nn::SIN, &input, Vec::new())?, importer.unary(&nn::COS, &input, Vec::new())?];
    let result = importer.binary(&nn::DIV, &sine, &cosine)?;
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn mean(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let sum = importer.chain(&nn::ADD, node)?;
    let result = importer.with_number(&nn::DIV, &sum, node.proto.inputs.len() as f32)?;
    importer.define(node, 0, result);
    Ok(())
}

/// Truth values are 0 and 1.
pub(super) fn and(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let result = importer.chain(&nn::MUL, node)?;
    importer.define_as(node, result, ElementType::BOOL);
    Ok(())
}

pub(super) fn or(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let result = importer.chain(&nn::MAX, node)?;
    importer.define_as(node, result, ElementType::BOOL);
    Ok(())
}

pub(super) fn not(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.compared(&input, "eq", 0.0)?;
    importer.define_as(node, result, ElementType::BOOL);
    Ok(())
}

pub(super) fn select(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let [condition, a, b] = [importer.operand(node, 0)?, importer.operand(node, 1)?, importer.operand(node, 2)?];
    let result = importer.choose(&condition, &a, &b)?;
    importer.define_as(node, result, a.element());
    Ok(())
}
