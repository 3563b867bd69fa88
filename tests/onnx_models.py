#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/data/onnx: a small network that ONNX Runtime quantised in three ways, with what it computes.

Needs onnx and onnxruntime (PyPI).

usage: onnx_models.py FOLDER
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

rng = np.random.default_rng(3)
SHAPE = [1, 3, 16, 16]


def const(name, *shape):
    fan = np.prod(shape[1:]) if len(shape) > 1 else 10
    return numpy_helper.from_array((rng.normal(size=shape) / np.sqrt(fan)).astype(np.float32), name)


def network():
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Relu", ["c0"], ["r0"]),
        helper.make_node("MaxPool", ["r0"], ["p0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["p0", "w1", "b1"], ["c1"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c1", "p0"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "w2", "b2"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        [const("w0", 8, 3, 3, 3), const("b0", 8), const("w1", 8, 1, 3, 3), const("b1", 8), const("w2", 5, 8),
         const("b2", 5)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class Samples(CalibrationDataReader):
    def __init__(self):
        self.left = 20

    def get_next(self):
        self.left -= 1
        return {"x": rng.normal(size=SHAPE).astype(np.float32)} if self.left >= 0 else None


KINDS = {
    "qdq-int8": {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8, "per_channel": True},
    "qdq-uint8": {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8},
    "qoperator": {"quant_format": QuantFormat.QOperator, "activation_type": QuantType.QUInt8,
                  "weight_type": QuantType.QInt8},
}


def main():
    base = pathlib.Path(sys.argv[1])
    x = rng.normal(size=SHAPE).astype(np.float32)
    with tempfile.TemporaryDirectory() as tmp:
        onnx.save(network(), f"{tmp}/float.onnx")
        for name, how in KINDS.items():
            folder = base / name / "test_data_set_0"
            folder.mkdir(parents=True, exist_ok=True)
            path = str(base / name / "model.onnx")
            quantize_static(f"{tmp}/float.onnx", path, Samples(), **how)
            (y,) = onnxruntime.InferenceSession(path).run(None, {"x": x})
            for file, array in (("input_0.pb", x), ("output_0.pb", y)):
                (folder / file).write_bytes(numpy_helper.from_array(array).SerializeToString())


if __name__ == "__main__":
    main()
