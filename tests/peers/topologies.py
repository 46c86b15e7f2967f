#!/usr/bin/env python3
"""Leaves the weights out of ONNX models: what remains is a topology, small enough for a repository.

    topologies.py OUT_DIR MODEL.onnx...

A float initialiser with more than SMALL elements keeps its name and dimensions and says that its data are external, in a file that does not
exist; who reads the topology makes them up (`tests/tests/onnx/model.rs`). Shapes of intermediate values are left out. The files in
`tests/data/topologies` come from the networks that `make_random_nets.py` of the shared folder writes. Needs onnx.
"""

import os
import sys

import onnx

SMALL = 8


def strip(model):
    for tensor in model.graph.initializer:
        count = 1
        for size in tensor.dims:
            count *= size
        if tensor.data_type == onnx.TensorProto.FLOAT and count > SMALL:
            for field in ("raw_data", "float_data"):
                tensor.ClearField(field)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights")
    del model.graph.value_info[:]
    model.doc_string = ""


def main(out, *paths):
    os.makedirs(out, exist_ok=True)
    for path in paths:
        model = onnx.load(path)
        strip(model)
        target = os.path.join(out, os.path.basename(path))
        with open(target, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
        print(f"{target}: {os.path.getsize(target)} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
