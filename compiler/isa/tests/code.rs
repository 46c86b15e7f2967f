//! Encoding and decoding: real code, every field's extremes, random instructions, damaged streams.

use dpuc_isa::{
    Alu, AluInit, Conv, ConvInit, DecodeError, Elew, ElewInit, End, EngineSet, FieldError, Instruction, Load, Opcode,
    Random, Save, Tokens, decode, encode,
};
use proptest::prelude::*;

const fn tokens(wait: u32, notify: u32) -> Tokens {
    Tokens { wait: EngineSet::from_bits(wait), notify: EngineSet::from_bits(notify) }
}

/// The test vectors of `spec/dpuczdx8g-isa.md` section 2.5: instructions of a compiled `MobileNetV2`.
fn vectors() -> Vec<(Instruction, &'static str)> {
    vec![
        (
            Load { tokens: tokens(1, 1), bank_id: 33, jump_read: 32, channel: 32, ..Default::default() }.into(),
            "01184000 00007c00 00007c00 00000000 00000000",
        ),
        (
            ConvInit {
                tokens: tokens(4, 4),
                jump_read: 1,
                shift_cut: 6,
                act_type: 1,
                jump_read_endl: 112,
                shift_bias: 6,
                stride_out: 1,
                jump_write: 2,
                stride_offset_in: 1,
                valid_pixel_parallel: 8,
                kernel_h: 3,
                stride_h: 2,
                jump_write_endl: 1,
                stride_offset_out: 0,
                kernel_w: 1,
                stride_w: 1,
            }
            .into(),
            "94411800 0000186f 1200e401 00000000",
        ),
        (
            AluInit {
                tokens: tokens(8, 8),
                kernel_w: 3,
                kernel_h: 3,
                length: 112,
                channel_group: 2,
                shift_cut: 5,
                shift_bias: 5,
                act_type: 1,
                jump_read: 2,
                jump_write: 2,
                jump_read_weights: 2,
                ..Default::default()
            }
            .into(),
            "18800202 00000000 0001006f 00045140 00002000 01002000",
        ),
        (
            Load {
                tokens: tokens(1, 1),
                jump_read: 6,
                length: 112,
                channel: 9,
                pad_start: 3,
                reg_id: 2,
                ddr_addr: 685,
                ..Default::default()
            }
            .into(),
            "01100000 00001400 0000206f 18000002 000002ad",
        ),
        (
            Conv {
                tokens: tokens(5, 4),
                bank_addr_in: 1824,
                bank_id_in: 7,
                pad_top: 1,
                pad_bottom: 15,
                bank_id_out: 8,
                length: 112,
                channel_offset: 7,
                ..Default::default()
            }
            .into(),
            "85401720 0000f000 1bc07000 00008000 07000000",
        ),
        (
            Alu {
                tokens: tokens(13, 10),
                bank_addr_out: 224,
                bank_addr_in: 2045,
                bank_id_in: 15,
                valid_pixel_parallel: 4,
                pad_bottom: 2,
                bank_addr_in_1: 2046,
                pad_right: 1,
                pad_left: 1,
                pad_top: 1,
                bank_addr_bias: 2,
                ..Default::default()
            }
            .into(),
            "2da000e0 0133c7fd 044047fe 00000000 00008000",
        ),
        (
            Save {
                tokens: tokens(10, 0),
                bank_addr: 224,
                jump_read: 2,
                jump_write: 32,
                length: 112,
                channel: 32,
                reg_id: 1,
                ..Default::default()
            }
            .into(),
            "4a0000e0 00007c01 00007c6f 00000001 00000000",
        ),
        (
            Save {
                tokens: tokens(0, 2),
                bank_id: 1,
                bank_addr: 224,
                jump_read: 2,
                jump_write: 32,
                hp_id: 1,
                length: 112,
                channel: 32,
                reg_id: 1,
                ddr_addr: 3584,
                ..Default::default()
            }
            .into(),
            "402040e0 20007c01 00007c6f 00000001 00000e00",
        ),
        (
            ElewInit {
                tokens: tokens(8, 8),
                bank_id_in: 8,
                bank_addr_in: 504,
                id: 1,
                jump_read: 2,
                ..Default::default()
            }
            .into(),
            "d8820000 080001f8 00000002",
        ),
        (
            Elew {
                tokens: tokens(12, 8),
                length: 56,
                num: 2,
                valid_pixel_parallel: 4,
                jump_write: 2,
                channel_group: 2,
                ..Default::default()
            }
            .into(),
            "ec800037 68000000 00020001",
        ),
        (
            Alu { tokens: tokens(12, 9), bank_id_in: 8, pad_bottom: 6, pad_right: 6, ..Default::default() }.into(),
            "2c900000 03020000 00018000 00000000 00000000",
        ),
        (End { tokens: tokens(2, 2) }.into(), "72200000"),
    ]
}

