#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The quantiser from outside: float graphs of every operator it has a rule for, with random weights.

What `accel quantise` writes must be taken by TFLite 2.14's reference kernels, which must give the
same bytes as ours (cpu_run), and must lie close to the float graph. TFLite as in cpu_tflite.py.

usage: quantise.py ACCEL CPU_RUN
Exit status: 0, 1, or 77: no PyPI, or no wheel for this Python.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cpu_tflite

SKIP = 77
SAMPLES = 24


class Graph:
    """A float graph in the text form of runtime/ir/ir_text.h."""

    def __init__(self, np, seed):
        self.np, self.rng = np, np.random.default_rng(seed)
        self.tensors, self.ops, self.inputs, self.outputs = [], [], [], []

    def tensor(self, shape, kind="float32", data=None):
        extents = "x".join(str(n) for n in shape) if shape else "scalar"
        line = f'tensor "t{len(self.tensors)}" {kind} {extents}'
        if data is not None:
            line += f" data {data.tobytes().hex()}"
        self.tensors.append((line, tuple(shape)))
        return len(self.tensors) - 1

    def input(self, *shape):
        self.inputs.append(self.tensor(shape))
        return self.inputs[-1]

    def constant(self, values, kind="float32"):
        a = self.np.asarray(values, dtype=kind)
        return self.tensor(a.shape, kind, a)

    def weights(self, *shape, scale=1.0):
        fan = self.np.prod(shape[1:]) or 1
        return self.constant(self.rng.normal(0, scale / self.np.sqrt(fan), shape))

    def given(self, x, scale, zero, kind="int8"):
        """Quantised and back, as training for integers has it."""
        self.tensors.append((f'tensor "t{len(self.tensors)}" {kind} ' + "x".join(map(str, self.shape(x))) +
                             f" quant 0 {scale}:{zero}", self.shape(x)))
        q = len(self.tensors) - 1
        self.ops.append(f"op QUANTIZE %{x} -> %{q}")
        return self.op("DEQUANTIZE", [q], self.shape(x))

    def op(self, kind, inputs, shape, options="", count=1):
        made = [self.tensor(shape) for _ in range(count)]
        named = " ".join(f"%{i}" for i in inputs)
        out = " ".join(f"%{i}" for i in made)
        self.ops.append(f"op {kind} {named} -> {out} {options}".rstrip())
        return made[0] if count == 1 else made

    def shape(self, tensor):
        return self.tensors[tensor][1]

    def conv(self, x, channels, kernel=3, stride=1, activation=0, extra=""):
        n, h, w, c = self.shape(x)
        shape = (n, -(-h // stride), -(-w // stride), channels)
        return self.op("CONV_2D", [x, self.weights(channels, kernel, kernel, c),
                                   self.constant(self.rng.normal(0, .2, channels))], shape,
                       f"stride_w {stride} stride_h {stride} dilation_w 1 dilation_h 1 "
                       f"activation {activation} {extra}")

    def text(self):
        lines = ['graph "g"'] + [t[0] for t in self.tensors]
        lines.append("inputs " + " ".join(f"%{i}" for i in self.inputs))
        lines.append("outputs " + " ".join(f"%{i}" for i in self.outputs))
        return "\n".join(lines + self.ops) + "\n"


def unary(kind, options=""):
    def make(g):
        x = g.conv(g.input(1, 6, 5, 4), 8)
        g.outputs = [g.op(kind, [x], g.shape(x), options)]
    return make


def binary(kind, options="", constant=None):
    def make(g):
        x = g.input(1, 6, 5, 4)
        a = g.conv(x, 8)
        b = g.conv(x, 8) if constant is None else g.constant(constant(g))
        g.outputs = [g.op(kind, [a, b], g.shape(a), options)]
    return make


def move(kind, inputs, shape, options="", count=1):
    """An operation that moves values, between two convolutions where it can be."""
    def make(g):
        x = g.conv(g.input(1, 6, 4, 4), 8, activation=1)
        made = g.op(kind, [i if i is not None else x for i in inputs(g)], shape, options, count)
        g.outputs = [made] if count == 1 else made
    return make


def net(g):
    x = g.conv(g.input(1, 12, 12, 3), 8, stride=2, activation=3)
    dw = g.op("DEPTHWISE_CONV_2D", [x, g.weights(1, 3, 3, 8, scale=3),
                                    g.constant(g.rng.normal(0, .1, 8))], (1, 6, 6, 8),
              "stride_w 1 stride_h 1 depth_multiplier 1 activation 1 dilation_w 1 dilation_h 1")
    y = g.conv(dw, 8, kernel=1)
    x = g.op("ADD", [x, y], (1, 6, 6, 8), "activation 1")
    z = g.op("AVERAGE_POOL_2D", [x], (1, 3, 3, 8), "stride_w 2 stride_h 2 filter_w 2 filter_h 2 padding 1")
    m = g.op("MAX_POOL_2D", [x], (1, 3, 3, 8), "stride_w 2 stride_h 2 filter_w 2 filter_h 2 padding 1")
    c = g.op("CONCATENATION", [z, m], (1, 3, 3, 16), "axis 3")
    v = g.op("MEAN", [c, g.constant([1, 2], "int32")], (1, 16))
    f = g.op("FULLY_CONNECTED", [v, g.weights(10, 16, scale=3), g.constant(g.rng.normal(0, 1, 10))],
             (1, 10))
    g.outputs = [g.op("SOFTMAX", [f], (1, 10), "beta 1")]


def gates(g):
    """Fixed scales meet others: a gate's output is joined with what has another range."""
    x = g.conv(g.input(1, 6, 5, 4), 8)
    s = g.op("LOGISTIC", [x], g.shape(x))
    t = g.op("TANH", [x], g.shape(x))
    p = g.op("MUL", [x, s], g.shape(x))
    c = g.op("CONCATENATION", [s, t, p, x], (1, 6, 5, 32), "axis 3")
    g.outputs = [g.conv(c, 4, kernel=1), g.op("MAXIMUM", [s, t], g.shape(x))]


def padded(g):
    x = g.conv(g.input(1, 7, 7, 3), 8, activation=1, extra="padding 0")
    out = g.op("CONV_2D", [x, g.weights(4, 3, 3, 8), g.constant(g.rng.normal(0, .2, 4))],
               (1, 4, 4, 4), "padding 1 stride_w 2 stride_h 2 dilation_w 1 dilation_h 1 "
               "pad_top 1 pad_left 1 pad_bottom 1 pad_right 1")
    g.outputs = [out]


def pools(g):
    """Padding of pools: as SAME has it, on one side only, and where an average can have it."""
    x = g.conv(g.input(1, 8, 8, 3), 4)
    pool = "filter_w 3 filter_h 3 stride_w 2 stride_h 2 padding 1"
    m = g.op("MAX_POOL_2D", [x], (1, 4, 4, 4), pool + " pad_top 1 pad_left 1")
    a = g.op("AVERAGE_POOL_2D", [x], (1, 4, 4, 4), pool + " pad_bottom 1 pad_right 1")
    g.outputs = [m, a]


def trained(g):
    """QUANTIZE and DEQUANTIZE round every value: no operator may stay float, the output has its scale."""
    x = g.given(g.input(1, 6, 6, 3), 0.03, 0)
    y = g.given(g.op("RELU", [g.conv(x, 8)], (1, 6, 6, 8)), 0.015625, 0, "uint8")
    z = g.given(g.op("MAX_POOL_2D", [y], (1, 3, 3, 8), "stride_w 2 stride_h 2 filter_w 2 filter_h 2 padding 1"),
                0.015625, -128)
    g.outputs = [g.given(g.conv(z, 4), 0.05, 3)]
    g.all_integers = True


def transposed(g):
    x = g.input(1, 5, 4, 6)
    g.outputs = [g.op("TRANSPOSE_CONV", [g.constant([1, 10, 8, 4], "int32"), g.weights(4, 3, 3, 6), x,
                                         g.constant(g.rng.normal(0, .2, 4))], (1, 10, 8, 4),
                      "stride_w 2 stride_h 2")]


def matmul(g):
    a, b = g.input(2, 5, 8), g.input(2, 8, 6)
    g.outputs = [g.op("BATCH_MATMUL", [a, b], (2, 5, 6))]


def dense(g):
    """A constant matrix, then constants per column: one layer."""
    x = g.input(1, 5, 8)
    y = g.op("BATCH_MATMUL", [x, g.weights(8, 6)], (1, 5, 6))
    y = g.op("MUL", [y, g.constant(g.rng.uniform(.5, 2, 6))], (1, 5, 6))
    y = g.op("ADD", [y, g.constant(g.rng.normal(0, 1, 6))], (1, 5, 6))
    g.outputs = [g.op("RELU", [y], (1, 5, 6))]


def unlike(g):
    """An output with weights a hundred times as large, for an input that is small: each keeps its own scale."""
    x = g.op("MUL", [g.input(1, 4, 8), g.constant([1, 1, 1, 1, 1, 1, 1, .01])], (1, 4, 8))
    w = g.rng.normal(0, .3, (6, 8))
    w[0] = [0, 0, 0, 0, 0, 0, 0, 100]
    y = g.op("FULLY_CONNECTED", [x, g.constant(w), g.constant(g.rng.normal(0, 1, 6))], (1, 4, 6),
             "keep_dims 1 activation 1")
    g.outputs = [g.op("SLICE", [y, g.constant([0, 0, 1], "int32"), g.constant([1, 4, 5], "int32")], (1, 4, 5))]


def left_float(g):
    """COS has no kernel of integers: it stays float between two layers."""
    x = g.conv(g.input(1, 6, 5, 4), 8)
    y = g.op("COS", [x], g.shape(x))
    g.outputs = [g.conv(y, 4)]


def ints(*values):
    return lambda g: [None, g.constant(values, "int32")]


CASES = {
    "net": net, "gates": gates, "padded": padded, "pools": pools, "trained": trained, "transpose_conv": transposed,
    "batch_matmul": matmul, "dense": dense, "unlike": unlike, "left_float": left_float,
    **{k.lower(): unary(k) for k in ["LOGISTIC", "TANH", "RELU", "RELU6", "HARD_SWISH", "GELU", "ABS",
                                     "EXP", "SQUARE", "NEG", "LOG_SOFTMAX", "RELU_N1_TO_1"]},
    # Alone: of convolutions the other kernels are not the reference.
    "elu": lambda g: g.outputs.append(g.op("ELU", [g.input(1, 6, 5, 4)], (1, 6, 5, 4))),
    "leaky_relu": unary("LEAKY_RELU", "alpha 0.1"), "softmax": unary("SOFTMAX", "beta 1"),
    **{k.lower(): binary(k) for k in ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"]},
    "add_relu": binary("ADD", "activation 1"),
    "mul_constant": binary("MUL", "", lambda g: g.rng.normal(0, 2, (1, 6, 5, 8))),
    "add_number": binary("ADD", "", lambda g: [[[[2.5]]]]),
    "clamp": lambda g: g.outputs.append(g.op("MINIMUM", [g.op(
        "MAXIMUM", [g.conv(g.input(1, 4, 4, 3), 4), g.constant(0.0)], (1, 4, 4, 4)),
        g.constant(6.0)], (1, 4, 4, 4))),
    "prelu": binary("PRELU", "", lambda g: g.rng.uniform(0, .5, (1, 1, 8))),
    "mean": move("MEAN", ints(1, 2), (1, 1, 1, 8), "keep_dims 1"),
    "reduce_max": move("REDUCE_MAX", ints(1), (1, 4, 8)),
    "reshape": move("RESHAPE", ints(1, 24, 8), (1, 24, 8)),
    "transpose": move("TRANSPOSE", ints(0, 3, 1, 2), (1, 8, 6, 4)),
    "pad": move("PAD", lambda g: [None, g.constant([[0, 0], [1, 2], [0, 1], [0, 0]], "int32")], (1, 9, 5, 8)),
    "mirror_pad": move("MIRROR_PAD", lambda g: [None, g.constant([[0, 0], [1, 2], [0, 1], [0, 0]], "int32")],
                       (1, 9, 5, 8)),
    "slice": move("SLICE", lambda g: [None, g.constant([0, 1, 0, 2], "int32"),
                                      g.constant([1, 3, 4, 5], "int32")], (1, 3, 4, 5)),
    "strided_slice": move("STRIDED_SLICE", lambda g: [None] + [g.constant(v, "int32") for v in (
        [0, 0, 0, 0], [1, 6, 4, 8], [1, 2, 1, 1])], (1, 3, 4, 8)),
    "split": move("SPLIT", lambda g: [g.constant(3, "int32"), None], (1, 6, 4, 4), "count 2", 2),
    "gather": move("GATHER", ints(3, 0, 5), (1, 3, 4, 8), "axis 1"),
    "tile": move("TILE", ints(1, 2, 1, 1), (1, 12, 4, 8)),
    "resize_bilinear": move("RESIZE_BILINEAR", ints(12, 8), (1, 12, 8, 8), "half_pixel 1"),
    "resize_nearest": move("RESIZE_NEAREST_NEIGHBOR", ints(12, 8), (1, 12, 8, 8)),
    "space_to_depth": move("SPACE_TO_DEPTH", lambda g: [None], (1, 3, 2, 32), "block_size 2"),
    "depth_to_space": move("DEPTH_TO_SPACE", lambda g: [None], (1, 12, 8, 2), "block_size 2"),
    "pack": lambda g: g.outputs.append(g.op("PACK", [g.conv(x := g.input(1, 4, 4, 3), 4), g.conv(x, 4)],
                                            (2, 1, 4, 4, 4), "count 2 axis 0")),
}

MODES = {
    "int8": [],
    "per_tensor": ["--weights", "per-tensor", "--io", "float32"],
    "int16": ["--int16", "--bias-correction=off"],
    "mixed": ["--mixed=0.6"],
    "improved": ["--equalise", "--adaround", "--epochs", "2", "--io", "float32"],
}

# What has to be so with one scale for all weights is not asked for.
NOT_PER_TENSOR = ["unlike"]

# BUILTIN_REF of 2.14 does not have them; the other kernels do.
NOT_REFERENCE = ["elu"]

# Below this many decibels something is wrong: not rounding, but what is computed.
LEAST = {"int8": 20, "per_tensor": 18, "int16": 20, "mixed": 20, "improved": 20}


def run(accel, cpu_run, np, interpreter_of, name, mode, tmp):
    g = Graph(np, sum(map(ord, name)))
    CASES[name](g)
    (tmp / "g.ir").write_text(g.text())
    arrays = {f"t{t}": g.rng.normal(0, 1, (SAMPLES, *g.shape(t))).astype(np.float32)
              for t in g.inputs}
    np.savez(tmp / "samples.npz", **arrays)
    done = subprocess.run([accel, "quantise", tmp / "g.ir", "-o", tmp / "q.tflite", "--json",
                           "--calibration", tmp / "samples.npz", *MODES[mode]],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr.strip()
    report = json.loads(done.stdout)
    db = report["output_sqnr_db"]
    assert not getattr(g, "all_integers", False) or report["float_operators"] == 0, report
    assert db is None or db >= LEAST[mode], f"{db} dB only"
    try:
        interpreter = interpreter_of(tmp / "q.tflite", name)
        interpreter.allocate_tensors()
        why = cpu_tflite.compare(np, interpreter, cpu_run, tmp / "q.tflite", name, tmp,
                                 np.random.default_rng(1))
    except (RuntimeError, ValueError) as err:
        why = f"TFLite: {str(err).strip().splitlines()[0]}"
    assert not why, why
    return f"{db or 999:.1f} dB, {report['float_operators']} float"


def field(number, payload):
    """A length-delimited or varint field of a protobuf message."""
    def varint(n):
        out = b""
        while n > 0x7f:
            out += bytes([n & 0x7f | 0x80])
            n >>= 7
        return out + bytes([n])
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def open_onnx():
    """An ONNX model, RELU, whose first axis has a name in place of an extent."""
    def value(name):
        shape = field(1, field(2, b"N")) + field(1, field(1, 4))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))
    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"g") + field(11, value(b"x")) + field(12, value(b"y"))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


def check_refused(np, accel, tmp):
    """What is wrong is named on one line, and nothing is written."""
    g = Graph(np, 1)
    net(g)
    good = g.text()
    np.savez(tmp / "good.npz", t0=np.zeros((2, 1, 12, 12, 3), np.float32))
    np.savez(tmp / "none.npz", t0=np.zeros((0, 1, 12, 12, 3), np.float32))
    np.savez(tmp / "shape.npz", t0=np.zeros((2, 1, 9, 12, 3), np.float32))
    nan = np.zeros((2, 1, 12, 12, 3), np.float32)
    nan[1, 0, 3, 3, 1] = np.nan
    np.savez(tmp / "nan.npz", t0=nan)
    np.save(tmp / "flat.npy", np.zeros((3, 4), np.float32))
    (tmp / "empty").mkdir(exist_ok=True)
    (tmp / "good.ir").write_text(good)
    weights = next(t for t, shape in g.tensors if shape == (8, 3, 3, 3))
    (tmp / "nan.ir").write_text(good.replace(weights, weights[:weights.index("data ") + 5] + "0000c07f" +
                                             weights[weights.index("data ") + 13:]))
    (tmp / "cut.ir").write_text(good[:len(good) // 2])
    (tmp / "open.onnx").write_bytes(open_onnx())
    cases = [
        ("nan.ir", "good.npz", [], ["not finite", weights.split('"')[1]]),
        ("good.ir", "nan.npz", [], ["sample 1", "not a finite number"]),
        ("good.ir", "none.npz", [], ["no samples"]),
        ("good.ir", "empty", [], ["empty"]),
        ("good.ir", "no-such.npz", [], ["no-such.npz"]),
        ("good.ir", "shape.npz", [], ["shape.npz"]),
        ("cut.ir", "good.npz", [], ["cut.ir"]),
        ("no-such.ir", "good.npz", [], ["no-such.ir"]),
        ("open.onnx", "flat.npy", [], ["--shape"]),
        ("good.ir", "good.npz", ["-o", "no/such/folder/q.tflite"], ["no/such/folder"]),
        ("good.ir", "good.npz", ["--lr", "-1"], ["--lr"]),
        ("good.ir", "good.npz", ["--method", "best"], ["--method"]),
        ("good.ir", "good.npz", ["--mixed=2"], ["--mixed"]),
    ]
    failures = 0
    for model, samples, options, words in cases:
        (tmp / "out.tflite").write_text("as it was")
        done = subprocess.run([accel, "quantise", model, "-c", samples, "-o", "out.tflite", *options],
                              capture_output=True, text=True, check=False, cwd=tmp)
        lines = [line for line in done.stderr.splitlines() if line.startswith("accel")]
        ok = (done.returncode in (1, 2, 64) and lines and all(w in lines[0] for w in words) and
              (tmp / "out.tflite").read_text() == "as it was" and not list(tmp.glob("out.tflite.*")))
        failures += not ok
        print(f"{'ok  ' if ok else 'FAIL'} refused {model} {samples} {' '.join(options)}: {done.returncode} "
              f"{lines[0] if lines else done.stderr!r}")
    # The same with the shape given is no error.
    done = subprocess.run([accel, "quantise", "open.onnx", "-c", "flat.npy", "-o", "q.tflite", "--shape", "x=1,4"],
                          capture_output=True, text=True, check=False, cwd=tmp)
    if done.returncode:
        failures += 1
        print(f"FAIL with --shape: {done.stderr.strip()}")
    return failures


def check(accel, cpu_run):
    import numpy as np
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    def interpreter_of(path, case):
        return Interpreter(str(path), experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if case in NOT_REFERENCE else
            OpResolverType.BUILTIN_REF))

    accel = os.path.abspath(accel)
    with tempfile.TemporaryDirectory() as name:
        failures = check_refused(np, accel, pathlib.Path(name))
        for case in CASES:
            for mode in MODES:
                if mode == "per_tensor" and case in NOT_PER_TENSOR:
                    continue
                try:
                    what = run(accel, cpu_run, np, interpreter_of, case, mode, pathlib.Path(name))
                    print(f"ok   {case} {mode}: {what}")
                except AssertionError as err:
                    failures += 1
                    print(f"FAIL {case} {mode}: {err}", flush=True)
    print(f"quantised graphs: {len(CASES) * len(MODES) - len(NOT_PER_TENSOR)}, {failures} failures")
    return 1 if failures else 0


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    why = cpu_tflite.install()
    if why:
        print(f"SKIP: tflite-runtime {cpu_tflite.VERSION} does not install: {why}")
        return SKIP
    return subprocess.run([cpu_tflite.cache() / "bin/python", os.path.abspath(__file__), "--check",
                           *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
