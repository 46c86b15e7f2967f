//! Dead-code elimination.

use dpuc_dialects::Ir;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::weights::Weight;
use dpuc_passes::{DeadCode, eliminate_dead_code};

use crate::lower::read;

fn text(ir: &Ir) -> String {
    print(ir, PrintOptions { generic: false, locations: false })
}

#[test]
fn what_nobody_uses_goes_away() {
    let mut ir = read(
        "module { func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
            %used = nn.constant @used : tensor<2xf32>
            %unused = nn.constant @unused : tensor<2xf32>
            %a = nn.relu %unused : tensor<2xf32>
            %b = nn.tanh %a : tensor<2xf32>
            %y = nn.add %x, %used : tensor<2xf32>
            %effect = nn.custom %x {type = \"print\"} : (tensor<2xf32>) -> tensor<2xf32>
            func.return %y : tensor<2xf32> } }",
    );
    for name in ["used", "unused", "extra"] {
        ir.weights.insert(name, Weight::from_f32(&[2], &[0.0, 1.0]).unwrap());
    }
    assert_eq!(eliminate_dead_code(&mut ir), DeadCode { operations: 3, constants: 2 });
    assert_eq!(ir.weights.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["used"]);
    let expected = read(
        "module { func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
            %used = nn.constant @used : tensor<2xf32>
            %y = nn.add %x, %used : tensor<2xf32>
            %effect = nn.custom %x {type = \"print\"} : (tensor<2xf32>) -> tensor<2xf32>
            func.return %y : tensor<2xf32> } }",
    );
    assert_eq!(text(&ir), text(&expected));
    assert_eq!(eliminate_dead_code(&mut ir), DeadCode::default());
}

/// Uses inside a region keep what is outside of it.
#[test]
fn regions_are_looked_into() {
    let mut ir = read(
        "module { dpu.subgraph @s(%x: tensor<4xi8, #int8.fix<3>>) -> tensor<4xi8, #int8.fix<3>> attributes {target = \"DPUCZDX8G_ISA1_B512\"} {
            %outer = int8.requantise %x : tensor<4xi8, #int8.fix<3>>
            %z = dpu.superlayer %x {placements = [{region = 3, address = 0, strides = [1]}]} {
                %dead = int8.requantise %outer : tensor<4xi8, #int8.fix<3>>
                %live = int8.requantise %x : tensor<4xi8, #int8.fix<3>>
                dpu.yield %live : tensor<4xi8, #int8.fix<3>>
            } : tensor<4xi8, #int8.fix<3>>
            dpu.return %z : tensor<4xi8, #int8.fix<3>> } }",
    );
    assert_eq!(eliminate_dead_code(&mut ir), DeadCode { operations: 2, constants: 0 });
    assert!(!text(&ir).contains("dead"));
}
