//! Arithmetic on constants.

use dpuc_onnx::ElementType;

use super::{Folded, check, input};
use crate::onnx::elementwise::target;
use crate::onnx::error::Reason;
use crate::onnx::literal::{Literal, Numbers, broadcast, broadcast_places};
use crate::onnx::node::Node;

/// Stored elements of constants that broadcast, as `width` numbers for each element of the result.
struct Together {
    shape: Vec<usize>,
    places: Vec<Vec<usize>>,
    count: usize,
}

impl Together {
    fn new(literals: &[&Literal]) -> Result<Self, Reason> {
        let shapes: Vec<&[usize]> = literals.iter().map(|literal| &literal.shape[..]).collect();
        let shape = broadcast(&shapes)?;
        // If one element stands for all in each of them, so it does in the result.
        if literals.iter().all(|literal| literal.stored() == 1) {
            return Ok(Self { shape, places: vec![vec![0]; literals.len()], count: 1 });
        }
        let count = check(&shape)?;
        let places = literals.iter().map(|literal| match literal.stored() {
            1 => vec![0; count],
            _ => broadcast_places(&literal.shape, &shape).collect(),
        });
        Ok(Self { places: places.collect(), shape, count })
    }
}

fn combine(
    lhs: &Literal,
    rhs: &Literal,
    integer: impl Fn(i64, i64) -> Option<i64>,
    float: impl Fn(f32, f32) -> f32,
) -> Result<Literal, Reason> {
    let Together { shape, places, count } = Together::new(&[lhs, rhs])?;
    let numbers = match (&lhs.numbers, &rhs.numbers) {
        (Numbers::Integers(a), Numbers::Integers(b)) => {
            let value = |index: usize| integer(a[places[0][index]], b[places[1][index]]);
            let values: Option<Vec<i64>> = (0..count).map(value).collect();
            Numbers::Integers(values.ok_or("its integers overflow 64 bits, or it divides by zero")?.into())
        }
        _ => {
            let (a, b) = (lhs.to_floats(), rhs.to_floats());
            Numbers::Floats((0..count).map(|index| float(a[places[0][index]], b[places[1][index]])).collect())
        }
    };
    Ok(Literal { name: None, shape, element: lhs.element, numbers, fix: None })
}

/// Operators of any number of operands: how two integers and two floats are combined.
macro_rules! chains {
    ($($name:ident $integers:expr, $floats:expr;)*) => {$(
        pub(crate) fn $name(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
            let mut result = input(inputs, 0)?.clone();
            for index in 1..inputs.len() {
                result = combine(&result, input(inputs, index)?, $integers, $floats)?;
            }
            Ok(vec![result])
        }
    )*};
}

chains! {
    add i64::checked_add, |a: f32, b| a + b;
    sub i64::checked_sub, |a: f32, b| a - b;
    mul i64::checked_mul, |a: f32, b| a * b;
    div i64::checked_div, |a: f32, b| a / b;
    max |a: i64, b| Some(a.max(b)), f32::max;
    min |a: i64, b| Some(a.min(b)), f32::min;
    pow |a: i64, b| a.checked_pow(u32::try_from(b).ok()?), f32::powf;
    and |a: i64, b| Some(a & b), |a: f32, b| a * b;
    or |a: i64, b| Some(a | b), f32::max;
}

/// Comparisons, whose results are truth values.
macro_rules! comparisons {
    ($($name:ident $operator:tt,)*) => {$(
        #[allow(clippy::float_cmp, reason = "the operator asks for it")]
        pub(crate) fn $name(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
            let truth = |is_true: bool| i64::from(is_true);
            let (lhs, rhs) = (input(inputs, 0)?, input(inputs, 1)?);
            let result = combine(lhs, rhs, |a, b| Some(truth(a $operator b)), |a, b| f32::from(u8::from(a $operator b)))?;
            Ok(vec![converted(&result, ElementType::BOOL)?])
        }
    )*};
}

comparisons! { equal ==, greater >, greater_or_equal >=, less <, less_or_equal <=, }

/// The remainder has the sign of the divisor, or of the dividend if the node asks for that.
pub(crate) fn modulo(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let (lhs, rhs) = (input(inputs, 0)?, input(inputs, 1)?);
    let result = if node.flag("fmod", false)? {
        combine(lhs, rhs, i64::checked_rem, |a, b| a % b)?
    } else {
        let integer = |a: i64, b: i64| a.checked_rem(b)?.checked_add(b)?.checked_rem(b);
        combine(lhs, rhs, integer, |a, b| a - (a / b).floor() * b)?
    };
    Ok(vec![result])
}

