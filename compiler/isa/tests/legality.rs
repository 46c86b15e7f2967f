//! One test for each rule: the nearest legal instruction passes, the illegal one is named with field, value and limit.

use dpuc_isa::{
    Alu, AluInit, Bounds, Conv, ConvInit, Elew, ElewInit, IllegalInstruction, Instruction, Latches, LegalGenerator,
    Load, Opcode, Random, Save, Target,
};

/// B4096 (index 7) or B512 (index 0): two bank groups of eight or four banks.
fn target(index: usize) -> Target {
    Target::registered().swap_remove(index)
}

fn check(target: &Target, stream: &[Instruction]) -> Result<(), IllegalInstruction> {
    let mut latches = Latches::new();
    stream.iter().try_for_each(|instruction| latches.resolve(instruction)?.check(target))
}

fn legal(stream: &[Instruction]) {
    assert_eq!(check(&target(7), stream), Ok(()));
}

fn illegal(stream: &[Instruction], message: &str) {
    assert_eq!(check(&target(7), stream).unwrap_err().to_string(), message);
}

fn conv(init: ConvInit, conv: Conv) -> [Instruction; 2] {
    [init.into(), conv.into()]
}

fn alu(init: AluInit, alu: Alu) -> [Instruction; 2] {
    [init.into(), alu.into()]
}

fn elew(inputs: &[ElewInit], elew: Elew) -> Vec<Instruction> {
    inputs.iter().map(|&input| input.into()).chain([elew.into()]).collect()
}

#[test]
fn loads() {
    let load = Load { bank_id: 33, ..Default::default() };
    legal(&[load.into()]);
    illegal(
        &[Load { bank_id: 34, ..load }.into()],
        "Load.bank_id = 34, but it must be below 34: the target has no further banks",
    );
    illegal(
        &[Load { mode_avg: 1, ..load }.into()],
        "Load.mode_avg = 1, but it must be 0: ISA-1 targets have no bank of mean values",
    );
    illegal(&[Load { length: 0, ..load }.into()], "Load.length = 0 is outside 1..=1024");
}

#[test]
fn load_masks() {
    let load = Load { channel: 9, jump_read: 6, length: 4, pad_start: 8, pad_end: 3, pad_idx: 3, ..Default::default() };
    legal(&[load.into()]);
    illegal(
        &[Load { pad_start: 9, ..load }.into()],
        "Load.pad_start = 9, but it must be below 9: the mask must leave a byte of the first pixel",
    );
    illegal(
        &[Load { pad_end: 4, ..load }.into()],
        "Load.pad_end + jump_read * (pad_idx - 1) = 16, but it must be below 16: the mask must leave a byte of the last \
         pixel's lines",
    );
    // Without the mask its fields are ignored.
    legal(&[Load { pad_start: 31, pad_end: 31, jump_read: 10, ..load }.into()]);
    legal(&[Load { pad_start: 31, pad_end: 31, channel: 65, ..load }.into()]);
    illegal(
        &[Load { pad_end: 31, pad_start: 31, pad_idx: 7, channel: 64, ..load }.into()],
        "Load.pad_end + jump_read * (pad_idx - 1) = 67, but it must be below 64: the mask must leave a byte of the last \
         pixel's lines",
    );
}

#[test]
fn saves() {
    let save = Save { bank_id: 15, argmax: 3, ..Default::default() };
    legal(&[save.into()]);
    illegal(
        &[Save { bank_id: 16, ..save }.into()],
        "Save.bank_id = 16, but it must be below 16: only feature-map banks hold pixels",
    );
    let before_3_0 = Target::from_fingerprint(0x0101_0000_1601_0407).unwrap();
    assert_eq!(
        check(&before_3_0, &[save.into()]).unwrap_err().to_string(),
        "Save.argmax = 3, but it may be at most 1: the target has no argmax in Save"
    );
    assert_eq!(check(&before_3_0, &[Save { argmax: 1, ..save }.into()]), Ok(()));
}

