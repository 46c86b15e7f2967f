#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.31.1", "pillow==13.0.0", "safetensors==0.8.0"]
# ///
"""Quantise the land-cover U-Net and write it as `int8` dialect text.

usage: make_unet_512.py SHARED [OUT]

SHARED holds `models/onnx/unet_landcover_512.onnx` and `data/landcover/`; OUT (default: the folder of this script) receives the module, its
weights, one test scene and the classes the float network gives for it.

Every tensor gets one power-of-two scale, its position p: value = code * 2**-p, codes -128..127. Weights, biases and the float activations of
three calibration scenes choose it, each by the least squared error. The two inputs of a concatenation share the coarser of their positions,
so that both can be written in place. The layout becomes NHWC, weights OHWI; those of transposed convolutions are stored spatially flipped.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image
from safetensors.numpy import save_file

MODULE = "unet_512"
IMAGE = "image"
IMAGE_POSITION = 7
"""The network takes `pixel / 128 - 1`, so `pixel - 128` is the exact code at 7."""
CALIBRATION = ["calib_000", "calib_007", "calib_019"]
SCENE = "test_003"
SEARCH = 4
"""Positions tried beyond the largest that does not saturate."""
BIAS_SHIFT = range(0, 15)
"""Bias to accumulator, in the range of every target's shifter."""


def codes(values: np.ndarray, position: int) -> np.ndarray:
    return np.clip(np.floor(np.ldexp(values.astype(np.float64), position) + 0.5), -128, 127)


def position_of(values: np.ndarray) -> int:
    """The position of least squared error."""
    largest = max(float(values.max()) / 127.5, float(-values.min()) / 128.5)
    first = int(np.floor(-np.log2(largest)))
    error = lambda position: float(np.square(np.ldexp(codes(values, position), -position) - values).sum())  # noqa: E731
    return min(range(first, first + SEARCH), key=error)


def pixels(path: Path) -> np.ndarray:
    """A scene as the float network takes it, NCHW."""
    return (np.asarray(Image.open(path), np.float32) / 128 - 1).transpose(2, 0, 1)[None]


def activations(path: Path, scenes: list[Path]) -> dict[str, np.ndarray]:
    """A sixteenth of the float values of every tensor, over all scenes."""
    model = onnx.load(path)
    names = [name for node in model.graph.node for name in node.output]
    outputs = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    runs = [session.run(names, {"input": pixels(scene)}) for scene in scenes]
    return {name: np.concatenate([run[i].ravel()[::16] for run in runs]) for i, name in enumerate(names)}


def positions(graph: onnx.GraphProto, observed: dict[str, np.ndarray]) -> dict[str, int]:
    """The position of every tensor that is kept: what precedes a ReLU is not."""
    chosen = {"input": IMAGE_POSITION}
    for node in graph.node:
        chosen[node.output[0]] = position_of(observed[node.output[0]])
    for node in graph.node:
        if node.op_type == "Concat":
            common = min(chosen[name] for name in node.input)
            chosen |= {name: common for name in [*node.input, node.output[0]]}
    for node in graph.node:
        if node.op_type == "MaxPool":
            chosen[node.output[0]] = chosen[node.input[0]]
    return chosen


def fix_type(shape: tuple[int, ...], position: int) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xi8, #int8.fix<{position}>>"


