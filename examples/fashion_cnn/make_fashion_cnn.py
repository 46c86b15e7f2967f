#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.31.1", "pillow==13.0.0", "safetensors==0.8.0"]
# ///
"""Quantise the small Fashion-MNIST CNN and write it as `nn` dialect text.

usage: make_fashion_cnn.py SHARED [OUT]

SHARED holds `models/onnx/fashion_cnn.onnx` and `data/fashion_mnist/`; OUT (default: the folder of this script)
receives the module, its weights, the float network it comes from, the test images and the logits the integer
arithmetic gives for them.

Batch normalisation is folded into the convolutions and the layout becomes NHWC (weights OHWI, depthwise weights
[1, KH, KW, C], fully connected weights [out, in]). Every tensor then gets one power-of-two scale, its position p:
value = code * 2**-p, codes -128..127. Positions come from one pass over the calibration images in which each layer
sees the quantised output of the layers before it. The same integer arithmetic (convolution with an aligned bias,
average pooling by a multiplier and a shift, addition with two guard bits, one rounding half up at each `nn.fix`)
then measures the accuracy over the 10,000 test images.
"""

import gzip
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image
from safetensors.numpy import save_file

MODULE = "fashion_cnn"
STREAM = 100  # images for the example that calibrates while it works
LABELS = [
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
]  # fmt: skip
IMAGE = "image"
VALUE_NAMES = {"input": IMAGE, "fc": "logits", "softmax": "prob"}
"""Names of values that are not the ONNX node's name."""
BATCH = 500
"""Images simulated at once; no influence on the result."""


def require(condition: bool, message: str) -> None:
    if not condition:
        sys.exit(f"error: {message}")


# ---- The network ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Op:
    """One `nn` op: the name of its value, its data operands by name and its result shape (NHWC or [N, C])."""

    kind: str
    name: str
    operands: list[str]
    shape: tuple[int, ...]
    attributes: dict[str, list[int] | int | bool]
    parameters: str = ""
    """Prefix of the parameter names (`conv1` of `conv1.weight`)."""
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None

    def constants(self) -> dict[str, np.ndarray]:
        if self.weight is None:
            return {}
        return {f"{self.parameters}.weight": self.weight, f"{self.parameters}.bias": self.bias}


def fold_batch_norm(conv: Op, gamma, beta, mean, variance, epsilon: float) -> Op:
    """w' = w * g / sqrt(v + e) and b' = (b - m) * g / sqrt(v + e) + beta, per output channel."""
    factor = gamma / np.sqrt(variance + epsilon)
    per_channel = factor if conv.kind == "depthwise_conv2d" else factor[:, None, None, None]
    weight = (conv.weight * per_channel).astype(np.float32)
    bias = ((conv.bias - mean) * factor + beta).astype(np.float32)
    return replace(conv, weight=weight, bias=bias)


