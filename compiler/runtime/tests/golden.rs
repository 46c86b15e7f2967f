//! Compiled samples give AMD's golden outputs, part by part and as a whole.

use dpuc_evaluate::Tensor;
use dpuc_runtime::Session;
use dpuc_tests::{COMPILED, golden, models, read};

fn tensor(shape: &[usize], bytes: Vec<i8>) -> Tensor {
    Tensor::from_i8(shape, bytes).unwrap()
}

#[test]
fn every_subgraph_gives_its_golden_outputs() {
    let Some(models) = models() else { return };
    for sample in COMPILED {
        let session = Session::new(&read(&models, sample)).unwrap_or_else(|error| panic!("{sample}: {error}"));
        for program in session.programs() {
            let inputs: Vec<Tensor> = program
                .inputs
                .iter()
                .map(|placed| tensor(&placed.port.shape, golden(&models, sample, &format!("in:{}", placed.port.name))))
                .collect();
            let outcome =
                session.run_subgraph(&program.name, &inputs).unwrap_or_else(|error| panic!("{sample}: {error}"));
            assert!(!outcome.tensors.is_empty());
            for (port, found) in &outcome.tensors {
                let expected = tensor(&port.shape, golden(&models, sample, &format!("out:{}", port.name)));
                assert!(*found == expected, "{sample}, {}: {} differs", program.name, port.name);
            }
        }
    }
}

#[test]
fn networks_with_one_subgraph_give_golden_outputs_as_a_whole() {
    let Some(models) = models() else { return };
    for sample in COMPILED {
        let session = Session::new(&read(&models, sample)).unwrap();
        let [program] = &session.programs().collect::<Vec<_>>()[..] else { continue };
        let inputs = session
            .inputs()
            .iter()
            .map(|port| tensor(&port.shape, golden(&models, sample, &format!("in:{}", port.name))))
            .collect();
        let outcome = session.run(inputs).unwrap_or_else(|error| panic!("{sample}: {error}"));
        for placed in &program.outputs {
            let (port, found) = outcome.tensors.iter().find(|(port, _)| port.name == placed.port.name).unwrap();
            let expected = tensor(&port.shape, golden(&models, sample, &format!("out:{}", port.name)));
            assert!(*found == expected, "{sample}: {} differs", port.name);
        }
        assert!(
            outcome.tensors.len() > program.outputs.len(),
            "{sample}: the outputs of the network are there as well"
        );
    }
}

#[test]
fn wrong_inputs_are_refused() {
    let Some(models) = models() else { return };
    let session = Session::new(&read(&models, "mnist_cnn/compiled_b4096.xmodel")).unwrap();
    let wrong = session.run(vec![tensor(&[1, 28, 27, 1], vec![0; 756])]).unwrap_err();
    assert!(wrong.to_string().contains("[1, 28, 27, 1]"), "{wrong}");
    let missing = session.run(Vec::new()).unwrap_err();
    assert!(missing.to_string().contains("nothing has produced"), "{missing}");
    assert!(session.run_subgraph("absent", &[]).is_err());
    assert!(session.run_subgraph(&session.programs().next().unwrap().name.clone(), &[]).is_err());
}
