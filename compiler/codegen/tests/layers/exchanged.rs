//! Maps whose axes are exchanged: rows closer to each other than the pixels of a row.

use dpuc_codegen::{FeatureMap, Layer, check};
use dpuc_isa::{Random, Target};
use dpuc_kernels::reference::round::Rescale;

use crate::data::{channels, map_values, side};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

/// The same bytes with rows for columns.
fn exchanged(map: FeatureMap) -> FeatureMap {
    FeatureMap {
        height: map.width,
        width: map.height,
        row_stride: map.pixel_stride,
        pixel_stride: map.row_stride,
        ..map
    }
}

/// A copy from an exchanged map, to one, or between two, which is a transposition in one of the first two cases.
#[test]
fn copies_of_exchanged_maps() {
    for_each_case("exchanged", 20, |target, random| {
        let shape = [side(20, random), side(30, random), channels(target, 60, random)];
        let turned = [shape[1], shape[0], shape[2]];
        let fix = Rescale { input: 3, output: random.pick(&[3, 3, 2, 5]) };
        let (exchange_input, exchange_output) = random.pick(&[(true, false), (false, true), (true, true)]);
        let mut memory = Memory::new();
        let map = |memory: &mut Memory, region, exchange, fix, random: &mut Random| {
            let map = memory.map(region, if exchange { turned } else { shape }, fix, random);
            if exchange { exchanged(map) } else { map }
        };
        let input = map(&mut memory, INPUTS, exchange_input, fix.input, random);
        let output = map(&mut memory, OUTPUTS, exchange_output, fix.output, random);
        let values = map_values(shape, random);
        memory.fill(&input, &values.view());
        let layer = Layer::Copy { input, output, relu: false };
        memory.assert_computes(&layer, &output, &fix.apply(&values.view()).view(), target, random);
    });
}

#[test]
fn axes_that_overlap_both_ways_are_refused() {
    let target = Target::registered().pop().expect("a target");
    let map = FeatureMap::packed(2, 0, [4, 4, 8], 0);
    let refused = |input: FeatureMap| {
        let layer = Layer::Copy { input, output: FeatureMap { region: 3, ..map }, relu: false };
        check(&layer, &target).expect_err("pixels overlap").iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        refused(FeatureMap { row_stride: 8, pixel_stride: 31, ..map }),
        ["input pixel stride 31; pixels that do not overlap need 32..=4294967295"]
    );
    assert_eq!(
        refused(FeatureMap { row_stride: 31, pixel_stride: 8, ..map }),
        ["input row stride 31; rows that do not overlap need 32..=4294967295"]
    );
}
