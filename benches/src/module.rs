//! A large module as text.

use std::fmt::Write;

/// Operations of one function of the generated module.
const FUNCTION_LENGTH: usize = 1000;

/// MLIR generic form of a module with `operations` operations, about 165 bytes each: chains of convolutions, activations and additions as
/// a network has them, in functions of a thousand. Upstream's `mlir-opt --allow-unregistered-dialect` reads the same text.
pub fn large_module(operations: usize) -> String {
    const MAP: &str = "tensor<1x56x56x64xf32>";
    const WEIGHTS: &str = "tensor<64x3x3x64xf32>";
    let mut text = String::with_capacity(operations * 180);
    text.push_str("\"builtin.module\"() ({\n");
    for function in 0..operations.div_ceil(FUNCTION_LENGTH) {
        let length = FUNCTION_LENGTH.min(operations - function * FUNCTION_LENGTH);
        let _ = write!(
            text,
            "  \"func.func\"() <{{sym_name = \"f{function}\", function_type = ({MAP}, {WEIGHTS}) -> {MAP}}}> ({{\n  ^bb0(%x: {MAP}, %w: {WEIGHTS}):\n"
        );
        let mut last = "x".to_owned();
        for op in 0..length.saturating_sub(2) {
            let name = format!("v{op}");
            let _ = match op % 4 {
                0 => writeln!(
                    text,
                    "    %{name} = \"nn.conv2d\"(%{last}, %w) {{strides = [1, 1], pads = [1, 1, 1, 1], dilations = [1, 1]}} : ({MAP}, {WEIGHTS}) -> {MAP} loc(\"block{function}/conv{op}\")"
                ),
                1 => writeln!(
                    text,
                    "    %{name} = \"nn.relu\"(%{last}) {{vendor.note = \"activation of the convolution before\"}} : ({MAP}) -> {MAP} loc(\"block{function}/relu{op}\")"
                ),
                2 => writeln!(
                    text,
                    "    %{name} = \"nn.max_pool\"(%{last}) {{kernel = [3, 3], strides = [1, 1], pads = [1, 1, 1, 1]}} : ({MAP}) -> {MAP} loc(\"block{function}/pool{op}\")"
                ),
                _ => writeln!(
                    text,
                    "    %{name} = \"nn.add\"(%{last}, %x) {{vendor.note = \"residual connection\"}} : ({MAP}, {MAP}) -> {MAP} loc(\"block{function}/add{op}\")"
                ),
            };
            last = name;
        }
        let _ = write!(text, "    \"func.return\"(%{last}) : ({MAP}) -> ()\n  }}) : () -> ()\n");
    }
    text.push_str("}) : () -> ()\n");
    text
}
