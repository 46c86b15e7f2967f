//! Assembly text: print and parse are inverse, and errors name line, cause and way out.

use dpuc_isa::{Instruction, Opcode, Random, parse_text, to_text};

fn messages(text: &str) -> Vec<String> {
    parse_text(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn printed_instructions_parse_to_themselves() {
    let mut random = Random::new(3);
    let instructions: Vec<Instruction> = (0..2000).map(|_| random.any_encodable()).collect();
    assert_eq!(parse_text(&to_text(&instructions)).as_ref(), Ok(&instructions));
}

#[test]
fn text_is_amds() {
    let text = "ELEWINIT 1000 1001 share_pp 0 bank_id_in 8 bank_addr_in 504 jump_read_endl 1 id 1 jump_bank 1 jump_read 2 \
                shift_read 0\nEND 0010 0010\n";
    let instructions = parse_text(text).unwrap();
    assert_eq!(to_text(&instructions), text);
    let tokens = instructions[0].tokens();
    assert_eq!((tokens.wait.bits(), tokens.notify.bits()), (8, 9));
}

#[test]
fn separators_comments_order_and_case_are_free() {
    let free = "# comment\n\n  elew,1000;1000\tnum 2, channel_group 3; length 4 act_type 1 elew_type 0 bank_id_out 5 \
                bank_addr_out 6 jump_write_endl 7 valid_pixel_parallel 4 jump_write 9 shift_write 10\r\n,;\n\t# end";
    let strict = "ELEW 1000 1000 length 4 act_type 1 elew_type 0 bank_id_out 5 bank_addr_out 6 jump_write_endl 7 num 2 \
                  valid_pixel_parallel 4 jump_write 9 shift_write 10 channel_group 3\n";
    assert_eq!(to_text(&parse_text(free).unwrap()), strict);
}

#[test]
fn errors_name_line_cause_and_way_out() {
    let init = "share_pp 0 bank_id_in 8 bank_addr_in 504 jump_read_endl 1 id 1 jump_bank 1 jump_read 2";
    for (line, message) in [
        ("ELEWINIZ 0 0".to_owned(), "`ELEWINIZ` is no instruction, did you mean `ElewInit`?"),
        ("banana".to_owned(), "`banana` is no instruction"),
        (
            "DumpBank 0".to_owned(),
            "`DumpBank` is a command to AMD's simulator, which has no machine code; delete the line",
        ),
        (
            "END".to_owned(),
            "dpdon must be four binary digits in the order misc, conv, save, load (0001 = load), but the line ends here",
        ),
        (
            "END 0010 2".to_owned(),
            "dpdby must be four binary digits in the order misc, conv, save, load (0001 = load), found `2`",
        ),
        ("END 0010 0010 length 1".to_owned(), "End has no field `length`"),
        (
            format!("ELEWINIT 1000 1000 {init} shift_reed 0"),
            "ElewInit has no field `shift_reed`, did you mean `shift_read`?",
        ),
        (format!("ELEWINIT 1000 1000 {init} id 1 shift_read 0"), "field `id` is given twice"),
        (
            format!("ELEWINIT 1000 1000 {init} shift_read"),
            "field `shift_read` must have a decimal number, but the line ends here",
        ),
        (
            format!("ELEWINIT 1000 1000 {init} shift_read -1"),
            "field `shift_read` must have a decimal number, found `-1`",
        ),
        (
            format!("ELEWINIT 1000 1000 {init} shift_read 4294967296"),
            "field `shift_read` must have a decimal number, found `4294967296`",
        ),
        (format!("ELEWINIT 1000 1000 {init} shift_read 16"), "ElewInit.shift_read = 16 is outside 0..=15"),
        (
            "ELEWINIT 1000 1000 share_pp 0 bank_id_in 8 bank_addr_in 504 id 1 jump_bank 0".to_owned(),
            "ElewInit lacks jump_read_endl, jump_read, shift_read",
        ),
    ] {
        assert_eq!(messages(&format!("END 0010 0010\n\n{line}\n")), [format!("line 3: {message}")]);
    }
}

#[test]
fn every_bad_line_is_reported_up_to_a_bound() {
    assert_eq!(messages("A\nEND 0010 0010\nB\n"), ["line 1: `A` is no instruction", "line 3: `B` is no instruction"]);
    assert_eq!(messages(&"?\n".repeat(1000)).len(), 50);
}

#[test]
fn hostile_text_is_refused_without_harm() {
    let mut random = Random::new(11);
    let valid = to_text(&(0..30).map(|_| random.any_encodable()).collect::<Vec<_>>());
    for _ in 0..3000 {
        let mut bytes = valid.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u32) as usize;
            match random.below(3) {
                0 => bytes[at] = random.below(256) as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b" ,\n#0Az\0"[random.below(8) as usize]),
            }
        }
        if let Ok(instructions) = parse_text(&String::from_utf8_lossy(&bytes)) {
            assert!(instructions.iter().all(|instruction| instruction.check_fields().is_ok()));
        }
    }
    assert_eq!(messages(&"x".repeat(1 << 20))[0].len(), "line 1: `` is no instruction".len() + 40);
}

#[test]
fn mnemonics_are_names_in_upper_case() {
    assert_eq!(Opcode::DptWise.mnemonic(), "DPTWISE");
}
