//! Which tensors are results of the network.

use std::collections::HashSet;

use dpuc_dialects::{BlockId, Ir, OpId};

use super::{Activation, OperatorKind, Placement, SiteId};

/// The roots whose numbers no other rounded tensor is computed from, and may be of any size: scores, maps, boxes. What is behind them is
/// computed in floats, such as a softmax.
pub(crate) fn results(ir: &Ir, block: BlockId, placement: &Placement) -> HashSet<SiteId> {
    let layers: HashSet<OpId> = placement.layers.iter().map(|layer| layer.op).collect();
    let mut feeding: HashSet<OpId> = HashSet::new();
    for op in ir.ops(block).collect::<Vec<_>>().into_iter().rev() {
        let mut users = ir.results(op).iter().flat_map(|&result| ir.users(result));
        if layers.contains(&op) || users.any(|user| feeding.contains(&user)) {
            feeding.insert(op);
        }
    }
    let is_bounded = |site: SiteId| {
        placement.sites[site]
            .layer
            .map(|layer| &placement.layers[layer])
            .is_some_and(|layer| layer.activation == Some(Activation::Relu6) || layer.kind == OperatorKind::HardSigmoid)
    };
    let is_last = |site: &SiteId| {
        let placed = &placement.sites[*site];
        !placed.is_argument && !ir.users(placed.value).into_iter().any(|user| feeding.contains(&user))
    };
    let last = (0..placement.sites.len()).filter(is_last).map(|site| placement.root(site));
    last.filter(|&root| !is_bounded(root)).collect()
}

#[cfg(test)]
mod tests {
    use dpuc_dialects::text::{ParseOptions, parse};

    use super::*;
    use crate::network::body;

    #[test]
    fn scores_are_results_and_what_a_float_operator_in_the_middle_reads_is_none() {
        let source = "module { func.func @main(%x: tensor<1x4x4x8xf32>) -> (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) {
            %a = nn.max_pool %x {kernel = [1, 1]} : tensor<1x4x4x8xf32>
            %silu = nn.silu %a : tensor<1x4x4x8xf32>
            %b = nn.add %silu, %x : tensor<1x4x4x8xf32>
            %c = nn.relu6 %b : tensor<1x4x4x8xf32>
            %d = nn.add %c, %x : tensor<1x4x4x8xf32>
            %scores = nn.softmax %d {axis = 3} : tensor<1x4x4x8xf32>
            func.return %scores, %c : tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32> } }";
        let mut ir = parse(source, &ParseOptions::default()).ir;
        let block = body(&ir).unwrap();
        let placement = Placement::new(&mut ir, block).unwrap();
        let found = results(&ir, block, &placement);
        let names: Vec<&str> = found.iter().map(|&site| placement.sites[site].name.as_str()).collect();
        assert_eq!(names, ["d"]);
    }
}
