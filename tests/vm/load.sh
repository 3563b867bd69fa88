# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154,SC2034
# In the guest, sourced: work on an NPU that goes away. $client runs it, $status becomes 1 if it ends otherwise.

# NODE QUEUES: run jobs for ever in the background, until their device is gone; continue once they are well under way.
load() {
	mkfifo /tmp/begun
	"$client" "$1" faults "$2" 100000000 5000 0 0 > /tmp/begun 2> /tmp/load &
	pid=$!
	exec 5< /tmp/begun
	read -r _ <&5
	rm /tmp/begun
}

load_ends() {
	wait "$pid"
	s=$?
	exec 5<&-
	# 3: it was told ENODEV.
	[ $s = 3 ] || { echo "FAIL $1: the clients ended with $s"; cat /tmp/load; status=1; }
}
