# SPDX-License-Identifier: MIT
"""Real data that Debian and PyPI packages bring, as lists that accel and ONNX Runtime both read.

Each function writes calib.csv and test.csv into a folder (FILE,CLASS; calibration without classes) and
returns them, or None and the reason why there is no such data.
"""
import json
import os
import wave

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
STAMPS = "/usr/share/tuxpaint/stamps"
SOUNDS = "/usr/share/asterisk/sounds"
# Where a Debian machine has files of many kinds, and what the ends of their names say for certain.
ROOTS = ("/usr/share", "/usr/lib", "/usr/include", "/etc")
KINDS = {"py": "python", "pyc": "pythonbytecode", "sh": "shell", "pl": "perl", "pm": "perl", "c": "c", "png": "png",
         "jpg": "jpeg", "gif": "gif", "svg": "svg", "xml": "xml", "html": "html", "css": "css", "js": "javascript",
         "json": "json", "gz": "gzip", "xz": "xz", "bz2": "bzip", "zip": "zip", "deb": "deb", "pdf": "pdf",
         "ttf": "ttf", "wav": "wav", "ogg": "ogg", "md": "markdown", "rst": "rst", "yaml": "yaml", "yml": "yaml",
         "toml": "toml", "po": "po", "ico": "ico", "sql": "sql", "jar": "jar", "cmake": "cmake", "npy": "npy",
         "rb": "ruby", "lua": "lua", "m4": "m4", "tcl": "tcl", "el": "lisp", "hs": "haskell", "rs": "rust", "go": "go"}
PER_KIND = 24          # files of a kind, half of them for calibration
MIN_BYTES = 8          # magika does not ask its network about less
MAX_BYTES = 1 << 24
# Of a voice: windows of 512 samples, each with the 64 before it.
WINDOWS, STEP, CONTEXT = 24, 512, 64
VOICES = 40


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(row + "\n" for row in rows)
    return path


def stamps(out):
    """The 69 stamps of stamps.csv, and for calibration all other photographs."""
    if not os.path.isdir(STAMPS):
        return None, "Debian: tuxpaint-stamps-default (161 MB) is not installed"
    with open(os.path.join(HERE, "stamps.csv"), encoding="utf-8") as f:
        test = [line.strip() for line in f]
    taken = {line.rsplit(",", 1)[0] for line in test}
    others = []
    for folder, _, files in sorted(os.walk(STAMPS)):
        name = os.path.relpath(folder, STAMPS)
        if "cartoon" in name or name.startswith("symbols"):
            continue
        others += [os.path.join(name, f) for f in sorted(files) if f.endswith(".png")]
    return (write(f"{out}/calib.csv", [f"{STAMPS}/{f}," for f in others if f not in taken]),
            write(f"{out}/test.csv", [f"{STAMPS}/{line}" for line in test]))


def files(out, config):
    """Files of this machine whose names say what they are."""
    with open(config, encoding="utf-8") as f:
        labels = json.load(f)["target_labels_space"]
    found = {}
    for root in ROOTS:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                kind = KINDS.get(name.rsplit(".", 1)[-1]) if "." in name else None
                path = os.path.join(folder, name)
                if kind in labels and os.path.isfile(path) and not os.path.islink(path) and "," not in path and \
                        path.isprintable() and MIN_BYTES <= os.path.getsize(path) <= MAX_BYTES:
                    found.setdefault(kind, []).append(path)
    calib, test = [], []
    for kind, paths in sorted(found.items()):
        # From all over the machine, not the first folder's.
        some = [paths[i * len(paths) // min(PER_KIND, len(paths))] for i in range(min(PER_KIND, len(paths)))]
        calib += [f"{p}," for p in some[0::2]]
        test += [f"{p},{labels.index(kind)}" for p in some[1::2]]
    if len(test) < 100:
        return None, f"only {len(test)} files of known kinds on this machine"
    return write(f"{out}/calib.csv", calib), write(f"{out}/test.csv", test)


def read_wav(path):
    """Samples and rate of a 16-bit file of one channel."""
    with wave.open(path) as w:
        if w.getsampwidth() != 2 or w.getnchannels() != 1:
            return None, 0
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768, w.getframerate()


def to_16k(x):
    """From 8 kHz, by the spectrum."""
    spectrum = np.fft.rfft(x)
    wide = np.zeros(len(x) + 1, complex)
    wide[:len(spectrum)] = spectrum
    return (2 * np.fft.irfft(wide, 2 * len(x))).astype(np.float32)


def noises(count, length, seed):
    """What is no speech: white and brown noise, hum, clicks, sweeps."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / 16000
    for i in range(count):
        white = rng.normal(0, 1, length)
        level = rng.uniform(0.02, 0.3)
        hz = rng.uniform(50, 3000)
        kinds = (white, np.cumsum(white) / 60, np.sin(2 * np.pi * hz * t),
                 (rng.uniform(0, 1, length) > 0.999) * white, np.sin(2 * np.pi * hz * t * (1 + t)))
        x = level * kinds[i % len(kinds)]
        yield np.clip(x, -1, 1).astype(np.float32)


def speech(count, length, first):
    """Spoken prompts of at least that length, every so manieth of them."""
    paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(SOUNDS, followlinks=True) for f in fs if f.endswith(".wav"))
    out = []
    for path in paths[first::7]:
        x, rate = read_wav(path)
        if rate != 8000 or "silence" in path or 2 * len(x) < length or np.abs(x).max() < 0.1:
            continue
        out.append(to_16k(x)[:length])
        if len(out) == count:
            return out
    return None


def voices(out, first):
    """Folders "noise" and "speech" of .npz files for silero-vad's model of whole sequences; None: no sounds here."""
    length = WINDOWS * STEP
    spoken = speech(VOICES, length, first)
    if not spoken:
        return None
    for kind, sounds in (("noise", noises(VOICES, length, first)), ("speech", spoken)):
        os.makedirs(f"{out}/{kind}", exist_ok=True)
        for i, x in enumerate(sounds):
            x = np.concatenate([np.zeros(CONTEXT, np.float32), x])
            windows = np.stack([x[k * STEP:k * STEP + STEP + CONTEXT] for k in range(WINDOWS)])
            state = np.zeros((1, 1, 128), np.float32)
            np.savez(f"{out}/{kind}/{i:02}.npz", input=windows, h=state, c=state)
    return out
