//! The trees of small inputs. In the snapshots a name or type is written `"text" @ start..end`.

use dpuc_grammar::{
    AliasValue, Attribute, AttributeKind, Operation, TypeTree, parse, parse_attribute, parse_type, unescape,
};

/// Parses a text without errors and compares its tree with the snapshot.
fn assert_tree(name: &str, source: &str) {
    let parsed = parse(source);
    assert_eq!(parsed.diagnostics, [], "{name}");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"Span \{\s+start: (\d+),\s+end: (\d+),\s+\}", "$1..$2");
    settings.add_filter(r#"(?:Name|Type) \{\s+text: ("[^"]*"),\s+span: (\S+),\s+\}"#, "$1 @ $2");
    settings.add_filter(r"ValueUse \{\s+name: (.*),\s+index: (\d+),\s+\}", "$1 # $2");
    settings.bind(|| insta::assert_debug_snapshot!(name, parsed.document));
}

#[test]
fn generic_form() {
    assert_tree(
        "generic",
        r#"%0:2, %r = "d.op"(%a, %b#1)[^bb1] <{prop = 1 : i64}> ({ ^bb0(%x: i8): "d.end"() : () -> () }, {}) {flag} : (i8, i8) -> (i8, !d.t<(i8) -> i8>) loc("f":1:2)"#,
    );
}

#[test]
fn pretty_form() {
    assert_tree("pretty", "%y = nn.conv2d %x, @conv1.w, 3, \"same\" {strides = [1, 2]} : (i8, i8) -> i8 loc(unknown)");
    assert_tree("call", "%r = func.call @f(%x, %y) : (i8, i8) -> i8");
    assert_tree("dense", "%w = nn.constant dense<[[1], [2]]> : tensor<2x1xi8>");
    assert_tree("regions", "nn.loop %x { nn.yield %x : i8 } {\n} : i8, f32");
}

#[test]
fn functions_and_modules() {
    assert_tree(
        "function",
        "module @m attributes {v = 1} { func.func private @f(%a: i8 {d.a = 2} loc(\"p\"), %b: f32) -> (i8 {d.r}, f32) attributes {x} { return %a, %b : i8, f32 } }",
    );
    assert_tree("declaration", "func.func @f(tensor<4xf32>) -> i8");
    assert_tree("function_like", "dpu.subgraph @s(%x: i8) -> i8 attributes {t = \"a\"} { dpu.return %x : i8 }");
}

#[test]
fn aliases_and_locations() {
    assert_tree(
        "locations",
        "#l = loc(\"f\":1:2)\n!t = tensor<4xf32>\n#a = 3 : i8\na.b loc(#l)\na.b loc(\"n\"(\"f\":1:2))\na.b loc(fused<#a>[\"n\", unknown])\na.b loc(\"f\":1:2 to 3:4)\na.b loc(callsite(\"a\" at #l))",
    );
}

#[test]
fn comments_do_not_move_places() {
    let source = "%a = // é %b = c.d\n  x.y %z { // {\n  k = 1 }";
    let parsed = parse(source);
    assert_eq!(parsed.diagnostics, []);
    let [operation] = parsed.document.operations.as_slice() else { panic!("one operation") };
    let at = |name: dpuc_grammar::Name<'_>| &source[name.span.start as usize..name.span.end as usize];
    assert_eq!((at(operation.name), at(operation.attributes[0].name)), ("x.y", "k"));
    assert_eq!(operation.span.end as usize, source.len());
}

#[test]
fn places_behind_regions_are_right() {
    let source = "\"a.b\"() ({ c.d // }\n }, { \"e.f\"() : () -> () }) {key = @sym} : () -> () loc(\"here\")";
    let parsed = parse(source);
    assert_eq!(parsed.diagnostics, []);
    let [Operation { attributes, regions, location: Some(location), .. }] = parsed.document.operations.as_slice()
    else {
        panic!("one operation with a location")
    };
    let at = |span: dpuc_grammar::Span| &source[span.start as usize..span.end as usize];
    assert_eq!(at(attributes[0].name.span), "key");
    assert_eq!(at(attributes[0].value.span), "@sym");
    assert_eq!(at(location.span), "loc(\"here\")");
    assert_eq!((at(regions[0].span), at(regions[1].span)), ("{ c.d // }\n }", "{ \"e.f\"() : () -> () }"));
}

