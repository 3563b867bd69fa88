#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the perceptron of the tests, 784-128-10 on Debian's dataset-fashion-mnist, and write it as ONNX.

    python3 train_mlp.py OUT.onnx    (NumPy and onnx; a minute)
"""
import gzip
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DATA = "/usr/share/datasets/fashion-mnist"
SEED = 20261124
EPOCHS, BATCH = 20, 128
HIDDEN, CLASSES = 128, 10
RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-4


def load(part):
    with gzip.open(os.path.join(DATA, part + "-images-idx3-ubyte.gz")) as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(os.path.join(DATA, part + "-labels-idx1-ubyte.gz")) as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8)
    return images.astype(np.float32) / 255, labels.astype(np.int64)


def forward(p, x):
    hidden = np.maximum(x @ p[0] + p[1], 0)
    return hidden, hidden @ p[2] + p[3]


def train(x, y):
    rng = np.random.default_rng(SEED)
    p = [rng.normal(0, np.sqrt(2 / 784), (784, HIDDEN)), np.zeros(HIDDEN),
         rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, CLASSES)), np.zeros(CLASSES)]
    p = [v.astype(np.float32) for v in p]
    speed = [np.zeros_like(v) for v in p]
    steps = EPOCHS * (len(x) // BATCH)
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for i in range(0, len(x) - BATCH + 1, BATCH):
            xb, yb = x[order[i:i + BATCH]], y[order[i:i + BATCH]]
            hidden, logits = forward(p, xb)
            e = np.exp(logits - logits.max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[np.arange(BATCH), yb] -= 1
            d /= BATCH
            back = (d @ p[2].T) * (hidden > 0)
            grads = (xb.T @ back + DECAY * p[0], back.sum(0), hidden.T @ d + DECAY * p[2], d.sum(0))
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k in range(4):
                speed[k] = MOMENTUM * speed[k] - rate * grads[k]
                p[k] = p[k] + speed[k].astype(np.float32)
            step += 1
    return p


def main():
    p = train(*load("train"))
    x, y = load("t10k")
    print(f"top-1 {100 * (forward(p, x)[1].argmax(1) == y).mean():.2f} %")
    names = ("hidden.weight", "hidden.bias", "logits.weight", "logits.bias")
    nodes = [helper.make_node("Flatten", ["image"], ["flat"], "flat", axis=1),
             helper.make_node("Gemm", ["flat", *names[:2]], ["hidden"], "hidden"),
             helper.make_node("Relu", ["hidden"], ["hidden_relu"], "hidden_relu"),
             helper.make_node("Gemm", ["hidden_relu", *names[2:]], ["logits"], "logits")]
    graph = helper.make_graph(
        nodes, "mlp", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])],
        [numpy_helper.from_array(v, n) for v, n in zip(p, names)])
    model = helper.make_model(graph, producer_name="accel tests/accuracy/train_mlp.py", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    with open(sys.argv[1], "wb") as f:
        f.write(model.SerializeToString())


if __name__ == "__main__":
    main()
