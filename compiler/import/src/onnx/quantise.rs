//! Quantise and dequantise pairs (`spec/quantisation.md` section 13): a pair with a power of two as scale is an `nn.fix`.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;
use dpuc_onnx::ElementType;

use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::inputs::Scales;
use super::literal::{Literal, Numbers, strides};
use super::node::{Node, axis};

/// How codes stand for numbers: `(code - zero) * scale`, with one scale and zero for all or one for each index of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scheme {
    scales: Vec<f32>,
    zeros: Vec<i64>,
    element: ElementType,
    axis: usize,
}

/// A tensor of codes, as the numbers they stand for.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) real: Operand,
    pub(crate) scheme: Scheme,
}

const WAY_OUT: &str = "quantise the float network anew, or import with --scales requantise or float";

impl Scheme {
    fn of(
        importer: &Importer<'_>,
        node: Node<'_>,
        shape: &[usize],
        element: Option<ElementType>,
    ) -> Result<Self, Reason> {
        if node.int("block_size", 0)? != 0 {
            return Err("scales for blocks are not supported".into());
        }
        let scale = importer.optional_literal(node, 1, "scales")?.ok_or("its scale is missing")?;
        let zero = importer.optional_literal(node, 2, "zero points")?;
        let asked = node.int("output_dtype", 0)?;
        let element = match (element, &zero) {
            (Some(element), _) => element,
            (None, Some(zero)) => zero.element,
            (None, None) if asked != 0 => ElementType(i32::try_from(asked).unwrap_or(0)),
            (None, None) => ElementType::UINT8,
        };
        if element.range().is_none() {
            return Err(format!("its codes are of type {element}; integers are supported").into());
        }
        let scales = scale.all_floats();
        let zeros = match &zero {
            Some(zero) => zero.to_integers().ok_or("its zero points are no integers")?,
            None => vec![0; scales.len()],
        };
        let axis = if scales.len() > 1 { axis(node.int("axis", 1)?, shape.len())? } else { 0 };
        let fits = scales.len() == 1 || scales.len() == shape[axis];
        if !fits || zeros.len() != scales.len() || !scales.iter().all(|scale| scale.is_normal() && *scale > 0.0) {
            let reason =
                format!("its {} scales and {} zero points do not fit the shape {shape:?}", scales.len(), zeros.len());
            return Err(reason.into());
        }
        Ok(Self { scales, zeros, element, axis })
    }

    /// Binary places of numbers without loss, if there is one scale that is a power of two and codes are symmetric bytes.
    fn point(&self) -> Result<i32, Reason> {
        let (&[scale], &[zero]) = (&self.scales[..], &self.zeros[..]) else {
            return Err(format!("it has {} scales, one for each channel; {WAY_OUT}", self.scales.len()).into());
        };
        let point =
            power_of_two(scale).ok_or_else(|| Reason(format!("its scale {scale} is no power of two; {WAY_OUT}")))?;
        match (self.element, zero) {
            (ElementType::INT8, 0) | (ElementType::UINT8, 128) => Ok(point),
            (element, zero) => Err(format!(
                "its codes are {element} with zero point {zero}; int8 with 0 and uint8 with 128 can be said; {WAY_OUT}"
            )
            .into()),
        }
    }

    /// Binary places that hold the whole range of the codes: `floor(log2(127.5 / largest))`.
    fn covering_point(&self) -> i32 {
        let (low, high) = self.element.range().unwrap_or((i64::MIN, i64::MAX));
        let reach = |(&scale, &zero): (&f32, &i64)| {
            let steps = (low as f64 - zero as f64).abs().max((high as f64 - zero as f64).abs());
            steps * f64::from(scale)
        };
        let largest = self.scales.iter().zip(&self.zeros).map(reach).fold(f64::MIN_POSITIVE, f64::max);
        (127.5 / largest).log2().floor().clamp(-64.0, 64.0) as i32
    }