def read_onnx(path: Path) -> list[Op]:
    """The ops of the model in execution order, folded and in NHWC."""
    graph = onnx.load(path).graph
    tensors = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    shapes = {
        v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
        for v in [*graph.input, *graph.value_info, *graph.output]
    }
    ops: dict[str, Op] = {}
    value_of = {graph.input[0].name: VALUE_NAMES[graph.input[0].name]}  # ONNX tensor to the name of our value

    for node in graph.node:
        attribute = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        data = [value_of[i] for i in node.input if i not in tensors]
        parameters = [tensors[i] for i in node.input if i in tensors]
        shape = shapes[node.output[0]]
        shape = (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape
        window = {"strides": attribute.get("strides"), "pads": attribute.get("pads")}
        op = partial(Op, name=VALUE_NAMES.get(node.name, node.name), operands=data, shape=shape)

        match node.op_type:
            case "Conv":
                weight = parameters[0].transpose(0, 2, 3, 1)
                bias = parameters[1] if len(parameters) > 1 else np.zeros(len(weight))
                kind = "conv2d"
                if attribute["group"] > 1:
                    kind, weight = "depthwise_conv2d", weight.transpose(3, 1, 2, 0)
                new = op(kind, attributes=window, parameters=node.name, weight=weight, bias=bias)
            case "BatchNormalization":
                new = fold_batch_norm(ops[data[0]], *parameters, attribute["epsilon"])
            case "Relu":
                new = op("relu", attributes={})
            case "Add":
                new = op("add", attributes={})
            case "MaxPool":
                new = op("max_pool", attributes={"kernel": attribute["kernel_shape"], **window})
            case "GlobalAveragePool":
                kernel = list(shapes[node.input[0]][2:])
                new = op("avg_pool", attributes={"kernel": kernel, "strides": [1, 1], "pads": [0, 0, 0, 0]})
            case "Flatten":  # of a 1x1 map: the order of the elements is the same in NCHW and NHWC
                new = op("reshape", attributes={})
            case "Gemm":
                weight, bias = (p.astype(np.float32) for p in parameters)
                new = op("matmul", attributes={"transpose_b": True}, parameters=node.name, weight=weight, bias=bias)
            case "Softmax":
                new = op("softmax", attributes={"axis": attribute["axis"]})
            case other:
                sys.exit(f"{path}: node {node.name}: no rule for the operator {other}")
        ops[new.name] = new
        value_of[node.output[0]] = new.name
    return list(ops.values())


def ops_with_fix(ops: list[Op]) -> set[str]:
    """Names of the values a fix follows: not before a relu, not after an op that only moves data, not on the CPU."""
    before_relu = {operand for op in ops if op.kind == "relu" for operand in op.operands}
    return {op.name for op in ops if op.kind not in ("reshape", "softmax")} - before_relu


# ---- Positions -----------------------------------------------------------------------------------------------

MAX_POSITION = 12
SEARCH_SCOPE = 5
SHIFT_CUT = range(0, 17)
SHIFT_BIAS = range(-1, 20)
SHIFT_READ = range(0, 8)
"""What the hardware takes: accumulator to output, bias to accumulator, operand of an addition to the coarsest."""


def half_up(x: np.ndarray) -> np.ndarray:
    return np.floor(x + 0.5)


def half_away(x: np.ndarray) -> np.ndarray:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def saturate(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -128, 127)


def min_mse_position(x: np.ndarray, rounding: Callable) -> int:
    """The position of least squared error, searched upwards from the largest one that does not saturate."""
    first = non_overflow_position(x)

    def error(position: int) -> float:
        scaled = np.ldexp(x, position)
        return float(np.sum(np.square(np.ldexp(scaled - saturate(rounding(scaled)), -position))))

    return min(MAX_POSITION, min(range(first, first + SEARCH_SCOPE), key=error))


def non_overflow_position(x: np.ndarray) -> int:
    """The largest position at which no value rounds outside -128..127."""
    step = max(float(x.min()) / -128.5, float(x.max()) / 127.5)
    return min(MAX_POSITION, int(np.floor(np.log2(1 / step)))) if step > 0 else MAX_POSITION


# ---- Integer arithmetic --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fixed:
    """Integers of value `values * 2**-position`: int8 codes after a fix, wider exact results before it."""

    values: np.ndarray
    position: int

    def real(self) -> np.ndarray:
        return np.ldexp(self.values.astype(np.float64), -self.position)

    def fix(self, position: int) -> "Fixed":
        """Round half up to `position`, saturate to int8."""
        shift = self.position - position
        wide = self.values.astype(np.int64)
        wide = (wide + (1 << shift >> 1)) >> shift if shift > 0 else wide << -shift
        return Fixed(saturate(wide).astype(np.int8), position)


Choose = Callable[[str, Callable[[], int]], int]
"""The position of a named tensor, given how calibration would choose it."""


def taps(x: np.ndarray, op: Op, kernel: tuple[int, int], padding: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """For each kernel cell (row, column): the NHWC elements it meets, one for each output pixel."""
    top, left, bottom, right = op.attributes["pads"]
    (row_stride, column_stride), (_, height, width, _) = op.attributes["strides"], op.shape
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=padding)
    for i, j in product(range(kernel[0]), range(kernel[1])):
        rows = slice(i, i + (height - 1) * row_stride + 1, row_stride)
        columns = slice(j, j + (width - 1) * column_stride + 1, column_stride)
        yield i, j, x[:, rows, columns]


def accumulate(x: np.ndarray, op: Op, weight: np.ndarray) -> np.ndarray:
    """Sums of products. Exact in float32: every partial sum is an integer below 2**24."""
    terms = weight.size // weight.shape[-1] if op.kind == "depthwise_conv2d" else weight[0].size
    require(terms * 128 * 128 <= 1 << 24, f"{op.name}: {terms} products may not be exact in float32")
    x, weight = x.astype(np.float32), weight.astype(np.float32)
    if op.kind == "matmul":
        return x @ weight.T
    patches = taps(x, op, weight.shape[1:3], padding=0)
    if op.kind == "depthwise_conv2d":
        return sum(patch * weight[0, i, j] for i, j, patch in patches)
    return sum(patch @ weight[:, i, j].T for i, j, patch in patches)


def linear(x: Fixed, op: Op, choose: Choose) -> Fixed:
    """Convolution or fully connected layer, in half accumulator units: 2 * acc + bias * 2**(shift_bias + 1)."""
    weight_name, bias_name = op.constants()
    weight_position = choose(weight_name, lambda: min_mse_position(op.weight, half_away))
    accumulator = x.position + weight_position
    # Bias bits below half an accumulator unit (shift_bias < -1) would be dropped by the hardware.
    bias_position = choose(bias_name, lambda: min(min_mse_position(op.bias, half_away), accumulator + 1))
    shift_bias = accumulator - bias_position
    require(shift_bias in SHIFT_BIAS, f"{op.name}: shift_bias {shift_bias} has no encoding")

    weight = saturate(half_away(np.ldexp(op.weight, weight_position)))
    bias = saturate(half_away(np.ldexp(op.bias, bias_position))).astype(np.int64)
    acc = accumulate(x.values, op, weight).astype(np.int64)
    return Fixed(2 * acc + (bias << (shift_bias + 1)), accumulator + 1)


AVERAGE_FACTORS = {(7, 7): (21, 10)}
"""Kernel to (multiplier, shift): the hardware's multiplier / 2**shift in place of the division."""


def average_pool(x: Fixed, op: Op) -> Fixed:
    kernel = tuple(op.attributes["kernel"])
    require(kernel in AVERAGE_FACTORS, f"{op.name}: no factor for an average over {kernel}")
    multiplier, shift = AVERAGE_FACTORS[kernel]
    window_sum = sum(patch.astype(np.int64) for _, _, patch in taps(x.values, op, kernel, padding=0))
    return Fixed(window_sum * multiplier, x.position + shift)


def max_pool(x: Fixed, op: Op) -> Fixed:
    cells = (patch for _, _, patch in taps(x.values, op, op.attributes["kernel"], padding=-128))
    return Fixed(np.maximum.reduce(list(cells)), x.position)


def add(operands: list[Fixed]) -> Fixed:
    """Aligned to the coarsest operand with two guard bits, floor beyond them."""
    coarsest = min(x.position for x in operands)
    require(all(x.position - coarsest in SHIFT_READ for x in operands), "an operand of add is too fine")
    aligned = ((4 * x.values.astype(np.int64)) >> (x.position - coarsest) for x in operands)
    return Fixed(sum(aligned), coarsest + 2)


def infer(ops: list[Op], pixels: np.ndarray, choose: Choose) -> dict[str, Fixed]:
    """All int8 values for grey images [N, H, W] (uint8), by name; CPU ops have none."""
    fixed = ops_with_fix(ops)
    image = (pixels[..., None] / np.float32(255)).astype(np.float64)
    position = choose(IMAGE, lambda: non_overflow_position(image))
    values = {IMAGE: Fixed(saturate(half_up(np.ldexp(image, position))).astype(np.int8), position)}
    for op in ops:
        operands = [values[name] for name in op.operands]
        x = operands[0]
        match op.kind:
            case "conv2d" | "depthwise_conv2d" | "matmul":
                result = linear(x, op, choose)
            case "relu":
                result = Fixed(np.maximum(x.values, 0), x.position)
            case "max_pool":
                result = max_pool(x, op)
            case "avg_pool":
                result = average_pool(x, op)
            case "add":
                result = add(operands)
            case "reshape":
                result = Fixed(x.values.reshape(len(x.values), *op.shape[1:]), x.position)
            case "softmax":
                continue
        values[op.name] = result.fix(output_position(op, x, result, choose)) if op.name in fixed else result
    return values


def output_position(op: Op, x: Fixed, exact: Fixed, choose: Choose) -> int:
    """Pools keep their operand's position. Other exact results are finer by one bit than any output may be:
    the shift_cut of a linear op is not negative, and a sum gains at most one bit over its operands."""
    if op.kind in ("max_pool", "avg_pool"):
        return choose(op.name, lambda: x.position)
    limit = exact.position - 1
    position = choose(op.name, lambda: min(min_mse_position(exact.real(), half_up), limit))
    require(limit - position in SHIFT_CUT, f"{op.name}: shift {limit - position} has no encoding")
    return position


def calibrate(ops: list[Op], pixels: np.ndarray) -> dict[str, int]:
    """The position of every quantised tensor, by name."""
    positions: dict[str, int] = {}

    def choose(name: str, calibrated: Callable[[], int]) -> int:
        return positions.setdefault(name, calibrated())

    infer(ops, pixels, choose)
    return positions


def logits_of(ops: list[Op], positions: dict[str, int], pixels: np.ndarray) -> np.ndarray:
    """int8 logits [N, 10]."""
    batches = (pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH))
    known = lambda name, _: positions[name]  # noqa: E731
    return np.concatenate([infer(ops, batch, known)[VALUE_NAMES["fc"]].values for batch in batches])


