//! Accesses against a literal transcription of the address formulas of `spec/dpuczdx8g-isa.md` sections 1.6 to 1.8, 3.1 to 3.7.

use std::collections::BTreeSet;

use dpuc_isa::{
    AccessTracker, Accesses, Bounds, Bytes, Elew, ElewInit, Instruction, Latches, LegalGenerator, Lines, Opcode,
    Operation, Random, Target,
};

type Places = BTreeSet<(u16, u16)>;

#[derive(Default, Debug, PartialEq)]
struct Touched {
    bank_reads: Places,
    bank_writes: Places,
    region_reads: BTreeSet<(u8, u32)>,
    region_writes: BTreeSet<(u8, u32)>,
}

fn add_lines(places: &mut Places, bank: u32, line: u32, count: u32) {
    places.extend((0..count.min(2048)).map(|i| (bank as u16, ((line + i) % 2048) as u16)));
}

fn add_bytes(bytes: &mut BTreeSet<(u8, u32)>, region: u32, start: u32, count: u32) {
    bytes.extend((start..start + count).map(|byte| (region as u8, byte)));
}

/// The fields of the window walk under one roof for Conv and Alu.
struct Walk {
    rows: u32,
    columns: u32,
    stride_h: u32,
    stride_w: u32,
    kernel_h: u32,
    kernel_w: u32,
    offset_in: u32,
    jump_read: u32,
    jump_read_endl: u32,
    bank_in: u32,
    bases: [u32; 4],
    pads: [u32; 4],
    stride_out: u32,
    offset_out: u32,
    jump_write: u32,
    jump_write_endl: u32,
    bank_out: u32,
    base_out: u32,
}

impl Walk {
    fn read(&self, parallel: u32, lines: u32, padded: bool, places: &mut Places) -> bool {
        let [top, left, bottom, right] = self.pads;
        let mut any = false;
        for r in 0..(self.rows - 1) * self.stride_h + self.kernel_h {
            for x in 0..(self.columns - 1) * self.stride_w + self.kernel_w {
                let pad = r < top
                    || r > (self.rows - 1) * self.stride_h + bottom
                    || x < left
                    || x > (self.columns - 1) * self.stride_w + right;
                if padded && pad {
                    continue;
                }
                any = true;
                let q = (self.offset_in + r) / self.stride_h;
                let t = (self.offset_in + r) % self.stride_h;
                let j = self.bank_in % parallel + q;
                let bank = self.bank_in - self.bank_in % parallel + j % parallel;
                let line = self.bases[(j / parallel) as usize] + t * self.jump_read_endl + x * self.jump_read;
                add_lines(places, bank, line, lines);
            }
        }
        any
    }

    fn write(&self, parallel: u32, lines: u32, places: &mut Places) {
        for h in 0..self.rows {
            for x in 0..self.columns {
                let q = (self.offset_out + h) / self.stride_out;
                let t = (self.offset_out + h) % self.stride_out;
                let j = self.bank_out % parallel + q;
                let bank = self.bank_out - self.bank_out % parallel + j % parallel;
                let step = j / parallel * self.stride_out + t;
                add_lines(places, bank, self.base_out + step * self.jump_write_endl + x * self.jump_write, lines);
            }
        }
    }
}

