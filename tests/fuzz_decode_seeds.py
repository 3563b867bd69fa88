#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make seeds for fuzz_decode from models compiled by Vela.

usage: fuzz_decode_seeds.py MODELS_DIR OUT_DIR

The smallest stream of each kind of operator, in turn for each configuration there is.
"""
import pathlib
import sys

from fuzz_stream_seeds import CONFIGS, stream

FLAGS = [0, 0x40, 0, 0xc0]  # disassemble, as JSON


def main():
    models, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = {}
    for path in sorted(models.glob("ops/*/vela-*.tflite")):
        config = path.stem.removeprefix("vela-")
        words = stream(path.read_bytes())
        if words:
            options = found.setdefault(path.parent.name.split("_")[0], {})
            if config not in options or len(words) < len(options[config]):
                options[config] = words
    out.mkdir(parents=True, exist_ok=True)
    for i, (kind, options) in enumerate(sorted(found.items())):
        config = sorted(options)[i % len(options)]
        if len(options[config]) < 2048:
            (out / f"{kind}-{config}").write_bytes(bytes([CONFIGS.index(config) | FLAGS[i % 4]]) + options[config])


if __name__ == "__main__":
    main()
