#!/usr/bin/env python3
"""Compares `dpuc run --device cpu` with ONNX Runtime, node by node, and with ONNX's own node tests.

    onnx_nodes.py models DPUC MODEL.onnx...        every value of every model
    onnx_nodes.py tests DPUC [PATTERN]             the tests of single operators in the installed package onnx
    onnx_nodes.py light DPUC                       onnx/backend/test/data/light of the installed package

`models` runs a model with random inputs, once as it is, where every named value is compared with the tensor of that name in ONNX Runtime, and
once as a user would run it, with constants folded into layers, where the outputs are compared. The error of a value is the largest absolute
difference divided by the largest absolute value ONNX Runtime gives, or by SMALLEST if that is less; above TOLERANCE the command fails. `tests` counts ONNX's tests of
operators that pass, and says of every other one why not. Needs numpy, onnx and onnxruntime.
"""

import argparse
import collections
import fnmatch
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.backend.test
import onnx.backend.test.case.node
import onnxruntime
from onnx import numpy_helper

TOLERANCE = 1e-4
# ONNX Runtime approximates sigmoids with an absolute error of about 1e-7.
SMALLEST = 1e-2
# Quantised models run in integers as on the hardware, which rounds ties up and ONNX Runtime to even: outputs differ by a few of their steps.
STEPS = 4
DATA = os.path.join(os.path.dirname(onnx.backend.test.__file__), "data")


def dpuc(binary, model, feeds, folder, *options):
    """Runs a model; the summary of its outputs, or the reason why not."""
    inputs = []
    for number, (name, array) in enumerate(feeds.items()):
        file = os.path.join(folder, f"in{number}.npy")
        np.save(file, np.ascontiguousarray(array.astype(np.float32)))
        inputs.append(f"{name}={file}")
    command = [binary, "run", model, "--device", "cpu", "-o", os.path.join(folder, "out"), "--json", *options]
    if inputs:
        command += ["--input", *inputs]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.splitlines()
        first = next((number for number, line in enumerate(lines) if line.startswith("error")), 0)
        return None, "\n".join(lines[first:])
    return json.loads(done.stdout)["outputs"], ""


def error(found, expected):
    """The largest difference relative to the largest value; infinite for other shapes."""
    if found.shape != expected.shape:
        return np.inf
    if expected.size == 0:
        return 0.0
    expected = expected.astype(np.float64)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    difference = np.where(same, 0.0, np.abs(found - expected))
    finite = np.abs(expected[np.isfinite(expected)])
    return float(difference.max() / max(finite.max(initial=0.0), SMALLEST))


def in_any_order(found, expected):
    """The array in the framework's order: maps are dumped with their channels last."""
    candidates = [found]
    if found.ndim > 2:
        candidates.append(np.moveaxis(found, -1, 1))
    return min((error(candidate, expected) for candidate in candidates), default=np.inf)


def random_feeds(model, generator):
    """Standard normal numbers, or small whole ones, for the inputs that are no initialisers."""
    known = {tensor.name for tensor in model.graph.initializer}
    feeds = {}
    for value in model.graph.input:
        if value.name in known:
            continue
        shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        random = generator.standard_normal(shape) if np.issubdtype(dtype, np.floating) else generator.integers(0, 2, shape)
        feeds[value.name] = random.astype(dtype)
    return feeds


