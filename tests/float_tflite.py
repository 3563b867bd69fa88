#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Operators of float32 (and of plain integers) on the CPU against TFLite 2.14's reference kernels.

Each case is a graph of one operator with odd shapes, written here in the graph's text form, made a
TFLite file by tests/tflite_write.c, and run by TFLite and by tests/cpu_run.c on the same numbers.
float32: |ours - theirs| <= RTOL * |theirs| + ATOL, what is no number or infinite is the same; integers
and truth values: equal. TFLite is kept as cpu_tflite.py has it.

usage: float_tflite.py TFLITE_WRITE CPU_RUN
Exit status: 0, 1, or 77: no PyPI, or no wheel for this Python.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import cpu_tflite

RTOL, ATOL = 2e-5, 2e-6
VECTORS = 3     # of random numbers; then one with infinities and what is no number, where it is defined

# TFLite's kernel gives one of the operands by chance if the other is no number.
NUMBERS_ONLY = {"MAXIMUM", "MINIMUM", "REDUCE_MAX", "REDUCE_MIN", "MAX_POOL_2D", "ARG_MAX", "ARG_MIN",
                "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "CONV_2D", "TOPK_V2",
                "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV", "CAST",
                "AVERAGE_POOL_2D", "QUANTIZE", "SOFTMAX", "LOG_SOFTMAX", "ELU", "FLOOR_MOD", "GELU",
                "RESIZE_BILINEAR", "FLOOR_DIV", "UNIDIRECTIONAL_SEQUENCE_LSTM", "LEAKY_RELU", "SIGN", "SIN", "COS", "L2_NORMALIZATION", "POW"}

# TFLite's kernel clamps infinite results to the largest number; we keep them.
CLAMPED = {"ADD", "SUB", "MUL", "DIV"}


class Const:
    """A constant operand: shape and values."""

    def __init__(self, shape, values, kind="int32"):
        self.shape, self.values, self.kind = shape, values, kind


class State:
    """A variable: its shape."""

    def __init__(self, shape):
        self.shape = shape


def ints(*values):
    return Const((len(values),), values)


def scalar(value, kind="int32"):
    return Const((), (value,), kind)


