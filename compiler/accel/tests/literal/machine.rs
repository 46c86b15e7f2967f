//! The instructions as the specification writes them (`spec/dpuczdx8g-isa.md` sections 1.3 and 3.1 to 3.7), byte by byte.
//!
//! Shares no code with the model under test beyond the instruction fields and the target's constants; legal instructions are
//! assumed.

use dpuc_isa::{Alu, AluInit, BANK_LINES, Conv, ConvInit, Elew, ElewInit, Instruction, Load, Save, Target};

/// One padded, masked pixel.
type Pixel = Vec<i8>;

pub(crate) struct Machine<'t> {
    target: &'t Target,
    pub(crate) banks: Vec<Vec<i8>>,
    pub(crate) regions: Vec<Vec<u8>>,
    conv_init: ConvInit,
    alu_init: AluInit,
    elew_inits: Vec<ElewInit>,
}

/// `v / 2^s`, rounded half up and saturated.
fn rsat(v: i128, s: i32) -> i8 {
    let rounded = if s <= 0 { v << -s } else { (v + (1 << (s - 1))) >> s };
    rounded.clamp(-128, 127) as i8
}

fn act(v: i128, code: u32, s: i32) -> i8 {
    match code {
        3 if v < 0 => rsat(v * 26, s + 8),
        0 | 3 => rsat(v, s),
        1 => rsat(v.max(0), s),
        4 => rsat(v.max(0), s).min(96),
        _ => panic!("no such activation: {code}"),
    }
}

/// The fields of the walk that Conv and Alu share.
struct Walk {
    vpp: u32,
    length: u32,
    kernel: (u32, u32),
    stride: (u32, u32),
    offset_in: u32,
    jump_read: u32,
    jump_read_endl: u32,
    bank_in: u32,
    base: [u32; 4],
    pads: Pads,
    offset_out: u32,
    stride_out: u32,
    jump_write: u32,
    jump_write_endl: u32,
    bank_out: u32,
    addr_out: u32,
}

struct Pads {
    top: u32,
    left: u32,
    bottom: u32,
    right: u32,
}

impl<'t> Machine<'t> {
    pub(crate) fn new(target: &'t Target, banks: Vec<Vec<i8>>, regions: Vec<Vec<u8>>) -> Self {
        let (conv_init, alu_init) = (ConvInit::default(), AluInit::default());
        Self { target, banks, regions, conv_init, alu_init, elew_inits: Vec::new() }
    }

