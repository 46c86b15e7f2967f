//! Hostile text: nothing panics, nothing takes long, and what can be formatted stays the same when formatted again.

use std::time::{Duration, Instant};

use dpuc_grammar::{format, parse, parse_attribute, parse_type, render};
use proptest::prelude::*;

/// Far more than any input here needs, far less than a quadratic algorithm would take for the long ones.
const PATIENCE: Duration = Duration::from_secs(10);

const RIGHT: [&str; 3] =
    [include_str!("right/lenet.mlir"), include_str!("right/generic.mlir"), include_str!("right/lines.mlir")];

/// Pieces that mean something to the scanner or the grammar.
const PIECES: [&str; 64] = [
    "%x",
    "%0",
    "%a#1",
    "%",
    "@f",
    "@\"a b\"",
    "@",
    "^bb0",
    "^",
    "#a",
    "#d.a",
    "!t",
    "!d.t",
    "module",
    "func.func",
    "func",
    "return",
    "func.return",
    "nn.relu",
    "\"nn.relu\"",
    "private",
    "attributes",
    "loc",
    "fused",
    "callsite",
    "at",
    "unknown",
    "dense",
    "array",
    "tensor",
    "i8",
    "f32",
    "true",
    "unit",
    "1",
    "-1.5e-3",
    "1x2xf32",
    "0x1F",
    "\"text\"",
    "\"open",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ":",
    "::",
    "=",
    "->",
    "=>",
    "-",
    "?",
    "// comment\n",
    "\n",
    "{-#",
    "#-}",
    "\u{1}",
    "é",
    "\\",
    ";",
];

/// Does everything a user could do with a text.
fn exercise(source: &str) {
    let start = Instant::now();
    let parsed = parse(source);
    assert!(parsed.diagnostics.len() <= 1001);
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end as usize <= source.len());
        assert!(
            source.is_char_boundary(diagnostic.span.start as usize)
                && source.is_char_boundary(diagnostic.span.end as usize)
        );
    }
    let text = render(&parsed.diagnostics, source, "input.mlir", false);
    assert_eq!(text.is_empty(), parsed.diagnostics.is_empty());
    match format(source) {
        Ok(formatted) => {
            assert!(!parsed.has_errors());
            assert_eq!(format(&formatted), Ok(formatted));
        }
        Err(diagnostics) => assert_eq!(diagnostics, parsed.diagnostics),
    }
    assert!(start.elapsed() < PATIENCE, "{:?} for {} bytes", start.elapsed(), source.len());
}

/// One change to a text: bytes removed, repeated, or something put in between.
#[derive(Clone, Debug)]
struct Mutation {
    at: prop::sample::Index,
    length: usize,
    insert: &'static str,
    repeat: bool,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    (any::<prop::sample::Index>(), 0_usize..20, prop::sample::select(PIECES.to_vec()), any::<bool>())
        .prop_map(|(at, length, insert, repeat)| Mutation { at, length, insert, repeat })
}

fn mutate(text: &str, mutations: &[Mutation]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for mutation in mutations {
        let at = mutation.at.index(characters.len() + 1);
        let end = (at + mutation.length).min(characters.len());
        let piece: Vec<char> = if mutation.repeat {
            characters[at..end].iter().copied().cycle().take(2 * (end - at)).collect()
        } else {
            mutation.insert.chars().collect()
        };
        characters.splice(at..end, piece);
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60), joint in prop::sample::select(vec!["", " "])) {
        exercise(&pieces.join(joint));
    }

    #[test]
    fn any_change_to_right_text(text in prop::sample::select(RIGHT.to_vec()), mutations in prop::collection::vec(mutation(), 1..6)) {
        exercise(&mutate(text, &mutations));
    }

    #[test]
    fn any_type_and_attribute(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..20)) {
        let text = pieces.concat();
        let _ = parse_type(&text, 7);
        let _ = parse_attribute(&text, 7);
    }
}

#[test]
fn unclosed_brackets_100_000_deep() {
    let pieces =
        ["(", "[", "{", "<", "module {", "\"f.g\"() ({", "a.b {", "[{a = ", "tuple<", "loc(fused[", "{-#", "%x = (\n"];
    for piece in pieces {
        exercise(&piece.repeat(100_000));
        exercise(&format!("nn.relu %x {}", piece.repeat(100_000)));
        exercise(&format!("%0 = nn.relu {{a = {}\n", piece.repeat(20)).repeat(2000));
        assert!(parse_attribute(&piece.repeat(100_000), 0).is_err());
        assert!(parse_type(&piece.repeat(100_000), 0).is_err());
    }
}

