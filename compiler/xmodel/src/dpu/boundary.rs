//! Inputs and outputs of a DPU subgraph.

use std::collections::{BTreeMap, HashSet};

use super::error::DpuSubgraphProblem;
use super::placement::Placement;
use crate::attr::Attributed;
use crate::graph::{Op, Tensor};
use crate::index::GraphIndex;

/// An input or output of a DPU subgraph: a tensor outside and the place of its copy inside (§3.7).
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary<'a> {
    /// The `upload` or `download` op.
    pub op: &'a Op,
    /// The tensor outside, under the name by which a runtime knows it.
    pub tensor: &'a Tensor,
    /// real = integer · 2^(−`fix_point`).
    pub fix_point: i32,
    /// Number of the register that holds it, 0 to 7.
    pub register: u8,
    /// Its byte offset in the register; it is dense there.
    pub address: u32,
    /// Its bytes.
    pub num_bytes: u64,
}

impl<'a> Boundary<'a> {
    /// `inside` is the tensor that carries the place: the output of an `upload`, the input of a `download`.
    fn new(op: &'a Op, tensor: &'a Tensor, inside: &'a Tensor) -> Result<Self, DpuSubgraphProblem> {
        if tensor.dims != inside.dims {
            return Err(DpuSubgraphProblem::BoundaryShape {
                tensor: tensor.name.clone(),
                outside: tensor.dims.clone(),
                inside: inside.dims.clone(),
            });
        }
        let Some(num_bytes) = inside.num_bytes() else {
            return Err(DpuSubgraphProblem::UnknownBoundary { tensor: tensor.name.clone(), dims: tensor.dims.clone() });
        };
        let Placement::Memory { register, address, strides } = Placement::of(inside)? else {
            return Err(DpuSubgraphProblem::OnChipBoundary(inside.name.clone()));
        };
        if let Some(strides) = strides {
            check_dense(inside, strides)?;
        }
        Ok(Self { op, tensor, fix_point: tensor.attr("fix_point")?, register, address, num_bytes })
    }
}

fn check_dense(tensor: &Tensor, found: &[i32]) -> Result<(), DpuSubgraphProblem> {
    let dense = dense_strides(&tensor.dims);
    if found.iter().copied().map(i64::from).eq(dense.iter().copied()) {
        return Ok(());
    }
    Err(DpuSubgraphProblem::SparseBoundary { tensor: tensor.name.clone(), found: found.to_vec(), dense })
}

/// Strides in elements of a tensor without gaps. Saturates instead of leaving 64 bits, which equals no 32-bit stride.
fn dense_strides(dims: &[i32]) -> Vec<i64> {
    let mut strides = vec![1_i64; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(dims[axis].into());
    }
    strides
}

/// The inputs of the subgraph with these ops: tensors made outside and read inside, each by one `upload`.
pub(super) fn inputs<'a>(
    index: &GraphIndex<'a>,
    ops: &[&'a Op],
    members: &HashSet<&str>,
) -> Result<Vec<Boundary<'a>>, DpuSubgraphProblem> {
    let outside = ops.iter().flat_map(|op| index.producers(op)).filter(|op| !members.contains(op.name.as_str()));
    // The runtime orders by tensor name; two tensors of the same name keep the order of their ops.
    let by_name: BTreeMap<(&str, Option<usize>), &'a Op> =
        outside.map(|op| ((op.tensor.name.as_str(), index.position(&op.name)), op)).collect();
    by_name
        .into_values()
        .map(|producer| {
            let readers: Vec<&'a Op> =
                index.consumers(&producer.name).filter(|op| members.contains(op.name.as_str())).collect();
            match readers[..] {
                [upload] if upload.kind == "upload" => Boundary::new(upload, &producer.tensor, &upload.tensor),
                _ => Err(DpuSubgraphProblem::Input {
                    tensor: producer.tensor.name.clone(),
                    readers: readers.iter().map(|op| (op.name.clone(), op.kind.clone())).collect(),
                }),
            }
        })
        .collect()
}

/// The outputs of the subgraph with these ops: made inside by a `download`, read outside or by nobody.
pub(super) fn outputs<'a>(
    index: &GraphIndex<'a>,
    ops: &[&'a Op],
    members: &HashSet<&str>,
) -> Result<Vec<Boundary<'a>>, DpuSubgraphProblem> {
    let leaves_subgraph = |op: &Op| {
        let mut readers = index.consumers(&op.name).peekable();
        readers.peek().is_none() || readers.any(|reader| !members.contains(reader.name.as_str()))
    };
    let mut outputs = ops
        .iter()
        .filter(|op| leaves_subgraph(op))
        .map(|&download| {
            if download.kind != "download" {
                return Err(DpuSubgraphProblem::Output { op: download.name.clone(), kind: download.kind.clone() });
            }
            let sources: Vec<&'a Op> = index.producers(download).collect();
            match sources[..] {
                [source] => Boundary::new(download, &download.tensor, &source.tensor),
                _ => Err(DpuSubgraphProblem::DownloadInputs { op: download.name.clone(), count: sources.len() }),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    outputs.sort_by_key(|output| output.tensor.name.as_str());
    Ok(outputs)
}
