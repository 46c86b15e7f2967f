//! Which tensors must be scaled together.

use std::collections::BTreeMap;

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpId};

use crate::place::{Layer, LayerId, OperatorKind, Placement, SiteId};

/// Tensors with one factor for each channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Seam {
    pub(super) members: Vec<SiteId>,
    /// Weighted layers that compute members.
    pub(super) heads: Vec<LayerId>,
    /// Weighted layers that read members.
    pub(super) tails: Vec<LayerId>,
}

/// All seams, in order of their first tensors.
pub(super) fn seams(ir: &Ir, placement: &Placement) -> Vec<Seam> {
    let mut parents: Vec<SiteId> = (0..placement.sites.len()).collect();
    for layer in placement.layers.iter().filter(|layer| passes_factors(ir, placement, layer)) {
        for &input in &layer.inputs {
            let (a, b) = (find(&parents, input), find(&parents, layer.output));
            parents[a.max(b)] = a.min(b);
        }
    }
    let mut seams: BTreeMap<SiteId, Option<Seam>> = BTreeMap::new();
    for site in 0..placement.sites.len() {
        let seam = seams.entry(find(&parents, site)).or_insert_with(|| Some(Seam::default()));
        let is_open = seam.as_mut().is_some_and(|seam| add(ir, placement, seam, site));
        if !is_open {
            *seam = None;
        }
    }
    seams.into_values().flatten().filter(|seam| !seam.heads.is_empty() && !seam.tails.is_empty()).collect()
}

fn find(parents: &[SiteId], site: SiteId) -> SiteId {
    let mut site = site;
    while parents[site] != site {
        site = parents[site];
    }
    site
}

/// Whether a layer gives a scaled result for operands that are scaled in the same way.
fn passes_factors(ir: &Ir, placement: &Placement, layer: &Layer) -> bool {
    let is_direct = ir
        .operands(layer.op)
        .iter()
        .all(|operand| layer.inputs.iter().any(|&input| placement.sites[input].value == *operand));
    let keeps_channels = match layer.kind {
        OperatorKind::Sum => layer.parameters.is_empty() && has_equal_shapes(ir, layer.op),
        OperatorKind::Nearest => true,
        OperatorKind::Maximum => ir.is(layer.op, &nn::MAX_POOL),
        OperatorKind::Rectifier => ir.is(layer.op, &nn::RELU),
        OperatorKind::Other => {
            let is_mean = || ir.is(layer.op, &nn::REDUCE_MEAN) && ir.ints(layer.op, "axes") == Some(vec![1, 2]);
            ir.is(layer.op, &nn::AVG_POOL) || ir.is(layer.op, &nn::RESIZE) || is_mean()
        }
        _ => false,
    };
    is_direct && keeps_channels
}

fn has_equal_shapes(ir: &Ir, op: OpId) -> bool {
    ir.operands(op).iter().all(|&operand| ir.shape_of(operand) == ir.shape_of(ir.result(op)))
}

/// Adds a site with the layers around it; whether all of them can be scaled.
fn add(ir: &Ir, placement: &Placement, seam: &mut Seam, site: SiteId) -> bool {
    let placed = &placement.sites[site];
    seam.members.push(site);
    let Some(producer) = placed.layer else { return false };
    let layer = &placement.layers[producer];
    if layer.kind == OperatorKind::Weighted {
        seam.heads.push(producer);
    } else if !passes_factors(ir, placement, layer) {
        return false;
    }
    // All readers: weighted layers, and those that pass the factors on.
    for reader in ir.users(placed.value) {
        let direct = placement.layers.iter().position(|layer| layer.op == reader);
        let Some(reader) = direct.or_else(|| flattened(ir, placement, reader, site)) else { return false };
        let layer = &placement.layers[reader];
        if layer.kind == OperatorKind::Weighted {
            let is_grouped = ir.int(layer.op, "groups").is_some_and(|groups| groups > 1);
            if is_grouped || !reads_channels(ir, layer, placed.value) {
                return false;
            }
            if !seam.tails.contains(&reader) {
                seam.tails.push(reader);
            }
        } else if !passes_factors(ir, placement, layer) {
            return false;
        }
    }
    true
}

/// The fully connected layer behind a reshape of one pixel.
fn flattened(ir: &Ir, placement: &Placement, reshape: OpId, site: SiteId) -> Option<LayerId> {
    let shape = ir.shape_of(placement.sites[site].value)?;
    let (channels, rest) = shape.split_last()?;
    if !ir.is(reshape, &nn::RESHAPE) || rest.iter().any(|&dim| dim != 1) {
        return None;
    }
    let flat = ir.result(reshape);
    let &[reader] = &ir.users(flat)[..] else { return None };
    let keeps = ir.shape_of(flat)?.last() == Some(channels);
    placement.layers.iter().position(|layer| layer.op == reader && keeps && ir.is(reader, &nn::MATMUL))
}

/// Whether the input channels of a weighted layer are the channels of a value.
fn reads_channels(ir: &Ir, layer: &Layer, value: dpuc_dialects::ValueId) -> bool {
    let last = |value| ir.shape_of(value).and_then(|shape| shape.last().copied());
    last(ir.operand(layer.op, 0)) == last(value)
}
