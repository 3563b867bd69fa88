#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make seeds for fuzz_stream from models compiled by Vela.

usage: fuzz_stream_seeds.py MODELS_DIR OUT_DIR [COUNT]

Takes the smallest streams, one an operator directory and configuration in turn, with the first bytes
of the constants that follow the stream in the file's read_only buffer left to the fuzzer.
"""
import pathlib
import struct
import sys

# Order of npu_configs in sim/npu_config.c.
CONFIGS = ["u55-32", "u55-64", "u55-128", "u55-256", "u65-256", "u65-512",
           "u85-128", "u85-256", "u85-512", "u85-1024", "u85-2048"]
FLAGS = [0x01, 0x05, 0x10, 0x04, 0x0d]  # log, log + twice, PMU, twice, log + twice + reset


def stream(data):
    """The words of the command stream in a COP1 payload, or None."""
    at = data.find(b"COP1")
    if at < 0:
        return None
    at += 16
    while True:
        action, = struct.unpack_from("<I", data, at)
        if action & 0xff == 2:
            words = action >> 16 | (action & 0xff00) << 8
            return data[at + 4:at + 4 + 4 * words]
        if action & 0xff != 5:
            return None
        at += 4


def main():
    models, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 48
    found = {}
    for path in sorted(models.glob("ops/*/vela-*.tflite")):
        config = path.stem.removeprefix("vela-")
        words = stream(path.read_bytes())
        if words and len(words) < 1200:
            kind = path.parent.name.split("_")[0]
            key = (kind, config)
            if key not in found or len(words) < len(found[key]):
                found[key] = words
    by_kind = {}
    for (kind, config), words in sorted(found.items()):
        by_kind.setdefault(kind, []).append((config, words))
    out.mkdir(parents=True, exist_ok=True)
    for i, (kind, options) in enumerate(sorted(by_kind.items())[:limit]):
        config, words = options[i % len(options)]
        noise = bytes((j * 37 + i) & 0xff for j in range(256))
        header = bytes([CONFIGS.index(config), FLAGS[i % len(FLAGS)]])
        header += struct.pack("<H", len(words) // 4)
        (out / f"{kind}-{config}").write_bytes(header + words + noise)


if __name__ == "__main__":
    main()
