//! Random modules: what is printed reads back as the same module.

use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Attribute, Ir, LocationKind, OpBuilder, ValueId};
use proptest::prelude::*;

/// One step that adds an operation; the numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Relu(usize, String),
    Add(usize, usize),
    Fix(usize, i64),
    Constant(Vec<f32>),
    Reshape(usize),
    Quantise(usize, i32),
    Concat(Vec<usize>),
    Custom(usize, String, i64),
    NewFunction(String),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || "[a-zA-Z0-9_.$ /-]{0,6}";
    prop_oneof![
        (any::<usize>(), name()).prop_map(|(x, name)| Step::Relu(x, name)),
        (any::<usize>(), any::<usize>()).prop_map(|(x, y)| Step::Add(x, y)),
        (any::<usize>(), -64i64..=64).prop_map(|(x, p)| Step::Fix(x, p)),
        prop::collection::vec(-1e30f32..1e30, 4).prop_map(Step::Constant),
        any::<usize>().prop_map(Step::Reshape),
        (any::<usize>(), -20i32..20).prop_map(|(x, p)| Step::Quantise(x, p)),
        prop::collection::vec(any::<usize>(), 1..4).prop_map(Step::Concat),
        (any::<usize>(), "\\PC{0,8}", any::<i64>()).prop_map(|(x, s, n)| Step::Custom(x, s, n)),
        "[a-z]{1,4}".prop_map(Step::NewFunction),
    ]
}

fn module(steps: &[Step]) -> Ir {
    let mut ir = Ir::new();
    let ty = ir.float_tensor(&[1, 4]);
    let body = ir.body();
    let mut number = 0;
    let mut open = |ir: &mut Ir, name: &str| {
        number += 1;
        let function = func::build(ir, body, &format!("{name}_{number}"), &[("x", ty), ("", ty)], &[ty]);
        let entry = func::entry(ir, function);
        (entry, ir.arguments(entry).to_vec())
    };
    let (mut entry, mut values) = open(&mut ir, "f");
    let pick = |values: &[ValueId], n: usize| values[n % values.len()];
    for step in steps {
        let value = match step {
            Step::Relu(x, name) => {
                let location = ir.location(LocationKind::Name(name.as_str().into(), None));
                let op = OpBuilder::new(&nn::RELU).at(location).operands([pick(&values, *x)]).result(ty, name);
                let op = op.append(&mut ir, entry);
                ir.result(op)
            }
            Step::Add(x, y) => {
                let operands = [pick(&values, *x), pick(&values, *y)];
                let op = OpBuilder::new(&nn::ADD).operands(operands).result(ty, "sum").append(&mut ir, entry);
                ir.result(op)
            }
            Step::Fix(x, point) => {
                let op = OpBuilder::new(&nn::FIX)
                    .operands([pick(&values, *x)])
                    .attribute("fix_point", Attribute::int(*point))
                    .result(ty, "fix")
                    .append(&mut ir, entry);
                ir.result(op)
            }
            Step::Constant(elements) => {
                let elements: Vec<f64> = elements.iter().map(|&value| f64::from(value)).collect();
                let dense =
                    dpuc_dialects::Dense { ty, elements: dpuc_dialects::DenseElements::Floats(elements.into()) };
                let op = OpBuilder::new(&nn::CONSTANT)
                    .attribute("value", Attribute::Dense(dense))
                    .result(ty, "")
                    .append(&mut ir, entry);
                ir.result(op)
            }
            Step::Reshape(x) => {
                let square = ir.float_tensor(&[2, 2]);
                let op = OpBuilder::new(&nn::RESHAPE).operands([pick(&values, *x)]).result(square, "sq");
                let op = op.append(&mut ir, entry);
                let back = OpBuilder::new(&nn::RESHAPE).operands([ir.result(op)]).result(ty, "").append(&mut ir, entry);
                ir.result(back)
            }
            Step::Quantise(x, point) => {
                let fixed = ir.fix_tensor(&[1, 4], *point);
                let op = OpBuilder::new(&int8::QUANTISE).operands([pick(&values, *x)]).result(fixed, "q");
                let op = op.append(&mut ir, entry);
                let operand = ir.result(op);
                let back = OpBuilder::new(&int8::DEQUANTISE).operands([operand]).result(ty, "").append(&mut ir, entry);
                ir.result(back)
            }
            Step::Concat(xs) => {
                let wide = ir.float_tensor(&[1, 4 * xs.len()]);
                let operands: Vec<_> = xs.iter().map(|&x| pick(&values, x)).collect();
                OpBuilder::new(&nn::CONCAT)
                    .operands(operands)
                    .attribute("axis", Attribute::int(1))
                    .result(wide, "wide")
                    .append(&mut ir, entry);
                continue;
            }
            Step::Custom(x, text, number) => {
                let key = ir.name("a key");
                let parameters = [(key, Attribute::string(text.as_str())), (ir.name("n"), Attribute::int(*number))];
                let op = OpBuilder::new(&nn::CUSTOM)
                    .operands([pick(&values, *x)])
                    .attribute("type", Attribute::string(text.as_str()))
                    .attribute("parameters", Attribute::Dictionary(parameters.into()))
                    .result(ty, "sum")
                    .append(&mut ir, entry);
                ir.result(op)
            }
            Step::NewFunction(name) => {
                OpBuilder::new(&func::RETURN).operands([values[values.len() - 1]]).append(&mut ir, entry);
                (entry, values) = open(&mut ir, name);
                continue;
            }
        };
        values.push(value);
    }
    OpBuilder::new(&func::RETURN).operands([values[values.len() - 1]]).append(&mut ir, entry);
    ir
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_reading_are_inverse(steps in prop::collection::vec(step(), 0..20), generic: bool, locations: bool) {
        let ir = module(&steps);
        prop_assert!(verify(&ir).is_empty(), "{:#?}", verify(&ir).list());
        let options = PrintOptions { generic, locations };
        let text = print(&ir, options);
        let again = parse(&text, &ParseOptions::default());
        prop_assert!(again.is_ok(), "{}\n{:#?}", text, again.diagnostics);
        prop_assert!(verify(&again.ir).is_empty());
        prop_assert_eq!(print(&again.ir, options), text);
    }
}
