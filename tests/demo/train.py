# SPDX-License-Identifier: MIT
"""Train the demo model and write it as float ONNX and as full-integer int8 TFLite.

    python3 train.py [--data DIR] [--out DIR] [--epochs N]

A depthwise separable CNN on Debian's dataset-fashion-mnist. Batch normalisation is folded into the
convolutions once, after training; both files are written from those folded weights, so they are
the same network before and after quantisation. Needs the versions in PROVENANCE.md.
"""
import argparse
import gzip
import os
import struct

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import tensorflow as tf

SEED = 20261124
BATCH = 128
CALIBRATION_IMAGES = 256

# One row a block: depthwise stride, output channels of the 1x1 convolution that follows.
STEM_CHANNELS = 64
BLOCKS = ((1, 128), (1, 128), (2, 256), (1, 208))
CLASSES = 10


def read_idx(path):
    """An idx file of unsigned bytes: two zero bytes, type 8, rank, big-endian sizes, data."""
    with gzip.open(path, "rb") as f:
        zero, kind, rank = struct.unpack(">HBB", f.read(4))
        if zero != 0 or kind != 8:
            raise SystemExit(f"{path}: not an idx file of unsigned bytes")
        shape = struct.unpack(">" + "I" * rank, f.read(4 * rank))
        return np.frombuffer(f.read(), np.uint8).reshape(shape)


def load(directory, part):
    images = read_idx(os.path.join(directory, part + "-images-idx3-ubyte.gz"))
    labels = read_idx(os.path.join(directory, part + "-labels-idx1-ubyte.gz"))
    return images[..., np.newaxis].astype(np.float32) / 255, labels.astype(np.int64)


def network(folded):
    """The trained form has a batch normalisation a layer, the folded one a bias instead."""
    layers = tf.keras.layers

    def tail(x, relu_name):
        if not folded:
            x = layers.BatchNormalization()(x)
        return layers.ReLU(name=relu_name)(x)

    image = layers.Input((28, 28, 1), batch_size=1 if folded else None, name="image")
    x = layers.Conv2D(STEM_CHANNELS, 3, 2, "same", use_bias=folded, name="stem")(image)
    x = tail(x, "stem_relu")
    for i, (stride, channels) in enumerate(BLOCKS):
        x = layers.DepthwiseConv2D(3, stride, "same", use_bias=folded, name=f"dw{i}")(x)
        x = tail(x, f"dw{i}_relu")
        x = layers.Conv2D(channels, 1, use_bias=folded, name=f"pw{i}")(x)
        x = tail(x, f"pw{i}_relu")
    x = layers.AveragePooling2D(7)(x)
    x = layers.Flatten()(x)
    if not folded:
        x = layers.Dropout(0.2, seed=SEED)(x)
    return tf.keras.Model(image, layers.Dense(CLASSES, name="logits")(x))


def fold(trained):
    """Move every batch normalisation into the convolution in front of it."""
    plain = network(folded=True)
    ordered = trained.layers
    for layer, following in zip(ordered, ordered[1:]):
        if not isinstance(following, tf.keras.layers.BatchNormalization):
            continue
        kernel = layer.get_weights()[0]
        gamma, beta, mean, var = following.get_weights()
        scale = gamma / np.sqrt(var + following.epsilon)
        # The channel is the last axis of a convolution's kernel, the last but one of a depthwise's.
        depthwise = isinstance(layer, tf.keras.layers.DepthwiseConv2D)
        kernel = kernel * (scale[:, np.newaxis] if depthwise else scale)
        plain.get_layer(layer.name).set_weights([kernel, beta - mean * scale])
    plain.get_layer("logits").set_weights(trained.get_layer("logits").get_weights())
    return plain