    /// Codes of numbers: rounded to the nearest, halves to even.
    fn quantised(&self, literal: &Literal) -> Literal {
        let (low, high) = self.element.range().unwrap_or((i64::MIN, i64::MAX));
        let code = |index: usize, value: f32| {
            let (scale, zero) = self.at(index, &literal.shape);
            ((value / scale).round_ties_even() as i64).saturating_add(zero).clamp(low, high)
        };
        let values = literal.all_floats().into_iter().enumerate().map(|(index, value)| code(index, value)).collect();
        Literal { element: self.element, numbers: Numbers::Integers(values), fix: None, ..literal.clone() }
    }

    /// Numbers that codes stand for.
    fn dequantised(&self, literal: &Literal) -> Option<Literal> {
        let number = |(index, code): (usize, i64)| {
            let (scale, zero) = self.at(index, &literal.shape);
            ((code as f64 - zero as f64) * f64::from(scale)) as f32
        };
        let values = literal.to_integers()?.into_iter().enumerate().map(number).collect();
        Some(Literal { element: ElementType::FLOAT, numbers: Numbers::Floats(values), fix: None, ..literal.clone() })
    }

    /// Scale and zero of the element `index` of a tensor.
    fn at(&self, index: usize, shape: &[usize]) -> (f32, i64) {
        let place = if self.scales.len() == 1 { 0 } else { index / strides(shape)[self.axis] % shape[self.axis] };
        (self.scales[place], self.zeros[place])
    }
}

/// `p` if the scale is `2^-p`.
fn power_of_two(scale: f32) -> Option<i32> {
    let point = -scale.log2().round() as i32;
    (f32::exp2(-point as f32).to_bits() == scale.to_bits() && point.abs() <= 64).then_some(point)
}

/// Largest signed byte.
const LARGEST: f64 = 127.0;

/// Binary places for numbers as signed bytes with the least mean square error: from those with which the largest number fits, four on,
/// but not beyond `last`.
fn best_point(values: &[f32], last: i32) -> i32 {
    let largest = values.iter().fold(f64::MIN_POSITIVE, |largest, &value| largest.max(f64::from(value).abs()));
    let fitting = (LARGEST / largest).log2().floor().clamp(-64.0, 60.0) as i32;
    let first = fitting.min(last);
    let error = |point: i32| values.iter().map(|&value| rounding_error(value, point).powi(2)).sum::<f64>();
    let points = first..=(fitting + 4).min(last).max(first);
    points
        .map(|point| (point, error(point)))
        .reduce(|best, next| if next.1 < best.1 { next } else { best })
        .map_or(first, |best| best.0)
}

/// What a signed byte, rounded half away from zero, misses of a number.
fn rounding_error(value: f32, point: i32) -> f64 {
    let scale = f64::from(point).exp2();
    let code = (f64::from(value) * scale).round().clamp(-LARGEST - 1.0, LARGEST);
    f64::from(value) - code / scale
}

pub(super) fn quantize_linear(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let scheme = Scheme::of(importer, node, input.shape(), None)?;
    if let Some(literal) = input.known() {
        importer.constants.spend(literal.count())?;
        importer.define(node, 0, scheme.quantised(literal));
        return Ok(());
    }
    let real = importer.rounded(node, &input, &scheme)?;
    importer.define_codes(node, Codes { real, scheme });
    Ok(())
}

