#!/usr/bin/env python3
"""The whole way of ONNX models at the command line, at full size: quantise, compile, run, compare with the reference.

    onnx_flow.py DPUC CALIBRATION_DIR [--no-reference] MODEL.onnx...

Each model is quantised with the first SAMPLES samples of the folder (models with QuantizeLinear are taken as they are), its
`NAME_int.xmodel` compiled for every target of TARGETS, and the program run on the accelerator model with random inputs, and with such that
every code is the least or the greatest one. The outputs are compared, to the bit, with those of the quantised network on the CPU as machine
code, and for random inputs with those of the plain reference, which takes minutes for networks of some GMAC; `--no-reference` leaves it out.
The networks that `make_random_nets.py` of the shared folder writes are models like others. Needs numpy and onnx.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

SAMPLES = 4
# Pictures of any size become numbers from -1 to 1: it is not accuracy that is looked at.
IMAGES = ["--fit", "stretch", "--mean", "128", "--scale", "0.0078125"]
TARGETS = ["DPUCZDX8G_ISA1_B4096", "DPUCZDX8G_ISA1_B1024"]


class Failure(Exception):
    pass


def dpuc(binary, *arguments):
    """Runs a command that must succeed; its output and the seconds it took."""
    start = time.monotonic()
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout, time.monotonic() - start


def run(binary, model, feed, folder, *options):
    """The outputs of a run, in order."""
    text, _ = dpuc(binary, "run", model, "--input", feed, "-o", folder, "--json", *options)
    return [np.load(output["file"]) for output in json.loads(text)["outputs"]]


def same(found, expected):
    """Codes are equal, floats up to the last bits of a softmax or sigmoid, which the packed kernels compute in another order."""
    if found.dtype == np.int8:
        return np.array_equal(found, expected)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-6, atol=1e-6)


def feeds(model, folder):
    """Files with random numbers, and with numbers beyond the least and the greatest code."""
    known = {tensor.name for tensor in model.graph.initializer}
    (value,) = [value for value in model.graph.input if value.name not in known]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    random = np.random.default_rng(0).uniform(-2, 2, shape)
    for name, array in [("random", random), ("least", np.full(shape, -1e6)), ("greatest", np.full(shape, 1e6))]:
        file = os.path.join(folder, f"{name}.npy")
        np.save(file, array.astype(np.float32))
        yield name, file


def check(binary, images, path, with_reference, folder):
    """Prints one line of the table."""
    name = os.path.splitext(os.path.basename(path))[0]
    model = onnx.load(path)
    quantised, seconds = path, 0.0
    if all(node.op_type != "QuantizeLinear" for node in model.graph.node):
        options = ["--input", images, "--samples", SAMPLES, "-o", folder, *IMAGES]
        _, seconds = dpuc(binary, "quantise", path, *options)
        quantised = os.path.join(folder, f"{name}_int.xmodel")
    print(f"{name:<32} {seconds:9.1f}", end="", flush=True)
    inputs = list(feeds(model, folder))
    expected = {feed: run(binary, quantised, file, folder, "--device", "cpu") for feed, file in inputs}
    wrong = []
    if with_reference:
        reference = run(binary, quantised, inputs[0][1], folder, "--device", "reference")
        if not all(map(same, expected["random"], reference)):
            wrong.append("CPU")
    for target in TARGETS:
        text, seconds = dpuc(binary, "compile", quantised, "--arch", target, "-o", folder, "-n", target, "--json")
        devices = [operation["device"] for operation in json.loads(text)["operations"]]
        print(f" {seconds:9.1f} {devices.count('DPU'):5}+{devices.count('CPU'):<3}", end="", flush=True)
        program = os.path.join(folder, f"{target}.xmodel")
        for feed, file in inputs:
            found = run(binary, program, file, folder, "--check")
            # Tensors that leave the DPU inside the network follow the outputs.
            if not all(map(same, found, expected[feed])):
                wrong.append(f"{target} {feed}")
    if wrong:
        raise Failure("differs: " + ", ".join(wrong))
    print("  equal", flush=True)


def main(arguments):
    with_reference = "--no-reference" not in arguments
    binary, images, *models = [argument for argument in arguments if argument != "--no-reference"]
    heads = "".join(f" {'compile s':>9} {'DPU+CPU':>9}" for _ in TARGETS)
    print(f"{'model':<32} {'quant. s':>9}{heads}   for {', '.join(TARGETS)}")
    failures = 0
    for path in models:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(binary, images, path, with_reference, folder)
            except Failure as failure:
                failures += 1
                print(f"  {failure}", flush=True)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
