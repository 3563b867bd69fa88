#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recurrent layers, Einsum, and quantised operators and networks, against ONNX Runtime.

The ONNX project's node tests have hardly any of them. Models and vectors are made here, run by ONNX
Runtime (PyPI), and then by tests/onnx_node.c with its tolerances: integers are equal. What becomes
operations on int8 may differ by one step. The packages are kept in ~/.cache/accel.

usage: onnx_runtime.py ONNX_NODE ACCEL
Exit status: that of ONNX_NODE, or 77: no PyPI.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

SKIP = 77
VERSION = "1.32.0"
STEPS = 0.05    # two and a half steps of the networks' outputs
PACKAGES = [f"onnxruntime=={VERSION}", "onnx==1.22.0"]


def cache():
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return base / "accel" / f"venv-onnxruntime-{VERSION}"


def install():
    """Returns None, or why not."""
    here = cache()
    if (here / "installed").exists():
        return None
    try:
        venv.create(here, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as err:
        return f"no virtual environment: {err}"
    done = subprocess.run([here / "bin/pip", "install", "-q", "--retries", "1", *PACKAGES],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    (here / "installed").touch()
    return None


class Maker:
    """Writes cases as the ONNX project's are: a folder with a model, inputs and outputs."""

    def __init__(self, folder):
        import numpy
        import onnx
        import onnxruntime
        self.np, self.onnx, self.runtime = numpy, onnx, onnxruntime
        self.rng = numpy.random.default_rng(1)
        self.folder = folder
        self.names = []

    def floats(self, *shape):
        return self.rng.normal(0, 0.5, shape).astype(self.np.float32)

    def bytes(self, kind, *shape):
        info = self.np.iinfo(kind)
        return self.rng.integers(info.min, info.max + 1, shape).astype(kind)

    def case(self, name, op, inputs, outputs, attributes, domain=""):
        """@inputs: of the node in order: name, array or None, whether it is a constant."""
        helper, numpy_helper = self.onnx.helper, self.onnx.numpy_helper
        given = [(n, a) for n, a, constant in inputs if a is not None and not constant]
        node = helper.make_node(op, [n if a is not None else "" for n, a, _ in inputs],
                                [n for n, _ in outputs], domain=domain, **attributes)
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                 for n, a in given]
        graph = helper.make_graph(
            [node], name, infos, [helper.make_tensor_value_info(n, t, None) for n, t in outputs],
            [numpy_helper.from_array(a, n) for n, a, constant in inputs if a is not None and constant])
        sets = [helper.make_opsetid("", 21)] + ([helper.make_opsetid(domain, 1)] if domain else [])
        model = helper.make_model(graph, opset_imports=sets, ir_version=9)
        session = self.runtime.InferenceSession(model.SerializeToString(),
                                                providers=["CPUExecutionProvider"])
        results = session.run(None, dict(given))
        self.onnx.save(model, self.path(name) / "model.onnx")
        self.vectors(name, given, results)

    def path(self, name):
        self.names.append(name)
        (self.folder / name).mkdir()
        return self.folder / name

    def vectors(self, name, given, results):
        numpy_helper = self.onnx.numpy_helper
        data = self.folder / name / "test_data_set_0"
        data.mkdir()
        for i, (n, a) in enumerate(given):
            (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(a, n).SerializeToString())
        for i, a in enumerate(results):
            array = numpy_helper.from_array(self.np.asarray(a))
            (data / f"output_{i}.pb").write_bytes(array.SerializeToString())

    def recurrent(self):
        steps, batch, inputs, hidden = 5, 3, 4, 6
        number = self.onnx.TensorProto.FLOAT
        for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
            for direction in ("forward", "reverse", "bidirectional"):
                d = 2 if direction == "bidirectional" else 1
                for lengths in (False, True):
                    for before in (0, 1) if op == "GRU" else (None,):
                        rows = [("x", self.floats(steps, batch, inputs), False),
                                ("w", self.floats(d, gates * hidden, inputs), True),
                                ("r", self.floats(d, gates * hidden, hidden), True),
                                ("b", self.floats(d, 2 * gates * hidden), True),
                                ("len", self.np.array([5, 2, 3], "int32") if lengths else None, False),
                                ("h", self.floats(d, batch, hidden), False)]
                        outputs = [("Y", number), ("Y_h", number)]
                        if op == "LSTM":
                            rows += [("c", self.floats(d, batch, hidden), False),
                                     ("p", self.floats(d, 3 * hidden) if lengths else None, True)]
                            outputs.append(("Y_c", number))
                        attributes = {"hidden_size": hidden, "direction": direction}
                        if before is not None:
                            attributes["linear_before_reset"] = before
                        name = f"{op}_{direction}" + ("_lengths" if lengths else "")
                        self.case(name + ("_before" if before else ""), op, rows, outputs, attributes)

    def einsums(self):
        number = self.onnx.TensorProto.FLOAT
        for i, (equation, *shapes) in enumerate([
                ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
                ("...ij,...jk->...ik", (2, 3, 4), (1, 4, 5)), ("ij,kj", (2, 3), (4, 3)),
                ("bij->b", (2, 3, 4)), ("iij->j", (3, 3, 4)), ("ij,ij->", (2, 3), (2, 3)),
                ("i,j->ji", (2,), (3,)), ("abc,cd,bde->ea", (2, 3, 4), (4, 5), (3, 5, 2))]):
            self.case(f"einsum_{i}", "Einsum",
                      [(f"in{k}", self.floats(*shape), False) for k, shape in enumerate(shapes)],
                      [("y", number)], {"equation": equation})

    def quantised(self, name, op, operands, out, attributes, domain="", out_first=False):
        """@operands: (array, scale, zero point) or one array, a bias; the first ones are inputs."""
        rows = []
        for i, operand in enumerate(operands):
            constant = i > 0 and not name.startswith("two_")
            if not isinstance(operand, tuple):
                rows.append((f"in{i}", operand, True))
                continue
            array, scale, zero = operand
            rows += [(f"in{i}", array, constant),
                     (f"scale{i}", self.np.asarray(scale, "float32"), True),
                     (f"zero{i}", self.np.asarray(zero, array.dtype), True)]
        kind, scale, zero = out
        result = [("scale", self.np.asarray(scale, "float32"), True),
                  ("zero", self.np.asarray(zero, kind), True)]
        bias = [rows.pop()] if not isinstance(operands[-1], tuple) else []
        if op == "QGemm":
            rows = rows + bias + result
        elif out_first:
            rows = result + rows
        else:
            rows = rows + result + bias
        tensor = self.onnx.TensorProto.UINT8 if kind == "uint8" else self.onnx.TensorProto.INT8
        self.case(name, op, rows, [("y", tensor)], attributes, domain)

    def integers(self):
        """Scales give no halves: ONNX rounds them to even, TFLite's QUANTIZE away from 0."""
        np, ms = self.np, "com.microsoft"
        scales = self.rng.uniform(.002, .01, 6)
        biases = self.rng.integers(-500, 500, 6).astype("int32")
        for group, each in ((1, False), (1, True), (2, True)):
            weights = (self.bytes("int8", 6, 4 // group, 3, 3), scales if each else .005,
                       np.zeros(6 if each else (), "int8"))
            self.quantised(f"conv_{group}_{each}", "QLinearConv",
                           [(self.bytes("uint8", 1, 4, 7, 8), .02, 120), weights, biases],
                           ("uint8", .05, 100), {"group": group, "pads": [1] * 4, "strides": [2, 1]})
        self.quantised("depthwise", "QLinearConv",
                       [(self.bytes("int8", 1, 4, 7, 8), .02, 3),
                        (self.bytes("int8", 4, 1, 3, 3), scales[:4], np.zeros(4, "int8"))],
                       ("int8", .03, -7), {"group": 4, "pads": [1] * 4})
        for op in ("QLinearAdd", "QLinearMul"):
            self.quantised("two_" + op, op, [(self.bytes("uint8", 2, 3, 5), .02137, 128),
                                             (self.bytes("uint8", 2, 3, 5), .03041, 100)],
                           ("uint8", .05, 90), {}, ms)
        x = (self.bytes("uint8", 2, 3, 5, 7), .02971, 128)
        self.quantised("sigmoid", "QLinearSigmoid", [x], ("uint8", 1 / 256, 0), {}, ms)
        self.quantised("leaky", "QLinearLeakyRelu", [x], ("uint8", .02037, 60), {"alpha": .2}, ms)
        self.quantised("average", "QLinearGlobalAveragePool", [x], ("uint8", .031, 120),
                       {"channels_last": 0}, ms)
        self.quantised("two_concat", "QLinearConcat", [(self.bytes("uint8", 2, 3), .02, 128),
                                                       (self.bytes("uint8", 2, 4), .03, 100)],
                       ("uint8", .05, 90), {"axis": 1}, ms, out_first=True)
        for turned in (0, 1):
            weights = self.bytes("int8", *((6, 12) if turned else (12, 6)))
            self.quantised(f"gemm_{turned}", "QGemm",
                           [(self.bytes("uint8", 5, 12), .02, 128), (weights, scales, np.zeros(6, "int8")),
                            biases], ("uint8", .05, 90), {"transB": turned}, ms)
        # More products a sum than float32 holds at once.
        self.case("matmul_long", "MatMulInteger",
                  [("a", self.bytes("uint8", 3, 1000), False), ("b", self.bytes("uint8", 1000, 5), False),
                   ("az", np.uint8(3), True), ("bz", np.uint8(200), True)],
                  [("y", self.onnx.TensorProto.INT32)], {})


def network(maker):
    """A network of floats: convolutions, depthwise too, a branch, pools, a matrix."""
    helper, rng, np = maker.onnx.helper, maker.rng, maker.np
    constants, nodes = [], []

    def weights(*shape):
        array = rng.normal(0, .3, shape).astype("float32")
        constants.append(maker.onnx.numpy_helper.from_array(array, f"w{len(constants)}"))
        return constants[-1].name

    def scalar(value):
        constants.append(maker.onnx.numpy_helper.from_array(np.float32(value), f"w{len(constants)}"))
        return constants[-1].name

    def add(op, inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    x = add("Relu", [add("Conv", ["x", weights(16, 3, 3, 3), weights(16)], strides=[2, 2], pads=[1] * 4)])
    x = add("Conv", [x, weights(16, 1, 3, 3), weights(16)], group=16, pads=[1] * 4)
    x = add("Clip", [x, scalar(0), scalar(6)])
    x = add("Add", [x, add("Conv", [x, weights(16, 16, 1, 1), weights(16)])])
    x = add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = add("Concat", [x, add("Sigmoid", [x])], axis=1)
    x = add("Flatten", [add("GlobalAveragePool", [x])])
    x = add("Gemm", [x, weights(10, 32), weights(10)], transB=1)
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "network", [tensor("x", 1, (1, 3, 32, 32))], [tensor(x, 1, (1, 10))],
                              constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def networks(maker):
    """It, quantised by ONNX Runtime in the forms it has."""
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.left = 20

        def get_next(self):
            self.left -= 1
            return {"x": 2 * maker.floats(1, 3, 32, 32)} if self.left >= 0 else None

    maker.onnx.save(network(maker), maker.folder / "network.onnx")
    options = maker.runtime.SessionOptions()
    options.graph_optimization_level = maker.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    names = []
    # As training leaves it: weights are numbers that are quantised in the graph, biases are not.
    training = {"AddQDQPairToWeight": True, "QuantizeBias": False}
    for form, more in (("QDQ", {}), ("QOperator", {}), ("QDQ", training)):
        for kind in ("QInt8", "QUInt8"):
            names.append(f"network_{form}_{kind}" + ("_training" if more else ""))
            model = maker.path(names[-1]) / "model.onnx"
            q.quantize_static(maker.folder / "network.onnx", model, Reader(),
                              quant_format=q.QuantFormat[form], activation_type=q.QuantType[kind],
                              weight_type=q.QuantType.QInt8, per_channel=True, extra_options=more)
            x = 2 * maker.floats(1, 3, 32, 32)
            session = maker.runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            maker.vectors(names[-1], [("x", x)], session.run(None, {"x": x}))
    return names


def all_integers(accel, folder):
    """Only what quantises the input and dequantises the output is left of numbers."""
    done = subprocess.run([accel, "info", folder / "model.onnx"], capture_output=True, text=True, check=False)
    kinds = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("operator")]
    if done.returncode or kinds.count("DEQUANTIZE") != 1 or kinds[-1] != "DEQUANTIZE" or len(kinds) > 20:
        print(f"FAIL {folder.name}: {done.stderr.strip() or kinds}")
        return False
    return True


def on_npu(maker, accel, name):
    """The network compiled for an NPU and run on the simulated one: a few steps of its output at most."""
    np, numpy_helper = maker.np, maker.onnx.numpy_helper
    folder = maker.folder / name

    def read(file):
        tensor = maker.onnx.TensorProto()
        tensor.ParseFromString((folder / "test_data_set_0" / file).read_bytes())
        return numpy_helper.to_array(tensor)

    np.save(folder / "x.npy", read("input_0.pb"))
    for command in (["compile", folder / "model.onnx", "-t", "ethos-u85-256", "-o", folder / "x.accel"],
                    ["run", folder / "x.accel", "-i", folder / "x.npy", "-o", folder / "y.npy",
                     "-d", "sim:ethos-u85-256"]):
        done = subprocess.run([accel, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"FAIL {name}: {done.stderr.strip()}")
            return False
    most = float(np.abs(np.load(folder / "y.npy") - read("output_0.pb")).max())
    print(f"{'ok' if most <= STEPS else 'FAIL'} {name} on the NPU: off by {most:.4f} at most")
    return most <= STEPS


def check(program, accel):
    """Run by the interpreter that has ONNX Runtime."""
    with tempfile.TemporaryDirectory() as name:
        maker = Maker(pathlib.Path(name))
        maker.recurrent()
        maker.einsums()
        recurrent, maker.names = maker.names, []
        maker.integers()
        integers, maker.names = maker.names, []
        whole = networks(maker)
        status = 0
        for options, cases in (([], recurrent), (["-w"], recurrent + integers + whole),
                               (["-a", "1"], integers), (["-a", str(STEPS)], whole)):
            done = subprocess.run([program, *options, "-m", str(len(cases)), name, *cases], check=False)
            status |= done.returncode
        if not all([all_integers(accel, pathlib.Path(name) / case) and on_npu(maker, accel, case)
                    for case in whole]):
            status = 1
        return status


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(*sys.argv[2:])
    why = install()
    if why:
        print(f"SKIP: onnxruntime {VERSION} does not install: {why}")
        return SKIP
    return subprocess.run([cache() / "bin/python", os.path.abspath(__file__), "--check", *sys.argv[1:]],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
