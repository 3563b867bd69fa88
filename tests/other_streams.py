#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Streams of configurations, Vela versions, cores and formats that no model is kept compiled for.

Compiles the demo model and the models of a folder (ACCEL_MODELS) with Vela from PyPI, runs the
streams with stream_check on both engines and compares with the models' TFLite outputs. Vela's
virtual environments are kept in ~/.cache/accel/vela-VERSION, compiled models in OUT.

usage: other_streams.py [--full] STREAM_CHECK MODELS OUT
Exit status: 0 all as expected, 1 not, 77 nothing could be run.
"""
import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile

SKIP = 77
TIMEOUT = 300       # seconds for one compilation or one run
NEWEST = "5.2.0"

# What a version needs beside what it asks for: the older ones overflow with numpy 2.
WITH = {"5.2.0": [], "4.2.0": [], "4.0.1": ["numpy<2"], "3.12.0": ["numpy<2"]}

SMALL = ["ad01_int8", "digits_opmix_int8", "kws_ref_model", "micro_speech_quantized"]
ALL = SMALL + ["pretrainedResnet_quant", "vww_96_int8"]
DEMO = pathlib.Path(__file__).parent / "demo" / "ds-cnn.tflite"
NEW_CONFIGS = ["u55-32", "u55-64", "u55-256", "u85-128", "u85-512", "u85-1024", "u85-2048"]

# (version, options, configurations, models)
USUAL = [
    (NEWEST, [], NEW_CONFIGS, SMALL),
    (NEWEST, ["--debug-force-legacy-core"], ["u55-32", "u65-512"], SMALL[:3]),
    (NEWEST, ["--cop-format", "COP2"], ["u65-256", "u85-512"], SMALL[2:3]),
]
FULL = [
    (NEWEST, [], NEW_CONFIGS, ALL),
    (NEWEST, ["--debug-force-legacy-core"], ["u55-32", "u55-64", "u55-256", "u65-512"], ALL),
    (NEWEST, ["--cop-format", "COP2"], ["u65-256", "u85-512"], ALL),
    ("4.2.0", [], ["u65-512", "u85-512", "u85-2048"], ALL),
    ("4.0.1", [], ["u55-64", "u85-1024"], ALL),
    ("3.12.0", [], ["u55-32", "u55-128", "u55-256", "u65-256", "u65-512"], ALL),
]
SEANET_CONFIGS = ["u65-256", "u85-256"]

# Streams that are known not to compute what TFLite does: (version, model, configuration), what
# stream_check then says, and why.
KNOWN = {
    ("4.0.1", "digits_opmix_int8", "u85-1024"):
        ("8 of 8 vectors differ, 55 bytes",
         "Vela 4.0.1 scales ABS by 1; with the scale that 5.2.0 gives it, all is exact"),
}


def npy_data(raw):
    """The elements of a .npy file, C order, little endian."""
    if raw[:6] != b"\x93NUMPY" or raw[6] not in (1, 2):
        raise ValueError("not a .npy file")
    size = 2 if raw[6] == 1 else 4
    start = 8 + size + int.from_bytes(raw[8:8 + size], "little")
    if b"'fortran_order': False" not in raw[:start] or b"'>" in raw[:start]:
        raise ValueError("not C order or not little endian")
    return raw[start:]


def whole_vectors(folder):
    for k in range(len(list(folder.glob("input_*.npy")))):
        for side in ("input", "output"):
            yield npy_data((folder / f"{side}_{k}.npy").read_bytes())


def npz_vectors(path):
    with zipfile.ZipFile(path) as z:
        for side in ("input", "output"):
            for i in range(sum(n.startswith(side) for n in z.namelist())):
                yield npy_data(z.read(f"{side}_{i}.npy"))


def run_command(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, "", f"not done in {TIMEOUT} s")


class Vela:
    """One version of Vela in an environment of its own."""

    def __init__(self, version):
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        self.version = version
        self.dir = cache / "accel" / f"vela-{version}"
        self.why = None
        if not (self.dir / "installed").exists():
            self.install()

    def install(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        try:
            venv.create(self.dir, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as err:
            self.why = f"no virtual environment: {err}"
            return
        wanted = [f"ethos-u-vela=={self.version}"] + WITH[self.version]
        done = run_command([self.dir / "bin/pip", "install", "-q", "--retries", "1", *wanted])
        if done.returncode:
            self.why = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            return
        (self.dir / "installed").touch()

    def compile(self, model, config, options, dst):
        """Returns None, or why there is no stream."""
        if dst.exists():
            return None
        with tempfile.TemporaryDirectory() as tmp:
            command = [self.dir / "bin/vela", "--accelerator-config", f"ethos-{config}", *options,
                       "--output-dir", tmp, model]
            done = run_command(command)
            made = list(pathlib.Path(tmp).glob("*_vela.tflite"))
            if done.returncode or not made:
                return ((done.stderr + done.stdout).strip().splitlines() or ["no output"])[-1]
            shutil.move(made[0], dst)
        return None


class Run:
    def __init__(self, args):
        self.args = args
        self.velas = {}
        self.count = {"ok": 0, "FAIL": 0, "SKIP": 0, "known": 0}
        self.started = time.monotonic()

    def vela(self, version):
        if version not in self.velas:
            self.velas[version] = Vela(version)
            if self.velas[version].why:
                print(f"SKIP: ethos-u-vela {version} does not install: {self.velas[version].why}")
        return self.velas[version]

    def tell(self, status, what, text):
        self.count[status] += 1
        print(f"{status:5} {what}: {text}", flush=True)

    def check(self, version, options, config, name, model, vectors):
        vela = self.vela(version)
        what = f"{name} {config} vela {version}{''.join(' ' + o for o in options)}"
        if vela.why:
            self.count["SKIP"] += 1
            return
        key = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
        tag = "".join(o.strip("-") + "-" for o in options)
        dst = self.args.out / f"{name.replace('/', '-')}-{key}-{config}-{tag}{version}.tflite"
        why = vela.compile(model, config, options, dst)
        if why:
            self.tell("FAIL", what, f"does not compile: {why}")
            return
        data = dst.with_suffix(".vectors")
        data.write_bytes(b"".join(vectors))
        for engine in ("reference", "opencl"):
            done = run_command([self.args.stream_check, "-e", engine, config, dst, data])
            text = ((done.stdout + done.stderr).strip().splitlines() or ["no output"])[-1]
            if done.returncode == SKIP:
                self.tell("SKIP", what, f"not wholly on the NPU: {text}")
                break
            expected, reason = KNOWN.get((version, name, config), (None, None))
            if done.returncode == 1 and text == expected:
                self.tell("known", f"{what} {engine}", f"{text}: {reason}")
            else:
                self.tell("ok" if done.returncode == 0 else "FAIL", f"{what} {engine}", text)
        data.unlink()

    def whole(self, version, options, configs, models):
        paths = {"demo": DEMO} | {m: self.args.models / m / "model.tflite" for m in models}
        for name, path in paths.items():
            if not path.exists():
                self.tell("SKIP", name, f"no {path}")
                continue
            for config in configs:
                self.check(version, options, config, name, path, whole_vectors(path.parent))

    def seanet(self):
        for model in sorted((self.args.models / "seanet").glob("*.tflite")):
            vectors = model.with_suffix(".npz")
            for config in SEANET_CONFIGS if vectors.exists() else []:
                self.check(NEWEST, [], config, f"seanet/{model.stem}", model, npz_vectors(vectors))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all models and versions of Vela")
    parser.add_argument("stream_check", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    run = Run(args)
    for job in FULL if args.full else USUAL:
        run.whole(*job)
    if args.full:
        run.seanet()
    print("other streams: " + ", ".join(f"{n} {s}" for s, n in run.count.items()) +
          f", {time.monotonic() - run.started:.0f} s")
    if run.count["FAIL"]:
        return 1
    return 0 if run.count["ok"] else SKIP


if __name__ == "__main__":
    sys.exit(main())
