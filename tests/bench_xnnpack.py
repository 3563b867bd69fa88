#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole inferences on the simulated NPU against LiteRT's XNNPACK on the same processor.

Rounds of both are interleaved, so that a change of clock or load meets both. Needs the Python
package ai-edge-litert; `make bench-xnnpack` gets it from PyPI into a cache of its own.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))

# Model (a folder of --models; the demo's is in the tree), threads, the ratio that this project wants.
WANTED = [
    ("ds-cnn", 1, 1.0),
    ("ds-cnn", 2, 1.0),
    ("vww_96_int8", 1, 1.2),
    ("pretrainedResnet_quant", 1, 1.3),
    ("kws_ref_model", 1, 1.5),
    ("mobilenet_v2_q_nchw", 1, 1.0),
    ("person_detect_qd0", 1, 1.0),
    ("vww_96_int8", 2, 1.0),
    ("pretrainedResnet_quant", 2, 1.0),
    ("kws_ref_model", 2, 1.0),
    ("mobilenet_v2_q_nchw", 2, 1.0),
    ("person_detect_qd0", 2, 1.0),
]


class Xnnpack:
    def __init__(self, path, threads):
        from ai_edge_litert.interpreter import Interpreter

        self.it = Interpreter(path, num_threads=threads)
        self.it.allocate_tensors()
        for d in self.it.get_input_details():
            rng = np.random.default_rng(1)
            info = np.iinfo(d["dtype"])
            self.it.set_tensor(d["index"], rng.integers(info.min, info.max + 1, d["shape"]).astype(d["dtype"]))

    def run(self, n):
        """Seconds of each of n inferences."""
        out = []
        for _ in range(n):
            t = time.perf_counter()
            self.it.invoke()
            out.append(time.perf_counter() - t)
        return out


def npu(accel, model, device, n):
    """Median seconds from submit to fence of n inferences, by `accel bench`."""
    r = subprocess.run([accel, "bench", model, "-d", device, "-n", str(n), "--json"],
                       capture_output=True, text=True, check=False)
    if r.returncode:
        sys.exit(f"{accel} bench {model}: {r.stderr.strip()}")
    return json.loads(r.stdout)["latency_us"]["median"] * 1e-6


def source_of(args, name):
    """The model as TFLite takes it."""
    if name == "ds-cnn":
        return os.path.join(HERE, "demo", name + ".tflite")
    return os.path.join(args.models, name, "model.tflite")


def compiled(args, name):
    """The model for the NPU: by our compiler, or as Vela made it."""
    source = source_of(args, name)
    if not args.compile and name == "ds-cnn":
        return f"{source.removesuffix('.tflite')}.{args.config.removeprefix('ethos-')}.tflite"
    if not args.compile:
        return os.path.join(os.path.dirname(source), f"vela-{args.config}.tflite")
    out = os.path.join(args.folder, name + ".accel")
    r = subprocess.run([args.accel, "compile", source, "-t", args.config, "--memory-mode", args.mode, "-o", out],
                       capture_output=True, text=True, check=False)
    if r.returncode:
        sys.exit(r.stderr.strip())
    return out


def compare(args, name, threads):
    source, model = source_of(args, name), compiled(args, name)
    peer = Xnnpack(source, threads)
    ours, theirs = [], []
    peer.run(20)
    n = 20 if "mobilenet" in name else 300
    for _ in range(args.rounds):
        theirs.append(statistics.median(peer.run(n)))
        ours.append(npu(args.accel, model, f"sim:{args.config},threads={threads}", n))
    ratios = [t / o for t, o in zip(theirs, ours)]
    return statistics.median(theirs), statistics.median(ours), statistics.median(ratios)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--accel", default="build/accel")
    p.add_argument("--models", default=os.environ.get("ACCEL_MODELS", "../shared/models"))
    p.add_argument("--config", default="ethos-u65-256")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--only", help="part of a model's name")
    p.add_argument("--threads", type=int)
    p.add_argument("--compile", action="store_true", help="models as accel compiles them, not as Vela did")
    p.add_argument("--mode", default="Sram_Only", help="memory mode for --compile")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as args.folder:
        table(args)


def table(args):
    args.cpus = os.sched_getaffinity(0)
    if not os.path.isdir(args.models):
        print(f"{args.models}: no such folder, only the model of the demo is measured; set ACCEL_MODELS")
    print(f"{'model':24} {'threads':>7} {'XNNPACK us':>11} {'NPU us':>9} {'ratio':>6} {'wanted':>6}")
    for name, threads, wanted in WANTED:
        if (args.only and args.only not in name) or (args.threads and args.threads != threads):
            continue
        if not os.path.exists(source_of(args, name)):
            continue
        # One thread: one processor for both. The children inherit it.
        os.sched_setaffinity(0, {min(args.cpus)} if threads == 1 else args.cpus)
        theirs, ours, ratio = compare(args, name, threads)
        print(f"{name:24} {threads:7} {theirs * 1e6:11.1f} {ours * 1e6:9.1f} {ratio:6.2f} {wanted:6.2f}",
              flush=True)


if __name__ == "__main__":
    main()
