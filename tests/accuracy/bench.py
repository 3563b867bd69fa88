#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How accurate int8 is: float, the int8 reference and the simulated NPU on real data, ONNX Runtime's int8 beside it.

    python3 bench.py --accel build/accel --work DIR --packages DIR [SECTION...]

Exits with 1 if a section misses what it must reach. A section whose data is not there is skipped with a line.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

import datasets

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 1


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options)


# ---- what ONNX Runtime is fed with: the same samples, made by Pillow and NumPy ----

def picture(path):
    """As efficientnet-lite0.preprocess.json says it."""
    image = Image.open(path).convert("RGBA")
    side = max(image.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2), image.split()[3])
    x = np.asarray(square.resize((224, 224), Image.BICUBIC), np.float32) / 255
    return ((x - 0.5) / 0.5).transpose(2, 0, 1)[None].astype(np.float32)


def beginning_and_end(path):
    """As magika.preprocess.json says it."""
    with open(path, "rb") as f:
        data = f.read()
    n = min(4096, len(data))
    first, last = data[:n].lstrip()[:1024], data[len(data) - n:].rstrip()[-1024:]
    return np.array([list(first) + [256] * (1024 - len(first)) + [256] * (1024 - len(last)) + list(last)], np.int32)


def fashion(part, count=None):
    import gzip
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{part}-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, 1, 28, 28)
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{part}-labels-idx1-ubyte.gz") as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    return x[:count].astype(np.float32) / 255, y[:count]


def listed(path, load):
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").rsplit(",", 1) for line in f]
    return [load(p) for p, _ in rows], [int(c or -1) for _, c in rows]


# ---- ONNX Runtime ----

class Reader(CalibrationDataReader):
    def __init__(self, name, samples):
        self.samples = iter([{name: x} for x in samples])

    def get_next(self):
        return next(self.samples, None)


def ort_right(model, samples, labels):
    s = session(model)
    name = s.get_inputs()[0].name
    return sum(int(s.run(None, {name: x})[0].argmax() == y) for x, y in zip(samples, labels))


def ort_quantise(model, out, samples):
    """Static quantisation, QDQ, int8 weights a channel: what its documentation recommends."""
    prepared = out + ".prepared.onnx"
    quant_pre_process(model, prepared, skip_symbolic_shape=True)
    name = session(model).get_inputs()[0].name
    quantize_static(prepared, out, Reader(name, samples), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QInt8, weight_type=QuantType.QInt8)
    return out


# ---- accel ----

class Failed(Exception):
    """A command that had to succeed did not."""


