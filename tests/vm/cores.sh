#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: several NPUs behind one node. They share the work; what goes wrong on one touches nothing on the others;
# they come and go together.
# usage: cores.sh BUILD N ARGUMENT...; the NPUs are those of tests/vm.mk, in its order. N: how often each goes wrong. The
# arguments are those of tests/models.
set -u
build=$1 n=$2
client=$build/tests/vmclient
shift 2
status=0
echo 30 > /proc/sys/kernel/hung_task_timeout_secs

report() {
	what=$1
	shift
	if [ "$1" = 0 ]; then
		echo "ok   $what: $(tail -q -n 1 /tmp/out* | paste -s -d ';')"
	else
		echo "FAIL $what: status $1"
		cat /tmp/out*
		status=1
	fi
	rm -f /tmp/out*
}

check() {
	what=$1
	shift
	"$@" > /tmp/out 2>&1
	report "$what" $?
}

# NODE NAME ARGUMENTS0 ARGUMENTS1: vmclient's faults on core 0 and on core 1 at the same time.
beside() {
	# shellcheck disable=SC2086 # lists
	"$client" "$1" faults $3 1 > /tmp/out0 2>&1 &
	# shellcheck disable=SC2086
	"$client" "$1" faults $4 2 > /tmp/out1 2>&1
	s=$?
	wait $! && [ $s = 0 ]
	report "$2" $?
}

# NODE: how often its NPUs were reset.
resets() {
	cat "/sys/class/accel/${1##*/}/device/npu_resets"
}

found=$(ls /sys/class/accel | wc -l)
[ "$found" = "$VM_NPUS" ] || { echo "FAIL $found nodes of $VM_NPUS"; exit 1; }

check "four slow cores" "$client" /dev/accel/accel0 scale 48

# QUEUES JOBS TIMEOUT-MS TIMED-OUT FAULTED
before=$(resets /dev/accel/accel1)
beside /dev/accel/accel1 "core 0's every 5th job hangs" "2 $((n * 5)) 80 $n 0" "3 $((n * 50)) 5000 0 0"
[ $(($(resets /dev/accel/accel1) - before)) = "$n" ] || { echo "FAIL $(resets /dev/accel/accel1) resets"; status=1; }
beside /dev/accel/accel2 "core 1's every 4th job is a bus error" "3 $((n * 20)) 5000 0 0" "3 $((n * 4)) 5000 0 $n"
beside /dev/accel/accel3 "core 0's every 5th job hangs, every 3rd reset fails" "2 $((n * 5)) 80 $n 0" "3 $((n * 50)) 5000 0 0"
beside /dev/accel/accel4 "core 0 loses every 3rd interrupt, core 1 has some too many" "3 $((n * 3)) 5000 0 0" "3 $((n * 20)) 5000 0 0"

# The one job that it took with it failed; a reset does not bring it back; the other core has the work then.
check "core 0 vanishes with its 20th job" "$client" /dev/accel/accel5 faults 4 $((100 + n * 10)) 5000 0 1
check "the other core goes on" "$client" /dev/accel/accel5 faults 4 $((n * 20)) 5000 0 0

last=/dev/accel/accel7
check "8 clients, 2 cores" "$client" /dev/accel/accel6 share 8 3000 alike
power=/sys/class/accel/${last##*/}/device/power/control
echo on > "$power"
check "SRAM of each core" "$client" $last sram
echo auto > "$power"
check "realtime" "$client" $last realtime 8 50
check "clients are killed" "$client" $last storm "$n" 4

# Models byte by byte: on core 0, which is always taken if it is idle, and on core 1 while core 0 is kept busy. The kernel
# says where they ran.
trace=/sys/kernel/tracing
[ -e $trace/events ] || mount -t tracefs tracefs $trace
event=$trace/events/ethosu/ethosu_job_start
models() {
	core=$1 count=$2
	shift 2
	echo "core == $core" > $event/filter
	echo > $trace/trace
	echo 1 > $event/enable
	[ "$count" = 1 ] || "$build/tests/models" -d $last "$@" > /tmp/out1 2>&1 &
	second=$!
	"$build/tests/models" -d $last "$@" > /tmp/out0 2>&1
	s=$?
	wait $second || s=1
	echo 0 > $event/enable
	grep -q " core=$core " $trace/trace || { echo "no job on core $core" >> /tmp/out0; s=1; }
	report "models on core $core" $s
}
models 0 1 "$@"
"$client" $last faults 1 100000000 5000 0 0 1 > /dev/null 2>&1 &
hog=$!
models 1 2 "$@"
kill $hog
wait $hog 2> /dev/null

# shellcheck source=tests/vm/load.sh
. "$(dirname "$0")/load.sh"

device=$(basename "$(readlink "/sys/class/accel/${last##*/}/device")")
slot=$(readlink -f "/sys/bus/platform/devices/$device/..")
driver=$(readlink -f "/sys/bus/platform/devices/$device/driver")
node() {
	for dir in "$slot"/ethosu.*.auto/accel/accel*; do
		[ -d "$dir" ] && echo "/dev/accel/${dir##*/}"
	done
}

i=0
while [ $i -lt $((n / 4 + 1)) ]; do
	i=$((i + 1))
	load "$(node)" 4
	echo "$device" > "$driver/unbind"
	load_ends unbind
	echo "$device" > "$driver/bind"
done
check "unbound $i times under load" "$client" "$(node)" faults 4 40 5000 0 0

# One function of the slot goes, first or second: the node with it. Both are there again: so is the node.
i=0
while [ $i -lt $((n / 4 + 1)) ]; do
	i=$((i + 1))
	load "$(node)" 4
	gone=${slot%.?}.$((i % 2))
	echo 1 > "$gone/remove"
	load_ends unplug
	[ -z "$(node)" ] || { echo "FAIL the node is there with one core"; status=1; }
	echo 1 > /sys/bus/pci/rescan
done
check "a core unplugged $i times under load" "$client" "$(node)" faults 4 40 5000 0 0 2

[ $status = 0 ] || exit $status
# The file system does not survive a suspend: from here on all is in memory.
cp "$client" /tmp/vmclient
cp "$(dirname "$0")/suspend.sh" /tmp
exec /tmp/busybox sh /tmp/suspend.sh "$n"
