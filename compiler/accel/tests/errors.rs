//! Programs that are illegal, malicious or larger than allowed end with an error that names place and cause.

use std::time::Instant;

use dpuc_accel::{Core, REGION_BYTES_MAX, RegionError};
use dpuc_isa::{Alu, AluInit, AluMode, Conv, ConvInit, End, Instruction, Load, Random, Save, Target};

fn message(core: &mut Core, program: &[Instruction]) -> String {
    core.run(program).unwrap_err().to_string()
}

#[test]
fn errors_name_instruction_and_cause() {
    let mut core = Core::new(&Target::registered()[0]);
    core.regions_mut().define(1, 5000).unwrap();
    let fine = Instruction::from(Load { reg_id: 1, ddr_addr: 8191, ..Load::default() });
    let cases = [
        (
            Load { reg_id: 1, ddr_addr: 8191, channel: 2, ..Load::default() }.into(),
            "leave region 1, which has 8192 bytes",
        ),
        (Save { reg_id: 2, ..Save::default() }.into(), "region 2 is not defined"),
        (Conv::default().into(), "Conv has no ConvInit in front of it"),
        (Save { bank_id: 8, ..Save::default() }.into(), "only feature-map banks hold pixels"),
    ];
    for (instruction, cause) in cases {
        let message = message(&mut core, &[fine, instruction]);
        assert!(message.starts_with("instruction 1 (") && message.contains(cause), "{message}");
    }
    assert_eq!(
        message(&mut core, &[End::default().into(), fine]),
        "instruction 1 (Load): the program ended at instruction 0; nothing may follow its End"
    );
}

#[test]
fn a_new_program_starts_without_latched_fields() {
    let mut core = Core::new(&Target::registered()[0]);
    core.run(&[ConvInit::default().into(), Conv::default().into(), End::default().into()]).unwrap();
    assert!(message(&mut core, &[Conv::default().into()]).contains("no ConvInit"));
}

#[test]
fn regions_are_bounded() {
    let mut core = Core::new(&Target::registered()[0]);
    let size = REGION_BYTES_MAX + 1;
    assert_eq!(core.regions_mut().define(0, size), Err(RegionError::TooLarge { region: 0, size }));
    assert_eq!(core.regions_mut().define(8, 1), Err(RegionError::NoSuchRegion { region: 8 }));
    assert_eq!(core.regions().bytes(7, 0, 1), Err(RegionError::Undefined { region: 7 }));
    core.regions_mut().define(0, 1).unwrap();
    assert_eq!(core.regions().size(0), Some(4096), "rounded up as AMD's simulator does");
    assert!(core.regions().bytes(0, usize::MAX, 2).is_err());
}

#[test]
fn work_is_bounded() {
    let mut core = Core::new(&Target::registered()[7]);
    let conv = [ConvInit::default().into(), Conv { length: 10, ..Conv::default() }.into()];
    core.set_operation_limit(10 * 16 * 16);
    assert_eq!(core.run(&conv).unwrap().conv_macs, 10 * 16 * 16);
    core.set_operation_limit(10 * 16 * 16 - 1);
    assert!(message(&mut core, &conv).contains("more than 2559"));
    // The largest pool: 2 · 10^12 comparisons in eleven words of code.
    let pool = AluInit { exec_mode: AluMode::MaxPool as u32, kernel_h: 256, kernel_w: 256, ..AluInit::default() };
    let pool = AluInit { length: 2048, channel_group: 256, stride_h: 16, ..pool };
    core.set_operation_limit(1 << 40);
    let start = Instant::now();
    assert!(
        message(&mut core, &[pool.into(), Alu { valid_pixel_parallel: 4, ..Alu::default() }.into()])
            .contains("needs more")
    );
    assert!(start.elapsed().as_secs() < 1);
}

/// Any decodable stream ends in time, with a result or an error.
#[test]
fn random_streams_never_panic() {
    let mut executed = 0;
    for (t, target) in Target::registered().iter().enumerate() {
        let mut core = Core::new(target);
        core.set_operation_limit(1 << 24);
        for region in 0..6 {
            core.regions_mut().define(region, 1 << 22).unwrap();
        }
        let mut random = Random::new(t as u64);
        for _ in 0..4000 {
            core.restart();
            for index in 0..8 {
                // Errors leave the core usable; the instructions behind them find Init fields that do not belong to them.
                let instruction = random.any_encodable();
                executed += usize::from(core.execute(index, &instruction).is_ok());
            }
        }
    }
    assert!(executed > 10_000, "{executed} instructions were legal");
}
