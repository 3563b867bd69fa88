#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for tests/fuzz_cpu.c: the cases of tests/float_tflite.py and some more, a few a kind.

To be run again when ir_ops.h gets kinds or options: seeds name both by number.

usage: fuzz_cpu_seeds.py CORPUS
"""
import itertools
import pathlib
import random
import re
import sys

import float_tflite

TYPES = {"int8": 0, "uint8": 2, "int16": 3, "int32": 4, "float32": 6, "bool": 7, "int64": 8}
REALS = {0.3: 5, 0.5: 1, 1: 0}      # places in the fuzzer's list of scales
MOST = 3                            # seeds of a kind


def names():
    text = pathlib.Path("runtime/ir/ir_ops.h").read_text(encoding="utf-8")
    kinds = ["NPU", "OTHER"] + re.findall(r"\n\tX\((\w+), -?\d+,", text[text.index("#define IR_KINDS"):])
    options = text[text.index("#define IR_OPTIONS(X)"):]
    return kinds, re.findall(r"X\((\w+), ([sf])32\)", options[:options.index("/**")])


def option_bytes(options, text):
    words = text.split()
    given = dict(zip(words[::2], words[1::2]))
    for name, kind in options:
        value = given.get(name, "0")
        yield REALS.get(float(value), 8) if kind == "f" else int(float(value)) & 255


def operand(element, shape, constant):
    flags = len(shape) | (0x40 if constant else 0)
    return bytes([TYPES[element], flags, *shape, *[0] * (8 - len(shape)), 0x80, 0])


def stream(values):
    """Elements: every fourth byte is the lowest of an int32, which constants are."""
    out = bytearray(random.Random(len(values)).randbytes(64))
    for i, value in enumerate(values):
        out[4 * i] = value & 255
    return bytes(out)


def only_onnx():
    """Kinds that TFLite has not."""
    for kind in ("ERF TAN ASIN ACOS ATAN SINH COSH ASINH ACOSH ATANH RECIPROCAL SOFTPLUS SOFTSIGN MISH "
                 "HARD_SIGMOID SELU CELU THRESHOLDED_RELU").split():
        yield kind, [(3, 5)], [(3, 5)], "alpha 0.5 beta 0.5"
    for kind in ("IS_NAN", "IS_INF"):
        yield kind, [(3, 5)], [("bool", 3, 5)], ""
    for t in ("float32", "int64"):
        yield "FMOD", [(t, 3, 5), (t, 5)], [(t, 3, 5)], ""
        yield "GATHER_ELEMENTS", [(t, 3, 5), ("int32", 3, 2)], [(t, 3, 2)], "axis 1"
        yield "SCATTER_ELEMENTS", [(t, 3, 5), ("int32", 3, 2), (t, 3, 2)], [(t, 3, 5)], "axis 1 mode 1"
        yield "SCATTER_ND_UPDATE", [(t, 3, 5), ("int32", 2, 1), (t, 2, 5)], [(t, 3, 5)], "mode 2"
    for mode in range(3):
        yield ("GRID_SAMPLE", [(2, 3, 4, 5), (2, 3, 2, 2)], [(2, 3, 3, 2)],
               f"mode {mode} padding {mode} align_corners 1")
    for kind in ("BITWISE_AND", "BITWISE_XOR", "LEFT_SHIFT", "RIGHT_SHIFT"):
        yield kind, [("int64", 3, 5), ("int64", 5)], [("int64", 3, 5)], ""


def seed(kinds, options, case):
    kind, operands, outs, text = case
    if len(operands) > 24 or len(outs) > 2:
        return None
    data, integers = b"", []
    for o in operands:
        if o is None:
            data += bytes([0, 0x80, *[0] * 10])
        elif isinstance(o, float_tflite.Const):
            data += operand(o.kind, o.shape, True)
            integers = integers or ([] if o.values is None else list(o.values))
        else:
            shape = o.shape if isinstance(o, float_tflite.State) else o
            data += operand(*float_tflite.typed(shape), False)
    for out in outs:
        data += operand(*float_tflite.typed(out), False)
    head = bytes([kinds.index(kind), (len(operands) - 1) | (len(outs) - 1) << 5])
    return head + bytes(option_bytes(options, text)) + data + stream(integers)


def main():
    kinds, options = names()
    count = {}
    for case in itertools.chain(float_tflite.cases(), only_onnx()):
        kind = case[0]
        data = seed(kinds, options, case)
        if data is None or count.get(kind, 0) == MOST:
            continue
        count[kind] = count.get(kind, 0) + 1
        (pathlib.Path(sys.argv[1]) / f"float_{kind.lower()}_{count[kind]}").write_bytes(data)


if __name__ == "__main__":
    main()