/// Operators of one operand on floats; integers stay as they are where that is right.
macro_rules! functions {
    ($($name:ident $function:expr;)*) => {$(
        pub(crate) fn $name(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
            Ok(vec![Literal { name: None, ..input(inputs, 0)?.mapped($function) }])
        }
    )*};
}

functions! {
    ceil f32::ceil;
    exp f32::exp;
    floor f32::floor;
    log f32::ln;
    round f32::round_ties_even;
    sqrt f32::sqrt;
}

/// An operator of one operand on integers or floats.
fn either(literal: &Literal, integer: impl Fn(i64) -> i64, float: impl Fn(f32) -> f32) -> Literal {
    let numbers = match &literal.numbers {
        Numbers::Integers(values) => Numbers::Integers(values.iter().map(|&value| integer(value)).collect()),
        Numbers::Floats(values) => Numbers::Floats(values.iter().map(|&value| float(value)).collect()),
    };
    Literal { name: None, numbers, fix: None, ..literal.clone() }
}

pub(crate) fn abs(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    Ok(vec![either(input(inputs, 0)?, i64::wrapping_abs, f32::abs)])
}

pub(crate) fn neg(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    Ok(vec![either(input(inputs, 0)?, i64::wrapping_neg, |value| -value)])
}

pub(crate) fn not(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    Ok(vec![either(input(inputs, 0)?, |value| i64::from(value == 0), |value| f32::from(u8::from(value == 0.0)))])
}

pub(crate) fn clip(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let mut result = input(inputs, 0)?.clone();
    let bound = |index: usize, name: &str| -> Result<Option<Literal>, Reason> {
        let attribute = node.maybe_float(name)?.map(Literal::scalar);
        Ok(inputs.get(index).cloned().flatten().or(attribute))
    };
    if let Some(min) = bound(1, "min")? {
        result = combine(&result, &min, |a, b| Some(a.max(b)), f32::max)?;
    }
    if let Some(max) = bound(2, "max")? {
        result = combine(&result, &max, |a, b| Some(a.min(b)), f32::min)?;
    }
    Ok(vec![result])
}

/// Elements as another type: floats are truncated to integers, integers wrap.
fn converted(literal: &Literal, element: ElementType) -> Result<Literal, Reason> {
    let numbers = match &literal.numbers {
        _ if element.is_float() => Numbers::Floats(literal.to_floats().into()),
        _ if element == ElementType::BOOL => {
            Numbers::Integers(literal.to_floats().into_iter().map(|value| i64::from(value != 0.0)).collect())
        }
        _ if !element.is_integer() => return Err(format!("elements of type {element} are not supported").into()),
        Numbers::Floats(values) => {
            Numbers::Integers(values.iter().map(|&value| wrapped(value as i64, element)).collect())
        }
        Numbers::Integers(values) => Numbers::Integers(values.iter().map(|&value| wrapped(value, element)).collect()),
    };
    Ok(Literal { name: None, element, numbers, shape: literal.shape.clone(), fix: None })
}

fn wrapped(value: i64, element: ElementType) -> i64 {
    match element {
        ElementType::UINT8 => i64::from(value as u8),
        ElementType::INT8 => i64::from(value as i8),
        ElementType::UINT16 => i64::from(value as u16),
        ElementType::INT16 => i64::from(value as i16),
        ElementType::UINT32 => i64::from(value as u32),
        ElementType::INT32 => i64::from(value as i32),
        _ => value,
    }
}

pub(crate) fn cast(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    Ok(vec![converted(input(inputs, 0)?, target(node)?)?])
}

pub(crate) fn cast_like(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    Ok(vec![converted(input(inputs, 0)?, input(inputs, 1)?.element)?])
}

pub(crate) fn select(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let [condition, a, b] = [input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?];
    let Together { shape, places, count } = Together::new(&[condition, a, b])?;
    let conditions = condition.to_floats();
    let is_true = |index: usize| conditions[places[0][index]] != 0.0;
    let numbers = match (&a.numbers, &b.numbers) {
        (Numbers::Integers(a), Numbers::Integers(b)) => {
            let value = |index: usize| if is_true(index) { a[places[1][index]] } else { b[places[2][index]] };
            Numbers::Integers((0..count).map(value).collect())
        }
        _ => {
            let (a, b) = (a.to_floats(), b.to_floats());
            let value = |index: usize| if is_true(index) { a[places[1][index]] } else { b[places[2][index]] };
            Numbers::Floats((0..count).map(value).collect())
        }
    };
    Ok(vec![Literal { name: None, shape, element: a.element, numbers, fix: None }])
}
