//! Every sample network goes through pretty and generic text unchanged, and every compiled sample through assembly text.

use dpuc_backend::{instructions_from_program, program_from_instructions};
use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;
use dpuc_isa::{decode, encode, parse_text, to_text};
use dpuc_tests::{COMPILED, QUANTISED, import, models, read};
use dpuc_xmodel::GraphIndex;

fn through_text(ir: &Ir, options: PrintOptions, what: &str) -> Ir {
    let text = print(ir, options);
    let mut parsed = parse(&text, &ParseOptions::default());
    assert!(parsed.is_ok(), "{what}: {}", dpuc_grammar::render(&parsed.diagnostics, &text, what, false));
    parsed.ir.weights = ir.weights.clone();
    assert!(verify(&parsed.ir).is_empty(), "{what}: {:#?}", verify(&parsed.ir).list());
    assert!(print(&parsed.ir, options) == text, "{what}: printing what was read changes it");
    parsed.ir
}

#[test]
fn every_network_round_trips_through_text() {
    let Some(models) = models() else { return };
    // Eight of the compiled files hold the same network.
    let distinct = COMPILED.iter().filter(|sample| !sample.starts_with("yolox") || sample.contains("b4096"));
    for sample in distinct.chain(&QUANTISED) {
        let ir = import(&models, sample);
        assert!(verify(&ir).is_empty(), "{sample}: {:#?}", verify(&ir).list());
        for locations in [false, true] {
            let pretty = PrintOptions { generic: false, locations };
            let generic = PrintOptions { generic: true, locations };
            let again = through_text(&through_text(&ir, pretty, sample), generic, sample);
            assert!(print(&again, pretty) == print(&ir, pretty), "{sample}: text loses nothing");
        }
    }
}

#[test]
fn every_stream_round_trips_through_assembly() {
    let Some(models) = models() else { return };
    let mut streams = 0;
    for sample in COMPILED {
        let graph = read(&models, sample);
        for subgraph in GraphIndex::new(&graph).dpu_subgraphs().unwrap() {
            let instructions = decode(subgraph.mc_code).unwrap();
            assert!(encode(&instructions).unwrap() == subgraph.mc_code[..], "{sample}: encode and decode are inverse");
            assert!(parse_text(&to_text(&instructions)).unwrap() == instructions, "{sample}: AMD's text");
            let mut ir = Ir::new();
            let unknown = ir.unknown_location();
            program_from_instructions(&mut ir, "program", None, &instructions, |_| unknown);
            let again = through_text(&ir, PrintOptions::default(), sample);
            let program = again.find_symbol("program").unwrap();
            let assembled = instructions_from_program(&again, program).unwrap();
            assert!(encode(&assembled).unwrap() == subgraph.mc_code[..], "{sample}: IR text");
            streams += 1;
        }
    }
    assert_eq!(streams, 18, "15 files, three of them with two programs");
}
