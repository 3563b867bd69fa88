#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures for tests/test_samples.c, and what Pillow and NumPy make of them.

    python3 make.py    (Pillow 13.0.0, NumPy 2.4.6; the files it wrote are part of the tree)
"""
import os

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "area": Image.BOX}
SIZES = ((5, 7), (24, 31))  # height, width


def pattern(height, width, channels, seed):
    """Edges, gradients and noise."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([(x * 255 // width), (y * 255 // height), ((x // 3 + y // 2) % 2) * 255, 255 - (x * y) % 256], -1)
    noise = np.random.default_rng(seed).integers(-40, 40, (height, width, 4))
    return np.clip(base + noise, 0, 255).astype(np.uint8)[..., :channels]


def save(name, array):
    np.save(os.path.join(HERE, name + ".npy"), array)


def main():
    rgb = Image.fromarray(pattern(17, 23, 3, 1))
    rgba = Image.fromarray(pattern(11, 9, 4, 2))
    rgb.save(f"{HERE}/rgb.png")
    rgb.save(f"{HERE}/rgb.jpg", quality=80)
    rgb.save(f"{HERE}/progressive.jpg", quality=60, progressive=True)
    rgb.convert("L").save(f"{HERE}/grey.jpg", quality=80)
    rgba.save(f"{HERE}/rgba.png")
    rgb.quantize(16).save(f"{HERE}/palette.png")
    Image.fromarray(pattern(11, 9, 1, 3)[..., 0]).save(f"{HERE}/grey.png")
    for height, width in SIZES:
        for name, f in FILTERS.items():
            save(f"rgb.{name}.{height}x{width}", np.asarray(rgb.resize((width, height), f)))
    # Decoded, as modes RGB and L, transparent pixels over blue.
    for name in ("rgb.png", "rgb.jpg", "progressive.jpg", "palette.png", "grey.png", "grey.jpg"):
        save(name, np.asarray(Image.open(f"{HERE}/{name}").convert("RGB")))
    blue = Image.new("RGB", rgba.size, (10, 20, 200))
    blue.paste(rgba, mask=rgba.split()[3])
    save("rgba.png", np.asarray(blue))
    save("rgb.grey", np.asarray(rgb.convert("L")))


if __name__ == "__main__":
    main()
