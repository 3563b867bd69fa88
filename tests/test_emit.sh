#!/bin/sh
# SPDX-License-Identifier: MIT
# What `accel compile --emit=vela-tflite` writes runs like a file of Vela's, on strict devices, and gives TFLite's
# results. The same bytes with two threads.
# usage: test_emit.sh ACCEL, from the top of the tree.
set -eu
accel=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for npu in u55-128 u65-256 u65-512 u85-256 u85-1024; do
	"$accel" compile tests/demo/ds-cnn.tflite -t $npu --emit=vela-tflite -o "$dir/m.tflite" >/dev/null
	for k in 0 1 2 3; do
		"$accel" run "$dir/m.tflite" -d sim:$npu,strict -i "tests/demo/input_$k.npy" -o "$dir/y.npy" >/dev/null
		cmp "$dir/y.npy" "tests/demo/output_$k.npy"
	done
	"$accel" compile tests/demo/ds-cnn.tflite -t $npu -j 2 --emit=vela-tflite -o "$dir/j.tflite" >/dev/null
	cmp "$dir/m.tflite" "$dir/j.tflite"
done
echo "emit: vela-tflite runs on 5 devices"
