//! Worked examples of every instruction: values from `spec/numerics.md` section 5 and `spec/dpuczdx8g-isa.md` section 3.

use dpuc_accel::Core;
use dpuc_isa::{Alu, AluInit, AluMode, Conv, ConvInit, Elew, ElewInit, Instruction, Load, Save, Target};

/// A B4096 core (8 banks in a group, 16 bytes in a line, 4 rows in an Alu) and a place in region 0 for the next data.
struct Bench {
    core: Core,
    free: u32,
}

/// First bank of the second feature-map group, where the examples write their results.
const OUT: u32 = 8;

impl Bench {
    fn new() -> Self {
        let mut core = Core::new(&Target::registered()[7]);
        core.scramble_banks(7);
        core.regions_mut().define(0, 1 << 16).unwrap();
        Self { core, free: 0 }
    }

    fn execute(&mut self, instruction: impl Into<Instruction>) {
        self.core.execute(0, &instruction.into()).unwrap();
    }

    /// Puts `data` to a bank, `channels` bytes at the start of each line.
    fn put(&mut self, bank: usize, line: u32, channels: usize, data: &[i8]) {
        let bytes: Vec<u8> = data.iter().map(|&value| value as u8).collect();
        self.core.regions_mut().write(0, self.free as usize, &bytes).unwrap();
        let (channel, length) = (channels as u32, (data.len() / channels) as u32);
        let jump_write = channel.div_ceil(16);
        let places = Load { bank_id: bank as u32, bank_addr: line, jump_write, ddr_addr: self.free, ..Load::default() };
        self.execute(Load { jump_read: channel, channel, length, ..places });
        self.free += data.len() as u32;
    }

    fn bytes(&self, bank: u32, line: usize, count: usize) -> Vec<i8> {
        self.core.bank_bytes(bank as usize, line, count).unwrap()
    }

    /// The first byte of each of `count` lines.
    fn firsts(&self, bank: u32, count: usize) -> Vec<i8> {
        self.bytes(bank, 0, count * 16).into_iter().step_by(16).collect()
    }

    fn conv_weights(&self) -> usize {
        self.core.target().conv_weight_bank()
    }

    fn depthwise_weights(&self) -> usize {
        self.core.target().depthwise_weight_bank()
    }

    fn bias(&self) -> usize {
        self.core.target().bias_bank()
    }
}

#[test]
fn loads_fill_the_last_line_of_a_pixel_with_zeros_and_wrap() {
    let mut bench = Bench::new();
    let data: Vec<i8> = (1..=40).collect();
    bench.put(3, 2047, 20, &data);
    let mut expected = data[..20].to_vec();
    expected.extend([0; 12]);
    expected.extend(&data[20..]);
    expected.extend([0; 12]);
    assert_eq!(bench.bytes(3, 2047, 64), expected);
    // Line 2048 + 1 is line 1.
    assert_eq!(bench.bytes(3, 1, 16), expected[32..48]);
}