def all_values(model):
    """The model with every value of a node as an output."""
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    present = {output.name for output in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in present:
                extended.graph.output.append(onnx.ValueInfoProto(name=name))
                present.add(name)
    return extended


def last_scale(model):
    """The step of the last quantisation of a model."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    constants.update({node.output[0]: node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"})
    scales = [node.input[1] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    return float(numpy_helper.to_array(constants[scales[-1]]))


def compare_model(binary, path):
    """One line of the table; whether the model is within the tolerance."""
    model = onnx.load(path)
    feeds = random_feeds(model, np.random.default_rng(0))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    extended = all_values(model)
    session = onnxruntime.InferenceSession(extended.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    expected = dict(zip(names, session.run(names, feeds)))
    label = os.path.basename(path)
    quantised = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    with tempfile.TemporaryDirectory() as folder:
        outputs, reason = ([], "") if quantised else dpuc(binary, path, feeds, folder, "--dump")
        if outputs is None:
            print(f"{label:44} FAILED: {reason.splitlines()[0] if reason else ''}")
            return False
        worst, where, compared = 0.0, "", 0
        for output in outputs:
            if output["name"] in expected:
                compared += 1
                found = in_any_order(np.load(output["file"]), expected[output["name"]])
                if found > worst or not np.isfinite(found):
                    worst, where = found, output["name"]
        outputs, reason = dpuc(binary, path, feeds, folder)
        if outputs is None:
            print(f"{label:44} FAILED when folded: {reason.splitlines()[0] if reason else ''}")
            return False
        results = [expected[output.name] for output in model.graph.output]
        folded = max(error(np.load(own["file"]), result) for own, result in zip(outputs, results))
        absolute = max(float(np.abs(np.load(own["file"]) - result).max()) for own, result in zip(outputs, results))
    passed = absolute <= STEPS * last_scale(model) if quantised else worst <= TOLERANCE and folded <= TOLERANCE and compared > 0
    print(f"{label:44} {compared:5} values, worst {worst:8.1e} {where[:32]:32} outputs {folded:8.1e} (absolute {absolute:8.1e})"
          f" {'ok' if passed else 'FAILED'}", flush=True)
    return passed


def numeric(arrays):
    """Whether all are tensors of numbers."""
    return all(isinstance(array, (np.ndarray, np.generic)) and np.asarray(array).dtype.kind in "fiub" for array in arrays)


def run_case(binary, model, path, feeds, expected, folder):
    """Whether the outputs are those expected, and if not, why."""
    onnx.save(model, path)
    outputs, reason = dpuc(binary, path, feeds, folder)
    if outputs is None:
        lines = [line.strip() for line in reason.splitlines()]
        return False, " ".join(lines)[:300]
    for own, wanted in zip(outputs, expected):
        found = np.load(own["file"])
        if found.shape != wanted.shape:
            return False, f"WRONG shape {found.shape} instead of {wanted.shape}"
        wanted = wanted.astype(np.float64)
        if not np.allclose(found, wanted, rtol=1e-3, atol=1e-5, equal_nan=True):
            return False, f"WRONG by {error(found, wanted):.1e}"
    return True, ""


def constant_case(model, feeds):
    """The model with all inputs but the first as constants, as exporters write weights, shapes and scales."""
    constant = onnx.ModelProto()
    constant.CopyFrom(model)
    for value in list(constant.graph.input)[1:]:
        if value.name in feeds:
            constant.graph.initializer.append(numpy_helper.from_array(feeds[value.name], value.name))
            constant.graph.input.remove(value)
    first = model.graph.input[0].name
    return constant, {name: array for name, array in feeds.items() if name == first}


def node_tests(binary, pattern):
    """Runs ONNX's tests of single operators; fails if a result is wrong."""
    counts = collections.Counter()
    reasons = collections.defaultdict(list)
    for case in sorted(onnx.backend.test.case.node.collect_testcases(None), key=lambda case: case.name):
        name, model = case.name, case.model
        if not fnmatch.fnmatch(name, pattern):
            continue
        given, expected = case.data_sets[0]
        if not numeric(given) or not numeric(expected):
            counts["of no tensors of numbers"] += 1
            continue
        feeds = {value.name: array for value, array in zip(model.graph.input, given)}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            passed, reason = run_case(binary, model, path, feeds, expected, folder)
            way = "as it is"
            if not passed and len(feeds) > 1:
                again, rest = constant_case(model, feeds)
                passed, second = run_case(binary, again, path, rest, expected, folder)
                way, reason = "with its inputs but the first constant", second
        if passed:
            counts[f"passed {way}"] += 1
        elif "WRONG" in reason or "panicked" in reason:
            counts["WRONG"] += 1
            reasons["WRONG"].append(f"{name}: {reason}")
        else:
            kinds = ",".join(sorted({node.op_type for node in model.graph.node}))
            unknown = "the operator is not supported" in reason
            counts["of operators that are not supported" if unknown else "refused"] += 1
            reasons["not supported" if unknown else "refused"].append(f"{name} [{kinds}]: {'' if unknown else reason}")
    for kind in ("refused", "not supported", "WRONG"):
        print(f"\n{kind}:")
        if kind == "not supported":
            operators = collections.Counter(text.split("[")[1].split("]")[0] for text in reasons[kind])
            print("  " + ", ".join(f"{name} {count}" for name, count in sorted(operators.items())))
        else:
            print("\n".join(f"  {text}" for text in reasons[kind]))
    print()
    for kind, count in sorted(counts.items()):
        print(f"{count:5} {kind}")
    return counts["WRONG"] == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["models", "tests", "light"])
    parser.add_argument("dpuc")
    parser.add_argument("rest", nargs="*")
    arguments = parser.parse_args()
    if arguments.what == "tests":
        passed = node_tests(arguments.dpuc, arguments.rest[0] if arguments.rest else "test_*")
    else:
        light = os.path.join(DATA, "light")
        files = arguments.rest
        if arguments.what == "light":
            files = sorted(os.path.join(light, name) for name in os.listdir(light) if name.endswith(".onnx"))
        passed = all([compare_model(arguments.dpuc, file) for file in files])
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
