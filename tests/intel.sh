#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The OpenCL engine on Intel's OpenCL for processors: random operations, then Vela's streams.
# usage: intel.sh VENV VERSION BUILD SEED COUNT MODELS [GOLDEN-OPTION...]
# Skips, saying why, where the wheels cannot be had.
set -eu

venv=$1 version=$2 build=$3 seed=$4 count=$5 models=$6
shift 6
lib=$venv/lib/libintelocl.so

# Made beside and renamed: half a download is not taken for a whole one.
if [ ! -e "$lib" ]; then
	rm -rf "$venv.part"
	if ! "$PYTHON" -m venv "$venv.part" ||
	   ! "$venv.part/bin/python" -m pip install -q "intel-opencl-rt==$version" \
		"intel-cmplr-lib-rt==$version"; then
		rm -rf "$venv.part"
		echo "check-intel: skipped: no intel-opencl-rt $version from PyPI"
		exit 0
	fi
	rm -rf "$venv"
	mv "$venv.part" "$venv"
fi

mkdir -p "$build/icd"
echo "$lib" > "$build/icd/intel.icd"
export OCL_ICD_VENDORS="$build/icd" ACCEL_CL_PLATFORM=Intel
export LD_LIBRARY_PATH="$venv/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

for path in portable auto; do
	"$build/tests/checkops" --seed "$seed" --count "$count" --path "$path"
done
status=0
"$build/tests/golden" -e opencl "$@" "$models" || status=$?
if [ $status = 77 ]; then
	echo "check-intel: no models in $models: streams skipped"
	exit 0
fi
exit $status
