//! The rewriter's records, the greedy driver, and pipelines.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{func, nn};
use dpuc_dialects::pass::{
    OptionInfo, Pass, PassError, PassFailure, PassInfo, PassManager, PassOptions, PassRegistry, parse_pipeline,
};
use dpuc_dialects::rewrite::{Event, Pattern, Patterns, Rewriter, apply, apply_with_budget};
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::{Ir, OpBuilder, OpId, ValueId};

fn module(body: &str) -> Ir {
    let source = format!(
        "module {{\n  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {{\n{body}\n    func.return %out : tensor<4xf32>\n  }}\n}}\n"
    );
    let parsed = parse(&source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    parsed.ir
}

fn text(ir: &Ir) -> String {
    print(ir, PrintOptions::default())
}

/// relu(relu(x)) = relu(x)
struct ReluOfRelu;

impl Pattern for ReluOfRelu {
    const NAME: &'static str = "relu-of-relu";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        &nn::RELU
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        let input = ir.operand(op, 0);
        ir.is(ir.defining_op(input)?, &nn::RELU).then_some(input)
    }

    fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.replace(op, &[input]);
    }
}

/// Turns an operation with one operand into another.
struct Swap<const TO_TANH: bool>;

impl<const TO_TANH: bool> Pattern for Swap<TO_TANH> {
    const NAME: &'static str = if TO_TANH { "sigmoid-to-tanh" } else { "tanh-to-sigmoid" };
    type Match = ();

    fn root(&self) -> &'static OpDefinition {
        if TO_TANH { &nn::SIGMOID } else { &nn::TANH }
    }

    fn matches(&self, _: &Ir, _: OpId) -> Option<()> {
        Some(())
    }

    fn rewrite(&self, (): (), op: OpId, rewriter: &mut Rewriter<'_>) {
        let (operand, result) = (rewriter.ir().operand(op, 0), rewriter.ir().result(op));
        let ty = rewriter.ir().value_type(result);
        let kind = if TO_TANH { &nn::TANH } else { &nn::SIGMOID };
        let new = rewriter.insert(OpBuilder::new(kind).operands([operand]).result(ty, ""));
        let value = rewriter.ir().result(new);
        rewriter.replace(op, &[value]);
    }
}

#[test]
fn patterns_apply_until_none_matches() {
    let mut ir = module(
        "    %a = nn.relu %x : tensor<4xf32>\n    %b = nn.relu %a : tensor<4xf32>\n    %out = nn.relu %b : tensor<4xf32>",
    );
    let root = ir.root();
    let summary = apply(&mut ir, root, &Patterns::new().with(ReluOfRelu)).unwrap();
    assert_eq!(summary.applications(), [("relu-of-relu", 2)]);
    assert!(summary.changed());
    let expected = module("    %out = nn.relu %x : tensor<4xf32>");
    // The surviving value keeps its own name.
    assert_eq!(text(&ir), text(&expected).replace("%out", "%a"));
    assert!(!apply(&mut ir, root, &Patterns::new().with(ReluOfRelu)).unwrap().changed());
}

#[test]
fn a_new_value_inherits_name_and_location() {
    let mut ir = module("    %out = nn.sigmoid %x : tensor<4xf32>");
    let root = ir.root();
    let summary = apply(&mut ir, root, &Patterns::new().with(Swap::<true>)).unwrap();
    assert_eq!((summary.inserted, summary.applications()), (1, &[("sigmoid-to-tanh", 1)][..]));
    assert_eq!(text(&ir), text(&module("    %out = nn.tanh %x : tensor<4xf32>")));
    let located = print(&ir, PrintOptions { locations: true, ..PrintOptions::default() });
    assert!(located.contains("%out = nn.tanh %x : tensor<4xf32> loc(\"\":3:5)"), "{located}");
}

#[test]
fn patterns_that_fight_are_named() {
    let mut ir = module("    %out = nn.sigmoid %x : tensor<4xf32>");
    let root = ir.root();
    let patterns = Patterns::new().with(Swap::<true>).with(Swap::<false>);
    let error = apply_with_budget(&mut ir, root, &patterns, 100).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rewriting did not come to rest after 101 applications; the last ones were tanh-to-sigmoid, sigmoid-to-tanh"
    );
}