#[test]
fn attributes_standing_alone() {
    let kind = |text| parse_attribute(text, 10).map(|attribute: Attribute<'_>| attribute.kind);
    assert!(matches!(kind("-3 : i8"), Ok(AttributeKind::Integer { text: "-3", ty: Some(ty) }) if ty.text == "i8"));
    assert!(matches!(kind("1.5e-3"), Ok(AttributeKind::Float { text: "1.5e-3", ty: None })));
    assert!(matches!(kind(" true "), Ok(AttributeKind::Bool(true))));
    assert!(matches!(kind("unit"), Ok(AttributeKind::Unit)));
    assert!(matches!(kind("\"a\\0Ab\""), Ok(AttributeKind::String(text)) if text == "a\nb"));
    assert!(
        matches!(kind("@a::@\"b c\""), Ok(AttributeKind::Symbol(names)) if names.len() == 2 && names[1].text == "b c")
    );
    assert!(
        matches!(kind("array<i64: 1, -2>"), Ok(AttributeKind::DenseArray { element, body }) if element.text == "i64" && body == ["1", "-2"])
    );
    assert!(matches!(kind("array<i64>"), Ok(AttributeKind::DenseArray { body, .. }) if body.is_empty()));
    assert!(
        matches!(kind("dense<[1, 2]> : tensor<2xi8>"), Ok(AttributeKind::Dense { body: "[1, 2]", ty }) if ty.text == "tensor<2xi8>")
    );
    assert!(matches!(kind("#d.a<\"x>\", -> 1>"), Ok(AttributeKind::Dialect("#d.a<\"x>\", -> 1>"))));
    assert!(matches!(
        kind("dense_resource<b> : tensor<1xi8>"),
        Ok(AttributeKind::Dialect("dense_resource<b> : tensor<1xi8>"))
    ));
    assert!(
        matches!(kind("(i8) -> i8"), Ok(AttributeKind::Type(ty)) if ty.text == "(i8) -> i8" && ty.span.start == 10)
    );
    assert!(matches!(kind("{a, b = [1]}"), Ok(AttributeKind::Dictionary(entries)) if entries.len() == 2));
    assert!(matches!(kind("loc(unknown)"), Ok(AttributeKind::Location(_))));
    for (wrong, code) in [
        ("", "unexpected-token"),
        ("1 2", "unexpected-token"),
        ("[1 2]", "missing-comma"),
        ("[1", "unclosed-bracket"),
        ("1]", "unmatched-bracket"),
        ("[1}", "unmatched-bracket"),
        ("\"a", "unclosed-string"),
        ("dense<1>", "missing-type"),
        ("relu", "unknown-word"),
        ("1 // comment", "unexpected-character"),
    ] {
        let diagnostic = parse_attribute(wrong, 10).expect_err(wrong);
        assert_eq!(diagnostic.code, code, "{wrong}");
        assert!(diagnostic.span.start >= 10 && diagnostic.span.end as usize <= 10 + wrong.len(), "{wrong}");
    }
}

#[test]
fn texts_of_the_tree_can_be_read_further() {
    let parsed = parse("!t = tensor<2x?xf32, #a.b<1>>\nx.y @\"a\\22b\"");
    let AliasValue::Type(ty) = &parsed.document.aliases[0].value else { panic!("a type alias") };
    let tree = parse_type(ty.text, ty.span.start);
    assert!(matches!(tree, Ok(TypeTree::Tensor { shape, .. }) if shape == [Some(2), None]));
    let [Operation { arguments, .. }] = parsed.document.operations.as_slice() else { panic!("one operation") };
    let [dpuc_grammar::Argument::Attribute(Attribute { kind: AttributeKind::Symbol(names), .. })] =
        arguments.as_slice()
    else {
        panic!("one symbol")
    };
    assert_eq!(unescape(names[0].text).as_deref(), Ok("a\"b"));
}
