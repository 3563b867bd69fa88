#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The validator on what Vela makes for every U65 and U85, optimised for size and for performance.

Compiles the demo model, and models of a folder (ACCEL_MODELS), with Vela from PyPI, and has
validate_models look at all that came of it. Vela's environment is kept in ~/.cache/accel.

usage: validate_vela.py [--full] VALIDATE_MODELS MODELS OUT
Exit status: 0 all accepted, 1 not, 77 nothing could be compiled.
"""
import argparse
import hashlib
import pathlib
import subprocess
import sys
import time

from other_streams import DEMO, NEWEST, SKIP, SMALL, Vela

CONFIGS = ["u65-256", "u65-512", "u85-128", "u85-256", "u85-512", "u85-1024", "u85-2048"]
OPTIMISE = ["Size", "Performance"]


def sources(models, full):
    """Names and paths of models."""
    yield "demo", DEMO
    wanted = SMALL[:2]
    if full:
        wanted = sorted(str(p.parent.relative_to(models)) for p in models.rglob("model.tflite"))
    for name in wanted:
        path = models / name / "model.tflite"
        if path.exists():
            yield name.replace("/", "-"), path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all models")
    parser.add_argument("validate_models", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    started = time.monotonic()
    vela = Vela(NEWEST)
    if vela.why:
        print(f"SKIP: ethos-u-vela {NEWEST} does not install: {vela.why}")
        return SKIP
    args.out.mkdir(parents=True, exist_ok=True)
    made = refused = 0
    for name, path in sources(args.models, args.full):
        key = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for config in CONFIGS:
            for optimise in OPTIMISE:
                dst = args.out / f"vela-{name}-{key}-{config}-{optimise}-{NEWEST}.tflite"
                why = vela.compile(path, config, ["--optimise", optimise], dst)
                made += not why
                refused += bool(why)
                if why:
                    print(f"{name} {config} {optimise}: does not compile: {why}", flush=True)
    if not made:
        return SKIP
    done = subprocess.run([args.validate_models, args.out], check=False)
    print(f"validate_vela: {made} compiled, {refused} not by Vela, "
          f"{time.monotonic() - started:.0f} s")
    # Vela gives up on some single operators; on the demo and the models it must not.
    return done.returncode or (not args.full and refused > 0)


if __name__ == "__main__":
    sys.exit(main())
