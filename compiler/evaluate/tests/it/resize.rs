//! `nn.resize` against ONNX Runtime, in all modes, coordinates and roundings.

use crate::float::run;

/// Greatest difference in bilinear and cubic interpolation of elements up to 6.25, whose sums are in another order there.
const TOLERANCE: f32 = 8e-6;

#[test]
fn resizes_equal_those_of_onnx_runtime() {
    let table = include_str!("../onnxruntime/resize.txt");
    let mut checked = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (case, expected) = line.split_once(" : ").unwrap();
        let expected: Vec<f32> = expected.split(' ').map(|number| number.parse().unwrap()).collect();
        let fields: Vec<&str> = case.split(' ').collect();
        let &[mode, coordinates, rounding, a, exclude, in_h, in_w, scale_h, scale_w, out_h, out_w] = &fields[..] else {
            panic!("{line}");
        };
        let mut attributes = format!("mode = \"{mode}\", coordinates = \"{coordinates}\"");
        match mode {
            "nearest" => attributes += &format!(", rounding = \"{rounding}\""),
            "cubic" => attributes += &format!(", cubic_a = {a}, exclude_outside = {}", exclude == "1"),
            _ => {}
        }
        let float = |number: &str| if number.contains('.') { number.to_owned() } else { format!("{number}.0") };
        attributes += &format!(", scales = [{}, {}]", float(scale_h), float(scale_w));
        let shape = [1, in_h.parse().unwrap(), in_w.parse().unwrap(), 1];
        let elements: Vec<f32> = (0..shape[1] * shape[2]).map(|i| ((i * 7919 % 101) as f32 - 50.0) / 8.0).collect();
        let ty = format!("(tensor<1x{in_h}x{in_w}x1xf32>) -> tensor<1x{out_h}x{out_w}x1xf32>");
        let found = run(&format!("nn.resize %x0 {{{attributes}}}"), &ty, &[(&shape, &elements)]);
        let tolerance = if mode == "nearest" { 0.0 } else { TOLERANCE };
        let is_close = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= tolerance);
        assert!(is_close && found.len() == expected.len(), "{case}\n{found:?}\n{expected:?}");
        checked += 1;
    }
    assert_eq!(checked, 5 * 5 * 7, "coordinates, sizes, interpolations");
}

/// Without stated factors, positions are products with `in / out`, as in quantised graphs: 35 elements to 7 are multiples of 5, but in
/// single precision `o / (7 / 35)` is once below one.
#[test]
fn factors_decide_how_positions_are_rounded() {
    let x: Vec<f32> = (0..41).map(|i| i as f32).collect();
    let resize = |attributes: &str| {
        let op = format!("nn.resize %x0 {{mode = \"nearest\"{attributes}}}");
        run(&op, "(tensor<1x1x41x1xf32>) -> tensor<1x1x1681x1xf32>", &[(&[1, 1, 41, 1], &x)])
    };
    let exact: Vec<f32> = (0..1681).map(|o| (o / 41) as f32).collect();
    assert_eq!(resize(", scales = [1.0, 41.0]"), exact);
    let products: Vec<f32> = (0..1681).map(|o| (o as f32 * (41.0 / 1681.0)).floor()).collect();
    assert_eq!(resize(""), products);
    assert_ne!(products, exact);
}
