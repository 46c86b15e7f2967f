"""Whole quantised networks on one thread of this CPU: dpuc beside OpenVINO and ONNX Runtime.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/compare.py [NAME ...]

Every network becomes an ONNX model with QuantizeLinear / DequantizeLinear pairs that says the same numbers (power-of-two scales). Peers get it
with signed bytes and with unsigned bytes of zero point 128, and the faster one counts. All runs of a network are interleaved, so that a
busy machine slows all alike; the figure is the best of them. The largest difference between outputs is printed in steps of
the last quantisation: peers round ties to even and averages in floating point, so a few steps are no fault, many are.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], np.int8).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def nchw(shape):
    return [shape[0], shape[3], shape[1], shape[2]] if len(shape) == 4 else shape


class Model:
    """A network as an ONNX model; every value of the network is a float tensor behind a DequantizeLinear."""

    def __init__(self, network, constants, unsigned):
        self.nodes, self.initializers, self.inputs = [], [], []
        self.constants = constants
        self.byte = np.uint8 if unsigned else np.int8
        self.zero = self.initializer("zero", np.array(128 if unsigned else 0, self.byte))
        self.weight_zero = self.initializer("weight_zero", np.array(0, np.int8))
        self.bias_zero = self.initializer("bias_zero", np.array(0, np.int32))
        self.fix = {}
        for tensor in network["inputs"]:
            name, fix = tensor["name"], tensor["fix"]
            self.inputs.append(helper.make_tensor_value_info(f"{name}_in", TensorProto.FLOAT, nchw(tensor["shape"])))
            self.fix[name] = fix
            if fix is None:
                self.node("Identity", [f"{name}_in"], name)
            else:
                self.quantised(f"{name}_in", name, fix)
        for op in network["ops"]:
            self.fix[op["name"]] = op["fix"]
            getattr(self, op["op"].removeprefix("int8."))(op, op["attributes"])
        self.outputs = [f"{name}_out" for name in network["outputs"]]
        for name in network["outputs"]:
            self.node("Identity", [name], f"{name}_out")

    def save(self, path):
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "network", self.inputs, outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        onnx.save(model, path)

    def initializer(self, name, values):
        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def scale(self, exponent):
        name = f"scale_{exponent}"
        if all(entry.name != name for entry in self.initializers):
            self.initializer(name, np.array(2.0**-exponent, np.float32))
        return name

    def quantised(self, source, name, fix):
        parts = [self.scale(fix), self.zero]
        self.node("QuantizeLinear", [source, *parts], f"{name}_q")
        self.node("DequantizeLinear", [f"{name}_q", *parts], name)

    def constant(self, op, _):
        pass

    def activated(self, source, op, attributes):
        name, activation = op["name"], attributes["activation"]
        if activation == "relu":
            source = self.node("Relu", [source], f"{name}_act")
        elif activation == "relu6":
            limits = [self.initializer(f"{name}_{end}", np.array(end, np.float32)) for end in (0, 6)]
            source = self.node("Clip", [source, *limits], f"{name}_act")
        elif activation == "leaky_relu":
            source = self.node("LeakyRelu", [source], f"{name}_act", alpha=26 / 256)
        self.quantised(source, name, op["fix"])

    def convolution(self, op, attributes, weights, groups):
        name, inputs = op["name"], op["inputs"]
        weight_fix = self.fix[inputs[1]]
        self.initializer(f"{name}_wq", np.ascontiguousarray(weights))
        self.node("DequantizeLinear", [f"{name}_wq", self.scale(weight_fix), self.weight_zero], f"{name}_w")
        operands = [inputs[0], f"{name}_w"]
        if len(inputs) > 2:
            shift = self.fix[inputs[0]] + weight_fix - self.fix[inputs[2]]
            bias = np.floor(self.constants[inputs[2]].astype(np.float64) * 2.0**shift).astype(np.int32)
            self.initializer(f"{name}_bq", bias)
            parts = [self.scale(self.fix[inputs[0]] + weight_fix), self.bias_zero]
            operands.append(self.node("DequantizeLinear", [f"{name}_bq", *parts], f"{name}_b"))
        self.node(
            "Conv", operands, f"{name}_raw", group=groups, pads=attributes["pads"], strides=attributes["strides"],
            dilations=attributes["dilations"], kernel_shape=weights.shape[2:],
        )
        self.activated(f"{name}_raw", op, attributes)

    def conv2d(self, op, attributes):
        weights = self.constants[op["inputs"][1]].transpose(0, 3, 1, 2)
        self.convolution(op, attributes, weights, attributes["groups"])

    def depthwise_conv2d(self, op, attributes):
        weights = self.constants[op["inputs"][1]].transpose(3, 0, 1, 2)
        self.convolution(op, attributes, weights, weights.shape[0])

    def add(self, op, attributes):
        total = op["inputs"][0]
        for number, other in enumerate(op["inputs"][1:]):
            total = self.node("Add", [total, other], f"{op['name']}_sum{number}")
        self.activated(total, op, attributes)

    def concat(self, op, attributes):
        axis = [0, 2, 3, 1][attributes["axis"]] if len(op["shape"]) == 4 else attributes["axis"]
        self.node("Concat", op["inputs"], f"{op['name']}_raw", axis=axis)
        self.quantised(f"{op['name']}_raw", op["name"], op["fix"])

    def pool(self, kind, op, attributes, **more):
        self.node(
            kind, op["inputs"], f"{op['name']}_raw", kernel_shape=attributes["kernel"], strides=attributes["strides"],
            pads=attributes["pads"], **more,
        )
        self.quantised(f"{op['name']}_raw", op["name"], op["fix"])

    def max_pool(self, op, attributes):
        self.pool("MaxPool", op, attributes)

    def avg_pool(self, op, attributes):
        self.pool("AveragePool", op, attributes, count_include_pad=1)

    def upsample(self, op, attributes):
        scales = np.array([1, 1, *attributes["scale"]], np.float32)
        self.initializer(f"{op['name']}_scales", scales)
        self.node(
            "Resize", [op["inputs"][0], "", f"{op['name']}_scales"], f"{op['name']}_raw", mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )
        self.quantised(f"{op['name']}_raw", op["name"], op["fix"])

    def requantise(self, op, attributes):
        self.activated(op["inputs"][0], op, attributes)

    def reshape(self, op, _):
        shape = self.initializer(f"{op['name']}_shape", np.array(nchw(op["shape"]), np.int64))
        self.node("Reshape", [op["inputs"][0], shape], op["name"])

    def quantise(self, op, _):
        self.quantised(op["inputs"][0], op["name"], op["fix"])

    def dequantise(self, op, _):
        self.node("Identity", [op["inputs"][0]], op["name"])


def onnxruntime_runner(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return lambda inputs: session.run(None, dict(zip(names, inputs)))


def openvino_runner(path):
    core = openvino.Core()
    config = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(path), "CPU", config).create_infer_request()

    def run(inputs):
        result = request.infer(list(inputs), share_inputs=True, share_outputs=True)
        return [result[port] for port in range(len(request.model_outputs))]

    return run


def own_runner(binary, name):
    """One process of ours that runs the network once for each line it is sent."""
    process = subprocess.Popen([binary, "--serve", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(command):
        process.stdin.write(command + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    return run


def compare(binary, folder, name, rounds):
    network = json.loads((folder / f"{name}.json").read_text())
    constants = read_safetensors(folder / f"{name}.safetensors")
    random = np.random.default_rng(1)
    inputs = []
    for tensor in network["inputs"]:
        scale = 2.0 ** -(tensor["fix"] if tensor["fix"] is not None else 5)
        inputs.append(random.integers(-128, 128, tensor["shape"]).astype(np.float32) * np.float32(scale))
    peers = {}
    for number_form, unsigned in (("s8", False), ("u8", True)):
        path = str(folder / f"{name}_{number_form}.onnx")
        Model(network, constants, unsigned).save(path)
        peers[f"onnxruntime {number_form}"] = onnxruntime_runner(path)
        peers[f"openvino {number_form}"] = openvino_runner(path)
    transposed = [np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x for x in inputs]
    for number, values in enumerate(inputs):
        np.save(folder / f"{name}_input{number}.npy", values)
    own = own_runner(binary, name)
    given = own(f"inputs {' '.join(str(folder / f'{name}_input{i}.npy') for i in range(len(inputs)))} outputs {folder / name}")
    best = {peer: float("inf") for peer in (*peers, "dpuc")}
    outputs = {}
    for _ in range(rounds):
        best["dpuc"] = min(best["dpuc"], own("run")["seconds"])
        for peer, run in peers.items():
            start = time.perf_counter()
            outputs[peer] = run(transposed)
            best[peer] = min(best[peer], time.perf_counter() - start)
    difference = {}
    for peer, found in outputs.items():
        worst = 0.0
        for number, values in enumerate(found):
            values = values.transpose(0, 2, 3, 1) if values.ndim == 4 else values
            ours = np.load(folder / f"{name}_output{number}.npy")
            step = 2.0 ** -given["fix"][number]
            worst = max(worst, float(np.abs(values - ours).max() / step))
        difference[peer] = worst
    return best, difference


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks; all if none is named")
    parser.add_argument("--rounds", type=int, default=60, help="runs of each network on each runtime")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args()
    build = ["cargo", "build", "--release", "-q", "-p", "dpuc-benches", "--bin", "cpu_networks", "--message-format", "json"]
    built = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = (json.loads(line) for line in built.splitlines())
    binary = next(message["executable"] for message in messages if message.get("executable"))
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        subprocess.run([binary, "--export", str(folder)], check=True)
        names = arguments.names or sorted(path.stem for path in folder.glob("*.json"))
        for name in names:
            best, difference = compare(binary, folder, name, arguments.rounds)
            own = best.pop("dpuc")
            fastest = min(best, key=best.get)
            rows.append({"network": name, "dpuc": own, "peers": best, "fastest": fastest, "difference": difference, "ratio": best[fastest] / own})
            if not arguments.json:
                times = ", ".join(f"{peer} {1e3 * seconds:.2f} ms (±{difference[peer]:.0f})" for peer, seconds in best.items())
                print(f"{name}: dpuc {1e3 * own:.2f} ms; {times}; {best[fastest] / own:.2f} x the speed of {fastest}", flush=True)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
