//! Small functions at each level of their lowering.

use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_jit::{Options, listing};

/// Loops and Cranelift IR of `@main`.
fn levels(signature: &str, body: &str) -> String {
    let source = format!("module {{ func.func @main{signature} {{ {body} }} }}");
    let parsed = parse(&source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    let findings = dpuc_dialects::verify::verify(&parsed.ir);
    assert!(findings.is_empty(), "{findings:?}");
    let listing = listing(&parsed.ir, "main", &Options::default()).unwrap();
    assert!(!listing.machine.is_empty());
    format!("{source}\n\n{}\n{}", listing.loops, listing.cranelift)
}

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    // The one thing in it that depends on the machine.
    settings.add_filter("system_v|apple_aarch64|windows_fastcall|fast|tail", "[convention]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_sum_of_codes_in_vectors_of_16() {
    let ty = |fix: i32| format!("tensor<1x4x4x8xi8, #int8.fix<{fix}>>");
    let (x, y, z) = (ty(5), ty(4), ty(4));
    check(
        "sum",
        &levels(
            &format!("(%x: {x}, %y: {y}) -> {z}"),
            &format!("%z = int8.add %x, %y {{activation = \"relu\"}} : ({x}, {y}) -> {z} func.return %z : {z}"),
        ),
    );
}

#[test]
fn a_chain_of_floats_is_one_loop() {
    let ty = "tensor<2x6xf32>";
    check(
        "chain",
        &levels(
            &format!("(%x: {ty}, %b: tensor<6xf32>) -> {ty}"),
            &format!(
                "%s = nn.add %x, %b : ({ty}, tensor<6xf32>) -> {ty}
                %r = nn.relu6 %s : {ty}
                %y = nn.fix %r {{fix_point = 4}} : {ty}
                func.return %y : {ty}"
            ),
        ),
    );
}

#[test]
fn movements_are_read_through() {
    let (from, to) = ("tensor<2x3x4xf32>", "tensor<4x6xf32>");
    let turned = "tensor<4x2x3xf32>";
    check(
        "movement",
        &levels(
            &format!("(%x: {from}) -> {to}"),
            &format!(
                "%t = nn.transpose %x {{order = [2, 0, 1]}} : ({from}) -> {turned}
                %f = nn.reshape %t : ({turned}) -> {to}
                %y = nn.relu %f : {to}
                func.return %y : {to}"
            ),
        ),
    );
}

#[test]
fn a_mean_keeps_partial_sums_in_lanes() {
    let (from, to) = ("tensor<3x20xi8, #int8.fix<4>>", "tensor<3xi8, #int8.fix<5>>");
    check(
        "mean",
        &levels(
            &format!("(%x: {from}) -> {to}"),
            &format!(
                "%y = int8.reduce_mean %x {{axes = [1], keep_dims = false}} : ({from}) -> {to} func.return %y : {to}"
            ),
        ),
    );
}

#[test]
fn a_heavy_operator_is_a_call() {
    let ty = "tensor<1x5xf32>";
    check(
        "call",
        &levels(
            &format!("(%x: {ty}) -> {ty}"),
            &format!(
                "%d = nn.mul %x, %x : ({ty}, {ty}) -> {ty}
                %s = nn.softmax %d {{axis = 1}} : {ty}
                %y = nn.add %s, %x : ({ty}, {ty}) -> {ty}
                func.return %y : {ty}"
            ),
        ),
    );
}

#[test]
fn a_choice_by_a_comparison_is_one_loop() {
    let ty = "tensor<2x6xf32>";
    check(
        "choice",
        &levels(
            &format!("(%x: {ty}, %b: tensor<6xf32>) -> {ty}"),
            &format!(
                "%c = nn.compare %x, %b {{predicate = \"ge\"}} : ({ty}, tensor<6xf32>) -> {ty}
                %r = nn.sqrt %x : {ty}
                %s = nn.select %c, %r, %b : ({ty}, {ty}, tensor<6xf32>) -> {ty}
                %y = nn.clip %s {{max = 2.5}} : {ty}
                func.return %y : {ty}"
            ),
        ),
    );
}

#[test]
fn attention_is_a_list_of_calls() {
    let (x, t, s) = ("tensor<1x4x8xf32>", "tensor<1x8x4xf32>", "tensor<1x4x4xf32>");
    let text = levels(
        &format!("(%x: {x}, %i: tensor<2xf32>) -> tensor<1x2x8xf32>"),
        &format!(
            "%n = nn.layer_norm %x {{axis = 2, epsilon = 1.0e-05}} : {x}
            %t = nn.transpose %n {{order = [0, 2, 1]}} : ({x}) -> {t}
            %q = nn.batch_matmul %n, %t : ({x}, {t}) -> {s}
            %p = nn.softmax %q {{axis = 2}} : {s}
            %v = nn.batch_matmul %p, %n : ({s}, {x}) -> {x}
            %g = nn.gelu %v : {x}
            %y = nn.gather %g, %i {{axis = 1}} : ({x}, tensor<2xf32>) -> tensor<1x2x8xf32>
            func.return %y : tensor<1x2x8xf32>"
        ),
    );
    check("attention", &text);
}