#[test]
fn loads_and_saves_step_in_memory_and_in_the_bank() {
    let mut bench = Bench::new();
    bench.core.regions_mut().write(0, 0, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    bench.execute(Load { length: 3, jump_read: 3, channel: 2, jump_write: 5, bank_id: 1, ..Load::default() });
    for (line, pixel) in [(0, [1, 2]), (5, [4, 5]), (10, [7, 8])] {
        assert_eq!(bench.bytes(1, line, 2), pixel);
    }
    let save =
        Save { bank_id: 1, length: 2, jump_read: 10, channel: 2, jump_write: 3, ddr_addr: 100, ..Save::default() };
    bench.core.regions_mut().write(0, 100, &[9; 8]).unwrap();
    bench.execute(save);
    assert_eq!(bench.core.regions().bytes(0, 100, 8).unwrap(), [1, 2, 9, 7, 8, 9, 9, 9]);
    bench.execute(Save { const_en: 1, const_value: 200, argmax: 2, ..save });
    assert_eq!(bench.core.regions().bytes(0, 100, 8).unwrap(), [200, 200, 9, 200, 200, 9, 9, 9]);
}

/// The windows of a kernel of 3 columns over a row of 5 pixels, padded by one on both sides.
#[test]
fn loads_mask_the_padding_of_augmented_windows() {
    let mut bench = Bench::new();
    bench.core.regions_mut().write(0, 0, &[99, 1, 2, 3, 4, 5, 99, 99]).unwrap();
    let load = Load { channel: 3, length: 5, pad_start: 1, pad_end: 16 - 3 + 1, ..Load::default() };
    bench.execute(load);
    let pixels = |bench: &Bench| -> Vec<Vec<i8>> { (0..5).map(|line| bench.bytes(0, line, 4)).collect() };
    let windows = [[0, 1, 2, 0], [1, 2, 3, 0], [2, 3, 4, 0], [3, 4, 5, 0], [4, 5, 0, 0]];
    assert_eq!(pixels(&bench), windows);
    // Two padding columns on the right affect two pixels, the second by one byte more.
    bench.execute(Load { ddr_addr: 2, length: 4, pad_start: 0, pad_idx: 2, ..load });
    assert_eq!(pixels(&bench)[..4], [[2, 3, 4, 0], [3, 4, 5, 0], [4, 5, 0, 0], [5, 0, 0, 0]]);
    bench.execute(Load { broadcast: 7, const_value: 255, ..load });
    assert_eq!(pixels(&bench)[0], [0, -1, -1, 0]);
    // Pixels with gaps between them are no windows.
    bench.execute(Load { jump_read: 4, length: 2, ..load });
    assert_eq!(bench.bytes(0, 0, 3), [99, 1, 2]);
}

#[test]
fn saves_find_the_first_maximum() {
    let mut bench = Bench::new();
    let mut pixel = vec![-128; 300];
    bench.put(0, 0, 300, &pixel);
    let save = Save { channel: 300, argmax: 2, ddr_addr: 1000, ..Save::default() };
    let stored = |bench: &Bench| bench.core.regions().bytes(0, 1000, 1).unwrap()[0];
    bench.execute(save);
    assert_eq!(stored(&bench), 0);
    (pixel[258], pixel[299]) = (-127, -127);
    bench.put(0, 0, 300, &pixel);
    bench.execute(save);
    assert_eq!(stored(&bench), 2, "index 258 modulo 256");
    bench.execute(Save { argmax: 3, ..save });
    assert_eq!(stored(&bench) as i8, -127);
}

/// One output of a 1x1 Conv over 4 channels.
fn conv_one(input: [i8; 4], weights: [i8; 4], bias: i8, init: ConvInit) -> i8 {
    let mut bench = Bench::new();
    bench.put(0, 0, 4, &input);
    bench.put(bench.conv_weights(), 0, 4, &weights);
    bench.put(bench.bias(), 0, 1, &[bias]);
    bench.execute(init);
    // The other twelve channels of the line hold no data: they are masked.
    bench.execute(Conv { channel_offset: 12, bank_id_out: OUT, ..Conv::default() });
    bench.firsts(OUT, 1)[0]
}

#[test]
fn conv_rounds_half_up_with_a_bias_in_half_units() {
    // (bias, shift_cut, shift_bias of the operator, output); the sum is 1147.
    for (bias, shift_cut, shift_bias, output) in [(-33, 6, 4, 10), (100, 10, 4, 3), (5, 6, -1, 18), (5, 4, 0, 72)] {
        let init = ConvInit { shift_cut, shift_bias: (shift_bias + 1) as u32, ..ConvInit::default() };
        assert_eq!(conv_one([10, -20, 127, -128], [3, -5, 7, -1], bias, init), output);
    }
    for (sum, output) in [(-24, -1), (-8, 0), (8, 1), (24, 2), (-40, -2)] {
        let init = ConvInit { shift_cut: 4, ..ConvInit::default() };
        assert_eq!(conv_one([sum, 0, 0, 0], [1, 0, 0, 0], 0, init), output);
    }
}

#[test]
fn conv_activates_before_it_rounds() {
    let leaky = [(-2000, -13), (-1000, -6), (-500, -3), (-240, -2), (-100, -1), (-79, -1), (-78, 0), (500, 31)];
    for (sum, output) in leaky {
        let init = ConvInit { shift_cut: 4, act_type: 3, ..ConvInit::default() };
        let rest = (sum % 100) as i8;
        assert_eq!(conv_one([100, rest, 0, 0], [(sum / 100) as i8, 1, 0, 0], 0, init), output, "{sum}");
    }
    for (act_type, sum, output) in [(4, 2000, 96), (1, 2000, 125), (0, 2000, 125), (4, -2000, 0), (1, -2000, 0)] {
        let init = ConvInit { shift_cut: 4, act_type, ..ConvInit::default() };
        assert_eq!(conv_one([100, 0, 0, 0], [(sum / 100) as i8, 0, 0, 0], 0, init), output);
    }
}

#[test]
fn conv_saturates_at_both_ends_and_shifts_everything_out() {
    for (value, shift_cut, output) in [(127, 0, 127), (-128, 0, -128), (-128, 63, 0), (127, 63, 0), (-128, 31, 0)] {
        let init = ConvInit { shift_cut, shift_bias: 20, ..ConvInit::default() };
        assert_eq!(conv_one([value; 4], [127; 4], value, init), output);
    }
}

/// The 3x3 map of example C9, one channel, row `r` in bank `r`.
fn put_example_map(bench: &mut Bench) {
    for (row, pixels) in [[1, -2, 3], [4, 5, -6], [7, 8, 9]].iter().enumerate() {
        bench.put(row, 0, 1, pixels);
    }
}

/// Results of example C9: kernel 2x2, one row and column of padding at the top and left.
const C9: [[i8; 3]; 3] = [[3, 2, 4], [5, 9, -1], [7, 12, 16]];

#[test]
fn conv_pads_windows() {
    let mut bench = Bench::new();
    put_example_map(&mut bench);
    bench.put(bench.conv_weights(), 0, 1, &[1, -1, 2, 3]);
    bench.put(bench.bias(), 0, 1, &[5]);
    let init = ConvInit { shift_cut: 2, shift_bias: 2, kernel_h: 2, kernel_w: 2, ..ConvInit::default() };
    bench.execute(ConvInit { valid_pixel_parallel: 3, ..init });
    // Row -1 is in the last bank, pass 0; rows 0 to 2 are pass 1. Both begin at column -1.
    let places = Conv { bank_id_in: 7, bank_addr_in: 2047, bank_addr_in_1: 2047, bank_id_out: OUT, ..Conv::default() };
    bench.execute(Conv {
        length: 3,
        pad_top: 1,
        pad_left: 1,
        pad_bottom: 15,
        pad_right: 15,
        channel_offset: 15,
        ..places
    });
    for (row, expected) in C9.iter().enumerate() {
        assert_eq!(bench.firsts(OUT + row as u32, 3), expected);
    }
}

fn depthwise_c9(mode: AluMode, act_type: u32, shift_cut: u32, kernel: &[i8]) -> Vec<Vec<i8>> {
    let mut bench = Bench::new();
    put_example_map(&mut bench);
    bench.put(bench.depthwise_weights(), 0, kernel.len() / 4, kernel);
    bench.put(bench.bias(), 0, 1, &[5]);
    let shifts = AluInit { shift_cut, shift_bias: 2, act_type, jump_read_weights: 1, ..AluInit::default() };
    bench.execute(AluInit {
        exec_mode: mode as u32,
        kernel_h: 2,
        kernel_w: 2,
        length: 3,
        channel_offset: 15,
        ..shifts
    });
    let places = Alu { bank_id_in: 7, bank_addr_in: 2047, bank_addr_in_1: 2047, bank_id_out: OUT, ..Alu::default() };
    let pads = Alu { pad_top: 1, pad_left: 1, pad_bottom: 1, pad_right: 1, ..places };
    bench.execute(Alu { valid_pixel_parallel: 3, ..pads });
    (0..3).map(|row| bench.firsts(OUT + row, 3)).collect()
}

#[test]
fn alu_depthwise_convolutions() {
    let kernel = [1, -1, 2, 3];
    assert_eq!(depthwise_c9(AluMode::Depthwise, 0, 2, &kernel), C9);
    let relu = C9.map(|row| row.map(|value| value.max(0)));
    assert_eq!(depthwise_c9(AluMode::Depthwise, 1, 2, &kernel), relu);
    // Sums without bias: [[3, -4, 5], [11, 26, -13], [17, 37, 54]].
    let expected = [[1, -1, 1], [3, 7, -3], [4, 9, 14]];
    assert_eq!(depthwise_c9(AluMode::DepthwiseNoBias, 0, 2, &kernel), expected);
    // 16-bit weights, 256 times larger. They lie in the first two bytes of the first of two lines.
    let wide: Vec<i8> = kernel.iter().flat_map(|&weight| [0, weight]).collect();
    assert_eq!(depthwise_c9(AluMode::WideWeights, 0, 10, &wide), expected);
    let relu6 = [[96, 0, 96], [96, 96, 0], [96, 96, 96]];
    assert_eq!(depthwise_c9(AluMode::WideWeights, 4, 2, &wide), relu6);
}

/// One pixel of 16 channels through a 1x1 Alu; channel `c` has the value `values[c]`.
fn alu_one(init: AluInit, values: &[i8], weights: &[i8]) -> Vec<i8> {
    let mut bench = Bench::new();
    bench.put(0, 0, values.len(), values);
    if !weights.is_empty() {
        bench.put(bench.depthwise_weights(), 0, weights.len(), weights);
    }
    bench.execute(init);
    bench.execute(Alu { bank_id_out: OUT, ..Alu::default() });
    bench.bytes(OUT, 0, values.len())
}

#[test]
fn alu_hard_sigmoid() {
    let inputs = [-128, -48, -47, -1, 0, 1, 16, 48, 100, 127];
    for (shift_bias, shift_cut, outputs) in [
        (4, 11, [0, 0, 1, 63, 64, 65, 85, 127, 127, 127]),
        (7, 13, [85, 112, 112, 127, 127, 127, 127, 127, 127, 127]),
        (8, 15, [53, 60, 60, 64, 64, 64, 65, 68, 72, 75]),
    ] {
        let init = AluInit { exec_mode: AluMode::HardSigmoid as u32, shift_bias, shift_cut, ..AluInit::default() };
        assert_eq!(alu_one(init, &inputs, &[]), outputs);
    }
    // The clamp at 2^32 acts before the shift: 3 · 2731 · 2^20 is above it, 2^32 / 2^26 is 64.
    let clamped =
        AluInit { exec_mode: AluMode::HardSigmoid as u32, shift_bias: 20, shift_cut: 26, ..AluInit::default() };
    assert_eq!(alu_one(clamped, &[0], &[]), [64]);
}

#[test]
fn alu_leaky_relu_and_prelu() {
    // Slope 26/256; positive values keep their scale.
    let leaky =
        AluInit { exec_mode: AluMode::LeakyRelu as u32, multi_factor: 26, shift_prelu_n: 32 + 8, ..AluInit::default() };
    assert_eq!(alu_one(leaky, &[-128, -5, -4, 0, 77], &[]), [-13, -1, 0, 0, 77]);
    // Slopes of each channel: 2/4, 3/4, 127/4, -3/4. The shift follows the sign after the multiplication, so the negative
    // slope is shifted as positive values are, here by 1 to the left.
    let prelu = AluInit { exec_mode: AluMode::PRelu as u32, shift_prelu_n: 34, shift_prelu_p: 1, ..AluInit::default() };
    assert_eq!(alu_one(prelu, &[-3, -3, -128, -3, 9, 100], &[2, 3, 127, -3, 5, 5]), [-1, -2, -128, 18, 18, 127]);
}

/// A 4x4 ramp -30, -26, …, 30, kernel 3, stride 2, one row and column of padding at the top and left.
fn pool_ramp(init: AluInit, bottom: u32) -> [Vec<i8>; 2] {
    let mut bench = Bench::new();
    let ramp: Vec<i8> = (0..16).map(|i| 4 * i - 30).collect();
    // Two rows in each bank: row -1 is slot 1 of the last bank, rows 0 and 1 slots 0 and 1 of bank 0.
    for (row, pixels) in ramp.chunks(4).enumerate() {
        bench.put(row / 2, (row % 2 * 4) as u32, 1, pixels);
    }
    let window = AluInit { kernel_h: 3, kernel_w: 3, stride_h: 2, stride_w: 2, stride_offset_in: 1, ..init };
    bench.execute(AluInit { length: 2, jump_read_endl: 4, channel_offset: 15, ..window });
    let places = Alu { bank_id_in: 7, bank_addr_in: 2047, bank_addr_in_1: 2047, bank_id_out: OUT, ..Alu::default() };
    let pads = Alu { pad_top: 1, pad_left: 1, pad_bottom: bottom, pad_right: 2, ..places };
    bench.execute(Alu { valid_pixel_parallel: 2, ..pads });
    [bench.firsts(OUT, 2), bench.firsts(OUT + 1, 2)]
}

#[test]
fn alu_pools() {
    let average =
        AluInit { exec_mode: AluMode::AveragePool as u32, multi_factor: 7, shift_cut: 8 + 6, ..AluInit::default() };
    assert_eq!(pool_ramp(average, 2), [[-9, -9], [3, 10]]);
    let max = AluInit { exec_mode: AluMode::MaxPool as u32, ..AluInit::default() };
    assert_eq!(pool_ramp(max, 2), [[-10, -2], [22, 30]]);
    assert_eq!(pool_ramp(AluInit { shift_cut: 8 + 1, ..max }, 2), [[-5, -1], [11, 15]]);
    assert_eq!(pool_ramp(AluInit { shift_cut: 3, ..max }, 2), [[-80, -16], [127, 127]]);
    // Only the first row of the last windows is real: row 1, which is also the last of the first windows.
    assert_eq!(pool_ramp(max, 0), [[-10, -2], [-10, -2]]);
}

#[test]
fn padding_of_a_maximum_is_its_smallest_value_except_in_a_reduction() {
    let mut bench = Bench::new();
    bench.put(0, 0, 16, &[-100; 16]);
    let init = AluInit { exec_mode: AluMode::MaxPool as u32, channel_offset: 4, ..AluInit::default() };
    bench.execute(init);
    bench.execute(Alu { bank_id_out: OUT, ..Alu::default() });
    let masked = [vec![-100; 12], vec![-128; 4]].concat();
    assert_eq!(bench.bytes(OUT, 0, 16), masked);
    bench.execute(Alu { bank_id_out: OUT, pad_top: 1, ..Alu::default() });
    assert_eq!(bench.bytes(OUT, 0, 16), [-128; 16]);
    bench.execute(AluInit { exec_mode: AluMode::MaxReduce as u32, ..init });
    bench.execute(Alu { bank_id_out: OUT, pad_top: 1, ..Alu::default() });
    assert_eq!(bench.bytes(OUT, 0, 16), [-100; 16]);
}

/// A sum of 684,071 times 105 is 71,827,455, which single precision rounds to 71,827,456 = 68.5 · 2^20.
#[test]
fn products_of_large_average_pools_are_rounded_to_single_precision() {
    let mut bench = Bench::new();
    for row in 0..100 {
        let pixels: Vec<i8> = (0..100).map(|column| 68 + i8::from(100 * row + column < 4071)).collect();
        // Four rows in each bank, four passes over the eight banks.
        bench.put((row / 4 % 8) as usize, (row / 32 * 400 + row % 4 * 100) as u32, 1, &pixels);
    }
    let pool =
        AluInit { exec_mode: AluMode::AveragePool as u32, multi_factor: 105, shift_cut: 8 + 20, ..AluInit::default() };
    let pool = AluInit { kernel_h: 100, kernel_w: 100, stride_h: 4, ..pool };
    let pool = AluInit { jump_read_endl: 100, channel_offset: 15, ..pool };
    let passes = Alu { bank_addr_in_1: 400, bank_addr_in_2: 800, bank_addr_in_3: 1200, ..Alu::default() };
    let mut average = |init: AluInit| {
        bench.execute(init);
        bench.execute(Alu { pad_bottom: 99, pad_right: 99, bank_id_out: OUT, ..passes });
        bench.firsts(OUT, 1)[0]
    };
    assert_eq!(average(pool), 69);
    // The largest left shift takes the product beyond 32 bits.
    assert_eq!(average(AluInit { multi_factor: 127, shift_cut: 7, ..pool }), 127);
    assert_eq!(average(AluInit { multi_factor: 128, shift_cut: 7, ..pool }), -128);
}

#[test]
fn kernel_depth_sums_slices() {
    let mut bench = Bench::new();
    // Three slices of one line: 1, 10, 100; weights 1, 2, -1.
    bench.put(0, 0, 16, &[[1; 16], [10; 16], [100; 16]].concat());
    bench.put(bench.depthwise_weights(), 0, 16, &[[1; 16], [2; 16], [-1; 16]].concat());
    bench.execute(AluInit { exec_mode: AluMode::DepthwiseNoBias as u32, ..AluInit::default() });
    bench.execute(Alu { kernel_d: 3, bank_id_out: OUT, ..Alu::default() });
    assert_eq!(bench.bytes(OUT, 0, 16), [-79; 16]);
}

/// One value through an Elew whose input `e` is `inputs[e]`.
fn elew_one(inputs: &[i8], shifts: &[u32], elew: Elew) -> i8 {
    let mut bench = Bench::new();
    for (e, (&input, &shift_read)) in inputs.iter().zip(shifts).enumerate() {
        bench.put(e, 0, 1, &[input]);
        bench.execute(ElewInit { id: e as u32, bank_id_in: e as u32, shift_read, ..ElewInit::default() });
    }
    bench.execute(Elew { num: inputs.len() as u32, bank_id_out: OUT, ..elew });
    bench.firsts(OUT, 1)[0]
}

/// The field of a shift to the right by `right`, or to the left if that is negative.
fn shift_write(right: i32) -> u32 {
    if right > 0 { 16 + right as u32 } else { -right as u32 }
}

#[test]
fn elew_additions() {
    let cases: [(&[i8], &[i32], i32, i8); 10] = [
        (&[100, 27], &[5, 5], 5, 127),
        (&[100, 50], &[5, 5], 4, 75),
        (&[3, -7], &[6, 5], 5, -5),
        (&[-3, 1], &[5, 6], 5, -2),
        (&[4, 0], &[8, 5], 5, 1),
        (&[1, 0], &[8, 5], 5, 0),
        (&[13, 7], &[9, 5], 6, 16),
        (&[-9, 1], &[12, 9], 9, 0),
        (&[1, 3, 0], &[8, 8, 5], 5, 0),
        (&[1, 0], &[8, 5], 7, 0),
    ];
    for (inputs, fix, fix_out, output) in cases {
        let least = *fix.iter().min().unwrap();
        let shifts: Vec<u32> = fix.iter().map(|f| (f - least) as u32).collect();
        let elew = Elew { shift_write: shift_write(least - fix_out), ..Elew::default() };
        assert_eq!(elew_one(inputs, &shifts, elew), output, "{inputs:?} {fix:?} {fix_out}");
        assert_eq!(elew_one(inputs, &shifts, Elew { act_type: 1, ..elew }), output.max(0));
    }
}

#[test]
fn elew_multiplications() {
    let cases = [
        ([100, 50], 5 + 6 - 4, 39),
        ([-7, 9], 3 + 3 - 4, -16),
        ([127, -128], 7 + 7 - 7, -127),
        ([3, 3], 1 + 1 - 1, 5),
        ([-3, 3], 1 + 1 - 1, -4),
    ];
    for (inputs, right, output) in cases {
        let elew = Elew { elew_type: 1, shift_write: shift_write(right), ..Elew::default() };
        assert_eq!(elew_one(&inputs, &[0, 0], elew), output);
    }
}

/// A 2x3 map plus one pixel, repeated along both axes.
#[test]
fn elew_broadcasts() {
    let mut bench = Bench::new();
    bench.put(0, 0, 1, &[1, 2, 3]);
    bench.put(2, 0, 1, &[4, 5, 6]);
    bench.put(5, 9, 1, &[10]);
    bench.execute(ElewInit { jump_bank: 2, jump_read: 1, ..ElewInit::default() });
    bench.execute(ElewInit { id: 1, bank_id_in: 5, bank_addr_in: 9, share_pp: 1, ..ElewInit::default() });
    // The output goes on in the first bank of the group, three lines further.
    let elew = Elew { num: 2, length: 3, valid_pixel_parallel: 2, jump_write_endl: 3, ..Elew::default() };
    bench.execute(Elew { bank_id_out: OUT + 7, ..elew });
    assert_eq!(bench.firsts(OUT + 7, 3), [11, 12, 13]);
    assert_eq!(bench.bytes(OUT, 3, 48).into_iter().step_by(16).collect::<Vec<_>>(), [14, 15, 16]);
}

/// An instruction may overwrite its own input: all reads happen first.
#[test]
fn instructions_read_before_they_write() {
    let mut bench = Bench::new();
    bench.put(0, 0, 1, &[1, 2, 3]);
    bench.execute(ElewInit { jump_read: 1, ..ElewInit::default() });
    bench.execute(Elew { length: 3, bank_addr_out: 1, ..Elew::default() });
    assert_eq!(bench.firsts(0, 4), [1, 1, 2, 3]);
}
