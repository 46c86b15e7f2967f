//! Calls, subgraphs and superlayers compute what their bodies compute.

use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{EvalError, Evaluator, Problem, Tensor, evaluate};

fn read(source: &str) -> Ir {
    let parsed = parse(source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    let findings = verify(&parsed.ir);
    assert!(findings.is_empty(), "{}", findings.list()[0]);
    parsed.ir
}

const NESTED: &str = r#"module {
  func.func @main(%x: tensor<1x1x2x2xf32>) -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi8, #int8.fix<3>>) {
    %q = int8.quantise %x : (tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xi8, #int8.fix<3>>
    %s:2 = func.call @part(%q) : (tensor<1x1x2x2xi8, #int8.fix<3>>) -> (tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>)
    %y = func.call @host(%s#0) : (tensor<1x1x2x2xi8, #int8.fix<3>>) -> tensor<1x1x2x2xf32>
    func.return %y, %s#1 : tensor<1x1x2x2xf32>, tensor<1x1x2x2xi8, #int8.fix<3>>
  }
  func.func @host(%x: tensor<1x1x2x2xi8, #int8.fix<3>>) -> tensor<1x1x2x2xf32> {
    %f = int8.dequantise %x : (tensor<1x1x2x2xi8, #int8.fix<3>>) -> tensor<1x1x2x2xf32>
    %r = nn.relu %f : tensor<1x1x2x2xf32>
    func.return %r : tensor<1x1x2x2xf32>
  }
  dpu.subgraph @part(%x: tensor<1x1x2x2xi8, #int8.fix<3>>) -> (tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>) attributes {target = "DPUCZDX8G_ISA1_B512"} {
    %up = dpu.upload %x {region = 2, address = 0, strides = [4, 4, 2, 1]} : tensor<1x1x2x2xi8, #int8.fix<3>>
    %k = dpu.parameter dense<[[[[8, -8], [16, 0]]]]> {region = 0, address = 0} : tensor<1x1x2x2xi8, #int8.fix<3>>
    %sum, %product = dpu.superlayer %up, %k {placements = [{region = 1, address = 0, strides = [4, 4, 2, 1]}, {region = 3, address = 0, strides = [4, 4, 2, 1]}]} {
      %a = int8.add %up, %k : tensor<1x1x2x2xi8, #int8.fix<3>>
      %b = int8.mul %a, %k : tensor<1x1x2x2xi8, #int8.fix<3>>
      dpu.yield %a, %b : tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>
    } : (tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>) -> (tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>)
    %down = dpu.download %product : tensor<1x1x2x2xi8, #int8.fix<3>>
    %down2 = dpu.download %sum : tensor<1x1x2x2xi8, #int8.fix<3>>
    dpu.return %down, %down2 : tensor<1x1x2x2xi8, #int8.fix<3>>, tensor<1x1x2x2xi8, #int8.fix<3>>
  }
}"#;

#[test]
fn subgraphs_are_transparent() {
    let ir = read(NESTED);
    let input = Tensor::from_f32(&[1, 1, 2, 2], vec![1.0, 2.0, -3.0, 0.0625]).unwrap();
    let mut seen = Vec::new();
    let outputs = evaluate(&ir, "main", &[input], &mut |op, _| seen.push(ir.op_name(op).to_owned())).unwrap();
    // Codes 8, 16, -24, 1 plus 8, -8, 16, 0; then times the same at fix point 3.
    assert_eq!(outputs[1], Tensor::from_i8(&[1, 1, 2, 2], vec![16, 8, -8, 1]).unwrap());
    assert_eq!(outputs[0], Tensor::from_f32(&[1, 1, 2, 2], vec![2.0, 0.0, 0.0, 0.0]).unwrap());
    let expected = [
        "int8.quantise",
        "dpu.upload",
        "dpu.parameter",
        "int8.add",
        "int8.mul",
        "dpu.download",
        "dpu.download",
        "int8.dequantise",
        "nn.relu",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_subgraph_is_evaluated_by_itself() {
    let ir = read(NESTED);
    let input = Tensor::from_i8(&[1, 1, 2, 2], vec![8, 16, -24, 1]).unwrap();
    let outputs = evaluate(&ir, "part", &[input], &mut |_, _| {}).unwrap();
    assert_eq!(outputs[1], Tensor::from_i8(&[1, 1, 2, 2], vec![16, 8, -8, 1]).unwrap());
}

const CUSTOM: &str = r#"module {
  func.func @main(%x: tensor<2xf32>, %unused: tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %a = nn.relu %x : tensor<2xf32>
    %b = nn.custom %a {type = "Mystery"} : (tensor<2xf32>) -> tensor<2xf32> loc("the mystery")
    %c = nn.add %a, %b : tensor<2xf32>
    %d = nn.tanh %x : tensor<2xf32>
    func.return %c, %d : tensor<2xf32>, tensor<2xf32>
  }
}"#;

fn pair(elements: [f32; 2]) -> Tensor {
    Tensor::from_f32(&[2], elements.to_vec()).unwrap()
}

fn value(ir: &Ir, name: &str) -> dpuc_dialects::ValueId {
    let ops = ir.walk(ir.root());
    let results = ops.iter().filter_map(|&op| ir.results(op).first().copied());
    results.into_iter().find(|&result| ir.value_name(result) == Some(name)).unwrap()
}

#[test]
fn an_unknown_operator_is_named() {
    let ir = read(CUSTOM);
    let inputs = [pair([-1.0, 2.0]), Tensor::from_f32(&[3], vec![0.0; 3]).unwrap()];
    let error = evaluate(&ir, "main", &inputs, &mut |_, _| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mystery: `nn.custom` of type `Mystery` has no evaluator: the operator is not known here; register a function for it, or give its result to the evaluator to go on behind it"
    );
    assert!(matches!(error, EvalError::Operation { problem, .. } if matches!(*problem, Problem::Custom(_))));
}

#[test]
fn a_given_value_replaces_what_computes_it() {
    let ir = read(CUSTOM);
    let evaluator = Evaluator::new(&ir).with_value(value(&ir, "b"), pair([10.0, 20.0]));
    let inputs = [pair([-1.0, 2.0]), Tensor::from_f32(&[3], vec![0.0; 3]).unwrap()];
    let mut count = 0;
    let outputs = evaluator.run("main", &inputs, &mut |_, _| count += 1).unwrap();
    assert_eq!(outputs[0], pair([10.0, 22.0]));
    assert_eq!(count, 3, "relu, add and tanh");
}

#[test]
fn only_what_is_wanted_is_evaluated() {
    let ir = read(CUSTOM);
    let (a, c) = (value(&ir, "a"), value(&ir, "c"));
    let evaluator = Evaluator::new(&ir).with_value(a, pair([1.0, 2.0])).with_value(value(&ir, "b"), pair([1.0, 1.0]));
    assert_eq!(evaluator.values("main", &[c, a], &mut |_, _| {}).unwrap(), [pair([2.0, 3.0]), pair([1.0, 2.0])]);
    let error = Evaluator::new(&ir).values("main", &[a], &mut |_, _| {}).unwrap_err();
    assert_eq!(error.to_string(), "the value `%x` is needed, but it is an argument and not given");
}

#[test]
fn wrong_inputs_are_explained() {
    let ir = read(CUSTOM);
    let error =
        |function: &str, inputs: &[Tensor]| evaluate(&ir, function, inputs, &mut |_, _| {}).unwrap_err().to_string();
    assert_eq!(error("absent", &[]), "no function `@absent` with a body is in the module");
    assert_eq!(error("main", &[]), "`@main` takes 2 inputs, but 0 are given");
    let wrong = [pair([0.0; 2]), Tensor::from_i8(&[3], vec![0; 3]).unwrap()];
    assert_eq!(error("main", &wrong), "input #1 of `@main` must be a tensor<3xf32>, but has shape [3] of i8");
}

#[test]
fn endless_calls_end() {
    let ir = read(
        "module { func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
            %y = func.call @main(%x) : (tensor<2xf32>) -> tensor<2xf32>
            func.return %y : tensor<2xf32> } }",
    );
    let error = evaluate(&ir, "main", &[pair([0.0; 2])], &mut |_, _| {}).unwrap_err();
    assert_eq!(error.to_string(), "calls are nested more than 64 deep at `@main`; functions must not call themselves");
}

#[test]
fn a_constant_that_is_not_there_is_named() {
    let ir = read(
        "module { func.func @main() -> tensor<2xf32> { %c = nn.constant @lost : tensor<2xf32> func.return %c : tensor<2xf32> } }",
    );
    let error = evaluate(&ir, "main", &[], &mut |_, _| {}).unwrap_err();
    assert_eq!(error.to_string(), "c: `nn.constant` refers to the constant `@lost`, which is not in the side file");
}

/// A result whose type disagrees, in a program that was not verified, is an error and not a wrong tensor.
#[test]
fn unverified_programs_are_caught() {
    let parsed = parse(
        "module { func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> { %y = nn.relu %x : (tensor<2xf32>) -> tensor<3xf32> func.return %y : tensor<3xf32> } }",
        &ParseOptions::default(),
    );
    assert!(!verify(&parsed.ir).is_empty());
    let error = evaluate(&parsed.ir, "main", &[pair([0.0; 2])], &mut |_, _| {}).unwrap_err();
    assert_eq!(error.to_string(), "y: `nn.relu` gives a result of shape [2], but its type is tensor<3xf32>");
}