# ---- IR text -------------------------------------------------------------------------------------------------


def tensor_type(shape: tuple[int, ...]) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def attribute_text(attributes: dict) -> str:
    def text(value) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    inner = ", ".join(f"{name} = {text(value)}" for name, value in attributes.items())
    return f" {{{inner}}}" if inner else ""


def module_text(ops: list[Op], positions: dict[str, int], image_shape: tuple[int, ...]) -> str:
    """The module in the pretty form of the `nn` dialect."""
    fixed = ops_with_fix(ops)
    types = {IMAGE: tensor_type(image_shape)}
    lines: list[str] = []

    def line(name: str, kind: str, operands: list[str], attributes: dict, result: str) -> None:
        inputs = [types[operand] for operand in operands]
        types[name] = result
        signature = result if set(inputs) == {result} else f"({', '.join(inputs)}) -> {result}"
        arguments = ", ".join(f"%{operand}" for operand in operands)
        lines.append(f"%{name} = nn.{kind} {arguments}{attribute_text(attributes)} : {signature}")

    def fix(name: str) -> str:
        line(f"{name}_fix", "fix", [name], {"fix_point": positions[name]}, types[name])
        return f"{name}_fix"

    current = {IMAGE: fix(IMAGE)}  # value to the name its consumers use
    for op in ops:
        constants = []
        for name, data in op.constants().items():
            types[name] = tensor_type(data.shape)
            lines.append(f"%{name} = nn.constant @{name} : {types[name]}")
            constants.append(fix(name))
        operands = [current[name] for name in op.operands] + constants
        line(op.name, op.kind, operands, op.attributes, tensor_type(op.shape))
        current[op.name] = fix(op.name) if op.name in fixed else op.name

    results = [current[VALUE_NAMES["fc"]], current[VALUE_NAMES["softmax"]]]
    result_types = ", ".join(types[name] for name in results)
    body = "".join(f"    {text}\n" for text in lines)
    return (
        f'module @{MODULE} attributes {{dpuc.weights = "{MODULE}.safetensors"}} {{\n'
        f"  func.func @main(%{IMAGE}: {types[IMAGE]}) -> ({result_types}) {{\n"
        f"{body}"
        f"    func.return {', '.join(f'%{name}' for name in results)} : {result_types}\n"
        "  }\n"
        "}\n"
    )


