//! One network on several targets against the reference.

use dpuc_backend::{Options, compile};
use dpuc_dialects::Ir;
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Operators, Tensor, evaluate};
use dpuc_isa::Target;
use dpuc_runtime::bisect::{Expected, compare_subgraph};
use dpuc_runtime::{Host, Session};
use dpuc_tests::{Fill, inputs};
use dpuc_xmodel::{Attributed, Graph, GraphIndex};

use crate::failure::caught;

/// Compiles for every target and compares: the same bytes twice, no hazards, and outputs equal to the reference for random and extreme
/// inputs.
pub(crate) fn compare(ir: &Ir, targets: &[Target], seed: u64) -> Result<(), String> {
    let extreme = if seed.is_multiple_of(2) { -128 } else { 127 };
    let fills = [Fill::Random(seed), Fill::Constant(extreme)];
    let expected: Vec<Vec<Tensor>> = caught(|| {
        let run = |fill| evaluate(ir, "main", &inputs(ir, fill), &mut |_, _| {}).map_err(|error| error.to_string());
        fills.into_iter().map(run).collect::<Result<_, _>>()
    })??;
    let canonical = canonical(ir)?;
    for (fill, expected) in fills.iter().zip(&expected) {
        let found =
            evaluate(&canonical, "main", &inputs(ir, *fill), &mut |_, _| {}).map_err(|error| error.to_string())?;
        if found != *expected {
            return Err(format!("the canonical form computes something else for {fill:?}"));
        }
    }
    // Half of the targets compile the network as it is, the others as the command line does.
    targets.iter().zip([ir, &canonical].into_iter().cycle()).try_for_each(|(target, ir)| {
        let compared = caught(|| on_target(ir, target, &fills, &expected)).flatten();
        compared.map_err(|problem| format!("{}: {problem}", target.name))
    })
}

fn canonical(ir: &Ir) -> Result<Ir, String> {
    let mut canonical = ir.clone();
    caught(|| dpuc_passes::canonicalise(&mut canonical).map_err(|error| error.to_string()))??;
    match verify(&canonical).list().first() {
        Some(finding) => Err(format!("canonicalise: {finding}")),
        None => Ok(canonical),
    }
}

fn on_target(ir: &Ir, target: &Target, fills: &[Fill], expected: &[Vec<Tensor>]) -> Result<(), String> {
    let compiled = || {
        let compiled = compile(ir.clone(), target, &Options::default()).map_err(|error| error.to_string())?;
        dpuc_xmodel::write(&compiled.graph).map_err(|error| error.to_string())
    };
    let bytes = compiled()?;
    if bytes != compiled()? {
        return Err("compiling twice gives different files".to_owned());
    }
    let graph = dpuc_xmodel::read(&bytes).map_err(|error| error.to_string())?;
    let session = Session::on_host(&graph, Host::Reference, &Operators::new()).map_err(|error| error.to_string())?;
    for program in session.programs() {
        let report = dpuc_accel::check(&program.instructions, &program.target, 5);
        if !report.is_clean() {
            return Err(format!("check: {:#?}", report.findings));
        }
    }
    for (fill, expected) in fills.iter().zip(expected) {
        let inputs = inputs(ir, *fill);
        let given = session_inputs(&session, ir, &inputs)?;
        let outcome = session.run(given.clone()).map_err(|error| error.to_string())?;
        for (number, (name, expected)) in output_names(&graph)?.iter().zip(expected).enumerate() {
            let found = outcome.tensors.iter().find(|(port, _)| port.name == *name);
            let (_, found) = found.ok_or_else(|| format!("no output `{name}`"))?;
            if found != expected {
                let inside = bisect(&graph, &session, &given).unwrap_or_else(|error| format!("no bisection: {error}"));
                return Err(format!(
                    "output {number} `{name}` differs for {fill:?}: {}\n{inside}",
                    first_difference(found, expected)
                ));
            }
        }
    }
    Ok(())
}

/// The first difference, with its instructions.
fn bisect(graph: &Graph, session: &Session, inputs: &[Tensor]) -> Result<String, String> {
    let ir = dpuc_import::import_xmodel(graph).map_err(|error| error.to_string())?.ir;
    let inputs_of_file = graph.ops.iter().filter(|op| matches!(op.kind.as_str(), "data" | "data-fix"));
    let names: Vec<String> = inputs_of_file.map(|op| op.tensor.name.clone()).collect();
    let given =
        |name: &String| session.inputs().iter().position(|port| port.name == *name).map(|at| inputs[at].clone());
    let given = names.iter().filter_map(given).collect();
    let expected = Expected::evaluate(&ir, names, given).map_err(|error| error.to_string())?;
    let index = GraphIndex::new(graph);
    for view in index.dpu_subgraphs().map_err(|error| error.to_string())? {
        let compared = compare_subgraph(&index, &view, &expected).map_err(|error| error.to_string())?;
        if let Some(difference) = compared.difference {
            return Ok(format!("{difference:#?}"));
        }
    }
    Ok("no difference inside the DPU subgraphs".to_owned())
}

/// Names of the tensors the network returns, in order.
fn output_names(graph: &Graph) -> Result<Vec<String>, String> {
    let ops: &[String] = graph.attr("return_ops").map_err(|error| error.to_string())?;
    let tensor = |name: &String| graph.ops.iter().find(|op| op.name == *name).map(|op| op.tensor.name.clone());
    ops.iter().map(|name| tensor(name).ok_or_else(|| format!("no operator `{name}`"))).collect()
}

/// Inputs in the session's order, as signed bytes where it takes those.
fn session_inputs(session: &Session, ir: &Ir, inputs: &[Tensor]) -> Result<Vec<Tensor>, String> {
    let names: Vec<String> = dpuc_runtime::function_inputs(ir, "main").into_iter().map(|port| port.name).collect();
    let ports = session.inputs().iter();
    ports
        .map(|port| {
            let at = names.iter().position(|name| port.is_called(name));
            let input = &inputs[at.ok_or_else(|| format!("input `{}` is none of {names:?}", port.name))?];
            Ok(match (input, port.fix_point) {
                (Tensor::F32(values), Some(fix)) => {
                    let code =
                        |&value: &f32| (f64::from(value) * f64::from(fix).exp2() + 0.5).floor().clamp(-128.0, 127.0);
                    Tensor::I8(values.map(|value| code(value) as i8))
                }
                _ => input.clone(),
            })
        })
        .collect()
}

fn first_difference(found: &Tensor, expected: &Tensor) -> String {
    let (Some(found), Some(expected)) = (found.as_i8(), expected.as_i8()) else { return "floats".to_owned() };
    let wrong = found.indexed_iter().zip(expected).filter(|((_, found), expected)| found != expected);
    let count = wrong.clone().count();
    let first = wrong.map(|((index, found), expected)| format!("at {index:?} {found} instead of {expected}")).next();
    format!("{} ({count} of {} elements)", first.unwrap_or_default(), found.len())
}