#[test]
fn real_instructions_have_their_words() {
    for (instruction, words) in vectors() {
        let bytes: Vec<u8> =
            words.split(' ').flat_map(|word| u32::from_str_radix(word, 16).unwrap().to_le_bytes()).collect();
        assert_eq!(decode(&bytes), Ok(vec![instruction]));
        assert_eq!(encode(&[instruction]), Ok(bytes));
    }
}

#[test]
fn every_field_holds_its_extremes_and_nothing_beyond() {
    for &opcode in Opcode::ALL {
        for target in opcode.fields() {
            let with = |value: u32| {
                let mut instruction = Instruction::with_default_fields(opcode);
                instruction.map_fields(|field, old| if field.name == target.name { value } else { old });
                instruction
            };
            for value in [target.min(), target.max()] {
                let bytes = encode(&[with(value)]).unwrap();
                assert_eq!(bytes.len(), opcode.words() * 4);
                assert_eq!(decode(&bytes), Ok(vec![with(value)]), "{}.{} = {value}", opcode.name(), target.name);
            }
            let beyond = [target.max().checked_add(1), target.min().checked_sub(1), Some(u32::MAX)];
            for value in beyond.into_iter().flatten() {
                let (min, max) = (target.min(), target.max());
                assert_eq!(encode(&[with(value)]), Err(FieldError { opcode, field: target.name, value, min, max }));
            }
        }
    }
}

#[test]
fn isa_0_instructions_decode_too() {
    let mut random = Random::new(5);
    for opcode in [Opcode::PoolInit, Opcode::Pool, Opcode::DWInit, Opcode::DptWise] {
        let instruction = random.encodable(opcode);
        assert_eq!(decode(&encode(&[instruction]).unwrap()), Ok(vec![instruction]));
    }
}

#[test]
fn what_is_no_instruction_is_named() {
    let words = |words: &[u32]| decode(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let end = 0x7220_0000;
    assert_eq!(words(&[]), Ok(vec![]));
    assert_eq!(Instruction::decode(&[], 8), Err(DecodeError::Empty { offset: 8 }));
    for opcode in [0x3, 0x5, 0xf] {
        assert_eq!(words(&[end, opcode << 28]), Err(DecodeError::UnknownOpcode { offset: 4, opcode }));
    }
    let truncated = DecodeError::Truncated { offset: 4, opcode: Opcode::Load, present: 2 };
    assert_eq!(words(&[end, 0, 0]), Err(truncated.clone()));
    assert_eq!(truncated.to_string(), "the stream ends inside the Load at byte 4: 2 of 5 words are there");
    let reserved = DecodeError::ReservedBits { offset: 0, opcode: Opcode::Load, word: 4, bits: 1 << 29 };
    assert_eq!(words(&[0, 0, 0, 0, 1 << 29]), Err(reserved));
    assert_eq!(decode(&[0x00, 0x00, 0x20, 0x72, 0x00]), Err(DecodeError::PartialWord { bytes: 5 }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encoding_and_decoding_are_inverse(seed: u64, length in 0usize..40) {
        let mut random = Random::new(seed);
        let instructions: Vec<_> = (0..length).map(|_| random.any_encodable()).collect();
        let bytes = encode(&instructions).unwrap();
        prop_assert_eq!(bytes.len(), instructions.iter().map(|i| i.opcode().words() * 4).sum::<usize>());
        prop_assert_eq!(decode(&bytes), Ok(instructions));
    }

    #[test]
    fn accepted_bytes_encode_to_themselves(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(instructions) = decode(&bytes) {
            prop_assert_eq!(encode(&instructions), Ok(bytes));
        }
    }

    #[test]
    fn damaged_streams_decode_to_what_they_say_or_fail(seed: u64, cut: u16, flips in prop::collection::vec(any::<u16>(), 0..4)) {
        let mut random = Random::new(seed);
        let mut bytes = encode(&(0..10).map(|_| random.any_encodable()).collect::<Vec<_>>()).unwrap();
        for flip in flips {
            let at = usize::from(flip / 8) % bytes.len();
            bytes[at] ^= 1 << (flip % 8);
        }
        bytes.truncate(bytes.len() - usize::from(cut) % bytes.len());
        if let Ok(instructions) = decode(&bytes) {
            prop_assert_eq!(encode(&instructions), Ok(bytes));
        }
    }
}
