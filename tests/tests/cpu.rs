//! Samples with work for the CPU, end to end: DPU parts on the model, CPU parts as machine code, equal to the evaluator on the CPU parts and
//! to the whole network on the CPU.

use dpuc_evaluate::{CustomCall, Evaluator, Operators, Tensor};
use dpuc_runtime::{Host, Port, Session};
use dpuc_tests::{Fill, import, models, read};

/// The operators of the samples that the framework's user wrote.
fn operators() -> Operators {
    Operators::new().with("PPScatterV2", scatter).with("Mylayer", slopes)
}

/// Pillars `[1, c, n, 1]` to a map `[1, c, h, w]`, at their coordinates `[1, n, (b, z, y, x)]`.
fn scatter(call: &CustomCall<'_>) -> Result<Tensor, String> {
    let [Tensor::F32(pillars), Tensor::F32(places)] = call.inputs else {
        return Err("takes two tensors of floats".to_owned());
    };
    let shape = call.shape();
    let mut map = ndarray::ArrayD::<f32>::zeros(shape.clone());
    for pillar in 0..pillars.shape()[2] {
        let [y, x] = [2, 3].map(|axis| places[[0, pillar, axis]]);
        if y < 0.0 || x < 0.0 || y >= shape[2] as f32 || x >= shape[3] as f32 {
            return Err(format!("pillar {pillar} is at ({y}, {x}), outside of {shape:?}"));
        }
        for channel in 0..shape[1] {
            map[[0, channel, y as usize, x as usize]] = pillars[[0, channel, pillar, 0]];
        }
    }
    Ok(Tensor::F32(map))
}

/// A slope for each element below zero.
fn slopes(call: &CustomCall<'_>) -> Result<Tensor, String> {
    let [Tensor::F32(x), Tensor::F32(slopes)] = call.inputs else {
        return Err("takes two tensors of floats".to_owned());
    };
    let slopes = slopes.broadcast(x.shape()).ok_or("has slopes of another shape")?;
    let result = ndarray::Zip::from(x).and(slopes).map_collect(|&x, &slope| if x < 0.0 { slope * x } else { x });
    Ok(Tensor::F32(result))
}

/// Bytes for codes, small numbers for floats, and places on a map of 496 rows and 432 columns for four coordinates.
fn input(port: &Port) -> Tensor {
    let bytes = Fill::Random(5).bytes(port.elements());
    if port.fix_point.is_some() {
        return Tensor::from_i8(&port.shape, bytes).unwrap();
    }
    let number = |(at, &byte): (usize, &i8)| match at % 4 {
        _ if port.shape.last() != Some(&4) || port.shape.len() != 3 => f32::from(byte) / 16.0,
        2 => (at * 7 % 496) as f32,
        3 => (at * 13 % 432) as f32,
        _ => 0.0,
    };
    Tensor::from_f32(&port.shape, bytes.iter().enumerate().map(number).collect()).unwrap()
}

#[test]
fn parts_of_the_cpu_are_equal_compiled_and_evaluated() {
    let Some(models) = models() else { return };
    for sample in ["zero_dce", "pointpillars", "tf2_custom_op"] {
        let sample = format!("{sample}/compiled_b4096.xmodel");
        let graph = read(&models, &sample);
        let run = |host: Host| {
            let session = Session::on_host(&graph, host, &operators()).unwrap();
            let inputs = session.inputs().iter().map(input).collect();
            session.run(inputs).unwrap_or_else(|error| panic!("{sample}: {error}")).tensors
        };
        let (found, expected) = (run(Host::Compiled), run(Host::Reference));
        assert!(found == expected, "{sample}");
        // The whole network on the CPU gives the same results under the same names.
        let ir = import(&models, &sample);
        let options = dpuc_jit::Options { operators: operators(), ..dpuc_jit::Options::default() };
        let whole = dpuc_jit::compile(&ir, "main", &options).unwrap();
        let inputs: Vec<Tensor> = dpuc_runtime::function_inputs(&ir, "main").iter().map(input).collect();
        let results = whole.run(&inputs).unwrap();
        let reference = Evaluator::new(&ir).with_operators(operators());
        let evaluated = reference.run("main", &inputs, &mut |_, _| {}).unwrap();
        assert!(results == evaluated, "{sample} as a whole");
        for (port, result) in dpuc_runtime::function_outputs(&ir, "main").iter().zip(&results) {
            let found = found.iter().find(|(own, _)| own.name == port.name);
            let (_, found) = found.unwrap_or_else(|| panic!("{sample}: no tensor is called {}", port.name));
            assert!(found == result, "{sample}: {} differs from the whole network on the CPU", port.name);
        }
    }
}

#[test]
fn an_operator_that_nobody_supplies_is_named() {
    let Some(models) = models() else { return };
    let session = Session::new(&read(&models, "tf2_custom_op/compiled_b4096.xmodel")).unwrap();
    let inputs = session.inputs().iter().map(input).collect();
    let error = session.run(inputs).unwrap_err().to_string();
    assert!(error.contains("`Mylayer`") && error.contains("register a function"), "{error}");
}
