//! Addresses of everything a subgraph has in DDR.

use dpuc_codegen::{Layer, argmax_headroom, augmentation_headroom};
use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_isa::Target;
use rustc_hash::{FxHashMap, FxHashSet};

use super::allocate::{Lifetime, align, first_fit};
use super::views::{Role, Views};
use crate::error::BackendError;
use crate::operator::{augments, layers};
use crate::partition::is_convolution;
use crate::placement::{Placement, byte_count, region};

/// Constants start at multiples of this, and their region ends at one (`spec/xmodel.md` section 4.1).
const CONSTANT_ALIGNMENT: u64 = 4096;

/// Region sizes and the place of every value.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) sizes: [u64; region::COUNT],
    pub(super) places: FxHashMap<ValueId, Placement>,
}

/// Lays out inputs, constants, outputs and workspace of a subgraph's block.
pub(super) fn layout(
    ir: &Ir,
    block: BlockId,
    views: &Views,
    target: &Target,
    subgraph: &str,
) -> Result<Layout, BackendError> {
    let mut sizes = [0u64; region::COUNT];
    let mut places = place_constants(ir, block, &mut sizes);
    let bases = place_buffers(ir, block, target, views, &places, &mut sizes);
    reserve_behind_indices(ir, block, views, &bases, &mut sizes);
    let values = ir.ops(block).flat_map(|op| ir.results(op)).chain(ir.arguments(block));
    for (&value, view) in values.filter_map(|value| Some((value, views.views.get(value)?))) {
        let (region, address) = bases[view.buffer];
        let address = address.saturating_add(view.offset);
        places.insert(value, Placement { region, address, strides: view.strides.clone() });
    }
    for (region, &size) in sizes.iter().enumerate() {
        if size > 1 << 29 {
            return Err(BackendError::RegionTooLarge { subgraph: subgraph.to_owned(), region, size });
        }
    }
    Ok(Layout { sizes, places })
}

/// Bias before weights in execution order, then constant operands of other operations.
fn place_constants(ir: &Ir, block: BlockId, sizes: &mut [u64; region::COUNT]) -> FxHashMap<ValueId, Placement> {
    let is_constant = |value: &ValueId| ir.defining_op(*value).is_some_and(|op| ir.is(op, &int8::CONSTANT));
    let ops: Vec<OpId> = ir.ops(block).collect();
    let parameters = ops.iter().filter(|&&op| is_convolution(ir, op)).flat_map(|&op| ir.operands(op)[1..].iter().rev());
    let operands = ops.iter().flat_map(|&op| ir.operands(op).iter());
    let mut places = FxHashMap::default();
    for &value in parameters.chain(operands).filter(|value| is_constant(value)) {
        if places.contains_key(&value) {
            continue;
        }
        let shape = ir.shape_of(value).unwrap_or_default();
        let address = sizes[usize::from(region::CONSTANTS)];
        let end = address.saturating_add(byte_count(&shape));
        sizes[usize::from(region::CONSTANTS)] = end.checked_next_multiple_of(CONSTANT_ALIGNMENT).unwrap_or(u64::MAX);
        places.insert(value, Placement::dense(region::CONSTANTS, address, &shape));
    }
    places
}

