#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our streams against Vela's, by one estimator: cycles, bytes of DRAM, of constants and stream, of SRAM.

Compiles models with this compiler and with Vela from PyPI (kept as cost_vela.py keeps them), each with the
defaults of the NPU. Prints a line for each model and NPU, then geometric means and the worst.

usage: bench_compile.py [--ops] [--time] BENCH_COMPILE ACCEL MODELS
--ops: the single operators of MODELS/ops too. --time: time and memory of the whole processes, one thread.
Exit status: 0, or 77: nothing could be run.
"""
import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import cost_vela
import other_streams

NPUS = ["u65-256", "u65-512", "u85-256", "u85-1024"]


def figures(bench, npu, model, compiled):
    """Returns {"ours": {...}, "theirs": {...}}, or why not."""
    done = other_streams.run_command([bench, npu, model, compiled])
    table = {}
    for line in done.stdout.splitlines():
        words = line.split()
        table[words[0]] = dict(zip(words[1::2], map(float, words[2::2])))
    if done.returncode or len(table) != 2:
        return done.stderr.strip()[:200]
    return table


def ratio(table, *keys):
    ours, theirs = (sum(table[who][k] for k in keys) for who in ("ours", "theirs"))
    return ours / theirs if theirs else 1.0


# A process begins with the peak memory of the one that starts it: that has to be a small one.
RUNNER = """
import os, sys, time
start = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ,
                      file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)])
status, usage = os.wait4(pid, 0)[1:]
print(usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss, status)
"""


def run_timed(command):
    """Returns seconds, of the processor, on the wall, peak KiB of a process, and its status."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", RUNNER] + [str(c) for c in command],
                          env=dict(os.environ, OMP_NUM_THREADS="1"), capture_output=True, text=True,
                          check=True)
    return tuple(float(word) for word in done.stdout.split())


def compare_time(accel, vela, npu, model):
    """Returns how many times as fast, by processor and by wall, and which part of the memory.

    Both take turns and the best of each counts, so that a busy machine does the least harm."""
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as tmp:
        for _ in range(2):
            theirs.append(run_timed([vela.dir / "bin/vela", "--accelerator-config", f"ethos-{npu}",
                                     "--output-dir", tmp, model]))
            for _ in range(5):
                ours.append(run_timed([accel, "compile", model, "-t", npu, "-o", f"{tmp}/x.accel"]))
    if ours[0][3]:
        return None
    best = [(min(t[i] for t in theirs), min(t[i] for t in ours)) for i in range(3)]
    return best[0][0] / best[0][1], best[1][0] / best[1][1], best[2][1] / best[2][0]


def geomean(values):
    return math.exp(sum(math.log(max(v, 1e-9)) for v in values) / len(values))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ops", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("accel", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    args = parser.parse_args()
    vela = other_streams.Vela(other_streams.NEWEST)
    models = sorted(args.models.glob("*/model.tflite"))
    if args.ops:
        models += sorted(args.models.glob("ops/*/model.tflite"))
    if not models or vela.why:
        print(f"SKIP: no models, or no Vela: {vela.why}")
        return other_streams.SKIP
    folder = vela.dir.parent / f"vela-{vela.version}-summaries"
    folder.mkdir(exist_ok=True)
    rows, cpu_rows = [], 0
    for npu in NPUS:
        for model in models:
            compiled = cost_vela.compile_model(vela, model, npu, folder)
            table = figures(args.bench, npu, model, compiled[0]) if compiled else "Vela fails"
            if isinstance(table, str):
                print(f"SKIP {npu:9} {model.parent.name:26} {table}")
                continue
            if not table["theirs"]["cycles"]:
                continue
            row = {"cycles": ratio(table, "cycles"), "dram": ratio(table, "external"),
                   "bytes": ratio(table, "constants", "stream"), "sram": ratio(table, "sram")}
            if args.time and args.models / "ops" not in model.parents:
                row["faster"], row["wall"], row["memory"] = (
                    compare_time(args.accel, vela, npu, model) or (0, 0, 0))
            left = int(table["ours"]["cpu"])
            print(f"{npu:9} {model.parent.name:26} " +
                  " ".join(f"{k} {v:6.3f}" for k, v in row.items()) +
                  f"  cycles {table['ours']['cycles']:.0f}/{table['theirs']['cycles']:.0f}"
                  f" ms {table['ours']['ms']:.1f}" + (f" CPU {left}" if left else ""), flush=True)
            # What we leave to the CPU is no saving.
            cpu_rows += bool(left)
            if not left:
                rows.append((row, npu, model.parent.name))
    for key in ("cycles", "dram", "bytes", "sram"):
        worst = max(rows, key=lambda r: r[0][key])
        print(f"{key}: geometric mean {geomean([r[0][key] for r in rows]):.3f}, worst {worst[0][key]:.3f} "
              f"({worst[2]} {worst[1]}), {len(rows)} compiled wholly, {cpu_rows} with operators on the CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
