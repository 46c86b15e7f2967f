//! Up- and down-sampling of maps.

use super::{INPUT_MAP, OUTPUT_MAP, shapes};
use crate::define::{AttributeKind, DefaultValue, OpDefinition, Traits, default, maybe, op, required};
use crate::ir::{Ir, OpId};
use crate::verify::Findings;

/// Resize.
pub static RESIZE: OpDefinition = op("nn.resize", "Changes height and width by nearest, bilinear or cubic interpolation.")
    .describe(
        "Coordinates are computed in single precision. Without `scales`, `r = in / out` and `o * r` stands for the quotient (`spec/numerics.md` \
         section 5.7); with them it is `o / scale`, as ONNX Runtime computes it, and `align_corners` is `o * (in - 1) / (out - 1)` from left to right. \
         Where `o` lies on the input: `asymmetric` `o / scale`; `half_pixel` `(o + 0.5) / scale - 0.5`; `pytorch_half_pixel` the same, but 0 if \
         `out` is 1; `half_pixel_symmetric` the same, moved by `in / 2 * (1 - out / (scale * in))`, so that the map stays in the middle.",
    )
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(&[
        required("mode", AttributeKind::Choice(&["nearest", "bilinear", "cubic"]), "Interpolation."),
        default(
            "coordinates",
            AttributeKind::Choice(&["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"]),
            DefaultValue::Str("asymmetric"),
            "Where the pixels of the result lie on the operand.",
        ),
        default(
            "rounding",
            AttributeKind::Choice(&["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]),
            DefaultValue::Str("floor"),
            "Which pixel is the nearest one; the last two differ for halves.",
        ),
        maybe("cubic_a", AttributeKind::Float, "Coefficient of the cubic interpolation; -0.75 if absent."),
        default(
            "exclude_outside",
            AttributeKind::Bool,
            DefaultValue::Bool(false),
            "Whether pixels outside have no weight in the cubic interpolation; otherwise those at the edge are repeated.",
        ),
        maybe("scales", AttributeKind::Floats(2), "Factors of height and width; the ratio of the sizes if absent."),
    ])
    .traits(Traits::PURE)
    .verify(verify_resize);

fn verify_resize(ir: &Ir, op: OpId, findings: &mut Findings) {
    if let Some(scales) = ir.floats(op, "scales")
        && scales.iter().any(|&scale| !(scale as f32).is_normal() || scale < 0.0)
    {
        findings.error(ir, op, "scales", format!("has the factors {scales:?}; they must be positive"));
    }
    if ir.float(op, "cubic_a").is_some_and(|a| !(a as f32).is_finite()) {
        findings.error(ir, op, "cubic-a", "has a coefficient that is no single-precision number");
    }
    let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) else { return };
    let (&[batch, _, _, channels], &[_, height, width, _]) = (&input[..], &result[..]) else { return };
    shapes::expect_shape(ir, op, &result, &[batch, height, width, channels], findings);
}