/// Region and address of each buffer.
fn place_buffers(
    ir: &Ir,
    block: BlockId,
    target: &Target,
    views: &Views,
    constants: &FxHashMap<ValueId, Placement>,
    sizes: &mut [u64; region::COUNT],
) -> Vec<(u8, u64)> {
    let mut bases = vec![(region::WORKSPACE, 0u64); views.buffers.len()];
    let headrooms = headrooms(ir, block, target, views, constants);
    let mut end = 0u64;
    for &argument in ir.arguments(block) {
        let Some(view) = views.views.get(&argument) else { continue };
        let headroom = headrooms.get(&view.buffer).copied().unwrap_or_default();
        let address = align(end.saturating_add(headroom.before));
        bases[view.buffer] = (region::INPUTS, address);
        end = align(address.saturating_add(views.buffers[view.buffer].bytes).saturating_add(headroom.after));
    }
    sizes[usize::from(region::INPUTS)] = end;

    let mut end = 0u64;
    let mut placed = FxHashSet::default();
    let returned =
        ir.last_op(block).filter(|&last| ir.is(last, &dpu::RETURN)).map_or(&[][..], |last| ir.operands(last));
    for view in returned.iter().filter_map(|value| views.views.get(value)) {
        if views.buffers[view.buffer].role == Role::Output && placed.insert(view.buffer) {
            bases[view.buffer] = (region::OUTPUTS, end);
            end = align(end.saturating_add(views.buffers[view.buffer].bytes));
        }
    }
    sizes[usize::from(region::OUTPUTS)] = end;

    let workspace: Vec<usize> =
        (0..views.buffers.len()).filter(|&index| views.buffers[index].role == Role::Workspace).collect();
    let lifetimes: Vec<Lifetime> = workspace
        .iter()
        .map(|&index| &views.buffers[index])
        .map(|buffer| Lifetime { bytes: buffer.bytes, first: buffer.first, last: buffer.last })
        .collect();
    let (addresses, end) = first_fit(&lifetimes);
    for (index, address) in workspace.into_iter().zip(addresses) {
        bases[index] = (region::WORKSPACE, address);
    }
    sizes[usize::from(region::WORKSPACE)] = align(end);
    let mut end = 0u64;
    for (base, buffer) in bases.iter_mut().zip(&views.buffers).filter(|(_, buffer)| buffer.role == Role::OnChip) {
        *base = (region::ON_CHIP, end);
        end = align(end.saturating_add(buffer.bytes));
    }
    bases
}

/// Lets regions end so far behind the results of `int8.argmax` that the bounds rule of Save holds. Nothing is written there, so other
/// buffers may lie behind a result.
fn reserve_behind_indices(
    ir: &Ir,
    block: BlockId,
    views: &Views,
    bases: &[(u8, u64)],
    sizes: &mut [u64; region::COUNT],
) {
    for op in ir.ops(block).filter(|&op| ir.is(op, &int8::ARGMAX)) {
        let Some(view) = views.views.get(&ir.result(op)) else { continue };
        let channels = ir.shape_of(ir.operand(op, 0)).and_then(|shape| u32::try_from(*shape.last()?).ok());
        let headroom = u64::from(argmax_headroom(channels.unwrap_or(u32::MAX)).after);
        let (region, address) = bases[view.buffer];
        let end = address.saturating_add(views.buffers[view.buffer].bytes).saturating_add(headroom);
        if let Some(size) = sizes.get_mut(usize::from(region)) {
            *size = (*size).max(align(end));
        }
    }
}

/// Bytes that must be readable around an input.
#[derive(Clone, Copy, Debug, Default)]
struct InputHeadroom {
    before: u64,
    after: u64,
}

/// What channel-augmented convolutions read around the inputs they read, by buffer.
///
/// In front, the formula of AMD's compiler, which is never less than what is read: whole padding rows and the left padding
/// (`spec/xmodel.md` section 4.3). Behind, exactly what is read.
fn headrooms(
    ir: &Ir,
    block: BlockId,
    target: &Target,
    views: &Views,
    constants: &FxHashMap<ValueId, Placement>,
) -> FxHashMap<usize, InputHeadroom> {
    let mut headrooms: FxHashMap<usize, InputHeadroom> = FxHashMap::default();
    for op in ir.ops(block).filter(|&op| ir.is(op, &int8::CONV2D)) {
        let Some(view) = views.views.get(&ir.operand(op, 0)) else { continue };
        if views.buffers[view.buffer].role != Role::Input {
            continue;
        }
        // Far enough from the start of the region for any padding; the real address follows from this headroom.
        let place = |value: ValueId| {
            let own = || {
                let view = views.views.get(&value)?;
                let address = (1u64 << 16).saturating_add(view.offset);
                Some(Placement { region: region::INPUTS, address, strides: view.strides.clone() })
            };
            constants.get(&value).cloned().or_else(own)
        };
        let Ok(layers) = layers(ir, op, &place) else { continue };
        for layer in layers {
            let Layer::Conv2d { convolution, .. } = layer else { continue };
            if !augments(&convolution, target) {
                continue;
            }
            let [top, left, _, right] = convolution.pads.map(u64::from);
            let (width, channels) = (u64::from(convolution.input.width), u64::from(convolution.input.channels));
            let own = headrooms.entry(view.buffer).or_default();
            own.before = own.before.max((top * (width + left + right) + left) * channels);
            own.after = own.after.max(u64::from(augmentation_headroom(&convolution).after));
        }
    }
    headrooms
}