fn touched(operation: &Operation, target: &Target) -> Touched {
    let mut touched = Touched::default();
    let parallel = target.pixel_parallel as u32;
    let width = target.channel_parallel as u32;
    let reads = &mut touched.bank_reads;
    match operation {
        Operation::Load(i) => {
            for pixel in 0..i.length {
                if i.broadcast != 7 {
                    let start = i.ddr_addr + pixel * i.jump_read;
                    add_bytes(&mut touched.region_reads, i.reg_id, start, i.channel);
                }
                let line = i.bank_addr + pixel * i.jump_write;
                add_lines(&mut touched.bank_writes, i.bank_id, line, i.channel.div_ceil(width));
            }
        }
        Operation::Save(i) => {
            for pixel in 0..i.length {
                let bytes = if i.argmax >= 2 && i.const_en == 0 { 1 } else { i.channel };
                add_bytes(&mut touched.region_writes, i.reg_id, i.ddr_addr + pixel * i.jump_write, bytes);
                if i.const_en == 0 {
                    add_lines(reads, i.bank_id, i.bank_addr + pixel * i.jump_read, i.channel.div_ceil(width));
                }
            }
        }
        Operation::Conv(p, i) => {
            let walk = Walk {
                rows: p.valid_pixel_parallel,
                columns: i.length,
                stride_h: p.stride_h,
                stride_w: p.stride_w,
                kernel_h: p.kernel_h,
                kernel_w: p.kernel_w,
                offset_in: p.stride_offset_in,
                jump_read: p.jump_read,
                jump_read_endl: p.jump_read_endl,
                bank_in: i.bank_id_in,
                bases: [i.bank_addr_in, i.bank_addr_in_1, i.bank_addr_in_2, i.bank_addr_in_3],
                pads: [i.pad_top, i.pad_left, i.pad_bottom, i.pad_right],
                stride_out: p.stride_out,
                offset_out: p.stride_offset_out,
                jump_write: p.jump_write,
                jump_write_endl: p.jump_write_endl,
                bank_out: i.bank_id_out,
                base_out: i.bank_addr_out,
            };
            let visible = i.channel_offset < i.channel_group * width;
            if visible && walk.read(parallel, i.channel_group, true, reads) {
                for bank in 0..width {
                    for tap in 0..p.kernel_h * p.kernel_w {
                        let line = i.bank_addr_weights + tap * i.channel_group;
                        add_lines(reads, target.conv_weight_bank() as u32 + bank, line, i.channel_group);
                    }
                }
            }
            add_lines(reads, target.bias_bank() as u32, i.bank_addr_bias, 1);
            walk.write(parallel, 1, &mut touched.bank_writes);
        }
        Operation::Alu(p, i) => {
            let walk = Walk {
                rows: i.valid_pixel_parallel,
                columns: p.length,
                stride_h: p.stride_h,
                stride_w: p.stride_w,
                kernel_h: p.kernel_h,
                kernel_w: p.kernel_w,
                offset_in: p.stride_offset_in,
                jump_read: p.jump_read,
                jump_read_endl: p.jump_read_endl,
                bank_in: i.bank_id_in,
                bases: [i.bank_addr_in, i.bank_addr_in_1, i.bank_addr_in_2, i.bank_addr_in_3],
                pads: [i.pad_top, i.pad_left, i.pad_bottom, i.pad_right],
                stride_out: p.stride_out,
                offset_out: p.stride_offset_out,
                jump_write: p.jump_write,
                jump_write_endl: p.jump_write_endl,
                bank_out: i.bank_id_out,
                base_out: i.bank_addr_out,
            };
            let cg = p.channel_group;
            let reduces = p.exec_mode == 5;
            let visible = reduces || p.channel_offset < cg * width;
            if visible && walk.read(parallel, cg * i.kernel_d, !reduces, reads) {
                let wide = if p.exec_mode == 8 { 2 } else { 1 };
                let bank = target.depthwise_weight_bank() as u32;
                if matches!(p.exec_mode, 0 | 6 | 8) {
                    for tap in 0..p.kernel_h * p.kernel_w {
                        for d in 0..i.kernel_d {
                            let line = i.bank_addr_weights + tap * p.jump_read_weights + d * cg * wide;
                            add_lines(reads, bank, line, cg * wide);
                        }
                    }
                } else if p.exec_mode == 1 {
                    add_lines(reads, bank, i.bank_addr_weights, cg);
                }
            }
            if p.exec_mode == 0 {
                add_lines(reads, target.bias_bank() as u32, i.bank_addr_bias, cg);
            }
            walk.write(parallel, cg, &mut touched.bank_writes);
        }
        Operation::Elew(inputs, i) => {
            for input in inputs.iter() {
                read_elew_input(input, i, parallel, reads);
            }
            for k in 0..i.valid_pixel_parallel {
                for x in 0..i.length {
                    let j = i.bank_id_out % parallel + k;
                    let bank = i.bank_id_out - i.bank_id_out % parallel + j % parallel;
                    let line = i.bank_addr_out + j / parallel * i.jump_write_endl + x * i.jump_write;
                    add_lines(&mut touched.bank_writes, bank, line, i.channel_group);
                }
            }
        }
        Operation::ConvInit(_) | Operation::AluInit(_) | Operation::ElewInit(_) | Operation::End => {}
    }
    touched
}

fn read_elew_input(input: &ElewInit, elew: &Elew, parallel: u32, reads: &mut Places) {
    for k in 0..elew.valid_pixel_parallel {
        for x in 0..elew.length {
            let j = input.bank_id_in % parallel + k * input.jump_bank;
            let mut bank = input.bank_id_in - input.bank_id_in % parallel + j % parallel;
            let mut line = input.bank_addr_in + j / parallel * input.jump_read_endl + x * input.jump_read;
            if input.share_pp == 1 {
                bank = input.bank_id_in;
                line = input.bank_addr_in + x * input.jump_read;
            }
            add_lines(reads, bank, line, elew.channel_group);
        }
    }
}

