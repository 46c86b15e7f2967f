//! Load and Save (`spec/dpuczdx8g-isa.md` sections 3.2 and 3.3).

use dpuc_isa::{Bytes, LOAD_MASK_BYTES, Load, Save};

use crate::core::Core;
use crate::error::Fault;

impl Core {
    pub(crate) fn load(&mut self, load: &Load, span: Option<Bytes>) -> Result<(), Fault> {
        let Some(span) = span else { return Ok(()) };
        let (channels, jump) = (load.channel as usize, load.jump_read as usize);
        let data: &[i8] = bytemuck::cast_slice(self.regions.span(span)?);
        let whole_lines = load.channel == load.jump_write * self.target.line_bytes() as u32;
        if !load.masks() && !load.is_constant() && whole_lines && channels == jump {
            self.banks.write_lines(load.bank_id, load.bank_addr, data);
        } else {
            let mut masked = [0; LOAD_MASK_BYTES as usize];
            let constant = vec![load.const_value as u8 as i8; if load.is_constant() { channels } else { 0 }];
            for pixel in 0..load.length {
                let start = pixel as usize * jump;
                let mut bytes = if load.is_constant() { &constant[..] } else { &data[start..start + channels] };
                if load.masks() {
                    masked[..channels].copy_from_slice(bytes);
                    mask(load, pixel, &mut masked[..channels], self.target.line_bytes());
                    bytes = &masked[..channels];
                }
                self.banks.write(load.bank_id, load.bank_addr + pixel * load.jump_write, bytes);
            }
        }
        Ok(())
    }

    pub(crate) fn save(&mut self, save: &Save, span: Option<Bytes>) -> Result<(), Fault> {
        let Some(span) = span else { return Ok(()) };
        let (channels, jump) = (save.channel as usize, save.jump_write as usize);
        let line_bytes = self.target.line_bytes();
        let data: &mut [i8] = bytemuck::cast_slice_mut(self.regions.span_mut(span)?);
        let constant = save.const_en == 1;
        let argmax = save.argmax >= 2 && !constant;
        let gapless = channels == jump && channels == save.jump_read as usize * line_bytes;
        if gapless && !constant && !argmax {
            self.banks.read(save.bank_id, save.bank_addr, data);
        } else {
            for pixel in 0..save.length {
                let out = &mut data[pixel as usize * jump..][..channels];
                let line = save.bank_addr + pixel * save.jump_read;
                if constant {
                    out.fill(save.const_value as u8 as i8);
                } else if argmax {
                    let pixel = &mut self.scratch.out;
                    pixel.resize(channels, 0);
                    self.banks.read(save.bank_id, line, pixel);
                    let (index, value) = first_maximum(pixel);
                    out[0] = if save.argmax == 3 { value } else { index as u8 as i8 };
                } else {
                    self.banks.read(save.bank_id, line, out);
                }
            }
        }
        Ok(())
    }
}

/// Zeroes the bytes of pixel `index` that lie in padding.
fn mask(load: &Load, index: u32, pixel: &mut [i8], line_bytes: usize) {
    let jump = load.jump_read as usize;
    let at_start = (load.pad_start as usize).saturating_sub(index as usize * jump);
    pixel[..at_start].fill(0);
    if let Some(affected) = (index + load.pad_idx).checked_sub(load.length) {
        // The padding at the end is counted from the end of the last line.
        let end = pixel.len().next_multiple_of(line_bytes);
        let first = end - (load.pad_end as usize + jump * affected as usize);
        if first < pixel.len() {
            pixel[first..].fill(0);
        }
    }
}

/// Index and value of the first maximum; pixels are never empty.
fn first_maximum(values: &[i8]) -> (usize, i8) {
    values
        .iter()
        .enumerate()
        .fold((0, i8::MIN), |best, (index, &value)| if value > best.1 { (index, value) } else { best })
}
