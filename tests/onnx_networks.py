#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Networks of floats against ONNX Runtime: small ones that try the layout and pattern passes, and models from PyPI.

Of the small ones also the operations that they become are counted: transpositions have to be gone, functions that are
written out have to be found. The models are magika 1.0.3 and silero-vad 6.2.3; packages are kept in ~/.cache/accel.

usage: onnx_networks.py ONNX_NODE ACCEL
Exit status: 0, 1, or 77: no PyPI.
"""
import pathlib
import subprocess
import sys
import tempfile

import onnx_runtime

SKIP = 77
MODELS = ["magika==1.0.3", "silero-vad==6.2.3"]


def models_folder():
    return onnx_runtime.cache().parent / "onnx-models-1"


def install():
    why = onnx_runtime.install()
    if why or (models_folder() / "installed").exists():
        return why
    done = subprocess.run([onnx_runtime.cache() / "bin/pip", "install", "-q", "--retries", "1", "--no-deps", "--target",
                           models_folder(), *MODELS], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    (models_folder() / "installed").touch()
    return None


class Builder:
    """A graph as it grows; a value is its name."""

    def __init__(self, maker):
        self.maker, self.nodes, self.constants = maker, [], []

    def const(self, array):
        array = self.maker.np.asarray(array)
        self.constants.append(self.maker.onnx.numpy_helper.from_array(array, f"w{len(self.constants)}"))
        return self.constants[-1].name

    def weights(self, *shape):
        return self.const(self.maker.floats(*shape))

    def scalar(self, value):
        return self.const(self.maker.np.float32(value))

    def ints(self, *values):
        return self.const(self.maker.np.array(values, "int64"))

    def add(self, kind, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(self.maker.onnx.helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, out, into, size=3, **attributes):
        attributes.setdefault("pads", [size // 2] * 4)
        return self.add("Conv", x, self.weights(out, into, size, size), self.weights(out), **attributes)

    def norm(self, x, channels):
        np = self.maker.np
        variance = self.const(np.abs(self.maker.floats(channels)) + np.float32(0.5))
        return self.add("BatchNormalization", x, self.weights(channels), self.weights(channels), self.weights(channels),
                        variance)

    def save(self, name, shape, result, opset=17):
        helper = self.maker.onnx.helper
        tensor = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, name, [tensor("x", 1, shape)], [tensor(result, 1, None)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
        x = self.maker.floats(*shape)
        session = self.maker.runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        self.maker.onnx.save(model, self.maker.path(name) / "model.onnx")
        self.maker.vectors(name, [("x", x)], session.run(None, {"x": x}))


def flat(b):
    """A classifier of old: what is flattened are channels, rows, columns."""
    x = b.add("Relu", b.norm(b.conv("x", 8, 3), 8))
    x = b.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = b.add("Flatten", x)
    return b.add("Gemm", x, b.weights(10, 8 * 6 * 6), b.weights(10), transB=1), (2, 3, 12, 12)


def squeezed(b):
    """Channels weighed by what they are on average, HardSwish and HardSigmoid written out."""
    def hard(x):
        y = b.add("Clip", b.add("Add", x, b.scalar(3)), b.scalar(0), b.scalar(6))
        return b.add("Div", y, b.scalar(6))

    x = b.norm(b.conv("x", 8, 3, strides=[2, 2]), 8)
    x = b.add("Mul", x, hard(x))
    s = b.add("ReduceMean", x, axes=[2, 3], keepdims=1)
    s = b.add("Relu", b.conv(s, 4, 8, 1))
    s = hard(b.conv(s, 8, 4, 1))
    x = b.add("Mul", s, x)
    x = b.add("Add", x, b.conv(x, 8, 1, 3, group=8))
    x = b.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    return b.add("Gemm", x, b.weights(10, 8), b.weights(10), transB=1), (1, 3, 16, 16)


def shuffled(b):
    """Channels shuffled as ShuffleNet does it, joined, split, padded, cut."""
    x = b.conv("x", 8, 3)
    x = b.add("Reshape", x, b.ints(1, 2, 4, 8, 8))
    x = b.add("Transpose", x, perm=[0, 2, 1, 3, 4])
    x = b.add("Reshape", x, b.ints(1, 8, 8, 8))
    left, right = b.add("Split", x, outputs=2, axis=1)
    x = b.add("Concat", b.conv(left, 4, 4), b.add("Sigmoid", right), axis=1)
    x = b.add("Pad", x, b.ints(0, 0, 1, 2, 0, 0, 0, 1), mode="reflect")
    x = b.add("Slice", x, b.ints(1, 2), b.ints(8, 9), b.ints(2, 3), b.ints(1, 2))
    x = b.add("PRelu", x, b.weights(8, 1, 1))
    return b.conv(x, 4, 8, 1), (1, 3, 8, 8)


def patches(b):
    """A transformer on patches: GELU as PyTorch writes it, attention, LayerNormalization."""
    x = b.add("Conv", "x", b.weights(16, 3, 4, 4), b.weights(16), strides=[4, 4])
    x = b.add("Transpose", b.add("Reshape", x, b.ints(1, 16, 16)), perm=[0, 2, 1])
    y = b.add("LayerNormalization", x, b.weights(16), b.weights(16), axis=-1)
    parts = []
    for i in range(3):
        p = b.add("Add", b.add("MatMul", y, b.weights(16, 16)), b.weights(16))
        p = b.add("Reshape", p, b.ints(1, 16, 2, 8))
        parts.append(b.add("Transpose", p, perm=[0, 2, 3, 1] if i == 1 else [0, 2, 1, 3]))
    s = b.add("Mul", b.add("MatMul", parts[0], parts[1]), b.scalar(8 ** -0.5))
    y = b.add("MatMul", b.add("Softmax", s, axis=-1), parts[2])
    y = b.add("Reshape", b.add("Transpose", y, perm=[0, 2, 1, 3]), b.ints(1, 16, 16))
    x = b.add("Add", x, y)
    h = b.add("Add", b.add("MatMul", x, b.weights(16, 32)), b.weights(32))
    e = b.add("Erf", b.add("Div", h, b.scalar(2 ** 0.5)))
    h = b.add("Mul", b.add("Mul", h, b.add("Add", e, b.scalar(1))), b.scalar(0.5))
    x = b.add("Add", x, b.add("MatMul", h, b.weights(32, 16)))
    return b.add("ReduceMean", x, axes=[1], keepdims=0), (1, 3, 16, 16)


def line(b):
    """Convolutions over one axis, and GELU by tanh."""
    x = b.add("Conv", "x", b.weights(8, 4, 5), b.weights(8), pads=[2, 2])
    cube = b.add("Mul", b.add("Mul", x, x), x)
    t = b.add("Add", x, b.add("Mul", b.scalar(0.044715), cube))
    t = b.add("Tanh", b.add("Mul", b.scalar((2 / 3.141592653589793) ** 0.5), t))
    x = b.add("Mul", b.add("Mul", b.scalar(0.5), x), b.add("Add", b.scalar(1), t))
    x = b.norm(x, 8)
    x = b.add("Conv", x, b.weights(8, 1, 3), group=8, dilations=[2], pads=[2, 2])
    x = b.add("AveragePool", x, kernel_shape=[2], strides=[2])
    x = b.add("ConvTranspose", x, b.weights(8, 6, 4), b.weights(6), strides=[2], pads=[1, 1])
    return b.add("GlobalMaxPool", x), (1, 4, 20)


def enlarged(b):
    """An hourglass with pictures at both ends."""
    x = b.add("Relu", b.conv("x", 6, 3, strides=[2, 2]))
    y = b.add("Resize", b.conv(x, 6, 6), "", b.const(b.maker.np.array([1, 1, 2, 2], "float32")), mode="linear",
              coordinate_transformation_mode="half_pixel")
    z = b.add("DepthToSpace", b.conv(x, 24, 6), blocksize=2)
    x = b.add("Concat", y, z, "x", axis=1)
    x = b.add("InstanceNormalization", x, b.weights(15), b.weights(15))
    return b.conv(x, 3, 15), (1, 3, 12, 10)


def nine(b):
    """Version 9: much is an attribute that became an operand later."""
    x = b.add("Clip", b.conv("x", 8, 3), min=-1.0, max=1.5)
    x = b.add("Upsample", x, b.const(b.maker.np.array([1, 1, 2, 3], "float32")), mode="nearest")
    x = b.add("Pad", x, pads=[0, 0, 1, 0, 0, 0, 0, 2], mode="constant", value=0.25)
    x = b.add("Slice", x, axes=[2, 3], starts=[1, -9], ends=[1000, -1])
    x = b.add("Softmax", x, axis=2)
    x = b.add("Dropout", x, ratio=0.3)
    x = b.add("Unsqueeze", b.add("ReduceSum", x, axes=[2], keepdims=0), axes=[0, 3])
    x = b.add("Squeeze", x, axes=[0])
    left, right = b.add("Split", x, outputs=2, axis=1, split=[3, 5])
    return b.add("Concat", right, b.add("LogSoftmax", left, axis=1), axis=1), (1, 3, 6, 4), 9


def eleven(b):
    """Version 11: operands by now, of some; Resize and Pad as they are since."""
    np = b.maker.np
    x = b.conv("x", 8, 3)
    x = b.add("Resize", x, b.const(np.zeros(0, "float32")), b.const(np.array([1, 1, 1.5, 2], "float32")),
              mode="linear", coordinate_transformation_mode="align_corners")
    x = b.add("Clip", x, b.scalar(-0.5))
    x = b.add("Pad", x, b.ints(0, 1, 0, 0, 0, 0, 0, 1), b.scalar(2))
    x = b.add("ReduceMax", x, axes=[-1], keepdims=1)
    values, _ = b.add("TopK", x, b.ints(3), outputs=2, axis=1, largest=0)
    x = b.add("Gemm", b.add("Flatten", values), b.weights(27, 5), b.weights(5), beta=0.5)
    return b.add("Hardmax", x, axis=1), (1, 3, 6, 4), 11


# Network, most transpositions, operations that there have to be.
NETWORKS = [(flat, 1, {}), (squeezed, 1, {"HARD_SWISH": 1}), (shuffled, 3, {}), (patches, 5, {"GELU": 1}),
            (line, 1, {"GELU": 1}), (nine, 2, {}), (eleven, 2, {}), (enlarged, 2, {"RESIZE_BILINEAR": 1, "DEPTH_TO_SPACE": 1})]


def kinds_of(accel, model):
    done = subprocess.run([accel, "info", model], capture_output=True, text=True, check=True)
    return [text.split()[1] for text in done.stdout.splitlines() if text.startswith("operator")]


def small(maker, accel):
    fine = True
    for build, most, wanted in NETWORKS:
        b = Builder(maker)
        result, shape, *opset = build(b)
        b.save(build.__name__, shape, result, *opset)
        kinds = kinds_of(accel, maker.folder / build.__name__ / "model.onnx")
        if kinds.count("TRANSPOSE") > most or any(kinds.count(k) != n for k, n in wanted.items()):
            print(f"FAIL {build.__name__}: becomes {' '.join(kinds)}")
            fine = False
    return fine


def real(maker):
    """Their open extents fixed, as --shape does it, and the sampling rate given."""
    np, onnx = maker.np, maker.onnx
    folder = models_folder()
    state = {"input": [1, 512], "state": [2, 1, 128]}
    files = [("magika", "magika/models/standard_v3_3/model.onnx", {"bytes": [1, 2048]})]
    files += [(name, f"silero_vad/data/{name}.onnx", state)
              for name in ("silero_vad_openvino_16k", "silero_vad_16k_op15")]
    files.append(("silero_vad_op18_ifless", "silero_vad/data/silero_vad_op18_ifless.onnx",
                  {"input": [1, 576], "state": [2, 1, 128]}))
    for name, file, shapes in files:
        model = onnx.load(folder / file)
        given = []
        for info in model.graph.input:
            tensor = info.type.tensor_type
            if info.name in shapes:
                del tensor.shape.dim[:]
                for extent in shapes[info.name]:
                    tensor.shape.dim.add().dim_value = extent
            extents = [d.dim_value for d in tensor.shape.dim]
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            array = (np.array(16000) if info.name == "sr" else maker.rng.integers(0, 256, extents)
                     if kind.kind == "i" else maker.floats(*extents))
            given.append((info.name, array.astype(kind)))
        for output in model.graph.output:
            output.type.tensor_type.ClearField("shape")
        path = maker.path(name) / "model.onnx"
        onnx.save(model, path)
        options = maker.runtime.SessionOptions()
        options.log_severity_level = 3
        session = maker.runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        maker.vectors(name, given, session.run(None, dict(given)))


def check(program, accel):
    """Run by the interpreter that has ONNX Runtime."""
    with tempfile.TemporaryDirectory() as name:
        maker = onnx_runtime.Maker(pathlib.Path(name))
        fine = small(maker, accel)
        real(maker)
        # Sums are made in another order than ONNX Runtime makes them.
        for options in ([], ["-w"]):
            done = subprocess.run([program, *options, "-a", "1e-5", "-m", str(len(maker.names)), name], check=False)
            fine = fine and not done.returncode
        return 0 if fine else 1


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    why = install()
    if why:
        print(f"SKIP: onnxruntime, magika or silero-vad do not install: {why}")
        return SKIP
    return subprocess.run([onnx_runtime.cache() / "bin/python", __file__, "--check", *sys.argv[1:]],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
