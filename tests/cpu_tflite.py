#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Operators on the CPU against TFLite 2.14's reference kernels themselves (tflite-runtime from PyPI).

Every model of a folder runs on random inputs, as it is and with other scales and zero points at its
ends, here (cpu_run) and there; all bytes must be the same. TFLite is kept in
~/.cache/accel/venv-tflite-2.14.0.

usage: cpu_tflite.py CPU_RUN MODELS SEEDS
Exit status: 0, 1, or 77: no models, no PyPI, or no wheel for this Python.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

SKIP = 77
VERSION = "2.14.0"
VECTORS = 4

# BUILTIN_REF's SUM of 8 and 16 bits is wrong in 2.14: nearly all -1. The other kernels are right.
NOT_REFERENCE = "sum_"

# What 2.14 itself does not do: part of the name, whether only with changed scales, why.
UNDEFINED = [
    ("reverse_12", False, "TFLite 2.14 reverses one axis only"),
    ("seanet/transpose_conv", False, "TFLite 2.14 gives a tensor of another shape, or crashes"),
    ("pad_v2", True, "TFLite 2.14 writes nothing if input and output differ in scale"),
]


def undefined(model, seed):
    for part, changed, why in UNDEFINED:
        if part in str(model) and (seed or not changed):
            return why
    return None


def cache():
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return base / "accel" / f"venv-tflite-{VERSION}"


def install():
    """Returns None, or why not."""
    here = cache()
    if (here / "installed").exists():
        return None
    try:
        venv.create(here, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as err:
        return f"no virtual environment: {err}"
    done = subprocess.run([here / "bin/pip", "install", "-q", "--retries", "1",
                           f"tflite-runtime=={VERSION}", "numpy<2"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    (here / "installed").touch()
    return None


def vectors(np, details, rng, indices):
    for v in range(VECTORS):
        arrays = []
        for d in details:
            kind = np.dtype(d["dtype"])
            shape = tuple(d["shape"])
            if kind == np.bool_:
                a = rng.integers(0, 2, shape).astype(kind)
            elif kind.kind == "f":
                a = rng.normal(0, 4, shape).astype(kind)
            elif kind.itemsize == 4:
                # Indices or divisors: TFLite aborts on those out of range and on 0.
                a = rng.integers(1, 3 if indices else 1000, shape).astype(kind)
            elif v == 1:    # extremes
                info = np.iinfo(kind)
                a = rng.choice([info.min, info.min + 1, info.max], shape).astype(kind)
            elif v == 2:    # small
                a = rng.integers(-3, 4, shape).astype(kind)
            else:
                info = np.iinfo(kind)
                a = rng.integers(info.min, info.max + 1, shape).astype(kind)
            arrays.append(a)
        yield arrays


def compare(np, interpreter, program, model, what, tmp, rng):
    """Returns None if all is the same, a reason to skip, or an AssertionError."""
    details = interpreter.get_input_details()
    ours, theirs = b"", b""
    for arrays in vectors(np, details, rng, "gather" in what or "scatter" in what):
        interpreter.reset_all_variables()
        for d, a in zip(details, arrays):
            interpreter.set_tensor(d["index"], a)
        try:
            interpreter.invoke()
        except RuntimeError as err:
            return f"TFLite: {err}"
        ours += b"".join(a.tobytes() for a in arrays)
        theirs += b"".join(interpreter.get_tensor(d["index"]).tobytes()
                           for d in interpreter.get_output_details())
    (tmp / "in").write_bytes(ours)
    done = subprocess.run([program, model, tmp / "in", tmp / "out"], capture_output=True, text=True,
                          check=False)
    if done.returncode == SKIP:
        return f"refused: {done.stderr.strip()}"
    if done.returncode:
        raise AssertionError(done.stderr.strip() or f"status {done.returncode}")
    got = (tmp / "out").read_bytes()
    if got != theirs:
        wrong = [i for i, (a, b) in enumerate(zip(got, theirs)) if a != b]
        raise AssertionError(f"{len(wrong)} of {len(theirs)} bytes differ, "
                             f"first {got[wrong[0]]:#x} for {theirs[wrong[0]]:#x} at {wrong[0]}"
                             if wrong else f"{len(got)} bytes for {len(theirs)}")
    return None


def check(program, folder, seeds):
    """Run by the interpreter that has TFLite."""
    import numpy as np
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    count = {"ok": 0, "FAIL": 0, "SKIP": 0, "refused": 0}
    folder = pathlib.Path(folder)
    models = sorted([*folder.glob("*/model.tflite"), *folder.glob("ops/*/model.tflite"),
                     *folder.glob("seanet/*.tflite")])
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        for model in models:
            for seed in range(int(seeds)):
                rng = np.random.default_rng(seed)
                path = model
                if seed:
                    path = tmp / "model.tflite"
                    subprocess.run([program, "-m", str(seed), model, path], check=True)
                resolver = (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                            if NOT_REFERENCE in str(model) else OpResolverType.BUILTIN_REF)
                what = f"{model.relative_to(folder)} seed {seed}"
                if undefined(model, seed):
                    count["SKIP"] += 1
                    print(f"SKIP    {what}: {undefined(model, seed)}")
                    continue
                try:
                    interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
                    interpreter.allocate_tensors()
                    why = compare(np, interpreter, program, path, what, tmp, rng)
                except (RuntimeError, ValueError) as err:
                    why = f"TFLite: {str(err).strip().splitlines()[0]}"
                except AssertionError as err:
                    count["FAIL"] += 1
                    print(f"FAIL {what}: {err}", flush=True)
                    continue
                if why and why.startswith("refused") and seed == 0:
                    count["FAIL"] += 1
                    print(f"FAIL {what}: {why}", flush=True)
                    continue
                status = "ok" if not why else "refused" if why.startswith("refused") else "SKIP"
                count[status] += 1
                print(f"{status:7} {what}{': ' + why if why else ''}", flush=True)
    print("CPU against TFLite: " + ", ".join(f"{n} {s}" for s, n in count.items()))
    return 1 if count["FAIL"] else 0 if count["ok"] else SKIP


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    if not list(pathlib.Path(sys.argv[2]).glob("ops/*/model.tflite")):
        print(f"SKIP: no models in {sys.argv[2]}")
        return SKIP
    why = install()
    if why:
        print(f"SKIP: tflite-runtime {VERSION} does not install: {why}")
        return SKIP
    return subprocess.run([cache() / "bin/python", os.path.abspath(__file__), "--check",
                           *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