#[test]
fn unused_pure_operations_go() {
    let mut ir = module(
        "    %unused = nn.add %x, %x : tensor<4xf32>\n    %also = nn.relu %unused : tensor<4xf32>\n    %out = nn.tanh %x : tensor<4xf32>",
    );
    let root = ir.root();
    let summary = apply(&mut ir, root, &Patterns::new()).unwrap();
    assert_eq!(summary.removed, 2);
    assert_eq!(text(&ir), text(&module("    %out = nn.tanh %x : tensor<4xf32>")));
}

#[test]
fn the_rewriter_records_every_change() {
    let mut ir = module("    %a = nn.relu %x : tensor<4xf32>\n    %out = nn.relu %a : tensor<4xf32>");
    let function = ir.find_symbol("main").unwrap();
    let ops: Vec<OpId> = ir.ops(func::entry(&ir, function)).collect();
    let input = ir.operand(ops[1], 0);
    let mut rewriter = Rewriter::new(&mut ir, ops[1]);
    rewriter.replace(ops[1], &[input]);
    // The user of the replaced value, what fed the erased operation, and the erased operation itself.
    assert_eq!(rewriter.events(), [Event::Modified(ops[2]), Event::Modified(ops[0]), Event::Erased(ops[1])]);
}

#[derive(Debug)]
struct Rename(String);

impl Pass for Rename {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        let function = ir.find_symbol("main").ok_or_else(|| PassError::Other("there is no @main".to_owned()))?;
        ir.set_attribute(function, "sym_name", dpuc_dialects::Attribute::string(self.0.as_str()));
        Ok(())
    }
}

#[derive(Debug)]
struct Break;

impl Pass for Break {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        let body = ir.body();
        let function = ir.ops(body).next().ok_or_else(|| PassError::Other("empty".to_owned()))?;
        ir.remove_attribute(function, "function_type");
        Ok(())
    }
}

fn registry() -> PassRegistry {
    const TO: OptionInfo = OptionInfo { name: "to", default: Some("renamed"), doc: "the new name" };
    const MUST: OptionInfo = OptionInfo { name: "must", default: None, doc: "anything" };
    PassRegistry::new().with(&[
        PassInfo {
            name: "rename",
            summary: "Renames @main.",
            options: &[TO],
            create: |options: &PassOptions| Ok(Box::new(Rename(options.text("to").to_owned()))),
        },
        PassInfo { name: "break", summary: "Breaks it.", options: &[], create: |_| Ok(Box::new(Break)) },
        PassInfo {
            name: "picky",
            summary: "Needs a number.",
            options: &[MUST],
            create: |options| options.get::<u8>("must").map(|_| Box::new(Break) as Box<dyn Pass>),
        },
    ])
}

#[test]
fn pipelines_run_and_report() {
    let passes = parse_pipeline("rename{to=first}, rename{}", &registry());
    let mut manager = PassManager::new(passes.unwrap());
    manager.detect_changes = true;
    let mut ir = module("    %out = nn.relu %x : tensor<4xf32>");
    let mut changes = Vec::new();
    let failure = manager.run(&mut ir, |event| changes.push((event.pass.name, event.changed))).unwrap_err();
    assert_eq!(changes, [("rename", Some(true))]);
    assert_eq!(failure.to_string(), "the pass `rename` failed: there is no @main");
    assert!(ir.find_symbol("first").is_some());
}

#[test]
fn an_invalid_result_names_its_pass() {
    let manager = PassManager::new(parse_pipeline("rename,break", &registry()).unwrap());
    let mut ir = module("    %out = nn.relu %x : tensor<4xf32>");
    let failure = manager.run(&mut ir, |_| {}).unwrap_err();
    assert!(matches!(failure, PassFailure::Invalid { after: Some("break"), .. }), "{failure}");
}

#[test]
fn wrong_pipelines_are_explained() {
    let text = "renam, rename{too=3}, picky, picky{must=1000}, rename{to}, rename{to=a to=b}, rename{to=a";
    let diagnostics = parse_pipeline(text, &registry()).unwrap_err();
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|d| {
            let place = &text[d.span.start as usize..d.span.end as usize];
            format!("{place} | {} | {}", d.message, d.hint.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "renam | no pass is called `renam` | did you mean `rename`?",
            "too=3 | the pass `rename` has no option `too` | did you mean `to`?",
            "picky | the pass `picky` needs the option `must` | write `picky{must=…}`: anything",
            "picky{must=1000} | `1000` is no value for the option `must` | -",
            "to | `to` is not of the form `option=value` | -",
            "to=b | the option `to` is given twice | -",
            "rename{to=a | the options' `{` has no `}` | -",
        ]
    );
    assert!(parse_pipeline("", &registry()).unwrap().is_empty());
}
