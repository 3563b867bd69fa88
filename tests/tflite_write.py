#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TFLite files that we write, in TFLite 2.14 (see cpu_tflite.py): it accepts them, and computes the
same bytes as with the file that they were made from.

usage: tflite_write.py TFLITE_WRITE MODEL...
Exit status: 0, 1, or 77: no models, no PyPI, or no wheel for this Python.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import cpu_tflite

SKIP = 77

# Models that TFLite 2.14 cannot run as they are, or only by chance.
LEFT_OUT = ["reverse_12", "seanet/transpose_conv"]


def outputs(np, interpreter, rng, indices):
    interpreter.allocate_tensors()
    result = []
    for arrays in cpu_tflite.vectors(np, interpreter.get_input_details(), rng, indices):
        interpreter.reset_all_variables()
        for d, a in zip(interpreter.get_input_details(), arrays):
            interpreter.set_tensor(d["index"], a)
        interpreter.invoke()
        result += [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    return result


def check(program, models):
    """Run by the interpreter that has TFLite."""
    import numpy as np
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    count = {"ok": 0, "FAIL": 0, "SKIP": 0}

    def run(path, what):
        resolver = OpResolverType.BUILTIN_REF
        if cpu_tflite.NOT_REFERENCE in what:
            resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        indices = "gather" in what or "scatter" in what
        return outputs(np, Interpreter(str(path), experimental_op_resolver_type=resolver),
                       np.random.default_rng(1), indices)

    with tempfile.TemporaryDirectory() as name:
        written = pathlib.Path(name) / "written.tflite"
        for model in models:
            status, why = "ok", ""
            try:
                if any(part in model for part in LEFT_OUT):
                    raise NotImplementedError("not defined in TFLite 2.14")
                done = subprocess.run([program, "-o", written, model], capture_output=True,
                                      text=True, check=False)
                if done.returncode == SKIP:
                    raise NotImplementedError(done.stderr.strip())
                assert done.returncode == 0, done.stderr.strip() or done.returncode
                want = run(model, model)
            except (NotImplementedError, RuntimeError, ValueError) as err:
                status, why = "SKIP", str(err).strip().splitlines()[0]
            except AssertionError as err:
                status, why = "FAIL", str(err)
            if status == "ok":
                try:
                    got = run(written, model)
                    if [a.tobytes() for a in want] != [a.tobytes() for a in got]:
                        status, why = "FAIL", "other bytes than from the original"
                except (RuntimeError, ValueError) as err:
                    status, why = "FAIL", f"TFLite: {str(err).strip().splitlines()[0]}"
            count[status] += 1
            print(f"{status:5} {model} {why}", flush=True)
    print("TFLite files written: " + ", ".join(f"{n} {s}" for s, n in count.items()))
    return 1 if count["FAIL"] else 0 if count["ok"] else SKIP


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(sys.argv[2], sys.argv[3:])
    why = cpu_tflite.install()
    if why:
        print(f"SKIP: tflite-runtime {cpu_tflite.VERSION} does not install: {why}")
        return SKIP
    return subprocess.run([cpu_tflite.cache() / "bin/python", os.path.abspath(__file__), "--check",
                           *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
