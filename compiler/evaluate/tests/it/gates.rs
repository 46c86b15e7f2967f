//! Hard swish: what lowering makes of it is what the specification says, for every code.

use dpuc_evaluate::{Tensor, evaluate};
use dpuc_kernels::reference::activation::hard_swish;
use dpuc_kernels::reference::round::Rescale;
use dpuc_passes::lower_to_int8;
use ndarray::Array1;

#[test]
fn every_code_at_every_fix_point() {
    let codes: Vec<i8> = (i8::MIN..=i8::MAX).collect();
    for (input, output) in [(0, 0), (3, 5), (4, 4), (4, 2), (6, 6), (7, 7)] {
        let source = format!(
            "module {{ func.func @main(%x: tensor<256xf32>) -> tensor<256xf32> {{
            %x_fix = nn.fix %x {{fix_point = {input}}} : tensor<256xf32>
            %y = nn.hard_swish %x_fix : tensor<256xf32>
            %y_fix = nn.fix %y {{fix_point = {output}}} : tensor<256xf32>
            func.return %y_fix : tensor<256xf32> }} }}"
        );
        let parsed = dpuc_dialects::text::parse(&source, &dpuc_dialects::text::ParseOptions::default());
        assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
        let mut ir = parsed.ir;
        let lowering = lower_to_int8(&mut ir).unwrap();
        assert_eq!(lowering.notes.len(), 1, "{:?}", lowering.notes);
        let scale = |fix: i32| (-fix as f32).exp2();
        let floats = codes.iter().map(|&code| f32::from(code) * scale(input)).collect();
        let found = evaluate(&ir, "main", &[Tensor::from_f32(&[256], floats).unwrap()], &mut |_, _| {}).unwrap();
        let expected = hard_swish(&Array1::from_vec(codes.clone()).view(), 7, Rescale { input, output }).unwrap();
        let expected = expected.iter().map(|&code| f32::from(code) * scale(output)).collect();
        assert_eq!(found, [Tensor::from_f32(&[256], expected).unwrap()], "{input} to {output}");
    }
}
