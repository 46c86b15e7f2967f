//! What cannot be compiled or run says why.

use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_evaluate::{Operators, Tensor};
use dpuc_graphs::{Net, absurd_network};
use dpuc_jit::{Error, Options, compile};

use crate::compare::evaluated;

fn read(source: &str) -> Ir {
    let parsed = parse(source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    parsed.ir
}

fn refusal(ir: &Ir, options: &Options) -> String {
    compile(ir, "main", options).unwrap_err().to_string()
}

const CUSTOM: &str = "module { func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %y = nn.custom %x {type = \"swirl\"} : (tensor<4xf32>) -> tensor<4xf32>
    func.return %y : tensor<4xf32> } }";

#[test]
fn an_unknown_operator_is_named() {
    let ir = read(CUSTOM);
    assert_eq!(
        refusal(&ir, &Options::default()),
        "y: `nn.custom` cannot be compiled: its operator `swirl` is not known here; register a function for it (Options::operators)"
    );
}

#[test]
fn a_registered_operator_runs_in_both() {
    let ir = read(CUSTOM);
    let operators = Operators::new().with("swirl", |call| {
        let Tensor::F32(x) = call.inputs[0] else { return Err("takes floats".to_owned()) };
        let mut reversed: Vec<f32> = x.iter().copied().collect();
        reversed.reverse();
        Tensor::from_f32(&call.shape(), reversed).ok_or_else(|| "has another shape".to_owned())
    });
    let options = Options { operators: operators.clone(), ..Options::default() };
    let input = [Tensor::from_f32(&[4], vec![1.0, 2.0, 3.0, 4.0]).unwrap()];
    let found = compile(&ir, "main", &options).unwrap().run(&input).unwrap();
    assert_eq!(found, [Tensor::from_f32(&[4], vec![4.0, 3.0, 2.0, 1.0]).unwrap()]);
    assert_eq!(found, evaluated(&ir, &input, &operators));
}

#[test]
fn failures_and_panics_of_operators_are_errors() {
    let ir = read(CUSTOM);
    let input = [Tensor::from_f32(&[4], vec![0.0; 4]).unwrap()];
    let message = |operators: Operators| {
        let compiled = compile(&ir, "main", &Options { operators, ..Options::default() }).unwrap();
        // Twice: the arena of a failed run is used again.
        compiled.run(&input).unwrap_err();
        compiled.run(&input).unwrap_err().to_string()
    };
    let refused = message(Operators::new().with("swirl", |_| Err("not today".to_owned())));
    assert!(refused.contains("y: `nn.custom`") && refused.contains("not today"), "{refused}");
    let panicked = message(Operators::new().with("swirl", |_| panic!("oh no")));
    assert!(panicked.contains("it panicked: oh no"), "{panicked}");
    let misshapen = message(Operators::new().with("swirl", |_| Ok(Tensor::from_f32(&[1], vec![0.0]).unwrap())));
    assert!(misshapen.contains("gives a result of shape [1]"), "{misshapen}");
}

#[test]
fn too_much_memory_is_refused_before_it_is_asked_for() {
    let mut net = Net::new(1);
    let x = net.input(&[1, 1 << 15, 1 << 15, 8], 4);
    let pooled = net.pool(&dpuc_dialects::dialects::int8::MAX_POOL, x, [2, 2], [1, 1], [0, 0, 1, 1], 4);
    let y = net.pool(&dpuc_dialects::dialects::int8::MAX_POOL, pooled, [2, 2], [2, 2], [0; 4], 4);
    let ir = net.finish(&[y]);
    match compile(&ir, "main", &Options::default()) {
        Err(Error::Memory { bytes, limit }) => assert!(bytes > limit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_inputs_are_named() {
    let ir =
        read("module { func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> { func.return %x : tensor<2x3xf32> } }");
    let compiled = compile(&ir, "main", &Options::default()).unwrap();
    let error = |inputs: &[Tensor]| compiled.run(inputs).unwrap_err().to_string();
    assert_eq!(error(&[]), "the function takes 1 inputs, but 0 are given");
    assert_eq!(
        error(&[Tensor::from_i8(&[2, 3], vec![0; 6]).unwrap()]),
        "input #0 (`x`) must be [2, 3] of f32, but has shape [2, 3] of i8"
    );
    let input = Tensor::from_f32(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let same = std::slice::from_ref(&input);
    assert_eq!(compiled.run(same).unwrap(), same);
    // Elements in another order in memory are the same tensor.
    let Tensor::F32(values) = &input else { unreachable!() };
    let mut transposed = values.t().as_standard_layout().into_owned();
    transposed.swap_axes(0, 1);
    assert_eq!(compiled.run(&[Tensor::F32(transposed)]).unwrap(), [input]);
}

#[test]
fn functions_that_call_themselves_are_refused() {
    let ir = read(
        "module { func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %a = func.call @main(%x) : (tensor<4xf32>) -> tensor<4xf32>
        %b = func.call @main(%a) : (tensor<4xf32>) -> tensor<4xf32>
        func.return %b : tensor<4xf32> } }",
    );
    assert!(matches!(compile(&ir, "main", &Options::default()), Err(Error::Calls { .. })));
    assert!(matches!(compile(&ir, "other", &Options::default()), Err(Error::UnknownFunction(_))));
}

/// Compiled, not run.
#[test]
fn absurd_networks_neither_panic_nor_hang() {
    let mut compiled = 0;
    for seed in 0..400 {
        compiled += usize::from(compile(&absurd_network(seed), "main", &Options::default()).is_ok());
    }
    assert!(compiled > 50, "{compiled} are compiled");
}
