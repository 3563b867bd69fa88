#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples of docs/examples on the demo's model and test pictures: the CPU's OpenCL and the NPU's in a row.
# usage: opencl_example.sh PIPELINE OVERLAP BUILD
# The model as Vela compiled it and as it is compiled when it is built must find the same, mostly the truth; with a
# softmax behind it, too, which does not change which class is best. There several pictures must be under way.
set -eu

program=$1 overlap=$2 build=$3 n=200
data=/usr/share/datasets/fashion-mnist
if [ ! -e "$data/t10k-images-idx3-ubyte.gz" ]; then
	echo "check-opencl-example: skipped: no $data"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
gzip -dc "$data/t10k-images-idx3-ubyte.gz" > "$dir/pictures"
gzip -dc "$data/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c $n | od -An -tu1 -v -w1 | tr -d ' ' > "$dir/labels"
for model in ds-cnn.tflite ds-cnn.u65-256.tflite; do
	OCL_ICD_VENDORS=$build/icd-accel ACCEL_OPENCL_DEVICES=sim:ethos-u65-256 POCL_DEVICES=basic \
		"$program" "tests/demo/$model" "$dir/pictures" $n > "$dir/$model"
done
cmp "$dir/ds-cnn.tflite" "$dir/ds-cnn.u65-256.tflite"
# PoCL's "basic" device does nothing until it is waited for, and knows no events of users.
OCL_ICD_VENDORS=$build/icd-accel ACCEL_OPENCL_DEVICES=sim:ethos-u65-256 POCL_DEVICES=pthread \
	"$overlap" tests/demo/ds-cnn.tflite tests/data/ops/softmax_1x10_r4_int8/model.tflite "$dir/pictures" $n \
	> "$dir/overlapped" 2> "$dir/said" || { cat "$dir/said"; exit 1; }
cmp "$dir/ds-cnn.tflite" "$dir/overlapped"
atonce=$(sed -n 's/ pictures under way at a time$//p' "$dir/said")
[ "$atonce" -ge 2 ] || { echo "check-opencl-example: nothing overlaps"; exit 1; }
right=$(paste "$dir/labels" "$dir/ds-cnn.tflite" | awk '$1 == $2 { n++ } END { print n + 0 }')
echo "check-opencl-example: $right of $n right, $atonce pictures under way at a time"
[ "$right" -ge $((n * 85 / 100)) ]