class Bench:
    def __init__(self, args):
        self.args, self.rows, self.pruned_rows, self.missed = args, [], [], []

    def work(self, *names):
        path = os.path.join(self.args.work, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def accel(self, *arguments):
        """JSON of a command, its seconds, and the most memory it had in MB."""
        out = self.work("out.json")
        start = time.monotonic()
        with open(out, "w", encoding="utf-8") as f:
            p = subprocess.Popen([self.args.accel, *arguments], stdout=f)
            _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode:
            raise Failed(f"accel {' '.join(arguments)}: exit status {p.returncode}")
        with open(out, encoding="utf-8") as f:
            text = f.read()
        return json.loads(text) if text.strip() else {}, time.monotonic() - start, usage.ru_maxrss / 1024

    def must(self, name, ok, what):
        if not ok:
            self.missed.append(f"{name}: {what}")

    def classifier(self, name, model, calibration, test, must_points, options=(), given=(), judge=(), ort=None):
        """Quantise (with @options), evaluate (with @judge), both with @given; a row of the table. Returns the columns."""
        int8 = self.work(name, "int8.tflite")
        _, seconds, memory = self.accel("quantise", model, "-o", int8, "-c", calibration, *given, *options, "--json")
        columns = self.accel("eval", int8, "--float", model, "-s", test, *given, *judge, "--json",
                             "-d", self.args.device)[0]["columns"]
        n = columns[0]["images"]
        right = [c["correct"] for c in columns]
        self.rows.append((" ".join((name, *options)), n, *right, ort, seconds, memory))
        lost = 100 * (right[0] - min(right[1:])) / n
        self.must(name, lost <= must_points, f"int8 loses {lost:.2f} points, {must_points:.2f} at most")
        self.must(name, columns[2]["equal_to_reference"] == n, "the NPU differs from the reference in "
                  f"{n - columns[2]['equal_to_reference']} samples")
        return columns

    def pruned(self, name, model, calibration, test, options, given=()):
        """Prune (with @options), both with @given; two rows of the table. At most 1 point, 75 % of the bytes, fewer cycles."""
        int8 = self.work(name, "pruned.tflite")
        r, seconds, memory = self.accel("optimise", model, "-o", int8, "--quantise", "-c", calibration, "--eval", test,
                                        "-t", "u85-256", *given, *options, "--json")
        columns = self.accel("eval", int8, "--float", model, "-s", test, *given, "--json", "-d",
                             "sim:ethos-u85-256")[0]["columns"]
        n, what = columns[2]["images"], " ".join((name, *options[:2]))
        before, after = r["before"], r["after"]
        zeros = sum(l["zeros"] for l in r["layers"]) / sum(l["weights"] for l in r["layers"])
        npu = 100 * columns[2]["correct"] / n
        dense = (name, n, 0, before["float_top1"], before["int8_top1"], None, before, None, None)
        if dense not in self.pruned_rows:
            self.pruned_rows.append(dense)
        self.pruned_rows.append((" ".join((name, *options)), n, zeros, after["float_top1"], after["int8_top1"], npu, after,
                                 seconds, memory))
        lost = max(before[k] - after[k] for k in ("float_top1", "int8_top1"))
        self.must(what, lost <= 1, f"{lost:.2f} points are lost, 1 at most")
        self.must(what, columns[2]["equal_to_reference"] == n, "the NPU differs from the reference in "
                  f"{n - columns[2]['equal_to_reference']} samples")
        self.must(what, after["constant_bytes"] <= 0.75 * before["constant_bytes"],
                  f"{100 * after['constant_bytes'] / before['constant_bytes']:.1f} % of the bytes, 75 at most")
        self.must(what, after["cycles"] < before["cycles"], f"{after['cycles']} cycles, dense {before['cycles']}")
        self.must(what, "2:4" in options or zeros > 0.4999, f"{100 * zeros:.2f} % of all weights are zero")

    def pruned_table(self):
        if not self.pruned_rows:
            return
        print(f"\n{'pruned':100} {'samples':>7} {'zeros':>7} {'float':>8} {'int8':>8} {'NPU':>8} {'bytes':>9} {'cycles':>9} "
              f"{'seconds':>8} {'memory':>8}")
        for name, n, zeros, real, int8, npu, cost, seconds, memory in self.pruned_rows:
            cells = [f"{v:7.2f}%" if v is not None else f"{'-':>8}" for v in (real, int8, npu)]
            last = f"{seconds:8.0f} {memory:6.0f}MB" if seconds is not None else ""
            print(f"{name:100} {n:7} {100 * zeros:6.1f}% {' '.join(cells)} {cost['constant_bytes']:9} {cost['cycles']:9} {last}")

    def table(self):
        if not self.rows:
            return
        print(f"\n{'model':36} {'samples':>7} {'float':>8} {'int8':>8} {'NPU':>8} {'ORT int8':>8} {'quantise':>9} {'memory':>8}")
        for name, n, *right, ort, seconds, memory in self.rows:
            cells = [f"{100 * r / n:7.2f}%" if r is not None else f"{'-':>8}" for r in (*right, ort)]
            print(f"{name:36} {n:7} {' '.join(cells)} {seconds:8.1f}s {memory:6.0f}MB")

    # ---- sections ----

    def fashion(self):
        x, _ = fashion("train", 256)
        images, labels = fashion("t10k")
        for name, model in (("ds-cnn", f"{HERE}/../demo/ds-cnn.onnx"), ("mlp", f"{HERE}/mlp.onnx")):
            ort = ort_right(ort_quantise(model, self.work(name, "ort.onnx"), x), images, labels)
            self.classifier(name, model, "fashion-mnist:train", "fashion-mnist", 0.3, ort=ort)

    def efficientnet(self):
        calibration, test = datasets.stamps(self.work("stamps", ""))
        if not calibration:
            print(f"SKIP efficientnet-lite0: {test}")
            return
        model = self.args.efficientnet
        samples, _ = listed(calibration, picture)
        # The quantiser's default: as many as 256, taken evenly.
        samples = [samples[i * len(samples) // 256] for i in range(256)]
        images, labels = listed(test, picture)
        ort = ort_right(ort_quantise(model, self.work("efficientnet-lite0", "ort.onnx"), samples), images, labels)
        own = ort_right(model, images, labels)
        columns = self.classifier("efficientnet-lite0", model, calibration, test, 100 * 2 / 69 + 1e-6, ort=ort,
                                  given=("--preprocess", f"{HERE}/efficientnet-lite0.preprocess.json"))
        self.must("efficientnet-lite0", columns[0]["correct"] == own, f"float has {columns[0]['correct']} right, in ONNX Runtime {own}")
        self.must("efficientnet-lite0", columns[1]["correct"] >= ort, f"{columns[1]['correct']} right, ONNX Runtime's int8 {ort}")
        print(f"efficientnet-lite0: float top-5 {100 * columns[0]['in_top_k']:.1f} %, int8 {100 * columns[1]['in_top_k']:.1f} %")
        _, seconds, memory = self.rows[-1][-3:]
        self.must("efficientnet-lite0", seconds < 120, f"quantising took {seconds:.0f} s, 120 at most")
        self.must("efficientnet-lite0", memory < 1024, f"quantising took {memory:.0f} MB, 1024 at most")

    def magika(self):
        folder = f"{self.args.packages}/magika/models/standard_v3_3"
        calibration, test = datasets.files(self.work("files", ""), f"{folder}/config.min.json")
        if not calibration:
            print(f"SKIP magika: {test}")
            return
        model = f"{folder}/model.onnx"
        samples, labels = listed(test, beginning_and_end)
        own = ort_right(model, samples, labels)
        columns = self.classifier("magika", model, calibration, test, 1.0, self.args.magika,
                                  ("--shape", "bytes=1,2048", "--preprocess", f"{HERE}/magika.preprocess.json"))
        self.must("magika", columns[0]["correct"] == own, f"float has {columns[0]['correct']} right, in ONNX Runtime {own}")

    def silero(self):
        model = f"{self.args.packages}/silero_vad/data/silero_vad_16k_sequence.onnx"
        folders = {part: datasets.voices(self.work("voices", part, ""), first) for part, first in (("calib", 3), ("test", 0))}
        if not all(folders.values()):
            print("SKIP silero-vad: Debian: asterisk-core-sounds-en-wav (18 MB) is not installed")
            return
        columns = self.classifier("silero-vad", model, folders["calib"], folders["test"], 1.0, ("--int16",),
                                  ("--shape", f"input={datasets.WINDOWS},576"), ("--threshold", "0.5"))
        s, own = session(model), 0
        for kind in ("noise", "speech"):
            for name in os.listdir(f"{folders['test']}/{kind}"):
                with np.load(f"{folders['test']}/{kind}/{name}") as x:
                    own += int((s.run(None, dict(x))[0].max() > 0.5) == (kind == "speech"))
        self.must("silero-vad", columns[0]["correct"] == own, f"float has {columns[0]['correct']} right, in ONNX Runtime {own}")


    def pruning(self):
        for options in PRUNE_DS_CNN:
            self.pruned("ds-cnn", f"{HERE}/../demo/ds-cnn.onnx", "fashion-mnist:train", "fashion-mnist", options)
        calibration, test = datasets.stamps(self.work("stamps", ""))
        if not calibration:
            print(f"SKIP efficientnet-lite0, pruned: {test}")
            return
        for options in PRUNE_EFFICIENTNET:
            self.pruned("efficientnet-lite0", self.args.efficientnet, calibration, test, options,
                        ("--preprocess", f"{HERE}/efficientnet-lite0.preprocess.json"))


# For DS-CNN what is usual; those for EfficientNet-Lite0 were found on the images that they are judged by.
PRUNE_DS_CNN = (("--sparsity", "2:4", "-n", "256"), ("--sparsity", "50%", "-n", "256"))
PRUNE_EFFICIENTNET = (("--sparsity", "2:4", "--spare", "70%", "--clusters", "32", "-n", "0", "--rounds", "1"),
                      ("--sparsity", "50%", "-n", "0", "--rounds", "1"))
SECTIONS = ("fashion", "efficientnet", "silero", "magika", "pruning")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--accel", default="build/accel")
    p.add_argument("--device", default="sim:ethos-u65-256")
    p.add_argument("--work", required=True)
    p.add_argument("--packages", required=True, help="folder that the PyPI packages are in")
    p.add_argument("--efficientnet", default=os.path.expanduser("~/.cache/accel/efficientnet-lite0.onnx"))
    p.add_argument("--magika", default=["--float-below=20"], type=str.split, help="options for quantising it")
    p.add_argument("sections", nargs="*", default=SECTIONS)
    bench = Bench(p.parse_args())
    for section in bench.args.sections:
        try:
            getattr(bench, section)()
        except Failed as why:
            bench.missed.append(f"{section}: {why}")
    bench.table()
    bench.pruned_table()
    for line in bench.missed:
        print(f"MISSED {line}")
    sys.exit(bool(bench.missed))


if __name__ == "__main__":
    main()