def window(size, k, stride, same, dilation=1):
    k = (k - 1) * dilation + 1
    return -(-size // stride) if same else (size - k) // stride + 1


def convolutions():
    for h, w, c, k, s, d, same, groups, act in [
            (7, 5, 3, (3, 3), (1, 1), (1, 1), 1, 1, 0), (8, 9, 4, (3, 2), (2, 3), (1, 1), 0, 1, 1),
            (9, 7, 5, (3, 3), (1, 1), (2, 3), 1, 1, 3), (6, 6, 17, (1, 1), (1, 1), (1, 1), 0, 1, 2),
            (6, 5, 6, (3, 3), (2, 1), (1, 1), 1, 3, 0), (5, 5, 8, (1, 1), (2, 2), (1, 1), 1, 1, 0),
            (4, 4, 8, (1, 1), (1, 1), (1, 1), 0, 2, 1)]:
        o = 6
        y, x = window(h, k[0], s[0], same, d[0]), window(w, k[1], s[1], same, d[1])
        opts = (f"padding {1 - same} stride_w {s[1]} stride_h {s[0]} activation {act} "
                f"dilation_w {d[1]} dilation_h {d[0]}")
        weights = Const((o, *k, c // groups), None, "float32")
        yield "CONV_2D", [(2, h, w, c), weights, Const((o,), None, "float32")], [(2, y, x, o)], opts
        if groups == 1 and act == 0:
            yield "CONV_2D", [(1, h, w, c), (o, *k, c), (o,)], [(1, y, x, o)], opts
        for multiplier in (1, 2) if groups == 1 else ():
            o = c * multiplier
            yield ("DEPTHWISE_CONV_2D", [(2, h, w, c), Const((1, *k, o), None, "float32"),
                                         Const((o,), None, "float32")], [(2, y, x, o)],
                   opts + f" depth_multiplier {multiplier}")
            o = 6
        pool = f"padding {1 - same} stride_w {s[1]} stride_h {s[0]} filter_w {k[1]} filter_h {k[0]} " \
               f"activation {act}"
        y, x = window(h, k[0], s[0], same), window(w, k[1], s[1], same)
        for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            yield kind, [(2, h, w, c)], [(2, y, x, c)], pool
    for h, w, k, s, same, bias in [(4, 3, (3, 2), (2, 3), 0, True), (5, 5, (4, 4), (2, 2), 1, True),
                                   (3, 4, (2, 2), (1, 1), 1, False)]:
        size = [n * t if same else (n - 1) * t + m for n, m, t in zip((h, w), k, s)]
        out = (2, *size, 3)
        operands = [ints(*out), Const((3, *k, 5), None, "float32"), (2, h, w, 5)]
        yield ("TRANSPOSE_CONV", operands + [Const((3,), None, "float32")] * bias, [out],
               f"padding {1 - same} stride_w {s[1]} stride_h {s[0]}")


def products():
    w = Const((7, 13), None, "float32")
    yield "FULLY_CONNECTED", [(5, 13), w, Const((7,), None, "float32")], [(5, 7)], "activation 1"
    yield "FULLY_CONNECTED", [(1, 13), w], [(1, 7)], ""
    yield "FULLY_CONNECTED", [(2, 3, 13), w], [(2, 3, 7)], "keep_dims 1 activation 3"
    yield "BATCH_MATMUL", [(3, 5, 4), (3, 4, 6)], [(3, 5, 6)], ""
    yield "BATCH_MATMUL", [(2, 1, 5, 4), (3, 4, 6)], [(2, 3, 5, 6)], ""
    yield "BATCH_MATMUL", [(3, 4, 5), (3, 4, 6)], [(3, 5, 6)], "adj_x 1"
    yield "BATCH_MATMUL", [(3, 5, 4), (6, 4)], [(3, 5, 6)], "adj_y 1"
    yield "BATCH_MATMUL", [(2, 4, 1), (2, 6, 4)], [(2, 1, 6)], "adj_x 1 adj_y 1"


def elementwise():
    shapes = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((3, 1), (2, 1, 5)), ((7, 1, 1), ()),
              ((2, 3, 1, 1), (2, 3, 5, 7)), ((33, 17), (33, 1))]
    for kind in "ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD POW".split():
        for a, b in shapes:
            if kind == "SQUARED_DIFFERENCE" and len(a) < len(b):
                a, b = b, a
            out = broadcast(a, b)
            act = " activation 3" if kind in ("ADD", "SUB", "MUL") and len(b) == 1 else ""
            yield kind, [a, b], [out], act
    for kind in "EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL".split():
        for t in ("float32", "int32", "int64"):
            yield kind, [(t, 5, 3), (t, 3)], [("bool", 5, 3)], ""
    for kind in "ADD SUB MUL DIV MAXIMUM MINIMUM FLOOR_DIV FLOOR_MOD POW".split():
        for t in ("int32", "int64"):
            if t == "int64" and kind in ("FLOOR_DIV", "DIV", "POW"):
                continue        # not in TFLite 2.14
            yield kind, [(t, 5, 3), (t, 5, 3)], [(t, 5, 3)], ""
    yield "PRELU", [(2, 3, 4, 5), Const((1, 1, 5), None, "float32")], [(2, 3, 4, 5)], ""
    for kind in ("ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC NEG RELU RELU6 "
                 "RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SIGN SIN SQRT SQUARE TANH").split():
        options = {"LEAKY_RELU": "alpha 0.3", "GELU": "approximate 1"}.get(kind, "")
        yield kind, [(3, 5, 7)], [(3, 5, 7)], options
    yield "GELU", [(3, 5, 7)], [(3, 5, 7)], ""
    for t in ("int32", "int64"):
        yield "NEG", [(t, 4, 3)], [(t, 4, 3)], ""
    yield "ABS", [("int32", 4, 3)], [("int32", 4, 3)], ""
    yield "SELECT_V2", [("bool", 4, 1), (4, 3), (3,)], [(4, 3)], ""
    yield "SELECT", [("bool", 4), ("int64", 4, 3), ("int64", 4, 3)], [("int64", 4, 3)], ""


def broadcast(a, b):
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    return tuple(max(x, y) for x, y in zip(a, b))


def rows():
    for axes, out, keep in [((1, 2), (2, 1, 1, 5), 1), ((0,), (3, 4, 5), 0), ((-1,), (2, 3, 4), 0),
                            ((0, 3), (1, 3, 4, 1), 1), ((0, 1, 2, 3), (), 0)]:
        for kind in "MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN".split():
            yield kind, [(2, 3, 4, 5), ints(*axes)], [out], f"keep_dims {keep}"
            if kind == "SUM":
                yield (kind, [("int32", 2, 3, 4, 5), ints(*axes)], [("int32", *out)],
                       f"keep_dims {keep}")
                yield (kind, [("int64", 2, 3, 4, 5), ints(*axes)], [("int64", *out)],
                       f"keep_dims {keep}")
    for kind in ("ARG_MAX", "ARG_MIN"):
        yield kind, [(3, 5, 4), scalar(1)], [("int32", 3, 4)], ""
        yield kind, [(3, 5, 4), scalar(-1)], [("int64", 3, 5)], ""
    yield "SOFTMAX", [(3, 11)], [(3, 11)], "beta 1"
    yield "SOFTMAX", [(2, 3, 2, 7)], [(2, 3, 2, 7)], "beta 0.5"
    yield "LOG_SOFTMAX", [(3, 5, 7)], [(3, 5, 7)], ""
    yield "L2_NORMALIZATION", [(3, 2, 7)], [(3, 2, 7)], ""
    for exclusive in (0, 1):
        for reverse in (0, 1):
            for t in ("float32", "int32", "int64"):
                yield ("CUMSUM", [(t, 3, 4, 5), scalar(1)], [(t, 3, 4, 5)],
                       f"exclusive {exclusive} reverse {reverse}")
    yield "TOPK_V2", [(3, 9), scalar(4)], [(3, 4), ("int32", 3, 4)], ""
    for align, half in ((0, 0), (1, 0), (0, 1)):
        for kind in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
            for size in ((9, 4), (3, 11), (1, 1)):
                yield (kind, [(2, 5, 6, 3), ints(*size)], [(2, *size, 3)],
                       f"align_corners {align} half_pixel {half}")


def recurrent():
    """A sequence through cells with or without input gate, peepholes, projection, clipping."""
    for coupled, peep, outputs, major, clip in [(0, 0, 5, 0, 0), (1, 0, 5, 1, 0), (0, 1, 5, 0, .3),
                                                (0, 0, 3, 1, 0), (1, 1, 3, 0, .5)]:
        batch, steps, inputs, cells = 2, 4, 3, 5

        def gates(*shape):
            rows = [Const(shape, None, "float32") for _ in range(4)]
            return [None if coupled else rows[0], *rows[1:]]

        holes = [Const((cells,), None, "float32") if peep else None for _ in range(3)]
        if coupled:
            holes[0] = None
        projection = Const((outputs, cells), None, "float32") if outputs != cells else None
        shape = (steps, batch) if major else (batch, steps)
        yield ("UNIDIRECTIONAL_SEQUENCE_LSTM",
               [(*shape, inputs), *gates(cells, inputs), *gates(cells, outputs), *holes, *gates(cells),
                projection, None, State((batch, outputs)), State((batch, cells))],
               [(*shape, outputs)], f"activation 4 time_major {major} cell_clip {clip}")


def moves():
    for t in ("float32", "int64", "bool", "int32"):
        yield "TRANSPOSE", [(t, 2, 3, 4, 5), ints(2, 0, 3, 1)], [(t, 4, 2, 5, 3)], ""
        yield "CONCATENATION", [(t, 2, 3), (t, 2, 1), (t, 2, 4)], [(t, 2, 8)], "axis 1"
        yield "RESHAPE", [(t, 4, 6), ints(3, 8)], [(t, 3, 8)], ""
        yield ("STRIDED_SLICE", [(t, 7, 8), ints(1, 7), ints(6, 0), ints(2, -3)], [(t, 3, 3)], "")
        yield "SLICE", [(t, 7, 8), ints(2, 3), ints(4, -1)], [(t, 4, 5)], ""
        yield "TILE", [(t, 2, 3), ints(3, 2)], [(t, 6, 6)], ""
        yield "GATHER", [(t, 5, 4), ints(3, 0, 3)], [(t, 3, 4)], "axis 0"
        yield "SPLIT", [scalar(1), (t, 3, 8)], [(t, 3, 4), (t, 3, 4)], "count 2"
        yield "PACK", [(t, 3, 2), (t, 3, 2)], [(t, 3, 2, 2)], "count 2 axis 1"
        yield "UNPACK", [(t, 3, 2)], [(t, 3), (t, 3)], "count 2 axis 1"
        if t != "bool":
            yield "PAD", [(t, 3, 4), Const((2, 2), (1, 2, 0, 3))], [(t, 6, 7)], ""
            yield "MIRROR_PAD", [(t, 3, 4), Const((2, 2), (1, 2, 0, 3))], [(t, 6, 7)], ""
            yield ("PADV2", [(t, 3, 4), Const((2, 2), (1, 2, 0, 3)), scalar(7, t)], [(t, 6, 7)], "")
            yield "REVERSE_V2", [(t, 3, 4), ints(1)], [(t, 3, 4)], ""
            yield ("BROADCAST_TO", [(t, 3, 1), ints(2, 3, 4)], [(t, 2, 3, 4)], "")
            yield ("ONE_HOT", [("int32", 4), scalar(5), scalar(3, t), scalar(1, t)], [(t, 4, 5)],
                   "axis -1")
            yield ("REVERSE_SEQUENCE", [(t, 4, 5), Const((4,), (1, 5, 0, 3), "int32")], [(t, 4, 5)],
                   "axis 1 batch_dims 0")
        if t != "bool":
            yield ("SCATTER_ND", [Const((3, 1), (1, 0, 1)), (t, 3, 4), ints(5, 4)], [(t, 5, 4)], "")
        yield "GATHER_ND", [(t, 3, 4, 2), Const((2, 2), (1, 2, 0, 3))], [(t, 2, 2)], ""
    kinds = ("float32", "int32", "int64", "bool", "uint8", "int8", "int16")
    for a in kinds:
        for b in kinds:
            if a != b:
                yield "CAST", [(a, 3, 5)], [(b, 3, 5)], ""
    yield "DEPTH_TO_SPACE", [(2, 3, 2, 8)], [(2, 6, 4, 2)], "block_size 2"
    yield "SPACE_TO_DEPTH", [(2, 6, 4, 2)], [(2, 3, 2, 8)], "block_size 2"


def cases():
    for family in (convolutions, products, elementwise, rows, recurrent, moves):
        yield from family()


def typed(shape):
    return (shape[0], tuple(shape[1:])) if shape and isinstance(shape[0], str) else ("float32", shape)


def text_of(np, rng, case):
    """The graph in its text form; also types and shapes of the inputs."""
    kind, operands, outs, options = case
    lines, names, inputs = [], [], []

    def declare(kind, shape, data=b"", variable=False):
        form = "x".join(str(n) for n in shape) or "scalar"
        lines.append(f'tensor "t{len(lines)}" {kind} {form}' + (f" data {data.hex()}" if data else "") +
                     (" variable" if variable else ""))
        return f"%{len(lines) - 1}"

    for operand in operands:
        if operand is None or isinstance(operand, State):
            names.append(declare("float32", operand.shape, variable=True) if operand else "-")
            continue
        if isinstance(operand, Const):
            values = operand.values
            if values is None:
                values = rng.normal(0, 1, operand.shape)
            names.append(declare(operand.kind, operand.shape,
                                 np.asarray(values).astype(operand.kind).tobytes()))
            continue
        element, shape = typed(operand)
        names.append(declare(element, shape))
        inputs.append((names[-1], element, shape))
    results = [declare(*typed(out)) for out in outs]
    return "\n".join(['graph "graph"', *lines, "inputs " + " ".join(i[0] for i in inputs),
                      "outputs " + " ".join(results),
                      f"op {kind} {' '.join(names)} -> {' '.join(results)} {options}", ""]), inputs


def numbers(np, rng, kind, element, shape, vector):
    positive = kind in ("LOG", "SQRT", "RSQRT", "POW")
    if element == "float32":
        a = rng.normal(0, 3, shape).astype(element)
        if kind == "ROUND":
            a = (rng.integers(-9, 10, shape) / 2).astype(element)
        if kind == "CAST":
            a = np.clip(a * 20, -100, 100).astype(element)
        a = np.abs(a) + (0.01 if positive else 0) if positive or kind == "CAST" else a
        if vector == VECTORS:
            a = np.where(rng.random(shape) < 0.3, rng.choice([np.nan, np.inf, -np.inf, 0, -0.0], shape),
                         a).astype(element)
        return np.asarray(a, element)
    if element == "bool":
        return np.asarray(rng.integers(0, 2, shape), element)
    low, high = (1, 5) if kind in ("DIV", "FLOOR_DIV", "FLOOR_MOD", "POW") else (-5, 6)
    if kind in ("ONE_HOT", "CAST"):
        low = 0
    return np.asarray(rng.integers(low, high, shape), element)


def run_case(np, tflite, tools, tmp, case, rng):
    """Returns why TFLite cannot, or None."""
    text, inputs = text_of(np, rng, case)
    (tmp / "case.ir").write_text(text)
    done = subprocess.run([tools[0], "-o", tmp / "case.tflite", tmp / "case.ir"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f"not written: {done.stderr.strip()}"
    try:
        interpreter = tflite(str(tmp / "case.tflite"))
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as err:
        return f"TFLite: {str(err).strip().splitlines()[0]}"
    details = interpreter.get_input_details()
    ours, theirs = b"", []
    for vector in range(VECTORS + (case[0] not in NUMBERS_ONLY)):
        arrays = [numbers(np, rng, case[0], element, shape, vector) for _, element, shape in inputs]
        interpreter.reset_all_variables()
        for d, a in zip(details, arrays):
            interpreter.set_tensor(d["index"], a)
        interpreter.invoke()
        ours += b"".join(a.tobytes() for a in arrays)
        theirs += [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    (tmp / "in").write_bytes(ours)
    done = subprocess.run([tools[1], tmp / "case.tflite", tmp / "in", tmp / "out"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f"not run: {done.stderr.strip()}"
    got, at = (tmp / "out").read_bytes(), 0
    for want in theirs:
        a = np.frombuffer(got, want.dtype, want.size, at).reshape(want.shape)
        at += want.nbytes
        if case[0] in CLAMPED:
            largest = np.finfo(np.float32).max
            want = np.where(np.abs(want) == largest, np.copysign(np.inf, want), want)
        if want.dtype == np.float32:
            np.testing.assert_allclose(a, want, rtol=RTOL, atol=ATOL)
        else:
            np.testing.assert_array_equal(a, want)
    assert at == len(got), f"{len(got)} bytes of output, not {at}"
    return None


def check(*tools):
    """Run by the interpreter that has TFLite."""
    import numpy as np
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    count = {"ok": 0, "FAIL": 0, "SKIP": 0}

    def tflite(path):
        try:
            return Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        except (RuntimeError, ValueError):      # without a reference kernel, as CUMSUM
            return Interpreter(
                path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)

    with tempfile.TemporaryDirectory() as name:
        for i, case in enumerate(cases()):
            operands = [o if o is None or isinstance(o, tuple) else f"constant {o.shape}" for o in case[1]]
            what = f"{i} {case[0]} {operands} {case[3]}"
            status = "ok"
            try:
                why = run_case(np, tflite, tools, pathlib.Path(name), case, np.random.default_rng(i))
                if why:
                    status = "SKIP"
            except AssertionError as err:
                status, why = "FAIL", " ".join(str(err).split())[:400]
            count[status] += 1
            print(f"{status} {what}{': ' + why if why else ''}", flush=True)
    print("float against TFLite: " + ", ".join(f"{n} {s}" for s, n in count.items()))
    return 1 if count["FAIL"] or not count["ok"] else 0


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    why = cpu_tflite.install()
    if why:
        print(f"SKIP: tflite-runtime {cpu_tflite.VERSION} does not install: {why}")
        return cpu_tflite.SKIP
    return subprocess.run([cpu_tflite.cache() / "bin/python", os.path.abspath(__file__), "--check",
                           *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