    pub(crate) fn execute(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Load(i) => self.load(i),
            Instruction::Save(i) => self.save(i),
            Instruction::ConvInit(i) => self.conv_init = *i,
            Instruction::Conv(i) => self.conv(i),
            Instruction::AluInit(i) => self.alu_init = *i,
            Instruction::Alu(i) => self.alu(i),
            Instruction::ElewInit(i) => self.elew_inits.push(*i),
            Instruction::Elew(i) => self.elew(i),
            Instruction::End(_) => {}
            other => panic!("not in ISA 1: {other:?}"),
        }
    }

    fn width(&self) -> u32 {
        self.target.line_bytes() as u32
    }

    fn parallel(&self) -> u32 {
        self.target.pixel_parallel as u32
    }

    fn read(&self, bank: u32, line: u32, n: u32) -> Pixel {
        let ring = BANK_LINES * self.width() as usize;
        let start = line as usize % BANK_LINES * self.width() as usize;
        (0..n as usize).map(|i| self.banks[bank as usize][(start + i) % ring]).collect()
    }

    fn write(&mut self, bank: u32, line: u32, data: &[i8]) {
        let ring = BANK_LINES * self.width() as usize;
        let start = line as usize % BANK_LINES * self.width() as usize;
        for i in 0..data.len().next_multiple_of(self.width() as usize) {
            self.banks[bank as usize][(start + i) % ring] = data.get(i).copied().unwrap_or(0);
        }
    }

    fn load(&mut self, i: &Load) {
        for pixel in 0..i.length {
            let start = (i.ddr_addr + pixel * i.jump_read) as usize;
            let bytes = &self.regions[i.reg_id as usize][start..start + i.channel as usize];
            let mut d: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
            if i.broadcast == 7 {
                d.fill(i.const_value as u8 as i8);
            }
            if i.channel >= i.jump_read && i.channel <= 64 {
                let start_mask = i64::from(i.pad_start) - i64::from(pixel) * i64::from(i.jump_read);
                let k = i64::from(pixel) - (i64::from(i.length) - i64::from(i.pad_idx));
                let lines = i64::from(i.channel.div_ceil(self.width()) * self.width());
                for (at, byte) in (0..).zip(&mut d) {
                    let end_mask = k >= 0 && at >= lines - (i64::from(i.pad_end) + i64::from(i.jump_read) * k);
                    if at < start_mask || end_mask {
                        *byte = 0;
                    }
                }
            }
            self.write(i.bank_id, i.bank_addr + pixel * i.jump_write, &d);
        }
    }

    fn save(&mut self, i: &Save) {
        for pixel in 0..i.length {
            let a = (i.ddr_addr + pixel * i.jump_write) as usize;
            let d = self.read(i.bank_id, i.bank_addr + pixel * i.jump_read, i.channel);
            let out: Vec<u8> = if i.const_en == 1 {
                vec![i.const_value as u8; i.channel as usize]
            } else if i.argmax >= 2 {
                let largest = d.iter().copied().max().unwrap();
                let m = d.iter().position(|&value| value == largest).unwrap();
                vec![if i.argmax == 3 { d[m] as u8 } else { m as u8 }]
            } else {
                d.iter().map(|&value| value as u8).collect()
            };
            self.regions[i.reg_id as usize][a..a + out.len()].copy_from_slice(&out);
        }
    }

    /// The window of section 3.1.2, `n` bytes for each pixel, with the replacements of section 3.1.4: rows, then columns.
    /// `slice` channels at a time, the last `masked` of each are replaced. No replacement without `pad`.
    fn window(&self, w: &Walk, n: u32, slice: u32, masked: u32, pad: Option<i8>) -> Vec<Vec<Pixel>> {
        let rows = (w.vpp - 1) * w.stride.0 + w.kernel.0;
        let columns = (w.length - 1) * w.stride.1 + w.kernel.1;
        let parallel = self.parallel();
        let pixel = |r: u32, x: u32| {
            let q = (w.offset_in + r) / w.stride.0;
            let t = (w.offset_in + r) % w.stride.0;
            let j = w.bank_in % parallel + q;
            let bank = w.bank_in - w.bank_in % parallel + j % parallel;
            let line = w.base[(j / parallel) as usize] + t * w.jump_read_endl + x * w.jump_read;
            let mut pixel = self.read(bank, line, n);
            let Some(pad) = pad else { return pixel };
            let padding = r < w.pads.top
                || r > (w.vpp - 1) * w.stride.0 + w.pads.bottom
                || x < w.pads.left
                || x > (w.length - 1) * w.stride.1 + w.pads.right;
            for (c, value) in (0..).zip(&mut pixel) {
                if padding || c % slice + masked >= slice {
                    *value = pad;
                }
            }
            pixel
        };
        (0..rows).map(|r| (0..columns).map(|x| pixel(r, x)).collect()).collect()
    }

    /// Section 3.1.3.
    fn write_output(&mut self, w: &Walk, out: &[Vec<Pixel>]) {
        let parallel = self.parallel();
        for h in 0..w.vpp {
            for x in 0..w.length {
                let q = (w.offset_out + h) / w.stride_out;
                let t = (w.offset_out + h) % w.stride_out;
                let j = w.bank_out % parallel + q;
                let bank = w.bank_out - w.bank_out % parallel + j % parallel;
                let line = w.addr_out + ((j / parallel) * w.stride_out + t) * w.jump_write_endl + x * w.jump_write;
                self.write(bank, line, &out[h as usize][x as usize]);
            }
        }
    }

    fn conv(&mut self, i: &Conv) {
        let p = self.conv_init;
        let w = Walk {
            vpp: p.valid_pixel_parallel,
            length: i.length,
            kernel: (p.kernel_h, p.kernel_w),
            stride: (p.stride_h, p.stride_w),
            offset_in: p.stride_offset_in,
            jump_read: p.jump_read,
            jump_read_endl: p.jump_read_endl,
            bank_in: i.bank_id_in,
            base: [i.bank_addr_in, i.bank_addr_in_1, i.bank_addr_in_2, i.bank_addr_in_3],
            pads: Pads { top: i.pad_top, left: i.pad_left, bottom: i.pad_bottom, right: i.pad_right },
            offset_out: p.stride_offset_out,
            stride_out: p.stride_out,
            jump_write: p.jump_write,
            jump_write_endl: p.jump_write_endl,
            bank_out: i.bank_id_out,
            addr_out: i.bank_addr_out,
        };
        let n = i.channel_group * self.width();
        let outputs = self.target.channel_parallel as u32;
        let img = self.window(&w, n, n, i.channel_offset, Some(0));
        let bias = self.read(self.target.bias_bank() as u32, i.bank_addr_bias, outputs);
        let first = self.target.conv_weight_bank() as u32;
        let kernels: Vec<Pixel> =
            (0..outputs).map(|o| self.read(first + o, i.bank_addr_weights, p.kernel_h * p.kernel_w * n)).collect();
        let value = |h: u32, x: u32, o: u32| {
            let mut acc = 0i128;
            for ky in 0..p.kernel_h {
                for kx in 0..p.kernel_w {
                    let pixel = &img[(h * p.stride_h + ky) as usize][(x * p.stride_w + kx) as usize];
                    let weights = &kernels[o as usize][((ky * p.kernel_w + kx) * n) as usize..];
                    acc += pixel.iter().zip(weights).map(|(&v, &w)| i128::from(v) * i128::from(w)).sum::<i128>();
                }
            }
            act(2 * acc + (i128::from(bias[o as usize]) << p.shift_bias), p.act_type, p.shift_cut as i32 + 1)
        };
        let out: Vec<Vec<Pixel>> = (0..w.vpp)
            .map(|h| (0..w.length).map(|x| (0..outputs).map(|o| value(h, x, o)).collect()).collect())
            .collect();
        self.write_output(&w, &out);
    }

    fn alu(&mut self, i: &Alu) {
        let p = self.alu_init;
        let w = Walk {
            vpp: i.valid_pixel_parallel,
            length: p.length,
            kernel: (p.kernel_h, p.kernel_w),
            stride: (p.stride_h, p.stride_w),
            offset_in: p.stride_offset_in,
            jump_read: p.jump_read,
            jump_read_endl: p.jump_read_endl,
            bank_in: i.bank_id_in,
            base: [i.bank_addr_in, i.bank_addr_in_1, i.bank_addr_in_2, i.bank_addr_in_3],
            pads: Pads { top: i.pad_top, left: i.pad_left, bottom: i.pad_bottom, right: i.pad_right },
            offset_out: p.stride_offset_out,
            stride_out: p.stride_out,
            jump_write: p.jump_write,
            jump_write_endl: p.jump_write_endl,
            bank_out: i.bank_id_out,
            addr_out: i.bank_addr_out,
        };
        let n = p.channel_group * self.width();
        let pad = match p.exec_mode {
            3 => Some(-128),
            5 => None,
            _ => Some(0),
        };
        let img = self.window(&w, n * i.kernel_d, n, p.channel_offset, pad);
        let bias = self.read(self.target.bias_bank() as u32, i.bank_addr_bias, n);
        let dw_bank = self.target.depthwise_weight_bank() as u32;
        let slopes = self.read(dw_bank, i.bank_addr_weights, n);
        let wide = if p.exec_mode == 8 { 2 } else { 1 };
        let mut weights = Vec::new();
        for tap in 0..p.kernel_h * p.kernel_w {
            for d in 0..i.kernel_d {
                let line = i.bank_addr_weights + tap * p.jump_read_weights + d * p.channel_group * wide;
                weights.push(self.read(dw_bank, line, n * wide));
            }
        }
        let e = |s: u32| if s >= 8 { s as i32 - 8 } else { -(s as i32) };
        let g = |v: u32| if v >= 32 { v as i32 - 32 } else { -(v as i32) };
        let factor = p.multi_factor as u8 as i8;
        let cut = p.shift_cut as i32;
        let value = |h: u32, x: u32, c: u32| {
            // (weight run, value) of each tap and slice.
            let mut taps: Vec<(usize, i8)> = Vec::new();
            for ky in 0..p.kernel_h {
                for kx in 0..p.kernel_w {
                    for d in 0..i.kernel_d {
                        let pixel = &img[(h * p.stride_h + ky) as usize][(x * p.stride_w + kx) as usize];
                        let run = ((ky * p.kernel_w + kx) * i.kernel_d + d) as usize;
                        taps.push((run, pixel[(d * n + c) as usize]));
                    }
                }
            }
            let w8 = |run: usize| i128::from(weights[run][c as usize]);
            let w16 = |run: usize| {
                let first = (2 * (c - c % self.width())) as usize;
                let (low, high) = (weights[run][first] as u8, weights[run][first + 1] as u8);
                i128::from(i16::from_le_bytes([low, high]))
            };
            let products = |weight: &dyn Fn(usize) -> i128| -> i128 {
                taps.iter().map(|&(run, value)| i128::from(value) * weight(run)).sum()
            };
            let prelu = |slope: i8| {
                let input = i128::from(taps[0].1);
                let t = if input < 0 { input * i128::from(slope) } else { input };
                if t < 0 { rsat(t, g(p.shift_prelu_n)) } else { rsat(t, g(p.shift_prelu_p)) }
            };
            match p.exec_mode {
                0 => act(2 * products(&w8) + (i128::from(bias[c as usize]) << p.shift_bias), p.act_type, cut + 1),
                1 => prelu(slopes[c as usize]),
                2 => {
                    let sum: f32 = taps.iter().map(|&(_, value)| f32::from(value)).sum();
                    rsat((sum * f32::from(factor)) as i128, e(p.shift_cut))
                }
                3 | 5 => rsat(taps.iter().map(|&(_, value)| i128::from(value)).max().unwrap(), e(p.shift_cut)),
                4 => prelu(factor),
                6 => act(products(&w8), p.act_type, cut),
                7 => {
                    let v = 2731 * i128::from(taps[0].1) + ((3 * 2731) << p.shift_bias);
                    rsat(v.clamp(0, 1 << 32), cut)
                }
                8 => act(products(&w16), p.act_type, cut),
                mode => panic!("no such mode: {mode}"),
            }
        };
        let out: Vec<Vec<Pixel>> =
            (0..w.vpp).map(|h| (0..w.length).map(|x| (0..n).map(|c| value(h, x, c)).collect()).collect()).collect();
        self.write_output(&w, &out);
    }

    fn elew(&mut self, i: &Elew) {
        let inputs: Vec<ElewInit> = self.elew_inits.drain(..i.num as usize).collect();
        let parallel = self.parallel();
        let n = i.channel_group * self.width();
        let mut results = Vec::new();
        for k in 0..i.valid_pixel_parallel {
            for x in 0..i.length {
                let pixels: Vec<Pixel> = inputs
                    .iter()
                    .map(|e| {
                        let j = e.bank_id_in % parallel + k * e.jump_bank;
                        let mut bank = e.bank_id_in - e.bank_id_in % parallel + j % parallel;
                        let mut line = e.bank_addr_in + (j / parallel) * e.jump_read_endl + x * e.jump_read;
                        if e.share_pp == 1 {
                            bank = e.bank_id_in;
                            line = e.bank_addr_in + x * e.jump_read;
                        }
                        self.read(bank, line, n)
                    })
                    .collect();
                let value = |c: usize| {
                    let q = |e: usize| (4 * i128::from(pixels[e][c])).div_euclid(1 << inputs[e].shift_read);
                    let u = if i.shift_write >= 16 { i.shift_write as i32 - 16 } else { -(i.shift_write as i32) };
                    let (v, t) = if i.elew_type == 0 { ((0..inputs.len()).map(q).sum(), 2) } else { (q(0) * q(1), 4) };
                    act(v, i.act_type, t + u)
                };
                results.push((k, x, (0..n as usize).map(value).collect::<Pixel>()));
            }
        }
        for (k, x, pixel) in results {
            let j = i.bank_id_out % parallel + k;
            let bank = i.bank_id_out - i.bank_id_out % parallel + j % parallel;
            self.write(bank, i.bank_addr_out + (j / parallel) * i.jump_write_endl + x * i.jump_write, &pixel);
        }
    }
}