# ---- Test images, figures ------------------------------------------------------------------------------------


def read_idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes())[header:], np.uint8)


def float_predictions(model: Path, pixels: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model)
    images = pixels[:, None, None].astype(np.float32) / np.float32(255)
    return np.array([session.run(None, {"input": image})[0].argmax() for image in images])


def chosen_images(labels: np.ndarray, predictions: np.ndarray) -> list[int]:
    """The first test image of each class, then the first two others that the int8 network gets wrong."""
    first = [int(np.argmax(labels == label)) for label in range(len(LABELS))]
    wrong = [int(i) for i in np.flatnonzero(labels != predictions) if i not in first]
    return first + wrong[:2]


def write_images(folder: Path, chosen: list[int], pixels: np.ndarray, labels: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    digits = len(str(len(chosen) - 1))
    for number, index in enumerate(chosen):
        label = re.sub(r"[^a-z]+", "_", LABELS[labels[index]].lower())
        Image.fromarray(pixels[index]).save(folder / f"{number:0{digits}}_{label}.png", optimize=True)


def report(ops: list[Op], positions: dict[str, int]) -> None:
    """One line for each value: positions and, for linear ops, the two shifts."""
    fixed = ops_with_fix(ops)
    output = {operand: op.name for op in ops if op.kind == "relu" for operand in op.operands}
    at = positions | {op.name: positions[op.operands[0]] for op in ops if op.kind == "reshape"}
    print(f"{IMAGE}: {positions[IMAGE]}")
    for op in ops:
        if op.weight is not None:
            weight, bias = (positions[name] for name in op.constants())
            accumulator = at[op.operands[0]] + weight
            cut = accumulator - positions[output.get(op.name, op.name)]
            shifts = f"shift_cut {cut}, shift_bias {accumulator - bias}"
            print(f"{op.name}: weight {weight}, bias {bias}, {shifts}")
        if op.name in fixed:
            print(f"{op.name}: {positions[op.name]}")


def main(shared: Path, out: Path) -> None:
    model = shared / "models/onnx/fashion_cnn.onnx"
    data = shared / "data/fashion_mnist"
    pixels = read_idx(data / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx(data / "t10k-labels-idx1-ubyte.gz", 8)

    ops = read_onnx(model)
    positions = calibrate(ops, np.load(data / "calib_512.npz")["images"])
    (out / f"{MODULE}.mlir").write_text(module_text(ops, positions, (1, 28, 28, 1)))
    # save_file writes memory order: transposed views must be made contiguous first.
    weights = {name: np.ascontiguousarray(tensor) for op in ops for name, tensor in op.constants().items()}
    save_file(weights, out / f"{MODULE}.safetensors")

    logits = logits_of(ops, positions, pixels)
    predictions = logits.argmax(axis=1)  # of equal logits the lower class
    chosen = chosen_images(labels, predictions)
    write_images(out / "images", chosen, pixels, labels)
    write_images(out / "stream", list(range(STREAM)), pixels, labels)
    for folder in ("images", "stream"):
        shutil.copyfile(data / "copyright", out / folder / "COPYRIGHT")
    shutil.copyfile(model, out / f"{MODULE}.onnx")
    (out / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    np.save(out / "expected_logits.npy", logits[chosen])

    report(ops, positions)
    reference = float_predictions(model, pixels)
    print(f"test images committed: {chosen}")
    print(f"accuracy, float (onnxruntime): {np.mean(reference == labels):.4f}")
    print(f"accuracy, int8: {np.mean(predictions == labels):.4f}")
    print(f"same class as float: {np.mean(predictions == reference):.4f}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent)
