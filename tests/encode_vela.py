#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our weight streams under Vela's own codec (ethos-u-vela from PyPI, ethosu.mlw_codec).

Its decoder must give the weights that were encoded, and its encoder must make no less of them.
Streams come from encode_vela -d; Vela is installed in ~/.cache/accel as for other_streams.py.

usage: encode_vela.py ENCODE_VELA MODELS DUMP [part of a model's path]
Exit status: 0, 1, or 77: no models, or no PyPI.
"""
import array
import os
import pathlib
import subprocess
import sys
import time

from other_streams import NEWEST, SKIP, Vela


def streams(path):
    with open(path, "rb") as f:
        while head := f.read(4):
            weights = array.array("h")
            weights.frombytes(f.read(2 * int.from_bytes(head, "little")))
            yield weights, f.read(int.from_bytes(f.read(4), "little"))


def check(path):
    """Run by Vela's interpreter."""
    from ethosu import mlw_codec

    count = symbols = ours = velas = bad = 0
    seconds = 0.0
    for weights, data in streams(path):
        values = weights.tolist()
        start = time.process_time()
        theirs = len(mlw_codec.encode(values))
        seconds += time.process_time() - start
        back = mlw_codec.decode(bytearray(data))
        count += 1
        symbols += len(values)
        ours += len(data)
        velas += theirs
        if list(back)[:len(values)] != values:
            print(f"FAIL stream {count} of {len(values)} weights: Vela decodes others")
            bad += 1
        if len(data) > theirs:
            print(f"FAIL stream {count} of {len(values)} weights: {len(data)} bytes, "
                  f"Vela's encoder makes {theirs}")
            bad += 1
    print(f"{count} streams, {symbols} weights: {ours} bytes, {ours / velas:.4f} of Vela's codec, "
          f"which takes {seconds:.2f} s")
    return 1 if bad or not count else 0


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(sys.argv[2])
    program, models, dump, *part = sys.argv[1:]
    vela = Vela(NEWEST)
    if vela.why:
        print(f"SKIP: ethos-u-vela {NEWEST} does not install: {vela.why}")
        return SKIP
    try:
        done = subprocess.run([program, "-d", dump, "-m", *(part or ["vela-"]), models],
                              capture_output=True, text=True, check=False)
        print(done.stdout.strip().splitlines()[-1])
        if done.returncode:
            return done.returncode
        here = os.path.abspath(__file__)
        return subprocess.run([vela.dir / "bin/python", here, "--check", dump],
                              check=False).returncode
    finally:
        pathlib.Path(dump).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
