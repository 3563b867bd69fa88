#!/bin/sh
# SPDX-License-Identifier: MIT
# The accel command from outside: what it prints, what it writes, its exit status; above all on bad input.
# usage: test_cli.sh ACCEL, from the top of the tree.
set -u
accel=$1
model=tests/demo/ds-cnn.u65-256.tflite
input=tests/demo/input_0.npy
answer=tests/demo/output_0.npy
ops=tests/data/ops
unset ACCEL_DEVICE
. tests/cli.sh

printed() {
	grep -q -e "$1" "$dir/out" || fail "no \"$1\" in its output"
}

# json EXPRESSION: standard output is JSON, j, and the Python expression on it is true.
json() {
	python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
		"$dir/out" "$1" 2>>"$dir/err" || fail "JSON is not so: $1"
}

# array FILE TYPE SHAPE BYTES: a .npy file of zeros.
array() {
	{
		printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
		head -c "$4" /dev/zero
	} >"$1"
}

same() {
	cmp -s "$1" "$2" || fail "$1 is not $2"
}

absent() {
	[ ! -e "$1" ] || fail "left $1 behind"
}

# Help, and command lines that make no sense.
run 0 --help
printed 'accel bench model'
run 0 --version
printed '^accel [0-9]'
for command in devices info run bench eval compare disasm; do
	run 0 $command --help
	printed 'Examples:'
	sed '1,/^Examples:/d' "$dir/out" | grep -qv '^  accel ' && fail "an example is broken over lines"
	run 2 $command --no-such-option
done
run 2
run 2 dance
run 2 run
run 2 run a b
run 2 bench "$model" -n 0
run 2 bench "$model" -n 5x
run 2 eval "$model"
run 2 eval "$model" --dataset fashion-mnist --limit 0
run 2 disasm -a u99 "$model"

# What works.
run 0 devices
printed 'sim:ethos-u85-2048'
run 0 devices --json
json 'len(j) >= 11 and any(d["spec"] == "sim:ethos-u65-512" and d["macs"] == 512 for d in j)'
run 0 info "$model"
printed 'ethos-u65-256'
run 0 info "$model" --json
json 'j["inputs"][0]["shape"] == [1, 28, 28, 1] and j["outputs"][0]["type"] == "int8"'
run 0 disasm "$model"
printed 'NPU_OP_STOP'
run 0 disasm "$model" --json
json 'j[0][-1]["command"] == "NPU_OP_STOP"'
for k in 0 1 2 3; do
	run 0 run "$model" -d sim:ethos-u65-256 --input "tests/demo/input_$k.npy" --output "$dir/y.npy"
	same "$dir/y.npy" "tests/demo/output_$k.npy"
done
run 0 run tests/demo/ds-cnn.u85-256.tflite -d sim:ethos-u85-256 --input "$input" --output "$dir/y.npy"
same "$dir/y.npy" "$answer"
run 0 run "$model" -d sim:ethos-u65-256,engine=reference --input "$input" --output "$dir/many/"
same "$dir/many/output_0.npy" "$answer"
run 0 run "$model" --input "$input" --json
json 'j["npu_cycles"] > 0'
run 0 run "$model" --input "$input" --output /dev/null
run 0 bench "$model" -n 20 --json
json 'j["runs"] == 20 and 0 < j["latency_us"]["min"] <= j["latency_us"]["median"] <= j["latency_us"]["p90"]'
json 'j["latency_us"]["p90"] <= j["latency_us"]["p99"] and j["first_us"] > 0 and j["per_second"] > 0'

# Several inputs, several outputs.
array "$dir/a.npy" '|i1' '(1, 5, 6, 17)' 510
array "$dir/b.npy" '|i1' '(1, 5, 6, 1)' 30
run 0 run $ops/add_bc_int8/vela-u65-256.tflite --input "$dir/a.npy" --input "$dir/b.npy" --output "$dir/sum.npy"
refuse "--input 2" run $ops/add_bc_int8/vela-u65-256.tflite --input "$dir/a.npy"
refuse "b.npy 1x5x6x1 1x5x6x17" run $ops/add_bc_int8/vela-u65-256.tflite --input "$dir/b.npy" --input "$dir/a.npy"
array "$dir/c.npy" '|i1' '(1, 6, 5, 7)' 210
run 0 run $ops/split_h_int8/vela-u65-256.tflite --input "$dir/c.npy" --output "$dir/split"/
for k in 0 1 2; do
	[ -s "$dir/split/output_$k.npy" ] || fail "no output $k"
