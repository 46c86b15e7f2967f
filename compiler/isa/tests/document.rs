//! The generated reference.

use dpuc_isa::{Opcode, reference_markdown};

#[test]
fn every_field_has_its_row() {
    let page = reference_markdown();
    let rows = |section: &str| section.lines().filter(|line| line.starts_with("| ") && line.contains('`')).count();
    let sections: Vec<&str> = page.split("\n### ").skip(1).collect();
    assert_eq!(sections.len(), Opcode::ALL.len());
    for (section, opcode) in sections.iter().zip(Opcode::ALL) {
        assert_eq!(section.lines().next(), Some(opcode.name()));
        assert_eq!(rows(section), opcode.fields().len());
    }
    for line in page.lines().filter(|line| line.starts_with('|')) {
        assert!([3, 6, 7].contains(&line.matches('|').count()), "a cell breaks the table: {line}");
    }
}

#[test]
fn rows_give_place_range_and_meaning() {
    let page = reference_markdown();
    for line in [
        "| 0x9 | ConvInit | 4 | conv | yes | Parameters for the following Conv. |",
        "| 4 | 28:0 | `ddr_addr` | 0 to 536870911 | byte offset in the region |",
        "| 0 | 13 | `share_pp` | 0 to 1 | 1 reads the same row for all output rows |",
        "| 2 | 27:24 | `kernel_h` | 1 to 16, minus one | kernel rows |",
        "Opcode 0x7, save engine, 1 word.",
    ] {
        assert!(page.lines().any(|of| of == line), "{line}");
    }
}
