//! Up- and down-sampling.

use dpuc_dialects::{Ir, OpId};
use dpuc_kernels::reference::resize::resize_real;
use dpuc_kernels::reference::sampling::{Coordinates, Cubic, Interpolation, Rounding, Sampling};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.resize`
pub(super) fn resize(op: Operation<'_>) -> Outcome {
    Ok(resize_real(&op.float_map(0)?, op.result_size()?, sampling(op.ir, op.op)?)?.into())
}

/// What the attributes of an `nn.resize` say.
///
/// # Errors
/// An attribute that is missing or out of range; verified IR has none.
pub fn sampling(ir: &Ir, op: OpId) -> Result<Sampling, Problem> {
    let op = Operation { ir, op, operands: &[] };
    let interpolation = match op.text("mode")? {
        "nearest" => {
            Interpolation::Nearest(Rounding::named(op.text("rounding")?).ok_or(Problem::Attribute("rounding"))?)
        }
        "bilinear" => Interpolation::Bilinear,
        "cubic" => Interpolation::Cubic(Cubic {
            a: op.ir.float(op.op, "cubic_a").unwrap_or(-0.75) as f32,
            exclude_outside: op.flag("exclude_outside")?,
        }),
        _ => return Err(Problem::Attribute("mode")),
    };
    let coordinates = Coordinates::named(op.text("coordinates")?).ok_or(Problem::Attribute("coordinates"))?;
    let factors = match op.ir.floats(op.op, "scales") {
        None => None,
        Some(factors) => match factors[..] {
            [height, width] => Some([height as f32, width as f32]),
            _ => return Err(Problem::Attribute("scales")),
        },
    };
    Ok(Sampling { interpolation, coordinates, factors })
}
