#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What TFLite 2.14's reference kernels make of the demo model: expected.json, and the tensors of 64 pictures.

    python3 reference.py [--data DIR]       needs tensorflow-cpu 2.14 and onnxruntime, see PROVENANCE.md
"""
import argparse
import json
import os

import numpy as np
import onnxruntime
import tensorflow as tf

from train import load

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = 64
SINGLE = 4  # of these also in a file each, for tests/test_cli.sh


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args = parser.parse_args()
    images, labels = load(args.data, "t10k")

    session = onnxruntime.InferenceSession(os.path.join(HERE, "ds-cnn.onnx"))
    floats = [session.run(None, {"image": x.transpose(2, 0, 1)[np.newaxis]})[0].argmax() for x in images]

    it = tf.lite.Interpreter(
        os.path.join(HERE, "ds-cnn.tflite"),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
    it.allocate_tensors()
    source, sink = it.get_input_details()[0], it.get_output_details()[0]
    scale, zero = source["quantization"]
    confusion = np.zeros((10, 10), int)
    inputs, outputs = [], []
    for i, (image, label) in enumerate(zip(images, labels)):
        x = np.clip(np.round(image / scale) + zero, -128, 127).astype(np.int8)[np.newaxis]
        it.set_tensor(source["index"], x)
        it.invoke()
        y = it.get_tensor(sink["index"])
        confusion[label, y.argmax()] += 1
        if i < SAMPLES:
            inputs.append(x)
            outputs.append(y)
    for i in range(SINGLE):
        np.save(os.path.join(HERE, f"input_{i}.npy"), inputs[i])
        np.save(os.path.join(HERE, f"output_{i}.npy"), outputs[i])
    np.save(os.path.join(HERE, "inputs.npy"), np.stack(inputs))
    np.save(os.path.join(HERE, "outputs.npy"), np.stack(outputs))
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump({"float_correct": int((np.array(floats) == labels).sum()),
                   "correct": int(confusion.trace()), "confusion": confusion.tolist()}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
