#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: models on every NPU there is, each byte of their outputs compared.
# usage: models.sh TESTS-MODELS LIST ARGUMENT...
# LIST has what a driver can not do, "PATTERN reason" a line; a model on it that works is a failure as well.
set -u
models=$1 list=$2
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

for node in /dev/accel/accel*; do
	[ -c "$node" ] || continue
	found=$((found + 1))
	"$models" -d "$node" "$@" > /tmp/models || [ $? = 1 ] || status=1
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
	grep -q '^models: [1-9][0-9]* passed' /tmp/models || status=1
done
[ $found = "$VM_NPUS" ] || { echo "FAIL $found NPUs of $VM_NPUS"; status=1; }
exit $status
