//! Programs whose instructions are known: a worked example of the specification, and layers that must not load anything twice.

use dpuc_codegen::{Activation, Constant, Convolution, ElementwiseKind, FeatureMap, Layer, Pool, PoolKind};
use dpuc_isa::{Instruction, Opcode, Target};

use crate::harness::assemble;

fn convolution(input: FeatureMap, output: FeatureMap, kernel: u32, stride: u32) -> Convolution {
    Convolution {
        input,
        output,
        kernel: [kernel; 2],
        strides: [stride; 2],
        dilations: [1, 1],
        pads: [kernel / 2; 4],
        weights: Constant { region: 0, address: 64 },
        weight_fix_point: 7,
        bias: Constant { region: 0, address: 0 },
        bias_shift: 8,
        activation: Activation::Relu,
    }
}

/// `spec/recipes-conv.md` section 12.1: 3 × 3, stride 2, pads 1, 13 × 9 × 14 to 7 × 5 × 13 on B1152.
#[test]
fn strided_convolution_of_the_specification() {
    let target = Target::from_name("DPUCZDX8G_ISA1_B1152").expect("a registered name");
    let (input, output) = (FeatureMap::packed(2, 0, [13, 9, 14], 5), FeatureMap::packed(3, 0, [7, 5, 13], 3));
    let layer = Layer::Conv2d { convolution: convolution(input, output, 3, 2), augment_channels: false };
    let program = assemble(&[layer], &target).instructions;
    let count = |opcode| program.iter().filter(|instruction| instruction.opcode() == opcode).count();
    let counts = [Opcode::Load, Opcode::ConvInit, Opcode::Conv, Opcode::Save, Opcode::End].map(count);
    assert_eq!(counts, [1 + 13 + 13, 2, 4, 7, 1]);

    let inits = program.iter().filter_map(|instruction| match instruction {
        Instruction::ConvInit(init) => Some(*init),
        _ => None,
    });
    for (init, rows) in inits.zip([4, 3]) {
        assert_eq!([init.kernel_h, init.kernel_w, init.stride_h, init.stride_w], [3, 3, 2, 2]);
        assert_eq!([init.shift_cut, init.shift_bias, init.act_type, init.valid_pixel_parallel], [9, 8, 1, rows]);
        assert_eq!([init.jump_read, init.jump_read_endl, init.jump_write, init.stride_out], [2, 18, 2, 1]);
    }
    let convs: Vec<_> = program
        .iter()
        .filter_map(|instruction| match instruction {
            Instruction::Conv(conv) => Some(*conv),
            _ => None,
        })
        .collect();
    // Two row blocks, in each the output groups 0 and 1.
    for (conv, (top, bottom, group, line)) in
        convs.iter().zip([(1, 7, 0, 0), (1, 7, 1, 1), (0, 1, 0, 10), (0, 1, 1, 11)])
    {
        assert_eq!([conv.pad_top, conv.pad_left, conv.pad_bottom, conv.pad_right], [top, 1, bottom, 1]);
        assert_eq!([conv.channel_group, conv.channel_offset, conv.length], [2, 10, 5]);
        assert_eq!([conv.bank_addr_weights, conv.bank_addr_bias], [18 * group, group]);
        assert_eq!([conv.bank_id_out, conv.bank_addr_out], [4, line]);
        // Row -1, and row 7 of the pass in front of the second block; one padding column of two lines in front of the first real one.
        assert_eq!(conv.bank_id_in, 3);
        let (first_pass, next) = if top == 1 {
            (conv.bank_addr_in_1, conv.bank_addr_in_2)
        } else {
            (conv.bank_addr_in, conv.bank_addr_in_1)
        };
        assert_eq!([first_pass, next], [2046, 34]);
    }
    let saves = program.iter().filter_map(|instruction| match instruction {
        Instruction::Save(save) => Some(*save),
        _ => None,
    });
    for (save, row) in saves.zip(0..) {
        assert_eq!([save.bank_id, save.bank_addr, save.ddr_addr], [4 + row % 4, row / 4 * 10, 65 * row]);
        assert_eq!([save.length, save.channel, save.jump_read, save.jump_write], [5, 13, 2, 13]);
    }
}

/// Bytes that the program of one layer loads and saves.
fn traffic(layer: Layer, target: &Target) -> [u64; 2] {
    assemble(&[layer], target).instructions.iter().fold([0; 2], |[loaded, saved], instruction| match instruction {
        Instruction::Load(load) => [loaded + u64::from(load.length * load.channel), saved],
        Instruction::Save(save) => [loaded, saved + u64::from(save.length * save.channel)],
        _ => [loaded, saved],
    })
}

const fn size(map: &FeatureMap) -> u64 {
    map.height as u64 * map.width as u64 * map.channels as u64
}

/// Input rows stream through a ring and weights stay on chip, so common layers load every byte once.
#[test]
fn nothing_is_loaded_twice() {
    let target = &Target::from_name("DPUCZDX8G_ISA1_B4096").expect("a registered name");
    let map = |side, channels| FeatureMap::packed(1, 0, [side, side, channels], 4);
    for (input, output, kernel, stride) in [
        (map(56, 64), map(56, 64), 3, 1),
        (map(56, 256), map(56, 64), 1, 1),
        (map(28, 128), map(14, 128), 3, 2),
        (map(14, 1024), map(14, 256), 1, 1),
        // 9216 lines of weights: several chunks, and the whole input stays on chip.
        (map(7, 512), map(7, 512), 3, 1),
    ] {
        let kernels = u64::from(kernel * kernel) * u64::from(input.channels) * u64::from(output.channels);
        let loaded = size(&input) + kernels + u64::from(output.channels);
        let layer = Layer::Conv2d { convolution: convolution(input, output, kernel, stride), augment_channels: false };
        assert_eq!(traffic(layer, target), [loaded, size(&output)], "{input:?} to {output:?}");
    }
    // A stride over a 1 x 1 kernel loads only the pixels it uses.
    let layer = Layer::Conv2d { convolution: convolution(map(56, 64), map(28, 32), 1, 2), augment_channels: false };
    assert_eq!(traffic(layer, target), [28 * 28 * 64 + 64 * 32 + 32, 28 * 28 * 32]);
    let layer = Layer::DepthwiseConv2d(convolution(map(112, 96), map(56, 96), 3, 2));
    assert_eq!(traffic(layer, target), [112 * 112 * 96 + 9 * 96 + 96, 56 * 56 * 96]);
    let (kernel, strides, pads) = ([3, 3], [2, 2], [0, 0, 1, 1]);
    let (kind, input, output) = (PoolKind::Max, map(112, 64), map(56, 64));
    let layer = Layer::Pool(Pool { kind, input, output, kernel, strides, pads });
    assert_eq!(traffic(layer, target), [112 * 112 * 64, 56 * 56 * 64]);
    let (kind, inputs) = (ElementwiseKind::Add, vec![map(56, 256); 2]);
    let layer = Layer::Elementwise { kind, inputs, output: map(56, 256), relu: true };
    assert_eq!(traffic(layer, target), [2 * 56 * 56 * 256, 56 * 56 * 256]);
}
