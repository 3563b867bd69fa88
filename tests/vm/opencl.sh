#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: models through OpenCL on every NPU there is, and memory as real dma-bufs.
# usage: opencl.sh BUILD FOLDER ARGUMENT...; FOLDER is a small model's, the rest is for tests/opencl_models.c
set -u
build=$1 folder=$2 status=0
shift 2
export OCL_ICD_VENDORS="$build/icd-npu"
unset ACCEL_OPENCL_DEVICES
"$build/opencl_models" "$@" || status=1
for test in exported from_another_device recorded wrong_recordings released_in_use released_at_once; do
	"$build/test_opencl_ext" "$folder" $test > /tmp/ext 2>&1 && grep -q 'PASSED.* 1 test' /tmp/ext && continue
	echo "FAIL $test"
	cat /tmp/ext
	status=1
done
exit $status