def same_pads(size, stride, kernel=3):
    """TensorFlow's SAME, written out as ONNX pads: top, left, bottom, right."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return [total // 2, total // 2, total - total // 2, total - total // 2], out


def write_onnx(plain, path):
    nodes, weights = [], []

    def constant(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def conv(name, source, size, kernel_size, stride, depthwise):
        kernel, bias = plain.get_layer(name).get_weights()
        # HWIO (HWIM for a depthwise one, where M is 1) to OIHW.
        kernel = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)
        pads, out = same_pads(size, stride, kernel_size)
        nodes.append(helper.make_node(
            "Conv", [source, constant(name + ".weight", kernel), constant(name + ".bias", bias)],
            [name], name, kernel_shape=[kernel_size] * 2, strides=[stride] * 2, pads=pads,
            group=kernel.shape[0] if depthwise else 1))
        nodes.append(helper.make_node("Relu", [name], [name + "_relu"], name + "_relu"))
        return name + "_relu", out

    x, size = conv("stem", "image", 28, 3, 2, False)
    for i, (stride, _) in enumerate(BLOCKS):
        x, size = conv(f"dw{i}", x, size, 3, stride, True)
        x, size = conv(f"pw{i}", x, size, 1, 1, False)
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pool"], "pool"))
    nodes.append(helper.make_node("Flatten", ["pool"], ["flat"], "flat", axis=1))
    kernel, bias = plain.get_layer("logits").get_weights()
    nodes.append(helper.make_node(
        "Gemm", ["flat", constant("logits.weight", kernel.T), constant("logits.bias", bias)],
        ["logits"], "logits", transB=1))
    graph = helper.make_graph(
        nodes, "ds_cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])], weights)
    model = helper.make_model(graph, producer_name="accel tests/demo/train.py", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def write_tflite(plain, images, path):
    # Evenly spaced over the training set. The two constant pictures pin the input's range to
    # exactly 0..1, so that an int8 input value is the grey level minus 128.
    chosen = images[:: len(images) // CALIBRATION_IMAGES][:CALIBRATION_IMAGES]

    def representative():
        for value in (0, 1):
            yield [np.full((1, 28, 28, 1), value, np.float32)]
        for image in chosen:
            yield [image[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(plain)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with open(path, "wb") as f:
        f.write(converter.convert())


def augment(images, rng):
    """Mirror half of the pictures and move each by up to two pixels."""
    out = images.copy()
    flip = rng.random(len(out)) < 0.5
    out[flip] = out[flip, :, ::-1]
    padded = np.pad(out, ((0, 0), (2, 2), (2, 2), (0, 0)))
    for i, (dy, dx) in enumerate(rng.integers(0, 5, (len(out), 2))):
        out[i] = padded[i, dy:dy + 28, dx:dx + 28]
    return out


def train(images, labels, epochs):
    model = network(folded=False)
    steps = len(images) // BATCH
    schedule = tf.keras.optimizers.schedules.CosineDecay(2e-3, steps * epochs)
    model.compile(tf.keras.optimizers.legacy.Adam(schedule),
                  tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    rng = np.random.default_rng(SEED)
    for epoch in range(epochs):
        order = rng.permutation(len(images))[:steps * BATCH]
        seen = model.fit(augment(images[order], rng), labels[order], BATCH, 1, verbose=0,
                         shuffle=False)
        print(f"epoch {epoch + 1}/{epochs}: loss {seen.history['loss'][0]:.4f}, "
              f"training accuracy {seen.history['accuracy'][0]:.4f}", flush=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(SEED)

    images, labels = load(args.data, "train")
    plain = fold(train(images, labels, args.epochs))
    test_images, test_labels = load(args.data, "t10k")
    logits = np.concatenate([plain(image[np.newaxis]).numpy() for image in test_images])
    correct = int((logits.argmax(1) == test_labels).sum())
    print(f"parameters {plain.count_params()}, float: {correct} of {len(test_labels)} test images")
    write_onnx(plain, os.path.join(args.out, "ds-cnn.onnx"))
    write_tflite(plain, images, os.path.join(args.out, "ds-cnn.tflite"))


if __name__ == "__main__":
    main()
