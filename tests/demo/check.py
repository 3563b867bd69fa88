#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demo model on the simulated NPU against what TFLite's reference kernels made of it.

As Vela compiled it, and as accel does.

Every output of 64 pictures byte for byte, and of all 10,000 what was taken for what.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# File and NPU: two that Vela compiled, and the model itself for others.
CONFIGS = (("ds-cnn.u65-256.tflite", "u65-256"), ("ds-cnn.u85-256.tflite", "u85-256"),
           ("ds-cnn.tflite", "u65-256"), ("ds-cnn.tflite", "u65-512"), ("ds-cnn.tflite", "u85-256"))
SAMPLES = 64
INPUT_SHAPE = (1, 28, 28, 1)
OUTPUT_SHAPE = (1, 10)


def npy_data(path):
    """The bytes of an array file after its header (version 1)."""
    with open(path, "rb") as f:
        b = f.read()
    return b[10 + int.from_bytes(b[8:10], "little"):]


def npy_int8(shape, data):
    """An array file (version 1) of int8; its header is padded to a multiple of 64 bytes."""
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def cut(path, shape):
    """The samples' tensors, from one array of them all."""
    data, size = npy_data(path), math.prod(shape)
    if len(data) != SAMPLES * size:
        raise SystemExit(f"{path}: {len(data)} bytes of data, not {SAMPLES} times {size}")
    return [data[i * size:(i + 1) * size] for i in range(SAMPLES)]


def sample(args, config, x, y):
    """Whether the picture x gives exactly y."""
    with tempfile.TemporaryDirectory() as d:
        source, sink = os.path.join(d, "x.npy"), os.path.join(d, "y.npy")
        with open(source, "wb") as f:
            f.write(npy_int8(INPUT_SHAPE, x))
        r = subprocess.run([args.accel, "run", f"{HERE}/{config[0]}", "-d", f"sim:ethos-{config[1]}",
                            "--input", source, "--output", sink], check=False)
        return r.returncode == 0 and npy_data(sink) == y


def evaluate(args, config, expected):
    r = subprocess.run([args.accel, "eval", f"{HERE}/{config[0]}", "-d", f"sim:ethos-{config[1]}",
                        "--dataset", f"fashion-mnist:{args.data}", "--json"],
                       check=False, capture_output=True, text=True)
    if r.returncode:
        print(r.stderr, end="", file=sys.stderr)
        return False
    got = json.loads(r.stdout)
    print(f"{config[0]} on {config[1]}: {got['correct']} right, TFLite's reference {expected['correct']}")
    return got["correct"] == expected["correct"] and got["confusion"] == expected["confusion"]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--accel", default="build/accel")
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args = p.parse_args()
    with open(f"{HERE}/expected.json") as f:
        expected = json.load(f)
    pairs = list(zip(cut(f"{HERE}/inputs.npy", INPUT_SHAPE), cut(f"{HERE}/outputs.npy", OUTPUT_SHAPE)))
    results = [(f"{c[0]} on {c[1]}, sample {i}", sample(args, c, x, y)) for c in CONFIGS for i, (x, y) in enumerate(pairs)]
    skipped = 0
    if os.path.isdir(args.data):
        results += [(f"{c[0]} on {c[1]}, all pictures", evaluate(args, c, expected)) for c in CONFIGS]
    else:
        skipped = len(CONFIGS)
        print(f"SKIP: {args.data}: no data set (Debian: dataset-fashion-mnist)")
    for name, ok in results:
        if not ok:
            print(f"FAIL {name}")
    failed = sum(not ok for _, ok in results)
    print(f"{len(results) - failed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