#[test]
fn closing_brackets_without_opening() {
    for piece in [")", "]", "}", ">", "})", "%x }", "\n)"] {
        exercise(&piece.repeat(100_000));
    }
}

#[test]
fn long_lines_and_long_lists() {
    let values = vec!["%value"; 100_000];
    exercise(&format!("nn.concat {}", values.join(", ")));
    exercise(&format!("nn.concat {}", values.join(" ")));
    exercise(&format!("nn.concat {}", values.join(",\n")));
    exercise(&format!("{} = nn.split %x : i8", values.join(", ")));
    exercise(&format!("nn.pad %x {{a = [{}]}} : i8", vec!["1"; 100_000].join(" ")));
    exercise(&format!("nn.pad %x : {}", vec!["i8"; 100_000].join(" ")));
    exercise(&format!("nn.pad %x : tensor<{}i8>", "1x".repeat(100_000)));
    exercise(&format!("nn.{} %x : i8", "long".repeat(100_000)));
    exercise(&format!("nn.text \"{}", "long".repeat(100_000)));
    exercise(&format!("nn.text \"{}\"", "\\0A\\q".repeat(100_000)));
    exercise(&"// comment\n".repeat(100_000));
    exercise(&format!("nn.relu {} %x : i8", "// comment\n".repeat(100_000)));
    exercise(&"nn.relu %x : i8 ".repeat(20_000));
    exercise(&"x\n".repeat(100_000));
    exercise(&"%x {-#\n".repeat(50_000));
    exercise(&"nn.relu // {-#\n %x {-#\n : i8\n".repeat(20_000));
    exercise(&"%x\n".repeat(100_000));
    exercise(&"%x,\n".repeat(100_000));
    exercise(&"\"a\" (\n".repeat(100_000));
}

#[test]
fn the_deepest_accepted_nesting_fits_the_stack() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| open.repeat(depth) + inner + &close.repeat(depth);
    let accepted = [
        format!("a.b {{a = {}}}", nested("[", "1", "]", 250)),
        format!("a.b {{a = {}}}", nested("{a = ", "1", "}", 250)),
        format!("a.b {{a = {}}}", nested("#d.a<", "1", ">", 250)),
        format!("a.b %x : {}", nested("tuple<", "i8", ">", 250)),
        format!("a.b %x : {}", nested("(", "i8", ") -> i8", 1)),
        format!("a.b loc({})", nested("fused[", "unknown", "]", 250)),
        format!("a.b loc({})", nested("\"n\"(", "unknown", ")", 250)),
        nested("module {", "", "}", 250),
        nested("\"a.b\"() ({", "", "}) : () -> ()", 120),
    ];
    for text in accepted {
        let parsed = parse(&text);
        assert_eq!(parsed.diagnostics, [], "{}", &text[..20]);
        exercise(&text);
    }
    assert!(parse_attribute(&nested("[", "1", "]", 250), 0).is_ok());
    assert_eq!(
        parse_attribute(&nested("[", "1", "]", 257), 0).map_err(|error| error.code).err(),
        Some("nesting-too-deep")
    );
    let parsed = parse("module {}");
    assert!(!parsed.has_errors());
    let deep = nested("module {", "", "}", 257);
    assert_eq!(parse(&deep).diagnostics[0].code, "nesting-too-deep");
}

#[test]
fn errors_are_counted_only_to_a_limit() {
    let source = "relu %x\n".repeat(5000);
    let parsed = parse(&source);
    assert_eq!(parsed.diagnostics.len(), 1001);
    assert_eq!(parsed.diagnostics[1000].code, "too-many-errors");
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let source: String = (0..5000)
        .map(
            |index| {
                if index % 50 == 0 { format!("%{index} = relu x\n") } else { format!("%{index} = nn.relu %x : i8\n") }
            },
        )
        .collect();
    let show = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool");
        pool.install(|| format!("{:?}", parse(&source)))
    };
    assert_eq!(show(1), show(3));
}
