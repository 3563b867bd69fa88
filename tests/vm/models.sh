#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: models on every NPU there is, each byte of their outputs compared.
# usage: models.sh BUILD LIST ARGUMENT...; the arguments are those of tests/models
# LIST has what a driver can not do, "PATTERN reason" a line; a model on it that works is a failure as well.
set -u
build=$1 list=$2
shift 2
status=0 found=0

# The reason why $1 is on the list, or nothing.
excuse() {
	while read -r pattern reason; do
		# shellcheck disable=SC2254 # patterns
		case $1 in
		$pattern) echo "$reason" ;;
		esac
	done < "$list"
}

# One model by the accel command, if the folder with models is there, the last argument.
by_command() {
	model=$folder/kws_ref_model
	[ -e "$model/input_0.npy" ] || return 0
	"$build/accel" run -d "$1" -i "$model/input_0.npy" -o /tmp/y.npy "$model/vela-$2.tflite" > /tmp/run 2>&1 &&
		cmp /tmp/y.npy "$model/output_0.npy" && return 0
	echo "FAIL accel run -d $1 $model/vela-$2.tflite"
	cat /tmp/run
	return 1
}

# As tests/vm.mk has them.
npus='ethos-u65-256 ethos-u65-512 ethos-u85-256'
for folder; do :; done
for node in /dev/accel/accel*; do
	[ -c "$node" ] || continue
	found=$((found + 1))
	"$build/tests/models" -d "$node" "$@" > /tmp/models || [ $? = 1 ] || status=1
	while read -r result path rest; do
		case $result in
		FAIL | ok)
			reason=$(excuse "${path%:}")
			case $result,$reason in
			FAIL,?*) echo "known: ${path%:}: $reason: $rest" ;;
			FAIL,) echo "FAIL $path $rest"; status=1 ;;
			ok,?*) echo "FAIL ${path%:} is on the list, but works"; status=1 ;;
			esac
			;;
		models:) echo "$node: $path $rest" ;;
		esac
	done < /tmp/models
	by_command "$node" "${npus%% *}" || status=1
	npus=${npus#* }
	grep -q '^models: [1-9][0-9]* passed' /tmp/models || status=1
done
[ $found = "$VM_NPUS" ] || { echo "FAIL $found NPUs of $VM_NPUS"; status=1; }
exit $status