pub(super) fn dequantize_linear(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    if let Some(Codes { real, scheme }) = importer.codes(node) {
        let own = Scheme::of(importer, node, real.shape(), Some(scheme.element))?;
        if own != scheme {
            return Err("its scale or zero point is not that of the codes it reads".into());
        }
        importer.define(node, 0, real);
        return Ok(());
    }
    let input = importer.operand(node, 0)?;
    let scheme = Scheme::of(importer, node, input.shape(), Some(input.element()))?;
    let result = match input.known() {
        Some(literal) => {
            importer.constants.spend(literal.count())?;
            importer.parameters(node, literal, &scheme)?.into()
        }
        None => {
            let (&[scale], &[zero]) = (&scheme.scales[..], &scheme.zeros[..]) else {
                return Err("codes computed by the network or given to it need one scale".into());
            };
            let moved = importer.with_number(&nn::SUB, &input, zero as f32)?;
            let real = importer.with_number(&nn::MUL, &moved, scale)?;
            importer.rounded(node, &real, &scheme)?
        }
    };
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// A tensor rounded as a scheme says, as far as it can be said.
    fn rounded(&mut self, node: Node<'_>, operand: &Operand, scheme: &Scheme) -> Result<Operand, Reason> {
        let point = match (self.scales, scheme.point()) {
            (Scales::Float, _) => return Ok(operand.clone()),
            (_, Ok(point)) => point,
            (Scales::Exact, Err(reason)) => return Err(reason),
            (Scales::Requantise, Err(_)) => {
                let point = scheme.covering_point();
                self.warn(node, format!("rounded to multiples of 2^{} instead of its own scale", -point));
                point
            }
        };
        self.unary(&nn::FIX, operand, vec![("fix_point", Attribute::int(point.into()))])
    }

    /// Constants as numbers with the binary places they have as signed bytes.
    fn parameters(&mut self, node: Node<'_>, literal: &Literal, scheme: &Scheme) -> Result<Literal, Reason> {
        let real = scheme.dequantised(literal).ok_or("its codes are no integers")?;
        if self.scales == Scales::Float {
            return Ok(real);
        }
        if let Ok(point) = scheme.point() {
            return Ok(Literal { fix: Some(point), ..real });
        }
        let points: Option<Vec<i32>> = scheme.scales.iter().map(|&scale| power_of_two(scale)).collect();
        if self.scales == Scales::Exact && points.is_none() {
            return Err(scheme.point().err().unwrap_or_else(|| "its scales are no powers of two".into()));
        }
        let values = real.to_floats();
        // Positions beyond those of the codes say nothing more.
        let last = points.and_then(|points| points.into_iter().max()).unwrap_or(64);
        let point = best_point(&values, last);
        let lost = values.iter().map(|&value| rounding_error(value, point).abs()).fold(0.0, f64::max);
        if lost > 0.0 {
            self.warn(
                node,
                format!("as signed bytes with {point} binary places its values change by up to {lost:.3e}"),
            );
        }
        Ok(Literal { fix: Some(point), ..real })
    }

    /// The codes that a node reads.
    fn codes(&self, node: Node<'_>) -> Option<Codes> {
        self.codes.get(node.input(0)?).cloned()
    }

    fn define_codes(&mut self, node: Node<'_>, codes: Codes) {
        if node.has_output(0) {
            self.codes.insert(node.proto.outputs[0].as_str().into(), codes);
        }
    }

    /// Codes as numbers, for a model whose result they are.
    pub(super) fn code_numbers(&mut self, codes: &Codes) -> Result<Operand, Reason> {
        let (&[scale], &[zero]) = (&codes.scheme.scales[..], &codes.scheme.zeros[..]) else {
            return Err("codes that are a result need one scale".into());
        };
        let steps = self.with_number(&nn::MUL, &codes.real, 1.0 / scale)?;
        self.with_number(&nn::ADD, &steps, zero as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        assert_eq!(power_of_two(0.03125), Some(5));
        assert_eq!(power_of_two(4.0), Some(-2));
        assert_eq!(power_of_two(0.031_25 + 1e-8), None);
        assert_eq!(power_of_two(0.3), None);
    }

    #[test]
    fn points_of_bytes() {
        // 127 * 2^-7 fits with seven places, 1.0 only with six.
        assert_eq!(best_point(&[0.992_187_5, -0.5], 64), 7);
        assert_eq!(best_point(&[1.0, 0.5], 64), 6);
        // One far value is clipped for the sake of a hundred small ones with odd steps.
        let mut values = vec![3.0 / 256.0; 1000];
        values.push(0.51);
        assert_eq!(best_point(&values, 64), 8);
        assert_eq!(best_point(&values, 3), 3);
    }
}