#[test]
fn convolutions() {
    let (init, one) =
        (ConvInit { stride_h: 8, stride_w: 8, shift_bias: 20, act_type: 3, ..Default::default() }, Conv::default());
    legal(&conv(init, one));
    let slots = ConvInit { stride_h: 2, stride_offset_in: 1, ..init };
    legal(&conv(slots, one));
    for (init, message) in [
        (
            ConvInit { shift_bias: 21, ..init },
            "ConvInit.shift_bias = 21, but it may be at most 20: the bias shifter ends there",
        ),
        (
            ConvInit { stride_h: 9, ..init },
            "ConvInit.stride_h = 9, but it may be at most 8: the convolution engine strides no further",
        ),
        (
            ConvInit { stride_w: 16, ..init },
            "ConvInit.stride_w = 16, but it may be at most 8: the convolution engine strides no further",
        ),
        (
            ConvInit { stride_offset_in: 2, ..slots },
            "ConvInit.stride_offset_in = 2, but it must be below 2: it is a row slot among the stride_h of a bank",
        ),
        (
            ConvInit { act_type: 2, ..init },
            "ConvInit.act_type = 2, but it must be 0, 1, 3 or 4: the target has no other activations",
        ),
    ] {
        illegal(&[init.into()], message);
        illegal(&conv(init, one), message);
    }
    let feature =
        |field: &str| format!("Conv.{field} = 16, but it must be below 16: only feature-map banks hold pixels");
    illegal(&conv(init, Conv { bank_id_in: 16, ..one }), &feature("bank_id_in"));
    illegal(&conv(init, Conv { bank_id_out: 16, ..one }), &feature("bank_id_out"));
    let tall = ConvInit { kernel_h: 16, kernel_w: 16, ..init };
    legal(&conv(tall, Conv { channel_group: 8, ..one }));
    illegal(
        &conv(tall, Conv { channel_group: 9, ..one }),
        "Conv.kernel_h * kernel_w * channel_group = 2304, but it may be at most 2048: one output channel's weights lie in \
         one bank",
    );
    let rows = |valid_pixel_parallel| ConvInit { valid_pixel_parallel, ..init };
    assert_eq!(check(&target(0), &conv(rows(4), one)), Ok(()));
    assert_eq!(
        check(&target(0), &conv(rows(5), one)).unwrap_err().to_string(),
        "ConvInit.valid_pixel_parallel = 5, but it may be at most 4: the array computes no more rows at once"
    );
}

#[test]
fn a_window_takes_four_passes() {
    // Recipe 2.5: kernel 11, stride 1, four rows on four banks need the first row in bank 2 or before.
    let init = ConvInit { kernel_h: 11, valid_pixel_parallel: 4, ..Default::default() };
    let from = |bank_id_in| conv(init, Conv { bank_id_in, ..Default::default() });
    assert_eq!(check(&target(0), &from(6)), Ok(()));
    assert_eq!(
        check(&target(0), &from(7)).unwrap_err().to_string(),
        "Conv.passes of the input window = 5, but it may be at most 4: there are four base lines, bank_addr_in to \
         bank_addr_in_3"
    );
    let init = AluInit { exec_mode: 3, kernel_h: 33, ..Default::default() };
    assert!(check(&target(7), &alu(init, Alu::default())).is_err());
    legal(&alu(AluInit { kernel_h: 32, ..init }, Alu::default()));
    legal(&alu(AluInit { kernel_h: 33, stride_h: 2, ..init }, Alu::default()));
}