done
refuse "3 outputs directory" run $ops/split_h_int8/vela-u65-256.tflite --input "$dir/c.npy" --output "$dir/one.npy"
absent "$dir/one.npy"

# Models that cannot be run, and a result of an earlier run that has to stay.
y=$dir/kept.npy
cp "$answer" "$y"
refuse "nowhere.tflite" run nowhere.tflite --output "$y"
refuse "$dir directory" run "$dir" --output "$y"
refuse "/dev/null TFL3" run /dev/null --output "$y"
refuse "$model ethos-u65-256 ethos-u85-256 sim:ethos-u65-256" run "$model" -d sim:ethos-u85-256 --input "$input" --output "$y"
refuse "ethos-u65-512" run "$model" -d sim:ethos-u65-512 --input "$input" --output "$y"
refuse "tests/demo/ds-cnn.u65-256.tflite compiled" compile "$model" -o "$dir/again.accel"
refuse "tests/demo/ds-cnn.onnx stem quantise" compile tests/demo/ds-cnn.onnx -o "$dir/again.accel"
refuse "tests/demo/ds-cnn.onnx stem quantise" estimate tests/demo/ds-cnn.onnx
refuse "tests/demo/ds-cnn.onnx stem quantise" run tests/demo/ds-cnn.onnx --input "$input"
refuse "README.md" compile README.md -o "$dir/again.accel"
refuse "ethos-u65-256" compile tests/demo/ds-cnn.tflite -t ethos-u64-256 -o "$dir/again.accel"
refuse "Dedicated_Sram" compile tests/demo/ds-cnn.tflite --memory-mode Shared -o "$dir/again.accel"
[ ! -e "$dir/again.accel" ] || fail "wrote a program nevertheless"

# A model that is not compiled is compiled first; a program file is the same whatever the number of threads.
run 0 run tests/demo/ds-cnn.tflite --input "$input" --output "$dir/compiled.npy"
cmp -s "$dir/compiled.npy" "$answer" || fail "another answer than TensorFlow Lite"
for jobs in 1 3; do
	run 0 compile tests/demo/ds-cnn.tflite -t u85-256 -j $jobs -o "$dir/$jobs.accel"
done
cmp -s "$dir/1.accel" "$dir/3.accel" || fail "other bytes with 3 threads than with 1"
run 0 run "$dir/1.accel" -d sim:ethos-u85-256 --input "$input" --output "$dir/compiled.npy"
cmp -s "$dir/compiled.npy" "$answer" || fail "another answer than TensorFlow Lite"
run 0 info "$dir/1.accel"
grep -q "ethos-u85-256" "$dir/out" || fail "info does not name the NPU"
size=$(wc -c <"$dir/1.accel")
for part in 1 3 8 20 500 950 999; do
	head -c $((size * part / 1000)) "$dir/1.accel" >"$dir/part.accel"
	refuse "part.accel" run "$dir/part.accel" --input "$input" --output "$y"
done
refuse "NOT_EQUAL CPU" run $ops/cmp_notequal_int8/vela-u85-256.tflite -d sim:ethos-u85-256 --output "$y"
size=$(wc -c <"$model")
for part in 1 3 8 20 500 950 999; do
	head -c $((size * part / 1000)) "$model" >"$dir/part.tflite"
	refuse "part.tflite" run "$dir/part.tflite" --input "$input" --output "$y"
	refuse "part.tflite" info "$dir/part.tflite"
	refuse "part.tflite" disasm "$dir/part.tflite"
done

# Small models that would have the runtime do or keep any amount.
bad=tests/corpus/model/variables-6gib.tflite
refuse "$bad tensor variables" run $bad --output "$y"
bad=tests/corpus/model/shared-constants.tflite
refuse "$bad operator constants" run $bad --output "$y"