class Module:
    """The text and the weights, operation by operation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.weights: dict[str, np.ndarray] = {}
        self.types: dict[str, str] = {}

    def constant(self, name: str, values: np.ndarray, position: int) -> str:
        self.weights[name] = np.ascontiguousarray(codes(values, position), np.int8)
        self.types[name] = fix_type(values.shape, position)
        self.lines.append(f"%{name} = int8.constant @{name} : {self.types[name]}")
        return name

    def add(self, name: str, kind: str, operands: list[str], attributes: str, result: str) -> None:
        inputs = ", ".join(self.types[operand] for operand in operands)
        arguments = ", ".join(f"%{operand}" for operand in operands)
        self.types[name] = result
        self.lines.append(f"%{name} = int8.{kind} {arguments} {{{attributes}}} : ({inputs}) -> {result}")


def convert(graph: onnx.GraphProto, chosen: dict[str, int]) -> tuple[str, dict[str, np.ndarray]]:
    """The module's text and its weights."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in [*graph.input, *graph.value_info, *graph.output]
    }
    relu_of = {node.input[0]: node for node in graph.node if node.op_type == "Relu"}
    module = Module()
    image_type = "tensor<1x512x512x3xf32>"
    module.types["pixels"] = fix_type((1, 512, 512, 3), IMAGE_POSITION)
    module.lines.append(f"%pixels = int8.quantise %{IMAGE} : ({image_type}) -> {module.types['pixels']}")
    value_of = {"input": "pixels"}
    for node in graph.node:
        if node.op_type == "Relu":
            continue
        relu = relu_of.get(node.output[0])
        output = relu.output[0] if relu else node.output[0]
        batch, channels, height, width = shapes[output]
        result = fix_type((batch, height, width, channels), chosen[output])
        operands = [value_of[name] for name in node.input if name not in tensors]
        attribute = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        name = "logits" if node.name == "head" else node.name
        match node.op_type:
            case "Conv" | "ConvTranspose":
                weight, bias = (tensors[i] for i in node.input[1:])
                if node.op_type == "Conv":
                    kind, weight = "conv2d", weight.transpose(0, 2, 3, 1)
                else:
                    kind, weight = "transposed_conv2d", weight.transpose(1, 2, 3, 0)[:, ::-1, ::-1]
                weight_position = position_of(weight)
                accumulator = chosen[node.input[0]] + weight_position
                bias_position = min(max(position_of(bias), accumulator - BIAS_SHIFT[-1]), accumulator - BIAS_SHIFT[0])
                operands.append(module.constant(f"{node.name}.weight", weight, weight_position))
                operands.append(module.constant(f"{node.name}.bias", bias, bias_position))
                activation = ', activation = "relu"' if relu else ""
                attributes = f"strides = {attribute['strides']}, pads = {attribute['pads']}{activation}"
                module.add(name, kind, operands, attributes, result)
            case "MaxPool":
                attributes = f"kernel = {attribute['kernel_shape']}, strides = {attribute['strides']}"
                module.add(name, "max_pool", operands, attributes, result)
            case "Concat":
                module.add(name, "concat", operands, "axis = 3", result)
            case other:
                sys.exit(f"error: node {node.name}: no rule for the operator {other}")
        value_of[output] = name
    body = "".join(f"    {line}\n" for line in module.lines)
    text = (
        f'module @{MODULE} attributes {{dpuc.weights = "{MODULE}.safetensors"}} {{\n'
        f"  func.func @main(%{IMAGE}: {image_type}) -> {module.types['logits']} {{\n"
        f"{body}"
        f"    func.return %logits : {module.types['logits']}\n"
        "  }\n"
        "}\n"
    )
    return text, module.weights


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} SHARED [OUT]")
    shared = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent
    out.mkdir(parents=True, exist_ok=True)
    model, data = shared / "models/onnx/unet_landcover_512.onnx", shared / "data/landcover"
    graph = onnx.load(model).graph
    chosen = positions(graph, activations(model, [data / f"{scene}.png" for scene in CALIBRATION]))
    text, weights = convert(graph, chosen)
    (out / f"{MODULE}.mlir").write_text(text)
    save_file(weights, out / f"{MODULE}.safetensors")
    shutil.copyfile(data / f"{SCENE}.png", out / "scene.png")
    (logits,) = onnxruntime.InferenceSession(model).run(None, {"input": pixels(data / f"{SCENE}.png")})
    Image.fromarray(logits[0].argmax(0).astype(np.uint8)).save(out / "float_classes.png", optimize=True)


if __name__ == "__main__":
    main()
