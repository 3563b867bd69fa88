#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the cost model agree with Vela's own figures on Vela's streams?

Compiles models with Vela from PyPI for several NPUs, lets cost_print add up each stream's cycles as
Vela does and compares with the total in Vela's summary: correlation over the models of each NPU.
Where both see the same number of layers those are compared one by one, too.
Compiled models are kept in ~/.cache/accel/vela-VERSION-layers.

usage: cost_vela.py [--full] COST_PRINT MODELS
Exit status: 0 correlation high enough everywhere, 1 not, 77 nothing could be run.
"""
import argparse
import csv
import hashlib
import math
import pathlib
import shutil
import sys
import tempfile

import other_streams

LEAST = 0.999
LEAST_LAYERS = 0.7      # of the layers are within 1 %, or one cycle
USUAL = ["u55-128", "u65-256", "u65-512", "u85-256", "u85-1024"]
FULL = ["u55-32", "u55-64", "u55-128", "u55-256", "u65-256", "u65-512",
        "u85-128", "u85-256", "u85-512", "u85-1024", "u85-2048"]


def compile_model(vela, model, npu, folder):
    """Returns the compiled file, Vela's total cycles and those of its layers, or None."""
    key = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    stem = folder / f"{model.parent.name}-{key}-{npu}"
    stream, cycles = stem.with_suffix(".tflite"), stem.with_suffix(".cycles")
    if not cycles.exists():
        with tempfile.TemporaryDirectory() as tmp:
            done = other_streams.run_command(
                [vela.dir / "bin/vela", "--accelerator-config", f"ethos-{npu}",
                 "--verbose-performance", "--output-dir", tmp, model])
            made = list(pathlib.Path(tmp).glob("*_vela.tflite"))
            summary = list(pathlib.Path(tmp).glob("*_summary*.csv"))
            layers = list(pathlib.Path(tmp).glob("*_per-layer.csv"))
            if done.returncode or not made or not summary or not layers:
                return None
            with open(summary[0], newline="", encoding="utf-8") as file:
                figures = [next(csv.DictReader(file))["cycles_total"]]
            with open(layers[0], newline="", encoding="utf-8") as file:
                figures += [row["Op Cycles"] for row in csv.DictReader(file)
                            if row["Target"] == "NPU" and float(row["Op Cycles"])]
            shutil.move(made[0], stream)
            cycles.write_text("\n".join(figures), encoding="ascii")
    figures = [float(x) for x in cycles.read_text(encoding="ascii").split()]
    return stream, figures[0], figures[1:]


def ours(cost_print, npu, stream):
    done = other_streams.run_command([cost_print, "-v", npu, stream])
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    lines = done.stdout.splitlines()
    cycles, as_vela = lines[-1].split()[:2]
    return float(cycles), float(as_vela), [int(line.split()[1]) for line in lines
                                           if line.startswith("layer ")]


def correlation(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    cov = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    return cov / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


def check_npu(args, vela, npu, folder):
    """Prints a line. Returns whether it is good."""
    figures, layers = [], []
    for model in sorted(args.models.glob("*/model.tflite")):
        compiled = compile_model(vela, model, npu, folder)
        if not compiled or not compiled[1]:
            print(f"SKIP: {model.parent.name} {npu}: Vela gives no figure")
            continue
        cycles, as_vela, layer_cycles = ours(args.cost_print, npu, compiled[0])
        if len(layer_cycles) == len(compiled[2]):
            layers += [abs(a - b) <= max(1, 0.01 * b) for a, b in zip(layer_cycles, compiled[2])]
        figures.append((compiled[1], as_vela, cycles, model.parent.name))
        if args.verbose:
            print(f"  {npu:9} {model.parent.name:26} Vela {compiled[1]:10.0f}  in its way "
                  f"{as_vela / compiled[1]:6.3f}  by our account {cycles / compiled[1]:6.3f}")
    if len(figures) < 3:
        return None
    vela_totals = [f[0] for f in figures]
    straight = correlation(vela_totals, [f[1] for f in figures])
    logs = correlation([math.log(v) for v in vela_totals], [math.log(f[1]) for f in figures])
    account = correlation(vela_totals, [f[2] for f in figures])
    worst = max(figures, key=lambda f: abs(math.log(f[1] / f[0])))
    error = sum(abs(f[1] / f[0] - 1) for f in figures) / len(figures)
    good = min(straight, logs) >= LEAST and sum(layers) >= LEAST_LAYERS * max(1, len(layers))
    print(f"{'ok' if good else 'FAIL':4} {npu:9} {len(figures)} models: correlation {straight:.5f}, "
          f"of logarithms {logs:.5f}, mean error {100 * error:.1f} %, worst "
          f"{100 * (worst[1] / worst[0] - 1):+.1f} % ({worst[3]}); {sum(layers)} of {len(layers)} "
          f"layers the same; by our account {account:.5f}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all NPUs")
    parser.add_argument("-v", "--verbose", action="store_true", help="each model")
    parser.add_argument("cost_print", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    args = parser.parse_args()
    if not list(args.models.glob("*/model.tflite")):
        print(f"SKIP: no models in {args.models}")
        return other_streams.SKIP
    vela = other_streams.Vela(other_streams.NEWEST)
    if vela.why:
        print(f"SKIP: ethos-u-vela {vela.version} does not install: {vela.why}")
        return other_streams.SKIP
    folder = vela.dir.parent / f"vela-{vela.version}-layers"
    folder.mkdir(exist_ok=True)
    results = [check_npu(args, vela, npu, folder) for npu in (FULL if args.full else USUAL)]
    if any(r is False for r in results):
        return 1
    return 0 if any(results) else other_streams.SKIP


if __name__ == "__main__":
    sys.exit(main())
