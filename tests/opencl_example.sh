#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example of docs/examples on the demo's model and test pictures: the CPU's OpenCL and the NPU's in a row.
# usage: opencl_example.sh PROGRAM BUILD
# The model as Vela compiled it and as it is compiled when it is built must find the same, mostly the truth.
set -eu

program=$1 build=$2 n=200
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
right=$(paste "$dir/labels" "$dir/ds-cnn.tflite" | awk '$1 == $2 { n++ } END { print n + 0 }')
echo "check-opencl-example: $right of $n right"
[ "$right" -ge $((n * 85 / 100)) ]
