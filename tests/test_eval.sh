#!/bin/sh
# SPDX-License-Identifier: MIT
# accel eval and accel compare from outside: tables, JSON, gates, and what is refused.
# usage: test_eval.sh ACCEL, from the top of the tree.
set -u
accel=$1
float=tests/accuracy/mlp.onnx
unset ACCEL_DEVICE
. tests/cli.sh

printed() {
	grep -q -e "$1" "$dir/out" || fail "no \"$1\" in its output"
}

json() {
	python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
		"$dir/out" "$1" 2>>"$dir/err" || fail "JSON is not so: $1"
}

# A data set of twenty pictures, all but the tenth black, of class 0 to 9 and again.
{ printf '\000\000\010\003\000\000\000\024\000\000\000\034\000\000\000\034' && head -c 7056 /dev/zero &&
	head -c 784 tests/accuracy/mlp.onnx && head -c 7840 /dev/zero; } | gzip >"$dir/t10k-images-idx3-ubyte.gz"
{ printf '\000\000\010\001\000\000\000\024' && printf '\000\001\002\003\004\005\006\007\010\011' &&
	printf '\000\001\002\003\004\005\006\007\010\011'; } | gzip >"$dir/t10k-labels-idx1-ubyte.gz"
cp "$dir/t10k-images-idx3-ubyte.gz" "$dir/train-images-idx3-ubyte.gz"
cp "$dir/t10k-labels-idx1-ubyte.gz" "$dir/train-labels-idx1-ubyte.gz"
data=fashion-mnist:$dir
int8=$dir/int8.tflite
run 0 quantise $float -o "$int8" -c "$data:train"

# Three columns; of 19 pictures that are all black two are right.
run 0 eval "$int8" --float $float -s "$data" --json
json '[c["engine"] for c in j["columns"]] == ["float", "reference", "npu"] and j["images"] == 20'
json 'all(2 <= c["correct"] <= 3 and c["micro_f1"] == c["top1"] == c["correct"] / 20 for c in j["columns"])'
json 'all(sum(map(sum, c["confusion"])) == 20 for c in j["columns"])'
json 'j["columns"][2]["equal_to_reference"] == 20 and j["columns"][2]["same_answer_as_reference"] == 20'
json 'j["columns"][1]["outputs"][0]["snr"] > 15 and 0.95 < j["columns"][1]["outputs"][0]["cosine"] <= 1'
json '"drop" not in j["columns"][0] and abs(j["columns"][1]["drop"]) <= 0.05 + 1e-9'
run 0 eval "$int8" --float $float -s "$data"
printed 'lost against float'
printed 'in 20 of 20 samples'
# Ten answers are always among the first ten, and five among the first five twice as often as not.
run 0 eval $float -s "$data" --top 10 --json
json 'j["in_top_k"] == 1 and j["top_k"] == 10 and j["engine"] == "float"'
run 0 eval "$int8" -s "$data" --engine reference --limit 7 --json
json 'j["images"] == 7 and j["engine"] == "reference" and "device" not in j'

# Gates: the table comes, then a line and status 1.
run 1 eval "$int8" --float $float -s "$data" --min-top1 50
printed 'top-1'
grep -q 'below --min-top1 50' "$dir/err" || fail "does not say why"
run 0 eval "$int8" --float $float -s "$data" --min-top1 10 --max-drop 5

# Numbers against numbers: targets that are the model's own outputs are met, others are not.
python3 - "$dir" <<'END'
import struct, sys
def npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values))
d = sys.argv[1]
npy(f"{d}/x.npy", (3, 1, 28, 28), [i % 7 / 7 for i in range(3 * 784)])
npy(f"{d}/y.npy", (3, 10), [float(i) for i in range(30)])
npy(f"{d}/short.npy", (2, 10), [0.0] * 20)
END
run 0 eval "$int8" --float $float -s "$dir/x.npy" --json
json '"top1" not in j["columns"][1] and j["columns"][1]["outputs"][0]["cosine"] > 0.9'
run 0 eval $float -s "$dir/x.npy" --targets "$dir/y.npy" --json
json 'j["outputs"][0]["mse"] > 1'
refuse "no labels --float --targets" eval "$int8" -s "$dir/x.npy"
refuse "no labels --min-top1" eval "$int8" --float $float -s "$dir/x.npy" --min-top1 5
refuse "target 0 3 samples" eval $float -s "$dir/x.npy" --targets "$dir/short.npy"

# Compare.
run 0 compare $float "$int8" -s "$data" --json --html "$dir/page.html"
json '[t["sqnr"] for t in j["tensors"]] == sorted(t["sqnr"] for t in j["tensors"]) and j["samples"] == 20'
json '{"logits", "hidden_relu"} <= {t["name"] for t in j["tensors"]} and j["tensors"][0]["sqnr"] > 10'
grep -q '<svg' "$dir/page.html" || fail "no plot"
grep -q -i 'http\|<script' "$dir/page.html" && fail "the page needs something else"
[ "$(grep -c '<circle' "$dir/page.html")" = "$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["tensors"]))' "$dir/out")" ] ||
	fail "not a point for each tensor"
run 0 compare $float "$int8" -s "$data" --limit 2
printed 'SQNR'
refuse "/nowhere/page.html" compare $float "$int8" -s "$data" --limit 2 --html /nowhere/page.html

# What is refused.
run 2 eval -s "$data"
run 2 eval "$int8" -s "$data" --max-drop 1
run 2 eval "$int8" -s "$data" --min-top1 101
run 2 eval "$int8" -s "$data" --engine gpu
run 2 compare $float -s "$data"
run 2 compare $float "$int8"
refuse "$int8 no float model" eval "$int8" --float "$int8" -s "$data"
refuse "compiled only an NPU" eval tests/demo/ds-cnn.u65-256.tflite -s "$data" --engine reference
refuse "$dir/nothing No such file" eval "$dir/nothing" -s "$data"
refuse "no tensor of the same name" compare $float tests/demo/ds-cnn.tflite -s "$data"
echo '{"sice": 3}' >"$dir/p.json"
refuse "$dir/p.json sice" eval "$int8" -s "$data" --preprocess "$dir/p.json"
cp $float "$dir/net.onnx"
echo '{"mean": "x"}' >"$dir/net.preprocess.json"
refuse "$dir/net.preprocess.json mean" eval "$dir/net.onnx" -s "$data"

echo "test_eval: $tests commands, $failures failures"
[ $failures = 0 ]
