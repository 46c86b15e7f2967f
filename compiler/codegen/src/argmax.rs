//! Index of the largest channel of each pixel, which Save finds on the way to DDR (`spec/recipes-eltwise-data.md` section 15.3).
//!
//! Save writes one byte for each pixel, but the bounds of its region are checked as if it wrote all channels.

use dpuc_isa::Target;

use crate::augment::Headroom;
use crate::layer::FeatureMap;
use crate::limits::{self, Findings, Violation};
use crate::pointwise::copy_task;
use crate::task::Task;

/// What the region of an argmax's output must have behind the output: the other bytes of the last pixel of an input of `channels`
/// channels, which are never written.
pub const fn argmax_headroom(channels: u32) -> Headroom {
    Headroom { before: 0, after: channels.saturating_sub(1) }
}

/// The sub-problem of an argmax.
pub(crate) fn argmax_task(input: &FeatureMap, output: &FeatureMap, target: &Target) -> Task {
    copy_task(input, vec![*output], false, target)
}

/// Notes an argmax that Save cannot find, and an output too close to the end of what it addresses.
pub(crate) fn check_argmax(input: &FeatureMap, output: &FeatureMap, target: &Target, findings: &mut Findings) {
    if !target.argmax {
        findings.add(Violation::Unsupported {
            what: "argmax",
            reason: format!("the Save of {} does not compare channels", target.name),
        });
    }
    findings.require(limits::ARGMAX_CHANNELS, i64::from(input.channels));
    let before = |count: u32, stride: u32| i64::from(count.saturating_sub(1)).saturating_mul(i64::from(stride));
    let end = i64::from(output.address)
        .saturating_add(before(output.height, output.row_stride))
        .saturating_add(before(output.width, output.pixel_stride))
        .saturating_add(1 + i64::from(argmax_headroom(input.channels).after));
    findings.require_of("output ", limits::DDR_END, end);
}