#[test]
fn misc_operations() {
    let (init, one) = (AluInit { shift_bias: 20, act_type: 4, ..Default::default() }, Alu::default());
    let four_rows = Alu { valid_pixel_parallel: 4, kernel_d: 16, ..one };
    legal(&alu(init, four_rows));
    for (init, message) in [
        (AluInit { exec_mode: 9, ..init }, "AluInit.exec_mode = 9, but it must be below 9: ISA 1 has no further modes"),
        (
            AluInit { shift_bias: 21, exec_mode: 3, ..init },
            "AluInit.shift_bias = 21, but it may be at most 20: the bias shifter ends there, in every mode",
        ),
        (
            AluInit { act_type: 3, exec_mode: 3, ..init },
            "AluInit.act_type = 3, but it must be 0, 1 or 4: the target has no other activations",
        ),
        (
            AluInit { stride_offset_in: 1, ..init },
            "AluInit.stride_offset_in = 1, but it must be below 1: it is a row slot among the stride_h of a bank",
        ),
    ] {
        illegal(&[init.into()], message);
        illegal(&alu(init, one), message);
    }
    for exec_mode in [1, 4, 7] {
        let pointwise = AluInit { exec_mode, ..init };
        legal(&alu(pointwise, one));
        for (wide, field) in [
            (AluInit { kernel_h: 2, ..pointwise }, "kernel_h"),
            (AluInit { kernel_w: 2, ..pointwise }, "kernel_w"),
            (AluInit { stride_h: 2, ..pointwise }, "stride_h"),
            (AluInit { stride_w: 2, ..pointwise }, "stride_w"),
        ] {
            let reason = "PReLU, leaky ReLU and hard sigmoid look at one pixel";
            illegal(&alu(wide, one), &format!("AluInit.{field} = 2, but it must be 1: {reason}"));
        }
    }
    for exec_mode in [1, 2, 3, 4, 5, 7] {
        illegal(
            &alu(AluInit { exec_mode, ..init }, Alu { kernel_d: 2, ..one }),
            "Alu.kernel_d = 2, but it must be 1: only depthwise modes sum over slices",
        );
    }
    illegal(
        &alu(init, Alu { valid_pixel_parallel: 5, ..one }),
        "Alu.valid_pixel_parallel = 5, but it may be at most 4: the misc engine computes no more rows at once",
    );
    let feature =
        |field: &str| format!("Alu.{field} = 33, but it must be below 16: only feature-map banks hold pixels");
    illegal(&alu(init, Alu { bank_id_in: 33, ..one }), &feature("bank_id_in"));
    illegal(&alu(init, Alu { bank_id_out: 33, ..one }), &feature("bank_id_out"));
}

#[test]
fn elementwise_operations() {
    let input = |id| ElewInit { id, jump_bank: 2, ..Default::default() };
    let two = Elew { num: 2, elew_type: 1, valid_pixel_parallel: 4, ..Default::default() };
    let inputs = [input(0), input(1)];
    legal(&elew(&inputs, two));
    illegal(&elew(&inputs[..1], two), "Elew.num = 2, but only 1 ElewInit are in front of it");
    illegal(
        &elew(&[input(0), input(0)], two),
        "ElewInit.id = 0, but it must be 1: the inputs of an Elew are numbered 0, 1, … in order",
    );
    illegal(
        &elew(&[input(0), input(1), input(2)], Elew { num: 3, ..two }),
        "Elew.num = 3, but it must be 2: a multiplication has two inputs",
    );
    legal(&elew(&[input(0), input(1), input(2)], Elew { num: 3, elew_type: 0, ..two }));
    illegal(
        &elew(&inputs, Elew { elew_type: 2, ..two }),
        "Elew.elew_type = 2, but it may be at most 1: 0 adds, 1 multiplies, there is no third operation",
    );
    illegal(
        &elew(&inputs, Elew { valid_pixel_parallel: 5, ..two }),
        "Elew.valid_pixel_parallel = 5, but it may be at most 4: the misc engine computes no more rows at once",
    );
    illegal(
        &elew(&[input(0), ElewInit { jump_bank: 3, ..input(1) }], two),
        "ElewInit.jump_bank * valid_pixel_parallel = 12, but it may be at most 8: the rows must lie in one round over the \
         banks",
    );
    let feature = |name: &str| format!("{name} = 16, but it must be below 16: only feature-map banks hold pixels");
    illegal(&elew(&inputs, Elew { bank_id_out: 16, ..two }), &feature("Elew.bank_id_out"));
    illegal(&[ElewInit { bank_id_in: 16, ..input(0) }.into()], &feature("ElewInit.bank_id_in"));
    // Records queue: two pairs, then the two Elews that take them.
    let [first, second] = inputs.map(Instruction::from);
    legal(&[first, second, first, second, two.into(), two.into()]);
}

