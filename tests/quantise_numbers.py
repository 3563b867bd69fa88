#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The numbers in test_quantise.c, from NumPy: prints tests/quantise_numbers.h.

The optimisers as their papers write them (Kingma and Ba, algorithm 1; momentum as in Sutskever et
al.), in double precision; a masked least-squares fit by numpy.linalg.lstsq.
"""
import numpy as np

RATE, MOMENTUM, STEPS = 0.05, 0.9, 25
START = np.array([1.0, -2.0, 0.5, 3.0])
CURVE = np.array([1.0, 0.1, 4.0, 0.01])     # the gradient of sum(CURVE p^2) / 2 is CURVE p


def sgd():
    p, v = START.copy(), np.zeros(4)
    for _ in range(STEPS):
        v = MOMENTUM * v + CURVE * p
        p = p - RATE * v
    return p


def adam():
    p, m, s = START.copy(), np.zeros(4), np.zeros(4)
    for t in range(1, STEPS + 1):
        g = CURVE * p
        m = MOMENTUM * m + (1 - MOMENTUM) * g
        s = 0.999 * s + 0.001 * g * g
        p = p - RATE * (m / (1 - MOMENTUM ** t)) / (np.sqrt(s / (1 - 0.999 ** t)) + 1e-8)
    return p


def masked():
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (64, 6)) @ rng.normal(0, 1, (6, 6))     # inputs that hang together
    w = rng.normal(0, 1, (2, 6))
    y = x @ w.T
    mask = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 1, 1]])
    best = np.zeros((2, 6))
    for o in range(2):
        kept = np.flatnonzero(mask[o])
        best[o, kept] = np.linalg.lstsq(x[:, kept], y[:, o], rcond=None)[0]
    return x, w, y, mask, best


def show(name, values, kind="float"):
    flat = np.asarray(values).ravel()
    text = ", ".join(str(int(v)) if kind != "float" else f"{v:.9g}f" if "." in f"{v:.9g}" or "e" in f"{v:.9g}"
                     else f"{v:.9g}.0f" for v in flat)
    print(f"static const {kind} {name}[{flat.size}] = {{ {text} }};")


def main():
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Written by quantise_numbers.py. */")
    show("sgd_result", sgd())
    show("adam_result", adam())
    x, w, y, mask, best = masked()
    show("masked_x", x)
    show("masked_w", w)
    show("masked_y", y)
    show("masked_mask", mask, "uint8_t")
    show("masked_best", best)


main()
