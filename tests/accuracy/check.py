#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From float ONNX to int8 and the simulated NPU, on the 10,000 pictures of Fashion-MNIST.

The float network must have as many right as ONNX Runtime 1.32.0 has with the same file, int8 may lose 0.3 points,
the NPU must give the reference's bytes for each picture.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Model, right in ONNX Runtime (by hand: `ort_right` of bench.py), NPU.
MODELS = ((f"{HERE}/../demo/ds-cnn.onnx", 9044, "ethos-u65-256"), (f"{HERE}/mlp.onnx", 8884, "ethos-u85-256"))
PICTURES = 10000
POINTS = 0.3
# Two libraries for matrices round differently, and a picture may be undecided.
UNDECIDED = 2


def check(args, model, wanted, npu, folder):
    int8 = os.path.join(folder, "int8.tflite")
    data = f"fashion-mnist:{args.data}"
    subprocess.run([args.accel, "quantise", model, "-o", int8, "-c", data + ":train"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    r = subprocess.run([args.accel, "eval", int8, "--float", model, "-s", data, "-d", f"sim:{npu}", "--json",
                        "--max-drop", str(POINTS)], check=False, capture_output=True, text=True)
    if r.returncode:
        return [r.stderr.strip()]
    whole, reference, device = json.loads(r.stdout)["columns"]
    print(f"{os.path.basename(model)}: float {whole['correct']}, int8 {reference['correct']}, on {npu} {device['correct']}, "
          f"byte for byte the same in {device['equal_to_reference']}")
    failures = []
    if [c["engine"] for c in (whole, reference, device)] != ["float", "reference", "npu"]:
        failures.append("other columns than float, reference, npu")
    if abs(whole["correct"] - wanted) > UNDECIDED:
        failures.append(f"float has {whole['correct']} right, ONNX Runtime {wanted}")
    if not all(c["images"] == PICTURES == sum(map(sum, c["confusion"])) for c in (whole, reference, device)):
        failures.append("not all pictures were counted")
    if device["equal_to_reference"] != PICTURES or device["confusion"] != reference["confusion"]:
        failures.append("the NPU differs from the reference")
    return failures


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--accel", default="build/accel")
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args = p.parse_args()
    if not os.path.isdir(args.data):
        print(f"SKIP: {args.data}: no data set (Debian: dataset-fashion-mnist)")
        print(f"0 passed, 0 failed, {len(MODELS)} skipped")
        return
    failed = 0
    for model in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            failures = check(args, *model, folder)
        failed += bool(failures)
        for line in failures:
            print(f"FAIL {os.path.basename(model[0])}: {line}")
    print(f"{len(MODELS) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
