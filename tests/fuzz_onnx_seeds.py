#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/corpus/onnx: small models of all groups of operators, for the fuzzer. Needs onnx (PyPI).

usage: fuzz_onnx_seeds.py FOLDER
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
rng = np.random.default_rng(7)


def const(name, *shape):
    return numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(nodes, inputs, output, constants=(), opset=17):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
        [helper.make_tensor_value_info(output, FLOAT, None)], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def conv():
    return model([
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c s t m v", "n"),
        node("Relu", "n", "r"),
        node("Conv", "r d", "e", group=4, auto_pad="SAME_LOWER", dilations=[2, 1]),
        node("Add", "e r", "a"),
        node("MaxPool", "a", "p", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], ceil_mode=1),
        node("AveragePool", "p", "q", kernel_shape=[2, 2], count_include_pad=1, pads=[0, 0, 1, 1]),
        node("GlobalAveragePool", "q", "z"), node("Flatten", "z", "f"),
        node("Gemm", "f g h", "y", transB=1, alpha=0.5)],
        [("x", FLOAT, [1, 3, 9, 9])], "y",
        [const("w", 4, 3, 3, 3), const("b", 4), const("s", 4), const("t", 4), const("m", 4),
         numpy_helper.from_array(np.ones(4, np.float32), "v"), const("d", 4, 1, 3, 3), const("g", 2, 4),
         const("h", 2)])


def shapes():
    return model([
        node("Shape", "x", "s"), node("Slice", "s a b", "t"), node("Concat", "t m", "u", axis=0),
        node("Reshape", "x u", "r"), node("Transpose", "r", "p", perm=[0, 2, 1]),
        node("Unsqueeze", "p z", "q"), node("Pad", "q e", "k", mode="reflect"),
        node("Gather", "k i", "g", axis=2), node("Split", "g", "y h", axis=3)],
        [("x", FLOAT, [2, 3, 4])], "y",
        [ints("a", 0), ints("b", 1), ints("m", 3, 4), ints("z", 1), ints("e", 0, 0, 1, 0, 0, 0, 1, 0),
         ints("i", 0, -1, 2)])


def attention():
    return model([
        node("MatMul", "x w", "q"), node("Transpose", "q", "t", perm=[0, 2, 1]),
        node("MatMul", "q t", "s"), node("Softmax", "s", "p", axis=-1), node("MatMul", "p q", "o"),
        node("LayerNormalization", "o g b", "y", axis=-1)],
        [("x", FLOAT, [1, 5, 4])], "y", [const("w", 4, 4), const("g", 4), const("b", 4)])


def lstm():
    return model([node("LSTM", "x w r b", "h c d", hidden_size=3, direction="bidirectional"),
                  node("Squeeze", "h a", "y")],
                 [("x", FLOAT, [2, 1, 4])], "y",
                 [const("w", 2, 12, 4), const("r", 2, 12, 3), const("b", 2, 24), ints("a", 2)], 14)


def quantised():
    scale = numpy_helper.from_array(np.float32(0.1), "s")
    zero = numpy_helper.from_array(np.int8(3), "z")
    weights = numpy_helper.from_array(rng.integers(-99, 99, (4, 3, 1, 1)).astype(np.int8), "w")
    scales = numpy_helper.from_array(np.full(4, 0.02, np.float32), "ws")
    zeros = numpy_helper.from_array(np.zeros(4, np.int8), "wz")
    return model([
        node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "d"),
        node("DequantizeLinear", "w ws wz", "e", axis=0), node("Conv", "d e", "c"),
        node("QuantizeLinear", "c s z", "f"), node("DequantizeLinear", "f s z", "y")],
        [("x", FLOAT, [1, 3, 4, 4])], "y", [scale, zero, weights, scales, zeros], 13)


def branch():
    then = helper.make_graph([node("Relu", "x", "t")], "t", [],
                             [helper.make_tensor_value_info("t", FLOAT, None)])
    other = helper.make_graph([node("Neg", "x", "e")], "e", [],
                              [helper.make_tensor_value_info("e", FLOAT, None)])
    return model([node("Size", "x", "n"), node("Greater", "n k", "c"),
                  helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
                 [("x", FLOAT, [2, 2])], "y", [ints("k", 3)])


def choices():
    return model([
        node("TopK", "x k", "v i"), node("GatherElements", "x i", "g", axis=1),
        node("ArgMax", "x", "a", axis=1, keepdims=1), node("ScatterElements", "x i v", "s", axis=1),
        node("CumSum", "s c", "u"), node("ReduceMean", "g", "g2", axes=[1]), node("Greater", "u x", "w"), node("Where", "w g2 x", "y")],
        [("x", FLOAT, [3, 4])], "y", [ints("k", 2), numpy_helper.from_array(np.int64(1), "c")])


def resize():
    scales = numpy_helper.from_array(np.array([1, 1, 2, 1.5], np.float32), "s")
    return model([
        helper.make_node("Resize", ["x", "", "s"], ["r"], mode="cubic", antialias=1),
        node("DepthToSpace", "r", "y", blocksize=2)], [("x", FLOAT, [1, 4, 3, 4])], "y", [scales], 18)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (conv, shapes, attention, lstm, quantised, branch, choices, resize):
        for passes in (0, 1):
            data = bytes([passes]) + make()
            (folder / f"{make.__name__}-{passes}").write_bytes(data)


if __name__ == "__main__":
    main()