#[test]
fn operations_need_their_init() {
    illegal(&[Conv::default().into()], "Conv has no ConvInit in front of it");
    illegal(&[ConvInit::default().into(), Alu::default().into()], "Alu has no AluInit in front of it");
    let mut random = Random::new(2);
    for opcode in [Opcode::PoolInit, Opcode::Pool, Opcode::DWInit, Opcode::DptWise] {
        let message = format!("{} exists only in ISA 0; ISA-1 targets do this with AluInit and Alu", opcode.name());
        illegal(&[random.encodable(opcode)], &message);
    }
}

#[test]
fn ddr_spans_include_the_last_pixel() {
    let span = |instruction: Instruction| Latches::new().resolve(&instruction).unwrap().region_span().unwrap();
    let load =
        Load { reg_id: 2, ddr_addr: 685, length: 112, jump_read: 6, channel: 9, broadcast: 7, ..Default::default() };
    assert_eq!(span(load.into()), dpuc_isa::Bytes { region: 2, start: 685, end: 685 + 111 * 6 + 9 });
    let save = Save {
        ddr_addr: u32::MAX >> 3,
        length: 1024,
        jump_write: 1 << 16,
        channel: 4096,
        argmax: 2,
        ..Default::default()
    };
    assert_eq!(span(save.into()).end, (u32::MAX >> 3) + 1023 * 65_536 + 4096);
}

#[test]
fn generated_operations_are_legal_and_reach_the_limits() {
    for (seed, target) in Target::registered().iter().enumerate() {
        let bounds = Bounds { region_bytes: 1 << 29, work: u64::MAX };
        let mut generator = LegalGenerator::new(seed as u64, target, bounds);
        let program = generator.program(3000);
        assert_eq!(check(target, &program), Ok(()));
        assert_eq!(program, LegalGenerator::new(seed as u64, target, bounds).program(3000), "not reproducible");
        let mut modes = [0; 9];
        let (mut rows, mut lines, mut addresses) = (0, 0, 0);
        for instruction in &program {
            match instruction {
                Instruction::AluInit(init) => modes[init.exec_mode as usize] += 1,
                Instruction::ConvInit(init) => rows = rows.max(init.valid_pixel_parallel),
                Instruction::Conv(conv) => lines = lines.max(conv.channel_group),
                Instruction::Alu(alu) => addresses = addresses.max(alu.bank_addr_in_3),
                _ => {}
            }
        }
        assert!(modes.iter().all(|&count| count > 5), "{modes:?}");
        assert_eq!((rows, lines, addresses), (target.pixel_parallel as u32, 256, 16_383));
    }
}

#[test]
fn any_instruction_is_legal_or_refused_without_harm() {
    let mut random = Random::new(9);
    for target in &Target::registered() {
        let mut tracker = dpuc_isa::AccessTracker::new();
        let mut accesses = dpuc_isa::Accesses::default();
        for _ in 0..4000 {
            let _ = tracker.accesses(&random.any_encodable(), target, &mut accesses);
        }
    }
    // Fields that no encoding can produce are refused before any arithmetic on them.
    for opcode in Opcode::ALL {
        for value in [0, u32::MAX] {
            let mut stream = vec![ConvInit::default().into(), AluInit::default().into(), ElewInit::default().into()];
            let mut instruction = Instruction::with_default_fields(*opcode);
            instruction.map_fields(|_, _| value);
            stream.push(instruction);
            let fits = instruction.check_fields().is_ok();
            assert!(fits || check(&target(7), &stream).is_err(), "{instruction:?}");
        }
    }
}
