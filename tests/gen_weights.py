#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write tests/data/weights/vela.bin: weights and what Vela's own encoder makes of them, and
tests/corpus/weights: some of these as the first inputs of tests/fuzz_weights.c.

Needs ethos-u-vela 5.2.0 from PyPI (its module ethosu.mlw_codec); nothing of it is in the output but
the encoded random weights. Records, little endian, each:
  u32 x 14   oc, kh, kw, ic, depthwise, part kernel, IFM bits, OFM block depth, dilation y, x,
             OFM microblock depth (0: a raw stream, no order), cores, lengths of both streams
  streams    one after the other
  s16        weights [oc][ky][kx][ic], oc * kh * kw * ic of them
"""
import struct

import numpy as np
from ethosu import mlw_codec

rng = np.random.default_rng(85)


def draw(n, style):
    if style == 0:      # no palette fits
        w = rng.integers(-255, 256, n)
    elif style == 1:    # Golomb-Rice codes of every divisor
        w = np.round(rng.laplace(0, 2.0 ** rng.uniform(-2, 6), n))
    elif style == 2:    # palettes of every size
        w = rng.choice(rng.integers(-255, 256, rng.integers(1, 33)), n)
    elif style == 3:    # zero runs
        w = np.where(rng.random(n) < rng.uniform(0.6, 0.99), 0, rng.integers(-20, 21, n))
    elif style == 4:    # zero runs of all lengths between weights of all sizes
        w = np.where(rng.random(n) < rng.uniform(0.3, 0.9), 0, rng.integers(-255, 256, n))
    elif style == 5:    # several slices of different kind
        a = n // 3
        w = np.concatenate([np.zeros(a), rng.integers(-255, 256, a),
                            np.round(rng.normal(0, 4, n - 2 * a))])
    else:               # zero point removed from uint8
        w = rng.integers(0, 256, n) - rng.integers(0, 256)
    return np.clip(w, -255, 255).astype(np.int16)


def record(out, shape, dw, part, bits, block, dil, ublock, streams, w):
    lens = [len(s) for s in streams] + [0] * (2 - len(streams))
    out.write(struct.pack("<14I", *shape, dw, part, bits, block, *dil, ublock, len(streams), *lens))
    for s in streams:
        out.write(bytes(s))
    out.write(w.astype("<i2").tobytes())


def raw(out):
    for i in range(56):
        n = int(rng.integers(1, 40)) if i < 14 else int(rng.integers(150, 700))
        w = draw(n, i % 7)
        record(out, (n, 1, 1, 1), 0, 0, 8, 8, (1, 1), 0, [mlw_codec.encode(w.tolist())], w)


def ordered(out):
    for i in range(90):
        dw = int(i % 3 == 2)
        part = int(i % 3 == 1)
        bits = (8, 16)[i // 3 % 2]
        ublock = (8, 8, 4)[i // 6 % 3]
        cores = 2 if ublock == 8 and i % 4 == 3 else 1
        dil = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        kh, kw = (int(rng.choice([1, 2, 3, 5, 9])) for _ in range(2))
        ic = 1 if dw else int(rng.integers(1, 40))
        oc = int(rng.integers(2, 30))
        while oc * kh * kw * ic > 700:
            kh, kw, oc = max(1, kh - 1), max(1, kw - 1), max(2, oc - 1)
            ic = ic if dw else max(1, ic - 3)
        block = int(rng.integers(1, 5)) * 8
        w = draw(oc * kh * kw * ic, (0, 1, 3, 6)[i % 4]).reshape(oc, kh, kw, ic)
        streams = []
        for core in range(cores):
            part_w = np.ascontiguousarray(w[core::cores])
            depth = (block + cores - 1 - core) // cores
            streams.append(mlw_codec.reorder_encode(8, ublock, part_w, depth, dw, part, bits,
                                                    8 // dil[0], 8 // dil[1])[0])
        record(out, (oc, kh, kw, ic), dw, part, bits, block, dil, ublock, streams, w)


def seed(name, config, flags, wide, shape, block, dil, cores, streams):
    """An input of the fuzzer, struct input there."""
    oc, kh, kw, ic = shape
    lens = [len(x) for x in streams] + [0] * (4 - len(streams))
    head = struct.pack("<12B7H", config, flags, wide, 2, kh, kw, *dil, 1, 1, cores, 0,
                       block, oc, ic, *lens)
    with open(f"tests/corpus/weights/{name}", "wb") as f:
        f.write(head + b"".join(bytes(x) for x in streams))


def seeds():
    for i in range(7):
        w = draw(128, i)
        seed(f"raw-{i}", 4, 0, 0, (8, 1, 1, 16), 8, (1, 1), 1, [mlw_codec.encode(w.tolist())])
    for i in range(8):
        dw, part, wide, two = int(i % 4 == 3), int(i % 4 == 1), i // 4, int(i % 4 == 2)
        shape = (10, 3, 3, 1 if dw else 12)
        w = draw(int(np.prod(shape)), i % 7).reshape(shape)
        parts = [np.ascontiguousarray(w[k::1 + two]) for k in range(1 + two)]
        seed(f"u65-{i}", 4 + two, dw | part << 1, wide, shape, 16, (1, 1), 1 + two,
             [mlw_codec.reorder_encode(8, 8, p, 16 // (1 + two), dw, part, 8 << wide, 8, 8)[0]
              for p in parts])
    # One microblock of a tap, whatever the U85: 64 IFM channels of at most 32 OFM channels each.
    for config, cores in ((7, 1), (8, 2), (9, 4)):
        seed(f"u85-{config}", config, 0, 0, (16, 1, 1, 64), 16, (1, 1), cores,
             [mlw_codec.encode(draw(2048, k % 4).tolist()) for k in range(cores)])
    for i, (raw_mode, small) in enumerate(((1, 0), (0, 1), (0, 0))):
        rest = rng.integers(0, 256, 31 + 1024, dtype=np.uint8)
        fwd = bytes([raw_mode | small << 1]) + bytes(rest)
        seed(f"fwd-{i}", 8, 4, 0, (16, 1, 1, 64), 16, (1, 1), 1, [fwd])


with open("tests/data/weights/vela.bin", "wb") as vela:
    raw(vela)
    ordered(vela)
seeds()