# Inputs that do not fit.
refuse "nowhere.npy" run "$model" --input nowhere.npy --output "$y"
refuse "$model .npy" run "$model" --input "$model" --output "$y"
refuse "output_0.npy 1x10 1x28x28x1" run "$model" --input "$answer" --output "$y"
array "$dir/float.npy" '<f4' '(1, 28, 28, 1)' 3136
refuse "float.npy float32 int8" run "$model" --input "$dir/float.npy" --output "$y"
head -c 400 "$input" >"$dir/short.npy"
refuse "short.npy" run "$model" --input "$dir/short.npy" --output "$y"
array "$dir/huge.npy" '|i1' '(4294967296, 4294967296, 4294967296)' 16
refuse "huge.npy" run "$model" --input "$dir/huge.npy" --output "$y"
same "$y" "$answer"

refuse "$model 1 2" run "$model" --input "$input" --input "$input" --output "$y"
cp $ops/add_bc_int8/io.npz "$dir/several.npz"
refuse "several.npz .npy numpy.save" run "$model" --input "$dir/several.npz" --output "$y"
refuse "$input TFL3" disasm "$input"
same "$y" "$answer"

# Outputs that cannot be written.
echo text >"$dir/file"
refuse "$dir/file" run "$model" --input "$input" --output "$dir/file/"
refuse "$dir/file" run "$model" --input "$input" --output "$dir/file/y.npy"
[ "$(cat "$dir/file")" = text ] || fail "wrote over $dir/file"
refuse "/proc/nowhere" run "$model" --input "$input" --output /proc/nowhere/
refuse "$dir/no/y.npy" run "$model" --input "$input" --output "$dir/no/y.npy"
refuse "/dev/full" run "$model" --input "$input" --output /dev/full
name="accel devices >/dev/full"
tests=$((tests + 1))
"$accel" devices >/dev/full 2>"$dir/err" && fail "a full disk went unnoticed"
name="everything that was written"
left=$(find "$dir" -name '*.npy?*' -o -name '.*.npy*')
[ -z "$left" ] || fail "left $left behind"

# Devices and platforms that are not there.
refuse "ethos-u65-256,engine=warp opencl reference" run "$model" -d sim:ethos-u65-256,engine=warp --input "$input"
refuse "ethos-u99" run "$model" -d sim:ethos-u99 --input "$input"
refuse "/dev/accel/accel77" run "$model" -d /dev/accel/accel77 --input "$input"
OCL_ICD_VENDORS=/nonexistent
export OCL_ICD_VENDORS
refuse "OpenCL pocl-opencl-icd engine=reference" run "$model" --input "$input"
unset OCL_ICD_VENDORS

# Data sets.
refuse "fashion-mnist" eval "$model" --dataset no-such-set
refuse "/nowhere dataset-fashion-mnist" eval "$model" --dataset fashion-mnist:/nowhere
echo damaged | gzip >"$dir/t10k-images-idx3-ubyte.gz"
refuse "$dir/t10k-images-idx3-ubyte.gz idx" eval "$model" --dataset "fashion-mnist:$dir"
{ printf '\000\000\010\003\000\000\000\002\000\000\000\034\000\000\000\034' && head -c 1568 /dev/zero; } |
	gzip >"$dir/t10k-images-idx3-ubyte.gz"
printf '\000\000\010\001\000\000\000\002\000\012' | gzip >"$dir/t10k-labels-idx1-ubyte.gz"
refuse "$dir label 10" eval "$model" --dataset "fashion-mnist:$dir"
printf '\000\000\010\001\000\000\000\002\000\001' | gzip >"$dir/t10k-labels-idx1-ubyte.gz"
refuse "$ops/add_bc_int8" eval $ops/add_bc_int8/vela-u65-256.tflite --dataset "fashion-mnist:$dir"
# Two pictures that are all black get the same answer: one is right at most.
run 0 eval "$model" --dataset "fashion-mnist:$dir" --json
json 'j["images"] == 2 and j["correct"] <= 1 and j["top1"] == j["correct"] / 2 and len(j["classes"]) == 10'
json 'sum(map(sum, j["confusion"])) == 2'
run 0 eval "$model" --dataset "fashion-mnist:$dir" --limit 1
printed 'top-1'

echo "test_cli: $tests commands, $failures failures"
[ $failures = 0 ]
