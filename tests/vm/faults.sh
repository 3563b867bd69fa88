#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: jobs on NPUs with faults to order, clients that are killed, devices that go away. Whatever happens, the
# guilty job fails, all others are done and right, the node works afterwards, and the kernel has nothing to complain of
# (run.sh looks).
# usage: faults.sh VMCLIENT N; the NPUs are those of tests/vm.mk, in its order. N: how often each goes wrong.
set -u
client=$1 n=$2
status=0
echo 30 > /proc/sys/kernel/hung_task_timeout_secs

check() {
	what=$1
	shift
	if "$@" > /tmp/out 2>&1; then
		echo "ok   $what: $(tail -n 1 /tmp/out)"
	else
		echo "FAIL $what: status $?"
		cat /tmp/out
		status=1
	fi
}

# The node of a platform device, which has another number each time.
node() {
	for dir in "/sys/bus/platform/devices/$1"/accel/accel*; do
		[ -d "$dir" ] && echo "/dev/accel/${dir##*/}"
	done
}

device_of() {
	basename "$(readlink "/sys/class/accel/$1/device")"
}

# NODE QUEUES JOBS TIMEOUT-MS TIMED-OUT FAULTED
check "every 5th job hangs" "$client" /dev/accel/accel0 faults 3 $((n * 5)) 80 "$n" 0
check "every 3rd interrupt is lost" "$client" /dev/accel/accel1 faults 3 $((n * 3)) 5000 0 0
check "an interrupt too many with every 2nd job" "$client" /dev/accel/accel2 faults 3 $((n * 2)) 5000 0 0
check "every 4th job is a bus error" "$client" /dev/accel/accel3 faults 3 $((n * 4)) 5000 0 "$n"
check "every 4th job is a parse error" "$client" /dev/accel/accel4 faults 3 $((n * 4)) 5000 0 "$n"
check "every 5th job takes 50 ms longer" "$client" /dev/accel/accel5 faults 3 $((n * 5)) 5000 0 0
check "every 5th job hangs, every 3rd reset fails" "$client" /dev/accel/accel6 faults 3 $((n * 5)) 80 "$n" 0
check "clients are killed" "$client" /dev/accel/accel8 storm "$n" 4
check "buffers travel" "$client" /dev/accel/accel8 prime

# shellcheck source=tests/vm/load.sh
. "$(dirname "$0")/load.sh"

device=$(device_of accel8)
driver=$(readlink -f "/sys/bus/platform/devices/$device/driver")
i=0
while [ $i -lt $((n / 4 + 1)) ]; do
	i=$((i + 1))
	load "$(node "$device")" 3
	echo "$device" > "$driver/unbind"
	load_ends unbind
	echo "$device" > "$driver/bind"
done
check "unbound $i times under load" "$client" "$(node "$device")" faults 2 20 5000 0 0

pci=$(readlink -f "/sys/bus/platform/devices/$device/..")
i=0
while [ $i -lt $((n / 4 + 1)) ]; do
	i=$((i + 1))
	set -- "$pci"/ethosu.*.auto
	device=${1##*/}
	load "$(node "$device")" 3
	echo 1 > "$pci/remove"
	load_ends unplug
	echo 1 > /sys/bus/pci/rescan
done
set -- "$pci"/ethosu.*.auto
device=${1##*/}
check "unplugged $i times under load" "$client" "$(node "$device")" faults 2 20 5000 0 0

# The one that vanishes with its 20th job: an error, soon, and it can be taken away.
"$client" /dev/accel/accel7 faults 2 1000 500 0 0 > /tmp/out 2>&1
s=$?
case $s in
1 | 3) echo "ok   a device vanishes: $(tail -n 1 /tmp/out)" ;;
*) echo "FAIL a device vanishes: status $s"; cat /tmp/out; status=1 ;;
esac
pci=$(readlink -f "/sys/class/accel/accel7/device/..")
echo 1 > "$pci/remove"

[ $status = 0 ] || exit $status

# The file system does not survive a suspend: from here on all is in memory.
cp "$client" /tmp/vmclient
cp "$(dirname "$0")/suspend.sh" /tmp
exec /tmp/busybox sh /tmp/suspend.sh "$n"
