//! The instruction reference as Markdown, generated from the table.

use std::fmt::Write;

use crate::engine::Engine;
use crate::instruction::{Coding, Field, Opcode};

const INTRODUCTION: &str = "\
# DPUCZDX8G instruction reference

Machine code is a sequence of little-endian 32-bit words. An instruction has one to six of them; how many follows from its
opcode, bits 31:28 of its first word. Nothing separates instructions, and a program ends with `End`.

Fields hold natural values. A field stores its value, or, where the smallest value is 1, the value minus one. Bits of no field
are 0.

Bits 27:24 of the first word, `dpdon`, name the engines an instruction waits for: it takes one token from each. Bits 23:20,
`dpdby`, name the engines it notifies: it gives one token to each when it completes.
";

const TEXT_FORM: &str = "\
## Assembly text

AMD's simulator reads one instruction a line: upper-case mnemonic, `dpdon` and `dpdby` as four binary digits in the order misc,
conv, save, load, then every field as name and decimal value in any order. Blanks, tabs, commas and semicolons separate; a line
that begins with `#` is a comment.

";

/// The reference of all instructions: encoding rules, opcodes, fields with place, range and meaning.
pub fn reference_markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n| engine | bit in `dpdon`, `dpdby` |\n|---|---|\n");
    for engine in Engine::ALL {
        row(&mut page, &[engine.name(), &engine.index().to_string()]);
    }
    page.push('\n');
    page.push_str(TEXT_FORM);
    page.push_str(
        "## Instructions\n\n| opcode | instruction | words | engine | ISA 1 | purpose |\n|---|---|---|---|---|---|\n",
    );
    for opcode in Opcode::ALL {
        let (number, words) = (format!("{:#x}", *opcode as u8), opcode.words().to_string());
        let isa1 = if opcode.in_isa1() { "yes" } else { "no" };
        row(&mut page, &[&number, opcode.name(), &words, opcode.engine().name(), isa1, opcode.purpose()]);
    }
    for opcode in Opcode::ALL {
        section(&mut page, *opcode);
    }
    page
}

fn section(page: &mut String, opcode: Opcode) {
    let engine = opcode.engine().name();
    // Writing to a `String` cannot fail.
    let _ = write!(
        page,
        "\n### {}\n\n{}\n\nOpcode {:#x}, {engine} engine, ",
        opcode.name(),
        opcode.purpose(),
        opcode as u8
    );
    let _ = writeln!(page, "{} word{}.", opcode.words(), if opcode.words() == 1 { "" } else { "s" });
    if opcode.fields().is_empty() {
        return;
    }
    page.push_str("\n| word | bits | field | values | meaning |\n|---|---|---|---|---|\n");
    let mut fields: Vec<&Field> = opcode.fields().iter().collect();
    fields.sort_by_key(|field| (field.word, field.bit));
    for field in fields {
        let bits = match field.len {
            1 => field.bit.to_string(),
            len => format!("{}:{}", field.bit + len - 1, field.bit),
        };
        let stored = match field.coding {
            Coding::Natural => "",
            Coding::MinusOne => ", minus one",
        };
        let values = format!("{} to {}{stored}", field.min(), field.max());
        row(page, &[&field.word.to_string(), &bits, &format!("`{}`", field.name), &values, field.doc]);
    }
}

fn row(page: &mut String, cells: &[&str]) {
    page.push_str("| ");
    page.push_str(&cells.join(" | "));
    page.push_str(" |\n");
}