/// The places of `lines`, after checking that they are in canonical form.
fn places(lines: &[Lines]) -> Places {
    let mut places = Places::new();
    for (at, run) in lines.iter().enumerate() {
        assert!(run.first < 2048 && (1..=2048).contains(&run.count), "{run:?}");
        if let Some(before) = at.checked_sub(1).map(|i| lines[i])
            && before.bank == run.bank
        {
            assert!(before.first + before.count < run.first, "runs {before:?} and {run:?} touch or are out of order");
        }
        assert!(lines[..at].iter().all(|before| before.bank <= run.bank));
        for i in 0..run.count {
            assert!(places.insert((run.bank, (run.first + i) % 2048)), "{run:?} repeats a line");
        }
    }
    places
}

fn bytes(ranges: &[Bytes]) -> BTreeSet<(u8, u32)> {
    assert!(ranges.is_sorted_by(|a, b| a.end <= b.start), "{ranges:?}");
    ranges.iter().flat_map(|range| (range.start..range.end).map(|byte| (range.region, byte))).collect()
}

#[test]
fn random_operations_touch_what_the_formulas_say() {
    let bounds = Bounds { region_bytes: 1 << 15, work: 1 << 14 };
    let mut counts = [0; 16];
    for (seed, target) in Target::registered().iter().enumerate() {
        let mut generator = LegalGenerator::new(seed as u64, target, bounds);
        let mut tracker = AccessTracker::new();
        let mut latches = Latches::new();
        let mut accesses = Accesses::default();
        for instruction in generator.program(600) {
            tracker.accesses(&instruction, target, &mut accesses).unwrap();
            let operation = latches.resolve(&instruction).unwrap();
            let found = Touched {
                bank_reads: places(&accesses.bank_reads),
                bank_writes: places(&accesses.bank_writes),
                region_reads: bytes(&accesses.region_reads),
                region_writes: bytes(&accesses.region_writes),
            };
            assert_eq!(found, touched(&operation, target), "{instruction:?} on {}", target.name);
            counts[instruction.opcode() as usize] += 1;
        }
    }
    for opcode in [Opcode::Load, Opcode::Save, Opcode::Conv, Opcode::Alu, Opcode::Elew] {
        assert!(counts[opcode as usize] > 500, "{opcode:?} came up {} times", counts[opcode as usize]);
    }
}

#[test]
fn the_widest_window_is_bounded_work() {
    let target = &Target::registered()[7];
    let mut tracker = AccessTracker::new();
    let mut accesses = Accesses::default();
    let mut random = Random::new(1);
    let init = dpuc_isa::AluInit {
        kernel_h: 256,
        kernel_w: 256,
        stride_h: 256,
        stride_w: 256,
        length: 2048,
        channel_group: 1,
        jump_read: 1023,
        jump_read_endl: 8191,
        jump_read_weights: 511,
        ..random.fields()
    };
    let init =
        dpuc_isa::AluInit { exec_mode: 8, act_type: 0, shift_bias: 0, stride_offset_in: 0, channel_offset: 0, ..init };
    let alu = dpuc_isa::Alu { valid_pixel_parallel: 4, pad_bottom: 255, pad_right: 255, ..Default::default() };
    tracker.accesses(&init.into(), target, &mut accesses).unwrap();
    for _ in 0..100 {
        tracker.accesses(&alu.into(), target, &mut accesses).unwrap();
    }
    let whole: Vec<Lines> = accesses.bank_reads.iter().copied().filter(|lines| lines.bank < 4).collect();
    assert_eq!(whole, (0..4).map(|bank| Lines { bank, first: 0, count: 2048 }).collect::<Vec<_>>());
}

#[test]
fn contiguous_pixels_are_one_range_and_others_one_each() {
    let target = &Target::registered()[7];
    let mut tracker = AccessTracker::new();
    let mut accesses = Accesses::default();
    let load =
        dpuc_isa::Load { length: 5, channel: 20, jump_read: 20, jump_write: 2, bank_addr: 2045, ..Default::default() };
    tracker.accesses(&load.into(), target, &mut accesses).unwrap();
    assert_eq!(accesses.bank_writes, [Lines { bank: 0, first: 2045, count: 10 }]);
    assert_eq!(accesses.region_reads, [Bytes { region: 0, start: 0, end: 100 }]);
    let load = dpuc_isa::Load { length: 3, jump_read: 21, jump_write: 3, ..load };
    tracker.accesses(&Instruction::from(load), target, &mut accesses).unwrap();
    let lines = [(0, 2), (3, 2), (2045, 2)].map(|(first, count)| Lines { bank: 0, first, count });
    assert_eq!(accesses.bank_writes, lines);
    let starts: Vec<u32> = accesses.region_reads.iter().map(|range| range.start).collect();
    assert_eq!(starts, [0, 21, 42]);
}
