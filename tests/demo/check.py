#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demo model on the simulated NPU against what TFLite's reference kernels made of it.

Every output of a few pictures byte for byte, and of all 10,000 what was taken for what.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = ("u65-256", "u85-256")
SAMPLES = 4


def npy_data(path):
    """The bytes of an array file after its header (version 1)."""
    with open(path, "rb") as f:
        b = f.read()
    return b[10 + int.from_bytes(b[8:10], "little"):]


def sample(args, config, i):
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "y.npy")
        r = subprocess.run([args.accel, "run", f"{HERE}/ds-cnn.{config}.tflite", "-d", f"sim:ethos-{config}",
                            "--input", f"{HERE}/input_{i}.npy", "--output", out], check=False)
        return r.returncode == 0 and npy_data(out) == npy_data(f"{HERE}/output_{i}.npy")


def evaluate(args, config, expected):
    r = subprocess.run([args.accel, "eval", f"{HERE}/ds-cnn.{config}.tflite", "-d", f"sim:ethos-{config}",
                        "--dataset", f"fashion-mnist:{args.data}", "--json"],
                       check=False, capture_output=True, text=True)
    if r.returncode:
        print(r.stderr, end="", file=sys.stderr)
        return False
    got = json.loads(r.stdout)
    print(f"{config}: {got['correct']} right, TFLite's reference {expected['correct']}")
    return got["correct"] == expected["correct"] and got["confusion"] == expected["confusion"]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--accel", default="build/accel")
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args = p.parse_args()
    with open(f"{HERE}/expected.json") as f:
        expected = json.load(f)
    results = [(f"{c} sample {i}", sample(args, c, i)) for c in CONFIGS for i in range(SAMPLES)]
    skipped = 0
    if os.path.isdir(args.data):
        results += [(f"{c} all pictures", evaluate(args, c, expected)) for c in CONFIGS]
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
